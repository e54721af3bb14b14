"""The document for programs: every figure, null where nothing is known."""

import json

from msgspec.structs import replace

from indexgate.charts.document import as_json
from indexgate_policy.downloads.kinds import CLASSES
from indexgate_policy.signals import Unknown
from tests.policy.timeline.cases import SHOWN
from tests.proxy.charts.views import view_of


def test_the_document_has_days_changes_causes_and_events() -> None:
    document = json.loads(as_json(view_of("bought")))
    assert document["project"] == "tidy-frames"
    assert document["until"] == "2026-11-22"
    assert document["known_until"] == "2026-11-21"
    [change] = document["changes"]
    assert (change["flag"], change["severity"]) == ("download-surge", "medium")
    assert change["verdict"] == "unexplained, and its owners changed"
    assert change["absent"] == ["new dependents", "new stars"]
    assert {cause["kind"]: cause["lag"] for cause in change["causes"]} == {
        "owner-change": -10,
        "release": -2,
    }
    assert [event["of"] for event in document["events"] if event["kind"] == "owner-change"] == [0]
    assert [flag["flag"] for flag in document["flags"]] == ["typosquat"]
    assert len(document["days"]) == SHOWN - 1
    assert document["days"][-1]["day"] == "2026-11-21"
    assert set(CLASSES) < set(document["days"][-1])


def test_a_day_that_is_not_known_is_null_and_not_zero() -> None:
    days = json.loads(as_json(view_of("stopped")))["days"]
    unknown = [day for day in days if day["human"] is None]
    assert len(unknown) == 7
    assert days[-1]["human"] == 0


def test_without_a_history_the_reason_is_there() -> None:
    view = replace(view_of("bought"), history=Unknown(reason="none is kept"))
    document = json.loads(as_json(view))
    assert (document["unknown"], document["known_until"], document["days"]) == (
        "none is kept",
        None,
        [],
    )
