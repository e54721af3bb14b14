"""Whether a release has a tag in its source repository, where those before it have one."""

import re
from collections.abc import Iterable, Sequence
from datetime import timedelta

from packaging.version import InvalidVersion, Version

from indexgate_policy.assessment import Case
from indexgate_policy.checks import readings
from indexgate_policy.dated import Dated
from indexgate_policy.signals import Unknown

GRACE = timedelta(hours=6)  # some tag after they have published
LOOKED_AT, TAGGED = 3, 2  # of so many releases before, so many must have a tag

_NUMBER = re.compile(r"(?<![0-9.])[0-9]")


def is_untagged(case: Case, dated: Sequence[Dated]) -> bool | Unknown:
    """Tell whether the newest of *dated* has no tag though those before it have.

    Unknown when the tags are not known, or were looked at before the release had time to get one.
    """
    tags = readings.texts(case, "tags")
    if isinstance(tags, Unknown):
        return tags
    newest, before = dated[-1], dated[-1 - LOOKED_AT : -1]
    if case.signals["tags"].observed_at < newest.at + GRACE:
        return Unknown(reason="the tags have not been looked at since the release")
    tagged = sum(_is_tagged(one, tags) for one in before)
    if tagged < TAGGED:
        return Unknown(reason="the releases before carry no tags that name them")
    return not _is_tagged(newest, tags)


def _is_tagged(one: Dated, tags: Iterable[str]) -> bool:
    version = one.release.parsed
    return isinstance(version, Version) and any(_names(tag, version) for tag in tags)


def _names(tag: str, version: Version) -> bool:
    """Tell whether *tag* ends in *version*: `v1.2`, `demo-1.2`, `release/1.2`, `REL_1_2`."""
    for found in _NUMBER.finditer(tag):
        for text in (tag[found.start() :], tag[found.start() :].replace("_", ".")):
            try:
                if Version(text).public == version.public:
                    return True
            except InvalidVersion:
                continue
    return False
