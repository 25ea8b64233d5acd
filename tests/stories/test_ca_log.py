"""The log: what it lists, heads that are kept elsewhere, proofs, and every
way of tampering found, by us and by a checker that shares nothing with us."""

import base64
import hashlib
import json
import pathlib
import shutil
import sqlite3
import stat
import sys
import time

import pytest
from ca_house import ca
from signet_site import BASE, CAS, REPO, SIGNETD, Site, run

sys.path.insert(0, str(REPO / "tests" / "peers"))
import check_log  # noqa: E402

SERVICES = f"{BASE}/OU=Services"
CHECKER = REPO / "tests" / "peers" / "check_log.py"


def entries(house, *args):
    return json.loads(ca("log", house, *args, "--json").stdout)


def issue(house, name):
    ca("issue", house, "--profile", "host", "--profile-dir",
       REPO / "share/profiles", "--subject", f"{SERVICES}/CN={name}",
       "--key", "ec:P-256", "--out-cert", house.parent / f"{name}.pem",
       "--out-key", house.parent / f"{name}.key")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A CA with a log of a dozen entries, and a head from the middle."""
    d = tmp_path_factory.mktemp("house")
    ca("init", "root", d / "root", "--subject", f"{CAS}/CN=Root",
       "--may-sign-under", CAS, "--key", "ec:P-384", "--no-passphrase")
    ca("init", "services", d / "services", "--root", d / "root", "--subject",
       f"{CAS}/CN=LIGO CA 1", "--may-sign-under", SERVICES, "--crl-url",
       "http://ca.example.org/s.crl", "--serial", "range 4096 1000",
       "--no-passphrase")
    for name in ("a.example.org", "b.example.org", "c.example.org"):
        issue(d / "services", name)
    ca("log", "head", d / "services", "--out", d / "kept")
    ca("revoke", d / "services", "1000", "--reason", "keyCompromise")
    ca("crl", d / "services", "--out", d / "crl.pem")
    issue(d / "services", "d.example.org")
    return d


@pytest.fixture()
def d(made, tmp_path):
    shutil.copytree(made, tmp_path / "d")
    return tmp_path / "d"


def test_every_entry_is_told_and_can_be_chosen(made):
    house = made / "services"
    everything = entries(house)
    assert [e["kind"] for e in everything] == \
        ["reserve", "issue"] * 3 + ["revoke", "crl", "filed"] + \
        ["reserve", "issue"]
    assert [e["entry"] for e in everything] == list(range(1, 12))
    assert len(ca("log", house).stdout.splitlines()) == 11
    assert [e["entry"] for e in entries(house, "--with-serial", "1000")] == \
        [1, 2, 7]
    assert [e["entry"] for e in entries(house, "--subject", "CN=b.ex")] == \
        [3, 4]
    assert [e["entry"] for e in entries(house, "--kind", "revoke")] == [7]
    assert len(entries(house, "--limit", "2")) == 2
    who = everything[0]["who"]
    assert all(e["kind"] in ("reserve", "revoke")
               for e in entries(house, "--who", who))
    assert entries(house, "--who", "nobody-" + who) == []
    assert entries(house, "--until", "2001-01-01") == []
    assert len(entries(house, "--since", "2001-01-01")) == 11
    assert entries(house, "--ca", "other") == []
    assert entries(house, "--request", "none") == []
    done = ca("log", house, "--kind", "party", check=False)
    assert done.returncode == 2 and "reserve, issue" in done.stderr
    done = ca("log", check=False)
    assert done.returncode == 2 and "--ledger" in done.stderr
    by_file = ca("log", "--ledger", house / "ledger.db").stdout
    assert by_file == ca("log", house).stdout


def test_heads_and_proofs_are_right_for_both(d):
    house, kept, pub = d / "services", d / "kept", d / "services/log.pub"
    assert stat.S_IMODE((house / "log.key").stat().st_mode) == 0o600
    head = ca("log", "head", house).stdout
    assert head == (house / "log.head").read_text()
    (d / "now").write_text(head)
    done = ca("log", "check", house, "--head", kept, "--head", d / "now")
    assert done.stdout.startswith("11 entries") and \
        "3 kept heads are right" in done.stdout
    assert run(CHECKER, "head", pub, d / "now").stdout == "size 11\n"
    assert run(CHECKER, "ledger", pub, house / "ledger.db", kept,
               d / "now").stdout == "entries 11\n"
    for n in range(1, 12):
        proof = d / f"proof{n}"
        ca("log", "prove", house, "--entry", n, "--out", proof)
        ca("log", "verify", proof, "--log-key", pub)
        assert f"entry {n} of 11" in run(CHECKER, "proof", pub, proof).stdout
    ca("log", "prove", house, "--with-serial", "1001", "--out", d / "serial")
    leaf = base64.b64decode(json.loads((d / "serial").read_text())["leaf"])
    assert check_log.read_leaf(leaf)["der"][:1] == b"\x30"
    ca("log", "prove", house, "--from", kept, "--out", d / "growth")
    done = ca("log", "verify", d / "growth", "--log-key", pub, "--head", kept)
    assert "the 11 entries" in done.stdout and "with the 6" in done.stdout
    assert run(CHECKER, "proof", pub, d / "growth", kept).stdout == \
        "11 entries begin with 6\n"


def test_openssl_takes_the_signature_of_a_head(d):
    """Ed25519 of the standard, and the key where it is said to be."""
    name, _, key = check_log.read_pub((d / "services/log.pub").read_text())
    body, _, rest = (d / "kept").read_text().partition("\n\n")
    signature = base64.b64decode(rest.split()[-1])[4:]
    spki = bytes.fromhex("302a300506032b6570032100") + key
    (d / "pub.der").write_bytes(spki)
    (d / "body").write_text(body + "\n")
    (d / "sig").write_bytes(signature)
    verify = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey",
              d / "pub.der", "-keyform", "DER", "-rawin", "-in", d / "body",
              "-sigfile", d / "sig"]
    assert "Success" in run(*verify).stdout
    (d / "body").write_text(body + " \n")
    assert run(*verify, check=False).returncode == 1
    run("openssl", "pkey", "-in", d / "services/log.key", "-pubout",
        "-outform", "DER", "-out", d / "again.der")
    assert (d / "again.der").read_bytes() == spki
    assert name.startswith("signet/services/")


def forge(book, *statements, rechain=False):
    """Change a ledger as one would who knows of its triggers."""
    db = sqlite3.connect(book)
    kept = db.execute("SELECT name, sql FROM sqlite_schema"
                      " WHERE type = 'trigger'").fetchall()
    for name, _ in kept:
        db.execute(f"DROP TRIGGER {name}")
    for sql in statements:
        db.execute(sql)
    if rechain:
        last, columns = bytes(32), ", ".join(check_log.COLUMNS)
        for row in db.execute(f"SELECT {columns} FROM entry ORDER BY id"
                              ).fetchall():
            octets = b"".join(check_log.octets_of(v) for v in row)
            last = hashlib.sha256(last + octets).digest()
            db.execute("UPDATE entry SET hash = ? WHERE id = ?",
                       (last, row[0]))
    for _, sql in kept:
        db.execute(sql)
    db.commit()
    db.close()


TAMPERING = {
    "a name is changed":
        (["UPDATE entry SET subject = '/CN=x' WHERE id = 3"], False),
    "an entry is taken out":
        (["DELETE FROM entry WHERE id = 4"], False),
    "the last ones are cut off":
        (["DELETE FROM entry WHERE id > 4", "DELETE FROM frontier"], False),
    "a hash is changed":
        (["UPDATE entry SET hash = zeroblob(32) WHERE id = 2"], False),
    "a name is changed, and the chain made anew":
        (["UPDATE entry SET subject = '/CN=x' WHERE id = 3"], True),
    "a time is changed, and the chain made anew":
        (["UPDATE entry SET time = time - 1 WHERE id = 1"], True),
    "two names are exchanged, and the chain made anew":
        (["UPDATE entry SET subject = (SELECT subject FROM entry e"
          " WHERE e.id = 4 - entry.id) WHERE id IN (1, 3)"], True),
    "a revocation is taken out, and the chain made anew":
        (["DELETE FROM entry WHERE id > 6"], True),
}


@pytest.mark.parametrize("what", TAMPERING)
def test_tampering_with_the_ledger_is_found(d, what):
    """By a head from before: the machine that was broken into has the key."""
    house, pub = d / "services", d / "services/log.pub"
    ca("log", "head", house, "--out", d / "late")
    (house / "log.head").unlink()
    sql, rechain = TAMPERING[what]
    forge(house / "ledger.db", *sql, rechain=rechain)
    done = ca("log", "check", house, "--head", d / "late", check=False)
    assert done.returncode in (1, 7), done.stderr
    said = run(CHECKER, "ledger", pub, house / "ledger.db", d / "late",
               check=False)
    assert said.returncode == 1 and "check_log: " in said.stderr
    if rechain:
        # Whole in itself: only the head that was kept tells.
        assert done.returncode == 7 and "kept head" in done.stderr
        run(CHECKER, "ledger", pub, house / "ledger.db")


def test_no_head_is_signed_that_forgets_the_last(d):
    house = d / "services"
    forge(house / "ledger.db", "UPDATE entry SET time = time - 1 WHERE id = 1",
          rechain=True)
    done = ca("log", "head", house, check=False)
    assert done.returncode == 7 and not done.stdout
    done = ca("log", "prove", house, "--from", d / "kept", check=False)
    assert done.returncode == 7


def both_refuse(d, proof, *kept):
    pub = d / "services/log.pub"
    more = [x for k in kept for x in ("--head", k)]
    done = ca("log", "verify", proof, "--log-key", pub, *more, check=False)
    said = run(CHECKER, "proof", pub, proof, *kept, check=False)
    assert done.returncode in (1, 7), (done.stdout, done.stderr)
    assert said.returncode == 1 and "check_log: " in said.stderr, said


def flipped(text, at):
    octets = bytearray(base64.b64decode(text))
    octets[at] ^= 1
    return base64.b64encode(octets).decode()


def test_tampering_with_a_proof_is_found(d):
    house, kept, proof = d / "services", d / "kept", d / "proof"
    entry = json.loads(ca("log", "prove", house, "--entry", "5").stdout)
    growth = json.loads(ca("log", "prove", house, "--from", kept).stdout)
    other = json.loads(ca("log", "prove", house, "--entry", "6").stdout)
    size = "\n11\n"
    changes = [
        (entry, "leaf", flipped(entry["leaf"], 40)),
        (entry, "leaf", other["leaf"]),
        (entry, "entry", 6),
        (entry, "path", entry["path"][:-1]),
        (entry, "path", entry["path"] + entry["path"][:1]),
        (entry, "path", entry["path"][::-1]),
        (entry, "path", [flipped(entry["path"][0], 0), *entry["path"][1:]]),
        (entry, "head", entry["head"].replace(size, "\n12\n")),
        (entry, "head", kept.read_text()),
        (entry, "proof", "of concept"),
        (growth, "path", []),
        (growth, "path", growth["path"][1:]),
        (growth, "path", [*growth["path"][:-1],
                          flipped(growth["path"][-1], 31)]),
        (growth, "head", growth["head"].replace(size, "\n10\n")),
        (growth, "head", kept.read_text()),
    ]
    for whole, field, value in changes:
        assert whole[field] != value
        proof.write_text(json.dumps({**whole, field: value}))
        both_refuse(d, proof)
    proof.write_text(json.dumps(growth))
    ca("log", "head", house, "--out", d / "now")
    both_refuse(d, proof, d / "proof")
    (d / "wrong").write_text(kept.read_text().replace("\n6\n", "\n5\n"))
    both_refuse(d, proof, d / "wrong")
    for cut in ("", "{", "[]", "null", json.dumps(growth)[:-20]):
        proof.write_text(cut)
        done = ca("log", "verify", proof, "--log-key",
                  house / "log.pub", check=False)
        assert done.returncode == 1


def test_an_entry_is_held_against_the_head_that_was_kept(d):
    house, proof, now = d / "services", d / "proof", d / "now"
    ca("log", "prove", house, "--entry", "5", "--out", proof)
    ca("log", "head", house, "--out", now)
    verify = ["log", "verify", proof, "--log-key", house / "log.pub", "--head"]
    ca(*verify, now)
    for head, status, says in ((d / "kept", 7, "another head"),
                               (d / "nowhere", 3, "nowhere")):
        done = ca(*verify, head, check=False)
        assert done.returncode == status and says in done.stderr
        assert done.stdout == ""
    assert ca(*verify, now, "--head", now, check=False).returncode == 2


def test_a_head_of_another_log_or_key_is_refused(d, made):
    house = d / "services"
    other = d / "other"
    shutil.copytree(made / "root", other)
    ca("log", "head", other, "--out", d / "others")
    for head, says in ((d / "others", "of the log signet/root/"),
                       (house / "ca.pem", "not a signed head")):
        done = ca("log", "check", house, "--head", head, check=False)
        assert done.returncode in (1, 7) and says in done.stderr
    done = ca("log", "check", house, "--head", d / "kept", "--log-key",
              other / "log.pub", check=False)
    assert done.returncode == 7
    text = pathlib.Path(d / "kept").read_text()
    (d / "forged").write_text(text.replace("\n6\n", "\n7\n"))
    done = ca("log", "check", house, "--head", d / "forged", check=False)
    assert done.returncode == 7 and "signature" in done.stderr
    assert run(CHECKER, "head", house / "log.pub", d / "forged",
               check=False).returncode == 1


def test_a_log_key_that_others_can_read_signs_nothing(d):
    (d / "services/log.key").chmod(0o640)
    done = ca("log", "head", d / "services", check=False)
    assert done.returncode == 8 and "chmod" in done.stderr


def test_the_daemon_signs_heads_beside_its_ledger(tmp_path):
    """By a key that only its keeper has; across a restart the log goes on."""
    key, kept = tmp_path / "log.key", tmp_path / "kept"
    run("openssl", "genpkey", "-algorithm", "ed25519", "-out", key)
    key.chmod(0o600)
    with Site(tmp_path / "site", settings=[f"log-key {key}"]) as site:
        site.wait_log("head-signed log=signet/ledger/")
        head, pub = (site.ledger.parent / n for n in ("log.head", "log.pub"))
        ca("log", "check", "--ledger", site.ledger, "--head", head,
           "--log-key", pub)
        shutil.copy(head, kept)
        assert run(CHECKER, "head", pub, kept).stdout.startswith("size ")
        site.stop()
        issued = len(entries(site.ca, "--ledger", site.ledger))
        ca("crl", site.ca, "--ledger", site.ledger, "--out", tmp_path / "crl")
        site.start()
        while check_log.read_head(head.read_text(), check_log.read_pub(
                pub.read_text()))[0] <= issued:
            time.sleep(0.05)
        ca("log", "prove", "--ledger", site.ledger, "--from", kept,
           "--log-key", key, "--out", tmp_path / "growth")
        run(CHECKER, "proof", pub, tmp_path / "growth", kept)
        run(CHECKER, "ledger", pub, site.ledger, kept, head)
        site.stop()
    key.chmod(0o644)
    done = run(SIGNETD, "--check", "-c", site.conf, check=False)
    assert done.returncode != 0 and "log-key" in done.stderr


def test_the_daemon_signs_no_head_that_takes_something_back(tmp_path):
    """A book that was put back to what it was is not what was signed."""
    key, early = tmp_path / "log.key", tmp_path / "early.db"
    run("openssl", "genpkey", "-algorithm", "ed25519", "-out", key)
    key.chmod(0o600)
    with Site(tmp_path / "site", settings=[f"log-key {key}"]) as site:
        head = site.ledger.parent / "log.head"
        site.wait_log("head-signed")
        site.stop()
        with sqlite3.connect(site.ledger) as now, \
                sqlite3.connect(early) as then:
            now.backup(then)
        ca("crl", site.ca, "--ledger", site.ledger, "--out", tmp_path / "crl")
        site.start()
        site.wait_log("head-signed")
        site.stop()
        later = head.read_text()
        for more in ("-wal", "-shm"):
            pathlib.Path(f"{site.ledger}{more}").unlink(missing_ok=True)
        site.ledger.write_bytes(early.read_bytes())
        site.start()
        site.wait_log("ledger-fault .*log.head")
        assert head.read_text() == later
        site.stop()
        head.unlink()
        site.start()
        site.wait_log("head-signed")
