"""signet verify: the path, each rule, the verdict; of files and of servers."""
import json
import os
import pathlib
import subprocess

import pytest
from openssl_pki import PEOPLE, Pki
from signet_site import BUILD, SIGNET, run


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    made = Pki(tmp_path_factory.mktemp("verify"))
    made.cred = made.person("Alice")
    return made


def verify(pki, what, *options, status=0):
    done = subprocess.run(
        [SIGNET, "verify", "--certdir", pki.trust, *options, what],
        capture_output=True, text=True, timeout=60)
    assert done.returncode == status, (done.stdout, done.stderr)
    return done


def told(pki, what, *options, status=0):
    return json.loads(
        verify(pki, what, "--json", *options, status=status).stdout)


def broken(answer):
    return [(n, r["rule"]) for n, cert in enumerate(answer["path"])
            for r in cert["rules"] if not r["kept"]]


def test_the_path_and_every_rule_are_told(pki):
    answer = told(pki, pki.cred)
    assert answer["accepted"] and answer["identity"] == f"{PEOPLE}/CN=Alice"
    assert [c["signed_by"] for c in answer["path"]] == [
        "the next", "the next", "itself"]
    assert answer["path"][-1]["anchor"] == (
        f"{pki.trust}/{pki.hash('root')}.0")
    assert answer["path"][1]["crl"]["entries"] == 0
    rules = [r["rule"] for r in answer["path"][0]["rules"]]
    assert rules == ["role", "dates", "extensions", "key", "purpose", "ca",
                     "proxy", "constraints", "policy", "namespaces", "crl"]
    assert broken(answer) == []
    text = verify(pki, pki.cred).stdout
    assert f"accepted: {PEOPLE}/CN=Alice, until " in text
    assert "signed by  2, whose key made this signature" in text
    assert "its CRL    number " in text


def test_an_unknown_ca_is_said_in_the_words_people_search_for(pki, tmp_path):
    sub = pki.hash("sub")
    (tmp_path / "none").mkdir()
    leaf = tmp_path / "leaf.pem"
    leaf.write_text((pki.dir / "Alice.pem").read_text())
    done = subprocess.run([SIGNET, "verify", "--certdir", tmp_path / "none",
                           leaf], capture_output=True, text=True)
    assert done.returncode == 7
    says = (f"Cannot find trusted CA certificate with hash {sub} in "
            f"{tmp_path}/none")
    assert says in done.stdout and says in done.stderr


def test_the_rule_that_is_broken_is_named(pki):
    assert broken(told(pki, pki.cred, "--time", "2099-01-01", status=4))[
        0] == (0, "dates")
    assert (0, "purpose") in broken(
        told(pki, pki.cred, "--purpose", "server", status=7))
    pki.crl_file("sub").rename(pki.dir / "kept.r0")
    try:
        answer = told(pki, pki.cred, status=7)
        assert broken(answer) == [(0, "crl")]
        assert "there is no CRL of this CA" in answer["error"]
        assert told(pki, pki.cred, "--crl-optional")["accepted"]
    finally:
        (pki.dir / "kept.r0").rename(pki.crl_file("sub"))


def test_of_a_ca_that_nobody_knows_nothing_is_claimed(pki, tmp_path):
    answer = told(pki, pki.cred, "--certdir", tmp_path / "none", status=7)
    last = [rule["rule"] for rule in answer["path"][-1]["rules"]]
    assert "dates" in last
    assert not {"policy", "namespaces", "crl"} & set(last)


def test_an_end_entity_is_no_ca(pki):
    answer = told(pki, pki.cred, "--purpose", "ca", status=7)
    assert "not the certificate of a CA" in answer["error"]
    assert told(pki, pki.dir / "sub.pem", "--purpose", "ca")["accepted"]


