"""A private slapd on free loopback ports, with TLS, for stories."""

import os
import socket
import subprocess

from kdc import die_with_parent, free_port, wait_for_port

SUFFIX = "dc=ligo,dc=org"
PEOPLE = f"ou=people,{SUFFIX}"
SEARCHER = f"cn=searcher,{SUFFIX}"
SEARCHER_PASSWORD = "looking"

CONF = """\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
pidfile {dir}/slapd.pid
argsfile {dir}/slapd.args
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCACertificateFile {dir}/ca.pem
TLSCertificateFile {dir}/cert.pem
TLSCertificateKeyFile {dir}/key.pem
TLSVerifyClient never
database mdb
suffix {suffix}
rootdn cn=admin,{suffix}
rootpw secret
directory {dir}/db
maxsize 16777216
access to attrs=userPassword by anonymous auth by * none
access to * by {anonymous} by users read
"""

TOP = f"""\
dn: {SUFFIX}
objectClass: dcObject
objectClass: organization
o: LIGO
dc: ligo

dn: {PEOPLE}
objectClass: organizationalUnit
ou: people

dn: {SEARCHER}
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: searcher
userPassword: {SEARCHER_PASSWORD}
"""


class Slapd:
    """with Slapd(dir, people=[...]) as ldap: ldap.uri, ldap.ca_file ...

    Each of ${people} is a dict of LDAP attributes with uid and userPassword;
    values may be lists.  Anonymous may search unless ${anonymous} says not.
    """

    def __init__(self, directory, people=(), anonymous=True):
        self.dir = str(directory)
        os.makedirs(f"{self.dir}/db", mode=0o700, exist_ok=True)
        self.people = people
        self.anonymous = anonymous
        self.port = free_port()
        self.tls_port = free_port()
        self.uri = f"ldap://127.0.0.1:{self.port}"
        self.ldaps = f"ldaps://127.0.0.1:{self.tls_port}"
        self.ca_file = f"{self.dir}/ca.pem"
        self.process = None

    def openssl(self, *words):
        subprocess.run(["openssl", *words], cwd=self.dir, check=True,
                       capture_output=True)

    def make_certificates(self):
        new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
               "-nodes"]
        self.openssl("req", "-x509", *new, "-subj", "/CN=directory CA",
                     "-keyout", "ca.key", "-out", "ca.pem", "-days", "2")
        self.openssl("req", *new, "-subj", "/CN=localhost", "-keyout",
                     "key.pem", "-out", "csr.pem")
        with open(f"{self.dir}/ext", "w") as f:
            # libldap takes "localhost" for the host's own name.
            f.write("subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:"
                    f"{socket.gethostname()},DNS:{socket.getfqdn()}\n")
        self.openssl("x509", "-req", "-in", "csr.pem", "-CA", "ca.pem",
                     "-CAkey", "ca.key", "-days", "2", "-extfile", "ext",
                     "-out", "cert.pem")

    def ldif(self):
        parts = [TOP]
        for person in self.people:
            lines = [f"dn: uid={person['uid']},{PEOPLE}",
                     "objectClass: inetOrgPerson"]
            attributes = {"cn": person["uid"], "sn": person["uid"], **person}
            for name, values in attributes.items():
                for value in values if isinstance(values, list) else [values]:
                    lines.append(f"{name}: {value}")
            parts.append("\n".join(lines) + "\n")
        return "\n".join(parts)

    def __enter__(self):
        self.make_certificates()
        conf = f"{self.dir}/slapd.conf"
        with open(conf, "w") as f:
            f.write(CONF.format(
                dir=self.dir, suffix=SUFFIX,
                anonymous="anonymous read" if self.anonymous
                else "anonymous auth"))
        subprocess.run(["/usr/sbin/slapadd", "-q", "-f", conf],
                       input=self.ldif(), text=True, check=True,
                       capture_output=True)
        self.process = subprocess.Popen(
            ["/usr/sbin/slapd", "-f", conf, "-d", "0", "-h",
             f"{self.uri}/ {self.ldaps}/"], preexec_fn=die_with_parent,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for_port(self.port, self.process)
        wait_for_port(self.tls_port, self.process)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
