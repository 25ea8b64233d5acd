"""signetd as its administrator meets it."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest
from kdc import die_with_parent
from signet_site import SIGNETD, Site, openssl, run


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    s = Site(tmp_path_factory.mktemp("daemon"))
    yield s
    s.stop()


@pytest.fixture
def stopped(site):
    """The site, not running, its configuration as it was at first."""
    saved = site.conf.read_text()
    yield site
    site.stop()
    site.conf.write_text(saved)


def test_check_says_that_all_is_well(site):
    result = run(SIGNETD, "-c", site.conf, "--check")
    assert "all is well" in result.stdout


def test_what_it_dumps_it_reads_back(stopped, tmp_path):
    first = run(SIGNETD, "-c", stopped.conf, "--dump-config").stdout
    again = tmp_path / "again.conf"
    again.write_text(first)
    assert run(SIGNETD, "-c", again, "--dump-config").stdout == first
    assert f"realm {stopped.realm}\n" in first


@pytest.mark.parametrize("line,complaint", [
    ("raelm LIGO.ORG", r':\d+: unknown keyword "raelm".*"realm"'),
    ("max-connections 0", r":\d+: max-connections must lie in"),
    ("auth passwort", r'auth cannot be "passwort"'),
    ("ca /nowhere", r"/nowhere/ca.conf"),
    ("profile /nowhere.profile", r"/nowhere.profile"),
    ("user-front nobody-of-that-name", r"nobody-of-that-name"),
    ("listen 127.0.0.1", r"listen 127.0.0.1: the port is missing"),
    ("listen 127.0.0.1:99999", r"listen 127.0.0.1:99999: not host:port"),
    ("map-realm OLD.ORG", r"map-realm OLD.ORG: not FROM TO"),
    ("key-passphrase 1234", r"key-passphrase 1234: not terminal"),
    ("auth kerberos\nkeytab /nowhere", r"keytab /nowhere: No such file"),
    ("auth pam\npam-service nowhere", r"pam-service nowhere: there is no"),
    ("auth pam\npam-service ../pam.d/login", r"without slash"),
    ("auth ldap\nldap-uri http://h", r"ldap-uri http://h: not ldap://"),
    ("auth ldap\nldap-uri ldap://h\nldap-filter (uid=*)",
     r"neither .user. nor .principal. is in it"),
    ("subject-from mapfile\nmapfile /nowhere", r"mapfile /nowhere: No such"),
    ("subject-from program\nmap-program /dev/null", r"not a file"),
])
def test_a_mistake_is_named_with_its_place(stopped, line, complaint):
    text = stopped.conf.read_text()
    if line.startswith("user-front"):
        text = re.sub(r"(?m)^user-front .*\n", "", text)
    stopped.conf.write_text(text + line + "\n")
    result = run(SIGNETD, "-c", stopped.conf, "--check", check=False)
    if line.startswith("user-front") and os.getuid() != 0:
        assert result.returncode == 0  # users matter to root only
        return
    assert result.returncode == 78
    assert re.search(complaint, result.stderr.replace("line ", ":")) or \
        re.search(complaint, result.stderr), result.stderr


@pytest.mark.parametrize("keyword,value,complaint", [
    ("realm", "A@B", "cannot be in it"),
    ("trust-dir", "/nowhere", "trust-dir /nowhere: No such file"),
    ("trust-dir", "/dev/null", "not a directory"),
    ("tls-ciphers", "NOSUCH", 'tls-ciphers: TLS ciphers "NOSUCH"'),
    ("ledger", "ledger.db", "not a path"),
    ("ledger", "/ledger.db", "not a path"),
    ("passwd-file", "/nowhere", "passwd-file /nowhere: No such file"),
    ("tls-certificate", "/dev/null", "no certificate in it"),
    ("tls-key", "{dir}/slcs/ca.key", "not the key of the certificate"),
    ("ca", "{dir}/cas/root", "it signs CAs"),
    ("ca", "{dir}/cas/services", 'does not say "online yes"'),
])
def test_a_file_that_will_not_do_is_named(stopped, keyword, value, complaint):
    line = f"{keyword} {value.format(dir=stopped.dir)}"
    text = re.sub(rf"(?m)^{keyword} .*$", "", stopped.conf.read_text())
    stopped.conf.write_text(f"{text}{line}\n")
    result = run(SIGNETD, "-c", stopped.conf, "--check", check=False)
    assert result.returncode == 78
    assert complaint in result.stderr, result.stderr


def test_check_sees_that_the_ca_cannot_sign_today(stopped):
    for when, complaint in (("+30y", "has expired"),
                            ("-2d", "is the clock right?")):
        result = run("faketime", "-f", when, SIGNETD, "-c", stopped.conf,
                     "--check", check=False, env={
                         **stopped.env, "ASAN_OPTIONS": "verify_asan_link_order=0"})
        assert result.returncode == 78 and complaint in result.stderr


def test_roles_of_one_user_have_no_wall_between_them(stopped):
    text = stopped.conf.read_text()
    for line in ("user-front 61305", "user-front root"):
        stopped.conf.write_text(
            re.sub(r"(?m)^user-front .*\n", "", text) + line + "\n")
        result = run(SIGNETD, "-c", stopped.conf, "--check", check=False)
        # Users matter to root only.
        assert result.returncode == (78 if os.getuid() == 0 else 0)


def test_a_key_that_others_can_read_is_refused(stopped):
    key = stopped.dir / "hostkey.pem"
    os.chmod(key, 0o644)
    result = run(SIGNETD, "-c", stopped.conf, "--check", check=False)
    os.chmod(key, 0o600)
    assert result.returncode != 0
    assert f"chmod 600 {key}" in result.stderr


def test_wrong_usage_says_the_right_one():
    result = run(SIGNETD, "--frobnicate", check=False)
    assert result.returncode == 2 and "signetd --help" in result.stderr
    assert "usage:" in run(SIGNETD, "--help").stdout


def test_every_setting_is_in_the_manual(stopped):
    from signet_site import BUILD
    page = (BUILD / "man" / "signetd.conf.5").read_text()
    dump = run(SIGNETD, "-c", stopped.conf, "--dump-config").stdout
    items = run(SIGNETD, "--man-settings").stdout
    for keyword in {line.split()[0] for line in dump.splitlines()
                    if not line.startswith("#")}:
        assert f".It Ic {keyword} " in items and f".It Ic {keyword} " in page
    run("mandoc", "-Tlint", "-Wwarning", BUILD / "man" / "signetd.conf.5")
    run("mandoc", "-Tlint", "-Wwarning", BUILD / "man" / "signetd.8")


def test_sighup_takes_over_a_new_profile(stopped):
    stopped.start()
    out = stopped.dir / "h.pem"
    stopped.stock_logon("-t", "0", out=out)
    profile = stopped.dir / "slcs-user.profile"
    old = profile.read_text()
    profile.write_text(re.sub(r"(?m)^lifetime .*", "lifetime 1h", old))
    stopped.process.send_signal(signal.SIGHUP)
    stopped.wait_log(r": reloaded generation=2")
    stopped.stock_logon("-t", "0", out=out)
    profile.write_text(old)
    end = openssl("x509", "-in", out, "-noout", "-checkend", "3700",
                  check=False)
    assert end.returncode == 1  # gone within 3700 s


def test_a_bad_configuration_at_sighup_changes_nothing(stopped):
    stopped.start()
    good = stopped.conf.read_text()
    for bad in (good + "nonsense 1\n",
                good.replace("ledger.db", "other.db"),
                good + "map-realm OLD.ORG\n",
                good.replace("auth-free-tries 1000", "auth-free-tries 9"),
                re.sub(r"(?m)^trust-dir .*", "trust-dir /etc", good)):
        stopped.conf.write_text(bad)
        seen = stopped.log_now().count("reload-refused")
        stopped.process.send_signal(signal.SIGHUP)
        end = time.monotonic() + 10
        while stopped.log_now().count("reload-refused") == seen:
            assert time.monotonic() < end, stopped.log_now()
            time.sleep(0.02)
        stopped.stock_logon()
    assert stopped.process.poll() is None


@pytest.mark.parametrize("signo", [signal.SIGTERM, signal.SIGINT])
def test_an_end_for_the_whole_group_is_an_orderly_one(stopped, signo):
    stopped.start(start_new_session=True)
    os.killpg(stopped.process.pid, signo)
    assert stopped.process.wait(timeout=30) == 0
    assert 'stopped how="in order"' in stopped.log_now()
    assert "role-died" not in stopped.log_now()


def test_sigterm_lets_a_login_finish(stopped):
    """A request is half sent when the signal comes; its answer still comes."""
    import ssl
    stopped.start()
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    raw = socket.create_connection(("127.0.0.1", stopped.port))
    tls = context.wrap_socket(raw)
    tls.send(b"0")
    tls.send(b"VERSION=MYPROXYv2\nCOMMAND=7\nUSERNAME=\n")
    time.sleep(0.1)
    stopped.process.send_signal(signal.SIGTERM)
    stopped.wait_log(": stopping ")
    # Nobody new is let in ...
    time.sleep(0.2)
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", stopped.port), 2).recv(1)
    # ... but she is served.
    tls.send(b"PASSPHRASE=\nLIFETIME=0\n\0")
    answer = b""
    tls.settimeout(10)
    while b"RESPONSE=" not in answer:
        answer += tls.recv(65536)
    assert b"RESPONSE=0" in answer
    tls.close()
    assert stopped.process.wait(timeout=20) == 0
    stopped.process = None
    assert ": stopped how=\"in order\"" in stopped.log_now()


def test_ready_is_told_to_a_service_manager(stopped, tmp_path):
    """A test parent plays the service manager: NOTIFY_SOCKET."""
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(path)
        notify.settimeout(30)
        stopped.env["NOTIFY_SOCKET"] = path
        stopped.env["WATCHDOG_USEC"] = "400000"
        try:
            stopped.start()
        finally:
            del stopped.env["NOTIFY_SOCKET"], stopped.env["WATCHDOG_USEC"]
        said = ""
        while "READY=1" not in said or "WATCHDOG=1" not in said:
            said += notify.recv(4096).decode() + "\n"
        assert f"MAINPID={stopped.process.pid}" in said
        stopped.process.send_signal(signal.SIGTERM)
        while "STOPPING=1" not in said:
            said += notify.recv(4096).decode() + "\n"
        stopped.process.wait(timeout=20)


def test_a_socket_of_the_service_manager_is_used(stopped):
    """A test parent plays the service manager: LISTEN_FDS."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        fd = listener.fileno()
        log = open(stopped.log_path, "ab")
        stopped.offset = stopped.log_path.stat().st_size

        def play():
            die_with_parent()
            os.dup2(fd, 3)
            os.set_inheritable(3, True)
        script = ("import os,sys; os.environ['LISTEN_PID']=str(os.getpid());"
                  "os.environ['LISTEN_FDS']='1';"
                  "os.execv(sys.argv[1], sys.argv[1:])")
        stopped.process = subprocess.Popen(
            [sys.executable, "-c", script, str(SIGNETD), "-c",
             str(stopped.conf)],
            stderr=log, stdin=subprocess.DEVNULL, env=stopped.env,
            preexec_fn=play, close_fds=False)
        log.close()
        stopped.wait_started()
        assert stopped.port == port
        stopped.stock_logon()


