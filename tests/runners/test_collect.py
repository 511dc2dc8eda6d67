"""Collections over assets, with real collectors and evaluators."""

import asyncio
import json
import os
from datetime import timedelta

import pytest

from config.definitions import Collector, CollectRun
from runners.api import AssetRef, AssetState, CheckResult, Collected, Ended, Outcome, StopReason, Verdict

PASS = """cat >/dev/null; echo '{"results": [{"check": "c-1", "result": "pass", "message": "fine"}]}'"""
WAIT_FIRST = 'touch "{0}/$1"; case $1 in web-[1-8]) echo data ;; *) echo begun; sleep 600 ;; esac'


async def test_collected_then_evaluated_by_each_standard(lab):
    """An asset is done when collected and judged by every standard; its data is kept and was the judges' stdin.

    Rule: protocol
    """
    judge = """read line; echo "{\\"results\\": [{\\"check\\": \\"$1/$line\\", \\"result\\": \\"fail\\"}]}" """
    outcome = await lab.collect(2, "echo data of $1", judge, standards=("cis-1", "cis-2"))
    assert outcome == Outcome(Ended.COMPLETED)
    report = lab.report.of("web-1")
    assert (report.state, report.reason) == (AssetState.DONE, "")
    assert report.results == tuple(
        CheckResult(standard, f"{standard}/data of web-1", Verdict.FAIL) for standard in ("cis-1", "cis-2")
    )
    assert lab.data.newest_of[AssetRef("web-2", "linux")].path.read_text() == "data of web-2\n"
    assert len(list((lab.output / "results").iterdir())) == 4


async def test_a_collection_job_does_not_evaluate(lab):
    """CollectionJob is done with the data; no evaluator is needed."""
    assert await lab.collect(1, "echo x", type="CollectionJob", standards=("cis-1",)) == Outcome(Ended.COMPLETED)
    assert lab.report.of("web-1").state is AssetState.DONE
    assert lab.report.of("web-1").results == ()


@pytest.mark.parametrize(
    ("collect", "evaluate", "state", "reason"),
    [
        ("echo 'no route' >&2; exit 75", PASS, AssetState.UNREACHABLE, "collect: no route"),
        ("exit 75", PASS, AssetState.UNREACHABLE, "collect: exit code 75"),
        ("echo oops >&2; exit 2", PASS, AssetState.FAILED, "collect: exit code 2: oops"),
        ("kill -KILL $$", PASS, AssetState.FAILED, "collect: killed by SIGKILL"),
        ("echo x", "echo why >&2; exit 1", AssetState.FAILED, "evaluate cis-1: exit code 1: why"),
        ("echo x", "echo hello", AssetState.FAILED, "evaluate cis-1: the output is not JSON: Expecting value: line 1 column 1 (char 0)"),
        ("echo x", "head -c 5000000 /dev/zero", AssetState.FAILED, "evaluate cis-1: printed more than 4194304 bytes (the most an evaluator may print)"),
        ("echo x", None, AssetState.FAILED, "no evaluate command for assets of type 'linux'"),
    ],
)  # fmt: skip
async def test_what_is_not_done_has_a_reason(lab, collect, evaluate, state, reason):
    """Exit 75 is unreachable; any other failure of collector or evaluator fails the asset, with its words.

    Rule: protocol
    """
    outcome = await lab.collect(1, collect, evaluate, standards=("cis-1",))
    assert outcome == Outcome(Ended.COMPLETED)
    report = lab.report.of("web-1")
    assert (report.state, report.reason, report.results) == (state, reason, ())
    assert list((lab.output / "data").iterdir()) == []


async def test_a_failing_asset_harms_no_other(lab):
    """One asset's failure, or a type without collector, leaves the others to be done."""
    assets = (AssetRef("a", "linux"), AssetRef("b", "vms"), AssetRef("c", "gone"), AssetRef("d", "linux"))
    good = Collector(collect=("/bin/sh", "-c", "echo x"))
    collectors = {"linux": good, "gone": Collector(collect=("./not-here",))}
    await lab.run(CollectRun(type="CollectionJob"), assets, collectors)
    assert lab.report.states() == {
        "a": AssetState.DONE, "b": AssetState.FAILED, "c": AssetState.FAILED, "d": AssetState.DONE,
    }  # fmt: skip
    assert lab.report.of("b").reason == "no collector for assets of type 'vms' (collectors:)"
    assert lab.report.of("c").reason == (
        f"collect: '{lab.folder}/not-here' cannot be started: No such file or directory"
    )


