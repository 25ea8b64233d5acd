"""revoke-cert, the queue beside the ledger, and who carries it out: at the start,
at SIGUSR1, and by itself; killed between the ledger and the file; two at once;
and whatever else lies in the queue."""

import json
import os
import re
import signal
import subprocess
import time

import pytest
from signet_site import ROLE_USERS, SIGNET_CA, Site, openssl, run

DENIED = 8
AS_ROOT = os.getuid() == 0


@pytest.fixture(scope="module")
def link(tmp_path_factory):
    """As it is installed."""
    path = tmp_path_factory.mktemp("bin") / "revoke-cert"
    path.symlink_to(SIGNET_CA)
    return path


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A site whose hook notes what it was told, after each list."""
    place = tmp_path_factory.mktemp("site")
    (place / "told").mkdir()
    (place / "told").chmod(0o777)
    hook = place / "hook"
    hook.write_text(f"#!/bin/sh\nenv >{place}/told/$SIGNET_CRL_NUMBER.new\n"
                    f"mv {place}/told/$SIGNET_CRL_NUMBER.new "
                    f"{place}/told/$SIGNET_CRL_NUMBER\n")
    hook.chmod(0o755)
    settings = [f"crl-hook {hook}", "user-hook 61310"]
    with Site(place, settings=settings) as site:
        yield site


def logon(site, count=1):
    """Serials of new certificates."""
    before = {line["serial"] for line in site.ledger_lines()}
    for _ in range(count):
        site.stock_logon()
    return [line["serial"] for line in site.ledger_lines()
            if line["serial"] not in before]


def queue(site):
    return site.ledger.parent / "queue"


def waiting(site):
    return sorted(p.name for p in queue(site).glob("*.revoke")
                  if not p.name.startswith("refused-") and p.is_file())


def refused(site):
    return sorted(p.name.removeprefix("refused-")
                  for p in queue(site).glob("refused-*"))


def ask(site, link, *words, status=0):
    done = run(link, *words, "--ledger", site.ledger, check=False)
    assert done.returncode == status, done.stderr
    return done.stdout if status == 0 else done.stderr


def state(site, serial):
    return next(line["state"] for line in site.ledger_lines()
                if line["serial"] == serial)


def wait_until(what, seconds=20):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def carry_out(site):
    """SIGUSR1; when the queue is empty."""
    site.process.send_signal(signal.SIGUSR1)
    wait_until(lambda: not waiting(site))


def listed(site):
    """Serials on the newest list."""
    text = openssl("crl", "-inform", "DER", "-noout", "-text", "-in",
                   site.ledger.parent / f"{site.ca.name}.crl").stdout
    return [s.lower() for s in re.findall(r"Serial Number: (\w+)", text)]


def test_revoke_cert_and_sigusr1(site, link):
    """The seed's way: serials in hexadecimal, and a signal."""
    one, two = logon(site, 2)
    text = ask(site, link, one.upper(), f"0x{two}")
    assert "queued 2" in text
    shown = json.loads(ask(site, link, "--list", "--json"))
    assert [sorted(row["serials"]) for row in shown] == [sorted([one, two])]
    assert state(site, one) == "issued"
    carry_out(site)
    assert state(site, one) == state(site, two) == "revoked"
    wait_until(lambda: {one, two} <= set(listed(site)))
    site.wait_log(r"queue-done file=\S+ who=\"uid \d+, queue\" revoked=2")
    assert ask(site, link, "--list") == ""


def test_the_hook_runs_after_the_list_that_says_so(site, link):
    serial, = logon(site)
    ask(site, link, serial)
    site.process.send_signal(signal.SIGUSR1)
    wait_until(lambda: serial in listed(site))
    number = int(openssl("crl", "-inform", "DER", "-noout", "-crlnumber", "-in",
                         site.ledger.parent / f"{site.ca.name}.crl")
                 .stdout.split("=")[1], 16)
    told = site.dir / "told" / str(number)
    wait_until(told.exists)
    said = dict(line.split("=", 1) for line in told.read_text().splitlines())
    assert said["SIGNET_EVENT"] == "crl" and said["SIGNET_CA"] == site.ca.name
    assert said["SIGNET_CRL"] == f"{site.ledger.parent}/{site.ca.name}.crl"


def test_sigusr1_alone_makes_a_new_list(site):
    def number():
        return openssl("crl", "-inform", "DER", "-noout", "-crlnumber", "-in",
                       site.ledger.parent / f"{site.ca.name}.crl").stdout
    wait_until(lambda: (site.ledger.parent / f"{site.ca.name}.crl").exists())
    before = number()
    site.process.send_signal(signal.SIGUSR1)
    wait_until(lambda: number() != before)


def test_a_reason_and_a_ca(site, link):
    serial, = logon(site)
    ask(site, link, serial, "--ca", site.ca.name, "--reason", "keyCompromise")
    carry_out(site)
    line = next(x for x in site.ledger_lines() if x["serial"] == serial)
    assert (line["state"], line["reason"]) == ("revoked", 1)
    log = json.loads(run(SIGNET_CA, "log", "--ledger", site.ledger, "--json",
                         "--kind", "revoke").stdout)
    assert f"uid {os.getuid()}, queue" in json.dumps(log)


