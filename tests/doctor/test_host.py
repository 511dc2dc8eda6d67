"""What the doctor says of the file, its secrets, the ledger's folder, programs and rights."""

import asyncio
import contextlib
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading

import pytest

from jobsd.doctor import examining
from scheduler.ledger import Ledger

JOB = "jobs:\n  - {name: x, run: {command: {argv: ['true']}}}\n"


def test_a_sound_host_is_healthy(doctor):
    """Every area that there is has its line; only what hangs on this very host (clock, zone data) may warn."""
    findings = doctor(JOB, exit_code=0)
    areas = {finding["area"] for finding in findings}
    assert areas == {"file", "ledger", "program", "listener", "zone", "clock"}
    assert all(f["health"] == "ok" or f["area"] in ("clock", "zone") for f in findings), findings
    assert not doctor.state.exists()


def test_people_read_lines_with_what_to_do_beneath(doctor, tmp_path):
    """The state stands first, the advice under it, the counts last; failures make the exit code 1."""
    doctor(JOB)
    argv = [sys.executable, "-m", "jobsd", "doctor", "-c", "jobs.yaml", "--state-dir", "/proc/nowhere"]
    found = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    lines = found.stdout.splitlines()
    assert found.returncode == 1
    assert lines[0] == "ok       file jobs.yaml: valid, 1 job"
    at = next(n for n, line in enumerate(lines) if line.startswith("fail     ledger /proc/nowhere: it cannot be"))
    assert lines[at + 1].startswith("         run this as the daemon's user")
    assert " fail" in lines[-1]


def test_every_fault_of_a_file_is_a_failure_with_its_place(doctor):
    """The rest cannot be examined; what hangs on no file is."""
    findings = doctor("jobs:\n  - {name: x, run: {command: {argv: 7}}}\n  - {name: x}\n", exit_code=1)
    faults = [f for f in findings if f["area"] == "file"]
    assert len(faults) > 1
    assert all(f["health"] == "fail" and f["name"].startswith(f"{doctor.path}:") for f in faults)
    assert {f["area"] for f in findings} == {"file", "zone", "clock"}


def test_whoever_may_write_the_file_runs_commands_as_the_daemon(doctor):
    """A file that others may write fails; one with literal secrets that others may read too."""
    assert doctor.of("file", JOB, mode=0o666)[-1][1:] == (
        "fail",
        "everybody may write it, and so run commands as the daemon",
    )
    head = "version: 1\nsettings:\n  http: {listen: '127.0.0.1:0', tokens: [{name: ops, token: open-sesame}]}\n"
    told = doctor.of("file", JOB, head=head, mode=0o644)
    assert [health for _, health, _ in told] == ["ok", "warning", "fail"]
    assert "open-sesame" not in doctor.output


TOKENS = """
servers:
  s: {type: sde, url: 'http://127.0.0.1:1', token: {credential: sde}}
users:
  - {name: ann, token: {env: G_TOKEN}}
  - {name: bob, token: {file: bob.token}}
"""


def test_every_secret_is_looked_up_and_none_is_shown(doctor, monkeypatch, tmp_path):
    """By its place in the file, wherever it stands; what is missing says how to give it."""
    file = tmp_path / "bob.token"
    file.write_text("open-sesame\n")
    file.chmod(0o600)
    monkeypatch.setenv("G_TOKEN", "open-sesame")
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    told = doctor.of("secret", JOB + TOKENS)
    assert [(name, health) for name, health, _ in told] == [
        ("servers.s.token", "fail"),
        ("users.ann.token", "ok"),
        ("users.bob.token", "ok"),
    ]
    (credentials / "sde").write_text("open-sesame")
    monkeypatch.delenv("G_TOKEN")
    told = doctor.of("secret", JOB + TOKENS)
    assert [health for _, health, _ in told] == ["ok", "fail", "ok"]
    assert "open-sesame" not in doctor.output


def test_a_secret_that_never_comes_holds_up_nothing_else(doctor, monkeypatch, tmp_path):
    """A file that blocks whoever reads it: that area fails after its time, the others are told."""
    monkeypatch.setattr(examining, "LIMIT_S", 0.5)
    os.mkfifo(tmp_path / "bob.token", 0o600)
    try:
        findings = doctor(JOB + "users: [{name: bob, token: {file: bob.token}}]\n", exit_code=1)
    finally:  # lets the reader go
        os.close(os.open(tmp_path / "bob.token", os.O_WRONLY))
    ((health, found),) = [(f["health"], f["found"]) for f in findings if f["area"] == "secret"]
    assert (health, found) == ("fail", "not examined: it took longer than 0.5 s")
    assert {"ledger", "program", "zone"} <= {f["area"] for f in findings}
    until_gone = [t for t in threading.enumerate() if t.name == "doctor"]
    for thread in until_gone:
        thread.join(5)


