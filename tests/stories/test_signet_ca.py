"""The CA office: CAs made, checked by OpenSSL, published; the ledger told."""

import datetime
import fcntl
import json
import os
import re
import resource
import shutil
import stat
import subprocess
import time

from ca_house import (
    PHRASE, PROFILES, SERVICES, ca, converse, copy, house, init_slcs, issue,
    refused, text_of)
from signet_site import BASE, BUILD, CAS, PEOPLE, REPO, SIGNET_CA, openssl, run


def test_openssl_verifies_everything_strictly(house):
    root, slcs = house / "root/ca.pem", house / "slcs/ca.pem"
    services, host = house / "services/ca.pem", house / "host.pem"
    strict = ["verify", "-x509_strict", "-CAfile", root]
    assert ": OK" in openssl(*strict, "-check_ss_sig", root).stdout
    assert ": OK" in openssl(*strict, slcs).stdout
    assert ": OK" in openssl(*strict, services).stdout
    assert ": OK" in openssl(*strict, "-untrusted", services, "-purpose",
                             "sslserver", "-verify_hostname",
                             "www.example.org", host).stdout
    # The chain file is what is above, and is enough.
    assert ": OK" in openssl("verify", "-x509_strict", "-CAfile",
                             house / "slcs/chain.pem", slcs).stdout
    # By hash, with the lists, from the published directory.
    assert ": OK" in openssl("verify", "-x509_strict", "-crl_check_all",
                             "-CApath", house / "trust", host).stdout


def test_each_kind_contains_what_the_table_says(house):
    root, slcs = text_of(house / "root/ca.pem"), text_of(house / "slcs/ca.pem")
    host = text_of(house / "host.pem")
    for ca_text in root, slcs:
        assert re.search(r"Basic Constraints: critical\s+CA:TRUE", ca_text)
        assert re.search(r"Key Usage: critical\s+Certificate Sign, CRL Sign\n",
                         ca_text)
        assert "Extended Key Usage" not in ca_text
        assert "Alternative Name" not in ca_text
    assert "pathlen" not in root and "CA:TRUE, pathlen:0" in slcs
    assert "CRL Distribution" not in root and "Policies" not in root
    assert "URI:http://ca.example.org/root.crl" in slcs
    assert "CA Issuers - URI:http://ca.example.org/root.cer" in slcs
    assert "X509v3 Any Policy" in slcs
    assert re.search(r"Basic Constraints: critical\s+CA:FALSE", host)
    assert re.search(r"Key Usage: critical\s+Digital Signature\n", host)
    assert "DNS:host.example.org, DNS:www.example.org" in host
    assert "URI:http://ca.example.org/services.crl" in host
    for oid in "1.2.840.113612.5.2.2.1", "1.2.840.113612.5.2.3.3.2":
        assert f"Policy: {oid}" in host
    for t in root, slcs, host:
        assert "Version: 3" in t and "Netscape" not in t
        assert "Subject Key Identifier" in t


def test_a_root_of_thirty_years_ends_in_generalized_time(house):
    pem = house / "root/ca.pem"
    dump = openssl("asn1parse", "-in", pem).stdout
    times = re.findall(r"(UTCTIME|GENERALIZEDTIME)\s+:(\S+)", dump)
    assert [t[0] for t in times] == ["UTCTIME", "GENERALIZEDTIME"]
    begin = datetime.datetime.strptime(times[0][1], "%y%m%d%H%M%SZ")
    end = datetime.datetime.strptime(times[1][1], "%Y%m%d%H%M%SZ")
    assert (end - begin).days == 30 * 365
    # The CA under it ends sooner, in 20 years.
    sub = openssl("asn1parse", "-in", house / "slcs/ca.pem").stdout
    first, last = re.findall(r"UTCTIME\s+:(\S+)", sub)
    assert int(last[:2]) - int(first[:2]) in (19, 20)


