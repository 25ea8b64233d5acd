"""A directory as LIGO has it: people, groups, RFC 4533; and what may befall it.

    with MapLdap(dir, people=[person(7, "scott.koranda", groups=[...])]) as d:
        d.modify(7, add={"description": ["/O=X/CN=Y"]})
        d.delete(7)

${dir} is made.  A second server that follows the first:
MapLdap(dir2, provider=d).  Everything is on loopback and ends with the test.
"""

import base64
import os
import pathlib
import shutil
import subprocess
import time

from kdc import die_with_parent, wait_for_port
from slapd import PEOPLE, SUFFIX, Slapd

GROUPS = f"ou=groups,{SUFFIX}"
ADMIN = f"cn=admin,{SUFFIX}"
ADMIN_PASSWORD = "secret"
READER = f"cn=mapper,{SUFFIX}"
READER_PASSWORD = "reading maps"
ALL = "Services:LDG:AllUsers"

SCHEMA = """\
attributetype ( 1.3.6.1.4.1.5923.1.5.1.1 NAME 'isMemberOf'
  EQUALITY caseExactMatch SUBSTR caseExactSubstringsMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
objectclass ( 1.3.6.1.4.1.5923.1.5.2.1 NAME 'eduMember' AUXILIARY
  MAY ( isMemberOf ) )
attributetype ( 1.3.6.1.4.1.5923.1.1.1.6 NAME 'eduPersonPrincipalName'
  EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.99999.1.1 NAME 'groupDN'
  EQUALITY distinguishedNameMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.12 )
attributetype ( 1.3.6.1.4.1.99999.1.2 NAME 'certName'
  EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 )
objectclass ( 1.3.6.1.4.1.5923.1.1.2 NAME 'eduPerson' AUXILIARY
  MAY ( eduPersonPrincipalName $ groupDN $ certName ) )
"""

CONF = """\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include {dir}/map.schema
pidfile {dir}/slapd.pid
argsfile {dir}/slapd.args
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload syncprov
TLSCACertificateFile {dir}/ca.pem
TLSCertificateFile {dir}/cert.pem
TLSCertificateKeyFile {dir}/key.pem
TLSVerifyClient never
sockbuf_max_incoming_auth 8388607
sizelimit {sizelimit}
{more}
database mdb
suffix {suffix}
rootdn {admin}
rootpw {password}
directory {dir}/db
maxsize {maxsize}
envflags nosync
{limits}
index objectClass,uid,employeeNumber,isMemberOf,member eq
index entryUUID,entryCSN eq
{syncrepl}
{overlay}
access to attrs=userPassword by anonymous auth by * none
access to * by {anonymous} by users read
"""

OVERLAY = """\
overlay syncprov
syncprov-checkpoint 100 1
syncprov-sessionlog {sessionlog}
"""

SYNCREPL = """\
syncrepl rid=1 provider={uri} type=refreshAndPersist retry="1 +"
  searchbase={suffix} bindmethod=simple binddn={admin} credentials={password}
updateref {uri}
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

dn: {GROUPS}
objectClass: organizationalUnit
ou: groups

dn: {READER}
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: mapper
userPassword: {READER_PASSWORD}
"""


def person_dn(number):
    return f"employeeNumber={number},{PEOPLE}"


def group_dn(name):
    return f"cn={name},{GROUPS}"


def person(number, uid, groups=(ALL,), names=(), **more):
    """The entry of a person: (DN, attributes).  ${names} go to description."""
    given, _, family = uid.partition(".")
    attributes = {
        "objectClass": ["inetOrgPerson", "eduPerson", "eduMember"],
        "employeeNumber": [str(number)], "uid": [uid],
        "cn": [f"{given.capitalize()} {family.capitalize()}"],
        "sn": [family.capitalize() or given],
        "eduPersonPrincipalName": [f"{uid}@LIGO.ORG"],
        "isMemberOf": list(groups), "description": list(names)}
    for name, values in more.items():
        attributes[name] = values if isinstance(values, list) else [values]
    return person_dn(number), attributes


def group(name, members=()):
    """The entry of a groupOfNames; members are DNs."""
    return group_dn(name), {
        "objectClass": ["groupOfNames"], "cn": [name],
        # The class asks for one.
        "member": list(members) or [SUFFIX]}


FREDERIQUE = person(
    1232, "frederique.marion", groups=[ALL, "Communities:Virgo"],
    names=["/O=GRID-FR/C=FR/O=CNRS/OU=LAPP/CN=Frederique Marion"])
SCOTT = person(
    212, "scott.koranda", groups=[ALL, "Communities:LSC"],
    names=["/DC=org/DC=doegrids/OU=People/CN=Scott Koranda 212488"])


def ligo(count, first=1):
    """So many people of no fame, in groups of ten each and all of them."""
    return [person(n, f"albert.einstein{n}",
                   groups=[ALL, f"Communities:Group{n % 10}"])
            for n in range(first, first + count)]


def line(name, value):
    data = value if isinstance(value, bytes) else value.encode()
    return f"{name}:: {base64.b64encode(data).decode()}\n"


def lines(attributes):
    return "".join(line(name, value)
                   for name, values in attributes.items() for value in values)


