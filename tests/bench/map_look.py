"""A look-up in a map of a million names: by the index, by our reader of the
text, and by the Toolkit's library.

  map_look.py [NAMES]     # alone, without a report
"""

import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

REPO = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("SIGNET_BUILD", REPO / "build"))
COUNT = int(os.environ.get("SIGNET_BENCH_PEOPLE", 1000000))
CHANGES = 5000
NAME = "/DC=org/DC=ligo/O=LIGO/OU=People/CN=albert.einstein{}@LIGO.ORG"


def ours(way, path, count):
    done = subprocess.run([BUILD / "tests" / "map_look_bench", way, path,
                           str(count)], check=True, capture_output=True)
    return json.loads(done.stdout)


class Toolkit:
    """Its library, in a process whose memory can be seen."""

    def __init__(self, path):
        self.process = subprocess.Popen(
            [BUILD / "tests" / "gct_map"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)
        self.ask(f"file\t{path}")

    def ask(self, question):
        self.process.stdin.write(question + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()[1:]

    def seconds(self, times, name):
        """CPU of one look-up."""
        return float(self.ask(f"time\t{times}\t{name}"))

    def peak_mb(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+)", status).group(1)) / 1024

    def end(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


def measure(place, count, rounds):
    """All figures, each the median of ${rounds}."""
    path = place / "grid-mapfile"
    found = {}

    def keep(way, figures):
        for key, value in figures.items():
            found.setdefault(f"{way}_{key}", []).append(value)

    for _ in range(rounds):
        keep("make", ours("make", path, count))
        path.with_name(path.name + ".delta").unlink(missing_ok=True)
        # As after a while without changes: a reader knows of coarse times.
        os.utime(place, (1, 1))
        keep("warm", ours("warm", path, count))
        keep("cold", ours("cold", path, count))
        keep("delta", ours("delta", path, min(CHANGES, count // 10)))
        os.utime(place, (1, 1))
        keep("changed", ours("warm", path, count))
        keep("changed_cold", ours("cold", path, count))
        keep("text", ours("text", path, count))
        toolkit = Toolkit(path)
        keep("gct", {"first": toolkit.seconds(1000, NAME.format(0)),
                     "middle": toolkit.seconds(3, NAME.format(count // 2)),
                     "last": toolkit.seconds(1, NAME.format(count - 1)),
                     "absent": toolkit.seconds(1, NAME.format("0x")),
                     "mb": toolkit.peak_mb()})
        toolkit.end()
    return {key: statistics.median(values) for key, values in found.items()}


def rows(got):
    """(what, microseconds, times the Toolkit's mean, MB) of each way."""
    mean = got["gct_middle"] * 1e6
    ways = [("GCT, the mean of all lines", mean, got["gct_mb"]),
            ("GCT, last line, and absent",
             (got["gct_last"] + got["gct_absent"]) / 2 * 1e6, got["gct_mb"]),
            ("our reader of the text, last line", got["text_cpu"] * 1e6,
             got["text_peak_mb"]),
            ("index, warm", got["warm_cpu_us"], got["cold_peak_mb"]),
            ("index, warm, 99th of 100", got["warm_p99_us"],
             got["cold_peak_mb"]),
            ("index and a delta, warm", got["changed_cpu_us"],
             got["changed_cold_peak_mb"]),
            ("index, opened for it", got["cold_p50_us"], got["cold_peak_mb"]),
            ("index and a delta, opened for it", got["changed_cold_p50_us"],
             got["changed_cold_peak_mb"]),
            ("index, opened for it, nothing of it in memory",
             got["cold_disk_p50_us"], got["cold_peak_mb"])]
    return [(what, f"{us:,.1f}", f"{mean / us:,.0f}" if us < mean else "",
             f"{mb:.1f}") for what, us, mb in ways]


def bench_map_look(report, work, opts, _measured=None):
    """The section of the report."""
    place = work / "map-look"
    place.mkdir()
    got = measure(place, COUNT, opts.rounds)
    report.say(f"### A look-up in a map of {COUNT:,} names")
    report.say()
    report.say("A random name that is there, in microseconds of CPU, but of "
               "the clock for the 99th of 100 and where the index is opened "
               "for it; each with the check whether the files are still the "
               "same. Memory is the whole process's.")
    report.say()
    report.table(("", "us", "times as fast as GCT's mean", "MB"), rows(got))
    report.say(
        f"The text of {got['make_text_mb']:.0f} MB is written in "
        f"{got['make_text_s']:.2f} s (CPU {got['make_text_cpu']:.2f} s), its "
        f"index of {got['make_index_mb']:.0f} MB made and written in "
        f"{got['make_index_s']:.2f} s (CPU {got['make_index_cpu']:.2f} s) in "
        f"{got['make_peak_mb']:.0f} MB of memory; a delta of {CHANGES:,} "
        f"changes in {got['delta_s'] * 1e3:.1f} ms (CPU "
        f"{got['delta_cpu'] * 1e3:.1f} ms).")
    report.say()
    report.say(f"To reach: under 5 us warm and at least 100,000 times GCT's "
               f"rate, under 1 ms cold; it is "
               f"{got['warm_cpu_us']:.1f} us, "
               f"{got['gct_middle'] * 1e6 / got['warm_cpu_us']:,.0f} times "
               f"(and {got['gct_last'] * 1e6 / got['warm_cpu_us']:,.0f} of "
               "its rate for the last line), and "
               f"{got['cold_p50_us'] / 1e3:.2f} ms; with nothing of the index in "
               f"memory, which is three reads of the disk one after another, "
               f"{got['cold_disk_p50_us'] / 1e3:.2f} ms.")


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100000
    with tempfile.TemporaryDirectory(prefix="signet-bench.") as work:
        got = measure(pathlib.Path(work), count, 1)
    for key, value in got.items():
        print(f"{key:24} {value:14.6f}")
    for row in rows(got):
        print(*row, sep="\t")


if __name__ == "__main__":
    main()
