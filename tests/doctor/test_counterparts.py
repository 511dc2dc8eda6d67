"""What the doctor says of servers, mail, the listener and the time that servers tell: real ones on loopback."""

import os
import re
import socket
import ssl
from datetime import timedelta

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

import jobsd.doctor.servers

JOB = "jobs:\n  - {name: x, run: {command: {argv: ['true']}}}\n"


def sde(url, more=""):
    """A file with one server, which may take a second to answer."""
    return JOB + f"servers:\n  sde-prod: {{type: sde, url: '{url}', token: {{env: HOME}}, timeout: 1s{more}}}\n"


def one(told):
    """The only finding: (health, what was found)."""
    ((_, health, found),) = told
    return health, found


def test_a_server_where_nobody_listens_fails(doctor, closed_port):
    """The address stands in it, so that a wrong name or port is seen."""
    told = doctor.of("server", sde(f"http://127.0.0.1:{closed_port}"), exit_code=1)
    health, found = one(told)
    assert health == "fail"
    assert found.startswith(f"nobody can be reached at 127.0.0.1 port {closed_port}: ")


def test_a_name_without_an_address_fails(doctor):
    """`.invalid` never has one."""
    health, found = one(doctor.of("server", sde("https://sde.invalid")))
    assert health == "fail"
    assert "the name sde.invalid has no address" in found


def test_a_server_that_never_answers_is_given_up(doctor, listener):
    """Within its own `timeout`."""
    told = doctor.of("server", sde(f"https://127.0.0.1:{listener()}"))
    assert one(told) == ("fail", "no answer within 1 s")


def test_a_sound_server(doctor, web, certified, authority_file):
    """Reached by an authority of its own; until when its certificate is valid; its API, its clock."""
    url = web(certified())
    findings = doctor(sde(url, f", ca: {authority_file}"), exit_code=0)
    told = [f for f in findings if f["name"] == "sde-prod"]
    assert [(f["area"], f["health"]) for f in told] == [*[("server", "ok")] * 6, ("clock", "ok")]
    assert told[2]["found"] == "its token is that of agent@example.com"
    assert told[0]["found"] == "reached at 127.0.0.1"
    assert told[1]["found"].startswith("its certificate is valid until ")


@pytest.mark.parametrize(
    ("until", "trusted", "words"),
    [
        (timedelta(days=100), False, "its certificate is not believed: unable to get local issuer certificate"),
        (timedelta(days=-1), True, "its certificate is not believed: certificate has expired"),
    ],
)
def test_a_certificate_that_is_not_believed_fails(until, trusted, words, doctor, web, certified, authority_file):
    """An unknown authority, an expired certificate."""
    more = f", ca: {authority_file}" if trusted else ""
    assert one(doctor.of("server", sde(web(certified(until=until)), more))) == ("fail", words)


def test_a_certificate_that_ends_soon_is_warned_of(doctor, web, certified, authority_file):
    """Thirty days before."""
    url = web(certified(until=timedelta(days=20)))
    told = doctor.of("server", sde(url, f", ca: {authority_file}"), exit_code=0)
    assert told[1][1] == "warning"
    assert told[1][2].endswith(", 19 days from now")


def test_where_nothing_is_verified_an_expired_certificate_is_still_told(doctor, web, certified):
    """`verify: false` is warned of by itself."""
    url = web(certified(until=timedelta(days=-3)))
    told = doctor.of("server", sde(url, ", verify: false"))
    assert [health for _, health, _ in told] == ["ok", "fail", "warning", "ok", "ok", "ok", "ok"]
    assert "its certificate expired on" in told[1][2]
    assert "whoever is in between reads" in told[2][2]


def test_an_authority_that_is_no_certificate_fails(doctor, web, certified):
    """The file is named."""
    told = doctor.of("server", sde(web(certified()), f", ca: {doctor.path}"))
    health, found = one(told)
    assert health == "fail"
    assert found.startswith(f"ca: {doctor.path}: ")


def test_tls_at_a_port_that_speaks_none_fails(doctor, web):
    """Told as such."""
    url = web().replace("http:", "https:")
    health, found = one(doctor.of("server", sde(url)))
    assert health == "fail"
    assert found.startswith("TLS fails at 127.0.0.1 port ")


