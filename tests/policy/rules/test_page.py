import json
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from indexgate_policy.rules import offered as rules_offered
from indexgate_policy.rules.document import Policy
from indexgate_policy.rules.judge import Bench, judge
from indexgate_policy.rules.page import (
    PageVerdicts,
    judge_page,
    judge_release,
    passing_test,
    passing_versions,
)
from indexgate_policy.rules.verdict import Verdict
from indexgate_policy.signals import Unknown
from indexgate_policy.subject import Client, File, Release
from tests.policy.rules.facts import (
    DAY,
    NOW,
    assessment,
    file,
    flag,
    holding,
    malware,
    policy,
    project,
    release,
    rule,
)
from tests.policy.rules.test_judge import POLICIES, assessments, moments, projects

TOO_NEW = rule('release_age = { below = "1d" }')
NO_SDIST = rule('kind = "sdist"')


def page(
    text: str,
    *releases: Release,
    known: Any = None,
    presentation: Literal["explain", "hide"] = "explain",
) -> PageVerdicts:
    return judge_page(
        releases, known or assessment(), policy(text), Client(), NOW, presentation=presentation
    )


def test_one_refused_version_leaves_the_others_and_names_the_nearest_before_it() -> None:
    found = page(
        TOO_NEW,
        release("1.0"),
        release("1.1"),
        release("2.0", released=NOW),
        release("3.0rc1"),
        release("3.0"),
    )
    assert found.passing == ("3.0", "3.0rc1", "1.1", "1.0")
    assert list(found.refused_versions) == ["2.0"]
    assert found.refused_project is None
    assert found.until == NOW + DAY
    assert found.refused_versions["2.0"].hint.startswith("`demo==1.1` passes now; ")
    assert found.verdicts["demo-2.0.tar.gz"].hint.startswith("`demo==1.1` passes now; ")


def test_the_newest_is_offered_when_nothing_before_passes() -> None:
    found = page(rule('version = "<2"'), release("1.0"), release("2.0"), release("3.0"))
    assert found.refused_versions["1.0"].hint.startswith("`demo==3.0` passes now; ")


def test_a_pre_release_is_only_offered_for_want_of_others() -> None:
    found = page(rule('version = ">=2"'), release("1.0"), release("1.1rc1"), release("2.0"))
    assert found.refused_versions["2.0"].hint.startswith("`demo==1.0` passes now; ")
    found = page(rule('version = ">=2"'), release("1.1rc1"), release("2.0"))
    assert found.refused_versions["2.0"].hint.startswith("`demo==1.1rc1` passes now; ")


def test_of_pre_releases_only_the_nearest_is_offered() -> None:
    found = page(rule('version = "==2.0"'), release("1.1rc1"), release("2.0"), release("3.0rc1"))
    assert found.refused_versions["2.0"].hint.startswith("`demo==1.1rc1` passes now; ")


def test_a_project_is_refused_when_every_version_that_is_not_yanked_is() -> None:
    yanked = release("0.9", yanked=True)
    found = page(TOO_NEW, yanked, release("1.0", released=NOW), release("2.0", released=NOW))
    assert found.refused_project == found.refused_versions["2.0"]
    assert found.passing == ()
    assert not found.verdicts["demo-0.9.tar.gz"].refused


def test_a_wholly_yanked_project_is_refused_only_when_all_of_it_is() -> None:
    one = release("1.0", yanked=True, released=NOW)
    two = release("2.0", yanked=True)
    assert page(TOO_NEW, one, two).refused_project is None
    assert page(TOO_NEW, one).refused_project is not None


def test_a_page_without_files_is_not_refused() -> None:
    for empty in page(TOO_NEW), page(TOO_NEW, holding("1.0", ())):
        assert (empty.refused_project, empty.until, empty.passing) == (None, None, ())
        assert (dict(empty.verdicts), empty.refused_versions) == ({}, {})


def test_a_quarantined_project_is_refused_whole() -> None:
    found = page("", release("1.0", project=project(status="quarantined")))
    assert found.refused_project is not None
    assert found.refused_project.at_once


def mixed(**facts: Any) -> Release:
    return holding("1.0", (file(), file(kind="sdist", **facts)))


def test_one_refused_file_refuses_its_version() -> None:
    found = page(rule("yanked = true"), mixed(yanked=True), release("0.9"))
    assert list(found.refused_versions) == ["1.0"]
    assert found.verdicts["demo-1.0-py3-none-any.whl"].refused


