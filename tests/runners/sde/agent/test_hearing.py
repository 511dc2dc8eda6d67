"""One stream of a command in pieces: what is written down and what is judged does not depend on where they end."""

import contextlib

import pytest

from runners.local.output import Log, Share
from runners.sde.hearing import Ear
from runners.sde.masking import Masking


@pytest.fixture
def ear(tmp_path):
    """Makes a stream whose secrets are these params; `read` gives what was written down."""
    made = []

    def make(**params):
        log = Log(tmp_path / f"log-{len(made)}")
        made.append(log)
        ear = Ear(Share(log, 10_000_000, "[alm 1] "), Masking(params))
        ear.read = (tmp_path / f"log-{len(made) - 1}").read_text
        return ear

    with contextlib.ExitStack() as held:
        yield make
        for log in made:
            held.callback(log.close)


@pytest.mark.parametrize("after", range(0, 100, 4))
def test_a_line_of_failure_wherever_a_long_line_is_cut(ear, after):
    """`Done - Failed` is heard in the midst of a line that is too long to be taken at once."""
    one = ear()
    one.write(b"z" * 16_400 + b" Done - Failed: " + b"y" * after)
    one.write(b"\n")
    assert one.heard.failed
    assert one.heard.errors == 0


@pytest.mark.parametrize("size", [1, 7, 64, 4096, 16_385, 65_536])
def test_pieces_of_any_size(ear, size):
    """Whatever pieces it comes in, the same is written down, without secrets, and the same is heard."""
    text = (
        b"first hunter-22\r\nError: x hunter-22\n" + b"long " * 5000 + b"hunter-22\n\nDone - Failed: no hunter-22"
    )
    one = ear(alm_pass="hunter-22")
    for begin in range(0, len(text), size):
        one.write(text[begin : begin + size])
    one.close()
    assert "hunter" not in one.read()
    assert one.read().count("***") == 4
    assert all(line.startswith("[alm 1] ") for line in one.read().split("\n") if line)
    assert (one.heard.failed, one.heard.reason) == (True, b"no ***")
    assert (one.heard.errors, one.heard.error) == (1, b"x ***")


@pytest.mark.parametrize("offset", range(0, 70, 3))
def test_a_secret_wherever_a_long_line_is_cut(ear, offset):
    """No piece ends within a secret, short or long."""
    secret = "s3cret-" * 40
    one = ear(alm_pass=secret)
    one.write(b"z" * (16_384 - offset) + secret.encode() + b"z" * 16_384 + secret.encode())
    one.write(b"zz" * 9000)
    one.close()
    assert "s3c" not in one.read()
    assert "ret-" not in one.read()
