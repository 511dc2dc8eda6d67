"""Why: the answer as a JSON shape."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from jobsd.views.runs import local_time
from jobsd.views.shapes import View
from scheduler.why import Answer, Due


class RuleView(View):
    """A rule that decided."""

    rule: str = Field(
        description="asked, definition, enabled, calendar, pause, catch_up, overlap, limits, max_running, pacing, "
        "window, start, retry, rerun, stop, interruption, outcome, operator, ledger, daemon, known_since, journal."
    )
    says: str


class DueView(View):
    """What the answer is about: something that was or comes due."""

    fire_time: datetime
    local: str = Field(description="The fire time in the zone of its run or schedule, with its offset.")
    timezone: str
    state: str | None = Field(description="Of its run; null where it has none yet.")
    moved_from: datetime | None
    moved_to: datetime | None
    window_end: datetime | None


class WhyView(View):
    """Why a job ran, runs, waits, did not run or will not, at an instant."""

    job: str
    at: datetime
    verdict: str = Field(
        description="ran, runs, waits, skipped, missed, cancelled, due (and not looked at yet), will_run, "
        "would_skip, not_due, never, or unknown."
    )
    sentence: str
    occurrence: DueView | None
    run_id: str | None
    rules: list[RuleView] = Field(description="What decided, in order.")


def why_view(answer: Answer) -> WhyView:
    """An answer."""
    return WhyView(
        job=answer.job,
        at=answer.at,
        verdict=answer.verdict,
        sentence=answer.sentence,
        occurrence=None if answer.occurrence is None else _due(answer.occurrence),
        run_id=answer.run_id,
        rules=[RuleView(rule=rule.rule, says=rule.says) for rule in answer.rules],
    )


def _due(due: Due) -> DueView:
    return DueView(
        fire_time=due.fire_time,
        local=local_time(due.fire_time, due.zone),
        timezone=due.zone,
        state=None if due.state is None else due.state.value,
        moved_from=due.moved_from,
        moved_to=due.moved_to,
        window_end=due.window_end,
    )
