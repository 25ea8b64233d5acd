"""auth and those who prove it themselves: tickets, and the certificate challenge."""

import os
import subprocess

import pytest
from auth_role import SASL, SHA1, SHA256, auth, Auth
from kdc import Kdc
from openssl_pki import BASE, PEOPLE, Pki
from signet_site import BUILD, ROLE_USERS, open_way, run
from test_workers import CODES


# ---- Kerberos

@pytest.fixture(scope="module")
def kdc(tmp_path_factory):
    directory = tmp_path_factory.mktemp("krb")
    open_way(directory)
    users = {"ann": "secret", "bob": "secret", "ann/admin": "secret"}
    with Kdc(directory / "home", users=users) as kdc:
        open_way(directory / "home")
        if os.getuid() == 0:
            os.chown(kdc.keytab, ROLE_USERS["auth"], 0)
        yield kdc


@pytest.fixture
def krb(kdc, tmp_path, monkeypatch):
    monkeypatch.setenv("KRB5_CONFIG", kdc.krb5_conf)
    with Auth(tmp_path, "auth passwd", "auth kerberos",
              f"keytab {kdc.keytab}", "server-name localhost",
              "map-realm OLD.TEST LIGO.TEST") as auth:
        auth.kdc = kdc
        auth.tmp_path = tmp_path
        yield auth


