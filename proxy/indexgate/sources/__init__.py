"""One foreign service a file, each giving facts about projects."""

import sys

# httpx brings a command of its own and, with that, what colours its output: megabytes that nobody
# here asks for. Without the command it is whole.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
