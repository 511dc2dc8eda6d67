"""One rule that decided."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """Its name, snake_case and stable, and what it says here, without a full stop."""

    rule: str
    says: str
