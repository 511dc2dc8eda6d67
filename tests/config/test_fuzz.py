"""No text makes the loader do anything but load it, or refuse it with ConfigError."""

import re
from pathlib import Path

import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import config

DATA = Path(__file__).parent / "data"
GOOD = (DATA / "interfaces.yaml").read_text(encoding="utf-8")
TOKENS = sorted(set(re.findall(r"[\w.-]+|[\[\]{}:,&*!|>'\"#-]", GOOD)))
SLOW = settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def survive(text: str) -> None:
    """Load, or be refused with whole faults of one line each."""
    faults: tuple[config.Fault, ...] = ()
    jobs: list[config.JobDefinition] = []
    try:
        jobs = list(config.loads(text, file="jobs.yaml", folder=DATA).jobs.values())
    except config.ConfigError as error:
        faults = error.faults or (config.Fault("no fault at all", 0, 0, None, ""),)
    for fault in faults:
        assert re.fullmatch(r"jobs\.yaml:[1-9]\d*:[1-9]\d*: [^\r\n]+", str(fault)), str(fault)
    assert list(faults) == sorted(faults, key=lambda fault: (fault.line, fault.column))
    for job in jobs:
        job.digest()


@SLOW
@given(st.text(max_size=80))
@example("\x00")
@example("\ud800")
@example("a: !!int 0x")
@example("? [a]\n: b")
@example("version: 1\njobs: [{name: a, schedule: {cron: '1,2/3 * * * L'}, run: {command: {argv: ['\\0']}}}]")
@example("version: " + "9" * 5000)
@example("version: 1\nsettings: {max_running: " + "9" * 5000 + "}")
@example('version: 1\ncalendars: {a: {ics: "a\\0b"}}')
@example('version: 1\nsettings: {timezone: "a\\nb"}')
@example('version: 1\njobs: [{name: "a\\nb", run: {}}]')
@example('version: 1\nsettings: {http: {tokens: [{name: a, token: {file: "\\0"}}]}}')
@example("version: 1\nsettings: {http: {tokens: [{name: a, token: {file: " + "a" * 5000 + "}}]}}")
@example("version: 1\ncollectors: {a: {collect: [/" + "a" * 5000 + "]}}")
@example("version: 1\ncalendars: {a: {ics: " + "a" * 5000 + "}}")
@example("version: 1\njobs: [{<<: {<<: {}}}, ~, [], {name: }]\ndefaults: []")
@example("version: 1\nservers: {a: {type: [ccs]}, b: {type: {}}}\nassets: []\nasset_groups: {a: {}}")
def test_any_text(text: str) -> None:
    """Any text."""
    survive(text)


@SLOW
@given(st.lists(st.sampled_from([*TOKENS, " ", "\n", "\n  ", ": ", "- ", ", "]), max_size=60))
def test_any_words_of_a_configuration(parts: list[str]) -> None:
    """The words of a good file in any order."""
    survive("version: 1\n" + "".join(parts))


LINES = GOOD.splitlines(keepends=True)


@SLOW
@given(st.data())
def test_a_good_file_with_one_change(data: st.DataObject) -> None:
    """A good file in which one stretch is left out, repeated, or replaced by other words of it."""
    text = GOOD
    start = data.draw(st.integers(0, len(text) - 1))
    stretch = text[start : start + data.draw(st.integers(0, 40))]
    put = data.draw(st.sampled_from(["", stretch * 2, "null", "[]", "{}", "-1", "x", "\n", "'", *TOKENS]))
    survive(text[:start] + put + text[start + len(stretch) :])


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 10**6)
    | st.floats()
    | st.sampled_from(TOKENS)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(TOKENS), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(sorted(config.json_schema()["properties"]))
JOB_KEYS = st.sampled_from(sorted(config.json_schema()["$defs"]["job"]["properties"]))


@SLOW
@given(st.dictionaries(KEYS, VALUES, max_size=4), st.dictionaries(JOB_KEYS, VALUES, max_size=4))
def test_any_value_at_any_key(top: dict[str, object], job: dict[str, object]) -> None:
    """Values of any type at the known keys."""
    text = yaml.safe_dump({**top, "version": 1, "jobs": [job, {"name": "a", **job}]}, allow_unicode=True)
    survive(text)
