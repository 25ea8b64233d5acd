"""Debian's myproxy-server in CA mode on loopback, with a throwaway PKI made by
the openssl command: what people's servers are today."""

import hashlib
import os
import pathlib
import shutil
import socket
import subprocess
import time

from kdc import die_with_parent, free_port

BASE = "/DC=org/DC=ligo/O=LIGO"
CAS = f"{BASE}/OU=Certificate Authorities"
PEOPLE = f"{BASE}/OU=People"

REQ_CNF = "[req]\ndistinguished_name=dn\nstring_mask=utf8only\n[dn]\n"


def openssl(*args, **kw):
    done = subprocess.run(["openssl", *map(str, args)], capture_output=True,
                          text=True, timeout=60, **kw)
    if done.returncode != 0:
        raise AssertionError(f"openssl {args}: {done.stderr}")
    return done.stdout


class Pki:
    """Root, host CA, SLCS CA, a host certificate, and a trust directory."""

    def __init__(self, directory, key="rsa:2048", host=("localhost",)):
        self.dir = pathlib.Path(directory)
        self.trust = self.dir / "certs"
        self.trust.mkdir(parents=True)
        (self.dir / "req.cnf").write_text(REQ_CNF)
        self.key = key
        self.root = self.ca("root", f"{CAS}/CN=LIGO Root CA 1", [f"{CAS}/*"])
        self.services = self.ca(
            "services", f"{CAS}/OU=Services/CN=LIGO CA 1",
            [f"{BASE}/OU=Services/*", f"{PEOPLE}/*"], self.root)
        self.slcs = self.ca("slcs", f"{CAS}/OU=UWM/CN=MyProxy 1",
                            [f"{PEOPLE}/*"], self.root)
        self.host = self.entity("host", f"{BASE}/OU=Services/CN={host[0]}",
                                ",".join(f"DNS:{name}" for name in host))

    def _key(self, path):
        kind, size = self.key.split(":")
        options = (["-algorithm", "RSA", "-pkeyopt",
                    f"rsa_keygen_bits:{size}"] if kind == "rsa" else
                   ["-algorithm", "EC", "-pkeyopt",
                    f"ec_paramgen_curve:{size}"])
        openssl("genpkey", *options, "-out", path)
        if kind == "rsa":
            openssl("rsa", "-traditional", "-in", path, "-out", path)
        os.chmod(path, 0o600)

    def _sign(self, d, subject, extensions, issuer, days):
        (d / "ext").write_text("[e]\n" + "\n".join(extensions) + "\n")
        openssl("req", "-new", "-sha256", "-config", self.dir / "req.cnf",
                "-key", d / "key.pem", "-subj", subject, "-out",
                d / "csr.pem")
        by = (["-signkey", d / "key.pem"] if issuer is None else
              ["-CA", issuer / "cert.pem", "-CAkey", issuer / "key.pem",
               "-set_serial", f"0x{os.urandom(8).hex()}"])
        openssl("x509", "-req", "-sha256", "-days", days, "-in",
                d / "csr.pem", *by, "-extfile", d / "ext", "-extensions", "e",
                "-out", d / "cert.pem")

    def ca(self, name, subject, may_sign, issuer=None):
        d = self.dir / name
        d.mkdir()
        self._key(d / "key.pem")
        self._sign(d, subject, [
            "basicConstraints=critical,CA:TRUE",
            "keyUsage=critical,keyCertSign,cRLSign",
            "subjectKeyIdentifier=hash"], issuer, 3650)
        digest = self.hash(d / "cert.pem")
        shutil.copy(d / "cert.pem", self.trust / f"{digest}.0")
        names = " ".join(f'"{n}"' for n in may_sign)
        (self.trust / f"{digest}.signing_policy").write_text(
            f"access_id_CA X509 '{subject}'\n"
            "pos_rights globus CA:sign\n"
            f"cond_subjects globus '{names}'\n")
        self.crl(d)
        return d

    def entity(self, name, subject, alt=None, days=30, issuer=None):
        d = self.dir / name
        d.mkdir()
        self._key(d / "key.pem")
        extensions = ["basicConstraints=critical,CA:FALSE",
                      "keyUsage=critical,digitalSignature,keyEncipherment",
                      "subjectKeyIdentifier=hash"]
        if alt:
            extensions.append(f"subjectAltName={alt}")
        self._sign(d, subject, extensions, issuer or self.services, days)
        return d

    @staticmethod
    def hash(cert):
        return openssl("x509", "-noout", "-hash", "-in", cert).strip()

    def crl(self, ca, days=30):
        """Give the CA in ${ca} a CRL that ends in ${days} days."""
        (ca / "index.txt").touch()
        (ca / "crlnumber").write_text("01\n")
        (ca / "ca.cnf").write_text(
            f"[ca]\ndefault_ca=c\n[c]\ndatabase={ca}/index.txt\n"
            f"crlnumber={ca}/crlnumber\ncertificate={ca}/cert.pem\n"
            f"private_key={ca}/key.pem\ndefault_md=sha256\n")
        last = "20200101000000Z"
        end = (["-crldays", days] if days > 0 else
               ["-crl_lastupdate", last, "-crl_nextupdate", "20200201000000Z"])
        path = self.trust / (self.hash(ca / "cert.pem") + ".r0")
        openssl("ca", "-config", ca / "ca.cnf", "-gencrl", *end, "-out", path)
        return path


