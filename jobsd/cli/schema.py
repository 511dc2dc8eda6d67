"""`jobsd schema`."""

from __future__ import annotations

import click

import config
from jobsd.cli.options import json_option
from jobsd.cli.output import echo_json


@click.command()
@json_option
def schema(*, as_json: bool) -> None:
    """Print the JSON Schema of the YAML, with every key's description and default, for editors.

    Example: jobsd schema > jobsd.schema.json
    """
    del as_json  # it is JSON either way
    echo_json(config.json_schema())
