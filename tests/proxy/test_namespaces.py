"""Which names belong to one index alone."""

import pytest
from packaging.utils import NormalizedName

from indexgate.namespaces import Namespaces

NAMES = Namespaces((("acme-core-*", "core"), ("acme-*", "acme"), ("tools", "acme")))


@pytest.mark.parametrize(
    ("name", "home"),
    [
        ("acme-lib", ("acme-*", "acme")),
        ("acme-core-x", ("acme-core-*", "core")),
        ("tools", ("tools", "acme")),
        ("tools2", None),
        ("acme", None),
        ("my-acme-lib", None),
    ],
)
def test_a_name_belongs_to_the_first_index_that_has_a_pattern_for_it(
    name: str, home: tuple[str, str] | None
) -> None:
    assert NAMES.home(NormalizedName(name)) == home
    for index in ("core", "acme", "pypi"):
        elsewhere = NAMES.elsewhere(index)(NormalizedName(name))
        assert elsewhere == (home is not None and home[1] != index)
