"""How long a certificate is valid, read from its DER form: the ssl module tells that only of trusted ones."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from jobsd.doctor.finding import Finding, fail, ok, warning

SOON = timedelta(days=30)
_VERSION, _UTC_TIME = 0xA0, 0x17


def validity(der: bytes) -> tuple[datetime, datetime]:
    """First and last instant, both inclusive, of an X.509 certificate. Raises ValueError if `der` is none."""
    try:
        ((_, certificate),) = _parts(der)
        _, to_be_signed = next(_parts(certificate))
        parts = [(tag, content) for tag, content in _parts(to_be_signed) if tag != _VERSION]
        # serial number, signature, issuer, then the validity
        begin, end = (_instant(tag, content) for tag, content in _parts(parts[3][1]))
    except (IndexError, StopIteration, UnicodeDecodeError) as error:
        raise ValueError("this is no X.509 certificate") from error
    return begin, end


def judged(area: str, name: str, der: bytes, now: datetime, *, whose: str) -> Finding:
    """Whether the certificate is valid now, and for how long still."""
    begin, end = validity(der)
    if now > end:
        return fail(area, name, f"{whose} expired on {end:%Y-%m-%d}", "renew the certificate")
    if now < begin:
        return fail(area, name, f"{whose} is valid only from {begin:%Y-%m-%d %H:%M}Z on", "look at both clocks")
    found = f"{whose} is valid until {end:%Y-%m-%d}"
    if end - now < SOON:
        return warning(area, name, f"{found}, {(end - now).days} days from now", "renew the certificate soon")
    return ok(area, name, found)


def _parts(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and content of each element of `data`. Raises ValueError where it is cut off."""
    at = 0
    while at < len(data):
        tag, length = data[at], data[at + 1]
        at += 2
        if length & 0x80:
            size = length & 0x7F
            length = int.from_bytes(data[at : at + size])
            at += size
        if at + length > len(data):
            raise ValueError("the certificate is cut off")
        yield tag, data[at : at + length]
        at += length


def _instant(tag: int, content: bytes) -> datetime:
    """UTCTime has two digits for the year: 50 to 99 are 19xx. GeneralizedTime has four."""
    text = content.decode("ascii")
    if tag == _UTC_TIME:
        text = ("19" if int(text[:2]) >= 50 else "20") + text
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
