"""The office: names of services, several names, renewal, requests of CAs and
CAs that are none; and a backup while it signs with an encrypted key."""

import os
import re
import subprocess

import pytest
from kdc import die_with_parent
from office_site import SERVICES, STAFF, Office, make_kdc, subject_of
from signet_site import CAS, PEOPLE, SIGNET_CA, SIGNETD, openssl, run

PHRASE = "what is kept in the vault"


@pytest.fixture(scope="module")
def kdc(tmp_path_factory):
    with make_kdc(tmp_path_factory.mktemp("kdc")) as kdc:
        yield kdc


@pytest.fixture(scope="module")
def office(kdc, tmp_path_factory):
    with Office(tmp_path_factory.mktemp("office"), kdc) as office:
        yield office


def names_of(pem):
    text = openssl("x509", "-in", pem, "-noout", "-ext",
                   "subjectAltName").stdout
    return set(re.findall(r"DNS:([^\s,]+)", text))


def public_key(pem):
    return openssl("x509", "-in", pem, "-noout", "-pubkey").stdout


def serial_of(pem):
    return openssl("x509", "-in", pem, "-noout",
                   "-serial").stdout.strip().split("=")[1]


def fetch_and_accept(office, name, request, key, pem):
    reply = f"{request}.reply"
    office.ask("eve", "request", "fetch", name, "--out", reply)
    run(SIGNET_CA, "request", "accept", reply, "--key", key, "--request",
        request, "--root", office.root.root / "ca.pem", "--out", pem)
    openssl("verify", "-CAfile", office.root.root / "ca.pem", "-untrusted",
            office.services_ca / "ca.pem", pem)


def certify(office, name, more=()):
    """Through the desk to an accepted certificate: (pem, key)."""
    path, identifier = office.request(name, more=more)
    assert office.say("eve", "request", "submit", path)["state"] == "open"
    assert office.say("bob", "request", "approve",
                      identifier)["state"] == "issued"
    pem = f"{path}.pem"
    fetch_and_accept(office, identifier, path, f"{path}.key", pem)
    return pem, f"{path}.key"


@pytest.mark.parametrize("cn,more,names", [
    ("ldap/ldap.ligo.org", (), {"ldap.ligo.org"}),
    ("many.ligo.org", ("--dns", "one.ligo.org", "--dns", "two.ligo.org"),
     {"many.ligo.org", "one.ligo.org", "two.ligo.org"}),
    ("host/both.ligo.org", ("--dns", "alias.ligo.org"),
     {"both.ligo.org", "alias.ligo.org"}),
])
def test_services_and_several_names(office, cn, more, names):
    pem, _ = certify(office, cn, more)
    assert subject_of(pem).replace("\\/", "/") == f"{SERVICES}/CN={cn}"
    assert names_of(pem) == names


def test_a_renewal_goes_through_the_desk(office):
    old, key = certify(office, "renew.ligo.org", ("--dns", "also.ligo.org"))
    again = office.files / "again.request"
    run(SIGNET_CA, "request", "renew", "--cert", old, "--key", key,
        "--profile", "host", "--contact", "Eve Example", "--contact-mail",
        "eve@ligo.org", "--purpose", "GridFTP", "--out", again)
    name = office.say("eve", "request", "submit", again)["request"]
    shown = office.ask("bob", "request", "show", name).stdout
    assert re.search(rf"renews certificate 0*{serial_of(old)}:", shown, re.I)
    assert re.search(r"subject +the same\n +key +NEW\n +names +the same\n"
                     r" +profile +the same\n +was valid ", shown)
    # Who asked sees it too; and programs.
    assert "key          NEW" in office.ask("eve", "request", "show",
                                            name).stdout
    told = office.say("bob", "request", "show", name)["renewed"]
    assert told["certificate"] in open(old).read()
    assert (told["profile"], told["revoked"]) == ("host", False)
    assert office.say("bob", "request", "approve", name)["state"] == "issued"
    new = office.files / "again.pem"
    fetch_and_accept(office, name, again, f"{key}.new", new)
    assert subject_of(new) == subject_of(old)
    assert names_of(new) == names_of(old) == {"renew.ligo.org",
                                              "also.ligo.org"}
    assert public_key(new) != public_key(old)
    assert serial_of(new) != serial_of(old)


def renewal(office, name):
    old, key = certify(office, name)
    path = office.files / f"{name}.renewal"
    run(SIGNET_CA, "request", "renew", "--cert", old, "--key", key,
        "--profile", "host", "--contact", "Eve", "--contact-mail",
        "eve@ligo.org", "--purpose", "x", "--out", path)
    return old, path


