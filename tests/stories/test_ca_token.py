"""A CA whose key is in a token, at signet-ca: an offline root in one token signs
a CA for people whose key is in another; every command that needs the key asks
for the PIN at the terminal and nowhere else; a token that is pulled, broken or
another's ends in a clear error, and nothing that was signed meanwhile is
written."""

import json
import os
import subprocess

import pytest
from at_terminal import Terminal
from signet_site import (BASE, CAS, PEOPLE, REPO, SIGNET_CA, open_way, openssl,
                         run)
from signet_token import Token

PROFILES = ["--profile-dir", REPO / "share/profiles"]
PERMISSION = ["--permission", "the chair, by telephone"]
CONTACT = ["--contact", "Ann Other", "--contact-mail", "ann@uwm.edu",
           "--contact-phone", "+1 414 555 0100", "--purpose", "people"]
SUBJECT = f"{CAS}/CN=Token Root CA 1"


class Office:
    """signet-ca with a token in its reader."""

    def __init__(self, directory, label="root token"):
        self.token = Token(directory / label.replace(" ", "-"), label=label)
        self.env = dict(os.environ, **self.token.env)
        self.env.pop("CREDENTIALS_DIRECTORY")

    def at_terminal(self, *words, pin=None, **answers):
        pin = self.token.pin if pin is None else pin
        return Terminal([SIGNET_CA, *words], {"PIN of": pin, **answers},
                        env=self.env)

    def says(self, *words, status=0, **kw):
        """What it printed; the PIN is never in it."""
        done = self.at_terminal(*words, **kw)
        assert done.status == status, done.text
        assert self.token.pin not in done.text
        return done.text

    def without_terminal(self, *words):
        return subprocess.run(
            [str(w) for w in (SIGNET_CA, *words)], env=self.env, text=True,
            capture_output=True, start_new_session=True, timeout=60)

    def init_root(self, directory, object="root", more=(), **kw):
        return self.says("init", "root", directory, "--subject", SUBJECT,
                         "--may-sign-under", CAS, "--token",
                         self.token.uri(object=object), *PROFILES, *more, **kw)


@pytest.fixture
def office(tmp_path):
    return Office(tmp_path)


@pytest.fixture
def root(office, tmp_path):
    office.init_root(tmp_path / "root")
    return tmp_path / "root"


@pytest.fixture(scope="session")
def above(tmp_path_factory):
    """A root whose key is in a file."""
    place = tmp_path_factory.mktemp("above") / "root"
    run(SIGNET_CA, "init", "root", place, "--subject", f"{CAS}/CN=File Root 1",
        "--may-sign-under", CAS, "--no-passphrase", *PROFILES)
    return place


def make_services(office, tmp_path, above, more=(), **kw):
    return office.says(
        "init", "services", tmp_path / "services", "--root", above,
        "--subject", f"{CAS}/CN=Services {tmp_path.name}", "--may-sign-under",
        f"{BASE}/OU=Services", "--token", office.token.uri("services"),
        *more, *PROFILES, **kw)


@pytest.fixture
def services(office, tmp_path, above):
    make_services(office, tmp_path, above, more=["--key", "rsa:2048"])
    return tmp_path / "services"


def issue(office, directory, tmp_path, status):
    return office.says(
        "issue", directory, "--profile", "host", "--subject",
        f"{BASE}/OU=Services/CN=x.uwm.edu", "--out-cert", tmp_path / "x.pem",
        "--out-key", tmp_path / "x.key", *PROFILES, status=status)


def lines(directory):
    return json.loads(run(SIGNET_CA, "ledger", "list", "--ledger",
                          directory / "ledger.db", "--json").stdout)


def count_in(office, kind):
    """Objects of one kind in the token, as others see them."""
    out = run("pkcs11-tool", "--module", office.token.module, "--login",
              "--pin", office.token.pin, "--token-label", office.token.label,
              "--list-objects", "--type", kind, env=office.env).stdout
    return out.count(" Object")


def test_a_root_is_made_in_its_token(office, tmp_path):
    text = office.init_root(tmp_path / "root")
    assert "was made in the token \"root token\"" in text
    assert text.count("PIN of the token \"root token\"") == 1
    conf = (tmp_path / "root/ca.conf").read_text()
    assert "\nkey pkcs11:token=root%20token;object=root" in conf
    assert not (tmp_path / "root/ca.key").exists()
    assert count_in(office, "privkey") == 1
    assert count_in(office, "cert") == 1
    openssl("verify", "-CAfile", tmp_path / "root/ca.pem",
            tmp_path / "root/ca.pem")
    status = run(SIGNET_CA, "status", tmp_path / "root", check=False,
                 env=office.env).stdout
    assert "token" in status


