"""A CA directory without a daemon: killed at random moments, the disk full, the
clock back a day, eight at once.  No serial and no CRL number is there twice,
all that was signed is in the ledger, and whatever was interrupted is run again
by the same line."""

import base64
import contextlib
import json
import os
import random
import re
import resource
import shutil
import signal
import sqlite3
import statistics
import subprocess
import time

import pytest
import strict_der
from kill_at import KillAt
from signet_site import BASE, CAS, REPO, SIGNET_CA, openssl, run

KILLS = 200 if os.environ.get("SIGNET_LONG") == "yes" else 20
SERVICES = f"{BASE}/OU=Services"
ISSUER = f"{CAS}/CN=LIGO CA 1"
PROFILES = ["--profile-dir", REPO / "share/profiles"]
RESERVE, ISSUE, REVOKE, NUMBER, FILED = 1, 2, 4, 6, 7
BLOCK = re.compile(r"-----BEGIN (CERTIFICATE|X509 CRL)-----\n[^-]*"
                   r"-----END \1-----\n")


def wrapped(der, label):
    text = base64.encodebytes(der).decode().replace("\n", "")
    lines = "\n".join(text[i:i + 64] for i in range(0, len(text), 64))
    return f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n"


class Book:
    """A services CA, and all that it was ever seen to have signed."""

    def __init__(self, directory, clock=None):
        self.dir = directory
        self.place = directory / "services"
        self.certs, self.lists = {}, {}  # number: DER
        wrapper = () if clock is None else ("faketime", "-f", clock)
        run(*wrapper, SIGNET_CA, "init", "root", directory / "root",
            "--subject", f"{CAS}/CN=Root", "--may-sign-under", CAS, "--key",
            "ec:P-384", "--no-passphrase")
        run(*wrapper, SIGNET_CA, "init", "services", self.place, "--root",
            directory / "root", "--subject", ISSUER, "--may-sign-under",
            SERVICES, "--key", "ec:P-256", "--no-passphrase")

    def subject(self, name):
        return f"{SERVICES}/CN={name}.ligo.org"

    def request(self, name):
        path = self.dir / f"{name}.request"
        run(SIGNET_CA, "request", "new", "--profile", "host", "--subject",
            self.subject(name), "--contact", "Ann Other", "--contact-mail",
            "ann@ligo.org", "--contact-phone", "+1 414 555 0100", "--purpose",
            "a server", "--key", "ec:P-256", "--out-key",
            self.dir / f"{name}.asked.key", "--out", path)
        return path

    def sign(self, request, reply):
        return [SIGNET_CA, "sign", self.place, request, "--permission",
                "the chair", "--out", reply, "--yes", *PROFILES]

    def issue(self, name, out=None):
        out = out or self.dir / name
        return [SIGNET_CA, "issue", self.place, "--profile", "host",
                *PROFILES, "--subject", self.subject(name), "--key",
                "ec:P-256", "--out-cert", f"{out}.pem", "--out-key",
                f"{out}.key"]

    def revoke(self, *serials):
        return [SIGNET_CA, "revoke", self.place, *serials]

    def crl(self, out, *more):
        return [SIGNET_CA, "crl", self.place, "--out", out, *more]

    def series(self, directory):
        return [SIGNET_CA, "crl", self.place, "--series", "3", "--every", "7d",
                "--out-dir", directory]

    def note(self, label, text):
        """One that was seen: a number stands for the same octets for ever."""
        scratch = self.dir / "scratch"
        scratch.write_text(text)
        der = strict_der.from_pem(text, label)
        if label == "CERTIFICATE":
            cert = strict_der.certificate(scratch)
            number, seen = cert["serial"], self.certs
            if cert["issuer"] != strict_der.certificate(
                    self.place / "ca.pem")["subject"]:
                return None
        else:
            number = strict_der.crl(scratch)["extensions"]["number"][1]
            seen = self.lists
        assert seen.setdefault(number, der) == der, f"{label} {number} twice"
        return number

    def look(self, *places):
        """All that can be seen, in unfinished files too; the numbers."""
        found = []
        for place in places:
            for path in place.rglob("*") if place.is_dir() else [place]:
                data = path.read_bytes() if path.is_file() else b""
                if data.startswith(b"\x30\x82"):
                    # One that is not in its place yet may be half a list.
                    half = len(data) < 4 + int.from_bytes(data[2:4], "big")
                    assert not half or path.suffix != ".crl", path
                    text = "" if half else wrapped(data, "X509 CRL")
                else:
                    text = data.decode("latin-1")
                for block in BLOCK.finditer(text):
                    found.append(self.note(block[1], block[0]))
        return [n for n in found if n is not None]

    def rows(self, kind, *columns):
        db = sqlite3.connect(f"file:{self.place / 'ledger.db'}?mode=ro",
                             uri=True)
        with contextlib.closing(db):
            return db.execute(f"SELECT {', '.join(columns)} FROM entry"
                              " WHERE kind = ? ORDER BY id",
                              (kind,)).fetchall()

    def entries(self):
        return sum(len(self.rows(kind, "id")) for kind in range(1, 12))

    def issued(self):
        """{serial: subject} of what holds or was revoked."""
        lines = json.loads(run(SIGNET_CA, "ledger", "list", "--ledger",
                               self.place / "ledger.db", "--json").stdout)
        return {int(line["serial"], 16): line["subject"] for line in lines
                if line["state"] in ("issued", "revoked")}

    def check(self):
        assert "right" in run(SIGNET_CA, "log", "check", self.place).stdout
        for kind, what in ((RESERVE, "serial"), (ISSUE, "serial"),
                           (NUMBER, "number"), (FILED, "number")):
            numbers = [row[0] for row in self.rows(kind, what)]
            assert len(numbers) == len(set(numbers)), (kind, numbers)
        assert set(self.certs.values()) <= {
            row[0] for row in self.rows(ISSUE, "der")}
        assert set(self.lists.values()) <= {
            row[0] for row in self.rows(FILED, "der")}
        numbers = [row[0] for row in self.rows(NUMBER, "number")]
        assert numbers == sorted(numbers)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return Book(tmp_path_factory.mktemp("made"))


