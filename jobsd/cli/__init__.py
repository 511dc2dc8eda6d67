"""The command line.

Each command stands in a module of its own, imported when the command is called: `jobsd --help` stays fast.
"""

from jobsd.cli.app import main

__all__ = ["main"]