def test_keys_and_directories_are_for_their_owner_alone(house):
    for name in "root", "slcs", "services":
        assert stat.S_IMODE((house / name).stat().st_mode) == 0o700
        assert stat.S_IMODE((house / name / "ca.key").stat().st_mode) == 0o600
    assert stat.S_IMODE((house / "host.key").stat().st_mode) == 0o600
    assert stat.S_IMODE((house / "trust").stat().st_mode) == 0o755
    for path in (house / "trust").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_the_trust_directory_has_all_that_grid_software_asks_for(house):
    for name, space in ("root", CAS), ("slcs", PEOPLE), ("services", SERVICES):
        pem = house / name / "ca.pem"
        digest = openssl("x509", "-in", pem, "-noout", "-hash").stdout.strip()
        subject = openssl("x509", "-in", pem, "-noout", "-subject",
                          "-nameopt", "compat").stdout.split("=", 1)[1].strip()
        trust = house / "trust"
        assert (trust / f"{digest}.0").read_text() == pem.read_text()
        policy = (trust / f"{digest}.signing_policy").read_text()
        assert f"access_id_CA   X509    '{subject}'\n" in policy
        assert f"cond_subjects  globus  '\"{space}/*\"'\n" in policy
        assert policy.endswith("\n")
        crl = openssl("crl", "-in", trust / f"{digest}.r0", "-noout",
                      "-text", "-CAfile", pem)
        assert "verify OK" in crl.stderr
        assert "X509v3 CRL Number" in crl.stdout
        assert "No Revoked Certificates" in crl.stdout


def test_publishing_again_brings_the_list_up_to_date_and_never_back(copy):
    pem = copy / "services/ca.pem"
    digest = openssl("x509", "-in", pem, "-noout", "-hash").stdout.strip()
    r0 = copy / "trust" / f"{digest}.r0"
    before = r0.read_bytes()
    number = "openssl crl -in {} -noout -crlnumber"
    first = int(run(*number.format(r0).split()).stdout.split("=")[1], 16)
    ca("publish", copy / "services", "--trust-dir", copy / "trust")
    second = int(run(*number.format(r0).split()).stdout.split("=")[1], 16)
    assert second > first
    # A list that is not newer than what is there does not undo it.
    newer = copy / "newer.pem"
    time.sleep(1.1 - time.time() % 1)
    ca("crl", copy / "services", "--out", newer)
    ca("publish", copy / "services", "--trust-dir", copy / "trust", "--crl",
       newer)
    (copy / "old.pem").write_bytes(before)
    refused("publish", copy / "services", "--trust-dir", copy / "trust",
            "--crl", copy / "old.pem", status=8, says="newer")
    # Nor does another CA's, nor an altered one.
    slcs_crl = copy / "slcs/crl.pem"
    refused("publish", copy / "services", "--trust-dir", copy / "trust",
            "--crl", slcs_crl, status=7, says="another CA")
    der = bytearray(subprocess.run(
        ["openssl", "crl", "-in", newer, "-outform", "DER"], check=True,
        capture_output=True).stdout)
    der[-5] ^= 1
    (copy / "bad.crl").write_bytes(der)
    refused("publish", copy / "services", "--trust-dir", copy / "trust",
            "--crl", copy / "bad.crl", status=7, says="CRL")
    # An anchor that is another certificate stays.
    shutil.copy(copy / "root/ca.pem", copy / "trust" / f"{digest}.0")
    refused("publish", copy / "services", "--trust-dir", copy / "trust",
            status=8, says="another certificate")


def test_of_a_ca_that_signetd_serves_there_is_one_book(copy, tmp_path):
    slcs, book = copy / "slcs", tmp_path / "daemon.db"
    digest = openssl("x509", "-in", slcs / "ca.pem", "-noout",
                     "-hash").stdout.strip()
    r0 = copy / "trust" / f"{digest}.r0"
    assert "online yes\n" in (slcs / "ca.conf").read_text()
    # Init's own list until the daemon makes others.
    assert r0.read_text() == (slcs / "crl.pem").read_text()
    for command in (["issue", slcs, "--profile", "robot", "--subject",
                     f"{PEOPLE}/CN=Robot: r", "--key", "ec:P-256",
                     "--out-cert", tmp_path / "r.pem", "--out-key",
                     tmp_path / "r.key"],
                    ["crl", slcs, "--out", tmp_path / "c.pem"],
                    ["revoke", slcs, "1dcd6500"]):
        refused(*command, status=2, says="--ledger")
    assert not list(tmp_path.glob("r.*"))
    # The daemon's book, as it were.
    shutil.copy(slcs / "ledger.db", book)
    time.sleep(1.1 - time.time() % 1)
    ca("crl", slcs, "--out", tmp_path / "c.pem", "--ledger", book)
    ca("publish", slcs, "--trust-dir", copy / "trust", "--crl",
       tmp_path / "c.pem")
    newer = r0.read_text()
    assert newer == (tmp_path / "c.pem").read_text()
    # The first list does not come back.
    ca("publish", slcs, "--trust-dir", copy / "trust")
    assert r0.read_text() == newer


