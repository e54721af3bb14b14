"""Which of a project's links is its source repository. Pure."""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

_HOSTS = {
    "github.com",
    "gitlab.com",
    "bitbucket.org",
    "codeberg.org",
    "git.sr.ht",
    "gitea.com",
    "gitee.com",
    "salsa.debian.org",
    "gitlab.gnome.org",
    "framagit.org",
}
_CASELESS = {"github.com", "gitlab.com", "bitbucket.org", "codeberg.org"}
_NOT_OWNERS = {"sponsors", "orgs", "apps", "marketplace", "topics", "features", "login", "about"}
_PART = re.compile(r"~?[A-Za-z0-9._-]{1,100}")
_OWN_PAGES = {"-", "issues", "wikis", "merge_requests", "tree", "blob", "raw"}

_SAYS_SOURCE = ("source", "repository", "repo", "code", "github", "gitlab", "git")
_SAYS_HOME = ("home", "homepage", "home page", "website", "")


def best(links: Iterable[tuple[str, str]]) -> str | None:
    """Return the repository among *links* (label, address), normalised; None when none is known.

    A label that says source goes before a home page, that before all others; among equals the
    first. Only known code hosts count. It is the uploader's claim: anybody can name a famous one.
    """
    found = [(_rank(label), at) for label, url in links if (at := normalized(url)) is not None]
    return min(found, key=lambda pair: pair[0])[1] if found else None


def normalized(url: str) -> str | None:
    """Return `https://host/owner/name` for an address inside a repository of a known code host."""
    try:
        parts = urlsplit(url.strip().removeprefix("git+"))
        host = (parts.hostname or "").removeprefix("www.")
    except ValueError:
        return None
    if host not in _HOSTS or parts.scheme not in {"https", "http", "git", "ssh"}:
        return None
    path = [part for part in parts.path.split("/") if part]
    if "gitlab" in host or host in {"salsa.debian.org", "framagit.org"}:
        path = _until_own_page(path)  # groups nest there
    else:
        path = path[:2]
    if len(path) < 2 or path[0].lower() in _NOT_OWNERS:
        return None
    path[-1] = path[-1].removesuffix(".git")
    if not all(_PART.fullmatch(part) and part.strip(".") for part in path):
        return None
    joined = "/".join(path)
    return f"https://{host}/{joined.lower() if host in _CASELESS else joined}"


def _rank(label: str) -> int:
    words = label.strip().lower()
    if any(word in words for word in _SAYS_SOURCE):
        return 0
    return 1 if words in _SAYS_HOME else 2


def _until_own_page(path: list[str]) -> list[str]:
    """Cut *path* before the first part that is a page of the host, not of the repository's name."""
    for position, part in enumerate(path):
        if position >= 2 and part in _OWN_PAGES:
            return path[:position]
    return path[:5]
