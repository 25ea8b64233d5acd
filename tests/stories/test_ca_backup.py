"""Backups of CAs: one sealed file, made also while the daemon signs; and what
is restored goes on above all that the CA ever did."""

import json
import os
import pathlib
import random
import signal
import stat
import subprocess

import pytest
from signet_site import (BASE, CAS, PEOPLE, REPO, SIGNET_CA, Root, Site,
                         openssl, run)

SERVICES = f"{BASE}/OU=Services"
PROFILES = REPO / "share/profiles"
PHRASE = "what is kept in the vault"


def ca(*args, phrase=None, check=True, **kw):
    """signet-ca; a pass phrase comes by a descriptor."""
    if phrase is None:
        return run(SIGNET_CA, *args, check=check, **kw)
    read, write = os.pipe()
    os.write(write, phrase.encode() + b"\n")
    os.close(write)
    try:
        return run(SIGNET_CA, *args, "--passphrase-fd", read, check=check,
                   pass_fds=[read], **kw)
    finally:
        os.close(read)


def refused(*args, status, says, **kw):
    result = ca(*args, check=False, **kw)
    assert result.returncode == status, result.stderr
    assert says in result.stderr, result.stderr
    return result


def number_of(crl):
    return int(openssl("crl", "-in", crl, "-noout", "-crlnumber"
                       ).stdout.split("=")[1], 16)


def serial_of(pem):
    return int(openssl("x509", "-in", pem, "-noout", "-serial"
                       ).stdout.split("=")[1], 16)


class Office:
    """A root, and a services CA that numbers in a range."""

    def __init__(self, directory, serial="range 1000 100000"):
        self.dir = directory
        self.root, self.services = directory / "root", directory / "services"
        ca("init", "root", self.root, "--subject", f"{CAS}/CN=LIGO Root CA 1",
           "--may-sign-under", CAS, "--key", "ec:P-384", "--no-passphrase")
        ca("init", "services", self.services, "--root", self.root,
           "--subject", f"{CAS}/OU=Services/CN=LIGO CA 1", "--may-sign-under",
           SERVICES, "--no-passphrase", "--serial", serial)
        self.count = 0

    def issue(self, place=None, check=True):
        self.count += 1
        path = self.dir / f"host-{self.count}"
        result = ca("issue", place or self.services, "--profile", "host",
                    "--profile-dir", PROFILES, "--subject",
                    f"{SERVICES}/CN=h{self.count}.ligo.org", "--key",
                    "ec:P-256", "--out-cert", f"{path}.pem", "--out-key",
                    f"{path}.key", check=check)
        return pathlib.Path(f"{path}.pem") if check else result

    def crl(self, name, place=None):
        path = self.dir / name
        ca("crl", place or self.services, "--out", path)
        return path

    def backup(self, name="backup", place=None, *options):
        path = self.dir / name
        ca("backup", place or self.services, "--out", path, *options,
           phrase=PHRASE)
        return path


@pytest.fixture
def office(tmp_path):
    return Office(tmp_path)


def listed(crl):
    text = openssl("crl", "-in", crl, "-noout", "-text").stdout
    return {int(line.split(":")[1], 16) for line in text.splitlines()
            if "Serial Number:" in line}


def test_a_backup_says_what_is_in_it(office):
    office.issue()
    path = office.backup()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in office.dir.glob("backup*")] == ["backup"]
    said = json.loads(ca("backup", "check", path, "--json",
                         phrase=PHRASE).stdout)
    walked = json.loads(ca("ledger", "check", "--json", "--ledger",
                           office.services / "ledger.db").stdout)
    assert said["subject"] == f"{CAS}/OU=Services/CN=LIGO CA 1"
    assert (said["entries"], said["head"]) == (walked["entries"],
                                               walked["head"])
    assert said["key_encrypted"] is False
    text = ca("backup", "check", path, phrase=PHRASE).stdout
    assert "open: this file alone guards it" in text
    # Nothing of it can be read without the pass phrase.
    octets = path.read_bytes()
    for secret in b"PRIVATE KEY", b"LIGO", b"SQLite":
        assert secret not in octets
    # What is there is not overwritten; short pass phrases are none.
    refused("backup", office.services, "--out", path, phrase=PHRASE, status=8,
            says="already")
    refused("backup", office.services, "--out", office.dir / "b2",
            phrase="short", status=2, says="at least 15")
    refused("backup", office.services, phrase=PHRASE, status=2, says="--out")


