"""The condition on who asks: `client`. Pages of a policy that uses it differ by client."""

from indexgate_policy.rules.conditions import shapes
from indexgate_policy.rules.conditions.definition import Definition, Scope, Test
from indexgate_policy.rules.kleene import FAILS, Outcome, all_of, holds, unknown
from indexgate_policy.rules.known import Known
from indexgate_policy.rules.strict import Field
from indexgate_policy.signals import Unknown
from indexgate_policy.subject import File

KINDS = ("ci", "person")


def _client(field: Field) -> Test:
    fields = field.fields(("kind", "family", "team"), f"`{field.key}`")
    kinds = fields["kind"].some_of(KINDS) if "kind" in fields else frozenset()
    families = frozenset(fields["family"].texts()) if "family" in fields else frozenset()
    teams = frozenset(fields["team"].texts()) if "team" in fields else frozenset()

    def test(file: File, known: Known) -> Outcome:
        client = known.client
        parts = []
        if kinds:
            parts.append(_is_one_of("the client is of kind", client.kind, kinds))
        if families:
            parts.append(_is_one_of("the client is", client.family, families))
        if teams:
            parts.append(_is_one_of("the client's team is", client.team, teams))
        return all_of(parts)

    return test


def _is_one_of(words: str, value: str | Unknown, wanted: frozenset[str]) -> Outcome:
    if isinstance(value, Unknown):
        return unknown(value.reason)
    return holds(f"{words} {value}") if value in wanted else FAILS


CLIENT = Definition(
    name="client",
    scope=Scope.PROJECT,
    what="The request comes from such a client; all modifiers given must fit.",
    value=(
        "`kind` is `ci`, `person` or a list, `family` an installer's name (`pip`, `uv`, `poetry`, "
        "`pdm` ...) or a list, `team` a team's name or a list"
    ),
    example='{ kind = "ci" }',
    unknown="the client does not say its kind, or no team is configured for it",
    shape=shapes.table(
        {
            "kind": shapes.one_or_many(shapes.one_of(KINDS)),
            "family": shapes.TEXTS,
            "team": shapes.TEXTS,
        }
    ),
    read=_client,
)
