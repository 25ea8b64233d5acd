"""What an organisation publishes of its CAs: files, pages, tarball, packages;
read by OpenSSL, the Toolkit, fetch-crl, dpkg, rpm, lintian and rpmlint."""

import functools
import hashlib
import http.server
import json
import os
import pathlib
import re
import shutil
import stat
import subprocess
import threading

import pytest
from gct import handshake
from kill_at import KillAt
from ca_house import ca
from signet_site import BASE, CAS, PEOPLE, REPO, SIGNET_CA, openssl, run

SERVICES = f"{BASE}/OU=Services"
ROBOT = "Robot: transfers - CA Operations"
TRUST = "etc/grid-security/certificates"
ALIASES = ("LIGO-Root", "LIGO-Services", "LIGO-UWM")
CONF = """\
organisation LIGO Scientific & Virgo
url {url}
ca LIGO-Root root
ca LIGO-Services services
ca LIGO-UWM slcs
crl LIGO-Root root.crl
crl LIGO-Services services.crl
contact-name CA Operations
contact-mail ca@example.org
contact-phone +1 555 0100
postal-address 1 Example Road, Example Town
request-mail certrequest@example.org
policy-authority The Computing Committee
permission-authority the chair of the Computing Committee
premises A locked room <of two named people>
jurisdiction Wisconsin, USA
pen 32473
policy-arc 2.1.1.0
document-version 1.0
document-date 2026-11-22
package-name ligo-ca-certificates
package-version 1.0
package-maintainer CA Operations <ca@example.org>
package-licence CC0-1.0
"""
TARBALL = "ligo-ca-certificates-1.0.tar.gz"
DEB = "ligo-ca-certificates_1.0_all.deb"
RPM = "ligo-ca-certificates-1.0-1.noarch.rpm"


class House:
    def __init__(self, directory):
        self.dir = directory
        self.site, self.conf = directory / "site", directory / "publish.conf"

    def publish(self, *options, site=None, check=True, wrapper=(), **kw):
        return run(*wrapper, SIGNET_CA, "publish", site or self.site, "--conf",
                   self.conf, *options, check=check, **kw)

    def refused(self, status, says, *options, **kw):
        before = state(self.site)
        result = self.publish(*options, check=False, **kw)
        assert result.returncode == status, result.stderr
        assert says in result.stderr, result.stderr
        assert state(self.site) == before
        assert not (self.dir / ".site.publish").exists()

    def set(self, keyword, value):
        """A setting changed; None takes it out."""
        lines = [line for line in self.conf.read_text().splitlines()
                 if not line.startswith(f"{keyword} ")]
        lines += [] if value is None else [f"{keyword} {value}"]
        self.conf.write_text("\n".join(lines) + "\n")

    def crl(self, which):
        new = self.dir / f"{which}.crl.new"
        ca("crl", self.dir / which, "--out", new)
        new.rename(self.dir / f"{which}.crl")


def state(site):
    """All that a directory says, with what does not show in the bytes."""
    if not site.exists():
        return None
    return {p.name: (os.readlink(p) if p.is_symlink() else p.read_bytes(),
                     p.lstat().st_mtime_ns) for p in site.iterdir()}


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """Three CAs, published, and served on loopback."""
    d = tmp_path_factory.mktemp("publish")
    h = House(d)
    h.server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(
            http.server.SimpleHTTPRequestHandler, directory=d / "site"))
    threading.Thread(target=h.server.serve_forever, daemon=True).start()
    h.url = f"http://127.0.0.1:{h.server.server_port}/"
    ca("init", "root", d / "root", "--subject", f"{CAS}/CN=LIGO Root CA 1",
       "--may-sign-under", CAS, "--key", "ec:P-384", "--no-passphrase")
    ca("init", "services", d / "services", "--root", d / "root", "--subject",
       f"{CAS}/OU=Services/CN=LIGO CA 1", "--may-sign-under", SERVICES,
       "--key", "ec:P-256", "--no-passphrase", "--issuer-url",
       f"{h.url}services.cer")
    ca("init", "slcs", d / "slcs", "--root", d / "root", "--subject",
       f"{CAS}/OU=UWM/CN=MyProxy 1", "--may-sign-under", PEOPLE, "--key",
       "ec:P-256", "--crl-url", f"{h.url}uwm.crl")
    for name, profile, cn in (("localhost", "host", "localhost"),
                              ("robot", "robot", ROBOT)):
        ca("issue", d / "services", "--profile", profile, "--profile-dir",
           REPO / "share/profiles", "--subject", f"{SERVICES}/CN={cn}",
           "--email", "ca@example.org", "--key", "ec:P-256", "--out-cert", d / f"{name}.pem", "--out-key",
           d / f"{name}.key")
        (d / f"{name}.key").chmod(0o400)
    h.crl("root")
    h.crl("services")
    h.conf.write_text(CONF.format(url=h.url))
    ca("publish-key", d / "publication.key", "--no-passphrase")
    h.publish()
    yield h
    h.server.shutdown()


