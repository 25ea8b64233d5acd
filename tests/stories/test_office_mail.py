"""The office by mail: the hook writes to whom it concerns, the pipe takes what
is mailed in; and the staff as a directory has it."""

import getpass
import os
import re
import subprocess

import pytest
from office_site import Office, make_kdc, subject_of
from signet_site import REPO, SIGNET_CA, run
from slapd import SEARCHER, SEARCHER_PASSWORD, Slapd

SENDMAIL = """\
#!/bin/sh
cat >"{box}/$(ls {box} | wc -l).mail"
"""


@pytest.fixture(scope="module")
def kdc(tmp_path_factory):
    with make_kdc(tmp_path_factory.mktemp("kdc")) as kdc:
        yield kdc


def test_a_certificate_by_mail_from_end_to_end(kdc, tmp_path):
    box = tmp_path / "box"
    box.mkdir()
    sendmail = tmp_path / "sendmail"
    sendmail.write_text(SENDMAIL.format(box=box))
    sendmail.chmod(0o755)
    with Office(tmp_path / "site", kdc) as office:
        env = dict(os.environ, SIGNET_PROGRAM=str(SIGNET_CA),
                   SENDMAIL=str(sendmail), OFFICE=str(office.socket),
                   OFFICE_MAIL="certrequest@ligo.org")
        path, name = office.request("mailed.ligo.org")
        mail = (b"From: president@ligo.org\r\nSubject: please\r\n\r\nDear "
                b"office,\r\n" + path.read_bytes().replace(b"\n", b"\r\n")
                + b"-- \r\nEve\r\n")
        asked = subprocess.run([REPO / "share/office/mail-in"], input=mail,
                               env=env, capture_output=True, timeout=60)
        assert asked.returncode == 0, asked.stderr
        # Who sent it is whoever the mailer runs as, not what he wrote.
        shown = office.say(None, "request", "show", name)
        assert shown["who"] == "here" and shown["state"] == "open"
        broken = subprocess.run(
            [REPO / "share/office/mail-in"], env=env, capture_output=True,
            input=mail.replace(b"GridFTP", b"Gridftp"), timeout=60)
        assert broken.returncode == 1
        watch = [SIGNET_CA, "watch", "--once", "--after", "0", "--exec",
                 REPO / "share/office/mail-hook", "--state",
                 tmp_path / "told", "--office", office.socket]
        run(*watch, env=env)
        first = (box / "0.mail").read_text()
        assert "To: certrequest@ligo.org\n" in first
        assert f"signet-ca request approve {name}" in first
        assert re.search(r"\n([0-9A-F]{2}:){31}[0-9A-F]{2}\n", first)
        office.ask("bob", "request", "approve", name)
        run(*watch, env=env)
        mails = [p.read_text() for p in sorted(box.iterdir())]
        assert len(mails) == 2  # an approval alone is nobody's news
        assert "To: eve@ligo.org\n" in mails[1]
        # What is in the mail is a reply that the host accepts.
        reply = tmp_path / "reply"
        start = mails[1].index("Signet certificate reply")
        reply.write_text(mails[1][start:])
        pem = tmp_path / "cert.pem"
        run(SIGNET_CA, "request", "accept", reply, "--key", f"{path}.key",
            "--request", path, "--root", office.root.root / "ca.pem", "--out",
            pem)
        assert subject_of(pem).endswith("CN=mailed.ligo.org")


def test_an_address_in_a_request_reaches_no_command_line(kdc, tmp_path):
    mark = tmp_path / "mark"
    env = dict(os.environ, SIGNET_EVENT="rejected", SIGNET_REQUEST="0" * 20,
               SIGNET_CONTACT_MAIL=f"x@y`touch {mark}`; touch {mark} -OQ",
               OFFICE_MAIL="office@ligo.org", SENDMAIL="/bin/cat")
    env["SENDMAIL"] = str(tmp_path / "sendmail")
    (tmp_path / "sendmail").write_text(f"#!/bin/sh\ncat >{tmp_path}/mail\n")
    (tmp_path / "sendmail").chmod(0o755)
    run(REPO / "share/office/mail-hook", env=env)
    assert "To: office@ligo.org\n" in (tmp_path / "mail").read_text()
    assert not mark.exists()


