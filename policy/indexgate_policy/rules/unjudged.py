"""The sentence that something cannot be judged by a rule: written, and read back.

A fact that is missing for all projects (a feed that was never read) makes one such sentence for
each of them; whoever lists many reads the sentences back to say it once.
"""

from msgspec import Struct


class Unjudged(Struct, frozen=True, kw_only=True):
    """That the rule with the id `rule` cannot judge, and why not."""

    rule: str
    why: str

    def of(self, subject: str) -> str:
        """Return the sentence about *subject*: a project, or a project and a version."""
        return f"{subject}{_between(self.rule)}{self.why}"

    def of_many(self, count: int) -> str:
        """Return the sentence about *count* packages."""
        return f"{count} packages cannot be judged by the rule `{self.rule}`: {self.why}"


def read(reason: str, *, project: str, rule: str) -> Unjudged | None:
    """Return what *reason* says if it is such a sentence about *project* by *rule*."""
    subject, between, why = reason.partition(_between(rule))
    if between and why and (subject == project or subject.startswith(f"{project} ")):
        return Unjudged(rule=rule, why=why)
    return None


def _between(rule: str) -> str:
    return f" cannot be judged by the rule {rule}: "