@pytest.mark.parametrize(("off", "health"), [(1, "ok"), (30, "warning"), (-30, "warning"), (300, "fail")])
def test_this_hosts_time_is_held_against_the_servers(off, health, doctor, web):
    """Five seconds are noticed, a minute fires jobs at the wrong time."""
    told = doctor.of("clock", sde(web(off=timedelta(seconds=-off))))
    ((_, found, words),) = [one for one in told if one[0] == "sde-prod"]
    assert found == health
    if off != 1:
        seconds, way = re.fullmatch("this host is ([0-9]+) s (.*) sde-prod", words).groups()
        assert abs(int(seconds) - abs(off)) <= 3, words  # a Date has whole seconds, and takes time to come
        assert way == ("ahead of" if off > 0 else "behind")


def test_servers_are_looked_at_side_by_side(doctor, listener, monkeypatch):
    """Twenty that do not answer take the time of one."""
    monkeypatch.setattr(jobsd.doctor.servers, "LIMIT_S", 1.0)
    port = listener()
    servers = "".join(
        f"  s{n}: {{type: sde, url: 'https://127.0.0.1:{port}', token: {{env: HOME}}}}\n" for n in range(20)
    )
    before = os.times().elapsed
    told = doctor.of("server", JOB + "servers:\n" + servers)
    assert len(told) == 20
    assert all(health == "fail" for _, health, _ in told)
    assert os.times().elapsed - before < 10


HTTP = "version: 1\nsettings:\n  http: {{listen: '{listen}'{more}}}\n"


def test_an_address_that_another_program_has_fails(doctor, listener):
    """Free, taken, not of this host."""
    port = listener()
    assert doctor.one("listener", JOB, head=HTTP.format(listen=f"127.0.0.1:{port}", more="")) == (
        "fail",
        "another program has it",
    )
    with socket.socket() as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(("127.0.0.1", 0))
        free = bound.getsockname()[1]
        assert doctor.one("listener", JOB, head=HTTP.format(listen=f"127.0.0.1:{free}", more="")) == (
            "ok",
            "it is free",
        )
    told = doctor.of("listener", JOB, head=HTTP.format(listen="192.0.2.1:8642", more=""))
    assert told[0][1:] == ("fail", "this host does not have that address")


def test_a_listener_open_to_others_in_the_clear_is_warned_of(doctor):
    """Without TLS tokens can be read on the way."""
    told = doctor.of("listener", JOB, head=HTTP.format(listen="0.0.0.0:0", more=""), exit_code=0)
    assert [health for _, health, _ in told] == ["ok", "warning"]


@pytest.mark.parametrize(
    ("until", "health", "words"),
    [
        (timedelta(days=100), "ok", "certificate and key belong together, valid until"),
        (timedelta(days=10), "warning", "9 days from now"),
        (timedelta(days=-1), "fail", "certificate has expired"),
    ],
)
def test_the_listeners_certificate(until, health, words, doctor, certified):
    """Valid, valid for a few days more, expired."""
    certificate, key = certified(until=until)
    more = f", tls: {{certificate: {certificate}, key: {key}}}"
    told = doctor.of("listener", JOB, head=HTTP.format(listen="127.0.0.1:0", more=more))
    assert told[1][1] == health
    assert words in told[1][2]


def test_a_key_of_another_certificate_or_for_everybodys_eyes(doctor, certified):
    """The one cannot work, the other works too well."""
    (certificate, key), (_, other) = certified(), certified()
    more = f", tls: {{certificate: {certificate}, key: {other}}}"
    told = doctor.of("listener", JOB, head=HTTP.format(listen="127.0.0.1:0", more=more), exit_code=1)
    assert "is not the key of the first certificate" in told[1][2]
    key.chmod(0o644)
    more = f", tls: {{certificate: {certificate}, key: {key}}}"
    told = doctor.of("listener", JOB, head=HTTP.format(listen="127.0.0.1:0", more=more), exit_code=0)
    assert told[2][1:] == ("warning", f"others may read the key {key}")


def login(_server, _session, _envelope, _mechanism, data):
    """Only one password is right."""
    right = data.login == b"jobsd" and data.password == b"open-sesame"
    return AuthResult(success=right, handled=False)


