"""Each kind of certificate and list, field by field (facts: PROFILES 4 and 7),
as four readers see it: OpenSSL, GnuTLS, NSS, and the stories' own DER."""

import datetime
import pathlib
import shutil
import subprocess
import time

import pytest
from cert_readers import (gnutls_cert, gnutls_crl, nss_cert, nss_crl,
                          openssl_cert, openssl_crl)
from signet_site import (BASE, CAS, PEOPLE, REPO, SIGNET, SIGNET_CA, Site,
                         openssl, run)
import strict_der

SERVICES = f"{BASE}/OU=Services"
PROFILES = REPO / "share/profiles"
OWN = "1.3.6.1.4.1.99999.1.1"
IGTF = "1.2.840.113612.5.2"
HTTP = "http://ca.example.org"
DAY = datetime.timedelta(days=1)
YEAR = 365 * DAY
READERS = {"openssl": openssl_cert, "gnutls": gnutls_cert, "nss": nss_cert}


def ca(*args, **kw):
    return run(SIGNET_CA, *args, **kw)


def at(name):
    return ["--crl-url", f"{HTTP}/{name}.crl", "--issuer-url",
            f"{HTTP}/{name}.cer"]


def own_policy(directory):
    with open(directory / "ca.conf", "a") as conf:
        conf.write(f"policy-oid {OWN}\n")


class House:
    """A root, a services CA with a host and a robot, and a site whose signetd
    signs people, all with keys of one kind."""

    def __init__(self, directory, kind):
        self.dir = directory
        self.root, self.services = directory / "root", directory / "services"
        self.keys = {"ec": ("ec:P-384", "ec:P-256"),
                     "rsa": ("rsa:4096", "rsa:2048")}[kind]
        ca("init", "root", self.root, "--subject", f"{CAS}/CN=LIGO Root CA 1",
           "--may-sign-under", CAS, "--key", self.keys[0], "--no-passphrase",
           *at("root"))
        ca("init", "services", self.services, "--root", self.root, "--subject",
           f"{CAS}/OU=Services/CN=LIGO CA 1", "--may-sign-under", SERVICES,
           "--key", self.keys[1], "--no-passphrase", *at("services"))
        own_policy(self.services)
        self.issue("host", f"{SERVICES}/CN=host.ligo.org", "--dns",
                   "www.ligo.org")
        self.issue("host", f"{SERVICES}/CN=ldap/db.ligo.org", name="service")
        self.issue("robot", f"{SERVICES}/CN=Robot: LDR - data group",
                   "--email", "ldr@ligo.org")
        self.site = Site(directory / "site", root=self, key=self.keys[1],
                         profile=("email-domain ligo.org",))
        self.slcs = self.site.ca
        own_policy(self.slcs)
        with open(self.slcs / "ca.conf", "a") as conf:
            conf.write(f"crl-url {HTTP}/uwm.crl\nissuer-url {HTTP}/uwm.cer\n")
        self.log_in()
        self.files = {
            "root": self.root / "ca.pem", "slcs sub-CA": self.slcs / "ca.pem",
            "services sub-CA": self.services / "ca.pem",
            "person": directory / "person.pem",
            "person for long": directory / "long.pem",
            "host": directory / "host.pem",
            "service": directory / "service.pem",
            "robot": directory / "robot.pem"}

    def issue(self, profile, subject, *options, name=None):
        path = self.dir / (name or profile)
        ca("issue", self.services, "--profile", profile, "--profile-dir",
           PROFILES, "--subject", subject, "--key", self.keys[1], "--out-cert",
           f"{path}.pem", "--out-key", f"{path}.key", *options)
        return pathlib.Path(f"{path}.pem")

    def log_in(self):
        """With the stock client, whose keys are RSA; with signet for EC."""
        with self.site as site:
            for name, hours in ("person", "12"), ("long", "1000"):
                out = self.dir / f"{name}.all"
                if self.keys[1].startswith("rsa"):
                    site.stock_logon("-t", hours, out=out)
                else:
                    log_in_with_ec(site, hours, out)
                # The person's own among the proxy's and those above it.
                self.keep(out, self.dir / f"{name}.pem")
        lists = sorted((site.dir / "ledger").glob("*.r0"))
        assert len(lists) == 1, lists
        self.slcs_list = lists[0]

    def keep(self, path, only):
        for block in path.read_text().split("-----BEGIN CERTIFICATE")[1:]:
            only.write_text("-----BEGIN CERTIFICATE" + block)
            if openssl("x509", "-in", only, "-noout", "-subject", "-nameopt",
                       "compat").stdout.endswith("/CN=user0@LIGO.TEST\n"):
                return
        raise AssertionError(path.read_text())


