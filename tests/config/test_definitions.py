"""Good files, read to exact definitions."""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

import config
from config.definitions import (
    Asset,
    CatchUp,
    CatchUpPolicy,
    CcsRun,
    CcsServer,
    CollectRun,
    CommandRun,
    DateSpan,
    HttpRun,
    JobType,
    Overlap,
    Permission,
    Retry,
    Scope,
    SdeAgentRun,
    SdeFileRun,
    SdeRun,
    SdeServer,
    Secret,
)
from recurrence import (
    Cron,
    Daily,
    Fold,
    Gap,
    Hourly,
    Interval,
    MonthlyDay,
    MonthlyOrdinal,
    Once,
    Ordinal,
    Rerun,
    Schedule,
    ShortMonth,
    Weekday,
    Weekly,
    spread_offset,
)


@pytest.fixture(scope="module")
def everything() -> config.Configuration:
    """The example of the interfaces page, with its ellipses written out."""
    return config.load(Path(__file__).parent / "data" / "interfaces.yaml")


def test_settings(everything: config.Configuration) -> None:
    """Every setting is read with its unit."""
    settings = everything.settings
    assert settings.timezone == "America/New_York"
    assert settings.ledger == "sqlite:////var/lib/jobsd/ledger.db"
    assert (settings.stop_timeout, settings.kill_after) == (timedelta(seconds=60), timedelta(seconds=10))
    assert (settings.catch_up_rate, settings.output_limit, settings.max_running) == (20.0, 64 << 20, 64)
    assert settings.limits == {"prod-network": 8}
    assert settings.http.listen == "127.0.0.1:8642"
    assert settings.http.tls is not None
    assert settings.http.tls.key == "tls.key"
    (token,) = settings.http.tokens
    assert (token.name, token.token, token.scope) == ("ops", Secret("credential", "ops_token"), Scope.CONTROL)
    assert settings.smtp is not None
    assert (settings.smtp.port, settings.smtp.password) == (587, Secret("credential", "smtp"))
    assert (settings.retention.runs, settings.retention.output) == (timedelta(days=400), timedelta(days=90))
    assert settings.frequencies.weekly.on is Weekday.SATURDAY


@pytest.mark.parametrize(
    ("written", "permission"),
    [
        ("Manage jobs", "manage-jobs"), ("view_all_jobs", "view-all-jobs"), ("View Evaluation Results", "view-evaluation-results"),
        ("Asset System", "access-asset-system"), ("asset-system", "access-asset-system"), ("Standards", "access-standards"),
        ("Access Standards folder", "access-standards"), ("folder-asset-system", "access-asset-system"),
    ],
)  # fmt: skip
def test_permissions_in_the_words_of_ccs(written: str, permission: str, tmp_path: Path) -> None:
    """As its console and its pages have them; a word that is none of them is still a fault."""
    text = "version: 1\nusers: [{name: a, permissions: [%s]}]\njobs: []\n"
    (user,) = config.loads(text % written, file="jobs.yaml", folder=tmp_path).users
    assert user.permissions == (Permission(permission),)
    with pytest.raises(config.ConfigError):
        config.loads(text % f"{written} also", file="jobs.yaml", folder=tmp_path)


def test_counterparts(everything: config.Configuration) -> None:
    """Users, servers, commands and systems are typed."""
    (user,) = everything.users
    assert (user.name, user.scope) == ("CORP\\auditor", Scope.CONTROL)
    assert user.permissions[-1] is Permission.EDIT_ALM_CONNECTIONS
    assert everything.servers == {
        "ccs-prod": CcsServer(
            type="ccs",
            url="https://ccs.example.com:12431",
            username="CORP\\svc",
            password=Secret("credential", "ccs"),
        ),
        "sde-prod": SdeServer(type="sde", url="https://acme.sdelements.com", token=Secret("credential", "sde")),
    }
    assert everything.commands["sync_jira"].stdin == "ini"
    assert everything.sde_systems["jira"].test == "test_jira"


