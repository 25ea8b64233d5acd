"""signet-ca and three CAs made with it: what several stories begin with."""

import os
import pathlib
import pty
import select
import shutil
import time

import pytest
from signet_site import BASE, CAS, PEOPLE, REPO, SIGNET_CA, openssl, run

SERVICES = f"{BASE}/OU=Services"
PROFILES = REPO / "share/profiles"
PHRASE = "correct horse battery"


def ca(*args, check=True, **kw):
    return run(SIGNET_CA, *args, check=check, **kw)


def refused(*args, status, says, **kw):
    result = ca(*args, check=False, **kw)
    assert result.returncode == status, result.stderr
    assert result.stderr.startswith("signet-ca: ")
    assert says in result.stderr, result.stderr
    return result


def text_of(cert):
    return openssl("x509", "-in", cert, "-noout", "-text").stdout


def init_root(directory, *options, key="ec:P-384"):
    return ca("init", "root", directory, "--subject", f"{CAS}/CN=LIGO Root CA 1",
              "--may-sign-under", CAS, "--key", key,
              "--crl-url", "http://ca.example.org/root.crl",
              "--issuer-url", "http://ca.example.org/root.cer",
              *(options or ["--no-passphrase"]))


def init_slcs(directory, root, *options):
    return ca("init", "slcs", directory, "--root", root, "--subject",
              f"{CAS}/OU=UWM/CN=MyProxy 1", "--may-sign-under", PEOPLE,
              "--serial", "range 500000000 100000000",
              "--crl-url", "http://ca.example.org/uwm.crl", *options)


def init_services(directory, root, *options):
    return ca("init", "services", directory, "--root", root, "--subject",
              f"{CAS}/OU=Services/CN=LIGO CA 1", "--may-sign-under", SERVICES,
              "--crl-url", "http://ca.example.org/services.crl",
              *(options or ["--no-passphrase"]))


def issue(services, out, name="host.example.org", *options, profile="host"):
    ca("issue", services, "--profile", profile, "--profile-dir", PROFILES,
       "--subject", f"{SERVICES}/CN={name}", "--key", "ec:P-256",
       "--out-cert", f"{out}.pem", "--out-key", f"{out}.key", *options)
    return pathlib.Path(f"{out}.pem")


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """Three CAs and a host, to be looked at and left as they are."""
    d = tmp_path_factory.mktemp("house")
    init_root(d / "root", key="rsa:4096", *["--no-passphrase"])
    init_slcs(d / "slcs", d / "root")
    init_services(d / "services", d / "root")
    issue(d / "services", d / "host", "host.example.org", "--dns",
          "www.example.org")
    ca("publish", d / "root", d / "slcs", d / "services", "--trust-dir",
       d / "trust")
    return d


@pytest.fixture
def copy(house, tmp_path):
    """The same, to be changed."""
    shutil.copytree(house, tmp_path / "house")
    return tmp_path / "house"


def converse(argv, answers, prompt=b":"):
    """Run ${argv} on a terminal of its own; answer each prompt."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execv(argv[0], argv)
    said, end = b"", time.monotonic() + 60
    answers = list(answers)
    while time.monotonic() < end:
        if not select.select([fd], [], [], 1)[0]:
            continue
        try:
            some = os.read(fd, 4096)
        except OSError:
            break
        if not some:
            break
        said += some
        if answers and said.rstrip().endswith(prompt):
            os.write(fd, answers.pop(0).encode() + b"\n")
            said += b" "
            said = said.replace(b": ", b"; ")
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), said.decode()
