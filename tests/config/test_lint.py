"""What `jobsd check` finds odd in a valid file."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

import config
from config.clock_changes import clock_change_warnings
from recurrence import Daily, Fold, Gap, Schedule, fire_times

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def warnings(loads):
    """The warnings of lint, and those of the loader, without the file's name."""

    def one(text: str, now: datetime = NOW) -> list[str]:
        found = loads(f"version: 1\n{text}")
        lines = [*found.warnings, *config.lint(found, now=now)]
        return [line.removeprefix("jobs.yaml:") for line in lines]

    return one


@pytest.fixture
def of_job(warnings):
    """The warnings of one job `x` with this schedule, run and further lines."""

    def one(schedule: str, *, run: str = "{command: {argv: [a]}}", top: str = "", more: str = "") -> list[str]:
        text = f"settings: {{timezone: America/New_York}}\n{top}\njobs:\n- name: x\n  schedule: {schedule}\n  run: {run}\n{more}"
        return [line.partition('warning: job "x": ')[2] for line in warnings(text) if 'job "x"' in line]

    return one


def test_nothing_odd(of_job) -> None:
    """A plain job has nothing to be warned of."""
    assert of_job("{daily: , at: '12:00', window: 4h}") == []


@pytest.mark.parametrize(
    ("schedule", "text"),
    [
        ("{once: true, start: 2020-01-01T00:00}", "schedule: it never fires again"),
        (
            "{monthly: {every: 12, day: 30}, start: 2026-02-01T00:00, short_month: skip}",
            "schedule: it never fires",
        ),
        ("{daily: , at: '12:00', until: 2026-11-21}", "schedule: it never fires"),
        (
            "{once: true}",
            "schedule: once without a start: nothing that is due when the job is first loaded fires; write start",
        ),
        (
            "{interval: 15m}",
            "schedule: start is not written: it is the first load, so fire times told before are provisional",
        ),
        (
            "{interval: 1h, start: 2026-01-01T00:00, window: 2h}",
            "schedule: window 2h is longer than the 1h to the next fire time; overlap says what that does",
        ),
        (
            "{interval: 1h, start: 2026-01-01T00:00, window: 30m, rerun: {every: 2h, for: 4h}}",
            "schedule: rerun: every 2h never comes due: the job fires again after 1h",
        ),
        (
            "{daily: , at: '12:00', window: 30m, rerun: {every: 2h, for: 2h}}",
            "schedule: rerun: every 2h for 2h never comes due; write for: longer than every",
        ),
        (
            "{daily: , at: '12:00', rerun: {every: 2h, for: 4h}}",
            "schedule: rerun: without assets only a window's end arms a rerun; write a window",
        ),
        (
            "{ccs: {RunPeriodically: true, RecurrenceType: 1, StartDate: '2026-01-01T12:00:00'}}",
            "schedule.ccs: RunNow is missing, and its documented default is true: the job also runs once when first loaded; write RunNow: true or false",
        ),
        (
            "{daily: , at: '12:00', on_exclude: next-day}",
            "schedule: on_exclude: next-day has no effect without exclude",
        ),
    ],
)
def test_schedules(of_job, schedule: str, text: str) -> None:
    """Schedules that never fire, provisional starts, windows against reruns and fire times, RunNow's default."""
    assert of_job(schedule) == [text]


