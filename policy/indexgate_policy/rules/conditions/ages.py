"""Conditions on ages: `release_age`, `file_age`, `project_age`, `first_seen`.

An age counts from a moment that upstream or this gate wrote down; a moment in the future is age 0.
The texts tell the moment and never the age, so that they stay true for as long as they are shown.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from indexgate_policy.rules.conditions.definition import Definition, Scope, Test, UsualTest
from indexgate_policy.rules.conditions.shapes import AGE
from indexgate_policy.rules.durations import after
from indexgate_policy.rules.kleene import FAILS, Outcome, fails, holds, unknown
from indexgate_policy.rules.known import Known
from indexgate_policy.rules.strict import Field
from indexgate_policy.rules.usual import Usual
from indexgate_policy.rules.wording import moment
from indexgate_policy.signals import Unknown
from indexgate_policy.subject import File, Release

_VALUE = "`{ below = ... }`, `{ at_least = ... }` or both, each a duration"


def _age(
    since: Callable[[File], datetime | Unknown], words: Callable[[File], str]
) -> Callable[[Field], Test]:
    def read(field: Field) -> Test:
        window = field.fields(("below", "at_least"), f"`{field.key}`")
        below = window["below"].duration() if "below" in window else None
        at_least = window["at_least"].duration() if "at_least" in window else timedelta(0)
        if below is not None and below <= at_least:
            raise field.error("never-holds", f"`{field.key}` can never hold: `below` ends before")

        def test(file: File, known: Known) -> Outcome:
            start = since(file)
            if isinstance(start, Unknown):
                return unknown(start.reason)
            until = None
            if below is not None:
                until = after(start, below)
                if known.now >= until:
                    return FAILS
            opens = after(start, at_least)
            if at_least and known.now < opens:
                return fails(opens)
            return holds(f"{words(file)} {moment(start)}", until)

        return test

    return read


def _usual_release_age(field: Field) -> UsualTest:
    """Read the window: it is past for all releases but the newest, or for all."""
    window = field.fields(("below", "at_least"), f"`{field.key}`")
    below = window["below"].duration() if "below" in window else None

    def usual(file: File, known: Known) -> Usual | None:
        if below is None:
            return None
        last = file.project.last_upload
        if not isinstance(last, Unknown) and known.now >= after(last, below):
            return Usual(outcome=FAILS)

        def may_be_within(release: Release) -> bool:
            start = release.released
            return isinstance(start, Unknown) or known.now < after(start, below)

        return Usual(outcome=FAILS, apart=(may_be_within,))

    return usual


def _first_seen(field: Field) -> Test:
    """Read the window; a store that began within it cannot know what was asked for before."""
    test_age = _age(
        lambda f: f.project.first_seen, lambda f: f"{f.project.name} was first asked for"
    )(field)
    window = field.fields(("below", "at_least"), f"`{field.key}`")
    span = max(window[key].duration() for key in ("below", "at_least") if key in window)

    def test(file: File, known: Known) -> Outcome:
        began = file.project.watched_since
        if began is not None and known.now < after(began, span):
            why = f"the gate has only been watching since {moment(began)}"
            return unknown(why, after(began, span))
        return test_age(file, known)

    return test


RELEASE_AGE = Definition(
    name="release_age",
    scope=Scope.RELEASE,
    what="The time since the earliest upload of any file of the version lies within the window.",
    value=_VALUE,
    example='{ below = "24h" }',
    unknown="upstream gives no upload time",
    shape=AGE,
    read=_age(lambda f: f.released, lambda f: f"{f.project.name} {f.version} was uploaded"),
    read_usual=_usual_release_age,
)
FILE_AGE = Definition(
    name="file_age",
    scope=Scope.FILE,
    what="The time since the upload of this very file lies within the window.",
    value=_VALUE,
    example='{ below = "24h" }',
    unknown="upstream gives no upload time",
    singles_out=True,
    shape=AGE,
    read=_age(lambda f: f.uploaded, lambda f: f"{f.filename} was uploaded"),
)
PROJECT_AGE = Definition(
    name="project_age",
    scope=Scope.PROJECT,
    what="The time since the earliest upload that the project page tells lies within the window.",
    value=_VALUE,
    example='{ below = "30d" }',
    unknown="upstream gives no upload times",
    shape=AGE,
    read=_age(lambda f: f.project.first_upload, lambda f: f"{f.project.name} was first uploaded"),
)
FIRST_SEEN = Definition(
    name="first_seen",
    scope=Scope.PROJECT,
    what="The time since this gate was first asked for the project lies within the window.",
    value=_VALUE,
    example='{ below = "7d" }',
    unknown="the gate's store is younger than the duration, so it cannot know",
    shape=AGE,
    read=_first_seen,
)