@pytest.mark.parametrize(
    "when", ['kind = "sdist"', 'file = "*.tar.gz"', 'file_age = { below = "1d" }']
)
def test_a_rule_that_picks_out_files_refuses_these_alone(when: str) -> None:
    found = page(rule(when), mixed(uploaded=NOW))
    assert found.refused_versions == {}
    assert not found.verdicts["demo-1.0-py3-none-any.whl"].refused
    refused = found.verdicts["demo-1.0.tar.gz"]
    assert refused.hint.startswith("other files of demo 1.0 pass now; ")
    assert found.passing == ("1.0",)


def test_a_version_of_sdists_alone_is_refused_with_them() -> None:
    found = page(NO_SDIST, release("1.0", "sdist"), release("0.9"))
    assert list(found.refused_versions) == ["1.0"]


@pytest.mark.parametrize(("presentation", "refused"), [("explain", False), ("hide", True)])
def test_a_hidden_wheel_hides_what_would_be_built_instead(
    presentation: Literal["explain", "hide"], refused: bool
) -> None:
    found = page(rule('kind = "wheel"'), mixed(), presentation=presentation)
    assert found.verdicts["demo-1.0.tar.gz"].refused is refused


def test_a_hidden_sdist_leaves_the_wheel() -> None:
    found = page(NO_SDIST, mixed(), presentation="hide")
    assert not found.verdicts["demo-1.0-py3-none-any.whl"].refused


def test_a_fault_refuses_what_it_touches() -> None:
    broken = holding("1.0", (file(project=None),))
    found = page(NO_SDIST, broken, release("2.0"))
    assert found.verdicts["demo-1.0-py3-none-any.whl"].rule == "gate-fault"
    assert found.passing == ("2.0",)
    known: Any = "nonsense"
    assert {v.rule for v in page(NO_SDIST, release("1.0"), known=known).verdicts.values()} == {
        "gate-fault"
    }


def test_versions_that_are_not_pep_440_come_last() -> None:
    assert page("", release("2004d"), release("1.0")).passing == ("1.0", "2004d")


def test_findings_about_versions_concern_these_versions() -> None:
    known = assessment(flags=[flag(versions=("1.0",))], advisories=[malware(versions=("2.0",))])
    text = rule('flag = { id = "typosquat" }') + rule('advisory = "malware"').replace('"r"', '"m"')
    found = page(text, release("1.0"), release("2.0"), release("3.0"), known=known)
    assert {v: verdict.rule for v, verdict in found.refused_versions.items()} == {
        "1.0": "r",
        "2.0": "m",
    }


@st.composite
def pages(draw: st.DrawFn) -> list[Release]:
    owner = draw(projects)
    texts = draw(st.lists(st.sampled_from(["1.0", "1.1", "2.0", "3.0rc1", "2004d"]), unique=True))
    yanked = st.sampled_from([False, True])
    kinds = st.lists(st.sampled_from(["wheel", "sdist", "other"]), unique=True)
    listed = [
        (text, draw(moments), [(kind, draw(moments)) for kind in draw(kinds)]) for text in texts
    ]
    told = [moment for _, first, files in listed for moment in (first, *(at for _, at in files))]
    known = [moment for moment in told if not isinstance(moment, Unknown)]
    if known and len(known) == len(told) and draw(st.booleans()):
        owner = replace(owner, last_upload=max(known))
    releases = []
    for text, released, uploads in listed:
        files = tuple(
            file(
                version=text,
                kind=kind,
                project=owner,
                released=released,
                uploaded=uploaded,
                yanked=draw(yanked),
            )
            for kind, uploaded in uploads
        )
        releases.append(holding(text, files))
    return releases


RULES = [
    *POLICIES,
    policy(TOO_NEW + NO_SDIST.replace('"r"', '"s"')),
    policy(rule("yanked = true")),
]


@given(pages(), assessments, st.sampled_from(RULES))
def test_a_page_is_its_files_judged_one_by_one(
    releases: list[Release], known: Any, ready: Any
) -> None:
    found = judge_page(releases, known, ready, Client(), NOW, presentation="explain")
    singling = {rule.id for rule in ready.rules if rule.singles_out}
    for each in releases:
        alone = {f.filename: judge(f, known, ready, Client(), NOW) for f in each.files}
        spreads = any(v.refused and v.rule not in singling for v in alone.values())
        for name, verdict in alone.items():
            on_page = found.verdicts[name]
            if spreads and not verdict.refused:
                assert on_page.refused
            else:
                assert replace(on_page, hint="") == replace(verdict, hint="")
        of_release = judge_release(each, known, ready, Client(), NOW, presentation="explain")
        assert {name: replace(v, hint="") for name, v in of_release.items()} == {
            name: replace(found.verdicts[name], hint="") for name in of_release
        }
        all_refused = all(found.verdicts[name].refused for name in alone)
        assert (each.version in found.refused_versions) is bool(alone and all_refused)
    assert found.until == min(
        (v.until for v in found.verdicts.values() if v.until is not None), default=None
    )