def test_two_daemons_on_one_ledger_do_not_mix(stopped):
    """The second finds the ledger in use, or shares it without a clash."""
    stopped.start()
    stopped.stock_logon()
    second = subprocess.run([str(SIGNETD), "-c", str(stopped.conf)],
                            capture_output=True, text=True, timeout=60,
                            env=stopped.env)
    assert second.returncode != 0
    assert "ledger" in second.stderr and "use" in second.stderr
    stopped.stock_logon()


def test_garbage_instead_of_tls_gets_an_answer(stopped):
    stopped.start()
    with socket.create_connection(("127.0.0.1", stopped.port), 10) as s:
        s.sendall(b"GET / HTTP/1.0\r\n\r\n")
        s.settimeout(10)
        assert b"authentication failed" in s.recv(4096)


def test_a_password_guesser_is_slowed(stopped):
    text = stopped.conf.read_text()
    stopped.conf.write_text(text.replace("auth-free-tries 1000",
                                         "auth-free-tries 3"))
    stopped.add_user("victim", "right-password")
    stopped.start()
    # The first wait is a second, which a slow machine may let pass.
    for _ in range(5):
        for _ in range(4):
            stopped.stock_logon(user="victim", password="guess-guess",
                                check=False)
        slowed = stopped.stock_logon(user="victim", password="right-password",
                                     check=False, out=stopped.dir / "v.pem")
        if slowed.returncode != 0:
            break
    assert slowed.returncode == 1
    assert "too many failed attempts" in slowed.stderr
    stopped.wait_log(r"login-slowed .*user=victim")


