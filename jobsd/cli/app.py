"""The program's command group, and how it ends."""

from __future__ import annotations

import errno
import os
import sys
from typing import NoReturn

import click

from jobsd.cli.lazy import LazyGroup

OFFLINE = {
    "check": ("jobsd.cli.check:check", "Validate a file: every fault, and what is odd."),
    "next": ("jobsd.cli.next_times:next_times", "Coming fire times, in the job's zone and UTC."),
    "explain": ("jobsd.cli.explain:explain_job", "A job's schedule in one plain sentence."),
    "simulate": ("jobsd.cli.simulate:simulate", "Every fire in a span, busiest minutes, overlaps."),
    "doctor": ("jobsd.cli.doctor:doctor", "Servers, secrets, clock, disk, rights: what the daemon needs."),
    "hash-password": ("jobsd.cli.hash_password:hash_a_password", "The hash of a user's password, for the YAML."),
    "db": ("jobsd.cli.db:db", "The ledger: check what it promises, upgrade it."),
    "schema": ("jobsd.cli.schema:schema", "JSON Schema of the YAML, for editors."),
    "import": ("jobsd.cli.importing:importing", "Print other schedulers' jobs as jobsd's YAML."),
    "completion": ("jobsd.cli.completion:completion", "The shell's completion script."),
}
DAEMON = {
    "run": ("jobsd.cli.run:run", "The daemon, in the foreground."),
    "rehearse": ("jobsd.cli.rehearse:rehearse", "A stand-in of the daemon with faults to order."),
    "jobs": ("jobsd.cli.jobs:jobs", "The jobs, their next and last runs."),
    "runs": ("jobsd.cli.runs:runs", "What has run, and what became of it."),
    "why": ("jobsd.cli.why:why", "Why a job ran, waits, did not run or will not."),
    "show": ("jobsd.cli.show:show", "One run: attempts, assets, results, events."),
    "results": ("jobsd.cli.results:results", "What the checks of a run say."),
    "logs": ("jobsd.cli.logs:logs", "The output of a run."),
    "coverage": ("jobsd.cli.coverage:coverage", "What a job covers, asset by asset."),
    "deliveries": (
        "jobsd.cli.deliveries:deliveries",
        "Mails, webhooks, heartbeats and results: what became of them.",
    ),
    "resend": ("jobsd.cli.deliveries:resend", "Send a mail, a webhook or a result again."),
    "journal": ("jobsd.cli.journal:journal", "Who did what, when and from where."),
    "trigger": ("jobsd.cli.acts:trigger", "Run a job now."),
    "abort": ("jobsd.cli.acts:abort", "End a run."),
    "rerun": ("jobsd.cli.acts:rerun", "Attempt now what a run left over."),
    "pause": ("jobsd.cli.acts:pause", "Let a job's occurrences pass."),
    "resume": ("jobsd.cli.acts:resume", "End a pause."),
}

EPILOG = "Exit codes: 0 done, 1 refused or failed, 2 wrong usage. Example: jobsd next -c jobs.yaml -n 3"

INTERRUPTED = 130

UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EIO)
"""A full disk, a used-up quota, a terminal that has gone."""


@click.command(
    "jobsd",
    cls=LazyGroup,
    sections={"A file": OFFLINE, "The daemon": DAEMON},
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="jobsd", message="%(prog)s %(version)s")
def app() -> None:
    """Schedule security and compliance jobs: windows, reruns of what is left, every occurrence accounted for."""


def main() -> NoReturn:
    """Run the command line of this process and exit: 0 done, 1 refused or failed, 2 usage, 130 interrupted."""
    _open_outputs()
    # click strips colours where there is no terminal; NO_COLOR (https://no-color.org) is for us to honour.
    colours = False if os.environ.get("NO_COLOR") else None
    try:
        code = app.main(prog_name="jobsd", standalone_mode=False, color=colours) or 0
        sys.stdout.flush()
    except click.Abort:
        code = INTERRUPTED
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except BrokenPipeError:
        # The reader has seen enough. What is still buffered must not complain at the interpreter's end.
        _drop_output()
        code = 1
    except OSError as error:
        if error.errno not in UNWRITABLE or error.filename is not None:
            raise
        _drop_output()
        click.echo(f"the output cannot be written: {error.strerror}", err=True)
        code = 1
    sys.exit(code)


def _open_outputs() -> None:
    """Give the process the outputs it was started without: Python has None for a closed one."""
    for name, number in (("stdout", 1), ("stderr", 2)):
        if getattr(sys, name) is None:
            os.dup2(os.open(os.devnull, os.O_WRONLY), number)
            setattr(sys, name, os.fdopen(number, "w", encoding="utf-8"))


def _drop_output() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
