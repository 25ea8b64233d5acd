"""The seed's whole federation: a root, ten sites with their serial ranges, a
services CA; what the Toolkit's server and client make of what the tree allows
and of what it does not.  (The seed's list of names lacks PSU, which its table
of serials has, and one of its names lacks O=LIGO.)"""

import os
import pathlib
import re
import shutil

import pytest
from gct import handshake
from signet_site import (BASE, BUILD, CAS, PEOPLE, REPO, SIGNET_CA, Running,
                         open_way, openssl, run)

SERVICES = f"{BASE}/OU=Services"
PROFILES = REPO / "share/profiles"
SITES = {"CIT": 100000000, "MIT": 200000000, "LHO": 300000000,
         "LLO": 400000000, "PSU": 500000000, "SYR": 600000000,
         "UWM": 700000000, "AEI GLM": 800000000, "AEI HAN": 900000000,
         "Cardiff": 1000000000}
SPAN = 100000000
SCOTT = f"{PEOPLE}/CN=scott.koranda@LIGO.ORG"
ROBOT = f"{SERVICES}/CN=Robot: LDR transfer - data group"

# What openssl is told to put into what no CA of the tree would sign.
EXTENSIONS = """
[person]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = clientAuth
authorityKeyIdentifier = keyid
[host]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth,clientAuth
subjectAltName = DNS:localhost
authorityKeyIdentifier = keyid
[ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""


def ca(*args, **kw):
    return run(SIGNET_CA, *args, **kw)


class Federation:
    def __init__(self, directory):
        self.dir = directory
        self.trust = directory / "certificates"
        self.conf = directory / "extensions.cnf"
        self.conf.write_text(EXTENSIONS)
        self.root, self.services = directory / "root", directory / "services"
        ca("init", "root", self.root, "--subject", f"{CAS}/CN=LIGO Root CA 1",
           "--may-sign-under", CAS, "--key", "ec:P-384", "--no-passphrase")
        ca("init", "services", self.services, "--root", self.root,
           "--subject", f"{CAS}/OU=Services/CN=LIGO CA 1", "--may-sign-under",
           SERVICES, "--no-passphrase")
        self.sites = {}
        for name, start in SITES.items():
            place = directory / name.replace(" ", "-")
            ca("init", "slcs", place, "--root", self.root, "--subject",
               f"{CAS}/OU={name}/CN=MyProxy 1", "--may-sign-under", PEOPLE,
               "--serial", f"range {start} {SPAN}")
            self.sites[name] = place
        self.host = self.issue(self.services, "host",
                               f"{SERVICES}/CN=localhost", "localhost")
        self.service = self.issue(self.services, "host",
                                  f"{SERVICES}/CN=ldr/localhost", "service")
        self.robot = self.issue(self.services, "robot", ROBOT, "robot",
                                "--email", "ldr@ligo.org")
        self.trust.mkdir()
        open_way(directory)
        self.publish(self.root, self.services)
        self.people, self.twice = {}, {}
        for name, place in self.sites.items():
            self.people[name], self.twice[name] = self.log_in(name, place)
        self.publish()

    def log_in(self, name, place):
        """Scott twice at one site, whose signetd runs meanwhile."""
        home = self.dir / f"site-{place.name}"
        home.mkdir()
        users = ["--first-uid", 61301] if os.getuid() == 0 else []
        ca("deploy", place, "--realm", "LIGO.ORG", "--listen", "127.0.0.1:0",
           "--prefix", home, "--trust-dir", self.trust, "--host-cert",
           self.host.with_suffix(".pem"), "--host-key",
           self.host.with_suffix(".key"), *users)
        ca("passwd", home / "etc/signet/auth/passwd", "scott.koranda",
           "--password-stdin", input="secret123\n")
        found = []
        with Running(home / "etc/signet/signetd.conf") as daemon:
            for i in range(2):
                path = self.dir / f"scott-{place.name}-{i}"
                run("/usr/bin/myproxy-logon", "-l", "scott.koranda", "-S",
                    "-o", f"{path}.cred", input="secret123\n",
                    env={"PATH": "/usr/bin:/bin", "HOME": str(home),
                         "MYPROXY_SERVER": "localhost", "LC_ALL": "C",
                         "MYPROXY_SERVER_PORT": daemon.port,
                         "X509_CERT_DIR": str(self.trust)})
                run("openssl", "x509", "-in", f"{path}.cred", "-out",
                    f"{path}.pem")
                found.append(pathlib.Path(f"{path}.cred"))
        return found

    def ledger(self, place):
        """The book of an online CA is the daemon's."""
        return (["--ledger", self.dir / f"site-{place.name}" /
                 "var/lib/signet/ledger/ledger.db"]
                if place in self.sites.values() else [])

    def issue(self, place, profile, subject, name, *options, check=True):
        """The credential file: certificate, key, and the CA's certificate."""
        path = self.dir / name.replace(" ", "-")
        result = ca("issue", place, "--profile", profile, "--profile-dir",
                    PROFILES, "--subject", subject, "--key", "ec:P-256",
                    "--out-cert", f"{path}.pem", "--out-key", f"{path}.key",
                    *self.ledger(place), *options, check=check)
        return self.bundle(path, place / "ca.pem") if check else result

    def bundle(self, path, *above):
        files = [pathlib.Path(f"{path}.pem"), pathlib.Path(f"{path}.key")]
        whole = pathlib.Path(f"{path}.cred")
        whole.write_text("".join(f.read_text() for f in [*files, *above]))
        whole.chmod(0o600)
        files[1].chmod(0o400)
        return whole

    def forge(self, place, kind, subject, name, *above):
        """Signed with a CA's key by openssl, which asks nobody."""
        path = self.dir / name
        run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt",
            "ec_paramgen_curve:P-256", "-out", f"{path}.key")
        run("openssl", "req", "-new", "-key", f"{path}.key", "-subj", subject,
            "-out", f"{path}.csr")
        run("openssl", "x509", "-req", "-in", f"{path}.csr", "-CA",
            place / "ca.pem", "-CAkey", place / "ca.key", "-set_serial",
            int.from_bytes(os.urandom(8), "big"), "-days", 5, "-extfile",
            self.conf, "-extensions", kind, "-out", f"{path}.pem")
        # The Toolkit takes a root in a credential, which ends past 2049, for
        # one that ended long ago.
        own = [] if place == self.root else [place / "ca.pem"]
        return self.bundle(path, *own, *above)

    def publish(self, *only):
        ca("publish", self.root, self.services, "--trust-dir", self.trust)
        for place in () if only else self.sites.values():
            ca("publish", place, "--trust-dir", self.trust, *self.ledger(place))

    def greet(self, person, host=None, trust=None):
        host = host or self.host
        return handshake(person, trust or self.trust, host.with_suffix(".pem"),
                         host.with_suffix(".key"), check=False)

    def ours(self, person, trust=None):
        return run(BUILD / "tests" / "trust_says", trust or self.trust, person,
                   check=False)

    def accepted(self, person, name, **kw):
        for said in self.greet(person, **kw), self.ours(person):
            # The Toolkit writes a slash in a value so that it is no RDN's.
            shown = said.stdout.replace("\\/", "/")
            assert f"peer={name}\n" in shown, said.stdout + said.stderr

    def refused(self, person, why, trust=None):
        """By the Toolkit, with ${why}, and by ours."""
        said = self.greet(person, trust=trust)
        assert said.returncode == 1 and "peer=" not in said.stdout
        assert re.search(why, said.stderr), said.stderr
        said = self.ours(person, trust)
        assert said.returncode != 0 and "peer=" not in said.stdout


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    return Federation(tmp_path_factory.mktemp("federation"))


