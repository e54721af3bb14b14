"""The condition of a rule: `when` and `unless`, read from TOML into terms that can be judged.

The keys of one table are joined by "and"; a key is a condition by its name, or `all`, `any`, `not`
with more tables inside.
"""

from collections.abc import Iterator
from typing import TypeAlias

from msgspec import Struct

from indexgate_policy.rules import conditions
from indexgate_policy.rules.conditions import Definition, Scope, Test, UsualTest
from indexgate_policy.rules.kleene import Outcome, all_of, any_of, negate, unknown
from indexgate_policy.rules.known import Known
from indexgate_policy.rules.positions import Path
from indexgate_policy.rules.strict import Field, shown, steps, suggest
from indexgate_policy.rules.usual import Usual, all_usual, any_usual, negate_usual
from indexgate_policy.rules.wording import plain
from indexgate_policy.subject import File

_WORDS = ("all", "any", "not")


class Condition(Struct, frozen=True, kw_only=True):
    """One condition of the policy with its `value`; `written` is both as a person would say it.

    `path` is where in the rule it stands.
    """

    definition: Definition
    value: object
    written: str
    test: Test
    usual_test: UsualTest | None = None
    path: Path = ()

    def judge(self, file: File, known: Known) -> Outcome:
        """Tell whether it holds; an exception inside makes it unknown."""
        try:
            return self.test(file, known)
        except Exception as error:
            return unknown(f"{type(error).__name__} in `{self.definition.name}`: {error}")

    def usual(self, file: File, known: Known) -> Usual | None:
        """Say what it says of the project's usual releases, where that needs no look at each."""
        if self.definition.scope is Scope.PROJECT:
            return Usual(outcome=self.judge(file, known))
        try:
            return self.usual_test(file, known) if self.usual_test is not None else None
        except Exception:
            return None  # `judge` will say why it is unknown

    def conditions(self) -> Iterator["Condition"]:
        """Yield every condition in it: itself."""
        yield self


class All(Struct, frozen=True, kw_only=True):
    """Holds when every part does."""

    parts: tuple["Term", ...]

    def judge(self, file: File, known: Known) -> Outcome:
        """Judge the parts, lazily."""
        return all_of(part.judge(file, known) for part in self.parts)

    def usual(self, file: File, known: Known) -> Usual | None:
        """Say what it says of the project's usual releases."""
        return all_usual(part.usual(file, known) for part in self.parts)

    def conditions(self) -> Iterator[Condition]:
        """Yield every condition in it."""
        for part in self.parts:
            yield from part.conditions()


class Any(Struct, frozen=True, kw_only=True):
    """Holds when a part does."""

    parts: tuple["Term", ...]

    def judge(self, file: File, known: Known) -> Outcome:
        """Judge the parts: the one that holds longest speaks."""
        return any_of(part.judge(file, known) for part in self.parts)

    def usual(self, file: File, known: Known) -> Usual | None:
        """Say what it says of the project's usual releases."""
        return any_usual(part.usual(file, known) for part in self.parts)

    def conditions(self) -> Iterator[Condition]:
        """Yield every condition in it."""
        for part in self.parts:
            yield from part.conditions()


class Not(Struct, frozen=True, kw_only=True):
    """Holds when its part does not."""

    part: "Term"

    def judge(self, file: File, known: Known) -> Outcome:
        """Judge the part and turn it round."""
        return negate(self.part.judge(file, known), self._why)

    def usual(self, file: File, known: Known) -> Usual | None:
        """Say what it says of the project's usual releases."""
        return negate_usual(self.part.usual(file, known), self._why)

    @property
    def _why(self) -> str:
        written = " and ".join(condition.written for condition in self.part.conditions())
        return f"it is not so that {written}"

    def conditions(self) -> Iterator[Condition]:
        """Yield every condition in it."""
        yield from self.part.conditions()


Term: TypeAlias = Condition | All | Any | Not


def read(field: Field) -> Term:
    """Return the term that the table *field* says. Raises PolicyError."""
    parts: list[Term] = []
    for key, value in field.table().items():
        inner = Field(key=f"{field.key}.{key}", value=value, place=field.place)
        if key == "not":
            parts.append(Not(part=read(inner)))
        elif key in _WORDS:
            terms = tuple(read(item) for item in inner.items("a list of tables"))
            parts.append(_joined(terms) if key == "all" else Any(parts=terms))
        else:
            parts.append(_condition(key, inner, field))
    return _joined(tuple(parts))


def scope(*terms: Term) -> Scope:
    """Return the widest thing for which all of *terms* say the same."""
    return max(c.definition.scope for term in terms for c in term.conditions())


def _joined(terms: tuple[Term, ...]) -> Term:
    return terms[0] if len(terms) == 1 else All(parts=terms)


def _condition(key: str, inner: Field, field: Field) -> Condition:
    definition = conditions.BY_NAME.get(key)
    if definition is None:
        what = f"`{shown(key)}` is not a condition"
        raise field.error("unknown-condition", what, _hint(key), key=key)
    written = f"{key} = {plain(in_toml(inner.value), 80)}"
    return Condition(
        definition=definition,
        value=inner.value,
        written=written,
        test=definition.read(inner),
        usual_test=definition.read_usual(inner) if definition.read_usual is not None else None,
        path=steps(inner.key),
    )


def _hint(key: str) -> str:
    if key.startswith("signal."):
        return f"write the name without quotes: `{shown(key)} = ...`"
    return suggest(key, (*conditions.BY_NAME, *_WORDS))


def in_toml(value: object) -> str:
    """Return *value* on one line, roughly as it was written, for people."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {in_toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(in_toml(item) for item in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{value}"' if isinstance(value, str) else str(value)
