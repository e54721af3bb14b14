"""`indexgate policy schema`: the JSON schema of the policy document, for editors."""

import click


@click.command(
    name="schema",
    epilog="An editor that knows TOML schemas completes and checks a policy whose first line is"
    " #:schema ./policy.schema.json after: indexgate policy schema > policy.schema.json",
)
def command() -> int:
    """Print the JSON schema of the policy document, for editors."""
    click.echo(text(), nl=False)
    return 0


def text() -> str:
    """Return the schema as JSON."""
    import json

    from indexgate_policy.rules.schema import schema

    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"
