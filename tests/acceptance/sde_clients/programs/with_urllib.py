"""As one who has only the standard library writes it: no Accept, errors read for their `detail`.

Arguments: base address, token, connection. Prints what came of it as JSON.
"""

# ruff: noqa: S310, T201 - a program of its own

import json
import sys
import urllib.error
import urllib.request

base, token, connection = sys.argv[1], sys.argv[2], int(sys.argv[3])


def call(method, path, body=None, key=token):
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Token {key}"}
    if data is not None:
        headers["Content-Type"] = "application/json"
    request = urllib.request.Request(base + path, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=15) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            told = json.loads(error.read())
        return error.code, told.get("detail", told)


result = {"connection": connection, "result_message": "12 tasks added", "succeeded": True, "automatic": True}
print(
    json.dumps(
        {
            "posted": call("POST", "/jobs/alm/", result),
            "wrong": call("POST", "/jobs/alm/", {"connection": 999}),
            "unknown": call("GET", "/jobs/alm/999999/"),
            "stranger": call("GET", "/jobs/", key="wrong"),
            "method": call("DELETE", "/jobs/alm/"),
        }
    )
)