def test_a_cas_request_may_come_from_another_machine(house, tmp_path):
    csr, out = tmp_path / "sub.csr", tmp_path / "sub.pem"
    openssl("req", "-new", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:P-256", "-nodes", "-keyout",
            tmp_path / "sub.key", "-subj", "/CN=x", "-out", csr)
    ca("issue", house / "root", "--profile", "sub-ca", "--csr", csr,
       "--subject", f"{CAS}/OU=PSU/CN=MyProxy 1", "--out-cert", out)
    assert "CA:TRUE, pathlen:0" in text_of(out)
    assert ": OK" in openssl("verify", "-x509_strict", "-CAfile",
                             house / "root/ca.pem", out).stdout
    refused("issue", house / "root", "--profile", "sub-ca", "--subject",
            f"{CAS}/OU=PSU/CN=MyProxy 2", "--out-cert", tmp_path / "o",
            "--out-key", tmp_path / "k", status=2, says="--csr")


def test_a_revoked_certificate_is_on_the_next_list(copy):
    host = copy / "host.pem"
    serial = openssl("x509", "-in", host, "-noout",
                     "-serial").stdout.strip().split("=")[1]
    assert "was never issued" in ca("revoke", copy / "services", "abcdef",
                                    check=False).stderr
    ca("revoke", copy / "services", serial, "--reason", "keyCompromise")
    ca("publish", copy / "services", "--trust-dir", copy / "trust")
    crl = next(p for p in (copy / "trust").glob("*.r0")
               if serial in openssl("crl", "-in", p, "-noout", "-text").stdout)
    assert "Key Compromise" in openssl("crl", "-in", crl, "-noout",
                                       "-text").stdout
    result = openssl("verify", "-x509_strict", "-crl_check_all", "-CApath",
                     copy / "trust", host, check=False)
    assert "certificate revoked" in result.stderr
    line, = json.loads(ca("ledger", "list", "--ledger",
                          copy / "services/ledger.db", "--revoked",
                          "--json").stdout)
    assert line["state"] == "revoked" and line["reason"] == 1


def test_the_gate_refuses_what_a_ca_may_not_sign(house, tmp_path):
    def ask(*args, says, status=8, services=house / "services"):
        out = tmp_path / "x"
        refused("issue", services, "--profile-dir", PROFILES, "--key",
                "ec:P-256", "--out-cert", f"{out}.pem", "--out-key",
                f"{out}.key", *args, status=status, says=says)
        assert not list(tmp_path.glob("x*"))

    ask("--profile", "host", "--subject", f"{PEOPLE}/CN=a", says="name space")
    ask("--profile", "host", "--subject", f"{SERVICES}x/CN=a",
        says="name space")
    csr = tmp_path / "sub.csr"
    openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout",
            tmp_path / "sub.key", "-subj", "/CN=x", "-out", csr)
    refused("issue", house / "services", "--profile", "sub-ca", "--csr", csr,
            "--subject", f"{SERVICES}/CN=CA", "--out-cert", tmp_path / "x",
            status=8, says="end entities only")
    refused("issue", house / "root", "--profile", "host", "--csr", csr,
            "--subject", f"{CAS}/CN=h", "--out-cert", tmp_path / "x",
            status=8, says="CAs only")
    ask("--profile", "host", "--subject", f"{SERVICES}/CN=*.example.org",
        status=1, says="wildcards")
    ask("--profile", "host", "--subject", f"{SERVICES}/CN=h", "--days", "396",
        status=2, says="max-lifetime")
    # A CA for people cannot be made to sign for servers.
    ask("--profile", "host", "--subject", f"{PEOPLE}/CN=h.example.org",
        "--ledger", house / "slcs/ledger.db", services=house / "slcs",
        says="extKeyUsage goes beyond")
    ask("--profile", "robot", "--subject", f"{SERVICES}/CN=Robot: r - o",
        "--email", "no address", status=1, says="no mail address")
    # What came to nothing is void, and the chain is whole.
    check = ca("ledger", "check", "--ledger", house / "services/ledger.db")
    assert re.match(r"\d+ entries, head [0-9a-f]{64}\n", check.stdout)


