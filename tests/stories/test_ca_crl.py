"""Revocation lists of signet-ca and of the daemon, read back by OpenSSL, GnuTLS
and NSS: empty, of every reason, of 100,000, after 2050; held and released; made
at once after a revocation; for the time an offline root sleeps; with a clock
that jumps."""

import contextlib
import datetime
import json
import os
import re
import subprocess
import time

import pytest

import signet_site
import strict_der
from signet_site import (BASE, BUILD, CAS, REPO, SIGNET_CA, Site, openssl,
                         run)

LEDGER_FILL = BUILD / "tests" / "ledger_fill"
DAY = datetime.timedelta(days=1)
REASONS = [0, 1, 2, 3, 4, 5, 6, 9, 10]


def ca(*args, clock=None, **kw):
    wrapper = () if clock is None else ("faketime", "-f", clock)
    return run(*wrapper, SIGNET_CA, *args, **kw)


def refused(*args, status, says):
    result = ca(*args, check=False)
    assert result.returncode == status, result.stderr
    assert says in result.stderr
    return result


class House:
    """A root and a CA for services, whose certificates are filled in."""

    def __init__(self, directory, clock=None):
        self.dir = directory
        self.root, self.services = directory / "root", directory / "svc"
        ca("init", "root", self.root, "--subject", f"{CAS}/CN=Root",
           "--may-sign-under", CAS, "--key", "ec:P-384", "--no-passphrase",
           clock=clock)
        ca("init", "services", self.services, "--root", self.root, "--subject",
           f"{CAS}/OU=Services/CN=LIGO CA 1", "--may-sign-under",
           f"{BASE}/OU=Services", "--key", "ec:P-256", "--no-passphrase",
           clock=clock)
        self.both = directory / "both.pem"
        self.both.write_text((self.services / "ca.pem").read_text() +
                             (self.root / "ca.pem").read_text())

    def fill(self, count, reason=0, not_after=None):
        until = not_after or int(time.time()) + 30 * 86400
        run(LEDGER_FILL, self.services / "ledger.db", "svc", count, until,
            reason)

    def crl(self, name, *options, clock=None):
        out = self.dir / f"{name}.pem"
        ca("crl", self.services, "--out", out, "--out-der",
           out.with_suffix(".der"), *options, clock=clock)
        return out

    def serials(self, name):
        return [s for s, _, _ in strict_der.crl(
            self.dir / f"{name}.pem")["entries"]]


@pytest.fixture
def house(tmp_path):
    return House(tmp_path)


def at(when):
    """The clock of the readers too."""
    return () if when is None else ("faketime", "-f", f"{when:%Y-%m-%d %H:%M:%S}")


def check_readers(house, path, count, when=None):
    """All three verify the signature, and see as many."""
    issuer = house.services / "ca.pem"
    said = run("openssl", "crl", "-in", path, "-noout", "-text", "-CAfile",
               issuer)
    assert "verify OK" in said.stderr
    assert said.stdout.count("Serial Number:") == count
    said = run(*at(when), "certtool", "--verify-crl",
               "--load-ca-certificate", issuer, "--infile", path)
    assert "Verified" in said.stdout
    info = run("certtool", "--crl-info", "--infile", path).stdout
    shown = re.search(r"Revoked certificates \((\d+)\)", info)
    assert (int(shown.group(1)) if shown else 0) == count
    db = f"sql:{house.dir / ('nss-' + path.stem)}"
    os.mkdir(db[4:])
    run("certutil", "-N", "-d", db, "--empty-password")
    for name, trust in (("root", "CT,C,C"), ("svc", ",,")):
        run("certutil", "-A", "-d", db, "-n", name, "-t", trust, "-a", "-i",
            house.dir / name / "ca.pem")
    run(*at(when), "crlutil", "-I", "-d", db, "-i", path.with_suffix(".der"))
    listed = run("crlutil", "-L", "-d", db, "-n", "svc").stdout
    assert len(re.findall(r"\n\s+Entry \d+ \(", listed)) == count
    der = path.with_suffix(".der").read_bytes()
    again = subprocess.run(["openssl", "crl", "-in", path, "-outform", "DER"],
                           check=True, capture_output=True)
    assert again.stdout == der
    return strict_der.crl(path)


def test_an_empty_list(house):
    found = check_readers(house, house.crl("empty"), 0)
    assert found["entries"] == []
    refused("crl", house.services, status=2, says="--out")


