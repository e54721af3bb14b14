"""Every requirement on an index that stands between installers and another index, by id.

The sources are PEPs by number, RFCs, or the name of the client whose behaviour asks for it. How
each one stands here is said beside it; all that is held has tests, see `test_requirements.py`, and
the page `docs/reference/standards.md` is made from this table.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import pytest

Standing: TypeAlias = Literal["held", "held differently", "not offered", "no case here"]

holds = pytest.mark.requirement
"""Marks a test with the ids of what it holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One requirement: what is asked, who asks, how it stands, and what is to be said to that."""

    id: str
    text: str
    source: str
    standing: Standing = "held"
    note: str = ""

    @property
    def tested(self) -> bool:
        """Whether a test must hold it."""
        return self.standing in {"held", "held differently", "not offered"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A group of requirements."""

    title: str
    requirements: tuple[Requirement, ...]


def _held(id_: str, source: str, text: str, note: str = "") -> Requirement:
    return Requirement(id=id_, source=source, text=text, note=note)


def _differently(id_: str, source: str, text: str, note: str) -> Requirement:
    return Requirement(id=id_, source=source, text=text, standing="held differently", note=note)


def _not_offered(id_: str, source: str, text: str, note: str) -> Requirement:
    return Requirement(id=id_, source=source, text=text, standing="not offered", note=note)


def _no_case(id_: str, source: str, text: str, note: str) -> Requirement:
    return Requirement(id=id_, source=source, text=text, standing="no case here", note=note)


