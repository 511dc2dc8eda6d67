"""The newest collected data of every asset: files beside the ledger, known to it. Outlives retention."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import secrets
import shutil
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path

from runners.api import AssetRef, Collected
from scheduler.ledger import Connection, Ledger, assets

Store = Callable[[Callable[[Connection], Collected | None]], Awaitable[Collected | None]]


class AssetFiles:
    """`runners.api.AssetData` over a folder and the ledger."""

    def __init__(self, ledger: Ledger, folder: Path, store: Store) -> None:
        """`store` writes to the ledger, however long that cannot be done."""
        self._ledger = ledger
        self._store = store
        self._folder = folder

    async def newest(self, asset: AssetRef) -> Collected | None:
        """The newest data of `asset` from any job whose file is still there, or None."""
        found = await self._ledger.aread(lambda connection: assets.newest_data(connection, asset))
        return found if found is not None and found.path.exists() else None

    async def keep(self, asset: AssetRef, path: Path, collected_at: datetime) -> Collected:
        """Move the file at `path` here as the newest data of `asset`, and drop what it replaces."""
        kept = Collected(await asyncio.to_thread(self._adopt, asset, path), collected_at)
        before = await self._store(lambda connection: assets.keep_data(connection, asset, kept))
        if before is not None and before.path != kept.path:
            await asyncio.to_thread(before.path.unlink, missing_ok=True)
        return kept

    def _adopt(self, asset: AssetRef, path: Path) -> Path:
        name = hashlib.sha256(f"{asset.type}\0{asset.id}".encode()).hexdigest()
        folder = self._folder / name[:2]
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        target = folder / f"{name[2:]}.{secrets.token_hex(4)}"
        with path.open("rb") as data:
            os.fsync(data.fileno())
        _move(path, target)
        return target


def _move(path: Path, target: Path) -> None:
    """Move a file, also to another disk. Raises OSError; then `target` is not there."""
    try:
        path.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        try:
            with path.open("rb") as data, target.open("xb") as kept:
                shutil.copyfileobj(data, kept)
                kept.flush()
                os.fsync(kept.fileno())
        except OSError:
            target.unlink(missing_ok=True)
            raise
        path.unlink()
