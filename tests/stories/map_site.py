"""A host whose maps signet-map keeps: its settings, rules, daemon, and what a
map says.

    with MapSite(dir, rules, passwd=...) as site:
        site.once()            a single run
        site.start()           the daemon, until the end
        site.wait(lambda: site.map("gridftp").get(DN) == ["scott"])

In ${rules}, {dir} is the site's directory and {ldap} what the directory's URL is.
"""

import json
import os
import pathlib
import re
import signal
import subprocess
import time

from kdc import die_with_parent

BUILD = os.environ["SIGNET_BUILD"]
PEOPLE_SUBJECT = "/DC=org/DC=ligo/O=LIGO/OU=People/CN={principal}"

SOURCE = """\
source ligo ldap
    server {ldap}
    tls plain
    base ou=people,dc=ligo,dc=org
    filter (objectClass=inetOrgPerson)
    account uid
    principal eduPersonPrincipalName
    subject /DC=org/DC=ligo/O=LIGO/OU=People/CN={{principal}}
    dn description
    groups isMemberOf
"""
SERVICE = """\
service {name}
    file {{dir}}/{name}.map
    exist no
"""
EVERYBODY = """\
map everybody
    from ligo
    groups "Services:LDG:AllUsers"
"""
LINE = re.compile(r'^"((?:[^"\\]|\\.)*)" (\S+)$')


def subject(uid):
    """What the SLCS writes into the certificate of ${uid}."""
    return PEOPLE_SUBJECT.format(principal=f"{uid}@LIGO.ORG")


def service(name, *more):
    return SERVICE.format(name=name) + "".join(f"    {m}\n" for m in more)


class MapSite:
    def __init__(self, directory, rules, ldap="", host="ldas-grid.ligo.org",
                 address="10.1.2.3", settings=()):
        self.dir = pathlib.Path(directory)
        self.dir.mkdir(parents=True, exist_ok=True)
        self.state = self.dir / "state"
        self.ldap = ldap
        self.process = None
        self.log = self.dir / "log"
        self.settings = [f"rules {self.dir}/map.rules",
                         f"state {self.state}", f"host {host}",
                         f"address {address}", *settings]
        (self.dir / "map.conf").write_text("\n".join(self.settings) + "\n")
        self.rules(rules)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def fill(self, text):
        return text.replace("{dir}", str(self.dir)).replace(
            "{ldap}", self.ldap).replace("{{", "{").replace("}}", "}")

    def rules(self, text):
        """Put other rules in place of the old, in one step."""
        fresh = self.dir / "map.rules.new"
        fresh.write_text(self.fill(text))
        fresh.rename(self.dir / "map.rules")

    def write(self, name, text):
        fresh = self.dir / f"{name}.new"
        fresh.write_text(text)
        fresh.rename(self.dir / name)

    # Running.

    def command(self, *words):
        return [f"{BUILD}/signet-map/signet-map-sync", words[0], "--config",
                f"{self.dir}/map.conf", *words[1:]]

    def run(self, *words, timeout=60, **more):
        return subprocess.run(self.command(*words), capture_output=True,
                              text=True, timeout=timeout, **more)

    def once(self, *words, status=0):
        done = self.run("sync", "--once", *words)
        assert done.returncode == status, (done.returncode, done.stderr)
        return done

    def start(self):
        self.process = subprocess.Popen(
            self.command("sync"), stderr=open(self.log, "ab"),
            preexec_fn=die_with_parent)
        self.wait_log("started")

    def stop(self):
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=60)
        self.process = None
        assert status == 0, self.said()

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process = None

    # Looking.

    def said(self):
        return self.log.read_text(errors="replace") if self.log.exists() \
            else ""

    def wait(self, true, seconds=10, what="it did not come about"):
        end = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < end, (what, self.said()[-3000:])
            assert self.process is None or self.process.poll() is None, \
                self.said()[-3000:]
            time.sleep(0.01)

    def wait_log(self, event, count=1, seconds=20):
        pattern = re.compile(rf"\b{event}( |$)", re.M)
        self.wait(lambda: len(pattern.findall(self.said())) >= count, seconds,
                  f"no {event}")

    def path(self, name):
        return self.dir / f"{name}.map"

    def text(self, name):
        return self.path(name).read_text()

    def map(self, name):
        """The text as {DN as it stands: [accounts]}.  Of a name with several
        accounts XRootD has a line of its own, which the other one replaces."""
        found = {}
        several = {}
        if not self.path(name).exists():
            return found
        for line in self.text(name).split("\n"):
            if line and not line.startswith("#"):
                match = LINE.match(line)
                assert match, line
                own = match[1].startswith("\\/")
                name, lines = (match[1][1:], several) if own else \
                    (match[1], found)
                assert name not in lines, line
                lines[name] = match[2].split(",")
        assert set(several) <= set(found)
        return {**found, **several}

    def look(self, name, dn):
        """What the index says: a list of accounts, empty if there is none."""
        done = subprocess.run(
            [f"{BUILD}/signet-map/signet-map", "lookup", "--map",
             str(self.path(name)), "--json", dn],
            capture_output=True, text=True, timeout=60)
        assert done.returncode in (0, 3), done.stderr
        return json.loads(done.stdout).get("accounts", []) \
            if done.returncode == 0 else []

    def status(self):
        return json.loads((self.state / "status.json").read_text())
