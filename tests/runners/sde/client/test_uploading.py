"""A report file gets there once, whatever becomes of the answers, the file and the daemon."""

import asyncio
import os
from datetime import timedelta

import pytest

from runners.api import Ended, Stop, StopReason

FILES = "jobs/analysis-file/"


def names(sde):
    return [upload["name"] for upload in sde.uploads]


@pytest.mark.parametrize("fault", ["drop_after", b"<html>"])
async def test_the_lost_answer_to_an_upload_is_found_among_the_newer_imports(sde, driver, fault):
    """By the file's name and project; nothing is sent again where it is there, and yesterday's is not ours."""
    sde.add_job(50, kind="analysis", attachment="a.fpr", script=(0, False, "yesterday"))
    driver.file("reports/a.fpr")
    sde.order("POST", FILES, fault)
    await driver.send()
    assert driver.report.states() == {"reports/a.fpr": "done"}
    assert sde.count("POST") == 1
    assert driver.report.counts()["sde_answer_lost"] == 1


async def test_an_upload_that_was_not_taken_is_repeated(sde, driver):
    """Only after the newer imports were read, several times."""
    driver.file("reports/a.fpr")
    sde.order("POST", FILES, (502, {}, {}))
    await driver.send()
    assert driver.report.states() == {"reports/a.fpr": "done"}
    assert sde.count("POST") == 2
    assert sde.count("GET", r"analysis/\?") == 7


async def test_a_name_that_the_store_of_the_server_has_changed_is_recognized(sde, driver):
    """Stores append seven characters to a name that is taken, and turn blanks into underscores."""
    driver.file("reports/my scan.fpr")
    sde.order("POST", FILES, "drop_after")

    sde.store_name = "uploads/my_scan_x7Yz12A.fpr"
    await driver.send()
    assert driver.report.states() == {"reports/my scan.fpr": "done"}
    assert len(sde.uploads) == 1


async def test_imports_of_other_names_projects_and_runs_are_not_ours(sde, driver):
    """All of them are newer than the baseline."""
    driver.file("reports/a.fpr")
    driver.next_run()
    host = f"127.0.0.1:{sde.port}"

    async def rivals():
        """After the baseline was answered."""
        sde.add_job(50, kind="analysis", attachment="b.fpr")
        sde.add_job(50, kind="analysis", attachment="a.fpr", project=8)
        another = sde.add_job(50, kind="analysis", attachment="a.fpr")
        driver.memory.others[0].values[f"sde_file_job:{another}@{host}"] = "ours"

    sde.order("GET", "jobs/analysis/", rivals)
    sde.order("POST", FILES, (502, {}, {}))
    await driver.send()
    assert sde.count("POST") == 2
    assert len(sde.uploads) == 1


async def test_a_file_that_changes_while_it_is_sent_is_not_taken_by_the_server(sde, driver):
    """The last piece is held back until the file is known to be what it was; the file is left, with the reason."""
    path = driver.file("reports/a.fpr", b"x" * 5_000_000)

    async def write():
        with path.open("ab") as file:
            file.write(b"more")

    write.early = True
    sde.order("POST", FILES, write)
    await driver.send()
    assert driver.report.states() == {"reports/a.fpr": "failed"}
    assert "it changed while it was read" in driver.report.reason("reports/a.fpr")
    assert not sde.uploads
    assert not driver.report.told
    driver.report.ended.clear()
    await driver.send(rerun=True, left=["reports/a.fpr"])
    assert [len(upload["content"]) for upload in sde.uploads] == [5_000_004]


async def test_a_file_that_vanishes_while_it_is_sent_is_imported(sde, driver):
    """What was opened is sent whole; nothing is left to be moved."""
    path = driver.file("reports/a.fpr", b"x" * 3_000_000)

    async def unlink():
        path.unlink()

    unlink.early = True
    sde.order("POST", FILES, unlink)
    await driver.send(move_to="done")
    assert driver.report.states() == {"reports/a.fpr": "done"}
    assert [len(upload["content"]) for upload in sde.uploads] == [3_000_000]


async def test_a_new_file_at_the_place_of_the_sent_one_is_not_moved(sde, driver):
    """It has not been imported: the next run does that."""
    path = driver.file("reports/a.fpr", b"old")

    async def replace():
        path.with_suffix(".tmp").write_bytes(b"new")
        path.with_suffix(".tmp").rename(path)

    sde.order("POST", FILES, replace)
    await driver.send(move_to="done")
    assert path.read_bytes() == b"new"
    driver.next_run()
    await driver.send(move_to="done")
    assert [upload["content"] for upload in sde.uploads] == [b"old", b"new"]
    assert (driver.folder / "done/a.fpr").read_bytes() == b"new"


async def test_a_stop_cuts_an_upload_short_and_the_server_gets_no_part_of_it(sde, driver):
    """A file that was not given whole has not been imported: it is sent anew, without looking for it."""
    driver.file("reports/a.fpr", b"x" * 20_000_000)
    stop = Stop()

    async def close():
        stop.request(StopReason.WINDOW_END)

    close.early = True
    sde.order("POST", FILES, close)
    outcome = await driver.send(stop=stop)
    assert outcome.ended is Ended.STOPPED
    assert not sde.uploads
    looks = sde.count("GET")
    await driver.send(rerun=True, left=["reports/a.fpr"])
    assert names(sde) == ["a.fpr"]
    assert sde.count("GET", r"analysis/\?") == looks + 1


