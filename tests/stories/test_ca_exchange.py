"""Requests and replies by memory stick: a root that knows no network, a site,
a services CA, and hosts; what is altered, replayed, foreign or cut off is
refused; whatever is killed can be run again."""

import json
import os
import re
import shutil
import stat
import subprocess

import pytest
from ca_house import ca, converse, refused, SERVICES
from kill_at import KillAt
from signet_site import BASE, CAS, PEOPLE, REPO, SIGNET_CA, openssl, run

PROFILES = ["--profile-dir", REPO / "share/profiles"]
CHAIR = "the chair of the computing committee, by telephone, 2026-11-20"
CONTACT = ["--contact", "Ann Other", "--contact-mail", "ann@uwm.edu",
           "--contact-phone", "+1 414 555 0100"]
ROOT = ["init", "root", "--subject", f"{CAS}/CN=LIGO Root CA 1",
        "--may-sign-under", CAS, "--no-passphrase"]
UWM = ["init", "slcs", "--subject", f"{CAS}/OU=UWM/CN=MyProxy 1",
       "--may-sign-under", PEOPLE, "--serial", "range 500000000 100000000",
       *CONTACT, "--purpose", "short-lived certificates of UWM"]
HOST = ["request", "new", "--profile", "host", "--subject",
        f"{SERVICES}/CN=gw.uwm.edu", "--dns", "data.uwm.edu", *CONTACT,
        "--purpose", "GridFTP server", "--key", "ec:P-256"]


def sign(directory, request, reply, *more, **kw):
    return ca("sign", directory, request, "--permission", CHAIR, "--out",
              reply, "--yes", *PROFILES, *more, **kw)


def issued(directory):
    lines = json.loads(ca("ledger", "list", "--ledger",
                          directory / "ledger.db", "--json").stdout)
    assert ca("ledger", "check", "--ledger", directory / "ledger.db")
    return [line for line in lines if line["state"] == "issued"]


def test_the_root_asks_no_network_for_anything(root, tmp_path):
    """Making, signing and listing open no socket but the system's own for
    names of accounts, and work where there is no network at all."""
    request, trace = tmp_path / "uwm.request", tmp_path / "trace"
    traced = ("strace", "-f", "-qq", "-e", "trace=%network", "-o", trace)
    for words in (
            [*ROOT, tmp_path / "fresh"],
            [*UWM, tmp_path / "uwm", "--request", request],
            ["sign", root, request, "--permission", CHAIR, "--out",
             tmp_path / "uwm.reply", "--yes", *PROFILES],
            ["crl", root, "--out", tmp_path / "root.crl"]):
        # LeakSanitizer cannot look at a process that is traced.
        run(*traced, SIGNET_CA, *words, env=dict(
            os.environ, ASAN_OPTIONS=os.environ.get("ASAN_OPTIONS", "") +
            ":detect_leaks=0"))
        sockets = re.findall(r"socket\((\w+)", trace.read_text())
        assert set(sockets) <= {"AF_UNIX"}, sockets
    # The trace would have shown one.
    run(*traced, "/usr/bin/python3", "-c",
        "import socket; socket.socket(socket.AF_INET)")
    assert "AF_INET" in trace.read_text()


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    """A root, and a services CA under it; looked at and added to."""
    d = tmp_path_factory.mktemp("office")
    ca(*ROOT, d / "root")
    ca("init", "services", d / "services", "--root", d / "root", "--subject",
       f"{CAS}/OU=Services/CN=LIGO CA 1", "--may-sign-under", SERVICES,
       "--no-passphrase")
    return d


@pytest.fixture
def root(office, tmp_path):
    """A copy of the root, to be changed."""
    shutil.copytree(office / "root", tmp_path / "root")
    return tmp_path / "root"


@pytest.fixture
def services(office, tmp_path):
    shutil.copytree(office / "services", tmp_path / "services")
    return tmp_path / "services"


