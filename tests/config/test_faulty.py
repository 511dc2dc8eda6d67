"""Faulty files, each with the exact text that refuses it: data/faulty.txt holds them."""

import re
from pathlib import Path

import pytest

import config

CASES = re.findall(
    r"^=== (.*)\n((?s:.*?))^--- refused\n((?s:.*?))\n(?==== |\Z)",
    (Path(__file__).parent / "data" / "faulty.txt").read_text(encoding="utf-8"),
    re.MULTILINE,
)


def test_there_are_enough() -> None:
    """At least sixty faulty files are told apart, and several of them have many faults at once."""
    assert len(CASES) >= 60
    assert sum(refused.count("\n") >= 2 for _, _, refused in CASES) >= 10


@pytest.mark.parametrize(("text", "refused"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_text(text: str, refused: str) -> None:
    """A faulty file is refused with every fault, its place, its job, and what is allowed."""
    with pytest.raises(config.ConfigError) as caught:
        config.loads(text, file="jobs.yaml", folder=Path("/nowhere"))
    assert str(caught.value) == refused
    assert [str(fault) for fault in caught.value.faults] == refused.splitlines()


@pytest.mark.parametrize(
    ("data", "refused"),
    [
        (b"version: 1\njobs: \xff\n", "2:7: the byte 0xff is not UTF-8; save the file as UTF-8"),
        ("version: 1\nküche: \x00".encode(), "2:8: the character U+0000 is not allowed in YAML"),
        ("version: 1\n".encode("utf-16"), "1:1: the byte 0xff is not UTF-8; save the file as UTF-8"),
        ("version: 1\n'übung' : 1\n".encode(), None),
        (b"version: 1\r\njobs:\r\n\t- name: x\r\n", "3:1: a tab cannot indent YAML; write spaces"),
    ],
)
def test_bytes(tmp_path: Path, data: bytes, refused: str | None) -> None:
    """Bytes that are no UTF-8, and characters that YAML has not, are refused at their place, in characters."""
    file = tmp_path / "jobs.yaml"
    file.write_bytes(data)
    with pytest.raises(config.ConfigError) as caught:
        config.load(file)
    (fault,) = caught.value.faults
    if refused is not None:
        assert str(fault) == f"{file}:{refused}"
    else:
        assert fault.message.startswith('"übung" is not a key; write one of version')
        assert (fault.line, fault.column) == (2, 1)


def test_byte_order_mark(tmp_path: Path) -> None:
    """A file that an editor began with a byte order mark is read."""
    file = tmp_path / "jobs.yaml"
    file.write_bytes(b"\xef\xbb\xbfversion: 1\n")
    assert config.load(file).jobs == {}


def test_no_such_file(tmp_path: Path) -> None:
    """A file that cannot be read is one fault, at its beginning, with the system's reason."""
    file = tmp_path / "jobs.yaml"
    with pytest.raises(config.ConfigError) as caught:
        config.load(file)
    assert str(caught.value) == f"{file}:1:1: the file cannot be read: No such file or directory"


def test_relative_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages name the file as it was given; paths resolve from its folder."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "jobs.yaml").write_text("version: 1\n")
    monkeypatch.chdir(tmp_path)
    assert config.load(Path("etc/jobs.yaml")).folder == tmp_path / "etc"
    Path("etc/jobs.yaml").write_text("version: 3\n")
    with pytest.raises(config.ConfigError, match=r"^etc/jobs\.yaml:1:10: version"):
        config.load(Path("etc/jobs.yaml"))
