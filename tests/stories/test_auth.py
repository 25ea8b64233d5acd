"""auth alone in its walls: a test plays the front end, the issuer and the
workers, and tries every way in, and every way that must not be one."""

import os
import select
import subprocess

import pytest
from kdc import Kdc
from openssl_pki import PEOPLE, Pki
from role_frames import Role, decode, encode
from signet_site import BUILD, ROLE_USERS, open_way
from test_workers import CODES

PROFILE = (f"# slcs-user\nusage digitalSignature\n"
           f"subject {PEOPLE}/CN={{principal}}\n")
OTHER = (f"# other\nusage digitalSignature\n"
         f"subject {PEOPLE}/O={{realm}}/CN={{user}}\n")
SASL, SHA256, SHA1 = 3, 4, 2


class Auth(Role):
    def __init__(self, tmp_path, *settings, texts=None, workers=1):
        lines = ["realm LIGO.TEST", "log-level 7", "profile slcs-user",
                 "profile other", *settings]
        if os.getuid() == 0:
            lines.append(f"user-auth {ROLE_USERS['auth']}")
            open_way(tmp_path)
        channels = ["issuer", "front.0", "front.1"]
        channels += [f"worker.{i}" for i in range(workers)] + ["pam.0"]
        super().__init__("auth", "\n".join(lines) + "\n",
                         texts or {"profile.0": PROFILE, "profile.1": OTHER},
                         channels, tmp_path / "auth.log")

    def ask(self, user, phrase="", connection=1, front="front.0", **values):
        values.setdefault("peer", "192.0.2.1:4711")
        self.channels[front].send(encode(
            "AUTH_ASK", connection=connection, ref="0123456789ab",
            username=user, passphrase=phrase, **values))

    def step(self, method, token, connection=1):
        self.channels["front.0"].send(encode(
            "AUTH_STEP", connection=connection, method=method, token=token))

    def gone(self, connection=1):
        self.channels["front.0"].send(
            encode("AUTH_GONE", connection=connection))

    def from_channel(self, name):
        return decode(self.channels[name].recv(70000))

    def question(self, worker="worker.0"):
        name, values = self.from_channel(worker)
        assert name == ("PAM_ASK" if worker.startswith("pam") else "WORK_ASK")
        return values

    def answer_or_question(self):
        """Whichever comes first: a refusal, or a question to a worker."""
        both = [self.channels["front.1"], self.channels["worker.0"]]
        ready = ([c for c in both if c.waiting] or
                 select.select(both, [], [], 20)[0])
        return decode(ready[0].recv(70000))

    def reply(self, question, code="NONE", text="", worker="worker.0"):
        kind = "PAM_DONE" if worker.startswith("pam") else "WORK_DONE"
        self.channels[worker].send(encode(
            kind, id=question["id"], fault=CODES.index(code), text=text))

    def no(self, connection=1, front="front.0"):
        name, values = self.from_channel(front)
        assert name == "AUTH_NO", (name, values, self.log())
        assert values["connection"] == connection
        return CODES[values["fault"]]

    def yes(self, connection=1):
        """What was vouched for, once the front end has the same ticket."""
        name, values = self.from_channel("front.0")
        assert name == "AUTH_YES", (name, values, self.log())
        assert values["connection"] == connection
        vouched, vouch = self.from_channel("issuer")
        assert vouched == "VOUCH"
        assert len(vouch["ticket"]) == 16
        assert vouch["ticket"] == values["ticket"]
        return {k: v.decode() if isinstance(v, bytes) and k != "ticket" else v
                for k, v in vouch.items()}

    def sync(self, front="front.0"):
        """auth has heard all that this front end has said."""
        self.ask("x", connection=999, front=front, tls_limited=1)
        assert self.no(999, front) == "DENIED"

    def quiet(self, name):
        """Nothing waits on that channel, once auth has heard all."""
        self.sync("front.1")
        self.channels[name].settimeout(0.1)
        try:
            with pytest.raises(TimeoutError):
                self.channels[name].recv(70000)
        finally:
            self.channels[name].settimeout(20)


@pytest.fixture
def auth(tmp_path):
    with Auth(tmp_path, "auth passwd", "auth-free-tries 2") as a:
        yield a