@pytest.mark.parametrize("kind", ["rsa:3072", "rsa:4096", "ec:P-384"])
def test_other_kinds_of_key(office, tmp_path, above, kind):
    make_services(office, tmp_path, above, more=["--key", kind])
    issue(office, tmp_path / "services", tmp_path, 0)
    office.says("crl", tmp_path / "services", "--out", tmp_path / "crl.pem")
    openssl("crl", "-CAfile", tmp_path / "services/ca.pem", "-noout", "-in",
            tmp_path / "crl.pem")


def test_a_kind_that_the_profile_refuses_is_not_made(office, tmp_path):
    text = office.init_root(tmp_path / "root", status=1,
                            more=["--key", "ec:P-256"])
    assert "profile root takes" in text and "PIN of" not in text
    assert count_in(office, "privkey") == 0


def test_two_tokens_from_root_to_reply(office, root, tmp_path):
    """The whole way: init, request, sign, accept, crl, revoke."""
    site = Office(tmp_path, label="site token")
    request, reply = tmp_path / "request", tmp_path / "reply"
    text = site.says(
        "init", "slcs", tmp_path / "site", "--request", request, "--subject",
        f"{CAS}/OU=UWM/CN=MyProxy 1", "--may-sign-under", PEOPLE, "--serial",
        "range 500000000 100000000", "--token", site.token.uri("site"),
        *PROFILES, *CONTACT)
    assert "Send " in text and "site token" in text
    text = office.says("sign", root, request, *PERMISSION, "--out", reply,
                       "--yes", *PROFILES)
    assert text.count("PIN of") == 1
    text = site.says("request", "accept", reply, tmp_path / "site", "--root",
                     root / "ca.pem")
    assert text.count("PIN of the token \"site token\"") == 1
    assert count_in(site, "cert") == 1
    openssl("verify", "-CAfile", root / "ca.pem", tmp_path / "site/ca.pem")
    openssl("crl", "-CAfile", tmp_path / "site/ca.pem", "-noout", "-in",
            tmp_path / "site/crl.pem")
    # It is revoked again, and the root's list says so.
    serial = lines(root)[-1]["serial"]
    run(SIGNET_CA, "revoke", root, serial, "--reason", "superseded")
    office.says("crl", root, "--out", tmp_path / "root.crl")
    shown = openssl("crl", "-noout", "-text", "-in", tmp_path / "root.crl",
                    "-CAfile", root / "ca.pem").stdout
    assert serial.upper() in shown and "Superseded" in shown


def test_a_root_signs_a_ca_at_once_and_is_published(office, root, tmp_path):
    text = office.says(
        "init", "services", tmp_path / "services", "--root", root,
        "--subject", f"{CAS}/CN=Services 1", "--may-sign-under",
        f"{BASE}/OU=Services", "--no-passphrase", *PROFILES)
    assert "Services 1" in text
    office.says("publish", root, "--trust-dir", tmp_path / "certificates")
    assert list((tmp_path / "certificates").glob("*.r0"))


def test_the_pin_is_asked_for_at_a_terminal_only(office, root, tmp_path):
    crl = ("crl", root, "--out", tmp_path / "crl.pem")
    done = office.without_terminal(*crl)
    assert done.returncode == 2
    assert "there is no terminal to ask at" in done.stderr
    done = office.without_terminal(
        "init", "root", tmp_path / "other", "--subject", SUBJECT,
        "--may-sign-under", CAS, "--token", office.token.uri("other"),
        "--passphrase-fd", "0", *PROFILES)
    assert done.returncode == 2 and "no pass phrase" in done.stderr
    assert not (tmp_path / "crl.pem").exists()
    assert not (tmp_path / "other").exists()


def test_a_wrong_pin_is_tried_once(office, root, tmp_path):
    before = office.token.calls("Login")
    text = office.says("crl", root, "--out", tmp_path / "crl.pem", status=5,
                       pin="not the pin")
    assert "the PIN is wrong" in text
    assert office.token.calls("Login") == before + 1
    assert not (tmp_path / "crl.pem").exists()
    office.token.play(flags="low")
    assert "A wrong PIN was given before" in office.says(
        "crl", root, "--out", tmp_path / "crl.pem")


@pytest.mark.parametrize("flags, says", [
    ("final", "one try left"), ("locked", "is locked")])
def test_the_last_try_is_not_ours(office, root, tmp_path, flags, says):
    before = office.token.calls("Login")
    office.token.play(flags=flags)
    text = office.says("crl", root, "--out", tmp_path / "crl.pem", status=8)
    assert says in text and "PIN of" not in text
    assert office.token.calls("Login") == before


