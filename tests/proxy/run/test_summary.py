"""What a run's user is told: what mattered to the command, and nothing when nothing did."""

import json
from typing import Any

from indexgate.run import summary


def _line(kind: str, project: str, *versions: str, reason: str = "it is new") -> dict[str, Any]:
    return {
        "kind": kind,
        "project": project,
        "versions": versions,
        "rule": "a-rule",
        "reason": reason,
    }


def _report(*lines: dict[str, Any], **seen: tuple[str | None, dict[str, bool]]) -> dict[str, Any]:
    projects = {
        name: {"newest": newest, "served": served} for name, (newest, served) in seen.items()
    }
    return {"trouble": None, "decisions": lines, "seen": projects}


def _text(report: dict[str, Any]) -> str:
    return summary.text(summary.told(report))


def test_nothing_is_said_when_there_is_nothing_to_tell() -> None:
    assert _text(_report(demo=("1.0", {"1.0": True}))) == ""


def test_a_refused_file_is_told_once_however_often_it_was_asked_for() -> None:
    report = _report(_line("refused", "demo", "2.0"), _line("refused", "demo", "2.0"))
    assert _text(report) == (
        "indexgate: 1 refused in this run\n"
        "  refused   demo 2.0: it is new (rule `a-rule`)\n"
        "  why       indexgate explain demo==2.0\n"
        "  ask       indexgate exempt request demo==2.0 --rule a-rule"
    )


def test_the_line_to_paste_has_the_flags_of_the_run() -> None:
    things = summary.told(_report(_line("refused", "demo", "2.0")))
    policy = "--policy 'my policy.toml'"
    shown = summary.text(things, flags=f"{policy} --offline", asking=policy)
    assert shown.endswith(
        f"\n  why       indexgate explain {policy} --offline demo==2.0"
        f"\n  ask       indexgate exempt request {policy} demo==2.0 --rule a-rule"
    )


def test_nobody_is_sent_to_ask_for_what_nothing_can_waive() -> None:
    report = _report({**_line("refused", "demo", "2.0"), "rule": "quarantined"})
    assert "exempt" not in _text(report)


def test_a_withheld_version_is_told_with_what_was_taken_instead() -> None:
    report = _report(
        _line("withheld", "demo", "2.0", reason="demo 2.0 was uploaded today"),
        demo=("1.1", {"1.0": False, "1.1": True}),
    )
    assert "  withheld  demo 2.0 was uploaded today (rule `a-rule`); taken instead: 1.1\n" in _text(
        report
    )


def test_a_withheld_version_that_was_not_wanted_is_not_told() -> None:
    older = _report(_line("withheld", "demo", "1.0"), demo=("2.0", {"2.0": True}))
    preview = _report(_line("withheld", "demo", "3.0rc1"), demo=("2.0", {"2.0": True}))
    assert _text(older) == _text(preview) == ""


def test_without_anything_taken_the_newest_that_passes_is_named() -> None:
    report = _report(_line("withheld", "demo", "2.0", "0.5"), demo=("1.1", {}))
    assert "demo 2.0: it is new (rule `a-rule`); the newest that passes: 1.1" in _text(report)


def test_a_project_of_which_nothing_passes_is_refused_even_if_no_file_was_asked_for() -> None:
    report = _report(_line("withheld", "demo", "1.0", "2.0"), demo=(None, {}))
    assert "  refused   demo 2.0, 1.0: it is new" in _text(report)


def test_a_refused_project_is_not_told_a_second_time_as_withheld() -> None:
    report = _report(
        _line("withheld", "demo", "1.0", "2.0"),
        _line("refused", "demo", "2.0"),
        demo=(None, {}),
    )
    assert _text(report).startswith("indexgate: 1 refused in this run\n")


def test_a_warning_is_told_of_what_was_taken_only() -> None:
    taken = _report(_line("warned", "demo", "1.0", "1.1"), demo=("1.1", {"1.0": True}))
    other = _report(_line("warned", "demo", "0.9"), demo=("1.1", {"1.0": True}))
    cached = _report(_line("warned", "demo", "1.0", "1.1"), demo=("1.1", {}))
    assert "  warned    demo 1.0: it is new" in _text(taken)
    assert _text(other) == ""
    assert "  warned    demo 1.1: it is new" in _text(cached)


def test_long_lists_are_cut_and_say_so() -> None:
    lines = [_line("refused", f"p{number}", "1") for number in range(50)]
    many = _text(_report(*lines))
    assert "indexgate: 50 refused in this run" in many
    assert "and 10 more; `--summary json` has them all" in many
    versions = _text(_report(_line("refused", "demo", *map(str, range(20)))))
    assert "demo 19, 18, 17, 16, 15, 14 and 14 more: it is new" in versions


def test_no_reason_can_forge_a_line_or_a_colour() -> None:
    report = _report(_line("refused", "demo", "1", reason="a\nindexgate: all is well\x1b[31m"))
    assert len(_text(report).splitlines()) == 4
    assert "\x1b" not in _text(report)


def test_a_record_that_may_lack_something_is_named() -> None:
    assert "may lack something: disk full" in summary.text((), trouble="disk full")


def test_json_is_one_line_also_when_there_is_nothing_to_tell() -> None:
    report = _report(_line("withheld", "demo", "2.0"), demo=("1.1", {"1.1": True}))
    line = summary.as_json(summary.told(report))
    assert "\n" not in line
    assert json.loads(line)["indexgate"]["withheld"] == [
        {
            "project": "demo",
            "versions": ["2.0"],
            "rule": "a-rule",
            "reason": "it is new",
            "instead": ["1.1"],
            "passes": None,
        }
    ]
    assert json.loads(summary.as_json(())) == {
        "indexgate": {"refused": [], "withheld": [], "warned": [], "trouble": None}
    }


def test_versions_that_are_no_versions_break_nothing() -> None:
    report = _report(_line("withheld", "demo", "not a version"), demo=("odd", {"odd": True}))
    assert _text(report) == ""


NO_FEED = "the advisory feed has not been read yet"


def _unjudged(project: str, *, kind: str = "warned", why: str = NO_FEED) -> dict[str, Any]:
    reason = f"{project} cannot be judged by the rule a-rule: {why}"
    return _line(kind, project, "1", reason=reason)


def _all_taken(*lines: dict[str, Any]) -> dict[str, Any]:
    return _report(*lines, **{line["project"]: ("1", {"1": True}) for line in lines})


def test_what_cannot_be_judged_for_one_reason_is_one_line() -> None:
    report = _all_taken(*(_unjudged(f"p{number}") for number in range(9)))
    assert _text(report) == (
        "indexgate: 9 warned in this run\n"
        f"  warned    9 packages cannot be judged by the rule `a-rule`: {NO_FEED}"
        " (p0, p1, p2, p3, p4, p5 and 3 more)\n"
        "  why       indexgate explain p0==1"
    )
    assert len(json.loads(summary.as_json(summary.told(report)))["indexgate"]["warned"]) == 9


def test_other_reasons_and_other_kinds_keep_lines_of_their_own() -> None:
    lines = _text(
        _all_taken(
            _unjudged("a"),
            _unjudged("b", why="owners are not known"),
            _unjudged("c", kind="refused"),
            _line("warned", "d", "1"),
        )
    ).splitlines()
    assert len(lines) == 7
    assert not any("packages" in line for line in lines)
    several = _text(_all_taken(_unjudged("a"), _unjudged("b"), _line("refused", "c", "1")))
    first_words = [line.split()[0] for line in several.splitlines()[1:]]
    assert first_words == ["refused", "warned", "why", "ask"]
