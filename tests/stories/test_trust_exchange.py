"""signet-trust exchanges the trust directory of a signetd that runs, again and
again, while people log in by certificate: where roles have users of their own,
and where all are an ordinary user's."""

import os
import re
import shutil
import threading
import time
import types

import pytest
from long_list import large_list
from signet_site import BUILD, Site, run

SIGNET = BUILD / "signet" / "signet"
SIGNET_TRUST = BUILD / "signet-trust" / "signet-trust"
EXCHANGES = 5  # more than there are generations
USERS = {"user0": "secret123", "user1": "secret456"}
SOMEONE = 61999


class Kept(Site):
    """A site whose trust directory is kept by signet-trust; all of it belongs
    to ${uid}, or to who runs the stories."""

    def __init__(self, place, uid=None, above="trust"):
        self.uid = uid
        super().__init__(place, users=USERS, auth=("passwd", "certificate"),
                         settings=["front-workers 1"])
        self.source, self.lists = self.dir / "source", 0
        shutil.move(self.trust, self.source)
        self.trust = self.dir / above / "certificates"
        self.trust.parent.mkdir(exist_ok=True)
        self.keeping = self.dir / "trust.conf"
        self.keeping.write_text(
            f"target {self.trust}\ndirectory {self.source}\n"
            f"cache-dir {self.dir}/cache\ngenerations 1\n")
        self.write_conf()
        if uid is not None:
            text = re.sub(r"(?m)^user-.*\n", "", self.conf.read_text())
            self.conf.write_text(text)
            self.wrapper = ("setpriv", f"--reuid={uid}", f"--regid={uid}",
                            "--clear-groups", "--pdeathsig=TERM")
            for top, folders, files in os.walk(self.dir):
                for name in ["", *folders, *files]:
                    os.lchown(os.path.join(top, name), uid, uid)
        self.keep("refresh")

    def keep(self, command):
        """Let signet-trust change what there is."""
        before = self.trust.stat().st_ino if self.trust.exists() else None
        run(*self.wrapper, SIGNET_TRUST, command, "--config", self.keeping,
            env={**self.env, "HOME": str(self.dir)})
        assert self.trust.stat().st_ino != before

    def exchange(self, revoked=()):
        """A list that is newer than the one before, and another directory."""
        ca = types.SimpleNamespace(dir=self.dir, pem=self.ca / "ca.pem",
                                   key=self.ca / "ca.key")
        name = run("openssl", "x509", "-noout", "-hash", "-in",
                   ca.pem).stdout.strip()
        self.lists += 1
        (self.source / f"{name}.r0").write_bytes(
            large_list(ca, 10 + self.lists, revoked,
                       int(time.time()) + self.lists, 0))
        self.keep("refresh")

    def home(self, user):
        home = self.dir / "homes" / user
        home.mkdir(parents=True, exist_ok=True)
        return home

    def login(self, user, *options, **kw):
        home = self.home(user)
        conf = home / "signet.conf"
        conf.write_text(f"server localhost:{self.port}\nrealm {self.realm}\n"
                        "auth password\n")
        env = self.client_env(HOME=home, XDG_CACHE_HOME=home / "cache",
                              SIGNET_CONF=conf, X509_USER_PROXY=home / "p.pem")
        del env["MYPROXY_SERVER"], env["MYPROXY_SERVER_PORT"]
        return run(SIGNET, "login", "--key", "ec:P-256", *options, user,
                   env=env, check=False, **kw)

    def enter(self, user):
        """By password; what came is kept, to be shown again."""
        done = self.login(user, "--password-stdin", input=USERS[user] + "\n")
        assert done.returncode == 0, done.stderr
        shutil.copy(self.home(user) / "p.pem", self.home(user) / "shown.pem")

    def renew(self, user):
        return self.login(user, "--authorization",
                          self.home(user) / "shown.pem")

    def renew_till(self, user, wanted, seconds=60):
        """Until he gets in, or until he does not: the last refusal."""
        end = time.monotonic() + seconds
        while ((done := self.renew(user)).returncode == 0) != wanted:
            assert time.monotonic() < end, self.log_now()
        return done.stderr


@pytest.fixture(params=[None, SOMEONE], ids=["roles apart", "one user"])
def site(tmp_path, request):
    # Who is no root is the one user both times.
    site = Kept(tmp_path, request.param if os.getuid() == 0 else None)
    with site:
        yield site


def renew_on(site, user, ended, answers):
    while not ended.is_set():
        answers.append(site.renew(user))


def test_logins_go_on_while_the_directory_is_exchanged(site):
    for user in USERS:
        site.enter(user)
    serial = {c["subject"]: c["serial"] for c in site.ledger_lines()}
    mine = next(s for name, s in serial.items() if "user0@" in name)
    # Nobody has looked into a list, and those that were there have gone.
    for _ in range(EXCHANGES):
        site.exchange()
    answers, ended = {user: [] for user in USERS}, threading.Event()
    threads = [threading.Thread(target=renew_on,
                                args=(site, user, ended, answers[user]))
               for user in USERS]
    for thread in threads:
        thread.start()
    try:
        for _ in range(EXCHANGES):
            seen = {user: len(answers[user]) for user in USERS}
            site.exchange()
            end = time.monotonic() + 60
            while any(len(answers[u]) == seen[u] for u in USERS):
                assert time.monotonic() < end, site.log_now()
                time.sleep(0.01)
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    refused = [d.stderr for user in USERS for d in answers[user]
               if d.returncode != 0]
    assert not refused, site.log_now()
    assert "fault" not in site.log_now()
    # What the last one revokes counts, and what it does not, does not.
    site.exchange([int(mine, 16)])
    assert "not trusted" in site.renew_till("user0", False)
    assert "revoked by its CA" in site.log_now()
    assert site.renew("user1").returncode == 0
    # A step back is one more exchange.
    site.keep("rollback")
    site.renew_till("user0", True)
    assert site.renew("user1").returncode == 0
    assert "fault" not in site.log_now()


def test_beside_other_files_of_the_user_it_is_said_what_to_do(tmp_path):
    """The roles of an ordinary user may not read what is beside the trust
    directory, since that is his too: CAs' keys, or whatever there is."""
    site = Kept(tmp_path, SOMEONE if os.getuid() == 0 else None, above=".")
    with site:
        told = re.findall(r'fault code=CONFIG text="trust-dir \S+certificates: '
                          r"if signet-trust keeps it, put it into a directory "
                          r"of its own", site.log_now())
        assert len(told) == 2, site.log_now()  # front and auth
        site.enter("user1")
        site.exchange()
    with site:
        assert site.renew("user1").returncode == 0, site.log_now()
