"""`python -m indexgate` and the `indexgate` command."""

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    from indexgate.lean_import import lean  # importing this module stays free

    with lean():
        from indexgate.cli.main import run

    return run(arguments)


if __name__ == "__main__":
    sys.exit(main())
