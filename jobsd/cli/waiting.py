"""Waiting for a run, with a bar of its assets on a terminal."""

from __future__ import annotations

import contextlib
import sys
import time
from typing import Any

from jobsd.cli.daemon import Daemon, quoted
from jobsd.cli.output import note
from jobsd.cli.progress import bar

LOOK_S = 0.3
GOING_ON = frozenset({"pending", "running", "retrying"})


def wait_for(daemon: Daemon, run: dict[str, Any]) -> dict[str, Any]:
    """The run as it is when it has ended or waits for a rerun. Interrupted, the run goes on."""
    path = f"/v1/runs/{quoted(run['run_id'])}"
    try:
        with contextlib.ExitStack() as stack:
            shown = stack.enter_context(bar()) if sys.stderr.isatty() else None
            task = None if shown is None else shown.add_task("")
            while run["state"] in GOING_ON:
                if shown is not None and task is not None:
                    total = run["assets"]["total"] or None
                    done = (total or 0) - run["assets"]["open"]
                    shown.update(task, total=total, completed=done, description=_label(run))
                time.sleep(LOOK_S)
                run = daemon.get(path)
    except KeyboardInterrupt:
        note(f"run {run['run_id']} goes on: `jobsd show {run['run_id'][:8]}`, `jobsd abort {run['run_id'][:8]}`")
        raise
    return run


def _label(run: dict[str, Any]) -> str:
    # Brackets would be taken for rich's mark-up.
    name = "".join(char for char in run["job"] if char.isprintable() and char not in "[]")
    assets = f" {run['assets']['total'] - run['assets']['open']}/{run['assets']['total']} assets"
    return f"{name} {run['state']}{assets if run['assets']['total'] else ''}"
