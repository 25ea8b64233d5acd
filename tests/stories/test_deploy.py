"""A site's signetd is set up from its CA in one command, and hands out
certificates to the stock client."""

import os
import shutil
import stat

import pytest
from signet_site import (BASE, CAS, PEOPLE, REPO, SIGNET_CA, Running, open_way,
                         openssl, run)

PROFILES = ["--profile-dir", REPO / "share/profiles"]
SERVICES = f"{BASE}/OU=Services"
ROOT = os.getuid() == 0
FIRST = 61301
CONTACT = ["--contact", "Ann Other", "--contact-mail", "ann@psu.edu",
           "--contact-phone", "+1 814 555 0100"]


def ca(*args, check=True, **kw):
    return run(SIGNET_CA, *args, check=check, **kw)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A root, a host certificate, and a site's CA that went by memory stick."""
    d = tmp_path_factory.mktemp("deploy")
    open_way(d)
    ca("init", "root", d / "root", "--subject", f"{CAS}/CN=LIGO Root CA 1",
       "--may-sign-under", CAS, "--no-passphrase")
    ca("init", "services", d / "services", "--root", d / "root", "--subject",
       f"{CAS}/OU=Services/CN=LIGO CA 1", "--may-sign-under", SERVICES,
       "--no-passphrase")
    ca("issue", d / "services", "--profile", "host", *PROFILES, "--subject",
       f"{SERVICES}/CN=localhost", "--out-cert", d / "hostcert.pem",
       "--out-key", d / "hostkey.pem")
    ca("init", "slcs", d / "psu", "--subject", f"{CAS}/OU=PSU/CN=MyProxy 1",
       "--may-sign-under", PEOPLE, "--serial", "range 500000000 100000000",
       *CONTACT, "--purpose", "short-lived certificates of PSU", "--request",
       d / "psu.request")
    ca("sign", d / "root", d / "psu.request", "--permission", "the chair",
       "--out", d / "psu.reply", "--yes", *PROFILES)
    ca("request", "accept", d / "psu.reply", d / "psu", "--root",
       d / "root/ca.pem")
    return d


@pytest.fixture
def site(made, tmp_path):
    open_way(tmp_path)
    os.chmod(tmp_path, 0o755)
    shutil.copytree(made, tmp_path / "in")
    return tmp_path


def deploy(site, *more, check=True, ca_dir=None):
    options = ["--realm", "LIGO.TEST", "--listen", "127.0.0.1:0",
               "--host-cert", site / "in/hostcert.pem", "--host-key",
               site / "in/hostkey.pem", "--prefix", site / "site", *more]
    if ROOT:
        options += ["--first-uid", FIRST]
    return ca("deploy", ca_dir or site / "in/psu", *options, check=check)


def files(place):
    return {p.relative_to(place): (p.lstat().st_mode, p.lstat().st_uid,
                                   p.read_bytes() if p.is_file() else None)
            for p in place.rglob("*") if p.suffix != ".lock"}


def logon(site, port, out, check=True):
    env = {"PATH": "/usr/bin:/bin", "HOME": str(site), "LC_ALL": "C",
           "MYPROXY_SERVER": "localhost", "MYPROXY_SERVER_PORT": port,
           "X509_CERT_DIR":
               str(site / "site/etc/grid-security/certificates")}
    return run("/usr/bin/myproxy-logon", "-l", "ann", "-S", "-o", out,
               input="secret123\n", env=env, check=check)


def test_deployed_started_and_logged_in(site):
    said = deploy(site).stdout
    assert "The site is ready" in said and "signetd -c" in said
    etc = site / "site/etc/signet"
    # The services CA's anchor is the organisation's to publish.
    trust = site / "site/etc/grid-security/certificates"
    ca("publish", site / "in/root", site / "in/services", "--trust-dir", trust)
    ca("passwd", etc / "auth/passwd", "ann", "--password-stdin",
       input="secret123\n")
    with Running(site / "site/etc/signet/signetd.conf") as running:
        logon(site, running.port, site / "ann.pem")
        # What is deployed can be deployed again, also while it runs.
        before = files(site / "site")
        assert "makes" not in deploy(site).stdout
        ledger = site / "site/var/lib/signet/ledger"
        again = files(site / "site")
        for path, what in before.items():
            if ledger not in (site / "site" / path).parents:
                assert again[path] == what, path
    text = openssl("x509", "-in", site / "ann.pem", "-noout", "-subject",
                   "-issuer", "-serial", "-nameopt", "compat").stdout
    assert f"subject={PEOPLE}/CN=ann@LIGO.TEST\n" in text
    assert f"issuer={CAS}/OU=PSU/CN=MyProxy 1\n" in text
    assert 500000000 <= int(text.split("serial=")[1], 16) < 600000000
    # The book went on from what accept wrote.
    assert ca("ledger", "check", "--ledger", ledger / "ledger.db").stdout
    numbers = [int(openssl("crl", "-in", p, "-noout", "-crlnumber")
                   .stdout.split("=")[1], 16)
               for p in (site / "in/psu/crl.pem", next(ledger.glob("*.r0")))]
    assert numbers[0] <= numbers[1]