def log_in_with_ec(site, hours, out):
    conf = site.dir / "signet.conf"
    conf.write_text(f"server localhost:{site.port}\nrealm {site.realm}\n"
                    "auth password\n")
    run(SIGNET, "login", "user0", "--hours", hours, "--password-stdin",
        "--out", out, "--key", "ec:P-256", "--certificate-key", "ec:P-256",
        input="secret123\n", env=site.client_env(SIGNET_CONF=conf))


@pytest.fixture(scope="module", params=["ec", "rsa"])
def house(request, tmp_path_factory):
    return House(tmp_path_factory.mktemp(f"house-{request.param}"),
                 request.param)


def read(path):
    return strict_der.certificate(path)


def urls(name, ext):
    return (False, [("uri", f"{HTTP}/{name}.{ext}")])


def expected(house, kind):
    """Subject, issuer's file, longest life, key, and all extensions but the
    identifier of its own key."""
    files = house.files
    top, small = house.keys
    usage = {"digitalSignature"} | (
        {"keyEncipherment"} if small.startswith("rsa") else set())
    above = {"root": "root", "slcs sub-CA": "root", "services sub-CA": "root",
             "person": "slcs sub-CA", "person for long": "slcs sub-CA"}.get(
                 kind, "services sub-CA")
    aki = (False, read(files[above])["extensions"]["ski"][1])
    signs = (True, {"keyCertSign", "cRLSign"})
    of_ca = {"keyUsage": signs, "aki": aki,
             "basicConstraints": (True, (True, 0)),
             "crl": urls("root", "crl"), "aia": urls("root", "cer"),
             "policies": (False, ["2.5.29.32.0"])}
    leaf = {"basicConstraints": (True, (False, None)),
            "keyUsage": (True, usage), "aki": aki}
    person = {**leaf, "extKeyUsage": (False, ["clientAuth"]),
              "san": (False, [("email", "user0@ligo.org")]),
              "crl": urls("uwm", "crl"), "aia": urls("uwm", "cer"),
              "policies": (False, [f"{IGTF}.2.3", f"{IGTF}.3.3.3", OWN])}
    served = {**leaf, "crl": urls("services", "crl"),
              "aia": urls("services", "cer")}
    host = {**served, "extKeyUsage": (False, ["serverAuth", "clientAuth"]),
            "policies": (False, [f"{IGTF}.2.1", f"{IGTF}.3.3.2", OWN])}
    me = f"{PEOPLE}/CN=user0@LIGO.TEST"
    return {
        "root": (f"{CAS}/CN=LIGO Root CA 1", above, 30 * YEAR, top, {
            "keyUsage": signs, "basicConstraints": (True, (True, None)),
            "aki": aki}),
        "slcs sub-CA": (f"{CAS}/OU=UWM/CN=MyProxy 1", above, 20 * YEAR, small,
                        of_ca),
        "services sub-CA": (f"{CAS}/OU=Services/CN=LIGO CA 1", above,
                            20 * YEAR, small, of_ca),
        "person": (me, above, DAY / 2 + DAY / 288, small, person),
        "person for long": (me, above, datetime.timedelta(seconds=1000000),
                            small, person),
        "host": (f"{SERVICES}/CN=host.ligo.org", above, 395 * DAY, small, {
            **host, "san": (False, [("dns", "host.ligo.org"),
                                    ("dns", "www.ligo.org")])}),
        "service": (f"{SERVICES}/CN=ldap/db.ligo.org", above, 395 * DAY,
                    small, {**host, "san": (False, [("dns", "db.ligo.org")])}),
        "robot": (f"{SERVICES}/CN=Robot: LDR - data group", above, 395 * DAY,
                  small, {
                      **served, "extKeyUsage": (False, ["clientAuth"]),
                      "san": (False, [("email", "ldr@ligo.org")]),
                      "policies": (False, [f"{IGTF}.2.1", f"{IGTF}.3.3.1",
                                           OWN])}),
    }[kind]