@pytest.fixture
def mail_server(certified):
    """Starts mail servers with a login: (starttls=…) -> (port, list of the mails they got)."""
    started = []

    class Mailbox:
        def __init__(self):
            self.mails = []

        async def handle_DATA(self, _server, _session, envelope):  # noqa: N802 - aiosmtpd's name
            self.mails.append(envelope)
            return "250 OK"

    def start(*, starttls=True, until=timedelta(days=100)):
        context = None
        if starttls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certified(until=until))
        box = Mailbox()
        server = Controller(
            box, hostname="127.0.0.1", port=0, tls_context=context, authenticator=login,
            auth_required=True, auth_require_tls=starttls,
        )  # fmt: skip
        server.port = free_port()
        server.start()
        started.append(server)
        return server.port, box.mails

    yield start
    for server in started:
        server.stop()


def free_port():
    """A port that was free a moment ago: aiosmtpd does not tell which one it was given."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


SMTP = """version: 1
settings:
  http: {{listen: '127.0.0.1:0'}}
  smtp: {{host: 127.0.0.1, port: {port}, username: jobsd, password: {{env: G_MAIL}}{more}}}
"""


@pytest.fixture
def believed(authority_file, monkeypatch):
    """This host believes the tests' authority; the mail password is the right one."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority_file))
    monkeypatch.setenv("G_MAIL", "open-sesame")


def test_a_sound_mail_server_gets_no_mail(doctor, mail_server, believed):
    """STARTTLS, certificate, login; nothing is sent."""
    port, mails = mail_server()
    told = doctor.of("mail", JOB, head=SMTP.format(port=port, more=""), exit_code=0)
    assert told[0] == (f"127.0.0.1:{port}", "ok", "reached by STARTTLS, logged in as jobsd")
    assert told[1][2].startswith("its certificate is valid until")
    assert mails == []


def test_a_mail_server_under_an_authority_of_its_own(doctor, mail_server, authority_file, monkeypatch):
    """`ca` names it; one that is no certificate is told as such; without verifying it is warned of."""
    monkeypatch.setenv("G_MAIL", "open-sesame")
    port, _ = mail_server()
    told = doctor.of("mail", JOB, head=SMTP.format(port=port, more=f", ca: {authority_file}"), exit_code=0)
    assert [health for _, health, _ in told] == ["ok", "ok"]
    told = doctor.of("mail", JOB, head=SMTP.format(port=port, more=f", ca: {doctor.path}"), exit_code=1)
    assert one(told)[1].startswith(f"settings.smtp.ca: {doctor.path}: ")
    told = doctor.of("mail", JOB, head=SMTP.format(port=port, more=", verify: false"), exit_code=0)
    assert [health for _, health, _ in told] == ["warning", "ok", "ok"]


def test_a_wrong_mail_password_fails(doctor, mail_server, believed, monkeypatch):
    """Told with the account and the server's code; not with the password."""
    monkeypatch.setenv("G_MAIL", "close-sesame")
    told = doctor.of("mail", JOB, head=SMTP.format(port=mail_server()[0], more=""), exit_code=1)
    assert one(told) == ("fail", "it refuses the login of jobsd: 535")
    assert "sesame" not in doctor.output


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_a_mail_server_without_starttls_or_with_an_expired_certificate_fails(doctor, mail_server, believed):
    """As a notification would."""
    port, _ = mail_server(starttls=False)
    health, found = one(doctor.of("mail", JOB, head=SMTP.format(port=port, more="")))
    assert (health, "STARTTLS" in found) == ("fail", True)
    port, _ = mail_server(until=timedelta(days=-1))
    health, found = one(doctor.of("mail", JOB, head=SMTP.format(port=port, more="")))
    assert (health, "certificate has expired" in found) == ("fail", True)


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_a_mail_server_in_the_clear_is_warned_of(doctor, mail_server, believed):
    """`starttls: false` works, and shows the password to whoever listens."""
    port, _ = mail_server(starttls=False)
    told = doctor.of("mail", JOB, head=SMTP.format(port=port, more=", starttls: false"), exit_code=0)
    assert [health for _, health, _ in told] == ["warning", "ok"]


def test_a_mail_server_that_is_not_there_fails(doctor, closed_port, believed, monkeypatch):
    """Nobody listens; or the password cannot be had, and then it is not tried."""
    assert one(doctor.of("mail", JOB, head=SMTP.format(port=closed_port, more="")))[0] == "fail"
    monkeypatch.delenv("G_MAIL")
    assert one(doctor.of("mail", JOB, head=SMTP.format(port=closed_port, more="")))[1] == (
        "not logged in: its password cannot be had"
    )
