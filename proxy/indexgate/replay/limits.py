"""What a replay could not judge or tell, and why, in sentences."""

from collections.abc import Iterator

from indexgate.replay.replayed import Agreement, Basis

_PAGE_FACTS = "upload times, advisories and the record alone"


def limits(basis: Basis, agreement: Agreement) -> Iterator[str]:
    """Yield a sentence for each thing that the figures do not hold."""
    if basis.by_page:
        yield (
            f"Of {_asks(basis.by_page)} the facts of that time are not kept: judged by"
            f" {_PAGE_FACTS}; a rule that asks for flags, health or signals is not judged there"
        )
    if basis.pageless:
        yield (
            f"Of {_asks(basis.pageless)} no page of the project is kept: when the file was uploaded"
            " is known only where it was noted, and what became of it only from advisories"
        )
    if basis.unread:
        yield (
            "The advisory feed was never read: rules that ask for advisories are not judged, and"
            " no file is known as malware; `indexgate refresh` reads it"
        )
    if basis.left_out:
        yield f"{_asks(basis.left_out)} of indexes that are not configured now are left out"
    if basis.named_now > basis.named_then:
        later = basis.named_now - basis.named_then
        yield (
            f"An advisory names today what {_asks(basis.named_now)} were for; for {_asks(later)} of"
            " these it was not published then, so no rule could know it"
        )
    if basis.yanked_since:
        yield (
            f"{_asks(basis.yanked_since)} were for files that are yanked today, and nobody saw it"
            " then: judged as not yanked"
        )
    if agreement.of > agreement.again:
        yield (
            f"Of {agreement.of:,} refusals that the policy in force recorded itself, the replay"
            f" refuses {agreement.again:,}: the others rested on what is not kept, or changed since"
        )


def _asks(count: int) -> str:
    return "1 ask" if count == 1 else f"{count:,} asks"
