"""Mail through a real SMTP server with STARTTLS and authentication: sent once, whatever is in the way."""

import asyncio
import re
from datetime import timedelta

import pytest

from config import ConfigError
from scheduler.ledger import deliveries

JOBS = """
version: 1
settings:
  timezone: America/New_York
  smtp: SMTP
jobs:
  - name: good
    run: {command: {argv: [/bin/true]}}
    notify:
      success: {to: [ops@example.com, audit@example.com], subject: "Grüße: läuft", body: "Alles gut — ✓\\n.\\nEnde"}
      failure: {to: ops@example.com}
  - name: bad
    run: {command: {argv: [/bin/sh, -c, "echo broken >&2; exit 3"]}}
    notify: {success: {to: ops@example.com}, failure: {to: ops@example.com}}
  - name: quiet
    run: {command: {argv: [/bin/true]}}
    notify: {failure: {to: ops@example.com}}
"""


def jobs(server, **more):
    """The file for this server."""
    return JOBS.replace("SMTP", server.settings(**more))


async def test_success_is_told_once_to_all_in_the_given_words(office, mail_server):
    """Subject and body arrive as they are written, in one mail to every recipient, over TLS, after a login."""
    server, made = mail_server(), office()
    await made.up(jobs(server))
    await made.ran("good")
    await made.carry()
    await made.carry()
    (mail,) = server.mails
    assert mail["subject"] == "Grüße: läuft"
    assert mail.get_content().replace("\r\n", "\n").rstrip("\n") == "Alles gut — ✓\n.\nEnde"
    assert mail.got == ["ops@example.com", "audit@example.com"]
    assert mail["to"] == "ops@example.com, audit@example.com"
    assert (mail["from"], mail.envelope.mail_from) == ("jobsd@example.com", "jobsd@example.com")
    assert mail["auto-submitted"] == "auto-generated"
    assert mail["message-id"] == f"<{made.outbox()[0].delivery_id}@example.com>"
    assert mail["date"].datetime.isoformat() == "2026-03-02T00:00:00+00:00"
    assert mail.envelope.tls
    assert server.logins == 1
    assert made.fates() == [("success", "delivered")]


async def test_failure_is_told_in_plain_words(office, mail_server):
    """Where nothing is given, the mail names the job, the reason, the time in both zones, the run and the command."""
    server, made = mail_server(), office()
    await made.up(jobs(server))
    run = await made.ran("bad")
    await made.carry()
    (mail,) = server.mails
    text = mail.get_content()
    assert mail["subject"] == "jobsd: bad failed"
    assert "The job bad failed." in text
    assert run.reason in text
    assert "Sun 2026-03-01 19:00:00 EST (Mon 2026-03-02 00:00:00 UTC)" in text
    assert f"jobsd show {run.run_id}" in text


async def test_who_asked_for_failures_hears_of_no_success(office, mail_server):
    """A job without `success` sends nothing when it succeeds."""
    server, made = mail_server(), office()
    await made.up(jobs(server))
    await made.ran("quiet")
    await made.carry()
    assert (made.outbox(), server.mails) == ([], [])


async def test_a_mail_waits_for_its_server_and_is_sent_once(office, mail_server):
    """An hour without a server: tried ever more rarely, then delivered once, as it was written at first."""
    server, made = mail_server(up=False), office()
    await made.up(jobs(server))
    await made.ran("good")
    await made.carry()
    await made.tick(hours=1)
    (waiting,) = made.outbox()
    assert waiting.state == "pending"
    assert "cannot be used" in waiting.reason
    assert 5 <= waiting.tries <= 8
    server.up()
    await made.tick(hours=2)
    (mail,) = server.mails
    assert mail["date"].datetime.isoformat() == "2026-03-02T00:00:00+00:00"
    assert made.fates() == [("success", "delivered")]


