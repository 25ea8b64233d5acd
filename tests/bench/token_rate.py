"""For bench.py: certificates out of a token beside the bare C_Sign of its key,
and beside `openssl ca` with the pkcs11 engine, which is what the daemon of
etoken-ca calls for each."""

import json
import os
import statistics

from signet_site import BUILD, SIGNET_CA, openssl, run
from signet_token import SOFTHSM, Token

KINDS = (("RSA-2048", ("-algorithm", "RSA", "-pkeyopt",
                       "rsa_keygen_bits:2048"), "rsa:2048"),
         ("P-256", ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"),
          "ec:P-256"),
         ("P-384", ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"),
          "ec:P-256"))
SESSIONS = (1, 4)
WINDOW = 64
MANY = 100000
RIG_USER = 65534  # of the roles in tests/rig
CA_CNF = """[ca]
default_ca=a
[a]
database={place}/index.txt
new_certs_dir={place}/new
serial={place}/serial
certificate={place}/cert.pem
default_md=sha256
default_days=1
policy=p
x509_extensions=x
unique_subject=no
[p]
commonName=supplied
[x]
keyUsage=critical,digitalSignature,keyEncipherment
"""


class Rate:
    """A key of one kind in a token of its own, and all who sign with it."""

    def __init__(self, place, options, user_key):
        place.mkdir()
        self.place, self.user_key = place, user_key
        self.key = place / "key.pem"
        openssl("genpkey", *options, "-out", self.key)
        self.token = Token(place / "token")
        self.token.import_key(self.key)
        self.env = dict(os.environ, **self.token.env,
                        TOKEN_PIN=self.token.pin,
                        PKCS11_MODULE_PATH=str(SOFTHSM))
        self.uri = self.token.uri(module=SOFTHSM)
        if os.getuid() == 0:
            for path in (self.token.dir, *self.token.dir.rglob("*")):
                os.chown(path, RIG_USER, RIG_USER)

    def bare(self, sessions):
        return json.loads(run(BUILD / "tests" / "token_bench", self.uri,
                              sessions, env=self.env).stdout)

    def path(self, sessions, seconds, ledger=None):
        return json.loads(run(
            BUILD / "tests" / "path_bench", BUILD / "signetd",
            f"{self.uri}&max-sessions={sessions}", self.key, self.user_key,
            seconds, WINDOW, *([ledger] if ledger else []),
            env=self.env).stdout)

    def openssl_ca(self, count):
        """The command that makes one certificate more, with ${count} in the
        index."""
        place = self.place / f"ca-{count}"
        (place / "new").mkdir(parents=True)
        (place / "index.txt").write_text("".join(
            f"V\t361122000000Z\t\t{n + (1 << 150):040X}\tunknown"
            f"\t/CN=user{n}@LIGO.TEST\n" for n in range(count)))
        (place / "serial").write_text("01\n")
        (place / "ca.cnf").write_text(CA_CNF.format(place=place))
        openssl("req", "-x509", "-key", self.key, "-subj", "/CN=bench",
                "-out", place / "cert.pem")
        kind, size = self.user_key.split(":")
        openssl("req", "-new", *(["-newkey", self.user_key] if kind == "rsa"
                                 else ["-newkey", "ec", "-pkeyopt",
                                       f"ec_paramgen_curve:{size}"]),
                "-nodes", "-subj", "/CN=user", "-keyout", place / "user.key",
                "-out", place / "user.csr")
        return ["env", f"SOFTHSM2_CONF={self.token.conf}",
                f"PKCS11_MODULE_PATH={SOFTHSM}",
                "openssl", "ca", "-batch", "-notext", "-config",
                place / "ca.cnf", "-engine", "pkcs11", "-keyform", "engine",
                "-keyfile", f"pkcs11:token=grid%20ca;object=ca;type=private"
                f";pin-value={self.token.pin}", "-in", place / "user.csr",
                "-out", place / "out.pem"]


def medians(rounds):
    return {k: statistics.median(r[k] for r in rounds) for k in rounds[0]}


def book_of(place, count):
    """A ledger with ${count} certificates of the rig's CA in it."""
    base = "/DC=org/O=Ex"
    run(SIGNET_CA, "init", "root", place / "root", "--subject",
        f"{base}/OU=CA/CN=Rig 1", "--may-sign-under", base, "--key", "ec:P-384",
        "--name", "rig", "--no-passphrase")
    ledger = place / "root" / "ledger.db"
    run(BUILD / "tests" / "ledger_fill", ledger, "rig", count, timeout=1200)
    return ledger


