"""The face in OpenAPI: what is sent to each address, and what is answered. Nothing is validated by it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from jobsd.http.sde.media import FORM, JSON, MULTIPART
from jobsd.http.sde.routes import Address
from runners.sde.wire import FILE_FIELD, SEGMENTS, Frequency

Schema = dict[str, Any]

KEY: Schema = {"type": "integer", "minimum": 1, "maximum": 2**63 - 1}
TEXT: Schema = {"type": "string"}
FLAG: Schema = {"type": "boolean"}
MOMENT: Schema = {"type": ["string", "null"], "format": "date-time"}
PARAMS: Schema = {"type": "object", "description": "Passwords among them: shown to those who may edit."}
FREQUENCY: Schema = {"type": "string", "enum": [str(one) for one in Frequency]}


def ref(name: str) -> Schema:
    """A schema by its name."""
    return {"$ref": f"#/components/schemas/Sde{name}"}


def record(required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    """An object with these fields; what is not known in a request is ignored."""
    return {"type": "object", "required": list(required), "properties": {**required, **(optional or {})}}


def either(*schemas: Schema) -> Schema:
    """One of these."""
    return {"anyOf": list(schemas)}


NULL: Schema = {"type": "null"}
NAMED_SYSTEM = record({"id": TEXT}, {"short_name": TEXT, "name": TEXT})
PERSON = either(TEXT, KEY, ref("User"), NULL)
COURSE: dict[str, Schema] = {
    "succeeded": FLAG, "automatic": FLAG, "ready": FLAG, "result_message": TEXT, "last_run": MOMENT,
}  # fmt: skip
CONNECTION: dict[str, Schema] = {
    "id": KEY, "alias": TEXT, "system": either(TEXT, ref("System")), "frequency": FREQUENCY, "command": TEXT,
}  # fmt: skip
INACCESSIBLE: dict[str, Schema] = {"inaccessible": FLAG}
TRIAL: dict[str, Schema] = {"system": ref("NamedSystem"), "params": PARAMS}

SCHEMAS: dict[str, Schema] = {
    "System": record({"id": TEXT}, {"short_name": TEXT, "name": TEXT}),
    "NamedSystem": either(NAMED_SYSTEM, TEXT),
    "User": record({
        "id": KEY, "email": TEXT, "first_name": TEXT, "last_name": TEXT, "last_login": MOMENT,
        "date_joined": MOMENT, "is_active": FLAG, "is_superuser": FLAG,
        "role": either(record({"id": TEXT, "name": TEXT}), NULL),
        "groups": {"type": "array"}, "password_reset_in_progress": FLAG,
    }),
    "Project": record({"id": KEY, "name": TEXT}),
    "Connector": record({"id": KEY, "name": TEXT, "system": ref("System"), **INACCESSIBLE}, {"params": PARAMS}),
    "ConnectorRequest": record({"name": TEXT, **TRIAL}, INACCESSIBLE),
    "ConnectorTrial": record({"name": TEXT, **TRIAL}),
    "LastJob": record({"id": KEY, "user": PERSON, **COURSE}),
    "Connection": record(
        CONNECTION | {"inaccessible": FLAG},
        {"params": PARAMS, "debug_mode": FLAG, "connector": either(KEY, NULL), "project": either(KEY, NULL),
         "in_progress": FLAG, "last_job": either(ref("LastJob"), NULL)},
    ),
    "ConnectionRequest": record(
        {"alias": TEXT, "params": PARAMS},
        {"connector": KEY, "project": KEY, "frequency": FREQUENCY, "debug_mode": FLAG, "inaccessible": FLAG},
    ),
    "ConnectionTrial": record({"alias": TEXT, **TRIAL}, {"connector": KEY, "project": KEY}),
    "TrialResult": record({"success": FLAG}, {"message": TEXT}),
    "Job": record(
        {"id": KEY, **COURSE, "connection": record(CONNECTION, {
            "params": PARAMS, "inaccessible": FLAG, "project": either(KEY, NULL), "in_progress": FLAG,
            "connector": either(KEY, NULL), "debug_mode": FLAG, "is_file_upload": FLAG,
        })},
        {"user": PERSON, "triggered_by": PERSON, "attachment": {"type": ["string", "null"]}},
    ),
    "JobRequest": either(
        record({"connection": KEY, "automatic": FLAG, "ready": {"const": False}}),
        record({"connection": KEY, "automatic": FLAG, "succeeded": FLAG, "result_message": TEXT},
               {"ready": {"const": True}}),
    ),
    "FileImport": record(
        {FILE_FIELD: {"type": "string", "format": "binary"}, "system": TEXT, "project": KEY},
        {"params": {"type": "string", "description": "A JSON object."}},
    ),
    "Refusal": {"type": "object", "description": "`detail`, or the faults of each field."},
}  # fmt: skip
"""By name; in the document each name begins with Sde."""

_WORD: Schema = {"type": "string"}
PAGING: dict[str, Schema] = {"page_size": {"type": "integer"}, "page": _WORD}
OF_JOBS: dict[str, Schema] = {
    **{name: {"type": "string", "enum": ["true", "false"]} for name in ("automatic", "ready", "succeeded")},
    "connection": {"type": "integer"}, "user": _WORD, "expand": _WORD,
}  # fmt: skip
OF_CONNECTIONS: dict[str, Schema] = {"project": {"type": "integer"}, "include": _WORD}

ANSWERS = (
    ("users/me", "User"), ("projects", "Project"), ("connectors/test", "TrialResult"),
    ("connections/test", "TrialResult"), ("connectors", "Connector"), ("connections", "Connection"),
    ("jobs", "Job"),
)  # fmt: skip
"""By the beginning of an address, that of the projects' older ones left out: the first that fits."""

