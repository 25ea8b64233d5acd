"""Proxies of ours before the Grid Community Toolkit, and its before us: the
stock libraries and lib/trust say the same of each."""

import os

import pytest

from gct import handshake
from openssl_pki import PEOPLE, Pki
from signet_site import BUILD, SIGNET, run

ALICE = f"{PEOPLE}/CN=alice"


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """People whose certificates and directory no story alters."""
    pki = Pki(tmp_path_factory.mktemp("pki"))
    pki.person("alice")
    pki.person("robert", key="rsa:2048")
    pki.person("bare", kind="bare")
    return pki


@pytest.fixture(scope="module")
def rsa(tmp_path_factory):
    """RSA throughout: grid-proxy-init signs with the algorithm that its
    certificate was signed with, and knows no other."""
    pki = Pki(tmp_path_factory.mktemp("rsa"), key="rsa:2048")
    pki.person("robert", key="rsa:2048")
    pki.person("bare", key="rsa:2048", kind="bare")
    return pki


@pytest.fixture
def pki(tmp_path):
    """A site of one's own, to be spoilt."""
    pki = Pki(tmp_path / "pki")
    pki.person("alice")
    return pki


def make(credential, path, *options, check=True):
    result = run(BUILD / "tests" / "make_proxy", "-i", credential, "-o", path,
                 *options, check=check)
    return path if check else result


def ask(pki, proxy, *options, wrapper=()):
    """What the Toolkit says and what lib/trust says: both yes, or both no."""
    theirs = handshake(proxy, pki.trust, *pki.host, *options, check=False,
                       wrapper=wrapper)
    ours = run(*wrapper, BUILD / "tests" / "trust_says", pki.trust, proxy,
               check=False)
    assert (theirs.returncode == 0) == (ours.returncode == 0), (
        theirs.stdout + theirs.stderr + ours.stdout + ours.stderr)
    return theirs, ours


def accepted(pki, proxy, peer, limited="no", **how):
    theirs, ours = ask(pki, proxy, **how)
    assert theirs.returncode == 0, theirs.stderr
    for result in theirs, ours:
        lines = result.stdout.splitlines()
        assert f"peer={peer}" in lines, (theirs.stdout, ours.stdout)
        assert f"limited={limited}" in lines, (theirs.stdout, ours.stdout)


def refused(pki, proxy, theirs_say, ours_say, **how):
    theirs, ours = ask(pki, proxy, **how)
    assert theirs.returncode != 0
    assert theirs_say in theirs.stderr, theirs.stderr
    assert ours_say in ours.stderr, ours.stderr


def subject(path):
    return run("openssl", "x509", "-noout", "-subject", "-nameopt", "compat",
               "-in", path).stdout.strip().removeprefix("subject=")


@pytest.mark.parametrize("key", ["rsa:2048", "ec:P-256", "ec:P-384"])
@pytest.mark.parametrize("who", ["alice", "robert"])
def test_full_proxies_are_accepted(shared, tmp_path, who, key):
    proxy = make(shared.dir / f"{who}.cred", tmp_path / "proxy", "-k", key)
    accepted(shared, proxy, f"{PEOPLE}/CN={who}")


@pytest.mark.parametrize("key", ["rsa:2048", "ec:P-256"])
def test_limited_proxies_are_seen_to_be_limited(shared, tmp_path, key):
    proxy = make(shared.dir / "alice.cred", tmp_path / "proxy", "-k", key,
                 "-t", "limited")
    accepted(shared, proxy, ALICE, limited="yes")
    # What is made from it is limited, although it was not asked to be.
    below = make(proxy, tmp_path / "below", "-k", key)
    accepted(shared, below, ALICE, limited="yes")
    job_service = handshake(proxy, shared.trust, *shared.host, "-s",
                            check=False)
    assert job_service.returncode != 0


def test_independent_proxies_are_themselves(shared, tmp_path):
    proxy = make(shared.dir / "alice.cred", tmp_path / "proxy", "-t",
                 "independent")
    accepted(shared, proxy, subject(proxy))


@pytest.mark.parametrize("kind,limited", [("draft", "no"),
                                          ("draft-limited", "yes")])
def test_draft_proxies_are_still_accepted(shared, tmp_path, kind, limited):
    proxy = make(shared.dir / "alice.cred", tmp_path / "proxy", "-t", kind)
    accepted(shared, proxy, ALICE, limited=limited)


@pytest.mark.parametrize("kind,limited", [("legacy", "no"),
                                          ("legacy-limited", "yes")])