@pytest.fixture
def copy(house, tmp_path):
    """The same, to be changed; without packages, which take their time."""
    shutil.copytree(house.dir, tmp_path / "house", symlinks=True)
    h = House(tmp_path / "house")
    h.url = house.url
    return h


def test_each_ca_has_all_its_files_and_openssl_agrees(house):
    for alias, place in zip(ALIASES, ("root", "services", "slcs")):
        pem = house.site / f"{alias}.pem"
        for form in "der", "txt":
            again = openssl("x509", "-in", house.site / f"{alias}.{form}")
            assert again.stdout == pem.read_text()
        assert pem.read_text() == (house.dir / place / "ca.pem").read_text()
        der = openssl("crl", "-inform", "DER", "-in",
                      house.site / f"{alias}.crl")
        assert der.stdout == (house.site / f"{alias}.r0").read_text()
        new = openssl("x509", "-in", pem, "-noout", "-subject_hash")
        old = openssl("x509", "-in", pem, "-noout", "-subject_hash_old")
        for h in new.stdout.strip(), old.stdout.strip():
            for ending, to in ((".0", ".pem"), (".r0", ".r0"),
                               (".signing_policy", ".signing_policy"),
                               (".namespaces", ".namespaces")):
                assert os.readlink(house.site / (h + ending)) == alias + to
        cadesc = (house.site / f"{new.stdout.strip()}.{alias}.cadesc")
        for digest in "md5", "sha1", "sha256":
            shown = openssl("x509", "-in", pem, "-noout", "-fingerprint",
                            f"-{digest}").stdout.strip().split("=")[1]
            assert f"CERTIFICATE_{digest.upper()} {shown}\n" in \
                cadesc.read_text()
        if alias != "LIGO-Root":
            assert f"SIGNED_BY {CAS}/CN=LIGO Root CA 1\n" in cadesc.read_text()
    # What certificates name is served.
    assert os.readlink(house.site / "uwm.crl") == "LIGO-UWM.crl"
    assert os.readlink(house.site / "services.cer") == "LIGO-Services.der"
    run("sha256sum", "--check", "--strict", "SHA256SUMS", cwd=house.site)
    assert ": OK" in openssl("verify", "-x509_strict", "-crl_check_all",
                             "-CApath", house.site, "-purpose", "sslserver",
                             house.dir / "localhost.pem").stdout
    for path in house.site.iterdir():
        assert path.is_symlink() or \
            stat.S_IMODE(path.stat().st_mode) == 0o644


def credential(d, name):
    whole = d / f"{name}.cred"
    whole.write_text("".join((d / f).read_text() for f in (
        f"{name}.pem", f"{name}.key", "services/ca.pem")))
    whole.chmod(0o600)
    return whole


def test_the_toolkit_trusts_the_published_directory(house, tmp_path):
    robot = credential(house.dir, "robot")
    host = house.dir / "localhost.pem", house.dir / "localhost.key"
    assert handshake(robot, house.site, *host) == f"{SERVICES}/CN={ROBOT}"
    # It reads the policies that are there, and goes by them.
    other = tmp_path / "other"
    shutil.copytree(house.site, other, symlinks=True)
    policy = other / "LIGO-Services.signing_policy"
    policy.write_text(policy.read_text().replace("OU=Services/*", "OU=X/*"))
    said = handshake(robot, other, *host, check=False)
    assert said.returncode == 1 and "peer=" not in said.stdout


