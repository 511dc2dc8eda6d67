"""What is odd in a valid file: told by `jobsd check`, never refused."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice

from config.calendars import lint as calendars
from config.clock_changes import clock_change_warnings
from config.definitions import (
    CollectRun,
    CommandRun,
    Configuration,
    JobDefinition,
    JobType,
    SdeAgentRun,
    SdeFileRun,
    SdeRun,
)
from config.faults import quoted
from config.later import job_not_acted_on, not_acted_on
from config.values import format_duration
from recurrence import next_fire_time
from recurrence.schedule import Once, Schedule

_OFTEN, _SELDOM = timedelta(seconds=2), timedelta(hours=1)
_LOOPBACK = ("127.", "localhost:", "[::1]:")
_SMTP_TLS_PORT = 465


def lint(configuration: Configuration, *, now: datetime) -> list[str]:
    """Warnings about a valid configuration, `FILE:LINE:COLUMN: warning: job "x": …` each, in the file's order.

    `configuration.warnings` is not repeated. `now` (aware) is the instant from which schedules are looked at; a
    schedule without a start is taken to be loaded now.
    """
    lines = [*_settings(configuration), *_unused(configuration), *_over_nothing(configuration)]
    lines += [*_without_params(configuration), *_without_key(configuration), *not_acted_on(configuration)]
    lines += calendars.over(configuration, now=now)
    for job in configuration.jobs.values():
        lines += [_line(configuration, job, key, text) for key, text in _job(job, now)]
    return sorted(lines, key=_place)


def without_effect(configuration: Configuration) -> list[str]:
    """The warnings about what is said and not acted on yet, as `lint` has them."""
    lines = list(not_acted_on(configuration))
    for job in configuration.jobs.values():
        lines += [_line(configuration, job, key, text) for key, text in job_not_acted_on(job)]
    return sorted(lines, key=_place)


def _place(line: str) -> tuple[int, int]:
    _, row, column = line.partition(": warning: ")[0].rsplit(":", 2)
    return int(row), int(column)


def _line(configuration: Configuration, job: JobDefinition, key: str, text: str) -> str:
    places = configuration.places
    place = places.get(("jobs", job.name, key)) or places.get(("jobs", job.name)) or f"{job.place}:1"
    return f"{place}: warning: job {quoted(job.name)}: {key}: {text}"


def _settings(configuration: Configuration) -> Iterator[str]:
    http = configuration.settings.http
    if http.tls is None and not http.listen.startswith(_LOOPBACK):  # then it is written: the default is loopback
        place = configuration.places[("settings", "http")]
        text = f"{http.listen} is open to other hosts without TLS; write settings.http.tls"
        yield f"{place}: warning: settings.http: {text}"
    smtp = configuration.settings.smtp
    if smtp is None or smtp.password is None or smtp.starttls or smtp.port == _SMTP_TLS_PORT:
        return
    if not f"{smtp.host}:".startswith(_LOOPBACK):
        place = configuration.places[("settings", "smtp")]
        text = "the password goes over the network in clear; write starttls: true"
        yield f"{place}: warning: settings.smtp: {text}"


def _unused(configuration: Configuration) -> Iterator[str]:
    jobs = configuration.jobs.values()
    runs = [job.run for job in jobs if isinstance(job.run, CollectRun)]
    assets = [*configuration.assets.values(), *(asset for run in runs for asset in run.assets)]
    assets += [asset for group in configuration.asset_groups.values() for asset in group]
    used = {
        "calendars": {name for job in jobs for name in job.exclude},
        "collectors": {asset.type for asset in assets},
        "limits": {name for job in jobs for name in job.limits},
    }
    for (block, *names), place in configuration.places.items():
        if block in used and names[0] not in used[block]:
            label = "settings.limits" if block == "limits" else block
            yield f"{place}: warning: {label}.{names[0]}: nothing in this file uses it"


def _without_params(configuration: Configuration) -> Iterator[str]:
    """Commands that run for connections of SDE, and are given no params."""
    systems = configuration.sde_systems.items()
    users = [(name, f"sde_systems.{key}") for key, one in systems for name in (one.command, one.test, one.file)]
    agent = next((job for job in configuration.jobs.values() if isinstance(job.run, SdeAgentRun)), None)
    if agent is not None:  # a connection may name any command of the file
        users += [(name, f"job {quoted(agent.name)}") for name in configuration.commands]
    where = {name: user for name, user in reversed(users) if name is not None}
    for name, command in configuration.commands.items():
        if name in where and command.stdin == "none":
            place = configuration.places[("commands", name)]
            text = f"stdin is none, and {where[name]} may run it: it is not given the params of a connection"
            yield f"{place}: warning: commands.{name}: {text}; write stdin: ini or json, as the program reads it"


def _without_key(configuration: Configuration) -> Iterator[str]:
    """Systems whose connections could not be made as they are meant."""
    if configuration.sde_systems and configuration.settings.encryption_key is None:
        text = "connections with params are refused, which is nearly all of them; write settings.encryption_key"
        yield f"{configuration.places[('sde_systems',)]}: warning: sde_systems: {text}"


def _over_nothing(configuration: Configuration) -> Iterator[str]:
    for job in configuration.jobs.values():
        run = job.run
        if not isinstance(run, CollectRun) or run.assets:
            continue
        if not any(configuration.asset_groups.get(name) for name in run.asset_groups):
            names = ", ".join(map(quoted, run.asset_groups))
            text = f"{names}: nobody is in it, so each run succeeds without doing anything"
            yield _line(configuration, job, "run", f"asset_groups: {text}")


def _job(job: JobDefinition, now: datetime) -> Iterator[tuple[str, str]]:
    yield from job_not_acted_on(job)
    yield from _polls(job)
    yield from (("schedule", text) for text in calendars.of_job(job, now=now))
    if isinstance(job.run, CollectRun) and job.run.type is JobType.EVALUATION and job.run.incremental:
        yield "run", "incremental has no effect on an EvaluationJob, which collects nothing"
    schedule = job.schedule
    if schedule is None:
        return
    yield from _spans(job, schedule)
    if schedule.rule is None:
        return
    if schedule.start is None and isinstance(schedule.rule, Once):
        yield (
            "schedule",
            "once without a start: nothing that is due when the job is first loaded fires; write start",
        )
        return
    if schedule.start is None and schedule.needs_anchor:
        yield "schedule", "start is not written: it is the first load, so fire times told before are provisional"
    yield from _fires(schedule.anchored(now), now)
    yield from (("schedule", text) for text in clock_change_warnings(schedule.anchored(now), now=now))


def _polls(job: JobDefinition) -> Iterator[tuple[str, str]]:
    poll, window = getattr(job.run, "poll", None), job.schedule.window if job.schedule else None
    if not isinstance(poll, timedelta):
        return
    name = f"run.{job.run.kind}.poll {format_duration(poll)}"
    if window is not None and poll > window:
        yield "run", f"{name} is longer than the window, {format_duration(window)}"
    elif poll < _OFTEN:
        yield "run", f"{name} asks the server all the time; write 10s or more"
    elif poll > _SELDOM:
        yield "run", f"{name}: an end is noticed as late as that; write 1h or less"


def _spans(job: JobDefinition, schedule: Schedule) -> Iterator[tuple[str, str]]:
    rerun, window, run = schedule.rerun, schedule.window, job.run
    if rerun and rerun.period <= rerun.every:
        every, period = format_duration(rerun.every), format_duration(rerun.period)
        yield "schedule", f"rerun: every {every} for {period} never comes due; write for: longer than every"
    if rerun and not window and not isinstance(run, CollectRun | SdeAgentRun | SdeFileRun):
        yield "schedule", "rerun: without assets only a window's end arms a rerun; write a window"
    if window is None:
        return
    limits: dict[str, timedelta | None] = {}
    if isinstance(run, CommandRun):
        limits = {"run.command.timeout": run.timeout}
    elif isinstance(run, SdeRun | SdeFileRun):
        limits = {f"run.{run.kind}.deadline": run.deadline if "deadline" in run.model_fields_set else None}
    elif isinstance(run, CollectRun):
        written = run.asset_timeout if "asset_timeout" in run.model_fields_set else None
        limits = {"run.collect.asset_timeout": written, "run.collect.collection_timeout": run.collection_timeout}
    for name, limit in limits.items():
        if limit is not None and limit > window:
            yield "run", f"{name} {format_duration(limit)} is longer than the window, {format_duration(window)}"


def _fires(schedule: Schedule, now: datetime) -> Iterator[tuple[str, str]]:
    first, second = [*islice(_coming(schedule, now), 2), None, None][:2]
    if first is None:
        again = _fired_before(schedule, now)
        yield "schedule", "it never fires again" if again else "it never fires"
    if first is None or second is None:
        return
    apart = second - first
    if schedule.window and schedule.window > apart:
        window, step = format_duration(schedule.window), format_duration(apart)
        yield (
            "schedule",
            f"window {window} is longer than the {step} to the next fire time; overlap says what that does",
        )
    if schedule.rerun and schedule.rerun.every >= apart:
        every = format_duration(schedule.rerun.every)
        yield (
            "schedule",
            f"rerun: every {every} never comes due: the job fires again after {format_duration(apart)}",
        )


def _coming(schedule: Schedule, now: datetime) -> Iterator[datetime]:
    instant = next_fire_time(schedule, now)
    while instant is not None:
        yield instant
        instant = next_fire_time(schedule, instant)


def _fired_before(schedule: Schedule, now: datetime) -> bool:
    first = next_fire_time(schedule, datetime(1800, 1, 1, tzinfo=UTC))
    return first is not None and first <= now