def test_inventory(everything: config.Configuration) -> None:
    """Calendars are spans, GUIDs mean assets and standards, groups are resolved to their assets.

    Rule: groups
    """
    freeze = everything.calendars["freeze"]
    assert freeze.dates == (
        DateSpan(first=date(2026, 12, 24), last=date(2026, 12, 24)),
        DateSpan(first=date(2026, 12, 28), last=date(2027, 1, 2)),
    )
    (weekly,) = freeze.weekly
    assert (weekly.on, weekly.begin, weekly.end) == ((Weekday.SUNDAY,), time(0), time(6))
    web_1, web_2, db_1 = (Asset(id=name, type="linux") for name in ("web-1", "web-2", "db-1"))
    assert everything.assets == {"d387d8b5-6278-4bcb-83c7-b55d2072d2a8": web_1}
    assert everything.standards == {"6b020d29-5fe8-47d0-bd89-ccd3339a5ebe": "cis-1"}
    assert everything.asset_groups == {"web": (web_1, web_2), "all": (web_1, web_2, db_1)}
    assert everything.collectors["linux"].evaluate == ("./evaluate.sh", "{standard}")


def test_assets_and_standards_in_other_words(tmp_path) -> None:
    """A group among the assets is one of the groups, GUIDs have no case, a standard may be written like an asset."""
    found = config.loads(
        """
version: 1
collectors: {linux: {collect: [cat], evaluate: [cat]}}
assets: {D387D8B5-6278-4bcb-83c7-b55d2072d2a8: {id: web-1, type: linux}}
standards: {6b020d29-5fe8-47d0-bd89-ccd3339a5ebe: {id: cis-1}}
asset_groups:
  web: [d387d8b5-6278-4bcb-83c7-b55d2072d2a8, {id: web-2, type: linux}]
  db: [{id: db-1, type: linux}]
jobs:
  - name: scan
    run:
      collect:
        assets: [d387d8b5-6278-4BCB-83c7-b55d2072d2a8, web, {id: web-3, type: linux}]
        asset_groups: [db, web]
        standards: [cis-1]
""",
        file="jobs.yaml", folder=tmp_path,
    )  # fmt: skip
    run = found.jobs["scan"].run
    assert [asset.id for asset in run.assets] == ["web-1", "web-3"]
    assert run.asset_groups == ("db", "web")
    assert [asset.id for asset in found.asset_groups["web"]] == ["web-1", "web-2"]
    assert found.standards == {"6b020d29-5fe8-47d0-bd89-ccd3339a5ebe": "cis-1"}


def test_the_example_job(everything: config.Configuration) -> None:
    """The first job of the example means exactly this."""
    job = everything.jobs["weekly-linux-compliance"]
    assert job.schedule == Schedule(
        rule=Weekly(1, frozenset({Weekday.FRIDAY})),
        zone="Europe/Berlin",
        start=datetime.fromisoformat("2026-01-02T22:00"),
        at=time(22),
        until=datetime.fromisoformat("2027-01-01T23:59:59"),
        offset=spread_offset("weekly-linux-compliance", timedelta(minutes=20)),
        window=timedelta(hours=4),
        rerun=Rerun(timedelta(days=1), timedelta(days=3)),
    )
    assert job.run == CollectRun(
        type=JobType.COLLECTION_EVALUATION,
        assets=(Asset(id="web-1", type="linux"),),
        standards=("cis-1",),
        asset_timeout=timedelta(minutes=30),
        incremental=timedelta(days=7),
        parallel=8,
    )
    assert (job.exclude, job.on_exclude, job.limits) == (("freeze",), "next-day", ("prod-network",))
    assert job.retry == Retry(attempts=3, backoff=timedelta(seconds=30), max_backoff=timedelta(minutes=10))
    assert (job.overlap, job.catch_up) == (
        Overlap.SKIP,
        CatchUp(policy=CatchUpPolicy.LATEST, grace=timedelta(hours=6)),
    )
    assert job.labels == {"site": "hq", "team": "audit"}
    assert job.notify.failure is not None
    assert job.notify.failure.to == ("a@example.com", "b@example.com")
    assert job.notify.webhook is not None
    assert job.notify.webhook.token == Secret("env", "HOOK")
    assert job.place.endswith("interfaces.yaml:35")


