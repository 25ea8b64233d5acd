"""A site of Signet's own on loopback: CAs, host certificate, trust directory,
users, and signetd with all its roles."""

import os
import pathlib
import re
import signal
import subprocess
import time

from kdc import die_with_parent

REPO = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("SIGNET_BUILD", REPO / "build"))
SIGNET = BUILD / "signet" / "signet"
SIGNET_CA = BUILD / "signet-ca" / "signet-ca"
SIGNETD = BUILD / "signetd" / "signetd"

BASE = "/DC=org/DC=ligo/O=LIGO"
CAS = f"{BASE}/OU=Certificate Authorities"
PEOPLE = f"{BASE}/OU=People"

# Users of the roles when the stories run as root: numbers need no accounts.
ROLE_USERS = {"front": 61301, "auth": 61302, "worker": 61303, "issuer": 61304,
              "signer": 61305, "keeper": 61306, "desk": 61307,
              "token": 61308, "intake": 61309}


def run(*args, check=True, **kw):
    kw.setdefault("timeout", 120)
    result = subprocess.run([str(a) for a in args], capture_output=True,
                            text=True, **kw)
    if check and result.returncode != 0:
        raise AssertionError(f"{args}: {result.returncode}\n{result.stdout}"
                             f"\n{result.stderr}")
    return result


def open_way(directory):
    """Roles are other users: let them pass through to ${directory}."""
    for place in [pathlib.Path(directory), *pathlib.Path(directory).parents]:
        mode = place.stat().st_mode
        if place.stat().st_uid == os.getuid() and mode & 0o011 != 0o011:
            place.chmod(mode & 0o7777 | 0o011)


class Root:
    """A root CA, and a CA for hosts under it."""

    def __init__(self, directory, key="ec:P-256"):
        self.dir = pathlib.Path(directory)
        self.dir.mkdir(parents=True, exist_ok=True)
        self.root = self.dir / "root"
        self.services = self.dir / "services"
        run(SIGNET_CA, "init", "root", self.root, "--subject",
            f"{CAS}/CN=LIGO Root CA 1", "--may-sign-under", CAS, "--key",
            "ec:P-384", "--no-passphrase")
        run(SIGNET_CA, "init", "services", self.services, "--root", self.root,
            "--subject", f"{CAS}/OU=Services/CN=LIGO CA 1",
            "--may-sign-under", f"{BASE}/OU=Services", "--key", key,
            "--no-passphrase")


