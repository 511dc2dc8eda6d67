"""The calendars of a file, read and checked once, and the closures that they give to jobs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from yaml.nodes import Node, SequenceNode

from config.calendars.expanded import Expanded, NamedCalendar
from config.calendars.holidays import Holidays, UnknownCountryError
from config.calendars.ics import Ics, IcsError, read_ics
from config.calendars.spans import Dates, Source, Weekly
from config.faults import quoted
from config.inventory import Calendar
from config.references import FileReading, entry_of
from recurrence.closures import ALWAYS_OPEN, Closures


class Book:
    """Calendars by name; each iCalendar file is read once, and jobs of one zone share what is told of them."""

    def __init__(self, calendars: Mapping[str, Calendar], node: Node | None, reading: FileReading) -> None:
        self._reading = reading
        self._files: dict[Path, Ics | str] = {}
        self._closures: dict[tuple[str, tuple[str, ...]], Closures] = {}
        self._named = {
            name: NamedCalendar(name, tuple(self._sources(name, calendar, entry_of(node, name))))
            for name, calendar in calendars.items()
        }

    def closures(self, names: tuple[str, ...], zone: str) -> Closures:
        """What the calendars of these names close in an IANA zone; one with faults closes nothing."""
        if not names:
            return ALWAYS_OPEN
        found = self._closures.get((zone, names))
        if found is None:
            found = Expanded(zone, [self._named[name] for name in names if name in self._named])
            self._closures[(zone, names)] = found
        return found

    def _sources(self, name: str, calendar: Calendar, node: Node | None) -> Iterator[Source]:
        if calendar.dates:
            yield Dates(calendar.dates)
        if calendar.weekly:
            yield Weekly(calendar.weekly)
        place, path = entry_of(node, "ics"), f"calendars.{name}.ics"
        if calendar.ics is not None and place is not None and (events := self._ics(calendar.ics, place, path)):
            yield events
        for number, code in enumerate(calendar.countries):
            try:
                yield Holidays(code)
            except UnknownCountryError as error:
                self._reading.fault(
                    _item(entry_of(node, "countries"), number), f"calendars.{name}.countries", str(error)
                )

    def _ics(self, name: str, node: Node, path: str) -> Ics | None:
        file = self._reading.folder / name
        if file not in self._files:
            try:
                self._files[file] = read_ics(file)
            except IcsError as error:
                self._files[file] = f"{quoted(name)}: {error}"
        found = self._files[file]
        if isinstance(found, str):
            self._reading.fault(node, path, found)
            return None
        return found


def _item(node: Node | None, number: int) -> Node:
    """The item of a list, which was read."""
    assert node is not None  # noqa: S101 - a value was read from it
    return node.value[number] if isinstance(node, SequenceNode) and number < len(node.value) else node
