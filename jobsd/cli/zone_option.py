"""`--timezone` of the imports."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click
import tzlocal

from recurrence import resolve_zone

Command = TypeVar("Command", bound=Callable[..., Any])


def _zone(_ctx: click.Context, _param: click.Parameter, name: str | None) -> str:
    try:
        return resolve_zone(name or str(tzlocal.get_localzone_name()))
    except (ValueError, LookupError, OSError) as error:
        raise click.BadParameter(str(error), param_hint="--timezone") from None


def zone_option(whose: str) -> Callable[[Command], Command]:
    """The option, whose value is an IANA name, by default this host's; `whose` completes its help."""
    return click.option(
        "--timezone", "zone", metavar="ZONE", callback=_zone, help=f"The zone {whose}; default: this host's."
    )
