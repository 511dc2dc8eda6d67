"""Values of paths and queries. All raise WireFaults."""

from __future__ import annotations

from runners.ccs.wire.fields import Fields


def guid(name: str, text: str | None) -> str:
    """A GUID in lower case, with or without braces."""
    fields = Fields({name: None if text is None else text.strip().removeprefix("{").removesuffix("}")})
    fields.require(name)
    found = fields.guid(name)
    fields.settle()
    return found or ""


def number(name: str, text: str | None, low: int, high: int, *, default: int) -> int:
    """A whole number from `low` to `high`, both inclusive; `default` where it is missing."""
    if text is None:
        return default
    bare = text.strip()
    plain = bare.isascii() and bare.isdigit() and len(bare) < 20
    fields = Fields({name: int(bare) if plain else text})
    found = fields.number(name, low, high)
    fields.settle()
    return default if found is None else found


def flag(name: str, text: str | None) -> bool:
    """True or False in any case, 1 or 0; false where it is missing."""
    fields = Fields({name: {"1": "true", "0": "false"}.get((text or "").strip(), text)})
    found = fields.flag(name)
    fields.settle()
    return bool(found)