@pytest.mark.parametrize(
    ("run", "text"),
    [
        ("{command: {argv: [a], timeout: 2h}}", "run: run.command.timeout 2h is longer than the window, 1h"),
        (
            "{collect: {type: CollectionJob, assets: [{id: a, type: t}], asset_timeout: 2h}}",
            "run: run.collect.asset_timeout 2h is longer than the window, 1h",
        ),
        (
            "{collect: {type: CollectionJob, assets: [{id: a, type: t}], collection_timeout: 2h}}",
            "run: run.collect.collection_timeout 2h is longer than the window, 1h",
        ),
        (
            "{collect: {type: EvaluationJob, assets: [{id: a, type: t}], standards: [s], incremental: 1d}}",
            "run: incremental has no effect on an EvaluationJob, which collects nothing",
        ),
        ("{command: {argv: [./nowhere]}}",
         'run.command.argv: "./nowhere" is not a file now; a path is from the YAML\'s folder'),
    ],
)  # fmt: skip
def test_runs(of_job, run: str, text: str) -> None:
    """Limits longer than the window, keys without effect, programs that are not there."""
    top = "collectors: {t: {collect: [a], evaluate: [b]}}"
    assert of_job("{daily: , at: '12:00', window: 1h}", run=run, top=top) == [text]


@pytest.mark.parametrize(
    ("poll", "window", "said"),
    [
        ("2h", ", window: 1h", ["run: run.ccs.poll 2h is longer than the window, 1h"]),
        ("2h", "", ["run: run.ccs.poll 2h: an end is noticed as late as that; write 1h or less"]),
        ("1s", "", ["run: run.ccs.poll 1s asks the server all the time; write 10s or more"]),
        ("1h", ", window: 1h", []),
        ("2s", "", []),
    ],
)
def test_polls(of_job, poll: str, window: str, said: list[str]) -> None:
    """How often a server is asked: not all the time, and not less often than its answer matters."""
    top = "servers: {p: {type: ccs, url: 'http://x', username: u, password: {env: P}}}"
    run = f"{{ccs: {{server: p, job: 5ade67f0-0c93-49f3-9f2b-b8ec4beaa99c, poll: {poll}}}}}"
    assert of_job(f"{{daily: , at: '12:00'{window}}}", run=run, top=top) == said


def test_a_program_that_is_not_executable(loads, tmp_path) -> None:
    """A script without its execute bit is warned of; one with it is not."""
    script = tmp_path / "collect.sh"
    script.write_text("#!/bin/sh\n")
    text = "version: 1\njobs: [{name: a, run: {command: {argv: [./collect.sh]}}}]\n"
    (warning,) = loads(text).warnings
    assert warning == (
        'jobs.yaml:2:40: warning: job "a": run.command.argv: "./collect.sh" is not executable now; run chmod +x on it'
    )
    script.chmod(0o755)
    assert loads(text).warnings == ()


def test_places_and_order(warnings) -> None:
    """Every line has its place, and all are in the file's order."""
    text = """settings:
  limits: {used: 1, spare: 2}
  http: {listen: "0.0.0.0:8642"}
calendars:
  freeze: {dates: [2026-12-24]}
collectors:
  db: {collect: [cat]}
jobs:
  - name: x
    schedule: {once: true, start: 2020-01-01T00:00}
    run: {command: {argv: [uptime]}}
    limits: [used]
"""
    assert warnings(text) == [
        "3:21: warning: settings.limits.spare: nothing in this file uses it",
        "4:3: warning: settings.http: 0.0.0.0:8642 is open to other hosts without TLS; write settings.http.tls",
        "6:3: warning: calendars.freeze: nothing in this file uses it",
        "8:3: warning: collectors.db: nothing in this file uses it",
        '11:5: warning: job "x": schedule: it never fires again',
    ]


SPRING = "schedule: on 2027-03-14 the clock of America/New_York goes from 02:00 to 03:00:"
AUTUMN = "schedule: on 2027-11-07 the clock of America/New_York goes from 02:00 to 01:00:"


