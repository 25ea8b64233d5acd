"""Debian's globus-gridftp-server asks our call-out who may be whom: from the
index, from the text beside it, and from a gridmapdir."""

import os
import pathlib
import pwd
import subprocess
import time

import pytest

from kdc import die_with_parent, free_port, wait_for_port
from openssl_pki import Pki
from signet_site import BUILD, open_way, run

LIBRARY = BUILD / "signet-map" / "callout"
# Who has a map of their own, whoever runs the stories.
ACCOUNT = "nobody" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name


class GridFtp:
    """A server that maps through our call-out, and clients of its users."""

    def __init__(self, directory, pki=None):
        self.dir = pathlib.Path(directory)
        open_way(self.dir)
        self.pki = pki or Pki(self.dir / "pki", key="rsa:2048")
        self.proxies, self.subjects = {}, {}
        self.map = self.dir / "grid-mapfile"
        self.pools = self.dir / "pools"
        self.pools.mkdir()
        self.place = self.dir / "files"
        self.place.mkdir()
        self.place.chmod(0o777)
        self.authz = self.dir / "gsi-authz.conf"
        self.authz.write_text("globus_mapping libsignet_gridmap "
                              "signet_gridmap_callout\n")
        self.server = self.output = None

    def start(self, callout=True):
        """The server, with our call-out or as it comes."""
        env = dict(os.environ, X509_CERT_DIR=str(self.pki.trust),
                   X509_USER_CERT=str(self.pki.host[0]),
                   X509_USER_KEY=str(self.pki.host[1]),
                   GRIDMAP=str(self.map), GRIDMAPDIR=str(self.pools),
                   LD_LIBRARY_PATH=str(LIBRARY),
                   GSI_AUTHZ_CONF=str(self.authz if callout else
                                      pathlib.Path("/dev/null")))
        self.port = free_port()
        self.output = open(self.dir / "gridftp.out", "wb")
        self.server = subprocess.Popen(
            ["globus-gridftp-server", "-c", "/dev/null", "-p", str(self.port),
             "-control-interface", "127.0.0.1", "-data-interface", "127.0.0.1",
             "-allow-disabled-login", "-log-level", "ALL", "-logfile",
             str(self.dir / "gridftp.log")], env=env, stdout=self.output,
            stderr=subprocess.STDOUT, preexec_fn=die_with_parent)
        wait_for_port(self.port, self.server)

    def stop(self):
        self.server.terminate()
        self.server.wait(timeout=30)
        self.output.close()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def person(self, name, made=False):
        """Someone new, who has a proxy."""
        if not made:
            self.pki.person(name, key="rsa:2048")
        proxy = self.dir / f"{name}.proxy"
        run("grid-proxy-init", "-q", "-cert", self.pki.dir / f"{name}.pem",
            "-key", self.pki.dir / f"{name}.key", "-out", proxy,
            env=dict(os.environ, X509_CERT_DIR=str(self.pki.trust)))
        self.proxies[name] = proxy
        self.subjects[name] = self.pki.subject(name)

    def put(self, name, what, user=None):
        """${name} stores ${what}: how that went, and where."""
        source = self.dir / "source"
        source.write_text(what)
        target = self.place / f"{name}-{time.monotonic_ns()}"
        login = f"{user}@" if user else ""
        done = subprocess.run(
            ["globus-url-copy", "-ds", self.pki.subject("host"), "-nodcau",
             f"file://{source}",
             f"gsiftp://{login}127.0.0.1:{self.port}{target}"],
            env=dict(os.environ, X509_CERT_DIR=str(self.pki.trust),
                     X509_USER_PROXY=str(self.proxies[name])),
            capture_output=True, text=True, timeout=60)
        return done, target

    def maps(self, name, account=ACCOUNT, user=None):
        done, target = self.put(name, "hello", user)
        assert done.returncode == 0, done.stderr + self.tail()
        assert target.read_text() == "hello"
        assert pwd.getpwuid(target.stat().st_uid).pw_name == account

    def refuses(self, name, user=None):
        """What the client is told."""
        done, target = self.put(name, "never", user)
        assert done.returncode != 0 and not target.exists()
        return done.stderr

    def tail(self):
        return (self.dir / "gridftp.out").read_text()[-3000:]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with GridFtp(tmp_path_factory.mktemp("gridftp")) as site:
        site.person("alice")
        site.person("robert")
        yield site