async def test_a_stop_keeps_what_is_done_and_leaves_the_rest_open(lab, until_true, carriers_of):
    """Of 20 assets at once, 12 asleep when the stop comes: 8 are done and kept, 12 are not reported, all groups gone.

    Rule: what-is-left
    """
    begun = lab.folder / "begun"
    begun.mkdir()
    collect = 'trap "" TERM; ' + WAIT_FIRST.format(begun)
    running = asyncio.ensure_future(
        lab.collect(20, collect, PASS, standards=("s",), parallel=20, kill_after=timedelta(milliseconds=500))
    )
    await until_true(lambda: len(lab.report.ended) == 8 and len(list(begun.iterdir())) == 20)
    lab.stop.request(StopReason.WINDOW_END)
    outcome = await running
    assert outcome == Outcome(Ended.STOPPED, "stopped: the run window is over; 12 of 20 assets left")
    assert lab.report.states() == {f"web-{number}": AssetState.DONE for number in range(1, 9)}
    assert len(lab.report.started) == 20
    assert len(lab.data.newest_of) == 8
    assert carriers_of(lab.token) == []
    assert list((lab.output / "data").iterdir()) == []


async def test_parallel_is_the_most_at_once(lab):
    """Never more than `parallel` assets are worked on at once, and all get their turn."""
    running = lab.folder / "running"
    running.mkdir()
    script = f"mkdir {running}/$1; ls {running} | wc -l; sleep 0.05; rmdir {running}/$1"
    await lab.collect(9, script, type="CollectionJob", parallel=3)
    counts = [int(kept.path.read_text()) for kept in lab.data.newest_of.values()]
    assert len(counts) == 9
    assert max(counts) <= 3


async def test_after_a_stop_nothing_new_begins(lab, until_true):
    """Assets that wait for their turn when the stop comes are never begun."""
    running = asyncio.ensure_future(lab.collect(5, "echo 1 >&2; sleep 600", type="CollectionJob", parallel=1))
    await until_true(lambda: (lab.output / "output.log").exists() and lab.log)
    lab.stop.request(StopReason.SHUTDOWN)
    assert (await running).ended is Ended.STOPPED
    assert [asset.id for asset in lab.report.started] == ["web-1"]
    assert lab.report.ended == []


async def test_a_time_out_covers_collection_and_evaluation(lab, manual, until_true, carriers_of):
    """`asset_timeout` is one asset's, from its start to its last result; its partial results are discarded."""
    lab.clock = manual
    evaluate = f"cat >/dev/null; case $1 in s1) {PASS} ;; *) touch {lab.folder}/second; sleep 600 ;; esac"
    running = asyncio.ensure_future(
        lab.collect(1, "echo x", evaluate, standards=("s1", "s2"), asset_timeout=timedelta(minutes=30))
    )
    await until_true((lab.folder / "second").exists)
    manual.advance(timedelta(minutes=30))
    assert (await running).ended is Ended.COMPLETED
    report = lab.report.of("web-1")
    assert (report.state, report.results) == (AssetState.TIMED_OUT, ())
    assert report.reason == "evaluate s2: timed out after 30m (asset_timeout)"
    assert report.ended_at - report.started_at == timedelta(minutes=30)


async def test_each_asset_has_its_own_time_out(lab, manual, until_true):
    """The time-out of one asset counts from its own start."""
    lab.clock = manual
    go = lab.folder / "go"
    script = f"touch {lab.folder}/$1; while ! [ -e {go} ] || [ $1 = web-2 ]; do sleep 0.02; done"
    running = asyncio.ensure_future(
        lab.collect(2, script, type="CollectionJob", parallel=1, asset_timeout=timedelta(minutes=30))
    )
    await until_true((lab.folder / "web-1").exists)
    manual.advance(timedelta(minutes=29))
    go.touch()
    await until_true((lab.folder / "web-2").exists)
    manual.advance(timedelta(minutes=29))
    assert lab.report.states() == {"web-1": AssetState.DONE}
    manual.advance(timedelta(minutes=1))
    await running
    assert lab.report.of("web-2").state is AssetState.TIMED_OUT


async def test_collection_time_out(lab, manual, until_true):
    """At its end collecting stops, what is collected by then is evaluated, and the rest stays open.

    Rule: collection-timeout
    """
    lab.clock = manual
    script = f"touch {lab.folder}/$1; case $1 in web-1) echo x ;; *) sleep 600 ;; esac"
    evaluate = f"touch {lab.folder}/judging; while ! [ -e {lab.folder}/go ]; do sleep 0.02; done; {PASS}"
    running = asyncio.ensure_future(
        lab.collect(
            4, script, evaluate,
            standards=("s",), parallel=2, collection_timeout=timedelta(hours=1), asset_timeout=None,
        )
    )  # fmt: skip
    await until_true(lambda: (lab.folder / "judging").exists() and (lab.folder / "web-2").exists())
    manual.advance(timedelta(hours=1))
    await until_true(lambda: "[web-2] open" in lab.log)
    (lab.folder / "go").touch()
    reason = "collecting ended after 1h (collection_timeout)"
    assert await running == Outcome(Ended.COMPLETED, reason)
    assert lab.report.states() == {"web-1": AssetState.DONE}
    assert [asset.id for asset in lab.report.started] == ["web-1", "web-2"]


