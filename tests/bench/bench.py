"""./run bench: Signet beside Debian's myproxy-server, in one run.

Each figure is the median of ROUNDS rounds; the two servers take turns within a
round, so that a noisy neighbour meets both.  CPU is counted over all processes
of a server (/proc/PID/stat), and compared with the floor that the cryptography
and one durable row set (tests/bench/floor.c), measured in the same run.
The report replaces docs/PERFORMANCE.md; with --only, the sections of that name
in it.
"""

import argparse
import json
import os
import pathlib
import platform
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

REPO = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPO / "tests" / "stories"))

from kdc import Kdc  # noqa: E402
from map_ldap_bench import bench_map_ldap  # noqa: E402
from map_look import bench_map_look  # noqa: E402
from signet_site import (BUILD, ROLE_USERS, SIGNET, SIGNET_CA,  # noqa: E402
                         Site, openssl, run)
from stock_myproxy import Pki, StockServer  # noqa: E402
from token_rate import bench_token  # noqa: E402
from trust_bench import bench_trust  # noqa: E402
from verify_rate import bench_verify  # noqa: E402

TICK = os.sysconf("SC_CLK_TCK")
CLIENTS = (1, 8, 32)
HOST = os.uname().nodename
PERMIT = ("auth required pam_permit.so\n"
          "account required pam_permit.so\n")


class Stock(StockServer):
    """Debian's server with keys of ${kind}; its PAM, if any, lets all in."""

    def __init__(self, directory, kind, kdc=None):
        pki = Pki(directory / "pki", "rsa:2048" if kind == "rsa" else "ec:P-256",
                  host=("localhost", HOST))
        super().__init__(directory, pki=pki, kdc=kdc,
                         users=None if kdc else {"user0": "secret123"})

    def _pam(self):
        service = super()._pam()
        (self.dir / "pam.d" / service).write_text(PERMIT)
        return service


def tree(pid):
    """${pid} and all its descendants."""
    pids, todo = [], [pid]
    while todo:
        p = todo.pop()
        pids.append(p)
        for task in pathlib.Path(f"/proc/{p}/task").glob("*/children"):
            try:
                todo += [int(c) for c in task.read_text().split()]
            except OSError:
                pass
    return pids


def cpu_seconds(pid):
    """CPU of the living, and of the dead that were waited for."""
    total = 0
    for p in tree(pid):
        try:
            fields = pathlib.Path(f"/proc/{p}/stat").read_text()
        except OSError:
            continue
        fields = fields.rsplit(") ", 1)[1].split()
        total += sum(int(x) for x in fields[11:15])
    return total / TICK


def role_ms(pid):
    """CPU milliseconds so far, by the role's name."""
    total = {}
    for p in tree(pid):
        try:
            name = pathlib.Path(f"/proc/{p}/comm").read_text().strip()
            spent = pathlib.Path(f"/proc/{p}/schedstat").read_text()
        except OSError:
            continue
        role = name.removeprefix("signetd").removeprefix("-") or "parent"
        total[role] = total.get(role, 0) + int(spent.split()[0]) / 1e6
    return total


def private_kib(pid):
    total = 0
    for p in tree(pid):
        try:
            text = pathlib.Path(f"/proc/{p}/smaps_rollup").read_text()
        except OSError:
            continue
        total += sum(int(n) for n in re.findall(
            r"Private_(?:Clean|Dirty):\s+(\d+)", text))
    return total


def loadgen(*args, env=None):
    result = subprocess.run([str(BUILD / "tests" / "loadgen"),
                             *map(str, args)], capture_output=True, text=True,
                            env=env, timeout=600)
    if not result.stdout:
        raise SystemExit(f"loadgen {args}: {result.stderr[:2000]}")
    return json.loads(result.stdout)


def pid_of(server):
    return server.pid if isinstance(server, Stock) else server.process.pid


