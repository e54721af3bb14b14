"""A loopback stand-in of an index's feed of new releases."""

from tests.standins.documents import Documents

PATH = "/rss/updates.xml"


def feed(*releases: tuple[str, str, str]) -> bytes:
    """Return a feed of (project, version, time as RFC 5322 writes it)."""
    items = "".join(
        f"""
    <item>
      <title>{project} {version}</title>
      <link>https://index.example.test/project/{project}/{version}/</link>
      <description>A sample</description>
      <author>author@example.test</author>
      <pubDate>{at}</pubDate>
    </item>"""
        for project, version, at in releases
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0">
  <channel>
    <title>Recent updates</title>
    <link>https://index.example.test/</link>{items}
  </channel>
</rss>
""".encode()


class ReleaseFeedService(Documents):
    """An index with a feed only; its simple index would be at `url`."""

    def __init__(self, *releases: tuple[str, str, str]) -> None:
        super().__init__()
        self.files[PATH] = feed(*releases)

    @property
    def url(self) -> str:
        """The address of the simple index."""
        return f"{self.origin}/simple/"
