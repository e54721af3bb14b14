"""Every kind of problem document that the gate answers with: when, what is in it, what to do.

The URIs are stable: a client may compare `type` as a whole. A field may be added to a type, none is
taken away. The page for people is made from this table, and a test holds the code to it.
"""

from collections.abc import Iterator, Mapping

from msgspec import Struct

PREFIX = "urn:indexgate:"

COMMON: Mapping[str, str] = {
    "type": "one of the URIs below",
    "title": "what kind of problem it is, the same for all of a type",
    "status": "the HTTP status",
    "detail": "what happened, to what, and what to do, for people",
    "request_id": "the request's id, also in the header `X-Request-Id` and in the gate's log",
}
"""Fields that every document has."""

FIELDS: Mapping[str, str] = {
    "instance": "address of the page that explains this refusal; ask it again for what holds now",
    "project": "normalised name of the project",
    "version": "the version, as its file name has it",
    "file": "name of the file",
    "subject": "project and version in one text",
    "rule": "id of the rule that decides; see `indexgate policy explain RULE`",
    "action": "`refuse`",
    "reason": "why, one line; the same until `until`",
    "evidence": (
        "list of facts, each with `kind` (`advisory`, `flag`, `release`, `project`, `upstream`),"
        " `id`, `text`, `severity` (`info` to `critical`, empty where there is none)"
    ),
    "hint": "how to go on, one line",
    "ask": "the command that asks for an exemption; absent where nothing can waive the rule",
    "passing_versions": "up to five versions that pass now, the best instead of this one first",
    "imitates": "the project whose name this one imitates, null when that is not the matter",
    "policy": "digest of the policy that decided",
    "team": "the team that it was decided for, null where that is not known; absent where the"
    " policy speaks of no team",
    "team_unknown": "why the team is not known",
    "until": "first moment at which the answer may differ without any new fact; null: none",
    "upstream_status": "HTTP status that upstream answered with, null when there was none",
    "kind": "what failed, as in `type`",
}
"""Fields that some types add, in the order of the document."""

_FILE = ("project", "version", "file")
_DECISION = (
    *("rule", "action", "reason", "evidence", "hint", "passing_versions", "imitates", "policy"),
    "until",
)


class ProblemType(Struct, frozen=True, kw_only=True):
    """A kind of problem: its `id` follows `PREFIX`, `status` are those that it comes with.

    `when` says when it is sent, `do` what whoever asked can do. `fields` are always there, `maybe`
    sometimes.
    """

    id: str
    status: tuple[int, ...]
    when: str
    do: str
    fields: tuple[str, ...] = ()
    maybe: tuple[str, ...] = ()

    @property
    def uri(self) -> str:
        """The value of `type`."""
        return f"{PREFIX}{self.id}"


_UPSTREAM_KINDS: Mapping[str, str] = {
    "refused": "does not take connections",
    "timeout": "did not answer in time",
    "status": "answered with an error",
    "garbage": "sent what is no page of a simple index",
    "cut-off": "ended its answer in the middle",
    "too-large": "sent more than the gate takes",
    "certificate": "has a certificate that is not trusted",
    "dns": "has a name that cannot be looked up",
    "redirect": "leads elsewhere too often, or to where the gate does not go",
    "private-address": "leads to an address inside the network, which a public index must not",
    "loop": "is the gate itself",
    "offline": "is not asked, since the gate is offline",
    "version": "speaks a version of the protocol that the gate does not know",
    "hash": "sent a file that is not the one its page promises",
    "store": "could not be asked, since the gate's own store failed",
    "missing": "lists a file and does not have it",
    "too-many": "is asked by too many requests at once",
}
_UPSTREAM_DO: Mapping[str, str] = {
    "hash": "Do not install it. Compare with a lock file; tell whoever runs the index.",
    "certificate": "Name the certificate of the index with `--upstream-ca`.",
    "dns": "Look at the name in `--upstream` and at the network.",
    "loop": "Set `--upstream` to the index behind the gate.",
    "offline": "Start the gate without `--offline`, or install what it has stored.",
    "store": "Look at the log of the gate, and at its disk.",
    "missing": "Nothing can be done here; another version may be whole.",
    "private-address": "Say `--upstream-public no` if that index is one of your own.",
}


def _upstream(kind: str, clause: str) -> ProblemType:
    return ProblemType(
        id=f"upstream-{kind}",
        status=(424, 502, 503, 504),
        when=f"Upstream {clause}, and what was asked for is not stored.",
        do=_UPSTREAM_DO.get(kind, "Try again later (`Retry-After` says when, if it is there)."),
        fields=("upstream_status", "kind"),
    )


