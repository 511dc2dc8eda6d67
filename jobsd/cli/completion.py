"""`jobsd completion`."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

_INSERTED = "COMPREPLY+=($value)"
_QUOTED = r"""if [[ ${COMP_WORDS[COMP_CWORD]} == [\"\']* ]]; then
                COMPREPLY+=("$value")
                compopt -o filenames
            else
                COMPREPLY+=("$(printf %q "$value")")
            fi"""
"""bash inserts a word as it is, and names of jobs have blanks; with `filenames` it ends a quote that was begun."""


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
    source = kind(ctx.find_root().command, {}, "jobsd", "_JOBSD_COMPLETE").source()
    click.echo(source.replace(_INSERTED, _QUOTED))