def test_a_list_that_is_there_is_not_overwritten(house):
    """Run again at once, the command finds its work done; else it is told."""
    path = house.crl("list")
    before = path.read_bytes()
    said = ca("crl", house.services, "--out", path).stdout
    assert "the same is written" in said
    late = ca("crl", house.services, "--out", path, clock="+2h", check=False)
    assert late.returncode == 8 and "there already" in late.stderr
    house.fill(1)
    refused("crl", house.services, "--out", path, status=8,
            says="there already")
    house.crl("newer")
    refused("crl", house.services, "--out", path, status=8,
            says="there already")
    refused("crl", house.root, "--out", path, status=8, says="there already")
    assert path.read_bytes() == before


def test_one_of_each_reason(house):
    house.fill(len(REASONS), reason=-1)
    found = check_readers(house, house.crl("each"), len(REASONS))
    assert sorted(r for _, _, r in found["entries"]) == REASONS
    serials = [s for s, _, _ in found["entries"]]
    assert serials == sorted(serials)
    text = openssl("crl", "-in", house.dir / "each.pem", "-noout",
                   "-text").stdout
    # Unspecified is said by saying nothing (RFC 5280 5.3.1).
    assert text.count("Reason Code") == len(REASONS) - 1
    assert "Unspecified" not in text


@pytest.mark.heavy
def test_a_hundred_thousand(house):
    house.fill(100000)
    check_readers(house, house.crl("many"), 100000)
    assert "entries" in ca("ledger", "check", "--ledger",
                           house.services / "ledger.db").stdout


def test_after_2050(tmp_path):
    house = House(tmp_path, clock="2049-12-20 12:00:00")
    run("faketime", "-f", "2049-12-20 12:10:00", LEDGER_FILL,
        house.services / "ledger.db", "svc", 1, 2600000000)
    run("faketime", "-f", "2050-02-03 04:05:06", LEDGER_FILL,
        house.services / "ledger.db", "svc", 1, 2600000000)
    when = datetime.datetime(2050, 2, 3, 5)
    path = house.crl("late", clock=f"{when:%Y-%m-%d %H:%M:%S}")
    found = check_readers(house, path, 2, when)
    assert {t.year for _, t, _ in found["entries"]} == {2049, 2050}
    assert found["this"].year == 2050
    der = path.with_suffix(".der").read_bytes()
    assert b"\x17\x0d491220" in der and b"\x18\x0f20500203" in der


def test_held_and_released(house):
    out = [house.dir / f"h.{x}" for x in ("pem", "key")]
    ca("issue", house.services, "--profile", "host", "--profile-dir",
       REPO / "share/profiles", "--subject", f"{BASE}/OU=Services/CN=h.ligo.org",
       "--dns", "h.ligo.org", "--out-cert", out[0], "--out-key", out[1])
    serial = openssl("x509", "-in", out[0], "-noout", "-serial").stdout
    serial = serial.strip().split("=")[1]
    ca("revoke", house.services, serial, "--reason", "certificateHold")
    found = check_readers(house, house.crl("held"), 1)
    assert [(s, r) for s, _, r in found["entries"]] == [(int(serial, 16), 6)]
    ca("release", house.services, serial)
    check_readers(house, house.crl("released"), 0)
    ca("revoke", house.services, serial, "--reason", "certificateHold")
    ca("revoke", house.services, serial, "--reason", "keyCompromise")
    found = check_readers(house, house.crl("revoked"), 1)
    assert [r for _, _, r in found["entries"]] == [1]


def test_the_expired_stand_on_one_list_more(house):
    now = int(time.time())
    house.fill(2, not_after=now - 10000)
    house.fill(3, not_after=now + 86400)
    assert len(strict_der.crl(house.crl("one"))["entries"]) == 5
    assert len(strict_der.crl(house.crl("two"))["entries"]) == 3
    # One that was revoked when it had expired stands on a list all the same.
    house.fill(1, not_after=now - 20000)
    assert len(strict_der.crl(house.crl("three"))["entries"]) == 4
    assert len(strict_der.crl(house.crl("four"))["entries"]) == 3


def test_a_clock_that_jumps_back_a_day(house):
    lists = [strict_der.crl(house.crl("now")),
             strict_der.crl(house.crl("back", clock="-1d")),
             strict_der.crl(house.crl("again", clock="-23h")),
             strict_der.crl(house.crl("right"))]
    numbers = [found["extensions"]["number"][1] for found in lists]
    assert numbers == sorted(set(numbers))
    begins = [found["this"] for found in lists]
    assert begins == sorted(begins) and begins[0] == begins[1] == begins[2]
    for found in lists:
        assert found["next"] - found["this"] == 30 * DAY + DAY / 288
    ca("ledger", "check", "--ledger", house.services / "ledger.db")


