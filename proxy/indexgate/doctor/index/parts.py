"""The parts of the standards that an index is examined for, and what clients lose without each."""

from collections.abc import Sequence

from msgspec import Struct

from indexgate.doctor.finding import Severity


class Part(Struct, frozen=True, kw_only=True):
    """A part of the standards: `source` says where it is written, `loses` what is lost without.

    `severity` is that of its lack: `error` where clients fail, `warning` where they are slower or
    know less, `note` where few do anything with it.
    """

    id: str
    title: str
    source: str
    severity: Severity
    loses: str


def _part(name: str, title: str, source: str, severity: Severity, *, loses: str) -> Part:
    return Part(id=name, title=title, source=source, severity=severity, loses=loses)


PARTS: Sequence[Part] = (
    _part("json", "pages as JSON", "PEP 691", "warning",
          loses="sizes, upload times and status; clients parse HTML"),
    _part("html", "pages as HTML", "PEP 503", "warning",
          loses="pip before 22.2 and people with a browser read nothing"),
    _part("same-files", "both forms list the same files", "PEP 691", "error",
          loses="one client finds what another does not"),
    _part("api-version", "version of the API", "PEP 629", "note",
          loses="clients cannot tell what may be on a page"),
    _part("vary", "`Vary: Accept`", "RFC 9110", "error",
          loses="a cache between gives HTML to those who read JSON, or the reverse"),
    _part("hashes", "sha256 of files", "PEP 503, 691", "error",
          loses="locks without hashes; nobody notices a changed file"),
    _part("requires-python", "`requires-python` of files", "PEP 503", "note",
          loses="installers try versions that do not run here"),
    _part("versions", "`versions` of a project", "PEP 700", "note",
          loses="clients guess versions from file names"),
    _part("size", "sizes of files", "PEP 700", "note",
          loses="no progress before a download; uv.lock without sizes"),
    _part("upload-time", "upload times of files", "PEP 700", "warning",
          loses="uv's `exclude-newer` and pip's `--uploaded-prior-to` refuse all; the gate's"
                " rules on the age of a release know nothing"),
    _part("metadata", "metadata beside wheels", "PEP 658, 714", "warning",
          loses="installers fetch whole wheels to learn what they need"),
    _part("metadata-file", "that metadata can be fetched", "PEP 658", "error",
          loses="pip and uv stop where a page lists what is not there"),
    _part("provenance", "provenance of files", "PEP 740", "note",
          loses="nobody can check who built a file"),
    _part("status", "status of the project", "PEP 792", "note",
          loses="archived and quarantined projects look like any other"),
    _part("tracks", "other places of the project", "PEP 708", "note",
          loses="clients cannot tell that two indexes mean the same project"),
    _part("namespace", "namespaces of names", "PEP 752", "note",
          loses="nobody can tell that a name belongs to an organisation"),
    _part("etag", "`ETag` of pages", "RFC 9110", "warning",
          loses="every question is answered in full"),
    _part("unchanged", "304 for a page that is known", "RFC 9110", "warning",
          loses="every question is answered in full"),
    _part("gzip", "packed pages", "RFC 9110", "warning",
          loses="pages are several times as long on the way"),
    _part("cache-control", "how long a page is fresh", "RFC 9111", "note",
          loses="clients guess: uv takes a page for ten minutes"),
    _part("serial", "`X-PyPI-Last-Serial`", "PyPI", "note",
          loses="mirrors cannot tell what has changed"),
    _part("head", "HEAD on pages", "RFC 9110", "note",
          loses="probes must fetch the page"),
    _part("slash", "the address without a slash", "PEP 503", "warning",
          loses="people and old tools who leave it out find nothing"),
    _part("normalised", "other spellings of a name", "PEP 503", "warning",
          loses="whoever asks for `Foo_Bar` as it is written finds nothing"),
    _part("not-found", "404 for a project that is not there", "PEP 503", "error",
          loses="clients stop, where they should look at the next index"),
    _part("list", "list of projects", "PEP 503, 691", "note",
          loses="search, mirrors and checks of names have nothing to go by"),
    _part("file-head", "HEAD on files", "RFC 9110", "warning",
          loses="uv and pip cannot look into a wheel without metadata"),
    _part("ranges", "parts of files", "RFC 9110", "warning",
          loses="without metadata, whole wheels are fetched to look into them"),
    _part("encrypted", "https", "RFC 9110", "warning",
          loses="pip wants `--trusted-host`; anybody between can change what comes"),
)  # fmt: skip
"""Every part, in the order of the report."""