@pytest.mark.parametrize(
    ("schedule", "text"),
    [
        ("{daily: , at: '02:30'}", f"{SPRING} 02:30 does not exist, so it fires at 03:30 (dst.gap: shift)"),
        ("{daily: , at: '02:30', dst: {gap: skip}}", f"{SPRING} 02:30 does not exist, so it does not fire (dst.gap: skip)"),
        ("{cron: '15 2 * * *'}", f"{SPRING} 02:15 does not exist, so it fires at 03:00 (cron)"),
        ("{daily: , at: '01:30'}", f"{AUTUMN} 01:30 exists twice, 01:30 -0400 and 01:30 -0500, so it fires at 01:30 -0400 (dst.fold: first)"),
        ("{daily: , at: '01:30', dst: {fold: last}}", f"{AUTUMN} 01:30 exists twice, 01:30 -0400 and 01:30 -0500, so it fires at 01:30 -0500 (dst.fold: last)"),
        ("{daily: , at: '01:30', dst: {fold: both}}", f"{AUTUMN} 01:30 exists twice, 01:30 -0400 and 01:30 -0500, so it fires twice (dst.fold: both)"),
        ("{cron: '15 1 * * *'}", f"{AUTUMN} 01:15 exists twice, 01:15 -0400 and 01:15 -0500, so it fires at 01:15 -0400 (cron)"),
        ("{weekly: {on: sunday}, at: '02:30'}", f"{SPRING} 02:30 does not exist, so it fires at 03:30 (dst.gap: shift)"),
    ],
)  # fmt: skip
def test_clock_changes(of_job, schedule: str, text: str) -> None:
    """A fire time that a change of the clocks moves, doubles or drops is told with its local times."""
    assert of_job(schedule) == [text]


@pytest.mark.parametrize(
    "schedule",
    ["{weekly: {on: monday}, at: '02:30'}", "{cron: '*/5 * * * *'}", "{frequency: hourly}", "{daily: , at: '03:00'}",
     "{daily: , at: '02:30', timezone: UTC}", "{interval: 15m, start: 2026-01-01T00:00}"],
)  # fmt: skip
def test_untouched(of_job, schedule: str) -> None:
    """Schedules that no change of the clocks touches are not warned of."""
    assert of_job(schedule) == []


@pytest.mark.parametrize(
    "zone", ["America/New_York", "Australia/Sydney", "Australia/Lord_Howe", "Africa/Casablanca"]
)
@pytest.mark.parametrize("gap", list(Gap))
def test_clock_changes_agree_with_the_fire_times(zone: str, gap: Gap) -> None:
    """A date is told exactly if the schedule's own fire times of that date are not one plain wall time."""
    year = timedelta(days=366)
    for minutes in range(0, 24 * 60, 15):
        at = (datetime.fromisoformat("2026-01-01T00:00") + timedelta(minutes=minutes)).time()
        schedule = Schedule(
            rule=Daily(1),
            zone=zone,
            start=datetime.fromisoformat("2026-01-01T00:00"),
            at=at,
            gap=gap,
            fold=Fold.BOTH,
        )
        fires = [fire.astimezone(ZoneInfo(zone)) for fire in fire_times(schedule, NOW, NOW + year)]
        dates = Counter(fire.date() for fire in fires)
        odd = {fire.date() for fire in fires if fire.time() != at or dates[fire.date()] != 1}
        days = (fires[0].date() + timedelta(days=n) for n in range((fires[-1] - fires[0]).days))
        odd |= {day for day in days if day not in dates}
        told = {line.split()[1] for line in clock_change_warnings(schedule, now=NOW)}
        assert told == {day.isoformat() for day in odd}, at


def test_a_password_for_the_mail_server_in_clear_is_told(warnings) -> None:
    """Without STARTTLS, and not on this host, nor on the port that is TLS from the first byte."""
    account = "username: jobsd, password: {env: SMTP}"
    (told,) = warnings(f"settings:\n  smtp: {{host: mail.example.com, starttls: false, {account}}}\njobs: []")
    assert told == "3:3: warning: settings.smtp: the password goes over the network in clear; write starttls: true"
    for sound in ("host: localhost, starttls: false", "host: mail.example.com, starttls: false, port: 465"):
        assert warnings(f"settings:\n  smtp: {{{sound}, {account}}}\njobs: []") == []


