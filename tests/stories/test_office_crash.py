"""Nothing is lost at the office, and nothing is signed twice: roles killed at
random moments, two at once, a full disk, a clock that goes back."""

import json
import os
import pathlib
import random
import signal
import subprocess
import time

import pytest
from kdc import die_with_parent
from office_clerk import KILLS, RESTARTED, wait_for_end, work_while_killed
from office_site import SERVICES, Office, make_kdc
from signet_site import ROLE_USERS, SIGNET_CA, run


@pytest.fixture(scope="module")
def kdc(tmp_path_factory):
    with make_kdc(tmp_path_factory.mktemp("kdc")) as kdc:
        yield kdc


@pytest.mark.heavy
def test_killed_and_started_anew_by_the_daemon(kdc, tmp_path):
    """Also signet-ca itself.  Those that take the daemon along: test_office_
    kills.py."""
    work_while_killed(Office(tmp_path, kdc), (*RESTARTED, "signet-ca"),
                      random.Random(f"anew-{KILLS}"))


def test_what_was_approved_is_signed_at_the_next_start(kdc, tmp_path):
    """The signer does not answer, and everything is killed."""
    office = Office(tmp_path, kdc).start()
    path, name = office.request("sleepy.ligo.org")
    office.ask(None, "request", "submit", path)
    os.kill(office.roles()["signer"], signal.SIGSTOP)
    approve = subprocess.Popen(
        [SIGNET_CA, "request", "approve", name, "--office", office.socket],
        stderr=subprocess.PIPE, text=True, preexec_fn=die_with_parent)
    office.wait_log("office-decided")
    end = time.monotonic() + 20
    while not [c for c in office.certificates() if c["state"] == "reserved"]:
        assert time.monotonic() < end
        time.sleep(0.02)
    os.kill(office.process.pid, signal.SIGKILL)
    office.process.wait()
    # One that is stopped does not see that its parent has gone.
    os.kill(office.roles()["signer"], signal.SIGKILL)
    assert approve.wait(timeout=30) == 6
    assert "run the command again" in approve.stderr.read()
    approve.stderr.close()
    wait_for_end(office)
    with office:
        office.wait_log("issued .*sleepy.ligo.org")
        after = office.say(None, "request", "approve", name)
        assert after["state"] == "issued"
    assert office.check_book()[f"{SERVICES}/CN=sleepy.ligo.org"] == 1
    # The serial of the first try is used, and void.
    assert sorted(c["state"] for c in office.certificates()) == [
        "issued", "void"]


def test_two_at_once_are_one_certificate(kdc, tmp_path):
    with Office(tmp_path, kdc, approvals=2) as office:
        for who in ("ann", "bob"):
            office.as_who(who)
        for n in range(10):
            path, name = office.request(f"both{n}.ligo.org")
            office.ask("eve", "request", "submit", path)
            where = f"localhost:{office.office_port}"
            both = [subprocess.Popen(
                [SIGNET_CA, "request", "approve", name, "--office", where,
                 "--json"], env=office.as_who(who), stdout=subprocess.PIPE,
                text=True, preexec_fn=die_with_parent)
                for who in ("ann", "bob")]
            answers = [json.loads(p.communicate(timeout=60)[0]) for p in both]
            assert [p.returncode for p in both] == [0, 0]
            serials = {a["serial"] for a in answers if a["state"] == "issued"}
            assert len(serials) == 1
            assert office.state(name) == "issued"
        issued = office.check_book()
        assert len(issued) == 10


def test_a_full_disk_refuses_and_loses_nothing(kdc, tmp_path):
    """The ledger's directory is a file system of 1 MiB."""
    assert os.getuid() == 0, "a file system of one's own takes root"
    office = Office(tmp_path, kdc)
    place = office.ledger.parent
    place.mkdir(mode=0o700)
    run("mount", "-t", "tmpfs", "-o", "size=1m,mode=0700", "signet-test",
        place)
    try:
        os.chown(place, ROLE_USERS["keeper"], 0)
        office.start()
        path, first = office.request("first.ligo.org")
        office.ask(None, "request", "submit", path)
        filler = place / "filler"
        with open(filler, "wb", buffering=0) as f:
            try:
                while True:
                    f.write(b"x" * 4096)
            except OSError:
                pass
        refused = None
        for n in range(60):
            path, name = office.request(f"full{n}.ligo.org")
            done = office.ask(None, "request", "submit", path, check=False)
            if done.returncode != 0:
                refused = done
                break
        assert refused is not None and refused.returncode == 1
        assert "ledger" in refused.stderr
        office.wait_log("ledger-fault")
        # What is in the book can be read, and what is not is not there.
        assert office.ask(None, "request", "show", name,
                          check=False).returncode == 3
        done = office.ask(None, "request", "approve", first, check=False)
        assert done.returncode == 1, done.stdout
        filler.unlink()
        assert office.say(None, "request", "submit", path)["state"] == "open"
        assert office.say(None, "request", "approve",
                          first)["state"] == "issued"
        assert office.stop() == 0
        office.check_book()
    finally:
        office.stop()
        run("umount", place)


