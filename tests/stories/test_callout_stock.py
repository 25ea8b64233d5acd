"""Debian's myproxy-server with signet-issue as its certificate_issuer_program,
and stock myproxy-logon: by both ways the same."""

import os
import re
import shutil

import pytest
from callout_site import MYPROXY, SIGNET_ISSUE, WAYS, CallSite
from callout_stock import PHRASE, USERS, done, logon, one_logon, stock
from signet_site import PEOPLE, openssl


@pytest.fixture(scope="module", autouse=True)
def root():
    """Not passed over without it: a story untold would look like one told."""
    assert os.getuid() == 0, "the stock server's PAM takes root"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with CallSite(tmp_path_factory.mktemp("callout")) as site:
        yield site


@pytest.fixture(scope="module", params=WAYS)
def way(request):
    return request.param


@pytest.fixture(scope="module")
def server(site, way, tmp_path_factory):
    with stock(site, tmp_path_factory.mktemp("stock"), way) as server:
        yield server


def test_a_person_gets_a_certificate_of_our_ca(site, server, way, tmp_path):
    before = len(site.serials_of("user0"))
    status, out, err = done(logon(server, tmp_path, "-t", "1"))
    assert status == 0, err
    cred = tmp_path / "user0.pem"
    openssl("verify", "-CApath", site.trust, cred)
    text = openssl("x509", "-in", cred, "-noout", "-subject", "-serial",
                   "-nameopt", "compat").stdout
    assert f"subject={PEOPLE}/CN=user0@LIGO.TEST" in text
    serials = site.serials_of("user0")
    assert len(serials) == before + 1
    assert re.search(r"serial=(\w+)", text).group(1).lower().lstrip("0") in [
        s.lower().lstrip("0") for s in serials]
    site.wait_log(rf"issued ref=\w+ .*method=callout peer=local:{MYPROXY}")
    # A wrong password never comes as far as us.
    assert done(logon(server, tmp_path), "wrong")[0] != 0
    assert len(site.serials_of("user0")) == before + 1


def test_thirty_two_at_once(site, server, way, tmp_path):
    users = [u for u in USERS if u != "user0"]
    before = {u: len(site.serials_of(u)) for u in users}
    clients = [logon(server, tmp_path, user=u) for u in users]
    for client in clients:
        client.stdin.write(PHRASE + "\n")
        client.stdin.close()
        client.stdin = None
    for user, client in zip(users, clients):
        out, err = client.communicate(timeout=120)
        assert client.returncode == 0, err
        openssl("verify", "-CApath", site.trust, tmp_path / f"{user}.pem")
    assert {u: len(site.serials_of(u)) for u in users} == {
        u: n + 1 for u, n in before.items()}


def test_an_error_is_in_both_logs_under_one_reference(site, way, tmp_path):
    log, (status, out, err) = one_logon(stock(site, tmp_path / "stock", way),
                                        tmp_path, "-k", "no-such")
    assert status != 0 and "Certificate generation failure" in err
    ref = re.search(r"signet-issue: the request is not permitted "
                    r"\(reference (\w{12})\)", log).group(1)
    site.wait_log(rf"request-refused ref={ref} .*user=user0")
    # The phrase is told to nobody but the program.
    assert PHRASE not in log + site.log()


def test_a_signetd_that_is_down_is_an_error_in_its_log(site, way, tmp_path):
    server = stock(site, tmp_path / "stock", way)
    (tmp_path / "issue.conf").write_text(f"{way} /nonexistent/{way}\n")
    server.more_env["SIGNET_ISSUE_CONF"] = str(tmp_path / "issue.conf")
    log, (status, out, err) = one_logon(server, tmp_path)
    assert status != 0
    assert re.search(rf"signet-issue: .*/nonexistent/{way}: No such file", log)


def test_it_takes_the_first_certificate_and_no_more(site, way, tmp_path):
    """So signet-issue writes one; those above it are the server's to add."""
    chain = tmp_path / "with-chain"
    ca = tmp_path / "ca.pem"
    shutil.copy(site.ca / "ca.pem", ca)
    chain.write_text(f"#!/bin/sh\n{SIGNET_ISSUE} && cat {ca}\n")
    for path in (chain, ca):
        path.chmod(0o755)
    log, (status, out, err) = one_logon(
        stock(site, tmp_path / "stock", way, program=chain), tmp_path)
    assert status == 0, err
    cred = (tmp_path / "user0.pem").read_text()
    assert cred.count("BEGIN CERTIFICATE") == 1