def test_fetch_crl_brings_the_lists_to_who_unpacked_the_tarball(house,
                                                               tmp_path):
    run("tar", "-C", tmp_path, "-xzf", house.site / TARBALL)
    trust = tmp_path / "ligo-ca-certificates-1.0"
    assert not list(trust.glob("*.r0")) and not list(trust.glob("*.crl"))
    (tmp_path / "state").mkdir()
    (tmp_path / "fetch-crl.conf").write_text("")
    said = run("fetch-crl", "-c", tmp_path / "fetch-crl.conf", "-l", trust,
               "-s", tmp_path / "state", "-o", trust, "--nosymlinks", "-v")
    assert "ERROR" not in said.stdout + said.stderr
    for alias in ALIASES:
        h = openssl("x509", "-in", trust / f"{alias}.pem", "-noout",
                    "-hash").stdout.strip()
        brought = openssl("crl", "-in", trust / f"{h}.r0").stdout
        assert brought == (house.site / f"{alias}.r0").read_text()
    assert ": OK" in openssl("verify", "-crl_check_all", "-CApath", trust,
                             house.dir / "localhost.pem").stdout


def test_openssl_alone_checks_the_tarball(house, tmp_path):
    dgst = ["openssl", "dgst", "-sha256", "-verify",
            house.site / "publication-key.pem", "-signature",
            house.site / f"{TARBALL}.sig"]
    assert "Verified OK" in run(*dgst, house.site / TARBALL).stdout
    other = tmp_path / "other"
    other.write_bytes((house.site / TARBALL).read_bytes() + b"\0")
    assert run(*dgst, other, check=False).returncode != 0
    listed = run("tar", "-tvzf", house.site / TARBALL).stdout
    assert all(" root/root " in line for line in listed.splitlines())
    key = house.dir / "publication.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_the_same_input_makes_the_same_bytes(house, tmp_path):
    """Elsewhere, later, with another mask, locale and zone."""
    other = tmp_path / "else" / "where"
    other.parent.mkdir()
    env = {**os.environ, "LC_ALL": "de_DE.UTF-8", "TZ": "Asia/Tokyo"}
    old = os.umask(0o077)
    try:
        house.publish(site=other, wrapper=("faketime", "+3 days"), env=env)
    finally:
        os.umask(old)
    names = {p.name for p in house.site.iterdir()}
    assert names == {p.name for p in other.iterdir()}
    differ = {n for n in names if (house.site / n).read_bytes() !=
              (other / n).read_bytes()}
    assert differ <= {f"{TARBALL}.sig", "SHA256SUMS"}
    ours, theirs = [[line for line in (d / "SHA256SUMS").read_text().split("\n")
                     if not line.endswith(".sig")]
                    for d in (house.site, other)]
    assert ours == theirs


def test_nothing_is_written_if_nothing_has_changed(house):
    before = state(house.site), house.site.stat().st_ino
    said = house.publish()
    assert said.stdout == "" and said.stderr == ""
    assert house.publish("--check").stdout == ""
    told = json.loads(house.publish("--json").stdout)
    assert told["changed"] is False and told["removed"] == []
    assert {f["state"] for f in told["files"]} == {"same"}
    assert [c["alias"] for c in told["cas"]] == list(ALIASES)
    for one in told["files"]:
        data = (house.site / one["name"]).read_bytes()
        assert "link" in one or (
            one["size"] == len(data) and
            one["sha256"] == hashlib.sha256(data).hexdigest())
    assert (state(house.site), house.site.stat().st_ino) == before


def test_lintian_and_rpmlint_have_nothing_to_say(house, tmp_path):
    said = run("lintian", "--allow-root", "--fail-on", "error,warning",
               "--display-info", house.site / DEB)
    assert said.stdout.strip() == "", said.stdout
    # rpmlint's default list of licences is empty, and an RPM is signed by the
    # OpenPGP key of whoever runs the archive.
    conf = tmp_path / "rpmlint.toml"
    conf.write_text('ValidLicenses = ["CC0-1.0"]\n'
                    'Filters = ["no-signature"]\n')
    said = run("rpmlint", "-c", conf, house.site / RPM)
    assert "0 errors, 0 warnings" in said.stdout, said.stdout