def test_a_clock_that_was_far_ahead_does_no_lasting_harm(house):
    ahead = strict_der.crl(house.crl("ahead", clock="+300d"))
    right = strict_der.crl(house.crl("right"))
    assert right["this"] < ahead["this"]
    assert right["extensions"]["number"][1] > ahead["extensions"]["number"][1]


def test_a_clock_from_before_the_ca_makes_no_list(house):
    house.crl("first")
    entries = json.loads(ca("log", house.services, "--json").stdout)
    done = ca("crl", house.services, "--out", house.dir / "early",
              clock="-400d", check=False)
    assert done.returncode == 4 and "is the clock wrong" in done.stderr
    assert json.loads(ca("log", house.services, "--json").stdout) == entries
    assert not (house.dir / "early").exists()


# -- for the time an offline root sleeps

def series(house, directory, *options, clock=None):
    said = ca("crl", house.root, "--series", "6", "--every", "60d",
              "--out-dir", directory, *options, clock=clock)
    return said.stdout.split()


def current(directory, out, clock=None, **kw):
    return ca("crl-current", directory, "--out", out, "--out-der",
              out.with_suffix(".der"), clock=clock, **kw)


def number_of(path):
    return strict_der.crl(path)["extensions"]["number"][1]


def test_a_series_for_a_root_that_sleeps(house):
    place, out = house.dir / "series", house.dir / "out" / "root.pem"
    out.parent.mkdir()
    paths = series(house, place)
    assert len(paths) == 6 and len(list(place.glob("*.crl"))) == 6
    lists = []
    for path in paths:
        pem = house.dir / "one.pem"
        openssl("crl", "-inform", "DER", "-in", path, "-out", pem)
        lists.append(strict_der.crl(pem))
        assert "verify OK" in openssl("crl", "-in", pem, "-noout", "-CAfile",
                                      house.root / "ca.pem").stderr
    numbers = [x["extensions"]["number"][1] for x in lists]
    assert numbers == sorted(set(numbers))
    for one, two in zip(lists, lists[1:]):
        assert abs(two["this"] - one["this"] - 60 * DAY) < DAY / 1440
        assert one["next"] - two["this"] > 300 * DAY
    # Day by day the right one is chosen, and is never taken back.
    for days, index in ((0, 0), (59, 0), (61, 1), (130, 2), (301, 5)):
        current(place, out, clock=f"+{days}d")
        assert number_of(out) == numbers[index]
    result = current(place, out, check=False)
    assert result.returncode == 8 and "newer" in result.stderr
    assert number_of(out) == numbers[5]
    warned = current(place, out, clock="+690d")
    assert "make a new series" in warned.stderr
    late = current(place, out, clock="+800d", check=False)
    assert late.returncode == 4 and "no list that holds now" in late.stderr
    check = ca("ledger", "check", "--ledger", house.root / "ledger.db")
    assert "entries" in check.stdout


def test_a_revocation_supersedes_what_is_left_of_a_series(house):
    place, out = house.dir / "series", house.dir / "root.pem"
    old = series(house, place)
    current(place, out, clock="+70d")
    serial = openssl("x509", "-in", house.services / "ca.pem", "-noout",
                     "-serial").stdout.strip().split("=")[1]
    ca("revoke", house.root, serial, "--reason", "cACompromise",
       clock="+70d")
    new = series(house, place, clock="+70d")
    assert not set(old) & set(new)
    for days in (70, 131, 300):
        current(place, out, clock=f"+{days}d")
        found = strict_der.crl(out)
        assert [(s, r) for s, _, r in found["entries"]] == [
            (int(serial, 16), 2)]


def test_a_series_refuses_what_makes_no_sense(house):
    place = house.dir / "series"
    refused("crl", house.root, "--series", "3", "--every", "395d",
            "--out-dir", place, status=2, says="gaps")
    refused("crl", house.root, "--series", "3", "--every", "month",
            "--out-dir", place, status=2, says="--every")
    refused("crl", house.root, "--series", "3", "--out-dir", place, status=2,
            says="--every")
    refused("crl", house.root, "--series", "300", "--every", "60d",
            "--out-dir", place, status=2, says="outlive")
    refused("crl", house.root, "--every", "60d", "--out", place, status=2,
            says="--series")
    assert not place.exists()
    place.mkdir()
    refused("crl-current", place, "--out", house.dir / "x", status=3,
            says="certificates")


