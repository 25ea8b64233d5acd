"""Refresh of a trust directory: signet-trust beside fetch-crl, and beside curl,
which downloads the same lists and does nothing with them.

Each CA has a server of its own (a loopback address), which answers after 20 ms,
as a farm of RSA-2048 CAs with a hundred revoked certificates each.
"""

import statistics
import subprocess

from signet_site import BUILD, openssl

DELAY = 20
KEYS = 8  # shared by the CAs: to make them is not what is measured
REVOKED = 100
SIGNET_TRUST = BUILD / "signet-trust" / "signet-trust"
DELAY_SERVER = BUILD / "tests" / "delay_server"


def make_farm(place, count):
    """An IGTF distribution of ${count} CAs, and what they publish."""
    pages, igtf, keys = place / "pages", place / "igtf", place / "keys"
    for folder in (pages, igtf, keys):
        folder.mkdir(parents=True)
    for k in range(KEYS):
        openssl("genpkey", "-algorithm", "RSA", "-pkeyopt",
                "rsa_keygen_bits:2048", "-out", keys / f"{k}.pem")
    (place / "index.txt").write_text("".join(
        f"R\t361122000000Z\t261122000000Z\t{s:032X}\tunknown\t/CN=x\n"
        for s in range(1 << 120, (1 << 120) + REVOKED)))
    (place / "crlnumber").write_text("01\n")
    (place / "ca.cnf").write_text(
        f"[ca]\ndefault_ca=a\n[a]\ndatabase={place}/index.txt\n"
        f"crlnumber={place}/crlnumber\ndefault_md=sha256\n"
        "default_crl_days=30\ncrl_extensions=x\n"
        "[x]\nauthorityKeyIdentifier=keyid\n")
    for i in range(count):
        name, key = f"ca{i}", keys / f"{i % KEYS}.pem"
        subject = f"/DC=org/DC=farm/O=CA {i}/CN=CA {i}"
        openssl("req", "-x509", "-new", "-key", key, "-subj", subject, "-days",
                "3000", "-out", igtf / f"{name}.pem")
        openssl("ca", "-config", place / "ca.cnf", "-gencrl", "-cert",
                igtf / f"{name}.pem", "-keyfile", key, "-out",
                pages / f"{name}.crl")
        (igtf / f"{name}.signing_policy").write_text(
            f"access_id_CA X509 '{subject}'\npos_rights globus CA:sign\n"
            f"cond_subjects globus '\"/DC=org/DC=farm/O=CA {i}/*\"'\n")
    return pages, igtf


def address(i):
    return f"127.1.{i // 250}.{i % 250 + 1}"


def describe(igtf, count, port):
    """Where the lists are, once the port is known."""
    urls = []
    for i in range(count):
        urls.append(f"http://{address(i)}:{port}/ca{i}.crl")
        (igtf / f"ca{i}.info").write_text(
            f"alias = ca{i}\ncrl_url = {urls[-1]}\n"
            f'subjectdn = "/DC=org/DC=farm/O=CA {i}/CN=CA {i}"\n'
            "status = accredited:classic\n")
        (igtf / f"ca{i}.crl_url").write_text(urls[-1] + "\n")
    return urls


class Farm:
    def __init__(self, place, count):
        self.place, self.count = place, count
        self.at, self.rounds = {}, 0
        pages, self.igtf = make_farm(place, count)
        self.server = subprocess.Popen(
            [DELAY_SERVER, pages, str(count), str(DELAY)],
            stdout=subprocess.PIPE, text=True)
        self.urls = describe(self.igtf, count,
                             int(self.server.stdout.readline()))

    def close(self):
        self.server.terminate()
        self.server.wait()

    def fresh(self, name):
        """A new folder each time: ext4 is slow where much was just removed."""
        self.rounds += 1
        self.at[name] = self.place / f"{name}.{self.rounds}"
        self.at[name].mkdir()
        return self.at[name]

    def ours(self, cold):
        if cold:
            self.fresh("ours")
        return [SIGNET_TRUST, "refresh", "--directory", self.igtf, "--quiet",
                "--target", self.at["ours"] / "certificates",
                "--cache-dir", self.at["ours"] / "cache"]

    def fetch_crl(self, cold, parallel):
        if cold:
            self.fresh("theirs")
            self.fresh("state")
        return ["fetch-crl", "-q", "-l", self.igtf, "-o", self.at["theirs"],
                "-s", self.at["state"], "-p", str(parallel)]

    def curl(self):
        out = self.fresh("curl")
        (self.place / "curl.conf").write_text("".join(
            f'url = "{url}"\noutput = "{out}/{i}"\n'
            for i, url in enumerate(self.urls)))
        return ["curl", "-q", "-s", "--parallel", "--parallel-immediate",
                "--parallel-max", "50", "-K", self.place / "curl.conf"]

    def check(self):
        """They have done all that they were to do."""
        for folder in (self.at["ours"] / "certificates", self.at["theirs"]):
            lists = {p.name.partition(".")[0] for p in folder.iterdir()
                     if p.suffix == ".r0"}
            if len(lists) < self.count:  # fetch-crl: by both hashes
                raise SystemExit(f"{folder}: {len(lists)} lists")
        if len(list(self.at["curl"].iterdir())) != self.count:
            raise SystemExit("curl: not all lists")


def medians(rounds):
    return {k: statistics.median(r[k] for r in rounds) for k in rounds[0]}


def rounds_of(farm, measured, rounds):
    """Ours and curl take turns; fetch-crl, which takes minutes, runs once."""
    got = {"curl": [], "cold": [], "again": []}
    for _ in range(rounds):
        got["curl"].append(measured(farm.curl()))
        got["cold"].append(measured(farm.ours(True)))
        got["again"].append(measured(farm.ours(False)))
    got = {name: medians(all_) for name, all_ in got.items()}
    for parallel in (1, 10):
        for cold in (True, False):
            got[parallel, cold] = measured(farm.fetch_crl(cold, parallel))
        farm.check()
    return got


def rows_of(count, got):
    curl, again = got["curl"], got["again"]

    def row(name, m, than):
        return (str(count), name, f"{m['wall']:.2f}", f"{m['cpu']:.2f}",
                f"{m['mib']:.0f}", f"{m['wall'] / curl['wall']:.1f}",
                f"{m['wall'] / than['wall']:.0f}")

    yield row("curl --parallel", curl, got["cold"])
    yield row("signet-trust refresh", got["cold"], got["cold"])
    yield row("the same, nothing changed", again, again)
    for parallel in (1, 10):
        yield row(f"fetch-crl -p {parallel}", got[parallel, True], got["cold"])
        yield row("the same, nothing changed", got[parallel, False], again)


def bench_trust(report, work, opts, measured):
    report.say(f"### Trust directory (RSA-2048 CAs, {REVOKED} revoked each, a "
               f"server a CA, each answer after {DELAY} ms)")
    report.say()
    rows = []
    for count in (100, 300):
        farm = Farm(work / f"farm-{count}", count)
        try:
            rows += rows_of(count, rounds_of(farm, measured, opts.rounds))
        finally:
            farm.close()
    report.table(("CAs", "by", "wall s", "CPU s", "peak MiB", "times curl",
                  "times ours"), rows)
    report.say("`curl --parallel` downloads the same lists and looks at none. "
               "`signet-trust` checks certificates and lists, and installs "
               "all of it in one step, synced; its CPU is that of one "
               "process, that of `fetch-crl` of four more a CA. `fetch-crl` was "
               "measured once, the others are medians.")
    report.say()