def test_an_address_that_many_share_has_more_tries_than_a_user(stopped):
    text = stopped.conf.read_text()
    stopped.conf.write_text(
        text.replace("auth-free-tries 1000", "auth-free-tries 1").replace(
            "auth-free-tries-address 10000", "auth-free-tries-address 4"))
    stopped.start()

    def guess(user):
        return stopped.stock_logon(user=user, password="guess-guess",
                                   check=False).stderr

    for n in range(4):
        assert "too many" not in guess(f"guest{n}")
    stopped.stock_logon(out=stopped.dir / "first.pem")
    assert "too many" not in guess("guest4")
    assert "too many failed attempts" in guess("guest5")


def test_the_doctor_looks_over_the_host(stopped):
    with socket.create_server(("0.0.0.0", 0)) as stranger:
        port = stranger.getsockname()[1]
        result = run(SIGNETD, "-c", stopped.conf, "--doctor", "--json",
                     check=False)
        report = json.loads(result.stdout)
        assert result.returncode == 1
        assert any(r["check"] == "services" and r["verdict"] == "fail" and
                   str(port) in r["text"] for r in report)
    checks = {r["check"] for r in report}
    assert {"configuration", "ca", "clock", "services", "accounts",
            "root login"} <= checks
    assert all("advice" in r for r in report if r["verdict"] != "ok")


