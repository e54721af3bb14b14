"""Which exemptions have nothing to waive, as the pages and the facts are now."""

from collections.abc import Iterable, Mapping

from indexgate.config import Settings
from indexgate.index.protocol import NoSuchProject, UpstreamFailed
from indexgate.upstream_choice import UpstreamChoice
from indexgate.web.parts import Parts, open_parts
from indexgate_policy.rules import idle
from indexgate_policy.rules.exemptions import Exemption
from indexgate_policy.signals import Unknown


async def quiet(
    settings: Settings, upstream: UpstreamChoice, exemptions: Iterable[Exemption]
) -> Mapping[str, bool | Unknown]:
    """Tell of each exemption, by id, whether its rules say nothing of all that it covers.

    Unknown for one that is not of a single project, or whose page cannot be had. Raises GateError,
    PolicyError.
    """
    async with open_parts(settings, upstream, base="/") as parts:
        return {each.id: await _quiet(parts, each) for each in exemptions}


async def _quiet(parts: Parts, exemption: Exemption) -> bool | Unknown:
    name = exemption.names_one
    if name is None:
        return Unknown(reason="it speaks of several projects")
    try:
        listed = await parts.indexes.listing(name, asked=False)
    except NoSuchProject:
        return Unknown(reason=f"the index has no project {name}")
    except UpstreamFailed as error:
        return Unknown(reason=f"upstream {error.reason}")
    gate = parts.indexes.gate_of(listed)
    await gate.facts.of(listed)
    await gate.facts.settled()
    known = (await gate.facts.of(listed)).assessment
    files = [file for release in listed.releases for file in release.files]
    return idle.quiet(exemption, files, known, gate.policy.current(), parts.clock())
