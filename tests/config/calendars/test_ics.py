"""iCalendar files: what their events close, and how a file that cannot be acted on is refused."""

from datetime import UTC, datetime

import pytest

from config import ConfigError, loads

TEXT = """
version: 1
calendars:
  team: {ics: team.ics}
jobs:
  - name: job
    schedule: {daily: , at: "12:00", timezone: Europe/Berlin, exclude: [team]}
    run: {command: {argv: ["true"]}}
"""


@pytest.fixture
def team(tmp_path):
    """A function: the closures of a file with these lines in its calendar."""

    def made(*lines, whole=None):
        body = "\n".join(lines)
        text = (
            f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//y//EN\n{body}\nEND:VCALENDAR\n"
            if whole is None
            else whole
        )
        data = text if isinstance(text, bytes) else text.replace("\n", "\r\n").encode()
        (tmp_path / "team.ics").write_bytes(data)
        return loads(TEXT, file="jobs.yaml", folder=tmp_path).jobs["job"].closures

    return made


def event(*lines, uid="1", summary="Freeze"):
    """An event."""
    return "\n".join(["BEGIN:VEVENT", f"UID:{uid}", f"SUMMARY:{summary}", *lines, "END:VEVENT"])


def begins(found, since="2026-01-01", until="2027-01-01"):
    """When closures begin and end, as texts."""
    told, low = [], datetime.fromisoformat(since).replace(tzinfo=UTC)
    high = datetime.fromisoformat(until).replace(tzinfo=UTC)
    while (one := found.following(low, high)) is not None:
        told.append(f"{one.start:%m-%dT%H:%M}/{one.end:%m-%dT%H:%M}")
        low = one.start
    return told


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["DTSTART;VALUE=DATE:20261225"], ["12-24T23:00/12-25T23:00"]),
        (["DTSTART;VALUE=DATE:20261225", "DTEND;VALUE=DATE:20261228"], ["12-24T23:00/12-27T23:00"]),
        (["DTSTART:20261225T100000Z", "DTEND:20261225T120000Z"], ["12-25T10:00/12-25T12:00"]),
        (["DTSTART:20261225T100000", "DURATION:PT2H"], ["12-25T09:00/12-25T11:00"]),
        (["DTSTART;TZID=America/New_York:20261225T100000", "DURATION:PT2H"], ["12-25T15:00/12-25T17:00"]),
        (["DTSTART;TZID=Tokyo Standard Time:20261225T100000", "DURATION:PT2H"], ["12-25T01:00/12-25T03:00"]),
        (["DTSTART:20261225T100000Z"], []),
        (["DTSTART;VALUE=DATE:20261225", "DTEND;VALUE=DATE:20261225"], ["12-24T23:00/12-25T23:00"]),
        (
            ["DTSTART;TZID=Europe/Berlin:20260328T023000", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=2"],
            ["03-28T01:30/03-28T02:30", "03-29T01:00/03-29T01:30"],
        ),
        (["DTSTART;VALUE=DATE:20261225", "STATUS:CANCELLED"], []),
        (["DTSTART;VALUE=DATE:20261225", "TRANSP:TRANSPARENT"], []),
        (["DTSTART;VALUE=DATE:20261225", "STATUS:TENTATIVE", "TRANSP:OPAQUE"], ["12-24T23:00/12-25T23:00"]),
        (["DTSTART;VALUE=DATE:20001231", "RRULE:FREQ=YEARLY"], ["12-30T23:00/12-31T23:00"]),
        (
            ["DTSTART;TZID=Europe/Berlin:20260320T100000", "DURATION:PT1H", "RRULE:FREQ=WEEKLY;COUNT=3"],
            ["03-20T09:00/03-20T10:00", "03-27T09:00/03-27T10:00", "04-03T08:00/04-03T09:00"],
        ),
        (
            ["DTSTART;VALUE=DATE:20260105", "RRULE:FREQ=MONTHLY;UNTIL=20260401", "EXDATE;VALUE=DATE:20260205"],
            ["01-04T23:00/01-05T23:00", "03-04T23:00/03-05T23:00"],
        ),
        (
            ["DTSTART;VALUE=DATE:20260105", "RDATE;VALUE=DATE:20260707"],
            ["01-04T23:00/01-05T23:00", "07-06T22:00/07-07T22:00"],
        ),
    ],
)
def test_an_event_closes(team, lines, told) -> None:
    """Whole days and floating times are the job's zone's; zones by name, Windows names; recurrence and exceptions."""
    assert begins(team(event(*lines))) == told


