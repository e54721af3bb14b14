"""Every setting, once: flags, variables, file keys and `docs/reference/settings.md` come from here.

Nothing is read here; `config.load` does that.
"""

from datetime import timedelta

from msgspec import Struct

from indexgate import setting_kinds as kinds
from indexgate.setting_kinds import Kind
from indexgate.source_offers import CHOSEN

OSV_BULK = "https://osv-vulnerabilities.storage.googleapis.com/"


class Setting(Struct, frozen=True, kw_only=True):
    """One setting.

    `default` is text as a user would write it (None: none; `default_shown` says what happens then).
    `many` settings may be given several times, and in a variable with commas. `blank` says what an
    empty value means; without it an empty variable counts as not set, and an empty flag is wrong.
    A `secret` has no flag, as every user of a machine can list command lines; it is never printed.
    """

    name: str
    kind: Kind
    help: str
    default: str | None = None
    default_shown: str = ""
    many: bool = False
    blank: str = ""
    in_file: bool = True
    secret: bool = False

    @property
    def flag(self) -> str:
        """The flag of the command line, such as `--page-ttl`."""
        return f"--{self.name.replace('_', '-')}"

    @property
    def variable(self) -> str:
        """The environment variable, such as `INDEXGATE_PAGE_TTL`."""
        return f"INDEXGATE_{self.name.upper()}"