def by_cpu(bare, path, sessions):
    """Rates that the processors allow if nobody else has them."""
    cores = os.cpu_count()
    one = 1e3 / bare["bare_cpu_ms"]
    return (min(sessions, cores) * one,
            min(sessions * 1e3 / path["token_ms"], cores * 1e3 / path["cpu_ms"]))


def percent(part, whole):
    return f"{100 * part / whole:.0f} %"


def measure_kind(rate, opts, ledger, measured):
    got = {("bare", s): [] for s in SESSIONS}
    got |= {("path", s): [] for s in SESSIONS}
    got |= {("many",): [], ("openssl", 0): [], ("openssl", MANY): []}
    commands = {n: rate.openssl_ca(n) for n in (0, MANY)}
    # What was written before (a ledger, an index) goes to the disk first, and
    # the first run of a new ledger and token is nobody's.
    os.sync()
    rate.path(SESSIONS[0], 1)
    for _ in range(opts.rounds):
        os.sync()
        for s in SESSIONS:
            got["bare", s].append(rate.bare(s))
            got["path", s].append(rate.path(s, opts.seconds))
        got["many",].append(rate.path(SESSIONS[-1], opts.seconds, ledger))
        for n, times in ((0, 10), (MANY, 2)):
            got["openssl", n] += [measured(commands[n])
                                  for _ in range(times)]
    return {what: medians(rounds) for what, rounds in got.items()}


def bench_token(report, work, opts, measured):
    place = work / "token"
    place.mkdir()
    ledger = book_of(place, MANY)
    rates, beside = [], []
    for name, options, user_key in KINDS:
        got = measure_kind(Rate(place / name, options, user_key), opts, ledger,
                           measured)
        for s in SESSIONS:
            bare, path = got["bare", s], got["path", s]
            rates.append((name, s, f"{bare['bare_per_second']:,.0f}",
                          f"{path['per_second']:,.0f}",
                          percent(path["per_second"], bare["bare_per_second"]),
                          percent(*reversed(by_cpu(bare, path, s))),
                          f"{bare['bare_cpu_ms']:.3f}",
                          f"{path['cpu_ms']:.3f}",
                          " / ".join(f"{path[f'{r}_ms']:.3f}" for r in
                                     ("token", "signer", "issuer", "keeper"))))
        ours, many = got["path", SESSIONS[-1]], got["many",]
        empty, full = got["openssl", 0], got["openssl", MANY]
        beside.append((
            name, f"{1 / empty['wall']:,.0f}", f"{1 / full['wall']:,.1f}",
            f"{ours['per_second']:,.0f}", f"{many['per_second']:,.0f}",
            f"{ours['per_second'] * empty['wall']:,.0f}",
            f"{many['per_second'] * full['wall']:,.0f}",
            f"{1e3 * empty['cpu']:.1f} / {1e3 * full['cpu']:.0f}",
            f"{ours['cpu_ms']:.2f} / {many['cpu_ms']:.2f}"))
    report.say("### Keys in a token (SoftHSM), from the request to the durable "
               "entry and the answer")
    report.say()
    report.table(("CA key", "sessions", "C_Sign/s", "certificates/s",
                  "of C_Sign/s", "by CPU", "C_Sign, CPU ms",
                  "certificate, CPU ms", "token / signer / issuer / keeper"),
                 rates)
    report.say(f"{WINDOW} requests are under way at once; the user's key is "
               "RSA-2048 for the first and P-256 for the others. C_Sign is "
               "called by as many threads as there are sessions, with "
               "nothing else to do. \"By CPU\" is the same part if nobody else "
               "had the processors: the least of what token processes and all "
               "processors can do, by their CPU for one, beside C_Sign's.")
    report.say()
    report.say("Beside `openssl ca` with the pkcs11 engine, a process for each "
               f"certificate, with nothing and with {MANY:,} certificates in "
               "its index, and in our ledger:")
    report.say()
    report.table(("CA key", "openssl/s", f"with {MANY:,}", "ours/s",
                  f"with {MANY:,}", "times", f"times, with {MANY:,}",
                  "openssl, CPU ms", "ours, CPU ms"), beside)
    report.say("To reach: 80 % of C_Sign/s, 10 and 100 times `openssl ca`, and "
               "our rate the same with a full ledger.")
    report.say()
