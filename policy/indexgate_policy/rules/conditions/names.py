"""Conditions on names: `project`, `version`, `file`."""

import re
from fnmatch import translate

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from indexgate_policy.rules.conditions import shapes
from indexgate_policy.rules.conditions.definition import Definition, Scope, Test, UsualTest
from indexgate_policy.rules.kleene import FAILS, Outcome, holds, unknown
from indexgate_policy.rules.known import Known
from indexgate_policy.rules.strict import Field, shown
from indexgate_policy.rules.usual import Usual
from indexgate_policy.signals import Unknown
from indexgate_policy.subject import File, Release

_NAME_PATTERN = re.compile(r"[A-Za-z0-9._*?\[\]!-]+")


def read_globs(field: Field) -> re.Pattern[str]:
    """Return one pattern for the project names or globs of *field*. Raises PolicyError."""
    patterns = []
    for text in field.texts():
        if not _NAME_PATTERN.fullmatch(text):
            raise field.error(
                "bad-pattern",
                f"`{shown(text)}` of `{field.key}` is not a project name or pattern",
                "a name has letters, digits, `-`, `_`, `.`; `*`, `?` and `[ab]` stand for others",
            )
        patterns.append(translate(canonicalize_name(text)))
    return re.compile("|".join(patterns))


def read_specifier(field: Field) -> SpecifierSet:
    """Return the PEP 440 specifiers of *field*. Raises PolicyError."""
    text = field.text()
    try:
        found = SpecifierSet(text)
    except InvalidSpecifier:
        found = SpecifierSet()
    if not found:  # of a comma alone too, which would let every version through
        raise field.error(
            "bad-specifier",
            f"`{shown(text)}` of `{field.key}` is not a version specifier",
            "write one like `==2.0` or `>=1.4,<2` (PEP 440)",
        )
    return found


def _project(field: Field) -> Test:
    pattern = read_globs(field)

    def test(file: File, known: Known) -> Outcome:
        name = file.project.name
        return holds(f"the policy names {name}") if pattern.fullmatch(name) else FAILS

    return test


def _version(field: Field) -> Test:
    specifier = read_specifier(field)

    def test(file: File, known: Known) -> Outcome:
        if isinstance(file.parsed, Unknown):
            return unknown(file.parsed.reason)
        if not specifier.contains(file.parsed, prereleases=True):
            return FAILS
        return holds(f"{file.project.name} {file.version} is {specifier}")

    return test


def _usual_version(field: Field) -> UsualTest:
    specifier = read_specifier(field)

    def may_be_meant(release: Release) -> bool:
        parsed = release.parsed
        return isinstance(parsed, Unknown) or specifier.contains(parsed, prereleases=True)

    return lambda file, known: Usual(outcome=FAILS, apart=(may_be_meant,))


def _file(field: Field) -> Test:
    pattern = re.compile("|".join(translate(text.lower()) for text in field.texts()))

    def test(file: File, known: Known) -> Outcome:
        matches = pattern.fullmatch(file.filename.lower())
        return holds(f"the policy names {file.filename}") if matches else FAILS

    return test


PROJECT = Definition(
    name="project",
    scope=Scope.PROJECT,
    what="The project's normalised name is one of the names, or matches one of the patterns.",
    value="a name or a pattern with `*`, `?`, `[ab]`, or a list of them",
    example='["internal-*", "demo"]',
    shape=shapes.PROJECTS,
    read=_project,
)
VERSION = Definition(
    name="version",
    scope=Scope.RELEASE,
    what="The version lies within the PEP 440 specifiers; pre-releases count like others.",
    value="specifiers joined by `,`",
    example='">=2.0,<2.1"',
    unknown="the version is not PEP 440",
    shape=shapes.SPECIFIER,
    read=_version,
    read_usual=_usual_version,
)
FILE = Definition(
    name="file",
    scope=Scope.FILE,
    what="The file name matches a pattern, whatever its case.",
    value="a pattern with `*`, `?`, `[ab]`, or a list of them",
    example='"*-win_amd64.whl"',
    singles_out=True,
    shape=shapes.TEXTS,
    read=_file,
)