@pytest.mark.heavy
def test_the_clock_goes_back_a_day(kdc, tmp_path):
    """Made and used tomorrow; then the clock is put right."""
    library = next(pathlib.Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    later = {"LD_PRELOAD": str(library), "FAKETIME": "+1d"}
    os.environ.update(later)
    try:
        office = Office(tmp_path, kdc, env=later)
        first = office.request("tomorrow.ligo.org")
    finally:
        for name in later:
            del os.environ[name]
    office.start("--pass-env", "LD_PRELOAD", "--pass-env", "FAKETIME")
    office.ask(None, "request", "submit", first[0])
    entry = office.say(None, "request", "show", first[1])["entry"]
    assert office.stop() == 0
    # Its CAs are not valid yet, which signing is refused for; deciding is not.
    for name in later:
        del office.env[name]
    second = office.request("today.ligo.org")
    office.start()
    asked = office.ask(None, "request", "submit", second[0], "--json",
                       check=False)
    assert json.loads(asked.stdout)["entry"] > entry
    office.stop()
    office.env.update(later)
    office.start("--pass-env", "LD_PRELOAD", "--pass-env", "FAKETIME")
    for _, name in (first, second):
        assert office.say(None, "request", "approve",
                          name)["state"] == "issued"
    assert len({c["serial"] for c in office.certificates()}) == 2
    assert office.stop() == 0
    office.check_book()


HOOK = """\
#!/bin/sh
# Notes the event, and takes its time.
cat >/dev/null
echo "$SIGNET_ENTRY $SIGNET_EVENT $SIGNET_REQUEST $SIGNET_CONTACT_MAIL" \
    >>"{notes}"
test ! -e "{notes}.broken"
"""


def test_each_event_is_told_though_the_watch_is_killed(kdc, tmp_path):
    with Office(tmp_path / "site", kdc) as office:
        notes, hook = tmp_path / "notes", tmp_path / "hook"
        hook.write_text(HOOK.format(notes=notes))
        hook.chmod(0o755)
        watch = [SIGNET_CA, "watch", "--exec", hook, "--state",
                 tmp_path / "state", "--after", "0", "--office", office.socket]
        chance = random.Random(7)
        names = []
        for n in range(12):
            process = subprocess.Popen(watch, stderr=subprocess.DEVNULL,
                                       preexec_fn=die_with_parent)
            path, name = office.request(f"w{n}.ligo.org")
            office.ask(None, "request", "submit", path)
            office.ask(None, "request", "approve", name)
            names.append(name)
            time.sleep(chance.uniform(0, 0.1))
            process.kill()
            process.wait()
        # A hook that fails is asked again, and nothing is passed over.
        broken = tmp_path / "notes.broken"
        broken.touch()
        path, name = office.request("last.ligo.org")
        office.ask(None, "request", "submit", path)
        failed = run(*watch, "--once", check=False)
        assert failed.returncode == 1 and "told again" in failed.stderr
        broken.unlink()
        run(*watch, "--once")
        told = [line.split() for line in notes.read_text().splitlines()]
        first = list(dict.fromkeys(int(t[0]) for t in told))
        assert first == sorted(first)
        events = {(t[1], t[2]) for t in told}
        for n in names:
            assert {("asked", n), ("approved", n), ("issued", n)} <= events
        assert ("asked", name) in events
        assert {t[3] for t in told} == {"eve@ligo.org"}
        # All is told: nothing more comes.
        count = len(told)
        run(*watch, "--once")
        assert len(notes.read_text().splitlines()) == count
        # One at a time.
        process = subprocess.Popen(watch, preexec_fn=die_with_parent)
        end = time.monotonic() + 20
        second = run(*watch, "--once", check=False)
        while second.returncode == 0:
            assert time.monotonic() < end
            if process.poll() is not None:  # ours was the first
                process = subprocess.Popen(watch, preexec_fn=die_with_parent)
            second = run(*watch, "--once", check=False)
        assert second.returncode == 1 and "another watch" in second.stderr
        process.kill()
        process.wait()


@pytest.mark.parametrize("way", ["fd", "credential"])
def test_an_encrypted_key_opens_with_the_phrase_given_at_the_start(
        kdc, tmp_path, way):
    phrase = "correct horse battery staple"

    def pipe():
        read, write = os.pipe()
        os.write(write, phrase.encode() + b"\n")
        os.close(write)
        return read

    made = pipe()
    office = Office(tmp_path, kdc, init=("--passphrase-fd", str(made)),
                    init_fds=(made,))
    os.close(made)
    assert "ENCRYPTED" in (office.services_ca / "ca.key").read_text()
    fd = pipe()
    if way == "fd":
        office.settings.append(f"key-passphrase fd:{fd}")
    else:
        place = tmp_path / "credentials"
        place.mkdir(mode=0o700)
        (place / "phrase").write_text(phrase)
        office.settings.append("key-passphrase credential:phrase")
        office.env["CREDENTIALS_DIRECTORY"] = str(place)
    office.write_conf()
    office.start(pass_fds=(fd,))
    os.close(fd)
    path, name = office.request("sealed.ligo.org")
    office.ask(None, "request", "submit", path)
    assert office.say(None, "request", "approve", name)["state"] == "issued"
    assert office.stop() == 0
    assert phrase not in office.log()
