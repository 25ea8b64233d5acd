"""The front end on the wire: what each detail of the protocol costs a client
that gets it wrong, and what a client can cost the front end."""

import os
import pathlib
import re
import shutil
import socket
import ssl
import subprocess
import time

import pytest
from openssl_pki import Pki
from signet_site import BASE, BUILD, SIGNET_CA, Site, openssl, run

OK = b"VERSION=MYPROXYv2\nRESPONSE=0\n\0"
REQUEST = ("VERSION=MYPROXYv2\nCOMMAND={command}\nUSERNAME=user0\n"
           "PASSPHRASE=secret123\nLIFETIME=3600\n")
GET = REQUEST.format(command=0).encode() + b"\0"
TRUSTROOTS = REQUEST.format(command=7).encode() + b"\0"
CLEAR = b"VERSION=MYPROXYv2\nRESPONSE=1\nERROR=authentication failed\n\0"


class Client:
    """A connection, with TLS at most ${version}."""

    def __init__(self, site, version=None, flag=b"0"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        if version is not None:
            context.maximum_version = version
        self.raw = come(site)
        self.tls = context.wrap_socket(self.raw, suppress_ragged_eofs=True)
        if self.tls.version() == "TLSv1.3":
            assert self.tls.recv(100) == b"\0"
        if flag:
            self.send(flag)

    def send(self, data):
        self.tls.sendall(data)

    def record(self):
        return self.tls.recv(1 << 20)

    def until_nul(self):
        data = b""
        while not data.endswith(b"\0"):
            piece = self.record()
            assert piece, data
            data += piece
        return data

    def close(self):
        self.tls.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def come(site):
    s = socket.create_connection(("127.0.0.1", site.port), timeout=20)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s


def is_error(answer, text):
    return re.fullmatch(rb"VERSION=MYPROXYv2\nRESPONSE=1\nERROR=" +
                        re.escape(text.encode()) +
                        rb" \(reference [0-9a-f]{12}\)\n\0", answer)


def certificates(message):
    """DER of each, cut by its own lengths."""
    certs, at = [], 1
    for _ in range(message[0]):
        assert message[at:at + 2] == b"\x30\x82"
        size = 4 + int.from_bytes(message[at + 2:at + 4], "big")
        certs.append(message[at:at + size])
        at += size
    assert at == len(message)
    return certs


@pytest.fixture(scope="module")
def csr(tmp_path_factory):
    out = tmp_path_factory.mktemp("csr") / "csr.der"
    openssl("req", "-new", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:P-256", "-nodes", "-keyout", "/dev/null",
            "-subj", "/CN=x", "-outform", "DER", "-out", out)
    return out.read_bytes()


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with Site(tmp_path_factory.mktemp("site")) as s:
        yield s


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2,
                                     ssl.TLSVersion.TLSv1_3])
def test_certificates_come_in_one_record_and_the_last_ok_in_the_next(
        site, csr, version):
    with Client(site, version) as c:
        c.send(GET)
        assert c.record() == OK
        c.send(csr)
        certs = certificates(c.record())
        assert c.record() == OK
        assert c.record() == b""
    assert len(certs) == 2
    texts = [subprocess.run(
        ["openssl", "x509", "-inform", "DER", "-noout", "-subject"],
        input=cert, capture_output=True, check=True).stdout.decode()
        for cert in certs]
    assert "CN = user0@LIGO.TEST" in texts[0]
    assert "MyProxy 1" in texts[1]


def test_the_end_is_an_end_of_tcp_and_no_close_notify(site):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
    tls = context.wrap_socket(come(site), suppress_ragged_eofs=False)
    tls.sendall(b"0")
    tls.sendall(TRUSTROOTS)
    with pytest.raises(ssl.SSLError, match="(?i)unexpected.eof"):
        while tls.recv(65536):
            pass
    tls.close()


def test_the_chain_is_sent_with_its_root_to_whoever_speaks_rsa_or_ec(tmp_path):
    made = Site(tmp_path / "site")
    run(SIGNET_CA, "issue", made.root.services, "--profile", "host",
        "--subject", f"{BASE}/OU=Services/CN=localhost", "--dns", "localhost",
        "--key", "rsa:2048", "--out-cert", tmp_path / "rsa.pem", "--out-key",
        tmp_path / "rsa.key")
    made.settings += [f"tls-certificate {tmp_path}/rsa.pem",
                      f"tls-key {tmp_path}/rsa.key"]
    made.write_conf()
    with made:
        for kind, algorithms in (("EC", "ECDSA+SHA256:RSA-PSS+SHA256"),
                                 ("RSA", "RSA-PSS+SHA256")):
            out = openssl("s_client", "-connect", f"127.0.0.1:{made.port}",
                          "-showcerts", "-sigalgs", algorithms, check=False,
                          input="").stdout
            certs = re.findall("-----BEGIN CERTIFICATE-----.*?"
                               "-----END CERTIFICATE-----", out, re.S)
            assert len(certs) == 3, out
            leaf = openssl("x509", "-noout", "-text", input=certs[0]).stdout
            assert ("rsaEncryption" in leaf) == (kind == "RSA")
            names = openssl("x509", "-noout", "-subject", "-issuer",
                            input=certs[2]).stdout.splitlines()
            assert names[0].removeprefix("subject=") == \
                names[1].removeprefix("issuer=")
            assert "No client certificate CA names sent" in out
            assert "TLS session ticket:" not in out


