"""What reading a day of a whole index takes: run `python -m tests.bench.bigquery_day`.

A stand-in of BigQuery in a process of its own makes up the day; another process reads it through
the real client and rolls it up, and says how long that took and how much memory it needed at most.
"""

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime

from indexgate.sources.day_log import Batch

DAY = date(2026, 11, 18)
NOW = datetime(2026, 11, 22, tzinfo=UTC)


def made_up(rows: int, projects: int) -> str:
    """Return a SELECT of *rows* downloads that no two go into one group, of *projects*."""
    return f"""
      SELECT
        TIMESTAMPTZ '{DAY} 12:00:00+00' AS timestamp,
        (['US', 'DE', 'IN', 'CN', 'GB', 'FR', 'JP'])[1 + i % 7] AS country_code,
        '/packages/' || i AS url,
        'project-' || format('{{:07d}}', i % {projects}) AS project,
        {{'filename': 'p-' || i, 'project': '', 'version': '1.' || (i // {projects}),
          'type': if(i % 5 = 0, 'sdist', 'bdist_wheel')}} AS file,
        if(i % 50 = 0, NULL, {{
          'installer': {{'name': (['pip', 'uv', 'poetry', 'bandersnatch'])[1 + i % 4],
            'version': (20 + i % 6) || '.1', 'subcommand': NULL}},
          'python': '3.' || (9 + i % 6) || '.1',
          'implementation': {{'name': 'CPython', 'version': '3.12.1'}},
          'distro': {{'name': (['Ubuntu', 'Debian GNU/Linux', 'macOS'])[1 + i % 3],
            'version': '1', 'id': NULL, 'libc': NULL}},
          'system': {{'name': if(i % 3 = 2, 'Darwin', 'Linux'), 'release': '6.8.0-azure'}},
          'cpu': 'x86_64', 'openssl_version': NULL, 'setuptools_version': NULL,
          'rustc_version': NULL, 'ci': if(i % 3 = 0, true, NULL)}}) AS details,
        'TLSv1.3' AS tls_protocol, 'AES' AS tls_cipher
      FROM range({rows}) AS made(i)"""


def serve(rows: int, projects: int) -> None:
    """Serve the day until the standard input ends."""
    from tests.standins.bigquery import BigQueryService

    with BigQueryService() as service:
        service.downloads.block_rows = 1000
        service.downloads.fill(made_up(rows, projects))
        print(service.url, flush=True)
        sys.stdin.read()
        print(service.billed, flush=True)


def read(url: str, page: int) -> None:
    """Read the day, roll it up and say what it took."""
    from google.auth.credentials import AnonymousCredentials

    from indexgate.sources.bigquery import BigQueryLog
    from indexgate.sources.spending import Budget, month_of
    from indexgate_policy.downloads.roll_up import roll_up
    from tests.proxy.sources.ledger import MemoryLedger

    ledger = MemoryLedger()
    log = BigQueryLog(
        project="bench",
        budget=Budget(ledger, source="bigquery", monthly=10**12),
        endpoint=url,
        credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]
        page=page,
    )
    came = 0

    def batches() -> Iterator[Batch]:
        nonlocal came
        for batch in log.rows(DAY, None, NOW):
            came += len(batch["n"])
            yield batch

    began = time.perf_counter()
    projects = downloads = 0
    for counts in roll_up(batches(), lambda _project, _version: None, sorted_by_project=True):
        projects += 1
        downloads += counts.n
    took = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    log.close()
    print(
        f"{came:,} rows of {projects:,} projects ({downloads:,} downloads) in {took:.1f} s, "
        f"{came / took:,.0f} rows a second; at most {peak:.0f} MB; "
        f"ledger {ledger.spent('bigquery', month_of(NOW)):,} bytes"
    )


def main() -> None:
    """Start both processes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=900_000)
    parser.add_argument("--projects", type=int, default=600_000)
    parser.add_argument("--page", type=int, default=4_000)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--read", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        serve(asked.rows, asked.projects)
    elif asked.read:
        read(asked.read, asked.page)
    else:
        again = [sys.executable, "-m", "tests.bench.bigquery_day", f"--rows={asked.rows}"]
        again += [f"--projects={asked.projects}", f"--page={asked.page}"]
        with subprocess.Popen(
            [*again, "--serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as server:
            assert server.stdout is not None
            assert server.stdin is not None
            url = server.stdout.readline().strip()
            subprocess.run([*again, "--read", url], check=True)
            server.stdin.close()
            print(f"billed {int(server.stdout.readline()):,} bytes")


if __name__ == "__main__":
    main()
