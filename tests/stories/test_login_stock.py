"""signet login, and myproxy-logon and myproxy-get-trustroots as we speak them,
against Debian's myproxy-server in CA mode."""

import json
import os
import pathlib
import pty
import shutil
import stat
import subprocess
import time

import pytest
from kdc import free_port
from stock_login import (
    SIGNET, SUBJECT, info, kdc, krb, links, login, other_trust, pam, pki,
    root, run, verify)
from stock_myproxy import openssl


# With a password.

def test_a_password_becomes_a_proxy_that_stock_tools_read(pam, tmp_path):
    done = login(pam, tmp_path, "user0")
    proxy = tmp_path / "proxy.pem"
    env = pam.env(tmp_path)
    assert f"Your identity: {SUBJECT}\n" in done.stdout
    assert done.stderr == ""
    assert stat.S_IMODE(proxy.stat().st_mode) == 0o600
    assert info(proxy, "-identity", env) == SUBJECT
    assert info(proxy, "-type", env) == \
        "RFC 3820 compliant impersonation proxy"
    assert info(proxy, "-strength", env) == "2048"
    assert 43000 < int(info(proxy, "-timeleft", env)) <= 43200
    verify(pam.pki, proxy)
    labels = [line for line in proxy.read_text().splitlines()
              if line.startswith("-----BEGIN")]
    assert labels[:3] == ["-----BEGIN CERTIFICATE-----",
                          "-----BEGIN RSA PRIVATE KEY-----",
                          "-----BEGIN CERTIFICATE-----"]


def test_nothing_but_proxy_and_name_is_left_on_disk(pam, tmp_path):
    login(pam, tmp_path, "user0")
    files = sorted(str(p.relative_to(tmp_path))
                   for p in tmp_path.rglob("*") if p.is_file())
    assert files == [".cache/signet/username", "proxy.pem"]
    name = tmp_path / ".cache/signet/username"
    assert name.read_text() == "user0\n"
    assert stat.S_IMODE(name.stat().st_mode) == 0o600


def test_the_name_is_remembered(pam, tmp_path):
    first = login(pam, tmp_path, check=False)
    assert first.returncode == 2
    assert "login YOUR.NAME" in first.stderr
    login(pam, tmp_path, "user1", password="secret456")
    done = login(pam, tmp_path, password="secret456")
    assert "CN=user1@LIGO.TEST" in done.stdout


@pytest.mark.parametrize("user,password", [("user0", "wrong-one"),
                                           ("nobody9", "secret123")])
def test_a_wrong_password_is_said_and_nothing_written(pam, tmp_path, user,
                                                      password):
    done = login(pam, tmp_path, user, password=password, check=False)
    assert done.returncode == 5
    assert "Check the user name and the password." in done.stderr
    assert list(tmp_path.rglob("*")) == []


def test_errors_are_an_object_for_programs(pam, tmp_path):
    done = login(pam, tmp_path, "user0", "--json", password="wrong-one",
                 check=False)
    error = json.loads(done.stdout)["error"]
    assert error["code"] == "login" and error["exit"] == 5
    assert "invalid password" in error["message"]
    assert error["hint"]


def test_the_answer_is_an_object_for_programs(pam, tmp_path):
    done = login(pam, tmp_path, "user0", "--json")
    answer = json.loads(done.stdout)
    assert answer["identity"] == SUBJECT
    assert answer["path"] == f"{tmp_path}/proxy.pem"
    assert answer["key"] == {"algorithm": "RSA", "bits": 2048}
    assert answer["verified"] is True
    assert answer["type"] == "rfc3820" and answer["limited"] is False


@pytest.mark.parametrize("options,kind", [
    (["--limited"], "RFC 3820 compliant limited proxy"),
    (["--independent"], "RFC 3820 compliant independent proxy"),
    (["--rfc"], "RFC 3820 compliant impersonation proxy"),
    (["--draft"], "Proxy draft (pre-RFC) compliant impersonation proxy")])
