"""What `serve` says at start: what runs where, what leaves the machine, and the lines to paste."""

from collections.abc import Iterator, Sized
from typing import Protocol

from indexgate.config import Settings
from indexgate.listening import Listening
from indexgate.redact import redact
from indexgate.source_choice import choose_sources
from indexgate.upstream_choice import UpstreamChoice

_LOOPBACK = ("127.", "::1", "localhost")


class ShownPolicy(Protocol):
    """What the banner shows of a policy."""

    @property
    def rules(self) -> Sized:
        """The rules."""

    @property
    def notices(self) -> tuple[str, ...]:
        """What the user should hear of it."""


def banner(
    settings: Settings, upstream: UpstreamChoice, policy: ShownPolicy, listening: Listening
) -> str:
    """Return the lines that are printed once the gate listens, without credentials."""
    index = f"{redact(settings.public_url or listening.url).rstrip('/')}/simple/"
    rules = f"{len(policy.rules)} {'rule' if len(policy.rules) == 1 else 'rules'}"
    lines = [
        f"indexgate listens on {listening.url}",
        *_upstreams(upstream),
        f"  policy        {settings.policy} ({rules}; {settings.origins['policy']})",
        f"  state         {settings.state}",
        f"  presentation  {settings.presentation}",
        f"  leaves here   {_leaves(settings, upstream)}",
        *(f"  note          {redact(note)}" for note in _notes(settings, upstream, policy)),
        "",
        "Point an installer at it:",
        f"  pip install --index-url {index} <package>",
        f"  pip config set global.index-url {index}",
        f"  export UV_DEFAULT_INDEX={index.rstrip('/')}",  # as uv writes it into locks
        f"  poetry source add --priority=primary gate {index}",
        f"  pdm config pypi.url {index}",
        "",
        "Ctrl-C stops it.",
    ]
    return "\n".join(lines)


def _upstreams(upstream: UpstreamChoice) -> Iterator[str]:
    """Yield the upstream, or each of several with the names that belong to it alone."""
    if not upstream.later:
        yield f"  upstream      {upstream.url} ({upstream.origin})"
        return
    for number, index in enumerate(upstream.all, 1):
        about = ["public" if index.public else "not public"]
        if index.namespaces:
            about.append(f"alone has {', '.join(f'`{glob}`' for glob in index.namespaces)}")
        yield f"  upstream {number:<4} {index.name}: {index.url} ({'; '.join(about)})"


def _leaves(settings: Settings, upstream: UpstreamChoice) -> str:
    if settings.offline:
        return "nothing (offline)"
    asked = f"requests to {'the upstreams' if upstream.later else 'upstream'} ({upstream.shown})"
    if upstream.public_one is None:
        how = "`public` of its table" if upstream.name else "`--upstream-public`"
        return (
            f"{asked}; no advisories are fetched, since they speak of the public index's projects"
            f" ({how}), and nobody else is told a name"
        )
    if settings.osv_url is None:
        told = f"{asked}; no advisories are fetched"
    else:
        told = (
            f"{asked} and for OSV's bulk file ({redact(settings.osv_url)}), which names no package"
        )
    third_parties = [s.offer.name for s in choose_sources(settings, upstream) if s.third_party]
    if not third_parties:
        return f"{told}; no third party is told what is asked for"
    return f"{told}; names of packages to {', '.join(third_parties)} (`--sources none` to stop it)"


def _notes(settings: Settings, upstream: UpstreamChoice, policy: ShownPolicy) -> Iterator[str]:
    yield from settings.notices
    yield from upstream.notices
    yield from policy.notices
    if not settings.host.lower().startswith(_LOOPBACK):
        yield (
            f"`{settings.host}` can be reached from other machines; only pages, files, refusals"
            " and health are served there"
        )
        if settings.tls_cert is None and settings.public_url is None:
            yield "clients elsewhere speak plain http to it; set `--tls-cert` and `--tls-key`"