def test_what_is_revoked_is_not_renewed(office):
    old, path = renewal(office, "lost.ligo.org")
    name = office.say("eve", "request", "submit", path)["request"]
    office.ask("sue", "revoke", serial_of(old), "--ca", "office-ca",
               "--reason", "superseded")
    assert "IS REVOKED" in office.ask("bob", "request", "show", name).stdout
    no = office.ask("bob", "request", "approve", name, check=False)
    assert no.returncode == 8 and "is revoked: it is not renewed" in no.stderr
    assert office.state(name) == "open"


def test_what_another_ca_issued_is_not_renewed_here(office, tmp_path):
    """Of the CA of the site's hosts, which has no office."""
    pem, key = tmp_path / "pem", tmp_path / "key"
    run(SIGNET_CA, "issue", office.root.services, "--profile", "host",
        "--subject", f"{SERVICES}/CN=far.ligo.org", "--key", "ec:P-256",
        "--out-cert", pem, "--out-key", key)
    run(SIGNET_CA, "request", "renew", "--cert", pem, "--key", key,
        "--profile", "host", "--contact", "Eve", "--contact-mail",
        "eve@ligo.org", "--purpose", "x", "--out", tmp_path / "r")
    name = office.say("eve", "request", "submit", tmp_path / "r")["request"]
    shown = office.ask("bob", "request", "show", name).stdout
    assert "HAS NOT ISSUED" in shown
    no = office.ask("bob", "request", "approve", name, check=False)
    assert no.returncode == 8 and "has not issued" in no.stderr


def test_a_ca_is_not_made_at_the_desk(office, tmp_path):
    run(SIGNET_CA, "init", "slcs", tmp_path / "uwm", "--request",
        tmp_path / "uwm.request", "--subject", f"{CAS}/OU=UWM/CN=MyProxy 9",
        "--may-sign-under", PEOPLE, "--contact", "Ann", "--contact-mail",
        "ann@uwm.example.edu", "--purpose", "logins")
    for who in ("eve", None):
        no = office.ask(who, "request", "submit", tmp_path / "uwm.request",
                        check=False)
        assert no.returncode == 8, no.stderr
        assert "a CA is not made by an office that is online" in no.stderr
        assert "keeper of the root" in no.stderr
    assert "MyProxy 9" not in office.ask("bob", "request", "list").stdout


def test_a_list_of_a_ca_that_is_none_says_so(office):
    for words in (("request", "list"), ("office", "search")):
        nope = office.ask("sue", *words, "--ca", "nope", check=False)
        assert nope.returncode == 3, nope.stderr
        assert 'no CA "nope" is served here' in nope.stderr
        assert "those served: slcs office-ca" in nope.stderr or (
            "those served: office-ca slcs" in nope.stderr)
        # Nothing found of one that is served is no mistake.
        assert office.ask("sue", *words, "nothing.ligo.org", "--ca",
                          "office-ca").stdout == ""


# ---- names of CAs are for CAs

@pytest.mark.parametrize("space,why", [
    ("/DC=org/DC=ligo/O=LIGO", "the CA's own subject"),
    (CAS, "the CA's own subject"),
    (f"{CAS}/OU=New", "the CA's own subject"),
    (f"{CAS}/CN=LIGO Root CA 1", "the root's subject"),
])
def test_a_name_space_of_people_has_no_names_of_cas(office, tmp_path, space,
                                                    why):
    for kind in ("slcs", "services"):
        no = run(SIGNET_CA, "init", kind, tmp_path / "new", "--root",
                 office.root.root, "--subject", f"{CAS}/OU=New/CN=New 1",
                 "--may-sign-under", PEOPLE, "--may-sign-under", space,
                 "--no-passphrase", check=False)
        assert no.returncode == 8, no.stderr
        assert "names of CAs" in no.stderr and why in no.stderr
        assert not (tmp_path / "new").exists()


def test_a_root_signs_no_ca_whose_people_pass_for_cas(office, tmp_path):
    """What the asking side cannot know, the root's keeper is told."""
    ask = ["--contact", "Ann", "--contact-mail", "ann@ligo.org", "--purpose",
           "logins", "--subject", f"{CAS}/OU=New/CN=New 1"]
    own = run(SIGNET_CA, "init", "slcs", tmp_path / "own", "--request",
              tmp_path / "own.r", "--may-sign-under", CAS, *ask, check=False)
    assert own.returncode == 8 and "the CA's own subject" in own.stderr
    assert not (tmp_path / "own").exists()
    run(SIGNET_CA, "init", "slcs", tmp_path / "far", "--request",
        tmp_path / "far.r", "--may-sign-under", f"{CAS}/CN=LIGO Root CA 1",
        *ask)
    no = run(SIGNET_CA, "sign", office.root.root, tmp_path / "far.r",
             "--permission", "the chair", "--out", tmp_path / "reply", "--yes",
             check=False)
    assert no.returncode == 8 and "the root's subject" in no.stderr
    assert not (tmp_path / "reply").exists()


