"""Ids: whole numbers of jobs, connections, connectors, projects and users; words of systems and roles."""

from __future__ import annotations

import re

GREATEST_ID = 2**63 - 1
"""Of an id that is a number, inclusive; the least is 1."""

_WORD = re.compile(r"[A-Za-z0-9][\w.:@-]*")
_LONGEST = 255


def is_id(value: object) -> bool:
    """Whether it is an id: a number, or a word of letters, digits and _.:@- that begins with a letter or digit."""
    if isinstance(value, str):
        return len(value) <= _LONGEST and _WORD.fullmatch(value) is not None
    return is_number(value)


def is_number(value: object) -> bool:
    """Whether it is an id that is a number."""
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= GREATEST_ID
