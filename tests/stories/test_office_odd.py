"""The office when staff, names and numbers are not what they were."""

import json
import os
import re
import signal
import subprocess

import pytest
from kdc import die_with_parent
from office_site import STAFF, Office, make_kdc
from signet_site import SIGNET_CA, run


@pytest.fixture(scope="module")
def kdc(tmp_path_factory):
    with make_kdc(tmp_path_factory.mktemp("kdc")) as kdc:
        yield kdc


@pytest.fixture
def office(kdc, tmp_path):
    with Office(tmp_path / "site", kdc) as office:
        yield office


def change_staff(office, text):
    """What the daemon says of it."""
    office.staff_path.write_text(text)
    office.offset = office.log_path.stat().st_size
    office.process.send_signal(signal.SIGHUP)
    return office.wait_log(r"reloaded|reload-refused.*").group(0)


def test_who_is_no_approver_any_more_does_not_count(kdc, tmp_path):
    office = Office(tmp_path, kdc, approvals=2).start()
    try:
        path, name = office.request("left.ligo.org")
        office.ask("eve", "request", "submit", path)
        assert office.say("ann", "request", "approve", name)["approvals"] == 1
        assert change_staff(office, STAFF.replace(
            "role ann approver requester", "role ann auditor")) == "reloaded"
        one = office.say("bob", "request", "approve", name)
        assert (one["state"], one["approvals"]) == ("open", 1)
        # Nor at the next start, when what is owed is signed.
        assert office.stop() == 0
        office.start()
        # Another, from its beginning to its end: by then what was owed is done.
        path, other = office.request("other.ligo.org")
        office.ask("eve", "request", "submit", path)
        office.ask("bob", "request", "approve", other)
        assert office.say(None, "request", "approve",
                          other)["state"] == "issued"
        again = office.say("bob", "request", "show", name)
        assert (again["state"], again["approvals"]) == ("open", 1)
        # Both decisions are on record.
        assert {d["who"] for d in again["decisions"]} == {"ann", "bob"}
        assert office.say(None, "request", "approve",
                          name)["state"] == "issued"
    finally:
        office.stop()
    office.check_book()


@pytest.mark.parametrize("old,new,why", [
    ("role eve requester", "role eve auditor", "no requester any more"),
    ("may-ask eve host .ligo.org gw", "may-ask eve host gw",
     "the staff file has changed: eve may not ask for gone.ligo.org"),
])
def test_what_nobody_may_ask_for_any_more_is_not_approved(office, old, new,
                                                          why):
    path, name = office.request("gone.ligo.org")
    office.ask("eve", "request", "submit", path)
    assert change_staff(office, STAFF.replace(old, new)) == "reloaded"
    refused = office.ask("bob", "request", "approve", name, check=False)
    assert refused.returncode == 8 and why in refused.stderr
    assert office.say("bob", "request", "reject", name, "--reason",
                      "she has left")["state"] == "rejected"
    assert not office.certificates()


@pytest.mark.parametrize("text,why", [
    ("", "no administrator is in it"),
    ("# cut", "no administrator is in it"),
    (f"{STAFF}administrator bobby principal BOB@ligo.test\n", "is bob"),
    (f"{STAFF}administrator Ann principal other@LIGO.TEST\n", "twice"),
    ("\udcff\udcfe", "line 1"),
])
def test_a_staff_file_that_is_none_turns_nobody_out(office, text, why):
    office.staff_path.write_bytes(text.encode(errors="surrogateescape"))
    office.offset = office.log_path.stat().st_size
    office.process.send_signal(signal.SIGHUP)
    assert why in office.wait_log("reload-refused .*").group(0)
    assert office.say(None, "office", "whoami")["who"] == "here"


def test_a_pipe_for_a_staff_file_holds_nobody_up(office):
    office.staff_path.unlink()
    os.mkfifo(office.staff_path)
    office.process.send_signal(signal.SIGHUP)
    office.wait_log("reload-refused .*staff")
    assert office.say(None, "office", "whoami")["who"] == "here"


@pytest.mark.parametrize("cn", ["Scott Koranda/CN=www.ligo.org",
                                "www.other.org/CN=www.ligo.org"])
def test_a_host_has_one_name_in_its_subject(office, cn):
    with pytest.raises(AssertionError, match="2 CNs"):
        office.request(cn)


def test_a_host_names_no_mail_address_of_others(office):
    path, _ = office.request("mail.ligo.org",
                             more=("--email", "ceo@elsewhere.org"))
    refused = office.ask("eve", "request", "submit", path, check=False)
    assert refused.returncode == 8
    assert "eve may not ask for ceo@elsewhere.org" in refused.stderr


def test_of_two_hundred_at_once_none_is_sent_away(office):
    requests = [office.request(f"many{n}.ligo.org")[0] for n in range(8)]
    crowd = [subprocess.Popen(
        [SIGNET_CA, "request", "submit", requests[n % 8], "--json",
         "--office", office.socket], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, preexec_fn=die_with_parent)
        for n in range(200)]
    for process in crowd:
        out, said = process.communicate(timeout=120)
        assert process.returncode == 0, said
        assert json.loads(out)["state"] == "open"
    assert len(office.say(None, "request", "list")) == 8


def test_a_watch_does_not_pass_over_a_ledger_that_went_back(office, tmp_path):
    state, hook = tmp_path / "state", tmp_path / "hook"
    hook.write_text("#!/bin/sh\ncat >/dev/null\n")
    hook.chmod(0o755)
    watch = (SIGNET_CA, "watch", "--exec", hook, "--state", state, "--office",
             office.socket)
    path, _ = office.request("seen.ligo.org")
    office.ask(None, "request", "submit", path)
    run(*watch, "--once", "--after", "0")
    last = int(state.read_text())
    state.write_text(f"{last + 1000}\n")
    for more in (("--once",), ()):
        ahead = run(*watch, *more, check=False)
        assert ahead.returncode == 1
        # The book may have grown meanwhile: the daemon's first list is in it.
        said = re.search(rf"last of the office is (\d+);.*Remove {state}",
                         ahead.stderr)
        assert last <= int(said.group(1)) < last + 1000
    state.write_text("")
    cut = run(*watch, "--once", check=False)
    assert cut.returncode == 1 and "--after" in cut.stderr
    state.unlink()
    run(*watch, "--once", "--after", last)
    assert last <= int(state.read_text()) < last + 1000
