"""The example programs as real processes, as this user and as an ordinary one, on this host and on crafted ones."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
ASPECTS = ("files", "accounts", "network", "packages", "sshd", "kernel", "mounts")
NOBODY = 65534
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
RESULTS = {"pass", "fail", "unknown", "error", "notapplicable"}


@dataclass
class Done:
    """How a program ended."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """Its output as JSON, of a program that ended well."""
        assert self.code == 0, self.err
        return json.loads(self.out)

    @property
    def verdicts(self) -> dict[str, tuple[str, str]]:
        """An evaluator's results: check -> (result, message). Fails if they break the protocol."""
        assert set(self.data) == {"results"}
        assert self.data["results"]
        for one in self.data["results"]:
            assert set(one) == {"check", "result", "message"}
            assert one["result"] in RESULTS
            assert all(isinstance(text, str) and text for text in one.values())
        verdicts = {one["check"]: (one["result"], one["message"]) for one in self.data["results"]}
        assert len(verdicts) == len(self.data["results"]), "a check appears twice"
        return verdicts


class User:
    """Runs programs as jobsd does: a small environment, a fresh folder, the asset on stdin."""

    def __init__(self, examples: Path, python: str, folder: Path, uid: int | None) -> None:
        self.examples, self.python, self.folder, self.uid = examples, python, folder, uid

    def run(self, argv: list[Any], stdin: str = "{}", path: str = PATH) -> Done:
        """Run a program to its end; `path` is where it finds others."""
        as_user = {} if self.uid is None else {"user": self.uid, "group": self.uid, "extra_groups": []}
        environment = {"PATH": path, "HOME": "/nonexistent", "TMPDIR": str(self.folder)}
        done = subprocess.run(
            [str(word) for word in argv],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            cwd=self.folder,
            env=environment,
            **as_user,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def collect(self, aspect: str, root: Path | None = None, stdin: str = "{}") -> Done:
        """Run the quick start's collector of an aspect, below `root` if given."""
        below = [] if root is None else ["--root", root]
        return self.run(
            [self.python, self.examples / "quickstart/collect" / f"{aspect}.py", "here", *below], stdin
        )

    def evaluate(self, standard: str, data: Any) -> Done:
        """Run the quick start's evaluator on collected data (a value, or text as it is)."""
        text = data if isinstance(data, str) else json.dumps(data)
        return self.run([self.python, self.examples / "quickstart/evaluate.py", standard], text)


@pytest.fixture
def me(tmp_path) -> User:
    """This user, with this Python."""
    folder = tmp_path / "cwd"
    folder.mkdir()
    return User(EXAMPLES, sys.executable, folder, None)


@pytest.fixture
def open_folder():
    """A folder that every user may enter, unlike tmp_path."""
    folder = Path(tempfile.mkdtemp(prefix="jobsd-examples-"))
    folder.chmod(0o755)
    yield folder
    for path in (folder, *folder.rglob("*")):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)
    shutil.rmtree(folder)


@pytest.fixture
def ordinary(open_folder, me) -> User:
    """An ordinary user: this one, or nobody where this one is root."""
    if os.geteuid() != 0:
        return me
    examples = open_folder / "examples"  # the checkout may lie in a folder that is closed to others
    shutil.copytree(EXAMPLES, examples, ignore=shutil.ignore_patterns("__pycache__"))
    cwd = open_folder / "cwd"
    cwd.mkdir()
    os.chown(cwd, NOBODY, NOBODY)
    name = f"python3.{sys.version_info.minor}"
    for python in (sys.executable, *(str(Path(folder, name)) for folder in PATH.split(":")), "python3"):
        user = User(examples, python, cwd, NOBODY)
        try:
            if user.run([python, "-c", "import tomllib"]).code == 0:
                return user
        except OSError:
            continue  # not to be executed by nobody
    pytest.skip("there is no Python >= 3.11 here that the user nobody may run")


@pytest.fixture
def host(open_folder):
    """A crafted host: `host({"/etc/passwd": "…"})` writes files below a root and returns that root."""
    root = open_folder / "host"

    def craft(files: dict[str, str]) -> Path:
        (root / "etc").mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            path = root / name.lstrip("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        for path in (root, *root.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)  # whatever this process's umask is
        return root

    return craft