@pytest.fixture
def copy(house, tmp_path):
    """The same, for who changes it."""
    twin = object.__new__(Federation)
    twin.__dict__.update(house.__dict__)
    shutil.copytree(house.dir, tmp_path / "copy")
    twin.dir = tmp_path / "copy"
    for name in "trust", "conf", "root", "services", "host", "robot":
        setattr(twin, name, twin.dir / getattr(house, name).name)
    twin.sites = {n: twin.dir / p.name for n, p in house.sites.items()}
    return twin


def serial(path):
    return int(openssl("x509", "-in", path, "-noout", "-serial"
                       ).stdout.split("=")[1], 16)


def test_each_cas_certificate_is_under_the_root_and_the_chain_is_whole(house):
    for place in house.services, *house.sites.values():
        assert ": OK" in openssl("verify", "-x509_strict", "-CAfile",
                                 house.root / "ca.pem", place / "ca.pem"
                                 ).stdout
    anchors = list(house.trust.glob("*.0"))
    assert len(anchors) == len(list(house.trust.glob("*.r0"))) == 12
    assert len(list(house.trust.glob("*.signing_policy"))) == 12


def test_one_person_has_one_name_at_ten_sites_and_ten_ranges(house):
    for name, start in SITES.items():
        certificate = house.people[name].with_suffix(".pem")
        assert start <= serial(certificate) < start + SPAN
        issuer = openssl("x509", "-in", certificate, "-noout", "-issuer",
                         "-nameopt", "compat").stdout
        assert issuer.strip() == f"issuer={CAS}/OU={name}/CN=MyProxy 1"
        house.accepted(house.people[name], SCOTT)
        again = house.twice[name].with_suffix(".pem")
        assert serial(again) == serial(certificate) + 1


def test_hosts_services_and_robots_meet_each_other(house):
    for who, name in ((house.robot, ROBOT),
                      (house.host, f"{SERVICES}/CN=localhost"),
                      (house.service, f"{SERVICES}/CN=ldr/localhost")):
        house.accepted(who, name)
    # The client sees who serves it, and knows another host from it.
    said = house.greet(house.robot)
    assert f"server={SERVICES}/CN=localhost\n" in said.stdout
    said = handshake(house.robot, house.trust, house.host.with_suffix(".pem"),
                     house.host.with_suffix(".key"), "-t",
                     "host@other.ligo.org", check=False)
    assert said.returncode == 1 and "peer=" not in said.stdout


