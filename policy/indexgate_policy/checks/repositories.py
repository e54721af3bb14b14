"""Addresses of source repositories, compared by what they lead to."""


def parts(address: str) -> tuple[str, ...]:
    """Return host and path of *address* without what makes no difference; empty for none."""
    rest = address.strip().lower().rpartition("://")[2].removeprefix("www.")
    rest = rest.partition("#")[0].partition("?")[0].rstrip("/").removesuffix(".git")
    return tuple(part for part in rest.split("/") if part)


def are_same(one: str, other: str) -> bool:
    """Tell whether both addresses lead to one repository."""
    return parts(one) == parts(other)


def are_related(one: str, other: str) -> bool:
    """Tell whether both have one owner at one host, or one name: moved, split or joined."""
    left, right = parts(one), parts(other)
    return left[:2] == right[:2] or left[-1:] == right[-1:]
