"""The maps of a host, from a directory of a million: made from nothing, made
again, and one change among them on its way into index and text.

  map_sync_bench.py [PEOPLE]     # alone, without a report
"""

import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

from map_ldap_bench import Crowd, DUMP, FILTER, PEOPLE, ATTRIBUTES, told
from map_site import EVERYBODY, SOURCE, MapSite, service

CHANGES = 5


def timed(words):
    """A command to its end: wall, CPU and the most memory it had."""
    began = time.monotonic()
    pid = subprocess.Popen(words, stderr=subprocess.PIPE)
    _, status, usage = os.wait4(pid.pid, 0)
    said = pid.stderr.read().decode()
    assert status == 0, said
    return {"s": time.monotonic() - began,
            "cpu": usage.ru_utime + usage.ru_stime,
            "mb": usage.ru_maxrss // 1024}


def site(crowd, place, name, *more):
    return MapSite(place / name, SOURCE + service("gridftp", *more) + EVERYBODY,
                   ldap=crowd.uri)


def builds(crowd, place):
    """Each (what, figures)."""
    yield ("libldap, counted and forgotten",
           told([DUMP, crowd.uri, PEOPLE, FILTER, *ATTRIBUTES]))
    with site(crowd, place, "whole") as s:
        yield ("map from nothing: text, index, history",
               timed(s.command("sync", "--once")))
        yield ("again, nothing changed", timed(s.command("sync", "--once")))
    yield ("libldap, once more",
           told([DUMP, crowd.uri, PEOPLE, FILTER, *ATTRIBUTES]))


def grep(path, text):
    return subprocess.run(["grep", "-qF", text, str(path)]).returncode == 0


def arrival(crowd, s, n):
    """A change of one person: seconds until the index has it, and the text."""
    name = f"/O=Bench/CN=Change {n} {time.time_ns()}"
    before = s.path("gridftp").stat().st_ino
    began = time.monotonic()
    crowd.modify(n, replace={"description": [name]})
    told_at = time.monotonic()
    while not s.look("gridftp", name):
        assert time.monotonic() < began + 60
    index = time.monotonic() - told_at
    while s.path("gridftp").stat().st_ino == before:
        assert time.monotonic() < began + 60
        time.sleep(0.005)
    text = time.monotonic() - told_at
    assert grep(s.path("gridftp"), name)
    return index, text


def follow(crowd, place):
    """Medians and the most of some changes, and what the daemon weighs."""
    with site(crowd, place, "whole") as s:
        s.start()
        s.wait_log("map-ready", seconds=120)
        s.wait(lambda: "state=current" in s.said(), seconds=120)
        # The first change finds tables that are not made yet.
        first = arrival(crowd, s, 7)
        times = [arrival(crowd, s, 100 + n) for n in range(CHANGES)]
        weight = int(next(
            line.split()[1] for line in open(f"/proc/{s.process.pid}/status")
            if line.startswith("VmRSS"))) // 1024
    return first, times, weight


def measure(crowd, place):
    return dict(builds(crowd, place)), follow(crowd, place)


def report_sync(report, count, measured):
    """The part of the report."""
    built, (first, times, weight) = measured
    bare = min(f["s"] for what, f in built.items() if "libldap" in what)
    report.say(f"Maps of {count:,} people, one service, text and index "
               "and history (one round):")
    report.say()
    report.table(("", "s", "CPU s (client)", "times the bare one", "MB"),
                 [(what, f"{f['s']:.2f}", f"{f['cpu']:.2f}",
                   f"{f['s'] / bare:.2f}", f"{f['mb']:,}")
                  for what, f in built.items()])
    report.say()
    report.say(f"One change among them, by sync: in the index after "
               f"{statistics.median(t[0] for t in times):.3f} s (most "
               f"{max(t[0] for t in times):.3f}), in the text after "
               f"{statistics.median(t[1] for t in times):.2f} s (most "
               f"{max(t[1] for t in times):.2f}); the first after the start "
               f"{first[0]:.3f} and {first[1]:.2f} s. A process that asks the "
               f"index is started for each look. signet-map sync has "
               f"{weight:,} MB then.")
    report.say()


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10000
    with tempfile.TemporaryDirectory(prefix="signet-bench.") as work:
        place = pathlib.Path(work)
        with Crowd(place / "crowd", count) as crowd:
            built, (first, times, weight) = measure(crowd, place)
        for what, f in built.items():
            print(f"{what:45} {f['s']:8.2f} s {f['cpu']:8.2f} s CPU "
                  f"{f['mb']:>6} MB")
        print(f"first change: index {first[0]:.3f} s, text {first[1]:.2f} s")
        for index, text in times:
            print(f"change: index {index:.3f} s, text {text:.2f} s")
        print(f"daemon: {weight} MB")


if __name__ == "__main__":
    main()