@pytest.fixture
def book(made, tmp_path):
    """A copy, to be worked with."""
    copy = Book.__new__(Book)
    copy.__dict__.update(dir=tmp_path, place=tmp_path / "services", certs={},
                         lists={})
    shutil.copytree(made.place, copy.place)
    return copy


def text_of(argv):
    return [str(a) for a in argv]


class Killer:
    """Ends a command at a moment within the time that it usually takes."""

    def __init__(self, chance):
        self.chance, self.times, self.hits, self.late = chance, [], 0, 0

    def whole(self, command):
        began = time.monotonic()
        run(*command)
        self.times.append(time.monotonic() - began)

    def strike(self, book, command):
        wait = self.chance.uniform(0, statistics.median(self.times[-9:]))
        before = book.entries()
        child = subprocess.Popen(text_of(command), stdout=subprocess.DEVNULL,
                                 stderr=subprocess.PIPE, text=True)
        time.sleep(wait)
        child.kill()
        said = child.communicate(timeout=60)[1]
        assert child.returncode in (0, -signal.SIGKILL), said
        # One that went through was as quick as chance had it.
        self.hits += child.returncode != 0
        self.late += child.returncode != 0 and book.entries() > before


def test_killed_at_random_moments_every_command_is_run_again(book):
    chance = random.Random(f"offline-{KILLS}")
    killers = {what: Killer(chance)
               for what in ("sign", "revoke", "crl", "series")}
    first, gone, last = 5, set(), 0
    for n in range(first + KILLS):
        room = book.dir / f"round{n}"
        room.mkdir()

        def do(what, command):
            if n >= first:
                killers[what].strike(book, command)
                book.look(room)
            killers[what].whole(command)
            return book.look(room)

        request = book.request(f"h{n}")
        serial, = set(do("sign", book.sign(request, room / "reply")))
        assert [s for s, subject in book.issued().items()
                if subject == book.subject(f"h{n}")] == [serial]
        do("revoke", book.revoke(f"{serial:x}"))
        gone.add(serial)
        do("crl", book.crl(room / "list.pem", "--out-der", room / "list.crl"))
        do("series", book.series(room / "series"))
        # Both files are one list, and it says all that was revoked.
        text = (room / "list.pem").read_text()
        assert strict_der.from_pem(text, "X509 CRL") == \
            (room / "list.crl").read_bytes()
        listed = strict_der.crl(room / "list.pem")
        assert {s for s, _, _ in listed["entries"]} == gone
        number = listed["extensions"]["number"][1]
        assert number > last
        last = max(book.lists)
    for what, killer in killers.items():
        assert killer.hits >= KILLS // 2, (what, killer.hits)
    assert sum(k.late for k in killers.values()) >= KILLS // 4
    assert len(book.rows(REVOKE, "id")) == len(gone)
    assert set(book.issued()) == gone == set(book.certs)
    book.check()


