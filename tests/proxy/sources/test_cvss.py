import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexgate.sources.cvss import base_score, rating
from indexgate_policy.flags import Severity


@pytest.mark.parametrize(
    ("vector", "score", "severity"),
    [
        # Published scores of well-known vulnerabilities and of FIRST's examples.
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8, Severity.CRITICAL),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 10.0, Severity.CRITICAL),
        ("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H", 9.9, Severity.CRITICAL),
        ("CVSS:3.0/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H", 7.8, Severity.HIGH),
        ("CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", 7.5, Severity.HIGH),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 6.1, Severity.MEDIUM),
        ("CVSS:3.0/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N", 3.1, Severity.LOW),
        ("CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:U/C:N/I:N/A:N", 0.0, Severity.INFO),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/E:U/RL:O", 9.8, Severity.CRITICAL),
    ],
)
def test_the_base_score_is_the_one_that_is_published(
    vector: str, score: float, severity: Severity
) -> None:
    assert base_score(vector) == score
    assert rating(score) is severity


@pytest.mark.parametrize(
    "vector",
    [
        "",
        "AV:N/AC:L/Au:N/C:P/I:P/A:P",
        "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H",
        "CVSS:3.1/AV:X/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
    ],
)
def test_what_is_not_a_whole_v3_vector_has_no_score(vector: str) -> None:
    with pytest.raises(ValueError, match=r"CVSS v3|base metric"):
        base_score(vector)


_METRICS = st.tuples(
    st.sampled_from("NALP"),
    st.sampled_from("LH"),
    st.sampled_from("NLH"),
    st.sampled_from("NR"),
    st.sampled_from("UC"),
    *[st.sampled_from("HLN")] * 3,
)


@given(_METRICS)
def test_every_vector_scores_in_tenths_from_0_to_10_and_no_loss_scores_0(
    metrics: tuple[str, ...],
) -> None:
    names = ("AV", "AC", "PR", "UI", "S", "C", "I", "A")
    told = "/".join(f"{name}:{value}" for name, value in zip(names, metrics, strict=True))
    score = base_score(f"CVSS:3.1/{told}")
    assert 0 <= score <= 10
    assert score == round(score, 1)
    assert (score == 0) == (metrics[-3:] == ("N", "N", "N"))
