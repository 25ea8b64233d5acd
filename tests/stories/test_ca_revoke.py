"""Revoking: by serial, subject, requester and file; hold and release; a
hundred thousand; killed on the way; and what status says of it all."""

import json
import os
import signal
import sqlite3
import subprocess
import time

import pytest
from ca_house import ca
from signet_site import BASE, BUILD, CAS, REPO, SIGNET_CA, Site, openssl, run

SERVICES = f"{BASE}/OU=Services"
FILL = BUILD / "tests" / "ledger_fill"
SIGNET = BUILD / "signet" / "signet"
REASONS = {"keyCompromise": "Key Compromise", "cACompromise": "CA Compromise",
           "affiliationChanged": "Affiliation Changed",
           "superseded": "Superseded",
           "cessationOfOperation": "Cessation Of Operation",
           "certificateHold": "Certificate Hold",
           "privilegeWithdrawn": "Privilege Withdrawn",
           "aACompromise": "AA Compromise", "unspecified": None}


def answer(*args, status=0):
    done = ca(*args, "--json", check=False)
    assert done.returncode == status, done.stderr
    return json.loads(done.stdout)


def issue(services, name, *options):
    out = services.parent / name
    ca("issue", services, "--profile", "host", "--profile-dir",
       REPO / "share/profiles", "--subject", f"{SERVICES}/CN={name}", "--key",
       "ec:P-256", "--out-cert", f"{out}.pem", "--out-key", f"{out}.key",
       *options)
    serial = openssl("x509", "-in", f"{out}.pem", "-noout", "-serial").stdout
    return serial.strip().split("=")[1].lower()


@pytest.fixture()
def services(tmp_path):
    ca("init", "root", tmp_path / "root", "--subject", f"{CAS}/CN=Root",
       "--may-sign-under", CAS, "--key", "ec:P-384", "--no-passphrase")
    ca("init", "services", tmp_path / "services", "--root", tmp_path / "root",
       "--subject", f"{CAS}/CN=LIGO CA 1", "--may-sign-under", SERVICES,
       "--crl-url", "http://ca.example.org/s.crl", "--serial",
       "range 4096 1000", "--no-passphrase")
    return tmp_path / "services"


def crl_of(services, name="list.pem"):
    out = services.parent / name
    ca("crl", services, "--out", out)
    return openssl("crl", "-in", out, "-noout", "-text").stdout


def test_every_reason_of_rfc_5280_comes_to_the_list(services):
    serials = {}
    for n, word in enumerate(REASONS):
        serials[word] = issue(services, f"h{n}.example.org")
        done = ca("revoke", services, serials[word], "--reason", word)
        assert "revoked 1\n" in done.stdout
        assert f"signet-ca crl {services} --out" in done.stdout
    text = crl_of(services)
    for word, shown in REASONS.items():
        entry = text.split(f"Serial Number: {serials[word].upper()}")[1]
        entry = entry.split("Serial Number:")[0]
        assert shown in entry if shown else "Reason Code" not in entry
    for word, says in (("removeFromCRL", "signet-ca release"),
                       ("anger", "unknown --reason")):
        done = ca("revoke", services, "1000", "--reason", word, check=False)
        assert done.returncode == 2 and says in done.stderr


def test_a_run_again_is_no_error_and_an_unknown_serial_is(services):
    one, two = (issue(services, f"{n}.example.org") for n in ("a", "b"))
    nothing = {"ca": "services", "dry_run": False, "revoked": 0, "already": 0,
               "unknown": 0, "refused": 0, "expired": 0}
    assert answer("revoke", services, one) == {**nothing, "revoked": 1}
    assert answer("revoke", services, one, f"0x{one}", f"00:{one}") == \
        {**nothing, "already": 1}
    said = answer("revoke", services, one, two, "abcdef", status=3)
    assert said == {**nothing, "revoked": 1, "already": 1, "unknown": 1}
    done = ca("revoke", services, "abcdef", check=False)
    assert done.returncode == 3
    assert "abcdef was never issued\n" in done.stderr
    for bad in ("xyz", "0", "f" * 41):
        done = ca("revoke", services, bad, check=False)
        assert done.returncode == 2 and "is no serial" in done.stderr
    done = ca("revoke", services, check=False)
    assert done.returncode == 2 and "which?" in done.stderr
    done = ca("revoke", services, one, "--ledger", services / "nothing.db",
              check=False)
    assert done.returncode == 3 and not (services / "nothing.db").exists()