def test_a_site_and_a_root_that_never_meet(root, tmp_path):
    site, stick = tmp_path / "uwm", tmp_path / "stick"
    stick.mkdir()
    asked = ca(*UWM, site, "--request", stick / "uwm.request").stdout
    assert not (site / "ca.pem").exists()
    assert stat.S_IMODE((site / "ca.key").stat().st_mode) == 0o600
    assert b"PRIVATE" not in (stick / "uwm.request").read_bytes()
    # Until the reply it is no CA.
    for command in (["crl", site], ["publish", site, "--trust-dir",
                                    tmp_path / "t"]):
        refused(*command, status=3, says="waits for its certificate")
    # Both ends read the same aloud.
    there = ca("request", "show", stick / "uwm.request").stdout
    for line in there.splitlines():
        assert line.strip() in asked
    groups = re.search(r"fingerprint.*?:\n((?: +[0-9A-F ]+\n){2})", there)
    digest = openssl("pkey", "-in", site / "ca.key", "-pubout", "-outform",
                     "DER", "-out", tmp_path / "pub.der")
    digest = openssl("dgst", "-sha256", tmp_path / "pub.der").stdout
    assert (groups[1].replace(" ", "").replace("\n", "").lower() ==
            digest.split()[-1])
    as_json = json.loads(ca("request", "show", stick / "uwm.request",
                            "--json").stdout)
    assert as_json["contact"] == "Ann Other" and as_json["proved"]
    assert as_json["name_space"] == PEOPLE
    # The keeper sees exactly what will be signed.
    shown = sign(root, stick / "uwm.request", stick / "uwm.reply").stdout
    cert = json.loads(ca("ledger", "list", "--ledger", root / "ledger.db",
                         "--json").stdout)[-1]
    assert cert["subject"] == f"{CAS}/OU=UWM/CN=MyProxy 1"
    for said in ("path length 0", "keyCertSign cRLSign", CHAIR,
                 f"{CAS}/OU=UWM/CN=MyProxy 1"):
        assert said in shown
    accept = ["request", "accept", stick / "uwm.reply", site]
    refused(*accept, status=2, says="--root")
    ca(*accept, "--root", root / "ca.pem")
    assert ": OK" in openssl("verify", "-x509_strict", "-CAfile",
                             root / "ca.pem", site / "ca.pem").stdout
    assert (site / "chain.pem").read_text() == (root / "ca.pem").read_text()
    openssl("crl", "-in", site / "crl.pem", "-noout", "-CAfile",
            site / "ca.pem")
    # Again, it does what is left to do: nothing.
    before = (site / "ca.pem").read_bytes(), (site / "crl.pem").read_bytes()
    ca(*accept, "--root", root / "ca.pem")
    assert before == ((site / "ca.pem").read_bytes(),
                      (site / "crl.pem").read_bytes())
    ca("publish", site, "--trust-dir", tmp_path / "t")


def test_the_ledger_says_who_decided_and_on_whose_permission(root, tmp_path):
    ca(*UWM, tmp_path / "uwm", "--request", tmp_path / "r")
    sign(root, tmp_path / "r", tmp_path / "reply")
    book = (root / "ledger.db").read_bytes()
    wal = root / "ledger.db-wal"
    book += wal.read_bytes() if wal.exists() else b""
    assert CHAIR.encode() in book
    assert f"uid {os.getuid()}".encode() in book
    assert (tmp_path / "r").read_bytes()[:400] in book.replace(b"\0", b"\0")


def test_a_host_gets_its_certificate(services, office, tmp_path):
    key, request = tmp_path / "hostkey.pem", tmp_path / "host.request"
    ca(*HOST, "--out-key", key, "--out", request)
    assert stat.S_IMODE(key.stat().st_mode) == 0o400
    sign(services, request, tmp_path / "host.reply")
    sha256 = openssl("x509", "-in", office / "root/ca.pem", "-noout",
                     "-fingerprint", "-sha256").stdout.split("=")[1].strip()
    accept = ["request", "accept", tmp_path / "host.reply", "--key", key,
              "--out", tmp_path / "hostcert.pem", "--root-sha256"]
    refused(*accept, sha256[:-1] + "0" if sha256[-1] != "0"
            else sha256[:-1] + "1", status=7, says="another root")
    ca(*accept, sha256)
    ca(*accept, sha256)
    text = openssl("x509", "-in", tmp_path / "hostcert.pem", "-noout",
                   "-text").stdout
    assert "DNS:gw.uwm.edu, DNS:data.uwm.edu" in text
    assert ": OK" in openssl("verify", "-x509_strict", "-CAfile",
                             office / "root/ca.pem", "-untrusted",
                             services / "ca.pem", "-purpose", "sslserver",
                             tmp_path / "hostcert.pem").stdout
    # Nothing is overwritten; the same again is written again.
    before = key.read_bytes()
    request.unlink()
    ca(*HOST, "--out-key", key, "--out", request)
    assert key.read_bytes() == before
    other = [a.replace("gw.uwm.edu", "gx.uwm.edu") for a in map(str, HOST)]
    refused(*other, "--out-key", key, "--out", tmp_path / "o", status=8,
            says="nothing is overwritten")
    (tmp_path / "hostkey.pem.request").unlink()
    refused(*HOST, "--out-key", key, "--out", tmp_path / "o", status=8,
            says="nothing is overwritten")


