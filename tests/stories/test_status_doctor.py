"""signet status and signet doctor: what a person holds, and what may keep them
from working."""

import ctypes
import json
import os
import pty
import shutil
import socket
import subprocess

import pytest
from grid_tools import Desk
from kdc import Kdc
from openssl_pki import PEOPLE
from signet_site import SIGNET, Site, run

ROBERT = f"{PEOPLE}/CN=robert"
LEVELS = ("ok", "warn", "fail")


class Own(Desk):
    """A desk for one story, to be spoilt; its CAs have CRLs."""

    def __init__(self, directory):
        super().__init__(directory)
        for ca in "root", "sub":
            self.pki.crl(ca)
        self.file = self.dir / "proxy"

    def make(self, *options):
        return self.proxy(self.file, "-cert", self.pki.dir / "robert.cred",
                          *options, theirs=False)

    def signet(self, *args, wrapper=(), text=True, **env):
        return subprocess.run([*wrapper, str(SIGNET), *map(str, args)],
                              env=self.env(self.file, **env), text=text,
                              capture_output=True, timeout=60,
                              stdin=subprocess.DEVNULL)

    def status(self, *args, **how):
        return self.signet("status", *args, **how)

    def doctor(self, *args, **how):
        return self.signet("doctor", *args, **how)

    def checks(self, *args, **how):
        """[(check, level, message, hint)], and the exit status."""
        done = self.doctor("--json", *args, **how)
        data = json.loads(done.stdout)
        assert set(data) == {"version", "kind", "checks", *LEVELS}
        found = [(c["check"], c["level"], c["message"], c["hint"])
                 for c in data["checks"]]
        for level in LEVELS:
            assert data[level] == sum(c[1] == level for c in found)
        assert done.returncode == (1 if data["fail"] else 0)
        for check, level, message, hint in found:
            assert message and level in LEVELS
            assert level != "fail" or hint, f"{check}: what to do?"
        return found


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    desk = Own(tmp_path_factory.mktemp("desk"))
    desk.make()
    return desk


@pytest.fixture
def own(desk, tmp_path):
    """A copy of the desk."""
    shutil.copytree(desk.dir, tmp_path / "d", symlinks=True)
    copy = object.__new__(Own)
    copy.__dict__.update(desk.__dict__)
    copy.dir = tmp_path / "d"
    for name in "home", "globus", "cert", "key", "bin", "file":
        old = getattr(desk, name)
        setattr(copy, name, copy.dir / old.relative_to(desk.dir))
    copy.pki = object.__new__(type(desk.pki))
    copy.pki.__dict__.update(desk.pki.__dict__)
    for name in "dir", "trust", "conf":
        old = getattr(desk.pki, name)
        setattr(copy.pki, name, copy.dir / old.relative_to(desk.dir))
    for path in copy.pki.dir.glob("*.cnf"):
        path.write_text(path.read_text().replace(str(desk.dir),
                                                 str(copy.dir)))
    return copy


# status

def test_all_is_well(desk):
    done = desk.status()
    assert done.returncode == 0 and done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[0] == f"proxy        {ROBERT}"
    assert lines[1].split(", ") == [
        "             RFC 3820 compliant impersonation proxy",
        "RSA 2048 bits", str(desk.file)]
    assert "left, until " in lines[2]
    assert lines[3].strip() == "a service would accept it"
    assert lines[4] == "ticket       none"
    assert lines[5] == f"certificate  {ROBERT}"
    assert "\033" not in done.stdout


def test_the_object_for_programs(desk):
    done = desk.status("--json")
    data = json.loads(done.stdout)
    assert done.returncode == 0 and done.stdout.count("\n") == 1
    assert data["version"] == 1 and data["kind"] == "status"
    assert data["usable"] is True and data["error"] is None
    assert data["ticket"] is None
    proxy, own = data["proxy"], data["certificate"]
    assert proxy["kind"] == "proxy" and own["kind"] == "certificate"
    assert proxy["identity"] == own["subject"] == ROBERT
    assert proxy["type"] == "rfc3820" and own["type"] == "eec"
    assert proxy["key"] == {"algorithm": "RSA", "bits": 2048}
    assert proxy["verified"] is own["verified"] is True
    assert 40000 < proxy["seconds_left"] <= 43200
    assert proxy["not_after"].endswith("Z") and len(proxy["not_after"]) == 20