def test_users_that_cannot_log_in_are_told(warnings) -> None:
    """Who reads `users:` must not think that these may log in; one with a password may, and is not told of."""
    known = f"password_hash: scrypt$15$8$1${'A' * 22}${'A' * 43}"
    found = warnings(
        f"jobs: []\nusers:\n- {{name: ops}}\n- {{name: ann, {known}}}\n- {{name: bot, token: {{env: BOT}}}}\n"
    )
    assert found == [
        '4:1: warning: users: "ops": without token and password_hash there is no login: `jobsd hash-password` prints a hash'
    ]


def test_what_a_job_says_without_effect_is_told(of_job) -> None:
    """A job may have a run that nothing carries out."""
    assert of_job("{daily: , at: '12:00'}", run="{http: {url: 'http://127.0.0.1:1/'}}") == [
        "run: run.http cannot be carried out yet: each of its runs fails and says so",
    ]


CALENDARS = "calendars: {over: {dates: [2020-12-24]}, freeze: {dates: [2026-12-24]}, noon: {weekly: [{on: DAYS}]}}"


@pytest.mark.parametrize(
    ("schedule", "told"),
    [
        ("{daily: , at: '12:00', exclude: [freeze], on_exclude: next-day, on_closure: stop}", []),
        ("{daily: , at: '12:00', on_closure: stop}", ["schedule: on_closure: stop has no effect without exclude"]),
        (
            "{frequency: manually, exclude: [freeze]}",
            ['schedule: exclude "freeze" has no effect: the job never fires by itself'],
        ),
        (
            "{daily: , at: '12:00', exclude: [noon]}",
            ['schedule: exclude: each of its fire times in the year from now lies inside "noon"'],
        ),
        (
            "{interval: 1h, start: 2026-01-01T00:00, exclude: [noon]}",
            ['schedule: exclude: each of the next 400 of its fire times in the year from now lies inside "noon"'],
        ),
        (
            "{interval: 1h, start: 2026-01-01T00:00, exclude: [freeze], on_exclude: next-day}",
            [
                "schedule: on_exclude: next-day moves each excluded fire time to a day on which the job fires often anyway"
            ],
        ),
    ],
)
def test_calendars_of_a_job(of_job, schedule: str, told: list[str]) -> None:
    """Keys without effect, jobs that never find their calendars open, and moves that change nothing."""
    days = "[sunday, monday, tuesday, wednesday, thursday, friday, saturday]"
    assert of_job(schedule, top=CALENDARS.replace("DAYS", days)) == told


def test_a_calendar_that_is_over_is_told(warnings) -> None:
    """At its own place, once, however many jobs name it, also beside one that closes something."""
    job = "- {name: NAME, schedule: {daily: , at: '12:00', exclude: [on, over]}, run: {command: {argv: [a]}}}\n"
    found = warnings(
        "calendars:\n  over: {dates: [2020-12-24]}\n  on: {weekly: [{on: sunday}]}\n"
        f"jobs:\n{job.replace('NAME', 'x')}{job.replace('NAME', 'y')}"
    )
    assert found == ["3:3: warning: calendars.over: it closes nothing in the year from now"]


SDE = "servers: {s: {type: sde, url: 'https://acme.sdelements.com', token: {env: T}}}"


@pytest.mark.parametrize(
    ("run", "text"),
    [
        ("{sde: {server: s, kind: alm, connection: 1}}", None),
        ("{sde_agent: {server: s, frequency: daily}}", None),
        ("{sde_file: {server: s, system: x, project: 1, files: x}}", None),
        (
            "{sde: {server: s, kind: alm, connection: 1, deadline: 5h}}",
            "run: run.sde.deadline 5h is longer than the window, 4h",
        ),
        (
            "{sde_file: {server: s, system: x, project: 1, files: x, deadline: 5h}}",
            "run: run.sde_file.deadline 5h is longer than the window, 4h",
        ),
        (
            "{sde: {server: s, kind: alm, connection: 1, poll: 1s}}",
            "run: run.sde.poll 1s asks the server all the time; write 10s or more",
        ),
    ],
)
def test_runs_of_sde(run: str, text: str | None, of_job) -> None:
    """They are carried out; a limit that the window cuts short is told where it is written."""
    told = [] if text is None else [text]
    assert of_job("{daily: , at: '12:00', window: 4h}", run=run, top=SDE) == told


