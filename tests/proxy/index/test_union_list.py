"""The union of project lists: the first of a name, from the index that it belongs to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import NormalizedName, canonicalize_name

from indexgate.index.protocol import UpstreamFailed
from indexgate.index.union_list import ListPart, UnionList
from indexgate.simple import read, write
from indexgate.simple.accept import Form
from indexgate.simple.model import ProjectList


class Lists:
    """An index that has a list, or says why not."""

    def __init__(self, *names: str, body: bytes | None = None, html: bool = False) -> None:
        listed = ProjectList(names=names)
        self._body = body or (write.list_html(listed) if html else write.list_json(listed))
        self._type = Form.HTML.value if html else Form.JSON.value

    async def project_list(self, accept: str) -> tuple[bytes, str, str]:
        if self._body == b"down":
            raise UpstreamFailed("status", "answered with status 500", status=500)
        return self._body, self._type, "http://127.0.0.1/simple/"


def part(name: str, source: Lists, *, elsewhere: str = "") -> ListPart:
    def is_elsewhere(project: NormalizedName) -> bool:
        return bool(elsewhere) and project.startswith(elsewhere)

    return ListPart(name=name, source=source, elsewhere=is_elsewhere)


async def names(*parts: ListPart) -> list[str]:
    body, content_type, url = await UnionList(parts).project_list("*/*")
    return list(read.project_list(body, content_type=content_type, url=url).names)


async def test_a_name_stands_where_it_was_first_as_it_was_written_there() -> None:
    both = part("a", Lists("Foo.Bar", "x"), elsewhere=""), part("b", Lists("foo-bar", "y"))
    assert await names(*both) == ["Foo.Bar", "x", "y"]


async def test_a_name_that_belongs_elsewhere_is_left_out_whatever_the_form() -> None:
    theirs = part("b", Lists("acme-lib", "y", html=True), elsewhere="acme-")
    assert await names(part("a", Lists("acme-own")), theirs) == ["acme-own", "y"]


@pytest.mark.parametrize("body", [b"down", b"{", b"[]"])
async def test_one_list_that_cannot_be_had_fails_the_whole_by_name(body: bytes) -> None:
    with pytest.raises(UpstreamFailed, match=r"^`b` "):
        await names(part("a", Lists("x")), part("b", Lists(body=body)))


_NAMES = st.lists(st.from_regex(r"[a-c][-_.]?[A-C]", fullmatch=True), max_size=6)


@given(lists=st.lists(_NAMES, min_size=1, max_size=3))
async def test_every_project_is_there_once(lists: list[list[str]]) -> None:
    union = await names(*(part(str(at), Lists(*each)) for at, each in enumerate(lists)))
    wanted = {canonicalize_name(name) for each in lists for name in each}
    assert sorted(map(canonicalize_name, union)) == sorted(wanted)