def test_a_request_brings_its_own_key_and_nothing_else(house, tmp_path):
    csr, out = tmp_path / "h.csr", tmp_path / "h.pem"
    openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout",
            tmp_path / "h.key", "-subj", "/CN=evil", "-addext",
            "subjectAltName=DNS:evil.example.org", "-out", csr)
    good = ["issue", house / "services", "--profile", "host", "--subject",
            f"{SERVICES}/CN=good.example.org", "--out-cert", out, "--csr"]
    # Nobody is to think that the name was given.
    refused(*good, csr, status=8, says="evil.example.org")
    assert not out.exists()
    openssl("req", "-new", "-key", tmp_path / "h.key", "-subj", "/CN=evil",
            "-addext", "subjectAltName=DNS:good.example.org", "-out", csr)
    ca(*good, csr)
    text = text_of(out)
    assert "evil" not in text and "DNS:good.example.org" in text
    assert "Digital Signature, Key Encipherment" in text
    assert (openssl("x509", "-in", out, "-noout", "-pubkey").stdout ==
            openssl("rsa", "-in", tmp_path / "h.key", "-pubout").stdout)
    # A request whose signature is not by its key, and a weak key.
    pem = csr.read_text().replace("\n", "", 0).splitlines()
    pem[-3] = pem[-3][::-1]
    (tmp_path / "bad.csr").write_text("\n".join(pem) + "\n")
    refused("issue", house / "services", "--profile", "host", "--csr",
            tmp_path / "bad.csr", "--subject", f"{SERVICES}/CN=g",
            "--out-cert", tmp_path / "g.pem", status=1, says="")
    openssl("req", "-new", "-newkey", "rsa:1024", "-nodes", "-keyout",
            tmp_path / "w.key", "-subj", "/CN=w", "-out", tmp_path / "w.csr")
    refused("issue", house / "services", "--profile", "host", "--csr",
            tmp_path / "w.csr", "--subject", f"{SERVICES}/CN=g", "--out-cert",
            tmp_path / "g.pem", status=1, says="")
    assert not (tmp_path / "g.pem").exists()


def test_a_robot_and_a_service_with_a_slash(house, tmp_path):
    robot = issue(house / "services", tmp_path / "r", "Robot: copy - ops",
                  "--email", "ops@example.org", profile="robot")
    text = text_of(robot)
    assert "email:ops@example.org" in text and "DNS:" not in text
    assert "TLS Web Client Authentication" in text
    assert "TLS Web Server Authentication" not in text
    service = text_of(issue(house / "services", tmp_path / "s",
                            "ldap/l.example.org"))
    assert "DNS:l.example.org\n" in service
    assert "CN = ldap/l.example.org" in service


def test_nothing_is_overwritten(house, tmp_path):
    refused("init", "root", house / "root", "--subject", f"{CAS}/CN=x",
            "--may-sign-under", CAS, "--no-passphrase", status=8,
            says="there already")
    host = house / "host.pem"
    before = host.read_bytes()
    refused("issue", house / "services", "--profile", "host", "--subject",
            f"{SERVICES}/CN=h", "--out-cert", host, "--out-key",
            tmp_path / "k", status=8, says="there already")
    assert host.read_bytes() == before and not (tmp_path / "k").exists()
    refused("crl", house / "services", "--out", host, status=8,
            says="there already")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    refused("crl", house / "services", "--out", tmp_path / "link", status=8,
            says="there already")
    refused("crl", house / "services", "--out", tmp_path / "no/list", status=1,
            says="cannot be written")
    assert host.read_bytes() == before