def test_a_hold_is_let_go_and_nothing_else_is(services):
    held, gone = (issue(services, f"{n}.example.org") for n in ("a", "b"))
    ca("revoke", services, held, "--reason", "certificateHold")
    ca("revoke", services, gone)
    assert held.upper() in crl_of(services, "1.pem")
    assert answer("release", services, held, gone, status=8)["refused"] == 1
    text = crl_of(services, "2.pem")
    assert held.upper() not in text and gone.upper() in text
    assert answer("release", services, held)["already"] == 1
    # What is held can be revoked for good, and then stays so.
    ca("revoke", services, held, "--reason", "certificateHold")
    assert answer("revoke", services, held, "--reason",
                  "superseded")["revoked"] == 1
    assert answer("release", services, held, status=8)["refused"] == 1
    kinds = [r["kind"] for r in json.loads(
        ca("log", services, "--with-serial", held, "--json").stdout)]
    assert kinds == ["reserve", "issue", "revoke", "release", "revoke",
                     "revoke"]


def test_by_subject_by_requester_and_by_file(services):
    names = ["a", "a.b", "c", "d"]
    serial = {n: issue(services, f"{n}.example.org") for n in names}
    for old in ("c.example.org.pem", "c.example.org.key"):
        (services.parent / old).unlink()
    again = issue(services, "c.example.org", "--days", "30")
    c = f"{SERVICES}/CN=c.example.org"
    before = ca("log", services).stdout
    assert answer("revoke", services, "--subject", c, "--dry-run") == {
        "ca": "services", "dry_run": True, "revoked": 2, "already": 0,
        "unknown": 0, "refused": 0, "expired": 0}
    assert ca("log", services).stdout == before
    assert answer("revoke", services, "--subject", c)["revoked"] == 2
    assert answer("revoke", services, "--subject", c)["already"] == 2
    text = crl_of(services)
    assert serial["c"].upper() in text and again.upper() in text
    # The whole subject, not a part of it.
    assert answer("revoke", services, "--subject", SERVICES)["revoked"] == 0
    listed = services.parent / "leak"
    listed.write_text(f"# a disk was stolen\n{serial['a']}  # Ann's\n\n"
                      f"0x{serial['a.b'].upper()}\r\n{serial['c']}\n")
    said = answer("revoke", services, "--serials", listed, "--reason",
                  "keyCompromise")
    assert said["revoked"] == 2 and said["already"] == 1
    listed.write_text(f"{serial['d']}\nabc def\n")
    done = ca("revoke", services, "--serials", listed, check=False)
    assert done.returncode == 1 and f"{listed}:2: no serial" in done.stderr
    who = json.loads(ca("log", services, "--kind", "reserve", "--limit", "1",
                        "--json").stdout)[0]["who"]
    assert answer("revoke", services, "--requester", who + "x")["revoked"] == 0
    assert answer("revoke", services, "--requester", who)["revoked"] == 1


def test_what_has_expired_is_left_alone(services):
    run(FILL, services / "ledger.db", "services", 5, int(time.time()) - 60, 6)
    assert answer("revoke", services, "--requester",
                  "scott.koranda")["expired"] == 5


def test_the_short_lived_kind_through_the_daemons_ledger(tmp_path):
    with Site(tmp_path / "site") as site:
        conf = tmp_path / "signet.conf"
        conf.write_text(f"server localhost:{site.port}\n"
                        f"realm {site.realm}\nauth password\n")
        env = site.client_env(HOME=tmp_path, XDG_CACHE_HOME=tmp_path / "c",
                              X509_USER_PROXY=tmp_path / "p.pem",
                              SIGNET_CONF=conf)
        run(SIGNET, "login", "--password-stdin", "user0", env=env,
            input="secret123\n")
        done = ca("revoke", site.ca, "--requester", "user0", check=False)
        assert done.returncode == 2 and "--ledger" in done.stderr
        done = ca("revoke", site.ca, "--requester", "user0", "--ledger",
                  site.ledger, "--reason", "affiliationChanged")
        assert "revoked 1\n" in done.stdout
        assert "signetd puts it on its next list of slcs" in done.stdout
        line, = json.loads(ca("log", "--ledger", site.ledger, "--kind",
                              "revoke", "--json").stdout)
        assert line["reason"] == "affiliationChanged"
        ca("log", "check", site.ca, "--ledger", site.ledger)


