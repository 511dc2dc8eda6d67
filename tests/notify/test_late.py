"""A job that stopped succeeding is told of, whatever became of its runs: each occurrence once, in few mails."""

import json
from datetime import datetime, timedelta

import pytest

JOBS = """
version: 1
settings: {smtp: SMTP}
jobs:
  - name: job
    schedule: {start: 2026-03-02T00:00:00, SCHEDULE}
    run: {command: {argv: [/bin/sh, -c, COMMAND]}}
    notify: NOTIFY
"""
SWITCH = "[ -e FOLDER/good ]"
HANG = "until [ -e FOLDER/go ]; do sleep 0.02; done"
LATE = "{late: {after: 30m, to: ops@example.com}}"


@pytest.fixture
def file(mail_server, tmp_path):
    """The text of a file: (schedule, command, notify) -> YAML; its `server` gets the mails."""
    server = mail_server(auth=False)

    def text(schedule="interval: 1h", command=SWITCH, notify=LATE):
        found = JOBS.replace("SMTP", server.settings()).replace("SCHEDULE", schedule).replace("NOTIFY", notify)
        return found.replace("COMMAND", json.dumps(command.replace("FOLDER", str(tmp_path))))

    text.server = server
    yield text
    (tmp_path / "go").touch()


def sent(made):
    """(state, reason) of the late ones, oldest first."""
    return [(str(one.state), one.reason) for one in made.outbox() if one.about == "late"]


async def test_every_occurrence_without_success_is_told_once_and_since_when(office, file, web_server):
    """Failed: told `after` its fire time, by mail and webhook, with the last success; not when it succeeded again."""
    good = office().folder / "good"
    good.touch()
    made = office("2026-03-01T23:50:00Z")
    notify = LATE[:-1] + f', webhook: {{url: "{web_server.url}/secret"}}}}'
    await made.up(file(notify=notify))
    await made.tick(timedelta(minutes=10), minutes=50)
    good.unlink()
    web_server.got.clear()
    await made.tick(timedelta(minutes=10), minutes=40)
    assert file.server.mails == []
    await made.tick(timedelta(minutes=10), minutes=60)
    await made.tick(timedelta(minutes=10), minutes=10)
    first, second = file.server.mails
    assert first["subject"] == "jobsd: job is late"
    text = first.get_content()
    assert "The job job has not succeeded in time: it failed." in text
    assert "It has not succeeded since Mon 2026-03-02 00:00:00 UTC." in text
    assert "Due:     Mon 2026-03-02 01:00:00 UTC" in text
    assert "2 of its occurrences have not succeeded since; the newest of them:" in second.get_content()
    hooks = [body for _, _, body in web_server.got if body["about"] == "late"]
    assert [body["fire_time"] for body in hooks] == ["2026-03-02T01:00:00Z", "2026-03-02T02:00:00Z"]
    assert hooks[1]["succeeded_at"] == "2026-03-02T00:00:00Z"
    assert [(one["fire_time"], one["state"]) for one in hooks[1]["late"]] == [
        ("2026-03-02T02:00:00Z", "failed"),
        ("2026-03-02T01:00:00Z", "failed"),
    ]
    good.touch()
    await made.tick(timedelta(minutes=10), hours=1)
    assert len(file.server.mails) == 2
    assert sent(made).count(("void", "the run has succeeded")) == 4
    good.unlink()
    await made.tick(timedelta(minutes=10), hours=1)
    third = file.server.mails[2].get_content()
    assert "It has not succeeded since Mon 2026-03-02 03:00:00 UTC." in third
    assert "of its occurrences" not in third


async def test_a_hung_job_of_every_few_minutes_is_no_mail_every_few_minutes(office, file):
    """Skipped by overlap for two hours: each skipped occurrence is told, all of one span in one mail."""
    made = office("2026-03-01T23:55:00Z")
    await made.up(file(schedule="interval: 5m", command=HANG))
    await made.pass_on(timedelta(minutes=5), hours=2)
    mails = file.server.mails
    assert [mail["date"].datetime.strftime("%H:%M") for mail in mails] == ["00:30", "01:05", "01:40"]
    assert "it is still at work (state: running)" in mails[0].get_content()
    assert "No success of it is known; it is known since Sun 2026-03-01 23:55:00 UTC." in mails[0].get_content()
    assert "7 of its occurrences" in mails[0].get_content()
    assert "it was skipped" in mails[1].get_content()
    assert "14 of its occurrences" in mails[1].get_content()
    assert mails[1].get_content().count("overlap: run ") == 11  # the reason, and the newest ten
    (made.folder / "go").touch()
    await made.settle()
    await made.tick(timedelta(minutes=5), minutes=45)
    assert len(file.server.mails) == 3


