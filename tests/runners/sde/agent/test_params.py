"""Params on standard input: what is written is read back the same, and nothing else is written."""

import configparser
import io
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.sde.params import BadParamsError, stdin_text


def plain(text):
    """Python 3 without interpolation."""
    reader = configparser.ConfigParser(interpolation=None)
    reader.optionxform = str
    reader.read_file(io.TextIOWrapper(io.BytesIO(text), encoding="utf-8"))
    return sections(reader)


def interpolating(text):
    """Python 3 as it is by default, but for the case of keys."""
    reader = configparser.ConfigParser()
    reader.optionxform = str
    reader.read_file(io.TextIOWrapper(io.BytesIO(text), encoding="utf-8"))
    return sections(reader)


def lowering(text):
    """Python 3 by default, without interpolation."""
    reader = configparser.ConfigParser(interpolation=None)
    reader.read_string(text.decode())
    return sections(reader)


def sections(reader):
    """All that it found."""
    return {name: dict(reader[name]) for name in reader.sections()} | (
        {"DEFAULT": dict(reader.defaults())} if reader.defaults() else {}
    )


OPTION = re.compile(r"(?P<option>[^:=\s][^:=]*)\s*(?P<vi>[:=])\s*(?P<value>.*)$")


def old(text):
    """Python 2's ConfigParser with its interpolation, as sde.py reads: its rules, written down here once more."""
    found, section, option = {}, None, None
    for line in io.TextIOWrapper(io.BytesIO(text), encoding="utf-8"):
        if not line.strip() or line[0] in "#;":
            continue
        if line.split(None, 1)[0].lower() == "rem" and line[0] in "rR":
            continue
        if line[0].isspace() and section is not None and option:
            found[section][option].append(line.strip())
            continue
        if header := re.match(r"\[(?P<header>[^]]+)\]", line):
            section, option = header["header"], None
            assert section not in found
            found[section] = {}
            continue
        match = OPTION.match(line)
        assert match, f"a parsing error: {line!r}"
        option, value = match["option"].rstrip(), match["value"].strip()
        at = value.find(";")
        if at != -1 and value[at - 1].isspace():
            value = value[:at].strip()
        assert option != "__name__"
        found[section][option] = ["" if value == '""' else value]
    values = {name: {key: "\n".join(lines) for key, lines in keys.items()} for name, keys in found.items()}
    assert not any("%(" in value for keys in values.values() for value in keys.values()), "an interpolation"
    return values


def meant(params):
    """What a reader is to find: texts; null is left out."""
    return {key: said(value) for key, value in params.items() if value is not None}


def said(value):
    """A value as text, but for the spelling of JSON."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value)


def same(found, params):
    """Whether only the section `global` was read, with these values."""
    assert list(found) == ["global"]
    assert found["global"].keys() == meant(params).keys()
    for key, text in meant(params).items():
        if isinstance(params[key], dict | list):
            assert json.loads(found["global"][key]) == params[key]
        else:
            assert found["global"][key] == text
    return True


REAL = {
    "alm_server": "jira.example.com:8443",
    "alm_user": "dienst@example.com",
    "alm_pass": "p%40ss = w:rt # no comment; [none] 100%",
    "alm_title_format": "$task_id $title",
    "sde_min_priority": 7,
    "alm_validate_cert": True,
    "alm_proxy": False,
    "jira_custom_fields": {"Größe": "L ; XL % (%(x)s)", "ü": [1, 2.5, None, {"a": "b\nc\r[d]\ne = f"}]},
    "alm_phases": ["a", "b"],
    "task_status_mapping": "{}",
    "alm_project": "",
    "unset": None,
    "ssh_key": "-----BEGIN KEY-----\nabc=\n=def\n[x]\ny: z\n-----END KEY-----",
    "Umlaut_Ä": "naïve “quotes” \N{GRINNING FACE}",
    "tab": "a\tb",
}


@pytest.mark.parametrize("read", [plain, old])
def test_ini_is_what_readers_without_escapes_read(read):
    """Texts as they are, numbers and booleans as words, objects and lists as JSON; null is not there."""
    assert same(read(stdin_text(REAL, "ini")), REAL)


def test_ini_escaped_is_what_interpolating_readers_read():
    """The same for Python's default, every sign of percent and all that looks like a reference included."""
    params = {**REAL, "alm_pass": "%(alm_user)s %% %", "format": "%%(x)s"}
    assert same(interpolating(stdin_text(params, "ini-escaped")), params)


def test_an_interpolating_reader_of_plain_ini_stops_or_reads_the_same():
    """What such a reader would silently replace is not written; a single percent sign makes it stop."""
    assert same(interpolating(stdin_text({"a": "x"}, "ini")), {"a": "x"})
    with pytest.raises(configparser.InterpolationSyntaxError):
        interpolating(stdin_text({"a": "50% off"}, "ini"))


def test_the_text_itself():
    """One section, one line for each param; UTF-8; a line break at the end."""
    text = stdin_text({"a": "b", "c": None, "d": {"e": True}, "f": "", "g": "h\ni"}, "ini")
    assert text == b'[global]\na = b\nd = {"e": true}\nf =\ng = h\n\ti\n'


def test_json_is_one_object():
    """JSON has everything as it is, and ends with a line break."""
    text = stdin_text(REAL | {"a=b\n": "\r\n[x]", "half": "\ud800"}, "json")
    assert json.loads(text) == REAL | {"a=b\n": "\r\n[x]", "half": "\ud800"}
    assert text.endswith(b"}\n")
    assert text.isascii()


