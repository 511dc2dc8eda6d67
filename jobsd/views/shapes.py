"""The JSON shapes of `/v1` and of the command line's `--json`: one model for each.

Instants are ISO 8601 in UTC with Z; `local` is the same instant with the offset of the job's or run's zone.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class View(BaseModel):
    """The base of all shapes."""

    model_config = ConfigDict(frozen=True, serialize_by_alias=True)


class AssetCounts(View):
    """Assets by state; all are 0 for a run without assets."""

    total: int
    done: int
    open: int
    fresh: int
    failed: int
    timed_out: int
    unreachable: int


class RunView(View):
    """A run."""

    run_id: str = Field(description="GUID.")
    run_no: int = Field(description="The same run as an integer.")
    job: str
    kind: str = Field(description="fire, run_now, manual or posted.")
    fire_time: datetime
    local: str = Field(description="The fire time in the run's zone, with its offset.")
    timezone: str = Field(description="IANA name of the run's zone.")
    state: str
    status: int = Field(description="The status code of the CCS API, 1 to 7.")
    reason: str
    attempts: int
    window_end: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    assets: AssetCounts
    occurrences: int = Field(description="Above 1 where one run stands for a stretch, up to last_fire_time.")
    last_fire_time: datetime | None
    parent_run: str | None = Field(description="The run whose remaining assets this one took.")
    moved_from: datetime | None = Field(
        description="Fire time of the first occurrence that a calendar excluded and that was moved here."
    )
    stop_requested_at: datetime | None
    stop_reason: str | None


class AttemptView(View):
    """An attempt of a run."""

    number: int
    cause: str = Field(description="fire, retry, rerun, manual or run_now.")
    started_at: datetime
    ended_at: datetime | None
    ended: str | None = Field(description="completed, failed, stopped, interrupted or lost; null while under way.")
    reason: str
    exit_code: int | None


class EventView(View):
    """A line of the journal."""

    event_id: int
    at: datetime
    name: str
    job: str | None
    run_id: str | None
    attempt: int | None
    from_state: str | None
    to_state: str | None
    reason: str
    actor: str = Field(description="Who.")
    by: str = Field(description="By what: clock, cli, api or signal.")
    origin: str = Field(description="From where: an address, or empty.")


class ResultPosted(View):
    """What an SDE server is told of a connection that was run here."""

    server: str = Field(description="Its name under servers.")
    kind: str = Field(description="alm, analysis or ldap.")
    connection: int = Field(description="Id of the connection there.")
    succeeded: bool
    result_message: str
    sde_job: int | None = Field(description="Id of the job there that holds it; null until that is known.")


class DeliveryView(View):
    """Something to be sent to somebody."""

    delivery_id: str = Field(description="GUID.")
    delivery_no: int = Field(description="The same delivery as an integer.")
    job: str | None
    run_id: str | None
    timezone: str = Field(description="IANA name of its run's zone.")
    kind: str = Field(description="mail, webhook or sde_result.")
    about: str = Field(description="success, failure or late; of an sde_result: result.")
    target: str = Field(
        description="Addresses; of a webhook scheme, host and port; of an sde_result the server's name."
    )
    result: ResultPosted | None = Field(description="Of an sde_result.")
    state: str = Field(description="pending, delivered, refused, or void: there was nothing to tell any more.")
    reason: str = Field(description="Why it was refused, is void, or could not be sent at the last try.")
    tries: int
    created_at: datetime
    due_at: datetime | None = Field(description="When it is tried next; null once it has ended.")
    ended_at: datetime | None


class DeliveryDetail(DeliveryView):
    """A delivery with what it says."""

    subject: str | None = Field(description="Of a mail; null if it is put into words when it is sent.")
    text: str | None = Field(description="Of a mail, likewise.")
    payload: dict[str, Any] | None = Field(description="Of a webhook.")
    delivered_to: list[str] = Field(description="Who has it, where it went to some only.")
    refused_by: dict[str, str] = Field(description="By address, in which words the mail server refused it.")


class RunDetail(RunView):
    """A run with its attempts, its journal and its deliveries."""

    attempt_list: list[AttemptView]
    events: list[EventView]
    deliveries: list[DeliveryView]
    next_rerun_at: datetime | None
    memory: dict[str, str] = Field(description="What its runner remembers of a counterpart, by name.")


class ResultView(View):
    """What a check says about an asset."""

    standard: str
    check: str
    result: str = Field(description="pass, fail, unknown, error or notapplicable.")
    message: str


class AssetView(View):
    """An asset of a run."""

    asset_id: str
    asset_type: str
    state: str
    reason: str
    attempt: int | None = Field(description="The last attempt that touched it.")
    starts: int = Field(description="How often work on it began.")
    started_at: datetime | None
    ended_at: datetime | None
    results: list[ResultView]


class ResultCounts(View):
    """Check results by verdict."""

    passed: int = Field(serialization_alias="pass")
    fail: int
    unknown: int
    error: int
    notapplicable: int


class CoverageCounts(AssetCounts):
    """Assets of a job by their last state: in the newest run that had them. `never` ones were in none."""

    never: int


class CoverageSummary(View):
    """How much of a job's assets is covered; all zero and no share for a job without assets."""

    counts: CoverageCounts
    share: float | None = Field(description="Share of the assets whose last state is done or fresh, 0 to 1.")
    run_id: str | None = Field(description="The latest run that had assets.")
    results: ResultCounts = Field(description="The newest results of all assets.")