async def test_after_a_week_it_is_given_up(office, mail_server):
    """Seven days of tries, then it is refused with the last reason; an operator may send it again."""
    server, made = mail_server(up=False), office()
    await made.up(jobs(server))
    await made.ran("bad")
    await made.carry()
    await made.tick(days=7, step=timedelta(hours=1))
    await made.tick(hours=2)
    (one,) = made.outbox()
    assert one.state == "refused"
    assert one.reason.startswith("given up after 7 days: the mail server cannot be used")
    assert one.tries > 150


async def test_a_refused_recipient_hides_no_other(office, mail_server, operator):
    """550 for one of two: the other has the mail, the delivery is refused in the server's words, resent to the one."""
    server, made = mail_server(), office()
    server.refuse = {"audit@example.com": "550 5.1.1 no such user here"}
    await made.up(jobs(server))
    await made.ran("good")
    await made.carry()
    (one,) = made.outbox()
    assert one.state == "refused"
    assert one.reason == "audit@example.com: 550 5.1.1 no such user here; delivered to ops@example.com"
    server.refuse = {}
    at = made.clock.now()
    await made.ledger.write(lambda c: deliveries.resend(c, one.delivery_id, at=at, actor=operator))
    await made.carry()
    first, second = server.mails
    assert (first.got, second.got) == (["ops@example.com"], ["audit@example.com"])
    assert first["message-id"] == second["message-id"]
    assert first["to"] == second["to"]
    assert made.fates() == [("success", "delivered")]


async def test_a_recipient_put_off_gets_it_later_and_alone(office, mail_server):
    """450 for one of two: only that one is tried again."""
    server, made = mail_server(), office()
    server.refuse = {"audit@example.com": "450 4.2.1 busy"}
    await made.up(jobs(server))
    await made.ran("good")
    await made.carry()
    assert made.fates() == [("success", "pending")]
    assert made.outbox()[0].reason == "audit@example.com: 450 4.2.1 busy"
    server.refuse = {}
    await made.tick(minutes=1)
    assert [mail.got for mail in server.mails] == [["ops@example.com"], ["audit@example.com"]]
    assert made.fates() == [("success", "delivered")]


@pytest.mark.parametrize(
    ("answer", "state"), [("451 try again", "pending"), ("554 5.7.1 looks like spam", "refused")]
)
async def test_what_the_server_says_to_the_text_decides(office, mail_server, answer, state):
    """4xx to the data: later; 5xx: refused, in its words."""
    server, made = mail_server(), office()
    server.answer = answer
    await made.up(jobs(server))
    await made.ran("good")
    await made.carry()
    (one,) = made.outbox()
    assert (str(one.state), one.reason) == (state, f"the mail server answers {answer}")


async def test_a_wrong_password_keeps_the_mail(office, mail_server):
    """An account that is not taken is an operator's to mend: tried again, and delivered with the new password."""
    server, made = mail_server(), office()
    server.password = "another"
    await made.up(jobs(server))
    await made.ran("good")
    await made.carry()
    (one,) = made.outbox()
    assert one.state == "pending"
    assert "does not take the account: 535" in one.reason
    await made.reload(jobs(server, password="another"))
    await made.tick(minutes=1)
    assert made.fates() == [("success", "delivered")]


async def test_the_password_is_in_no_row(office, mail_server):
    """Neither a literal password nor the body of it gets into the ledger's file."""
    server, made = mail_server(), office()
    await made.up(jobs(server))
    await made.ran("good")
    await made.carry()
    await made.down()
    for path in (made.folder / "state").iterdir():
        if path.is_file():
            assert b"of-the-mailer" not in path.read_bytes()


@pytest.mark.parametrize("kind", ["other authority", "no STARTTLS"])
async def test_nothing_goes_to_a_server_that_is_not_proven(office, mail_server, kind):
    """A certificate of another authority, or no STARTTLS at all: neither mail nor password is sent."""
    server, made = mail_server(starttls=kind != "no STARTTLS", auth=kind != "no STARTTLS"), office()
    more = {"ca": str(mail_server(up=False).ca_file)} if kind == "other authority" else {}
    await made.up(jobs(server, **more))
    await made.ran("good")
    await made.carry()
    assert made.fates() == [("success", "pending")]
    assert (server.mails, server.logins) == ([], 0)


