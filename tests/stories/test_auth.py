"""auth alone in its walls: a test plays the front end, the issuer and the
workers, and tries every way in, and every way that must not be one."""

import pytest
from auth_role import SASL, Auth, auth
from openssl_pki import PEOPLE
from role_frames import encode


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