def test_an_encrypted_key_stays_as_it_is(tmp_path):
    root = tmp_path / "root"
    ca("init", "root", root, "--subject", f"{CAS}/CN=LIGO Root CA 1",
       "--may-sign-under", CAS, phrase="the key's own phrase")
    ca("backup", root, "--out", tmp_path / "b", phrase=PHRASE)
    assert "key      encrypted" in ca("backup", "check", tmp_path / "b",
                                      phrase=PHRASE).stdout
    ca("restore", tmp_path / "b", tmp_path / "again", "--nothing-since",
       phrase=PHRASE)
    for name in "ca.conf", "ca.pem", "ca.key":
        assert ((tmp_path / "again" / name).read_bytes() ==
                (root / name).read_bytes())
    assert stat.S_IMODE((tmp_path / "again").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "again/ca.key").stat().st_mode) == 0o600
    ca("crl", tmp_path / "again", "--out", tmp_path / "crl",
       phrase="the key's own phrase")


def test_a_wrong_phrase_and_an_altered_file_are_refused(office):
    for _ in range(70):
        office.issue()
    path = office.backup()
    whole = path.read_bytes()
    assert len(whole) > 48 + 2 * (65536 + 16)
    bad = office.dir / "bad"
    rest = ["--nothing-since"]

    def try_all(status, says, phrase=PHRASE):
        refused("backup", "check", bad, phrase=phrase, status=status, says=says)
        refused("restore", bad, office.dir / "never", *rest, phrase=phrase,
                status=status, says=says)
        assert not list(office.dir.glob("never*"))

    bad.write_bytes(whole)
    try_all(5, "wrong pass phrase", phrase=PHRASE + " not")
    chunk = 65536 + 16
    for cut in 10, 48, 60, 48 + chunk, len(whole) - 1, len(whole) - 20:
        bad.write_bytes(whole[:cut])
        try_all(1 if cut < 48 or cut > 48 + chunk else 5, "")
    for place in 20, 100, 48 + chunk + 5, len(whole) - 3:
        altered = bytearray(whole)
        altered[place] ^= 0x10
        bad.write_bytes(altered)
        try_all(5 if place < 48 + chunk else 1, "altered")
    # Two chunks in each other's place, one left out, one more.
    head, first, second = (whole[:48], whole[48:48 + chunk],
                           whole[48 + chunk:48 + 2 * chunk])
    tail = whole[48 + 2 * chunk:]
    bad.write_bytes(head + second + first + tail)
    try_all(5, "altered")
    bad.write_bytes(head + first + tail)
    try_all(1, "put together anew")
    bad.write_bytes(whole + first)
    try_all(1, "put together anew")
    bad.write_bytes(b"x" * 1000)
    try_all(1, "not a sealed file")


def test_nothing_is_restored_without_knowing_what_came_after(office):
    path = office.backup()
    refused("restore", path, office.dir / "b", phrase=PHRASE, status=2,
            says="must not come twice")
    crl = office.crl("crl.pem")
    # A list says nothing of the serials of a range.
    refused("restore", path, office.dir / "b", "--crl", crl, phrase=PHRASE,
            status=2, says="Serials of a range")
    refused("restore", path, office.dir / "b", "--crl", crl,
            "--nothing-since", phrase=PHRASE, status=2, says="either that or")
    # Another CA's list and certificate say nothing either.
    other = office.crl("root.pem", office.root)
    host = office.issue()
    refused("restore", path, office.dir / "b", "--crl", other, "--cert", host,
            phrase=PHRASE, status=7, says="another CA")
    refused("restore", path, office.dir / "b", "--crl", crl, "--cert",
            office.root / "ca.pem", phrase=PHRASE, status=7,
            says="no certificate of this CA")
    assert not list(office.dir.glob("b.*")) and not (office.dir / "b").exists()
    # Nor over something that is there.
    (office.dir / "there").mkdir()
    refused("restore", path, office.dir / "there", "--nothing-since",
            phrase=PHRASE, status=8, says="already")


