"""Files that upstream lists no more, judged by what is remembered of them."""

from packaging.utils import canonicalize_name

from indexgate import formerly
from indexgate_policy.rules.verdict import Action
from indexgate_policy.subject import Client
from tests.policy.rules.facts import NOW, assessment, policy

GONE = formerly.Formerly(project=canonicalize_name("demo"), filename="demo-1.0-py3-none-any.whl")
WAIVED = """\
[[exemption]]
id = "kept"
project = "demo"
rule = "removed-upstream"
reason = "we need it"
owner = "me"
expires = 2026-12-31
"""


def test_one_that_is_let_in_is_warned_of_on_somebodys_word() -> None:
    file = formerly.subject(GONE, index_id="i", public=True, status="active")
    found = formerly.verdict(file, assessment(), policy(WAIVED), Client(), NOW)
    assert (found.action, found.rule, found.exemptions) == (
        Action.WARN,
        "removed-upstream",
        ("kept",),
    )
    assert found.reason.startswith("waived until the end of 2026-12-31 by me (we need it): demo-")
    assert formerly.verdict(file, assessment(), policy(""), Client(), NOW).refused
