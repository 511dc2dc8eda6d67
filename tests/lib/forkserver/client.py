"""The other end of the fork server: processes with the interface of `subprocess.Popen`, as far as tests use it."""

import contextlib
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

SERVER = Path(__file__).with_name("server.py")
ROOT = Path(__file__).parents[3]
LIB = Path(__file__).parents[1]


class Forked:
    """A process that was forked; `pid`, `stdout`, `stderr`, `returncode`, `poll`, `wait`, `send_signal`, `kill`."""

    def __init__(self, pid, stdout, stderr):
        self.pid = pid
        self.stdout = stdout
        self.stderr = stderr
        self.returncode = None
        self._ended = threading.Event()

    def end(self, code):
        """The server says how it ended: its exit code, or minus the signal's number."""
        self.returncode = code
        self._ended.set()

    def poll(self):
        """Its exit code, None while it runs."""
        return self.returncode

    def wait(self, timeout=None):
        """Wait for its end; its exit code. Raises subprocess.TimeoutExpired."""
        if not self._ended.wait(timeout):
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout)
        return self.returncode

    def send_signal(self, number):
        """Signal it, unless its end is known."""
        if self.returncode is None:
            with contextlib.suppress(
                ProcessLookupError
            ):  # it has just been waited for, and we are about to be told
                os.kill(self.pid, number)

    def kill(self):
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)


class ForkServer:
    """A server that is up; `start` forks."""

    def __init__(self):
        self._line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._server = subprocess.Popen(
                [sys.executable, "-P", str(SERVER), str(theirs.fileno())],
                env=os.environ | {"PYTHONPATH": os.pathsep.join((str(ROOT), str(LIB)))},
                pass_fds=[theirs.fileno()],
            )
        self._asking, self._knowing = threading.Lock(), threading.Lock()
        self._pids = queue.SimpleQueue()
        self._living = {}
        self._early = {}
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def start(self, *argv, cwd, env, call=None, stdout=None, text=True, **keywords):
        """Fork `jobsd ARGV`, or with `call` = (file, function) that function; its keywords are JSON.

        stdout and stderr are pipes of it, or `stdout` is a file for both.
        """
        request = {"argv": argv, "cwd": str(cwd), "env": dict(env)}
        if call is not None:
            request |= {"call": [str(call[0]), call[1]], "with": keywords}
        pipes = [] if stdout is not None else [os.pipe(), os.pipe()]
        ends = [stdout.fileno()] * 2 if stdout is not None else [writing for _, writing in pipes]
        with self._asking:
            socket.send_fds(self._line, [json.dumps(request).encode()], ends)
            pid = self._pids.get(timeout=30)
        for _, writing in pipes:
            os.close(writing)
        mode = "r" if text else "rb"
        made = Forked(pid, *([os.fdopen(reading, mode) for reading, _ in pipes] or [None, None]))
        with self._knowing:
            early = self._early.pop(pid, None)
            if early is None:
                self._living[pid] = made
            else:
                made.end(early)
        return made

    def _read(self):
        while data := self._line.recv(4096):
            said = json.loads(data)
            if "pid" in said:
                self._pids.put(said["pid"])
                continue
            with self._knowing:
                made = self._living.pop(said["ended"], None)
                if made is None:  # it ended before its caller had it
                    self._early[said["ended"]] = said["code"]
                else:
                    made.end(said["code"])

    def close(self):
        """End the server, and with it what it forked and lives."""
        self._line.shutdown(socket.SHUT_RDWR)
        self._server.wait(10)
        self._reader.join(5)
        self._line.close()