def test_changed_and_cancelled_instances(team) -> None:
    """An instance that was moved closes where it is now, a cancelled one nothing; of the rest the rule stands."""
    found = team(
        event("DTSTART;VALUE=DATE:20260105", "RRULE:FREQ=WEEKLY;COUNT=4"),
        event("RECURRENCE-ID;VALUE=DATE:20260112", "DTSTART;VALUE=DATE:20260114", summary="Moved"),
        event("RECURRENCE-ID;VALUE=DATE:20260119", "DTSTART;VALUE=DATE:20260119", "STATUS:CANCELLED"),
    )
    assert begins(found) == ["01-04T23:00/01-05T23:00", "01-13T23:00/01-14T23:00", "01-25T23:00/01-26T23:00"]
    moved = found.at(datetime(2026, 1, 14, 12, tzinfo=UTC))
    assert moved is not None
    assert (moved.calendar, moved.title) == ("team", "Moved")


def test_a_zone_of_the_files_own(team) -> None:
    """A VTIMEZONE that the file defines is used, wherever it stands; that of another file of one name is not."""
    at_ten = event("DTSTART;TZID=Mine:20261225T100000", "DURATION:PT1H")
    zone = (
        "BEGIN:VTIMEZONE\nTZID:Mine\nBEGIN:STANDARD\nDTSTART:16010101T000000\nTZOFFSETFROM:+0{0}00\n"
        "TZOFFSETTO:+0{0}00\nEND:STANDARD\nEND:VTIMEZONE"
    )
    assert begins(team(zone.format(3), at_ten)) == ["12-25T07:00/12-25T08:00"]
    assert begins(team(at_ten, zone.format(4))) == ["12-25T06:00/12-25T07:00"]
    with pytest.raises(ConfigError, match='"Mine" is no known time zone'):
        team(at_ten)


def test_a_zone_of_the_files_own_leaves_times_out_as_others_do(team) -> None:
    """An end that such a zone leaves out is read with the offset before the gap, a begin is when it changes."""
    parts = (("DAYLIGHT", "03", "0100", "0200"), ("STANDARD", "10", "0200", "0100"))
    rules = "\n".join(
        f"BEGIN:{name}\nDTSTART:16010101T020000\nTZOFFSETFROM:+{was}\nTZOFFSETTO:+{will}\n"
        f"RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH={month}\nEND:{name}"
        for name, month, was, will in parts
    )
    zone = f"BEGIN:VTIMEZONE\nTZID:Mine\n{rules}\nEND:VTIMEZONE"
    ends = event("DTSTART;TZID=Mine:20260328T220000", "DTEND;TZID=Mine:20260329T020000")
    begins_so = event("DTSTART;TZID=Mine:20260329T023000", "DTEND;TZID=Mine:20260329T033000", uid="2")
    assert begins(team(zone, ends)) == ["03-28T21:00/03-29T01:00"]
    assert begins(team(zone, begins_so)) == ["03-29T01:00/03-29T01:30"]


