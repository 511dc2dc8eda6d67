"""Paging. Without `page_size` a list answers `results` and nothing else, whatever `page` says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode

from runners.sde.wire.filters import Query
from runners.sde.wire.refusals import INVALID_PAGE, Refusal, WireError

LAST = "last"


class InvalidPageError(WireError):
    """A page that there is not."""

    @property
    def answer(self) -> Refusal:
        """404, as that of an object that there is not, in other words."""
        return INVALID_PAGE


@dataclass(frozen=True, slots=True)
class Window:
    """One page of a list.

    Attributes:
        number: Of the page, the first is 1.
        pages: How many there are, at least 1.
        count: Of the whole list.
        offset: Items before the page.
        limit: Items on it at most.
    """

    number: int
    pages: int
    count: int
    offset: int
    limit: int

    def envelope(self, results: Iterable[Any], url: str) -> dict[str, Any]:
        """The answer; `url` is the absolute address that was asked, query included."""
        return {
            "count": self.count,
            "next": _link(url, self.number + 1) if self.number < self.pages else None,
            "previous": _link(url, self.number - 1) if self.number > 1 else None,
            "results": list(results),
        }


@dataclass(frozen=True, slots=True)
class Paging:
    """Which page is wanted.

    Attributes:
        page_size: At least 1, without a limit: clients ask for 10000.
        page: A number in a text, or `last`.
    """

    page_size: int
    page: str = "1"

    def window(self, count: int) -> Window:
        """The page of a list of that many.

        Raises:
            InvalidPageError: There is no such page; the first one there always is.
        """
        pages = max(1, -(-count // self.page_size))
        try:
            number = pages if self.page == LAST else int(self.page)
        except ValueError:
            raise InvalidPageError(self.page) from None
        if not 1 <= number <= pages:
            raise InvalidPageError(self.page)
        return Window(number, pages, count, (number - 1) * self.page_size, min(self.page_size, max(count, 1)))

    def wire(self) -> dict[str, str]:
        """The parameters that ask for it."""
        return {"page_size": str(self.page_size), "page": self.page}


def parse_paging(query: Query) -> Paging | None:
    """The page wanted; None for all at once: there is no page_size, or it is no number from 1 on."""
    given = dict(query)
    try:
        page_size = int(given.get("page_size", ""))
    except ValueError:
        return None
    return Paging(page_size, given.get("page", "1")) if page_size > 0 else None


def unpaged(results: Iterable[Any]) -> dict[str, Any]:
    """The answer without a page_size."""
    return {"results": list(results)}


def paged(items: Sequence[Any], paging: Paging | None, url: str) -> dict[str, Any]:
    """The answer of a list that is at hand as a whole, of wire values.

    Raises:
        InvalidPageError: There is no such page.
    """
    if paging is None:
        return unpaged(items)
    window = paging.window(len(items))
    return window.envelope(items[window.offset : window.offset + window.limit], url)


def _link(url: str, page: int) -> str:
    """The address of another page: parameters in the order of their names; the first page is named by none."""
    base, _, query = url.partition("#")[0].partition("?")
    parameters = parse_qs(query, keep_blank_values=True)
    parameters.pop("page", None)
    if page > 1:
        parameters["page"] = [str(page)]
    return f"{base}?{urlencode(sorted(parameters.items()), doseq=True)}"