def test_a_half_made_ca_is_seen_for_what_it_is(copy, tmp_path):
    half = tmp_path / "half"
    (tmp_path / "half.new").mkdir()
    (tmp_path / "half.new/unfinished").write_text("")
    (tmp_path / "half.new/ca.conf").write_text("name half\n")
    (tmp_path / "half.new/ca.key.Xa12bC").write_text("half a key\n")
    refused("publish", half, "--trust-dir", tmp_path / "t", status=3,
            says="interrupted")
    # While another makes it, this one keeps its hands off.
    fd = os.open(tmp_path / "half.new", os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    make = ["init", "slcs", half, "--root", copy / "root", "--subject",
            f"{CAS}/OU=X/CN=Y", "--may-sign-under", PEOPLE]
    refused(*make, status=1, says="at this moment")
    assert (tmp_path / "half.new/ca.conf").exists()
    os.close(fd)
    # What a person put there stays.
    (tmp_path / "half.new/notes").write_text("mine\n")
    refused(*make, status=8, says="notes")
    (tmp_path / "half.new/notes").unlink()
    # What an interrupted one left goes away, and the CA is made.
    init_slcs(half, copy / "root")
    assert not (tmp_path / "half.new").exists()
    assert not list(half.glob("*.Xa12bC"))
    assert not (half / "unfinished").exists()
    # A mistake that is noticed leaves nothing behind.
    refused("init", "slcs", tmp_path / "bad", "--root", copy / "root",
            "--subject", f"{BASE}/CN=outside", "--may-sign-under", PEOPLE,
            status=8, says="name space")
    refused("init", "slcs", tmp_path / "bad", "--root", copy / "root",
            "--subject", f"{CAS}/CN=z", "--may-sign-under", "nonsense",
            status=78, says="may-sign-under")
    refused("init", "slcs", tmp_path / "bad", "--root", copy / "services",
            "--subject", f"{CAS}/CN=z", "--may-sign-under", PEOPLE, status=8,
            says="signs no CAs")
    assert not list(tmp_path.glob("bad*"))


def test_a_ca_that_is_called_new_is_nobodys_rubbish(copy, tmp_path):
    init_slcs(tmp_path / "site.new", copy / "root")
    key = (tmp_path / "site.new/ca.key").read_bytes()
    make = ["init", "slcs", tmp_path / "site", "--root", copy / "root",
            "--subject", f"{CAS}/OU=X/CN=Y", "--may-sign-under", PEOPLE]
    refused(*make, status=8, says="move it away")
    assert (tmp_path / "site.new/ca.key").read_bytes() == key
    assert not (tmp_path / "site").exists()


def test_what_is_said_goes_into_no_file_though_standard_output_is_closed(copy):
    before = {p.name for p in copy.rglob("*")}
    for closed in ("<&- >&- 2>&-", "<&- >&-", ">&-"):
        out = copy / f"c{len(closed)}"
        done = subprocess.run(["sh", "-c", f'exec "$@" {closed}', "sh",
                               SIGNET_CA, "issue", copy / "services",
                               "--profile", "host", "--subject",
                               f"{SERVICES}/CN=gw.example.org", "--out-cert",
                               f"{out}.pem", "--out-key", f"{out}.key"])
        assert done.returncode == 0
        for suffix in ("pem", "key"):
            assert re.fullmatch("-----BEGIN [^$]*-----\n", out.with_suffix(
                f".{suffix}").read_text())
        done = subprocess.run(["sh", "-c", f'exec "$@" {closed}', "sh",
                               SIGNET_CA, "status", copy / "services"])
        assert done.returncode == (1 if ">&-" in closed else 0)
    ca("ledger", "check", "--ledger", copy / "services/ledger.db")
    assert before <= {p.name for p in copy.rglob("*")}


def test_a_file_that_may_not_grow_is_a_fault(copy, tmp_path):
    def small():
        resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))

    before = (copy / "root/ca.pem").read_bytes()
    done = subprocess.run([SIGNET_CA, "crl", copy / "root", "--out",
                           tmp_path / "crl"], capture_output=True,
                          preexec_fn=small, text=True)
    assert done.returncode == 1 and done.stderr.startswith("signet-ca: ")
    assert not list(tmp_path.glob("crl*"))
    ca("crl", copy / "root", "--out", tmp_path / "crl")
    ca("ledger", "check", "--ledger", copy / "root/ledger.db")
    assert before == (copy / "root/ca.pem").read_bytes()


