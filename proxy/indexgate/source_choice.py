"""Which sources are asked, and why: from the settings, the upstream, and where the gate listens.

By itself the gate asks third parties only on a laptop: when it listens on loopback and stands in
front of the public index. Elsewhere somebody has to want it. Whatever is set, nobody but its own
index is told the names of an index that is not public.
"""

from collections.abc import Iterator
from ipaddress import ip_address

from msgspec import Struct

from indexgate.config import Settings
from indexgate.settings_table import BY_NAME as SETTINGS
from indexgate.source_offers import OFFERS, Offer
from indexgate.upstream_choice import UpstreamChoice

AUTO = "auto"


class Standing(Struct, frozen=True, kw_only=True):
    """Whether a source is asked, and why (one clause). `hint` says how to turn it on."""

    offer: Offer
    on: bool
    why: str
    hint: str = ""

    @property
    def third_party(self) -> bool:
        """Whether it is on and learns anything about what this gate's clients ask for."""
        return self.on and self.offer.by not in {"index", "bulk"}


def choose_sources(settings: Settings, upstream: UpstreamChoice) -> tuple[Standing, ...]:
    """Return the standing of every source, in reading order."""
    return tuple(_standing(offer, settings, upstream) for offer in OFFERS)


def on_loopback(host: str) -> bool:
    """Tell whether *host* is an address that only this machine can reach."""
    try:
        return ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _standing(offer: Offer, settings: Settings, upstream: UpstreamChoice) -> Standing:
    for why, hint in _objections(offer, settings, upstream):
        return Standing(offer=offer, on=False, why=why, hint=hint)
    return Standing(offer=offer, on=True, why=_reason(offer, settings))


def _objections(
    offer: Offer, settings: Settings, upstream: UpstreamChoice
) -> Iterator[tuple[str, str]]:
    """Yield what stands against asking, what weighs most first, and how to change that."""
    if settings.offline:
        yield "the gate is offline", "Start without `--offline`."
    if offer.name == "release-feed" and upstream.public_one is None:
        yield "it is asked of the public index only", ""
    if offer.by == "index":
        return
    if upstream.public_one is None:
        yield (
            "the upstream is not the public index, and its names are nobody's business",
            'Say `public = "yes"` in the table of a mirror of the public index.'
            if upstream.name
            else "A mirror of the public index is told by `--upstream-public yes`.",
        )
    named = offer.name in settings.sources
    if offer.needs and not getattr(settings, offer.needs) and not (offer.keyless and named):
        setting = SETTINGS[offer.needs]
        yield f"`{offer.needs}` is not set", f"Set `{setting.variable}`."
    if offer.by != "bulk":
        yield from _unwanted(offer, settings)


def _unwanted(offer: Offer, settings: Settings) -> Iterator[tuple[str, str]]:
    if offer.name in settings.sources:
        return
    hint = f"Name it: `--sources {','.join([*_joined(settings.sources), offer.name])}`."
    if AUTO not in settings.sources:
        yield f"{settings.origins['sources']} does not name it", hint
    if offer.by == "laptop" and not on_loopback(settings.host):
        yield f"the gate listens beyond loopback, on `{settings.host}`", hint
    if offer.by == "name":
        yield "it is asked only when it is named", hint


def _joined(sources: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in sources if name != "none")


def _reason(offer: Offer, settings: Settings) -> str:
    if offer.by == "index":
        return "it is the upstream itself"
    if offer.by == "bulk":
        return "it is asked for whole files, which name no project"
    if offer.name in settings.sources:
        return f"{settings.origins['sources']} names it"
    if offer.needs is not None:
        return f"`{offer.needs}` is set"
    return "the gate listens on loopback, in front of the public index"
