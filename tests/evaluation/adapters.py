"""The parts of the project in the shapes that measuring programs ask for."""

from collections.abc import Callable

from packaging.utils import canonicalize_name

from indexgate_policy.lookalike import PopularNameList


def confusability(
    popular: list[tuple[str, int]],
) -> Callable[[str], tuple[float, str | None]]:
    """Return a judge of names: (confusability 0..1, imitated name or None)."""
    names = PopularNameList(lambda: popular)

    def judge(name: str) -> tuple[float, str | None]:
        found = names.lookalike(canonicalize_name(name))
        return (0.0, None) if found is None else (found.confusability, found.imitates)

    return judge