def test_tls_before_1_2_is_refused(site):
    done = openssl("s_client", "-connect", f"127.0.0.1:{site.port}", "-tls1_1",
                   "-cipher", "DEFAULT@SECLEVEL=0", check=False, input="")
    assert done.returncode != 0
    assert "protocol version" in done.stderr


def test_a_client_that_sends_everything_at_once_is_served(site, csr):
    with Client(site, flag=None) as c:
        c.send(b"0" + GET + csr)
        assert c.until_nul() == OK
        assert len(certificates(c.record())) == 2
        assert c.record() == OK


def test_a_client_that_writes_byte_by_byte_is_served(site, csr):
    with Client(site) as c:
        for byte in GET:
            c.send(bytes([byte]))
        assert c.record() == OK
        for i in range(0, len(csr), 7):
            c.send(csr[i:i + 7])
        assert len(certificates(c.record())) == 2


def test_a_client_without_nul_and_newline_is_served(site):
    with Client(site) as c:
        c.send(GET.rstrip(b"\0").rstrip(b"\n"))
        assert c.record() == OK


def test_a_client_that_pauses_in_a_line_is_not_misread(site):
    with Client(site) as c:
        whole = GET.replace(b"=3600", b"=36")
        c.send(whole[:30])
        c.send(whole[30:].rstrip(b"\n\0"))
        time.sleep(0.5)
        c.send(b"00\n\0")
        assert c.record() == OK


@pytest.mark.parametrize("flag", [b"D", b"1", b"\0", b"V"])
def test_another_flag_than_0_is_refused_in_clear(site, flag):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing)
    with come(site) as s:
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                s.sendall(outgoing.read())
                incoming.write(s.recv(65536))
        tls.write(flag)
        s.sendall(outgoing.read())
        raw = b""
        while piece := s.recv(65536):
            raw += piece
    assert raw.endswith(CLEAR)


def test_requests_of_any_size_end_in_an_answer(site):
    with Client(site) as c:
        c.send(b"A" * 200000)
        assert is_error(c.until_nul(), "error parsing request")


def test_a_certificate_of_a_stranger_makes_its_client_anonymous(site, tmp_path):
    stranger = tmp_path / "stranger.pem"
    key = tmp_path / "stranger.key"
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key,
            "-subj", "/CN=stranger", "-days", "2", "-out", stranger)
    stranger.write_text(stranger.read_text() + key.read_text())
    stranger.chmod(0o600)
    for version in ("TLS1_2_VERSION", "TLS1_3_VERSION"):
        env = site.client_env(X509_USER_PROXY=stranger,
                              GLOBUS_GSSAPI_MAX_TLS_PROTOCOL=version)
        said = site.stock_logon(out=tmp_path / "out.pem", env=env)
        assert "A credential has been received" in said.stdout


def test_who_may_be_without_a_revocation_list_is_the_sites_to_say(tmp_path):
    """A client's certificate by a CA whose list is nowhere: it proves nothing,
    unless the site says that it does."""
    pki = Pki(tmp_path / "pki")
    ann = pki.person("Ann")
    limited = tmp_path / "limited.pem"
    run(BUILD / "tests" / "make_proxy", "-i", ann, "-o", limited, "-t",
        "limited")
    pki.crl_file("sub").unlink()
    site = Site(tmp_path / "site")
    for file in pki.trust.iterdir():
        shutil.copy(file, site.trust / file.name)
        (site.trust / file.name).chmod(0o644)

    def logon(credential, check=True):
        return site.stock_logon(
            out=tmp_path / "out.pem", check=check,
            env=site.client_env(X509_USER_PROXY=credential))

    unproven = r"client-unproven .*code=UNTRUSTED .*there is no CRL of this CA"
    with site:
        logon(ann)
        site.wait_log(unproven)
        logon(limited)  # whose rights nobody believed, and so their limits
    site.settings = ["crl-required no"]
    site.write_conf()
    with site:
        logon(ann)
        assert logon(limited, check=False).returncode != 0
        site.wait_log("a limited proxy gets no certificate")
        assert "client-unproven" not in site.log_now()


