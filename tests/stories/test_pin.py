"""PINs: asked for at the terminal, at the console or of the service manager,
one try an answer, while the daemon goes on with what needs none."""

import contextlib
import fcntl
import os
import pathlib
import pty
import re
import select
import signal
import sys
import termios
import time

import pytest
from signet_site import BUILD, CAS, PEOPLE, SIGNET_CA, SIGNETD, Root, Site, run
from signet_token import Token

VT_PLAY = BUILD / "tests" / "vt_play.so"

# A session of its own whose controlling terminal is the given one.
AT_TERMINAL = ("import os, sys; os.setsid(); os.open(sys.argv[1], os.O_RDWR); "
               "os.execv(sys.argv[2], sys.argv[2:])")


class Person:
    """Somebody before a terminal, which is a pty."""

    def __init__(self):
        self.fd, self.slave = pty.openpty()
        self.path = os.ttyname(self.slave)
        self.seen = ""

    def read(self, seconds):
        if not select.select([self.fd], [], [], seconds)[0]:
            return False
        self.seen += os.read(self.fd, 4096).decode(errors="replace")
        return True

    def wait(self, text, seconds=20):
        """Until ${text} is seen; what was seen up to its end is gone then."""
        end = time.monotonic() + seconds
        while text not in self.seen:
            if not self.read(max(0, end - time.monotonic())):
                raise AssertionError(f"no {text!r} in {self.seen!r}")
        before, self.seen = self.seen.split(text, 1)
        return before + text

    def type(self, text):
        os.write(self.fd, text.encode())

    def echoes(self):
        return bool(termios.tcgetattr(self.slave)[3] & termios.ECHO)

    def until_echo(self, wanted, seconds=20):
        end = time.monotonic() + seconds
        while self.echoes() != wanted:
            assert time.monotonic() < end
            time.sleep(0.01)

    def close(self):
        os.close(self.fd)
        os.close(self.slave)


class Desk(Site):
    """A site with two CAs: "MyProxy 1" has its key in a file, the one of
    ${token} in a token; its profile is "token"."""

    def __init__(self, directory, token, pin_from, person=None, settings=(),
                 play=None, root=None):
        self.token = token
        self.second = pathlib.Path(directory) / "second"
        super().__init__(directory, root=root, env=token.env,
                         settings=[*token.settings(pin_from), *settings])
        run(SIGNET_CA, "init", "slcs", self.second, "--root", self.root.root,
            "--subject", f"{CAS}/OU=Token/CN=MyProxy 2", "--may-sign-under",
            PEOPLE, "--key", "rsa:2048", "--serial", "range 1000 1000000")
        run(SIGNET_CA, "publish", self.second, "--trust-dir", self.trust)
        token.adopt(self.second)
        name = re.search(r"^name (.*)$", (self.second / "ca.conf").read_text(),
                         re.M)[1]
        first = (self.dir / "slcs-user.profile").read_text()
        (self.dir / "token.profile").write_text(f"{first}\nauthority {name}\n")
        self.name = name
        self.settings += [f"ca {self.second}",
                          f"profile {self.dir}/slcs-user.profile",
                          f"profile {self.dir}/token.profile"]
        self.write_conf()
        if person is not None and play is None:
            self.wrapper = (sys.executable, "-c", AT_TERMINAL, person.path)
        if play is not None:
            self.played = self.dir / "played"
            self.env.update(play, LD_PRELOAD=str(VT_PLAY),
                            VT_PLAY=person.path, VT_PLAY_LOG=str(self.played))
            # A sanitizer wants to be the first library.
            self.env["ASAN_OPTIONS"] = ":".join(filter(None, (
                self.env.get("ASAN_OPTIONS"), "verify_asan_link_order=0")))

    def start(self, *options, **kw):
        return super().start(*self.token.options(), *options, **kw)

    def logon(self, profile, check=True):
        out = self.dir / f"{profile}.pem"
        return self.stock_logon("-k", profile, out=out, check=check)

    def serves(self, profile):
        return self.logon(profile, check=False).returncode == 0

    def stays_shut(self):
        """With the token it is refused at once and clearly; without it all
        is as ever."""
        refused = self.logon("token", check=False)
        assert refused.returncode != 0
        assert "signing is suspended" in refused.stderr
        assert self.serves("slcs-user")

    def events(self, name):
        return re.findall(rf": {name} (.*)", self.log_now())

    def steps(self):
        return self.played.read_text().split("\n")[:-1]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return Root(tmp_path_factory.mktemp("root"))


@contextlib.contextmanager
def somebody():
    person = Person()
    try:
        yield person
    finally:
        person.close()


def nowhere(desk, pin):
    """The PIN is in no file, argument or environment of the daemon's."""
    for role, pid in {**desk.roles(), "parent": desk.process.pid}.items():
        for what in ("cmdline", "environ"):
            try:
                data = pathlib.Path(f"/proc/{pid}/{what}").read_bytes()
            except PermissionError:
                # Not even for whom it runs as, unless that is root.
                assert what == "environ" and os.getuid() != 0
                continue
            assert pin.encode() not in data, (role, what)
    assert pin not in desk.log()