def broken(own, status, says, *args, code=None, **how):
    """Both forms of the answer."""
    done = own.status(*args, **how)
    assert done.returncode == status, done.stdout + done.stderr
    assert says in done.stderr and done.stderr.startswith("signet: ")
    data = json.loads(own.status("--json", *args, **how).stdout)
    assert data["usable"] is False
    assert data["error"]["exit"] == status
    assert data["error"]["code"] == code
    assert says in data["error"]["message"] and data["error"]["hint"]
    return done, data


def test_no_proxy_is_3(own):
    own.file.unlink()
    done, data = broken(own, 3, "you have no proxy", code="absent")
    assert done.stdout.startswith("proxy        none\n")
    assert "Run: signet login" in done.stderr
    assert data["proxy"] is None and data["certificate"] is not None


def test_an_expired_proxy_is_4(own):
    done, data = broken(own, 4, "your proxy expired 0:5", code="expired",
                        wrapper=("faketime", "-f", "+777m"))
    assert "expired 0:5" in done.stdout and "Run: signet login" in done.stderr
    assert data["proxy"]["seconds_left"] == 0
    assert data["proxy"]["verified"] is False
    assert "expired" in data["proxy"]["reason"]


def test_a_proxy_too_short_is_4(own):
    assert own.status("--valid", "11h").returncode == 0
    broken(own, 4, "your proxy ends in 1", "--valid", "13:00",
           code="expired")


@pytest.mark.parametrize("spoil,says", [
    (lambda d: d.pki.policy_file("sub").unlink(), "signing policy"),
    (lambda d: d.pki.policy("sub", "/O=Elsewhere/*"), "signing policy"),
    (lambda d: d.pki.revoke("sub", "robert"), "revoked"),
    (lambda d: shutil.rmtree(d.pki.trust) or d.pki.trust.mkdir() or shutil.copy(
        d.pki.dir / "host.pem", d.pki.trust / "0b0b0b0b.0"), None),
])
def test_what_a_service_would_refuse_is_7(own, spoil, says):
    spoil(own)
    done = own.status()
    if says is None:  # no CA at all: nobody can be asked
        assert done.returncode == 0 and "cannot be told here" in done.stdout
        return
    done, data = broken(own, 7, says, code="untrusted")
    assert "a service would refuse it: " in done.stdout
    assert "Run: signet doctor" in done.stderr
    assert data["proxy"]["verified"] is False
    assert says in data["proxy"]["reason"]


def test_an_expired_crl_is_7(own):
    own.pki.crl("sub", "-crlhours", "1")
    broken(own, 7, "CRL has expired", code="untrusted",
           wrapper=("faketime", "-f", "+2h"))


def test_an_open_proxy_is_8(own):
    os.chmod(own.file, 0o644)
    done, data = broken(own, 8, "readable by others", code="denied")
    assert "chmod 600" in done.stderr
    assert data["proxy"] == {"path": str(own.file),
                             "error": data["error"]["message"]}


def test_without_a_trust_directory_nothing_is_said_of_services(own):
    done = own.status(X509_CERT_DIR="/nonexistent")
    assert done.returncode == 0
    assert done.stdout.count("cannot be told here: ") == 2
    data = json.loads(own.status("--json",
                                 X509_CERT_DIR="/nonexistent").stdout)
    assert data["proxy"]["verified"] is None and data["proxy"]["reason"]


def test_another_proxy_and_directory_can_be_named(own, tmp_path):
    other = tmp_path / "other"
    own.file.rename(other)
    assert own.status("--file", other).returncode == 0
    assert own.status("-f", other, "--certdir", own.pki.trust,
                      X509_CERT_DIR="/nonexistent").returncode == 0
    assert own.status().returncode == 3


