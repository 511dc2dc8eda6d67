"""Secrets are found where they are said to be, and shown nowhere."""

import json
from pathlib import Path

import pytest

import config
from config.definitions import Secret
from config.passwords import NOBODY, hash_password, verify_password
from config.secrets import SecretError
from config.values import origin

HIDDEN = "hunter2-S3CRET"


def test_sources(tmp_path: Path) -> None:
    """A credential of systemd, a private file, a variable, and a literal."""
    (tmp_path / "ccs").write_text(HIDDEN + "\n")
    private = tmp_path / "private"
    private.write_text(HIDDEN)
    private.chmod(0o600)
    assert Secret("credential", "ccs").resolve({"CREDENTIALS_DIRECTORY": str(tmp_path)}) == HIDDEN
    assert Secret("file", str(private)).resolve({}) == HIDDEN
    assert Secret("env", "TOKEN").resolve({"TOKEN": HIDDEN}) == HIDDEN
    assert Secret.literal(HIDDEN).resolve({}) == HIDDEN


@pytest.mark.parametrize(
    ("secret", "message"),
    [
        (Secret("credential", "ccs"), "credential ccs: $CREDENTIALS_DIRECTORY is not set"),
        (Secret("env", "TOKEN"), "env TOKEN is not set or empty"),
        (Secret("file", "/nowhere/x"), "/nowhere/x: No such file or directory"),
    ],
)
def test_missing(secret: Secret, message: str) -> None:
    """A secret that is not there is an error that names its source."""
    with pytest.raises(SecretError) as caught:
        secret.resolve({})
    assert message in str(caught.value)


def test_a_file_that_became_readable(tmp_path: Path) -> None:
    """A file is looked at again when its secret is needed."""
    file = tmp_path / "s"
    file.write_text(HIDDEN)
    file.chmod(0o640)
    with pytest.raises(SecretError, match="can be read by group or others; run chmod 600 on it"):
        Secret("file", str(file)).resolve({})


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_readable_file_is_a_fault(tmp_path: Path, mode: int) -> None:
    """A secret's file that group or others can read refuses the configuration."""
    (tmp_path / "s").write_text(HIDDEN)
    (tmp_path / "s").chmod(mode)
    with pytest.raises(config.ConfigError) as caught:
        config.loads(WITH_SECRET.replace("SECRET", "{file: s}"), file="jobs.yaml", folder=tmp_path)
    path = "settings.smtp.password.file"
    assert str(caught.value) == (
        f'jobs.yaml:2:58: {path}: "{tmp_path}/s" can be read by group or others; run chmod 600 on it'
    )


WITH_SECRET = "version: 1\nsettings: {smtp: {host: h, username: u, password: SECRET}}\n"


def test_a_relative_file(tmp_path: Path) -> None:
    """A secret's file is found from the YAML's folder."""
    (tmp_path / "s").write_text(HIDDEN)
    (tmp_path / "s").chmod(0o600)
    found = config.loads(WITH_SECRET.replace("SECRET", "{file: ./s}"), file="x", folder=tmp_path).settings.smtp
    assert found is not None
    assert found.password is not None
    assert found.password.resolve({}) == HIDDEN


HASH = f"scrypt$15$8$1${'A' * 22}${'hunter2-S3CRET'.rjust(43, 'A')}"

EVERYWHERE = f"""
version: 1
settings:
  ledger: postgresql://jobsd:{HIDDEN}@db/jobsd
  http: {{tokens: [{{name: a, token: {HIDDEN}}}]}}
  smtp: {{host: h, username: u, password: {HIDDEN}}}
users: [{{name: ann, password_hash: {HASH}, token: {HIDDEN}}}]
servers:
  c: {{type: ccs, url: "https://c.example.com", username: u, password: {HIDDEN}}}
  s: {{type: sde, url: "https://s.example.com", token: {HIDDEN}}}
jobs:
- name: a
  run: {{http: {{url: "https://h.example.com", token: {HIDDEN}, headers: {{X-Key: {HIDDEN}}}}}}}
  notify: {{webhook: {{url: "https://h.example.com/hook", token: {HIDDEN}}}}}
- name: b
  run: {{command: {{argv: [a], env: {{TOKEN: {HIDDEN}}}}}}}
"""