def test_the_kind_of_proxy_is_as_asked(pam, tmp_path, options, kind):
    login(pam, tmp_path, "user0", *options)
    assert info(tmp_path / "proxy.pem", "-type", pam.env(tmp_path)) == kind


def test_lifetime_key_and_path_length_are_as_asked(pam, tmp_path):
    out = tmp_path / "other.pem"
    login(pam, tmp_path, "user0", "--valid", "1:30", "--key", "ec:P-256",
          "--path-length", "2", "-o", out)
    assert not (tmp_path / "proxy.pem").exists()
    text = openssl("x509", "-in", out, "-noout", "-text")
    assert "Path Length Constraint: 02" in text or \
        "Path Length Constraint: 2" in text
    assert "prime256v1" in text
    assert 5300 < int(info(out, "-timeleft", pam.env(tmp_path))) <= 5400
    verify(pam.pki, out)


def test_a_certificate_of_rsa_is_got_without_a_detour_if_asked(pam, tmp_path):
    login(pam, tmp_path, "user0", "--certificate-key", "rsa:2048")
    refused = login(pam, tmp_path, "user0", "--certificate-key", "ec:P-256",
                    check=False)
    assert refused.returncode == 1
    assert "Certificate generation failure" in refused.stderr


def test_servers_are_tried_in_order(pam, tmp_path):
    dead = free_port()
    done = login(pam, tmp_path, "user0", "--server",
                 f"localhost:{dead},localhost:{pam.port}")
    assert f"localhost:{dead}" in done.stderr or "refused" in done.stderr
    assert (tmp_path / "proxy.pem").exists()


def test_no_server_at_all_is_its_own_exit_status(pam, tmp_path):
    gone = login(pam, tmp_path, "user0", "--server", "localhost", "--port",
                 free_port(), check=False)
    assert gone.returncode == 6
    assert "Check the server's name" in gone.stderr
    none = login(pam, tmp_path, "user0", check=False, MYPROXY_SERVER="")
    assert none.returncode == 2
    assert "no server is named" in none.stderr


def test_settings_name_server_realm_and_method(pam, tmp_path):
    conf = tmp_path / "site.conf"
    conf.write_text(f"server localhost:{pam.port}\nrealm LIGO.TEST\n"
                    "auth password\nlifetime 2h\nkey ec:P-256\n")
    own = tmp_path / ".config/signet/signet.conf"
    own.parent.mkdir(parents=True)
    own.write_text("lifetime 3h\n")
    env = pam.env(tmp_path, SIGNET_CONF=conf)
    for name in ("MYPROXY_SERVER", "MYPROXY_SERVER_PORT"):
        del env[name]
    run(SIGNET, "login", "--password-stdin", "user0", env=env,
        stdin="secret123\n")
    left = int(info(tmp_path / "proxy.pem", "-timeleft", env))
    assert 10700 < left <= 10800
    own.write_text("lifetme 3h\n")
    done = run(SIGNET, "login", "--password-stdin", env=env, check=False)
    assert done.returncode == 78
    assert f'{own}:1: unknown keyword "lifetme"; did you mean "lifetime"?' \
        in done.stderr


# Whom we trust.

def test_a_server_of_another_name_is_refused(pam, tmp_path):
    done = login(pam, tmp_path, "user0", "--server", "127.0.0.1", check=False)
    assert done.returncode == 7
    assert "CN=localhost" in done.stderr
    login(pam, tmp_path, "user0", "--server", "127.0.0.1", "--server-dn",
          "/DC=org/DC=ligo/O=LIGO/OU=Services/CN=localhost")
    done = login(pam, tmp_path, "user0", check=False,
                 MYPROXY_SERVER_DN="/CN=nope")
    assert done.returncode == 7


