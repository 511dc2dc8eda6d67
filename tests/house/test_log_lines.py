"""The log's lines hold nothing that only a variable has."""

import subprocess
import sys
from pathlib import Path

import pytest

CODE = """
import io, sys
import structlog
from jobsd import log

class Stream(io.StringIO):
    def isatty(self):
        return sys.argv[1] == "terminal"

stream = Stream()
log.configure(stream)

def work(params):
    raise ValueError("it broke")

try:
    work({"alm_pass": "".join(["hun", "ter-", "22"])})
except ValueError:
    structlog.get_logger().exception("runner_raised")
print(stream.getvalue())
"""


@pytest.mark.parametrize("where", ["terminal", "file"])
def test_a_traceback_shows_no_variables(where):
    """What raised is told with its lines; tokens and params in the calls' variables are not."""
    argv = [sys.executable, "-c", CODE, where]
    shown = subprocess.run(argv, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[2]).stdout
    assert "it broke" in shown
    assert "Traceback" in shown
    assert "hunter" not in shown
