"""PINs and pass phrases are nowhere once they have been used: searched for in
the memory image of every process of the daemon, and of the call-out, in every
file that they write, and in the environment and command line of every process
of the host."""

import os
import pathlib
import secrets
import subprocess
import sys

import pytest
from callout_site import WAYS, CallSite, finish, words
from kdc import die_with_parent
from memory_search import children, in_files, in_memory, in_proc
from signet_site import Root, openssl, run
from signet_token import SOFTHSM, Token
from test_pin import Desk, somebody

pytestmark = pytest.mark.heavy


def marker(what):
    return f"{what}-{secrets.token_hex(8)}"


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return Root(tmp_path_factory.mktemp("root"))


def processes(site):
    """{name: pid} of all that the daemon is."""
    named = {**site.roles(), "parent": site.process.pid}
    others = set(children(site.process.pid)) - set(named.values())
    return {**named, **{f"child {pid}": pid for pid in others}}


def comm(pid):
    return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()


def check_images(site, pids, found):
    """An image that lacks what each has been told is none."""
    assert in_memory(pids, [site.realm, *found]) == {
        name: [site.realm] for name in pids}


def check_nowhere(site, found, places=(), but=()):
    """None of ${found} is left of a daemon that has used them."""
    pids = processes(site)
    if os.getuid() == 0:
        check_images(site, pids, found)
    else:
        # Not even who runs them can look; but a hook is none of ours.
        for name, pid in pids.items():
            if not comm(pid).startswith("signetd"):
                continue
            done = subprocess.run(["gcore", "-o", f"{site.dir}/core", str(pid)],
                                  capture_output=True, text=True, timeout=60)
            assert "not permitted" in done.stdout + done.stderr, name
            assert not (site.dir / f"core.{pid}").exists()
    assert in_proc(found) == []
    assert in_files([site.dir, *places], found, but) == []


KEEPER = """
import sys
kept = sys.stdin.readline().strip()
print("has it", flush=True)
sys.stdin.readline()
"""


def test_the_search_finds_what_a_process_keeps(tmp_path):
    word = marker("kept")
    keeper = subprocess.Popen(
        [sys.executable, "-c", KEEPER], stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent)
    told = subprocess.Popen(
        ["sleep", "1000"], env={"PIN": word}, preexec_fn=die_with_parent)
    keeper.stdin.write(word + "\n")
    keeper.stdin.flush()
    assert keeper.stdout.readline() == "has it\n"
    (tmp_path / "kept").write_text(f"a line\npin={word}\n")
    assert in_memory({"keeper": keeper.pid, "told": told.pid}, [word]) == {
        "keeper": [word], "told": [word]}
    assert (told.pid, "environ", word) in in_proc([word])
    assert in_files([tmp_path], [word]) == [(tmp_path / "kept", word)]
    assert in_memory({"keeper": keeper.pid}, [marker("kept")]) == {}
    for process in (keeper, told):
        process.kill()
        process.communicate()


def hanging_hook(site):
    """The settings of a hook that is told of the first thing and does not end:
    it and its keeper are begun when secrets are about.  What both know of the
    site is its name."""
    path = site.dir / f"hook-of-{site.realm}"
    path.write_text("#!/bin/sh\nSITE=$0 sleep 1000\ntrue\n")
    path.chmod(0o755)
    return [f"token-hook {path}", "hook-timeout 10m",
            *(["user-hook 61399"] if os.getuid() == 0 else [])]


def encrypt(ca, phrase):
    """The key of the CA in ${ca}, from now on under ${phrase}."""
    key = ca / "ca.key"
    key.write_text(openssl("pkcs8", "-topk8", "-in", key, "-passout", "stdin",
                           input=phrase + "\n").stdout)


