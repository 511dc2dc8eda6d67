"""A command group whose commands are imported when they are called."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import click
from click.shell_completion import CompletionItem

Table = Mapping[str, tuple[str, str]]


class LazyGroup(click.Group):
    """A group with sections of commands: title -> name -> (`module:attribute`, one line of help)."""

    def __init__(self, *args: Any, sections: Mapping[str, Table], **options: Any) -> None:
        super().__init__(*args, **options)
        self.sections = sections
        self._where = {name: where for table in sections.values() for name, (where, _) in table.items()}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the sections' order."""
        del ctx
        return list(self._where)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, imported now; None if there is none."""
        del ctx
        if cmd_name not in self._where:
            return None
        module, attribute = self._where[cmd_name].split(":")
        found = getattr(importlib.import_module(module), attribute)
        assert isinstance(found, click.Command)  # noqa: S101 - the table is ours
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does it, but near misses are looked for in the table."""
        try:
            return super().resolve_command(ctx, args)
        except click.NoSuchCommand as error:
            raise click.NoSuchCommand(error.command_name, possibilities=self._where, ctx=ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The sections; no command is imported for it."""
        del ctx
        for title, table in self.sections.items():
            with formatter.section(title):
                formatter.write_dl([(name, text) for name, (_, text) in table.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Names of commands (none is imported) and options."""
        names = [
            CompletionItem(name, help=text)
            for table in self.sections.values()
            for name, (_, text) in table.items()
            if name.startswith(incomplete)
        ]
        return [*names, *click.Command.shell_complete(self, ctx, incomplete)]
