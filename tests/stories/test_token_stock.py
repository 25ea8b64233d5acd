"""A stock myproxy-server and stock myproxy-logon get certificates out of a
token, by both transports; a token that is slow, has one session, is pulled
meanwhile, or pulled and put back between two looks."""

import os
import re
import time

import pytest
from callout_site import WAYS, CallSite
from callout_stock import PHRASE, USERS, done, logon, one_logon, stock
from signet_site import openssl
from signet_token import Token

pytestmark = pytest.mark.heavy

CROWD = [u for u in USERS if u != "user0"]
SUSPENDED = r"signet-issue: signing is suspended.* \(reference (\w{12})\)"


@pytest.fixture(scope="module", autouse=True)
def root():
    """Not passed over without it: a story untold would look like one told."""
    assert os.getuid() == 0, "the stock server's PAM takes root"


class TokenSite(CallSite):
    """A CallSite whose key is in ${token}, made beside it."""

    def __init__(self, directory, more="", **kw):
        self.token = Token(directory / "token")
        super().__init__(directory / "site", settings=self.token.settings(),
                         **kw)
        self.token.adopt(self.ca)
        conf = self.ca / "ca.conf"
        conf.write_text(conf.read_text().rstrip("\n") + more + "\n")
        self.env.update(self.token.env)

    def start(self, *options, **kw):
        super().start(*self.token.options(), *options, **kw)
        self.wait_log("token-ready")
        self.wait_log("crl-filed")
        return self

    def plug(self, *, put_in=True):
        """It is there again, if it was out; until it signs."""
        at = len(self.log_now())
        self.token.plug() if put_in else self.token.play()
        end = time.monotonic() + 20
        while "token-ready" not in self.log_now()[at:]:
            assert time.monotonic() < end, self.log_now()[at:]
            time.sleep(0.02)

    def book(self):
        """{serial: state} of all that the ledger knows."""
        return {int(line["serial"], 16): line["state"]
                for line in self.ledger_lines()}

    def signed(self, count):
        """Until the token has been asked for so many signatures."""
        end = time.monotonic() + 60
        while self.token.calls("Sign") < count:
            assert time.monotonic() < end
            time.sleep(0.005)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with TokenSite(tmp_path_factory.mktemp("tokens")) as site:
        yield site


@pytest.fixture(scope="module")
def one_session(tmp_path_factory, site):
    with TokenSite(tmp_path_factory.mktemp("one"), "&max-sessions=1",
                   root=site.root, name="ONE") as site:
        yield site


@pytest.fixture(scope="module", params=WAYS)
def way(request):
    return request.param


@pytest.fixture(scope="module")
def server(site, way, tmp_path_factory):
    with stock(site, tmp_path_factory.mktemp("stock"), way) as server:
        yield server


def crowd(server, home, users):
    """Stock clients that have been told their pass phrases."""
    clients = [logon(server, home, user=u) for u in users]
    for client in clients:
        client.stdin.write(PHRASE + "\n")
        client.stdin.close()
        client.stdin = None
    return clients


def end(clients):
    """What each said, whether it got something or not."""
    return [client.communicate(timeout=120)[1] for client in clients]


def got(site, home):
    """The serials of all that users have, each verified."""
    serials = []
    for path in home.glob("*.pem"):
        openssl("verify", "-CApath", site.trust, path)
        text = openssl("x509", "-in", path, "-noout", "-serial").stdout
        serials.append(int(text.split("=")[1], 16))
    assert len(serials) == len(set(serials))
    return serials


def check_theirs(site, home):
    """What users have is in the book, and not revoked; how many have something."""
    book, theirs = site.book(), got(site, home)
    assert {book.get(serial) for serial in theirs} <= {"issued"}
    return len(theirs)


def test_thirty_two_at_once(site, server, way, tmp_path):
    before, signs = set(site.book()), site.token.calls("Sign")
    clients = crowd(server, tmp_path, CROWD)
    said = end(clients)
    assert [c.returncode for c in clients] == [0] * 32, said
    assert check_theirs(site, tmp_path) == 32
    # Nothing was signed twice, or for nobody.
    assert set(site.book()) - before == set(got(site, tmp_path))
    assert site.token.calls("Sign") == signs + 32


@pytest.mark.parametrize("play", [
    {"present": 0}, {"play": "pull-during", "nth": 4},
    {"play": "pull-after", "nth": 4}, {"play": "replug-after", "nth": 4},
    {"play": "corrupt", "nth": 4}], ids=lambda p: p.get("play", "pulled"))
def test_what_users_have_was_signed_by_a_token_that_was_there(
        site, server, way, play, tmp_path):
    """Half of a crowd is served when it happens."""
    at, before = len(site.log_now()), set(site.book())
    signs = site.token.calls("Sign")
    site.token.play(delay=20000, **({} if "present" in play else play))
    clients = crowd(server, tmp_path, CROWD[:10])
    if "present" in play:
        site.signed(signs + 4)
        site.token.pull()
    said = end(clients)
    failed = [s for c, s in zip(clients, said) if c.returncode != 0]
    assert all("Certificate generation failure" in s for s in failed), failed
    served = check_theirs(site, tmp_path)
    assert served == 10 - len(failed)
    assert failed or play.get("play") == "replug-after"
    # All that was made is in the book, and nobody's unless it is good there.
    assert {s for s, state in site.book().items()
            if s not in before and state == "issued"} == set(got(site, tmp_path))
    site.wait_log(r"(?s)\A.{%d}.*token-lost" % at)
    if play.get("play") in ("pull-after", "replug-after"):
        withheld = [int(s, 16) for s in re.findall(
            r" withheld .*serial=([0-9a-fA-F]+)", site.log_now()[at:])]
        assert withheld
        assert {site.book()[serial] for serial in withheld} == {"revoked"}
    comes_back(site, server, at, tmp_path)


def comes_back(site, server, at, home):
    """It was lost after ${at}; whoever needs it to be put in does that."""
    if "token-ready" not in site.log_now()[at:]:
        site.plug()
    site.token.play()
    assert done(logon(server, home))[0] == 0


def test_an_error_says_what_it_is_where_it_is_read(site, way, tmp_path):
    at = len(site.log_now())
    site.token.pull()
    site.wait_log(r"(?s)\A.{%d}.*token-lost" % at)
    before = site.book()
    log, (status, out, err) = one_logon(stock(site, tmp_path / "stock", way),
                                        tmp_path)
    assert status != 0 and "Certificate generation failure" in err
    ref = re.search(SUSPENDED, log)[1]
    site.wait_log(rf"request-refused ref={ref} .*user=user0")
    assert site.book() == before
    site.plug()
    log, (status, out, err) = one_logon(stock(site, tmp_path / "again", way),
                                        tmp_path)
    assert status == 0, log


def test_a_slow_token_with_one_session_serves_one_after_another(
        one_session, way, tmp_path):
    one_session.token.play(delay=100000, sessions=1)
    with stock(one_session, tmp_path / "stock", way) as server:
        began = time.monotonic()
        clients = crowd(server, tmp_path, CROWD[:8])
        said = end(clients)
        assert [c.returncode for c in clients] == [0] * 8, said
        assert time.monotonic() - began > 0.8
    assert check_theirs(one_session, tmp_path) == 8
