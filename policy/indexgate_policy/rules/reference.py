"""The reference of the policy language, rendered from the definitions that the code works by."""

from collections.abc import Iterator

from indexgate_policy.rules import cases, conditions, document, document_text, durations, missing
from indexgate_policy.rules.conditions import Definition, Scope
from indexgate_policy.rules.exemptions import BUILT_IN

_OPENING = """\
# The policy

A policy is a TOML file that says which packages are refused and which are warned of. Three are
shipped (`observe`, `balanced`, `strict`); `--policy` takes their names or the path of your own.

This page is made from the program's own definitions. Every example on it is a complete policy and
is read by a test.

```toml
version = 1

[[rule]]
id = "malware"
action = "refuse"
when = { advisory = "malware" }
unknown = "warn"

[[rule]]
id = "release-age"
action = "refuse"
when = { release_age = { below = "24h" } }
unless = { fixes_advisory = true }
unknown = "allow"
hint = "older releases pass"

[[exemption]]
project = "internal-tools-*"
rule = "release-age"
reason = "our own packages"
owner = "platform team"
expires = 2027-01-31
```

## The document

The file is read strictly: an unknown key, a wrong type, an empty condition is an error that names
the place and the nearest key that is known. It is UTF-8, at most {kilobytes} KB, nested at most
{depth} deep. Editors check and complete it by a [schema](policy.schema.json) when its first line is
`#:schema ./policy.schema.json`.

| key | meaning |
| --- | --- |
| `version` | always `1`; needed |
| `max_feed_age` | how old the advisory feed may be before "no advisory" is unknown, `"{hours}h"` |
| `max_exemption` | the longest that an exemption is granted for, `"90d"`; no bound without it |
| `break_glass` | `"allow"` or `"refuse"`: whether `indexgate run --break-glass` works; `"allow"` |
| `[[rule]]` | a rule; without any the policy allows all |
| `[[exemption]]` | an exemption from a rule |
| `[[grandfather]]` | versions in use that are warned of for a while before a rule refuses them |

A duration is written {examples}; parts can be joined (`"1d12h"`).

## Rules

Rules are asked in the order in which they stand. The first that refuses ends; warnings are
collected on the way.

| key | meaning |
| --- | --- |
| `id` | a name of its own: lower-case letters, digits and `-`; needed |
| `action` | `"refuse"` or `"warn"`; needed |
| `when` | the condition; needed |
| `unless` | a condition that excuses, only where it is known to hold |
| `unknown` | `"allow"`, `"warn"` or `"refuse"`: what to do where `when` is unknown; see below |
| `reason` | what whoever installs reads instead of the condition's own words; one line |
| `hint` | how to go on |

The keys of one `when` are joined by "and". `all` and `any` take a list of tables, `not` takes one
table; all three nest. A condition holds, does not hold, or is unknown: `all` is unknown when
nothing in it fails and something is unknown, `any` when nothing in it holds and something is
unknown. `unknown` is needed unless no condition of `when` can be unknown.

```toml
version = 1

[[rule]]
id = "doubtful-sdist"
action = "refuse"
when.kind = "sdist"
when.any = [
    { project_age = { below = "30d" } },
    { not = { owners = { at_least = 2 } } },
]
unknown = "warn"
reason = "building an sdist runs its code; this project is too new for that"
```

A rule that refuses one file of a version refuses the whole version, unless its `when` picks out
files on purpose ({singling}): then it refuses these files and the others pass. Where refused files
are hidden instead of explained, a refused wheel hides the sdist of its version too.

### Rules that are built in

{built_in}

## Exemptions

| key | meaning |
| --- | --- |
| `project` | a name or a pattern, or a list of them; needed |
| `version` | PEP 440 specifiers; all versions without it |
| `rule` | the id of the rule that is waived, or a list of them; needed |
| `team` | the one team that it holds for; all clients, of whatever team or none, without it |
| `reason` | why; needed |
| `owner` | who answers for it; needed |
| `expires` | the last day on which it holds, to its end in UTC, as a date without quotes; needed |
| `granted` | the day it was granted; `max_exemption` counts from it |
| `id` | a name of its own, for reports; made from its content without one |

What is waived warns: "waived until ... by ... (reason)". An exemption that is over is told at start
and waives nothing. `indexgate exempt` grants exemptions of the same shape apart from this file.

A `[[grandfather]]` has `packages`, a list of names with versions, in place of `project` and
`version`. It is what `indexgate exempt grandfather` makes of lock files; it never waives a refusal
for malware.

```toml
version = 1
max_exemption = "90d"

[[rule]]
id = "young"
action = "refuse"
when = { project_age = { below = "90d" } }
unknown = "allow"

[[grandfather]]
packages = ["demo==2.0", "other==0.1"]
rule = "young"
reason = "in use when the rule came"
owner = "platform team"
expires = 2027-01-31
```

## Conditions
"""

