"""In which order sources are asked: some need what others give."""

from collections.abc import Iterator

from indexgate.sources.protocol import Source


def turns(sources: tuple[Source, ...]) -> Iterator[tuple[Source, ...]]:
    """Yield *sources* in turns: whoever gives what another one needs is asked before it."""
    waiting = list(sources)
    while waiting:
        needed_from = {
            source.about.name: {
                other.about.name
                for other in waiting
                if other is not source and set(source.about.needs) & set(other.about.gives)
            }
            for source in waiting
        }
        turn = tuple(s for s in waiting if not needed_from[s.about.name]) or tuple(waiting)
        yield turn
        waiting = [source for source in waiting if source not in turn]
