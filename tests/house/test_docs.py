"""The pages say what the code does."""

import ast
import re
from pathlib import Path

from scheduler.journal import _OPENED, LEVELS
from scheduler.lifecycle import State

ROOT = Path(__file__).parents[2]
PACKAGES = ("jobsd", "scheduler", "runners", "config", "recurrence")


def logged():
    """Every event name that the code logs, with its level."""
    found = dict([*LEVELS.values(), *_OPENED.values()])
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or not node.args:
                    continue
                owner = ast.unparse(node.func.value)
                level = {"exception": "error", "warn": "warning"}.get(node.func.attr, node.func.attr)
                ours = owner == "_log" or (
                    node.func.attr == "warn" and (owner.endswith("report") or owner == "self")
                )
                if ours and level != "debug" and isinstance(node.args[0], ast.Constant):
                    found[node.args[0].value] = level
    found["library_message"] = "warning"
    return found


def test_every_event_of_the_log_is_listed_with_its_level():
    """docs/logs.md and the code name the same events with the same levels."""
    rows = re.findall(r"^\| `([a-z_]+)` \| (\w+) \|", (ROOT / "docs/logs.md").read_text(), re.MULTILINE)
    assert dict(rows) == logged()
    assert [name for name, _ in rows] == sorted(name for name, _ in rows)


GIVEN = {"job", "run_id", "fire_time", "state", "attempt", "duration_s", "reason", "actor"}
"""The keys that the page's head names for every line."""


def shared_keys(module):
    """The keys that the module's functions of one returned dict give, by the function's name."""
    found = {}
    for node in module.body:
        last = node.body[-1] if isinstance(node, ast.FunctionDef) else None
        if isinstance(last, ast.Return) and isinstance(last.value, ast.Dict):
            inside = [one for one in ast.walk(last.value) if isinstance(one, ast.Dict)]
            found[node.name] = {key.value for one in inside for key in one.keys if isinstance(key, ast.Constant)}
    return found


def keys_logged():
    """Every key beside those that our own calls write, by event name."""
    found = {}
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            module = ast.parse(path.read_text())
            shared = shared_keys(module)
            for node in ast.walk(module):
                if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Constant):
                    continue
                owner = ast.unparse(node.func)
                if owner.startswith("_log.") or owner.endswith("report.warn"):
                    keys = {
                        {"exc_info": "exception"}.get(word.arg, word.arg) for word in node.keywords if word.arg
                    }
                    for word in node.keywords:
                        if word.arg is None:
                            keys |= shared[ast.unparse(word.value.func)]
                    keys |= {"exception"} if owner == "_log.exception" else set()
                    found.setdefault(node.args[0].value, set()).update(keys - GIVEN)
    return found


def test_the_keys_of_every_event_are_listed():
    """A key that a line may have stands in its row of docs/logs.md."""
    rows = dict(
        re.findall(r"^\| `([a-z_]+)` \| \w+ \| ([^|]*)\|", (ROOT / "docs/logs.md").read_text(), re.MULTILINE)
    )
    listed = {event: set(re.findall(r"`(\w+)`", keys)) for event, keys in rows.items()}
    told = {event: keys for event, keys in keys_logged().items() if event in listed}
    assert {event: listed[event] for event in told} == told


def test_links_between_the_pages_lead_somewhere():
    """Every relative link of README, CHANGELOG and docs/ names a file that is there."""
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_states_are_explained():
    """Every state's word stands in the life cycle's page."""
    page = (ROOT / "docs/lifecycle.md").read_text()
    assert all(f"| {state} |" in page for state in State)
