"""docs/TRUST-ADMINISTRATOR.md, typed word for word: its commands, its lines of
trust.conf, and what it says in passing."""

import re
import subprocess

import pytest
from signet_site import REPO, SIGNET, run
from trust_site import BETA, CAS, SIGNET_TRUST, Site

PAGE = (REPO / "docs/TRUST-ADMINISTRATOR.md").read_text()
SECTIONS = dict(re.findall(r"^## (.*)\n((?:(?!## ).*\n)*)", PAGE, re.M))
DISTRIBUTION = "/usr/share/igtf-policy"
CONF = "/etc/signet/trust.conf"
DESCRIPTIONS = "/etc/gx-map/ca-config"


def blocks(section):
    """Its indented blocks, each a list of lines without their comments."""
    found = re.findall(r"(?:^    .*\n)+", SECTIONS[section], re.M)
    return [[line.strip() for line in re.sub(r"  +# .*", "", block)
             .splitlines()] for block in found]


class Reader:
    """Who follows the page at a site that has three CAs in a distribution."""

    def __init__(self, site):
        self.site = site
        self.cas = [site.ca(), site.ca("beta", BETA),
                    site.ca("gamma", f"{CAS}/CN=Gamma CA 1")]
        for ca, part in zip(self.cas, ("classic", "mics", "iota")):
            self.distribute(ca, site.dir / "igtf" / part, part)
        self.bin = site.dir / "bin"
        self.bin.mkdir()
        (self.bin / "signet").symlink_to(SIGNET)
        # Where the page's trust.conf is not /etc's.
        wrapper = self.bin / "signet-trust"
        wrapper.write_text(
            "#!/bin/sh\ncommand=$1; shift\ncase $command in convert) ;;\n"
            f"*) set -- --config '{site.settings}' \"$@\";; esac\n"
            f"exec '{SIGNET_TRUST}' \"$command\" \"$@\"\n")
        wrapper.chmod(0o755)

    def distribute(self, ca, where, part):
        where.mkdir(parents=True)
        (where / f"{ca.name}.pem").write_bytes(ca.pem.read_bytes())
        (where / f"{ca.name}.info").write_text(
            f"alias = {ca.name}\nversion = 1.1\nstatus = accredited:{part}\n"
            f"ca_url = {self.site.web.url}/{ca.name}.pem\n"
            f"sha1fp.0 = {ca.print('sha1')}\nsubjectdn = \"{ca.subject}\"\n")
        (where / f"{ca.name}.crl_url").write_text(
            f"{self.site.web.url}/{ca.name}.crl\n")
        (where / f"{ca.name}.signing_policy").write_text(
            f"access_id_CA X509 '{ca.subject}'\npos_rights globus CA:sign\n"
            "cond_subjects globus '\"/DC=org/DC=example/O=Test/*\"'\n")

    def here(self, text):
        """The page's places are this site's."""
        places = {DISTRIBUTION: self.site.dir / "igtf",
                  DESCRIPTIONS: self.site.descriptions,
                  "/etc/gx-map": self.site.etc, "PROGRAM": "/bin/true",
                  "URL": self.site.web.url, "NAME": "alpha",
                  "FILE": self.site.dir / "user.pem"}
        return re.sub("|".join(places), lambda m: str(places[m[0]]), text)

    def type(self, command, status=0):
        done = subprocess.run(
            ["/bin/sh", "-c", self.here(command)], capture_output=True,
            text=True, timeout=60, cwd=self.site.dir,
            env={**self.site.env, "PATH": f"{self.bin}:/usr/bin:/bin",
                 "X509_CERT_DIR": str(self.site.target)})
        assert status in (None, done.returncode), (
            command, done.stdout, done.stderr)
        return done.stdout

    def configure(self, *lines):
        self.site.settings.write_text("".join(
            self.here(line) + "\n" for line in [
                f"target {self.site.target}",
                f"cache-dir {self.site.dir}/cache", *lines]))


@pytest.fixture
def reader(tmp_path):
    site = Site(tmp_path)
    yield Reader(site)
    site.close()


def user_of(reader, ca):
    site, key = reader.site, reader.site.dir / "user.key"
    ca.new_key(key)
    (site.dir / "user.ext").write_text(
        "basicConstraints = critical,CA:FALSE\n"
        "keyUsage = critical,digitalSignature\n")
    run("openssl", "req", "-new", "-config", site.conf, "-key", key, "-subj",
        "/DC=org/DC=example/O=Test/CN=Ann", "-out", site.dir / "user.csr")
    run("openssl", "x509", "-req", "-in", site.dir / "user.csr", "-CA", ca.pem,
        "-CAkey", ca.key, "-set_serial", "77", "-days", "5", "-extfile",
        site.dir / "user.ext", "-out", site.dir / "user.pem")