def test_owners_and_modes(site):
    deploy(site)
    etc, state = site / "site/etc/signet", site / "site/var/lib/signet"
    worker, keeper = ((FIRST + 1, FIRST + 4) if ROOT
                      else (os.getuid(), os.getuid()))
    for path, mode, uid in ((etc, 0o755, os.getuid()),
                            (etc / "signetd.conf", 0o644, os.getuid()),
                            (etc / "profiles", 0o755, os.getuid()),
                            (etc / "auth", 0o700, worker),
                            (etc / "auth/passwd", 0o600, worker),
                            (state / "ledger", 0o700, keeper),
                            (state / "ledger/ledger.db", 0o600, keeper)):
        found = path.stat()
        assert (stat.S_IMODE(found.st_mode), found.st_uid) == (mode, uid), path
    conf = (etc / "signetd.conf").read_text()
    assert f"ca {site}/in/psu\n" in conf and "realm LIGO.TEST\n" in conf
    profile = (etc / "profiles/slcs-user.profile").read_text()
    assert f"subject {PEOPLE}/CN={{principal}}\n" in profile
    assert profile.count("subject ") == 1
    # Whatever the root may sign, here it is trusted for this CA alone.
    trust = site / "site/etc/grid-security/certificates"
    digest = openssl("x509", "-in", site / "in/root/ca.pem", "-noout",
                     "-hash").stdout.strip()
    policy = (trust / f"{digest}.signing_policy").read_text()
    assert policy.count("cond_subjects") == 1
    assert f"'{CAS}/OU=PSU/CN=MyProxy 1'" in policy


def test_a_rehearsal_changes_nothing(site):
    said = deploy(site, "--dry-run").stdout
    assert "makes" in said and "signetd.conf" in said
    assert not (site / "site").exists()


def test_what_differs_is_refused_before_anything_is_made(site):
    etc = site / "site/etc/signet"
    etc.mkdir(parents=True)
    (etc / "signetd.conf").write_text("realm OTHER\n")
    said = deploy(site, check=False)
    assert said.returncode == 8 and "nothing is overwritten" in said.stderr
    assert files(site / "site").keys() == {
        p.relative_to(site / "site") for p in
        (site / "site/etc", etc, etc / "signetd.conf")}


def test_only_a_ca_for_people_is_deployed(site):
    for name in "root", "services":
        said = deploy(site, ca_dir=site / "in" / name, check=False)
        assert said.returncode == 8 and "signetd" in said.stderr
    assert ca("deploy", site / "in/psu", check=False).returncode == 2
    said = deploy(site, "--host-cert", site / "nowhere", check=False)
    assert said.returncode == 2 and "twice" in said.stderr


def test_signetd_says_what_is_wrong(site):
    (site / "in/hostkey.pem").unlink()
    said = deploy(site, check=False)
    assert said.returncode == 78, said.stderr
    assert "hostkey.pem" in said.stderr and "run this again" in said.stderr
    shutil.copy(site / "in/services/ca.key", site / "in/hostkey.pem")
    assert deploy(site, check=False).returncode == 78


def test_what_came_back_from_a_backup_is_deployed(site):
    """From the backup of one site to another: serials go on."""
    phrase = "what is kept in the vault\n"

    def sealed(*args):
        read, write = os.pipe()
        os.write(write, phrase.encode())
        os.close(write)
        ca(*args, "--passphrase-fd", read, pass_fds=[read])
        os.close(read)
    deploy(site)
    etc = site / "site/etc/signet"
    trust = site / "site/etc/grid-security/certificates"
    ca("publish", site / "in/root", site / "in/services", "--trust-dir", trust)
    ca("passwd", etc / "auth/passwd", "ann", "--password-stdin",
       input="secret123\n")
    ledger = site / "site/var/lib/signet/ledger"
    with Running(site / "site/etc/signet/signetd.conf") as running:
        sealed("backup", site / "in/psu", "--ledger", ledger / "ledger.db",
               "--out", site / "backup")
        logon(site, running.port, site / "last.pem")
    newest = next(ledger.glob("*.r0"))
    sealed("restore", site / "backup", site / "again", "--crl", newest,
           "--cert", site / "last.pem")
    os.rename(site / "site", site / "lost")
    deploy(site, ca_dir=site / "again")
    ca("publish", site / "in/root", site / "in/services", "--trust-dir", trust)
    ca("passwd", etc / "auth/passwd", "ann", "--password-stdin",
       input="secret123\n")
    with Running(site / "site/etc/signet/signetd.conf") as running:
        logon(site, running.port, site / "next.pem")

    def serial(path):
        return int(openssl("x509", "-in", path, "-noout", "-serial"
                           ).stdout.split("=")[1], 16)
    assert serial(site / "next.pem") > serial(site / "last.pem")