def test_many_log_in_at_once(stopped):
    stopped.start()
    failures = []

    def one(n):
        try:
            stopped.stock_logon(out=stopped.dir / f"m{n}.pem")
        except AssertionError as error:
            failures.append(error)
    threads = [threading.Thread(target=one, args=(n,)) for n in range(12)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failures
    serials = {openssl("x509", "-in", stopped.dir / f"m{n}.pem", "-noout",
                       "-serial").stdout for n in range(12)}
    assert len(serials) == 12


def wait_line(path, pattern, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        text = path.read_text() if path.exists() else ""
        if re.search(pattern, text):
            return text
        time.sleep(0.02)
    raise AssertionError(f"no {pattern!r} in {path}:\n{text}")


def test_a_log_file_is_rotated(stopped, tmp_path):
    log, old = tmp_path / "signetd.log", tmp_path / "signetd.log.1"
    with open(stopped.conf, "a") as conf:
        conf.write(f"log-file {log}\nlog-level 7\n")
    # As under a service manager, which is not who reads this.
    env = dict(os.environ, JOURNAL_STREAM="1:1")
    process = subprocess.Popen([SIGNETD, "-c", stopped.conf], env=env,
                               stderr=subprocess.PIPE,
                               stdin=subprocess.DEVNULL,
                               preexec_fn=die_with_parent)
    try:
        wait_line(log, ": started port=")
        assert log.stat().st_mode & 0o777 == 0o640
        log.rename(old)
        process.send_signal(signal.SIGHUP)
        wait_line(log, ": reloaded ")
        # The roles write where the parent does now.
        process.send_signal(signal.SIGUSR1)
        text = wait_line(log, r" keeper\[\d+\]: crl-filed ")
        assert not re.search(r"^<\d>", text + old.read_text(), re.M)
        assert " keeper[" in old.read_text()
        process.terminate()
        assert process.wait(30) == 0
    finally:
        process.kill()
        said = process.communicate()[1]
    assert said == b""
    wait_line(log, ": stopped ")


def test_a_log_file_that_is_none_is_refused(stopped, tmp_path):
    os.mkfifo(tmp_path / "log")
    with open(stopped.conf, "a") as conf:
        conf.write(f"log-file {tmp_path}/log\n")
    result = run(SIGNETD, "-c", stopped.conf, check=False)
    assert result.returncode == 78 and "no regular file" in result.stderr
