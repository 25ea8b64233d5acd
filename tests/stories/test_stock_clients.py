"""Debian's myproxy-logon and myproxy-get-trustroots against signetd."""

import os
import re
import shutil
import subprocess
import time

import pytest
from kdc import Kdc
from signet_site import PEOPLE, Site, openssl, run

SUBJECT = f"{PEOPLE}/CN=user0@LIGO.TEST"


def subject_of(pem):
    return openssl("x509", "-in", pem, "-noout", "-subject", "-nameopt",
                   "compat").stdout.strip().removeprefix("subject=")


def seconds_left(pem):
    """From now to notAfter."""
    end = openssl("x509", "-in", pem, "-noout", "-enddate").stdout
    parsed = time.strptime(end.strip().removeprefix("notAfter="),
                           "%b %d %H:%M:%S %Y GMT")
    import calendar
    return calendar.timegm(parsed) - time.time()


def verify(site, pem):
    return openssl("verify", "-x509_strict", "-CApath", site.trust,
                   "-untrusted", pem, pem)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with Site(tmp_path_factory.mktemp("site"), key="rsa:2048") as s:
        yield s


def test_a_password_becomes_a_certificate(site):
    out = site.dir / "a.pem"
    said = site.stock_logon(out=out).stdout
    assert "A credential has been received for user user0" in said
    assert subject_of(out) == SUBJECT
    verify(site, out)
    assert abs(seconds_left(out) - 43200) < 60
    serial = openssl("x509", "-in", out, "-noout", "-serial").stdout
    number = int(serial.strip().removeprefix("serial="), 16)
    assert 500000000 <= number < 600000000
    lines = site.ledger_lines()
    assert any(int(line["serial"], 16) == number and
               line["subject"] == SUBJECT for line in lines)


@pytest.mark.parametrize("hours,seconds", [(1, 3600), (48, 172800),
                                           (5000, 1000000)])
def test_a_lifetime_is_as_asked_up_to_the_ceiling(site, hours, seconds):
    out = site.dir / f"t{hours}.pem"
    site.stock_logon("-t", str(hours), out=out)
    assert abs(seconds_left(out) - seconds) < 400  # less the backdating


def test_no_lifetime_means_the_default(site):
    out = site.dir / "t0.pem"
    site.stock_logon("-t", "0", out=out)
    assert abs(seconds_left(out) - 43200) < 60


def test_unknown_user_and_wrong_password_read_the_same(site):
    out = site.dir / "none.pem"
    wrong = site.stock_logon(password="wrong-password", out=out, check=False)
    unknown = site.stock_logon(user="nobody9", out=out, check=False)
    assert wrong.returncode == unknown.returncode == 1
    assert not out.exists()

    def sentence(result):
        return re.sub(r"reference \w+", "reference R", result.stderr)
    assert sentence(wrong) == sentence(unknown)
    assert "the user name or the password is wrong" in wrong.stderr


def test_the_reference_that_the_user_reads_is_in_the_log(site):
    result = site.stock_logon(password="wrong-password", check=False)
    ref = re.search(r"reference (\w+)", result.stderr).group(1)
    site.wait_log(rf"login-refused ref={ref} ")


def test_trust_roots_come_along(site, tmp_path):
    env = site.client_env(X509_CERT_DIR=tmp_path / "certs")
    shutil.copytree(site.trust, tmp_path / "certs")
    for crl in (tmp_path / "certs").glob("*.r0"):
        crl.unlink()
    site.stock_logon("-T", env=env, out=tmp_path / "c.pem")
    got = {p.name for p in (tmp_path / "certs").iterdir()}
    assert {p.name for p in site.trust.glob("[!.]*")} <= got


def test_bootstrap_from_nothing(site, tmp_path):
    env = site.client_env(X509_CERT_DIR=tmp_path / "certs")
    site.stock_logon("-b", env=env, out=tmp_path / "c.pem")
    assert len(list((tmp_path / "certs").glob("*.0"))) == 3
    openssl("verify", "-CApath", tmp_path / "certs", "-untrusted",
            tmp_path / "c.pem", tmp_path / "c.pem")


def test_get_trustroots(site, tmp_path):
    env = site.client_env(X509_CERT_DIR=tmp_path / "certs")
    result = run("/usr/bin/myproxy-get-trustroots", "-b", env=env)
    assert "Trust roots have been installed" in result.stdout
    for path in site.trust.glob("[!.]*"):
        if path.name.endswith(".signing_policy"):
            continue  # -b has made one that is narrower, and rewrote it
        assert (tmp_path / "certs" / path.name).read_bytes() == \
            path.read_bytes()


def with_credential(site):
    """Commands of a repository want their owner's certificate."""
    out = site.dir / "owner.pem"
    site.stock_logon(out=out)
    return site.client_env(X509_USER_PROXY=out)


def test_info_is_answered(site):
    result = run("/usr/bin/myproxy-info", "-l", "user0", check=False,
                 env=with_credential(site))
    assert result.returncode == 1
    assert "no credentials" in result.stderr.lower()
    # The time for our own doctor is nothing to it.
    assert "SERVER_TIME" not in result.stdout + result.stderr


@pytest.mark.parametrize("command", ["myproxy-destroy",
                                     "myproxy-change-pass-phrase"])
def test_what_a_ca_does_not_do_is_said(site, command):
    args = ["-S"] if command.endswith("phrase") else []
    result = run(f"/usr/bin/{command}", "-l", "user0", *args, check=False,
                 input="secret123\nsecret456\n", env=with_credential(site))
    assert result.returncode != 0
    assert "not supported" in result.stderr


