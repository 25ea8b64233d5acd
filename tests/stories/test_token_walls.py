"""The walls around a token: the front end, the intake, the issuer's client and
the account of the MyProxy server each try to reach the token, its PIN, and the
memory and the sockets of signer and token role, and fail."""

import json
import os
import pathlib
import re
import subprocess
import sys

import pytest
from callout_site import MYPROXY, as_account
from memory_search import children
from signet_site import REPO, ROLE_USERS, open_way
from test_token_stock import TokenSite
from test_walls import make_it_try

pytestmark = pytest.mark.heavy

HOLDERS = ("signer", "token.0")
HOOK = 61399


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    place = tmp_path_factory.mktemp("walls")
    hook = place / "hook"
    hook.write_text("#!/bin/sh\nexec sleep 1000\n")
    hook.chmod(0o755)
    site = TokenSite(place)
    site.settings += [f"token-hook {hook}", "hook-timeout 10m"]
    if os.getuid() == 0:
        site.settings.append(f"user-hook {HOOK}")
    site.write_conf()
    with site:
        # As root's and the token user's only: whose they are in earnest.
        os.chmod(site.token.dir / "tokens", 0o700)
        os.chmod(site.token.dir / "credentials", 0o700)
        open_way(place)
        yield site


def secret_files(site):
    token = site.token.dir
    return [str(p) for p in (
        token / "tokens", *(token / "tokens").rglob("*"),
        token / "credentials", token / "credentials" / "pin",
        site.ledger, site.ledger.parent)]


def holders(site):
    pids = site.roles()
    return {name: pids[name] for name in HOLDERS}


def hook_keeper(site):
    """What stands between the daemon and a hook that does not end."""
    found = [pid for pid in children(site.process.pid) if pathlib.Path(
        f"/proc/{pid}/comm").read_text() == "signetd-hook\n"]
    assert len(found) == 1
    return found[0]


def climb(site, script, files, **account):
    done = subprocess.run(
        [sys.executable, script,
         json.dumps({"pids": dict(holders(site), parent=site.process.pid,
                                  keeper=hook_keeper(site)),
                     "files": files})],
        capture_output=True, text=True, timeout=60, **account)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    """Where any account can read it."""
    path = tmp_path_factory.mktemp("climb") / "wall_climber.py"
    path.write_text((REPO / "tests/stories/wall_climber.py").read_text())
    path.chmod(0o644)
    open_way(path.parent)
    return path


# Whoever is root is no example of one who fails, but shows that the tries would
# succeed if they were not stopped.
def test_the_tries_are_good_ones(site, script):
    if os.getuid() == 0:
        done = climb(site, script, secret_files(site))
        acts = ("mem", "maps", "environ", "process_vm_readv", "pidfd_getfd",
                "fd", "ptrace")
        assert {f"{act} of {name}" for act in acts for name in
                (*HOLDERS, "parent")} <= set(done)
        # That one has nothing open.
        assert {f"{act} of keeper" for act in acts if act != "pidfd_getfd"
                } <= set(done)
        assert f"open {site.token.dir}/credentials/pin" in done
    own = climb_self(script)
    assert {"mem of me", "environ of me", "fd of me"} <= set(own)


def climb_self(script):
    """The tries upon a process that is not walled in."""
    me = subprocess.Popen(["sleep", "100"])
    try:
        done = subprocess.run(
            [sys.executable, script,
             json.dumps({"pids": {"me": me.pid}, "files": []})],
            capture_output=True, text=True, timeout=60)
        return json.loads(done.stdout)
    finally:
        me.kill()
        me.wait()


ACCOUNTS = {"the MyProxy server's": MYPROXY, "a hook's": HOOK,
            **{f"the {role}'s": ROLE_USERS[role]
               for role in ("front", "intake", "auth", "issuer", "signer")}}


@pytest.mark.parametrize("who", ACCOUNTS)
def test_another_account_reaches_nothing(site, script, who):
    """With nothing but the rights of an account: no walls of ours around it.
    An ordinary user's roles are his own processes, and closed all the same."""
    if os.getuid() == 0:
        assert climb(site, script, secret_files(site),
                     **as_account(ACCOUNTS[who])) == []
    else:
        assert [act for act in climb(site, script, []) if "parent" not in act
                ] == []


def test_signer_and_token_have_no_socket_with_a_name(site):
    """What they hear comes by pairs that were theirs from the start."""
    named = {line.split()[6]: line.split()[-1] for line in
             pathlib.Path("/proc/net/unix").read_text().splitlines()[1:]
             if len(line.split()) > 7}
    if os.getuid() != 0:
        assert not [p for p in named.values() if "signer" in p or "token" in p]
        return
    for name, pid in holders(site).items():
        links = [os.readlink(p) for p in
                 pathlib.Path(f"/proc/{pid}/fd").iterdir()]
        sockets = re.findall(r"socket:\[(\d+)\]", " ".join(links))
        assert sockets
        assert [named[s] for s in sockets if s in named] == [], name
        for table in ("tcp", "tcp6", "udp", "udp6", "packet", "netlink"):
            text = pathlib.Path(f"/proc/net/{table}").read_text()
            assert not set(sockets) & set(text.split()), (name, table)


def tries(site):
    """Expressions for a debugger: system calls by their numbers, since not all
    have a function here."""
    files = site.token.dir
    for name, pid in holders(site).items():
        yield f'(int)open("/proc/{pid}/mem", 0)'
        yield f"(long)syscall(310, {pid}, 0, 0, 0, 0, 0)"  # process_vm_readv
        yield f"(long)syscall(101, 16, {pid}, 0, 0)"       # ptrace
        # pidfd_getfd of what pidfd_open gives
        yield f"(long)syscall(438, (long)syscall(434, {pid}, 0), 3, 0)"
        yield f'(int)open("/proc/{pid}/fd", 0200000)'
        yield f"(int)kill({pid}, 9)"
    yield f'(int)open("{files}/tokens", 0200000)'
    yield f'(int)open("{files}/credentials/pin", 0)'


@pytest.mark.parametrize("role", ["front.0", "intake.0"])
def test_from_within_its_walls_it_reaches_even_less(site, role):
    """Several of them in one process, until one of them is its end."""
    before = holders(site)
    if os.getuid() != 0:
        # Nobody can make it try, not even whose process it is.
        report = make_it_try(site.roles()[role], "(int)getpid()")
        assert "$1" not in report
        return
    for act in tries(site):
        at = len(site.log_now())
        report = make_it_try(site.roles()[role], act)
        killed = "SIGSYS" in report
        refused = re.search(r"\$1 = -1\n\$2 = (1|13)\n", report)
        assert killed or refused, (act, report)
        if killed:
            site.wait_log(rf"(?s)\A.{{{at}}}.*role-started role={role} ")
    assert holders(site) == before
    site.stock_logon()


def test_the_issuers_client_reaches_nothing(site):
    """signet-issue, while it waits: as whom and as what it runs."""
    with site.pause("issuer"):
        caller = site.ask("socket")
        site.wait_log(r"request ref=\w+ .*user=user0")
        if os.getuid() != 0:
            assert "$1" not in make_it_try(caller.pid, "(int)getpid()")
        for act in tries(site) if os.getuid() == 0 else ():
            report = make_it_try(caller.pid, act)
            if caller.poll() is not None and "SIGSYS" not in report:
                # It had waited for as long as it may.
                caller = site.ask("socket")
                report = make_it_try(caller.pid, act)
            if "SIGSYS" in report:
                break  # it has ended
            assert re.search(r"\$1 = -1\n\$2 = (1|9|13|22)\n", report), (
                act, report)
    caller.wait(30)