def logons(server, csr, clients, seconds, krb=None):
    proof = ("-k", HOST) if krb else ("-w", "secret123")
    before = cpu_seconds(pid_of(server))
    got = loadgen("-p", server.port, "-q", csr, "-c", clients, "-s", seconds,
                  "-u", "user0", *proof, env=krb)
    time.sleep(0.3)
    spent = cpu_seconds(pid_of(server)) - before
    got["cpu_ms"] = 1000 * spent / max(got["logons"], 1)
    return got


def request(directory, kind):
    key = directory / f"{kind}.key"
    der = directory / f"{kind}.der"
    if kind == "rsa":
        openssl("genrsa", "-out", key, "2048")
    else:
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out",
                key)
    openssl("req", "-new", "-key", key, "-subj", "/CN=x", "-outform", "DER",
            "-out", der)
    return der


def medians(rounds):
    return {k: statistics.median(r[k] for r in rounds) for k in rounds[0]}


class Report:
    def __init__(self):
        self.lines = []

    def say(self, text=""):
        print(text, flush=True)
        self.lines.append(text)

    def table(self, head, rows):
        self.say("| " + " | ".join(head) + " |")
        self.say("|" + "---|" * len(head))
        for row in rows:
            self.say("| " + " | ".join(str(c) for c in row) + " |")
        self.say()


def signet_site(directory, kind, auth, settings=(), env=None):
    key = "rsa:2048" if kind == "rsa" else "ec:P-256"
    site = Site(directory, key=key, auth=(auth,), env=env,
                settings=["max-connections 8192",
                          "max-connections-per-address 8192",
                          "log-level 5", "front-workers 1", *settings],
                hosts=("localhost", HOST))
    return site


def permit_pam(directory):
    pam = directory / "pam.d"
    pam.mkdir(exist_ok=True)
    (pam / "signet").write_text(PERMIT)
    (pam / "other").write_text("auth required pam_deny.so\n"
                               "account required pam_deny.so\n")
    return pam


def floor(site, kind):
    return json.loads(run(BUILD / "tests" / "floor", kind,
                          site.dir / "hostkey.pem", site.dir / "hostcert.pem",
                          site.dir / "floor.db", permit_pam(site.dir)).stdout)


def compare(report, opts, kind, ours, stock, requests, krb=None,
            audited=None):
    """The table of both servers, at each number of clients; ${audited} is
    Signet once more, with libpam's audit records, at the last of them."""
    base = medians([floor(ours, kind) for _ in range(opts.rounds)])
    rows, records = [], []
    for clients in CLIENTS:
        results = {"stock": [], "signet": []}
        before, count = role_ms(ours.process.pid), 0
        for _ in range(opts.rounds):
            results["stock"].append(logons(
                stock, requests[0], clients, opts.seconds, krb))
            results["signet"].append(logons(
                ours, requests[1], clients, opts.seconds, krb))
            count += results["signet"][-1]["logons"]
            if audited and clients == CLIENTS[-1]:
                records.append(logons(audited, requests[1], clients,
                                      opts.seconds))
        rows.append((clients, medians(results["stock"]),
                     medians(results["signet"])))
        roles = {role: (ms - before.get(role, 0)) / max(count, 1)
                 for role, ms in role_ms(ours.process.pid).items()}
    write_rows(report, rows, base, krb is None, {"rsa": 7, "ec": 12}[kind])
    report.say(f"Signet's CPU by role with {clients} clients, ms a logon: "
               + ", ".join(f"{role} {ms:.3f}" for role, ms in sorted(
                   roles.items(), key=lambda r: -r[1]) if ms >= 0.0005)
               + ".")
    report.say()
    if records:
        spent = medians(records)["cpu_ms"]
        report.say(f"With `pam-audit yes`, and {clients} clients: "
                   f"{spent:.3f} ms, {rows[-1][1]['cpu_ms'] / spent:.1f} "
                   "times the stock server's logons per CPU second, "
                   f"{spent / base['floor']:.2f} times the floor.")
        report.say()