class Client:
    """The far end of the conversation: lib/krb's, in a process of its own."""

    def __init__(self, kdc, tmp_path, who, authzid):
        env = kdc.kinit(who, cache=tmp_path / f"cc-{who.replace('/', '-')}")
        self.process = subprocess.Popen(
            [BUILD / "tests" / "krb_gss_probe", kdc.keytab, "localhost",
             "localhost", authzid, "client"], env=env, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(timeout=20)

    def token(self):
        return bytes.fromhex(self.process.stdout.readline())

    def take(self, token):
        self.process.stdin.write(token.hex() + "\n")
        self.process.stdin.flush()


def offer(auth):
    name, values = auth.from_channel("front.0")
    assert name == "AUTH_OFFER", (name, values, auth.log())
    return values


def by_ticket(auth, who, user, authzid=None):
    """Log in by the ticket of ${who} as ${user}."""
    authzid = user if authzid is None else authzid
    with Client(auth.kdc, auth.tmp_path, who, authzid) as client:
        auth.ask(user)
        assert offer(auth)["methods"] == 1 << SASL
        for _ in range(2):
            auth.step(SASL, client.token())
            name, values = auth.from_channel("front.0")
            assert name == "AUTH_MORE", (name, values, auth.log())
            client.take(values["token"])
        auth.step(SASL, client.token())


def test_a_ticket_is_vouched_for(krb):
    for user in ["ann", "ann@LIGO.TEST", "ann@OLD.TEST"]:
        by_ticket(krb, "ann", user)
        vouch = krb.yes()
        assert vouch["principal"] == "ann@LIGO.TEST"
        assert vouch["subject"] == f"{PEOPLE}/CN=ann@LIGO.TEST"
        assert vouch["method"] == "kerberos"
    by_ticket(krb, "ann", "ann", authzid="")
    assert krb.yes()["principal"] == "ann@LIGO.TEST"
    by_ticket(krb, "ann", "ann", authzid="ann@LIGO.TEST")
    assert krb.yes()["principal"] == "ann@LIGO.TEST"


@pytest.mark.parametrize("who,user,authzid", [
    ("bob", "ann", "ann"), ("bob", "ann", "bob"), ("ann", "ann", "bob"),
    ("ann", "ann@EVIL.TEST", "ann"), ("ann", "ann", "ann@EVIL.TEST"),
    ("ann/admin", "ann", ""), ("ann/admin", "ann/admin", "ann/admin"),
    ("ann", "Ann", "")])
def test_a_ticket_of_somebody_else_is_not(krb, who, user, authzid):
    by_ticket(krb, who, user, authzid)
    assert krb.no() == "LOGIN"
    krb.quiet("issuer")


def test_who_has_a_ticket_gets_in_whoever_guesses(krb):
    while True:
        krb.ask("ann", "guess", front="front.1")
        name, values = krb.answer_or_question()
        if name == "AUTH_NO":
            assert CODES[values["fault"]] == "SLOWED"
            break
        krb.reply(values, "LOGIN")
        assert krb.no(front="front.1") == "LOGIN"
    by_ticket(krb, "ann", "ann")
    assert krb.yes()["principal"] == "ann@LIGO.TEST"


def test_steps_that_are_not_due_end_the_login(krb):
    krb.ask("ann")
    offer(krb)
    krb.step(SHA256, b"x")
    assert krb.no() == "INPUT"
    krb.ask("ann")
    offer(krb)
    krb.step(77, b"x")
    assert krb.no() == "INPUT"
    krb.ask("ann")
    offer(krb)
    krb.step(SASL, b"not a token")
    assert krb.no() == "LOGIN"
    krb.ask("ann", "secret")
    question = krb.question()
    krb.step(SASL, b"too early")
    assert krb.no() == "INPUT"
    krb.reply(question, text="ann")
    krb.quiet("issuer")


@pytest.fixture(scope="module")
def foreign(kdc, tmp_path_factory):
    """Two realms that ours trusts: one is mapped, one is not."""
    directory = tmp_path_factory.mktemp("foreign")
    users = {"ann": "secret"}
    with Kdc(directory / "old", realm="OLD.TEST", users=users, services=(),
             other=kdc) as old, \
         Kdc(directory / "evil", realm="EVIL.TEST", users=users, services=(),
             other=kdc) as evil:
        kdc.trust(old)
        kdc.trust(evil)
        yield {"OLD.TEST": old, "EVIL.TEST": evil}


@pytest.mark.parametrize("realm,user,good", [
    ("OLD.TEST", "ann", True), ("OLD.TEST", "ann@OLD.TEST", True),
    ("OLD.TEST", "bob", False), ("EVIL.TEST", "ann", False),
    ("EVIL.TEST", "ann@EVIL.TEST", False)])
def test_tickets_of_foreign_realms_only_if_they_are_mapped(krb, foreign,
                                                           realm, user, good):
    kdc = foreign[realm]
    with Client(kdc, krb.tmp_path, "ann", "") as client:
        krb.ask(user)
        offer(krb)
        for _ in range(2):
            krb.step(SASL, client.token())
            name, values = krb.from_channel("front.0")
            assert name == "AUTH_MORE", (name, values, krb.log())
            client.take(values["token"])
        krb.step(SASL, client.token())
    if good:
        assert krb.yes()["principal"] == "ann@LIGO.TEST"
    else:
        assert krb.no() == "LOGIN"
        krb.quiet("issuer")


def test_a_keytab_that_cannot_be_read_stops_the_start(tmp_path, kdc):
    with pytest.raises(AssertionError, match="BOOT_FAILED"):
        with Auth(tmp_path, "auth kerberos", f"keytab {tmp_path}/none"):
            pass


# ---- the certificate challenge

@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    directory = tmp_path_factory.mktemp("pki")
    pki = Pki(directory / "pki", key="rsa:2048")
    open_way(directory / "pki")
    open_way(pki.trust)
    for name in ["ann@LIGO.TEST", "bob@LIGO.TEST"]:
        pki.person(name, "rsa:2048")
    pki.person("late@LIGO.TEST")
    for path in pki.trust.iterdir():
        path.chmod(0o644)
    return pki


def der(pki, name):
    return subprocess.run(["openssl", "x509", "-in", pki.dir / f"{name}.pem",
                           "-outform", "DER"], check=True,
                          capture_output=True).stdout


def openssl_text(pki, name):
    """Its serial and its issuer, the latter in the one-line form."""
    return subprocess.run(["openssl", "x509", "-in", pki.dir / f"{name}.pem",
                           "-noout", "-serial", "-issuer", "-nameopt",
                           "compat"], check=True, capture_output=True,
                          text=True).stdout


def sign(pki, name, challenge, digest):
    return subprocess.run(["openssl", "dgst", f"-{digest}", "-sign",
                           pki.dir / f"{name}.key"], input=challenge,
                          check=True, capture_output=True).stdout


def answer(pki, name, challenge, digest="sha256", chain=("sub",)):
    signature = sign(pki, name, challenge, digest)
    certs = [der(pki, name)] + [der(pki, c) for c in chain]
    return (len(signature).to_bytes(4, "big") + signature +
            bytes([len(certs)]) + b"".join(certs))


@pytest.fixture
def renewing(tmp_path, pki):
    with Auth(tmp_path, "auth certificate", "auth certificate-sha1",
              f"trust-dir {pki.trust}") as auth:
        yield auth


def test_a_credential_renews_itself(renewing, pki):
    for method, digest, key in [(SHA256, "sha256", "challenge_sha256"),
                                (SHA1, "sha1", "challenge_sha1")]:
        renewing.ask("ann")
        offered = offer(renewing)
        assert offered["methods"] == 1 << SHA256 | 1 << SHA1
        assert offered["challenge_sha1"] != offered["challenge_sha256"]
        assert len(offered[key]) == 32
        int(offered[key], 16)
        renewing.step(method, answer(pki, "ann@LIGO.TEST", offered[key],
                                     digest))
        vouch = renewing.yes()
        assert vouch["principal"] == "ann@LIGO.TEST"
        assert vouch["subject"] == f"{PEOPLE}/CN=ann@LIGO.TEST"
        assert vouch["method"].startswith("certificate")
        shown = openssl_text(pki, "ann@LIGO.TEST")
        assert f"serial={vouch['shown_serial'].upper()}\n" in shown
        assert vouch["shown_issuer"] in shown


@pytest.mark.parametrize("change", [
    "another's", "other challenge", "other digest", "no chain", "own root",
    "cut", "excess", "earlier challenge"])
def test_what_is_no_proof_renews_nothing(renewing, pki, change):
    renewing.ask("ann")
    offered = offer(renewing)
    challenge = offered["challenge_sha256"]
    given = answer(pki, "ann@LIGO.TEST", challenge)
    if change == "another's":
        given = answer(pki, "bob@LIGO.TEST", challenge)
    elif change == "other challenge":
        given = answer(pki, "ann@LIGO.TEST", offered["challenge_sha1"])
    elif change == "other digest":
        given = answer(pki, "ann@LIGO.TEST", challenge, "sha1")
    elif change == "no chain":
        given = answer(pki, "ann@LIGO.TEST", b"0" * 32, chain=())
    elif change == "own root":
        given = given.replace(der(pki, "ann@LIGO.TEST"), der(pki, "root"))
    elif change == "cut":
        given = given[:-1]
    elif change == "excess":
        given += b"\0"
    else:
        renewing.step(SHA256, given)
        renewing.yes()
        renewing.ask("ann")
        offer(renewing)
    renewing.step(SHA256, given)
    assert renewing.no() in ("LOGIN", "UNTRUSTED")
    renewing.quiet("issuer")


def test_a_credential_of_nobody_we_know_is_not_trusted(renewing, tmp_path):
    other = Pki(tmp_path / "evil", key="rsa:2048")
    other.person("ann@LIGO.TEST", "rsa:2048")
    renewing.ask("ann")
    challenge = offer(renewing)["challenge_sha256"]
    renewing.step(SHA256, answer(other, "ann@LIGO.TEST", challenge,
                                 chain=("sub", "root")))
    assert renewing.no() == "UNTRUSTED"
    renewing.quiet("issuer")


def test_sha1_is_only_for_who_switches_it_on(tmp_path, pki):
    with Auth(tmp_path, "auth certificate", f"trust-dir {pki.trust}") as auth:
        auth.ask("ann")
        offered = offer(auth)
        assert offered["methods"] == 1 << SHA256
        auth.step(SHA1, answer(pki, "ann@LIGO.TEST",
                               offered["challenge_sha1"], "sha1"))
        assert auth.no() == "INPUT"
        auth.quiet("issuer")


# ---- what a site asks of whom it trusts

@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """A person whose certificate does not say what its key is for: by it
    proxies of every kind may be signed."""
    pki = Pki(tmp_path_factory.mktemp("bare") / "pki", key="rsa:2048")
    open_way(pki.dir)
    open_way(pki.trust)
    pki.person("ann@LIGO.TEST", "rsa:2048", kind="bare")
    for path in pki.trust.iterdir():
        path.chmod(0o644)
    return pki


def proxied(pki, kind):
    """The person's proxy in the place of a credential, so that answer() signs
    by it."""
    name = f"proxy-{kind}"
    if not (pki.dir / f"{name}.pem").exists():
        run(BUILD / "tests" / "make_proxy", "-i",
            pki.dir / "ann@LIGO.TEST.cred", "-o", pki.dir / name, "-t", kind)
        for ext, what in [("pem", ["x509"]), ("key", ["pkey"])]:
            run("openssl", *what, "-in", pki.dir / name, "-out",
                pki.dir / f"{name}.{ext}")
    return name


def renew(auth, pki, name, chain):
    auth.ask("ann")
    auth.step(SHA256, answer(pki, name, offer(auth)["challenge_sha256"],
                             chain=chain))


@pytest.mark.parametrize("kind", ["legacy", "draft"])
def test_old_proxies_only_where_the_site_wants_them(tmp_path, bare, kind):
    def by(what):
        renew(auth, bare, proxied(bare, what), ("ann@LIGO.TEST", "sub"))

    for setting in ([], [f"{kind}-proxies yes"]):
        with Auth(tmp_path, "auth certificate", f"trust-dir {bare.trust}",
                  *setting) as auth:
            by(kind)
            assert auth.yes()["subject"] == f"{PEOPLE}/CN=ann@LIGO.TEST"
    with Auth(tmp_path, "auth certificate", f"trust-dir {bare.trust}",
              f"{kind}-proxies no") as auth:
        by(kind)
        assert auth.no() == "UNTRUSTED"
        auth.quiet("issuer")
        assert f"a {kind} proxy, which is not accepted here" in auth.log()
        # The others are what they were.
        for other in {"legacy", "draft", "full"} - {kind}:
            by(other)
            auth.yes()


def test_a_ca_without_a_list_vouches_for_nobody_unless_the_site_says_so(
        tmp_path):
    pki = Pki(tmp_path / "pki", key="rsa:2048")
    open_way(pki.dir)
    pki.person("ann@LIGO.TEST", "rsa:2048")
    pki.crl_file("sub").unlink()
    open_way(pki.trust)
    for path in pki.trust.iterdir():
        path.chmod(0o644)
    common = ["auth certificate", f"trust-dir {pki.trust}"]
    with Auth(tmp_path, *common) as auth:
        renew(auth, pki, "ann@LIGO.TEST", ("sub",))
        assert auth.no() == "UNTRUSTED"
        auth.quiet("issuer")
        assert "there is no CRL of this CA" in auth.log()
        assert f"{BASE}/CN=People CA" in auth.log()
    with Auth(tmp_path, *common, "crl-required no") as auth:
        renew(auth, pki, "ann@LIGO.TEST", ("sub",))
        assert auth.yes()["subject"] == f"{PEOPLE}/CN=ann@LIGO.TEST"
    # What an expired list says is not made good by that.
    pki.crl("sub", "-crl_lastupdate", "20200101000000Z", "-crl_nextupdate",
            "20200201000000Z")
    pki.crl_file("sub").chmod(0o644)
    with Auth(tmp_path, *common, "crl-required no") as auth:
        renew(auth, pki, "ann@LIGO.TEST", ("sub",))
        assert auth.no() in ("UNTRUSTED", "EXPIRED")
        auth.quiet("issuer")
        assert "its CRL has expired" in auth.log()