async def test_a_daemon_that_dies_finds_its_import_again(sde, driver):
    """After the answer was remembered, and while it was on its way: one import either way."""
    for number, act in enumerate((None, "drop")):
        name = f"reports/{number}.fpr"
        driver.file(name, b"%d" % number)
        hang = asyncio.Event()

        async def never(hang=hang):
            hang.set()
            await asyncio.Event().wait()

        sde.order("POST" if act else "GET", FILES if act else r"analysis/\d", never)
        task = asyncio.create_task(driver.send())
        await hang.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await driver.restart()
        await driver.send(left=[name])
        assert driver.report.states()[name] == "done"
        assert len(sde.uploads) == number + 1


async def test_a_job_that_is_not_ready_in_time_leaves_its_file(sde, driver):
    """Counted from the upload, also over attempts: plain words, and the next file goes on."""
    os.utime(driver.file("reports/a.fpr", b"a"), (1, 1))
    driver.file("reports/b.fpr", b"b")
    sde.script = (10_000, True, "")

    async def quick():
        sde.script = (1, True, "")

    sde.order("POST", FILES, quick)
    await driver.send(deadline=timedelta(minutes=90))
    assert driver.report.states() == {"reports/a.fpr": "timed_out", "reports/b.fpr": "done"}
    assert driver.report.reason("reports/a.fpr") == (
        "job 101 was not ready 1.5 h after it was sent; it may still go on at the server"
    )


async def test_a_file_that_does_not_get_through_is_left_and_the_next_goes_on(sde, driver):
    """A proxy cuts off what is too long for it: nothing has to be looked for, and the other files are not held up."""
    os.utime(driver.file("reports/a.fpr", b"a" * 20_000_000), (1, 1))
    driver.file("reports/b.fpr", b"b")

    async def cut():
        raise ConnectionError

    cut.early = True
    sde.order("POST", FILES, cut)
    assert (await driver.send()).ended is Ended.COMPLETED
    assert driver.report.states() == {"reports/a.fpr": "unreachable", "reports/b.fpr": "done"}
    assert driver.report.reason("reports/a.fpr").startswith("the connection broke while it was sent: ")
    assert sde.count("GET", r"analysis/\?") == 2
    assert not driver.report.told
    await driver.send(rerun=True, left=["reports/a.fpr"])
    assert names(sde) == ["b.fpr", "a.fpr"]
    assert sde.count("GET", r"analysis/\?") == 3


async def test_a_file_whose_answers_are_all_lost_is_left_and_looked_for_by_the_rerun(sde, driver):
    """It is sent three times at most, and the newer imports are read after each."""
    os.utime(driver.file("reports/a.fpr", b"a"), (1, 1))
    driver.file("reports/b.fpr", b"b")
    sde.order("POST", FILES, (502, {"detail": "bad gateway"}, {}), times=3)
    await driver.send()
    assert driver.report.states() == {"reports/a.fpr": "unreachable", "reports/b.fpr": "done"}
    assert driver.report.reason("reports/a.fpr") == (
        "whether the server has got it is not known: bad gateway (status 502)"
    )
    sde.add_job(50, kind="analysis", attachment="a.fpr")
    await driver.send(rerun=True, left=["reports/a.fpr"])
    assert driver.report.states()["reports/a.fpr"] == "done"
    assert names(sde) == ["b.fpr"]


async def test_throttling_is_heeded_by_uploads(sde, driver):
    """What Retry-After says passes, then it is sent again from its first byte."""
    driver.file("reports/a.fpr", b"x" * 2_500_000)
    sde.order("POST", FILES, (429, {"detail": "Request was throttled."}, {"Retry-After": "77"}))
    await driver.send()
    assert [len(upload["content"]) for upload in sde.uploads] == [2_500_000]
    assert max(driver.clock.slept).total_seconds() >= 77


async def test_a_failure_that_was_told_is_sent_again_by_the_next_attempt(sde, driver):
    """Also where that is a retry, because of another file."""
    driver.file("reports/a.fpr")
    sde.script = (1, False, "no")
    await driver.send()
    sde.script = (1, True, "")
    await driver.send(left=["reports/a.fpr"])
    assert names(sde) == ["a.fpr", "a.fpr"]
    assert driver.report.states() == {"reports/a.fpr": "done"}


async def test_a_failure_that_came_while_the_daemon_was_down_is_told(sde, driver):
    """It is this file's; only then it is sent again."""
    driver.file("reports/a.fpr")
    sde.script = (100, True, "")
    stop = Stop()
    driver.clock.at(timedelta(minutes=1), lambda: stop.request(StopReason.SHUTDOWN))
    outcome = await driver.send(stop=stop)
    assert (
        outcome.reason == "prod: reports/a.fpr: job 101 goes on at the server and is found again at the next start"
    )
    assert not outcome.unsettled
    sde.end(101, False, "no license")
    await driver.restart()
    await driver.send(left=["reports/a.fpr"])
    assert driver.report.reason("reports/a.fpr") == "job 101 failed: no license"
    assert len(sde.uploads) == 1


async def test_a_file_that_is_another_one_by_the_next_attempt_is_sent(sde, driver):
    """What is remembered of the old content says nothing of the new one."""
    driver.file("reports/a.fpr", b"old")
    sde.script = (100, True, "")
    stop = Stop()
    driver.clock.at(timedelta(minutes=1), lambda: stop.request(StopReason.WINDOW_END))
    await driver.send(stop=stop)
    driver.file("reports/a.fpr", b"new")
    sde.script = (1, True, "")
    await driver.send(rerun=True, left=["reports/a.fpr"])
    assert [upload["content"] for upload in sde.uploads] == [b"old", b"new"]
