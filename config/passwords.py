"""Hashes of passwords as a file may hold them: `scrypt$LOG2N$R$P$SALT$HASH`, salt and hash in URL-safe Base64.

No sign in it needs quotes in YAML.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
from dataclasses import dataclass

PATTERN = r"scrypt\$(1[4-8])\$([1-9]|1[0-6])\$([1-4])\$([A-Za-z0-9_-]{22,86})\$([A-Za-z0-9_-]{43})"
"""2^14 to 2^18 steps, blocks of up to 16, up to 4 lanes: nothing that a login could take for ever."""

_LOG2_N, _R, _P = 15, 8, 1  # 32 MiB and about a tenth of a second
_SALT = 16


@dataclass(frozen=True, slots=True)
class _Hash:
    log2_n: int
    r: int
    p: int
    salt: bytes
    digest: bytes

    @classmethod
    def parse(cls, text: str) -> _Hash:
        match = re.fullmatch(PATTERN, text)
        if match is None:
            raise ValueError("not a password hash of ours")
        salt, digest = (base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in match.group(4, 5))
        return cls(int(match[1]), int(match[2]), int(match[3]), salt, digest)

    def of(self, password: str) -> bytes:
        memory = 128 * self.r * (1 << self.log2_n) * (self.p + 1) + (1 << 20)
        secret = password.encode("utf-8", "surrogateescape")
        return hashlib.scrypt(
            secret, salt=self.salt, n=1 << self.log2_n, r=self.r, p=self.p, maxmem=memory, dklen=32
        )

    def __str__(self) -> str:
        parts = (base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (self.salt, self.digest))
        return "$".join(("scrypt", str(self.log2_n), str(self.r), str(self.p), *parts))


def hash_password(password: str) -> str:
    """The hash of a password under a fresh salt; takes about a tenth of a second."""
    bare = _Hash(_LOG2_N, _R, _P, os.urandom(_SALT), b"")
    return str(_Hash(_LOG2_N, _R, _P, bare.salt, bare.of(password)))


def verify_password(password: str, text: str) -> bool:
    """Whether `text` is a hash of `password`; takes about a tenth of a second, either way."""
    known = _Hash.parse(text)
    return hmac.compare_digest(known.of(password), known.digest)


NOBODY = "scrypt$15$8$1$" + "A" * 22 + "$" + "A" * 43
"""The hash of nobody's password: what takes as long for names that are not known."""