def test_every_kind_of_run(everything: config.Configuration) -> None:
    """Each `run:` is a model of its own."""
    runs = {name: job.run for name, job in everything.jobs.items()}
    assert runs["every-three-days"] == CollectRun(
        type=JobType.COLLECTION,
        assets=(Asset(id="web-1", type="linux"),),
        asset_groups=("all",),
        collection_timeout=timedelta(hours=2),
    )
    assert runs["quarter-end"] == CcsRun(server="ccs-prod", job="5ade67f0-0c93-49f3-9f2b-b8ec4beaa99c")
    by_details = runs["last-friday"]
    assert isinstance(by_details, CcsRun)
    assert (by_details.job_details or {})["JobName"] == "Audit"
    assert runs["new-year"] == HttpRun(
        url="https://api.example.com/start", expect=(200, 202), body={"reason": "new year"}
    )
    assert runs["alm"] == SdeRun(server="sde-prod", connection_kind="alm", connection=12)
    assert runs["agent"] == SdeAgentRun(server="sde-prod", frequency="daily")
    assert runs["reports"] == SdeFileRun(
        server="sde-prod", system="fortify_file_upload", project=1, files="reports/*.fpr"
    )
    assert runs["from-ccs"] == CommandRun(
        argv=("./report.sh", "--all"),
        stdin="yes\n",
        env={"LANG": "C"},
        success=(0, 3),
        timeout=timedelta(hours=1),
    )


KINDS = {
    "daily:": Daily(1),
    "daily: true": Daily(1),
    "daily: {every: 3}": Daily(3),
    "weekly: {on: friday}": Weekly(1, frozenset({Weekday.FRIDAY})),
    "weekly: {every: 2, on: [sunday, monday]}": Weekly(2, frozenset({Weekday.SUNDAY, Weekday.MONDAY})),
    "monthly: {every: 3, day: 31}": MonthlyDay(3, 31),
    "monthly: {on: last friday}": MonthlyOrdinal(1, Ordinal.LAST, Weekday.FRIDAY),
    "once: true": Once(),
    "interval: 1h30m": Interval(timedelta(minutes=90)),
    'cron: "*/5 * * * *"': Cron("*/5 * * * *"),
    "frequency: hourly": Hourly(7),
    "frequency: manually": None,
}


@pytest.mark.parametrize(("line", "rule"), KINDS.items())
def test_kinds(job, line: str, rule: object) -> None:
    """Each kind of schedule gives its rule; nothing else of the schedule changes."""
    assert job(f"schedule:\n  {line}").schedule == Schedule(rule=rule)


def test_frequencies(job) -> None:
    """A frequency has the time of settings.frequencies, unless `at` is written."""
    top = 'settings: {timezone: Asia/Tokyo, frequencies: {weekly: {on: monday, at: "05:00"}}}'
    weekly = Weekly(1, frozenset({Weekday.MONDAY}))
    assert job("schedule: {frequency: weekly}", top=top).schedule == Schedule(
        rule=weekly, zone="Asia/Tokyo", at=time(5)
    )
    written = job('schedule: {frequency: weekly, at: "06:30"}', top=top).schedule
    assert written is not None
    assert written.at == time(6, 30)


@pytest.mark.parametrize(
    ("start", "wall"),
    [
        ("2026-07-01T10:00", datetime.fromisoformat("2026-07-01T10:00")),
        ("2026-07-01 10:00:30.1234567", datetime.fromisoformat("2026-07-01T10:00:30")),
        ("2026-07-01T10:00:00Z", datetime.fromisoformat("2026-07-01T12:00")),
        ("2026-07-01T10:00:00-05:00", datetime.fromisoformat("2026-07-01T17:00")),
    ],
)
def test_start(job, start: str, wall: datetime) -> None:
    """A start without an offset is wall time in the zone; one with an offset is turned into it."""
    schedule = job(f'schedule: {{daily: {{}}, timezone: Europe/Berlin, start: "{start}"}}').schedule
    assert schedule.start == wall


@pytest.mark.parametrize(
    ("until", "wall"),
    [
        ("2026-07-01", datetime.fromisoformat("2026-07-01T23:59:59")),
        ("2026-07-01T10:00:00", datetime.fromisoformat("2026-07-01T10:00")),
        ("2026-07-01T23:00:00Z", datetime.fromisoformat("2026-07-02T01:00")),
    ],
)
def test_until(job, until: str, wall: datetime) -> None:
    """An end that is a date holds through the end of that civil day.

    Rule: until
    """
    schedule = job(f'schedule: {{daily: {{}}, timezone: Europe/Berlin, until: "{until}"}}').schedule
    assert schedule.until == wall