async def test_a_long_downtime_is_one_notice(office, file):
    """What was missed while the daemon was down is told at its start, all in one mail; once, also over a restart."""
    made = office("2026-03-02T00:00:00Z")
    await made.up(file())
    await made.down()
    made = office("2026-03-04T00:20:00Z")
    await made.up(file())
    await made.carry()
    (mail,) = file.server.mails
    assert "has not succeeded in time: it was missed: it did not run" in mail.get_content()
    assert "48 of its occurrences" in mail.get_content()
    assert mail["date"].datetime == made.clock.now()  # it is tried from now on
    await made.crash()
    made = office("2026-03-04T00:50:00Z")
    await made.up(file())
    await made.carry()
    assert len(file.server.mails) == 1
    assert [state for state, _ in sent(made)] == ["delivered", "void"]


async def test_what_an_operator_did_is_told_to_nobody(office, file, operator):
    """Cancelled or paused: no mail; nor is the abort of a run that was at work."""
    made = office("2026-03-01T23:59:00Z")
    await made.up(file(command=HANG))
    await made.pass_on(minutes=2)
    await made.control.abort(made.runs()[0].run_id, operator)
    await made.settle()
    await made.control.pause("job", actor=operator, until=None, note="audit")
    await made.pass_on(timedelta(minutes=10), hours=3)
    assert {str(run.state) for run in made.runs()} == {"cancelled", "skipped"}
    assert [state for state, _ in sent(made)] == ["void"]
    assert file.server.mails == []
    await made.control.resume("job", actor=operator)
    await made.pass_on(timedelta(minutes=10), minutes=100)
    (mail,) = file.server.mails
    assert "of its occurrences" not in mail.get_content()


async def test_what_is_at_work_and_not_late_yet_is_told_by_itself(office, file):
    """Several at once: a notice names those that are late as well, the others when they are."""
    made = office("2026-03-01T23:50:00Z")
    await made.up(
        file(schedule="interval: 20m", command=HANG).replace("    notify", "    overlap: allow\n    notify")
    )
    await made.pass_on(timedelta(minutes=10), minutes=65)
    first, second = (mail.get_content() for mail in file.server.mails)
    assert "of its occurrences" not in first
    assert "Due:     Mon 2026-03-02 00:20:00 UTC" in second
    assert "2 of its occurrences" in second


async def test_a_later_success_by_hand_leaves_nothing_to_tell(office, file, operator):
    """It failed, an operator mended it and ran it: the job is not late any more."""
    made = office("2026-03-01T23:59:00Z")
    await made.up(file())
    await made.tick(minutes=2)
    (made.folder / "good").touch()
    await made.ran("job")
    await made.tick(timedelta(minutes=10), minutes=45)
    assert sent(made) == [("void", "a later run has succeeded"), ("void", "the run has succeeded")]
    assert file.server.mails == []


async def test_what_was_run_by_hand_is_late_only_while_it_lasts(office, file, operator):
    """Somebody watches it end; what hangs is told all the same."""
    made = office("2026-03-02T00:10:00Z")
    await made.up(file())
    await made.ran("job")
    await made.reload(file(command=HANG))
    await made.control.trigger("job", operator)
    await made.pass_on(timedelta(minutes=5), minutes=35)
    assert sent(made) == [("void", "nobody is told of it: exit code 1"), ("delivered", "")]
    (mail,) = file.server.mails
    assert "is still at work" in mail.get_content()


async def test_notify_is_changed_while_a_notice_waits(office, file):
    """Taken away: nobody is told. Put back, with another time: told then, also of what hangs meanwhile, once."""
    made = office("2026-03-01T23:59:00Z")
    await made.up(file(command=HANG))
    await made.pass_on(minutes=5)
    await made.replace(file(command=HANG, notify="{}"))
    assert sent(made) == [("void", "the job's notify was changed")]
    await made.pass_on(timedelta(minutes=5), minutes=30)
    assert file.server.mails == []
    later = LATE.replace("30m", "50m").replace("ops@", "oncall@")
    await made.replace(file(command=HANG, notify=later))
    await made.pass_on(timedelta(minutes=5), minutes=10)
    assert file.server.mails == []
    await made.pass_on(timedelta(minutes=5), minutes=20)
    (mail,) = file.server.mails
    assert mail.got == ["oncall@example.com"]
    again = later.replace("50m", "40m")
    await made.replace(file(command=HANG, notify=again))
    await made.pass_on(timedelta(minutes=5), minutes=20)
    assert len(file.server.mails) == 1


async def test_a_job_that_was_removed_is_late_no_more(office, file):
    """Its failed occurrence is nobody's business once an operator has taken the job out of the file."""
    made = office("2026-03-01T23:59:00Z")
    await made.up(file())
    await made.tick(minutes=2)
    await made.reload(file().partition("jobs:")[0] + "jobs: []\n")
    await made.tick(timedelta(minutes=10), minutes=40)
    assert sent(made) == [("void", "the job is not in force any more")]