def test_an_unknown_assessment_is_judged_like_any_other() -> None:
    found = page(
        rule("owners = { below = 2 }", unknown="refuse"),
        release("1.0"),
        known=Unknown(reason="the store is broken"),
    )
    assert found.refused_project is not None
    assert "the store is broken" in found.refused_project.reason


TAGS = ("1.0", "1.1rc1", "1.1", "2.0.dev1", "2.0", "3!0.1", "gibberish", "2.1rc1", "0.9", "1.5")


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(TAGS), unique=True, min_size=1),
    st.sets(st.sampled_from(TAGS)),
    st.sets(st.sampled_from(TAGS)),
    st.sets(st.sampled_from(TAGS)),
    st.sampled_from(["explain", "hide"]),
)
def test_a_release_judged_by_itself_among_others_has_the_verdicts_of_the_page(
    versions: list[str],
    refused: set[str],
    halved: set[str],
    yanked: set[str],
    presentation: Literal["explain", "hide"],
) -> None:
    listed = [f"demo-{v}*" for v in refused] + [f"demo-{v}-py3*" for v in halved] or ["nothing"]
    rules = policy(rule(f"file = {json.dumps(listed)}"))
    releases = [release(version, yanked=version in yanked) for version in versions]
    asked: Any = (assessment(), rules, Client(), NOW)
    whole = judge_page(releases, *asked, presentation=presentation)
    for each in releases:
        alone = judge_release(each, *asked, presentation=presentation, others=releases)
        for filename, verdict in alone.items():
            assert verdict == whole.verdicts[filename]
    passes = passing_test(*asked, presentation=presentation)
    assert {each.version for each in releases if passes(each)} == set(whole.passing)


def test_the_hint_of_one_release_costs_few_verdicts_on_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    releases = [release(f"{n}.0", "wheel") for n in range(900)]
    judged: list[str] = []
    verdict = Bench.verdict

    def counted(bench: Bench, file: File) -> Verdict:
        judged.append(file.version)
        return verdict(bench, file)

    monkeypatch.setattr(Bench, "verdict", counted)
    rules = policy(rule('version = ">=700"'))
    [found] = judge_release(
        releases[703],
        assessment(),
        rules,
        Client(),
        NOW,
        presentation="explain",
        others=releases,
    ).values()
    assert found.hint.startswith("`demo==699.0` passes now; ")
    assert judged == ["703.0", "702.0", "701.0", "700.0", "699.0"]
    judged.clear()
    rules = policy(rule('version = ">=0"'))
    judge_release(
        releases[703],
        assessment(),
        rules,
        Client(),
        NOW,
        presentation="explain",
        others=releases,
    )
    assert len(judged) < 600


def test_hints_on_a_large_page_compare_each_version_with_few_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[Release] = []
    place_of = rules_offered.place_of

    def counted(release: Release) -> Any:
        asked.append(release)
        return place_of(release)

    monkeypatch.setattr(rules_offered, "place_of", counted)
    found = page(rule('version = "<200"'), *[release(f"{n}.0", "wheel") for n in range(400)])
    assert len(found.refused_versions) == 200
    assert len(asked) < 30 * 400


def test_versions_that_pass_are_told_the_best_first_and_no_more_than_asked_for() -> None:
    releases = [release(f"{n}.0", released=NOW - (40 - n) * DAY) for n in range(1, 40)]
    releases[9] = release("10.0", yanked=True)
    waits = policy(rule('release_age = { below = "5d" }'))

    def told(version: str, most: int, by: Policy = waits) -> tuple[str, ...]:
        return passing_versions(
            file(version=version),
            assessment(),
            by,
            Client(),
            NOW,
            presentation="explain",
            others=releases,
            most=most,
        )

    assert told("37.0", 3) == ("35.0", "34.0", "33.0")
    assert told("11.0", 2) == ("9.0", "8.0")
    assert told("2.0", 3) == ("1.0", "35.0", "34.0")
    assert told("37.0", 3, policy(rule("yanked = false"))) == ()
