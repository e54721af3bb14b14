"""What the README and the docs show: links that lead somewhere, commands that exist, policies."""

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import click
import pytest

from indexgate import index_tables, team_tables
from indexgate.cli.main import indexgate
from indexgate.settings_table import BY_NAME
from indexgate_policy.rules import document
from tests.policy.rules.facts import NOW

ROOT = Path(__file__).parents[1]
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
}
GENERATED = {path for path in PAGES if path.startswith("docs/reference/")}

FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)
QUOTED = re.compile(r"`((?:indexgate|gate/bin/indexgate) [^`]+)`")


def _blocks(text: str, *languages: str) -> Iterator[str]:
    for _, language, body in FENCE.findall(text):
        if language in languages:
            yield body


def _links() -> list[tuple[str, str]]:
    return [
        (page, target)
        for page, text in PAGES.items()
        for target in LINK.findall(FENCE.sub("", text))
        if "://" not in target
    ]


def _anchors(text: str) -> set[str]:
    """Return the anchors of the headings in *text*, as GitHub makes them."""
    headings = HEADING.findall(FENCE.sub("", text))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _commands() -> list[tuple[str, str]]:
    """Return the page and the text of every `indexgate ...` that is shown."""
    found: dict[tuple[str, str], None] = {}
    for page, text in PAGES.items():
        lines = "\n".join(_blocks(text, "", "sh")).replace("\\\n", " ").splitlines()
        found |= {(page, line.strip()): None for line in lines if "indexgate " in line}
        prose = FENCE.sub("", text)
        found |= {(page, line): None for line in QUOTED.findall(prose)}
    return list(found)


def _arguments(line: str) -> list[str] | None:
    """Return what follows `indexgate` in a shell *line*; None when it runs something else."""
    # A pipe or `&&` starts another command; `...` and NAME stand for any word.
    for command in re.split(r"\s(?:\||&&)\s", line):
        words = shlex.split(command, comments=True)
        if words and Path(words[0]).name == "indexgate":
            return words[1:]
    return None


def _policies() -> list[tuple[str, str]]:
    return [
        (page, block)
        for page, text in PAGES.items()
        for block in _blocks(text, "toml")
        if re.search(r"^version = 1$", block, re.MULTILINE)
    ]


def test_there_are_links_commands_and_policies_to_hold() -> None:
    assert len(_links()) > 40
    assert len([line for _, line in _commands() if _arguments(line)]) > 25
    assert len(_policies()) > 30


@pytest.mark.parametrize(("page", "target"), _links())
def test_a_link_leads_to_a_file_and_a_heading(page: str, target: str) -> None:
    name, _, anchor = target.partition("#")
    path = (ROOT / page).parent / name if name else ROOT / page
    assert path.is_file()
    if anchor:
        assert anchor in _anchors(path.read_text(encoding="utf-8"))


def test_every_page_is_reached_from_the_readme() -> None:
    reached = {"README.md"}
    while True:
        further = {
            ((ROOT / page).parent / target.partition("#")[0]).resolve()
            for page, target in _links()
            if page in reached
        }
        found = {page for page in PAGES if (ROOT / page) in further} | reached
        if found == reached:
            break
        reached = found
    assert reached == set(PAGES)


@pytest.mark.parametrize(
    ("page", "line"),
    [(page, line) for page, line in _commands() if page not in GENERATED],
)
def test_a_command_that_is_shown_can_be_given(page: str, line: str) -> None:
    arguments = _arguments(line)
    assert arguments is not None, f"{page} runs something else than indexgate: {line}"
    context = click.Context(indexgate, info_name="indexgate")
    if arguments in ([], ["--help"], ["--version"]):
        return
    name, *rest = [word for word in arguments if word != "..."]
    command = indexgate.get_command(context, name)
    assert command is not None, f"{page} shows a command that does not exist: {line}"
    if not rest:  # a name in prose: "`indexgate explain` shows them"
        return
    # Raises UsageError for an option or an argument that does not exist.
    command.make_context(name, rest, parent=context)


@pytest.mark.parametrize(("page", "text"), _policies())
def test_a_policy_that_is_shown_is_one(page: str, text: str) -> None:
    assert document.parse(text, source=page, now=NOW).notices == ()


def test_every_other_toml_that_is_shown_is_settings() -> None:
    for page, text in PAGES.items():
        for block in _blocks(text, "toml"):
            if (page, block) not in _policies():
                shown = tomllib.loads(block)
                if index_tables.KEY in shown:
                    logins = {"ACME_LOGIN": "reader:password"}
                    index_tables.read(shown.pop(index_tables.KEY), Path(page), logins)
                if team_tables.KEY in shown:
                    team_tables.read(shown.pop(team_tables.KEY), Path(page))
                assert shown.keys() <= BY_NAME.keys(), page


def test_the_picture_is_whole_and_loads_nothing_from_elsewhere() -> None:
    picture = (ROOT / "docs" / "images" / "refusal.svg").read_text(encoding="utf-8")
    shown = "".join(ET.fromstring(picture).itertext()).replace("\xa0", " ")
    assert "pip install demo==2.0" in shown
    assert "Blocked by" in shown
    assert "url(http" not in picture
    assert "src=" not in picture
