"""YAML 1.2 words, and documents that no program should expand."""

import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yaml.nodes import ScalarNode

import config
from config.nodes import scalar
from config.yaml_text import PureLoader, compose, core_tag


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("25:30", "25:30"), ("1:30", "1:30"), ("no", "no"), ("yes", "yes"), ("on", "on"), ("off", "off"),
        ("0o17", 15), ("017", 17), ("0x1F", 31), ("1_000", "1_000"), ("+12", 12), ("-0", 0), ("1e3", 1000.0),
        (".5", 0.5), ("1.", 1.0), ("-.inf", float("-inf")), ("2026-01-02", "2026-01-02"), ("~", None), ("", None),
        ("null", None), ("Null", None), ("nUll", "nUll"), ("true", True), ("TRUE", True), ("tRue", "tRue"),
        ("<<", "<<"), ("=", "="), ("0b1", "0b1"), ("1.2.3", "1.2.3"), (".", "."), ("'true'", "true"),
    ],
)  # fmt: skip
def test_core_words(text: str, value: object) -> None:
    """A plain word means what YAML 1.2's core schema says, not what YAML 1.1 said."""
    node = compose(f"a: {text}\n", file="x")
    assert node is not None
    found = scalar(node.value[0][1])
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
            + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 12)),
            "1:1: aliases expand this file of ",
        ),
        (
            "a0: &a0 {" + ", ".join(f"k{i}: 1" for i in range(2000)) + "}\n"
            + "a: {<<: [" + ", ".join(["*a0"] * 200) + "]}\n",
            "2:9: merge keys copy more than ",
        ),
        ("[" * 5000, "1:100: not valid YAML: nested deeper than 100 levels"),
        ("a: " + "{a: " * 300000, "1:396: not valid YAML: nested deeper than 100 levels"),
        ("- " * 300000, "1:199: not valid YAML: nested deeper than 100 levels"),
        ("a: &x [1]\n" + "".join(f"b{i}: &y{i} [*{'x' if i == 0 else f'y{i - 1}'}]\n" for i in range(200)), "nested deeper"),
        ("a: &a {b: &b {c: *a}}\n", "an anchor may not contain its own alias"),
    ],
    ids=["alias bomb", "merge bomb", "brackets", "braces", "dashes", "alias tower", "circle"],
)  # fmt: skip
def test_bombs(tmp_path: Path, text: str, message: str) -> None:
    """A small text that stands for a huge document is refused at once, and never crashes the program."""
    began = time.process_time()
    with pytest.raises(config.ConfigError) as caught:
        config.loads(text, file="x", folder=tmp_path)
    assert message in str(caught.value)
    assert time.process_time() - began < 5


def test_aliases_and_merge_keys(tmp_path: Path) -> None:
    """Anchors, aliases and merge keys share blocks; what is written beside a merge key wins."""
    text = """
version: 1
defaults:
  labels: &base {site: hq, team: it}
jobs:
- {name: a, labels: {<<: *base, team: audit}, run: &run {command: {argv: [uptime]}}}
- {name: b, run: *run}
"""
    jobs = config.loads(text, file="x", folder=tmp_path).jobs
    assert jobs["a"].labels == {"site": "hq", "team": "audit"}
    assert jobs["b"].run == jobs["a"].run


def test_many_aliases(tmp_path: Path) -> None:
    """A long file whose every job shares one block is no bomb."""
    shared = "version: 1\ndefaults: {labels: &l {" + ", ".join(f"k{i}: v" for i in range(20)) + "}}\njobs:\n"
    text = shared + "".join(
        f"- {{name: j{i}, labels: *l, run: {{command: {{argv: [a]}}}}}}\n" for i in range(2000)
    )
    assert len(config.loads(text, file="x", folder=tmp_path).jobs) == 2000


def test_both_loaders_agree(data: Path) -> None:
    """Without libyaml the same texts mean the same at the same places; only the words of a refusal differ."""
    texts = [(data / "interfaces.yaml").read_text(encoding="utf-8")]
    texts += re.split(r"^(?:===|---) .*$", (data / "faulty.txt").read_text(encoding="utf-8"), flags=re.MULTILINE)[
        1::2
    ]
    assert len(texts) > 60
    for text in texts:
        assert _dump(text, None) == _dump(text, PureLoader), text


def _dump(text: str, loader: object) -> object:
    try:
        node = compose(text, file="x", loader=loader)
    except config.ConfigError:
        return "refused"
    return _plain(node)


def _plain(node: object, above: tuple[int, ...] = ()) -> object:
    if node is None or id(node) in above:
        return "nothing" if node is None else "circle"
    value, place = node.value, (node.start_mark.line, node.start_mark.column)
    if not isinstance(value, list):
        return (place if value else None), node.tag, value  # an empty value's column is a matter of taste
    parts = [part for item in value for part in (item if isinstance(item, tuple) else (item,))]
    return place, node.tag, [_plain(part, (*above, id(node))) for part in parts]


@given(st.text(max_size=30))
def test_a_word_has_one_tag(text: str) -> None:
    """Any text has a tag, and a tag other than text has a value."""
    value = scalar(ScalarNode(core_tag(text), text))
    assert isinstance(value, str | int | float | None)
