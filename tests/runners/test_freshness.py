"""`incremental`: what is fresh is not collected again."""

import asyncio
from datetime import timedelta

import pytest

from runners.api import AssetRef, AssetState, Ended, StopReason, Verdict

WEEK = timedelta(days=7)
ASSETS = tuple(AssetRef(name, "linux") for name in ("fresh", "aged", "never"))
JUDGE = """read line; echo "{\\"results\\": [{\\"check\\": \\"$line\\", \\"result\\": \\"pass\\"}]}" """


@pytest.fixture
def dated(lab, manual):
    """A lab with data just younger than a week, and data of exactly a week."""
    lab.clock = manual
    lab.data.put(ASSETS[0], "kept", manual.now() - WEEK + timedelta(seconds=1))
    lab.data.put(ASSETS[1], "kept", manual.now() - WEEK)
    return lab


async def test_fresh_assets_are_not_collected(dated):
    """A collection reports an asset whose data is younger than `incremental` as fresh, and collects the others."""
    outcome = await dated.collect(ASSETS, "echo new", type="CollectionJob", incremental=WEEK)
    assert outcome.ended is Ended.COMPLETED
    assert dated.report.states() == {"fresh": AssetState.FRESH, "aged": AssetState.DONE, "never": AssetState.DONE}
    assert dated.report.of("fresh").reason == "data of 2026-11-15T12:00:01+00:00 is fresh"
    assert dated.data.newest_of[ASSETS[0]].path.read_text() == "kept"
    assert dated.data.newest_of[ASSETS[1]].path.read_text() == "new\n"
    assert dated.data.newest_of[ASSETS[1]].collected_at == dated.clock.now()


async def test_fresh_assets_are_still_evaluated(dated):
    """A collection with evaluation judges fresh data as well, and the asset stays fresh."""
    await dated.collect(ASSETS, "echo new", JUDGE, incremental=WEEK, standards=("s",))
    assert dated.report.states() == {"fresh": AssetState.FRESH, "aged": AssetState.DONE, "never": AssetState.DONE}
    assert [(r.check, r.result) for r in dated.report.of("fresh").results] == [("kept", Verdict.PASS)]
    assert [(r.check, r.result) for r in dated.report.of("aged").results] == [("new", Verdict.PASS)]


async def test_fresh_data_that_cannot_be_judged_fails(dated):
    """An evaluator's failure counts for a fresh asset too."""
    await dated.collect(ASSETS, "echo new", "exit 4", incremental=WEEK, standards=("s",))
    assert set(dated.report.states().values()) == {AssetState.FAILED}


async def test_without_incremental_all_are_collected(dated):
    """However young the data is, without `incremental` it is collected anew."""
    await dated.collect(ASSETS, "echo new", type="CollectionJob")
    assert set(dated.report.states().values()) == {AssetState.DONE}


async def test_freshness_is_judged_at_the_start(dated, until_true):
    """Data that ages past `incremental` while the attempt works is still fresh for this attempt.

    Rule: freshness
    """
    go = dated.folder / "go"
    script = f"echo begun >&2; while ! [ -e {go} ]; do sleep 0.02; done"
    order = (ASSETS[2], ASSETS[0])
    running = asyncio.ensure_future(
        dated.collect(order, script, JUDGE, incremental=WEEK, standards=("s",), parallel=1, asset_timeout=None)
    )
    await until_true(lambda: (dated.output / "output.log").exists() and "begun" in dated.log)
    dated.clock.advance(timedelta(hours=1))
    go.touch()
    await running
    assert dated.report.of("fresh").state is AssetState.FRESH


async def test_the_end_of_collecting_spares_the_fresh(dated, until_true):
    """After `collection_timeout`, fresh assets whose turn comes are still evaluated."""
    order = (ASSETS[2], ASSETS[0])
    running = asyncio.ensure_future(
        dated.collect(
            order, "echo begun >&2; sleep 600", JUDGE,
            incremental=WEEK, standards=("s",), parallel=1, collection_timeout=timedelta(minutes=5),
        )
    )  # fmt: skip
    await until_true(lambda: (dated.output / "output.log").exists() and "begun" in dated.log)
    dated.clock.advance(timedelta(minutes=5))
    assert (await running).reason.startswith("collecting ended after 5m")
    assert dated.report.states() == {"fresh": AssetState.FRESH}


async def test_a_stop_ends_the_planning(dated):
    """A stop that is already asked for leaves even fresh assets open."""
    dated.stop.request(StopReason.CANCEL)
    outcome = await dated.collect(ASSETS, "echo new", type="CollectionJob", incremental=WEEK)
    assert outcome.ended is Ended.STOPPED
    assert dated.report.ended == []
