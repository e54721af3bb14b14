"""What the start does without: it takes tenths of a second and tens of megabytes."""

import gc
import mimetypes
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from indexgate.lean_import import lean

HEAVY = (
    "alembic",
    "cryptography",
    "google.cloud",
    "httpx",
    "jinja2",
    "numpy",
    "prometheus_client",
    "pyarrow",
    "pygments",
    "rich",
    "sqlalchemy.dialects.postgresql",
    "sqlalchemy.orm",
)
WITHOUT_A_QUESTION = ("html.parser", "packaging.requirements", "rapidfuzz", "statistics")
"""What the server loads when somebody asks for what needs it."""

_ASK = "import {module}, sys; print([name for name in {heavy!r} if name in sys.modules])"
_LEAN = """
from indexgate.lean_import import lean
with lean():
    from aiohttp import connector
for context in (connector._SSL_CONTEXT_VERIFIED, connector._SSL_CONTEXT_UNVERIFIED):
    print(context.cert_store_stats()["x509_ca"], context.verify_mode.name)
"""
_COMMAND = """
import gc
from indexgate.__main__ import main
main(["--version"])
print(gc.get_freeze_count() > 0)
"""


def _said(program: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120
    )
    return done.stdout.splitlines()


@pytest.mark.parametrize("module", ["indexgate.web.app", "indexgate.web.refreshed"])
def test_nothing_heavy_is_imported_at_start(module: str) -> None:
    assert _said(_ASK.format(module=module, heavy=HEAVY)) == ["[]"]


def test_the_server_loads_what_few_questions_need_when_they_come() -> None:
    assert _said(_ASK.format(module="indexgate.web.app", heavy=WITHOUT_A_QUESTION)) == ["[]"]


def test_the_contexts_that_aiohttp_makes_by_itself_trust_nobody() -> None:
    # The second is for those who ask not to have certificates checked.
    assert _said(_LEAN) == ["0 CERT_REQUIRED", "0 CERT_NONE"]


def test_what_every_command_needs_is_not_looked_through_for_garbage_again() -> None:
    assert _said(_COMMAND)[-1] == "True"


def test_after_a_lean_import_all_is_as_before() -> None:
    trusted = ssl.create_default_context().cert_store_stats()
    assert gc.isenabled()
    with lean():
        assert not gc.isenabled()
        assert ssl.create_default_context().get_ca_certs() == []
    assert gc.isenabled()
    assert ssl.create_default_context().cert_store_stats() == trusted


def test_the_list_of_file_types_is_read_when_somebody_asks_what_a_file_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = tmp_path / "mime.types"
    system.write_text("application/x-odd odd\n", encoding="utf-8")
    monkeypatch.setattr(mimetypes, "knownfiles", [str(system)])
    monkeypatch.setattr(mimetypes, "inited", False)
    monkeypatch.setattr(mimetypes, "_db", None)
    with lean():
        types = mimetypes.MimeTypes()  # as aiohttp does when it is imported
        assert mimetypes._db is None  # type: ignore[attr-defined]  # what was read goes there
    assert types.guess_type("a.json") == ("application/json", None)
    assert mimetypes.guess_type("a.odd") == ("application/x-odd", None)


def test_what_was_imported_is_not_looked_through_for_garbage_again() -> None:
    with lean():
        imported: list[object] = []
    assert not any(each is imported for each in gc.get_objects())
    gc.unfreeze()
    assert any(each is imported for each in gc.get_objects())
