"""iCalendar files: what their events close."""

from __future__ import annotations

import hashlib
import math
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from config.calendars.spans import DAY, Span, span_of
from config.faults import quoted
from recurrence.walltime import transition

if TYPE_CHECKING:
    from recurring_ical_events import CalendarQuery

LARGEST = 16 << 20
"""Bytes of a file, at the most."""

# Components are Any here: the library types what a property may be as a union of thirty classes.
_OFTEN = frozenset({"SECONDLY", "MINUTELY", "HOURLY"})
_OF_DAY = ("BYHOUR", "BYMINUTE", "BYSECOND")
_MOST = 24
"""Times of one day at which an event may recur."""

_TIMES = ("DTSTART", "DTEND", "DURATION", "RRULE", "STATUS")
_SHOWN = 120

_ZONES = threading.Lock()


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
    found = calendar.walk("VEVENT")
    for event in found:
        _check(event)
    _check_once(found)
    try:
        events = recurring_ical_events.of(calendar)
    except Exception as error:  # noqa: BLE001 - whatever foreign text makes the library raise
        raise IcsError(_short(f"its events cannot be told: {error}")) from None
    return Ics(hashlib.sha256(data).hexdigest(), events)


def _parsed(data: bytes) -> Any:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise IcsError(f"line {line} is not UTF-8") from None
    try:
        calendar = _with_its_zones(text)
    except Exception as error:  # noqa: BLE001 - likewise
        raise IcsError(_short(f"it is not one whole iCalendar file: {_at_line(text, str(error))}")) from None
    if calendar.name != "VCALENDAR":
        raise IcsError(f"it is not an iCalendar file: it begins with {quoted(str(calendar.name))}")
    return calendar


def _with_its_zones(text: str) -> Any:
    """The library's calendar, with the zones that this file defines, wherever it does so, and those of no other.

    The library keeps zones by their names for all files, as it meets them.
    """
    from icalendar import Calendar  # noqa: PLC0415 - likewise
    from icalendar.timezone import tzp  # noqa: PLC0415 - likewise

    with _ZONES:
        tzp.use_zoneinfo()  # forgets them
        calendar = Calendar.from_ical(text)
        names = [part.name for part in calendar.subcomponents]
        if "VEVENT" in names and "VTIMEZONE" in names[names.index("VEVENT") :]:
            calendar = Calendar.from_ical(text)
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
    for key in ("DTSTART", "DTEND", "RECURRENCE-ID", "EXDATE", "RDATE"):
        for value in _each(event, key):
            moments = (
                [one.dt for one in value.dts] if hasattr(value, "dts") else [_moment(value, f"{name}: {key}")]
            )
            _check_zone(value.params.get("TZID"), moments, name)
    _check_order(event, name)
    rules = _each(event, "RRULE")
    for rule in rules:
        if set(rule.get("FREQ", [])) & _OFTEN or math.prod(len(rule.get(part, "?")) for part in _OF_DAY) > _MOST:
            raise IcsError(f"{name} recurs more often than daily; write it under weekly")
    if rules or "RDATE" in event:
        _expanded(event, name)


def _each(event: Any, key: str) -> list[Any]:
    """The values of a property that may be there several times."""
    found = event.get(key, [])
    return found if isinstance(found, list) else [found]


def _check_zone(zone: Any, moments: Sequence[Any], name: str) -> None:
    """Refuse a zone that nobody knows: its times were read as floating ones."""
    begins = [moment[0] if isinstance(moment, tuple) else moment for moment in moments]
    if zone is not None and any(isinstance(one, datetime) and one.tzinfo is None for one in begins):
        raise IcsError(f"{name}: {quoted(str(zone))} is no known time zone, and the file does not define it")


def _check_once(events: Sequence[Any]) -> None:
    """Refuse two that claim to be one: of these the library takes the first, and the other would close nothing."""
    known: dict[tuple[Any, ...], Any] = {}
    for event in events:
        if "UID" not in event:
            continue
        of = event["RECURRENCE-ID"].dt if "RECURRENCE-ID" in event else None
        other = known.setdefault((str(event["UID"]), of, event.get("SEQUENCE", 0)), event)
        if any(other.get(key) != event.get(key) for key in _TIMES):
            names = f"{quoted(_title(other))} and {quoted(_title(event))}"
            raise IcsError(_short(f"the events {names} have the same UID, {quoted(str(event['UID']))}"))


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
    first, last = event["DTSTART"].dt, event["DTEND"].dt
    if first == last and not isinstance(first, datetime):
        last += DAY  # some programs write a whole day so
    start, end = _begin(first, zone), _instant(last, zone)
    return Span(start, end, _title(event)) if start < end else None


def _begin(moment: date, zone: ZoneInfo) -> datetime:
    """As `_instant`, for the begin of an event: where clocks leave it out it is when they change."""
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        wall = moment if isinstance(moment, datetime) else datetime.combine(moment, time())
        return span_of(zone, wall, wall).start
    instant = _instant(moment, zone)
    if _shown(instant, moment):
        return instant
    later = (moment + DAY).utcoffset() or timedelta(0)
    return transition(moment.tzinfo, moment.replace(tzinfo=UTC) - later, instant)


def _instant(moment: date, zone: ZoneInfo) -> datetime:
    """A date is the beginning of that day, a time without a zone one of the clock on the wall, both in `zone`.

    A time that clocks leave out is read with the offset before that, by a zone of the file's own too.
    """
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time())
    if moment.tzinfo is None:
        return span_of(zone, moment, moment).end
    instant = moment.astimezone(UTC)
    if _shown(instant, moment):
        return instant
    return moment.replace(tzinfo=UTC) - ((moment - DAY).utcoffset() or timedelta(0))


def _shown(instant: datetime, moment: datetime) -> bool:
    """Whether clocks of its zone show `moment` at `instant`."""
    return instant.astimezone(moment.tzinfo).replace(tzinfo=None) == moment.replace(tzinfo=None)