def test_serials_and_lists_go_on_above_what_was_ever_used(office):
    before = office.issue()
    path = office.backup()
    later = [office.issue() for _ in range(3)]
    ca("revoke", office.services, f"{serial_of(before):X}", "--reason",
       "keyCompromise")
    ca("revoke", office.services, f"{serial_of(later[1]):X}")
    newest = office.crl("newest.pem")
    again = office.dir / "again"
    known = office.dir / "known.pem"
    known.write_text("".join(p.read_text() for p in later))
    said = ca("restore", path, again, "--crl", newest, "--cert", known,
              "--spare", "50", phrase=PHRASE).stdout
    assert "Certificates taken over: 3." in said
    assert "Revocations taken over: 2." in said
    fresh = office.issue(again)
    assert serial_of(fresh) == serial_of(later[-1]) + 50 + 1
    after = office.crl("after.pem", again)
    assert number_of(after) > number_of(newest)
    assert listed(after) == listed(newest) == {serial_of(before),
                                               serial_of(later[1])}
    ca("ledger", "check", "--ledger", again / "ledger.db")
    # A certificate that was taken over can be revoked like any other.
    ca("revoke", again, f"{serial_of(later[0]):X}")
    assert serial_of(later[0]) in listed(office.crl("last.pem", again))


def test_a_revocation_of_what_nobody_shows_is_not_lost_in_silence(office):
    path = office.backup()
    first, last = office.issue(), office.issue()
    ca("revoke", office.services, f"{serial_of(first):X}")
    newest = office.crl("newest.pem")
    options = ["--crl", newest, "--cert", last]
    refused("restore", path, office.dir / "a", *options, phrase=PHRASE,
            status=8, says="unknown to the backup")
    assert not (office.dir / "a").exists()
    said = ca("restore", path, office.dir / "a", *options,
              "--lose-revocations", phrase=PHRASE).stdout
    assert "Revocations lost: 1." in said
    assert serial_of(office.issue(office.dir / "a")) > serial_of(last)


def test_a_head_that_was_kept_elsewhere_is_enough(office):
    office.issue()
    head = office.dir / "head"
    ca("log", "head", office.services, "--out", office.dir / "first")
    path = office.backup()
    used = [serial_of(office.issue()) for _ in range(4)]
    newest = number_of(office.crl("newest.pem"))
    ca("log", "head", office.services, "--out", head)
    said = ca("restore", path, office.dir / "a", "--head", head, "--spare",
              "0", phrase=PHRASE).stdout
    assert "The head knows of" in said
    assert serial_of(office.issue(office.dir / "a")) > max(used)
    assert number_of(office.crl("n.pem", office.dir / "a")) > newest
    # One that is older than the backup says nothing; nor does another log's.
    office.issue()
    later = office.backup("later")
    refused("restore", later, office.dir / "b", "--head",
            office.dir / "first", phrase=PHRASE, status=8,
            says="nothing of what came after")
    ca("log", "head", office.root, "--out", office.dir / "roots")
    refused("restore", path, office.dir / "b", "--head", office.dir / "roots",
            phrase=PHRASE, status=7, says="roots")


def test_a_root_with_random_serials_needs_its_newest_list(office):
    path = office.backup("r", office.root)
    newest = office.crl("newest.pem", office.root)
    refused("restore", path, office.dir / "a", phrase=PHRASE, status=2,
            says="--crl")
    ca("restore", path, office.dir / "a", "--crl", newest, phrase=PHRASE)
    assert number_of(office.crl("n.pem", office.dir / "a")) > number_of(newest)
    # The subordinate CAs are in its book, and it can go on to sign one.
    ca("init", "services", office.dir / "s2", "--root", office.dir / "a",
       "--subject", f"{CAS}/OU=Services/CN=LIGO CA 2", "--may-sign-under",
       SERVICES, "--no-passphrase")


