"""A root CA, a CA under it, people and a host, made with the openssl command:
what stories judge against is not made by ourselves."""

import os
import pathlib
import shutil

from signet_site import run

BASE = "/DC=org/DC=example"
PEOPLE = f"{BASE}/OU=People"

EXTENSIONS = """
[ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[person]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature,keyEncipherment
extendedKeyUsage = clientAuth
authorityKeyIdentifier = keyid
[bare]
basicConstraints = critical,CA:FALSE
authorityKeyIdentifier = keyid
[host]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature,keyEncipherment
extendedKeyUsage = serverAuth,clientAuth
subjectAltName = DNS:localhost
authorityKeyIdentifier = keyid
[req]
distinguished_name = none
[none]
"""

CA_CONF = """
[ca]
default_ca = it
[it]
database = {dir}/{name}.index
crlnumber = {dir}/{name}.crlnumber
default_md = sha256
default_crl_days = 30
"""


class Pki:
    def __init__(self, directory, key="ec:P-256"):
        self.dir = pathlib.Path(directory)
        self.dir.mkdir(parents=True, exist_ok=True)
        self.trust = self.dir / "certificates"
        self.trust.mkdir()
        self.conf = self.dir / "extensions.cnf"
        self.conf.write_text(EXTENSIONS)
        self.serial = 1000
        self.ca("root", f"{BASE}/CN=Root CA", None, key)
        self.ca("sub", f"{BASE}/CN=People CA", "root", key)
        self.certify("host", f"{BASE}/OU=Hosts/CN=localhost", "sub", "host",
                     key)
        self.host = (self.dir / "host.pem", self.dir / "host.key")

    def new_key(self, name, kind):
        what, size = kind.split(":")
        option = (["rsa_keygen_bits:" + size] if what == "rsa" else
                  ["ec_paramgen_curve:" + size, "-pkeyopt",
                   "ec_param_enc:named_curve"])
        run("openssl", "genpkey", "-algorithm", what.upper(), "-pkeyopt",
            *option, "-out", self.dir / f"{name}.key")
        os.chmod(self.dir / f"{name}.key", 0o400)

    def certify(self, name, subject, issuer, kind, key, days=10):
        self.new_key(name, key)
        self.serial += 1
        run("openssl", "req", "-new", "-config", self.conf, "-key",
            self.dir / f"{name}.key", "-subj", subject, "-out",
            self.dir / f"{name}.csr")
        signer = (["-signkey", self.dir / f"{name}.key"] if issuer is None else
                  ["-CA", self.dir / f"{issuer}.pem", "-CAkey",
                   self.dir / f"{issuer}.key"])
        run("openssl", "x509", "-req", "-in", self.dir / f"{name}.csr",
            *signer, "-set_serial", self.serial, "-days", days, "-extfile",
            self.conf, "-extensions", kind, "-out", self.dir / f"{name}.pem")

    def hash(self, name):
        return run("openssl", "x509", "-noout", "-hash", "-in",
                   self.dir / f"{name}.pem").stdout.strip()

    def subject(self, name):
        return run("openssl", "x509", "-noout", "-subject", "-nameopt",
                   "compat", "-in", self.dir / f"{name}.pem"
                   ).stdout.strip().removeprefix("subject=")

    def ca(self, name, subject, issuer, key):
        self.certify(name, subject, issuer, "ca", key, days=3650)
        (self.dir / f"{name}.index").write_text("")
        (self.dir / f"{name}.crlnumber").write_text("01\n")
        (self.dir / f"{name}.cnf").write_text(
            CA_CONF.format(dir=self.dir, name=name))
        shutil.copy(self.dir / f"{name}.pem",
                    self.trust / f"{self.hash(name)}.0")
        self.policy(name, f"{BASE}/*")
        self.crl(name)

    def policy(self, name, *patterns):
        listed = " ".join(f'"{p}"' for p in patterns)
        self.policy_file(name).write_text(
            f"access_id_CA X509 '{self.subject(name)}'\n"
            f"pos_rights globus CA:sign\ncond_subjects globus '{listed}'\n")

    def policy_file(self, name):
        return self.trust / f"{self.hash(name)}.signing_policy"

    def crl_file(self, name):
        return self.trust / f"{self.hash(name)}.r0"

    def crl(self, name, *options):
        run("openssl", "ca", "-gencrl", "-config", self.dir / f"{name}.cnf",
            "-cert", self.dir / f"{name}.pem", "-keyfile",
            self.dir / f"{name}.key", *options, "-out", self.crl_file(name))

    def revoke(self, issuer, name):
        run("openssl", "ca", "-config", self.dir / f"{issuer}.cnf", "-revoke",
            self.dir / f"{name}.pem", "-cert", self.dir / f"{issuer}.pem",
            "-keyfile", self.dir / f"{issuer}.key")
        self.crl(issuer)

    def person(self, name, key="ec:P-256", days=10, kind="person"):
        """A credential file: certificate, key, chain without the root."""
        self.certify(name, f"{PEOPLE}/CN={name}", "sub", kind, key, days)
        path = self.dir / f"{name}.cred"
        path.write_text("".join((self.dir / part).read_text() for part in
                                (f"{name}.pem", f"{name}.key", "sub.pem")))
        os.chmod(path, 0o600)
        return path
