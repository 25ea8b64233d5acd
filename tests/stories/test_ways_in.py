"""signetd with every way in switched on at once: one person, one subject; and
ways that hang hold up nobody else."""

import os
import socket
import threading
import time

import pytest
from kdc import Kdc
from signet_site import PEOPLE, ROLE_USERS, Site, open_way, openssl
from slapd import SUFFIX, Slapd

SUBJECT = f"{PEOPLE}/CN=ann@LIGO.TEST"


def subject_of(pem):
    return openssl("x509", "-in", pem, "-noout", "-subject", "-nameopt",
                   "compat").stdout.strip().removeprefix("subject=")


def make_pam(directory, users):
    directory.mkdir()
    lines = [f"{user}:{openssl('passwd', '-6', password).stdout.strip()}\n"
             for user, password in users.items()]
    (directory / "users").write_text("".join(lines))
    (directory / "signet").write_text(
        f"auth required pam_pwdfile.so pwdfile={directory}/users\n"
        "account required pam_permit.so\n")
    return directory


@pytest.fixture(scope="module")
def kdc(tmp_path_factory):
    directory = tmp_path_factory.mktemp("krb")
    host = os.uname().nodename
    with Kdc(directory / "kdc", users={"ann": "kerberos-1"},
             services=("myproxy/localhost", f"myproxy/{host}")) as kdc:
        if os.getuid() == 0:
            open_way(kdc.dir)
            os.chmod(kdc.krb5_conf, 0o644)
            os.chown(kdc.keytab, ROLE_USERS["auth"], 0)
        yield kdc


@pytest.fixture(scope="module")
def ldap(tmp_path_factory):
    people = [{"uid": "ann", "userPassword": "directory-1",
               "mail": "ann@LIGO.TEST", "description": SUBJECT},
              {"uid": "bob", "userPassword": "directory-1",
               "mail": "bob@LIGO.TEST"}]
    with Slapd(tmp_path_factory.mktemp("ldap"), people) as ldap:
        open_way(ldap.dir)
        yield ldap


def directory_of(ldap):
    return [f"ldap-uri {ldap.uri}", f"ldap-ca-file {ldap.ca_file}",
            f"ldap-base {SUFFIX}"]


def ticket_of(site, kdc, user, password):
    env = site.client_env(**kdc.kinit(user, password,
                                      cache=site.dir / "tickets"))
    env.update(MYPROXY_SERVER="localhost", MYPROXY_SERVER_PORT=str(site.port))
    return env


def test_whatever_the_way_one_person_is_one_subject(tmp_path, kdc, ldap):
    pam = make_pam(tmp_path / "pam", {"ann": "modules-1"})
    with Site(tmp_path / "site", users={"ann": "file-1234"}, key="rsa:2048",
              auth=("passwd", "pam", "ldap", "kerberos", "certificate"),
              settings=[f"pam-dir {pam}", f"keytab {kdc.keytab}",
                        *directory_of(ldap)],
              env={"KRB5_CONFIG": kdc.krb5_conf},
              hosts=("localhost", os.uname().nodename)) as site:
        ways = {}
        for way, user, password in [
                ("passwd", "ann", "file-1234"), ("pam", "ann", "modules-1"),
                ("ldap", "ann", "directory-1"),
                ("ldap-spelt", "ANN", "directory-1"),
                ("realm", "ann@LIGO.TEST", "file-1234")]:
            ways[way] = tmp_path / f"{way}.pem"
            site.stock_logon(user=user, password=password, out=ways[way])
        ways["kerberos"] = tmp_path / "kerberos.pem"
        site.stock_logon(user="ann", password=None, out=ways["kerberos"],
                         env=ticket_of(site, kdc, "ann", "kerberos-1"))
        ways["certificate"] = tmp_path / "certificate.pem"
        site.stock_logon("-a", ways["passwd"], user="ann", password=None,
                         out=ways["certificate"],
                         env=site.client_env(X509_USER_PROXY=tmp_path / "no"))
        assert {way: subject_of(pem) for way, pem in ways.items()} == {
            way: SUBJECT for way in ways}
        methods = {line["method"] for line in site.ledger_lines()}
        assert methods == {"passwd", "pam", "ldap", "kerberos", "certificate"}
        refused = site.stock_logon(user="ann", password="no-such-1",
                                   check=False)
        assert "the user name or the password is wrong" in refused.stderr
        refused = site.stock_logon(user="ann@EVIL.TEST", password="file-1234",
                                   check=False)
        assert "the user name or the password is wrong" in refused.stderr


