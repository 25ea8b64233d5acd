"""A site whose signetd also serves a services CA, with an office: staff known
by Kerberos (and by uid), requests, and what came of them."""

import collections
import getpass
import json
import os
import pathlib
import re

from kdc import Kdc
from signet_site import BASE, CAS, REPO, SIGNET_CA, Root, Site, openssl, run

SERVICES = f"{BASE}/OU=Services"
REALM = "LIGO.TEST"
PEOPLE = ("ann", "bob", "eve", "rob", "sue", "mal")

# ann and bob approve; eve asks for hosts of ligo.org; rob asks for robots; sue
# revokes and sees; mal has a ticket, and is nobody here.
STAFF = f"""\
administrator ann principal ann@{REALM}
role ann approver requester
may-ask ann host .ligo.org
administrator bob principal bob@{REALM}
role bob approver
administrator eve principal eve@{REALM}
role eve requester
may-ask eve host .ligo.org gw.example.edu
administrator rob principal rob@{REALM}
role rob requester
may-ask rob robot "Robot: transfer - Data Team"
administrator sue principal sue@{REALM}
role sue revoker auditor
administrator here account {getpass.getuser()}
role here requester approver revoker auditor
may-ask here * *
"""


def make_kdc(directory):
    return Kdc(directory, REALM, users={p: f"{p}-secret" for p in PEOPLE},
               services=("office/localhost", "myproxy/localhost"))


class Office(Site):
    """with make_kdc(...) as kdc, Office(dir, kdc) as office: ..."""

    def __init__(self, directory, kdc, approvals=1, second_person=False,
                 staff=STAFF, settings=(), init=("--no-passphrase",),
                 init_fds=(), **more):
        directory = pathlib.Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        self.kdc = kdc
        self.staff_path = directory / "staff"
        self.staff_path.write_text(staff)
        self.services_ca = directory / "office-ca"
        root = Root(directory / "cas")
        run(SIGNET_CA, "init", "services", self.services_ca, "--root",
            root.root, "--subject", f"{CAS}/OU=Services/CN=LIGO CA 2",
            "--may-sign-under", SERVICES, "--key", "ec:P-256", "--online",
            *init, pass_fds=init_fds)
        for name in ("host", "robot"):
            text = (REPO / f"share/profiles/{name}.profile").read_text()
            (directory / f"{name}.profile").write_text(
                f"{text}\napprovals {approvals}\nsecond-person "
                f"{'yes' if second_person else 'no'}\n")
        self.socket = directory / "run" / "office.sock"
        keytab = pathlib.Path(kdc.keytab)
        if os.getuid() == 0:
            keytab.chmod(0o644)
            for place in (keytab.parent, pathlib.Path(kdc.krb5_conf).parent):
                place.chmod(0o755)
        office = [f"ca {self.services_ca}",
                  f"office-staff {self.staff_path}",
                  f"office-profile {directory}/host.profile",
                  f"office-profile {directory}/robot.profile",
                  f"office-socket {self.socket}",
                  "office-listen 127.0.0.1:0", f"office-keytab {keytab}"]
        super().__init__(directory, root=root,
                         settings=[*office, *settings],
                         env=dict(kdc.env, **more.pop("env", {})), **more)
        self.files = directory / "files"
        self.files.mkdir()
        self.files.chmod(0o755)
        self.tickets = {}

    def wait_started(self, seconds=60):
        super().wait_started(seconds)
        self.office_port = int(self.wait_log(
            r"office-open port=(\d+)").group(1))

    def as_who(self, who):
        """The environment of ${who}, with a ticket."""
        if who not in self.tickets:
            self.tickets[who] = self.kdc.kinit(
                who, cache=f"{self.kdc.dir}/cc-{who}")
        return self.tickets[who]

    def ask(self, who, *words, check=True, **kw):
        """signet-ca at this office as ${who}; None: by the Unix socket."""
        where = self.socket if who is None else f"localhost:{self.office_port}"
        env = None if who is None else self.as_who(who)
        return run(SIGNET_CA, *words, "--office", where, env=env, check=check,
                   **kw)

    def say(self, who, *words, **kw):
        """Its answer as JSON."""
        return json.loads(self.ask(who, *words, "--json", **kw).stdout)

    def request(self, name, profile="host", key="ec:P-256", more=()):
        """A request file: (path, identifier)."""
        path = self.files / f"{re.sub('[^a-z0-9]', '-', name.lower())}.request"
        cn = name
        run(SIGNET_CA, "request", "new", "--profile", profile,
            "--profile-dir", REPO / "share/profiles", "--subject",
            f"{SERVICES}/CN={cn}", "--key", key, "--contact", "Eve Example",
            "--contact-mail", "eve@ligo.org", "--contact-phone", "1 414 1",
            "--purpose", "GridFTP", "--out-key", f"{path}.key", "--out", path,
            *more)
        shown = json.loads(run(SIGNET_CA, "request", "show", path,
                               "--json").stdout)
        return path, shown["id"]

    def state(self, request, who="ann"):
        return self.say(who, "request", "show", request)["state"]

    def certificates(self):
        """What the ledger says of the services CA, of one that may be read."""
        return [line for line in self.ledger_lines()
                if line["ca"] == "office-ca"]

    def check_book(self):
        """The chain holds, no serial came twice, no request has two
        certificates."""
        run(SIGNET_CA, "ledger", "check", "--ledger", self.ledger)
        lines = self.ledger_lines()
        serials = collections.Counter((line["ca"], int(line["serial"], 16))
                                      for line in lines)
        assert max(serials.values(), default=1) == 1
        issued = collections.Counter(
            line["subject"] for line in lines if line["ca"] == "office-ca"
            and line["state"] in ("issued", "revoked", "held"))
        assert max(issued.values(), default=1) == 1, issued
        return issued


def subject_of(pem):
    return openssl("x509", "-in", pem, "-noout", "-subject", "-nameopt",
                   "compat").stdout.strip().removeprefix("subject=").strip()
