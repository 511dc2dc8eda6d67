"""The calls of the client: its token, its lists, what each answer means."""

import gzip
from datetime import timedelta

import pytest

from runners.sde.client import Client, Refused, Throttled
from runners.sde.clients import Clients
from runners.sde.wire import Kind
from runners.web import NotSent, Unreachable

TOKEN = "s3cret/t0ken+1"


@pytest.fixture
async def clients(driver):
    """The clients of one daemon."""
    several = Clients(driver.environ)
    yield several
    await several.aclose()


@pytest.fixture
def client(driver, clients):
    """That of the server."""
    return clients.of("prod", driver.server(), driver.folder)


async def test_all_that_the_client_can_do(sde, client):
    """Initiate, post a result, look, list, and say who it is."""
    assert (await client.me()).email == "jobsd@example.com"
    assert await client.newest_job_id(Kind.ALM, 12) is None
    job = await client.initiate(Kind.ALM, 12)
    assert (job.id, job.ready, job.course.automatic) == (101, False, True)
    posted = await client.post_result(Kind.ALM, 12, succeeded=False, message=" no license \n")
    assert (posted.ready, posted.course.succeeded, posted.course.result_message) == (True, False, "no license")
    assert (await client.job(Kind.ALM, 101)).id == 101
    assert [job.id for job in await client.jobs_of(Kind.ALM, 12)] == [102, 101]
    assert [job.id for job in await client.jobs_of(Kind.ALM, 12, after=101)] == [102]
    assert await client.newest_job_id(Kind.ALM, 12) == 102
    assert await client.newest_job_id(Kind.ALM) == 102


@pytest.mark.parametrize("order", ["falling", "rising", "mixed"])
async def test_long_lists_are_read_as_far_as_is_needed(sde, client, order):
    """Whatever their order: all newer jobs are found, and in the order of ids few pages are read for them."""
    sde.order_of_ids = order
    for _ in range(2_550):
        sde.add_job(12)
        sde.add_job(13)
    last = max(sde.jobs)
    assert await client.newest_job_id(Kind.ALM, 12) == last - 1
    sde.requests.clear()
    newer = await client.jobs_of(Kind.ALM, 12, after=last - 500)
    assert [job.id for job in newer] == list(range(last - 1, last - 500, -2))
    assert len(sde.requests) == {"falling": 3, "rising": 4, "mixed": 3 + 6}[order]
    assert len(await client.jobs_of(Kind.ALM, 12)) == 2_550


async def test_pages_are_asked_for_by_number_and_never_by_next(sde, client):
    """`next` names another host: neither the token nor anything else goes there."""
    sde.connections["alm"] = [{"id": number, "alias": f"c{number}"} for number in range(1, 1101)]
    found = await client.connections(Kind.ALM)
    assert [one.id for one in found.items] == list(range(1, 1101))
    assert not found.faults
    assert not found.more
    assert [target.partition("?")[2] for _, target, _ in sde.requests] == [
        f"include=last_job&page_size=500&page={page}" for page in (1, 2, 3)
    ]
    assert {headers["host"] for _, _, headers in sde.requests} == {f"127.0.0.1:{sde.port}"}


async def test_connections_that_cannot_be_read_are_told(sde, client):
    """The others are there; whoever must not overlook one sees the fault."""
    sde.connections["ldap"] = [{"id": 1}, {"id": "two"}, {"id": 3}]
    found = await client.connections(Kind.LDAP)
    assert [one.id for one in found.items] == [1, 3]
    assert [fault.field for fault in found.faults] == ["results[1].id"]


async def test_a_list_without_pages_is_the_whole_list(sde, client):
    """A server that does not page answers results and nothing else."""
    sde.order("GET", "jobs/alm", b'{"results": []}')
    assert await client.newest_job_id(Kind.ALM, 12) is None


@pytest.mark.parametrize(
    "answer",
    [
        b'{"count": 900, "next": "x", "results": [{"id": 5, "ready": true, "succeeded": true, "connection": 12}]}',
        b'{"count": 900, "next": "x", "results": []}',
        b'{"next": "x", "results": []}',
        b'{"results": [{"ready": true}]}',
        b'{"results": {}}',
        b"[]",
        b"<html>",
        b"",
    ],
)
async def test_a_list_that_cannot_be_read_is_no_answer(sde, client, answer):
    """One without an end, one whose items have no ids, one that is none."""
    sde.order("GET", "jobs/alm", (200, answer, {}), times=99)
    with pytest.raises(Unreachable):
        await client.newest_job_id(Kind.ALM, 12)
    assert sde.count("GET") < 9


