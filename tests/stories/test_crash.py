"""Nothing is lost: roles killed at random moments under load, a full disk."""

import collections
import os
import pathlib
import random
import signal
import subprocess
import threading
import time

import pytest
from signet_site import ROLE_USERS, SIGNET, SIGNET_CA, Site, openssl, run

pytestmark = pytest.mark.heavy
KILLS = 200 if os.environ.get("SIGNET_LONG") == "yes" else 20


class Load:
    """Clients that log in again and again and keep all that they were given."""

    def __init__(self, site, directory, clients=3):
        self.site, self.dir = site, pathlib.Path(directory)
        self.dir.mkdir(parents=True, exist_ok=True)
        self.stopped = threading.Event()
        self.got, self.lock = [], threading.Lock()
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out",
                self.dir / "k.pem")
        openssl("req", "-new", "-key", self.dir / "k.pem", "-out",
                self.dir / "r.pem", "-subj", "/CN=x")
        self.threads = [threading.Thread(target=self.work, args=(n,))
                        for n in range(clients)]

    def work(self, n):
        count = 0
        while not self.stopped.is_set():
            out = self.dir / f"{n}-{count}.pem"
            count += 1
            result = self.site.stock_logon("-Q", self.dir / "r.pem", out=out,
                                           check=False)
            if result.returncode == 0:
                with self.lock:
                    self.got.append(out)
            else:
                assert not out.exists() or out.stat().st_size == 0
                time.sleep(0.02)

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        for t in self.threads:
            t.join()

    def serials(self):
        found = []
        for pem in self.got:
            serial = openssl("x509", "-in", pem, "-noout", "-serial").stdout
            found.append(int(serial.strip().removeprefix("serial="), 16))
        return found


def check_ledger(site, serials):
    """No serial twice; whatever a user holds is in the ledger; the chain
    holds."""
    lines = site.ledger_lines()
    counted = collections.Counter(int(line["serial"], 16) for line in lines)
    assert max(counted.values(), default=1) == 1
    issued = {int(line["serial"], 16) for line in lines
              if line["state"] == "issued"}
    assert len(serials) == len(set(serials))
    assert set(serials) <= issued
    run(SIGNET_CA, "ledger", "check", "--ledger", site.ledger)


@pytest.mark.parametrize("role", ["front", "auth", "worker", "issuer",
                                  "signer", "keeper", "parent"])
def test_killed_at_random_moments_nothing_is_lost(tmp_path, role):
    site = Site(tmp_path / "site",
                settings=["auth-workers 2", "drain-timeout 1"])
    chance = random.Random(f"{role}-{KILLS}")
    site.start()
    with Load(site, tmp_path / "load") as load:
        for _ in range(KILLS):
            time.sleep(chance.uniform(0.02, 0.25))
            if role == "parent":
                victim = site.process.pid
            else:
                victims = [p for n, p in site.roles().items()
                           if n.split(".")[0] == role]
                victim = chance.choice(victims)
            try:
                os.kill(victim, signal.SIGKILL)
            except ProcessLookupError:
                pass
            if role in ("front", "worker"):
                continue  # the daemon itself starts it anew
            site.process.wait(timeout=30)
            wait_for_end(site)
            site.start()
        # It still works.
        served = len(load.got)
        end = time.monotonic() + 60
        while len(load.got) < served + 3:
            assert time.monotonic() < end, site.log_now()
            time.sleep(0.05)
    assert site.process.poll() is None
    assert site.stop() == 0
    assert len(load.got) > 3
    check_ledger(site, load.serials())


def wait_for_end(site):
    """Until no role of the last start is left."""
    end = time.monotonic() + 30
    for pid in site.roles().values():
        while pathlib.Path(f"/proc/{pid}").exists():
            if open(f"/proc/{pid}/stat").read().split(") ")[1][0] == "Z":
                break
            assert time.monotonic() < end, pid
            time.sleep(0.01)


def test_a_killed_login_leaves_the_old_proxy_or_the_new_one(tmp_path):
    with Site(tmp_path / "site") as site:
        conf = tmp_path / "signet.conf"
        conf.write_text(f"server localhost:{site.port}\nauth password\n"
                        f"realm {site.realm}\n")
        proxy = tmp_path / "proxy.pem"
        env = site.client_env(X509_USER_PROXY=proxy, SIGNET_CONF=conf)
        args = [str(SIGNET), "login", "user0", "--password-stdin", "--key",
                "ec:P-256"]
        chance = random.Random(KILLS)
        done = subprocess.run(args, input="secret123\n", text=True, env=env,
                              capture_output=True, timeout=60)
        assert done.returncode == 0, done.stderr
        began = time.monotonic()
        subprocess.run(args, input="secret123\n", text=True, env=env,
                       check=True, capture_output=True, timeout=60)
        usual = time.monotonic() - began
        for _ in range(KILLS):
            login = subprocess.Popen(args, stdin=subprocess.PIPE, text=True,
                                     env=env, stdout=subprocess.DEVNULL,
                                     stderr=subprocess.DEVNULL)
            login.stdin.write("secret123\n")
            login.stdin.close()
            time.sleep(chance.uniform(0, usual * 1.2))
            login.kill()
            login.wait()
            assert proxy.stat().st_mode & 0o777 == 0o600
            openssl("verify", "-allow_proxy_certs", "-CApath", site.trust,
                    "-untrusted", proxy, proxy)
            text = proxy.read_text()
            assert text.endswith("-----END CERTIFICATE-----\n")


def test_a_full_disk_refuses_and_loses_nothing(tmp_path):
    """The ledger's directory is a file system of 1 MiB."""
    assert os.getuid() == 0, "a file system of one's own takes root"
    site = Site(tmp_path / "site")
    place = site.ledger.parent
    place.mkdir(mode=0o700)
    run("mount", "-t", "tmpfs", "-o", "size=1m,mode=0700", "signet-test",
        place)
    try:
        os.chown(place, ROLE_USERS["keeper"], 0)
        site.start()
        load = Load(site, tmp_path / "load", clients=0)
        args = ("-Q", load.dir / "r.pem")
        refused = None
        filler = place / "filler"
        site.stock_logon(*args, out=tmp_path / "first.pem")
        filler.write_bytes(b"")
        with open(filler, "wb", buffering=0) as f:
            try:
                while True:
                    f.write(b"x" * 4096)
                    f.flush()
            except OSError:
                pass
        for n in range(40):
            out = tmp_path / f"full-{n}.pem"
            result = site.stock_logon(*args, out=out, check=False)
            if result.returncode != 0:
                refused = result
                break
            load.got.append(out)
        assert refused is not None
        assert "cannot be recorded now" in refused.stderr
        assert not out.exists() or out.stat().st_size == 0
        site.wait_log("ledger-fault")
        # Room again: it goes on, without a restart.
        filler.unlink()
        end = time.monotonic() + 30
        while site.stock_logon(*args, out=tmp_path / "after.pem",
                               check=False).returncode != 0:
            assert time.monotonic() < end, site.log_now()
            time.sleep(0.2)
        load.got += [tmp_path / "first.pem", tmp_path / "after.pem"]
        assert site.stop() == 0
        check_ledger(site, load.serials())
    finally:
        site.stop()
        run("umount", place)
