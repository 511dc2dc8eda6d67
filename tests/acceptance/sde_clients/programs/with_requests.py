"""As a user of `requests` writes it: one session that follows redirects, paths as they come to mind.

Arguments: base address, token, connection. Prints what came of it as JSON.
"""

# ruff: noqa: T201 - a program of its own

import json
import sys
import time

import requests

base, token, connection = sys.argv[1], sys.argv[2], int(sys.argv[3])
session = requests.Session()
session.trust_env = False
session.headers.update({"Authorization": f"Token {token}", "Content-Type": "application/json"})
slash = "/" if "--slash" in sys.argv else ""

answer = session.post(
    f"{base}/jobs/alm{slash}", json={"connection": connection, "automatic": False, "ready": False}
)
answer.raise_for_status()
job = answer.json()
hops = [one.status_code for one in answer.history]
deadline = time.monotonic() + 30
while not job["ready"]:
    if time.monotonic() > deadline:
        sys.exit("it is never ready")
    time.sleep(0.05)
    answer = session.get(f"{base}/jobs/alm/{job['id']}{slash}")
    answer.raise_for_status()
    hops += [one.status_code for one in answer.history]
    job = answer.json()
listed = session.get(f"{base}/jobs/alm{slash}", params={"connection": connection, "ready": True}).json()["results"]
print(json.dumps({"job": job, "hops": hops, "listed": [one["id"] for one in listed]}))
