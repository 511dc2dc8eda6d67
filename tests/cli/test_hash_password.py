"""`jobsd hash-password`: the hash of a password, which is never an argument."""

import os
import pty
import subprocess
import sys
import time

import pytest

from config.passwords import verify_password

ON_A_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, "-m", "jobsd", "hash-password"])
"""
"""A program for which standard input is the terminal that a password is asked at."""


@pytest.mark.parametrize(
    ("given", "password"),
    [
        (b"pa+ss w\xc3\xb6rd\n", "pa+ss w\u00f6rd"),
        (b" both blanks \r\n", " both blanks "),
        (b"no line end", "no line end"),
        (b"first\nsecond\n", "first"),
    ],
)
def test_the_first_line_of_standard_input_is_the_password(jobsd, given, password):
    """Without its line end, and with everything else."""
    found = jobsd("hash-password", input=given)
    assert verify_password(password, found.stdout.removesuffix("\n"))


@pytest.mark.parametrize("given", [b"", b"\n", b"\xff\xfe\n"])
def test_what_is_no_password_is_refused(jobsd, given):
    """Nothing, an empty line, bytes that are no text: exit code 1 and a reason."""
    found = jobsd("hash-password", input=given, exit_code=1)
    assert found.stdout == ""
    assert "the password is" in found.stderr


def test_a_password_is_no_argument(jobsd):
    """Arguments are seen by everybody on the host."""
    jobsd("hash-password", "secret", exit_code=2)


def test_on_a_terminal_it_is_asked_for_twice_and_not_shown():
    """What is typed does not come back; the hash is of what was typed."""
    terminal, end = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-c", ON_A_TERMINAL], stdin=end, stdout=end, stderr=end, start_new_session=True
    )
    os.close(end)
    said = b""
    try:
        for asked in (b"Password: ", b"The same again: "):
            said = _until(terminal, asked, said)
            os.write(terminal, b"s3cret-word\n")
        said = _until(terminal, b"scrypt$", said)
        said = _until(terminal, b"\n", said.rpartition(b"scrypt$")[2])
    finally:
        os.close(terminal)
        child.wait(20)
    assert verify_password("s3cret-word", "scrypt$" + said.decode().strip())


def _until(terminal, words, said):
    """Read until `words` are there, and nothing of the password is."""
    deadline = time.monotonic() + 20
    while words not in said:
        assert time.monotonic() < deadline, said
        said += os.read(terminal, 1000)
        assert b"s3cret" not in said
    return said
