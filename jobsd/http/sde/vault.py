"""The seal of the configuration in force, for params on their way to and from the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from config.definitions import Configuration
from config.secrets import SecretError
from jobsd.http.sde.errors import refused_field
from runners.sde.sealing import Seal, SealError

MOST_KEPT = 4 * 1024 * 1024
"""Bytes of encrypted params of one connector or connection at the most: what the longest body makes, and one PATCH
after another does not make more.
"""

OTHER_KEY = "settings.encryption_key is not the key that they were encrypted with"


class Vault:
    """Reads the key anew with each configuration; the same from any thread."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """`environ` has what secrets of the configuration refer to."""
        self._environ = environ
        self._present: tuple[Configuration, Seal | None] | None = None

    def of(self, configuration: Configuration) -> Seal | None:
        """The seal; None where there is no key, or it cannot be had now."""
        present = self._present
        if present is None or present[0] is not configuration:
            present = self._present = (configuration, self._read(configuration))
        return present[1]

    def _read(self, configuration: Configuration) -> Seal | None:
        if configuration.settings.encryption_key is None:
            return None
        try:
            return Seal(configuration.settings.encryption_key.resolve(self._environ))
        except (SecretError, ValueError):  # told at the start and at each reload
            return None


def sealed(seal: Seal | None, params: Mapping[str, Any]) -> str | None:
    """Params as the ledger keeps them; None for none.

    Raises Turned (400) where they could not be encrypted, or are longer than MOST_KEPT.
    """
    if not params:
        return None
    if seal is None:
        raise refused_field(
            "params",
            "Params are kept encrypted, and this server has no key for it: settings.encryption_key is not set, "
            "or cannot be read.",
        )
    text = seal.seal(params)
    if len(text) > MOST_KEPT:
        raise refused_field(
            "params", f"All of them together are too long: {len(text)} bytes, {MOST_KEPT} at most."
        )
    return text


def merged(seal: Seal | None, text: str | None, params: Mapping[str, Any]) -> str | None:
    """Params as the ledger keeps them after a PATCH: those of `text`, and `params` over them, name by name.

    Raises Turned (400) where they could not be encrypted, or those of `text` cannot be opened: what would be left
    of them is not known then, and nothing is thrown away.
    """
    if not params:
        return text
    kept = opened(seal, text)
    if kept is None and seal is not None:
        raise refused_field(
            "params",
            f"Those that are kept cannot be opened, to be changed in part: {OTHER_KEY}. Put that one back, or "
            "send all of them by PUT.",
        )
    return sealed(seal, {**(kept or {}), **params})


def why_locked(configuration: Configuration, seal: Seal | None) -> str:
    """Why params cannot be opened with this configuration, whose seal that is."""
    if configuration.settings.encryption_key is None:
        return "settings.encryption_key is not set"
    return "settings.encryption_key cannot be read" if seal is None else OTHER_KEY


def opened(seal: Seal | None, text: str | None) -> dict[str, Any] | None:
    """Params in clear, empty where there are none; None where they cannot be opened."""
    if text is None:
        return {}
    if seal is None:
        return None
    try:
        return seal.open(text)
    except SealError:
        return None
