#!/usr/bin/env python3
"""Evaluate: judge collected OVAL system characteristics (stdin) by one profile of host.xccdf.xml.

    evaluate.py STANDARD < system.xml

`oscap oval analyse` decides every definition from the collected data alone, without a look at the host; the
profile `..._profile_STANDARD` says which rules count. Each selected rule is one check of jobsd's protocol.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree as ET

from findings import Findings

CONTENT = Path(__file__).resolve().parent
XCCDF = {"x": "http://checklists.nist.gov/xccdf/1.2"}


def main() -> None:
    """Print `{"results": […]}`; exit 0 whatever the verdicts, 1 with the reason when nothing could be judged."""
    if len(sys.argv) != 2:
        sys.exit("usage: evaluate.py STANDARD < system.xml")
    rules = rules_of(sys.argv[1])
    findings = Findings(analysed(sys.stdin.buffer.read()))
    print(json.dumps({"results": [judged(rule, findings) for rule in rules]}, indent=1))


def rules_of(standard: str) -> list[ET.Element]:
    """The rules that the standard's profile selects, in the benchmark's order."""
    benchmark = ET.parse(CONTENT / "host.xccdf.xml").getroot()  # noqa: S314 - our own file
    profiles = {
        profile.get("id", "").partition("_profile_")[2]: profile
        for profile in benchmark.findall("x:Profile", XCCDF)
    }
    if standard not in profiles:
        sys.exit(f"host.xccdf.xml has no profile {standard!r}; it has: {', '.join(profiles)}")
    selects = profiles[standard].findall("x:select", XCCDF)
    chosen = {select.get("idref") for select in selects if select.get("selected") == "true"}
    return [rule for rule in benchmark.iter(f"{{{XCCDF['x']}}}Rule") if rule.get("id") in chosen]


def analysed(system_characteristics: bytes) -> ET.Element:
    """The OVAL results document for what was collected."""
    with tempfile.TemporaryDirectory() as folder:
        collected, results = Path(folder, "system.xml"), Path(folder, "results.xml")
        collected.write_bytes(system_characteristics)
        argv = ["oscap", "oval", "analyse", "--results", results, CONTENT / "host.oval.xml", collected]
        try:
            done = subprocess.run(argv, check=False, capture_output=True, text=True)
        except FileNotFoundError:
            sys.exit("oscap is not installed here. Do: apt-get install openscap-scanner")
        if done.returncode or not results.exists():
            sys.exit(f"oscap could not analyse what was collected: {done.stderr.strip() or done.returncode}")
        return ET.parse(results).getroot()  # noqa: S314 - just written by oscap, which validated its input


def judged(rule: ET.Element, findings: Findings) -> dict[str, str]:
    """One result of the protocol: the rule's short name, the verdict, and what an operator should know."""
    reference = rule.find("x:check/x:check-content-ref", XCCDF)
    title = rule.findtext("x:title", "", XCCDF)
    fix = rule.findtext("x:fixtext", "", XCCDF)
    verdict, detail = findings.of(reference.get("name", "") if reference is not None else "")
    message = f"{title}: {detail}" if detail else title
    if verdict == "fail":
        message = f"{detail}. Required: {title}. Do: {fix}"
    return {"check": rule.get("id", "").partition("_rule_")[2], "result": verdict, "message": message}


if __name__ == "__main__":
    main()