def test_quiet_leaves_only_the_exit_status(own):
    done = own.status("-q")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_ticket_is_held_too(own, tmp_path):
    with Kdc(tmp_path / "kdc", users={"user0": "secret123"}) as kdc:
        env = {k: kdc.env[k] for k in ("KRB5_CONFIG", "KRB5CCNAME")}
        run("kinit", "-l", "2h", "user0@LIGO.TEST", input="secret123\n",
            env=kdc.env)
        done = own.status(**env)
        assert "ticket       user0@LIGO.TEST\n" in done.stdout
        ticket = json.loads(own.status("--json", **env).stdout)["ticket"]
        assert ticket["principal"] == "user0@LIGO.TEST"
        assert 7000 < ticket["seconds_left"] <= 7200
        found = {c[0]: c for c in own.checks("--offline", **env)}
        assert found["ticket"][1] == "ok"
        # It outlives the ticket, and the proxy does not mind.
        late = own.status(wrapper=("faketime", "-f", "+3h"), **env)
        assert late.returncode == 0 and "has expired" in late.stdout
        found = {c[0]: c for c in own.checks(
            "--offline", wrapper=("faketime", "-f", "+3h"), **env)}
        assert found["ticket"][1] == "warn"
        assert found["ticket"][3] == "run: signet login"


def on_a_terminal(own, *args, **env):
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(str(SIGNET), [str(SIGNET), *args],
                  own.env(own.file, **env))
    seen = b""
    while True:
        try:
            data = os.read(fd, 4096)
        except OSError:
            break
        if not data:
            break
        seen += data
    os.waitpid(pid, 0)
    os.close(fd)
    return seen.decode()


@pytest.mark.parametrize("command", ["status", "doctor"])
def test_colour_is_for_terminals(desk, command):
    how = dict(TERM="xterm", NO_COLOR=None, CLICOLOR_FORCE=None)
    assert "\033[32m" in on_a_terminal(desk, command, **how)
    assert "\033" not in on_a_terminal(desk, command, "--no-color", **how)
    assert "\033" not in on_a_terminal(desk, command,
                                       **dict(how, NO_COLOR="1"))
    assert "\033" not in on_a_terminal(desk, command, **dict(how, TERM="dumb"))
    assert "\033" not in desk.signet(command, **how).stdout
    assert "\033[32m" in desk.signet(command,
                                     **dict(how, CLICOLOR_FORCE="1")).stdout
    assert "\033" not in on_a_terminal(desk, command, "--json", **how)


# doctor

def synchronised():
    """What the kernel says of its clock, asked without our code."""
    state = (ctypes.c_char * 512)()
    answer = ctypes.CDLL(None).adjtimex(state)
    status = ctypes.c_int.from_buffer(state, 40).value
    return answer not in (-1, 5) and not status & 0x40


def test_a_healthy_desk(desk):
    found = desk.checks("--offline")
    worst = {}
    for check, level, _, _ in found:
        worst[check] = max(worst.get(check, 0), LEVELS.index(level))
    assert worst == {
        "trust": 0, "clock": 0 if synchronised() else 1, "ticket": 1,
        "proxy": 0,
        # The key without a pass phrase is that of the desk's -cert; its own
        # is under one.
        "files": 0}
    said = desk.doctor("--offline")
    assert said.returncode == 0
    assert f"proxy   {desk.file} is accepted, for 11:5" in said.stdout or \
        f"proxy   {desk.file} is accepted, for 12:0" in said.stdout
    assert f"2 of 2 CAs in {desk.pki.trust} are in good order" in said.stdout
    assert "CN=Root CA" not in said.stdout
    assert "CN=Root CA" in desk.doctor("--offline", "-v").stdout
    quiet = desk.doctor("--offline", "-q").stdout
    assert not any(line.startswith("ok") for line in quiet.splitlines())


