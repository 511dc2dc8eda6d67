"""Names of jobs, made of titles that were written for people. Pure."""

from __future__ import annotations

import re
import unicodedata

_LENGTH = 80


def plain_name(title: str) -> str:
    """What of `title` a job's name may have: letters without their accents, in lower case; may be empty."""
    letters = unicodedata.normalize("NFKD", title)
    plain = "".join(char for char in letters if not unicodedata.combining(char)).lower()
    return re.sub("[^a-z0-9._-]+", "-", plain)[:_LENGTH].strip("-._")


def unique_name(base: str, taken: set[str]) -> str:
    """`base`, or the first of `base-2`, `base-3` … that is not `taken` yet; it is taken then."""
    found, count = base, 1
    while found in taken:
        count += 1
        found = f"{base}-{count}"
    taken.add(found)
    return found
