"""Reading a server's lists as a whole, or as far as is needed. Pages are asked for by number, never by `next`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Protocol, TypeVar

from runners.sde.errors import Refused, Unanswered
from runners.sde.wire import Job, Listing, WireFaults, is_number, parse_job
from runners.sde.wire.listings import parse_listing
from runners.web import Query

PAGE_SIZE = 500
"""Items of a page."""

_MOST_PAGES = 10_000


class Numbered(Protocol):
    """Something with an id."""

    @property
    def id(self) -> int:
        """As the server has it."""


T = TypeVar("T", bound=Numbered)
Get = Callable[[str, Query], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Unread:
    """A job that cannot be read, but for its id."""

    id: int
    reason: str


Listed = Job | Unread


async def whole(get: Get, path: str, query: Query, read: Callable[[object], T]) -> Listing[T]:
    """All pages of a list as one listing.

    Raises:
        Unanswered: A page cannot be read, or the list changed too much while it was read, or it has no end.
        Exception: What `get` raises.
    """
    found = one = await _page(get, path, query, 1, read)
    known = {item.id for item in found.items}
    for number in range(2, _MOST_PAGES):
        if not one.more:
            return replace(found, more=False)
        one = await _next_page(get, path, query, number, read)
        if one.more and not one.faults and known.issuperset(item.id for item in one.items):
            raise Unanswered(f"page {number} of the list has nothing that is not on those before it")
        known.update(item.id for item in one.items)
        found = replace(found, items=(*found.items, *one.items), faults=(*found.faults, *one.faults))
    raise Unanswered("the list has no end")


async def jobs_after(get: Get, path: str, query: Query, after: int) -> tuple[Listed, ...]:
    """The jobs whose id is greater than `after`, the newest first. Raises as `whole`.

    Of a long list that is in the order of ids only the pages are read that may hold such jobs.
    """
    pages, others = await _newest_pages(get, path, query)
    for number in others:
        if pages[-1].items and min(job.id for job in pages[-1].items) <= after:
            break
        pages.append(await _jobs(get, path, query, number))
    found = {job.id: job for page in pages for job in page.items if job.id > after}
    return tuple(found[job_id] for job_id in sorted(found, reverse=True))


async def newest_id(get: Get, path: str, query: Query) -> int | None:
    """The greatest id of a list of jobs; None where it is empty. Raises as `whole`."""
    pages, _ = await _newest_pages(get, path, query)
    return max((job.id for page in pages for job in page.items), default=None)


async def _newest_pages(get: Get, path: str, query: Query) -> tuple[list[Listing[Listed]], range]:
    """Pages of which the last has the greatest ids, and the numbers of the others from there on.

    All pages, and no others, where the list is not in the order of ids, as far as its first, middle and last page
    tell.
    """
    first = await _jobs(get, path, query, 1)
    if not first.more:
        return [first], range(0)
    if first.items and first.count is not None and first.count > len(first.items):
        last = -(-first.count // len(first.items))
        middle = await _jobs(get, path, query, (1 + last) // 2)
        far = await _jobs(get, path, query, last)
        ids = [job.id for page in (first, *([middle] if last > 2 else []), far) for job in page.items]
        steps = [after - before for before, after in pairwise(ids)]
        if far.items and min(steps) > 0:
            return [first, far], range(last - 1, 1, -1)
        if far.items and max(steps) < 0:
            return [far, first], range(2, last)
    return [_sound(await whole(get, path, query, _listed))], range(0)


async def _jobs(get: Get, path: str, query: Query, number: int) -> Listing[Listed]:
    return _sound(await _next_page(get, path, query, number, _listed))


def _sound(jobs: Listing[Listed]) -> Listing[Listed]:
    """A job without an id may be the one that is looked for."""
    if jobs.faults:
        raise Unanswered(f"the list cannot be read: {WireFaults(jobs.faults)}")
    return jobs


async def _next_page(get: Get, path: str, query: Query, number: int, read: Callable[[object], T]) -> Listing[T]:
    """A page that there was a moment ago."""
    try:
        return await _page(get, path, query, number, read)
    except Refused as error:
        if error.status == 404 and number > 1:
            raise Unanswered("the list became shorter while it was read") from None
        raise


async def _page(get: Get, path: str, query: Query, number: int, read: Callable[[object], T]) -> Listing[T]:
    answer = await get(path, [*query, ("page_size", str(PAGE_SIZE)), ("page", str(number))])
    try:
        return parse_listing(answer, read)
    except WireFaults as error:
        raise Unanswered(f"the list cannot be read: {error}") from None


def _listed(value: object) -> Listed:
    """A job, at least its id. Raises WireFaults."""
    try:
        return parse_job(value)
    except WireFaults as error:
        job_id = value.get("id") if isinstance(value, dict) else None
        if isinstance(job_id, int) and is_number(job_id):
            return Unread(job_id, str(error))
        raise