def test_from_nothing_to_what_is_asked_when_something_is_wrong(reader):
    settings, commands = blocks("From nothing")
    assert f"`{CONF}`" in SECTIONS["From nothing"]
    assert commands == [f"signet-trust {c}"
                        for c in ("diff", "refresh", "check")]
    reader.configure(*settings)
    would = reader.type(commands[0])
    assert all(ca.hash in would for ca in reader.cas)
    assert reader.site.files() == []
    reader.type(commands[1])
    assert {f"{ca.hash}.0" for ca in reader.cas} < set(reader.site.files())
    reader.type(commands[2])

    user_of(reader, reader.cas[0])
    reader.cas[0].crl()
    crl = reader.site.target / f"{reader.cas[0].hash}.r0"
    before = crl.read_bytes()
    reader.type("signet-trust refresh --force")
    assert crl.read_bytes() != before
    [asked] = blocks("When something is wrong")
    why, show, back, verify = asked
    said = reader.type(why)
    assert re.search(r"verdict +installed", said)
    assert "CRL will expire at" in said
    assert reader.cas[0].hash in reader.type(show)
    assert back == "signet-trust rollback"
    reader.type(back)
    assert crl.read_bytes() == before
    assert "accepted: /DC=org/DC=example/O=Test/CN=Ann" in reader.type(verify)


def test_descriptions_for_gx_map_are_made_from_the_distribution(reader):
    [[convert]] = blocks("Who comes from gx-ca-update")
    assert DISTRIBUTION in convert and DESCRIPTIONS in convert
    reader.type(convert)
    made = sorted(reader.site.descriptions.iterdir())
    assert len(made) == len(reader.cas)
    # And they do, in the distribution's stead.
    reader.configure("gx-map /etc/gx-map")
    reader.type("signet-trust refresh")
    assert {f"{ca.hash}.0" for ca in reader.cas} < set(reader.site.files())
    for path in made:
        path.unlink()
    assert "`--cert-url URL`" in PAGE
    reader.type(f"{convert} --cert-url URL")
    assert len(list(reader.site.descriptions.iterdir())) == len(reader.cas)


# What the page names between its blocks: lines of trust.conf, and how many of
# the three CAs are installed with it.
LINES = {"gx-map /etc/gx-map": 3, "profile classic": 1, "disable NAME": 2,
         "hash-style old": 3, "allow-missing-crl NAME": 3,
         "hook-error PROGRAM": 3, "metrics FILE": 3}


@pytest.mark.parametrize("line", LINES)
def test_lines_that_the_page_names_are_settings(reader, line):
    assert f"`{line}`" in " ".join(PAGE.split())
    reader.configure(*blocks("From nothing")[0], line)
    reader.type("signet-trust refresh")
    anchors = {f"{ca.hash}.0" for ca in reader.cas}
    assert len(anchors & set(reader.site.files())) == LINES[line]
    if line == "metrics FILE":
        assert "signet_trust" in (reader.site.dir / "user.pem").read_text()


def test_who_demands_sha256_gets_no_description_with_less(reader):
    assert "`demand-sha256 yes`" in PAGE
    weak, strong = reader.cas[:2]
    reader.site.describe(weak)
    reader.site.describe(strong, CERTIFICATE_SHA256=strong.print("sha256"))
    reader.configure("gx-map /etc/gx-map", "demand-sha256 yes")
    reader.type("signet-trust refresh", status=9)
    anchors = {f for f in reader.site.files() if f.endswith(".0")}
    assert anchors == {f"{strong.hash}.0"}


@pytest.mark.parametrize("away,status", [(0, 0), (1, 9), (3, 1)])
def test_the_exit_status_is_what_the_page_says(reader, away, status):
    assert ("The exit status is 0 if all is well, 9 if some CAs failed, 1 if "
            "all did") in " ".join(PAGE.split())
    reader.configure(*blocks("From nothing")[0])
    for ca in reader.cas[:away]:
        del reader.site.web.pages[f"/{ca.name}.crl"]
    reader.type("signet-trust refresh", status=status)
    if away == 0:
        assert "`check --nagios`" in PAGE
        assert "OK" in reader.type("signet-trust check --nagios")
        # Its server away, a CA stays as long as its list holds.
        reader.site.web.pages.clear()
        before = reader.site.files()
        reader.type("signet-trust refresh --force", status=None)
        assert reader.site.files() == before


def test_the_units_that_the_page_names_are_there():
    for unit in re.findall(r"signet-trust\.[a-z]+", PAGE):
        assert (REPO / "packaging/systemd" / unit).is_file()
    timer = (REPO / "packaging/systemd/signet-trust.timer").read_text()
    assert "every six\nhours" in PAGE
    assert "OnUnitActiveSec=6h" in timer
