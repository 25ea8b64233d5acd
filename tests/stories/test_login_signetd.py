"""signet login, myproxy-logon and signet trustroots against signetd: both ends
ours."""

import json
import os
import re
import signal
import subprocess
import time

import pytest
from gct import handshake
from signet_site import BUILD, PEOPLE, SIGNET_CA, Site, openssl, run

SIGNET = BUILD / "signet" / "signet"
SUBJECT = f"{PEOPLE}/CN=user0@LIGO.TEST"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    users = {"user0": "secret123", "user1": "secret456"}
    with Site(tmp_path_factory.mktemp("site"), users=users,
              auth=("passwd", "certificate")) as site:
        yield site


def env_of(site, home, **more):
    conf = home / "signet.conf"
    conf.write_text(f"server localhost:{site.port}\nrealm {site.realm}\n"
                    "auth password\n")
    env = site.client_env(HOME=home, XDG_CACHE_HOME=home / "cache",
                          SIGNET_CONF=conf, X509_USER_PROXY=home / "p.pem",
                          **more)
    del env["MYPROXY_SERVER"], env["MYPROXY_SERVER_PORT"]
    return env


def login(site, home, *args, password="secret123", check=True, **more):
    return run(SIGNET, "login", "--password-stdin", *args, check=check,
               input=password + "\n", env=env_of(site, home, **more))


def last_certificate(proxy):
    """The certificate under the proxy, as text."""
    blocks = re.findall(r"-----BEGIN CERTIFICATE-----.*?"
                        r"-----END CERTIFICATE-----\n", proxy.read_text(),
                        re.S)
    return openssl("x509", "-noout", "-text", input=blocks[1]).stdout


def test_stock_software_delegates_from_what_a_login_leaves(site, tmp_path):
    """A GSS handshake of the stock libraries, with delegation, as gsissh and
    third-party transfers want it; by nothing but the defaults of a login."""
    login(site, tmp_path, "user0")
    result = handshake(tmp_path / "p.pem", site.trust,
                       site.dir / "hostcert.pem", site.dir / "hostkey.pem",
                       "-D", "-t", "host@localhost", check=False)
    assert result.returncode == 0, result.stderr
    line = next(s for s in result.stdout.splitlines() if "delegated=" in s)
    os.unlink(line.split("=")[-1])
    # An EC certificate under an RSA proxy is accepted, but not delegated from:
    # why it is not the default.
    login(site, tmp_path, "--certificate-key", "ec:P-256", "user0")
    host = site.dir / "hostcert.pem", site.dir / "hostkey.pem"
    assert handshake(tmp_path / "p.pem", site.trust, *host) == SUBJECT
    result = handshake(tmp_path / "p.pem", site.trust, *host, "-D", "-t", "host@localhost",
                       check=False)
    assert result.returncode != 0 and "algorithm" in result.stderr


@pytest.mark.parametrize("key", ["rsa:2048", "ec:P-256", "ec:P-384"])
def test_the_certificate_is_of_one_kind_with_the_proxy(site, tmp_path, key):
    before = len(site.ledger_lines())
    done = login(site, tmp_path, "--key", key, "user0")
    assert f"Your identity: {SUBJECT}\n" in done.stdout
    # Of one kind with the proxy's: stock GSI delegates from RSA only.
    assert ("prime256v1" in last_certificate(tmp_path / "p.pem")) == \
        key.startswith("ec:")
    openssl("verify", "-allow_proxy_certs", "-CApath", site.trust,
            "-untrusted", tmp_path / "p.pem", tmp_path / "p.pem")
    # No detour by a key that is refused.
    assert len(site.ledger_lines()) == before + 1


def test_a_refusal_has_a_reference_that_the_log_knows(site, tmp_path):
    done = login(site, tmp_path, "user0", password="wrong-one", check=False)
    assert done.returncode == 5
    assert "the user name or the password is wrong" in done.stderr
    ref = re.search(r"reference (\w+)", done.stderr).group(1)
    assert site.wait_log(rf"login-refused.*ref={ref}")