def bench_logons(report, work, opts):
    for kind, name in opts.kinds:
        place = work / kind
        place.mkdir()
        pam = permit_pam(place)
        requests = request(place, "rsa"), request(place, kind)
        report.say("### Pass phrase by PAM (pam_permit on both sides, for "
                   f"Signet `pam-audit no`), {name} host and CA keys"
                   + ("" if kind == "rsa" else
                      "; the user's key is P-256 for Signet, RSA-2048 for the "
                      "stock server, which refuses EC requests"))
        report.say()
        with signet_site(place / "signet", kind, "pam",
                         [f"pam-dir {pam}", "pam-audit no"]) as ours, \
                signet_site(place / "audited", kind, "pam",
                            [f"pam-dir {pam}"]) as audited, \
                Stock(place / "stock", kind) as stock:
            compare(report, opts, kind, ours, stock, requests,
                    audited=audited)


def write_rows(report, rows, base, pam, least):
    report.say(f"Floor, CPU ms: handshake {base['handshake']:.3f} (in memory "
               f"and undisturbed {base['in_memory']:.3f}) + request check "
               f"{base['csr_check']:.3f} + signature {base['signature']:.3f} + "
               f"durable row {base['ledger']:.3f} = **{base['floor']:.3f}**."
               + (f" One login in libpam alone: {base['pam']:.3f}, "
                  f"with audit records {base['pam_audit']:.3f}."
                  if pam else ""))
    report.say()
    head = ["clients", "stock logons/s", "Signet logons/s",
            "stock p50/p99 ms", "Signet p50/p99 ms", "stock CPU ms",
            "Signet CPU ms", "logons per CPU s: ratio", "Signet CPU : floor"]
    if pam:
        head.append("Signet CPU : floor and libpam")
    table = []
    for c, s, o in rows:
        row = [c, f"{s['per_second']:.0f}", f"{o['per_second']:.0f}",
               f"{s['p50']:.1f} / {s['p99']:.1f}",
               f"{o['p50']:.1f} / {o['p99']:.1f}", f"{s['cpu_ms']:.2f}",
               f"{o['cpu_ms']:.3f}", f"{s['cpu_ms'] / o['cpu_ms']:.1f}",
               f"{o['cpu_ms'] / base['floor']:.2f}"]
        if pam:
            row.append(f"{o['cpu_ms'] / (base['floor'] + base['pam']):.2f}")
        table.append(row)
    report.table(head, table)
    clients, stock, ours = rows[-1]
    report.say(f"To reach: at most 1.5 times the floor and at least {least} "
               f"times the stock server's logons per CPU second; with "
               f"{clients} clients it is "
               f"{ours['cpu_ms'] / base['floor']:.2f} and "
               f"{stock['cpu_ms'] / ours['cpu_ms']:.1f}.")
    report.say()
    if any(o["errors"] or s["errors"] for _, s, o in rows):
        report.say("errors: " + json.dumps(
            [(c, s["errors"], o["errors"]) for c, s, o in rows]))


def private_kdc(place):
    return Kdc(place / "kdc", services=(f"myproxy/{HOST}",
                                        "myproxy/localhost"))


def kerberos_site(place, kind, kdc):
    """Signet's, whose auth role alone can read the keytab."""
    os.chmod(kdc.dir, 0o755)
    keytab = place / "signet.keytab"
    shutil.copy(kdc.keytab, keytab)
    os.chmod(keytab, 0o600)
    if os.getuid() == 0:
        os.chown(keytab, ROLE_USERS["auth"], 0)
    return signet_site(place / "signet", kind, "kerberos",
                       [f"keytab {keytab}"],
                       env={"KRB5_CONFIG": kdc.krb5_conf})


def bench_kerberos(report, work, opts):
    for kind, name in opts.kinds:
        place = work / f"krb-{kind}"
        place.mkdir()
        requests = request(place, "rsa"), request(place, kind)
        report.say(f"### Kerberos on both sides, {name} host and CA keys")
        report.say()
        with private_kdc(place) as kdc, \
                kerberos_site(place, kind, kdc) as ours, \
                Stock(place / "stock", kind, kdc) as stock:
            compare(report, opts, kind, ours, stock, requests,
                    kdc.kinit("user0", "secret123"))