def dpkg(root, *args):
    admin = root / "var/lib/dpkg"
    (admin / "updates").mkdir(parents=True, exist_ok=True)
    (admin / "info").mkdir(exist_ok=True)
    (admin / "status").touch()
    (admin / "available").touch()
    return run("dpkg", f"--root={root}", f"--log={root}/log",
               "--force-not-root", "--force-script-chrootless",
               "--force-bad-path", *args)


def links(root):
    return {p.name for p in (root / TRUST).iterdir()}


def test_the_debian_package_respects_the_administrator(house, copy, tmp_path):
    root = tmp_path / "system"
    root.mkdir()
    dpkg(root, "-i", house.site / DEB)
    assert {f"{a}.pem" for a in ALIASES} <= links(root)
    assert not [n for n in links(root) if n.endswith((".r0", ".crl"))]
    uwm = openssl("x509", "-in", house.site / "LIGO-UWM.pem", "-noout",
                  "-hash").stdout.strip()
    assert os.readlink(root / TRUST / f"{uwm}.0") == "LIGO-UWM.pem"
    shipped = root / os.readlink(root / TRUST / "LIGO-UWM.pem").lstrip("/")
    assert shipped.read_text() == (house.site / "LIGO-UWM.pem").read_text()
    # One CA taken away, one policy changed; then a version without Services.
    services = openssl("x509", "-in", house.site / "LIGO-Services.pem",
                       "-noout", "-hash").stdout.strip()
    (root / TRUST / f"{uwm}.0").unlink()
    own = root / TRUST / "LIGO-Root.signing_policy"
    own.unlink()
    own.write_text("mine")
    text = re.sub(r"^(ca|crl) LIGO-Services .*\n", "",
                  copy.conf.read_text(), flags=re.M)
    copy.conf.write_text(text)
    copy.set("package-version", "1.1")
    copy.set("package-format", "deb")
    said = copy.publish()
    assert "LIGO-Services: is no longer published" in said.stderr
    assert not (copy.site / "LIGO-Services.pem").exists()
    dpkg(root, "-i", copy.site / "ligo-ca-certificates_1.1_all.deb")
    assert f"{uwm}.0" not in links(root) and own.read_text() == "mine"
    assert "LIGO-Services.pem" not in links(root)
    assert f"{services}.0" not in links(root)
    assert "LIGO-UWM.pem" in links(root)
    dpkg(root, "-r", "ligo-ca-certificates")
    assert links(root) == {"LIGO-Root.signing_policy"}
    dpkg(root, "-i", copy.site / "ligo-ca-certificates_1.1_all.deb")
    assert f"{uwm}.0" not in links(root) and "LIGO-UWM.pem" in links(root)
    dpkg(root, "-P", "ligo-ca-certificates")
    assert not (root / "var/lib/ligo-ca-certificates").exists()


def test_the_rpm_has_the_anchors_and_no_lists(house, tmp_path):
    listed = run("rpm", "-qlp", house.site / RPM).stdout.split()
    assert not [n for n in listed if n.endswith((".r0", ".crl"))]
    kept = run("rpm", "-qp", "--configfiles", house.site / RPM).stdout.split()
    assert f"/{TRUST}/LIGO-UWM.signing_policy" in kept
    archive = subprocess.run(["rpm2cpio", house.site / RPM], check=True,
                             capture_output=True).stdout
    subprocess.run(["cpio", "-idm", "--quiet"], input=archive, check=True,
                   cwd=tmp_path)
    for alias in ALIASES:
        for ending in ".pem", ".info", ".crl_url", ".namespaces", \
                ".signing_policy":
            assert (tmp_path / TRUST / (alias + ending)).read_text() == \
                (house.site / (alias + ending)).read_text()
    assert ": OK" in openssl("verify", "-CApath", tmp_path / TRUST,
                             house.dir / "localhost.pem").stdout


