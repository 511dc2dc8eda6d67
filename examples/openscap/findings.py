"""What an OVAL results document says about one definition, in the words of jobsd's protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element

VERDICTS = {
    "true": "pass",
    "false": "fail",
    "error": "error",
    "unknown": "unknown",
    "not evaluated": "unknown",
    "not applicable": "notapplicable",
}
SHOWN = 5  # offenders named in a message; the rest are counted
BITS = ["uread", "uwrite", "uexec", "gread", "gwrite", "gexec", "oread", "owrite", "oexec"]


class Findings:
    """The verdicts of one OVAL results document, with what led to them."""

    def __init__(self, results: Element) -> None:
        self._verdicts: dict[str, str] = {}
        self._tests_of: dict[str, list[str]] = {}
        self._tests: dict[str, Element] = {}
        self._object_of: dict[str, str] = {}
        self._objects: dict[str, Element] = {}
        self._items: dict[str, Element] = {}
        for element in results.iter():
            self._index(element)

    def of(self, definition: str) -> tuple[str, str]:
        """Verdict and detail of a definition; one that the document does not know is an `error`."""
        if definition not in self._verdicts:
            return "error", f"the OVAL content has no definition {definition!r}"
        verdict = VERDICTS.get(self._verdicts[definition], "error")
        tests = self._tests_of.get(definition, [])
        if verdict == "fail":
            return verdict, _listed([text for test in tests for text in self._offenders(test)])
        if verdict in {"error", "unknown"}:
            troubles = list(dict.fromkeys(text for test in tests for text in self._troubles(test)))
            # A probe that was merely refused has found no fault: the host's state is unknown to this user.
            refused = bool(troubles) and all("Permission denied" in trouble for trouble in troubles)
            hint = ". Run jobsd as root, or grant it CAP_DAC_READ_SEARCH, to see it" if refused else ""
            return ("unknown" if refused else verdict), "; ".join(troubles) + hint
        return verdict, ""

    def _index(self, element: Element) -> None:
        name = element.tag.rpartition("}")[2]
        if name == "definition" and element.get("result"):
            key = element.get("definition_id", "")
            self._verdicts[key] = element.get("result", "")
            self._tests_of[key] = [
                leaf.get("test_ref", "") for leaf in element.iter() if leaf.tag.endswith("}criterion")
            ]
        elif name == "test" and element.get("test_id"):
            self._tests[element.get("test_id", "")] = element
        elif name.endswith("_test"):
            for child in element:
                if child.get("object_ref"):
                    self._object_of[element.get("id", "")] = child.get("object_ref", "")
        elif name == "object" and element.get("flag"):
            self._objects[element.get("id", "")] = element
        elif name.endswith("_item") and element.get("id"):
            self._items[element.get("id", "")] = element

    def _offenders(self, test: str) -> Iterator[str]:
        """What a failed test stumbled over: items that were judged false, or that should not exist at all."""
        result = self._tests.get(test)
        if result is None or result.get("result") != "false":
            return
        found = False
        for tested in result:
            item = self._items.get(tested.get("item_id", ""))
            if item is not None and tested.get("result") in {"false", "not evaluated"}:
                found = True
                yield _described(item)
        if not found:
            yield "not found"

    def _troubles(self, test: str) -> Iterator[str]:
        """What the probe behind a test complained about."""
        collected = self._objects.get(self._object_of.get(test, ""))
        if collected is not None and collected.get("flag") in {"error", "incomplete", "not collected"}:
            messages = [
                child.text.strip().rstrip(".")
                for child in collected
                if child.tag.endswith("}message") and child.text
            ]
            yield from messages or [f"{collected.get('id')}: {collected.get('flag')}"]


def _described(item: Element) -> str:
    """One collected item in a few words: a file with its mode and owner, a line of a file, a kernel setting."""
    fields = {child.tag.rpartition("}")[2]: (child.text or "").strip() for child in item}
    if "uread" in fields:
        mode = "".join(
            letter if fields.get(bit) == "true" else "-" for bit, letter in zip(BITS, "rwxrwxrwx", strict=True)
        )
        return f"{fields.get('filepath') or fields.get('path')} is {mode} {fields['user_id']}:{fields['group_id']}"
    if "pattern" in fields:
        found = fields.get("subexpression") or fields.get("text", "")
        return f"{found} ({fields.get('filepath')})"
    return f"{fields.get('name', 'value')} is {fields.get('value', '?')}"


def _listed(offenders: list[str]) -> str:
    rest = len(offenders) - SHOWN
    return ", ".join(offenders[:SHOWN]) + (f" and {rest} more" if rest > 0 else "")
