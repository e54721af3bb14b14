"""Words that are added to a name without making it another thing."""

SHORTEST_CORE = 4  # letters that must stay; `pyre` is not `re` for Python
LANGUAGE = ("python3", "python", "py3", "py")
"""Words that only say `this is Python`: `python-dotenv` is known to people as `dotenv`."""

_PROMISES = """
ai api apis async auto beta better binary client data dev dist easy enhanced ext extended
extension extra extras fast faster fix fixed free full helper helpers hotfix http https
improved install installer kit latest lib libs light lite log logger logging main max mcp
mini new next nightly official optimized patch patched pip pkg plugin plus pro proxy pure py
py3 pypi python python3 release request requests safe sdk secure secured security setup
speed ssl stable super support sync tls tool toolkit tools true ultra update updated updater
upgrade util utility utils v1 v2 v3 v4 web x 2 3 4
"""
GENERIC = frozenset(_PROMISES.split())
"""Words that promise the same project, handier: what squats put before or behind a known name."""


def without_language(name: str) -> str | None:
    """Return normalised *name* without its `python` or `py` at an end, None when it has none."""
    words = name.split("-")
    if len(words) > 1 and words[0] in LANGUAGE:
        return "-".join(words[1:])
    if len(words) > 1 and words[-1] in LANGUAGE:
        return "-".join(words[:-1])
    if len(words) == 1:
        start = next((word for word in ("python", "py") if name.startswith(word)), "")
        if start and len(name) >= len(start) + SHORTEST_CORE:
            return name.removeprefix(start)
    return None