def test_killed_at_any_moment_an_init_can_be_done_again(copy, tmp_path):
    for i in range(12):
        d = tmp_path / f"ca{i}"
        process = subprocess.Popen(
            [SIGNET_CA, "init", "slcs", d, "--root", copy / "root",
             "--subject", f"{CAS}/OU=K/CN=K {i}", "--may-sign-under", PEOPLE],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(i * 0.002)
        process.kill()
        process.wait()
        if not d.exists():
            ca("init", "slcs", d, "--root", copy / "root", "--subject",
               f"{CAS}/OU=K/CN=K {i}", "--may-sign-under", PEOPLE)
        openssl("verify", "-x509_strict", "-CAfile", copy / "root/ca.pem",
                d / "ca.pem")
    ca("ledger", "check", "--ledger", copy / "root/ledger.db")
    lines = json.loads(ca("ledger", "list", "--ledger",
                          copy / "root/ledger.db", "--json").stdout)
    serials = [line["serial"] for line in lines]
    assert len(serials) == len(set(serials))
    assert {line["state"] for line in lines} <= {"issued", "void"}


def test_a_root_key_is_encrypted_and_its_phrase_long(tmp_path):
    root = tmp_path / "root"

    def with_phrase(phrase, *args, **kw):
        read, write = os.pipe()
        os.write(write, phrase.encode() + b"\n")
        os.close(write)
        try:
            return ca(*args, str(read), pass_fds=[read], check=False, **kw)
        finally:
            os.close(read)

    make = ["init", "root", root, "--subject", f"{CAS}/CN=R",
            "--may-sign-under", CAS, "--passphrase-fd"]
    result = with_phrase("only 14 bytes.", *make)
    assert result.returncode == 2 and "15" in result.stderr
    assert not list(tmp_path.iterdir())
    assert with_phrase(PHRASE, *make).returncode == 0
    pem = (root / "ca.key").read_text()
    assert "ENCRYPTED PRIVATE KEY" in pem and PHRASE not in pem
    assert "scrypt" in openssl("asn1parse", "-in", root / "ca.key").stdout
    openssl("pkey", "-in", root / "ca.key", "-passin", f"pass:{PHRASE}",
            "-noout")
    sub = ["init", "slcs", tmp_path / "slcs", "--root", root, "--subject",
           f"{CAS}/CN=S", "--may-sign-under", PEOPLE, "--root-passphrase-fd"]
    wrong = with_phrase("wrong horse battery", *sub)
    assert wrong.returncode == 5 and not (tmp_path / "slcs").exists()
    assert with_phrase(PHRASE, *sub).returncode == 0
    # With nobody at the keyboard it asks for a terminal, and makes nothing.
    alone = ca("init", "root", tmp_path / "r2", "--subject", f"{CAS}/CN=R",
               "--may-sign-under", CAS, check=False, stdin=subprocess.DEVNULL,
               start_new_session=True)
    assert alone.returncode == 2 and not list(tmp_path.glob("r2*"))


def test_at_a_terminal_the_phrase_is_asked_for_twice(tmp_path):
    argv = [str(SIGNET_CA), "init", "root", str(tmp_path / "root"),
            "--subject", f"{CAS}/CN=R", "--may-sign-under", CAS]
    status, said = converse(argv, [PHRASE, PHRASE + "x"])
    assert status == 2 and "differ" in said
    status, said = converse(argv, ["short"])
    assert status == 2 and "15" in said
    assert not list(tmp_path.iterdir())
    status, said = converse(argv, [PHRASE, PHRASE])
    assert status == 0 and PHRASE not in said
    assert "ENCRYPTED" in (tmp_path / "root/ca.key").read_text()


def test_passwords_are_set_changed_and_taken_away(tmp_path):
    path = tmp_path / "passwd"
    ca("passwd", path, "ann", "--password-stdin", input="first secret\n")
    ca("passwd", path, "bob", "--password-stdin", input="second secret\n")
    first = path.read_text().splitlines()
    assert [line.split(":")[0] for line in first] == ["ann", "bob"]
    assert all(line.split(":")[1].startswith("$y$") for line in first)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    ca("passwd", path, "ann", "--password-stdin", input="third secret\n")
    second = path.read_text().splitlines()
    assert second[0] != first[0] and second[1] == first[1]
    ca("passwd", path, "ann", "--delete")
    assert path.read_text().splitlines() == [first[1]]
    refused("passwd", path, "ann", "--delete", status=3, says="ann")
    refused("passwd", path, "eve", "--password-stdin", input="\n", status=2,
            says="empty")
    for name in ("ann@LIGO.ORG", "ann/admin", "LIGO\\\\ann", "-ann", "a:b", ""):
        refused("passwd", path, "--password-stdin", "--", name,
                input="x\n", status=2, says="never log in")


def test_help_and_version_are_answers_and_mistakes_are_not(tmp_path):
    result = ca("--help")
    assert result.stdout.startswith("usage: signet-ca") and not result.stderr
    assert re.match(r"signet-ca \d+\.\d+", ca("--version").stdout)
    for words in ["init root", "init slcs", "init services", "issue", "revoke",
                  "crl", "publish", "passwd", "ledger list", "ledger search",
                  "ledger show", "ledger export", "ledger check"]:
        assert words in result.stdout
        assert ca(*words.split(), "--help").stdout.startswith(
            f"usage: signet-ca {words}")
    refused(status=2, says="which command")
    refused("dance", status=2, says="dance")
    refused("init", "dance", status=2, says="init dance")
    refused("init", "root", status=2, says="usage")
    refused("init", "root", tmp_path / "d", "--dance", status=2,
            says="--dance")
    refused("init", "root", tmp_path / "d", "--subject", status=2,
            says="--subject")
    refused("init", "root", tmp_path / "d", "--no-passphrase", status=2,
            says="--subject")
    refused("ledger", "list", "--ledger", tmp_path / "none", status=3,
            says="none")
    refused("ledger", "list", "--since", "yesterday", status=2,
            says="--since")
    for words, code in ((("ledger", "check", "--ledger", tmp_path / "none"),
                         "absent"), (("ledger", "dance"), "usage"),
                        (("ledger", "list", "--dance"), "usage")):
        result = ca(*words, "--json", check=False)
        error = json.loads(result.stdout)["error"]
        assert error["code"] == code and error["message"] in result.stderr
        assert error["exit"] == result.returncode != 0


def test_every_command_option_and_setting_is_in_the_manual():
    pages = {name: (BUILD / "signet-ca" / name).read_text()
             for name in ("signet-ca.8", "ca.conf.5", "profile.5")}
    manual = pages["signet-ca.8"]
    for option in re.findall(r'^OPTION\(\w+, "([^"]+)"',
                             (REPO / "signet-ca/base/ca_options.def").read_text(),
                             re.M):
        assert f".It Fl -{option}" in manual, option
    for name in re.findall(
            r'^COMMAND\(\w+, "([^"]+)"',
            (REPO / "signet-ca/base/ca_commands.def").read_text(), re.M):
        assert f".It Cm {name}" in manual
    assert ".It 78\n" in manual and "@" not in re.sub(r"\S+@\S+", "", manual)
    for page, table in ("ca.conf.5", "authority.def"), ("profile.5",
                                                         "profile.def"):
        text = (REPO / "lib/x509" / table).read_text()
        keywords = re.findall(r'^CONF\(\w+, "([^"]+)"', text, re.M)
        assert len(keywords) > 10
        for keyword in keywords:
            assert f".It Ic {keyword} " in pages[page], keyword
    for name in pages:
        lint = run("mandoc", "-T", "lint", "-W", "warning",
                   BUILD / "signet-ca" / name, check=False)
        assert lint.returncode == 0, lint.stdout
