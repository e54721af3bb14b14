"""Advisories about projects: malware reports and vulnerabilities, matched by version.

The shape follows the OSV schema 1.7 for the PyPI ecosystem: a list of versions, ranges of PEP 440
versions, or both; a version is affected when either names it.
"""

from datetime import datetime
from typing import Literal

from msgspec import Struct
from packaging.version import InvalidVersion, Version

from indexgate_policy.flags import Severity
from indexgate_policy.signals import Unknown
from indexgate_policy.version_order import of_text, of_version


class Range(Struct, frozen=True, kw_only=True):
    """Affected versions from `introduced` ("0": the first) up to, not including, `fixed`.

    `last_affected` is inclusive and stands where no fix is known. Both None: no end.
    """

    introduced: str
    fixed: str | None = None
    last_affected: str | None = None


class Advisory(Struct, frozen=True, kw_only=True):
    """One advisory about one project; a withdrawn one is never made into this."""

    id: str
    kind: Literal["malware", "vulnerability"]
    severity: Severity | Unknown
    summary: str
    aliases: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    ranges: tuple[Range, ...] = ()
    published: datetime | None = None
    source: str = "osv"

    def affects(self, version: str) -> bool | Unknown:
        """Tell whether *version* is affected.

        Unknown when only a range could tell and *version* or the range's ends are not PEP 440.
        """
        if version in self.versions or (not self.versions and _whole(self.ranges)):
            return True
        try:
            parsed = Version(version)
        except InvalidVersion:
            return Unknown(reason=f"`{version}` is not a PEP 440 version") if self.ranges else False
        place = of_version(parsed)
        if any(of_text(listed) == place for listed in self.versions):
            return True
        answers = [_inside(parsed, span) for span in self.ranges]
        if True in answers:
            return True
        return next((answer for answer in answers if isinstance(answer, Unknown)), False)


class Advisories(Struct, frozen=True, kw_only=True):
    """All advisories known of one project, and when the feed they come from was last good.

    `applicable` is False for a project of an index that is not public: public advisories speak of
    another project of the same name, so none of them holds there.
    """

    records: tuple[Advisory, ...]
    feed: datetime | Unknown
    applicable: bool = True


def _whole(ranges: tuple[Range, ...]) -> bool:
    return any(r.introduced == "0" and r.fixed is None and r.last_affected is None for r in ranges)


def _inside(parsed: Version, span: Range) -> bool | Unknown:
    try:
        if span.introduced != "0" and parsed < Version(span.introduced):
            return False
        if span.fixed is not None:
            return parsed < Version(span.fixed)
        if span.last_affected is not None:
            return parsed <= Version(span.last_affected)
    except InvalidVersion as error:
        return Unknown(reason=f"the advisory's range is not PEP 440: {error}")
    return True