TABLE: tuple[Setting, ...] = (
    Setting(
        name="config",
        kind=kinds.PATH,
        help="TOML file with settings: one key each, such as `port = 8503`.",
        default_shown="no file",
        in_file=False,
    ),
    Setting(
        name="host",
        kind=kinds.HOST,
        default="127.0.0.1",
        help="Address to listen on. Beyond loopback only pages, files, refusals and health are"
        " served.",
    ),
    Setting(name="port", kind=kinds.PORT, default="8503", help="Port to listen on."),
    Setting(
        name="workers",
        kind=kinds.WORKERS,
        default="1",
        help="Processes that serve, over one state folder and as one gate. More than one is for"
        " Linux and macOS, and helps where one is not enough.",
    ),
    Setting(
        name="event_loop",
        kind=kinds.choice("asyncio", "uvloop"),
        default="asyncio",
        help="What the gate runs on: Python's own event loop, or uvloop (extra `uvloop`), which"
        " answers more requests with the same processor and sends large files more slowly.",
    ),
    Setting(
        name="upstream",
        kind=kinds.ADDRESS,
        help="Simple index to stand in front of. A file can name several instead, as `[[index]]`.",
        default_shown="the one kept in the state folder, pip's `index-url`, PyPI",
    ),
    Setting(
        name="policy",
        kind=kinds.TEXT,
        default="balanced",
        help="Policy: a TOML file, or `observe`, `balanced` or `strict`.",
    ),
    Setting(
        name="state",
        kind=kinds.PATH,
        help="Folder for the store, cached files and the secret.",
        default_shown="the user's state folder",
    ),
    Setting(
        name="presentation",
        kind=kinds.choice("explain", "hide"),
        default="explain",
        help="Keep refused files on the page so that the installer prints the reason, or hide"
        " them.",
    ),
    Setting(
        name="public_url",
        kind=kinds.PUBLIC_ADDRESS,
        help="Address under which clients reach the gate, path prefix included. Links are relative"
        " without it.",
        default_shown="none",
    ),
    Setting(
        name="allow_host",
        kind=kinds.HOST_AND_PORT,
        many=True,
        help="Another host name that clients may use. Others are answered 421.",
        default_shown="loopback names and the host of `public_url`",
    ),
    Setting(
        name="tls_cert",
        kind=kinds.PATH,
        help="Certificate chain (PEM) to serve https with; needs `tls_key`.",
        default_shown="plain http",
    ),
    Setting(
        name="tls_key",
        kind=kinds.PATH,
        help="Private key (PEM) of `tls_cert`.",
        default_shown="plain http",
    ),
    Setting(
        name="offline",
        kind=kinds.SWITCH,
        default="false",
        help="Ask nobody; serve what is stored.",
    ),
    Setting(
        name="prefetch",
        kind=kinds.SWITCH,
        default="true",
        help="Fetch the pages and metadata ahead that pip and uv will ask for next.",
    ),
    Setting(
        name="page_ttl",
        kind=kinds.duration(least=timedelta(0)),
        default="10m",
        help="How long a project page is served before upstream is asked again.",
    ),
    Setting(
        name="max_stale",
        kind=kinds.duration(least=timedelta(0)),
        default="7d",
        help="How old a page may be that stands in while upstream fails.",
    ),
    Setting(
        name="upstream_timeout",
        kind=kinds.UPSTREAM_TIMEOUT,
        default="10s",
        help="How long upstream may take to answer. Installers give up after 15 s.",
    ),
    Setting(
        name="upstream_public",
        kind=kinds.choice("auto", "yes", "no"),
        default="auto",
        help="Whether upstream is the public index, so that public advisories speak of its"
        " projects. `auto`: PyPI's own address only.",
    ),
    Setting(
        name="upstream_ca",
        kind=kinds.PATH,
        help="Certificates (PEM) to trust for upstream.",
        default_shown="pip's `cert`, the system's",
    ),
    Setting(
        name="osv_url",
        kind=kinds.ADDRESS,
        default=OSV_BULK,
        blank="no advisories are fetched",
        help="Where OSV's bulk file of advisories is.",
    ),
    Setting(
        name="sources",
        kind=kinds.names(CHOSEN, "auto", "none"),
        default="auto",
        help="Third parties to ask for facts. `auto`: on loopback in front of the public index"
        " those that need no account, and everywhere those whose key is set; more names may follow"
        " it. `none`: nobody but the upstream and OSV.",
    ),
    Setting(
        name="private_names",
        kind=kinds.PATTERN,
        many=True,
        help="Names that no third party is ever told, whatever index they come from.",
        default_shown="none; names that the public index does not have are never told",
    ),
    Setting(
        name="contact",
        kind=kinds.TEXT,
        help="Mail address or page under which services can reach you about the gate's requests.",
        default_shown="none",
    ),
    Setting(
        name="github_token",
        kind=kinds.KEY,
        secret=True,
        help="Token for GitHub; it needs no rights. With it GitHub is asked; without one only where"
        " `sources` names it, and then about a few repositories an hour.",
        default_shown="none",
    ),
    Setting(
        name="pepy_key",
        kind=kinds.KEY,
        secret=True,
        help="Key for pepy. With it pepy is asked.",
        default_shown="none",
    ),
    Setting(
        name="libraries_io_key",
        kind=kinds.KEY,
        secret=True,
        help="Key for libraries.io. With it libraries.io is asked.",
        default_shown="none",
    ),
    Setting(
        name="bigquery_project",
        kind=kinds.KEY,
        help="Google Cloud project that pays for reading the public download log. With it one day"
        " of the log is read a day.",
        default_shown="none",
    ),
    Setting(
        name="bigquery_budget",
        kind=kinds.MONTHLY,
        default="1 TiB",
        help="Most that BigQuery may bill in a month. The first TiB of a project is free.",
    ),
    Setting(
        name="snapshot_key",
        kind=kinds.KEY,
        many=True,
        help="Public key of those whose snapshots are taken in, such as `ed25519:...`.",
        default_shown="none: no snapshot is taken in",
    ),
    Setting(
        name="cache_size",
        kind=kinds.SIZE,
        default="5GB",
        help="Most bytes of cached files on disk.",
    ),
    Setting(
        name="page_memory",
        kind=kinds.SIZE,
        default="64MB",
        help="Most bytes of finished pages in memory.",
    ),
    Setting(
        name="metrics_listen",
        kind=kinds.PLACE,
        help="Second address to listen on, for `/-/metrics` and `/-/health` alone. Without it they"
        " are on the gate's own port, metrics only on loopback.",
        default_shown="none",
    ),
    Setting(
        name="log_format",
        kind=kinds.choice("text", "json"),
        default="text",
        help="Log for people, or one JSON object a line.",
    ),
    Setting(
        name="log_level",
        kind=kinds.choice("debug", "info", "warning", "error"),
        default="info",
        help="The least important messages to log.",
    ),
)

BY_NAME = {setting.name: setting for setting in TABLE}