SECTIONS = (
    Section(
        title="Addresses and redirects",
        requirements=(
            _held(
                "A1", "503", "The base address and `/<normalised name>/` answer, and end in a slash"
            ),
            _held(
                "A2",
                "503",
                "Without the slash a client is led to the address that has it, at the base too",
            ),
            _held(
                "A3",
                "RFC 9110",
                "A redirect is relative; a stranger's `Host` or `X-Forwarded-*` never comes back",
            ),
            _held(
                "A4",
                "503",
                "Another spelling of a name leads to the normalised one, and is never a fault",
            ),
            _held("A5", "691", "A redirect keeps the query"),
            _held(
                "A6",
                "practice",
                "An unknown project is 404 in every form, with the slash and without",
            ),
            _held("A7", "RFC 9110", "HEAD says what GET says, without a body"),
            _held("A8", "RFC 9110", "Any other method is 405 with `Allow`"),
            _held(
                "A9", "names", "What is no project name is a 4xx, whatever characters stand in it"
            ),
            _held("A10", "practice", "Unknown queries change nothing; `%2D` is a dash"),
            _held(
                "A11",
                "752",
                "An index without namespaces answers nothing at `/namespaces` and `/namespace/...`",
            ),
            _no_case(
                "A12",
                "691",
                "Each form may have an address of its own",
                "Forms are negotiated, which every client does",
            ),
        ),
    ),
    Section(
        title="Which form is answered",
        requirements=(
            _held("B13", "691", "Every page has a Content-Type, one of the three of the API"),
            _held(
                "B14",
                "691",
                "JSON, versioned HTML and plain HTML are each given to whoever asks for them",
            ),
            _held(
                "B15", "691", "`latest` is answered with the type of version 1, never with `latest`"
            ),
            _held("B16", "691", "No Accept header is taken as anything at all, and gets HTML"),
            _held("B17", "pip, uv, Poetry", "The Accept lines of pip, uv and Poetry get JSON"),
            _held(
                "B18",
                "RFC 9110",
                "Weights rank, order does not, the more specific range wins, 0 excludes",
            ),
            _held(
                "B19",
                "RFC 9110",
                "Letters of either case, blanks, empty items and several Accept lines are read",
            ),
            _held("B20", "691", "Version 2 beside version 1 gets version 1"),
            _held("B21", "691", "Nothing acceptable is 406 or a default, never 300"),
            _held("B22", "691", "... and 406 is what is recommended"),
            _held("B23", "RFC 9110", "A malformed Accept or `?format=` is no fault of the server"),
            _held(
                "B24",
                "691",
                "`?format=` names one type and wins over Accept; its `+` may come as a blank",
            ),
            _held("B25", "RFC 9110", "`Vary` names Accept on every page and on 304"),
            _held("B26", "691", "The project list is negotiated alike"),
            _held(
                "B27",
                "RFC 9110",
                "`identity` and `gzip;q=0` are respected, `Vary` names Accept-Encoding, large "
                "pages are packed",
            ),
        ),
    ),
    Section(
        title="HTML",
        requirements=(
            _held("C28", "503", "HTML5 with a doctype, in UTF-8"),
            _held("C29", "629, 833", "The repository version is said, and is never above 1.4"),
            _held(
                "C30",
                "503",
                "One anchor a file; its text and the last part of its address are the file's name",
            ),
            _held("C31", "503", "The address ends in `#sha256=...`"),
            _held("C32", "uv", "A hash that clients do not know is no fragment"),
            _held("C33", "503", "`data-requires-python` with `<` and `>` as entities"),
            _held(
                "C34",
                "592",
                "`data-yanked` has the reason whole, is empty without one, absent when not yanked",
            ),
            _held("C35", "714", "`data-core-metadata` is the hash or `true`"),
            _held("C36", "pip, Poetry", "... and is left out where there is none"),
            _held("C37", "714", "`data-dist-info-metadata` equals it"),
            _held("C38", "503", "`data-gpg-sig` stands at every file or at none"),
            _held("C39", "740", "`data-provenance` is a whole address"),
            _held("C40", "792", "The project's status and its reason are said, escaped"),
            _held(
                "C41",
                "practice",
                "No `<base>`; what upstream's `<base>` and valueless attributes mean is kept",
            ),
            _differently(
                "C42",
                "uv",
                "`data-upload-time` and `data-size`, if written, are exact",
                "They are no standard and are not written; those of upstream reach the JSON form",
            ),
            _held("C43", "833", "The layout is plain and stays as it is"),
        ),
    ),
    Section(
        title="JSON",
        requirements=(
            _held(
                "D44",
                "691",
                "An object with `meta`, `name` and `files`; the version is Major.Minor",
            ),
            _held("D45", "691", "`name` is the normalised name"),
            _held("D46", "691", "Each file has `filename`, `url` and `hashes`"),
            _held(
                "D47",
                "700",
                "From 1.1 there are `versions` and every `size`; without them the page says 1.0",
            ),
            _held("D48", "691, 700, 740", "Every value has its type"),
            _held("D49", "uv", "null stands only where it may"),
            _held(
                "D50", "691, 700", "Unknown and private members are no obstacle, and are passed on"
            ),
            _held("D51", "629", "A page that says no version is 1.0"),
            _held("D52", "629", "Another major version is refused"),
            _held(
                "D53",
                "629",
                "A newer minor version is read on, and told in the log; none above what is "
                "understood is claimed",
            ),
            _held(
                "D54",
                "700, 740, 752, 792",
                "No member is newer than the version that the page says",
                "Only what 1.1 brought stays where some sizes are missing: clients read it by "
                "itself",
            ),
            _held("D55", "practice", "No file comes twice, no member comes twice"),
        ),
    ),
    Section(
        title="The project list",
        requirements=(
            _held("E56", "691", "`projects[].name` and the API version"),
            _held("E57", "503", "One entry a project; anchors lead to the project pages"),
            _held(
                "E58", "practice", "Both forms list the same projects; a refused one stays in both"
            ),
            _held("E59", "practice", "It is fetched once for all, and never for a project page"),
            _held("E60", "Poetry", "Links are `name/`"),
        ),
    ),
    Section(
        title="Files",
        requirements=(
            _held("F61", "691", "An address leads to exactly the bytes that are listed"),
            _held(
                "F62",
                "691, HTML",
                "Relative addresses of upstream, of any style, and those seen from a `<base>` "
                "or from behind a redirect, lead to the file",
            ),
            _held("F63", "503", "Names with `+`, `!` and build tags, and old kinds of archives"),
            _held("F64", "658", "No query in a file's address"),
            _held(
                "F65",
                "RFC 9110",
                "HEAD with the length, ranges with suffix, 416, `If-Range`, resumed downloads",
            ),
            _held("F66", "pip", "No content coding on archives"),
            _held("F67", "practice", "Pages of tens of thousands of files work in both forms"),
            _held(
                "F68",
                "practice",
                "An unknown file is 404; no project's address gives another project's file",
            ),
            _held(
                "F69", "pip", "No other name in Content-Disposition, never HTML, the right length"
            ),
            _held("F70", "825", "Wheel variants and their lists stay listed"),
            _held("F71", "751", "File addresses are the gate's, stable and without tokens"),
        ),
    ),
    Section(
        title="Metadata beside files",
        requirements=(
            _held("G72", "658", "Where metadata is announced, `<file>.metadata` answers 200"),
            _held("G73", "658, pip", "It is byte for byte upstream's"),
            _held("G74", "pip, uv", "Metadata that would be refused is not announced"),
            _held("G75", "658", "Its hash is kept"),
            _held(
                "G76",
                "714",
                "The member is `core-metadata`, and no older name stands beside it in JSON",
            ),
            _held(
                "G77",
                "714",
                "`core-metadata` is read before its older names, also when it is false",
            ),
            _held(
                "G78",
                "658",
                "`true` stays true; source archives may have metadata; none announced is 404",
            ),
            _held("G79", "practice", "A refused file's metadata and signature are refused too"),
        ),
    ),
    Section(
        title="Yanked",
        requirements=(
            _held("H80", "592", "A yanked file is never shown without its mark and its reason"),
            _held(
                "H81", "691", "`true` has no reason, the reason `false` is one, marks are per file"
            ),
            _held("H82", "592", "What is no longer yanked is soon shown so"),
            _held("H83", "592", "An attribute without a value is a mark; entities are read once"),
        ),
    ),
    Section(
        title="Hashes",
        requirements=(
            _held("I84", "691", "Names in lower case; sha256 is kept wherever upstream has it"),
            _held("I85", "691", "None is an empty object; no hash is made up"),
            _held("I86", "practice", "Other kinds are kept in JSON"),
            _held("I87", "uv", "Digests of a length that clients reject are left out"),
            _held(
                "I88",
                "practice",
                "A file is checked before its end is handed out, and before it is kept",
            ),
        ),
    ),
    Section(
        title="Sizes, times, versions",
        requirements=(
            _held("J89", "700", "Sizes are exact"),
            _held(
                "J90",
                "700",
                "An upload time is in the one format, or left out; it is never made up",
            ),
            _held("J91", "751", "... and is kept to the microsecond"),
            _held(
                "J92",
                "pip, uv",
                "A file without upload time is listed without it, not with another's",
            ),
            _held("J93", "700", "No version comes twice, and every file's version is there"),
            _held("J94", "700", "Versions without files and versions that are not PEP 440 stay"),
            _held("J95", "691", "`requires-python` is passed on as it is, right or wrong"),
        ),
    ),
    Section(
        title="Status",
        requirements=(
            _held(
                "K96",
                "792",
                "A quarantined project offers no file, even where upstream still lists one",
            ),
            _held("K97", "792", "Status and reason are passed on"),
            _held(
                "K98",
                "792",
                "Archived, deprecated and active projects offer their files; no status is active",
            ),
            _held("K99", "792", "It is the object `project-status` with `status`"),
            _held("K100", "uv", "An unknown status stays as it is"),
            _held("K101", "792", "The policy's refusal is never called a quarantine"),
            _held(
                "K102",
                "practice",
                "A release that left every page is no longer handed out, and may come back",
            ),
        ),
    ),
    Section(
        title="Names that could be somebody else's",
        requirements=(
            _held(
                "L103",
                "708",
                "`tracks` and `alternate-locations` pass unchanged and mean nothing here",
            ),
            _held("L104", "752", "`namespaces` passes as it is with 1.5, and is never added"),
            _no_case(
                "L105",
                "752",
                "Trust in a namespace does not carry over",
                "No decision rests on a namespace",
            ),
            _held("L106", "708", "Files of two upstreams are never merged"),
            _held("L107", "pip, uv", "A refusal does not send clients to their next index"),
        ),
    ),
    Section(
        title="Provenance and signatures",
        requirements=(
            _held(
                "M108",
                "740",
                "Upstream's provenance address passes unchanged; one that is not whole is left out",
            ),
            _held("M109", "740", "Without provenance it is null or absent, and below 1.3 absent"),
            _no_case(
                "M110",
                "740",
                "A provenance document, if relayed, is unmodified",
                "Clients fetch it from the address that the page gives",
            ),
            _no_case(
                "M111",
                "740",
                "A verifier compares names by parsing",
                "The gate verifies no attestation; it passes files unmodified",
            ),
            _held("M112", "503", "Where a signature is announced, `<file>.asc` answers"),
        ),
    ),
    Section(
        title="Caching",
        requirements=(
            _held("N113", "RFC 9110", "Pages have an ETag, and 304 answers it"),
            _held("N114", "RFC 9110", "304 repeats ETag, Vary and Cache-Control"),
            _held(
                "N115",
                "RFC 9110",
                "Every form and coding has its own ETag; lists, `W/` and `*` are compared",
            ),
            _held("N116", "RFC 9110", "The ETag is the gate's own and changes with the policy"),
            _held(
                "N117", "pip, uv", "Cache-Control is `no-cache`, so that a block is seen at once"
            ),
            _differently(
                "N118",
                "RFC 9111",
                "A client's `no-cache` asks upstream again",
                "At most once a second; `max-age=0` is not taken for it, as older pip says it "
                "always",
            ),
            _held("N119", "PyPI", "`X-PyPI-Last-Serial` passes through"),
            _held(
                "N120",
                "practice",
                "Files are `no-cache` with an ETag, and 304 only after they were judged",
            ),
            _held("N121", "RFC 9110", "`Date`; no cookies; any origin may read pages"),
            _held("N122", "practice", "404 and refusals are not stored"),
            _held(
                "N123",
                "RFC 5861",
                "With upstream down the last good page is served, marked, and judged",
            ),
        ),
    ),
    Section(
        title="Failures",
        requirements=(
            _differently(
                "O124",
                "RFC 9110",
                "Upstream's faults are never 404, nor an empty page, nor a bare 500",
                "502, 503 or 504; uv, Poetry and PDM get 424, whose reason they print, and pip "
                "an explaining Content-Type, the only text it prints",
            ),
            _held(
                "O125",
                "practice",
                "Upstream's 401 and 403 do not mean that there is no such project",
            ),
            _held("O126", "RFC 9110", "410 is 404; 429 and 503 keep Retry-After"),
            _held("O127", "pip, uv", "A refusal is a status that nobody tries again"),
            _held(
                "O128",
                "RFC 9457, uv",
                "Errors are `application/problem+json` without parameter, with title and detail",
            ),
            _held("O129", "pip", "The reason phrase has the reason"),
            _held(
                "O130", "RFC 9112", "A body that breaks off is never passed on as whole, nor kept"
            ),
            _held(
                "O131",
                "practice",
                "Error bodies are small, without traceback, and do not repeat the request",
            ),
        ),
    ),
    Section(
        title="Credentials",
        requirements=(
            _held(
                "P132",
                "practice",
                "A client's authorization, cookies and address never reach upstream",
            ),
            _held("P133", "pip, uv", "A user name in the index address does no harm"),
            _no_case(
                "P134",
                "RFC 9110",
                "With a login required: 401 with WWW-Authenticate",
                "The gate asks nobody to log in",
            ),
            _held(
                "P135",
                "practice",
                "Upstream's credentials stand on no page and go to no other host",
            ),
        ),
    ),
    Section(
        title="Hostile input",
        requirements=(
            _held(
                "Q136", "practice", "`nosniff` on every answer, a Content-Security-Policy on HTML"
            ),
            _held("Q137", "practice", "All text of upstream is escaped in HTML"),
            _held(
                "Q138",
                "practice",
                "Only http and https addresses, no path in a file's name; its neighbours stay",
            ),
            _held("Q139", "RFC 9112", "Nobody's line break gets into a header"),
            _held(
                "Q140",
                "practice",
                "No traversal, no open proxy: only what a page of the index lists is fetched",
            ),
            _held("Q141", "practice", "Size, unpacked size, depth, redirects and time are bounded"),
            _held("Q142", "practice", "A file of another project is left out"),
        ),
    ),
    Section(
        title="As a client of upstream",
        requirements=(
            _held("T143", "503", "It asks for the normalised name with its slash"),
            _held(
                "T144",
                "691",
                "It asks for JSON first, takes HTML, and looks at the type of the answer",
            ),
            _held(
                "T145",
                "PyPI",
                "It says who it is, asks conditionally, and once for both forms and for a herd",
            ),
            _held(
                "T146",
                "practice",
                "Directory listings, upper-case tags, blanks and parent links are read",
            ),
            _held("T147", "practice", "It reads gzip, and relays no hop-by-hop header"),
        ),
    ),
    Section(
        title="Beside the simple index",
        requirements=(
            _held(
                "S148",
                "PyPI",
                "`/pypi/<name>/json` and `/pypi/<name>/<version>/json` are filtered like the page",
                "`releases`, `urls`, and `info` of the version that is offered as the latest",
            ),
            _not_offered("S149", "PyPI", "`/integrity/...` is not given for refused files", "404"),
            _not_offered("S150", "PyPI", "Feeds and statistics would show what is filtered", "404"),
            _not_offered("S151", "PyPI", "XML-RPC is not relayed", "404 or 405"),
            _not_offered("S152", "694", "An upload is refused clearly", "405"),
            _held(
                "S153", "691", "Both forms agree file by file, and an independent client reads them"
            ),
        ),
    ),
    Section(
        title="What a policy must keep together",
        requirements=(
            _held(
                "R154",
                "practice",
                "One decision a file: both forms, every spelling, the file, its metadata, HEAD,"
                " ranges, conditions",
            ),
            _held("R155", "700", "`hide`: `versions` follows the files that are left"),
            _held(
                "R156",
                "practice",
                "`hide`: a refused file answers 403, a refused project 451 with the reason",
            ),
            _held(
                "R157",
                "practice",
                "`explain`: refused files stay listed, marked with our reason and then upstream's",
            ),
            _held(
                "R158",
                "practice",
                "`explain`: a refused file leads to a 403 whose reason phrase says why",
            ),
            _held(
                "R159",
                "practice",
                "`explain`: a refused project answers 200, and only uv is told by marks",
            ),
            _held("R160", "practice", "What passes is listed as without a policy"),
            _held("R161", "practice", "A file that is listed unmarked is served"),
        ),
    ),
)

REQUIREMENTS = {one.id: one for section in SECTIONS for one in section.requirements}