def test_the_pages_are_valid_and_say_what_the_settings_say(house):
    for name in "index.html", "cp-cps.html":
        said = run("tidy", "-q", "-e", house.site / name, check=False)
        assert said.returncode == 0 and said.stderr == "", said.stderr
        text = (house.site / name).read_text()
        assert "LIGO Scientific &amp; Virgo" in text
        assert "<script" not in text and "missing" not in text
        assert "1.3.6.1.4.1.32473.2.1.1.0" in text
    index = (house.site / "index.html").read_text()
    for alias in ALIASES:
        shown = openssl("x509", "-in", house.site / f"{alias}.pem", "-noout",
                        "-fingerprint", "-sha256").stdout.strip()
        assert shown.split("=")[1] in index
    for target in re.findall(r'href="([^":]*)"', index):
        assert (house.site / target).exists()
    cps = (house.site / "cp-cps.txt").read_text()
    assert "&lt;of two" in (house.site / "cp-cps.html").read_text()
    assert "<of two named people>" in cps
    for number in range(1, 10):
        assert re.search(rf"^{number}\. \w", cps, re.M)
    for section in "1.5.4", "3.2.6", "4.9.16", "5.4.8", "6.2.11", "7.1.9", \
            "8.6", "9.16.5", "9.17":
        assert re.search(rf"^{re.escape(section)} \w", cps, re.M)


def test_what_the_settings_lack_is_named_or_marked(copy):
    for keyword in "pen", "premises", "contact-phone":
        copy.set(keyword, None)
    result = copy.publish(check=False)
    assert result.returncode == 78
    for keyword in "pen", "premises", "contact-phone":
        assert keyword in result.stderr
    draft = copy.dir / "draft"
    copy.publish("--draft", site=draft)
    assert "<mark>[missing: premises]</mark>" in \
        (draft / "cp-cps.html").read_text()
    assert "[*** missing: pen ***]" in (draft / "cp-cps.txt").read_text()
    assert "DRAFT" in (draft / "index.html").read_text()
    assert not list(draft.glob("*.tar.gz*")) and not list(draft.glob("*.deb"))


def test_a_list_goes_forward_only(copy):
    old = (copy.dir / "root.crl").read_bytes()
    copy.crl("root")
    before = state(copy.site)
    assert "changed LIGO-Root.crl\n" in copy.publish("--check").stdout
    assert state(copy.site) == before
    # Neither the key nor the makers of packages are needed for a new list.
    (copy.dir / "publication.key").unlink()
    copy.publish(env={**os.environ, "PATH": "/nonexistent"})
    after = state(copy.site)
    changed = {n for n in after if after[n] != before[n]
               and not (copy.site / n).is_symlink()}
    assert changed == {"LIGO-Root.crl", "LIGO-Root.r0", "SHA256SUMS"}
    (copy.dir / "root.crl").write_bytes(old)
    copy.refused(8, "is published")
    (copy.dir / "root.crl").write_bytes((copy.dir / "services.crl")
                                        .read_bytes())
    copy.refused(7, "LIGO-Root: the CRL is of another CA")
    (copy.dir / "root.crl").write_bytes(old[:100])
    copy.refused(1, "LIGO-Root")
    (copy.dir / "root.crl").unlink()
    copy.refused(3, "LIGO-Root")
    copy.crl("root")
    copy.refused(4, "CRL has expired", wrapper=("faketime", "+500 days"))
    late = copy.dir / "late.crl"
    run("faketime", "+2 days", SIGNET_CA, "crl", copy.dir / "root", "--out",
        late)
    late.rename(copy.dir / "root.crl")
    copy.refused(1, "LIGO-Root: its CRL is of the future")
    copy.refused(1, "time has not begun", wrapper=("faketime", "-1 day"))


def test_a_revoked_an_expired_and_an_orphaned_ca_are_not_published(copy):
    serial = openssl("x509", "-in", copy.dir / "slcs/ca.pem", "-noout",
                     "-serial").stdout.strip().split("=")[1]
    copy.refused(4, "LIGO-Root: the CA has expired",
                 wrapper=("faketime", "+40 years"))
    ca("revoke", copy.dir / "root", serial, "--reason", "cACompromise")
    copy.crl("root")
    copy.refused(8, "LIGO-UWM: LIGO-Root has revoked it")
    conf = copy.conf.read_text()
    copy.conf.write_text(re.sub(r"^(ca|crl) LIGO-Root .*\n", "", conf,
                                flags=re.M))
    copy.refused(78, "above it is not in publish.conf")
    copy.conf.write_text(conf.replace("ca LIGO-UWM", "ca LIGO-Services"))
    copy.refused(78, "twice")


