# ruff: noqa: T201 - it is a program for a terminal
"""`make chaos`: as many kills as are asked for, at every point and at random, among all kinds of ill luck.

Ends with a table of what was counted; the exit code is 1 if anything was lost, extra, duplicated or unaccounted.
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from chaos import marathon
from chaos.book import NAMES
from chaos.judge import Findings
from forkserver.client import ForkServer


def main():
    """Run the marathon; the process's exit code."""
    reader = argparse.ArgumentParser(prog="make chaos")
    reader.add_argument("--kills", type=int, default=1000)
    reader.add_argument("--seed", type=int, default=int(time.time()))
    reader.add_argument("--folder", type=Path, default=None, help="where the worlds are kept; default: removed")
    asked = reader.parse_args()
    folder = asked.folder or Path(tempfile.mkdtemp(prefix="chaos-"))
    print(f"seed {asked.seed}, {asked.kills} kills, in {folder}", flush=True)
    server = ForkServer()
    findings, points, luck, errors = Findings(), Counter(), Counter(), []
    each = min(marathon.KILLS, max(1, -(-asked.kills // len(marathon.STAGES))))  # few kills see all worlds too
    began = time.monotonic()
    number = 0
    try:
        while points.total() < asked.kills:
            one = marathon.Stage(folder / f"world-{number}", server, number, asked.seed, seen=points)
            try:
                judged = one.play(min(each, asked.kills - points.total()))
            finally:
                one.close()
            findings.add(judged)
            points.update(one.points)
            luck += one.luck
            errors += one.errors
            took = time.monotonic() - began
            print(
                f"{points.total():5} kills in {took:5.0f} s  {one.title:28} {len(judged.faults)} faults",
                flush=True,
            )
            for fault in [*judged.faults[:10], *one.errors[:5]]:
                print(f"      {fault}"[:400], flush=True)
            if asked.folder is None and not judged.faults:
                shutil.rmtree(folder / f"world-{number}")
            number += 1
    finally:
        server.close()
    report(findings, points, luck, errors)
    if asked.folder is None and not findings.faults:
        shutil.rmtree(folder)
    return 1 if findings.faults or errors else 0


def report(findings, points, luck, errors):
    """The table."""
    print(f"\n{points.total()} kills: {points['random']} at random, the others at {len(points) - 1} points")
    print("  " + ", ".join(f"{name} {count}" for name, count in sorted(points.items())))
    missing = sorted(set(NAMES) - set(points))
    print(f"  points without a kill: {', '.join(missing) or 'none'}")
    print("  " + ", ".join(f"{name} {count}" for name, count in sorted(luck.items())))
    print(f"\noccurrences expected {findings.occurrences}; rows by state: {dict(findings.rows)}")
    for name in ("lost", "extra", "duplicated", "unaccounted"):
        print(f"  {name:12} {len(getattr(findings, name)):6}")
    print(f"  errors       {len(errors):6}   (the program's own faults in the log)")
    print("\nrepeats at the points that docs/guarantees.md names:")
    for name, count in sorted(findings.repeats.items()):
        print(f"  {count:6}  {name}")


if __name__ == "__main__":
    sys.exit(main())