def finds(own, check, level, says, *args, hint=None, **how):
    found = [c for c in own.checks("--offline", *args, **how)
             if c[:2] == (check, level) and says in c[2]]
    assert found, own.checks("--offline", *args, **how)
    if hint is not None:
        assert any(hint in (c[3] or "") for c in found), found
    said = own.doctor("--offline", *args, **how)
    assert said.returncode == (1 if level == "fail" else said.returncode)
    assert [line for line in said.stdout.splitlines() if says in line
            and line.startswith(f"{level:<6}{check:<8}")]
    return found


def test_no_trust_directory(own):
    finds(own, "trust", "fail", "there is no trust directory",
          hint="signet trustroots", X509_CERT_DIR="/nonexistent")
    empty = own.dir / "empty"
    empty.mkdir()
    finds(own, "trust", "fail", "no trusted CA", hint="signet trustroots",
          X509_CERT_DIR=empty)


def test_a_trust_directory_that_others_write(own):
    os.chmod(own.pki.trust, 0o777)
    finds(own, "trust", "fail", "others can put CAs into",
          hint=f"chmod go-w {own.pki.trust}")


def test_a_file_that_is_no_certificate(own):
    (own.pki.trust / "deadbeef.0").write_text("junk\n")
    finds(own, "trust", "warn", "deadbeef.0", hint="remove the file")


def test_ca_certificates_near_and_past_their_end(own):
    for shift, level, says in ((3630, "warn", "expires in"),
                               (3651, "fail", "expired")):
        finds(own, "trust", level, says, hint="your site for the new one",
              wrapper=("faketime", "-f", f"+{shift}d"))


def test_a_missing_signing_policy(own):
    own.pki.policy_file("root").unlink()
    finds(own, "trust", "fail", "has no signing policy",
          hint=f"{own.pki.hash('root')}.signing_policy")


def test_a_signing_policy_that_cannot_be_read(own):
    own.pki.policy_file("root").write_text("access_id_CA X509\n")
    finds(own, "trust", "fail", "cannot be read, so that",
          hint=f"{own.pki.hash('root')}.signing_policy anew")


def test_crls_missing_old_and_altered(own):
    own.pki.crl_file("root").unlink()
    finds(own, "crl", "fail", "CN=Root CA has none here, so that nothing",
          hint="fetch-crl")
    optional = own.pki.crl_file("root").with_suffix(".crl_optional")
    optional.write_text("")
    finds(own, "crl", "warn", "and needs none", hint="fetch-crl")
    optional.unlink()
    own.pki.crl("root", "-crldays", "30")
    own.pki.crl("sub", "-crldays", "30")
    # Within a day of its end, and in the last third of its life.
    finds(own, "crl", "warn", "expires in 1",
          wrapper=("faketime", "-f", "+702h"))
    finds(own, "crl", "fail", "expired 24:",
          wrapper=("faketime", "-f", "+744h"))
    # One that is made each day is not near its end at noon.
    own.pki.crl("root", "-crlhours", "24")
    own.pki.crl("sub", "-crlhours", "24")
    assert not [c for c in own.checks("--offline") if c[0] == "crl"]
    text = own.pki.crl_file("sub").read_text()
    own.pki.crl_file("sub").write_text(text[:100] + text[108:])
    finds(own, "crl", "fail", "is no good CRL of", hint="fetch-crl")


def test_a_clock_that_is_behind(own):
    found = finds(own, "clock", "fail", "this clock is behind",
                  hint="set the clock", wrapper=("faketime", "-f", "-2h"))
    assert "was made on" in found[0][2]


@pytest.mark.parametrize("what,mode,says,hint", [
    ("file", 0o640, "the proxy", "chmod 600"),
    ("key", 0o644, "the key", "chmod 600"),
    ("cert", 0o666, "the certificate", "chmod 644"),
    ("globus", 0o777, "the directory", "chmod go-w"),
])
def test_modes_that_let_others_in(own, what, mode, says, hint):
    path = getattr(own, what)
    os.chmod(path, mode)
    found = finds(own, "files", "fail", f"(mode {mode:04o})", hint=hint,
                  X509_USER_CERT=None, X509_USER_KEY=None)
    assert says in found[0][2] and str(path) in found[0][2]
    # What it says to do, helps.
    command = found[0][3].removeprefix("run: ").split()
    run(*command)
    assert not [c for c in own.checks("--offline", X509_USER_CERT=None,
                                      X509_USER_KEY=None)
                if c[0] == "files" and c[1] == "fail"]