def test_nothing_is_nothing():
    """Without a form nothing goes to standard input."""
    assert stdin_text({"a": "b"}, "none") == b""


@pytest.mark.parametrize(
    "key",
    ["", "a=b", "a:b", "#a", ";a", "[global]", "[x", " a", "a ", "a b", "a\nb", "a\rb", "a\tb", "a\0", "a\x85b",
     "a\u2028b", "\ud800", "rem", "REM", "__name__", "a\x0bb", "a\x1cb", "\N{NO-BREAK SPACE}a"],
)  # fmt: skip
@pytest.mark.parametrize("form", ["ini", "ini-escaped"])
def test_keys_that_are_refused(key, form):
    """A key that would be a comment, a section, another key or none is refused, and named in plain signs."""
    with pytest.raises(BadParamsError) as error:
        stdin_text({"fine": 1, key: "value-of-it"}, form)
    assert repr(key) in str(error.value)
    assert "value-of-it" not in str(error.value)
    assert str(error.value).isprintable()


@pytest.mark.parametrize(
    "value",
    ["a\r\nadmin = true", "a\rb", "a\n\nb", "a\n", "a\n#b", "a\n;b", "a\n b", "a \nb", " a", "a ", "\ta",
     "a\0b", "a\x0bb", "a\x0cb", "a\x1cb", "a\x85b", "a\u2028b", "a\u2029b", "a\x7fb", "a\x1b[0mb", "\ud83d",
     "a ;b", "a\t; b", '""', 'a\n""', "\N{NO-BREAK SPACE}a"],
)  # fmt: skip
@pytest.mark.parametrize("form", ["ini", "ini-escaped"])
def test_values_that_are_refused(value, form):
    """A value that some reader would cut, split or change is refused by the name of its key, and is not shown."""
    with pytest.raises(BadParamsError, match=r"^the param 'alm_pass' has .*write stdin: json") as error:
        stdin_text({"fine": 1, "alm_pass": value}, form)
    assert str(error.value).isprintable()


@pytest.mark.parametrize("value", ["%(alm_pass)s", "a%%b", "100%(", "x\n%%"])
def test_what_some_readers_replace_is_refused_in_plain_ini(value):
    """A reference would be replaced by sde.py, two percent signs become one elsewhere: the reason says what to write."""
    with pytest.raises(BadParamsError, match=r"'title' has .* write stdin: ini-escaped or json"):
        stdin_text({"title": value}, "ini")


def test_keys_that_differ_by_capitals_only():
    """Most readers take them for the same key: refused."""
    with pytest.raises(BadParamsError, match="the param 'A_B' is there twice"):
        stdin_text({"a_b": 1, "A_B": 2}, "ini")


@pytest.mark.parametrize(("form", "about"), [("ini", "the param 'x' has"), ("json", "the params have")])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), [float("nan")]])
def test_what_is_no_json(form, about, value):
    """Numbers that JSON does not have are refused."""
    with pytest.raises(BadParamsError, match=f"^{about} something that is no JSON$"):
        stdin_text({"x": value}, form)


def test_too_deep():
    """A value nested too deeply is refused, not a crash."""
    deep = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(BadParamsError):
        stdin_text({"x": deep}, "ini")


def test_a_long_key_is_cut_in_the_reason():
    """The reason stays short."""
    with pytest.raises(BadParamsError) as error:
        stdin_text({"k=" * 10_000: 1}, "ini")
    assert len(str(error.value)) < 150


NASTY = st.text(st.sampled_from("ab%();:=#[]\"'\\\n\r\t \x00\x0b\x1c\x85\xa0\u2028\ud800é{}s") | st.characters())
KEYS = st.text(st.sampled_from("abA_=:#;[] \n%é.-") | st.characters(), min_size=1, max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | NASTY,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NASTY, inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(KEYS, JSON, max_size=4))
def test_whatever_is_written_is_read_back(params):
    """Any params: either all readers of the form find exactly these keys and values, or nothing is written."""
    for form, readers in (("ini", (plain, old)), ("ini-escaped", (interpolating,))):
        try:
            text = stdin_text(params, form)
        except BadParamsError:
            continue
        for read in readers:
            assert same(read(text), params)
        if form == "ini":
            assert lowering(text)["global"].keys() == {key.lower() for key in meant(params)}
        try:
            assert form == "ini-escaped" or same(interpolating(text), params)
        except configparser.InterpolationSyntaxError:
            assert b"%" in text


@given(st.dictionaries(st.from_regex(r"[a-z][a-z0-9_]{0,9}", fullmatch=True), st.text(
    st.characters(codec="ascii", min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="%;"), max_size=30
), max_size=5))  # fmt: skip
def test_plain_params_are_always_taken(params):
    """Names and visible signs, as nearly all params are, are never refused."""
    params = {key: value for key, value in params.items() if value != '""' and key not in ("rem", "__name__")}
    text = stdin_text(params, "ini")
    assert all(same(read(text), params) for read in (plain, old, interpolating))


@given(st.dictionaries(KEYS | NASTY, JSON, max_size=4))
def test_json_has_everything(params):
    """Any params are one JSON object."""
    assert json.loads(stdin_text(params, "json")) == params
