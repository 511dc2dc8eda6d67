"""Collectors that misbehave as badly as they can: all of it is ended, the row closes, the others fire on time."""

import sys
from datetime import timedelta

import psutil
import pytest

EVIL = {
    "prints": "#!/bin/sh\nexec yes 0123456789012345678901234567890123456789 | head -c 1000000000\n",
    "forks": f"""#!{sys.executable}
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
for _ in range(3):
    if os.fork() == 0:
        break
open(os.path.join({{folder!r}}, f"pid-forks-{{{{os.getpid()}}}}"), "w").close()
time.sleep(600)
""",
    "leaves": f"""#!{sys.executable}
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        open(os.path.join({{folder!r}}, f"pid-leaves-{{{{os.getpid()}}}}"), "w").close()
        time.sleep(600)
    os._exit(0)
time.sleep(600)
""",
}


@pytest.mark.timeout(120)
def test_whatever_a_collector_does_it_is_ended_and_the_others_fire_on_time(daemon, tmp_path, script, at, alive):
    """1 GB of output, forks that ignore TERM, a child that leaves its group: each run's row closes with words."""
    jobs = []
    for name, text in EVIL.items():
        script(f"{name}.sh", text if name == "prints" else text.format(folder=str(tmp_path)))
        jobs.append(f"""
  - name: {name}
    schedule: {{interval: 10m, window: 4s}}
    run: {{collect: {{type: CollectionJob, assets: [{{id: x, type: {name}}}]}}}}""")
    collectors = ", ".join(f"{name}: {{collect: [./{name}.sh]}}" for name in EVIL)
    p = daemon(f"""
version: 1
settings: {{kill_after: 2s}}
collectors: {{{collectors}}}
jobs:{"".join(jobs)}
  - name: ticker
    schedule: {{interval: 1s}}
    run: {{command: {{argv: ["true"]}}}}
""").ready()
    runs = {name: p.trigger(name)["run_id"] for name in EVIL}
    p.until(lambda: len(list(tmp_path.glob("pid-*"))) == 5)
    peak = 0
    endings = {}
    while len(endings) < len(EVIL):
        peak = max(peak, psutil.Process(p.process.pid).memory_info().rss)
        p.until(lambda: True)
        for name, run_id in runs.items():
            line = next((x for x in p.lines if x["event"] == "run_expired" and x["run_id"] == run_id), None)
            if line is not None:
                endings[name] = line["reason"]
        p._news.acquire()
        p._news.wait(0.2)
        p._news.release()
    assert not any(alive(int(path.name.split("-")[-1])) for path in tmp_path.glob("pid-*"))
    (asset,) = p.get(f"/v1/runs/{runs['prints']}/assets").json()
    assert asset["state"] == "failed"
    assert "output_limit" in asset["reason"]
    for name in ("forks", "leaves"):
        assert endings[name] == "the window closed: 1 of 1 assets left; no rerun is configured"
    assert peak < 400 * 1024 * 1024
    late = [at(run["started_at"]) - at(run["fire_time"]) for run in p.runs("ticker") if run["started_at"]]
    assert len(late) >= 5
    assert max(late) < timedelta(seconds=1)
    assert {run["state"] for run in p.runs("ticker")[:-1]} == {"succeeded"}
