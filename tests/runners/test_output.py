"""Output: to files, up to a limit, with little memory and no stall."""

import asyncio
import resource
from datetime import timedelta

from config.definitions import CommandRun
from runners.api import AssetState, Ended
from runners.local.output import Log, Share

MIB = 1024 * 1024


def peak():
    """This process's greatest resident size so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def test_a_command_that_prints_a_gigabyte(lab, lateness):
    """Its log is cut with one line that says so, it goes on to its end, and neither memory nor the loop suffers."""
    before = peak()
    script = "yes 'a line of output' | head -c 1000000000; echo last >&2; exit 3"
    outcome = await lab.run(CommandRun(argv=("/bin/sh", "-c", script)), output_limit=MIB)
    assert (outcome.ended, outcome.reason) == (Ended.FAILED, "exit code 3: last")
    assert MIB <= (lab.output / "output.log").stat().st_size < MIB + 200
    assert lab.log.count("(settings.output_limit)") == 1
    assert lab.log.endswith(f"\noutput beyond {MIB} bytes is dropped here (settings.output_limit)\n")
    assert peak() - before < 20
    assert lateness() < 0.5


async def test_a_collector_that_prints_a_gigabyte(lab, lateness):
    """It is ended at the limit and its asset fails, naming limit and setting; nothing of its data is kept."""
    before = peak()
    outcome = await lab.collect(1, "yes | head -c 1000000000", output_limit=8 * MIB, type="CollectionJob")
    assert outcome.ended is Ended.COMPLETED
    assert lab.report.of("web-1").state is AssetState.FAILED
    assert lab.report.of("web-1").reason == "collect: printed more than 8388608 bytes (settings.output_limit)"
    assert lab.data.newest_of == {}
    assert list((lab.output / "data").iterdir()) == []
    assert peak() - before < 20
    assert lateness() < 0.5


async def test_many_that_print_at_once(lab, lateness):
    """Eight collectors that fill their stderr as fast as they can do not hold the loop up."""
    script = "yes warning | head -c 50000000 >&2; echo $1"
    outcome = await lab.collect(8, script, output_limit=8 * MIB, type="CollectionJob", parallel=8)
    assert outcome.ended is Ended.COMPLETED
    assert set(lab.report.states().values()) == {AssetState.DONE}
    assert lab.log.count("(settings.output_limit)") == 8
    assert (lab.output / "output.log").stat().st_size < 9 * MIB
    assert lateness() < 0.5


async def test_just_at_the_limit(lab):
    """As many bytes as the limit says are kept whole."""
    await lab.collect(1, "head -c 100000 /dev/zero", output_limit=100_000, type="CollectionJob")
    assert lab.report.of("web-1").state is AssetState.DONE
    (kept,) = lab.data.newest_of.values()
    assert kept.path.stat().st_size == 100_000
    assert kept.path.stat().st_mode & 0o777 == 0o600


async def test_a_limit_passed_with_the_last_words(lab):
    """What a collector printed beyond the limit as it ended counts too."""
    await lab.collect(1, "head -c 100001 /dev/zero", output_limit=100_000, type="CollectionJob")
    assert lab.report.of("web-1").state is AssetState.FAILED


async def test_lines_carry_their_asset(lab):
    """Every line of the log begins with its asset, also long ones, empty ones and one without an end."""
    script = "printf 'one\\n\\ntwo' >&2; head -c 40000 /dev/zero | tr '\\0' x >&2"
    await lab.collect(2, script, type="CollectionJob")
    lines = lab.log.splitlines()
    assert all(line.startswith(("[web-1] ", "[web-2] ")) for line in lines)
    assert "[web-1] one" in lines
    assert "[web-1] " in lines
    assert "[web-2] done" in lines


async def test_a_full_disk_costs_the_log_only(lab):
    """When the log cannot be written, the work goes on and a warning says it."""
    (lab.output / "output.log").symlink_to("/dev/full")
    outcome = await lab.run(CommandRun(argv=("/bin/sh", "-c", "echo lost")))
    assert outcome.ended is Ended.COMPLETED
    assert lab.warned("output_lost") == [{"reason": "No space left on device"}]


async def test_a_full_disk_fails_the_asset(lab):
    """Data that cannot be written is never taken for whole: the asset fails, with the system's words."""
    (lab.output / "data").mkdir()
    (lab.output / "data" / "00000-web-1.data").symlink_to("/dev/full")
    await lab.collect(1, "echo data", type="CollectionJob")
    assert lab.report.of("web-1").reason == "collect: its output cannot be kept: No space left on device"
    assert lab.report.of("web-1").state is AssetState.FAILED


def test_a_share_is_cut_once(tmp_path):
    """Beyond its share a stream is dropped, our own lines are not, and the marker stands there once."""
    log = Log(tmp_path / "log")
    share = Share(log, 10, "[a] ")
    stream = share.stream()
    for piece in (b"12", b"34\n", b"5678\n", b"90\n"):
        stream.write(piece)
    share.say("done")
    log.close()
    assert (tmp_path / "log").read_bytes() == (
        b"[a] 1234\n[\n[a] output beyond 10 bytes is dropped here (settings.output_limit)\n[a] done\n"
    )
    assert stream.last_line == "90"


async def test_other_work_goes_on_meanwhile(lab, lateness):
    """A command that never stops printing is ended by its time-out, and the loop stays quick."""
    run = CommandRun(argv=("yes",), timeout=timedelta(milliseconds=500))
    outcome = await asyncio.wait_for(lab.run(run, output_limit=1000), 10)
    assert outcome.reason == "timed out after 0.5s"
    assert lateness() < 0.5