def test_pin_at_the_terminal(tmp_path, root):
    token = Token(tmp_path / "token")
    # The shim's own help for a changed PIN is no secret here.
    token.env.pop("TOKEN_SHIM_PIN")
    with somebody() as person, \
            Desk(tmp_path / "site", token, "terminal", person,
                 root=root) as desk:
        shown = person.wait("PIN: ")
        assert f"Signet CA {desk.name}" in shown and "grid ca" in shown
        assert not person.echoes()
        desk.stays_shut()
        # Nothing, too much, and what no PIN is: no try.
        for line, said in (("\n", "Nothing was entered"),
                           ("x" * 300 + "\n", "too long"),
                           ("12\x0134\n", "control character")):
            person.type(line)
            person.wait(said)
            person.wait("PIN: ")
        assert token.calls("Login") == 0
        person.type("wrong-one\n")
        desk.wait_log(r"pin-wrong ca=")
        shown = person.wait("PIN: ")
        assert "Reason" in shown
        logins = token.calls("Login")
        desk.stays_shut()
        person.type(token.pin + "\n")
        desk.wait_log(r"token-ready ca=")
        person.until_echo(True)
        assert token.calls("Login") > logins >= 1
        assert desk.serves("token") and desk.serves("slcs-user")
        while person.read(0):
            pass
        assert token.pin not in person.seen
        nowhere(desk, token.pin)
        # Taken out, another insertion: asked for again, without a restart.
        token.pull()
        desk.wait_log(r"token-lost ca=")
        desk.stays_shut()
        token.plug()
        person.wait("PIN: ")
        person.type(token.pin + "\n")
        desk.wait_log(r"(?s)token-lost.*token-ready")
        assert desk.serves("token")
        assert desk.stop() == 0
        assert person.echoes()


def test_sigterm_and_sigint_while_it_waits(tmp_path, root):
    token = Token(tmp_path / "token")
    with somebody() as person:
        desk = Desk(tmp_path / "site", token, "terminal", person, root=root)
        for end in (lambda: desk.process.send_signal(signal.SIGTERM),
                    lambda: person.type("\x03")):
            with desk:
                person.wait("PIN: ")
                # What is typed and not ended is no answer.
                person.type("half")
                end()
                assert desk.process.wait(30) == 0
                assert person.echoes()
        with desk:
            person.wait("PIN: ")
            desk.process.send_signal(signal.SIGHUP)
            desk.wait_log(r"reloaded generation=2")
            person.type(token.pin + "\n")
            desk.wait_log(r"token-ready")


def test_no_terminal_no_start(tmp_path, root):
    token = Token(tmp_path / "token")
    desk = Desk(tmp_path / "site", token, "terminal", root=root)
    with pytest.raises(AssertionError):
        desk.start(start_new_session=True)
    assert desk.process.wait(30) == 78
    assert "pin-from terminal: there is no terminal" in desk.log()
    with somebody() as person:
        desk = Desk(tmp_path / "other", token_of(tmp_path), "console", person,
                    play={"VT_PLAY_NONE": "1"}, root=root)
        with pytest.raises(AssertionError):
            desk.start()
        assert desk.process.wait(30) == 78
        assert "no virtual terminals" in desk.log()


def token_of(tmp_path):
    return Token(tmp_path / "token2", label="second")


TAKEN = ["query", "open 9", "own", "mode 384", "open 9", "session", "hang-up",
         "open 9", "alone", "show 9"]
GIVEN_BACK = ["show 1", "not-alone", "own", "mode 400", "give-back 9"]


def test_pin_at_the_console(tmp_path, root):
    token = Token(tmp_path / "token")
    with somebody() as person:
        os.chmod(person.path, 0o620)
        with Desk(tmp_path / "site", token, "console", person, play={},
                  root=root) as desk:
            shown = person.wait("PIN: ")
            assert "grid ca" in shown
            assert not person.echoes()
            assert desk.steps() == TAKEN
            desk.stays_shut()
            person.type(token.pin + "\n")
            desk.wait_log(r"token-ready ca=")
            person.until_echo(True)
            assert [re.sub(r"mode \d+", "mode", s) for s in desk.steps()] == \
                [re.sub(r"mode \d+", "mode", s) for s in TAKEN + GIVEN_BACK]
            assert "pin-asked ca=" in desk.log_now()
            assert "where=tty9" in desk.log_now()
            assert desk.serves("token")
            # Pulled while somebody is being asked: the screen is given back.
            token.pull()
            desk.wait_log(r"token-lost")
            token.plug()
            person.wait("PIN: ")
            token.pull()
            person.until_echo(True)
            assert desk.steps()[-1] == "give-back 9"
            token.plug()
            person.wait("PIN: ")
            desk.process.send_signal(signal.SIGTERM)
            assert desk.process.wait(30) == 0
            assert desk.steps()[-1] == "give-back 9"
            assert person.echoes()


