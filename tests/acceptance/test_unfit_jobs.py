"""Jobs of an API that the file no longer fits are told when that happens, not by their next run."""

import signal

import httpx

from config.passwords import hash_password

FILE = """
version: 1
users: [{{name: writer, password_hash: {known}, permissions: {rights}}}]
collectors: {{{kind}: {{collect: [/bin/echo, data]}}}}
"""
RIGHTS = "[manage-jobs, collect-data, evaluate-standards, view-standards, view-assets, view-evaluation-results]"
DETAILS = {
    "JobName": "Nightly hosts",
    "AssetsResolutionInfo": [{"Id": "d387d8b5-6278-4bcb-83c7-b55d2072d2a8", "Type": "linux"}],
    "Standards": ["6b020d29-5fe8-47d0-bd89-ccd3339a5ebe"],
}


def test_a_reload_that_takes_a_job_s_collector_away_is_told(daemon, tmp_path):
    """With the job and the type; the job stays."""
    known = hash_password("secret")
    p = daemon(FILE.format(known=known, rights=RIGHTS, kind="linux")).ready()
    url = (p.state / "url").read_text().strip() + "/ccs/api/v1"
    grant = "grant_type=password&username=writer&password=secret"
    token = httpx.post(f"{url}/oauth/tokens", content=grant).json()["access_token"]
    body = {"JobDetails": DETAILS, "JobType": "CollectionJob"}
    made = httpx.post(f"{url}/jobs", json=body, headers={"Authorization": f"Bearer {token}"})
    assert made.status_code == 200, made.text
    (tmp_path / "jobs.yaml").write_text(FILE.format(known=known, rights=RIGHTS, kind="other"))
    p.signal(signal.SIGHUP)
    told = p.logged("job_unfit")
    assert told["job"] == "Nightly hosts"
    assert '"linux" is no asset type that is collected here' in told["reason"]
    assert any(job["job"] == "Nightly hosts" for job in p.get("/v1/jobs").json())
