"""A process that has imported jobsd and forks a daemon whenever it is asked to; run as a program.

A daemon that starts from nothing spends a second on its imports; a forked one is as real (a process and a session
of its own, its own environment, folder and outputs; it is killed like any other), without that second.
"""

import contextlib
import ctypes
import gc
import importlib.util
import json
import os
import select
import signal
import socket
import sys
import tempfile
import time
import traceback

gc.disable()

import icalendar  # noqa: E402, F401 - the collector is off before the libraries come in
import recurring_ical_events  # noqa: E402, F401 - imported by the daemon where a calendar needs it
import uvicorn.lifespan.on  # noqa: E402 - what uvicorn imports by name when it starts
import uvicorn.protocols.http.auto  # noqa: E402, F401

import jobsd.cli.run  # noqa: E402
import jobsd.rehearsal  # noqa: E402
import jobsd.serve  # noqa: E402

MOST = 1 << 20
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)
HANDLED = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE)


def serve(line):
    """Fork for each request on `line` until its other end is closed; say how each child ended."""
    reading, writing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    while True:
        ready, _, _ = select.select([line, reading], [], [])
        if reading in ready:
            os.read(reading, 4096)
        tell_ended(line)
        if line in ready:
            data, fds, _, _ = socket.recv_fds(line, MOST, 8)
            if not data:
                return
            child = os.fork()
            if not child:
                signal.set_wakeup_fd(-1)
                become(json.loads(data), fds)  # does not come back
            for fd in fds:
                os.close(fd)
            line.send(json.dumps({"pid": child}).encode())


def tell_ended(line):
    """Reap what has ended and tell it."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        line.send(json.dumps({"ended": pid, "code": os.waitstatus_to_exitcode(status)}).encode())


def become(request, fds):
    """Be what was asked for, as if started by exec, and exit."""
    code = 70
    try:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)  # tests that are killed leave nobody behind
        os.setsid()
        for number, fd in enumerate(fds, start=1):
            os.dup2(fd, number)
        os.closerange(3, 256)
        for number in HANDLED:
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)  # as Python does at its start
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.environ.clear()
        os.environ.update(request["env"])
        os.chdir(request["cwd"])
        time.tzset()
        tempfile.tempdir = None
        gc.enable()
        code = called(request)
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:  # noqa: BLE001 - as the interpreter does
        traceback.print_exc()
        code = 1
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code)


def called(request):
    """The command line of `argv`, or where `call` names one a function of a file, with keywords."""
    if "call" not in request:
        sys.argv = ["jobsd", *request["argv"]]
        jobsd.cli.main()
    file, name = request["call"]
    spec = importlib.util.spec_from_file_location("called", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, name)(**request["with"])


if __name__ == "__main__":
    gc.freeze()
    with contextlib.suppress(BrokenPipeError):  # nobody is there any more to be told
        serve(socket.socket(fileno=int(sys.argv[1])))