def test_issued_renewed_and_listed(office, services, tmp_path):
    issue(office, services, tmp_path, 0)
    office.says("renew", services, "--cert", tmp_path / "x.pem", "--out-cert",
                tmp_path / "y.pem", "--out-key", tmp_path / "y.key", "--yes",
                *PROFILES)
    openssl("verify", "-partial_chain", "-CAfile", services / "ca.pem",
            tmp_path / "x.pem", tmp_path / "y.pem")
    text = office.says("crl", services, "--series", "3", "--every", "20d",
                       "--out-dir", tmp_path / "series")
    assert text.count("PIN of") == 1
    assert len(list((tmp_path / "series").glob("*.crl"))) == 3


@pytest.mark.parametrize("play", ["pull-after", "replug-after"])
def test_a_token_that_goes_while_it_signs(office, services, tmp_path, play):
    """Its signature exists: the certificate is revoked, and nobody gets it.
    The first signature is the one that login tries the key with."""
    office.token.play(play=play, nth=2)
    text = issue(office, services, tmp_path, 1)
    assert "the certificate is revoked and was not written" in text
    assert not (tmp_path / "x.pem").exists()
    assert [(line["state"], line["reason"]) for line in lines(services)
            if line["subject"].endswith("x.uwm.edu")] == [("revoked", 0)]
    office.token.plug()
    issue(office, services, tmp_path, 0)
    office.says("crl", services, "--out", tmp_path / "crl.pem")
    assert "Revoked Certificates" in openssl(
        "crl", "-noout", "-text", "-in", tmp_path / "crl.pem").stdout


def test_a_request_that_met_a_removal_is_used_up(office, root, tmp_path):
    """What nobody gets is not handed out when the command is run again."""
    request, reply = tmp_path / "request", tmp_path / "reply"
    init = ("init", "slcs", "--subject", f"{CAS}/OU=UWM/CN=MyProxy 1",
            "--may-sign-under", PEOPLE, *PROFILES, *CONTACT)
    run(SIGNET_CA, *init, tmp_path / "site", "--request", request)
    sign = ("sign", root, request, *PERMISSION, "--out", reply, "--yes",
            *PROFILES)
    office.token.play(play="pull-after", nth=2)
    assert "was not written" in office.says(*sign, status=1)
    office.token.plug()
    assert "a new request is needed" in office.says(*sign, status=8)
    assert not reply.exists()
    run(SIGNET_CA, *init, tmp_path / "again", "--request",
        tmp_path / "request-2")
    office.says("sign", root, tmp_path / "request-2", *sign[3:])
    run(SIGNET_CA, "request", "accept", reply, tmp_path / "again", "--root",
        root / "ca.pem")


@pytest.mark.parametrize("play, says", [
    ("pull-before", "token"), ("pull-during", "token"),
    ("fail", "CKR_DEVICE_ERROR"),
    ("corrupt", "signature that is wrong"), ("crash", "crashed (signal")])
def test_a_token_that_gives_no_signature(office, services, tmp_path, play, says):
    office.token.play(play=play, nth=2, code=0x30)
    text = issue(office, services, tmp_path, 1)
    assert says in text
    assert not (tmp_path / "x.pem").exists()
    assert [line["state"] for line in lines(services)
            if line["subject"].endswith("x.uwm.edu")] == ["void"]
    office.token.plug()
    issue(office, services, tmp_path, 0)


def test_a_list_that_was_signed_in_the_shadow_is_none(office, root, tmp_path):
    office.token.play(play="pull-after", nth=2)
    office.says("crl", root, "--out", tmp_path / "crl.pem", status=1)
    assert not (tmp_path / "crl.pem").exists()
    office.token.plug()
    office.says("crl", root, "--out", tmp_path / "crl.pem")


def test_a_module_that_hangs(office, services, tmp_path):
    office.token.play(play="hang", nth=2)
    office.env["SIGNET_TOKEN_TIMEOUT"] = "2"
    text = issue(office, services, tmp_path, 1)
    assert "did not come back within 2 seconds" in text
    office.token.plug()
    issue(office, services, tmp_path, 0)


def test_no_token_is_there(office, root, tmp_path):
    office.token.pull()
    text = office.says("crl", root, "--out", tmp_path / "crl.pem", status=3)
    assert "PIN of" not in text and "token" in text


def test_a_key_that_is_there_is_taken_if_asked(office, tmp_path):
    run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt",
        "ec_paramgen_curve:P-384", "-out", tmp_path / "key.pem")
    office.token.import_key(tmp_path / "key.pem", object="root")
    text = office.init_root(tmp_path / "root", status=8)
    assert "--use-existing" in text
    assert not (tmp_path / "root").exists()
    text = office.init_root(tmp_path / "root", status=1,
                            more=["--use-existing", "--key", "rsa:4096"])
    assert "the key in the token is ec:P-384" in text
    text = office.init_root(tmp_path / "root", more=["--use-existing"])
    assert "was there already" in text
    ours = openssl("pkey", "-in", tmp_path / "key.pem", "-pubout").stdout
    assert ours == openssl("x509", "-in", tmp_path / "root/ca.pem", "-noout",
                           "-pubkey").stdout