async def test_a_crash_around_the_sending(office, file):
    """Before: it is told after the start. After, and before that is on the disk: again, under the same id."""
    made = office("2026-03-01T23:59:00Z")
    await made.up(file())
    await made.tick(minutes=2)
    await made.crash()
    file.server.held.clear()
    made = office("2026-03-02T00:31:00Z")
    await made.up(file())
    await made.courier.turn()
    (delivery,) = (one for one in made.outbox() if one.about == "late")
    (sending,) = (task for _, task in made.courier._sending.values())
    file.server.held.set()
    while not file.server.mails:
        await made.clock.sleep(timedelta(0))
    sending.cancel()  # the answer is there, and nobody has read it
    await made.crash()
    made = office("2026-03-02T00:32:00Z")
    await made.up(file())
    await made.carry()
    await made.tick(minutes=5)
    assert {mail["message-id"] for mail in file.server.mails} == {f"<{delivery.delivery_id}@example.com>"}
    assert len(file.server.mails) <= 2
    assert sent(made) == [("delivered", "")]


async def test_a_mail_server_that_is_away_loses_no_occurrence(office, file):
    """What is late meanwhile is told in the mail that gets through, in words of that time."""
    made = office("2026-03-01T23:59:00Z")
    await made.up(file())
    file.server.down()
    await made.tick(timedelta(minutes=15), minutes=100)
    assert [state for state, _ in sent(made)] == ["pending", "pending"]
    file.server.up()
    await made.tick(timedelta(minutes=15), hours=1)
    assert datetime.fromisoformat("2026-03-02T02:39:00Z") == made.clock.now()
    assert "of its occurrences have not succeeded since" in file.server.mails[0].get_content()
    assert [state for state, _ in sent(made)][:2] == ["delivered", "void"]


FREEZE = """
calendars:
  freeze: {weekly: [{on: monday, from: "01:30", to: "04:10"}]}
"""


async def test_what_a_calendar_did_is_told_to_nobody(office, file):
    """Neither what it excludes nor what it holds; what hangs after it was held is told then."""
    made = office("2026-03-02T00:55:00Z")
    text = file(schedule="interval: 1h, exclude: [freeze], on_closure: hold", command=HANG) + FREEZE
    text = text.replace("after: 30m", "after: 45m")
    await made.up(text.replace("    notify", "    idempotent: true\n    overlap: allow\n    notify"))
    await made.pass_on(timedelta(minutes=5), minutes=38)
    await made.dispatcher.executor.drain()  # it is asked to stop, and held
    await made.pass_on(timedelta(minutes=5), hours=2, minutes=27)
    assert [(str(run.state), run.reason.partition(":")[0]) for run in made.runs()] == [
        ("retrying", "held"),
        *[("skipped", 'calendar "freeze"')] * 3,
    ]
    assert [state for state, _ in sent(made)] == ["pending"]
    await made.pass_on(timedelta(minutes=5), minutes=55)
    (mail,) = file.server.mails
    assert "Due:     Mon 2026-03-02 01:00:00 UTC" in mail.get_content()
    assert "is still at work" in mail.get_content()


async def test_what_a_calendar_does_not_let_start_is_told_to_nobody(office, file):
    """Due before a closure and not begun by then, after downtime: held like one that was at work; then it is told."""
    text = file(schedule="interval: 4h, exclude: [freeze], on_closure: hold", command=HANG) + FREEZE
    text = text.replace("    notify", "    idempotent: true\n    notify")
    made = office("2026-03-01T23:59:00Z")
    await made.up(text)
    await made.crash()
    made.clock.set(datetime.fromisoformat("2026-03-02T01:35:00Z"))
    await made.up(text)
    await made.pass_on(timedelta(minutes=15), hours=2)
    assert [(str(run.state), f"{run.fire_time:%H:%M}") for run in made.runs()] == [("pending", "00:00")]
    assert file.server.mails == []
    await made.pass_on(timedelta(minutes=15), minutes=70)
    (mail,) = file.server.mails
    assert "is still at work" in mail.get_content()


async def test_what_a_change_of_a_calendar_leaves_unmoved_is_told_to_nobody(office, file):
    """A day that has succeeded is closed afterwards: the row where it would have been moved is nobody's fault."""
    made = office("2026-03-02T09:59:00Z")
    monday = 'weekly: {on: [monday]}, at: "10:00"'
    await made.up(file(schedule=monday, command="true"))
    await made.tick(minutes=1)
    closed = file(schedule=f"{monday}, exclude: [freeze], on_exclude: next-day", command="true")
    await made.reload(f"{closed}calendars: {{freeze: {{dates: [2026-03-02]}}}}\n")
    await made.tick(timedelta(hours=6), hours=26)
    assert [str(run.state) for run in made.runs()] == ["succeeded", "skipped"]
    assert file.server.mails == []


async def test_a_notice_of_a_clock_that_was_ahead_hides_nothing(office, file):
    """The clock was a year ahead and is set back: what is late by the right time is told."""
    made = office("2027-03-01T23:59:00Z")
    await made.up(file(schedule="interval: 1h"))
    await made.tick(timedelta(minutes=10), minutes=40)
    assert len(file.server.mails) == 1
    made.clock.set(datetime.fromisoformat("2026-03-01T23:59:00Z"))
    await made.reload(file(schedule="interval: 1h, until: 2028-01-01"))
    await made.tick(timedelta(minutes=10), minutes=40)
    assert len(file.server.mails) == 2