@pytest.mark.parametrize("site", SITES)
def test_a_site_signs_no_name_outside_its_space(house, site):
    place = house.sites[site]
    for space in (SERVICES, f"{CAS}/OU=X", BASE, "/DC=org/DC=doegrids",
                  f"{BASE}/OU=Peoples"):
        said = house.issue(place, "robot", f"{space}/CN=Robot: a - b",
                           f"never-{site}", "--email", "a@ligo.org",
                           check=False)
        assert said.returncode == 8, said.stderr
        assert "may-sign-under" in said.stderr or "name space" in said.stderr
    said = house.issue(place, "host", f"{PEOPLE}/CN=a.ligo.org",
                       f"never-{site}", check=False)
    assert said.returncode == 8, said.stderr


def test_services_signs_no_person_and_the_root_nothing_but_cas(house):
    for subject in (f"{PEOPLE}/CN=a.ligo.org", f"{CAS}/OU=X/CN=a.ligo.org",
                    f"{BASE}/CN=a.ligo.org"):
        said = house.issue(house.services, "host", subject, "never",
                           check=False)
        assert said.returncode == 8, said.stderr
    for profile, subject in (("host", f"{SERVICES}/CN=a.ligo.org"),
                             ("host", f"{CAS}/CN=a.ligo.org")):
        said = house.issue(house.root, profile, subject, "never", check=False)
        assert said.returncode == 8, said.stderr
    said = ca("init", "slcs", house.dir / "out", "--root", house.root,
              "--subject", f"{BASE}/OU=Elsewhere/CN=MyProxy 1",
              "--may-sign-under", PEOPLE, check=False)
    assert said.returncode == 8 and not (house.dir / "out").exists()
    for above in house.services, house.sites["PSU"]:
        said = ca("init", "slcs", house.dir / "under", "--root", above,
                  "--subject", f"{CAS}/OU=PSU/CN=MyProxy 2",
                  "--may-sign-under", PEOPLE, check=False)
        assert said.returncode == 8 and "signs no CAs" in said.stderr


def test_a_person_from_the_services_ca_is_nobody(house):
    forged = house.forge(house.services, "person", SCOTT, "forged-person")
    house.refused(forged, "signing.policy|policy")
    # And from the root itself.
    forged = house.forge(house.root, "person", SCOTT, "forged-root")
    house.refused(forged, "signing.policy|policy")


def test_a_host_from_a_sites_ca_serves_nobody(house):
    forged = house.forge(house.sites["UWM"], "host",
                         f"{SERVICES}/CN=localhost", "forged-host")
    said = house.greet(house.robot, host=forged)
    assert said.returncode == 1 and "server=" not in said.stdout
    house.refused(forged, "signing.policy|policy")


def test_a_ca_under_a_sites_ca_is_none(copy):
    site = copy.sites["MIT"]
    place = copy.dir / "rogue"
    place.mkdir()
    copy.forge(site, "ca", f"{CAS}/OU=MIT/CN=MyProxy 9", "rogue-ca")
    shutil.copy(copy.dir / "rogue-ca.pem", place / "ca.pem")
    shutil.copy(copy.dir / "rogue-ca.key", place / "ca.key")
    forged = copy.forge(place, "person", SCOTT, "forged-under",
                        site / "ca.pem")
    copy.refused(forged, "path length|policy|untrusted|unable to get|"
                         "Untrusted|not be verified|verif")
    # Not even where someone has made it an anchor with a policy of its own:
    # the site's certificate says that no CA is below it.
    digest = openssl("x509", "-in", place / "ca.pem", "-noout", "-hash"
                     ).stdout.strip()
    shutil.copy(place / "ca.pem", copy.trust / f"{digest}.0")
    (copy.trust / f"{digest}.signing_policy").write_text(
        f"access_id_CA X509 '{CAS}/OU=MIT/CN=MyProxy 9'\n"
        "pos_rights globus CA:sign\n"
        f"cond_subjects globus '\"{PEOPLE}/*\"'\n")
    copy.refused(forged, "path length|policy")


def test_what_is_revoked_is_refused_from_the_next_list_on(copy):
    site = copy.sites["AEI GLM"]
    person = copy.twice["AEI GLM"]
    copy.accepted(person, SCOTT)
    ca("revoke", site, f"{serial(person.with_suffix('.pem')):X}", "--reason",
       "keyCompromise", *copy.ledger(site))
    ca("revoke", copy.services, f"{serial(copy.robot.with_suffix('.pem')):X}")
    copy.publish()
    copy.refused(person, "revoked")
    copy.refused(copy.robot, "revoked")
    # The same person's other certificates are not.
    copy.accepted(copy.people["Cardiff"], SCOTT)
    # A whole site, by the root's list.
    site = copy.sites["LLO"]
    ca("revoke", copy.root, f"{serial(site / 'ca.pem'):X}", "--reason",
       "cACompromise")
    copy.publish()
    copy.refused(copy.people["LLO"], "revoked")
    copy.accepted(copy.people["LHO"], SCOTT)