def health_of(told, words):
    """The health of the one finding that says so."""
    ((health, found),) = [(health, found) for _, health, found in told if words in found]
    return health, found


def test_a_full_disk_fails(doctor, disk, root):
    """Bytes and inodes are both looked at; what lies in memory is warned of."""
    doctor.state = disk("size=128m,nr_inodes=6000,mode=700")
    told = doctor.of("ledger", JOB)
    assert health_of(told, "MiB free")[0] == "warning"
    assert health_of(told, "inodes free")[0] == "warning"
    assert health_of(told, "it lies in memory (tmpfs)")[0] == "warning"
    assert health_of(told, "it can be written")[0] == "ok"
    doctor.state = disk("size=64k,nr_inodes=20,mode=700")
    with contextlib.suppress(OSError), (doctor.state / "full").open("ab", 0) as file:
        while True:
            file.write(b"\0" * 4096)
    told = doctor.of("ledger", JOB, exit_code=1)
    assert health_of(told, "MiB free") == ("fail", "0 MiB free")
    assert health_of(told, "inodes free")[0] == "fail"
    assert health_of(told, "it cannot be written: No space left on device")[0] == "fail"


def test_a_folder_for_everybody_and_files_of_others_fail(doctor, root):
    """What a `jobsd run` as root left behind in the daemon's folder keeps the daemon from working."""
    doctor.state.mkdir(mode=0o755)
    doctor.state.chmod(0o755)
    (doctor.state / "ledger.db").touch()
    (doctor.state / "token").touch()
    os.chown(doctor.state, 65534, 65534)
    told = doctor.of("access", JOB, exit_code=1)
    assert "others may enter it (mode 0755)" in told[0][2]
    assert told[1][1:] == ("fail", "ledger.db, token belong to somebody else")
    assert told[2][1] == "warning"
    assert "belongs to nobody, and this looks as root" in told[2][2]