class Site:
    """with Site(dir) as site: ... or site.start() and site.stop()."""

    def __init__(self, directory, root=None, name="UWM", realm="LIGO.TEST",
                 auth=("passwd",), key="ec:P-256", ca_key=None, host_key=None,
                 serial="range 500000000 100000000", settings=(), env=None,
                 users=None, profile=(), hosts=("localhost",)):
        self.dir = pathlib.Path(directory)
        self.dir.mkdir(parents=True, exist_ok=True)
        os.chmod(self.dir, 0o755)
        open_way(self.dir)
        self.root = root or Root(self.dir / "cas", key)
        self.ca = self.dir / "slcs"
        self.trust = self.dir / "certificates"
        self.passwd = self.dir / "passwd"
        self.log_path = self.dir / "signetd.log"
        self.ledger = self.dir / "ledger" / "ledger.db"
        self.realm = realm
        self.process = None
        self.port = None
        self.env = dict(os.environ, **(env or {}))
        self.wrapper = ()
        run(SIGNET_CA, "init", "slcs", self.ca, "--root", self.root.root,
            "--subject", f"{CAS}/OU={name}/CN=MyProxy 1", "--may-sign-under",
            PEOPLE, "--key", ca_key or key, "--serial", serial)
        dns = [a for h in hosts for a in ("--dns", h)]
        run(SIGNET_CA, "issue", self.root.services, "--profile", "host",
            "--profile-dir", REPO / "share/profiles",
            "--subject", f"{BASE}/OU=Services/CN={hosts[0]}", *dns,
            "--key", host_key or key, "--out-cert", self.dir / "hostcert.pem",
            "--out-key", self.dir / "hostkey.pem")
        for ca in (self.root.root, self.root.services, self.ca):
            run(SIGNET_CA, "publish", ca, "--trust-dir", self.trust)
        self.write_profile(profile)
        users = {"user0": "secret123"} if users is None else users
        self.passwd.touch(mode=0o600)
        for user, password in users.items():
            self.add_user(user, password)
        self.conf = self.dir / "signetd.conf"
        self.settings = list(settings)
        self.auth = list(auth)
        self.write_conf()

    def write_profile(self, extra=()):
        text = (REPO / "share/profiles/slcs-user.profile").read_text()
        replaced = [line.split()[0] for line in extra] + ["subject"]
        lines = [line for line in text.splitlines()
                 if not line.split() or line.split()[0] not in replaced]
        lines += [f"subject {PEOPLE}/CN={{principal}}", *extra]
        (self.dir / "slcs-user.profile").write_text("\n".join(lines) + "\n")

    def add_user(self, user, password):
        run(SIGNET_CA, "passwd", self.passwd, user, "--password-stdin",
            input=password + "\n")
        if os.getuid() == 0:
            os.chown(self.passwd, ROLE_USERS["worker"], 0)

    def write_conf(self):
        lines = ["listen 127.0.0.1:0",
                 f"tls-certificate {self.dir}/hostcert.pem",
                 f"tls-key {self.dir}/hostkey.pem",
                 f"trust-dir {self.trust}", f"ca {self.ca}",
                 f"profile {self.dir}/slcs-user.profile",
                 f"ledger {self.ledger}", f"realm {self.realm}",
                 f"passwd-file {self.passwd}", "auth-workers 2",
                 "auth-free-tries 1000", "auth-free-tries-address 10000",
                 "front-workers 2"]
        lines += [f"auth {a}" for a in self.auth]
        if os.getuid() == 0:
            lines += [f"user-{r} {n}" for r, n in ROLE_USERS.items()]
        given = {s.split()[0] for s in self.settings}
        lists = {"listen", "auth", "tls-certificate", "tls-key", "map-realm",
                 "ldap-uri", "ca", "profile", "administrator",
                 "office-profile", "office-listen", "token-path", "issue-from"}
        lines = [s for s in lines
                 if s.split()[0] not in given or s.split()[0] in lists - {"listen", "profile"}]
        self.conf.write_text("\n".join(lines + self.settings) + "\n")

    def start(self, *options, wait=True, **popen):
        log = open(self.log_path, "ab")
        self.offset = self.log_path.stat().st_size
        self.process = subprocess.Popen(
            [*self.wrapper, str(SIGNETD), "-c", str(self.conf), *options],
            stderr=log, stdin=subprocess.DEVNULL, env=self.env,
            preexec_fn=die_with_parent, **popen)
        log.close()
        if wait:
            self.wait_started()
        return self

    def wait_started(self, seconds=60):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = re.search(r": started port=(\d+)", self.log_now())
            if found:
                self.port = int(found.group(1))
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise AssertionError("signetd did not start:\n" + self.log_now())

    def stop(self, signo=signal.SIGTERM, seconds=60):
        """Its exit status."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(signo)
        status = self.process.wait(timeout=seconds)
        self.process = None
        return status

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        if self.process is not None and self.process.poll() is None:
            self.stop()

    def log(self):
        return self.log_path.read_text(errors="replace")

    def log_now(self):
        """What was logged since the last start."""
        return self.log_path.read_bytes()[self.offset:].decode(errors="replace")

    def wait_log(self, pattern, seconds=20):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = re.search(pattern, self.log_now())
            if found:
                return found
            time.sleep(0.02)
        raise AssertionError(f"no {pattern!r} in:\n{self.log_now()}")

    def roles(self):
        """{name: pid} of what runs now, from the log."""
        pids = {}
        for role, pid in re.findall(r"role-started role=(\S+) pid=(\d+)",
                                    self.log_now()):
            pids[role] = int(pid)
        return pids

    def client_env(self, **more):
        """What a stock client needs."""
        env = dict(self.env, MYPROXY_SERVER="localhost",
                   MYPROXY_SERVER_PORT=str(self.port),
                   X509_CERT_DIR=str(self.trust),
                   X509_USER_PROXY=str(self.dir / "proxy.pem"),
                   HOME=str(self.dir), XDG_CACHE_HOME=str(self.dir / "cache"),
                   LC_ALL="C")
        env.update({k: str(v) for k, v in more.items()})
        return env

    def stock_logon(self, *options, user="user0", password="secret123",
                    out=None, check=True, env=None):
        """Debian's myproxy-logon."""
        out = out or self.dir / "cred.pem"
        return run("/usr/bin/myproxy-logon", "-l", user,
                   *(["-S"] if password is not None else ["-n"]),
                   "-o", out, *options, check=check,
                   input=(password or "") + "\n",
                   env=env or self.client_env())

    def ledger_lines(self):
        import json
        out = run(SIGNET_CA, "ledger", "list", "--ledger", self.ledger,
                  "--json").stdout
        data = json.loads(out)
        return data if isinstance(data, list) else data.get("certificates", data)


def openssl(*args, check=True, **kw):
    return run("openssl", *args, check=check, **kw)


class Running:
    """signetd by settings that others made, from its start to its end."""

    def __init__(self, conf):
        self.conf, self.log = conf, conf.with_suffix(".log")

    def __enter__(self):
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [str(SIGNETD), "-c", str(self.conf)], stderr=log,
                stdin=subprocess.DEVNULL, preexec_fn=die_with_parent)
        end = time.monotonic() + 60
        while time.monotonic() < end and self.process.poll() is None:
            found = re.search(r": started port=(\d+)", self.log.read_text())
            if found:
                self.port = found[1]
                return self
            time.sleep(0.02)
        raise AssertionError(self.log.read_text())

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(60) == 0
