"""Who fetched: the rules by which a row of the log is shared out over the classes (science dn-1).

The first rule that applies decides. A client's own statement is taken as it stands; all else is a
judgement in shares of 1, because the log has no user ids and no addresses.
"""

import re
from collections.abc import Callable
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from indexgate_policy.downloads.installers import PEOPLES_TOOLS, can_say_ci, installer
from indexgate_policy.downloads.kinds import CLASSES
from indexgate_policy.downloads.log_row import Client

VERSION: Final = "dn-1"
Shares: TypeAlias = tuple[float, ...]
Modifier: TypeAlias = Literal["cannot-say-ci", "sdist", "crawler"]


def shares(**given: float) -> Shares:
    """Return shares in the order of `kinds.CLASSES`; what is not given is 0."""
    return tuple(given.get(name, 0.0) for name in CLASSES)


class Rule(Struct, frozen=True, kw_only=True):
    """One line of the table.

    `when` says in words what `applies` tests, `shares` is by `kinds.CLASSES` and adds up to 1,
    `open_to` names the modifiers that can move it.
    """

    id: str
    when: str
    applies: Callable[[Client], bool]
    shares: Shares
    why: str
    open_to: frozenset[Modifier] = frozenset()


_TOOL: frozenset[Modifier] = frozenset(["cannot-say-ci", "sdist"])
_MACHINE: frozenset[Modifier] = frozenset(["cannot-say-ci", "sdist", "crawler"])
_ANYONE: frozenset[Modifier] = frozenset(["crawler"])


def _role(*roles: str) -> Callable[[Client], bool]:
    return lambda client: installer(client.installer).role in roles


def _tool_on(system: str, kernel: str | None = None) -> Callable[[Client], bool]:
    return lambda client: (
        client.installer in PEOPLES_TOOLS
        and client.system == system
        and (kernel is None or client.kernel == kernel)
    )


def _distro(pattern: str) -> Callable[[Client], bool]:
    on_linux, names = _tool_on("Linux"), re.compile(pattern, re.IGNORECASE)
    return lambda client: on_linux(client) and names.search(client.distro or "") is not None