def test_the_ledgers_schema(doctor):
    """This program's own, one that it does not know, a file that is no ledger; nothing is made beside it."""
    ledger = Ledger(doctor.state / "ledger.db")
    ledger.close()
    before = sorted(os.listdir(doctor.state))
    assert health_of(doctor.of("ledger", JOB, exit_code=0), "this program's own")[0] == "ok"
    assert sorted(os.listdir(doctor.state)) == before
    with sqlite3.connect(doctor.state / "ledger.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    assert health_of(doctor.of("ledger", JOB, exit_code=1), "schema 9999, which this program")[0] == "fail"
    shutil.copy(doctor.path, doctor.state / "ledger.db")
    assert health_of(doctor.of("ledger", JOB, exit_code=1), "file is not a database")[0] == "fail"


def test_who_has_the_ledger(doctor):
    """Beside a daemon its pid is told, and the ledger is read while that daemon writes."""
    ledger = Ledger(doctor.state / "ledger.db")
    try:
        asyncio.run(ledger.write(lambda _: None))
        told = doctor.of("ledger", JOB)
        assert health_of(told, "a daemon has it")[1] == f"a daemon has it (pid {os.getpid()})"
        assert health_of(told, "this program's own")[0] == "ok"
    finally:
        ledger.close()
    assert health_of(doctor.of("ledger", JOB), "no daemon has it")[0] == "ok"


PROGRAM = "jobs:\n  - {{name: x, run: {{command: {{argv: [{}]{}}}}}}}\n"


@pytest.mark.parametrize(
    ("text", "mode", "found"),
    [
        ("#!/bin/sh\n", 0o755, "can be run"),
        ("#!/bin/sh\n", 0o644, "it is not executable"),
        ("#!/no/such/shell\n", 0o755, "its interpreter /no/such/shell is not there"),
        ("#!/bin/sh\n", 0o757, "everybody may write"),
        (None, 0, "there is no program './tool'"),
    ],
)
def test_programs_are_there_and_can_be_run(text, mode, found, doctor, tmp_path):
    """A path is from the YAML's folder."""
    if text is not None:
        (tmp_path / "tool").write_text(text)
        (tmp_path / "tool").chmod(mode)
    health, told = doctor.one("program", PROGRAM.format("./tool", ""))
    assert found in told
    assert health == ("ok" if found == "can be run" else "fail")
    assert (f"run chmod +x {tmp_path / 'tool'}" in doctor.output) == (found == "it is not executable")


def test_a_program_on_the_path(doctor):
    """By the PATH that children get."""
    assert doctor.one("program", PROGRAM.format("'true'", ""))[0] == "ok"
    assert doctor.one("program", PROGRAM.format("no-such-program", "")) == (
        "fail",
        "there is no program 'no-such-program'",
    )


def test_a_program_that_its_user_cannot_reach_fails(doctor, tmp_path, root):
    """`run_as` is another user: the folders on the way must let that one in, and the user must exist."""
    shut = tmp_path / "shut"
    shut.mkdir(mode=0o700)
    (shut / "tool").write_text("#!/bin/sh\n")
    (shut / "tool").chmod(0o755)
    told = doctor.one("program", PROGRAM.format("shut/tool", ", run_as: nobody"))
    assert told[0] == "fail"
    assert "nobody may not enter /" in told[1]
    assert doctor.one("program", PROGRAM.format("/bin/true", ", run_as: nobody"))[0] == "ok"
    health, found = doctor.one("program", PROGRAM.format("/bin/true", ", run_as: g-nobody-at-all"))
    assert (health, found) == ("fail", "there is no user 'g-nobody-at-all' on this host (run_as)")


def test_every_program_of_the_configuration_is_looked_at(doctor):
    """Collectors, evaluators, commands and jobs; one that is a placeholder is only known at its run."""
    text = """
collectors: {linux: {collect: [/bin/cat], evaluate: [/bin/echo]}, odd: {collect: ["{folder}/x"]}}
commands: {sync: {argv: [/bin/true]}}
jobs: [{name: x, run: {command: {argv: [/bin/true]}}}]
"""
    told = doctor.of("program", text)
    assert [name for name, _, _ in told] == [
        "collectors.linux.collect",
        "collectors.linux.evaluate",
        "commands.sync",
        "jobs.x",
    ]


def test_zone_data_that_differ_are_told(doctor, tmp_path):
    """The host's data of a zone in use differ from the packaged one: from when on, and for that zone only."""
    zones = tmp_path / "zones"
    (zones / "Europe").mkdir(parents=True)
    shutil.copy("/usr/share/zoneinfo/UTC", zones / "UTC")
    shutil.copy("/usr/share/zoneinfo/Asia/Tokyo", zones / "Europe/Berlin")
    (zones / "tzdata.zi").write_text("# version 1999x\n")
    doctor("settings: {timezone: Europe/Berlin}\n" + JOB, head="version: 1\n")
    argv = [sys.executable, "-m", "jobsd", "doctor", "-c", doctor.path, "--state-dir", doctor.state]
    surroundings = os.environ | {"PYTHONTZPATH": str(zones)}
    found = subprocess.run(argv, env=surroundings, capture_output=True, text=True, timeout=60, check=False)
    assert "zone: the data of this host (version 1999x) is used" in found.stdout
    assert "warning  zone Europe/Berlin: this host's data and the packaged one differ from" in found.stdout


def test_the_doctor_leaves_modes_alone(doctor):
    """Nothing is mended behind the operator's back."""
    doctor.state.mkdir(mode=0o755)
    doctor.state.chmod(0o755)
    doctor(JOB)
    assert stat.S_IMODE(doctor.state.stat().st_mode) == 0o755
    assert os.listdir(doctor.state) == []


IMPORTING = """servers: {s: {type: sde, url: 'http://127.0.0.1:1', token: {env: HOME}}}
jobs: [{name: x, run: {sde_file: {server: s, system: fortify, project: 1, files: 'reports/*/a.fpr', move_to: sent/here}}}]
"""


def test_the_folders_of_report_files(doctor, tmp_path):
    """A folder that is not there is a slip of the pen: such a job would succeed for ever and import nothing."""
    told = [one for one in doctor.of("access", IMPORTING) if one[0].startswith("jobs.")]
    assert told == [
        ("jobs.x.files", "warning", f"there is no folder {tmp_path}/reports: nothing is ever imported from there"),
        ("jobs.x.move_to", "ok", f"{tmp_path}/sent/here can be made"),
    ]
    (tmp_path / "reports").mkdir()
    (tmp_path / "sent").write_text("a file")
    told = [one for one in doctor.of("access", IMPORTING) if one[0].startswith("jobs.")]
    assert told == [
        ("jobs.x.files", "ok", f"{tmp_path}/reports is there"),
        ("jobs.x.move_to", "fail", f"{tmp_path}/sent may not be written"),
    ]


def test_folders_of_report_files_that_are_closed(doctor, tmp_path):
    """To whoever looks; root gives up its right to write everywhere for this."""
    doctor(IMPORTING)
    (tmp_path / "reports").mkdir(mode=0o555)
    mortal = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    argv = [*mortal, sys.executable, "-m", "jobsd", "doctor", "-c", "jobs.yaml"]

    def told():
        done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
        return next(line for line in done.stdout.splitlines() if "jobs.x.files" in line)

    assert told().endswith("reports may not be written: what is imported cannot be moved away")
    (tmp_path / "reports").chmod(0)
    assert told().endswith("reports may not be read")
    (tmp_path / "reports").chmod(0o755)