def test_a_list_that_is_not_what_its_name_says_is_not_published(house):
    place, out = house.dir / "series", house.dir / "root.pem"
    paths = series(house, place)
    first = open(paths[0], "rb").read()
    os.replace(paths[1], paths[0])
    result = current(place, out, check=False)
    assert result.returncode != 0 and "name says" in result.stderr
    altered = bytearray(first)
    altered[-9] ^= 1
    open(paths[0], "wb").write(altered)
    result = current(place, out, check=False)
    assert result.returncode != 0 and "signature" in result.stderr
    assert not out.exists()


# -- the daemon

def filed(site, least=0):
    """Wait for a list with a higher number than ${least}."""
    path = site.dir / "ledger" / "slcs.r0"
    for _ in range(600):
        if path.exists() and number_of(path) > least:
            return path
        time.sleep(0.05)
    raise AssertionError(site.log())


def events(site, name):
    return [line for line in site.log().splitlines() if f" {name} " in line]


def revoke_new(site, count):
    run(LEDGER_FILL, site.ledger, "slcs", count)


def test_the_daemon_makes_a_list_at_once_after_a_revocation(tmp_path):
    with Site(tmp_path) as site:
        path = filed(site)
        first = number_of(path)
        began = time.monotonic()
        revoke_new(site, 3)
        path = filed(site, first)
        # Seen within a second; at most one list in five.
        assert time.monotonic() - began < 12
        found = strict_der.crl(path)
        assert len(found["entries"]) == 3
        assert number_of(path.with_name("slcs.r0.old")) == first
        assert "verify OK" in openssl("crl", "-in", path, "-noout", "-CAfile",
                                      site.ca / "ca.pem").stderr
        for _ in range(5):
            revoke_new(site, 1)
        # On a slow machine five seconds may pass between the five.
        while len(strict_der.crl(path)["entries"]) < 8:
            path = filed(site, number_of(path))
        lists = 2 + (time.monotonic() - began) / 5
        # The line is written after the file.
        said = f"crl-filed ca=slcs number={number_of(path)} "
        site.wait_log(said)
        assert 3 <= len(events(site, "crl-filed")) <= 1 + lists
        assert not events(site, "crl-refused")


@pytest.mark.heavy
def test_the_daemon_makes_lists_that_no_message_holds(tmp_path):
    with Site(tmp_path) as site:
        first = number_of(filed(site))
        revoke_new(site, 50000)
        path = filed(site, first)
        # The first may have been begun in the middle of it.
        while len(strict_der.crl(path)["entries"]) < 50000:
            path = filed(site, number_of(path))
        der = (site.dir / "ledger" / "slcs.crl").read_bytes()
        assert len(der) > 1_900_000
        assert "verify OK" in openssl("crl", "-in", path, "-noout", "-CAfile",
                                      site.ca / "ca.pem").stderr
        assert not events(site, "crl-refused")
    assert "entries" in ca("ledger", "check", "--ledger", site.ledger).stdout


def start_again(site):
    """When the roles of the daemon before have noticed that it has gone."""
    for _ in range(100):
        with contextlib.suppress(AssertionError):
            return site.start()
        time.sleep(0.1)
    raise AssertionError(site.log())


def test_a_kill_in_the_middle_costs_a_number_and_nothing_else(tmp_path):
    with Site(tmp_path) as site:
        first = number_of(filed(site))
    revoke_new(site, 20000)
    for _ in range(3):
        start_again(site)
        site.process.kill()
        site.process.wait()
    start_again(site)
    try:
        path = filed(site, first)
        assert len(strict_der.crl(path)["entries"]) == 20000
        left = [p.name for p in path.parent.iterdir()
                if re.fullmatch(r"slcs\.(crl|r0)\.\w{6}", p.name)]
        assert left == []
    finally:
        site.stop()
    assert "entries" in ca("ledger", "check", "--ledger", site.ledger).stdout


def test_the_end_of_a_list_is_foretold(tmp_path, monkeypatch):
    # CAs that are as old as the list: none makes one from before it was.
    with monkeypatch.context() as long_ago:
        long_ago.setattr(signet_site, "run", lambda *args, **kw: run(
            "faketime", "-f", "-19d", *args, **kw))
        site = Site(tmp_path)
    # No list can be put where directories stand in the way of the old ones.
    for name in ("slcs.crl.old", "slcs.r0.old"):
        (site.dir / "ledger" / name / "x").mkdir(parents=True)
    with site:
        site.wait_log("crl-refused")
    # So the newest is one that the office made, eighteen days ago.
    ca("crl", site.ca, "--ledger", site.ledger, "--out", site.dir / "old.pem",
       clock="-18d")
    with site:
        site.wait_log("crl-ends")
        site.wait_log("crl-refused")
        assert "days=14" in events(site, "crl-ends")[0]
    assert not (site.dir / "ledger" / "slcs.crl").exists()
