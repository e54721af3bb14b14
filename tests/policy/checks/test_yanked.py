from indexgate_policy.checks.yanked import check
from indexgate_policy.flags import Severity
from tests.policy.checks.cases import NOW, case_of, release_of


def test_only_the_yanked_versions_are_flagged() -> None:
    releases = (release_of("1.0", NOW), release_of("1.1", NOW, yanked="broken"))
    flag = check(case_of(releases=releases))
    assert flag is not None
    assert flag.severity is Severity.MEDIUM
    assert flag.versions == ("1.1",)
    assert flag.evidence == "yanked by its maintainers: 1.1"


def test_the_sentence_names_the_last_three_and_counts_the_rest() -> None:
    releases = tuple(release_of(f"1.{n}", NOW, yanked=True) for n in range(5))
    flag = check(case_of(releases=releases))
    assert flag is not None
    assert flag.evidence == "yanked by its maintainers: 1.2, 1.3, 1.4 and 2 more"
    assert len(flag.versions) == 5


def test_nothing_yanked_is_nothing_found() -> None:
    assert check(case_of(releases=(release_of("1.0", NOW),))) is None
    assert check(case_of()) is None
