"""Every secret that the configuration names: whether it can be had. No value is kept or shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from pydantic import BaseModel

from config.secrets import Secret, SecretError
from jobsd.doctor.finding import Finding, fail, ok
from jobsd.doctor.patient import Patient

AREA = "secret"


def examine(patient: Patient) -> Iterator[Finding]:
    """One finding for each secret, by its place in the YAML."""
    for where, secret in secrets_of(patient.configuration):
        if secret.source == "literal":
            continue  # it is there; that it stands in the file is one of the file's warnings
        try:
            secret.resolve(patient.environ)
        except SecretError as error:
            yield fail(AREA, where, str(error), _advice(secret))
        else:
            yield ok(AREA, where, f"{secret.source} {secret.reference} is there")


def secrets_of(value: Any, where: str = "") -> Iterator[tuple[str, Secret]]:
    """Every secret within `value`, each with its path in the YAML."""
    if isinstance(value, Secret):
        yield where, value
        return
    for name, part in _parts(value):
        yield from secrets_of(part, f"{where}.{name}" if where else name)


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, BaseModel):
        yield from ((name, getattr(value, name)) for name in type(value).model_fields)
    elif is_dataclass(value):
        yield from ((field.name, getattr(value, field.name)) for field in fields(value))
    elif isinstance(value, Mapping):
        yield from ((str(name), part) for name, part in value.items())
    elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
        for number, part in enumerate(value):
            yield str(getattr(part, "name", number)), part


def _advice(secret: Secret) -> str:
    if secret.source == "credential":
        return (
            f"name it in the unit (LoadCredential={secret.reference}:/path), or look from within it: "
            "systemd-run --pty -p User=jobsd -p LoadCredential=… jobsd doctor -c FILE"
        )
    if secret.source == "env":
        return f"set {secret.reference} for the daemon (EnvironmentFile= of the unit) and for this command"
    return "make the file, with mode 600 and owned by the daemon's user"
