"""Reading a list that a server answers, page by page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from runners.sde.wire.answers import Answer
from runners.sde.wire.faults import WireFault, WireFaults

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Listing(Generic[T]):
    """One answer.

    Attributes:
        items: Those that could be read.
        faults: What is wrong with the others, each path beginning with the place, such as `results[3]`. Who looks
            for something that must not be overlooked has to heed them.
        count: Of the whole list; None where the server does not page.
        more: Whether there is a next page. Ask for it by its number: the address in `next` may name another host
            or scheme than the one that was asked, where a token must not go.
    """

    items: tuple[T, ...]
    faults: tuple[WireFault, ...] = ()
    count: int | None = None
    more: bool = False


def parse_listing(answer: object, read: Callable[[object], T]) -> Listing[T]:
    """The answer of a list, whose items `read` reads: `parse_job`, `parse_connection` and the like.

    Raises:
        WireFaults: It is no object with a list of results. An item at fault raises nothing.
    """
    fields = Answer.of_message(answer)
    results = fields.value("results")
    if not isinstance(results, list):
        fields.refuse("results", "must be a list")
        raise WireFaults(fields.faults)
    items: list[T] = []
    faults: list[WireFault] = []
    for place, item in enumerate(results):
        try:
            items.append(read(item))
        except WireFaults as error:
            faults += [WireFault((f"results[{place}]", *fault.path), fault.message) for fault in error.faults]
    count = fields.value("count")
    sound = isinstance(count, int) and not isinstance(count, bool)
    return Listing(tuple(items), tuple(faults), count if sound else None, bool(fields.value("next")))