@pytest.mark.parametrize("status", [6, 8])
def test_no_mail_goes_out_with_half_a_reply(tmp_path, status):
    """What passes is waited for; what does not is said."""
    mail, sendmail = tmp_path / "mail", tmp_path / "sendmail"
    sendmail.write_text(f"#!/bin/sh\ncat >{mail}\n")
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\necho Signet certificate rep\n"
                       f"exit {status}\n")
    for path in (sendmail, program):
        path.chmod(0o755)
    env = dict(os.environ, SIGNET_EVENT="issued", SIGNET_REQUEST="0" * 20,
               SIGNET_CONTACT_MAIL="eve@ligo.org", SENDMAIL=str(sendmail),
               SIGNET_PROGRAM=str(program))
    done = run(REPO / "share/office/mail-hook", env=env, check=False)
    if status == 6:
        assert done.returncode == 1 and not mail.exists()
        return
    assert done.returncode == 0
    assert f"request fetch {'0' * 20} --out FILE" in mail.read_text()
    assert "certificate rep" not in mail.read_text()


def people():
    me = getpass.getuser()
    return [{"uid": "ann", "userPassword": "x", "cn": "Ann", "sn": "A",
             "mail": "ann@LIGO.TEST", "employeeType": ["approver", "revoker"],
             "description": ["host .ligo.org", "robot Robot: a - b"]},
            {"uid": me, "userPassword": "x", "cn": "Me", "sn": "M",
             "mail": "me@LIGO.TEST", "employeeType": ["requester"],
             "description": ["host gw.ligo.org"]}]


def from_directory(ldap, out, *more, check=True, base=None):
    return run(SIGNET_CA, "staff", "ldap", "--uri", ldap.uri, "--base",
               base or "ou=people,dc=ligo,dc=org", "--ca-file", ldap.ca_file,
               "--attr", "principal=mail", "--attr", "role=employeeType",
               "--attr", "may-ask=description", "--out", out, *more,
               check=check)


def test_the_staff_as_a_directory_has_it(kdc, tmp_path):
    with Slapd(str(tmp_path / "slapd"), people=people()) as ldap:
        out = tmp_path / "staff"
        from_directory(ldap, out)
        said = run(SIGNET_CA, "staff", "check", out).stdout
        assert 'role "ann" approver revoker' in said
        assert 'may-ask "ann" "robot" "Robot: a - b"' in said
        # It is one that an office works with.
        with Office(tmp_path / "site", kdc, staff=out.read_text()) as office:
            me = office.say(None, "office", "whoami")
            assert me == {"who": getpass.getuser(), "roles": ["requester"],
                          "method": f"uid {os.getuid()}"}
            path, name = office.request("gw.ligo.org")
            office.ask(None, "request", "submit", path)
            assert office.say("ann", "request", "approve",
                              name)["state"] == "issued"
            path, _ = office.request("www.ligo.org")
            assert office.ask(None, "request", "submit", path,
                              check=False).returncode == 8
        # What cannot be had leaves what is there.
        before = out.read_text()
        nobody = from_directory(ldap, out, "--filter", "(uid=missing)",
                                check=False)
        assert nobody.returncode == 3 and out.read_text() == before
        wrong = from_directory(ldap, out, "--attr", "role=sn", check=False)
        assert wrong.returncode == 78 and "no role" in wrong.stderr
        assert out.read_text() == before
        password = tmp_path / "password"
        password.write_text(SEARCHER_PASSWORD + "\n")
        password.chmod(0o600)
        from_directory(ldap, out, "--bind-dn", SEARCHER, "--password-file",
                       password)
        password.write_text("wrong\n")
        failed = from_directory(ldap, out, "--bind-dn", SEARCHER,
                                "--password-file", password, check=False)
        assert failed.returncode == 6
    gone = from_directory(ldap, out, check=False)
    assert gone.returncode == 6
