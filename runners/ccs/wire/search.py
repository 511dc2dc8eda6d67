r"""The search for jobs: conditions on their properties, all of which must hold.

`Name operator value`, several with commas between; `\,` is a comma and `\\` a backslash inside a value. The
whole, or each condition, may stand in parentheses, a value in quotes. Case does not matter. In a text that is
compared by = a star stands for anything.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from runners.ccs.wire.faults import WireFault, WireFaults, shown
from runners.ccs.wire.moments import parse_moment
from runners.ccs.wire.properties import JobProperties
from runners.ccs.wire.status import Status

_FIELD = "Attributes"
_CONDITION = re.compile(
    r"\s*([A-Za-z]+)\s*(<=|>=|<>|!=|==|=|<|>|(?<=\s)(?:not\s+like|like|contains|startswith|endswith)(?=\s|$))(.*)",
    re.DOTALL | re.IGNORECASE,
)
_PIECES = re.compile(r"(?:[^\\,]|\\.|\\$)+", re.DOTALL)
_EQUAL = {"=": True, "==": True, "!=": False, "<>": False}
_ORDER: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_PARTLY: Mapping[str, Callable[[str, str], bool]] = {
    "contains": operator.contains, "startswith": str.startswith, "endswith": str.endswith,
}  # fmt: skip
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_FRACTION = re.compile(r"\.\d+")
_MOST_NESTED = 8  # each pair is looked for through the whole text, and that may hold very many

Test = Callable[[JobProperties], bool]


@dataclass(frozen=True, slots=True)
class Search:
    """What is searched for; `needs_runs` where the newest job run of a job matters."""

    tests: tuple[Test, ...]
    needs_runs: bool

    def matches(self, job: JobProperties) -> bool:
        """Whether all conditions hold."""
        return all(test(job) for test in self.tests)


EVERY = Search((), needs_runs=False)
"""A search without conditions, which holds for all."""


def parse_search(text: str) -> Search:
    """The conditions in `text`.

    Raises:
        WireFaults: All faults; a search without any condition is one.
    """
    tests: list[Test] = []
    faults: list[WireFault] = []
    names: set[str] = set()
    for part in _PIECES.findall(_bare(text)):
        try:
            name, test = _condition(_bare(part))
        except ValueError as error:
            faults.append(WireFault(_FIELD, str(error)))
        else:
            names.add(name)
            tests.append(test)
    if not tests and not faults:
        faults.append(WireFault(_FIELD, "is missing: it is mandatory, such as JobName = Weekly"))
    if faults:
        raise WireFaults(faults)
    return Search(tuple(tests), bool(names & {"LastRunStatus", "LastRunDate"}))


def _bare(text: str) -> str:
    """`text` without blanks and without the parentheses around the whole of it, up to `_MOST_NESTED` of them."""
    text = text.strip()
    for _ in range(_MOST_NESTED):
        if not text.startswith("(") or _closing(text) != len(text) - 1:
            break
        text = text[1:-1].strip()
    return text


def _closing(text: str) -> int:
    """Where the parenthesis at the beginning is closed; -1 where it is not."""
    depth = 0
    for place, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        if depth == 0:
            return place
    return -1


def _condition(text: str) -> tuple[str, Test]:
    """The attribute and the test of one condition. Raises ValueError."""
    match = _CONDITION.fullmatch(text)
    if match is None:
        raise ValueError(
            f"must be conditions such as JobName = Weekly with commas between, a comma in a value written \\, "
            f"(it has {shown(text)})"
        )
    name = next((known for known in ATTRIBUTES if known.lower() == match[1].lower()), None)
    if name is None:
        raise ValueError(f"has no attribute {shown(match[1])}: they are {', '.join(ATTRIBUTES)}")
    value = re.sub(r"\\([\\,])", r"\1", match[3]).strip()
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        value = value[1:-1]
    if not value:
        raise ValueError(f"has no value for {name}")
    return name, ATTRIBUTES[name](name, " ".join(match[2].lower().split()), value)


def _text(of: Callable[[JobProperties], str]) -> Callable[[str, str, str], Test]:
    def test(name: str, sign: str, value: str) -> Test:
        wanted = value.casefold()
        if sign in _EQUAL or sign in {"like", "not like"}:
            parts = re.split("[*]" if sign in _EQUAL else "[*%]", wanted)
            holds = _EQUAL.get(sign, sign == "like")
            return lambda job: _alike(parts, of(job).casefold()) is holds
        if sign in _PARTLY:
            compare = _PARTLY[sign]
            return lambda job: compare(of(job).casefold(), wanted)
        raise ValueError(f"cannot compare {name} by {sign}: use =, !=, like, not like, {', '.join(_PARTLY)}")

    return test


def _alike(parts: Sequence[str], text: str) -> bool:
    """Whether `text` has these parts in their order, the first at its beginning and the last at its end."""
    if len(parts) == 1:
        return text == parts[0]
    first, *middle, last = parts
    if len(text) < len(first) + len(last) or not (text.startswith(first) and text.endswith(last)):
        return False
    place, end = len(first), len(text) - len(last)
    for part in middle:
        place = text.find(part, place, end)
        if place < 0:
            return False
        place += len(part)
    return True


def _status(name: str, sign: str, value: str) -> Test:
    words: dict[str, Status] = {status.name.lower(): status for status in Status}
    words |= {str(status.value): status for status in Status}
    wanted = words.get(value.lower())
    if wanted is None:
        raise ValueError(f"must compare {name} with a status from 0 to 7 or its word (it is {shown(value)})")
    if sign not in _EQUAL:
        raise ValueError(f"cannot compare {name} by {sign}: use = or !=")
    return lambda job: (job.last_status is wanted) is _EQUAL[sign]


def _moment(of: Callable[[JobProperties], datetime | None]) -> Callable[[str, str, str], Test]:
    def test(name: str, sign: str, value: str) -> Test:
        if sign not in _EQUAL and sign not in _ORDER:
            raise ValueError(f"cannot compare {name} by {sign}: use =, !=, <, <=, > or >=")
        begin, end = _stretch(name, value)
        if sign in _EQUAL:
            return lambda job: _within(of(job), begin, end) is _EQUAL[sign]
        compare = _ORDER[sign]
        edge = end if sign in {">", "<="} else begin
        strict = operator.ge if sign == ">" else operator.lt if sign == "<=" else compare
        return lambda job: (moment := of(job)) is not None and strict(moment, edge)

    return test


def _within(moment: datetime | None, begin: datetime, end: datetime) -> bool:
    return moment is not None and begin <= moment < end


def _stretch(name: str, value: str) -> tuple[datetime, datetime]:
    """The day, the second or the instant that is written: from, inclusive, to, exclusive. Raises ValueError."""
    whole_day = _DATE.fullmatch(value) is not None
    try:
        begin = parse_moment(f"{value}T00:00:00" if whole_day else value.replace(" ", "T", 1))
        if begin is None:
            begin = datetime(1, 1, 1, tzinfo=UTC)
        length = timedelta(microseconds=1) if _FRACTION.search(value) else timedelta(seconds=1)
        return begin, begin + (timedelta(days=1) if whole_day else length)
    except (ValueError, OverflowError):
        raise ValueError(
            f"must compare {name} with YYYY-MM-DD or YYYY-MM-DDThh:mm:ss, with or without an offset or Z "
            f"(it is {shown(value)})"
        ) from None


ATTRIBUTES: Mapping[str, Callable[[str, str, str], Test]] = {
    "JobName": _text(lambda job: job.name),
    "JobID": _text(lambda job: job.job_id),
    "JobCategory": _text(lambda job: job.category),
    "JobType": _text(lambda job: job.job_type.value),
    "JobCreationTime": _moment(lambda job: job.created_at),
    "JobModifiedTime": _moment(lambda job: job.modified_at),
    "LastRunStatus": _status,
    "LastRunDate": _moment(lambda job: job.last_run_at),
}
"""What can be searched by."""


def _parameters() -> Iterator[str]:
    yield from ("Attributes", "page", "pagesize", "jobname", "jobid", "DeleteJob", "count", "showmessages")


PARAMETERS: Mapping[str, str] = {name.lower(): name for name in _parameters()}
"""The parameters of all queries, as the pages write them, by their names in lower case."""