def test_a_lifetime_past_the_policy_is_cut_and_said(site, tmp_path):
    done = login(site, tmp_path, "--valid", "2000:00", "user0")
    assert "ends before the time asked for" in done.stderr
    openssl("verify", "-allow_proxy_certs", "-CApath", site.trust,
            "-untrusted", tmp_path / "p.pem", tmp_path / "p.pem")


def test_a_proxy_that_was_checked_before_it_was_written(site, tmp_path):
    login(site, tmp_path, "--verify", "user0")
    done = login(site, tmp_path, "--json", "user0")
    assert json.loads(done.stdout)["verified"] is True


def test_bootstrap_then_trust(site, tmp_path):
    trust = tmp_path / "trust"
    done = login(site, tmp_path, "-b", "user0", X509_CERT_DIR=trust)
    assert done.stderr.count("SHA-256 ") == 2
    assert {p.name for p in site.trust.glob("[!.]*")} <= \
        {p.name for p in trust.iterdir()}
    login(site, tmp_path, "user0", X509_CERT_DIR=trust)


def test_trust_roots_are_what_the_site_publishes(site, tmp_path):
    trust = tmp_path / "trust"
    trust.mkdir()
    slcs = openssl("x509", "-in", site.ca / "ca.pem", "-noout",
                   "-hash").stdout.strip()
    for path in site.trust.glob("[!.]*"):
        if not path.name.startswith(slcs):
            (trust / path.name).write_bytes(path.read_bytes())
    done = run(SIGNET, "trustroots", "--json",
               env=env_of(site, tmp_path, X509_CERT_DIR=trust))
    assert json.loads(done.stdout)["files"] == len(list(site.trust.glob("[!.]*")))
    for path in site.trust.glob("[!.]*"):
        assert (trust / path.name).read_bytes() == path.read_bytes()


def test_a_credential_renews_itself(site, tmp_path):
    login(site, tmp_path, "--key", "ec:P-256", "user0")
    first = (tmp_path / "p.pem").read_text()
    done = run(SIGNET, "login", "--authorization", tmp_path / "p.pem",
               "user0", env=env_of(site, tmp_path))
    assert f"Your identity: {SUBJECT}\n" in done.stdout
    assert (tmp_path / "p.pem").read_text() != first
    refused = run(SIGNET, "login", "--authorization", tmp_path / "p.pem",
                  "user1", env=env_of(site, tmp_path), check=False)
    assert refused.returncode in (5, 8)


def test_who_has_a_revoked_certificate_renews_no_more(site, tmp_path):
    """At once: before any list says so, and by no heir of it either."""
    login(site, tmp_path, "user1", password="secret456")
    renew = [SIGNET, "login", "--authorization", tmp_path / "p.pem", "user1"]
    env = env_of(site, tmp_path)
    serial = [c["serial"] for c in site.ledger_lines()
              if "user1@" in c["subject"]][-1]
    run(*renew, env=env)
    run(SIGNET_CA, "revoke", site.ca, serial, "--ledger", site.ledger)
    refused = run(*renew, env=env, check=False)
    assert refused.returncode == 8 and "not permitted" in refused.stderr
    assert "has a revoked certificate" in site.log_now()
    # A password proves more than a certificate does.
    login(site, tmp_path, "user1", password="secret456")


def set_limit(site, *settings):
    site.settings = list(settings)
    site.write_conf()
    generation = 1 + site.log_now().count(": reloaded ") + 1
    site.process.send_signal(signal.SIGHUP)
    site.wait_log(rf": reloaded generation={generation}\b")


def test_renewal_ends_so_long_after_the_login(site, tmp_path):
    """Each renewal shows what the last one got: the login is what counts."""
    login(site, tmp_path, "user0")
    renew = [SIGNET, "login", "--authorization", tmp_path / "p.pem", "user0"]
    env = env_of(site, tmp_path)
    run(*renew, env=env)
    set_limit(site, "renewal-limit 1")
    try:
        end = time.monotonic() + 60
        while (last := run(*renew, env=env, check=False)).returncode == 0:
            assert time.monotonic() < end
        assert last.returncode == 8 and "not permitted" in last.stderr
        assert "more than renewal-limit" in site.log_now()
        set_limit(site, "renewal-limit 0")
        run(*renew, env=env)
        # A renewal is no login: what it got is as old as what was shown.
        set_limit(site, "renewal-limit 1")
        assert run(*renew, env=env, check=False).returncode == 8
        # A password is one.
        login(site, tmp_path, "user0")
    finally:
        set_limit(site)
    run(*renew, env=env)
    run(SIGNET_CA, "ledger", "check", "--ledger", site.ledger)