def test_a_password_that_a_worker_takes_is_vouched_for(auth):
    auth.ask("ann", "secret", tls_identity="/CN=x")
    question = auth.question()
    assert question["method"] == b"passwd"
    assert question["username"] == b"ann"
    assert question["passphrase"] == b"secret"
    auth.reply(question, text="ann")
    vouch = auth.yes()
    assert vouch["principal"] == "ann@LIGO.TEST"
    assert vouch["subject"] == f"{PEOPLE}/CN=ann@LIGO.TEST"
    assert vouch["profile"] == "slcs-user"
    assert vouch["method"] == "passwd"
    assert vouch["username"] == "ann"
    assert vouch["valid_ms"] == 120000
    assert "login ref=0123456789ab" in auth.log()


def test_tickets_are_never_the_same(auth):
    tickets = set()
    for i in range(50):
        auth.ask("ann", "secret", connection=i)
        auth.reply(auth.question(), text="ann")
        tickets.add(auth.yes(i)["ticket"])
    assert len(tickets) == 50


def test_the_realm_may_be_typed_if_it_is_ours(auth):
    auth.ask("ann@LIGO.TEST", "secret")
    question = auth.question()
    assert question["username"] == b"ann"
    auth.reply(question, text="ann")
    assert auth.yes()["principal"] == "ann@LIGO.TEST"
    auth.ask("ann@EVIL.TEST", "secret")
    question = auth.question()
    assert question["username"] == b"", "no one's name, but a hash's work"
    auth.reply(question, "NONE", "ann")
    assert auth.no() == "LOGIN"
    auth.quiet("issuer")


def test_another_profile_is_another_subject(auth):
    auth.ask("ann", "secret", profile="other")
    auth.reply(auth.question(), text="ann")
    vouch = auth.yes()
    assert vouch["subject"] == f"{PEOPLE}/O=LIGO.TEST/CN=ann"
    assert vouch["profile"] == "other"
    auth.ask("ann", "secret", profile="nosuch")
    auth.reply(auth.question(), text="ann")
    assert auth.no() == "DENIED"
    auth.quiet("issuer")


def test_a_stranger_cannot_tell_why(auth):
    for code in ["LOGIN", "LOGIN"]:
        auth.ask("ann", "guess")
        auth.reply(auth.question(), code)
        assert auth.no() == "LOGIN"
    auth.quiet("issuer")
    assert "login-refused ref=0123456789ab" in auth.log()


def test_guesses_are_slowed_for_the_user_from_wherever_they_come(auth):
    for _ in range(3):
        auth.ask("ann", "guess")
        auth.reply(auth.question(), "LOGIN")
        assert auth.no() == "LOGIN"
    auth.ask("ann", "guess", peer="198.51.100.7:1")
    assert auth.no() == "SLOWED"
    assert "login-slowed" in auth.log()
    # Who shares the address has more free.
    auth.ask("bob", "guess", peer="192.0.2.1:9999")
    auth.reply(auth.question(), text="bob")
    assert auth.yes()["principal"] == "bob@LIGO.TEST"
    auth.quiet("worker.0")


def test_guesses_are_slowed_for_the_address_whoever_is_named(tmp_path):
    with Auth(tmp_path, "auth passwd", "auth-free-tries 2",
              "auth-free-tries-address 4") as auth:
        for user in "ann", "bob", "cid", "dan", "eve":
            auth.ask(user, "guess")
            auth.reply(auth.question(), "LOGIN")
            assert auth.no() == "LOGIN"
        auth.ask("fay", "guess", peer="192.0.2.1:9999")
        assert auth.no() == "SLOWED"
        auth.ask("fay", "guess", peer="198.51.100.7:1")
        auth.reply(auth.question(), text="fay")
        assert auth.yes()["principal"] == "fay@LIGO.TEST"
        auth.quiet("worker.0")


def test_many_guesses_at_once_are_slowed_too(auth):
    for i in range(20):
        auth.ask("ann", f"guess{i}", connection=i)
    for i in range(3):
        auth.reply(auth.question(), "LOGIN")
        assert auth.no(i) == "LOGIN"
    assert [auth.no(i) for i in range(3, 20)] == ["SLOWED"] * 17
    auth.quiet("worker.0")


