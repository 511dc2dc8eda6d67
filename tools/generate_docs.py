"""Write the generated parts of docs/. A test holds the files and this program together."""

import sys
from pathlib import Path

import shown_rules

from config.key_tables import filled
from scheduler.lifecycle import ACTIVE, FINAL, STATUS, TRANSITIONS, State

ROOT = Path(__file__).parent.parent


def lifecycle() -> str:
    """docs/lifecycle.md, from the transition table."""
    lines = [
        "# The life of a run",
        "",
        "Made by `make docs` from the table of transitions in `scheduler/lifecycle.py`.",
        "A run is opened as `pending`; an occurrence that does not run, as `missed` or `skipped` with its reason.",
        "",
        "```mermaid",
        "stateDiagram-v2",
        "    [*] --> pending",
        "    [*] --> missed",
        "    [*] --> skipped",
    ]
    for move, transition in TRANSITIONS.items():
        lines += [
            f"    {source} --> {transition.target}: {move}" for source in State if source in transition.sources
        ]
    lines += [f"    {state} --> [*]" for state in State if state in FINAL]
    lines += ["```", "", "| state | status code | final | leaves by |", "| --- | --- | --- | --- |"]
    for state in State:
        moves = [f"`{move}` → {t.target}" for move, t in TRANSITIONS.items() if state in t.sources]
        final = "yes" if state in FINAL else "no"
        status = f"{STATUS[state].value} {STATUS[state].name.title()}"
        lines.append(f"| {state} | {status} | {final} | {', '.join(moves) or '-'} |")
    lines += ["", "| transition | from | to | when |", "| --- | --- | --- | --- |"]
    for move, transition in TRANSITIONS.items():
        sources = ", ".join(state for state in State if state in transition.sources)
        lines.append(f"| `{move}` | {sources} | {transition.target} | {transition.when} |")
    assert set(State) == ACTIVE | FINAL  # noqa: S101 - the table is whole
    return "\n".join(lines) + "\n"


def configuration() -> str:
    """docs/configuration.md with its tables of keys, from the models."""
    return filled((ROOT / "docs/configuration.md").read_text())


def rules() -> str:
    """docs/rules.md with the tests that show each rule."""
    return shown_rules.filled((ROOT / "docs/rules.md").read_text())


PAGES = {"docs/lifecycle.md": lifecycle, "docs/configuration.md": configuration, "docs/rules.md": rules}


def main() -> int:
    """Write every page; with --check, say which are not as they should be instead."""
    wrong = [name for name, make in PAGES.items() if not _same(ROOT / name, make())]
    if "--check" in sys.argv:
        for name in wrong:
            print(f"{name} is not what `make docs` writes")
        return 1 if wrong else 0
    for name in wrong:
        (ROOT / name).write_text(PAGES[name]())
    return 0


def _same(path: Path, text: str) -> bool:
    return path.exists() and path.read_text() == text


if __name__ == "__main__":
    sys.exit(main())
