"""What strangers send to the office: each is refused for its own reason, and
nothing of it is signed or written down."""

import json
import random

import pytest
from csr_maker import (BMP, T61, UTF8, OpensslKey, RocaKey, alt_names, csr,
                       extension, name, pem, request_file, seq)
from ca_house import ca
from signet_site import BASE, CAS, REPO, run

SERVICES = f"{BASE}/OU=Services"
ABOVE = [("DC", "org"), ("DC", "ligo"), ("O", "LIGO"), ("OU", "Services")]
GW = f"{SERVICES}/CN=gw.uwm.edu"


class Office:
    def __init__(self, d):
        self.dir = d
        ca("init", "root", d / "root", "--subject", f"{CAS}/CN=Root",
           "--may-sign-under", CAS, "--no-passphrase")
        ca("init", "services", d / "services", "--root", d / "root",
           "--subject", f"{CAS}/OU=Services/CN=LIGO CA 1", "--may-sign-under",
           SERVICES, "--no-passphrase")
        self.key = OpensslKey(d / "ec.key")
        self.count = 0
        # There is a book before anyone looks whether it has grown.
        good = self.write("good", request_file(
            self.key, csr(name(*ABOVE, ("CN", "gw.uwm.edu")), self.key),
            subject=GW, dns=["gw.uwm.edu"]))
        ca(*self.sign(good))

    def write(self, stem, data):
        path = self.dir / stem
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return path

    def book(self):
        return json.loads(ca("ledger", "check", "--ledger",
                             self.dir / "services/ledger.db",
                             "--json").stdout)["entries"]

    def sign(self, request):
        return ["sign", self.dir / "services", request, "--permission", "x",
                "--yes", "--out", request.with_suffix(".reply"),
                "--profile-dir", REPO / "share/profiles"]

    def issue(self, path, cn="gw.uwm.edu", profile="host", *more):
        return ["issue", self.dir / "services", "--profile", profile,
                "--profile-dir", REPO / "share/profiles", "--csr", path,
                "--subject", f"{SERVICES}/CN={cn}", "--out-cert",
                path.with_suffix(".pem"), *more]

    def refuses(self, command, says):
        entries = self.book()
        result = ca(*command, check=False)
        assert result.returncode in (1, 8), (result.returncode, result.stderr)
        assert result.stderr.startswith("signet-ca: "), result.stderr
        assert says in result.stderr, result.stderr
        assert result.stderr.count("\n") == 1 and result.stderr.isascii()
        assert self.book() == entries
        assert not list(self.dir.glob(f"bad{self.count}.pem"))
        assert not list(self.dir.glob(f"bad{self.count}.reply"))

    def bad_csr(self, der, says):
        """By the command that certifies a CSR, and by the one that wraps it."""
        self.count += 1
        path = self.write(f"bad{self.count}.csr", pem("CERTIFICATE REQUEST",
                                                      der))
        self.refuses(self.issue(path), says)
        self.refuses(["request", "new", "--csr", path, "--profile", "host",
                      "--subject", GW, "--contact", "A", "--contact-mail",
                      "a@b.org", "--purpose", "p", "--out",
                      self.dir / f"bad{self.count}.reply"], says)

    def bad_request(self, data, says):
        self.count += 1
        path = self.write(f"bad{self.count}.request", data)
        self.refuses(self.sign(path), says)


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    return Office(tmp_path_factory.mktemp("bad"))


SUBJECT = name(*ABOVE, ("CN", "gw.uwm.edu"))


def test_what_is_cut_off(office):
    der = csr(SUBJECT, office.key)
    for cut in range(1, len(der), 23):
        path = office.write("bad.csr", der[:cut])
        office.refuses(office.issue(path), "")
        path.write_text(pem("CERTIFICATE REQUEST", der)[:cut])
        office.refuses(office.issue(path), "")
    whole = request_file(office.key, der, subject=GW, dns=["gw.uwm.edu"],
                         id="f" * 20)
    for cut in range(1, len(whole), 41):
        office.bad_request(whole[:cut], "request")
    office.bad_request(whole + b" ", "cut off")
    office.bad_request(whole + whole, "altered")
    office.bad_request(whole.replace(b"\n", b"\r\n"), "not a request file")
    office.bad_request(whole.replace(b"dns: ", b"dns: \r"), "0d is not")
    office.bad_request(b"", "not a request file")


