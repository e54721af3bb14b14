"""What `indexgate exempt grandfather` makes of lock files."""

from collections.abc import Sequence
from pathlib import Path
from secrets import token_hex

from msgspec import Struct
from packaging.version import InvalidVersion, Version

from indexgate import exempting
from indexgate.cli.exempt_book import Book
from indexgate.errors import GateError
from indexgate.locks.read import read_lock
from indexgate.locks.text import LARGEST
from indexgate.store.exemption_requests import Wish
from indexgate_policy.rules import granted


class Made(Struct, frozen=True, kw_only=True):
    """A `[[grandfather]]`: its id, its table, and the wish that goes into the book."""

    id: str
    table: dict[str, object]
    wish: Wish
    said: str

    @property
    def text(self) -> str:
        """The table as TOML."""
        return granted.table_text("grandfather", self.table)


def made(book: Book, locks: Sequence[str], rules: Sequence[str], reason: str, span: str) -> Made:
    """Return what spares all that *locks* pin from *rules*. Raises GateError."""
    packages = sorted({package for lock in locks for package in _packages(lock)})
    if not packages:
        raise GateError("exempt-empty", "the lock files pin nothing that an index is asked for")
    chosen = tuple(exempting.waivable(rule, book.written) for rule in rules)
    chosen = chosen or exempting.besides_malware(book.written)
    if not chosen:
        raise GateError("exempt-rule", f"the policy `{book.written.source}` refuses nothing")
    id_ = f"g-{token_hex(4)}"
    wish = Wish(
        author=book.by,
        project=f"{len(packages)} packages of {', '.join(Path(lock).name for lock in locks)}",
        version="",
        rule=", ".join(chosen),
        reason=reason,
        days=exempting.days(span, book.written),
    )
    today = book.now.date()
    return Made(
        id=id_,
        table=exempting.grandfather(
            packages, chosen, id_=id_, wish=wish, owner=book.by, today=today
        ),
        wish=wish,
        said=f"{wish.project} from {wish.rule}, to the end of {exempting.last_day(wish, today)}",
    )


def grant(book: Book, made: Made) -> None:
    """Put *made* in force. Raises Explained."""
    with book.changed() as tables:
        tables["grandfather"].append(made.table)
    book.store.exemption_requests.note(made.wish, "granted", by=book.by, id_=made.id)


def _packages(path: str) -> list[str]:
    try:
        with Path(path).open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise GateError(
            "lock-unreadable", f"`{path}` cannot be read: {error.strerror or error}"
        ) from error
    pinned = read_lock(content, path).pinned
    return [f"{each.name}=={each.version}" for each in pinned if _is_version(each.version)]


def _is_version(text: str) -> bool:
    try:
        Version(text)
    except InvalidVersion:
        return False
    return True
