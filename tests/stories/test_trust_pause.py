"""Long revocation lists do not keep anyone waiting who is not judged by them,
and the old ones hold until the new ones are read."""

import os
import shutil
import threading
import time
import types

import pytest
from long_list import large_list
from signet_site import BUILD, Site, run

SIGNET = BUILD / "signet" / "signet"
ENTRIES = 300000


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    users = {"user0": "secret123", "user1": "secret456"}
    site = Site(tmp_path_factory.mktemp("pause"), users=users, auth=("passwd", "certificate"),
                settings=["front-workers 1"])
    put_list(site, ())
    with site:
        yield site


def put_list(site, revoked):
    """A long list of the CA that makes people's certificates, in one step."""
    ca = types.SimpleNamespace(dir=site.dir, pem=site.ca / "ca.pem",
                               key=site.ca / "ca.key")
    name = run("openssl", "x509", "-noout", "-hash", "-in",
               ca.pem).stdout.strip()
    fresh = site.trust / "fresh"
    fresh.write_bytes(large_list(ca, ENTRIES, revoked))
    fresh.chmod(0o644)
    os.replace(fresh, site.trust / f"{name}.r0")


def env_of(site, home):
    home.mkdir(exist_ok=True)
    conf = home / "signet.conf"
    conf.write_text(f"server localhost:{site.port}\nrealm {site.realm}\n"
                    "auth password\n")
    env = site.client_env(HOME=home, XDG_CACHE_HOME=home / "cache",
                          SIGNET_CONF=conf, X509_USER_PROXY=home / "p.pem")
    del env["MYPROXY_SERVER"], env["MYPROXY_SERVER_PORT"]
    return env


def enter(site, home, user, password):
    """Log in by password, and keep what came to show it again."""
    run(SIGNET, "login", "--key", "ec:P-256", "--password-stdin", user, input=password + "\n",
        env=env_of(site, home))
    shutil.copy(home / "p.pem", home / "shown.pem")


def renew(site, home, user):
    return run(SIGNET, "login", "--key", "ec:P-256", "--authorization", home / "shown.pem", user,
               env=env_of(site, home), check=False)


def test_logins_go_on_while_a_long_list_is_switched_in(site, tmp_path):
    """One after the other: with the old list, until the new one revokes the
    certificate; others never notice."""
    home, other = tmp_path / "user0", tmp_path / "user1"
    enter(site, home, "user0", "secret123")
    enter(site, other, "user1", "secret456")
    # The first who is judged by it waits for the list, and gets his answer.
    done = renew(site, home, "user0")
    assert done.returncode == 0, done.stderr
    serial = [c["serial"] for c in site.ledger_lines()
              if "user0@" in c["subject"]][0]
    switched = threading.Event()

    def switch():
        put_list(site, [int(serial, 16)])
        switched.set()

    thread = threading.Thread(target=switch)
    thread.start()
    before = after = 0
    longest, end = 0, time.monotonic() + 60
    while True:
        assert time.monotonic() < end, site.log_now()
        passed = switched.is_set()
        begun = time.monotonic()
        done = renew(site, home, "user0")
        longest = max(longest, time.monotonic() - begun)
        assert renew(site, other, "user1").returncode == 0
        if done.returncode != 0:
            break
        before, after = before + (not passed), after + passed
    thread.join()
    print(f"{before} logins before the list was there, {after} until it "
          f"counted; the longest took {longest * 1000:.0f} ms")
    assert "revoked by its CA" in site.log_now()
    assert "not trusted" in done.stderr
    assert before + after > 0
    assert "trust-fault" not in site.log_now()
    # It counts from now on, and nobody else is touched.
    assert renew(site, home, "user0").returncode != 0
    assert renew(site, other, "user1").returncode == 0


def test_a_list_that_is_no_good_lets_nobody_in(site, tmp_path):
    """Half of it is there when it is switched in: said in the log, and nobody
    of that CA gets in until it is whole."""
    home = tmp_path / "user0"
    enter(site, home, "user0", "secret123")
    assert renew(site, home, "user0").returncode == 0
    name = next(p for p in site.trust.glob("*.r0")
                if p.stat().st_size > 1000000)
    whole = name.read_bytes()
    half = site.trust / "fresh"
    half.write_bytes(whole[:len(whole) // 2])
    half.chmod(0o644)
    os.replace(half, name)
    end = time.monotonic() + 60
    while renew(site, home, "user0").returncode == 0:
        assert time.monotonic() < end, site.log_now()
    assert f"trust-fault file={name.name}" in site.log_now()
    put_list(site, ())
    while renew(site, home, "user0").returncode != 0:
        assert time.monotonic() < end, site.log_now()