def test_a_list_in_two_files_killed_at_each_step(book):
    kill = KillAt(book.dir)
    crashes = between = 0
    for n in range(1, 60):
        room = book.dir / f"step{n}"
        room.mkdir()
        pem, der = room / "list.pem", room / "list.crl"
        command = book.crl(pem, "--out-der", der)
        status = kill.run(n, *command).returncode
        assert status in (0, -signal.SIGKILL)
        left = pem.exists() or der.exists()
        between += pem.exists() != der.exists()
        before = set(book.look(room))
        run(*command)
        assert strict_der.from_pem(pem.read_text(), "X509 CRL") == \
            der.read_bytes()
        # What was in its place stays; nothing is signed for the other.
        assert not left or set(book.look(pem, der)) == before
        book.look(room)
        if status == 0:
            break
        crashes += 1
    assert status == 0 and crashes > 8 and between > 1
    book.check()
    # A half that is no longer the newest is not made whole.
    pem.unlink()
    run(*book.crl(book.dir / "newer.pem"))
    done = run(*command, check=False)
    assert done.returncode == 8 and f"{der} is there already" in done.stderr
    assert not pem.exists()


@contextlib.contextmanager
def full_disk(place):
    """A file system of 1 MiB; yields what fills it."""
    run("mount", "-t", "tmpfs", "-o", "size=1m,mode=0700", "signet-test",
        place)
    try:
        yield place / "filler"
    finally:
        run("umount", place)


def fill(filler):
    with open(filler, "wb", buffering=0) as f, contextlib.suppress(OSError):
        while True:
            f.write(b"x" * 4096)


def refused_for_room(done, *absent):
    assert done.returncode == 1, (done.returncode, done.stderr)
    assert re.match(r"signet-ca: .*(full|No space|too large|I/O)", done.stderr)
    for path in absent:
        assert not path.exists()


def commands(book, serial):
    """Each, with the file that it writes."""
    return {"sign": (book.sign(book.request("a"), book.dir / "reply"),
                     book.dir / "reply"),
            "revoke": (book.revoke(serial), None),
            "crl": (book.crl(book.dir / "list.pem"), book.dir / "list.pem")}


def a_serial(book):
    run(*book.issue("old"))
    serial, = book.look(book.dir / "old.pem")
    return f"{serial:x}"


def finish(book, serial):
    book.look(book.dir / "reply", book.dir / "list.pem")
    assert sorted(book.issued().values()) == [book.subject("a"),
                                              book.subject("old")]
    assert len(book.rows(REVOKE, "id")) == 1
    assert [f"{s:x}" for s, _, _ in strict_der.crl(
        book.dir / "list.pem")["entries"]] == [serial]
    book.check()


