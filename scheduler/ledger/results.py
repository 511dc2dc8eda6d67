"""What the evaluations of a run found: line by line, and summed up by standard."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from runners.api import AssetRef, CheckResult, Verdict
from scheduler.ledger import schema

_RESULTS = schema.check_results

_HARMLESS = (Verdict.PASS.value, Verdict.NOT_APPLICABLE.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultFilter:
    """Which results are wanted; an empty set wants all.

    Attributes:
        standards: Names of standards.
        assets: Ids of assets.
        verdicts: What the checks say.
    """

    standards: frozenset[str] = frozenset()
    assets: frozenset[str] = frozenset()
    verdicts: frozenset[Verdict] = frozenset()

    def clauses(self, run_no: int) -> list[sa.ColumnElement[bool]]:
        """The conditions on the table of results."""
        found = self.clauses_but_verdicts(run_no)
        if self.verdicts:
            found.append(_RESULTS.c.result.in_(sorted(self.verdicts)))
        return found

    def clauses_but_verdicts(self, run_no: int) -> list[sa.ColumnElement[bool]]:
        """The same for sums: what is left of the verdicts there would say nothing."""
        found: list[sa.ColumnElement[bool]] = [_RESULTS.c.run_no == run_no]
        if self.standards:
            found.append(_RESULTS.c.standard.in_(sorted(self.standards)))
        if self.assets:
            found.append(_RESULTS.c.asset_id.in_(sorted(self.assets)))
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class StandardTally:
    """The results of one standard in a run.

    Attributes:
        assets: How many assets were evaluated by it.
        passed: How many of these have nothing but pass and notapplicable.
        verdicts: How many results say what.
    """

    standard: str
    assets: int
    passed: int
    verdicts: dict[Verdict, int]


def tallies(connection: sa.Connection, run_no: int, which: ResultFilter) -> list[StandardTally]:
    """The standards of a run by name; `which` chooses among standards and assets, all verdicts are counted."""
    bad = sa.func.sum(sa.case((_RESULTS.c.result.in_(_HARMLESS), 0), else_=1))
    each = (
        sa.select(_RESULTS.c.standard, bad.label("bad"))
        .where(*which.clauses_but_verdicts(run_no))
        .group_by(_RESULTS.c.standard, _RESULTS.c.asset_type, _RESULTS.c.asset_id)
        .subquery()
    )
    clean = sa.func.sum(sa.case((each.c.bad == 0, 1), else_=0))
    assets = sa.select(each.c.standard, sa.func.count(), clean).group_by(each.c.standard)
    counts = (
        sa.select(_RESULTS.c.standard, _RESULTS.c.result, sa.func.count())
        .where(*which.clauses_but_verdicts(run_no))
        .group_by(_RESULTS.c.standard, _RESULTS.c.result)
    )
    verdicts: dict[str, dict[Verdict, int]] = {}
    for standard, verdict, count in connection.execute(counts):
        verdicts.setdefault(standard, {})[Verdict(verdict)] = count
    return [
        StandardTally(standard=standard, assets=number, passed=passed, verdicts=verdicts[standard])
        for standard, number, passed in connection.execute(assets.order_by(each.c.standard))
    ]


def of_assets(
    connection: sa.Connection, run_no: int, wanted: Iterable[AssetRef], which: ResultFilter
) -> dict[AssetRef, list[CheckResult]]:
    """The results of some assets in the evaluators' order; an asset that has none at all is left out.

    An asset that has results, of which `which` wants none, has an empty list.
    """
    found: dict[AssetRef, list[CheckResult]] = {}
    for asset in wanted:
        mine = (_RESULTS.c.asset_type == asset.type, _RESULTS.c.asset_id == asset.id)
        query = sa.select(_RESULTS).where(*which.clauses(run_no), *mine).order_by(_RESULTS.c.position)
        rows = [
            CheckResult(row.standard, row.check_name, Verdict(row.result), row.message)
            for row in connection.execute(query)
        ]
        if rows or connection.execute(sa.select(_RESULTS.c.position).where(
            _RESULTS.c.run_no == run_no, *mine).limit(1)).first():  # fmt: skip
            found[asset] = rows
    return found