RULES: Final = (
    Rule(
        id="M1",
        when="bandersnatch, z3c.pypimirror, pep381client",
        applies=_role("mirror"),
        shares=shares(mirror=1),
        why="A full mirror copies every file, whoever wants it",
    ),
    Rule(
        id="M2",
        when="devpi, Nexus, Artifactory",
        applies=_role("cache"),
        shares=shares(cache=1),
        why="A cache fetches once; the demand behind it cannot be seen",
    ),
    Rule(
        id="C1",
        when="the client says that it runs in CI",
        applies=lambda client: client.ci is True,
        shares=shares(ci=1),
        why="pip and uv say so when BUILD_BUILDID, BUILD_ID, CI or PIP_IS_CI is set",
    ),
    Rule(
        id="S1",
        when="no details at all",
        applies=lambda client: client.installer is None and client.python is None,
        shares=shares(bot=0.80, scanner=0.10, pipeline=0.07, human=0.03),
        why="An agent that the log's parser does not know is seldom an installer",
        open_to=_ANYONE,
    ),
    Rule(
        id="S3",
        when="no installer, but a Python version",
        applies=lambda client: client.installer is None,
        shares=shares(scanner=0.80, pipeline=0.15, human=0.05),
        why="Bare urllib: somebody's program, not an installer",
        open_to=_ANYONE,
    ),
    Rule(
        id="S2",
        when="Browser",
        applies=_role("browser"),
        shares=shares(bot=0.93, human=0.07),
        why="curl, wget and okhttp stand here too: crawlers, and some people who save a file",
        open_to=_ANYONE,
    ),
    Rule(
        id="S4",
        when="requests",
        applies=_role("script"),
        shares=shares(scanner=0.85, bot=0.05, pipeline=0.08, human=0.02),
        why="A library, not an installer: scanners, scrapers, home-made downloaders",
        open_to=_ANYONE,
    ),
    Rule(
        id="B1",
        when="Bazel, pex, maturin, conda, Homebrew, OS, setuptools, distribute, twine",
        applies=lambda client: (
            installer(client.installer).role in ("tool", "system", "publisher")
            and client.installer not in PEOPLES_TOOLS
        ),
        shares=shares(pipeline=0.75, ci=0.20, human=0.05),
        why="Builds and packagers",
    ),
    Rule(
        id="U2",
        when="an installer that is not in the table",
        applies=_role("unknown"),
        shares=shares(bot=0.60, scanner=0.25, pipeline=0.10, human=0.05),
        why="A name that nobody has looked at yet, and that a client can choose freely",
        open_to=_ANYONE,
    ),
    Rule(
        id="H1",
        when="an installer on macOS",
        applies=_tool_on("Darwin"),
        shares=shares(human=0.90, ci=0.06, pipeline=0.02, scanner=0.02),
        why="Few servers run macOS, and its downloads rest at weekends as people do",
        open_to=_TOOL,
    ),
    Rule(
        id="P2",
        when="an installer on Windows Server",
        applies=_tool_on("Windows", "server"),
        shares=shares(pipeline=0.60, ci=0.30, human=0.10),
        why="A server by its own name",
        open_to=_MACHINE,
    ),
    Rule(
        id="H2",
        when="an installer on Windows",
        applies=_tool_on("Windows"),
        shares=shares(human=0.84, ci=0.08, pipeline=0.06, scanner=0.02),
        why="Mostly desktops",
        open_to=_TOOL,
    ),
    Rule(
        id="H3",
        when="an installer on a WSL kernel",
        applies=_tool_on("Linux", "wsl"),
        shares=shares(human=0.88, pipeline=0.10, ci=0.02),
        why="Linux inside somebody's Windows",
        open_to=_TOOL,
    ),
    Rule(
        id="P3",
        when="an installer on a desktop's container kernel (linuxkit, OrbStack)",
        applies=_tool_on("Linux", "desktop-vm"),
        shares=shares(pipeline=0.65, human=0.35),
        why="A container on a developer's machine",
        open_to=_MACHINE,
    ),
    Rule(
        id="P4",
        when="an installer on a cloud kernel",
        applies=_tool_on("Linux", "cloud"),
        shares=shares(pipeline=0.90, ci=0.09, human=0.01),
        why="The kernel is built for a cloud",
        open_to=_MACHINE,
    ),
    Rule(
        id="P1-alpine",
        when="an installer on Alpine",
        applies=_distro(r"^alpine"),
        shares=shares(pipeline=0.95, ci=0.04, human=0.01),
        why="A distribution for images",
        open_to=_MACHINE,
    ),
    Rule(
        id="P1-debian",
        when="an installer on Debian",
        applies=_distro(r"^debian"),
        shares=shares(pipeline=0.88, ci=0.07, human=0.05),
        why="The official Python images are Debian",
        open_to=_MACHINE,
    ),
    Rule(
        id="P1-server",
        when="an installer on Amazon Linux, RHEL and its kin, SLES, Photon, Wolfi, Azure Linux",
        applies=_distro(
            r"amazon linux|oracle|rocky|alma|centos|red hat|rhel|suse linux enterprise|photon"
            r"|wolfi|chainguard|mariner|azure linux|distroless"
        ),
        shares=shares(pipeline=0.94, ci=0.04, human=0.02),
        why="Distributions for servers and images",
        open_to=_MACHINE,
    ),
    Rule(
        id="P1-ubuntu",
        when="an installer on Ubuntu",
        applies=_distro(r"^ubuntu"),
        shares=shares(pipeline=0.66, ci=0.14, human=0.20),
        why="Images and servers first, desktops too",
        open_to=_MACHINE,
    ),
    Rule(
        id="P1-board",
        when="an installer on Raspberry Pi OS",
        applies=_distro(r"raspbian|raspberry"),
        shares=shares(human=0.60, pipeline=0.40),
        why="Hobby boards, and devices that install by themselves",
        open_to=_MACHINE,
    ),
    Rule(
        id="P1-desktop",
        when="an installer on Fedora, Arch, Mint, NixOS and other desktops",
        applies=_distro(
            r"fedora|\barch\b|manjaro|mint|pop!_os|elementary|endeavour|kali|zorin|gentoo"
            r"|tumbleweed|nixos|cachyos"
        ),
        shares=shares(human=0.70, pipeline=0.25, ci=0.05),
        why="Distributions that people choose for their desks",
        open_to=_MACHINE,
    ),
    Rule(
        id="P5",
        when="an installer on another Linux, or on one that is not named",
        applies=_tool_on("Linux"),
        shares=shares(pipeline=0.80, ci=0.08, human=0.12),
        why="Linux without a desktop's name is mostly a server or a container",
        open_to=_MACHINE,
    ),
    Rule(
        id="U1",
        when="an installer that names no system, or none of these",
        applies=lambda client: True,
        shares=shares(pipeline=0.50, human=0.25, scanner=0.15, ci=0.10),
        why="An installer, and nothing else is known",
        open_to=_MACHINE,
    ),
)
"""In the order in which they are asked; the last one always applies."""