class MapLdap(Slapd):
    """A slapd with a LIGO-like tree.

    ${people} and ${groups} are what person() and group() make.  ${sync} False:
    it knows nothing of RFC 4533.  ${sizelimit}: entries a search may give.
    ${kdc}: tickets of that realm are believed.
    ${sessionlog}: how many changes it remembers; 0 makes it go through all
    entries for whoever comes back.
    """

    def __init__(self, directory, people=(), groups=(), anonymous=True,
                 sync=True, sizelimit="unlimited", sessionlog=1000,
                 provider=None, maxsize=1 << 26, server_id=None, more="",
                 limits="", kdc=None):
        super().__init__(directory, people, anonymous)
        self.env = None
        if kdc:  # it has ldap/localhost in its keytab
            self.env = kdc.env
            more += f"\nsasl-host localhost\nsasl-realm {kdc.realm}"
        self.groups = list(groups)
        self.provider = provider
        self.settings = {
            "sizelimit": sizelimit, "maxsize": maxsize, "limits": limits,
            "more": more + (f"\nserverID {server_id}" if server_id else ""),
            "overlay": OVERLAY.format(sessionlog=sessionlog) if sync else ""}

    def ldif(self):
        parts = [TOP]
        for dn, attributes in [*self.people, *self.groups]:
            parts.append(line("dn", dn) + lines(attributes))
        return "\n".join(parts)

    def write_conf(self):
        pathlib.Path(self.dir, "map.schema").write_text(SCHEMA)
        syncrepl = SYNCREPL.format(
            uri=self.provider.uri, suffix=SUFFIX, admin=ADMIN,
            password=ADMIN_PASSWORD) if self.provider else ""
        pathlib.Path(self.conf).write_text(CONF.format(
            dir=self.dir, suffix=SUFFIX, admin=ADMIN,
            password=ADMIN_PASSWORD, syncrepl=syncrepl,
            anonymous="anonymous read" if self.anonymous
            else "anonymous auth", **self.settings))

    @property
    def conf(self):
        return f"{self.dir}/slapd.conf"

    def load(self):
        """Fill the database anew with what it began with."""
        shutil.rmtree(f"{self.dir}/db", ignore_errors=True)
        os.makedirs(f"{self.dir}/db", mode=0o700)
        if self.provider:
            return
        # -w: the time of its contents (contextCSN) is part of them.
        subprocess.run(["/usr/sbin/slapadd", "-q", "-w", "-f", self.conf],
                       input=self.ldif(), text=True, check=True,
                       capture_output=True)

    def start(self):
        self.process = subprocess.Popen(
            ["/usr/sbin/slapd", "-f", self.conf, "-d", "0", "-h",
             f"{self.uri}/ {self.ldaps}/"], preexec_fn=die_with_parent,
            env=self.env,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for_port(self.port, self.process)
        wait_for_port(self.tls_port, self.process)

    def stop(self):
        """An orderly end: the server says goodbye to those who follow."""
        if self.process:
            self.process.terminate()
            self.process.wait()
            self.process = None

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def restart(self):
        self.stop()
        self.start()

    def lose(self, people=None, groups=None):
        """The database is gone, and loaded from a list: the same people have
        other entryUUIDs, and no cookie of before means anything."""
        self.stop()
        if people is not None:
            self.people = list(people)
        if groups is not None:
            self.groups = list(groups)
        self.load()
        self.start()

    def freeze(self):
        """It holds its connections and says nothing more (network cut)."""
        self.process.send_signal(19)

    def thaw(self):
        self.process.send_signal(18)

    def __enter__(self):
        self.make_certificates()
        self.write_conf()
        self.load()
        self.start()
        if self.provider:
            self.wait_for_provider()
        return self

    def __exit__(self, *_):
        if self.process:
            self.thaw()
        self.stop()

    # What is changed, as an administrator would.

    def ldapmodify(self, ldif):
        subprocess.run(
            ["ldapmodify", "-x", "-H", self.uri, "-D", ADMIN, "-w",
             ADMIN_PASSWORD], input=ldif, text=True, check=True,
            capture_output=True)

    def dn_of(self, who):
        return person_dn(who) if isinstance(who, int) else who

    def add(self, *entries):
        self.ldapmodify("\n".join(
            line("dn", dn) + "changetype: add\n" + lines(attributes)
            for dn, attributes in entries))

    def delete(self, *who):
        self.ldapmodify("\n".join(
            line("dn", self.dn_of(one)) + "changetype: delete\n"
            for one in who))

    def modify(self, who, add=None, delete=None, replace=None):
        """Of a person (number) or entry (DN): {attribute: [values]} each."""
        text = line("dn", self.dn_of(who)) + "changetype: modify\n"
        for how, what in (("add", add), ("delete", delete),
                          ("replace", replace)):
            for name, values in (what or {}).items():
                text += f"{how}: {name}\n" + lines({name: values}) + "-\n"
        self.ldapmodify(text)

    def rename(self, who, rdn, under=None):
        """The entry stays and is called otherwise."""
        self.ldapmodify(
            line("dn", self.dn_of(who)) + "changetype: modrdn\n" +
            line("newrdn", rdn) + "deleteoldrdn: 1\n" +
            (line("newsuperior", under) if under else ""))

    def join(self, who, *names):
        self.modify(who, add={"isMemberOf": names})

    def leave(self, who, *names):
        self.modify(who, delete={"isMemberOf": names})

    def csn(self):
        """The time of its contents."""
        said = subprocess.run(
            ["ldapsearch", "-x", "-LLL", "-H", self.uri, "-b", SUFFIX, "-s",
             "base", "contextCSN"], capture_output=True, text=True)
        return sorted(word for word in said.stdout.split("\n")
                      if word.startswith("contextCSN"))

    def wait_for_provider(self, seconds=20):
        """Until a second server has what the first has."""
        end = time.monotonic() + seconds
        while not self.csn() or self.csn() != self.provider.csn():
            assert time.monotonic() < end, "the replica lags"
            time.sleep(0.02)