def test_a_server_without_signing_policy_is_refused(pam, tmp_path):
    trust = other_trust(pam.pki, tmp_path)
    (trust / (pam.pki.hash(pam.pki.services / "cert.pem") +
              ".signing_policy")).unlink()
    done = login(pam, tmp_path, "user0", check=False, X509_CERT_DIR=trust)
    assert done.returncode == 7
    assert "signing" in done.stderr
    assert not (tmp_path / "proxy.pem").exists()


def test_an_expired_crl_refuses_the_server(pam, tmp_path):
    trust = other_trust(pam.pki, tmp_path)
    crl = pam.pki.crl(pam.pki.services, days=0)
    shutil.move(crl, trust / crl.name)
    pam.pki.crl(pam.pki.services)  # for the others
    done = login(pam, tmp_path, "user0", check=False, X509_CERT_DIR=trust)
    assert done.returncode == 7
    assert "CRL" in done.stderr


def test_without_anchors_nothing_is_sent(pam, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    done = login(pam, tmp_path, "user0", check=False, X509_CERT_DIR=empty)
    assert done.returncode == 7
    assert "add -b" in done.stderr


def test_bootstrap_installs_what_was_seen_and_then_the_roots(pam, tmp_path):
    trust = tmp_path / "new" / "certificates"
    done = login(pam, tmp_path, "user0", "-b", X509_CERT_DIR=trust)
    assert "New trusted CA" in done.stderr and "SHA-256 " in done.stderr
    root = openssl("x509", "-in", pam.pki.root / "cert.pem", "-noout",
                   "-fingerprint", "-sha256").split("=")[1].strip()
    assert root in done.stderr.upper()
    names = {p.name for p in trust.iterdir()}
    assert {p.name for p in pam.pki.trust.iterdir()} <= names
    # Known now: there is nothing to be believed on first sight.
    again = login(pam, tmp_path, "user0", "-b", X509_CERT_DIR=trust)
    assert "New trusted" not in again.stderr


def test_bootstrap_overrides_no_trust_that_is_there(pam, tmp_path):
    trust = other_trust(pam.pki, tmp_path)
    for policy in trust.glob("*.signing_policy"):
        policy.unlink()
    done = login(pam, tmp_path, "user0", "-b", check=False,
                 X509_CERT_DIR=trust)
    assert done.returncode == 7
    assert list(trust.glob("*.signing_policy")) == []


# Where the proxy goes.

def test_a_link_or_a_strangers_file_is_not_written_to(pam, tmp_path):
    target = tmp_path / "precious"
    target.write_text("keep me")
    proxy = tmp_path / "proxy.pem"
    proxy.symlink_to(target)
    done = login(pam, tmp_path, "user0", check=False)
    assert done.returncode == 8 and "symbolic link" in done.stderr
    assert target.read_text() == "keep me"
    proxy.unlink()
    proxy.write_text("theirs")
    os.chown(proxy, 12345, 12345)
    done = login(pam, tmp_path, "user0", check=False)
    assert done.returncode == 8 and "someone else" in done.stderr
    assert proxy.read_text() == "theirs"


def test_the_default_place_is_in_tmp(pam, tmp_path):
    """As a user of its own, so that nobody's proxy is overwritten."""
    uid = 61777
    place = pathlib.Path(f"/tmp/x509up_u{uid}")
    assert not place.exists()
    os.chmod(tmp_path, 0o777)
    env = pam.env(tmp_path)
    del env["X509_USER_PROXY"]
    trust = other_trust(pam.pki, tmp_path)
    env["X509_CERT_DIR"] = str(trust)
    parents = [p for p in (tmp_path, *tmp_path.parents)
               if str(p).startswith("/tmp/")]
    for parent in parents:
        os.chmod(parent, parent.stat().st_mode | 0o011)
    try:
        done = subprocess.run(
            [str(SIGNET), "login", "--auth", "password", "--password-stdin",
             "--key", "ec:P-256", "user0"], env=env, input="secret123\n",
            text=True, capture_output=True, timeout=60, user=uid, group=uid,
            extra_groups=[])
        assert done.returncode == 0, done.stderr
        assert place.stat().st_uid == uid
        assert stat.S_IMODE(place.stat().st_mode) == 0o600
    finally:
        place.unlink(missing_ok=True)


def at_a_terminal(args, env, answer, until):
    """Run with a terminal; what was shown, and the exit status."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(str(args[0]), [str(a) for a in args], env)
    shown = b""
    end = time.monotonic() + 30
    while until not in shown:
        assert time.monotonic() < end, shown
        shown += os.read(fd, 1000)
    os.write(fd, answer.encode() + b"\n")
    while True:
        try:
            more = os.read(fd, 1000)
        except OSError:
            break
        if not more:
            break
        shown += more
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(fd)
    return shown.decode(), status


def test_the_password_is_asked_for_at_the_terminal(pam, links, tmp_path):
    shown, status = at_a_terminal(
        [links / "ligo-login", "-auth", "password", "-realm", "LIGO.TEST",
         "user0"], pam.env(tmp_path), "secret123",
        b"Password for user0@LIGO.TEST:")
    assert status == 0
    assert "secret123" not in shown
    assert (tmp_path / "proxy.pem").exists()


# With Kerberos.

def test_a_ticket_that_is_there_is_used_and_nothing_asked(krb, kdc, tmp_path):
    kdc.kinit("user0", cache=tmp_path / "cc")
    env = krb.env(tmp_path)
    done = run(SIGNET, "login", "--no_passphrase", "--realm", "LIGO.TEST",
               env=env)
    assert f"Your identity: {SUBJECT}\n" in done.stdout
    verify(krb.pki, tmp_path / "proxy.pem")


def test_without_a_ticket_the_password_gets_one(krb, tmp_path):
    done = login(krb, tmp_path, "user0", auth="kerberos")
    assert f"Your identity: {SUBJECT}\n" in done.stdout
    held = run("klist", env=krb.env(tmp_path)).stdout
    assert "krbtgt/LIGO.TEST@LIGO.TEST" in held and "myproxy/" in held


def test_kerberos_own_prompt_names_the_principal(krb, links, tmp_path):
    shown, status = at_a_terminal(
        [links / "ligo-login", "user0"], krb.env(tmp_path), "secret123",
        b"Password for user0@LIGO.TEST:")
    assert status == 0 and "secret123" not in shown


@pytest.mark.parametrize("user,password", [("user0", "wrong-one"),
                                           ("nobody9", "secret123")])
def test_kerberos_refusals_are_login_failures(krb, tmp_path, user, password):
    done = login(krb, tmp_path, user, password=password, auth="kerberos",
                 check=False)
    assert done.returncode == 5
    assert f"{user}@LIGO.TEST" in done.stderr
    assert not (tmp_path / "proxy.pem").exists()
    assert not (tmp_path / "cc").exists()


def test_a_missing_kdc_is_said(krb, kdc, tmp_path):
    conf = tmp_path / "krb5.conf"
    conf.write_text(pathlib.Path(kdc.krb5_conf).read_text().replace(
        f":{kdc.port}", f":{free_port()}"))
    done = login(krb, tmp_path, "user0", auth="kerberos", check=False,
                 KRB5_CONFIG=conf)
    assert done.returncode == 6
    assert "krb5.conf" in done.stderr


def test_another_persons_ticket_is_not_used(krb, kdc, tmp_path):
    kdc.kinit("user1", cache=tmp_path / "cc")
    done = login(krb, tmp_path, "user0", auth="kerberos")
    assert f"Your identity: {SUBJECT}\n" in done.stdout


def test_options_of_kinit_reach_the_ticket(krb, tmp_path):
    login(krb, tmp_path, "-l", "30m", "-r", "2h", "-f", "user0",
          auth="kerberos")
    held = run("klist", "-f", env=krb.env(tmp_path)).stdout
    assert "renew until" in held and "Flags: F" in held


def faked(shift, server, home, **more):
    """signet login on a machine whose clock is wrong; libfaketime plays it."""
    if shutil.which("faketime") is None:
        pytest.fail("the package faketime is missing")
    # A sanitizer minds that libfaketime is loaded before it.
    env = server.env(home, ASAN_OPTIONS="verify_asan_link_order=0", **more)
    return run("faketime", "-f", shift, SIGNET, "login", "--password-stdin",
               "--auth", "kerberos", "user0", env=env, stdin="secret123\n",
               check=False)


def test_a_keytab_stands_for_the_password(krb, kdc, pki, tmp_path):
    kdc.add_service("robot", keytab=tmp_path / "robot.keytab")
    env = krb.env(tmp_path)
    done = run(SIGNET, "login", "-k", "-t", tmp_path / "robot.keytab",
               "--no_passphrase", "-N", "user0", env=env, check=False)
    assert done.returncode != 0  # the key is robot's, not user0's
    assert not (tmp_path / "cc").exists()
    done = run(SIGNET, "login", "-k", "-t", tmp_path / "robot.keytab",
               "--no_passphrase", "robot", env=env, check=False)
    # A ticket was got; that the CA knows no robot is another matter.
    assert done.returncode == 5 and "unknown username: robot" in done.stderr
    assert "robot@LIGO.TEST" in run("klist", env=env).stdout


def test_a_renewable_ticket_is_renewed(krb, tmp_path):
    login(krb, tmp_path, "-l", "10m", "-r", "2h", "user0", auth="kerberos")
    done = run(SIGNET, "login", "-R", "--no_passphrase", "user0",
               env=krb.env(tmp_path))
    assert f"Your identity: {SUBJECT}\n" in done.stdout
    plain = tmp_path / "plain"
    plain.mkdir()
    login(krb, plain, "-l", "10m", "user0", auth="kerberos")
    refused = run(SIGNET, "login", "-R", "--no_passphrase", "user0",
                  env=krb.env(plain), check=False)
    assert refused.returncode != 0


def test_an_expired_password_is_said_where_it_cannot_be_changed(krb, kdc, tmp_path):
    kdc.add_user("late", "old-secret")
    kdc.kadmin("modprinc -pwexpire \"1 day ago\" late")
    done = login(krb, tmp_path, "late", password="old-secret", auth="kerberos",
                 check=False)
    assert done.returncode == 5
    assert "Password expired" in done.stderr
    assert "at a terminal" in done.stderr


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        return f.read().split()


def test_keys_are_begun_before_the_password_is_asked(krb, links, tmp_path):
    """While it waits at the prompt, children are at work; when it is killed
    there, so are they."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(str(links / "ligo-login"),
                  ["ligo-login", "-bits", "4096", "user0"], krb.env(tmp_path))
    shown = b""
    while b"Password for user0@LIGO.TEST:" not in shown:
        shown += os.read(fd, 1000)
    workers = children_of(pid)
    assert workers
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    os.close(fd)
    end = time.monotonic() + 10
    for worker in workers:
        while pathlib.Path(f"/proc/{worker}").exists():
            if open(f"/proc/{worker}/stat").read().split(") ")[1][0] == "Z":
                break
            assert time.monotonic() < end
            time.sleep(0.01)
    assert not (tmp_path / "proxy.pem").exists()


def test_a_wrong_clock_is_named(krb, kdc, tmp_path):
    conf = tmp_path / "krb5.conf"
    conf.write_text(pathlib.Path(kdc.krb5_conf).read_text().replace(
        "[libdefaults]", "[libdefaults]\n  kdc_timesync = 0"))
    done = faked("+1h", krb, tmp_path, KRB5_CONFIG=conf)
    assert done.returncode == 1
    assert "set the clock" in done.stderr
    late = faked("-2h", krb, tmp_path)
    assert late.returncode == 7
    assert "not yet valid" in late.stderr
