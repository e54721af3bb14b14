"""The option by which a command is told of which team the client is that it judges for."""

import click

team_option = click.option(
    "--team",
    metavar="NAME",
    help="Judge for a client of this team.  [default: its team is not known]",
)