def test_a_limit_met_at_each_page_refuses_and_loses_nothing(book):
    """No file may grow beyond so much: for everyone what a full disk is."""
    serial = a_serial(book)
    for what, (command, out) in commands(book, serial).items():
        refusals = 0
        for limit in range(0, 1 << 20, 2048):
            done = run(*command, check=False, restore_signals=False,
                       preexec_fn=lambda: resource.setrlimit(
                           resource.RLIMIT_FSIZE, (limit, limit)))
            if done.returncode == 0:
                break
            refused_for_room(done, *([out] if out else []))
            refusals += 1
        assert done.returncode == 0 and refusals > 1, what
    finish(book, serial)


# A file system of one's own takes root; the limit above is for everyone.
if os.getuid() == 0:
    def test_a_full_disk_refuses_and_loses_nothing(book):
        serial = a_serial(book)
        kept = shutil.copytree(book.place, book.dir / "kept")
        with full_disk(book.place) as filler:
            shutil.copytree(kept, book.place, dirs_exist_ok=True)
            for what, (command, out) in commands(book, serial).items():
                fill(filler)
                before = book.entries()
                refused_for_room(run(*command, check=False),
                                 *([out] if out else []))
                assert book.entries() == before, what
                # What is in the book can be read.
                run(SIGNET_CA, "log", "check", book.place)
                filler.unlink()
                run(*command)
            finish(book, serial)

    def test_a_full_stick_refuses_and_loses_nothing(book):
        """Room for the book, and none for what it is written for."""
        stick = book.dir / "stick"
        stick.mkdir()
        request = book.request("a")
        with full_disk(stick) as filler:
            for command, out in (
                    (book.sign(request, stick / "reply"), "reply"),
                    (book.issue("b", stick / "b"), "b.pem"),
                    (book.crl(stick / "list.pem"), "list.pem"),
                    (book.series(stick / "series"), "series/services.pem")):
                fill(filler)
                refused_for_room(run(*command, check=False), stick / out)
                book.look(stick)
                filler.unlink()
                run(*command)
            book.look(stick)
        assert len(book.certs) == 2 and len(book.lists) == 4
        assert set(book.issued()) == set(book.certs)
        book.check()


def back(command, days=1):
    return run("faketime", "-f", f"-{days}d", *command, check=False)


def test_the_clock_back_before_the_ca_was(book):
    """Nothing is certified by a clock at which the CA was not valid; a list
    is not kept from going out by a day, but by more."""
    sign = book.sign(book.request("a"), book.dir / "reply")
    issue, crl = book.issue("b"), book.crl(book.dir / "1.pem")
    before = book.entries()
    for command, days in ((sign, 1), (issue, 1), (sign, 4), (crl, 4),
                          (book.series(book.dir / "series"), 4)):
        done = back(command, days)
        assert done.returncode == 4 and "not valid yet" in done.stderr
    assert book.rows(ISSUE, "id") == []
    assert not (book.dir / "b.key").exists()
    assert not (book.dir / "reply").exists()
    # What was asked and decided stays, and was written down once.
    assert book.entries() - before <= 2
    assert back(crl).returncode == 0
    for command in (sign, issue, book.crl(book.dir / "2.pem")):
        run(*command)
    book.look(book.dir)
    begin = strict_der.certificate(book.place / "ca.pem")["begin"]
    assert strict_der.certificate(book.dir / "b.pem")["begin"] >= begin
    first, second = (strict_der.crl(book.dir / f"{n}.pem") for n in (1, 2))
    assert first["this"] < second["this"]
    assert first["extensions"]["number"] < second["extensions"]["number"]
    assert len(book.certs) == 2 and len(book.lists) == 2
    book.check()


