"""The two walk-throughs, executed word for word: what a page says is typed is
typed, into one shell at a terminal, and what it says is answered is
answered."""

import os
import pathlib
import pwd
import re
import select
import shutil
import signal
import struct
import fcntl
import subprocess
import termios
import time

import pytest
from signet_site import REPO, SIGNET_CA, SIGNETD, SIGNET, open_way

PHRASES = {"backup": "what is kept in the vault",
           "": "what only the keepers know"}
PATIENCE = 60
MADE = ("root", "uwm", "services")  # by signet-ca; the others are there


class Page:
    """Its environment block and its console blocks, in order."""

    def __init__(self, name):
        text = (REPO / "docs" / name).read_text()
        blocks = re.findall(r"^```(sh environment|console)\n(.*?)^```\n", text,
                            re.S | re.M)
        # Every fence is one of the two: nothing is left out by a slip.
        assert text.count("\n```") == 2 * len(blocks)
        kinds = [kind for kind, _ in blocks]
        assert kinds.count("sh environment") == 1
        self.environment = re.findall(r"^export ([A-Z_]+)=", blocks[
            kinds.index("sh environment")][1], re.M)
        self.steps = []
        for kind, body in blocks:
            if kind == "console":
                self.steps += self.read(body)

    def read(self, body):
        """[(command, [lines that follow it])]"""
        steps = []
        for line in body.splitlines():
            if line.startswith("$ "):
                steps.append((line[2:], []))
            elif line.startswith("> "):
                assert not steps[-1][1]
                steps[-1] = (steps[-1][0] + "\n" + line[2:], [])
            else:
                steps[-1][1].append(line)
        return steps


def of_session(leader):
    """The processes of a session."""
    for place in pathlib.Path("/proc").iterdir():
        try:
            fields = (place / "stat").read_text().rsplit(")", 1)[1].split()
        except (OSError, IndexError):
            continue
        if place.name.isdigit() and int(fields[3]) == leader:
            yield int(place.name)


class Terminal:
    """One shell at a terminal of its own, as the person who reads has it."""

    def __init__(self, directory, env):
        self.dir = directory
        self.out = ""
        master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 250,
                                                           0, 0))
        modes = termios.tcgetattr(slave)
        modes[1] &= ~termios.OPOST
        modes[3] &= ~termios.ECHO
        termios.tcsetattr(slave, termios.TCSANOW, modes)

        def at_terminal():
            os.setsid()
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
            if os.getuid() == 0:
                nobody = pwd.getpwnam("nobody")
                os.setgroups([])
                os.setgid(nobody.pw_gid)
                os.setuid(nobody.pw_uid)
        if os.getuid() == 0:
            os.fchown(slave, pwd.getpwnam("nobody").pw_uid, -1)
        self.shell = subprocess.Popen(
            ["/bin/bash", "--norc", "--noprofile", "--noediting"], stdin=slave, stdout=slave,
            stderr=slave, env=env, cwd=directory, preexec_fn=at_terminal)
        os.close(slave)
        self.master = master

    def until(self, pattern):
        """Read until it has come; what came before it goes."""
        end = time.monotonic() + PATIENCE
        while True:
            found = re.search(pattern, self.out)
            if found:
                before = self.out[:found.start()]
                self.out = self.out[found.end():]
                return before, found
            assert time.monotonic() < end, f"no {pattern!r} in {self.out!r}"
            ready, _, _ = select.select([self.master], [], [], 1)
            if ready:
                self.out += os.read(self.master, 65536).decode(
                    errors="replace")

    def run(self, command, following):
        """Its output, what was asked included, and its status."""
        (self.dir / "command").write_text(command + "\n")
        os.write(self.master, b". ./command; printf '\\n<<%d>>\\n' $?\n")
        said, phrase = "", ""
        for line in following:
            hidden = line.endswith(" ********")
            asked = line.endswith(": yes")
            if not hidden and not asked:
                continue
            prompt = line.rsplit(" ", 1)[0]
            before, found = self.until(re.escape(prompt))
            said += before + found.group(0) + "\n"
            answer = "yes"
            if hidden and not prompt.startswith("Once more"):
                phrase = next(phrase for word, phrase in PHRASES.items()
                              if word in prompt)
            answer = phrase if hidden else answer
            os.write(self.master, answer.encode() + b"\n")
        before, found = self.until(r"\n<<(\d+)>>\n")
        return said + before, int(found.group(1))

    def close(self):
        # A page that was left in the middle leaves no daemon: to signetd the
        # end of the terminal is only a reload.
        for pid in of_session(self.shell.pid):
            if pid != self.shell.pid:
                try:
                    os.kill(pid, signal.SIGTERM)
                except ProcessLookupError:
                    pass
        self.shell.send_signal(signal.SIGHUP)
        os.close(self.master)
        self.shell.wait(30)