def test_legacy_proxies_need_a_certificate_that_may_sign_certificates(
        shared, tmp_path, kind, limited):
    """They say nothing that would let a mere person sign them."""
    proxy = make(shared.dir / "bare.cred", tmp_path / "proxy", "-t", kind)
    accepted(shared, proxy, f"{PEOPLE}/CN=bare", limited=limited)
    proxy = make(shared.dir / "alice.cred", tmp_path / "proxy", "-t", kind)
    refused(shared, proxy, "key usage does not include certificate signing",
            "may not sign")


def proxy_init(pki, path, *options, check=True):
    return run(SIGNET, "proxy", "init", "--verify", "--out", path, *options,
               check=check, env=dict(os.environ, HOME=str(pki.dir),
                                     X509_CERT_DIR=str(pki.trust)))


@pytest.mark.parametrize("options,limited", [
    ((), "no"), (("--key-kind", "ec:P-256"), "no"), (("--limited",), "yes"),
    (("--path-length", "0"), "no"), (("--draft",), "no")])
def test_what_signet_proxy_init_makes_is_accepted(shared, tmp_path, options,
                                                  limited):
    proxy = tmp_path / "proxy"
    proxy_init(shared, proxy, "--cert", shared.dir / "alice.pem", "--key",
               shared.dir / "alice.key", *options)
    assert proxy.stat().st_mode & 0o777 == 0o600
    accepted(shared, proxy, ALICE, limited=limited)


def test_an_old_pkcs12_bundle_is_enough(shared, tmp_path):
    """RC2-40, which the stock tools no longer read."""
    bundle = tmp_path / "old.p12"
    run("openssl", "pkcs12", "-export", "-legacy", "-in",
        shared.dir / "alice.pem", "-inkey", shared.dir / "alice.key", "-out",
        bundle, "-passout", "pass:secret123")
    os.chmod(bundle, 0o600)
    proxy = tmp_path / "proxy"
    run(SIGNET, "proxy", "init", "--cert", bundle, "--out", proxy,
        "--pwstdin", input="secret123\n",
        env=dict(os.environ, X509_CERT_DIR=str(shared.trust)))
    accepted(shared, proxy, ALICE)


def test_a_chain_of_proxies_is_as_long_as_its_path_length(shared, tmp_path):
    first = make(shared.dir / "alice.cred", tmp_path / "1", "-p", "2")
    second = make(first, tmp_path / "2")
    third = make(second, tmp_path / "3", "-k", "ec:P-256")
    accepted(shared, third, ALICE)
    fourth = make(third, tmp_path / "4", check=False)
    assert fourth.returncode == 8
    assert "RFC 3820 3.8.1" in fourth.stderr
    last = make(shared.dir / "alice.cred", tmp_path / "last", "-p", "0")
    accepted(shared, last, ALICE)
    assert make(last, tmp_path / "no", check=False).returncode == 8


@pytest.mark.parametrize("options,kind", [
    ((), "RFC 3820 compliant impersonation proxy"),
    (("-t", "limited"), "RFC 3820 compliant limited proxy"),
    (("-t", "independent"), "RFC 3820 compliant independent proxy"),
    (("-t", "draft"), "Proxy draft (pre-RFC) compliant impersonation proxy"),
])
def test_grid_proxy_info_reads_them(shared, tmp_path, options, kind):
    proxy = make(shared.dir / "alice.cred", tmp_path / "proxy", *options,
                 "-l", "7200")
    text = run("grid-proxy-info", "-file", proxy).stdout
    assert f"type     : {kind}\n" in text
    assert f"subject  : {subject(proxy)}\n" in text
    assert "strength : 2048 bits\n" in text
    assert "timeleft : 1:59:5" in text or "timeleft : 2:00:00" in text


def test_the_toolkit_delegates_from_an_rsa_proxy(shared, tmp_path):
    """With RSA for both the person's key and the proxy's, that is: the
    Toolkit delegates with nothing else, whatever the CA has."""
    proxy = make(shared.dir / "robert.cred", tmp_path / "proxy")
    result = handshake(proxy, shared.trust, *shared.host, "-D", "-t",
                       "host@localhost", check=False)
    assert result.returncode == 0, result.stderr
    line = next(s for s in result.stdout.splitlines() if "delegated=" in s)
    path = line.split("=")[-1]
    try:
        accepted(shared, path, f"{PEOPLE}/CN=robert")
    finally:
        os.unlink(path)


@pytest.mark.parametrize("who,options,limited", [
    ("robert", ("-rfc",), "no"), ("robert", ("-limited",), "yes"),
    ("robert", ("-path-length", "3"), "no"), ("robert", ("-draft",), "no"),
    ("robert", ("-draft", "-limited"), "yes"),
    ("robert", ("-draft", "-path-length", "3"), "no"),
    ("bare", ("-old",), "no"), ("bare", ("-old", "-limited"), "yes")])
