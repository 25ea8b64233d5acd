"""A private MIT KDC on a free loopback port, for the stories that need one."""

import ctypes
import os
import random
import signal
import socket
import subprocess
import time

PR_SET_PDEATHSIG = 1


def die_with_parent():
    """For preexec_fn: what a story starts does not outlive it, and hears
    Ctrl-C though the run itself was put in the background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def free_port():
    """One that nobody listens on, below those that the kernel gives to
    whoever asks for any: another story beside this one does not get it while
    this one's server has yet to take it."""
    while True:
        port = random.SystemRandom().randrange(10000, 32000)
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def wait_for_port(port, process, seconds=20):
    """Until something listens on ${port}; fails if ${process} ends first."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"ended with {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"nothing listens on port {port}")


KRB5_CONF = """\
[libdefaults]
  default_realm = {realm}
  dns_lookup_kdc = false
  dns_lookup_realm = false
  dns_canonicalize_hostname = false
  rdns = false
  udp_preference_limit = 1
  ticket_lifetime = 12h
  default_ccache_name = FILE:{dir}/cc
[realms]
  {realm} = {{
    kdc = 127.0.0.1:{port}
  }}
{others}
[domain_realm]
  localhost = {services}
  {host} = {services}
"""

KDC_CONF = """\
[kdcdefaults]
  kdc_listen = 127.0.0.1:{port}
  kdc_tcp_listen = 127.0.0.1:{port}
[realms]
  {realm} = {{
    database_name = {dir}/principal
    key_stash_file = {dir}/stash
    acl_file = {dir}/acl
    max_life = 24h
    max_renewable_life = 7d
    supported_enctypes = aes256-cts-hmac-sha1-96:normal
  }}
[logging]
  kdc = FILE:{dir}/kdc.log
"""


class Kdc:
    """with Kdc(dir, "LIGO.TEST", users={"user0": "secret123"}) as kdc: ...

    ${services} get random keys in kdc.keytab.  kdc.env is the environment of
    clients and servers of this realm; if there is an ${other} Kdc, hosts are
    in its realm.
    """

    def __init__(self, directory, realm="LIGO.TEST", users=None,
                 services=("myproxy/localhost",), other=None):
        self.dir = str(directory)
        os.makedirs(self.dir, mode=0o700, exist_ok=True)
        self.realm = realm
        self.port = free_port()
        self.users = {"user0": "secret123"} if users is None else users
        self.services = services
        self.other = other
        self.keytab = f"{self.dir}/keytab"
        self.krb5_conf = f"{self.dir}/krb5.conf"
        self.process = None
        self.env = dict(os.environ, KRB5_CONFIG=self.krb5_conf,
                        KRB5_KDC_PROFILE=f"{self.dir}/kdc.conf",
                        KRB5_KTNAME=f"FILE:{self.keytab}",
                        KRB5CCNAME=f"FILE:{self.dir}/cc",
                        PATH=os.environ["PATH"] + ":/usr/sbin:/sbin")

    def realm_lines(self):
        """For another krb5.conf."""
        return f"  {self.realm} = {{\n    kdc = 127.0.0.1:{self.port}\n  }}\n"

    def __enter__(self):
        words = dict(realm=self.realm, dir=self.dir, port=self.port,
                     host=socket.gethostname(), services=self.realm, others="")
        if self.other is not None:
            words.update(services=self.other.realm,
                         others=self.other.realm_lines())
        with open(self.krb5_conf, "w") as f:
            f.write(KRB5_CONF.format(**words))
        with open(f"{self.dir}/kdc.conf", "w") as f:
            f.write(KDC_CONF.format(**words))
        subprocess.run(["kdb5_util", "create", "-s", "-r", self.realm, "-P",
                        "masterpw"], env=self.env, check=True,
                       stdout=subprocess.DEVNULL)
        for name, password in self.users.items():
            self.add_user(name, password)
        for name in self.services:
            self.add_service(name)
        self.process = subprocess.Popen(
            ["krb5kdc", "-n", "-r", self.realm], env=self.env,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            preexec_fn=die_with_parent)
        wait_for_port(self.port, self.process)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def kadmin(self, *queries):
        result = subprocess.run(
            ["kadmin.local", "-r", self.realm], env=self.env, check=True,
            input="\n".join(queries) + "\n", capture_output=True, text=True)
        if "while" in result.stderr:
            raise RuntimeError(result.stderr)

    def add_user(self, name, password):
        self.kadmin(f"addprinc -pw {password} {name}")

    def add_service(self, name, keytab=None):
        self.kadmin(f"addprinc -randkey {name}",
                    f"ktadd -k {keytab or self.keytab} {name}")

    def trust(self, other, password="cross-realm"):
        """Tickets of ${other}, another Kdc, are good here."""
        name = f"krbtgt/{self.realm}@{other.realm}"
        for kdc in (self, other):
            kdc.kadmin(f"addprinc -pw {password} {name}")

    def kinit(self, name, password=None, cache=None, options=()):
        """A ticket for ${name}; the environment that holds it."""
        env = dict(self.env)
        if cache is not None:
            env["KRB5CCNAME"] = f"FILE:{cache}"
        password = self.users[name] if password is None else password
        subprocess.run(["kinit", *options, name], env=env, check=True,
                       input=password + "\n", text=True,
                       stdout=subprocess.DEVNULL)
        return env
