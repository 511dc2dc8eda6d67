"""What a check answers, and how it is put for the operator: what is wrong, where, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

SHOWN = 6  # things named in one message; the rest are counted
AS_ROOT = "Run jobsd as root, or with CAP_DAC_READ_SEARCH, to see more"


class Verdict(NamedTuple):
    """A result of jobsd's protocol, without the name of its check."""

    result: str
    message: str


def passed(message: str) -> Verdict:
    """It is as it should be; the message says what was seen."""
    return Verdict("pass", message)


def failed(what: str, do: str) -> Verdict:
    """It is not: what and where, and what to do about it."""
    return Verdict("fail", f"{what}. Do: {do}")


def unknown(message: str) -> Verdict:
    """This user could not see enough to say."""
    return Verdict("unknown", message)


def not_applicable(message: str) -> Verdict:
    """The host has nothing that the rule speaks of."""
    return Verdict("notapplicable", message)


def listed(things: Sequence[str], total: int | None = None) -> str:
    """`a, b and 7 more`; `total` where there are more than are known by name."""
    rest = max(total or 0, len(things)) - min(len(things), SHOWN)
    return ", ".join(things[:SHOWN]) + (f" and {rest} more" if rest else "")


def count(number: int, thing: str) -> str:
    """`1 file`, `2 files`."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
