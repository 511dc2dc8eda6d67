"""What operators are told of the face at the start, and at each reload: secrets that cannot be had."""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from config.definitions import Configuration
from config.secrets import SecretError
from jobsd.http.sde.vault import Vault, opened
from runners.sde.sealing import Seal
from scheduler.ledger import Ledger, LedgerUnavailable, sde_connections

_log = structlog.get_logger()


def tell(ledger: Ledger, configuration: Configuration, environ: Mapping[str, str]) -> None:
    """Log users without their token, a key that cannot be read, and params that it does not open."""
    for user in configuration.users:
        try:
            if user.token is not None:
                user.token.resolve(environ)
        except SecretError as error:
            _log.error("user_token_missing", user=user.name, reason=str(error))
    if configuration.settings.encryption_key is not None:
        try:
            Seal(configuration.settings.encryption_key.resolve(environ))
        except (SecretError, ValueError) as error:
            _log.error("encryption_key_missing", reason=str(error))
    seal = Vault(environ).of(configuration)
    try:
        kept = ledger.read(sde_connections.sealed)
    except LedgerUnavailable:  # the scheduling loop tells it
        return
    if locked := sum(opened(seal, params) is None for params in kept):
        _log.error("sde_params_locked", locked=locked, kept=len(kept))