async def test_verification_can_be_switched_off(office, mail_server):
    """With `verify: false` any certificate will do."""
    server, made = mail_server(), office()
    await made.up(jobs(server, ca=str(mail_server(up=False).ca_file), verify=False))
    await made.ran("good")
    await made.carry()
    assert made.fates() == [("success", "delivered")]


async def test_a_crash_between_the_commit_and_the_sending_loses_nothing(office, mail_server):
    """The row is there when the daemon dies; the next one sends it, once."""
    server, made = mail_server(), office()
    await made.up(jobs(server))
    await made.ran("good")
    await made.crash()
    await made.up(jobs(server))
    await made.carry()
    assert len(server.mails) == 1
    assert made.fates() == [("success", "delivered")]


async def test_a_crash_while_sending_repeats_under_the_same_id(office, mail_server):
    """Cut off before the answer: the next daemon sends it again with the Message-ID it had."""
    server, made = mail_server(), office()
    await made.up(jobs(server))
    await made.ran("good")
    server.held.clear()
    await made.courier.turn()
    async with asyncio.timeout(20):
        while not server.logins:
            await asyncio.sleep(0.01)
    expected = made.outbox()[0].delivery_id
    await made.crash()
    server.held.set()
    await made.up(jobs(server))
    await made.carry()
    assert {mail["message-id"] for mail in server.mails} == {f"<{expected}@example.com>"}
    assert made.fates() == [("success", "delivered")]


async def test_without_a_mail_server_it_is_refused(office, mail_server):
    """A configuration that loses its mail server refuses what waits, and says what to write."""
    server, made = mail_server(up=False), office()
    await made.up(jobs(server))
    await made.ran("good")
    with pytest.raises(ConfigError, match=re.escape("a mail needs a mail server; write settings.smtp")):
        await made.reload(JOBS.replace("  smtp: SMTP\n", ""))
    await made.reload("version: 1\njobs: [{name: good, run: {command: {argv: [/bin/true]}}}]")
    await made.carry()
    assert [str(one.state) for one in made.outbox()] == ["refused"]
    assert made.outbox()[0].reason == "there is no mail server: write settings.smtp"


async def test_no_header_can_be_smuggled_in(office, mail_server):
    """Line ends in a subject become spaces; an address with one is refused as none."""
    server, made = mail_server(), office()
    await made.up(jobs(server))
    at = made.clock.now()
    base = {"sender": None, "text": "x"}
    bodies = [
        {**base, "to": ["ops@example.com"], "subject": "one\r\nBcc: evil@example.com\r\n\r\nbody"},
        {**base, "to": ["ops@example.com\r\nRCPT TO:<evil@example.com>"], "subject": "two"},
        {**base, "to": ["ops@example.com"], "subject": "three", "sender": "a@b\nX: y"},
    ]
    for body in bodies:
        await made.ledger.write(
            lambda c, body=body: deliveries.create(c, kind="mail", about="success", target="x", body=body, at=at)
        )
    await made.carry()
    (mail,) = server.mails
    assert mail["subject"] == "one Bcc: evil@example.com body"
    assert mail["bcc"] is None
    assert mail.got == ["ops@example.com"]
    assert [str(one.state) for one in made.outbox()] == ["delivered", "refused", "refused"]
    assert "is no address" in made.outbox()[1].reason


async def test_addresses_with_names_and_without_any(office, mail_server):
    """What API clients write as a recipient may have a name; a mail to nobody is refused."""
    server, made = mail_server(), office()
    await made.up(jobs(server))
    at = made.clock.now()
    for to in (['"Prüfer, Grün" <ops@example.com>', "Team <audit@example.com>"], []):
        body = {"to": to, "sender": "jobsd at CCS <ccs@example.com>", "subject": "s", "text": "t"}
        await made.ledger.write(
            lambda c, body=body: deliveries.create(c, kind="mail", about="success", target="x", body=body, at=at)
        )
    await made.carry()
    (mail,) = server.mails
    assert (mail.got, mail.envelope.mail_from) == (["ops@example.com", "audit@example.com"], "ccs@example.com")
    assert [(one.display_name, one.addr_spec) for one in mail["to"].addresses] == [
        ("Prüfer, Grün", "ops@example.com"),
        ("Team", "audit@example.com"),
    ]
    assert [str(one.state) for one in made.outbox()] == ["delivered", "refused"]