# ---- the environment

def test_openssl_is_not_told_by_the_environment_what_to_load(kdc, tmp_path):
    """The file is a pipe: whoever reads it waits for ever."""
    trap = tmp_path / "openssl.cnf"
    os.mkfifo(trap)
    hostile = {"OPENSSL_CONF": str(trap), "OPENSSL_MODULES": str(tmp_path),
               "OPENSSL_ENGINES": str(tmp_path)}
    # It is a trap: one that reads its configuration is caught.
    caught = subprocess.Popen(["openssl", "rand", "-hex", "1"],
                              env=dict(os.environ, **hostile),
                              stdout=subprocess.PIPE,
                              preexec_fn=die_with_parent)
    with open(trap, "wb") as said:  # opens when somebody reads
        said.write(b"")
    assert caught.wait(60) == 0
    caught.stdout.close()
    env = dict(os.environ, **hostile)
    run(SIGNET_CA, "init", "root", tmp_path / "root", "--subject",
        f"{CAS}/CN=LIGO Root CA 1", "--may-sign-under", CAS,
        "--no-passphrase", env=env)
    run(SIGNET_CA, "crl", tmp_path / "root", "--out", tmp_path / "crl",
        env=env)
    # Nor signetd and its roles, even if told to hand it on.
    office = Office(tmp_path / "site", kdc, env=hostile)
    run(SIGNETD, "-c", office.conf, "--check", env=office.env)
    given = [word for name in hostile for word in ("--pass-env", name)]
    office.start(*given)
    try:
        path, name = office.request("env.ligo.org")
        office.ask(None, "request", "submit", path)
        assert office.say(None, "request", "approve",
                          name)["state"] == "issued"
    finally:
        assert office.stop() == 0


# ---- a backup

def phrase_fd(phrase):
    read, write = os.pipe()
    os.write(write, phrase.encode() + b"\n")
    os.close(write)
    return read


def with_phrase(phrase, *words):
    fd = phrase_fd(phrase)
    try:
        return run(SIGNET_CA, *words, "--passphrase-fd", fd, pass_fds=(fd,))
    finally:
        os.close(fd)


def test_a_backup_of_an_encrypted_services_ca_while_it_signs(kdc, tmp_path):
    key_phrase = "correct horse battery staple"
    fd = phrase_fd(key_phrase)
    office = Office(tmp_path / "site", kdc, staff=STAFF,
                    init=("--passphrase-fd", str(fd)), init_fds=(fd,))
    os.close(fd)
    fd = phrase_fd(key_phrase)
    office.settings.append(f"key-passphrase fd:{fd}")
    office.write_conf()
    office.start(pass_fds=(fd,))
    os.close(fd)
    backup, again = tmp_path / "backup", tmp_path / "again"
    try:
        certify(office, "before.ligo.org")
        waiting = [office.request(f"b{n}.ligo.org") for n in range(6)]
        for path, _ in waiting:
            office.ask("eve", "request", "submit", path)
        approvals = [subprocess.Popen(
            [SIGNET_CA, "request", "approve", name, "--office",
             office.socket], stdout=subprocess.DEVNULL,
            preexec_fn=die_with_parent) for _, name in waiting]
        with_phrase(PHRASE, "backup", office.services_ca, "--ledger",
                    office.ledger, "--out", backup)
        assert [p.wait(60) for p in approvals] == [0] * 6
        last, _ = certify(office, "after.ligo.org")
    finally:
        assert office.stop() == 0
    # The key stays under its own pass phrase, within the backup's.
    told = with_phrase(PHRASE, "backup", "check", backup).stdout
    assert "key      encrypted" in told
    lists = [p for p in (office.dir / "ledger").glob("*.r0")
             if "LIGO CA 2" in openssl("crl", "-in", p, "-noout",
                                       "-issuer").stdout]
    assert lists
    with_phrase(PHRASE, "restore", backup, again, "--crl", lists[0], "--cert",
                last)
    assert (again / "ca.key").read_bytes() == (
        office.services_ca / "ca.key").read_bytes()
    run(SIGNET_CA, "ledger", "check", "--ledger", again / "ledger.db")
    with_phrase(key_phrase, "crl", again, "--ledger", again / "ledger.db",
                "--out", tmp_path / "crl")
    number = [int(openssl("crl", "-in", p, "-noout", "-crlnumber")
                  .stdout.split("=")[1], 16)
              for p in (tmp_path / "crl", lists[0])]
    assert number[0] > number[1]
