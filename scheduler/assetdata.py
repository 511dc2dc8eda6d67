"""The newest collected data of every asset: files beside the ledger, known to it. Outlives retention."""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
from datetime import datetime
from pathlib import Path

from runners.api import AssetRef, Collected
from scheduler.ledger import Ledger, assets


class AssetFiles:
    """`runners.api.AssetData` over a folder and the ledger."""

    def __init__(self, ledger: Ledger, folder: Path) -> None:
        self._ledger = ledger
        self._folder = folder

    async def newest(self, asset: AssetRef) -> Collected | None:
        """The newest data of `asset` from any job whose file is still there, or None."""
        found = await self._ledger.aread(lambda connection: assets.newest_data(connection, asset))
        return found if found is not None and found.path.exists() else None

    async def keep(self, asset: AssetRef, path: Path, collected_at: datetime) -> Collected:
        """Move the file at `path` here as the newest data of `asset`, and drop what it replaces."""
        kept = Collected(await asyncio.to_thread(self._adopt, asset, path), collected_at)
        before = await self._ledger.write(lambda connection: assets.keep_data(connection, asset, kept))
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
        path.replace(target)
        return target
