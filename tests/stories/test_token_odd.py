"""Tokens that are not what they were: another one with the same label, one that
is locked, one whose PIN was changed, one with another's key or certificate."""

import json
import os
import re

import pytest
from callout_site import finish
from signet_site import BUILD, SIGNET_CA, openssl, run
from signet_token import SOFTHSM
from test_token_stock import TokenSite

OTHER = "0000000000000bad"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with TokenSite(tmp_path_factory.mktemp("odd")) as site:
        yield site
        run(SIGNET_CA, "log", "check", "--ledger", site.ledger)


def after(site, at, pattern):
    return site.wait_log(r"(?s)\A.{%d}.*?(%s)" % (at, pattern))[1]


def is_suspended(site):
    """At once, and without a number."""
    before = site.book()
    status, out, err = site.call("socket")
    assert status != 0 and out == "" and "signing is suspended" in err, err
    assert site.book() == before


def serves(site):
    status, out, err = site.call("socket")
    assert (status, err) == (0, "") and "BEGIN CERTIFICATE" in out


def test_another_token_with_the_same_label_is_not_logged_in_to(site):
    at = len(site.log_now())
    tries = site.token.calls("Login")
    site.token.plug(serial=OTHER)
    after(site, at, "token-lost [^\n]*")
    # Whoever looks first.
    after(site, at, "token-(lost|wanted) [^\n]*there is a token with serial "
                    f"number {OTHER}, not ")
    is_suspended(site)
    # Its PIN is another's, and so are its tries.
    assert site.token.calls("Login") == tries
    site.plug()
    serves(site)


def test_another_token_in_its_place_while_it_signs(site):
    """Neither events nor sessions tell of it, but its number does."""
    at, before = len(site.log_now()), set(site.book())
    signs = site.token.calls("Sign")
    site.token.play(delay=300000)
    caller = site.ask("socket")
    site.signed(signs + 1)
    site.token.play(serial=OTHER)
    status, out, err = finish(caller)
    assert status != 0 and out == "" and "signing is suspended" in err
    serial = int(after(site, at, r" withheld [^\n]*").split("serial=")[1]
                 .split()[0], 16)
    assert {s: state for s, state in site.book().items()
            if s not in before} == {serial: "revoked"}
    site.plug()
    after(site, at, r"token-ready.*crl-filed [^\n]*entries=1\b")
    serves(site)


def test_one_that_is_locked_is_not_tried(site):
    at = len(site.log_now())
    tries = site.token.calls("Login")
    site.token.plug(flags="locked")
    said = after(site, at, "pin-withheld [^\n]*")
    assert "its PIN is locked: unlock it with the vendor's tool" in said
    is_suspended(site)
    assert site.token.calls("Login") == tries
    site.plug()
    serves(site)


def test_a_pin_that_was_changed_while_it_is_in_is_asked_for_anew(site):
    at = len(site.log_now())
    tries = site.token.calls("Login")
    site.token.pin = "a newer pin"
    site.token.credential()
    site.token.play()
    after(site, at, "token-lost .*pin-asked .*token-ready")
    assert site.token.calls("Login") == tries + 1
    serves(site)


def another_key(site, path):
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-out", path)
    return path


def with_another_key(site, path):
    site.token.import_key(another_key(site, path), object="other", id="77")
    conf = site.ca / "ca.conf"
    conf.write_text(conf.read_text().replace("object=ca;", "object=other;"))


def with_anothers_certificate(site, path):
    der = path.with_suffix(".der")
    openssl("req", "-x509", "-key", another_key(site, path), "-subj",
            "/CN=another", "-outform", "DER", "-out", der)
    run("pkcs11-tool", "--module", SOFTHSM, "--token-label", site.token.label,
        "--login", "--pin", site.token.pin, "--write-object", der, "--type",
        "cert", "--label", "ca", "--id", "01",
        env=dict(os.environ, **site.token.env))
    site.token.give_away()


@pytest.mark.parametrize("change, says", [
    (with_another_key, "the key in the token is not the one of the CA's "
                       "certificate"),
    (with_anothers_certificate, "the certificate in the token is not of the "
                                "CA's key")],
    ids=["key", "certificate"])
def test_what_is_not_the_cas_is_said_at_the_start(site, tmp_path, change, says):
    here = TokenSite(tmp_path, root=site.root, name="Odd")
    change(here, tmp_path / "key.pem")
    super(TokenSite, here).start(*here.token.options())
    try:
        assert says in here.wait_log("token-wanted [^\n]*not [^\n]*CA's[^\n]*"
                                     )[0]
        is_suspended(here)
        assert here.token.calls("Sign") == 0
    finally:
        here.stop()


def test_the_names_that_the_seed_has_are_installed():
    plan = json.loads((BUILD / "meson-info/intro-installed.json").read_text())
    names = {re.sub(r".*/(s?bin|man)/", r"\1/", path) for path in plan.values()}
    assert {"sbin/etoken-ca-server", "sbin/revoke-cert",
            "man/man8/etoken-ca-server.8", "man/man8/revoke-cert.8"} <= names
    assert [n for n in names if n.endswith("bin/etoken-ca-client")]