class Change(Struct, frozen=True, kw_only=True):
    """What a modifier does to the shares of a rule that is open to it."""

    id: Modifier
    when: str
    does: str
    why: str
    moved: Callable[[Shares], Shares]


def _to_ci(given: Shares) -> Shares:
    now = dict(zip(CLASSES, given, strict=True))
    from_pipeline, from_human = 0.30 * now["pipeline"], 0.25 * now["human"]
    now["pipeline"] -= from_pipeline
    now["human"] -= from_human
    now["ci"] += from_pipeline + from_human
    return shares(**now)


def _sdist(given: Shares) -> Shares:
    odds = {"bot": 2.0, "scanner": 3.0, "human": 0.6}
    weighed = [share * odds.get(name, 1.0) for name, share in zip(CLASSES, given, strict=True)]
    return tuple(share / sum(weighed) for share in weighed)


def _crawler(given: Shares) -> Shares:
    crawling = shares(bot=0.48, scanner=0.32)
    return tuple(0.2 * share + more for share, more in zip(given, crawling, strict=True))


CHANGES: Final = (
    Change(
        id="cannot-say-ci",
        when="the client cannot say that it runs in CI: poetry, pdm, pipenv, pipx, hatch, rye, "
        "pip before 19.1, or any in a log without the mark",
        does="moves .30 of pipeline and .25 of human to ci",
        why="Without the mark, CI hides among the others",
        moved=_to_ci,
    ),
    Change(
        id="sdist",
        when="an sdist was fetched though the version has a wheel",
        does="odds: bot x2, scanner x3, human x.6",
        why="Installers prefer wheels, those who read the source do not",
        moved=_sdist,
    ),
    Change(
        id="crawler",
        when="one installer from one country spreads evenly over 8 or more versions "
        "(normalised entropy above .9)",
        does="80 % becomes bot (.6) and scanner (.4)",
        why="People and pipelines want one version, a crawler wants all",
        moved=_crawler,
    ),
)
"""In the order in which they are applied."""


def deciding(client: Client) -> Rule:
    """Return the first rule that applies to *client*."""
    return next(rule for rule in RULES if rule.applies(client))


def cannot_say_ci(client: Client) -> bool:
    """Return whether a run in CI would have left no mark in the row."""
    return not (client.ci_told and can_say_ci(client.installer, client.installer_version))


def moved(rule: Rule, applying: frozenset[Modifier]) -> Shares:
    """Return the shares of *rule* after those of the *applying* modifiers that it is open to."""
    now = rule.shares
    for change in CHANGES:
        if change.id in applying & rule.open_to:
            now = change.moved(now)
    return now
