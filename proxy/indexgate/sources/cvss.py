"""The CVSS v3 base score of a vector, and the severity it stands for.

Equations, metric values and rating bands: FIRST, "Common Vulnerability Scoring System v3.1:
Specification Document", sections 5, 7.1, 7.4 and appendix A. Version 3.0 has the same base
equations; 3.1 only made the rounding exact.
"""

from indexgate_policy.flags import Severity

_ATTACK_VECTOR = {"N": 0.85, "A": 0.62, "L": 0.55, "P": 0.2}
_ATTACK_COMPLEXITY = {"L": 0.77, "H": 0.44}
_PRIVILEGES = {"N": 0.85, "L": 0.62, "H": 0.27}
_PRIVILEGES_WHEN_SCOPE_CHANGES = {"N": 0.85, "L": 0.68, "H": 0.5}
_USER_INTERACTION = {"N": 0.85, "R": 0.62}
_LOSS = {"H": 0.56, "L": 0.22, "N": 0.0}
_SCOPE_CHANGES = {"U": False, "C": True}


def base_score(vector: str) -> float:
    """Return the base score 0.0..10.0 of *vector* ("CVSS:3.1/AV:N/AC:L/...").

    Temporal and environmental metrics are ignored. Raises ValueError when *vector* is not CVSS v3.
    """
    version, *parts = vector.strip().split("/")
    if version not in {"CVSS:3.0", "CVSS:3.1"}:
        raise ValueError(f"`{vector[:80]}` is not a CVSS v3 vector")
    metrics = dict(part.partition(":")[::2] for part in parts)
    try:
        changed = _SCOPE_CHANGES[metrics["S"]]
        privileges = _PRIVILEGES_WHEN_SCOPE_CHANGES if changed else _PRIVILEGES
        exploitability = (
            8.22
            * _ATTACK_VECTOR[metrics["AV"]]
            * _ATTACK_COMPLEXITY[metrics["AC"]]
            * privileges[metrics["PR"]]
            * _USER_INTERACTION[metrics["UI"]]
        )
        kept = (1 - _LOSS[metrics["C"]]) * (1 - _LOSS[metrics["I"]]) * (1 - _LOSS[metrics["A"]])
    except KeyError as error:
        raise ValueError(f"`{vector[:80]}` lacks a valid base metric ({error})") from error
    loss = 1 - kept
    impact = 7.52 * (loss - 0.029) - 3.25 * (loss - 0.02) ** 15 if changed else 6.42 * loss
    if impact <= 0:
        return 0.0
    return _round_up(min((1.08 if changed else 1.0) * (impact + exploitability), 10.0))


def rating(score: float) -> Severity:
    """Return the qualitative rating of a base score; "None" (0.0) is `INFO`."""
    bands = ((9.0, Severity.CRITICAL), (7.0, Severity.HIGH), (4.0, Severity.MEDIUM))
    for least, severity in bands:
        if score >= least:
            return severity
    return Severity.LOW if score > 0 else Severity.INFO


def _round_up(score: float) -> float:
    """Round up to one decimal, counted in whole hundred-thousandths (appendix A)."""
    scaled = round(score * 100_000)
    return scaled / 100_000 if scaled % 10_000 == 0 else (scaled // 10_000 + 1) / 10
