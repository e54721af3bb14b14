import json

import pytest
from linehaul.ua import parser

from indexgate_policy.downloads.installers import KNOWN, can_say_ci, installer
from indexgate_policy.downloads.kinds import INSTALLERS


def agent(tool: str, version: str, **told: object) -> str:
    return f"{tool}/{version} " + json.dumps(
        {"installer": {"name": tool, "version": version}, "python": "3.13.7", **told}
    )


NEW_PIP = agent("pip", "26.1.1", system={"name": "Linux", "release": "6.8.0-1030-azure"}, ci=True)
NEW_UV = agent("uv", "0.9.18", distro={"name": "Ubuntu", "version": "24.04"})
UV_SAYING_MORE = "uv/0.9.18 " + json.dumps(
    {"installer": {"name": "uv", "version": "0.9.18", "subcommand": ["pip", "install"]}}
)

RECOGNISED = [
    (NEW_PIP, "pip", "tool", "pip"),
    ("pip/1.5.6 CPython/2.7.6 Linux/3.13.0", "pip", "tool", "pip"),
    (NEW_UV, "uv", "tool", "uv"),
    (UV_SAYING_MORE, "uv", "tool", "uv"),
    ("poetry/2.2.1 CPython/3.12.3 Darwin/24.6.0", "poetry", "tool", "poetry"),
    ("pdm/2.26.0 CPython/3.12.3", "pdm", "tool", "other tool"),
    ("setuptools/18.5 Python-urllib/3.5", "setuptools", "tool", "other tool"),
    ("Python-urllib/2.7 distribute/0.6.49", "distribute", "tool", "other tool"),
    ("conda/4.10.3 requests/2.26.0", "conda", "tool", "other tool"),
    ("pex/2.1.100", "pex", "tool", "other tool"),
    ("Bazel/release 7.1.0", "Bazel", "tool", "other tool"),
    ("bandersnatch/6.6.0 (cpython 3.12.3, Linux x86_64)", "bandersnatch", "mirror", None),
    ("z3c.pypimirror/1.0.16", "z3c.pypimirror", "mirror", None),
    ("pep381client/1.5", "pep381client", "mirror", None),
    ("devpi-server/6.14.0 (py3.12.3; linux)", "devpi", "cache", None),
    ("Artifactory/7.111.4", "Artifactory", "cache", None),
    ("Nexus/3.85.0-03 (PRO; Linux)", "Nexus", "cache", None),
    ("python-requests/2.32.5", "requests", "script", "script"),
    ("Mozilla/5.0 (X11; Linux x86_64)", "Browser", "browser", "script"),
    ("curl/8.5.0", "Browser", "browser", "script"),
    ("Wget/1.21.4", "Browser", "browser", "script"),
    ("okhttp/4.12.0", "Browser", "browser", "script"),
    ("aria2/1.37.0", "Browser", "browser", "script"),
    ("Apache-HttpClient/4.5.14", "Browser", "browser", "script"),
    (
        "Homebrew/4.3.1 (Macintosh; Intel Mac OS X 14.5) curl/8.6.0",
        "Homebrew",
        "system",
        "other tool",
    ),
    ("fetch libfetch/2.0", "OS", "system", "other tool"),
    ("MacPorts/2.9.3 libcurl/8.7.1", "OS", "system", "other tool"),
    ("maturin/1.7.0", "maturin", "publisher", "other tool"),
    ("twine/6.1.0 requests/2.32.3 CPython/3.12.3", "twine", "publisher", "other tool"),
]

# The row is kept, and nothing is known of the client.
NOT_RECOGNISED = [
    "pulpcore/3.60.0 (cpython 3.12.3-final0, Linux x86_64)",
    "python-httpx/0.28.1",
    "Python/3.12 aiohttp/3.11.0",
    "python-urllib3/2.2.3",
    "Python-urllib/3.12",
    "hatch/1.14.0",
    "pixi/0.40.0",
    "rye/0.44.0",
    "pipenv/2024.4.0 (CPython 3.12.3)",
    "pipx/1.7.1",
    "pip/26.3",
    "uv/0.1.21 {}",
    "micromamba/2.0.5",
    "Artifactory/7.111.4 77777900",
    "Homebrew/4.3.1 (Macintosh; arm64 Mac OS X 14.5) curl/8.6.0",
    "node-fetch/1.0",
    "null",
]

# The row is never written: these downloads nobody can see.
IGNORED = [
    "(null)",
    "Go-http-client/2.0",
    "Java/17.0.12",
    "Scrapy/2.11.2",
    "Datadog Agent/7.50",
    "Salt/3007",
    "ansible-httpget",
    "Debian uscan 2.23",
]


@pytest.mark.parametrize(("text", "name", "role", "bucket"), RECOGNISED)
def test_the_table_knows_what_the_logs_parser_calls_a_client(
    text: str, name: str, role: str, bucket: str | None
) -> None:
    parsed = parser.parse(text)
    assert parsed is not None
    assert parsed.installer is not None
    assert parsed.installer.name == name
    known = installer(parsed.installer.name)
    assert known in KNOWN
    assert known.role == role
    assert (None if known.bucket is None else INSTALLERS[known.bucket]) == bucket


@pytest.mark.parametrize("text", NOT_RECOGNISED)
def test_what_the_parser_does_not_know_is_unknown_to_us(text: str) -> None:
    with pytest.raises(parser.UnknownUserAgentError):
        parser.parse(text)
    assert installer(None).role == "unknown"
    assert INSTALLERS[installer(None).bucket or 0] == "unknown"


@pytest.mark.parametrize("text", IGNORED)
def test_what_the_parser_drops_never_has_a_name(text: str) -> None:
    assert parser.parse(text) is None


def test_a_bare_urllib_has_a_python_and_no_installer() -> None:
    parsed = parser.parse("Python-urllib/3.9")
    assert parsed is not None
    assert (parsed.installer, parsed.python) == (None, "3.9")


def test_only_pip_and_uv_are_seen_to_say_ci() -> None:
    saying = agent("pip", "26.1.1", ci=True), agent("uv", "0.9.18", ci=True)
    for text in saying:
        parsed = parser.parse(text)
        assert parsed is not None
        assert parsed.installer is not None
        assert parsed.ci is True
        assert installer(parsed.installer.name).says_ci
    assert {one.name for one in KNOWN if one.says_ci} == {"pip", "uv"}


@pytest.mark.parametrize(
    ("name", "version", "can"),
    [
        ("pip", "26.1", True),
        ("pip", "19.1", True),
        ("pip", "19.0", False),
        ("pip", "19.", False),
        ("pip", "9.0", False),
        ("pip", "24", True),
        ("pip", None, True),
        ("pip", "x", True),
        ("uv", "0.1", True),
        ("poetry", "2.2", False),
        ("requests", "2.32", False),
        (None, None, False),
    ],
)
def test_who_can_say_that_it_runs_in_ci(name: str | None, version: str | None, can: bool) -> None:
    assert can_say_ci(name, version) is can


def test_an_unheard_of_name_is_kept_and_unknown() -> None:
    assert installer("PIP") == installer("PIP")
    assert (installer("rattler").name, installer("rattler").role) == ("rattler", "unknown")
