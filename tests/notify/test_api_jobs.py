"""Notifications of jobs that were made through the CCS API: the given words, the given addresses."""

from datetime import UTC, datetime

from runners.ccs.definition import ORIGIN, source_of
from runners.ccs.wire import parse_create_job

FILE = """
version: 1
settings: {smtp: SMTP}
collectors:
  symc-linux: {collect: [/bin/sh, -c, 'case $0 in *1) echo data;; *) exit 1;; esac', "{asset.id}"]}
jobs: []
"""


def request(name, asset, **more):
    """A Create Job request with both notifications, as the vendor's script writes them."""
    mail = {
        "FromEmailAddress": "ccs@example.com",
        "ToEmailAddress": "one@example.com; two@example.com,three@example.com",
    }
    return {
        "JobType": "CollectionJob",
        "JobDetails": {
            "JobName": name,
            "AssetsResolutionInfo": [{"Id": f"00000000-0000-0000-0000-00000000000{asset}", "Type": "symc-linux"}],
            "Standards": ["6B020D29-5FE8-47D0-BD89-CCD3339A5EBE"],
            "SuccessNotification": mail | {"Subject": "Fertig: ✓", "Body": "Success notification message"},
            "FailureNotification": mail | {"Subject": "Nicht fertig", "Body": "Failure\r\nnotification"},
            "ShouldSendSuccessNotification": "true",
            "ShouldSendFailureNotification": "true",
            **more,
        },
    }


async def test_notifications_of_a_ccs_job_go_out_verbatim(office, mail_server, operator):
    """Success and failure to every address of ToEmailAddress, from FromEmailAddress; switched off, to nobody."""
    server, made = mail_server(), office()
    await made.up(FILE.replace("SMTP", server.settings()))
    off = {"ShouldSendSuccessNotification": False}
    for body in (request("Good Job", 1), request("Bad Job", 2), request("Silent Job", 1, **off)):
        created_at = datetime(2026, 3, 2, tzinfo=UTC)
        source = source_of(parse_create_job(body), zone="UTC", weekday_codec="dotnet", created_at=created_at)
        row = await made.control.create(ORIGIN, source, operator)
        await made.ran(row.name)
        await made.carry()
    good, bad = server.mails
    for mail, subject, text in (
        (good, "Fertig: ✓", "Success notification message"),
        (bad, "Nicht fertig", "Failure\nnotification"),
    ):
        assert mail["subject"] == subject
        assert mail.get_content().replace("\r\n", "\n").rstrip("\n") == text
        assert mail.got == ["one@example.com", "two@example.com", "three@example.com"]
        assert mail.envelope.mail_from == "ccs@example.com"
    assert [(one.job, one.about, str(one.state)) for one in made.outbox()] == [
        ("Good Job", "success", "delivered"),
        ("Bad Job", "failure", "delivered"),
    ]
