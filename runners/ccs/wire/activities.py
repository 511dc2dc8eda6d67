"""The items of ActivityStatusList. Their shape is not documented: this is ours, one for each asset."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from runners.ccs.wire.moments import format_moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """One asset of a job run.

    Attributes:
        status: open, done, fresh, failed, timed_out or unreachable.
        message: Why it is not done; empty where there is nothing to say.
    """

    asset_id: str
    asset_type: str
    status: str
    message: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None

    def wire(self) -> dict[str, Any]:
        """As the API has it."""
        return {
            "AssetID": self.asset_id,
            "AssetType": self.asset_type,
            "Status": self.status,
            "Message": self.message,
            "StartTime": format_moment(self.started_at),
            "EndTime": format_moment(self.ended_at),
        }
