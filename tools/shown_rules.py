"""Which tests show which rule of docs/rules.md, by the lines `Rule: NAME` of their docstrings."""

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parent.parent / "tests"
RULE = re.compile(r"^- \*\*([a-z0-9-]+)\*\*: (?:.+)$", re.MULTILINE)
SHOWN = re.compile(r"^ *Rule: (\S+)$", re.MULTILINE)


def rules(page: str) -> list[str]:
    """The names of the rules on the page, in its order."""
    return RULE.findall(page)


@functools.cache
def shown() -> dict[str, list[str]]:
    """Rule -> the tests that name it, as FILE::TEST from tests/, by file and line."""
    found: dict[str, list[str]] = {}
    for path in sorted(TESTS.rglob("test_*.py")):
        text = path.read_text()
        if "Rule: " in text:
            for test, rule in _named(ast.parse(text)):
                found.setdefault(rule, []).append(f"{path.relative_to(TESTS)}::{test}")
    return found


def _named(module: ast.Module) -> Iterator[tuple[str, str]]:
    for node in module.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            for rule in SHOWN.findall(ast.get_docstring(node) or ""):
                yield node.name, rule


def filled(page: str) -> str:
    """`page` with the tests below each rule."""
    tests = shown()
    lines = []
    for line in page.splitlines():
        if line.startswith("  - `"):
            continue
        lines.append(line)
        if (rule := RULE.match(line)) is not None:
            lines += [f"  - `{test}`" for test in tests.get(rule.group(1), ())]
    return "\n".join(lines) + "\n"
