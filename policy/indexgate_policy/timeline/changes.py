"""A change of a project's series, with what explains it."""

from collections.abc import Collection
from datetime import date, timedelta
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from indexgate_policy.downloads.kinds import INSTALLERS, REGIONS, VERSION_AGES
from indexgate_policy.downloads.panel import Panel
from indexgate_policy.flags import Flag, Severity
from indexgate_policy.series.finding import Finding, FindingKind
from indexgate_policy.timeline.explanation import Explanation

Unit: TypeAlias = Literal["downloads a week", "stars a week", "share"]

_FLAGS: Final[dict[FindingKind, str]] = {
    "surge": "download-surge",
    "installer": "installer-mix-shift",
    "region": "region-shift",
    "version": "version-shift",
    "automation": "automation-shift",
    "stars": "star-inflation",
}
_OTHER_FLAGS: Final = {
    ("surge", "first-week"): "new-10k",
    ("drop", "stopped"): "drop-to-zero",
    ("drop", "part"): "drop-part",
}

SERIES_FLAGS: Final = frozenset({*_FLAGS.values(), *_OTHER_FLAGS.values()})
"""The flags that rest on the download history alone (and on events)."""

_CALLED: Final[dict[str, str]] = {
    "download-surge": "surge",
    "new-10k": "first week",
    "drop-to-zero": "drop to zero",
    "drop-part": "drop",
    "installer-mix-shift": "shift of installers",
    "region-shift": "shift of countries",
    "version-shift": "shift of versions",
    "automation-shift": "shift to machines",
    "star-inflation": "burst of stars",
}
_PARTS: Final[dict[FindingKind, tuple[str, ...]]] = {
    "installer": INSTALLERS,
    "region": REGIONS,
    "version": VERSION_AGES,
}


class Change(Struct, frozen=True, kw_only=True):
    """Something that the history did and its past does not expect.

    `flag` is the flag it makes, `onset` the day on which it seems to have begun, `told` the day as
    of which it is described: when it could be told first, or when its first week was over.
    `before` and `now` are in `unit` (`share`: 0..1); `part` is the part of a mix that rose.
    `severity` is that of the flag on the last day, None when it is no longer in force.
    """

    flag: str
    onset: date
    told: date
    before: float
    now: float
    unit: Unit
    part: str = ""
    explanation: Explanation
    severity: Severity | None

    @property
    def in_force(self) -> bool:
        """Whether its flag holds on the last day."""
        return self.severity is not None

    @property
    def called(self) -> str:
        """What it is, in a word or three."""
        return _CALLED[self.flag]

    @property
    def says(self) -> str:
        """Before and now: `512 -> 50,240 downloads a week`."""
        if self.unit == "share":
            what = f"{self.part} " if self.part else ""
            return f"{what}{_percent(self.before)} -> {_percent(self.now)}"
        if self.flag == "new-10k":
            return f"{self.now:,.0f} downloads in its first week"
        return f"{self.before:,.0f} -> {self.now:,.0f} {self.unit}"


def change_of(
    finding: Finding, panel: Panel, explanation: Explanation, flags: Collection[Flag]
) -> Change:
    """Return *finding* of *panel* as a change; *flags* are those in force on the last day."""
    flag = _OTHER_FLAGS.get((finding.kind, finding.why)) or _FLAGS[finding.kind]
    onset = panel.first_day + timedelta(days=finding.onset)
    told = panel.first_day + timedelta(days=finding.day)
    unit: Unit = "share"
    if finding.kind == "stars":
        unit = "stars a week"
    elif finding.kind in ("surge", "drop"):
        unit = "downloads a week"
    return Change(
        flag=flag,
        onset=onset,
        told=told,
        before=finding.before,
        now=finding.now,
        unit=unit,
        part=_part(finding),
        explanation=explanation,
        severity=next((one.severity for one in flags if _is_same(one, flag, onset, told)), None),
    )


def _is_same(flag: Flag, id_: str, onset: date, told: date) -> bool:
    """Tell whether *flag* is of this episode: it began about when it did, or does not say when."""
    if flag.check != id_:
        return False
    began = None if flag.began is None else flag.began.date()
    return began is None or onset - timedelta(days=7) <= began <= told + timedelta(days=7)


def _part(finding: Finding) -> str:
    if finding.kind == "automation":
        return "people"
    names = _PARTS.get(finding.kind, ())
    return names[int(finding.why)] if finding.why.isdigit() and names else ""


def _percent(share: float) -> str:
    return f"{share:.0%}".replace("%", " %")