def test_who_hangs_up_has_guessed_all_the_same(auth):
    for i in range(3):
        auth.ask("ann", "guess", connection=i)
        question = auth.question()
        auth.gone(i)
        auth.sync()
        auth.reply(question, "LOGIN")
    auth.ask("ann", "guess", peer="198.51.100.7:1")
    assert auth.no() == "SLOWED"


def test_who_hangs_up_gets_nothing(auth):
    auth.ask("ann", "secret")
    question = auth.question()
    auth.gone()
    auth.sync()
    auth.reply(question, text="ann")
    auth.quiet("issuer")
    auth.quiet("front.0")


def test_who_waits_and_hangs_up_is_not_asked_about(auth):
    auth.ask("ann", "secret", connection=1)
    auth.ask("bob", "secret", connection=2)
    auth.ask("cid", "secret", connection=3)
    question = auth.question()
    auth.gone(2)
    auth.sync()
    auth.reply(question, text="ann")
    auth.yes(1)
    question = auth.question()
    assert question["username"] == b"cid"
    auth.reply(question, text="cid")
    auth.yes(3)


def test_a_worker_that_dies_fails_its_question_and_is_replaced(auth):
    auth.ask("ann", "secret")
    auth.question()
    auth.channels["worker.0"].close()
    assert auth.no() == "FAILED"
    auth.ask("bob", "secret")
    auth.attach("worker.0")
    question = auth.question()
    assert question["username"] == b"bob"
    auth.reply(question, text="bob")
    auth.yes()


def test_an_answer_without_a_question_ends_the_worker(auth):
    auth.ask("ann", "secret")
    question = auth.question()
    question["id"] += 1
    auth.reply(question, text="ann")
    assert auth.no() == "FAILED"
    assert auth.channels["worker.0"].recv(70000) == b""
    assert "role-refused role=worker.0" in auth.log()
    auth.quiet("issuer")


def test_a_worker_that_says_nothing_is_given_up(tmp_path):
    with Auth(tmp_path, "auth passwd", "auth-timeout 1") as auth:
        auth.ask("ann", "secret")
        auth.question()
        assert auth.no() == "FAILED"
        assert auth.channels["worker.0"].recv(70000) == b""


def test_a_front_end_that_dies_takes_its_logins_along(auth):
    auth.ask("ann", "secret", front="front.0")
    question = auth.question()
    auth.ask("bob", "secret", front="front.1")
    auth.channels["front.0"].close()
    auth.reply(question, text="ann")
    question = auth.question()
    assert question["username"] == b"bob"
    auth.reply(question, "LOGIN")
    assert auth.no(front="front.1") == "LOGIN"
    auth.quiet("issuer")


@pytest.mark.parametrize("frame", [
    encode("VOUCH", ref="x", principal="root@LIGO.TEST"),
    encode("WORK_DONE", id=1, fault=0, text="ann"), b"", b"\xff", b"\x07abc"])
def test_a_front_end_that_says_what_it_may_not_is_not_heard(auth, frame):
    auth.ask("ann", "secret")
    question = auth.question()
    auth.channels["front.0"].send(frame or b"\0")
    auth.channels["front.0"].recv(70000)
    auth.reply(question, text="ann")
    auth.quiet("issuer")
    assert "role-refused role=front.0" in auth.log()


def test_a_connection_asks_once(auth):
    auth.ask("ann", "secret")
    question = auth.question()
    auth.ask("bob", "secret")
    assert auth.no() == "INPUT"
    auth.reply(question, text="ann")
    assert auth.yes()["principal"] == "ann@LIGO.TEST"


@pytest.mark.parametrize("user", ["", "@LIGO.TEST", "host/a.org", "a\nb",
                                  "-ann", b"\xff", "ann@LIGO.TEST@X"])
def test_odd_names_are_nobodys(auth, user):
    auth.ask(user, "secret")
    auth.reply(auth.question(), text="")
    assert auth.no() == "LOGIN"
    auth.quiet("issuer")


