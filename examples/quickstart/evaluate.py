#!/usr/bin/env python3
"""Evaluate: judge what a collector found (JSON on stdin) by a standard (a file of standards/).

    evaluate.py STANDARD < DATA

Prints `{"results": [{"check", "result", "message"}]}` and ends with exit code 0 whatever the verdicts are. A
standard that does not exist, or data that is no JSON, is a failure: exit code 1 with the reason on stderr.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

try:
    import tomllib
except ModuleNotFoundError:
    sys.exit('python3 is older than 3.11; name a newer one: [python3.11, "{folder}/…/evaluate.py", "{standard}"]')

STANDARDS = Path(__file__).resolve().parent / "standards"


def main() -> None:
    """Judge stdin by the standard that the command line names."""
    if len(sys.argv) != 2:
        sys.exit("usage: evaluate.py STANDARD < DATA")
    standard = read_standard(sys.argv[1])
    try:
        data = json.load(sys.stdin)
        aspect = data["aspect"]
    except (ValueError, KeyError, TypeError) as error:
        sys.exit(f"the data is not what a collector of this folder prints: {error!r}")
    rules = standard.get(aspect, {})
    results = [judged(f"{aspect}.{name}", rule, data) for name, rule in rules.items()]
    if not results:
        message = f"{sys.argv[1]} has no rule for {aspect}"
        results = [{"check": f"{aspect}.none", "result": "notapplicable", "message": message}]
    json.dump({"results": results}, sys.stdout, indent=1, ensure_ascii=False)
    print()


def read_standard(name: str) -> dict[str, dict[str, dict[str, Any]]]:
    """The rules of a standard: aspect -> check -> rule. Ends the program if there is no such standard."""
    known = {path.stem: path for path in sorted(STANDARDS.glob("*.toml"))}
    if name not in known:
        sys.exit(f"there is no standard {name!r}; those of {STANDARDS} are: {', '.join(known)}")
    return tomllib.loads(known[name].read_text(encoding="utf-8"))


def judged(check: str, rule: dict[str, Any], data: dict[str, Any]) -> dict[str, str]:
    """One result: what could not be collected is `unknown`, and a rule or data that makes no sense an `error`."""
    if "unreadable" in data:
        message = f"{data.get('file', data['aspect'])} could not be read: {data['unreadable']}"
        return {"check": check, "result": "unknown", "message": message}
    try:
        judge = importlib.import_module(f"checks.{data['aspect']}").KINDS[rule["kind"]]
        verdict = judge(data, rule)
    except (ImportError, LookupError, TypeError, ValueError) as error:
        message = f"the rule or the data has not the expected form: {error!r}"
        return {"check": check, "result": "error", "message": message}
    return {"check": check, "result": verdict.result, "message": verdict.message}


if __name__ == "__main__":
    main()