def bench_passwd(report, work, opts):
    site = signet_site(work / "passwd", "ec", "passwd").start()
    csr = request(work / "passwd", "ec")
    rounds = [logons(site, csr, 1, opts.seconds) for _ in range(opts.rounds)]
    got = medians(rounds)
    site.stop()
    report.say("### The password file's deliberate cost")
    report.say()
    report.say(f"yescrypt, 1 client, P-256: p50 {got['p50']:.1f} ms, "
               f"{got['cpu_ms']:.1f} ms of CPU a logon.")
    report.say()


def bench_held(report, work, opts):
    place = work / "held"
    place.mkdir()
    pam = permit_pam(place)
    site = signet_site(place / "signet", "ec", "pam",
                       [f"pam-dir {pam}", "pam-audit no"]).start()
    csr = request(place, "ec")
    logons(site, csr, 4, 2)
    alone = medians([logons(site, csr, 1, opts.seconds)
                     for _ in range(opts.rounds)])
    before = private_kib(site.process.pid)
    seconds = 10 + opts.seconds * opts.rounds + 3
    holders = [subprocess.Popen(
        [str(BUILD / "tests" / "loadgen"), "-p", str(site.port), *what, "-s",
         str(seconds)], stdout=subprocess.PIPE, text=True)
        for what in (("-i", "2000", "-H"), ("-S", "200"))]
    time.sleep(9)
    held = private_kib(site.process.pid)
    crowded = medians([logons(site, csr, 1, opts.seconds)
                       for _ in range(opts.rounds)])
    counts = [json.loads(h.communicate(timeout=120)[0]) for h in holders]
    site.stop()
    report.say("### 2,000 idle and 200 slow connections held while logins go "
               "on (P-256, 1 client)")
    report.say()
    report.table(
        ("", "held", "p50 ms", "p99 ms", "KiB a connection"),
        [("unloaded", 0, f"{alone['p50']:.2f}", f"{alone['p99']:.2f}", ""),
         ("crowded", sum(c["held"] for c in counts), f"{crowded['p50']:.2f}",
          f"{crowded['p99']:.2f}", f"{(held - before) / 2200:.1f}")])
    report.say(f"p99 ratio {crowded['p99'] / alone['p99']:.2f} (to stay under "
               "5); TLS handshakes were done on all of them.")
    report.say()


def wall_ms(args, **kw):
    began = time.monotonic()
    subprocess.run([str(a) for a in args], check=True, capture_output=True,
                   timeout=120, **kw)
    return 1000 * (time.monotonic() - began)