def held_of(book):
    db = sqlite3.connect(f"file:{book}?mode=ro", uri=True)
    rows = db.execute("SELECT hex(serial) FROM entry WHERE kind = 4").fetchall()
    db.close()
    return [r[0] for r in rows]


@pytest.mark.heavy
def test_a_bulk_that_is_killed_goes_on_when_it_is_run_again(services):
    """Whole thousands are there or not, nothing twice, and the chain holds."""
    count, book = 20000, services / "ledger.db"
    run(FILL, book, "services", count, int(time.time()) + 9000000, 6)
    listed = services.parent / "all"
    listed.write_text("\n".join(held_of(book)) + "\n")
    done = 0
    for wait in (0.05, 0.1, 0.2, 0.3):
        child = subprocess.Popen([SIGNET_CA, "revoke", services, "--serials",
                                  listed, "--reason", "cACompromise"],
                                 stdout=subprocess.PIPE)
        try:
            child.communicate(timeout=wait)
        except subprocess.TimeoutExpired:
            os.kill(child.pid, signal.SIGKILL)
            child.communicate()
        db = sqlite3.connect(f"file:{book}?mode=ro", uri=True)
        now = db.execute("SELECT count(*) FROM entry WHERE kind = 4"
                         " AND reason = 2").fetchone()[0]
        db.close()
        assert now >= done and now % 1000 == 0
        done = now
    said = answer("revoke", services, "--serials", listed, "--reason",
                  "cACompromise")
    assert said["revoked"] == count - done and said["already"] == done
    ca("log", "check", services)
    state = json.loads(ca("status", services, "--json", check=False).stdout)
    assert state["revoked"] == count and state["held"] == 0


def test_status_counts_warns_and_answers_a_monitor(services):
    for n in "abc":
        serial = issue(services, f"{n}.example.org")
    done = ca("status", services, check=False)
    assert done.returncode == 1 and "no CRL was made yet" in done.stdout
    crl_of(services)
    state = answer("status", services)
    assert state["state"] == "ok" and state["valid"] == 3
    assert state["serials_left"] == 997 and state["crl"]["number"] > 0
    ca("revoke", services, serial, "--reason", "certificateHold")
    state = answer("status", services, status=1)
    assert state["held"] == 1 and "on no CRL yet" in state["says"]
    ca("release", services, serial)
    crl_of(services, "second.pem")
    done = ca("status", services, "--plugin")
    assert done.stdout.startswith("CA OK - services: all is well | valid=3 ")
    assert done.stdout.count("\n") == 1
    done = ca("status", services / "none", "--plugin", check=False)
    assert done.returncode == 3 and done.stdout.startswith("CA UNKNOWN - ")


@pytest.mark.parametrize("days,level,status", [
    (15, "ok", 0), (17, "notice", 0), (24, "warning", 1), (28, "critical", 2),
    (31, "critical", 2)])
def test_status_warns_before_the_list_ends(services, days, level, status):
    """Fourteen, seven and three days before the end of its thirty."""
    crl_of(services)
    def later(*args):
        return run("faketime", "-f", f"+{days}d", SIGNET_CA, "status",
                   services, *args, check=False)
    said = later("--json")
    assert json.loads(said.stdout)["state"] == level
    assert said.returncode == min(status, 1)
    assert later("--plugin").returncode == status


def test_the_ledger_names_who_revoked_under_sudo_too(services, monkeypatch):
    serial = issue(services, "a.example.org")
    monkeypatch.setenv("SUDO_USER", "ann")
    ca("revoke", services, serial)
    entry = json.loads(ca("log", services, "--kind", "revoke",
                          "--json").stdout)[-1]
    # Another's environment proves nothing; sudo's, as root, does.
    assert ("ann" in entry.values()) == (os.getuid() == 0), entry
