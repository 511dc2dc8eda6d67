"""A world for a daemon to die in: jobs of every kind on a fast schedule, and programs that write down what they do.

Times in the file are those of the daemon's clock, which runs `RATE` times as fast as the machine's.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

RATE = 10.0

NOTE = """#!/bin/sh
# note.sh FOLDER SECONDS CODE: says on a line of its own that it begins, works, and says that it ends.
echo "begin $JOBSD_JOB $JOBSD_RUN_ID $JOBSD_ATTEMPT ${JOBSD_ASSET:--}" >> "$1/notes"
[ "$2" = 0 ] || sleep "$2"
if [ "$3" = first ]; then  # fails at the first try of each asset of each run
    if [ ! -e "$1/tried/$JOBSD_RUN_ID.$JOBSD_ASSET" ]; then
        : > "$1/tried/$JOBSD_RUN_ID.$JOBSD_ASSET"
        echo "fail $JOBSD_JOB $JOBSD_RUN_ID $JOBSD_ATTEMPT ${JOBSD_ASSET:--}" >> "$1/notes"
        exit 1
    fi
    set -- "$1" "$2" 0
fi
if [ "$3" != 0 ]; then
    echo "fail $JOBSD_JOB $JOBSD_RUN_ID $JOBSD_ATTEMPT ${JOBSD_ASSET:--}" >> "$1/notes"
    exit "$3"
fi
echo "Error: done of $JOBSD_RUN_ID ${JOBSD_ASSET:--}"  # which is what an SDE agent posts
echo "end $JOBSD_JOB $JOBSD_RUN_ID $JOBSD_ATTEMPT ${JOBSD_ASSET:--}" >> "$1/notes"
"""


@dataclass(frozen=True)
class Job:
    """What the checker knows of a job without asking the product.

    Attributes:
        step_s: Its occurrences are `start + k * step_s`, k = 0, 1, 2 …
        idempotent: Whether its work may be begun more than once in one run.
        assets: Whether it goes asset by asset.
        mails: Whether each of its final outcomes that counts is told by mail and webhook.
        one_by_one: Whether it begins an asset only when the one before is settled.
        grace: How late it may start.
    """

    name: str
    step_s: int
    text: str
    schedule: str = ""
    idempotent: bool = False
    assets: bool = False
    mails: bool = False
    one_by_one: bool = False
    grace: timedelta = timedelta(hours=6)

    @property
    def closes(self):
        """Whether the world's calendar holds for it."""
        return "exclude" in self.schedule


def note(seconds, code="0"):
    """A command that notes what it does."""
    return f'command: {{argv: [/bin/sh, "@/note.sh", "@", "{seconds}", "{code}"]}}'


def collected(*assets, parallel=2):
    """A collection of such assets, (id, type) each."""
    listed = ", ".join(f"{{id: {name}, type: {kind}}}" for name, kind in assets)
    return f"collect: {{type: CollectionJob, assets: [{listed}], parallel: {parallel}}}"


BEATS = "      heartbeat: {url: '@URL/beat', failure: '@URL/beat'}\n      late: {to: [c@example.com], after: 5s}\n"
TOLD = (
    "    notify:\n      success: {to: [a@example.com]}\n      failure: {to: [b@example.com]}\n"
    "      webhook: {url: '@URL/hook'}\n"
)

LOCAL = (
    Job("plain", 20, f"    run: {{{note(0)}}}\n{TOLD}", mails=True),
    Job("flaky", 40, f"    run: {{{note(0, 1)}}}\n    retry: {{attempts: 2, backoff: 5s, jitter: 2s}}\n{TOLD}",
        idempotent=True, mails=True),
    Job("idem", 30, f"    run: {{{note(0.3)}}}\n    idempotent: true\n", idempotent=True),
    Job("slow", 30, f"    run: {{{note(0.4)}}}\n{TOLD}", mails=True),
    Job("queue", 10, f"    run: {{{note(2.5)}}}\n    idempotent: true\n    overlap: queue\n    limits: [lane]\n",
        idempotent=True),
    Job("replace", 20, f"    run: {{{note(2.5)}}}\n    idempotent: true\n    overlap: replace\n", idempotent=True),
    Job("narrow", 60, f"    run: {{{note(0)}}}\n    limits: [lane]\n", schedule="window: 5s"),
    Job("none", 60, f"    run: {{{note(0)}}}\n    catch_up: {{policy: none}}\n"),
    Job("every", 60, f"    run: {{{note(0)}}}\n    catch_up: {{policy: all, grace: 10m}}\n",
        grace=timedelta(minutes=10)),
    Job("collect", 120, f"    run: {{{collected(('a', 'good'), ('b', 'second'), ('c', 'good'))}}}\n{TOLD}",
        schedule="window: 20s, rerun: {every: 20s, for: 60s}", assets=True, mails=True),
    Job("barren", 120, f"    run: {{{collected(('d', 'good'), ('e', 'bad'))}}}\n{TOLD}",
        schedule="window: 20s, rerun: {every: 20s, for: 40s}", assets=True, mails=True),
    Job("narrowed", 120, f"    run: {{{collected(('f', 'good'), ('g', 'endless'), parallel=1)}}}\n",
        schedule="window: 20s, rerun: {every: 20s, for: 60s}", assets=True, one_by_one=True),
)  # fmt: skip