def check(command, following, said, status):
    """Each line that the page shows is there, in its order."""
    assert status == 0, f"{command}\n{said}"
    lines = [line.strip() for line in said.splitlines()]
    for wanted in following:
        if wanted.endswith((" ********", ": yes")) or not wanted.strip():
            continue
        pattern = ".*".join(map(re.escape, wanted.strip().split("…")))
        while lines and not re.fullmatch(pattern, lines[0]):
            lines.pop(0)
        assert lines, f"{command}\nnever said: {wanted}\nbut: {said}"
        lines.pop(0)


def walk(page, directory, places):
    page = Page(page)
    assert set(page.environment) == set(places)
    home = directory / "home"
    programs = directory / "bin"
    programs.mkdir()
    for program in SIGNET_CA, SIGNETD, SIGNET:
        (programs / program.name).symlink_to(program)
    for place in [home, *(p.parent if p.name in MADE else p
                          for p in places.values())]:
        place.mkdir(parents=True, exist_ok=True)
    if os.getuid() == 0:
        open_way(directory)
        for place in [directory, *directory.rglob("*")]:
            os.lchown(place, pwd.getpwnam("nobody").pw_uid, -1)
    env = {"PATH": f"{programs}:/usr/bin:/bin:/usr/sbin:/sbin",
           "HOME": str(home), "LC_ALL": "C.UTF-8", "TERM": "dumb",
           "TMPDIR": str(home), "PS1": "", "PS2": "",
           **{name: str(path) for name, path in places.items()},
           **{n: v for n, v in os.environ.items()
              if n.startswith(("ASAN_", "UBSAN_", "LD_"))}}
    terminal = Terminal(home, env)
    try:
        for command, following in page.steps:
            said, status = terminal.run(command, following)
            check(command, following, said, status)
    finally:
        terminal.close()
    return page


def test_the_keeper_of_the_root(tmp_path):
    page = walk("ROOT-KEEPER.md", tmp_path, {
        "ROOT": tmp_path / "ca/root", "STICK": tmp_path / "stick",
        "VAULT": tmp_path / "vault", "SITE": tmp_path / "site/uwm"})
    assert len(page.steps) >= 20
    # The key never left its machine, and what travelled holds no secret.
    for path in (tmp_path / "stick").rglob("*"):
        assert path.is_dir() or b"PRIVATE" not in path.read_bytes()


def test_the_administrator_of_the_services_ca(tmp_path):
    page = walk("SERVICES-ADMINISTRATOR.md", tmp_path, {
        "SERVICES": tmp_path / "ca/services", "OFFICE": tmp_path / "office",
        "STATE": tmp_path / "state", "STICK": tmp_path / "stick",
        "VAULT": tmp_path / "vault", "HOST": tmp_path / "host",
        "ROOT": tmp_path / "root/root", "PROFILES": REPO / "share/profiles"})
    assert len(page.steps) >= 25
