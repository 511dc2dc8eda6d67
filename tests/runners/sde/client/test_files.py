"""Report files are imported, each once."""

import asyncio
import os

import pytest

from runners.api import AssetRef, Ended, Stop, StopReason

FILES = "jobs/analysis-file/"


def names(sde):
    return [upload["name"] for upload in sde.uploads]


async def test_every_matching_file_is_imported_the_oldest_first(sde, driver):
    """Each is an asset of the run, sent with its name, system and project, and its job watched until it is ready."""
    for age, name in enumerate(["c.fpr", "a.fpr", "b.fpr"]):
        os.utime(driver.file(f"reports/{name}", name.encode() * 1000), (1000 - age, 1000 - age))
    driver.file("reports/notes.txt")
    driver.file("reports/folder.fpr/x")
    sde.script = (2, True, "42 findings")
    outcome = await driver.send()
    assert (outcome.ended, outcome.reason) == (Ended.COMPLETED, "")
    assert [(asset.id, asset.type) for asset in driver.report.found] == [
        (f"reports/{name}.fpr", "sde-file") for name in "bac"
    ]
    assert names(sde) == ["b.fpr", "a.fpr", "c.fpr"]
    assert sde.uploads[0]["content"] == b"b.fpr" * 1000
    assert sde.uploads[0]["system"] == "fortify_file_upload"
    assert {job["project"] for job in sde.jobs.values()} == {7}
    assert driver.report.states() == dict.fromkeys(["reports/a.fpr", "reports/b.fpr", "reports/c.fpr"], "done")
    assert driver.report.reason("reports/a.fpr") == "42 findings"


async def test_no_files_are_no_failure(sde, driver):
    """The run succeeds and says so; the server is not asked."""
    outcome = await driver.send()
    assert (outcome.ended, outcome.reason) == (Ended.COMPLETED, "prod: no files match reports/*.fpr")
    assert not sde.requests


async def test_an_imported_file_is_not_sent_again(sde, driver):
    """What was imported is remembered over runs by name and content; a new content is a new file."""
    driver.file("reports/a.fpr")
    await driver.send()
    driver.next_run()
    outcome = await driver.send()
    assert outcome.reason == "prod: no files to import: 1 that match reports/*.fpr were imported before"
    assert len(sde.uploads) == 1
    driver.next_run()
    driver.file("reports/a.fpr", b"of today")
    driver.file("reports/b.fpr")
    await driver.send()
    assert [upload["content"] for upload in sde.uploads] == [b"report", b"of today", b"report"]


async def test_another_project_is_another_import(sde, driver):
    """A changed definition means other imports: what went to project 7 has not gone to project 8."""
    driver.file("reports/a.fpr")
    await driver.send(project=7)
    driver.next_run()
    await driver.send(project=8)
    assert [job["project"] for job in sde.jobs.values()] == [7, 8]


async def test_an_imported_file_is_moved_and_overwrites_nothing(sde, driver):
    """Each to a name of its own in `move_to`, which is made; what lies there already is not sent."""
    for content in (b"one", b"two", b"three"):
        driver.file("reports/a.fpr", content)
        await driver.send(files="reports/**/*.fpr", move_to="reports/done")
        driver.next_run()
    assert not (driver.folder / "reports/a.fpr").exists()
    done = {path.name: path.read_bytes() for path in (driver.folder / "reports/done").iterdir()}
    assert done == {"a.fpr": b"one", "a.1.fpr": b"two", "a.2.fpr": b"three"}
    assert len(sde.uploads) == 3


async def test_a_file_that_was_imported_but_not_moved_is_moved_by_the_next_run(sde, driver):
    """A crash between success and move: it is moved without being sent again."""
    driver.file("reports/a.fpr")
    await driver.send()
    driver.next_run()
    await driver.send(move_to="done")
    assert (driver.folder / "done/a.fpr").read_bytes() == b"report"
    assert len(sde.uploads) == 1


async def test_a_file_that_cannot_be_moved_is_imported_all_the_same(sde, driver):
    """The reason and the log say so, and no later run sends it again."""
    driver.file("reports/a.fpr")
    driver.file("done", b"a file where the folder should be")
    await driver.send(move_to="done")
    assert driver.report.states() == {"reports/a.fpr": "done"}
    assert "could not be moved to done" in driver.report.reason("reports/a.fpr")
    assert driver.report.counts()["sde_file_not_moved"] == 1
    driver.next_run()
    await driver.send(move_to="done")
    assert len(sde.uploads) == 1


async def test_a_failed_import_is_left_with_the_servers_words_and_sent_again_by_the_rerun(sde, driver):
    """The other files go on; the rerun takes the one that is left."""
    driver.file("reports/a.fpr")
    driver.file("reports/b.fpr")
    sde.script = (1, False, "no such application")
    assert (await driver.send()).ended is Ended.COMPLETED
    assert driver.report.states() == {"reports/a.fpr": "failed", "reports/b.fpr": "failed"}
    assert driver.report.reason("reports/a.fpr") == "job 101 failed: no such application"
    sde.script = (1, True, "")
    await driver.send(rerun=True, left=["reports/b.fpr"])
    assert names(sde) == ["a.fpr", "b.fpr", "b.fpr"]
    assert driver.report.states() == {"reports/a.fpr": "failed", "reports/b.fpr": "done"}