def test_files_of_every_kind_are_read(pki, tmp_path):
    text = pathlib.Path(pki.cred).read_bytes()
    odd = os.fsencode(tmp_path) + b"/\xff.pem"
    with open(odd, "wb") as out:
        out.write(text)
    done = subprocess.run([SIGNET, "verify", "--json", "--certdir", pki.trust,
                           odd], capture_output=True)
    assert json.loads(done.stdout)["what"] == f"{tmp_path}/?.pem"
    # One that has nothing to say yet.
    command = subprocess.Popen(
        [SIGNET, "verify", "--quiet", "--certdir", pki.trust, "/dev/stdin"],
        stdin=subprocess.PIPE)
    while not waits_in_read(command.pid):
        assert command.poll() is None
    command.communicate(text)
    assert command.returncode == 0


def waits_in_read(pid):
    with open(f"/proc/{pid}/syscall") as told:
        return told.read().split()[0] in ("0", "63")  # x86-64, others


def test_bad_use_is_told_from_refusal(pki, tmp_path):
    absent = verify(pki, tmp_path / "absent", status=3)
    assert "login" not in absent.stderr and "HOST:PORT" in absent.stderr
    (tmp_path / "empty").write_text("nothing\n")
    verify(pki, tmp_path / "empty", status=1)
    verify(pki, pki.cred, "--purpose", "fun", status=2)
    for no_time in ("soon", "2027-02-30", "2027-02-29T12:00:00Z", ""):
        verify(pki, pki.cred, "--time", no_time, status=2)


def test_settings_of_the_site_count(pki, tmp_path):
    conf = tmp_path / "signet.conf"
    conf.write_text("crl-required no\n")
    pki.crl_file("root").rename(pki.dir / "kept.r0")
    try:
        verify(pki, pki.cred, status=7)
        run("env", f"SIGNET_CONF={conf}", SIGNET, "verify", "--certdir",
            pki.trust, pki.cred)
        mark = pki.crl_file("root").with_suffix(".crl_optional")
        mark.write_text("")
        verify(pki, pki.cred)
        mark.unlink()
    finally:
        (pki.dir / "kept.r0").rename(pki.crl_file("root"))


@pytest.mark.parametrize("kind", ["legacy", "draft"])
def test_old_proxies_by_the_settings_of_the_site(pki, tmp_path, kind):
    cred = pki.dir / "bare.cred"
    if not cred.exists():
        pki.person("bare", kind="bare")
    run(BUILD / "tests" / "make_proxy", "-i", cred, "-o", tmp_path / "proxy",
        "-t", kind)
    conf = tmp_path / "signet.conf"

    def says(setting):
        conf.write_text(setting)
        return run("env", f"SIGNET_CONF={conf}", SIGNET, "verify", "--certdir",
                   pki.trust, tmp_path / "proxy", check=False)

    other = {"legacy": "draft", "draft": "legacy"}[kind]
    for good in ("", f"{kind}-proxies yes\n", f"{other}-proxies no\n"):
        done = says(good)
        assert done.returncode == 0, done.stderr
        assert f"accepted: {PEOPLE}/CN=bare" in done.stdout
    done = says(f"{kind}-proxies no\n")
    assert done.returncode == 7
    assert f"a {kind} proxy, which is not accepted here" in done.stderr


def test_a_server_is_asked_for_what_it_shows(pki):
    cert, key = pki.host
    server = subprocess.Popen(
        ["openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", cert,
         "-key", key, "-cert_chain", pki.dir / "sub.pem"],
        stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)
    try:
        line = ""
        while not line.startswith("ACCEPT"):
            line = server.stdout.readline()
        port = line.strip().rsplit(":", 1)[1]
        answer = told(pki, f"127.0.0.1:{port}", status=7)
        assert answer["purpose"] == "server" and broken(answer) == []
        # It is who it is, and not who was called.
        assert "127.0.0.1" in answer["error"]
        assert told(pki, f"localhost:{port}")["accepted"]
    finally:
        server.terminate()
        server.wait()
    verify(pki, f"127.0.0.1:{port}", status=6)
