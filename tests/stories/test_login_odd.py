"""signet login against servers that are slow, odd, broken or hostile."""

import base64
import os
import pathlib
import subprocess
import time

import pytest
from fake_myproxy import FakeServer, OK, error, offer
from stock_myproxy import Pki, openssl

REPO = pathlib.Path(__file__).resolve().parents[2]
SIGNET = pathlib.Path(os.environ.get("SIGNET_BUILD", REPO / "build")) / \
    "signet" / "signet"


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    return Pki(tmp_path_factory.mktemp("pki") / "pki", key="ec:P-256")


def login(server, home, *args, password="secret123", **more):
    return subprocess.run(
        [str(SIGNET), "login", "--auth", "password", "--password-stdin",
         "--key", "ec:P-256", *map(str, args), "user0"],
        env=server.env(home, **more), input=password + "\n", text=True,
        capture_output=True, timeout=60)


def said(server, home, *args, **kw):
    """Exit status and words of a login that fails and writes nothing."""
    done = login(server, home, *args, **kw)
    assert done.returncode != 0
    assert not (home / "proxy.pem").exists()
    assert "AddressSanitizer" not in done.stderr
    return done.returncode, done.stderr


def plain(talk):
    talk.greet()
    talk.request()
    talk.send(OK)
    talk.send(talk.chain(talk.csr()))
    talk.send(OK)


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_both_versions_of_tls_are_spoken(pki, tmp_path, tls):
    seen = []

    def script(talk):
        talk.greet()
        seen.append((talk.tls.version(), talk.request()))
        talk.send(OK)
        talk.send(talk.chain(talk.csr()))
        talk.send(OK)
    with FakeServer(pki, script, tmp_path / "s", tls=tls) as server:
        done = login(server, tmp_path, "--profile", "robot")
        assert done.returncode == 0, done.stderr
    version, request = seen[0]
    assert version == f"TLSv{tls}"
    assert request.splitlines() == [
        "VERSION=MYPROXYv2", "COMMAND=0", "USERNAME=user0",
        "PASSPHRASE=secret123", "LIFETIME=43200", "CRED_NAME=robot"]


def test_the_flag_is_a_record_of_its_own_and_one_byte(pki, tmp_path):
    first = []

    def script(talk):
        talk.tls.sendall(b"\0")
        first.append(talk.tls.recv(65536))
        talk.data = b""
        talk.request()
        talk.send(error(b"enough"))
    with FakeServer(pki, script, tmp_path / "s") as server:
        login(server, tmp_path)
    assert first == [b"0"]


def test_a_server_without_the_zero_byte_is_understood(pki, tmp_path):
    def script(talk):
        talk.greet(zero=False)
        talk.request()
        talk.send(OK)
        talk.send(talk.chain(talk.csr()))
        talk.send(OK)
    with FakeServer(pki, script, tmp_path / "s") as server:
        assert login(server, tmp_path).returncode == 0


def test_messages_may_come_a_byte_a_record(pki, tmp_path):
    def script(talk):
        talk.greet()
        talk.request()
        talk.slowly(OK)
        talk.slowly(talk.chain(talk.csr()), piece=7)
        talk.slowly(OK)
    with FakeServer(pki, script, tmp_path / "s") as server:
        done = login(server, tmp_path)
        assert done.returncode == 0, done.stderr


def test_messages_may_come_all_in_one_record(pki, tmp_path):
    def script(talk):
        talk.greet()
        talk.request()
        talk.send(OK)
        talk.send(talk.chain(talk.csr()) + OK)
    with FakeServer(pki, script, tmp_path / "s") as server:
        assert login(server, tmp_path).returncode == 0


def test_the_last_ok_may_be_missing_but_no_error_be_in_its_place(pki,
                                                                  tmp_path):
    def missing(talk):
        talk.greet()
        talk.request()
        talk.send(OK)
        talk.send(talk.chain(talk.csr()))
    with FakeServer(pki, missing, tmp_path / "s") as server:
        assert login(server, tmp_path).returncode == 0
    (tmp_path / "proxy.pem").unlink()

    def taken_back(talk):
        missing(talk)
        talk.send(error(b"the ledger is full"))
    with FakeServer(pki, taken_back, tmp_path / "s") as server:
        assert "the ledger is full" in said(server, tmp_path)[1]


def test_a_name_with_the_magic_word_does_not_cut_the_chain(pki, tmp_path):
    def script(talk):
        talk.greet()
        talk.request()
        talk.send(OK)
        talk.send(talk.chain(talk.csr(), cn="VERSION=MYPROXYv2 RESPONSE=0"))
        talk.send(OK)
    with FakeServer(pki, script, tmp_path / "s") as server:
        done = login(server, tmp_path)
        assert done.returncode == 0, done.stderr