def test_a_change_of_the_trust_directory_is_served(site):
    (site.trust / "added.info").write_text("alias = added\n")
    deadline = time.monotonic() + 10
    while True:
        with Client(site) as c:
            c.send(TRUSTROOTS)
            answer = c.until_nul()
        if b"FILEDATA_added.info=" in answer:
            break
        assert time.monotonic() < deadline
    (site.trust / "added.info").unlink()


def test_a_trust_directory_of_links_is_read_through_them(tmp_path):
    """Bundles of authorities are installed elsewhere and linked."""
    site = Site(tmp_path / "site")
    elsewhere = tmp_path / "site" / "bundle"
    elsewhere.mkdir(mode=0o755)
    for file in list(site.trust.glob("[!.]*")):
        file.rename(elsewhere / file.name)
        file.symlink_to(elsewhere / file.name)
    with site:
        with Client(site) as c:
            c.send(TRUSTROOTS)
            assert c.until_nul().count(b"\nFILEDATA_") == \
                len(list(elsewhere.iterdir()))


def test_a_large_trust_directory_reaches_a_stock_client(tmp_path):
    with Site(tmp_path / "site") as site:
        for i in range(400):
            (site.trust / f"filler{i}.info").write_text("x" * 9000 + "\n")
        target = tmp_path / "installed"
        target.mkdir()
        for file in site.trust.iterdir():
            if file.name[0] != "f":
                (target / file.name).write_bytes(file.read_bytes())
        run("/usr/bin/myproxy-get-trustroots",
            env=site.client_env(X509_CERT_DIR=target))
        assert len(list(target.glob("filler*.info"))) == 400


def test_connections_of_one_address_are_capped(tmp_path, csr):
    with Site(tmp_path / "site",
              settings=["front-workers 1",
                        "max-connections-per-address 3"]) as site:
        held = [come(site) for _ in range(3)]
        with come(site) as fourth:
            assert fourth.recv(1) == b""
        site.wait_log(r"connection-capped .*peer=127\.0\.0\.1")
        held.pop().close()
        deadline = time.monotonic() + 10
        while True:
            try:
                with Client(site) as c:
                    c.send(GET)
                    assert c.record() == OK
                break
            except OSError:
                assert time.monotonic() < deadline


def test_connections_are_capped_in_all(tmp_path):
    with Site(tmp_path / "site",
              settings=["front-workers 1", "max-connections 2"]) as site:
        held = [come(site) for _ in range(2)]
        with come(site) as third:
            assert third.recv(1) == b""
        site.wait_log(r'connection-capped .*limit="2 connections"')
        assert len(held) == 2


def test_silence_ends_at_the_handshakes_deadline(tmp_path):
    with Site(tmp_path / "site", settings=["handshake-timeout 1"]) as site:
        began = time.monotonic()
        with come(site) as silent:
            assert silent.recv(1) == b""
        assert 0.9 < time.monotonic() - began < 10


def test_a_client_that_stops_is_told_that_it_took_too_long(tmp_path):
    with Site(tmp_path / "site", settings=["request-timeout 1"]) as site:
        with Client(site) as c:
            c.send(GET)
            assert c.record() == OK
            assert is_error(c.until_nul(), "the request took too long")


def front_cpu(site):
    fields = pathlib.Path(f"/proc/{site.roles()['front.0']}/stat").read_text()
    fields = fields.rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_without_descriptors_the_front_end_rests(tmp_path):
    """It must neither spin nor die, and serve again when there are some."""

    site = Site(tmp_path / "site", settings=["front-workers 1"])
    site.wrapper = ("/usr/bin/prlimit", "--nofile=80:80")
    with site:
        held = [come(site) for _ in range(120)]
        site.wait_log("taking no connections")
        before = front_cpu(site)
        time.sleep(1)
        assert front_cpu(site) - before < 0.3
        for s in held:
            s.close()
        with Client(site) as c:
            c.send(GET)
            assert c.record() == OK


@pytest.mark.heavy
def test_idle_connections_cost_little(tmp_path):
    with Site(tmp_path / "site",
              settings=["front-workers 1", "drain-timeout 0",
                        "max-connections-per-address 2000"]) as site:
        def resident():
            text = pathlib.Path(
                f"/proc/{site.roles()['front.0']}/status").read_text()
            return int(re.search(r"VmRSS:\s+(\d+)", text).group(1))

        with Client(site) as c:
            c.send(GET)
            assert c.record() == OK
        before = resident()
        silent = [come(site) for _ in range(500)]
        greeted = [Client(site) for _ in range(100)]
        assert resident() - before < 500 * 4 + 100 * 64
        assert len(silent) == 500 and len(greeted) == 100
