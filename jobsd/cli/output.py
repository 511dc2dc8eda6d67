"""What commands print: tables for people, JSON for programs, notes to standard error."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click

GAP = "  "


@dataclass(frozen=True, slots=True)
class Cell:
    """Text of one colour (a name that click knows) or of none."""

    text: str
    colour: str | None = None

    def styled(self) -> str:
        """The text in its colour."""
        return click.style(self.text, fg=self.colour) if self.colour else self.text


Row = Sequence[str | Cell]


def plain(text: str) -> str:
    """`text` without anything that moves a terminal's cursor: collectors' words are not to be trusted."""
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)


def width(text: str) -> int:
    """How many columns of a terminal `text` takes."""
    wide, combining = unicodedata.east_asian_width, unicodedata.combining
    return sum(2 if wide(char) in "WF" else not combining(char) for char in text)


def table(headings: Sequence[str], rows: Iterable[Row], *, indent: str = "", headed: bool = True) -> Iterator[str]:
    """Lines of a table, columns as wide as their widest cell; nothing at all without rows."""
    cells = [[_cell(cell) for cell in row] for row in rows]
    if not cells:
        return
    shown = [[Cell(heading, "bright_black") for heading in headings], *cells] if headed else cells
    widths = [max(width(row[i].text) for row in shown) for i in range(len(headings))]
    for row in shown:
        padded = [cell.styled() + " " * (wide - width(cell.text)) for cell, wide in zip(row, widths, strict=True)]
        yield (indent + GAP.join(padded)).rstrip()


def beneath(
    headings: Sequence[str], rows: Iterable[Row], under: Sequence[Sequence[str]], *, headed: bool = True
) -> Iterator[str]:
    """A table with lines of its own under each row."""
    before: Sequence[Sequence[str]] = [[]] if headed else []
    for line, more in zip(table(headings, rows, headed=headed), [*before, *under], strict=False):
        yield line
        yield from more


def _cell(cell: str | Cell) -> Cell:
    colour = cell.colour if isinstance(cell, Cell) else None
    return Cell(plain(cell.text if isinstance(cell, Cell) else cell), colour)


def echo_lines(lines: Iterable[str]) -> None:
    """Print lines; colours go where there is no terminal, or NO_COLOR is set.

    On a terminal, indented lines without colour (reasons, messages) are wrapped at its width.
    """
    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for line in lines:
        if columns is None or not line.startswith(" ") or "\x1b" in line:
            click.echo(line)
            continue
        indent = line[: len(line) - len(line.lstrip())]
        click.echo(
            "\n".join(textwrap.wrap(line.strip(), columns, initial_indent=indent, subsequent_indent=indent))
        )


def echo_json(value: Any) -> None:
    """Print one JSON value, indented."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def echo_json_list(items: Iterable[Mapping[str, Any]]) -> None:
    """Print a JSON list, an item a line, each as soon as it is known."""
    before = "[\n"
    for item in items:
        sys.stdout.write(before + json.dumps(item, ensure_ascii=False))
        before = ",\n"
    sys.stdout.write("[]\n" if before == "[\n" else "\n]\n")


def note(text: str) -> None:
    """A remark beside the output, on standard error."""
    click.echo(plain(text), err=True)