def test_what_is_no_serial_is_refused_at_once(site, link):
    for words, says in (((), "which?"), (("xyz",), "xyz"),
                        (("0",), "0"), (("ab" * 21,), "ab"),
                        (("0a", "--reason", "none"), "--reason"),
                        (("0a", "--ca", "no name"), "name without blanks"),
                        (("--list", "0a"), "--list")):
        assert says in ask(site, link, *words, status=2)
    assert waiting(site) == []


def test_there_is_no_queue(site, link, tmp_path):
    done = run(link, "0a", "--ledger", tmp_path / "ledger.db", check=False)
    assert done.returncode == 3 and "there is no queue" in done.stderr


def test_an_unknown_serial_is_put_aside(site, link):
    serial, = logon(site)
    ask(site, link, "0bad5e71a1", serial)
    name, = waiting(site)
    carry_out(site)
    assert state(site, serial) == "revoked"
    wait_until(lambda: refused(site) == [name])
    site.wait_log(r"queue-refused file=\S+ who=\S.* serial=0bad5e71a1 "
                  r"text=\"was never issued\"")
    shown = json.loads(ask(site, link, "--list", "--json"))
    assert [(row["file"], row["refused"]) for row in shown] == [
        (f"refused-{name}", True)]
    (queue(site) / f"refused-{name}").unlink()


def test_a_ca_that_there_is_not_is_named(site, link):
    serial, = logon(site)
    ask(site, link, serial, "--ca", "WRONG")
    name, = waiting(site)
    carry_out(site)
    wait_until(lambda: refused(site) == [name])
    site.wait_log(r"queue-refused [^\n]*no CA is called WRONG")
    assert state(site, serial) == "issued"
    (queue(site) / f"refused-{name}").unlink()


def test_what_lies_in_the_queue_and_is_none_of_ours(site, link, tmp_path):
    """Nothing of it is read, followed or waited for, and all goes on.  Files
    are kept for a person; a directory stays where it is."""
    place = queue(site)
    secret = tmp_path / "elsewhere"
    secret.write_text("signet revocations 1\nrevoke 0a\nend\n")
    (place / "link.revoke").symlink_to(secret)
    os.mkfifo(place / "pipe.revoke")
    (place / "folder.revoke").mkdir()
    (place / "large.revoke").write_bytes(b"a" * 70000)
    (place / "text.revoke").write_text("signet revocations 1\nrevoke zz\n")
    (place / "esc\x1b[2J\n.revoke").write_text("")
    (place / "nobody.revoke").write_text("")
    (place / "nobody.revoke").chmod(0)
    carry_out(site)
    wait_until(lambda: not (place / "pipe.revoke").exists() and
               len(list(place.iterdir())) == 5)
    assert secret.exists() and "\x1b[2J" not in site.log()
    serial, = logon(site)
    assert state(site, serial) == "issued"
    shown = json.loads(ask(site, link, "--list", "--json"))
    assert len(shown) == 5 and all(row["fault"] for row in shown)
    assert not (place / "link.revoke").is_symlink()
    (place / "refused-folder.revoke").rmdir()
    assert "\x1b" not in ask(site, link, "--list")
    for path in place.glob("refused-*"):
        path.unlink()


def test_two_at_once(site, link):
    """Eight who queue the same and others, while they are carried out."""
    serials = logon(site, 4)
    asking = [subprocess.Popen(
        [str(link), serials[i % 4], serials[(i + 1) % 4], "--ledger",
         str(site.ledger)], stdout=subprocess.DEVNULL) for i in range(8)]
    for process in asking:
        site.process.send_signal(signal.SIGUSR1)
        assert process.wait(timeout=60) == 0
    carry_out(site)
    wait_until(lambda: all(state(site, s) == "revoked" for s in serials))
    assert refused(site) == []
    run(SIGNET_CA, "ledger", "check", "--ledger", site.ledger)


def test_a_crash_between_costs_nothing(tmp_path, link):
    """The ledger has it, the file is still there: the next start takes the file
    away and enters nothing twice."""
    site = Site(tmp_path / "site")
    with site:
        serial, = logon(site)
        run(SIGNET_CA, "revoke", site.ca, serial, "--ledger", site.ledger)
        os.kill(site.roles()["keeper"], signal.SIGKILL)
        site.process.wait(timeout=30)
    ask(site, link, serial)
    assert len(waiting(site)) == 1
    with site:
        wait_until(lambda: not waiting(site))
        site.wait_log(r"queue-done .*revoked=0 already=1")
        kinds = run(SIGNET_CA, "log", "--ledger", site.ledger, "--kind",
                    "revoke").stdout
        assert len(kinds.splitlines()) == 1


def test_who_may_queue(site, link):
    """The directory is the keeper's alone; whom it lets in may queue."""
    mode = queue(site).stat().st_mode & 0o777
    owner = queue(site).stat().st_uid
    assert mode == 0o700
    assert owner == (ROLE_USERS["keeper"] if AS_ROOT else os.getuid())
    # A directory in which all the world may write is not obeyed.
    serial, = logon(site)
    queue(site).chmod(0o777)
    try:
        assert "chmod o-w" in ask(site, link, serial, status=DENIED)
        (queue(site) / "0.revoke").write_text(
            f"signet revocations 1\nrevoke {serial}\nend\n")
        site.process.send_signal(signal.SIGUSR1)
        site.wait_log(r"all may write into it")
        assert state(site, serial) == "issued"
    finally:
        queue(site).chmod(0o700)
    carry_out(site)
    assert state(site, serial) == "revoked"
