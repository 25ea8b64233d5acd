"""signet cert convert: PKCS#12 bundles, of today and of long ago, become
usercert.pem and userkey.pem with the right modes (seed 002)."""

import json
import os
import re
import stat
import subprocess

import pytest
from grid_tools import Desk, PHRASE
from openssl_pki import PEOPLE
from signet_site import SIGNET, run
from grid_sides import at_terminal

ROBERT = f"{PEOPLE}/CN=robert"


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    desk = Desk(tmp_path_factory.mktemp("desk"))
    desk.pki.person("eve", key="ec:P-256")
    for name, person, options in (
            ("modern", "robert", ()), ("ec", "eve", ()),
            # RC2-40 for the certificates and 3DES for the key: what browsers
            # wrote for twenty years.
            ("legacy", "robert", ("-legacy",)),
            ("des", "robert", ("-certpbe", "PBE-SHA1-3DES", "-keypbe",
                               "PBE-SHA1-3DES", "-macalg", "sha1"))):
        run("openssl", "pkcs12", "-export", "-in",
            desk.pki.dir / f"{person}.pem", "-inkey",
            desk.pki.dir / f"{person}.key", "-certfile",
            desk.pki.dir / "sub.pem", *options, "-out",
            desk.dir / f"{name}.p12", "-passout", f"pass:{PHRASE}")
    run("openssl", "pkcs12", "-export", "-nokeys", "-in",
        desk.pki.dir / "robert.pem", "-out", desk.dir / "keyless.p12",
        "-passout", f"pass:{PHRASE}")
    return desk


def convert(desk, home, *args, stdin=PHRASE + "\n"):
    return subprocess.run(
        [str(SIGNET), "cert", "convert", "--password-stdin",
         *map(str, args)], env=desk.env(home / "p", HOME=home), input=stdin,
        text=True, capture_output=True, timeout=60)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("name,old", [("modern", False), ("ec", False),
                                      ("legacy", True), ("des", None)])
def test_bundles_of_all_ages(desk, tmp_path, name, old):
    done = convert(desk, tmp_path, desk.dir / f"{name}.p12")
    assert done.returncode == 0, done.stderr
    who = "eve" if name == "ec" else "robert"
    assert f"Your identity: {PEOPLE}/CN={who}\n" in done.stdout
    if old is not None:
        assert ("old, weak way" in done.stderr) == old
    cert = tmp_path / ".globus/usercert.pem"
    key = tmp_path / ".globus/userkey.pem"
    assert mode(tmp_path / ".globus") == 0o700
    assert mode(cert) == 0o644 and mode(key) == 0o600
    # OpenSSL reads both, and finds that they belong together.
    assert "ENCRYPTED PRIVATE KEY" in key.read_text()
    public = run("openssl", "pkey", "-in", key, "-passin", f"pass:{PHRASE}",
                 "-pubout").stdout
    assert public == run("openssl", "x509", "-in", cert, "-noout",
                         "-pubkey").stdout
    assert run("openssl", "pkey", "-in", key, "-passin", "pass:wrong",
               check=False).returncode != 0
    run("openssl", "verify", "-CApath", desk.pki.trust, "-untrusted", cert,
        cert)


@pytest.mark.parametrize("name", ["modern", "legacy"])
def test_the_stock_tool_makes_a_proxy_of_what_was_written(desk, tmp_path,
                                                         name):
    convert(desk, tmp_path, desk.dir / f"{name}.p12")
    how = dict(proxy=tmp_path / "p",
               X509_USER_CERT=tmp_path / ".globus/usercert.pem",
               X509_USER_KEY=tmp_path / ".globus/userkey.pem")
    for ask in desk.theirs, desk.ours:
        done = ask("grid-proxy-init", "-pwstdin", **how)
        assert done.status == 0, done
        assert f"Your identity: {ROBERT}\n" in done.out


@pytest.mark.parametrize("name", ["modern", "legacy"])
def test_a_bundle_will_do_without_conversion(desk, tmp_path, name):
    """gct#202: the stock tool cannot read RC2-40; ours asks the bundle."""
    bundle = tmp_path / ".globus" / "usercred.p12"
    bundle.parent.mkdir()
    bundle.write_bytes((desk.dir / f"{name}.p12").read_bytes())
    os.chmod(bundle, 0o600)
    done = desk.ours("grid-proxy-init", "-pwstdin", proxy=tmp_path / "p",
                     HOME=tmp_path, X509_USER_CERT=None, X509_USER_KEY=None)
    assert done.status == 0, done
    assert f"Your identity: {ROBERT}\n" in done.out
    assert desk.theirs("grid-proxy-info", "-identity",
                       proxy=tmp_path / "p").out == ROBERT + "\n"


