"""`jobsd completion`."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the shell's completion script: commands, options, and names of jobs.

    Names come from the file given by -c, else from the daemon.

    Example: eval "$(jobsd completion bash)"
    """
    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101 - click has all three
    click.echo(kind(ctx.find_root().command, {}, "jobsd", "_JOBSD_COMPLETE").source())
