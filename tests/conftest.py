"""What tests of every package share."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "lib"))  # the harness: forkserver and chaos


def _alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.fixture
def alive():
    """Whether a process lives: a zombie that nobody has reaped does not."""
    return _alive


class Authority:
    """A certificate authority of the test's own; its certificate is `ca.pem` in `folder`."""

    def __init__(self, folder):
        import trustme

        self.folder = folder
        self._ca = trustme.CA()
        self.pem = folder / "ca.pem"
        self._ca.cert_pem.write_to_path(str(self.pem))

    def issue(self, stem="tls", *names, **dates):
        """Write STEM.pem (the chain) and STEM.key for these names, by default this host's loopback ones."""
        issued = self._ca.issue_cert(*(names or ("127.0.0.1", "localhost", "::1")), **dates)
        (self.folder / f"{stem}.pem").write_bytes(b"".join(pem.bytes() for pem in issued.cert_chain_pems))
        issued.private_key_pem.write_to_path(str(self.folder / f"{stem}.key"))


@pytest.fixture(scope="session")
def authority_in():
    """Makes a certificate authority in a folder."""
    return Authority


@pytest.fixture
def authority(tmp_path):
    """Issues certificates into the test's folder."""
    return Authority(tmp_path)


@pytest.fixture(scope="session")
def fork_server():
    """Starts daemons as processes of their own, without the second that each spends on its imports."""
    from forkserver.client import ForkServer

    made = ForkServer()
    yield made
    made.close()
