"""roster_says, followed line by line."""

import os
import queue
import subprocess
import threading

from kdc import die_with_parent
from map_ldap import GROUPS, PEOPLE

BUILD = os.environ["SIGNET_BUILD"]
SAYS = f"{BUILD}/tests/roster_says"
SUBJECT = "/DC=org/DC=ligo/O=LIGO/OU=People/CN={principal}"


def settings(directory, *more, servers=None):
    """A source of ${directory} in roster_says' words."""
    words = {"servers": servers or directory.uri, "base": PEOPLE,
             "subject": SUBJECT, "names": "description",
             "filter": "(objectClass=inetOrgPerson)", "groups": "isMemberOf"}
    flags = ["plain"]
    for word in more:
        key, equals, value = word.partition("=")
        if equals:
            words[key] = value
        else:
            flags.append(word)
    if words["groups"] == "member":
        words.setdefault("group_base", GROUPS)
    return flags + [f"{key}={value}" for key, value in words.items()]


class Person:
    """A line of roster_says."""

    def __init__(self, line):
        (self.where, self.account, self.principal, groups,
         *self.names) = line.split("|")
        self.groups = set(groups.split(";")) - {""}

    def __repr__(self):
        return f"{self.where} {self.account} {self.groups} {self.names}"


def read(words, state=None, status=0, timeout=30, **more):
    """Read the source once: {account: Person}, and what was said."""
    done = subprocess.run(
        [SAYS, *(["-s", str(state)] if state else []), *words],
        capture_output=True, text=True, timeout=timeout, errors="replace",
        **more)
    assert done.returncode == status, done.stderr
    people = [Person(line) for line in done.stdout.splitlines()]
    return {person.account: person for person in people}, done.stderr


class Follower:
    """with Follower(words) as f: f.wait_for("! current") ..."""

    def __init__(self, words, state=None, env=None):
        self.env = env
        self.words = [SAYS, "-f", *(["-s", str(state)] if state else []),
                      *words]
        self.lines = queue.Queue()
        self.process = None

    def __enter__(self):
        self.process = subprocess.Popen(
            self.words, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace",
            preexec_fn=die_with_parent, env=self.env)
        threading.Thread(target=self.pump, daemon=True).start()
        return self

    def pump(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    def line(self, seconds=20):
        line = self.lines.get(timeout=seconds)
        assert line is not None, "it ended"
        return line

    def wait_for(self, start, seconds=20):
        """The next line that begins so; what came before is passed over."""
        while True:
            line = self.line(seconds)
            if line.startswith(start):
                return line

    def until(self, start, seconds=20):
        """All lines up to one that begins so, without it."""
        lines = []
        while True:
            line = self.line(seconds)
            if line.startswith(start):
                return lines
            lines.append(line)

    def say(self, word):
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()

    def everyone(self):
        """{account: Person}, as the roster is now."""
        self.say("list")
        return {p.account: p for p in
                (Person(line) for line in self.until(".")
                 if line[:2] not in ("+ ", "- ", "= ", "! "))}

    def kill(self):
        self.process.kill()
        self.process.wait()

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