def map_settings(source, tmp_path, ldap):
    subject = SUBJECT
    if source == "mapfile":
        (tmp_path / "grid-mapfile").write_text(f'"{subject}" ann\n')
        return [f"mapfile {tmp_path}/grid-mapfile"]
    if source == "program":
        program = tmp_path / "find-subject"
        program.write_text("#!/bin/sh\n[ \"$1\" = ann@LIGO.TEST ] || exit 1\n"
                           f"echo {subject}\n")
        program.chmod(0o755)
        return [f"map-program {program}"]
    return [*directory_of(ldap), "ldap-filter (mail={principal})"]


@pytest.mark.parametrize("source", ["mapfile", "program", "ldap"])
def test_subjects_from_elsewhere(tmp_path, ldap, source):
    users = {"ann": "file-1234", "bob": "file-1234"}
    settings = [f"subject-from {source}",
                *map_settings(source, tmp_path, ldap)]
    with Site(tmp_path / "site", users=users, settings=settings) as site:
        out = tmp_path / "c.pem"
        site.stock_logon(user="ann", password="file-1234", out=out)
        assert subject_of(out) == SUBJECT
        # bob's password is right, but no map knows him: who tries is told
        # what one with a wrong password is told.
        unknown = site.stock_logon(user="bob", password="file-1234",
                                   check=False)
        assert "the user name or the password is wrong" in unknown.stderr
        site.wait_log(r"login-refused .*user=bob .*code=ABSENT")


def test_a_subject_outside_the_name_space_is_not_signed(tmp_path):
    (tmp_path / "grid-mapfile").write_text('"/DC=org/CN=Somebody" ann\n')
    with Site(tmp_path / "site", users={"ann": "file-1234"},
              settings=["subject-from mapfile",
                        f"mapfile {tmp_path}/grid-mapfile"]) as site:
        refused = site.stock_logon(user="ann", password="file-1234",
                                   check=False)
        assert refused.returncode == 1
        assert not site.ledger_lines()


def test_a_way_that_hangs_holds_up_nobody_else(tmp_path, kdc):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(64)
        with Site(tmp_path / "site", key="rsa:2048",
                  auth=("ldap", "kerberos"),
                  settings=[f"keytab {kdc.keytab}", "auth-workers 2", "drain-timeout 1",
                            "ldap-uri "
                            f"ldap://127.0.0.1:{silent.getsockname()[1]}",
                            f"ldap-base {SUFFIX}"],
                  env={"KRB5_CONFIG": kdc.krb5_conf},
                  hosts=("localhost", os.uname().nodename)) as site:
            env = ticket_of(site, kdc, "ann", "kerberos-1")
            stuck = [threading.Thread(target=site.stock_logon, kwargs=dict(
                user=f"user{i}", password="whatever-1", check=False,
                out=tmp_path / f"{i}.pem")) for i in range(6)]
            for thread in stuck:
                thread.start()
            silent.accept()
            silent.accept()  # both workers hang now
            before = time.monotonic()
            out = tmp_path / "c.pem"
            site.stock_logon(user="ann", password=None, out=out, env=env)
            assert time.monotonic() - before < 5
            assert any(thread.is_alive() for thread in stuck)
            assert subject_of(out) == SUBJECT
            site.stop()
            for thread in stuck:
                thread.join()
