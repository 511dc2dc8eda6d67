"""What the served SDE API needs: callers, the key of the params, commands for its systems, room for uploads."""

from __future__ import annotations

import os
from collections.abc import Iterator

from config.definitions import Permission, SdeSystem, User
from config.secrets import SecretError
from jobsd.doctor import mounts
from jobsd.doctor.finding import Finding, Health, fail, ok, warning
from jobsd.doctor.patient import Patient, ancestors
from jobsd.doctor.programs import Program, examined
from jobsd.state import UnsupportedLedger
from runners.local.environment import account
from runners.sde.sealing import Seal, SealError
from runners.sde.systems import LDAP, Systems
from scheduler.ledger import LedgerUnavailable
from scheduler.ledger.looking import sealed_params

AREA = "sde"
KEY = "settings.encryption_key"
LONG_TOKEN, LONG_KEY = 20, 32
"""Characters below which a secret is called short: who has the answers, or the ledger, can try them all."""

MIB = 1024 * 1024
RANDOM = "make a random one: openssl rand -base64 33"
_EDIT = {
    Permission.EDIT_ALM_CONNECTIONS,
    Permission.EDIT_VERIFICATION_CONNECTIONS,
    Permission.EDIT_LDAP_CONNECTIONS,
}


def examine(patient: Patient) -> Iterator[Finding]:
    """Nothing where the file says nothing of that API."""
    found = patient.configuration
    holders = [user for user in found.users if user.token is not None]
    if not (holders or found.sde_systems or found.settings.encryption_key):
        return
    yield from _callers(patient, holders)
    yield from _key(patient)
    for name, system in found.sde_systems.items():
        yield _system(patient, f"sde_systems.{name}", system)
    if LDAP not in Systems.of(found) and any(
        Permission.EDIT_LDAP_CONNECTIONS in user.permissions for user in found.users
    ):
        text = "LDAP connections can be made and not run: there is no sde_systems.ldap"
        yield warning(AREA, "sde_systems", text, "write it, with the command that synchronizes them")
    if found.sde_systems:
        yield from _room(patient)


def _callers(patient: Patient, holders: list[User]) -> Iterator[Finding]:
    """Users with a token, or with a password: what no client can send, what tells two users not apart."""
    users = patient.configuration.users
    if not holders and not any(user.password_hash for user in users):
        yield warning(
            AREA, "users", "nobody has a token or a password: nobody can call", "write users with a token"
        )
        return
    editing = sum(bool(_EDIT.intersection(user.permissions)) for user in users)
    count = f"{len(holders)} user{'' if len(holders) == 1 else 's'} with a token"
    yield ok(AREA, "users", f"{count}; {editing} may see params and change connections")
    known: dict[str, str] = {}
    for user in holders:
        token = _resolved(patient, user)
        if token is None:
            continue  # told as a secret
        name = f"users.{user.name}.token"
        if token.split() != [token]:
            yield fail(AREA, name, "it has blanks or line ends in it: no client can send it", RANDOM)
        elif token in known:
            text = f"it is the token of {known[token]} too: all calls count as theirs"
            yield fail(AREA, name, text, "give each user a token of their own")
        elif len(token) < LONG_TOKEN:
            yield warning(AREA, name, f"it has only {len(token)} characters, and can be guessed", RANDOM)
        known.setdefault(token, user.name)


def _resolved(patient: Patient, user: User) -> str | None:
    try:
        return None if user.token is None else user.token.resolve(patient.environ)
    except SecretError:
        return None


def _key(patient: Patient) -> Iterator[Finding]:
    """Whether it is there, long enough, and opens what the ledger keeps."""
    kept = _kept(patient)
    secret = patient.configuration.settings.encryption_key
    if secret is None:
        if kept:
            text = (
                f"it is not written, and the ledger keeps encrypted params of {_count(kept)}: nobody can run them"
            )
            yield fail(AREA, KEY, text, "write it again, with the key of before")
        else:
            advice = f"write it; {RANDOM}"
            yield warning(AREA, KEY, "it is not written: connections with params are refused", advice)
        return
    try:
        text = secret.resolve(patient.environ)
    except SecretError:
        return  # told as a secret
    try:
        seal = Seal(text)
    except ValueError as error:
        yield fail(AREA, KEY, str(error), RANDOM)
        return
    shortest = min(len(line.strip()) for line in text.splitlines() if line.strip())
    if shortest < LONG_KEY:
        text = f"a line of it has only {shortest} characters: who has a copy of the ledger can guess it"
        yield warning(AREA, KEY, text, f"put a longer one above it, and keep this one beneath; {RANDOM}")
    closed = [params for params in kept if not _opens(seal, params)]
    if closed:
        text = f"it does not open the params of {_count(closed)}: they cannot be run or shown"
        yield fail(AREA, KEY, text, "put the key of before on a line beneath the new one")
    else:
        yield ok(
            AREA,
            KEY,
            f"it opens the params of {_count(kept)}" if kept else "it can be used; nothing is encrypted yet",
        )


def _kept(patient: Patient) -> list[str]:
    """What is encrypted in the ledger; nothing where that cannot be read, which its own area tells."""
    try:
        return sealed_params(patient.ledger())
    except (UnsupportedLedger, LedgerUnavailable):
        return []


def _opens(seal: Seal, params: str) -> bool:
    try:
        seal.open(params)
    except SealError:
        return False
    return True


def _count(params: list[str]) -> str:
    return "one connection or connector" if len(params) == 1 else f"{len(params)} connections and connectors"


def _system(patient: Patient, where: str, system: SdeSystem) -> Finding:
    """Whether its commands can be run, and are given the params."""
    commands = patient.configuration.commands
    named = {"command": system.command, "test": system.test, "file": system.file}
    used = dict.fromkeys(name for name in named.values() if name is not None)
    for name in used:
        command = commands[name]
        looked = examined(patient, Program(f"commands.{name}", command.argv[0], command.run_as))
        if looked is not None and looked.health is Health.FAIL:
            return fail(AREA, where, f"its command {name} cannot be run", f"see the program commands.{name} above")
    deaf = [name for name in used if commands[name].stdin == "none"]
    if deaf:
        text = f"{', '.join(deaf)}: stdin is none, so that it is not given the params of a connection"
        return warning(AREA, where, text, "write stdin: ini or json under commands, as the program reads it")
    who = account(commands[system.file or system.command].run_as or "")
    if who is not None and who.uid not in (0, _daemons_uid(patient)):
        name = system.file or system.command
        text = f"{name} runs as {who.name}, who cannot read report files: uploads are the daemon's alone"
        advice = "where files are imported for that system, name a command without run_as as its file"
        return (warning if system.file is None else fail)(AREA, where, text, advice)
    return ok(AREA, where, f"{', '.join(used)} can be run")


def _daemons_uid(patient: Patient) -> int:
    """Of the state folder's owner; where there is none yet, of whoever asks."""
    try:
        return patient.ledger().parent.stat().st_uid
    except (UnsupportedLedger, OSError):
        return os.geteuid()


def _room(patient: Patient) -> Iterator[Finding]:
    """For one upload as large as it may be."""
    limit = patient.configuration.settings.http.upload_limit
    try:
        folder = patient.ledger().parent
    except UnsupportedLedger:
        return
    there = next((one for one in ancestors(folder) if one.is_dir()), folder)
    free = mounts.room_in(there).free_bytes
    if free < limit:
        text = f"one upload may take {limit // MIB:,} MiB, and {free // MIB:,} MiB are free in {folder}"
        yield warning(AREA, "settings.http.upload_limit", text, "make room, or write a lower limit")