@pytest.mark.parametrize(
    ("run", "odd"),
    [
        ("sde_agent: {server: s, frequency: daily}", 0),
        ("sde_file: {server: s, system: x, project: 1, files: x}", 0),
        ("sde: {server: s, kind: alm, connection: 1}", 1),
    ],
)
def test_connections_left_over_are_rerun_without_a_window(run: str, odd: int, of_job) -> None:
    """An agent's connections and the files of an import are assets: their reruns need no window."""
    told = of_job("{weekly: {on: friday}, at: '12:00', rerun: {every: 1h, for: 3h}}", run=f"{{{run}}}", top=SDE)
    assert told == ["schedule: rerun: without assets only a window's end arms a rerun; write a window"] * odd


@pytest.mark.parametrize(
    ("more", "who"),
    [
        ("sde_systems: {jira: {command: sync, test: deaf}}", {"deaf": "sde_systems.jira"}),
        ("sde_systems: {jira: {command: sync}, x: {command: sync, file: deaf}}", {"deaf": "sde_systems.x"}),
        ("jobs: [{name: a, run: {sde_agent: {server: s, frequency: daily}}}]", {"deaf": 'job "a"', "mute": 'job "a"'}),
        ("jobs: [{name: a, run: {sde: {server: s, kind: alm, connection: 1}}}]", {}),
    ],
)  # fmt: skip
def test_commands_that_are_given_no_params_are_told(more: str, who: dict[str, str], warnings) -> None:
    """Those that a system names, and all of them where there is an agent; others need no params."""
    top = "servers: {s: {type: sde, url: 'https://x.org', token: {env: T}}}\ncommands: {sync: {argv: ['true'], stdin: ini}, deaf: {argv: ['true']}, mute: {argv: ['true']}}\n"
    told = [line for line in warnings(top + more) if "stdin" in line]
    places = {"deaf": "3:48", "mute": "3:72"}
    assert told == [
        f"{places[name]}: warning: commands.{name}: stdin is none, and {user} may run it: "
        "it is not given the params of a connection; write stdin: ini or json, as the program reads it"
        for name, user in who.items()
    ]


def test_a_job_over_empty_groups_is_told(warnings) -> None:
    """Such a run succeeds without doing anything; a group within which somebody is, or a written asset, is enough."""
    text = """
collectors: {linux: {collect: [cat]}}
asset_groups: {none: [], outer: [none], web: [{id: a, type: linux}]}
jobs:
  - name: idle
    run: {collect: {type: CollectionJob, asset_groups: [outer, none]}}
  - name: busy
    run: {collect: {type: CollectionJob, asset_groups: [none, web]}}
  - name: written
    run: {collect: {type: CollectionJob, assets: [{id: b, type: linux}], asset_groups: [none]}}
"""
    told = 'asset_groups: "outer", "none": nobody is in it, so each run succeeds without doing anything'
    assert warnings(text) == [f'7:5: warning: job "idle": run: {told}']


def test_systems_without_a_key_for_params_are_told(warnings) -> None:
    """Their connections would be refused, all but those without params."""
    top = "commands: {sync: {argv: ['true'], stdin: ini}}\nsde_systems: {jira: {command: sync}}\n"
    (told,) = warnings(top)
    assert told.startswith("3:14: warning: sde_systems: connections with params are refused")
    assert "settings.encryption_key" in told
    assert warnings(top + "settings: {encryption_key: {env: SDE_KEY}}\n") == []