def test_a_list_that_the_backup_knows_says_nothing_of_what_came_after(office):
    """Numbers run ahead of the clock: the lists of a series, one each."""
    known = office.crl("known.pem", office.root)
    path = office.backup("r", office.root)
    ca("crl", office.root, "--series", "60", "--every", "2d", "--out-dir",
       office.dir / "lists")
    numbers = [number_of(p) for p in (office.dir / "lists").glob("*.crl")]
    # Nor does the first of the series of the others.
    for n, shown in enumerate((known, min(
            (office.dir / "lists").glob("*.crl"), key=number_of))):
        again = office.dir / f"again{n}"
        ca("restore", path, again, "--crl", shown, phrase=PHRASE)
        assert number_of(office.crl(f"{n}.pem", again)) > max(numbers)


def test_while_the_daemon_signs(tmp_path):
    """A site's CA: its ledger is the daemon's, and is copied as it grows."""
    root = Root(tmp_path / "cas")
    with Site(tmp_path / "site", root=root) as site:
        site.stock_logon(out=tmp_path / "one.pem")
        refused("backup", site.ca, "--out", tmp_path / "b", phrase=PHRASE,
                status=2, says="--ledger")
        logons = [subprocess.Popen(
            ["/usr/bin/myproxy-logon", "-l", "user0", "-S", "-o",
             str(tmp_path / f"more-{i}.pem")], stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=site.client_env()) for i in range(8)]
        for p in logons:
            p.stdin.write(b"secret123\n")
            p.stdin.close()
        ca("backup", site.ca, "--ledger", site.ledger, "--out", tmp_path / "b",
           phrase=PHRASE)
        assert [p.wait(60) for p in logons] == [0] * 8
        site.stock_logon(out=tmp_path / "last.pem")
        newest = next((site.dir / "ledger").glob("*.r0"))
        used = [serial_of(p) for p in tmp_path.glob("*.pem")]
        again = tmp_path / "again"
        said = ca("restore", tmp_path / "b", again, "--crl", newest, "--cert",
                  tmp_path / "last.pem", phrase=PHRASE).stdout
        assert "signet-ca deploy takes it from there" in said
        ca("ledger", "check", "--ledger", again / "ledger.db")
    # The restored one in the daemon's place: its numbers go on above.
    site.ledger = again / "ledger.db"
    restored = Site.__new__(Site)
    restored.__dict__.update(site.__dict__, ca=again)
    place = tmp_path / "book"
    place.mkdir()
    os.rename(again / "ledger.db", place / "ledger.db")
    restored.ledger = place / "ledger.db"
    for beside in again.glob("ledger.db-*"):
        os.rename(beside, place / beside.name)
    restored.write_conf()
    with restored:
        restored.stock_logon(out=tmp_path / "new.cred")
    assert serial_of(tmp_path / "new.cred") > max(used)
    fresh = next(place.glob("*.r0"))
    assert number_of(fresh) > number_of(newest)


@pytest.mark.heavy
def test_killed_anywhere_nothing_is_half(office):
    """kill -9 while a backup is written, and while one is restored."""
    office.issue()
    path = office.backup()
    kills = 20 if os.environ.get("SIGNET_LONG") == "yes" else 6
    for i in range(kills):
        for command, made in (
                (["backup", office.services, "--out", office.dir / "k"],
                 office.dir / "k"),
                (["restore", path, office.dir / "r", "--nothing-since"],
                 office.dir / "r")):
            read, write = os.pipe()
            os.write(write, PHRASE.encode() + b"\n")
            os.close(write)
            p = subprocess.Popen([str(SIGNET_CA), *map(str, command),
                                  "--passphrase-fd", str(read)],
                                 pass_fds=[read], stdout=subprocess.DEVNULL,
                                 stderr=subprocess.PIPE)
            os.close(read)
            try:
                p.wait(random.uniform(0, 0.9))
            except subprocess.TimeoutExpired:
                p.send_signal(signal.SIGKILL)
                p.wait()
            p.stderr.close()
            if made.exists():
                check(made)
            # The command can be run again, whatever was left.
            else:
                ca(*command, phrase=PHRASE)
                check(made)
            remove(made)
    assert not list(office.dir.glob("*.new"))


def check(made):
    if made.is_dir():
        ca("ledger", "check", "--ledger", made / "ledger.db")
        assert (made / "ca.key").exists()
    else:
        ca("backup", "check", made, phrase=PHRASE)


def remove(made):
    run("rm", "-rf", made)