def test_another_content_takes_another_version(copy):
    copy.set("organisation", "Another")
    copy.refused(8, "raise package-version")
    copy.set("package-version", "1.1")
    copy.set("package-format", "none")
    copy.publish()
    assert (copy.site / "ligo-ca-certificates-1.1.tar.gz.sig").exists()
    assert not (copy.site / TARBALL).exists()


def test_strangers_files_keys_and_absent_programs_are_refused(copy):
    (copy.site / "notes.txt").write_text("mine")
    copy.refused(8, "notes.txt was not made by publish")
    (copy.site / "notes.txt").unlink()
    shutil.rmtree(copy.site)
    result = copy.publish(check=False,
                          env={**os.environ, "PATH": "/nonexistent"})
    assert result.returncode == 3 and "package-format" in result.stderr
    copy.set("package-format", "none")
    for name in "publication.key", "publication.key.pub":
        (copy.dir / name).unlink()
    result = copy.publish(check=False)
    assert result.returncode == 3 and "publish-key" in result.stderr
    # The key of a CA is none for tarballs.
    key = copy.dir / "services/ca.key"
    copy.set("publication-key", key)
    public = openssl("pkey", "-in", key, "-pubout").stdout
    pathlib.Path(f"{key}.pub").write_text(public)
    result = copy.publish(check=False)
    assert result.returncode == 8 and "key of LIGO-Services" in result.stderr
    assert not copy.site.exists()


def test_a_key_with_a_pass_phrase_is_asked_for_when_a_tarball_is_new(copy):
    def phrase():
        read, write = os.pipe()
        os.write(write, b"correct horse battery\n")
        os.close(write)
        return read

    key = copy.dir / "other.key"
    fd = phrase()
    ca("publish-key", key, "--passphrase-fd", fd, pass_fds=[fd])
    os.close(fd)
    assert "ENCRYPTED" in key.read_text()
    copy.set("publication-key", "other.key")
    copy.refused(2, "", stdin=subprocess.DEVNULL, start_new_session=True)
    fd = phrase()
    copy.publish("--passphrase-fd", fd, pass_fds=[fd])
    os.close(fd)
    assert "Verified OK" in run(
        "openssl", "dgst", "-sha256", "-verify", f"{key}.pub", "-signature",
        copy.site / f"{TARBALL}.sig", copy.site / TARBALL).stdout
    copy.publish(stdin=subprocess.DEVNULL, start_new_session=True)


def test_readers_see_the_old_or_the_new_and_a_killed_run_is_run_again(copy):
    """Killed at each of its durable steps, with somebody reading all along."""
    copy.set("package-format", "none")
    copy.set("package-version", "2.0")
    copy.publish()
    pages, seen, stop = [(copy.site / "index.html").read_text()], set(), \
        threading.Event()

    def read():
        while not stop.wait(0.001):
            seen.add((copy.site / "index.html").read_text())

    reader = threading.Thread(target=read)
    reader.start()
    copy.set("contact-phone", "+1 555 0199")
    try:
        for _ in KillAt(copy.dir).each(SIGNET_CA, "publish", copy.site,
                                       "--conf", copy.conf, most=120):
            run("sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS",
                cwd=copy.site)
            page = (copy.site / "index.html").read_text()
            assert page in pages or "0199" in page
            if "0199" in page:
                # It was killed after the exchange: what is left goes.
                pages.append(page)
                copy.publish()
                assert not (copy.dir / ".site.publish").exists()
                copy.set("contact-phone", f"+1 555 {len(pages):04} 0199")
    finally:
        stop.set()
        reader.join()
    pages.append((copy.site / "index.html").read_text())
    assert seen <= set(pages) and len(pages) > 1
    assert not (copy.dir / ".site.publish").exists()


def test_the_newest_list_of_a_series_is_published(copy):
    lists = copy.dir / "lists"
    lists.mkdir()
    shutil.copy(copy.dir / "root.crl", lists / "1.crl")
    copy.crl("root")
    shutil.copy(copy.dir / "root.crl", lists / "2.crl")
    (lists / "notes").write_text("no list")
    copy.conf.write_text(copy.conf.read_text().replace(
        "crl LIGO-Root root.crl", "crl LIGO-Root lists"))
    copy.publish()
    assert (copy.site / "LIGO-Root.r0").read_bytes() in (
        (lists / "1.crl").read_bytes(), (lists / "2.crl").read_bytes())