class AssetCoverage(View):
    """Where one asset of a job stands."""

    asset_id: str
    asset_type: str
    state: str = Field(description="Its state in the latest run that had it; never if there is none.")
    reason: str
    run_id: str | None = Field(description="That run.")
    covered_at: datetime | None = Field(description="When it was last done or found fresh, in any run of the job.")
    covered_by: str | None = Field(description="The run that did it.")
    age_s: float | None = Field(description="Seconds since then.")
    results: ResultCounts = Field(description="Of the run that covered it.")


class Coverage(CoverageSummary):
    """The coverage of a job, asset by asset."""

    job: str
    timezone: str
    known_since: datetime = Field(description="Of the time before, nothing is known (any more).")
    assets: list[AssetCoverage]


class PauseView(View):
    """A pause."""

    since: datetime
    until: datetime | None = Field(description="Its end, exclusive; null is open.")
    note: str | None
    by: str | None


class ExcludedView(View):
    """An occurrence that does not run, because a calendar is closed."""

    fire_time: datetime
    reason: str


class JobView(View):
    """A job."""

    job: str
    guid: str
    job_no: int
    origin: str = Field(description="Where its definition is from: yaml, or the API that made it (ccs).")
    creator: str | None = Field(description="Who made it through that API.")
    description: str
    enabled: bool
    defined: bool = Field(description="Whether a definition is in force; without one it only has a history.")
    schedule: str = Field(description="The schedule in one sentence.")
    timezone: str
    known_since: datetime = Field(description="Of the time before, nothing is known (any more).")
    next_fire_time: datetime | None = Field(
        description="The next one at which it runs, by schedule and calendars."
    )
    local: str | None = Field(description="The next fire time in the job's zone, with its offset.")
    next_excluded: ExcludedView | None = Field(description="The next one, if a calendar lets it not run.")
    last_run: RunView | None
    paused: PauseView | None
    labels: dict[str, str]
    coverage: CoverageSummary


class ResumedView(JobView):
    """A job whose pause was ended."""

    caught_up_by: RunView | None = Field(description="The run asked for in place of what was passed over.")


class NextView(View):
    """A coming fire time."""

    job: str
    fire_time: datetime
    local: str
    timezone: str
    window_end: datetime | None
    reruns: list[datetime] = Field(description="When what is left would be rerun, before the next fire time.")
    excluded: str | None = Field(description="Why a calendar lets it not run; null if it runs.")
    moved_to: datetime | None = Field(description="The fire time to which it was moved.")
    moved_from: datetime | None = Field(description="The fire time of the first that was moved here.")


class Explanation(View):
    """A schedule in words."""

    job: str
    schedule: str
    timezone: str


class Readiness(View):
    """Whether the daemon does its work; `reasons` says what is wrong."""

    ready: bool
    reasons: list[str]


class ErrorView(View):
    """Every error's body."""

    error: str = Field(description="What is wrong, and what can be done.")
    detail: object = None
