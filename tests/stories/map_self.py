"""Self-service at a host: its desk, its users, and certificates for them.

    with SelfSite(dir) as s:
        s.start()
        s.ask("add", who=s.ann, status=0)

If the stories run as root, ann and bob are accounts that every Debian has and
their commands run as them; else both are who runs the stories, who then also
is the administrator: the desk sees one uid."""

import json
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess

from kdc import die_with_parent
from map_site import BUILD, MapSite
from openssl_pki import Pki
from signet_site import open_way

ROOT = os.getuid() == 0


class Person:
    def __init__(self, name):
        entry = pwd.getpwnam(name)
        self.account, self.uid, self.gid = name, entry.pw_uid, entry.pw_gid

    def become(self):
        return dict(user=self.uid, group=self.gid, extra_groups=[]) \
            if ROOT and self.uid != 0 else {}


def people():
    if ROOT:
        return Person("daemon"), Person("bin"), Person("sys")
    me = Person(pwd.getpwuid(os.getuid()).pw_name)
    return me, me, me


def issue(pki, name, **more):
    """A credential file; one of before with that name is forgotten."""
    (pki.dir / f"{name}.key").unlink(missing_ok=True)
    return pki.person(name, **more)


class SelfSite:
    def __init__(self, directory, pki, settings=(), rules=None):
        self.dir = pathlib.Path(directory)
        self.dir.mkdir(parents=True, exist_ok=True)
        open_way(self.dir)
        self.pki = pki
        self.ann, self.bob, self.boss = people()
        self.run_dir = self.dir / "run"
        self.socket = self.run_dir / "desk"
        self.site = MapSite(
            self.dir / "site", rules or RULES,
            settings=[f"desk-socket {self.socket}",
                      f"trust-directory {pki.trust}", "request-uid 1",
                      f"request-admin {self.boss.account}", *settings])
        self.site.dir.chmod(0o755)
        (self.site.dir / "map.conf").chmod(0o644)
        self.log = self.dir / "desk.log"
        self.requests = self.site.state / "requests.log"
        self.process = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.site.stop()
        if self.process is not None:
            self.process.terminate()
            status = self.process.wait(timeout=60)
            self.process = None
            assert status == 0, self.log.read_text()[-3000:]

    def start(self, env=None):
        ready = self.dir / "ready"
        ready.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
            told.bind(str(ready))
            told.settimeout(0.05)
            self.process = subprocess.Popen(
                [f"{BUILD}/signet-map/signet-map", "desk", "--config",
                 self.site.dir / "map.conf"], stderr=open(self.log, "ab"),
                env=dict(os.environ, NOTIFY_SOCKET=str(ready), **(env or {})),
                preexec_fn=die_with_parent)
            while True:
                try:
                    assert told.recv(100) == b"READY=1"
                    return
                except TimeoutError:
                    if self.process.poll() is not None:
                        raise EOFError(self.said())

    def killed(self):
        """Wait for it to have been killed: by us, or by its own walls since
        it was made to kill itself, which they forbid."""
        assert self.process.wait(timeout=60) in (-signal.SIGKILL,
                                                 -signal.SIGSYS)
        self.process = None

    def kill(self):
        self.process.kill()
        self.killed()

    def give(self, name, who):
        """A credential file for ${who}, with the certificate called ${name}."""
        path = issue(self.pki, name)
        mine = self.dir / f"{name}.cred"
        shutil.copy(path, mine)
        if ROOT:
            os.chown(mine, who.uid, who.gid)
        mine.chmod(0o600)
        return mine

    def ask(self, *words, who=None, status=0, env=None, **more):
        done = subprocess.run(
            [f"{BUILD}/signet-map/signet-map", *map(str, words), "--config",
             self.site.dir / "map.conf"], capture_output=True, text=True,
            timeout=60, env=dict({"PATH": os.environ["PATH"],
                                  "HOME": "/nonexistent"}, **(env or {})),
            cwd="/", **more, **((who or self.ann).become()))
        assert done.returncode == status, (done.returncode, done.stdout,
                                           done.stderr, self.said())
        return done

    def answer(self, *words, **more):
        return json.loads(self.ask(*words, "--json", **more).stdout)

    def said(self):
        return self.log.read_text()[-3000:] if self.log.exists() else ""

    def talk(self, who=None):
        """A raw connection, as ${who}: lines in and out."""
        return Talk(self.socket, who or self.ann)

    def verbs(self):
        return [line.split("\t")[5] for line in
                self.requests.read_text().splitlines()]


RULES = """\
source own requests {dir}/state/requests.log
service gridftp
    file {dir}/gridftp.map
    exist no
    accounts all
    format gct
    uid 1-4294967293
splice asked
    from own
"""

RELAY = r"""
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
f = s.makefile("rw")
for line in sys.stdin:
    try:
        f.write(line)
        f.flush()
        print(f.readline(), end="", flush=True)
    except OSError:
        print("", flush=True)
        break
"""


class Talk:
    def __init__(self, path, who):
        self.process = subprocess.Popen(
            ["/usr/bin/python3", "-c", RELAY, path], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True, cwd="/", **who.become())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(timeout=60)
        self.process.stdout.close()

    def say(self, **message):
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        return json.loads(line) if line else None