def test_we_accept_what_grid_proxy_init_makes(rsa, tmp_path, who, options,
                                              limited):
    proxy = tmp_path / "proxy"
    run("grid-proxy-init", "-q", *options, "-cert", rsa.dir / f"{who}.pem",
        "-key", rsa.dir / f"{who}.key", "-out", proxy,
        env=dict(os.environ, X509_CERT_DIR=str(rsa.trust)))
    accepted(rsa, proxy, f"{PEOPLE}/CN={who}", limited=limited)


@pytest.mark.parametrize("options,limited", [
    (("-rfc",), "no"), (("-limited",), "yes"), (("-path-length", "1"), "no"),
    (("-draft",), "no"), (("-draft", "-limited"), "yes")])
def test_we_go_on_from_it_in_the_same_generation(rsa, tmp_path, options,
                                                 limited):
    proxy = tmp_path / "proxy"
    run("grid-proxy-init", "-q", *options, "-cert", rsa.dir / "robert.pem",
        "-key", rsa.dir / "robert.key", "-out", proxy,
        env=dict(os.environ, X509_CERT_DIR=str(rsa.trust)))
    with open(proxy, "a") as f:
        f.write((rsa.dir / "sub.pem").read_text())
    below = make(proxy, tmp_path / "below")
    accepted(rsa, below, f"{PEOPLE}/CN=robert", limited=limited)


def test_it_is_refused_after_its_expiry(shared, tmp_path):
    proxy = make(shared.dir / "alice.cred", tmp_path / "proxy", "-l", "3600")
    accepted(shared, proxy, ALICE, wrapper=("faketime", "+50 minutes"))
    refused(shared, proxy, "expired", "expired at",
            wrapper=("faketime", "+61 minutes"))


def test_it_is_refused_before_its_time(shared, tmp_path):
    proxy = make(shared.dir / "alice.cred", tmp_path / "proxy")
    refused(shared, proxy, "", "not yet valid",
            wrapper=("faketime", "-2 days"))


@pytest.mark.parametrize("ca", ["root", "sub"])
def test_each_ca_needs_its_signing_policy(pki, tmp_path, ca):
    proxy = make(pki.dir / "alice.cred", tmp_path / "proxy")
    accepted(pki, proxy, ALICE)
    pki.policy(ca, "/O=Elsewhere/*")
    refused(pki, proxy, "does not match the signing policies",
            "outside the signing policy")
    pki.policy_file(ca).unlink()
    refused(pki, proxy, "signing_policy", "has no signing policy")


def alter(path):
    """Another last byte of the signature, in PEM that still is PEM."""
    der = run("openssl", "crl", "-in", path, "-outform", "DER", "-out",
              f"{path}.der") and open(f"{path}.der", "rb").read()
    os.unlink(f"{path}.der")
    (path.parent.parent / "altered.der").write_bytes(
        der[:-1] + bytes([der[-1] ^ 1]))
    run("openssl", "crl", "-inform", "DER", "-in",
        path.parent.parent / "altered.der", "-out", path)


@pytest.mark.parametrize("ca", ["root", "sub"])
def test_an_altered_crl_is_not_believed(pki, tmp_path, ca):
    proxy = make(pki.dir / "alice.cred", tmp_path / "proxy")
    pki.crl(ca)
    accepted(pki, proxy, ALICE)
    alter(pki.crl_file(ca))
    refused(pki, proxy, "CRL", "that is no CRL of this CA")


@pytest.mark.parametrize("ca", ["root", "sub"])
def test_an_expired_crl_stops_its_ca(pki, tmp_path, ca):
    proxy = make(pki.dir / "alice.cred", tmp_path / "proxy")
    pki.crl(ca, "-crlhours", "1")
    accepted(pki, proxy, ALICE)
    refused(pki, proxy, "The available CRL has expired", "its CRL has expired",
            wrapper=("faketime", "+2 hours"))


def test_the_revoked_and_their_proxies_are_refused(pki, tmp_path):
    pki.person("bob")
    proxy = make(pki.dir / "alice.cred", tmp_path / "proxy")
    below = make(proxy, tmp_path / "below")
    pki.revoke("sub", "bob")
    accepted(pki, below, ALICE)
    pki.revoke("sub", "alice")
    for path in proxy, below:
        refused(pki, path, "revoked", "revoked by its CA")


def test_a_revoked_ca_takes_its_people_with_it(pki, tmp_path):
    proxy = make(pki.dir / "alice.cred", tmp_path / "proxy")
    pki.revoke("root", "sub")
    refused(pki, proxy, "revoked", "revoked by its CA")


def test_an_unknown_root_is_refused(pki, shared, tmp_path):
    other = Pki(tmp_path / "other")
    other.person("alice")
    proxy = make(other.dir / "alice.cred", tmp_path / "proxy")
    accepted(other, proxy, ALICE)
    refused(pki, proxy, "", "not signed with the key of its issuer")