@pytest.mark.parametrize("utf8", [True, False])
async def test_addresses_beyond_ascii(office, mail_server, utf8):
    """A domain goes in its ASCII form; a name needs a server that speaks SMTPUTF8, or is refused."""
    server, made = mail_server(smtputf8=utf8), office()
    await made.up(jobs(server))
    at = made.clock.now()
    for to in ("ops@bücher.example", "grün@example.com"):
        body = {"to": [to], "sender": None, "subject": "s", "text": "t"}
        await made.ledger.write(
            lambda c, body=body: deliveries.create(c, kind="mail", about="success", target="x", body=body, at=at)
        )
    await made.carry()
    got = {name for mail in server.mails for name in mail.got}
    assert got == {"ops@xn--bcher-kva.example"} | ({"grün@example.com"} if utf8 else set())
    assert sorted(str(one.state) for one in made.outbox()) == (
        ["delivered", "delivered"] if utf8 else ["delivered", "refused"]
    )


async def test_tls_from_the_first_byte(office, mail_server, monkeypatch):
    """On the port for that (465, another one here) the connection begins with TLS."""
    server, made = mail_server(implicit=True, auth=False), office()
    monkeypatch.setattr("jobsd.notify.mail.TLS_PORT", server.port)
    await made.up(jobs(server))
    await made.ran("good")
    await made.carry()
    assert made.fates() == [("success", "delivered")]
    assert len(server.mails) == 1


async def test_a_run_that_is_late_is_told_while_it_lasts(office, mail_server):
    """Due some time after the fire time: told once if the run has not ended, void if it has."""
    server, made = mail_server(), office("2026-03-02T00:00:00Z")
    text = f"""
version: 1
settings: {{smtp: {server.settings()}}}
jobs:
  - name: slow
    schedule: {{start: 2026-03-02T00:10:00, once: true}}
    run: {{command: {{argv: [/bin/sh, -c, "until [ -e {made.folder}/go ]; do sleep 0.02; done"]}}}}
    notify: {{late: {{after: 30m, to: ops@example.com}}}}
  - name: quick
    schedule: {{start: 2026-03-02T00:10:00, once: true}}
    run: {{command: {{argv: [/bin/true]}}}}
    notify: {{late: {{after: 30m, to: ops@example.com}}}}
"""
    await made.up(text)

    async def pass_on(**delta):
        made.clock.advance(timedelta(**delta))
        made.dispatcher.alarm.wake()
        await asyncio.sleep(0)
        await made.dispatcher.turn()
        await made.carry()

    await pass_on(minutes=11)
    async with asyncio.timeout(20):
        while {str(run.state) for run in made.runs() if run.job == "quick"} != {"succeeded"}:
            await asyncio.sleep(0.02)
    assert made.fates() == [("late", "pending")] * 2
    await pass_on(minutes=28)
    assert server.mails == []
    await pass_on(minutes=2)
    (mail,) = server.mails
    assert mail["subject"] == "jobsd: slow is late"
    assert "has not ended in time: it is still at work" in mail.get_content()
    assert {one.job: str(one.state) for one in made.outbox()} == {"slow": "delivered", "quick": "void"}
    (made.folder / "go").touch()
    await made.settle()


async def test_what_is_being_sent_is_finished_at_the_stop(office, mail_server):
    """The daemon's stop waits for the server's answer, and begins nothing more."""
    server, made = mail_server(), office()
    await made.up(jobs(server))
    await made.ran("good")
    server.held.clear()
    await made.courier.turn()
    stopping = asyncio.create_task(made.courier.stop())
    await asyncio.sleep(0.2)
    assert not stopping.done()
    server.held.set()
    await stopping
    assert made.fates() == [("success", "delivered")]