def test_pin_and_pass_phrases_that_were_typed(tmp_path, root):
    pin, phrase, password = map(marker, ("pin", "phrase", "password"))
    typo = marker("typo")
    token = Token(tmp_path / "token", pin=pin)
    token.env.pop("TOKEN_SHIM_PIN")
    (tmp_path / "token" / "credentials" / "pin").unlink()
    with somebody() as person:
        desk = Desk(tmp_path / "site", token, "terminal", person, root=root)
        desk.add_user("ann", password)
        encrypt(desk.ca, phrase)
        desk.settings += hanging_hook(desk)
        desk.write_conf()
        desk.start(wait=False)
        try:
            person.wait(f"key of {desk.ca}: ")
            person.type(phrase + "\n")
            desk.wait_started()
            person.wait("PIN: ")
            person.type(typo + "\n")
            desk.wait_log(r"pin-wrong ca=")
            person.wait("PIN: ")
            person.type(pin + "\n")
            desk.wait_log(r"token-ready ca=")
            for profile in ("token", "slcs-user"):
                desk.stock_logon("-k", profile, user="ann", password=password,
                                 out=desk.dir / "ann.pem")
            desk.stock_logon("-k", "token", user="ann", password=typo,
                             check=False)
            # It is lost, and given once more.
            token.pull()
            desk.wait_log(r"token-lost ca=")
            token.plug()
            person.wait("PIN: ")
            person.type(pin + "\n")
            desk.wait_log(r"(?s)token-lost.*token-ready")
            assert "signetd-hook" in map(comm, processes(desk).values())
            check_nowhere(desk, [pin, phrase, password, typo], [token.dir])
        finally:
            desk.stop()


def test_pin_that_a_service_manager_gave(tmp_path, root):
    pin = marker("pin")
    token = Token(tmp_path / "token", pin=pin)
    token.env.pop("TOKEN_SHIM_PIN")
    with Desk(tmp_path / "site", token, "credential:pin", root=root) as desk:
        desk.wait_log(r"token-ready")
        assert desk.serves("token")
        check_nowhere(desk, [pin], [token.dir],
                      but=[token.dir / "credentials" / "pin"])


class AlwaysAsked(Token):
    """Its key wants the PIN for each signature."""

    def import_key(self, pem, object="ca", id="01"):
        der = self.dir / "key.der"
        openssl("pkcs8", "-topk8", "-nocrypt", "-in", pem, "-outform", "DER",
                "-out", der)
        run("pkcs11-tool", "--module", SOFTHSM, "--token-label", self.label,
            "--login", "--pin", self.pin, "--write-object", der, "--type",
            "privkey", "--always-auth", "--label", object, "--id", id,
            env=dict(os.environ, **self.env))
        der.unlink()
        self.give_away()


def test_a_pin_that_each_signature_needs_is_in_no_image(tmp_path, root):
    """It has one place, which a debugger of root's cannot read either."""
    pin = marker("pin")
    token = AlwaysAsked(tmp_path / "token", pin=pin)
    token.env.pop("TOKEN_SHIM_PIN")
    with Desk(tmp_path / "site", token, "credential:pin", root=root) as desk:
        desk.wait_log(r"token-ready")
        logins = token.calls("Login")
        for _ in range(3):
            assert desk.serves("token")
        assert token.calls("Login") >= logins + 3
        check_nowhere(desk, [pin], [token.dir],
                      but=[token.dir / "credentials" / "pin"])


@pytest.mark.parametrize("way", WAYS)
def test_what_a_stock_server_passes_on_stays_with_signet_issue(
        tmp_path, root, way):
    """While the issuer waits: of all processes that serve the call only the
    server's own, which read the pass phrase, may have it.  Here that is this
    test, which searches the others."""
    phrase = marker("phrase")
    with CallSite(tmp_path / "site", root=root) as site:
        # An image of each takes its time.
        conf = site.issue_conf(way)
        conf.write_text(conf.read_text().replace("timeout 20", "timeout 300"))
        with site.pause("issuer"):
            caller = site.ask(way, words(site.csr, phrase=phrase))
            site.wait_log(r"request ref=\w+ .*user=user0")
            if os.getuid() == 0:
                assert in_memory({"signet-issue": caller.pid},
                                 [phrase, "user0"]) == {
                                     "signet-issue": ["user0"]}
                pids = processes(site)
                pids.pop("issuer")  # stands still
                check_images(site, pids, [phrase])
            assert in_files([site.dir], [phrase]) == []
            assert in_proc([phrase]) == []
        assert finish(caller)[0] == 0
        if os.getuid() == 0:
            check_images(site, {"issuer": site.roles()["issuer"]}, [phrase])
        assert in_files([site.dir], [phrase]) == []