_SCOPES = {
    Scope.PROJECT: "all files of a project",
    Scope.RELEASE: "all files of a version",
    Scope.FILE: "each file by itself",
}


def render() -> str:
    """Return the page in Markdown."""
    return "\n".join([*_opening(), *_conditions(), *_missing(), *_cases()])


def example(definition: Definition) -> str:
    """Return a complete policy with the example of *definition*."""
    name = definition.name.replace("_", "-")
    unknown = ['unknown = "warn"'] if definition.unknown else []
    rule = [
        "version = 1",
        "",
        "[[rule]]",
        f'id = "on-{name}"',
        'action = "warn"',
        f"when = {{ {definition.name} = {definition.example} }}",
    ]
    return "\n".join([*rule, *unknown])


def _opening() -> Iterator[str]:
    built_in = ["| rule | meaning |", "| --- | --- |"]
    built_in += [f"| `{name}` | {meaning} |" for name, meaning in BUILT_IN.items()]
    singling = [f"`{each.name}`" for each in conditions.ALL if each.singles_out]
    yield (
        _OPENING.replace("{built_in}", "\n".join(built_in))
        .replace("{singling}", ", ".join(singling))
        .replace("{kilobytes}", str(document_text.LARGEST // 1024))
        .replace("{depth}", str(document_text.DEEPEST))
        .replace("{hours}", f"{document.MAX_FEED_AGE.total_seconds() / 3600:.0f}")
        .replace("{examples}", durations.EXAMPLES)
    )


def _conditions() -> Iterator[str]:
    for definition in conditions.ALL:
        yield f"### `{definition.name}`"
        yield ""
        yield f"{definition.what} It speaks of {_SCOPES[definition.scope]}."
        yield ""
        yield f"- value: {definition.value}"
        yield f"- unknown: {f'when {definition.unknown}' if definition.unknown else 'never'}"
        yield ""
        yield f"```toml\n{example(definition)}\n```"
        yield ""


def _missing() -> Iterator[str]:
    yield "## What happens when something is missing\n"
    yield "| missing | page | file | health | whoever installs reads |"
    yield "| --- | --- | --- | --- | --- |"
    for row in missing.TABLE:
        cells = (row.thing, row.page, row.file, row.health or "-", row.client or "-")
        yield f"| {' | '.join(cells)} |"
    yield ""


def _cases() -> Iterator[str]:
    yield "## Cases\n"
    yield (
        "Beside a policy can stand a file of cases, `balanced.cases.toml` beside `balanced.toml`: "
        "facts, and what the policy is meant to say of them.\nA case tells only what matters; what "
        "it leaves out is an old, ordinary release of which all is known. `name` and `expect` are "
        "needed. `indexgate policy test` runs them: [test a policy](../tasks/test-a-policy.md).\n"
    )
    yield "| key of `[[case]]` | meaning, and what stands when it is left out |"
    yield "| --- | --- |"
    for key, meaning in cases.KEYS.items():
        yield f"| `{key}` | {meaning} |"
