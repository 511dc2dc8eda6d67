"""The listener's certificate: what is proven before anybody sees it, and how it is changed while serving."""

import re
import socket
import ssl
import subprocess
from datetime import UTC, datetime

import httpx
import pytest

from config.definitions import Tls
from jobsd.http import tls
from runners import trust

FILES = Tls(certificate="tls.pem", key="tls.key")
LONG_AGO = {"not_before": datetime(2019, 1, 1, tzinfo=UTC), "not_after": datetime(2020, 1, 1, tzinfo=UTC)}


def test_what_is_proven(authority, tmp_path):
    """The server's own certificate, not its issuer's, and its last instant."""
    authority.issue(not_after=datetime(2031, 5, 4, 3, 2, 1, tzinfo=UTC))
    proven = tls.prove(FILES, tmp_path)
    assert proven.certificate in (tmp_path / "tls.pem").read_text()
    assert proven.certificate.count("BEGIN") == 1
    assert proven.expires_at == datetime(2031, 5, 4, 3, 2, 1, tzinfo=UTC)


def _mismatched(authority, folder):
    authority.issue()
    whole = (folder / "tls.pem").read_bytes()
    authority.issue()
    (folder / "tls.pem").write_bytes(whole)


def _encrypted(authority, folder):
    authority.issue()
    subprocess.run(
        ["openssl", "pkey", "-in", "tls.key", "-aes128", "-passout", "pass:secret", "-out", "new.key"],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip
    (folder / "new.key").replace(folder / "tls.key")


def _swapped(authority, folder):
    authority.issue()
    (folder / "tls.pem").rename(folder / "kept")
    (folder / "tls.key").rename(folder / "tls.pem")
    (folder / "kept").rename(folder / "tls.key")


FAULTS = {
    "no certificate": (lambda _authority, _folder: None, r"certificate: .*tls\.pem: No such file or directory"),
    "no key": (
        lambda authority, folder: (authority.issue(), (folder / "tls.key").unlink()),
        r"key: .*tls\.key: No such file or directory",
    ),
    "another's key": (_mismatched, r" .*tls\.key is not the key of the first certificate in .*tls\.pem"),
    "expired": (lambda authority, _: authority.issue(**LONG_AGO), r"tls\.pem: certificate has expired"),
    "too early": (
        lambda authority, _: authority.issue(not_before=datetime(2090, 1, 1, tzinfo=UTC)),
        r"tls\.pem: certificate is not yet valid",
    ),
    "encrypted": (_encrypted, r"key: it is encrypted; write a key without a passphrase"),
    "the wrong way round": (_swapped, r"certificate: .*tls\.pem holds no certificate in PEM"),
    "not PEM": (
        lambda authority, folder: (authority.issue(), (folder / "tls.key").write_bytes(b"\x30\x82\x00\xff")),
        r"key: .*tls\.key holds no private key in PEM",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_no_client_would_take_is_refused(authority, tmp_path, fault):
    """One line that names the setting, the file and what is wrong."""
    spoil, words = FAULTS[fault]
    spoil(authority, tmp_path)
    with pytest.raises(tls.BadCertificate) as caught:
        tls.prove(FILES, tmp_path)
    assert re.match(r"settings\.http\.tls[.:]" + ".*" + words, str(caught.value)), str(caught.value)
    assert "\n" not in str(caught.value)


def shown(url):
    """The certificate that a new connection is shown, as PEM."""
    host, port = url.removeprefix("https://").split(":")
    with (
        socket.create_connection((host, int(port)), timeout=10) as raw,
        trust.anybody().wrap_socket(raw) as connection,
    ):
        return ssl.DER_cert_to_PEM_cert(connection.getpeercert(binary_form=True))


def test_new_connections_are_shown_the_new_certificate(build, authority, tmp_path):
    """Also clients that name no server; a connection that is open goes on."""
    authority.issue("one")
    authority.issue("two")
    house = build(tls=Tls(certificate="../one.pem", key="../one.key"))
    url = house.start()
    first, second = (tls.prove(Tls(certificate=f"{n}.pem", key=f"{n}.key"), tmp_path) for n in ("one", "two"))
    with httpx.Client(base_url=url, verify=trust.authorities(authority.pem), trust_env=False) as client:
        assert client.get("/healthz").is_success
        assert shown(url) == first.certificate
        house.server.show(second)
        assert shown(url) == second.certificate
        assert client.get("/healthz").is_success
    assert house.server.proven is second
