"""The office of a CA whose key is in a token: what was approved is signed when
the token is there, and what was signed in the shadow is nobody's."""

import pytest

from office_site import Office, make_kdc
from signet_token import Token


@pytest.fixture(scope="module")
def kdc(tmp_path_factory):
    with make_kdc(tmp_path_factory.mktemp("kdc")) as kdc:
        yield kdc


@pytest.fixture
def place(kdc, tmp_path):
    token = Token(tmp_path / "token")
    office = Office(tmp_path / "office", kdc, settings=token.settings())
    token.adopt(office.services_ca)
    office.env.update(token.env)
    office.start(*token.options())
    office.wait_log("token-ready")
    # Plays count signatures, and this is one.
    office.wait_log("crl-filed ca=office-ca")
    yield office, token
    assert office.stop() == 0


def approve(office, host):
    """Ask for ${host} and approve it; what the approver is told."""
    path, name = office.request(host)
    office.ask(None, "request", "submit", path)
    done = office.ask(None, "request", "approve", name, check=False)
    return name, done.stdout + done.stderr


def test_what_is_approved_waits_for_the_token(place):
    office, token = place
    token.pull()
    office.wait_log("token-lost")
    name, said = approve(office, "early.ligo.org")
    assert "signing is suspended" in said
    # It is approved, no number was taken, and it is signed when that can be.
    assert not office.certificates()
    token.plug()
    office.wait_log("(?s)token-lost.*token-ready")
    office.ask(None, "request", "approve", name)
    assert office.state(name) == "issued"
    assert [c["state"] for c in office.certificates()] == ["issued"]


def test_what_is_signed_in_the_shadow_is_nobodys(place):
    office, token = place
    token.play(play="pull-after")
    name, said = approve(office, "late.ligo.org")
    assert "signing is suspended" in said and "ask anew" in said
    assert [c["state"] for c in office.certificates()] == ["revoked"]
    office.wait_log(r"withheld [^\n]*late\.ligo\.org")
    token.plug()
    office.wait_log("(?s)token-lost.*token-ready")
    # Nobody gets it, and the same request is not signed again.
    reply = office.files / "reply"
    refused = office.ask(None, "request", "fetch", name, "--out", reply,
                         check=False)
    assert refused.returncode != 0 and "is revoked" in refused.stderr
    assert not reply.exists()
    office.ask(None, "request", "approve", name)
    assert len(office.certificates()) == 1
    office.wait_log(r"(?s)withheld.*crl-filed ca=office-ca [^\n]*entries=1")
    name, said = approve(office, "better.ligo.org")
    assert office.state(name) == "issued"
    office.check_book()
