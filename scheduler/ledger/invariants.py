"""What must hold of single rows and of rows beside each other: one query each, which finds what breaks it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from scheduler.checks.finding import Finding
from scheduler.checks.life import iso
from scheduler.ledger import schema
from scheduler.lifecycle import FINAL, State
from scheduler.model import Kind
from scheduler.notices import OUTCOMES

_R, _J, _A, _S, _D = schema.runs.c, schema.jobs.c, schema.attempts.c, schema.run_assets.c, schema.deliveries.c
_ENDED = [state.value for state in FINAL]
_COVERED = ("done", "fresh")


@dataclass(frozen=True, slots=True)
class Invariant:
    """A rule that each row of a query breaks; `says` is filled in with the row's columns.

    The columns `job` and `run_id` say what it concerns.
    """

    name: str
    says: str
    query: sa.Select[Any]


def broken(connection: sa.Connection) -> Iterator[Finding]:
    """What breaks any of the invariants."""
    for invariant in INVARIANTS:
        for row in connection.execute(invariant.query):
            values = row._asdict()
            said = {name: iso(value) if isinstance(value, datetime) else value for name, value in values.items()}
            says = invariant.says.format(**said)
            yield Finding(invariant.name, says, values.get("job"), values.get("run_id"))


def _runs(*more: Any) -> sa.Select[Any]:
    chosen = (_J.name.label("job"), _R.run_id, _R.state)
    return sa.select(*chosen, *more).join_from(schema.runs, schema.jobs)


def _assets(*more: Any) -> sa.Select[Any]:
    chosen = (_S.asset_id, _S.asset_type, _S.state.label("asset_state"))
    return _runs(*chosen, *more).join(schema.run_assets, _S.run_no == _R.run_no)


def _jobs(*more: Any) -> sa.Select[Any]:
    return sa.select(_J.name.label("job"), *more)


def _untrue(about: str) -> sa.ColumnElement[bool]:
    """A delivery that tells `about` of a run that did not end so."""
    states = [state.value for state, told in OUTCOMES.items() if told == about]
    return sa.and_(_D.about == about, _R.state.not_in(states))


_TOLD = sorted(set(OUTCOMES.values()))
_TWIN = schema.runs.alias("twin")

INVARIANTS = (
    Invariant(
        "stretch",
        "it stands for {occurrences} occurrences, from {fire_time} to {last_fire_time}, as {state}",
        _runs(_R.occurrences, _R.fire_time, _R.last_fire_time).where(
            sa.or_(
                _R.occurrences < 1,
                (_R.occurrences > 1) != _R.last_fire_time.is_not(None),
                _R.last_fire_time <= _R.fire_time,
                sa.and_(
                    _R.last_fire_time.is_not(None),
                    sa.or_(_R.state.not_in([State.MISSED.value, State.SKIPPED.value]), _R.kind != Kind.FIRE.value),
                ),
            )
        ),
    ),
    Invariant(
        "times",
        "it was opened at {opened_at}, before its fire time {fire_time}",
        _runs(_R.opened_at, _R.fire_time).where(
            _R.kind == Kind.FIRE.value,
            sa.or_(_R.opened_at < _R.fire_time, _R.opened_at < _R.last_fire_time),
        ),
    ),
    Invariant(
        "times",
        "its window ends at {window_end}, before its fire time {fire_time}",
        _runs(_R.window_end, _R.fire_time).where(_R.window_end < _R.fire_time),
    ),
    Invariant(
        "wake_at",
        "it has ended ({state}), and would be looked at again at {wake_at}",
        _runs(_R.wake_at).where(_R.state.in_(_ENDED), _R.wake_at.is_not(None)),
    ),
    Invariant(
        "definitions",
        "its version {version_id} is one of another job, or is not there",
        _jobs(_J.version_id).where(
            ~sa.exists().where(
                schema.job_versions.c.version_id == _J.version_id, schema.job_versions.c.job_id == _J.job_id
            )
        ),
    ),
    Invariant(
        "definitions",
        "its version {version_id} is one of another job",
        _runs(_R.version_id)
        .join(schema.job_versions, schema.job_versions.c.version_id == _R.version_id)
        .where(schema.job_versions.c.job_id != _R.job_id),
    ),
    Invariant(
        "definitions",
        "its attempt {number} was made by a version of another job",
        _runs(_A.number)
        .join(schema.attempts, _A.run_no == _R.run_no)
        .join(schema.job_versions, schema.job_versions.c.version_id == _A.version_id)
        .where(schema.job_versions.c.job_id != _R.job_id),
    ),
    Invariant(
        "assets",
        "it succeeded, and its asset {asset_id} ({asset_type}) is {asset_state}",
        _assets().where(_R.state == State.SUCCEEDED.value, _S.state.not_in(_COVERED)),
    ),
    Invariant(
        "assets",
        "its asset {asset_id} ({asset_type}) is {asset_state}, ended at {ended_at} in attempt {attempt}",
        _assets(_S.ended_at, _S.attempt).where(
            sa.or_(
                (_S.state == "open") != _S.ended_at.is_(None),
                sa.and_(_S.state != "open", _S.attempt.is_(None)),
            )
        ),
    ),
    Invariant(
        "assets",
        "its asset {asset_id} ({asset_type}) was begun {starts} times, last in attempt {attempt} of {attempts}",
        _assets(_S.starts, _S.attempt, _R.attempts).where(
            sa.or_(_S.attempt > _R.attempts, _S.starts > sa.func.coalesce(_S.attempt, 0))
        ),
    ),
    Invariant(
        "assets",
        "it has assets, and its row says that it has none",
        _runs().where(~_R.has_assets, sa.exists().where(_S.run_no == _R.run_no)),
    ),
    Invariant(
        "results",
        "it has results of the asset {asset_id} ({asset_type}), which is none of its own",
        _runs(schema.check_results.c.asset_id, schema.check_results.c.asset_type)
        .join(schema.check_results, schema.check_results.c.run_no == _R.run_no)
        .where(
            ~sa.exists().where(
                _S.run_no == _R.run_no,
                _S.asset_type == schema.check_results.c.asset_type,
                _S.asset_id == schema.check_results.c.asset_id,
            )
        )
        .distinct(),
    ),
    Invariant(
        "deliveries",
        "delivery {delivery_id} is of another job than its run",
        _runs(_D.delivery_id)
        .join(schema.deliveries, _D.run_no == _R.run_no)
        .where(_D.job_id.is_distinct_from(_R.job_id)),
    ),
    Invariant(
        "deliveries",
        "delivery {delivery_id} tells a {about}, and it is {state}",
        _runs(_D.delivery_id, _D.about)
        .join(schema.deliveries, _D.run_no == _R.run_no)
        .where(sa.or_(*(_untrue(about) for about in _TOLD))),
    ),
    Invariant(
        "deliveries",
        "{count} {kind} deliveries to {target} tell its {about}",
        _runs(_D.kind, _D.target, _D.about, sa.func.count().label("count"))
        .join(schema.deliveries, _D.run_no == _R.run_no)
        .where(_D.about.in_(_TOLD))
        .group_by(_J.name, _R.run_id, _R.state, _D.kind, _D.target, _D.about)
        .having(sa.func.count() > 1),
    ),
    Invariant(
        "deliveries",
        "delivery {delivery_id} ({kind} to {target}) is {delivery_state} after {tries} tries",
        sa.select(_D.delivery_id, _D.kind, _D.target, _D.state.label("delivery_state"), _D.tries).where(
            sa.or_(_D.tries < 0, sa.and_(_D.tries == 0, _D.state == "delivered"))
        ),
    ),
    Invariant(
        "watermark",
        "its watermark {watermark} is before {schedule_since}, from which its schedule holds",
        _jobs(_J.watermark, _J.schedule_since).where(_J.armed, _J.watermark < _J.schedule_since),
    ),
    Invariant(
        "parents",
        "it follows run {parent_run}, which is one of another job",
        _runs(_R.parent_run).join(_TWIN, _TWIN.c.run_id == _R.parent_run).where(_TWIN.c.job_id != _R.job_id),
    ),
)