class StockServer:
    """with StockServer(dir, users={"user0": "secret123"}) as server: ...

    ${settings} are further lines of its configuration.  PAM, if ${users} are
    given, goes by a service file of its own in a mount namespace of its own;
    Kerberos, if a ${kdc} is given, by SASL GSSAPI.  It runs as the uid
    ${account}, if one is given, as Debian's unit has it; and has certificates
    from ${program}, its certificate_issuer_program, instead of a CA of its own.
    """

    def __init__(self, directory, pki=None, users=None, kdc=None,
                 host="localhost", settings=(), life=12, pam=None,
                 account=None, program=None, more_env=None):
        self.dir = pathlib.Path(directory)
        self.dir.mkdir(parents=True, exist_ok=True)
        self.pki = pki or Pki(self.dir / "pki")
        self.port = free_port()
        self.users = users or {}
        self.kdc = kdc
        self.host = host
        self.settings = settings
        self.life = life
        self.pam = pam or ("sufficient" if kdc else "required")
        self.account = account
        self.program = program
        self.more_env = more_env or {}
        self.pid = None

    def _pam(self):
        """libpam-pwdfile's passwords, seen by this server alone."""
        service = "signet-" + hashlib.sha256(
            str(self.dir).encode()).hexdigest()[:10]
        etc = self.dir / "pam.d"
        etc.mkdir()
        lines = [f"{user}:" + openssl("passwd", "-6", "-stdin",
                                      input=password).strip()
                 for user, password in self.users.items()]
        (self.dir / "passwd").write_text("\n".join(lines) + "\n")
        (etc / "other").write_text("auth required pam_deny.so\n"
                                   "account required pam_deny.so\n")
        (etc / service).write_text(
            f"auth required pam_pwdfile.so pwdfile={self.dir}/passwd\n"
            "account required pam_permit.so\n")
        return service

    def _issuer(self):
        if self.program:
            return [f"certificate_issuer_program {self.program}"]
        slcs = self.pki.slcs
        return [f"certificate_issuer_cert {slcs}/cert.pem",
                f"certificate_issuer_key {slcs}/key.pem",
                f"certificate_issuer_subca_certfile {slcs}/cert.pem",
                f"certificate_serialfile {self.dir}/serial",
                f"certificate_mapfile {self.dir}/mapfile"]

    def _own(self):
        """What the server's account must have, when that is not ours."""
        for path in [self.dir, *self.dir.rglob("*")]:
            os.chown(path, self.account, self.account,
                     follow_symlinks=False)
        return ["setpriv", f"--reuid={self.account}",
                f"--regid={self.account}", "--clear-groups"]

    def _config(self):
        names = set(self.users) | set(self.kdc.users if self.kdc else ())
        (self.dir / "mapfile").write_text("".join(
            f'"{PEOPLE}/CN={n}@LIGO.TEST" {n}\n' for n in sorted(names)))
        (self.dir / "serial").write_text("1DCD6500\n")
        lines = ['authorized_retrievers "*"',
                 f"cert_dir {self.pki.trust}", *self._issuer(),
                 f"max_cert_lifetime {self.life}", *self.settings]
        if self.users:
            lines += [f'pam "{self.pam}"', f'pam_id "{self._pam()}"']
        if self.kdc:
            how = "sufficient" if self.users else "required"
            lines += [f'sasl "{how}"', 'sasl_mech "GSSAPI"',
                      f'sasl_serverFQDN "{socket.gethostname()}"']
        path = self.dir / "myproxy-server.config"
        path.write_text("\n".join(lines) + "\n")
        return path

    def _env(self):
        host = self.pki.host
        env = {"PATH": os.environ["PATH"] + ":/usr/sbin", "HOME": str(self.dir),
               "X509_CERT_DIR": str(self.pki.trust),
               "X509_USER_CERT": f"{host}/cert.pem",
               "X509_USER_KEY": f"{host}/key.pem", **self.more_env}
        if self.kdc:
            env |= {"KRB5_CONFIG": self.kdc.krb5_conf,
                    "KRB5_KTNAME": self.kdc.keytab}
        return env

    def _command(self, *options):
        command = ["myproxy-server", "-c", str(self._config()), "-l",
                   "127.0.0.1", "-p", str(self.port),
                   "-s", str(self.dir / "no-storage"), *options]
        if self.account is not None:
            command = self._own() + command
        if self.users:
            command = ["unshare", "-m", "sh", "-c",
                       f"mount --bind {self.dir}/pam.d /etc/pam.d && "
                       'exec "$@"', "sh", *command]
        return command

    def serve_one(self):
        """In the foreground, for one client; its log is on standard error."""
        server = subprocess.Popen(
            self._command("-d"), env=self._env(), stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True, preexec_fn=die_with_parent)
        for line in server.stderr:
            if line.startswith("Starting myproxy-server"):
                return server
        raise RuntimeError("the stock server does not start")

    def __enter__(self):
        pid_file = self.dir / "server.pid"
        command = self._command("-P", str(pid_file))
        subprocess.run(command, env=self._env(), check=True, timeout=60,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                       preexec_fn=die_with_parent)
        self.pid = int(self._wait(pid_file))
        # It has made itself a daemon; this ends it when we are gone.
        self.guard = subprocess.Popen(
            ["sh", "-c", f"read line; kill {self.pid}"],
            stdin=subprocess.PIPE, stderr=subprocess.DEVNULL,
            start_new_session=True)
        return self

    def _wait(self, pid_file):
        end = time.monotonic() + 20
        while time.monotonic() < end:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return pid_file.read_text()
            except (OSError, ValueError):
                time.sleep(0.02)
        raise RuntimeError("the stock server does not answer")

    def __exit__(self, *_):
        self.guard.stdin.close()
        self.guard.wait()
        end = time.monotonic() + 10
        while pathlib.Path(f"/proc/{self.pid}").exists():
            if time.monotonic() > end:
                os.kill(self.pid, 9)
                break
            time.sleep(0.02)

    def env(self, home, **more):
        """What a client of this server has in its environment."""
        env = {k: v for k, v in os.environ.items()
               if not k.startswith(("X509_", "MYPROXY_", "SIGNET_", "XDG_"))}
        env |= {"HOME": str(home), "X509_CERT_DIR": str(self.pki.trust),
                "MYPROXY_SERVER": "localhost",
                "MYPROXY_SERVER_PORT": str(self.port),
                "X509_USER_PROXY": f"{home}/proxy.pem"}
        if self.kdc:
            env |= {"KRB5_CONFIG": self.kdc.krb5_conf,
                    "KRB5CCNAME": f"FILE:{home}/cc"}
        env |= {k: str(v) for k, v in more.items()}
        return env