def bench_login(report, work, opts):
    place = work / "login"
    place.mkdir()
    times = opts.rounds * 9
    with private_kdc(place) as kdc, \
            kerberos_site(place, "ec", kdc) as site, \
            Stock(place / "stock", "rsa", kdc) as stock:
        tickets = {k: v for k, v in kdc.kinit("user0", "secret123").items()
                   if k.startswith("KRB5")}
        conf = place / "signet.conf"
        conf.write_text(f"server localhost:{site.port}\nrealm {kdc.realm}\n"
                        "auth kerberos\n")
        mine = site.client_env(SIGNET_CONF=conf, **tickets,
                               X509_USER_PROXY=place / "p.pem")
        theirs = stock.env(place, **dict(
            tickets, X509_USER_PROXY=place / "stock-proxy.pem"))
        figures = {k: [] for k in ("genrsa", "two", "mixed", "rsa", "ec",
                                   "stock")}
        for _ in range(times):
            # How long an RSA key takes is luck: many times, then.
            for _ in range(3):
                figures["genrsa"].append(wall_ms(
                    ["openssl", "genrsa", "-out", place / "g.pem", "2048"]))
                figures["mixed"].append(wall_ms(
                    [SIGNET, "login", "--key", "rsa:2048",
                     "--certificate-key", "ec:P-256", "user0"], env=mine))
            figures["two"].append(wall_ms(
                ["sh", "-c", "openssl genrsa 2048 & openssl genrsa 2048; "
                 "wait"]))
            for kind, key in (("rsa", "rsa:2048"), ("ec", "ec:P-256")):
                figures[kind].append(wall_ms(
                    [SIGNET, "login", "--key", key, "user0"], env=mine))
            figures["stock"].append(
                wall_ms(["kinit", "user0"], env=theirs,
                        input=b"secret123\n") +
                wall_ms(["/usr/bin/myproxy-logon", "-n", "-l", "user0", "-o",
                         place / "eec.pem"], env=theirs) +
                wall_ms(["/usr/bin/grid-proxy-init", "-cert",
                         place / "eec.pem", "-key", place / "eec.pem",
                         "-out", place / "s.pem"], env=theirs))
    mid = {k: statistics.median(v) for k, v in figures.items()}
    mean = {k: statistics.mean(v) for k, v in figures.items()}
    report.say("### `ligo-login` with a valid ticket, wall ms")
    report.say()
    report.table(
        ("what", "median", "mean", f"of {times}; of the first and third "
          f"{3 * times}"),
        [("one RSA-2048 key (`openssl genrsa`)", f"{mid['genrsa']:.0f}",
          f"{mean['genrsa']:.0f}", ""),
         ("two of them at once", f"{mid['two']:.0f}",
          f"{mean['two']:.0f}", ""),
         ("signet login, RSA-2048 proxy key under a P-256 certificate",
          f"{mid['mixed']:.0f}", f"{mean['mixed']:.0f}",
          f"{mid['mixed'] - mid['genrsa']:+.0f} over one key (median), "
          f"{mean['mixed'] - mean['genrsa']:+.0f} (mean); to reach: +50"),
         ("signet login, RSA-2048 proxy key under an RSA certificate, which "
          "stock GSI wants if it is to delegate", f"{mid['rsa']:.0f}",
          f"{mean['rsa']:.0f}",
          f"{mean['rsa'] - mean['two']:+.0f} over two at once (mean)"),
         ("signet login, P-256 proxy key", f"{mid['ec']:.0f}",
          f"{mean['ec']:.0f}", "to reach: 50"),
         ("kinit, myproxy-logon, grid-proxy-init", f"{mid['stock']:.0f}",
          f"{mean['stock']:.0f}",
          f"{mid['stock'] / mid['ec']:.1f} times Signet's with P-256")])


# A process begins with the memory of the one that forked it: a small one.
MEASURE = """import json, os, subprocess, sys, time
began = time.monotonic()
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
print(json.dumps({"status": status, "wall": time.monotonic() - began,
                  "cpu": usage.ru_utime + usage.ru_stime,
                  "mib": usage.ru_maxrss / 1024}))"""


def measured(args):
    """Wall and CPU seconds, and MiB of memory at most, of one command."""
    got = json.loads(run(sys.executable, "-S", "-c", MEASURE, *args).stdout)
    if got.pop("status") != 0:
        raise SystemExit(f"{args} failed")
    return got


def openssl_ca(place, serials):
    """A CA of openssl's with ${serials} in its index, all revoked."""
    place.mkdir()
    (place / "index.txt").write_text("".join(
        f"R\t361122000000Z\t261122000000Z\t{s:040X}\tunknown"
        f"\t/DC=org/DC=ligo/O=LIGO/OU=People/CN=scott.koranda\n"
        for s in serials))
    (place / "crlnumber").write_text("01\n")
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=bench",
            "-keyout", place / "key.pem", "-out", place / "cert.pem")
    (place / "ca.cnf").write_text(
        "[ca]\ndefault_ca=a\n[a]\n"
        f"database={place}/index.txt\ncrlnumber={place}/crlnumber\n"
        f"certificate={place}/cert.pem\nprivate_key={place}/key.pem\n"
        "default_md=sha256\ndefault_crl_days=30\ncrl_extensions=x\n"
        "[x]\nauthorityKeyIdentifier=keyid\n")
    return ["openssl", "ca", "-config", place / "ca.cnf", "-gencrl", "-out",
            place / "list.pem"]


