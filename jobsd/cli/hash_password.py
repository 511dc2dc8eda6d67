"""`jobsd hash-password`."""

from __future__ import annotations

import sys

import click

from config.passwords import hash_password
from jobsd.cli.files import Failed


@click.command("hash-password")
def hash_a_password() -> None:
    """Print the hash of a password, for password_hash under users.

    On a terminal the password is asked for twice and not shown; otherwise it is the first line of standard input.
    It is never an argument: those are seen by everybody on this host.

    Example: jobsd hash-password
    """
    password = _asked() if sys.stdin.isatty() else _read()
    if not password:
        raise Failed("the password is empty")
    click.echo(hash_password(password))


def _asked() -> str:
    password: str = click.prompt("Password", hide_input=True, confirmation_prompt="The same again", err=True)
    return password


def _read() -> str:
    """The first line of standard input. Raises Failed where it is no UTF-8."""
    line = sys.stdin.buffer.readline()
    try:
        return line.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise Failed("the password is not UTF-8 text") from None
