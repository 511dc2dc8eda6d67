"""The secrets among a connection's params, taken out of whatever its command says."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

MASK = "***"

_NAME = re.compile(
    r"pass|pwd|secret|token|credential|bearer|cookie|authorization|proxy_?auth|private|signature"
    r"|(api|access|auth|ssh|encryption|account|shared|subscription|license)_?key|(^|_)pat$|^key$",
    re.IGNORECASE,
)
_IN_ADDRESS = re.compile(r"://[^/\s:@]*:([^/\s@]+)@")
_PLAIN = frozenset({"", "true", "false", "yes", "no", "none", "null"})
_SHORT = 4
_LEAST_LINE = 8
"""Characters of one line of a secret with several, such as a key file, from which on it is masked alone."""


class Masking:
    """Takes secrets out of texts.

    Secret are the params whose names say so, with all that is in them, and passwords in addresses; also as they
    stand in an address, in JSON, in Base64, or behind a user in a Basic authorization.

    Attributes:
        longest: Bytes of the longest of them; one that is cut before its end may not be recognized.
    """

    def __init__(self, params: Mapping[str, Any]) -> None:
        secrets = set(_secrets(params))
        spelled = {spelling for secret in secrets for spelling in _spellings(secret)}
        spelled |= set(_basic(params, secrets))
        texts = sorted(spelled, key=lambda text: (-len(text), text))
        self.longest = max((len(_raw(text)) for text in texts), default=0)
        self._text = re.compile("|".join(map(_pattern, texts))) if texts else None
        self._raw = tuple(_raw(text) for text in texts)
        self._bytes = re.compile(b"|".join(_raw(_pattern(text)) for text in texts)) if texts else None

    def text(self, text: str) -> str:
        """`text` without them."""
        return text if self._text is None else self._text.sub(MASK, text)

    def raw(self, text: bytes) -> bytes:
        """The same for bytes, as a command prints them in UTF-8."""
        # Looking for each takes a tenth of the time of looking for all of them at once, and mostly there is none.
        if self._bytes is None or not any(secret in text for secret in self._raw):
            return text
        return self._bytes.sub(MASK.encode(), text)


def _secrets(params: Mapping[str, Any]) -> Iterator[str]:
    for name, value in params.items():
        yield from _within(value, secret=_NAME.search(name) is not None)


def _within(value: Any, *, secret: bool) -> Iterator[str]:
    left = [(value, secret)]  # not by recursion: a server may nest as deeply as it likes
    while left:
        value, secret = left.pop()
        match value:
            case Mapping():
                left += [(inner, secret or _NAME.search(str(name)) is not None) for name, inner in value.items()]
            case list():
                left += [(inner, secret) for inner in value]
            case str():
                yield from _IN_ADDRESS.findall(value)
                if secret:
                    yield from _parts(value)
                elif value.lstrip()[:1] in ("{", "["):
                    left.append((_parsed(value), False))
            case int() | float() if secret and len(str(value)) >= _SHORT and not isinstance(value, bool):
                yield from _parts(str(value))


def _parsed(text: str) -> Any:
    """JSON within a text, as params of connections have it."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _parts(value: str) -> Iterator[str]:
    """A secret as it may be printed: whole, and line by line."""
    whole = value.strip()
    if whole.lower() in _PLAIN:
        return
    lines = [line.strip() for line in whole.splitlines()]
    if len(lines) == 1:
        yield whole
    else:
        yield from (line for line in lines if len(line) >= _LEAST_LINE)


def _spellings(secret: str) -> Iterator[str]:
    yield secret
    if len(secret) < _SHORT:
        return
    raw = _raw(secret)
    yield from (quote(raw), quote(raw, safe=""), quote_plus(raw))
    yield from (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1])
    yield from (secret.replace("%", "%%"), base64.b64encode(raw).decode())


def _basic(params: Mapping[str, Any], secrets: set[str]) -> Iterator[str]:
    """Basic authorizations that might be made of these."""
    users = [value for name, value in params.items() if "user" in name.lower() and isinstance(value, str)]
    for user in users:
        for secret in secrets:
            yield base64.b64encode(_raw(f"{user}:{secret}")).decode()


def _pattern(text: str) -> str:
    """A short one is taken for one only where it stands alone: it may be part of any word."""
    found = re.escape(text)
    return rf"(?<!\w){found}(?!\w)" if len(text) < _SHORT else found


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
