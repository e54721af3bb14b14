"""The `indexgate` command: finds the asked command, runs it, and tells failures in one shape."""

import importlib
import os
import traceback
from collections.abc import Mapping, Sequence

import click

from indexgate.lean_import import lean
from indexgate.own_version import own_version
from indexgate.redact import redact
from indexgate_policy.errors import Explained

FAILED = 2
INTERRUPTED = 130
_REPORT = "Report it with the lines above; look through them for what others should not see."

COMMANDS: Mapping[str, str] = {
    "serve": "indexgate.cli.serve",
    "explain": "indexgate.cli.explain",
    "timeline": "indexgate.cli.timeline",
    "run": "indexgate.cli.run",
    "configure": "indexgate.cli.configure",
    "service": "indexgate.cli.service",
    "check": "indexgate.cli.check",
    "doctor": "indexgate.cli.doctor",
    "lock": "indexgate.cli.lock",
    "log": "indexgate.cli.log",
    "refresh": "indexgate.cli.refresh",
    "sources": "indexgate.cli.sources",
    "evidence": "indexgate.cli.evidence",
    "exempt": "indexgate.cli.exempt",
    "policy": "indexgate.cli.policy",
    "replay": "indexgate.cli.replay",
    "snapshot": "indexgate.cli.snapshot",
}
"""Each command and the module that has it as `command`; imported when it is asked for."""

EXIT_CODES: Mapping[int, str] = {
    0: "All is well; `explain` and `check`: what was asked for passes.",
    1: "`exempt report --strict`: there is something to do. `explain` and `check`: something that"
    " was asked for is refused. `check`: or pinned, but not listed by the index, or what"
    " `--fail-on` names; `run` too. `lock rewrite --check`: a lock holds a gate's address."
    " `configure --undo`: the gate's address is still in a file."
    " `service status`: something of it is not so."
    " `policy check`: something is odd; `policy test`: a case differs. `doctor`: what `--fail-on`"
    " names is found.",
    FAILED: "Wrong usage, a wrong setting, or a failure; stderr says which."
    " `check`: nothing is refused, but something could not be judged. `refresh`: something could"
    " not be asked or read.",
    127: "`run`: the command cannot be started. Else `run` ends with the command's own code, or"
    " with 128 and the number of the signal that ended it.",
    INTERRUPTED: "Interrupted; the same `refresh` goes on from there. `serve` ends with 0 when it"
    " is told to stop.",
}


class _LateCommands(click.Group):
    """A group whose commands are imported on first use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        place = COMMANDS.get(cmd_name)
        if place is None:
            return None
        with lean():
            command: click.Command = importlib.import_module(place).command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in COMMANDS and not (name.startswith("-") or ctx.resilient_parsing):
            from difflib import get_close_matches  # only who mistypes waits for it

            if near := get_close_matches(name, COMMANDS, n=1):
                text = f"No such command `{name}`. Did you mean `{near[0]}`?"
                raise click.UsageError(text, ctx)
        return super().resolve_command(ctx, args)


def _print_version(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted:
        click.echo(f"indexgate {own_version()}")
        ctx.exit()


@click.group(
    cls=_LateCommands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="The easiest first step is `indexgate run -- pip install NAME`: one command behind a"
    " gate that comes and goes with it. Or start with `indexgate serve`; it prints how to point"
    " pip, uv, Poetry and PDM at it.",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Print the version and exit.",
)
def indexgate() -> None:
    """Stand between installers and their package index, and refuse or warn by policy.

    indexgate answers pip, uv, Poetry and PDM as their index would. It looks up what is known of a
    package before it passes anything on, and says why where it does not.
    """


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line *arguments* (default: the program's own); return the exit code."""
    try:
        code = indexgate.main(
            args=None if arguments is None else list(arguments),
            prog_name="indexgate",
            standalone_mode=False,
        )
    except (Explained, click.ClickException) as error:
        _tell(error)
        return getattr(error, "exit_code", FAILED) if isinstance(error, Explained) else FAILED
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except SystemExit:  # click ends so when the reader of the output has gone, as in `| head`
        return FAILED
    except Exception:
        # Python would end with 1, which means "refused" here.
        click.echo(redact(traceback.format_exc()), err=True, nl=False)
        _tell(Explained("fault", "this is a fault of indexgate, not of its use", _REPORT))
        return FAILED
    return code if isinstance(code, int) else 0


def _tell(error: Explained | click.ClickException) -> None:
    """Print *error* on stderr: `error: reference`, the sentence, and the hint apart."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.message, err=True)
        return
    text = str(error)
    if isinstance(error, click.ClickException):
        sentence = error.format_message().strip().removesuffix(".").replace("'", "`")
        text = f"usage\n  {sentence}"
        if isinstance(error, click.UsageError) and error.ctx is not None:
            text += f"\n\nhint: See `{error.ctx.command_path} --help`."
    label = click.style("error", fg="red", bold=True)
    colour = False if os.environ.get("NO_COLOR") else None
    click.echo(f"{label}: {text}", err=True, color=colour)
