"""A site whose people come by a stock MyProxy server beside signetd: what
signet-issue is given, and from whom."""

import os
import pathlib
import re
import signal
import subprocess
import time

from kdc import die_with_parent
from signet_site import BUILD, Site, openssl, run

SIGNET_ISSUE = BUILD / "signet-issue" / "signet-issue"
WAYS = ("socket", "directory")

# The account of the MyProxy server: one of its own where we are root.
MYPROXY = 61311 if os.getuid() == 0 else os.getuid()


def make_csr(directory, key="rsa:2048"):
    """A user's certificate request, PEM."""
    return openssl("req", "-new", "-newkey", key, "-nodes", "-keyout",
                   directory / "user.key", "-subj", "/CN=ignored").stdout


def words(csr, user="user0", phrase="Sesame-4711-opens", life=3600,
          most=43200, **more):
    """What a stock server writes to its certificate_issuer_program."""
    fields = {"username": user, "passphrase": phrase, "proxy_lifetime": life,
              "retrievers": "NULL", "renewers": "NULL", "credname": "NULL",
              "creddesc": "NULL", "authzcreds": "NULL", "keyretrieve": "NULL",
              "trusted_retrievers": "NULL", "max_cert_lifetime": most, **more}
    return "".join(f"{k}={v}\n" for k, v in fields.items()) + "\n" + csr


def as_account(uid, gid=None):
    if os.getuid() != 0:
        return {}
    return {"user": uid, "group": gid or uid, "extra_groups": []}


class CallSite(Site):
    """A Site with issue-socket and issue-directory."""

    def __init__(self, directory, settings=(), **more):
        directory = pathlib.Path(directory)
        self.socket = directory / "run" / "issue.sock"
        self.directory = directory / "issue"
        super().__init__(directory, settings=[
            f"issue-socket {self.socket}",
            f"issue-directory {self.directory}",
            f"issue-from {MYPROXY}", *settings], **more)
        self.csr = make_csr(self.dir)
        for way, path in zip(WAYS, (self.socket, self.directory)):
            self.issue_conf(way).write_text(f"{way} {path}\ntimeout 20\n")

    def issue_conf(self, way):
        return self.dir / f"issue-{way}.conf"

    def caller(self, way, uid=MYPROXY, gid=None, **more):
        """signet-issue, to be spoken to."""
        return subprocess.Popen(
            [SIGNET_ISSUE, "--conf", self.issue_conf(way)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, preexec_fn=die_with_parent,
            **as_account(uid, gid), **more)

    def call(self, way, text=None, **more):
        """Its exit status, output and errors."""
        return finish(self.caller(way, **more),
                      words(self.csr) if text is None else text)

    def ask(self, way, text=None):
        """One that has been told everything, and waits."""
        caller = self.caller(way)
        caller.stdin.write(text or words(self.csr))
        caller.stdin.close()
        caller.stdin = None
        return caller

    def reload(self):
        done = len(re.findall(r": reloaded", self.log_now()))
        self.process.send_signal(signal.SIGHUP)
        self.wait_log(r"(?s)(: reloaded.*){%d}" % (done + 1))

    def serials_of(self, user):
        return [line["serial"] for line in self.ledger_lines()
                if f"CN={user}@" in line["subject"]
                and line["state"] != "void"]

    def files(self):
        """What lies in the request directory beside the intake's own."""
        return sorted(p.name for p in self.directory.iterdir()
                      if p.name != "intake")

    def wait_files(self, pattern, seconds=20):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = self.files()
            if re.fullmatch(pattern, " ".join(found)):
                return found
            time.sleep(0.02)
        raise AssertionError(f"no {pattern!r} but {self.files()}")

    def wait_connected(self, seconds=20):
        """Until somebody waits to be let in by the socket."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            line = run("ss", "-xlH", "src", str(self.socket)).stdout.split()
            if line and int(line[2]) > 0:
                return
            time.sleep(0.02)
        raise AssertionError("nobody has connected")

    def pause(self, role):
        return Paused(self.roles()[role])


class Paused:
    """with Paused(pid): it stands still."""

    def __init__(self, pid):
        self.pid = pid

    def __enter__(self):
        os.kill(self.pid, signal.SIGSTOP)
        end = time.monotonic() + 10
        while time.monotonic() < end:
            status = pathlib.Path(f"/proc/{self.pid}/stat").read_text()
            if status.rpartition(")")[2].split()[0] == "T":
                return self
            time.sleep(0.01)
        raise AssertionError("it does not stop")

    def kill(self):
        os.kill(self.pid, signal.SIGKILL)
        self.pid = None

    def __exit__(self, *_):
        if self.pid is not None:
            os.kill(self.pid, signal.SIGCONT)


def finish(caller, text=None, seconds=30):
    out, err = caller.communicate(text, timeout=seconds)
    return caller.returncode, out, err