async def test_a_server_that_does_not_filter_names_no_other_connections_jobs(sde, client):
    """What it lists beside them is left out."""
    _, ours, _ = sde.add_job(13), sde.add_job(12), sde.add_job(13)
    listed = sde._listed
    sde._listed = lambda kind, _query: listed(kind, {})
    assert [job.id for job in await client.jobs_of(Kind.ALM, 12)] == [ours]


async def test_an_answer_that_is_compressed_twice_is_not_read(sde, client):
    """A few kilobytes of it may be gigabytes, which are in memory before anybody can count them."""
    bomb = gzip.compress(gzip.compress(b"0" * 10**6))
    sde.order("GET", "users/me", (200, bomb, {"Content-Encoding": "gzip, gzip"}))
    with pytest.raises(Unreachable, match="compressed more than once"):
        await client.me()


@pytest.mark.parametrize("order", ["falling", "rising", "mixed"])
async def test_all_jobs_after_one_are_found_on_as_many_pages_as_they_take(sde, client, order):
    """The page on which the last of them stands is the last that is read."""
    ids = [sde.add_job(12) for _ in range(2100)]
    sde.order_of_ids = order
    for after in (ids[99], ids[1050], ids[1599], ids[1600], ids[2099]):
        assert [job.id for job in await client.jobs_of(Kind.ALM, 12, after=after)] == [
            job_id for job_id in reversed(ids) if job_id > after
        ]


async def test_a_list_whose_newest_jobs_stand_in_its_midst_is_read_whole(sde, client):
    """Its first and last page alone would pass for a list in order."""
    ids = [sde.add_job(12) for _ in range(1500)]
    jumbled = [*ids[:500], *ids[1000:], *ids[500:1000]]
    sde._listed = lambda *_: [sde._wire(job_id) for job_id in jumbled]
    assert await client.newest_job_id(Kind.ALM, 12) == ids[-1]


async def test_pages_that_come_again_are_no_answer(sde, client):
    """Not only where each is the one before it."""
    pages = [b'{"next": "x", "results": [{"id": %d}]}' % number for number in (1, 2, 1, 2)]
    for page in pages:
        sde.order("GET", "connections/alm", (200, page, {}))
    with pytest.raises(Unreachable, match="page 3 of the list has nothing that is not on those before it"):
        await client.connections(Kind.ALM)


async def test_a_newer_job_that_cannot_be_read_is_not_overlooked(sde, client):
    """It may be the one that is looked for; an older one does not matter."""
    old, new = sde.add_job(12), sde.add_job(12)
    sde.jobs[new]["message"] = "new"
    good = sde._wire
    sde._wire = lambda job_id: good(job_id) | ({"ready": "perhaps"} if job_id == old else {})
    assert [job.id for job in await client.jobs_of(Kind.ALM, 12, after=old)] == [new]
    assert await client.newest_job_id(Kind.ALM, 12) == new
    with pytest.raises(Unreachable, match=f"job {old} cannot be read"):
        await client.jobs_of(Kind.ALM, 12)


async def test_the_token_is_sent_as_it_has_to_be_and_read_anew_when_it_is_refused(sde, driver, client):
    """A token that was renewed is found without a restart; one that stays refused is not tried twice."""
    await client.me()
    assert sde.requests[-1][2]["authorization"] == f"Token {TOKEN}"
    sde.token = driver.environ["T"] = "renewed"
    await client.me()
    assert [headers["authorization"] for _, _, headers in sde.requests[-2:]] == [f"Token {TOKEN}", "Token renewed"]
    sde.token = "other"
    before = len(sde.requests)
    with pytest.raises(Refused) as error:
        await client.me()
    assert (error.value.status, error.value.words) == (401, "Invalid token.")
    assert len(sde.requests) == before + 1


