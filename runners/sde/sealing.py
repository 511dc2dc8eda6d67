"""Params at rest: encrypted in the ledger, by keys drawn from the secret of `settings.encryption_key`."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_PURPOSE = b"jobsd: params of SDE connections"
_KEY_BYTES = 32


class SealError(Exception):
    """What was sealed cannot be opened: by another key, or it is damaged. Nothing of it is in the text."""


class Seal:
    """Seals and opens params."""

    def __init__(self, text: str) -> None:
        """`text` holds one secret a line, each as long as one likes; blank lines are passed over.

        The first seals and all of them open, so that a new one is put before the old one.
        Raises ValueError where there is none.
        """
        secrets = [line.strip() for line in text.splitlines() if line.strip()]
        if not secrets:
            raise ValueError("the encryption key is empty")
        self._fernet = MultiFernet([_fernet(secret) for secret in secrets])

    def seal(self, params: Mapping[str, Any]) -> str:
        """JSON values as a text that tells nothing of them but their length."""
        clear = json.dumps(dict(params), separators=(",", ":"), ensure_ascii=False).encode()
        return self._fernet.encrypt(clear).decode("ascii")

    def open(self, sealed: str) -> dict[str, Any]:
        """What was sealed. Raises SealError."""
        try:
            found = json.loads(self._fernet.decrypt(sealed.encode()))
        except (InvalidToken, ValueError):
            raise SealError("settings.encryption_key is not the key that this was encrypted with") from None
        if not isinstance(found, dict):
            raise SealError("what was encrypted is no params")
        return found


def _fernet(secret: str) -> Fernet:
    kdf = HKDF(algorithm=hashes.SHA256(), length=_KEY_BYTES, salt=None, info=_PURPOSE)
    return Fernet(base64.urlsafe_b64encode(kdf.derive(secret.encode())))
