"""Many ask at once and the token is pulled in the middle of what it signs: what
was signed in the shadow is in the book as revoked and nobody's, each of the
others has an answer, and it goes on when the token is there with its PIN."""

import re
import time

import pytest
from callout_site import WAYS, finish, words
from signet_site import SIGNET_CA, openssl, run
from test_token_stock import TokenSite

CROWD = 32
SUSPENDED = re.compile(r"signet-issue: signing is suspended"
                       r"[^\n]* \(reference (\w{12})\)\n")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """What waits is signed together; with one session it all waits for one."""
    with TokenSite(tmp_path_factory.mktemp("crowd"),
                   "&max-sessions=1") as site:
        yield site
        run(SIGNET_CA, "log", "check", "--ledger", site.ledger)


@pytest.fixture(params=WAYS)
def way(request):
    return request.param


def news(site, before):
    """{serial: state} of what was not in the book ${before}."""
    return {s: state for s, state in site.book().items() if s not in before}


def wait_news(site, before, good):
    end = time.monotonic() + 30
    while not good(found := news(site, before)):
        assert time.monotonic() < end, found
        time.sleep(0.05)
    return found


def all_reserved(found):
    return len(found) == CROWD and set(found.values()) == {"reserved"}


def settled(found):
    return "reserved" not in found.values()


def crowd(site, way, name):
    return [site.ask(way, words(site.csr, user=f"{name}{i}-{way}"))
            for i in range(CROWD)]


def serial_of(pem):
    text = openssl("x509", "-noout", "-serial", input=pem).stdout
    return int(text.split("=")[1], 16)


def answers(site, callers):
    """The serials of who was served, the references of who was not.  There is
    no third thing that a caller may hear."""
    served, refused = [], []
    for status, out, err in [finish(c) for c in callers]:
        if status == 0:
            assert err == ""
            served.append(serial_of(out))
        else:
            assert out == ""
            refused.append(SUSPENDED.fullmatch(err)[1])
    assert len(set(served)) == len(served)
    assert len(set(refused)) == len(refused)
    return served, refused


def log_serials(log, event):
    return [int(s, 16) for s in
            re.findall(rf" {event} [^\n]*\bserial=([0-9a-fA-F]+)", log)]


def pulled_in_the_middle(site, way, play, turn):
    """${play} happens while the token has all of a crowd to sign; how many were
    signed in the shadow."""
    at, before = len(site.log_now()), set(site.book())
    signs = site.token.calls("Sign")
    with site.pause("token.0"):
        callers = crowd(site, way, f"{play}{turn}-")
        # Each has its number, and waits for nothing but the token.
        wait_news(site, before, all_reserved)
        site.token.play(play=play, nth=20)
    served, refused = answers(site, callers)
    site.wait_log(r"(?s)\A.{%d}.*token-lost" % at)
    book = wait_news(site, before, settled)
    log = site.log_now()[at:]
    withheld = log_serials(log, "withheld")
    assert len(served) + len(refused) == len(book) == CROWD
    assert sorted(served) == sorted(log_serials(log, "issued")) == sorted(
        s for s, state in book.items() if state == "issued")
    assert sorted(withheld) == sorted(
        s for s, state in book.items() if state == "revoked")
    # Twenty were signed and no more; the twentieth in the shadow for certain.
    assert len(served) + len(withheld) == 20
    assert withheld and len(refused) >= 12
    assert site.token.calls("Sign") >= signs + 20
    for ref in refused:
        assert re.search(rf"request-refused ref={ref} ", log), ref
    return withheld


def comes_back(site, at):
    """With another PIN, if it has to be put in; all is signed again, and the
    next list says what is revoked."""
    if "token-ready" not in site.log_now()[at:]:
        site.token.pin = f"another pin {at}"
        site.token.credential()
        site.plug()
    site.token.play()


def check_list(site, at, withheld):
    site.wait_log(r"(?s)\A.{%d}.*token-ready.*crl-filed [^\n]*entries=%d\b" % (
        at, list(site.book().values()).count("revoked")))
    text = openssl("crl", "-inform", "DER", "-in",
                   site.ledger.parent / "slcs.crl", "-noout", "-text").stdout
    listed = {int(s, 16) for s in
              re.findall(r"Serial Number: ([0-9A-F]+)", text)}
    assert set(withheld) <= listed


@pytest.mark.parametrize("play", ["pull-after", "replug-after"])
def test_pulled_while_it_signs_for_many(site, way, play):
    most = 0
    # A host that is busy with other things has it sign fewer together.
    for turn in range(12):
        at = len(site.log_now())
        withheld = pulled_in_the_middle(site, way, play, turn)
        comes_back(site, at)
        check_list(site, at, withheld)
        most = max(most, len(withheld))
        if most > 1:
            break
    assert most > 1
    callers = crowd(site, way, f"{play}-after-")
    served, refused = answers(site, callers)
    assert len(served) == CROWD and refused == []