CALENDARS = (
    Job("held", 60, f"    run: {{{note(1.5)}}}\n    idempotent: true\n",
        schedule="exclude: [minutes], on_closure: hold", idempotent=True),
    Job("closed", 20, f"    run: {{{note(0)}}}\n", schedule="exclude: [minutes]"),
)  # fmt: skip

REMOTE = (
    Job("ccs", 60, "    run: {ccs: {server: ccs, job: 6b020d29-5fe8-47d0-bd89-ccd3339a5ebe, poll: 2s}}\n",
        idempotent=True),
    Job("sde", 60, "    run: {sde: {server: sde, kind: alm, connection: 13, poll: 2s}}\n", idempotent=True),
    Job("agent", 60, "    run: {sde_agent: {server: sde, kinds: [alm], frequency: daily}}\n", assets=True),
    Job("told", 20, f"    run: {{{note(0)}}}\n{TOLD}{BEATS}", mails=True),
)  # fmt: skip

EVENT = """BEGIN:VEVENT
UID:{number}
SUMMARY:Part of a minute
DTSTART:{start:%Y%m%dT%H%M%SZ}
DURATION:PT10S
END:VEVENT
"""
MINUTES = 20


def calendar(start):
    """An iCalendar file that is closed from 12 s to 22 s after each full minute from `start`, for a while."""
    first = start + timedelta(seconds=12)
    events = (EVENT.format(number=number, start=first + timedelta(minutes=number)) for number in range(MINUTES))
    return f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//chaos//\n{''.join(events)}END:VCALENDAR\n"


HEAD = """
version: 1
settings:
  kill_after: 2s
  limits: {{lane: 1}}
  smtp: {{host: 127.0.0.1, port: {smtp}, starttls: false, sender: jobsd@example.com}}
{settings}
collectors:
  good: {{collect: [/bin/sh, "@/note.sh", "@", "0.1", "0"]}}
  bad: {{collect: [/bin/sh, "@/note.sh", "@", "0", "75"]}}
  endless: {{collect: [/bin/sh, "@/note.sh", "@", "60", "0"]}}
  second: {{collect: [/bin/sh, "@/note.sh", "@", "0", first]}}
commands:
  synced: {{argv: [/bin/sh, "@/note.sh", "@", "0.1", "0"]}}
servers:
  ccs: {{type: ccs, url: "{url}", username: u, password: p, timeout: 20s}}
  sde: {{type: sde, url: "{url}", token: t0ken, timeout: 20s}}
calendars: {{minutes: {{ics: minutes.ics}}}}
jobs:
"""


class World:
    """A folder with a configuration and its programs; `start` is the first fire time of all its jobs."""

    def __init__(self, folder, jobs, *, url, smtp, settings="", retention=None, now=None):
        self.folder = Path(folder)
        self.state = self.folder / "state"
        self.retention = retention
        if retention is not None:
            hours = f"{retention // timedelta(hours=1)}h"
            settings += f"  retention: {{runs: {hours}, output: {hours}, events: {hours}, deliveries: {hours}}}\n"
        self.jobs = {job.name: job for job in jobs}
        now = (now or datetime.now(UTC)).replace(microsecond=0)
        self.start = now + timedelta(seconds=2)
        (self.folder / "tried").mkdir(parents=True)
        (self.folder / "notes").touch()
        (self.folder / "note.sh").write_text(NOTE)
        text = HEAD.format(url=url, smtp=smtp, settings=settings)
        (self.folder / "minutes.ics").write_text(calendar(self.start).replace("\n", "\r\n"))
        for job in jobs:
            extra = f", {job.schedule}" if job.schedule else ""
            start = self.start.isoformat().replace("+00:00", "Z")
            text += f'  - name: {job.name}\n    schedule: {{start: "{start}", interval: {job.step_s}s{extra}}}\n{job.text}'
        self.path = self.folder / "jobs.yaml"
        self.path.write_text(text.replace("@URL", url).replace('"@', f'"{self.folder}'))

    def due(self, job, since, until):
        """The fire times of a job in (since, until], by counting: no code of the product is asked."""
        step, found, instant = timedelta(seconds=self.jobs[job].step_s), [], self.start
        while instant <= until:
            if instant > since:
                found.append(instant)
            instant += step
        return found

    def closed(self, instant):
        """Whether the calendar is closed then."""
        number, within = divmod(instant - self.start, timedelta(minutes=1))
        return 0 <= number < MINUTES and timedelta(seconds=12) <= within < timedelta(seconds=22)

    @property
    def notes(self):
        """What the programs wrote down: (word, job, run, token, asset) each, in order."""
        return [tuple(line.split()) for line in (self.folder / "notes").read_text().splitlines()]