def test_policies(job) -> None:
    """DST, short months and a Windows zone name."""
    lines = "schedule: {monthly: {day: 31}, dst: {gap: skip, fold: both}, short_month: skip, timezone: W. Europe Standard Time}"
    assert job(lines).schedule == Schedule(
        rule=MonthlyDay(1, 31), zone="Europe/Berlin", gap=Gap.SKIP, fold=Fold.BOTH, short_month=ShortMonth.SKIP
    )


BLOCK = "RunPeriodically: true, RecurrenceType: 1, EndJobRunConfigured: true, EndJobRunTimeInterval: '04:00:00'"


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (f"RunNow: false, {BLOCK}", Schedule(rule=Daily(1), zone="Asia/Tokyo", window=timedelta(hours=4))),
        (f"{BLOCK}", Schedule(rule=Daily(1), zone="Asia/Tokyo", window=timedelta(hours=4), run_now=True)),
        (
            f"RunNow: 'false', {BLOCK}, StartDate: '2026-01-02T22:00:00Z'",
            Schedule(
                rule=Daily(1),
                zone="Asia/Tokyo",
                window=timedelta(hours=4),
                start=datetime.fromisoformat("2026-01-03T07:00"),
            ),
        ),
        (
            f"RunNow: false, {BLOCK}, StartDate: '0001-01-01T00:00:00'",
            Schedule(rule=Daily(1), zone="Asia/Tokyo", window=timedelta(hours=4)),
        ),
        (
            "RunNow: false, RunOnce: true, StartDate: '2001-01-01T09:00:00'",
            Schedule(rule=Once(), zone="Asia/Tokyo", start=datetime.fromisoformat("2001-01-01T09:00")),
        ),
        ("RunNow: false", Schedule(rule=None, zone="Asia/Tokyo")),
        ("RunNow: true", Schedule(rule=None, zone="Asia/Tokyo", run_now=True)),
    ],
)
def test_ccs_blocks(job, block: str, expected: Schedule) -> None:
    """A CCS block is decoded in the job's zone; without a StartDate the start is left to the first load."""
    assert job(f"schedule: {{timezone: Asia/Tokyo, ccs: {{{block}}}}}").schedule == expected


def test_no_schedule(job) -> None:
    """A job without a schedule never fires by itself; one that inherits only a window keeps the window."""
    assert job().schedule is None
    inherited = job(top="defaults: {schedule: {window: 4h, timezone: Asia/Tokyo}}").schedule
    assert inherited == Schedule(rule=None, zone="Asia/Tokyo", window=timedelta(hours=4))


def test_an_empty_file_of_defaults(loads) -> None:
    """Nothing but the version is needed; everything has its default."""
    configuration = loads("version: 1\n")
    assert configuration.jobs == {}
    assert configuration.settings == type(configuration.settings)()
    assert configuration.settings.http.listen == "127.0.0.1:8642"


def test_jobs_keep_their_order(loads) -> None:
    """Jobs are in the file's order, and the last fault free one is there."""
    names = [f"j{i}" for i in (3, 1, 2)]
    text = "version: 1\njobs:\n" + "".join(f"- {{name: {n}, run: {{command: {{argv: [a]}}}}}}\n" for n in names)
    assert list(loads(text).jobs) == names


def test_frozen(job) -> None:
    """Nothing of a definition can be assigned to."""
    definition = job("retry: {attempts: 3}")
    with pytest.raises(Exception, match="frozen"):
        definition.retry.attempts = 4
    with pytest.raises(Exception, match="cannot assign"):
        definition.priority = 4


def test_now_is_not_read(loads) -> None:
    """What a text means does not depend on when it is read: two readings are equal."""
    text = "version: 1\njobs:\n- {name: a, schedule: {daily: }, run: {command: {argv: [a]}}}\n"
    assert loads(text) == loads(text)
    assert loads(text).jobs["a"].schedule.anchored(
        datetime(2026, 1, 1, tzinfo=UTC)
    ).start == datetime.fromisoformat("2026-01-01T00:00")