def test_a_console_that_is_not_free(tmp_path, root):
    """It is said, and everything else is served."""
    token = Token(tmp_path / "token")
    with somebody() as person, \
            Desk(tmp_path / "site", token, "console", person,
                 play={"VT_PLAY_BUSY": "1"}, root=root) as desk:
        desk.wait_log(r"pin-failed ca=\S+ text=\".*somebody else holds it")
        desk.stays_shut()
        assert desk.steps() == ["query", "open 9", "give-back 9"]
        assert desk.stop() == 0


def test_the_last_try_is_the_operators(tmp_path, root):
    token = Token(tmp_path / "token")
    token.play(flags="low")
    with somebody() as person, \
            Desk(tmp_path / "site", token, "terminal", person,
                 root=root) as desk:
        shown = person.wait("PIN: ")
        assert "A wrong PIN was given before" in shown
        token.play(flags="final")
        desk.wait_log(r"pin-withheld ca=\S+ .*one more wrong PIN would lock it")
        person.wait("one more wrong PIN would lock it")
        person.until_echo(True)
        person.type(token.pin + "\n")
        token.play(flags="locked")
        desk.wait_log(r"pin-withheld .*its PIN is locked")
        assert token.calls("Login") == 0
        desk.stays_shut()
        # The vendor's tool has seen to it.
        token.play()
        person.wait("PIN: ")
        person.type(token.pin + "\n")
        desk.wait_log(r"token-ready")
        assert desk.serves("token")


def test_credential_right_and_wrong(tmp_path, root):
    token = Token(tmp_path / "token")
    desk = Desk(tmp_path / "site", token, "credential:pin", root=root)
    with desk:
        desk.wait_log(r"pin-asked ca=\S+ where=credential")
        desk.wait_log(r"token-ready")
        assert desk.serves("token")
        # Its process is killed: another comes, and needs the PIN.
        os.kill(desk.roles()["token.1"], signal.SIGKILL)
        desk.wait_log(r"(?s)token-lost .*its process has ended.*token-ready")
        assert desk.serves("token")
    logins = token.calls("Login")
    token.credential("a wrong one")
    with desk:
        desk.wait_log(r"pin-wrong ca=")
        desk.wait_log(r"pin-failed ca=\S+ text=\".*not tried again")
        desk.stays_shut()
        token.plug()
        os.kill(desk.roles()["token.1"], signal.SIGKILL)
        desk.wait_log(r"(?s)role-died role=token.1.*token-wanted")
        desk.stays_shut()
        assert token.calls("Login") == logins + 1


def test_hooks_are_told(tmp_path, root):
    token = Token(tmp_path / "token")
    told = tmp_path / "told"
    told.mkdir()
    told.chmod(0o777)
    for name in ("token", "crl"):
        hook = tmp_path / f"{name}-hook"
        hook.write_text(f"#!/bin/sh\necho ${{SIGNET_EVENT}} $SIGNET_CA "
                        f"$SIGNET_TOKEN $SIGNET_CRL $SIGNET_CRL_NUMBER "
                        f"$SIGNET_REVOKED >> {told}/{name}\n"
                        f"cat > {told}/{name}-in\n"
                        "echo it was told\n")
        hook.chmod(0o755)
    tmp_path.chmod(0o755)
    desk = Desk(tmp_path / "site", token, "credential:pin", root=root,
                settings=[f"token-hook {tmp_path}/token-hook",
                          f"crl-hook {tmp_path}/crl-hook"]
                + (["user-hook 61399"] if os.getuid() == 0 else []))

    def wait_told(name, pattern, count=1):
        end = time.monotonic() + 20
        while True:
            text = (told / name).read_text() if (told / name).exists() else ""
            if len(re.findall(pattern, text, re.M)) >= count:
                return text
            assert time.monotonic() < end, text
            time.sleep(0.02)

    with desk:
        wait_told("token", rf"^token-ready {desk.name} grid ca$")
        wait_told("crl", rf"^crl {desk.name} {desk.ledger.parent}/"
                         rf"{desk.name}.crl \d+ 0$")
        # The list itself, though the hook may not look where it is.
        # Both CAs have made one.
        desk.wait_log(r"(?s)(hook-done hook=crl-hook.*){2}")
        wait_told("crl-in", "BEGIN X509 CRL")  # one more may have begun
        assert (told / "token-in").read_text() == ""
        desk.wait_log(r"hook-said hook=token-hook .*it was told")
        token.pull()
        text = wait_told("token", rf"^token-lost {desk.name} grid ca$")
        assert text.index("token-ready") < text.index("token-lost")
        token.plug()
        wait_told("token", "^token-ready", 2)
        lists = len(re.findall("^crl", (told / "crl").read_text(), re.M))
        desk.process.send_signal(signal.SIGUSR1)
        desk.wait_log(r"lists-asked")
        wait_told("crl", "^crl", lists + 2)
        assert desk.serves("token")