def test_renewal_keeps_the_subject_and_says_what_changes(services, office,
                                                         tmp_path):
    def name(stem):
        return tmp_path / stem

    def accept(reply, key, out):
        ca("request", "accept", name(reply), "--key", name(key), "--out",
           name(out), "--root", office / "root/ca.pem")

    ca(*HOST, "--out-key", name("k"), "--out", name("1.request"))
    sign(services, name("1.request"), name("1.reply"))
    accept("1.reply", "k", "1.pem")
    # A new key; contact and purpose are those of before.
    ca("request", "renew", "--cert", name("1.pem"), "--key", name("k"),
       "--out", name("2.request"))
    shown = sign(services, name("2.request"), name("2.reply")).stdout
    assert re.search(r"subject +the same\n +key +NEW\n +names +the same",
                     shown)
    accept("2.reply", "k.new", "2.pem")
    # The same key, and at the CA without the host.
    ca("request", "renew", "--cert", name("2.pem"), "--key", name("k.new"),
       "--same-key", "--out", name("3.request"))
    assert re.search(r"key +the same", sign(services, name("3.request"),
                                           name("3.reply")).stdout)
    accept("3.reply", "k.new", "3.pem")
    ca("renew", services, "--cert", name("3.pem"), "--same-key", "--out-cert",
       name("4.pem"), "--yes")
    subjects = {openssl("x509", "-in", name(f"{i}.pem"), "-noout", "-subject",
                        "-ext", "subjectAltName").stdout for i in (1, 2, 3, 4)}
    assert len(subjects) == 1
    keys = [openssl("x509", "-in", name(f"{i}.pem"), "-noout",
                    "-pubkey").stdout for i in (1, 2, 3, 4)]
    assert keys[0] != keys[1] and keys[1] == keys[2] == keys[3]
    # What is revoked is not renewed; nor what another has.
    serial = openssl("x509", "-in", name("3.pem"), "-noout",
                     "-serial").stdout.strip().split("=")[1]
    ca("revoke", services, serial)
    refused("renew", services, serial, "--same-key", "--out-cert",
            name("5.pem"), "--yes", status=8, says="revoked")
    ca("request", "renew", "--cert", name("3.pem"), "--key", name("k.new"),
       "--out-key", name("k5"), "--out", name("5.request"))
    refused("sign", services, name("5.request"), "--permission", "x", "--out",
            name("5.reply"), "--yes", status=8, says="revoked")
    refused("request", "renew", "--cert", name("3.pem"), "--key", name("k"),
            "--out", name("6.request"), status=8, says="not the key")


def test_a_ca_is_renewed_with_its_key(root, tmp_path):
    site, old = tmp_path / "uwm", tmp_path / "old.pem"
    ca(*UWM, site, "--request", tmp_path / "r")
    sign(root, tmp_path / "r", tmp_path / "reply")
    accept = ["request", "accept", tmp_path / "reply", site, "--root",
              root / "ca.pem"]
    ca(*accept)
    shutil.copy(site / "ca.pem", old)
    renew = ["request", "renew", site, "--out", tmp_path / "r2"]
    ca(*renew)
    ca(*renew)
    shown = sign(root, tmp_path / "r2", tmp_path / "reply2").stdout
    assert re.search(r"key +the same", shown)
    assert (site / "ca.pem").read_bytes() == old.read_bytes()
    ca("request", "accept", tmp_path / "reply2", site, "--root",
       root / "ca.pem")
    new = openssl("x509", "-in", site / "ca.pem", "-noout", "-serial",
                  "-subject").stdout.splitlines()
    was = openssl("x509", "-in", old, "-noout", "-serial",
                  "-subject").stdout.splitlines()
    assert new[0] != was[0] and new[1] == was[1]
    # The old reply again does not bring the old certificate back.
    refused(*accept, status=8, says="answers request")
    refused("request", "renew", root, "--out", tmp_path / "r3", status=2,
            says="is a root")
    # Someone who asks anew for a subject that is taken is seen.
    ca(*UWM, tmp_path / "again", "--request", tmp_path / "r4")
    assert "THERE IS ONE" in sign(root, tmp_path / "r4",
                                  tmp_path / "reply4").stdout