REQUESTS = (
    ("connectors/test", "ConnectorTrial"), ("connections/test", "ConnectionTrial"),
    ("connectors", "ConnectorRequest"), ("connections", "ConnectionRequest"),
    ("jobs/analysis-file", "FileImport"), ("jobs", "JobRequest"),
)  # fmt: skip


def document(addresses: Iterable[Address], prefix: str) -> dict[str, Any]:
    """Paths and components of an OpenAPI document; `prefix` stands before every address."""
    return {
        "paths": {f"{prefix}/{address.path}/": _path(address) for address in addresses},
        "components": {"schemas": {f"Sde{name}": schema for name, schema in SCHEMAS.items()}},
    }


def _path(address: Address) -> Schema:
    parameters = []
    if "{kind}" in address.path:
        words = sorted(word for word, kind in SEGMENTS.items() if kind in address.kinds)
        parameters.append(_parameter("kind", "path", {"type": "string", "enum": words}))
    parameters += [_parameter(name, "path", KEY) for name in ("project", "key") if f"{{{name}}}" in address.path]
    return {
        **({"parameters": parameters} if parameters else {}),
        **{method.lower(): _operation(address, method) for method in address.methods},
    }


def _parameter(name: str, place: str, schema: Schema) -> Schema:
    return {"name": name, "in": place, "required": place == "path", "schema": schema}


def _operation(address: Address, method: str) -> Schema:
    path = address.path.removeprefix("projects/{project}/")
    answer = ref(next(name for head, name in ANSWERS if path.startswith(head)))
    listed = method == "GET" and not path.endswith(("{key}", "me"))
    query = _query(path) if listed else {}
    made = "201" if method == "POST" and "/test" not in path else "200"
    found: Schema = {
        "summary": f"{address.name}: {method}",
        "tags": ["sde"],
        "responses": {
            made: _told("As asked.", _listing(answer) if listed else answer),
            "default": _told("Turned down.", ref("Refusal")),
        },
    }
    if query:
        found["parameters"] = [_parameter(name, "query", schema) for name, schema in query.items()]
    if method in {"POST", "PUT", "PATCH"}:
        found["requestBody"] = _request(path, method)
    return found


def _query(path: str) -> dict[str, Schema]:
    of_jobs = OF_JOBS if path.startswith("jobs") else {}
    of_connections = OF_CONNECTIONS if path.startswith("connections") else {}
    return {**PAGING, **of_jobs, **of_connections}


def _listing(item: Schema) -> Schema:
    link: Schema = {"type": ["string", "null"]}
    paging: dict[str, Schema] = {"count": {"type": "integer"}, "next": link, "previous": link}
    return record({"results": {"type": "array", "items": item}}, paging)


def _request(path: str, method: str) -> Schema:
    name = next(name for head, name in REQUESTS if path.startswith(head))
    if name == "FileImport":
        return {"required": True, "content": {MULTIPART: {"schema": ref(name)}}}
    schema = SCHEMAS[name] | {"required": []} if method == "PATCH" else ref(name)
    return {"required": True, "content": {media: {"schema": schema} for media in (JSON, FORM)}}


def _told(description: str, schema: Schema) -> Schema:
    return {"description": description, "content": {JSON: {"schema": schema}}}