def test_the_old_command_works_too(site, tmp_path):
    link = tmp_path / "myproxy-logon"
    link.symlink_to(SIGNET)
    out = tmp_path / "c.pem"
    done = run(link, "-S", "-l", "user0", "-o", out, "-s",
               f"localhost:{site.port}", env=env_of(site, tmp_path),
               input="secret123\n")
    assert done.stdout == \
        f"A credential has been received for user user0 in {out}.\n"
    run(link, "-S", "-l", "user0", "-o", out, "--key", "ec:P-256", "-s",
        f"localhost:{site.port}", env=env_of(site, tmp_path),
        input="secret123\n")
    openssl("verify", "-CApath", site.trust, "-untrusted", out, out)


def doctor_of_clocks(site, home, *wrapper):
    """What signet doctor says of the clock, with the server's beside it."""
    # A sanitizer minds that libfaketime is loaded before it.
    env = env_of(site, home, ASAN_OPTIONS="verify_asan_link_order=0")
    done = run(*wrapper, SIGNET, "doctor", "--json", env=env, check=False)
    return [(c["level"], c["message"], c["hint"])
            for c in json.loads(done.stdout)["checks"]
            if c["check"] == "clock" and "localhost" in c["message"]], done


@pytest.mark.parametrize("shift,says", [
    ("-3h", "behind that of localhost"), ("+2h", "ahead of that of localhost"),
    ("+9000d", "ahead of that of localhost")])
def test_a_clock_that_is_not_the_servers_is_seen(site, tmp_path, shift, says):
    """Also where the certificates are not good at the time we think it is."""
    found, done = doctor_of_clocks(site, tmp_path, "faketime", "-f", shift)
    assert len(found) == 1, done.stdout
    level, text, hint = found[0]
    assert level == "fail" and says in text and "set this clock" in hint
    assert done.returncode != 0
    seconds = int(re.search(r"is (\d+) seconds", text).group(1))
    played = {"-3h": 10800, "+2h": 7200, "+9000d": 9000 * 86400}[shift]
    assert abs(seconds - played) < 60


def test_a_clock_that_is_the_servers_is_no_finding(site, tmp_path):
    found, done = doctor_of_clocks(site, tmp_path)
    assert not found, done.stdout


def test_a_full_disk_for_the_answer_is_an_error(site, tmp_path):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [str(SIGNET), "login", "--password-stdin", "user0"],
            env=env_of(site, tmp_path), input="secret123\n", text=True,
            stdout=full, stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == 1
    assert "writing the answer" in done.stderr


# LeakSanitizer does not work under strace.
@pytest.mark.heavy
def test_nothing_of_the_keys_is_in_the_process_list_or_on_disk(site,
                                                               tmp_path):
    """Every file that is opened for writing, as strace sees it."""
    trace = tmp_path / "trace"
    env = env_of(site, tmp_path)
    done = subprocess.run(
        ["strace", "-f", "-e", "trace=openat,creat,execve,mkdir,rename",
         "-o", str(trace), str(SIGNET), "login", "--password-stdin", "user0"],
        env=env, input="secret123\n", text=True, capture_output=True,
        timeout=60)
    if "PTRACE" in done.stderr or "ptrace" in done.stderr:
        pytest.fail(f"strace cannot trace here: {done.stderr}")
    assert done.returncode == 0, done.stderr
    text = trace.read_text()
    assert "secret123" not in text
    written = {m.group(1) for m in re.finditer(
        r'openat\([^"]*"([^"]+)", [^)]*O_(?:WRONLY|RDWR)', text)
        if "ENOENT" not in m.group(0)}
    allowed = {str(tmp_path / "p.pem"), str(tmp_path / "cache/signet"),
               "/dev/tty", "/dev/null"}
    for path in written:
        assert any(path.startswith(a) for a in allowed), path
    assert text.count("execve(") == 1
