"""Somebody who works at an office while its processes are killed."""

import json
import os
import pathlib
import signal
import subprocess
import threading
import time

from kdc import die_with_parent
from signet_site import SIGNET_CA

KILLS = 200 if os.environ.get("SIGNET_LONG") == "yes" else 20
RESTARTED = ("desk", "front", "worker")  # by the daemon itself


def wait_for_end(site):
    """Until no role of the last start is left."""
    end = time.monotonic() + 30
    for pid in site.roles().values():
        while pathlib.Path(f"/proc/{pid}").exists():
            if open(f"/proc/{pid}/stat").read().split(") ")[1][0] == "Z":
                break
            assert time.monotonic() < end, pid
            time.sleep(0.01)


class Clerk(threading.Thread):
    """Asks, approves and revokes, each command run again until it works."""

    def __init__(self, office):
        super().__init__()
        self.office = office
        self.stopped = threading.Event()
        self.serials, self.revoked = {}, []
        self.command = None
        self.trouble = None

    def until_it_works(self, *words):
        end = time.monotonic() + 120
        while time.monotonic() < end:
            self.command = subprocess.Popen(
                [SIGNET_CA, *words, "--office", self.office.socket, "--json"],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                preexec_fn=die_with_parent)
            out, said = self.command.communicate(timeout=120)
            status = self.command.returncode
            if status == 0:
                return json.loads(out)
            # What an interrupted command left undone is never a refusal.
            assert status in (1, 6, -signal.SIGKILL), said
            time.sleep(0.02)
        raise AssertionError(f"{words}: {said}")

    def work(self):
        n = 0
        while not self.stopped.is_set():
            path, name = self.office.request(f"h{n}.ligo.org")
            self.until_it_works("request", "submit", path)
            answer = self.until_it_works("request", "approve", name)
            assert answer["state"] == "issued", answer
            self.serials[name] = answer["serial"]
            if n % 3 == 0:
                self.until_it_works("revoke", answer["serial"], "--ca",
                                    "office-ca")
                self.revoked.append(answer["serial"])
            n += 1

    def run(self):
        try:
            self.work()
        except BaseException as trouble:  # told by the story's own thread
            self.trouble = trouble

    def wait_for_more(self, count=2):
        """Until ${count} more are issued."""
        enough = len(self.serials) + count
        end = time.monotonic() + 60
        while self.is_alive() and len(self.serials) < enough:
            assert time.monotonic() < end, self.office.log_now()
            time.sleep(0.02)


def victim_of(office, clerk, role, chance):
    if role == "signet-ca":
        return clerk.command.pid
    if role == "parent":
        return office.process.pid
    return chance.choice([p for n, p in office.roles().items()
                          if n.split(".")[0] == role])


def kill_often(office, clerk, role, chance):
    """KILLS times, and the work goes on."""
    for _ in range(KILLS):
        time.sleep(chance.uniform(0.01, 0.12))
        try:
            os.kill(victim_of(office, clerk, role, chance), signal.SIGKILL)
        except ProcessLookupError:
            pass
        if role == "signet-ca" or role in RESTARTED:
            continue
        office.process.wait(timeout=30)
        wait_for_end(office)
        office.start()
    clerk.wait_for_more()


def work_while_killed(office, roles, chance):
    """Each of ${roles} in turn, and then a look at the book."""
    office.start()
    clerk = Clerk(office)
    clerk.start()
    try:
        clerk.wait_for_more(1)
        for role in roles:
            kill_often(office, clerk, role, chance)
    finally:
        clerk.stopped.set()
        clerk.join()
    if clerk.trouble is not None:
        raise clerk.trouble
    assert len(clerk.serials) > 2 * len(roles)
    # What the clerk was told is so, and nothing else was made.
    states = {r["request"]: r for r in office.say(None, "request", "list")}
    for name, serial in clerk.serials.items():
        assert states[name]["state"] == "issued"
        assert states[name]["serial"] == serial
    by_serial = {line["serial"]: line for line in office.certificates()}
    for serial in clerk.revoked:
        assert by_serial[serial]["state"] == "revoked"
    assert office.stop() == 0
    issued = office.check_book()
    assert sum(issued.values()) == len(clerk.serials)
    return clerk