def test_a_certificate_for_another_key_is_refused(pki, tmp_path):
    openssl("pkey", "-in", pki.host / "key.pem", "-pubout", "-out",
            tmp_path / "other.pem")

    def script(talk):
        talk.greet()
        talk.request()
        talk.send(OK)
        talk.send(talk.chain(talk.csr(), key=tmp_path / "other.pem"))
        talk.send(OK)
    with FakeServer(pki, script, tmp_path / "s") as server:
        status, words = said(server, tmp_path)
    assert status == 7 and "another key" in words


def test_a_password_may_hold_the_names_of_fields(pki, tmp_path):
    seen = []

    def script(talk):
        talk.greet()
        seen.append(talk.request())
        plain_rest(talk)
    with FakeServer(pki, script, tmp_path / "s") as server:
        done = login(server, tmp_path, password="a LIFETIME=1 USERNAME=root")
        assert done.returncode == 0
    assert "PASSPHRASE=a LIFETIME=1 USERNAME=root" in seen[0].splitlines()


def plain_rest(talk):
    talk.send(OK)
    talk.send(talk.chain(talk.csr()))
    talk.send(OK)


def ends_early(stage):
    def script(talk):
        talk.greet()
        if stage == "greeting":
            return
        talk.request()
        if stage == "request":
            return
        talk.send(OK)
        chain = talk.chain(talk.csr())
        if stage == "csr":
            return
        talk.send(chain[:len(chain) // 2])
    return script


@pytest.mark.parametrize("stage", ["greeting", "request", "csr", "chain"])
def test_a_server_that_hangs_up_is_said_to(pki, tmp_path, stage):
    with FakeServer(pki, ends_early(stage), tmp_path / "s") as server:
        status, words = said(server, tmp_path)
    assert status == 6
    assert "closed the connection" in words


NONSENSE = {
    "noise": os.urandom(300),
    "another version": OK.replace(b"v2", b"v3"),
    "no response": b"VERSION=MYPROXYv2\n\0",
    "a web server": b"HTTP/1.1 400 Bad Request\r\n\r\n\0",
    "nothing": b"\0",
}


@pytest.mark.parametrize("answer", NONSENSE.values(), ids=NONSENSE.keys())
def test_nonsense_is_refused(pki, tmp_path, answer):
    def script(talk):
        talk.greet()
        talk.request()
        talk.send(answer)
    with FakeServer(pki, script, tmp_path / "s") as server:
        status, _ = said(server, tmp_path)
    assert status in (1, 6)


BAD_CHAINS = {
    "no certificate": b"\0\0",
    "too many": b"\xff\x30\x03\x02\x01\x00",
    "no certificate inside": b"\1\x30\x03\x02\x01\x00",
    "endless": b"\1\x30\x84\x7f\xff\xff\xff",
    "an OK instead": OK,
}


@pytest.mark.parametrize("answer", BAD_CHAINS.values(), ids=BAD_CHAINS.keys())
def test_what_is_no_certificate_is_refused(pki, tmp_path, answer):
    def script(talk):
        talk.greet()
        talk.request()
        talk.send(OK)
        talk.csr()
        talk.send(answer)
    with FakeServer(pki, script, tmp_path / "s") as server:
        assert said(server, tmp_path)[0] == 1


def test_an_endless_answer_is_cut_off(pki, tmp_path):
    def script(talk):
        talk.greet()
        talk.request()
        talk.send(b"VERSION=MYPROXYv2\n")
        for _ in range(100000):
            talk.send(b"X=" + b"a" * 16000 + b"\n")
    with FakeServer(pki, script, tmp_path / "s") as server:
        status, words = said(server, tmp_path)
    assert status == 1 and "more than" in words


def test_words_of_a_server_cannot_drive_the_terminal(pki, tmp_path):
    def script(talk):
        talk.greet()
        talk.request()
        talk.send(error(b"\x1b]0;owned\x07\x1b[2Jgone"))
    with FakeServer(pki, script, tmp_path / "s") as server:
        _, words = said(server, tmp_path)
    assert "\x1b" not in words and "\x07" not in words and "gone" in words


def test_the_password_goes_to_nobody_who_is_not_trusted(pki, tmp_path):
    stranger = Pki(tmp_path / "stranger", key="ec:P-256")
    seen = []

    def script(talk):
        talk.greet()
        seen.append(talk.request())
    with FakeServer(stranger, script, tmp_path / "s") as server:
        status, _ = said(server, tmp_path, X509_CERT_DIR=pki.trust)
    assert status == 7
    assert seen == []


def test_a_pass_phrase_may_be_asked_for_by_the_server(pki, tmp_path):
    seen = []

    def script(talk):
        talk.greet()
        talk.request()
        talk.send(offer(b"password:Enter MyProxy pass phrase:"))
        while len(talk.data) < 5 or b"\0" not in talk.data[4:]:
            talk.more()
        seen.append(talk.data)
        talk.data = b""
        plain_rest(talk)
    with FakeServer(pki, script, tmp_path / "s") as server:
        assert login(server, tmp_path).returncode == 0
    assert seen == [b"\1\0\0\0secret123\0"]


def test_a_server_that_wants_another_proof_is_said_to(pki, tmp_path):
    def script(talk):
        talk.greet()
        talk.request()
        talk.send(offer(b"SASL:SASL authorization negotiation server"))
    with FakeServer(pki, script, tmp_path / "s") as server:
        status, words = said(server, tmp_path)
    assert status == 5 and "Kerberos" in words


def test_a_server_that_asks_and_asks_is_left(pki, tmp_path):
    def script(talk):
        talk.greet()
        talk.request()
        while True:
            talk.send(offer(b"password:again:"))
            talk.data = b""
            talk.more()
    with FakeServer(pki, script, tmp_path / "s") as server:
        status, words = said(server, tmp_path)
    assert status == 1 and "proof after proof" in words


def test_ec_is_tried_first_and_rsa_when_it_is_refused(pki, tmp_path):
    keys = []

    def script(talk):
        talk.greet()
        talk.request()
        talk.send(OK)
        csr = talk.csr()
        (tmp_path / "r.der").write_bytes(csr)
        keys.append(openssl("req", "-inform", "der", "-in",
                            tmp_path / "r.der", "-noout", "-text"))
        if "rsaEncryption" not in keys[-1]:
            talk.send(error(b"Certificate generation failure. "))
            return
        talk.send(talk.chain(csr))
        talk.send(OK)
    with FakeServer(pki, script, tmp_path / "s") as server:
        assert login(server, tmp_path).returncode == 0
        assert server.talks == 2
    assert "prime256v1" in keys[0] and "2048 bit" in keys[1]


def test_the_next_server_is_asked_only_if_the_first_was_not_there(pki,
                                                                  tmp_path):
    def refuse(talk):
        talk.greet()
        talk.request()
        talk.send(error(b"invalid password"))
    with FakeServer(pki, refuse, tmp_path / "a") as first, \
            FakeServer(pki, plain, tmp_path / "b") as second:
        both = f"localhost:{first.port},localhost:{second.port}"
        status, _ = said(first, tmp_path, "--server", both)
        assert status == 5 and second.talks == 0
    with FakeServer(pki, ends_early("greeting"), tmp_path / "a") as first, \
            FakeServer(pki, plain, tmp_path / "b") as second:
        both = f"localhost:{first.port},localhost:{second.port}"
        done = login(first, tmp_path, "--server", both)
        assert done.returncode == 0 and second.talks == 1


def test_trust_roots_with_wrong_names_or_contents_are_refused(pki, tmp_path):
    import shutil
    trust = tmp_path / "trust"
    shutil.copytree(pki.trust, trust)
    before = {p.name: p.read_bytes() for p in trust.iterdir()}

    def script(talk):
        talk.greet()
        assert "TRUSTED_CERTS=1" in talk.request()
        evil = base64.b64encode(b"evil").decode()
        lines = "".join(f"FILEDATA_{n}={evil}\n" for n in
                        ("../../evil", "..", ".profile", "12345678.0"))
        talk.send(b"VERSION=MYPROXYv2\nRESPONSE=0\n"
                  b"TRUSTED_CERTS=../../evil,..,.profile,12345678.0\n" +
                  lines.encode() + b"\0")
        talk.send(talk.chain(talk.csr()))
        talk.send(OK)
    with FakeServer(pki, script, tmp_path / "s") as server:
        login(server, tmp_path, "--trustroots", X509_CERT_DIR=trust)
    assert {p.name: p.read_bytes() for p in trust.iterdir()} == before
    assert not (tmp_path / "evil").exists()
    assert not (tmp_path.parent / "evil").exists()


BAD_PEERS = {
    "no root shown": ("host", "services"),
    "nothing above the server shown": ("host",),
    "out of order": ("host", "root", "services"),
    "another's CA": ("host", "slcs", "root"),
}


@pytest.mark.parametrize("shown", BAD_PEERS.values(), ids=BAD_PEERS.keys())
def test_bootstrap_believes_no_chain_that_does_not_hold(pki, tmp_path, shown):
    chain = [getattr(pki, name) for name in shown]
    trust = tmp_path / "trust"
    with FakeServer(pki, plain, tmp_path / "s", chain=chain) as server:
        status, _ = said(server, tmp_path, "-b", X509_CERT_DIR=trust)
    assert status == 7
    assert not trust.exists()


def test_a_dead_server_costs_the_connect_timeout_and_no_more(pki, tmp_path):
    conf = tmp_path / "c"
    conf.write_text("connect-timeout 1\n")
    # 192.0.2.0/24 is for documents: nobody answers there, or all is refused.
    began = time.monotonic()
    with FakeServer(pki, plain, tmp_path / "s") as server:
        both = f"192.0.2.1:7512,localhost:{server.port}"
        done = login(server, tmp_path, "--server", both, SIGNET_CONF=conf)
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - began < 10
