"""The kinds of findings: the ids that stay, how grave each is, what it means.

`python -m indexgate.doctor.kinds` prints the table of the docs.
"""

import sys
from collections.abc import Iterator, Mapping

from msgspec import Struct

from indexgate.doctor.finding import Severity


class Kind(Struct, frozen=True, kw_only=True):
    """A kind of finding: its usual severity, whom it concerns, and what it means."""

    severity: Severity
    client: str
    means: str


def _kind(severity: Severity, client: str, means: str) -> Kind:
    return Kind(severity=severity, client=client, means=means)


KINDS: Mapping[str, Kind] = {
    "pip-not-pointed": _kind("error", "pip", "pip asks another index than the gate"),
    "pip-extra-index": _kind(
        "error", "pip", "pip merges another index with the gate and takes the best of both"
    ),
    "pip-find-links": _kind("error", "pip", "pip takes files from a page or folder besides"),
    "pip-no-index": _kind("warning", "pip", "pip asks no index at all, so not the gate either"),
    "pip-trusted-host": _kind(
        "warning", "pip", "pip does not check who answers at a host, and caches what it says"
    ),
    "pip-proxy": _kind("error", "pip", "pip sends what is for the gate to a proxy, whatever host"),
    "uv-not-pointed": _kind("error", "uv", "uv's default index is not the gate"),
    "uv-index": _kind("error", "uv", "uv asks another index before the default one"),
    "uv-find-links": _kind("error", "uv", "uv takes files from a page or folder besides"),
    "uv-no-index": _kind("warning", "uv", "uv asks no index at all, so not the gate either"),
    "uv-index-strategy": _kind(
        "warning", "uv", "uv goes on to other indexes where the gate has the project"
    ),
    "uv-insecure-host": _kind("warning", "uv", "uv does not check who answers at a host"),
    "uv-source": _kind("error", "uv", "`tool.uv.sources` takes a project from an address"),
    "poetry-not-pointed": _kind("error", "Poetry", "Poetry asks the public index itself"),
    "poetry-plugin": _kind(
        "error", "Poetry", "Poetry is given a mirror, but lacks the plugin that reads it"
    ),
    "poetry-source": _kind("error", "Poetry", "a source of the project is not the gate"),
    "pdm-not-pointed": _kind("error", "PDM", "PDM asks another index than the gate"),
    "pdm-source": _kind("error", "PDM", "PDM merges another index with the gate"),
    "pdm-static-urls": _kind(
        "warning", "PDM", "`pdm.lock` keeps the addresses of files, which are then fetched as such"
    ),
    "pdm-insecure-host": _kind("warning", "PDM", "PDM does not check who answers at a source"),
    "pipenv-source": _kind("error", "pipenv", "a source of the Pipfile is not the gate"),
    "pipenv-insecure-host": _kind(
        "warning", "pipenv", "pipenv does not check who answers at a source"
    ),
    "requirements-index": _kind("error", "pip, uv", "a requirements file names another index"),
    "requirements-find-links": _kind(
        "error", "pip, uv", "a requirements file names a page or folder of files"
    ),
    "requirements-no-index": _kind(
        "warning", "pip, uv", "a requirements file has installers ask no index"
    ),
    "requirements-trusted-host": _kind(
        "warning", "pip", "a requirements file has pip not check who answers at a host"
    ),
    "requirements-unread": _kind(
        "warning", "pip, uv", "a requirements file cannot be read, so nobody knows what it names"
    ),
    "direct-address": _kind(
        "error", "all", "a project is taken from an address or a repository, past any index"
    ),
    "direct-path": _kind("note", "all", "a project is taken from this machine"),
    "lock-other-host": _kind(
        "error", "all", "a lock names an index or files on another host than the gate's"
    ),
    "lock-address": _kind("error", "all", "a lock takes a project from an address or a repository"),
    "lock-unread": _kind("warning", "all", "a lock cannot be read, so nobody knows what it names"),
    "settings-unread": _kind("warning", "all", "a file of settings is there but cannot be read"),
    "proxy-catches-gate": _kind(
        "error", "all", "an HTTP proxy is given what is for the gate on this machine"
    ),
    "other-login": _kind("note", "all", "credentials for another host lie ready for clients"),
    "gate-not-running": _kind("error", "gate", "no gate answers at the address"),
    "gate-not-ours": _kind("error", "gate", "what answers cannot prove that it is this gate"),
    "gate-other-port": _kind("note", "gate", "the gate is not on the usual port"),
}


def table() -> Iterator[str]:
    """Yield the lines of the table of findings, as Markdown."""
    yield "| id | severity | concerns | what it means |"
    yield "| --- | --- | --- | --- |"
    for name, kind in KINDS.items():
        yield f"| `{name}` | {kind.severity} | {kind.client} | {kind.means} |"


if __name__ == "__main__":
    sys.stdout.write("\n".join(table()) + "\n")
