"""The document of the face: every address and method, and schemas that hold together."""

import json
import re

import jsonschema

from jobsd.http import sde
from jobsd.http.sde.schemas import SCHEMAS, document

DOCUMENT = document(sde.ADDRESSES, sde.PREFIX)


def test_every_address_and_method_is_described():
    """With the parameters of its path, a body where one is read, and an answer."""
    for address in sde.ADDRESSES:
        item = DOCUMENT["paths"][f"/api/v2/{address.path}/"]
        assert set(item) - {"parameters"} == {method.lower() for method in address.methods}
        assert {one["name"] for one in item.get("parameters", [])} == set(re.findall("{([a-z]+)}", address.path))
        for method in address.methods:
            operation = item[method.lower()]
            assert ("requestBody" in operation) is (method in {"POST", "PUT", "PATCH"})
            assert {"200", "201"} & set(operation["responses"])


def test_schemas_are_sound_and_named_ones_are_there():
    """Each is a JSON Schema; a reference leads somewhere, and each schema is used."""
    text = json.dumps(DOCUMENT)
    named = set(re.findall("#/components/schemas/(\\w+)", text))
    assert named <= set(DOCUMENT["components"]["schemas"])
    assert {f"Sde{name}" for name in SCHEMAS} == set(DOCUMENT["components"]["schemas"])
    for schema in SCHEMAS.values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_the_daemon_serves_it_with_the_rest(told):
    """In the one document of all faces."""
    served = told.get("/openapi.json")
    assert served["paths"].items() >= DOCUMENT["paths"].items()
    assert served["components"]["schemas"].items() >= DOCUMENT["components"]["schemas"].items()
