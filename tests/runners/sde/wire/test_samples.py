"""Every sample of the pages is read and written again: same keys, same types, same values.

Where the pages disagree with themselves, with each other or with what is known of the servers, this is ours:

- `Authorization: Token: "KEY"`: neither the quotes nor the second colon is sent (test_credentials).
- `expand` samples show `succeeded` twice: it stands once.
- `jobs/` and the older page leave `attachment` out: so do we in `jobs/`; everywhere else it stands, null without one.
- An answer to an initiated ALM or verification job has no `user`, that of a file import has: None leaves it out.
- A POST for connection 12 is answered with connection 23, a PATCH of 1 with 5, one of 3 with 12: it is the one asked.
- LDAP: a result posted as automatic is answered as not automatic; it is what was posted.
- LDAP: an initiated job is answered as ready at once: taken as such by the client.
- LDAP: the path is written `jobs/LDAP/` once: a segment of its own (test_kinds).
- `in_progress` is missing outside of lists, `short_name` in GET and PATCH of one connection: as the page has it.
- `user` is an e-mail, or in older answers and in last_job a number, or, expanded, an object: each is read and kept.
- The test of a connection asks for `name` in its table, its sample sends `alias`: either will do.
- PATCH of a connection is answered without params that it had before: those sent replace its own (test_connections).
"""

from datetime import datetime

from runners.sde.wire import (
    InitiateJob,
    Kind,
    PostResult,
    Shape,
    UploadedFile,
    parse_connection,
    parse_connection_request,
    parse_connection_trial,
    parse_connector,
    parse_connector_request,
    parse_connector_trial,
    parse_expand,
    parse_file_import,
    parse_include,
    parse_job,
    parse_job_request,
    parse_listing,
    parse_trial_result,
    unpaged,
)

EXCEPTIONS = {
    "last_login": "an offset of -04:00: the same instant is written with Z",
    "date_joined": "an offset of -04:00: the same instant is written with Z",
    "last_run": "an offset, or a fraction of three digits: the same instant is written with Z and six digits",
}
"""Fields whose texts may differ, and why: nothing else may."""


def parts(sample):
    """The parts of the path below /api/v2/ without a project's alias, the kind, and the query."""
    path, _, query = sample["path"].removeprefix("/api/v2/").partition("?")
    names = path.strip("/").split("/")
    if names[0] == "projects":
        names = names[2:]
    kinds = {"ldap": Kind.LDAP, "analysis": Kind.ANALYSIS, "analysis-file": Kind.ANALYSIS}
    return (
        names,
        kinds.get("".join(names[1:2]), Kind.ALM),
        [tuple(one.split("=")) for one in query.split("&") if one],
    )


def rewritten(sample):
    """An answer, read and written again."""
    names, kind, query = parts(sample)
    if names[1:2] == ["testalm"]:
        return parse_trial_result(sample["body"]).wire()
    if names[0] == "connectors":
        read, write = parse_connector, lambda connector: connector.wire(params=True)
    elif names[0] == "connections":
        listed = "results" in sample["body"]
        shape = Shape.LISTED if listed else Shape.CREATED if sample["method"] == "POST" else Shape.SINGLE
        included = "last_job" in parse_include(query)
        read, write = parse_connection, lambda one: one.wire(kind, shape, params=True, last_job=included)
    else:
        attachment = len(names) > 1 and sample["page"] != "older"
        expand = parse_expand(query)
        read, write = parse_job, lambda job: job.wire(kind, params=True, expand=expand, attachment=attachment)
    if "results" not in sample["body"]:
        return write(read(sample["body"]))
    listing = parse_listing(sample["body"], read)
    assert (listing.faults, listing.count, listing.more) == ((), None, False)
    return unpaged(map(write, listing.items))


def excused(expected, found, name=""):
    """`expected`, with what `found` has where both are the same instant in a field of the exceptions."""
    if isinstance(expected, dict) and isinstance(found, dict):
        return {key: excused(value, found.get(key), key) for key, value in expected.items()}
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        return [excused(*pair) for pair in zip(expected, found, strict=True)]
    if name in EXCEPTIONS and isinstance(expected, str) and isinstance(found, str):
        return found if datetime.fromisoformat(expected) == datetime.fromisoformat(found) else expected
    return expected


def test_every_sample_is_here(samples):
    """Nothing was lost on the way from the pages."""
    counts = {page: sum(sample["page"] == page for sample in samples) for page in ("jobs", "older", "connections")}
    assert counts == {"jobs": 24, "older": 18, "connections": 17}


def test_answers_are_read_and_written_again(samples):
    """Keys, types and values, apart from the exceptions; types of numbers and texts are kept apart."""
    answers = [sample for sample in samples if sample["kind"] == "answer"]
    assert len(answers) == 41
    used = set()
    for sample in answers:
        found = rewritten(sample)
        expected = excused(sample["body"], found)
        assert found == expected, sample["path"]
        assert repr(sorted_deep(found)) == repr(sorted_deep(expected)), sample["path"]
        used |= {name for name in EXCEPTIONS if expected != sample["body"]}
    assert used == set(EXCEPTIONS)


def sorted_deep(value):
    """With its keys in order, so that two can be compared to the type."""
    if isinstance(value, dict):
        return {key: sorted_deep(value[key]) for key in sorted(value)}
    return [sorted_deep(item) for item in value] if isinstance(value, list) else value


def test_requests_are_read_and_written_again(samples):
    """Exactly; a PATCH says no more than it said."""
    requests = [sample for sample in samples if sample["kind"] == "request"]
    assert len(requests) == 18
    for sample in requests:
        names, kind, _ = parts(sample)
        partial = sample["method"] == "PATCH"
        match names:
            case ["connectors", "testalm"]:
                found = parse_connector_trial(sample["body"])
            case ["connections", "testalm"]:
                found = parse_connection_trial(sample["body"])
            case ["connectors", *_]:
                found = parse_connector_request(sample["body"], partial=partial)
            case ["connections", *_]:
                found = parse_connection_request(sample["body"], kind, partial=partial)
            case _:
                found = parse_job_request(sample["body"])
                assert isinstance(found, InitiateJob if "ready" in sample["body"] else PostResult)
        assert found.wire() == sample["body"], sample["path"]


def test_the_sample_of_a_file_import_is_read_and_written_again():
    """Its parts are texts; the file's name comes with the file."""
    parts_ = {"system": "fortify_file_upload", "project": "1"}
    found = parse_file_import(parts_, UploadedFile("report.xml", 120))
    assert (found.file_name, found.system, found.project, found.params) == (
        "report.xml",
        "fortify_file_upload",
        1,
        {},
    )
    assert found.wire() == parts_


def test_posted_results_find_their_answers(samples):
    """A result is known again in the job that the page answers with, where that is of the connection asked."""
    posts = [
        s for s in samples if s["method"] == "POST" and "/jobs/" in s["path"] and "analysis-file" not in s["path"]
    ]
    pairs = list(zip(posts[::2], posts[1::2], strict=True))
    assert len(pairs) == 12
    read = [(parse_job_request(asked["body"]), parse_job(answered["body"])) for asked, answered in pairs]
    results = [(result, job) for result, job in read if isinstance(result, PostResult)]
    assert len(results) == 6
    for result, job in results:
        assert result.is_of(job) is (job.connection.id == result.connection)