def test_nothing_shows_a_secret(tmp_path: Path) -> None:
    """Literal secrets are in no repr, no warning and no body; each is warned of at its place."""
    found = config.loads(EVERYWHERE, file="jobs.yaml", folder=tmp_path)
    assert HIDDEN not in repr(found)
    assert HIDDEN not in str(found)
    assert HIDDEN not in "".join(found.warnings)
    assert HIDDEN not in json.dumps(found.jobs["a"].body()["notify"])
    assert found.jobs["a"].body()["run"]["token"] == {"literal": ""}
    assert [warning.split(": warning: ")[0] for warning in found.warnings] == [
        "jobs.yaml:4:11", "jobs.yaml:5:36", "jobs.yaml:6:42", "jobs.yaml:7:125", "jobs.yaml:9:71", "jobs.yaml:10:55",
        "jobs.yaml:13:53", "jobs.yaml:14:64",
    ]  # fmt: skip
    assert found.warnings[1].endswith(
        "settings.http.tokens.token: the secret stands in the file itself; "
        "write {credential: NAME}, {file: PATH} or {env: NAME}"
    )


@pytest.mark.parametrize(
    "value", [f"[{HIDDEN}]", f"{{env: [{HIDDEN}]}}", f"{{password: {HIDDEN}}}", f"{{{HIDDEN}: x}}"]
)
def test_no_fault_shows_a_secret(refusal, value: str) -> None:
    """A secret in the wrong shape is refused without its text."""
    assert HIDDEN not in refusal(WITH_SECRET.replace("SECRET", value))


@pytest.mark.parametrize(
    "text",
    [
        f"settings: {{ledger: 'mysql://u:{HIDDEN}@h/d'}}",
        f"servers: {{s: {{type: sde, url: 'https://u:{HIDDEN}@h', token: {{env: T}}}}}}",
        f"users: [{{name: a, password_hash: [{HIDDEN}]}}]",
        f"jobs: [{{name: a, run: {{http: {{url: 'ftp://u:{HIDDEN}@h'}}}}}}]",
    ],
)
def test_no_fault_shows_an_address_with_a_password(refusal, text: str) -> None:
    """Addresses may hold passwords: a wrong one is refused without its text."""
    assert HIDDEN not in refusal(f"version: 1\n{text}\n")


@pytest.mark.parametrize(
    "value",
    [
        "hunter2-S3CRET",
        f"scrypt$13$8$1${'A' * 22}${'A' * 43}",
        f"scrypt$19$8$1${'A' * 22}${'A' * 43}",
        f"scrypt$15$0$1${'A' * 22}${'A' * 43}",
        f"scrypt$15$17$1${'A' * 22}${'A' * 43}",
        f"scrypt$15$8$5${'A' * 22}${'A' * 43}",
        f"scrypt$15$8$1${'A' * 21}${'A' * 43}",
        f"scrypt$15$8$1${'A' * 22}${'A' * 42}",
        f"bcrypt$15$8$1${'A' * 22}${'A' * 43}",
    ],
)
def test_a_password_hash_is_one_of_ours(refusal, value: str) -> None:
    """A password in clear, another program's hash and one that would take for ever are refused, unseen."""
    said = refusal(f"version: 1\nusers: [{{name: ann, password_hash: {value}}}]\n")
    assert "write what `jobsd hash-password` prints" in said
    assert value not in said


def test_a_hash_fits_its_password_only() -> None:
    """Two hashes of one password differ, and both fit; nothing else does."""
    first, second = hash_password("påss + wörd"), hash_password("påss + wörd")
    assert first != second
    assert all(verify_password("påss + wörd", known) for known in (first, second))
    assert not verify_password("påss+wörd", first)
    assert not verify_password("", NOBODY)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://watch.example.com/ping/8f2c?x#y", "https://watch.example.com"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://me:secret@h:1/p", "http://h:1"),
        ("https://h?token=a@b", "https://h"),
        ("http://[::1/p", "http://[::1"),
        ("http://h:99999/p", "http://h:99999"),
    ],
)
def test_of_an_address_its_origin_may_be_shown(url: str, shown: str) -> None:
    """Scheme, host and port, of whatever passes for a URL: it never raises."""
    assert origin(url) == shown


def test_the_addresses_of_a_heartbeat_are_not_in_the_body(tmp_path: Path) -> None:
    """What the ledger keeps of a definition has their origin; nor does a repr show them."""
    path = f"https://watch.example.com/{HIDDEN}"
    text = f"version: 1\nsettings: {{heartbeat: {{url: '{path}'}}}}\njobs:\n  - name: x\n    run: {{command: {{argv: ['true']}}}}\n"
    text += f"    notify: {{heartbeat: {{url: '{path}', failure: '{path}/fail'}}}}\n"
    read = config.loads(text, file="jobs.yaml", folder=tmp_path)
    assert read.jobs["x"].notify.heartbeat is not None
    assert read.jobs["x"].body()["notify"]["heartbeat"] == dict.fromkeys(
        ("url", "failure"), "https://watch.example.com"
    )
    assert HIDDEN not in repr(read)