def test_events_are_told_however_far_away(team) -> None:
    """A rule without an end is told for any year that is asked for, and for none before its begin."""
    found = team(event("DTSTART;VALUE=DATE:20200229", "RRULE:FREQ=YEARLY"))
    assert begins(found, "2096-01-01", "2097-01-01") == ["02-28T23:00/02-29T23:00"]
    assert begins(found, "2000-01-01", "2019-01-01") == []


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([event()], 'the event "Freeze" has no DTSTART'),
        ([event("DTSTART:2026-12-25")], 'the event "Freeze": DTSTART: '),
        ([event("DTSTART:20261225T100000Z", "DTEND:20261224T100000Z")], 'the event "Freeze": DTEND lies before DTSTART'),
        ([event("DTSTART:20261225T100000Z", "DTEND;VALUE=DATE:20261226")],
         'the event "Freeze": one of DTSTART and DTEND is a date, the other a time'),
        ([event("DTSTART;TZID=No/Where:20261225T100000", "DURATION:PT2H")],
         'the event "Freeze": "No/Where" is no known time zone, and the file does not define it'),
        ([event("DTSTART:20261225T100000Z", "DURATION:PT2H", "RRULE:FREQ=DAILY", "EXDATE;TZID=No/Where:20261226T100000")],
         'the event "Freeze": "No/Where" is no known time zone, and the file does not define it'),
        ([event("DTSTART:20261225T100000Z", "DURATION:PT1S", f"RRULE:FREQ=DAILY;BYMINUTE={','.join(map(str, range(60)))}")],
         'the event "Freeze" recurs more often than daily; write it under weekly'),
        ([event("DTSTART;VALUE=DATE:20261225"), event("DTSTART;VALUE=DATE:20261226", summary="Other")],
         'the events "Freeze" and "Other" have the same UID, "1"'),
        ([event("DTSTART:20261225T100000Z", "DURATION:PT1M", "RRULE:FREQ=SECONDLY")],
         'the event "Freeze" recurs more often than daily; write it under weekly'),
        ([event("DTSTART:20261225T100000Z", "RRULE:FREQ=SOMETIMES")], 'the event "Freeze": RRULE: '),
        ([event("DTSTART:20261225T100000Z", "RRULE:FREQ=WEEKLY;UNTIL=20271301")], 'the event "Freeze": RRULE: '),
        (["BEGIN:VEVENT", "DTSTART:20261225T100000Z"], "it is not one whole iCalendar file: "),
        (["hello"], "it is not one whole iCalendar file: "),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_acted_on_is_refused(team, lines, message) -> None:
    """At the place of `ics:` in the YAML, with the event and the reason; nothing is passed over."""
    with pytest.raises(ConfigError) as refused:
        team(*lines)
    assert str(refused.value).startswith(f'jobs.yaml:4:15: calendars.team.ics: "team.ics": {message}')
    assert len(refused.value.faults) == 1


@pytest.mark.parametrize(
    "whole", ["", "hello", "BEGIN:VCARD\nEND:VCARD\n", b"BEGIN:VCALENDAR\r\n\xff\xfe\r\n", "\0"]
)
def test_what_is_no_calendar_is_refused(team, whole) -> None:
    """Other files, empty ones, other encodings."""
    with pytest.raises(ConfigError, match=r'"team\.ics": '):
        team(whole=whole)


def test_a_file_with_a_byte_order_mark_is_read(team) -> None:
    """As some tools write it."""
    text = f"BEGIN:VCALENDAR\nVERSION:2.0\n{event('DTSTART;VALUE=DATE:20261225')}\nEND:VCALENDAR\n"
    assert begins(team(whole=("\ufeff" + text).replace("\n", "\r\n").encode())) == ["12-24T23:00/12-25T23:00"]


def test_a_file_is_read_anew_with_the_configuration(team) -> None:
    """Its digest is another one when its text is, so that a reload takes it up."""
    first = team(event("DTSTART;VALUE=DATE:20261225")).digest
    assert team(event("DTSTART;VALUE=DATE:20261225")).digest == first
    assert team(event("DTSTART;VALUE=DATE:20261226")).digest != first