def list_rounds(report, work, opts, count):
    """CRLs of ${count} by both, in turns; the filled ledger is returned."""
    place = work / f"crl-{count}"
    place.mkdir()
    base = "/DC=org/DC=ligo/O=LIGO"
    run(SIGNET_CA, "init", "root", place / "root", "--subject", f"{base}/CN=R",
        "--may-sign-under", base, "--key", "ec:P-384", "--no-passphrase")
    run(SIGNET_CA, "init", "services", place / "slcs", "--root",
        place / "root", "--subject", f"{base}/CN=S", "--may-sign-under",
        f"{base}/OU=Services", "--key", "ec:P-256", "--name", "slcs", "--no-passphrase")
    ledger = place / "slcs" / "ledger.db"
    run(BUILD / "tests" / "ledger_fill", ledger, "slcs", count, timeout=1200)
    luck = random.Random(1)
    stock = openssl_ca(place / "openssl", sorted(
        {luck.getrandbits(157) | 1 << 157 for _ in range(count)}))
    ours, theirs, size = [], [], 0
    for n in range(opts.rounds):
        out = place / f"{n}.pem"
        theirs.append(measured(stock))
        ours.append(measured([SIGNET_CA, "crl", place / "slcs", "--out", out,
                              "--out-der", out.with_suffix(".der")]))
        size = out.with_suffix(".der").stat().st_size
    rows = [(f"{count:,}", name, f"{m['wall']:.2f}", f"{m['cpu']:.2f}",
             f"{m['mib']:.0f}", f"{size / 1e6:.1f}")
            for name, m in (("openssl ca -gencrl", medians(theirs)),
                            ("signet-ca crl", medians(ours)))]
    return rows, ledger


def filed_lists(site, least):
    """What the daemon says of the ${least}th list since its start."""
    for _ in range(6000):
        found = re.findall(r" crl-filed .*entries=(\d+) .*ms=(\d+)",
                           site.log_now())
        if len(found) >= least:
            return found
        time.sleep(0.05)
    raise SystemExit("no CRL:\n" + site.log_now()[-2000:])


def bench_crl(report, work, opts):
    report.say("### Revocation lists (P-256 CA, serials of 20 octets)")
    report.say()
    rows, _ = list_rounds(report, work, opts, 100000)
    more, ledger = list_rounds(report, work, opts, 1000000)
    report.table(("revoked", "by", "wall s", "CPU s", "peak MiB", "DER, MB"),
                 rows + more)
    report.say("`signet-ca` reads a ledger with all the certificates in it, "
               "checks what it signs by the signer's reader, and writes DER "
               "and PEM, synced; `openssl ca` reads its index, and writes "
               "PEM.")
    report.say()
    place = work / "crl-daemon"
    place.mkdir()
    site = signet_site(place / "signet", "ec", "pam",
                       [f"pam-dir {permit_pam(place)}"]).start()
    site.stop()
    owner = site.ledger.stat()
    for path in site.ledger.parent.iterdir():
        path.unlink()
    shutil.move(ledger, site.ledger)
    os.chown(site.ledger, owner.st_uid, owner.st_gid)
    csr = request(place, "ec")
    site.start()
    rounds = []
    for n in range(1, opts.rounds + 1):
        filed_lists(site, n)
        quiet = logons(site, csr, 8, opts.seconds * 2)
        run(BUILD / "tests" / "ledger_fill", site.ledger, "slcs", 1)
        busy = logons(site, csr, 8, opts.seconds * 2)
        entries, ms = filed_lists(site, n + 1)[n]
        rounds.append({"quiet50": quiet["p50"], "quiet99": quiet["p99"],
                       "busy50": busy["p50"], "busy99": busy["p99"],
                       "quiet": quiet["per_second"],
                       "busy": busy["per_second"], "s": int(ms) / 1000,
                       "entries": int(entries)})
    site.stop()
    got = medians(rounds)
    report.say("Logons (8 clients, pam_permit) while the daemon makes a list "
               f"of {got['entries']:,.0f} after one more revocation, which "
               f"takes it {got['s']:.1f} s meanwhile:")
    report.say()
    report.table(("", "logons/s", "p50 ms", "p99 ms"),
                 [("no list is made", f"{got['quiet']:.0f}",
                   f"{got['quiet50']:.1f}", f"{got['quiet99']:.1f}"),
                  ("a list is made", f"{got['busy']:.0f}",
                   f"{got['busy50']:.1f}", f"{got['busy99']:.1f}")])