def test_two_keys_with_one_label(office, root, tmp_path):
    run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt",
        "ec_paramgen_curve:P-256", "-out", tmp_path / "key.pem")
    office.token.import_key(tmp_path / "key.pem", object="root", id="77")
    text = office.says("crl", root, "--out", tmp_path / "crl.pem", status=78)
    assert "several such private keys" in text


def test_a_key_that_is_not_the_ca_s(office, root, tmp_path):
    run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt",
        "ec_paramgen_curve:P-384", "-out", tmp_path / "key.pem")
    office.token.import_key(tmp_path / "key.pem", object="another", id="77")
    conf = root / "ca.conf"
    conf.write_text(conf.read_text().replace("object=root", "object=another"))
    text = office.says("crl", root, "--out", tmp_path / "crl.pem", status=78)
    assert "not" in text and "CA" in text
    assert not (tmp_path / "crl.pem").exists()


def test_an_init_that_came_to_nothing_says_where_its_key_is(office, tmp_path):
    """The key was made, and then the token went."""
    office.token.play(play="pull-during", nth=2)
    text = office.init_root(tmp_path / "root", status=1)
    assert "the new key stays in the token: --use-existing takes it" in text
    assert not (tmp_path / "root").exists()
    office.token.plug()
    office.init_root(tmp_path / "root", more=["--use-existing"])


def test_slot_and_id_name_a_key_too(office, tmp_path):
    """As older configurations do; ca.conf names the token, since slots change
    their numbers."""
    slot = office.token.softhsm("--show-slots").stdout.split("Slot ")[1].split(
        "\n")[0]
    office.says("init", "root", tmp_path / "root", "--subject", SUBJECT,
                "--may-sign-under", CAS, "--token", f"{slot}:45",
                "--key-module", office.token.module, *PROFILES)
    conf = (tmp_path / "root/ca.conf").read_text()
    assert "pkcs11:token=root%20token;serial=" in conf and "id=%45" in conf
    office.says("crl", tmp_path / "root", "--out", tmp_path / "crl.pem")


def test_backup_and_restore_leave_the_key_where_it_is(office, services,
                                                      tmp_path):
    issue(office, services, tmp_path, 0)
    phrase = "a pass phrase of some length"
    office.env["TMPDIR"] = str(tmp_path)
    ask = {"New pass phrase": phrase, "Once more": phrase,
           "Pass phrase of the backup": phrase}
    text = office.says("backup", services, "--out", tmp_path / "backup", **ask)
    assert "The key is not in it: it stays in its token" in text
    text = office.says("backup", "check", tmp_path / "backup", **ask)
    assert "not here: in a token" in text
    restore = ("restore", tmp_path / "backup", tmp_path / "again",
               "--nothing-since")
    office.token.pull()
    assert "--without-token" in office.says(*restore, status=3, **ask)
    assert not (tmp_path / "again").exists()
    office.token.plug()
    text = office.says(*restore, **ask)
    assert text.count("PIN of") == 1 and "Its key is in its token" in text
    office.says("crl", tmp_path / "again", "--out", tmp_path / "crl.pem")
    openssl("crl", "-CAfile", services / "ca.pem", "-noout", "-in",
            tmp_path / "crl.pem")


def test_a_site_is_deployed_around_it(office, above, tmp_path):
    office.says("init", "slcs", tmp_path / "slcs", "--root", above,
                "--subject", f"{CAS}/CN=Site {tmp_path.name}",
                "--may-sign-under", PEOPLE, "--token",
                office.token.uri("slcs"), *PROFILES)
    openssl("crl", "-CAfile", tmp_path / "slcs/ca.pem", "-noout", "-in",
            tmp_path / "slcs/crl.pem")
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
        "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost",
        "-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem")
    open_way(tmp_path)
    text = run(SIGNET_CA, "deploy", tmp_path / "slcs", "--realm", "A.TEST",
               "--prefix", tmp_path / "site", "--first-uid", "61400",
               "--host-cert", tmp_path / "cert.pem", "--host-key",
               tmp_path / "key.pem", env=office.env).stdout
    assert "the PIN is asked for at the console" in text
    conf = (tmp_path / "site/etc/signet/signetd.conf").read_text()
    assert "pin-from console\n" in conf and "user-token 61405\n" in conf
