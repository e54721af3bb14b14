"""Reading HTML pages as installers do, with nothing of the gate's own code."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """A link: its attributes and its text."""

    attributes: dict[str, str | None]
    text: str

    @property
    def href(self) -> str:
        """The address with its fragment."""
        return self.attributes["href"] or ""

    @property
    def url(self) -> str:
        """The address without its fragment."""
        return self.href.partition("#")[0]

    @property
    def fragment(self) -> str:
        """What follows the `#`."""
        return self.href.partition("#")[2]

    @property
    def last(self) -> str:
        """The last component of the path, decoded."""
        return unquote(urlsplit(self.url).path.rpartition("/")[2])


@dataclass(slots=True)
class Html:
    """A page: its text, the `pypi:` metas, the anchors in order, and every tag that was opened."""

    text: str
    metas: dict[str, str] = field(default_factory=dict)
    anchors: list[Anchor] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)

    def anchor(self, filename: str) -> Anchor:
        """Return the one anchor with this text."""
        [found] = [anchor for anchor in self.anchors if anchor.text == filename]
        return found


def read_html(body: bytes) -> Html:
    """Read a page, which must be UTF-8."""
    page = Html(text=body.decode())
    walk = _Walk(page)
    walk.feed(page.text)
    walk.close()
    return page


class _Walk(HTMLParser):
    def __init__(self, page: Html) -> None:
        super().__init__(convert_charrefs=True)
        self._page = page
        self._open: dict[str, str | None] | None = None
        self._text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._page.tags.append(tag)
        said = dict(attrs)
        assert len(said) == len(attrs), f"an attribute comes twice: {attrs}"
        if tag == "a":
            self._open, self._text = said, ""
        elif tag == "meta" and (said.get("name") or "").startswith("pypi:"):
            self._page.metas[said["name"] or ""] = said["content"] or ""

    def handle_data(self, data: str) -> None:
        self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._open is not None:
            self._page.anchors.append(Anchor(attributes=self._open, text=self._text))
            self._open = None
