"""A window, what is left, and its rerun: once as real processes by the real clock."""

from datetime import timedelta


def test_twelve_of_twenty_sleep_past_the_window(daemon, tmp_path, script, at, alive):
    """8 are done and kept, the stop is asked for within 1 s, the rerun seconds later takes exactly the other 12."""
    script(
        "collect.sh",
        f"""#!/bin/sh
echo "$1" >> {tmp_path}/starts
if test "${{1#a}}" -lt 12 && test -e {tmp_path}/slow; then echo $$ >> {tmp_path}/pids; sleep 600; fi
echo "data of $1"
""",
    )
    script("evaluate.sh", '#!/bin/sh\ncat >/dev/null\necho \'{"results": [{"check": "c", "result": "pass"}]}\'\n')
    (tmp_path / "slow").write_text("")
    assets = ", ".join(f"{{id: a{i}, type: host}}" for i in range(20))
    p = daemon(f"""
version: 1
settings: {{kill_after: 2s}}
collectors: {{host: {{collect: [./collect.sh, "{{asset.id}}"], evaluate: [./evaluate.sh, "{{standard}}"]}}}}
jobs:
  - name: fleet
    schedule: {{interval: 300s, window: 5s, rerun: {{every: 8s, for: 20s}}}}
    run: {{collect: {{assets: [{assets}], standards: [base], parallel: 20}}}}
""").ready()
    run_id = p.trigger("fleet")["run_id"]
    p.until(lambda: p.runs()[0]["assets"]["done"] == 8)
    stop = p.logged("stop_requested", 10)
    left = p.logged("run_incomplete", 10)
    run = p.get(f"/v1/runs/{run_id}").json()
    assert timedelta(0) <= at(stop["timestamp"]) - at(run["window_end"]) < timedelta(seconds=1)
    assert at(left["timestamp"]) - at(stop["timestamp"]) < timedelta(seconds=2.5)
    assert left["reason"] == "the window closed: 12 of 20 assets left"
    assert not any(alive(int(pid)) for pid in (tmp_path / "pids").read_text().split())
    assert (run["assets"]["done"], run["assets"]["open"]) == (8, 12)
    first = (tmp_path / "starts").read_text().split()
    (tmp_path / "slow").unlink()
    p.logged("rerun_started", 10)
    p.logged("run_succeeded", 10)
    again = (tmp_path / "starts").read_text().split()[len(first) :]
    assert sorted(first) == sorted(f"a{i}" for i in range(20))
    assert sorted(again) == sorted(f"a{i}" for i in range(12))
    assert p.get(f"/v1/runs/{run_id}").json()["assets"]["done"] == 20
    detail = {row["asset_id"]: row["starts"] for row in p.get(f"/v1/runs/{run_id}/assets").json()}
    assert all(detail[f"a{i}"] == (2 if i < 12 else 1) for i in range(20))
