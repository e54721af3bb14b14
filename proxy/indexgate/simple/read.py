"""Reading what an upstream index sends: project pages and the project list, JSON or HTML."""

from packaging.utils import NormalizedName

from indexgate.simple import read_json
from indexgate.simple.accept import Form
from indexgate.simple.model import ProjectList, ProjectPage, Unreadable

__all__ = ["Unreadable", "page", "project_list"]

_PREFIX = "application/vnd.pypi.simple.v"


def page(
    body: bytes, *, content_type: str, url: str, project: NormalizedName, known: bool = False
) -> ProjectPage:
    """Read the page of *project*; *url* is its final address, to which relative ones resolve.

    Files with unusable names or addresses, of other projects, and second files of one name are
    left out and counted in `dropped`. A page is *known* of which these very bytes were read before
    and gave `OrdinaryFiles`: they are not looked through again. Raises Unreadable.
    """
    form, charset = _form(content_type)
    if form is Form.JSON:
        return read_json.read_page(body, url=url, project=project, known=known)
    from indexgate.simple import read_html  # a JSON index is read without the parser

    text = read_html.decode(body, charset)
    return read_html.read_page(text, declared=form is Form.HTML_V1, url=url, project=project)


def project_list(body: bytes, *, content_type: str, url: str) -> ProjectList:
    """Read the list of all projects. Raises Unreadable."""
    form, charset = _form(content_type)
    if form is Form.JSON:
        return read_json.read_list(body)
    from indexgate.simple import read_html

    text = read_html.decode(body, charset)
    return read_html.read_list(text, declared=form is Form.HTML_V1, url=url)


def _form(content_type: str) -> tuple[Form, str]:
    """Return the form that *content_type* names, and its charset or ""."""
    media, *parameters = (part.strip() for part in content_type.split(";"))
    media = media.lower()
    charset = ""
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip().lower() == "charset":
            charset = value.strip().strip("\"'")
    try:
        return Form(media), charset
    except ValueError:
        pass
    major = media.removeprefix(_PREFIX).partition("+")[0]
    if media.startswith(_PREFIX) and major.isascii() and major.isdigit():
        raise Unreadable("version", f"speaks API version {major[:9]}, not 1")
    shown = "".join(c for c in media[:60] if c.isascii() and c.isprintable() and c != "`")
    said = f"sent the content type `{shown}`" if shown else "sent no content type"
    raise Unreadable("garbage", f"{said}, which no simple index uses")