@pytest.mark.parametrize("curve", ["P-256", "P-384"])
def test_ec_requests_are_served(site, tmp_path, curve):
    openssl("req", "-new", "-newkey", "ec", "-pkeyopt",
            f"ec_paramgen_curve:{curve}", "-nodes", "-keyout",
            tmp_path / "k.pem", "-out", tmp_path / "r.pem", "-subj", "/CN=x")
    out = tmp_path / "c.pem"
    site.stock_logon("-Q", tmp_path / "r.pem", out=out)
    text = openssl("x509", "-in", out, "-noout", "-text").stdout
    assert f"ASN1 OID: {'prime256v1' if curve == 'P-256' else 'secp384r1'}" \
        in text
    assert "Key Encipherment" not in text
    verify(site, out)


def test_a_weak_key_is_refused_with_the_reason(site, tmp_path):
    openssl("req", "-new", "-newkey", "rsa:1024", "-nodes", "-keyout",
            tmp_path / "k.pem", "-out", tmp_path / "r.pem", "-subj", "/CN=x")
    result = site.stock_logon("-Q", tmp_path / "r.pem", check=False,
                              out=tmp_path / "c.pem")
    assert result.returncode == 1
    assert "key in the certificate request is not acceptable" in result.stderr


def test_what_the_request_says_of_names_is_ignored(site, tmp_path):
    openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout",
            tmp_path / "k.pem", "-out", tmp_path / "r.pem", "-subj",
            "/CN=root", "-addext", "basicConstraints=critical,CA:TRUE",
            "-addext", "subjectAltName=DNS:evil.example")
    out = tmp_path / "c.pem"
    site.stock_logon("-Q", tmp_path / "r.pem", out=out)
    text = openssl("x509", "-in", out, "-noout", "-text").stdout
    assert subject_of(out) == SUBJECT
    assert "CA:FALSE" in text and "evil" not in text


def test_authenticate_only(site):
    result = run("/usr/bin/myproxy-logon", "-l", "user0", "-S", "-N",
                 input="secret123\n", env=site.client_env())
    assert result.returncode == 0


def test_kerberos_and_no_other_name(tmp_path):
    with Kdc(tmp_path / "kdc", users={"user0": "secret123",
                                      "user1": "other456"},
             services=("myproxy/localhost",
                       f"myproxy/{os.uname().nodename}")) as kdc:
        if os.getuid() == 0:
            os.chmod(tmp_path, 0o755)
            os.chmod(kdc.dir, 0o755)
            os.chown(kdc.keytab, 61302, 0)
        with Site(tmp_path / "site", auth=("kerberos",), key="rsa:2048",
                  env={"KRB5_CONFIG": kdc.krb5_conf},
                  settings=[f"keytab {kdc.keytab}"],
                  hosts=("localhost", os.uname().nodename)) as site:
            env = site.client_env(**kdc.kinit("user0", "secret123"))
            env.update(MYPROXY_SERVER="localhost",
                       MYPROXY_SERVER_PORT=str(site.port))
            out = tmp_path / "c.pem"
            site.stock_logon(password=None, env=env, out=out)
            assert subject_of(out) == SUBJECT
            other = site.stock_logon(password=None, user="user1", env=env,
                                     out=tmp_path / "d.pem", check=False)
            assert other.returncode == 1
            assert not (tmp_path / "d.pem").exists()
            subprocess.run(["kdestroy"], env=env, check=True)
            none = site.stock_logon(password=None, env=env, check=False,
                                    out=tmp_path / "d.pem")
            assert none.returncode == 1


def test_pam(tmp_path):
    pam = tmp_path / "pam.d"
    pam.mkdir()
    os.chmod(tmp_path, 0o755)
    hashed = openssl("passwd", "-6", "secret123").stdout.strip()
    (tmp_path / "pamusers").write_text(f"user0:{hashed}\n")
    (pam / "signet").write_text(
        f"auth required pam_pwdfile.so pwdfile={tmp_path}/pamusers\n"
        "account required pam_permit.so\n")
    with Site(tmp_path / "site", auth=("pam",), key="rsa:2048",
              settings=[f"pam-dir {pam}"]) as site:
        out = tmp_path / "c.pem"
        site.stock_logon(out=out)
        assert subject_of(out) == SUBJECT
        wrong = site.stock_logon(password="wrong-password", check=False,
                                 out=tmp_path / "d.pem")
        assert wrong.returncode == 1
        assert "user name or the password is wrong" in wrong.stderr


def test_renewal_by_certificate(tmp_path):
    with Site(tmp_path / "site", auth=("passwd", "certificate"),
              key="rsa:2048") as site:
        old = tmp_path / "old.pem"
        site.stock_logon("-t", "1", out=old)
        env = site.client_env(X509_USER_PROXY=tmp_path / "none")
        new = tmp_path / "new.pem"
        site.stock_logon("-a", old, "-t", "2", password=None, env=env,
                         out=new)
        assert subject_of(new) == SUBJECT
        assert seconds_left(new) > seconds_left(old) + 1800
        other = site.stock_logon("-a", old, user="user1", password=None,
                                 env=env, check=False, out=tmp_path / "x.pem")
        assert other.returncode == 1


def test_a_host_certificate_that_has_expired_is_not_believed(tmp_path):
    """The client's clock is two years ahead: its side says no."""
    with Site(tmp_path / "site", key="rsa:2048") as site:
        result = run("faketime", "+800 days", "/usr/bin/myproxy-logon", "-l",
                     "user0", "-S", "-o", tmp_path / "c.pem",
                     input="secret123\n", check=False, env=site.client_env())
        assert result.returncode == 1
        assert not (tmp_path / "c.pem").exists()