@pytest.mark.parametrize(
    "answer",
    [
        (400, {"detail": f"Token {TOKEN} is odd"}, {}),
        (500, {"detail": TOKEN}, {}),
        (429, {"detail": TOKEN}, {}),
        (302, {}, {"Location": f"https://{TOKEN}:x@evil.example/{TOKEN}"}),
        (302, {}, {"Location": f"/{TOKEN}"}),
        (400, {"detail": "s3cret%2Ft0ken%2B1"}, {}),
        (401, {"detail": f"no {TOKEN}"}, {}),
    ],
)
async def test_the_token_is_in_no_text(sde, client, answer):
    """Whatever a server repeats of it, in whatever form."""
    sde.order("GET", "users", answer)
    with pytest.raises((Refused, Throttled, Unreachable)) as error:
        await client.me()
    texts = [str(error.value), repr(error.value), repr(vars(error.value))]
    assert not [text for text in texts if "s3cret" in text or "t0ken" in text]


@pytest.mark.parametrize("token", ["a b", "a\nb", "tökén", "a\tb"])
async def test_a_token_that_no_header_takes_is_not_sent_and_not_told(sde, driver, clients, token):
    """It is the operator's mistake, and still a secret."""
    driver.environ["T"] = token
    client = clients.of("prod", driver.server(), driver.folder)
    with pytest.raises(NotSent) as error:
        await client.me()
    assert token not in str(error.value)
    assert not sde.requests


async def test_a_token_that_is_not_there_is_told_by_its_name(sde, driver, clients):
    """Nothing is sent."""
    del driver.environ["T"]
    with pytest.raises(NotSent, match="env T is not set"):
        await clients.of("prod", driver.server(), driver.folder).me()


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "17"}, 17),
        ({"Retry-After": "Sun, 22 Nov 2026 12:01:00 GMT", "Date": "Sun, 22 Nov 2026 12:00:00 GMT"}, 60),
        ({"Retry-After": "Sun, 22 Nov 2026 12:01:00 GMT"}, None),
        ({"Retry-After": "soon", "Date": "Sun, 22 Nov 2026 12:00:00 GMT"}, None),
        ({"Retry-After": "5", "Date": "soon"}, 5),
        ({}, None),
    ],
)
async def test_how_long_a_throttling_server_wants_to_be_left_alone(sde, client, headers, seconds):
    """In seconds, or until an instant by the server's own clock."""
    sde.order("GET", "users", (429, {"detail": "Request was throttled."}, headers))
    with pytest.raises(Throttled, match="Request was throttled") as error:
        await client.me()
    assert error.value.after == (None if seconds is None else timedelta(seconds=seconds))


@pytest.mark.parametrize("status", [200, 204, 500, 502, 408])
async def test_a_post_is_done_by_201_only(sde, client, status):
    """Anything else may have been done, or not."""
    sde.order("POST", "jobs/alm", (status, {"id": 5, "connection": 12, "ready": False}, {}))
    with pytest.raises(Unreachable) as error:
        await client.initiate(Kind.ALM, 12)
    assert not isinstance(error.value, NotSent)


async def test_a_job_of_another_connection_is_no_answer(sde, client):
    """Nor is another job than the one that was asked for."""
    sde.order("POST", "jobs/alm", (201, sde._wire(sde.add_job(13)), {}))
    with pytest.raises(Unreachable, match="a job of connection 13"):
        await client.initiate(Kind.ALM, 12)
    sde.order("GET", "jobs/alm/9/", (200, sde._wire(sde.add_job(12)), {}))
    with pytest.raises(Unreachable, match="asked for job 9"):
        await client.job(Kind.ALM, 9)


@pytest.mark.parametrize("tail", ["", "/", "/api/v2", "/api/v2/"])
async def test_an_address_may_name_the_api(sde, driver, clients, tail):
    """As people copy it from the pages."""
    driver.settings["url"] = sde.url + tail
    client = clients.of("prod", driver.server(), driver.folder)
    await client.me()
    assert sde.requests[-1][1] == "/api/v2/users/me/"
    assert client.host == f"127.0.0.1:{sde.port}"


async def test_a_client_is_kept_until_its_server_is_defined_otherwise(sde, driver, clients):
    """One pool of connections for a server; the old client still works for those who have it."""
    one = clients.of("prod", driver.server(), driver.folder)
    assert clients.of("prod", driver.server(), driver.folder) is one
    await one.me()
    driver.settings["timeout"] = timedelta(seconds=9)
    other = clients.of("prod", driver.server(), driver.folder)
    assert other is not one
    assert (await one.me()).id == (await other.me()).id
    assert isinstance(other, Client)