def write(path, text):
    """As those who write maps do: in one piece."""
    fresh = path.with_suffix(".new")
    fresh.write_text(text)
    fresh.rename(path)


def ask(*questions):
    """Our library, through a program that has nothing else in it."""
    said = run(BUILD / "tests" / "map_says",
               input="".join("\t".join(map(str, words)) + "\n"
                             for words in questions)).stdout.splitlines()
    assert len(said) == len(questions) and all(s[0] == "+" for s in said)
    return [line[1:] for line in said]


@pytest.fixture(autouse=True)
def clean(site):
    for path in [site.map, *site.dir.glob("grid-mapfile.*"),
                 *site.pools.iterdir()]:
        path.unlink(missing_ok=True)


def test_the_text_is_asked(site):
    alice, robert = site.subjects["alice"], site.subjects["robert"]
    write(site.map, f'"{alice}" other,{ACCOUNT}\n"{alice}" later\n')
    site.maps("alice", user=ACCOUNT)
    assert f"{robert} has no account here" in site.refuses("robert")
    assert f"{alice} may not use the account later" in \
        site.refuses("alice", user="later")
    write(site.map, f'"{alice}" {ACCOUNT}\n')
    site.maps("alice")


def test_the_index_is_asked_and_what_changed_since(site):
    alice, robert = site.subjects["alice"], site.subjects["robert"]
    write(site.map, f'"{alice.upper()}" {ACCOUNT}\n"{robert}" other\n')
    ask(("mode", "index"), ("file", site.map))
    # The text is asked no more: it could not be read if it were.
    content, state = site.map.read_bytes(), site.map.stat()
    with open(site.map, "r+b") as out:
        out.write(b"#" * len(content))
    os.utime(site.map, ns=(state.st_atime_ns, state.st_mtime_ns))
    site.maps("alice")
    assert "may not use the account" in site.refuses("robert", user=ACCOUNT)
    # Spoiled, it is not believed: the text is read again.
    index = site.map.with_suffix(".index")
    whole = index.read_bytes()
    write(index, whole[:300].decode("latin-1"))
    assert "has no account here" in site.refuses("alice")
    site.map.write_bytes(content)
    site.maps("alice")
    # Gone by the delta, whatever the text still says.
    ask(("mode", "index"), ("file", site.map), ("gone", alice))
    assert f"{alice} has no account here" in site.refuses("alice")
    site.map.with_suffix(".delta").unlink()
    site.maps("alice")


def test_an_account_of_a_pool_is_leased(site):
    alice, robert = site.subjects["alice"], site.subjects["robert"]
    write(site.map, f'"{alice}" .{ACCOUNT}\n"{robert}" .{ACCOUNT}\n')
    (site.pools / f"{ACCOUNT}1").touch()
    # There is no such user here: the server says so, who has the lease.
    told = site.refuses("alice")
    assert "has no account here" not in told
    lease = site.pools / "".join(
        c if c.isalnum() else f"%{ord(c):02x}" for c in alice.lower())
    assert lease.samefile(site.pools / f"{ACCOUNT}1")
    assert f"no account of its pool is free for {robert}" in \
        site.refuses("robert")


def test_what_is_wrong_with_the_map_is_not_told_to_strangers(site):
    told = site.refuses("alice")
    assert "signet-map check" in told and str(site.map) not in told
    site.map.mkdir()
    told = site.refuses("alice")
    assert "cannot be read (SYSTEM)" in told and str(site.map) not in told
    site.map.rmdir()


def test_our_text_is_read_by_those_who_read_it_themselves(site):
    """Without our call-out; also a name with a slash in a value."""
    site.pki.certify("slash", r"/DC=org/DC=example/OU=People/CN=robot\/a.org",
                     "sub", "person", "rsa:2048")
    site.person("slash", made=True)
    lines = []
    for name in ("alice", "slash"):
        lines += ask(("put", site.subjects[name], ACCOUNT))[0].split("\t")
    write(site.map, "\n".join(lines) + "\n")
    assert len(lines) == 4
    site.maps("slash")
    site.stop()
    site.start(callout=False)
    try:
        site.maps("slash")
        site.maps("alice")
        site.refuses("robert")
    finally:
        site.stop()
        site.start()