def machine():
    model = re.search(r"model name\s*:\s*(.*)",
                      pathlib.Path("/proc/cpuinfo").read_text())
    version = run("openssl", "version").stdout.strip()
    return (f"{os.cpu_count()} processors ({model.group(1) if model else '?'})"
            f", Linux {platform.release()}, {version}; load at the start "
            f"{os.getloadavg()[0]:.1f}")


def sections(text):
    """[(heading, text)] of the figures in a report; what comes before the
    first has no heading."""
    found = [("", [])]
    for line in text.split("\n"):
        if line.startswith("### "):
            found.append((line, []))
        found[-1][1].append(line)
    return [(head, "\n".join(lines).strip("\n")) for head, lines in found]


def merged(old, report, said):
    """The figures in ${old}, with those sections in the place of its own that
    ${report} has; ${said} of when they were measured."""
    fresh = {head: text.replace(head, f"{head}\n\n{said}", 1)
             for head, text in sections(report) if head}
    kept = [fresh.pop(head, text) for head, text in sections(old)]
    return "\n\n".join([*kept, *fresh.values()])


def written(report, opts, every):
    """What docs/PERFORMANCE.md is to say, but for the notes."""
    path = REPO / "docs" / "PERFORMANCE.md"
    if opts.only == every:
        return report.rstrip()
    said = (f"Measured {time.strftime('%Y-%m-%d', time.gmtime())} by "
            f"`./run bench --only {opts.only}`: {opts.rounds} rounds of "
            f"{opts.seconds} s.")
    return merged(path.read_text().split("\n## ")[0], report, said)


def main():
    every = ("logons,kerberos,passwd,held,login,crl,trust,token,verify,"
             "map")
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--only", default=every)
    parser.add_argument("--kinds", default="rsa,ec")
    parser.add_argument("--no-report", action="store_true",
                        help="leave docs/PERFORMANCE.md as it is")
    opts = parser.parse_args()
    opts.kinds = [(kind, {"rsa": "RSA-2048", "ec": "P-256"}[kind])
                  for kind in opts.kinds.split(",")]
    report = Report()
    report.say("# Performance")
    report.say()
    report.say(f"Measured {time.strftime('%Y-%m-%d', time.gmtime())} by "
               "`./run bench`, release build. " + machine() + ".")
    report.say(f"Each figure is the median of {opts.rounds} rounds of "
               f"{opts.seconds} s; stock is Debian's myproxy-server; clients "
               "and servers share the processors, and Signet has one front "
               "process (`front-workers 1`). Figures for another day are had "
               "by running it again; those of the floor and of both servers "
               "rise together with what else the machine does.")
    report.say()
    parts = {"logons": bench_logons, "kerberos": bench_kerberos,
             "passwd": bench_passwd, "held": bench_held, "login": bench_login,
             "crl": bench_crl,
             "trust": lambda *args: bench_trust(*args, measured),
             "token": lambda *args: bench_token(*args, measured),
             "verify": bench_verify,
             "map": lambda *args: [part(*args) for part in map_parts]}
    map_parts = [bench_map_ldap, bench_map_look]
    with tempfile.TemporaryDirectory(prefix="signet-bench.") as work:
        os.chmod(work, 0o755)
        for name in opts.only.split(","):
            parts[name](report, pathlib.Path(work), opts)
    if not opts.no_report:
        notes = (REPO / "tests" / "bench" / "notes.md").read_text()
        figures = written("\n".join(report.lines), opts, every)
        (REPO / "docs" / "PERFORMANCE.md").write_text(
            figures + "\n\n" + notes)


if __name__ == "__main__":
    main()