KINDS = ["root", "slcs sub-CA", "services sub-CA", "person",
         "person for long", "host", "service", "robot"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_table_field_by_field(house, kind):
    subject, above, life, key, wanted = expected(house, kind)
    found, issuer = read(house.files[kind]), read(house.files[above])
    signature = ("rsa-sha256" if house.keys[0].startswith("rsa") else
                 "ecdsa-sha384" if above == "root" else "ecdsa-sha256")
    assert found["subject"] == subject
    assert found["issuer_der"] == issuer["subject_der"]
    assert found["signature"] == signature
    assert found["key"] == key
    # strict_der has checked the identifier against the key.
    wanted = dict(wanted, ski=(False, found["extensions"]["ski"][1]))
    assert found["extensions"] == wanted
    # Life: all of it where nothing was asked, and never past the CA's.
    assert found["end"] - found["begin"] <= life
    assert found["end"] - found["begin"] >= life - DAY / 24
    assert issuer["begin"] <= found["begin"] and found["end"] <= issuer["end"]
    now = datetime.datetime.utcnow()
    assert datetime.timedelta(0) <= now - found["begin"] < DAY / 24
    assert found["serial"].bit_length() <= 159
    if above == "slcs sub-CA":
        assert 500000000 <= found["serial"] < 600000000
    else:
        assert found["serial"].bit_length() > 96  # random
    # What people may type comes as UTF8String where it does not fit.
    last = "UTF8String" if "@" in subject else "PrintableString"
    assert found["types"][:2] == ["IA5String"] * 2
    assert found["types"][-1] == last


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("kind", KINDS)
def test_each_reader_sees_the_same(house, kind, reader):
    path = house.files[kind]
    shown, found = READERS[reader](path), read(path)
    assert len(shown) == 9
    for field, value in shown.items():
        assert value == found[field], field


def nss_db(directory, house):
    """A database that trusts the root alone."""
    db = f"sql:{directory}"
    pathlib.Path(directory).mkdir(exist_ok=True)
    run("certutil", "-N", "-d", db, "--empty-password")
    for name, trust in (("root", "CT,C,C"), ("slcs sub-CA", ",,"),
                        ("services sub-CA", ",,")):
        run("certutil", "-A", "-d", db, "-n", name, "-t", trust, "-a", "-i",
            house.files[name])
    return db


def nss_says(db, path, usage):
    run("certutil", "-A", "-d", db, "-n", path.stem, "-t", ",,", "-a", "-i",
        path)
    return run("certutil", "-V", "-d", db, "-n", path.stem, "-u", usage,
               "-e", check=False)


def chain_for(house, path, tmp_path):
    """The certificate, and those above it to the root, in one file."""
    above = ("slcs sub-CA" if read(path)["issuer"].endswith("MyProxy 1")
             else "services sub-CA")
    chain = tmp_path / "chain.pem"
    chain.write_text("".join(
        f"-----BEGIN CERTIFICATE-----{p.read_text().split('-----')[2]}"
        "-----END CERTIFICATE-----\n"
        for p in (path, house.files[above], house.files["root"])))
    return chain


def gnutls_says(house, path, tmp_path):
    return run("certtool", "--verify", "--verify-profile", "medium",
               "--load-ca-certificate", house.files["root"], "--infile",
               chain_for(house, path, tmp_path), check=False)


@pytest.mark.parametrize("kind", KINDS[3:])
def test_each_verifier_accepts_it_for_its_purpose_alone(house, kind, tmp_path):
    path = house.files[kind]
    chain = chain_for(house, path, tmp_path)
    serves = kind in ("host", "service")
    # OpenSSL.
    for purpose, good in ("sslclient", True), ("sslserver", serves):
        said = openssl("verify", "-x509_strict", "-CAfile",
                       house.files["root"], "-untrusted", chain, "-purpose",
                       purpose, path, check=False)
        assert (said.returncode == 0) == good, said.stderr
    # GnuTLS.
    assert "Chain verification output: Verified." in gnutls_says(
        house, path, tmp_path).stdout
    # NSS.
    db = nss_db(tmp_path / "db", house)
    for usage, good in ("C", True), ("V", serves):
        said = nss_says(db, path, usage)
        assert (said.returncode == 0) == good, said.stdout + said.stderr
    chained = run("vfychain", "-d", db, "-u", "1" if serves else "0", "-a",
                  path, check=False)
    assert "Chain is good!" in chained.stdout + chained.stderr


def test_cas_verify_strictly_and_an_altered_signature_nowhere(house, tmp_path):
    root = house.files["root"]
    for kind in KINDS[:3]:
        assert ": OK" in openssl("verify", "-x509_strict", "-check_ss_sig",
                                 "-CAfile", root, house.files[kind]).stdout
    db = nss_db(tmp_path / "db", house)
    for kind in KINDS[:3]:
        run("certutil", "-V", "-d", db, "-n", kind, "-u", "A", "-e")
    altered = tmp_path / "altered.pem"
    der = bytearray(strict_der.from_pem(house.files["host"].read_text(),
                                        "CERTIFICATE"))
    der[-9] ^= 1
    altered.write_bytes(subprocess.run(
        ["openssl", "x509", "-inform", "DER"], input=bytes(der), check=True,
        capture_output=True).stdout)
    chain = chain_for(house, altered, tmp_path)
    assert "certificate signature failure" in openssl(
        "verify", "-CAfile", root, "-untrusted", chain, altered,
        check=False).stderr
    assert "Not verified" in gnutls_says(house, altered, tmp_path).stdout
    assert nss_says(db, altered, "V").returncode != 0


def test_a_time_is_generalized_from_2050_on(tmp_path):
    this_year = time.gmtime().tm_year
    for year, form in (2048, strict_der.UTC), (2051, strict_der.GENERALIZED):
        directory = tmp_path / str(year)
        ca("init", "root", directory, "--subject", "/DC=org/O=Ex/CN=Root",
           "--may-sign-under", "/DC=org/O=Ex", "--key", "ec:P-384",
           "--no-passphrase", "--years", year - this_year)
        found = read(directory / "ca.pem")
        assert found["forms"] == (strict_der.UTC, form)
        assert found["end"].year in (year, year - 1)
        for reader in READERS.values():
            assert reader(directory / "ca.pem")["end"] == found["end"]


@pytest.mark.heavy
def test_the_last_second_of_2049_and_the_next(tmp_path):
    """Thirty years of 365 days before it, by the clock of libfaketime."""
    turn = datetime.datetime(2050, 1, 1)
    for second, form in (-1, strict_der.UTC), (0, strict_der.GENERALIZED):
        now = turn + datetime.timedelta(seconds=second) - 30 * YEAR
        directory = tmp_path / form
        run("faketime", "-f", f"{now:%Y-%m-%d %H:%M:%S}", SIGNET_CA, "init",
            "root", directory, "--subject", "/DC=org/O=Ex/CN=Root",
            "--may-sign-under", "/DC=org/O=Ex", "--key", "ec:P-384",
            "--no-passphrase", env={"TZ": "UTC", "PATH": "/usr/bin:/bin"})
        found = read(directory / "ca.pem")
        end = turn + datetime.timedelta(seconds=second)
        # What is begun earlier for slow clocks ends as much earlier.
        assert end - DAY / 24 < found["end"] <= end
        if found["end"] == end:
            assert found["forms"] == (strict_der.UTC, form)


def check_list(path, issuer, life, entries):
    found, above = strict_der.crl(path), read(issuer)
    assert found["issuer_der"] == above["subject_der"]
    assert set(found["extensions"]) == {"aki", "number"}
    aki, number = (found["extensions"][n] for n in ("aki", "number"))
    assert aki == (False, above["extensions"]["ski"][1])
    assert not number[0] and 0 < number[1].bit_length() < 160
    now = datetime.datetime.utcnow()
    assert DAY * 0 <= now - found["this"] < DAY / 24
    assert life <= found["next"] - found["this"] <= life + DAY / 288
    assert [(s, r) for s, _, r in found["entries"]] == sorted(entries)
    for reader in openssl_crl, gnutls_crl, nss_crl:
        shown = reader(path)
        assert len(shown) == 7
        for field in "issuer", "this", "next", "signature":
            assert shown[field] == found[field], field
        assert (shown["aki"], shown["number"]) == (aki[1], number[1])
        for mine, other in zip(found["entries"], shown["entries"],
                               strict=True):
            assert mine[:len(other)] == other
    assert "verify OK" in openssl("crl", "-in", path, "-noout", "-CAfile",
                                  issuer).stderr
    assert "Verified" in run("certtool", "--verify-crl",
                             "--load-ca-certificate", issuer, "--infile",
                             path).stdout
    return found


def test_lists_without_entries(house, tmp_path):
    root = tmp_path / "root.crl"
    ca("crl", house.root, "--out", root)
    check_list(root, house.files["root"], 400 * DAY, [])
    # Of the CA that signetd serves, the daemon's own.
    check_list(house.slcs_list, house.files["slcs sub-CA"], 30 * DAY, [])


def test_a_list_with_entries_and_what_verifiers_make_of_it(house, tmp_path):
    reasons = {"unspecified": 0, "keyCompromise": 1, "superseded": 4,
               "certificateHold": 6}
    services = tmp_path / "services"
    shutil.copytree(house.services, services)
    entries = []
    for word, code in reasons.items():
        path = tmp_path / word
        ca("issue", services, "--profile", "host", "--profile-dir", PROFILES,
           "--subject", f"{SERVICES}/CN={word.lower()}.ligo.org", "--key",
           house.keys[1], "--out-cert", f"{path}.pem", "--out-key",
           f"{path}.key")
        serial = read(f"{path}.pem")["serial"]
        ca("revoke", services, f"{serial:X}", "--reason", word)
        entries.append((serial, code))
    first = tmp_path / "first.pem"
    ca("crl", services, "--out", first)
    issuer = house.files["services sub-CA"]
    found = check_list(first, issuer, 30 * DAY, entries)
    second = tmp_path / "second.pem"
    ca("crl", services, "--out", second)
    again = check_list(second, issuer, 30 * DAY, entries)
    assert (again["extensions"]["number"][1] >
            found["extensions"]["number"][1])
    # OpenSSL, GnuTLS and NSS refuse what is on it, and take what is not.
    db = nss_db(tmp_path / "db", house)
    der = tmp_path / "first.der"
    openssl("crl", "-in", first, "-outform", "DER", "-out", der)
    root_list = tmp_path / "root.crl"
    ca("crl", house.root, "--out", root_list)
    run("crlutil", "-I", "-d", db, "-i", der)
    both = tmp_path / "both.crl"
    both.write_text(first.read_text() + root_list.read_text())
    for path, good in ((tmp_path / "keyCompromise.pem", False),
                       (tmp_path / "unspecified.pem", False),
                       (house.files["host"], True)):
        chain = chain_for(house, path, tmp_path)
        said = openssl("verify", "-x509_strict", "-crl_check_all", "-CAfile",
                       house.files["root"], "-untrusted", chain, "-CRLfile",
                       both, path, check=False)
        assert (said.returncode == 0) == good
        assert good or "certificate revoked" in said.stderr
        said = nss_says(db, path, "V")
        assert (said.returncode == 0) == good
        assert good or "revoked" in said.stdout + said.stderr
        said = run("certtool", "--verify", "--load-ca-certificate",
                   house.files["root"], "--load-crl", both, "--infile", chain,
                   check=False)
        assert ("Chain verification output: Verified" in said.stdout) == good
        assert good or "revoked" in said.stdout
