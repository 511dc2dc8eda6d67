"""In the habits of SD Elements' own public client: Content-Type on every GET, one large page, whole objects back.

Arguments: base address, login, password. It renames every connection by a PUT of the object that it read, takes
its frequency away by a PATCH, and reads everything again. Prints what it finds as JSON.
"""

# ruff: noqa: T201 - a program of its own

import base64
import json
import sys
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

base, login, password = sys.argv[1:4]
place = urlsplit(base)
server = HTTPConnection(place.hostname, place.port, timeout=15)
headers = {
    "Content-Type": "application/json",
    "Authorization": "Basic " + base64.b64encode(f"{login}:{password}".encode()).decode(),
    "Accept": "application/json",
    "Connection": "keep-alive",
}


def call(target, args=None, method="GET"):
    path = f"{place.path}/{target}"
    data = None
    if method == "GET":
        path += "?" + urlencode(args or {})
    else:
        data = json.dumps(args)
    server.request(method, path, data, headers)
    answer = server.getresponse()
    body = answer.read().decode()
    if answer.status not in {200, 201}:
        sys.exit(f"{method} {path}: {answer.status} {body}")
    return json.loads(body)


def everything(target, **args):
    page = call(target, {"page_size": 10000, **args})
    found = page["results"]
    while page["next"]:
        page = call(target, {"page_size": 10000, "page": 2, **args})
        found += page["results"]
    return found, page["count"]


connections, count = everything("connections/alm", include="last_job")
for one in connections:
    whole = call(f"connections/alm/{one['id']}")
    whole["alias"] = whole["alias"] + " (renamed)"
    call(f"connections/alm/{one['id']}", whole, "PUT")
    call(f"connections/alm/{one['id']}", {"frequency": "manually"}, "PATCH")
again, _ = everything("connections/alm", include="last_job")
print(json.dumps({"count": count, "before": connections, "after": again, "me": call("users/me")}))
