"""iCalendar files: what their events close."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from config.calendars.spans import DAY, Span, span_of
from config.faults import quoted

if TYPE_CHECKING:
    from recurring_ical_events import CalendarQuery

LARGEST = 16 << 20
"""Bytes of a file, at the most."""

# Components are Any here: the library types what a property may be as a union of thirty classes.
_OFTEN = frozenset({"SECONDLY", "MINUTELY", "HOURLY"})
_SHOWN = 120


class IcsError(ValueError):
    """A file is no iCalendar file that can be acted on; its text says why."""


@dataclass(frozen=True)
class Ics:
    """`ics:`, a file that was read: its events are closed times, unless they are cancelled or transparent."""

    digest: str
    _events: CalendarQuery = field(repr=False, compare=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def spans(self, zone: ZoneInfo, first: date, last: date) -> Iterator[Span]:
        """The events that touch these days; whole days and floating times are those of `zone`."""
        begin, end = datetime.combine(first - DAY, time()), datetime.combine(last + 2 * DAY, time())
        with self._lock:
            found = self._events.between(begin, end)
        return (span for span in (_span(event, zone) for event in found) if span is not None)


def read_ics(path: Path) -> Ics:
    """The file at `path`.

    Raises:
        IcsError: It cannot be read, is no iCalendar file, or says what cannot be acted on.
    """
    import recurring_ical_events  # noqa: PLC0415 - a tenth of a second, for files that use it

    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise IcsError(f"it cannot be read: {error.strerror}") from None
    if len(data) > LARGEST:
        raise IcsError(f"it is larger than {LARGEST >> 20} MiB")
    calendar = _parsed(data)
    for event in calendar.walk("VEVENT"):
        _check(event)
    try:
        events = recurring_ical_events.of(calendar)
    except Exception as error:  # noqa: BLE001 - whatever foreign text makes the library raise
        raise IcsError(_short(f"its events cannot be told: {error}")) from None
    return Ics(hashlib.sha256(data).hexdigest(), events)


def _parsed(data: bytes) -> Any:
    from icalendar import Calendar  # noqa: PLC0415 - likewise

    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise IcsError(f"line {line} is not UTF-8") from None
    try:
        calendar = Calendar.from_ical(text)
    except Exception as error:  # noqa: BLE001 - likewise
        raise IcsError(_short(f"it is not one whole iCalendar file: {_at_line(text, str(error))}")) from None
    if calendar.name != "VCALENDAR":
        raise IcsError(f"it is not an iCalendar file: it begins with {quoted(str(calendar.name))}")
    return calendar


def _at_line(text: str, message: str) -> str:
    """The library's message, with the line that it names."""
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) > 1 and repr(line) in message:
            return f"line {number}: {message}"
    return message.splitlines()[0] if message else "it ends too early"


def _check(event: Any) -> None:
    """Refuse an event that would be passed over, or read as something that it is not."""
    name = f"the event {quoted(_title(event) or str(event.get('UID', '')))}"
    for key, fault in event.errors:
        raise IcsError(_short(f"{name}: {key}: {fault}"))
    if "DTSTART" not in event:
        raise IcsError(f"{name} has no DTSTART")
    for key in ("DTSTART", "DTEND", "RECURRENCE-ID"):
        value = event.get(key)
        if value is None:
            continue
        moment, zone = _moment(value, f"{name}: {key}"), value.params.get("TZID")
        if zone is not None and isinstance(moment, datetime) and moment.tzinfo is None:
            raise IcsError(f"{name}: {quoted(str(zone))} is no known time zone, and the file does not define it")
    _check_order(event, name)
    rules = event.get("RRULE", [])
    for rule in rules if isinstance(rules, list) else [rules]:
        if set(rule.get("FREQ", [])) & _OFTEN:
            raise IcsError(f"{name} recurs more often than daily; write it under weekly")
    if rules or "RDATE" in event:
        _expanded(event, name)


def _moment(value: Any, name: str) -> date:
    try:
        moment: date = value.dt
    except Exception as error:  # noqa: BLE001 - likewise
        raise IcsError(_short(f"{name}: {error}")) from None
    return moment


def _check_order(event: Any, name: str) -> None:
    end = event.get("DTEND")
    start = event["DTSTART"].dt
    if end is None:
        return
    if isinstance(start, datetime) != isinstance(end.dt, datetime):
        raise IcsError(f"{name}: one of DTSTART and DTEND is a date, the other a time")
    if _instant(end.dt, ZoneInfo("UTC")) < _instant(start, ZoneInfo("UTC")):
        raise IcsError(f"{name}: DTEND lies before DTSTART")


def _expanded(event: Any, name: str) -> None:
    """Try the event's recurrence: what it raises is told now, not when a job is due."""
    import recurring_ical_events  # noqa: PLC0415 - as above
    from icalendar import Calendar  # noqa: PLC0415 - as above

    alone = Calendar()
    alone.add_component(event)
    day = _instant(event["DTSTART"].dt, ZoneInfo("UTC")).replace(tzinfo=None)
    try:
        recurring_ical_events.of(alone).between(day, day + timedelta(days=1))
    except Exception as error:  # noqa: BLE001 - likewise
        raise IcsError(_short(f"{name}: {error}")) from None


def _title(event: Any) -> str:
    return " ".join(str(event.get("SUMMARY", "")).split())[:_SHOWN]


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 2 * _SHOWN else line[: 2 * _SHOWN - 1] + "…"


def _span(event: Any, zone: ZoneInfo) -> Span | None:
    """What one occurrence of an event closes; None if nothing."""
    if (
        str(event.get("STATUS", "")).upper() == "CANCELLED"
        or str(event.get("TRANSP", "")).upper() == "TRANSPARENT"
    ):
        return None
    start, end = (_instant(event[key].dt, zone) for key in ("DTSTART", "DTEND"))
    return Span(start, end, _title(event)) if start < end else None


def _instant(moment: date, zone: ZoneInfo) -> datetime:
    """A date is the beginning of that day, a time without a zone one of the clock on the wall, both in `zone`."""
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time())
    if moment.tzinfo is not None:
        return moment.astimezone(UTC)
    return span_of(zone, moment, moment).start