async def test_a_report_that_fails_loses_no_process(lab, until_true, carriers_of):
    """When a report cannot be written, every group is ended and that very exception is raised."""
    lab.report.broken = OSError("disk full")
    script = f"case $1 in web-1) while ! [ -e {lab.folder}/go ]; do sleep 0.02; done ;; *) setsid sleep 600 & sleep 600 ;; esac"
    running = asyncio.ensure_future(lab.collect(4, script, type="CollectionJob"))
    await until_true(lambda: len(carriers_of(lab.token)) >= 7)
    (lab.folder / "go").touch()
    with pytest.raises(OSError, match="disk full"):
        await running
    assert carriers_of(lab.token) == []


async def test_a_fault_of_the_store_is_raised_after_all_have_ended(lab, monkeypatch, carriers_of):
    """An unexpected exception is not taken for one asset's failure: it ends the attempt, and every group first."""

    async def broken(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(lab.data, "keep", broken)
    with pytest.raises(ZeroDivisionError):
        await lab.collect(3, "case $1 in web-1) ;; *) sleep 600 ;; esac", type="CollectionJob")
    assert carriers_of(lab.token) == []


@pytest.mark.parametrize(
    "unsafe", ["../../x", "/etc/passwd", "x" * 5000, "ünïcode/ñ", "..", "", "a\nb", "\x1b[31m", "-rf", "\udc80"]
)
async def test_any_id_is_safe(lab, unsafe):
    """Whatever an id holds, its files stay in the attempt's folder and its lines in the log stay lines."""
    assets = (AssetRef(unsafe, "linux"), AssetRef(unsafe, "linux"))
    judge = ("/bin/sh", "-c", PASS)
    collector = Collector(collect=("/bin/sh", "-c", "cat; echo said >&2", "sh", "{asset.id}"), evaluate=judge)
    before = sorted(os.listdir(lab.folder))
    await lab.run(CollectRun(standards=("../../s",)), assets, {"linux": collector})
    assert [report.state for report in lab.report.ended] == [AssetState.DONE] * 2
    assert json.loads(lab.data.newest_of[assets[0]].path.read_bytes())["id"] == unsafe
    assert sorted(os.listdir(lab.folder)) == before
    assert sorted(os.listdir(lab.output)) == ["data", "output.log", "results"]
    assert len(os.listdir(lab.output / "results")) == 2
    assert len(lab.log.splitlines()) == 4
    assert lab.log.isprintable() or lab.log.replace("\n", "").isprintable()


async def test_an_id_that_no_argument_can_hold(lab):
    """An id with a NUL fails its asset, not the attempt."""
    await lab.collect((AssetRef("a\0b", "linux"), AssetRef("c", "linux")), "echo", type="CollectionJob")
    assert lab.report.states() == {"a\0b": AssetState.FAILED, "c": AssetState.DONE}
    assert lab.report.of("a\0b").reason.endswith("embedded null byte")


async def test_no_assets_are_done_at_once(lab):
    """Without assets there is nothing left over."""
    assert await lab.collect(0, "exit 1") == Outcome(Ended.COMPLETED)


async def test_evaluation_only_uses_the_newest_data(lab, manual):
    """EvaluationJob judges the newest data of any job and collects nothing; without data: unreachable.

    Rule: evaluation-job
    """
    lab.clock = manual
    known, unknown, vanished = (AssetRef(name, "linux") for name in ("known", "unknown", "vanished"))
    lab.data.put(known, "old data", manual.now() - timedelta(days=400))
    lab.data.newest_of[vanished] = Collected(lab.folder / "nothing", manual.now())
    judge = "grep -q 'old data' && " + PASS
    outcome = await lab.collect(
        (known, unknown, vanished), "touch $TMPDIR/../collected", judge,
        type="EvaluationJob", standards=("s",), incremental=timedelta(days=1), collection_timeout=timedelta(1),
    )  # fmt: skip
    assert outcome == Outcome(Ended.COMPLETED)
    assert lab.report.of("known").state is AssetState.DONE
    assert lab.report.of("known").results == (CheckResult("s", "c-1", Verdict.PASS, "fine"),)
    assert lab.report.of("unknown").state is AssetState.UNREACHABLE
    assert lab.report.of("unknown").reason == "no collected data"
    assert lab.report.of("vanished").state is AssetState.FAILED
    assert "No such file or directory" in lab.report.of("vanished").reason
    assert not (lab.folder / "tmp" / "collected").exists()