async def test_what_cannot_be_sent_is_left_with_its_reason_and_the_others_go_on(sde, driver):
    """Gone, empty, a name that no text can hold."""
    driver.file("reports/empty.fpr", b"")
    driver.file("reports/gone.fpr")
    driver.file("reports/good.fpr")
    odd = os.fsencode(driver.folder / "reports") + b"/\xff.fpr"
    os.close(os.open(odd, os.O_CREAT))

    async def remove():
        (driver.folder / "reports/gone.fpr").unlink(missing_ok=True)

    os.utime(driver.folder / "reports/good.fpr", (1, 1))
    sde.order("POST", FILES, remove)
    assert (await driver.send()).ended is Ended.COMPLETED
    assert names(sde) == ["good.fpr"]
    assert driver.report.reason("reports/empty.fpr") == "it is empty"
    assert driver.report.reason("reports/gone.fpr") == "it is not there any more"
    assert driver.report.reason("reports/\\udcff.fpr") == "its name is not UTF-8: rename it"


async def test_a_window_stops_between_files_and_the_rerun_takes_those_left(sde, driver):
    """What is done stays done; the file whose job is at work is looked at first by the rerun, and not sent again."""
    for number in range(4):
        os.utime(driver.file(f"reports/{number}.fpr", b"%d" % number), (number, number))
    stop = Stop()

    async def close():
        if len(sde.uploads) == 2:
            stop.request(StopReason.WINDOW_END)

    sde.order("POST", FILES, close, times=9)
    sde.script = (3, True, "")
    outcome = await driver.send(stop=stop)
    assert outcome.ended is Ended.STOPPED
    assert outcome.reason.startswith("prod: reports/1.fpr: job 102 goes on at the server")
    assert outcome.unsettled
    assert driver.report.states() == {"reports/0.fpr": "done"}
    await driver.send(rerun=True, left=["reports/1.fpr", "reports/2.fpr", "reports/3.fpr"])
    assert names(sde) == ["0.fpr", "1.fpr", "2.fpr", "3.fpr"]
    assert set(driver.report.states().values()) == {"done"}


@pytest.mark.parametrize("status", [401, 403, 302])
async def test_a_server_that_takes_nothing_from_us_ends_the_attempt(sde, driver, status):
    """No file of it is at fault: all of them stay open."""
    driver.file("reports/a.fpr")
    driver.file("reports/b.fpr")
    sde.order("POST", FILES, (status, {"detail": "no"}, {"Location": "/login/"}), times=9)
    outcome = await driver.send()
    assert outcome.ended is Ended.FAILED
    assert not outcome.retryable
    assert not driver.report.ended
    assert sde.count("POST") == 1


async def test_a_server_that_is_away_ends_the_attempt(sde, driver):
    """All files stay open; trying again may help."""
    driver.file("reports/a.fpr")
    await sde.stop()
    outcome = await driver.send()
    assert (outcome.ended, outcome.retryable) == (Ended.FAILED, True)
    assert not driver.report.ended


async def test_a_file_that_the_server_refuses_is_left_and_the_next_goes_on(sde, driver):
    """Too large, say."""
    os.utime(driver.file("reports/a.fpr", b"a"), (1, 1))
    driver.file("reports/b.fpr", b"b")
    sde.order("POST", FILES, (413, {"detail": "too large"}, {}))
    await driver.send()
    assert driver.report.states() == {"reports/a.fpr": "failed", "reports/b.fpr": "done"}
    assert driver.report.reason("reports/a.fpr") == "too large (status 413)"


async def test_two_runs_do_not_import_the_same_file_at_the_same_time(sde, driver):
    """The second waits, and finds it imported."""
    driver.file("reports/a.fpr")
    one = asyncio.create_task(driver.send())
    await asyncio.sleep(0)
    two = asyncio.create_task(driver.send())
    assert {(await one).ended, (await two).ended} == {Ended.COMPLETED}
    assert len(sde.uploads) == 1


async def test_a_window_that_ends_with_a_file_begins_no_other(sde, driver):
    """The file is done, the others were not touched."""
    for number in range(3):
        os.utime(driver.file(f"reports/{number}.fpr", b"%d" % number), (number, number))
    stop = Stop()

    async def close():
        stop.request(StopReason.WINDOW_END)

    sde.order("POST", FILES, close)
    sde.script = (0, True, "")
    assert (await driver.send(stop=stop)).ended is Ended.STOPPED
    assert driver.report.states() == {"reports/0.fpr": "done"}
    assert driver.report.started == ["reports/0.fpr"]


async def test_a_pipe_in_the_place_of_a_file_holds_nothing_up(sde, driver):
    """It was a file when it was found; nobody waits for a writer."""
    path = driver.file("reports/a.fpr")
    driver.report.found = [AssetRef("reports/a.fpr", "sde-file")]
    path.unlink()
    os.mkfifo(path)
    await asyncio.wait_for(driver.send(left={"reports/a.fpr"}), 10)
    assert driver.report.reason("reports/a.fpr") == "it is no file"
    assert not sde.uploads
