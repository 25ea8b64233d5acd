"""Verification of a proxy against a directory of many CAs with long CRLs:
beside its own signatures, and beside OpenSSL with the directory looked up anew.
"""

import json
import shutil
import subprocess

from signet_site import BUILD

CAS = 300
LISTS = (100, 100_000)
BIG = 1_000_000
VERIFY_BENCH = BUILD / "tests" / "verify_bench"


def ask(work, cas, entries, kind):
    place = work / "verify"
    place.mkdir()
    done = subprocess.run([VERIFY_BENCH, place, str(cas), str(entries), kind],
                          capture_output=True, text=True, check=True)
    shutil.rmtree(place)
    return json.loads(done.stdout)


def bench_verify(report, work, opts):
    checks, state = [], []
    for kind, name in opts.kinds:
        for entries in LISTS:
            got = ask(work, CAS, entries, kind)
            checks.append((
                name, f"{entries:,}", f"{got['floor_us']:.0f}",
                f"{got['warm_us']:.0f}",
                f"{got['warm_us'] / got['floor_us']:.2f}",
                f"{got['openssl_us']:,.0f}",
                f"{got['openssl_us'] / got['warm_us']:,.0f}"))
            state.append((
                name, f"{entries:,}", f"{got['load_us'] / 1e3:.1f}",
                f"{got['cold_us'] / 1e3:.1f}",
                f"{got['rss_kb'] / 1024:,.0f}",
                f"{got['all_us'] / 1e6:.2f}",
                f"{got['rss_all_kb'] / 1024:,.0f}",
                f"{got['reload_us'] / 1e3:.1f}",
                f"{got['reload_one_us'] / 1e3:.1f}",
                f"{got['turn_us'] / 1e3:.1f} ({got['turns']})"))
    big = ask(work, 0, BIG, "rsa")
    turns = ask(work, 1, BIG, "ec")
    report.say(f"### Verification: a proxy, {CAS} CAs with CRLs")
    report.say()
    report.say("CPU of one check, in microseconds. The floor is the two "
               "signatures that must be checked each time, the proxy's and "
               "the person's, with keys that were made before; OpenSSL looks "
               "the directory up anew (a new store with -CApath, "
               "-crl_check_all), in one process.")
    report.say()
    report.table(("keys", "entries a CRL", "floor", "ours, warm",
                  "times the floor", "OpenSSL, cold", "times ours"), checks)
    report.say("To reach: 1.5 times the floor, 100 times as fast as OpenSSL.")
    report.say()
    report.say("CPU. A list is read when its CA is asked about: a new store, "
               "a new store with its first check, and all lists; then a "
               "reload in one piece with all lists in use, and the longest "
               "turn (and the number of turns) of a process that does so "
               "beside other work, with one list in use that has changed.")
    report.say()
    report.table(("keys", "entries a CRL", "new store, ms",
                  "with first check, ms", "memory, MB", "all lists, s",
                  "memory then, MB", "reload, nothing changed, ms",
                  "one CRL changed, ms", "longest turn, ms (turns)"), state)
    report.say(f"One CRL of {BIG:,} entries as PEM: read, hashed, sorted in "
               f"{big['read_ms']:.0f} ms; the index is "
               f"{big['index_kb'] / 1024:.1f} MB, the process at its most "
               f"{(big['peak_kb'] - big['before_kb']) / 1024:.1f} MB more than "
               f"before. In turns: {turns['turns']} of them, the longest "
               f"{turns['turn_us'] / 1e3:.1f} ms of CPU.")
    report.say()