def test_the_clock_back_a_day_of_an_old_ca(tmp_path):
    book = Book(tmp_path, clock="-30d")
    run(*book.issue("before"))
    run(*book.crl(tmp_path / "1.pem"))
    assert back(book.issue("b")).returncode == 0
    assert back(book.sign(book.request("a"),
                          tmp_path / "reply")).returncode == 0
    serial, = book.look(tmp_path / "b.pem")
    assert back(book.revoke(f"{serial:x}")).returncode == 0
    assert back(book.crl(tmp_path / "2.pem")).returncode == 0
    assert back(book.series(tmp_path / "series")).returncode == 0
    run(*book.issue("after"))
    run(*book.crl(tmp_path / "3.pem"))
    book.look(tmp_path)
    begin = strict_der.certificate(book.place / "ca.pem")["begin"]
    for der in book.certs.values():
        (tmp_path / "scratch").write_text(wrapped(der, "CERTIFICATE"))
        cert = strict_der.certificate(tmp_path / "scratch")
        assert begin <= cert["begin"] < cert["end"]
    lists = [strict_der.crl(tmp_path / f"{n}.pem") for n in (1, 2, 3)]
    # RFC 5280 5.1.2.4: of two lists the later is the one that says so.
    assert lists[0]["this"] <= lists[1]["this"] <= lists[2]["this"]
    numbers = [found["extensions"]["number"][1] for found in lists]
    assert numbers == sorted(set(numbers))
    assert serial in {s for s, _, _ in lists[2]["entries"]}
    assert len(book.certs) == 4 and len(book.lists) == 6
    book.check()


def at_once(commands_to_run):
    children = [subprocess.Popen(text_of(c), stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True)
                for c in commands_to_run]
    done = [(*child.communicate(timeout=60), child.returncode)
            for child in children]
    return [status for _, _, status in done], [said for _, said, _ in done]


def test_eight_at_once_of_each(book):
    eight = [book.dir / f"x{i}" for i in range(8)]
    status, said = at_once(book.issue(f"x{i}") for i in range(8))
    assert status == [0] * 8, said
    serials = book.look(*(path.with_suffix(".pem") for path in eight))
    assert len(set(serials)) == 8
    # The same serial by all, then each with one of its own besides.
    one = f"{serials[0]:x}"
    status, said = at_once(book.revoke(one) for _ in eight)
    assert status == [0] * 8, said
    assert len(book.rows(REVOKE, "id")) == 1
    status, said = at_once(book.revoke(one, f"{s:x}") for s in serials)
    assert status == [0] * 8, said
    assert len(book.rows(REVOKE, "id")) == 8
    status, said = at_once(book.crl(path.with_suffix(".list"))
                           for path in eight)
    assert status == [0] * 8, said
    assert len(set(book.look(*(p.with_suffix(".list") for p in eight)))) == 8
    for path in eight:
        assert {s for s, _, _ in strict_der.crl(
            path.with_suffix(".list"))["entries"]} == set(serials)
    book.check()


def test_eight_of_all_kinds_and_for_one_place(book):
    run(*book.issue("old"))
    serial, = book.look(book.dir / "old.pem")
    status, said = at_once([
        book.issue("new"), book.issue("other"), book.revoke(f"{serial:x}"),
        book.crl(book.dir / "1.pem"), book.series(book.dir / "series"),
        book.sign(book.request("a"), book.dir / "reply"),
        book.crl(book.dir / "2.pem"), book.revoke(f"{serial:x}")])
    assert status == [0] * 8, said
    # Of those that write one file at least one does, and it is whole.
    place = book.dir / "place.pem"
    status, said = at_once(book.crl(place) for _ in range(8))
    assert 0 in status and set(status) <= {0, 8}, said
    assert all("is there already" in s or "exists" in s
               for s, code in zip(said, status) if code == 8), said
    status, said = at_once(book.issue("same") for _ in range(8))
    assert status.count(0) == 1, said
    assert openssl("x509", "-in", book.dir / "same.pem", "-noout",
                   "-pubkey").stdout == \
        openssl("pkey", "-in", book.dir / "same.key", "-pubout").stdout
    book.look(book.dir)
    issued = book.issued()
    assert set(book.certs) == set(issued) and len(book.certs) == 5
    book.check()