def test_values_cannot_add_to_a_subject(auth):
    for name in ["ann=b", "ann+CN=root", "ann,CN=root", 'ann"']:
        auth.ask(name, "secret")
        auth.reply(auth.question(), text=name)
        got, values = auth.from_channel("front.0")
        if got == "AUTH_NO":
            continue
        subject = auth.from_channel("issuer")[1]["subject"].decode()
        assert subject.startswith(f"{PEOPLE}/CN=")
        assert subject.count("/") == PEOPLE.count("/") + 1 + subject.count("\\/")


def test_a_limited_proxy_gets_nothing(auth):
    auth.ask("ann", "secret", tls_limited=1)
    assert auth.no() == "DENIED"
    auth.quiet("worker.0")


def test_without_a_password_there_must_be_another_way(auth):
    auth.ask("ann", "")
    assert auth.no() == "LOGIN"
    auth.step(SASL, b"")
    auth.quiet("front.0")


def test_mechanisms_are_tried_in_order_and_the_first_to_take_it_wins(tmp_path):
    with Auth(tmp_path, "auth pam", "auth passwd", "auth ldap") as auth:
        auth.ask("ann", "secret")
        question = auth.question("pam.0")
        assert question["username"] == b"ann"
        assert question["peer"] == b"192.0.2.1:4711"
        auth.reply(question, "LOGIN", worker="pam.0")
        question = auth.question()
        assert question["method"] == b"passwd"
        auth.reply(question, "LOGIN")
        question = auth.question()
        assert question["method"] == b"ldap"
        # The directory spells it otherwise.
        auth.reply(question, text="Ann")
        vouch = auth.yes()
        assert vouch["principal"] == "Ann@LIGO.TEST"
        assert vouch["method"] == "ldap"

        auth.ask("ann", "secret")
        auth.reply(auth.question("pam.0"), "FAILED", worker="pam.0")
        auth.reply(auth.question(), "LOGIN")
        auth.reply(auth.question(), "UNREACHABLE")
        assert auth.no() == "LOGIN"

        auth.ask("ann", "secret")
        auth.reply(auth.question("pam.0"), "FAILED", worker="pam.0")
        auth.reply(auth.question(), "SYSTEM")
        auth.reply(auth.question(), "UNREACHABLE")
        assert auth.no() == "FAILED"

        auth.ask("ann", "secret")
        # PAM may name somebody, but not in another realm.
        auth.reply(auth.question("pam.0"), text="x@EVIL.TEST", worker="pam.0")
        assert auth.no() == "LOGIN"
        auth.quiet("issuer")


def test_a_queue_that_is_full_says_so(tmp_path):
    with Auth(tmp_path, "auth passwd", "auth-free-tries 1000") as auth:
        for i in range(4097):
            auth.ask("ann", "secret", connection=i)
        auth.ask("ann", "secret", connection=5000)
        assert auth.no(5000) == "BUSY"
        auth.reply(auth.question(), text="ann")
        auth.yes(0)


@pytest.mark.parametrize("source,method", [
    ("mapfile", b"map-file"), ("program", b"map-program"),
    ("ldap", b"map-ldap")])
def test_subjects_that_a_worker_finds(tmp_path, source, method):
    with Auth(tmp_path, "auth passwd", f"subject-from {source}") as auth:
        def proven():
            auth.ask("ann", "secret")
            auth.reply(auth.question(), text="ann")
            question = auth.question()
            assert question["method"] == method
            assert question["username"] == b"ann@LIGO.TEST"
            assert question["passphrase"] == b""
            return question

        auth.reply(proven(), text="/O=Grid/CN=Ann")
        vouch = auth.yes()
        assert vouch["subject"] == "/O=Grid/CN=Ann"
        assert vouch["principal"] == "ann@LIGO.TEST"
        # Not in the map: the stranger must not learn that the password was
        # right.
        auth.reply(proven(), "ABSENT")
        assert auth.no() == "LOGIN"
        assert "has no subject" in auth.log()
        auth.reply(proven(), "FAILED")
        assert auth.no() == "FAILED"
        auth.reply(proven(), text="no name at all")
        assert auth.no() == "FAILED"
        auth.quiet("issuer")


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