def test_a_key_without_a_pass_phrase(own):
    shutil.copy(own.pki.dir / "robert.key", own.key)
    os.chmod(own.key, 0o600)
    found = finds(own, "files", "warn", "is under no pass phrase")
    assert "openssl pkey -aes256" in found[0][3]


@pytest.mark.parametrize("spoil,level,says", [
    (lambda d: d.file.unlink(), "warn", "none in "),
    (lambda d: d.file.write_text("junk"), "fail", "no certificate"),
    (lambda d: d.pki.revoke("sub", "robert"), "fail",
     "a service would refuse"),
])
def test_the_proxy_is_looked_at(own, spoil, level, says):
    spoil(own)
    finds(own, "proxy", level, says)


def test_an_expired_proxy(own):
    finds(own, "proxy", "fail", "expired 1:", hint="signet login",
          wrapper=("faketime", "-f", "+790m"))


# doctor and servers

@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with Site(tmp_path_factory.mktemp("site")) as site:
        yield site


def ask(own, *args, **how):
    found = [c for c in own.checks(*args, **how) if c[0] == "server"]
    assert found
    return found


def test_a_server_is_reached_and_trusted(own, site):
    where = f"localhost:{site.port}"
    (check,) = ask(own, "-s", where, X509_CERT_DIR=site.trust)
    assert check[1] == "ok" and "is trusted" in check[2]
    (check,) = ask(own, X509_CERT_DIR=site.trust, MYPROXY_SERVER=where)
    assert check[1] == "ok"
    (check,) = ask(own, "-s", "localhost", "-p", site.port,
                   X509_CERT_DIR=site.trust)
    assert check[1] == "ok"


def test_a_server_of_another_name_or_ca_is_not_trusted(own, site):
    (check,) = ask(own, "-s", f"127.0.0.1:{site.port}",
                   X509_CERT_DIR=site.trust)
    assert check[1] == "fail" and "127.0.0.1" in check[2]
    (check,) = ask(own, "-s", f"127.0.0.1:{site.port}", "--server-dn",
                   "/DC=org/DC=ligo/O=LIGO/OU=Services/CN=localhost",
                   X509_CERT_DIR=site.trust)
    assert check[1] == "ok"
    (check,) = ask(own, "-s", f"localhost:{site.port}", "--server-dn",
                   "/CN=other", X509_CERT_DIR=site.trust)
    assert check[1] == "fail" and "not /CN=other" in check[2]
    (check,) = ask(own, "-s", f"localhost:{site.port}")
    assert check[1] == "fail" and "signet trustroots" in check[3]


def test_servers_that_do_not_answer(own, site):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        dead = s.getsockname()[1]
    found = ask(own, "-s", f"localhost:{dead}", "-s", f"localhost:{site.port}",
                "-s", "no.such.host.invalid", X509_CERT_DIR=site.trust)
    assert [c[1] for c in found] == ["fail", "ok", "fail"]
    assert "look at its name and port" in found[0][3]


def test_a_server_that_speaks_no_tls(own):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        done = subprocess.Popen(
            [str(SIGNET), "doctor", "-s", f"localhost:{s.getsockname()[1]}"],
            env=own.env(own.file), stdout=subprocess.PIPE, text=True)
        conn, _ = s.accept()
        conn.sendall(b"220 hello\r\n")
        out, _ = done.communicate(timeout=60)
        conn.close()
    assert done.returncode == 1
    assert any(line.startswith("fail  server") for line in out.splitlines())


def test_without_a_server_name_it_says_so(own):
    (check,) = ask(own)
    assert check[1] == "warn" and "MYPROXY_SERVER" in check[3]
    assert not [c for c in own.checks("--offline") if c[0] == "server"]