def test_the_answer_is_an_object_for_programs(desk, tmp_path):
    home = tmp_path / 'a "quoted" home'
    home.mkdir()
    done = convert(desk, home, desk.dir / "legacy.p12", "--json")
    assert json.loads(done.stdout) == {
        "version": 1, "kind": "converted", "subject": ROBERT,
        "certificate": f"{home}/.globus/usercert.pem",
        "key": f"{home}/.globus/userkey.pem", "legacy": True}


def test_a_wrong_pass_phrase_is_called_that(desk, tmp_path):
    bundle = desk.dir / "modern.p12"
    done = convert(desk, tmp_path, bundle, stdin="wrong\n")
    assert done.returncode == 5 and done.stdout == ""
    assert done.stderr.startswith(f"signet: wrong pass phrase for {bundle}. ")
    assert "user name" not in done.stderr
    assert list(tmp_path.iterdir()) == []
    error = json.loads(convert(desk, tmp_path, bundle, "--json",
                               stdin="wrong\n").stdout)["error"]
    assert error["code"] == "login" and error["exit"] == 5


def test_a_person_gets_a_second_try(desk, tmp_path):
    argv = [str(SIGNET), "cert", "convert", str(desk.dir / "modern.p12")]
    seen, status = at_terminal(desk, argv, ["wrong-one", PHRASE],
                               proxy=tmp_path / "p", HOME=tmp_path)
    assert status == 0, seen
    assert seen.count("Pass phrase of the bundle:") == 2
    assert "try again" in seen
    assert "wrong-one" not in seen and PHRASE not in seen
    seen, status = at_terminal(desk, argv + ["--force"],
                               ["wrong-one", "wrong-two"],
                               proxy=tmp_path / "p", HOME=tmp_path)
    assert status == 5 and "wrong pass phrase for" in seen


def test_nothing_is_replaced_unless_asked_for_and_then_kept(desk, tmp_path):
    bundle = desk.dir / "modern.p12"
    convert(desk, tmp_path, bundle)
    globus = tmp_path / ".globus"
    before = {p.name: p.read_bytes() for p in globus.iterdir()}
    done = convert(desk, tmp_path, bundle)
    assert done.returncode == 8 and "Use --force" in done.stderr
    assert {p.name: p.read_bytes() for p in globus.iterdir()} == before
    assert convert(desk, tmp_path, bundle, "--force").returncode == 0
    for name, old in before.items():
        assert (globus / f"{name}.old").read_bytes() == old
    assert mode(globus / "userkey.pem.old") == 0o600


def test_other_places_and_no_pass_phrase(desk, tmp_path):
    cert, key = tmp_path / "c.pem", tmp_path / "k.pem"
    done = convert(desk, tmp_path, desk.dir / "modern.p12", "--out-cert", cert,
                   "--out-key", key, "--no-passphrase")
    assert done.returncode == 0
    assert mode(key) == 0o600 and "ENCRYPTED" not in key.read_text()
    assert not (tmp_path / ".globus").exists()
    assert run("openssl", "x509", "-in", cert, "-noout", "-ext",
               "subjectAltName", check=False).returncode == 0


@pytest.mark.parametrize("name,status,says", [
    ("keyless", 1, "no private key"), ("missing", 3, "No such file"),
    ("junk", 1, "PKCS#12")])
def test_what_is_no_bundle_says_why(desk, tmp_path, name, status, says):
    (desk.dir / "junk.p12").write_bytes(b"junk" * 100)
    done = convert(desk, tmp_path, desk.dir / f"{name}.p12")
    assert done.returncode == status and says in done.stderr
    assert not (tmp_path / ".globus").exists()
    assert convert(desk, tmp_path).returncode == 2


def test_cert_info_shows_what_was_written(desk, tmp_path):
    convert(desk, tmp_path, desk.dir / "modern.p12")
    env = desk.env(tmp_path / "p", HOME=tmp_path, X509_USER_CERT=None)
    done = run(SIGNET, "cert", "info", env=env)
    assert f"subject : {ROBERT}\n" in done.stdout
    assert "key     : 2048 bits, RSA\n" in done.stdout
    data = json.loads(run(SIGNET, "cert", "info", "--json", env=env).stdout)
    assert data["kind"] == "certificate" and data["verified"] is True
    whole = run(SIGNET, "cert", "info", "--all", env=env).stdout
    cert = tmp_path / ".globus/usercert.pem"
    assert whole == run("openssl", "x509", "-noout", "-text", "-in",
                        cert).stdout
    assert re.search(r"X509v3 Key Usage: critical", whole)