def test_nothing_is_signed_unless_the_person_says_yes(root, tmp_path):
    ca(*UWM, tmp_path / "uwm", "--request", tmp_path / "r")
    argv = [str(a) for a in [SIGNET_CA, "sign", root, tmp_path / "r",
                             "--permission", CHAIR, "--out",
                             tmp_path / "reply"]]
    before = len(issued(root))
    status, said = converse(argv, ["no"], b"(yes/no):")
    assert status == 8 and "nothing was signed" in said
    assert not (tmp_path / "reply").exists() and len(issued(root)) == before
    status, said = converse(argv, ["yes"], b"(yes/no):")
    assert status == 0 and (tmp_path / "reply").exists()
    assert said.index("fingerprint") < said.index("(yes/no)")
    # Without a terminal nobody said yes.
    ca(*UWM, tmp_path / "uwm2", "--request", tmp_path / "r2")
    refused(*argv[1:3], tmp_path / "r2", "--permission", CHAIR, "--out",
            tmp_path / "reply2", status=2, says="terminal",
            start_new_session=True)


def test_a_reply_that_is_not_ours_is_refused(root, office, tmp_path):
    ours, theirs = tmp_path / "uwm", tmp_path / "psu"
    ca(*UWM, ours, "--request", tmp_path / "r")
    ca(*UWM, theirs, "--request", tmp_path / "r2")
    sign(root, tmp_path / "r", tmp_path / "reply")
    sign(root, tmp_path / "r2", tmp_path / "reply2")
    good = (tmp_path / "reply").read_text()
    root_pem = root / "ca.pem"

    def accept(text, says, status=8, anchor=root_pem):
        (tmp_path / "x").write_text(text)
        refused("request", "accept", tmp_path / "x", ours, "--root", anchor,
                status=status, says=says)
        assert not (ours / "ca.pem").exists()
        assert not (ours / "chain.pem").exists()

    other = (tmp_path / "reply2").read_text()
    accept(other, "answers request")
    # Their certificate under our name; our certificate under their hash.
    head = good.index("-----BEGIN")
    accept(good[:head] + other[other.index("-----BEGIN"):], "another key")
    digest = re.search("request-sha256: (\\w+)", other)[1]
    accept(re.sub("request-sha256: \\w+", f"request-sha256: {digest}", good),
           "not the one here")
    # Cut off anywhere, or with something behind it.
    for cut in (0, 10, 60, head, head + 40, len(good) // 2, len(good) - 1):
        accept(good[:cut], "reply", status=1)
    accept(good + "\n", "altered", status=1)
    accept(good.replace("above: 1", "above: 0"), "", status=1)
    # A bit of the certificate's signature.
    lines = good.splitlines()
    last = lines.index("-----END CERTIFICATE-----") - 1
    swapped = "B" if lines[last][3] != "B" else "C"
    lines[last] = lines[last][:3] + swapped + lines[last][4:]
    accept("\n".join(lines) + "\n", "", status=1)
    # Another root of the same name.
    ca(*ROOT, tmp_path / "evil")
    accept(good, "another root", status=7,
           anchor=tmp_path / "evil/ca.pem")
    sign(tmp_path / "evil", tmp_path / "r", tmp_path / "evil.reply")
    accept((tmp_path / "evil.reply").read_text(), "another root", status=7)
    # Name space changed since it was asked for.
    conf = (ours / "ca.conf").read_text()
    (ours / "ca.conf").write_text(conf.replace(PEOPLE, BASE))
    accept(good, "may-sign-under", status=78)
    (ours / "ca.conf").write_text(conf)
    ca("request", "accept", tmp_path / "reply", ours, "--root", root_pem)


def test_a_root_signs_cas_in_its_name_space_and_nothing_else(office, tmp_path):
    before = len(issued(office / "root"))
    ca(*HOST, "--out-key", tmp_path / "k", "--out", tmp_path / "host")
    ca("init", "slcs", tmp_path / "far", "--request", tmp_path / "far.r",
       "--subject", "/DC=org/DC=other/CN=CA", "--may-sign-under", PEOPLE,
       *CONTACT, "--purpose", "x")
    ca("init", "slcs", tmp_path / "near", "--request", tmp_path / "near.r",
       "--subject", f"{SERVICES}/CN=CA", "--may-sign-under", PEOPLE,
       *CONTACT, "--purpose", "x")

    def no(directory, request, says):
        refused("sign", office / directory, tmp_path / request, "--permission",
                CHAIR, "--out", tmp_path / "no", "--yes", *PROFILES, status=8,
                says=says)
        assert not (tmp_path / "no").exists()

    no("root", "host", "signs CAs and nothing else")
    no("root", "far.r", "outside of the name space")
    no("services", "near.r", "signs no CA")
    # A person's profile is for no request at all.
    person = [a if a != "host" else "slcs-user" for a in map(str, HOST)]
    refused(*person, *PROFILES, "--out-key", tmp_path / "p", "--out",
            tmp_path / "person", status=8, says="for persons")
    assert len(issued(office / "root")) == before


def test_a_place_that_cannot_be_written_shows_before_anything_is_signed(
        services, tmp_path):
    ca(*HOST, "--out-key", tmp_path / "k", "--out", tmp_path / "r")
    nowhere = tmp_path / "none/reply"
    refused("sign", services, tmp_path / "r", "--permission", CHAIR, "--out",
            nowhere, "--yes", status=1, says="cannot be written")
    refused("issue", services, "--profile", "host", "--subject",
            f"{SERVICES}/CN=a.uwm.edu", "--out-cert", nowhere, "--out-key",
            tmp_path / "k2", status=1, says="cannot be written")
    assert issued(services) == [] and not (tmp_path / "k2").exists()
    (tmp_path / "there").write_text("mine")
    refused("sign", services, tmp_path / "r", "--permission", CHAIR, "--out",
            tmp_path / "there", "--yes", status=8, says="there already")
    assert (tmp_path / "there").read_text() == "mine"


def test_two_administrators_at_once_make_one_certificate(services, tmp_path):
    ca(*HOST, "--out-key", tmp_path / "k", "--out", tmp_path / "r")
    both = [subprocess.Popen(
        [SIGNET_CA, "sign", services, tmp_path / "r", "--permission", CHAIR,
         "--out", tmp_path / f"reply{i}", "--yes"], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True) for i in range(4)]
    for process in both:
        assert process.wait(60) == 0, process.stderr.read()
        process.communicate()
    assert len(issued(services)) == 1
    assert len({(tmp_path / f"reply{i}").read_bytes() for i in range(4)}) == 1


def test_killed_at_each_step_signing_goes_on_where_it_was(services, tmp_path):
    kill = KillAt(tmp_path)
    ca(*HOST, "--out-key", tmp_path / "k", "--out", tmp_path / "r")
    crashes = 0
    for n in range(1, 60):
        book = tmp_path / f"services{n}"
        shutil.copytree(services, book)
        command = [SIGNET_CA, "sign", book, tmp_path / "r", "--permission",
                   CHAIR, "--out", tmp_path / f"reply{n}", "--yes"]
        status = kill.run(n, *command).returncode
        assert status in (0, -9)
        assert run(*command).returncode == 0
        line, = issued(book)
        accept = ["request", "accept", tmp_path / f"reply{n}", "--key",
                  tmp_path / "k", "--out", tmp_path / f"cert{n}.pem", "--root",
                  services.parent / "root.pem"]
        shutil.copy(services / "chain.pem", services.parent / "root.pem")
        ca(*accept)
        serial = openssl("x509", "-in", tmp_path / f"cert{n}.pem", "-noout",
                         "-serial").stdout.strip().split("=")[1]
        assert int(serial, 16) == int(line["serial"], 16)
        if status == 0:
            break
        crashes += 1
    assert status == 0 and crashes > 5


def test_killed_at_each_step_asking_and_accepting_go_on(office, root,
                                                        tmp_path):
    kill = KillAt(tmp_path)
    crashes = 0
    # A host's key and request.
    for n in range(1, 40):
        key = tmp_path / f"k{n}"
        command = [SIGNET_CA, *HOST, "--out-key", key, "--out",
                   tmp_path / f"r{n}"]
        status = kill.run(n, *command).returncode
        run(*command)
        asked = json.loads(ca("request", "show", tmp_path / f"r{n}",
                              "--json").stdout)
        public = openssl("pkey", "-in", key, "-pubout", "-outform", "DER",
                         "-out", tmp_path / "p.der")
        public = openssl("dgst", "-sha256", tmp_path / "p.der").stdout
        assert asked["fingerprint"].replace(":", "").lower() in public
        if status == 0:
            break
        assert status == -9
        crashes += 1
    assert status == 0 and crashes > 5
    # A CA that asks, and accepts.
    for n in range(1, 60):
        site = tmp_path / f"site{n}"
        ask = [SIGNET_CA, *UWM, site, "--request", tmp_path / f"q{n}"]
        first = kill.run(n, *ask).returncode
        run(*ask)
        sign(root, tmp_path / f"q{n}", tmp_path / f"a{n}")
        accept = [SIGNET_CA, "request", "accept", tmp_path / f"a{n}", site,
                  "--root", root / "ca.pem"]
        second = kill.run(n, *accept).returncode
        run(*accept)
        assert {first, second} <= {0, -9}
        assert ": OK" in openssl("verify", "-x509_strict", "-CAfile",
                                 root / "ca.pem", site / "ca.pem").stdout
        assert (site / "crl.pem").exists()
        if first == second == 0:
            break
    assert first == second == 0


def test_killed_at_each_step_issue_and_renew_go_on(services, tmp_path):
    kill_at = KillAt(tmp_path)
    issue = [SIGNET_CA, "issue", services, "--profile", "host", "--subject",
             f"{SERVICES}/CN=gw.uwm.edu", "--key", "ec:P-256", *PROFILES]
    seen = 0
    for n in range(1, 30):
        made = [tmp_path / f"{n}.pem", tmp_path / f"{n}.key"]
        command = [*issue, "--out-cert", made[0], "--out-key", made[1]]
        died = kill_at.run(n, *command).returncode == -9
        seen += died
        if died and not made[1].exists():
            run(*command, check=True)
        # Of one kind: a certificate, and the key that it is for.
        assert openssl("x509", "-in", made[0], "-noout", "-pubkey").stdout == \
            openssl("pkey", "-in", made[1], "-pubout").stdout
        assert stat.S_IMODE(made[1].stat().st_mode) == 0o600
        assert not list(tmp_path.glob("*.unfinished"))
        if not died:
            break
    assert seen > 6 and len(issued(services)) == n
    old = tmp_path / "1.pem"
    renew = [SIGNET_CA, "renew", services, "--cert", old, "--yes", "--out-cert",
             tmp_path / "new.pem", "--out-key", tmp_path / "new.key", *PROFILES]
    assert kill_at.run(9, *renew).returncode == -9
    # The key that was left is not for someone else.
    refused(*issue[1:3], *issue[3:5], "--subject", f"{SERVICES}/CN=other.uwm.edu",
            "--out-cert", tmp_path / "o", "--out-key", tmp_path / "new.key",
            *PROFILES, status=8, says="another subject")
    said = run(*renew, check=True).stdout
    assert "signed before" in said and len(issued(services)) == n + 1
    refused(*renew[1:], status=8, says="overwritten")


def test_a_key_that_others_know_is_signed_no_more(services, tmp_path):
    first, reply = tmp_path / "1.request", tmp_path / "1.reply"
    ca(*HOST, "--out-key", tmp_path / "key", "--out", first)
    sign(services, first, reply)
    serial = issued(services)[-1]["serial"]
    ca("revoke", services, serial, "--reason", "keyCompromise")
    openssl("req", "-new", "-key", tmp_path / "key", "-subj", "/", "-out",
            tmp_path / "csr")
    again = [word for word in HOST if word not in ("--key", "ec:P-256")]
    ca(*again, "--dns", "gw.uwm.edu", "--csr", tmp_path / "csr", "--out",
       tmp_path / "2.request")
    refused("sign", services, tmp_path / "2.request", "--permission", CHAIR,
            "--out", tmp_path / "2.reply", "--yes", *PROFILES, status=8,
            says=f"the key is that of certificate {serial}")
    assert not (tmp_path / "2.reply").exists()
    assert not issued(services)