TYPES: tuple[ProblemType, ...] = (
    ProblemType(
        id="refused",
        status=(403, 451),
        when=(
            "The policy refuses the file; or, with 451, every version of the project, where"
            " refusals are hidden (`hide`)."
        ),
        do=(
            "Take one of `passing_versions`, or the project in `imitates`; else follow `hint`. Do"
            " not look for another way to the same file: it is refused for what it is."
        ),
        fields=("project", *_DECISION),
        maybe=("instance", "version", "file", "subject", "ask", "team", "team_unknown"),
    ),
    ProblemType(
        id="passes-now",
        status=(409,),
        when="The page of a refusal was asked for, and the file passes now.",
        do="Run the install again.",
        fields=_FILE,
    ),
    ProblemType(
        id="no-such-project",
        status=(404,),
        when="The index has no project of that name, or it is no name of a project.",
        do="Check the name. One that was made up, attackers may register: do not install it later.",
    ),
    ProblemType(
        id="no-such-version",
        status=(404,),
        when="The index lists no such version of the project.",
        do="Ask the project's page for the versions that there are.",
    ),
    ProblemType(
        id="not-listed",
        status=(404,),
        when="No project page of the index lists the file.",
        do="Ask the project's page; make a lock file anew that has an old address.",
    ),
    ProblemType(
        id="not-acceptable",
        status=(406,),
        when="`Accept` names no form that the gate has.",
        do="Ask for one of the forms in `detail`.",
    ),
    *(_upstream(kind, clause) for kind, clause in _UPSTREAM_KINDS.items()),
    ProblemType(
        id="bad-query",
        status=(400,),
        when="What was sent to `/osv/v1/` is no query as OSV takes it.",
        do="Send what `detail` asks for.",
    ),
    ProblemType(
        id="no-such-vulnerability",
        status=(404,),
        when="An id was asked for that stands for no refusal that holds now.",
        do="Ask for the version again.",
    ),
    ProblemType(
        id="not-our-form",
        status=(403,),
        when="An exemption was asked for otherwise than by the form on the page of a refusal.",
        do="Open that page again, or use `indexgate exempt request`.",
    ),
    ProblemType(
        id="exemption-not-asked",
        status=(400,),
        when="What the form for exemptions sent is not usable.",
        do="Mend what `detail` names.",
    ),
    ProblemType(
        id="exemption-not-kept",
        status=(503,),
        when="The request for an exemption could not be written down.",
        do="Ask in a terminal with `indexgate exempt request`.",
    ),
    ProblemType(
        id="unknown-host",
        status=(421,),
        when="The request names a host that is not the gate's.",
        do="Add the name with `--allow-host` if it is yours.",
    ),
    ProblemType(
        id="loop",
        status=(508,),
        when="The gate was asked by itself.",
        do="Set `--upstream` to the index behind the gate.",
    ),
    ProblemType(
        id="gate-fault",
        status=(500,),
        when="The gate itself failed.",
        do="Report it, with what its log has under `request_id`.",
    ),
    ProblemType(
        id="http-STATUS",
        status=(),
        when="The web server's own errors: `http-404` for an address that is none, `http-405` ...",
        do="Look at the address and the method.",
    ),
)
"""All types, those that an installer meets first."""

BY_ID = {each.id: each for each in TYPES}


def page() -> str:
    """Return `docs/reference/problems.md`."""
    return "\n".join([*_opening(), *_types(), *_fields()]) + "\n"


def _opening() -> Iterator[str]:
    yield "# Problems"
    yield ""
    guide = "[read refusals by machine](../tasks/read-refusals-by-machine.md)"
    yield (
        "What the gate cannot or will not give is answered with `application/problem+json` (RFC"
        " 9457), without parameters in the\nContent-Type. `type` is stable and can be compared as a"
        " whole; `reason` and `detail` are for people.\nFields may be added, none is taken away."
        f" How a program reads them:\n{guide}."
    )
    yield ""
    yield "This page is made from the program's own table. Every document has:"
    yield ""
    yield "| field | meaning |"
    yield "| --- | --- |"
    yield from (f"| `{name}` | {meaning} |" for name, meaning in COMMON.items())
    yield ""


def _types() -> Iterator[str]:
    for each in TYPES:
        yield f"## `{each.uri}`"
        yield ""
        yield each.when
        yield ""
        if each.status:
            yield f"- status: {', '.join(str(status) for status in each.status)}"
        yield f"- what to do: {each.do}"
        if each.fields:
            yield f"- fields: {', '.join(f'`{name}`' for name in each.fields)}"
        if each.maybe:
            yield f"- sometimes: {', '.join(f'`{name}`' for name in each.maybe)}"
        yield ""


def _fields() -> Iterator[str]:
    yield "## Fields"
    yield ""
    yield "| field | meaning |"
    yield "| --- | --- |"
    yield from (f"| `{name}` | {meaning} |" for name, meaning in FIELDS.items())