def test_what_is_altered(office):
    der = csr(SUBJECT, office.key)
    rng = random.Random(16)
    for _ in range(40):
        changed = bytearray(der)
        changed[rng.randrange(len(der))] ^= 1 << rng.randrange(8)
        path = office.write("bad.csr", bytes(changed))
        office.refuses(office.issue(path), "")
    whole = request_file(office.key, der, subject=GW, dns=["gw.uwm.edu"],
                         id="e" * 20)
    for _ in range(60):
        changed = bytearray(whole)
        changed[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
        office.bad_request(bytes(changed), "request")
    # What a person would change.
    for old, new, says in (
            (b"purpose: test", b"purpose: TEST", "did not sign"),
            (b"dns: gw.", b"dns: gv.", "did not sign"),
            (b"Ann Other", b"Eve Other", "did not sign"),
            (b"profile: host", b"profile: robo", "did not sign")):
        office.bad_request(whole.replace(old, new), says)
    # The signature taken off: the claim that it is there gives it away; and
    # without the claim, it is another file that says it is not proved.
    head = whole[:whole.index(b"-----BEGIN REQUEST SIG")]
    office.bad_request(head, "signature of the key is missing")
    shown = office.write("bare", head.replace(b"by-key: yes", b"by-key: no"))
    assert "NOT PROVED" in ca("request", "show", shown).stdout


def test_a_request_by_another_key(office, tmp_path):
    other = OpensslKey(tmp_path / "other.key")
    office.bad_csr(csr(SUBJECT, office.key, proof=other), "signature")
    der = csr(SUBJECT, office.key)
    forged = request_file(other, der, subject=GW, dns=["gw.uwm.edu"])
    office.bad_request(forged, "fingerprint")
    # With the right fingerprint, and the wrong signature.
    other.spki = office.key.spki
    forged = request_file(other, der, subject=GW, dns=["gw.uwm.edu"])
    office.bad_request(forged, "did not sign")
    # The same identifier for something else.
    again = request_file(office.key, der, subject=GW, dns=["gw.uwm.edu"],
                         purpose="another")
    office.bad_request(again, "another request with the identifier")


def test_weak_keys(office, tmp_path):
    weak = OpensslKey(tmp_path / "1", "genpkey", "-algorithm", "RSA",
                      "-pkeyopt", "rsa_keygen_bits:1024")
    office.bad_csr(csr(SUBJECT, weak), "1024 bits; 2048 are the least")
    three = OpensslKey(tmp_path / "2", "genpkey", "-algorithm", "RSA",
                       "-pkeyopt", "rsa_keygen_bits:2048", "-pkeyopt",
                       "rsa_keygen_pubexp:3")
    office.bad_csr(csr(SUBJECT, three), "exponent")
    office.bad_csr(csr(SUBJECT, RocaKey(2017)), "ROCA")
    # The P-384 key of the CA itself, a curve and a kind that we do not know.
    for i, kind in enumerate((["EC", "-pkeyopt", "ec_paramgen_curve:P-521"],
                              ["EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"],
                              ["ED25519"])):
        key = OpensslKey(tmp_path / f"k{i}", "genpkey", "-algorithm", *kind)
        if kind != ["ED25519"]:
            office.bad_csr(csr(SUBJECT, key), "key")
    ed = run("openssl", "req", "-new", "-key", tmp_path / "k2", "-subj",
             "/CN=gw.uwm.edu").stdout
    office.refuses(office.issue(office.write("bad.csr", ed)), "")


CNS = [
    (b"gw.uwm.edu\0.evil.org", PRINTABLE := 0x13, "NUL"),
    (b"gw.uwm\x07.edu", UTF8, "control character"),
    (b"gw.uwm.edu\n", UTF8, "control character"),
    (b"gw\x7f.uwm.edu", UTF8, "control character"),
    ("gw.\u0443wm.edu".encode(), UTF8, "may look like another (U+0443)"),
    ("gw\u2024uwm.edu".encode(), UTF8, "may look like another (U+2024)"),
    ("gw.uwm\u200b.edu".encode(), UTF8, "invisible character (U+200B)"),
    ("gw.\u202eude.mwu".encode(), UTF8, "turns the direction"),
    ("\ufeffgw.uwm.edu".encode(), UTF8, "invisible character"),
    (b"gw.uwm.edu", T61, "IA5String"),
    ("gw.uwm.edu".encode("utf-16-be"), BMP, "IA5String"),
    (b"gw.uwm.edu\xc0\x80", UTF8, ""),
    (b"*.uwm.edu", 0x13, "wildcard"),
    (b"gw.uwm.edu ", 0x13, "blank at its end"),
    (b"gw_1.uwm.edu", UTF8, "no host name"),
    (b"-gw.uwm.edu", 0x13, "no host name"),
    (b"128.89.1.1", 0x13, "address"),
    (b"gw.uwm.edu/evil.org", 0x13, ""),
    (b"x" * 65, 0x13, ""),
    (b"proxy", 0x13, ""),
]


@pytest.mark.parametrize("cn,tag,says", CNS, ids=range(len(CNS)))
def test_names_that_are_not_what_they_look_like(office, cn, tag, says):
    """As subject of the PKCS#10 request, which shows it as it can be shown."""
    der = csr(name(*ABOVE, ("CN", cn, tag)), office.key)
    text = "".join(chr(c) if 0x20 <= c < 0x7f and c not in b"/+\\" else
                   "\\/" if c == 0x2f else f"\\x{c:02X}"
                   for c in (cn if tag != BMP else "gw.uwm.edu".encode()))
    office.bad_request(request_file(office.key, der,
                                    subject=f"{SERVICES}/CN={text}",
                                    dns=["gw.uwm.edu"], id="b" * 20), "")
    # The host's name in the options, where it can be said at all.
    if b"\0" in cn or tag in (BMP, T61) or cn.endswith((b" ", b"\n")):
        return
    path = office.write("bad.csr", csr(SUBJECT, office.key))
    try:
        cn = cn.decode()
    except UnicodeDecodeError:
        return
    office.refuses(office.issue(path, cn.replace("/", "\\/")), says)


def test_names_in_the_extensions(office):
    for host, says in ((b"gw.uwm.edu\0.evil.org", "NUL"),
                       (b"evil.org", "names evil.org, which was not asked"),
                       ("gw.\u0443wm.edu".encode(), "U+0443"),
                       (b"*.uwm.edu", "not asked for"), (b"", "empty")):
        office.bad_csr(csr(SUBJECT, office.key, alt_names(b"gw.uwm.edu",
                                                          host)), says)
    for tag, what in ((0x87, b"\x7f\0\0\1"), (0x86, b"http://a"),
                      (0xa4, name(("CN", "a"))), (0xa0, b"")):
        other = extension("551d11", seq(bytes([tag, len(what)]) + what))
        office.bad_csr(csr(SUBJECT, office.key, other), "GeneralName")


FORBIDDEN = [
    ("551d13", "30030101ff", "CA:TRUE"),
    ("551d0f", "03020204", "keyCertSign"),
    ("551d0f", "03020640", "nonRepudiation"),
    ("551d25", "300a06082b06010505070303", "1.3.6.1.5.5.7.3.3"),
    ("551d25", "30060604551d2500", "2.5.29.37.0"),
    ("551d1e", "3000", "extension 2.5.29.30"),
    ("551d20", "30083006" + "06042a030405", "extension 2.5.29.32"),
    ("2b0601050507010e", "300f300d06082b06010505071501", "1.3.6.1.5.5.7.1.14"),
    ("6086480186f8420101", "03020640", "extension 2.16.840.1.113730.1.1"),
    ("551d13", "300301", "malformed"),
]


@pytest.mark.parametrize("oid,value,says", FORBIDDEN,
                         ids=[f[2] for f in FORBIDDEN])
def test_extensions_that_the_profile_forbids(office, oid, value, says):
    office.bad_csr(csr(SUBJECT, office.key,
                       extension(oid, bytes.fromhex(value))), says)


def test_an_extension_twice_and_one_that_is_allowed(office):
    san = alt_names(b"gw.uwm.edu")
    office.bad_csr(csr(SUBJECT, office.key, san, san), "twice")
    path = office.write("fine.csr", csr(
        SUBJECT, office.key, alt_names(b"GW.uwm.edu"),
        extension("551d0f", bytes.fromhex("03020780"), True),
        extension("551d13", b"\x30\0", True)))
    ca(*office.issue(path))


def test_requests_that_our_own_side_would_not_make(office):
    der = csr(SUBJECT, office.key)

    def ask(says, **fields):
        given = {"subject": GW, "dns": ["gw.uwm.edu"], "id": "a" * 20}
        given.update(fields)
        office.bad_request(request_file(office.key, der, **given), says)

    ask("not among the names", dns=["data.uwm.edu"])
    ask("more than 64", dns=[f"h{i}.uwm.edu" for i in range(65)])
    ask("twice", dns=["gw.uwm.edu", "GW.UWM.EDU"])
    ask("another subject", subject=f"{SERVICES}/CN=data.uwm.edu")
    ask("too long", purpose="x" * 600)
    ask("no mail address", contact_mail="nobody")
    ask("20 hexadecimal", id="a" * 19 + "G")
    ask("unknown keyword", wish="more")
    ask("malformed", lifetime="-5")
    ask("no profile", profile="admin")
    ask("no name", profile="../../etc/host")
    ask("Robot: purpose - contact", profile="robot", dns=[])
    ask("for persons", profile="slcs-user")
    ask("signs no CA", profile="sub-ca", dns=[], name_space=[SERVICES])
    ask("beginning", contact=" Ann")
    ask("", created="2026-13-45T04:00:00Z")


def test_ten_mebibytes(office):
    big = office.write("bad.csr", b"\x30\x84\x00\xa0\x00\x00" + bytes(10 << 20))
    office.refuses(office.issue(big), "larger than")
    big.write_bytes(b"x" * (10 << 20))
    office.refuses(office.issue(big), "larger than")
    office.refuses(["request", "show", big], "larger than")
    office.refuses(office.sign(big), "larger than")
    # Large, and well-formed to the end.
    office.bad_csr(csr(SUBJECT, office.key, extension(
        "551d11", seq(*[b"\x82\x0agw.uwm.edu"] * 2000))), "")


@pytest.mark.parametrize("names,says", [
    ("DNS:gw.uwm.edu,DNS:gw.uwm.edu", "lacks the name data.uwm.edu"),
    ("DNS:gw.uwm.edu,DNS:data.uwm.edu,DNS:evil.org", "the name evil.org"),
    ("DNS:gw.uwm.edu,DNS:data.uwm.edu,URI:http://x/", "the name http://x/"),
    ("DNS:gw.uwm.edu,DNS:data.uwm.edu,IP:10.0.0.1", "the name"),
    ("DNS:gw.uwm.edu,DNS:data.uwm.edu,email:a@b.org", "the name a@b.org"),
    ("DNS:gw.uwm.edu,DNS:data.uwm.edu", None)])
def test_a_reply_with_other_names_than_were_asked_for(office, tmp_path, names,
                                                      says):
    """By the CA's own key, past all that signet-ca would look at."""
    key, request = tmp_path / "gw.key", tmp_path / "gw.request"
    ca("request", "new", "--profile", "host", "--subject", GW, "--dns",
       "data.uwm.edu", "--contact", "A", "--contact-mail", "a@b.org",
       "--purpose", "p", "--key", "ec:P-256", "--out-key", key, "--out",
       request)
    ca(*office.sign(request))
    reply = request.with_suffix(".reply").read_text()
    (tmp_path / "ext").write_text("basicConstraints=critical,CA:FALSE\n"
                                  f"subjectAltName={names}\n")
    run("openssl", "req", "-new", "-key", key, "-subj", GW, "-out",
        tmp_path / "csr")
    made = run("openssl", "x509", "-req", "-in", tmp_path / "csr", "-CA",
               office.dir / "services/ca.pem", "-CAkey",
               office.dir / "services/ca.key", "-set_serial", "77", "-days",
               "9", "-extfile", tmp_path / "ext").stdout
    at, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----\n"
    begin = reply.index(at)
    other = tmp_path / "other.reply"
    other.write_text(reply[:begin] + made[made.index(at):] +
                     reply[reply.index(end) + len(end):])
    done = ca("request", "accept", other, "--key", key, "--out",
              tmp_path / "gw.pem", "--root", office.dir / "root/ca.pem",
              check=False)
    assert done.returncode == (8 if says else 0), done.stderr
    assert (says or "") in done.stderr
    assert done.stderr.isprintable() or done.stderr[:-1].isprintable()
    assert (tmp_path / "gw.pem").exists() == (says is None)
