"""The walls between the roles of signetd: what a role must not do is stopped
by the kernel, and what it must not say is not heard."""

import os
import socket
import subprocess

import pytest
from role_frames import TABLE, Role, encode
from signet_site import BUILD, Site, run

pytestmark = pytest.mark.heavy

# What every role is made to try, by a debugger in its running process.
SOCKET = "(int)socket(2, 1, 0)"
EXEC = '(int)execl("/bin/true", "true", (char *)0)'
FORK = "(int)fork()"
PTRACE = "(long)ptrace(16, 1, 0, 0)"
READ_PASSWD = '(int)open("/etc/passwd", 0)'
WRITE_TMP = '(int)open("/tmp/signet-wall", 0101, 0600)'
BECOME_ROOT = "(int)setuid(0)"

FORBIDDEN = {
    "front": [SOCKET, EXEC, FORK, PTRACE, READ_PASSWD, WRITE_TMP, BECOME_ROOT],
    "auth": [SOCKET, EXEC, FORK, PTRACE, WRITE_TMP, BECOME_ROOT],
    "worker": [SOCKET, EXEC, PTRACE, WRITE_TMP, BECOME_ROOT],
    "issuer": [SOCKET, EXEC, FORK, PTRACE, READ_PASSWD, WRITE_TMP,
               BECOME_ROOT],
    "signer": [SOCKET, EXEC, FORK, PTRACE, READ_PASSWD, WRITE_TMP,
               BECOME_ROOT],
    "keeper": [SOCKET, EXEC, FORK, PTRACE, READ_PASSWD, WRITE_TMP,
               BECOME_ROOT],
    "desk": [SOCKET, EXEC, FORK, PTRACE, READ_PASSWD, WRITE_TMP, BECOME_ROOT],
    "intake": [SOCKET, EXEC, FORK, PTRACE, READ_PASSWD, WRITE_TMP,
               BECOME_ROOT],
}
ATTEMPTS = [(role, act) for role, acts in FORBIDDEN.items() for act in acts]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    place = tmp_path_factory.mktemp("walls")
    staff = place / "staff"
    staff.write_text("administrator ann principal ann@LIGO.TEST\n"
                     "role ann approver\n")
    yield Site(place, settings=[f"office-staff {staff}",
                                f"office-socket {place}/run/office.sock",
                                f"issue-socket {place}/run/issue.sock",
                                f"issue-directory {place}/issue",
                                f"issue-from {os.getuid()}"])


def make_it_try(pid, act):
    """The debugger's report of ${act} called inside process ${pid}."""
    return subprocess.run(
        ["gdb", "-nx", "-batch", "-p", str(pid),
         "-ex", "set confirm off", "-ex", f"print {act}",
         "-ex", "print *(int *)__errno_location()"],
        capture_output=True, text=True, timeout=120).stdout


@pytest.mark.parametrize("role,act", ATTEMPTS)
def test_what_a_role_must_not_do_is_stopped_by_the_kernel(site, role, act):
    site.start()
    try:
        names = {n.split(".")[0]: p for n, p in site.roles().items()}
        report = make_it_try(names[role], act)
        killed = "SIGSYS" in report
        refused = "$1 = -1" in report and ("$2 = 13" in report or
                                           "$2 = 1\n" in report)
        assert killed or refused, report
        assert not os.path.exists("/tmp/signet-wall")
        if killed:
            site.wait_log(r"role-died role=" + role + r".*SYS")
    finally:
        site.stop()


def test_each_role_is_another_user_and_nobody_can_read_it(site):
    if os.getuid() != 0:
        users = None
    site.start()
    try:
        users = {}
        for name, pid in site.roles().items():
            status = open(f"/proc/{pid}/status").read()
            fields = dict(line.split(":\t", 1)
                          for line in status.splitlines() if ":\t" in line)
            users[name.split(".")[0]] = fields["Uid"].split()[0]
            assert fields["NoNewPrivs"] == "1", name
            assert fields["Seccomp"] == "2", name
            assert int(fields["CapEff"], 16) == 0 or os.getuid() != 0
            limits = open(f"/proc/{pid}/limits").read()
            assert "Max core file size        0 " in limits
        if os.getuid() == 0:
            assert len(set(users.values())) == len(users), users
            assert "0" not in users.values()
    finally:
        site.stop()


def issuer_parts(site):
    parts = {}
    for part, name in (("conf", "ca.conf"), ("cert", "ca.pem"),
                       ("chain", "chain.pem")):
        parts[f"ca.0.{part}"] = (site.ca / name).read_bytes()
    parts["profile.0"] = b"# slcs-user\n" + (
        site.dir / "slcs-user.profile").read_bytes()
    return parts


def values_for(name):
    """Enough of every field for a well-formed message."""
    fields = next(f for n, _, _, f in TABLE if n == name)
    return {field: 1 if kind in ("U32", "U64") else
            b"0123456789abcdef" if field == "ticket" else b"x"
            for kind, field in fields}


@pytest.mark.parametrize("name", [n for n, speaker, hearer, _ in TABLE
                                  if (speaker, hearer) != ("FRONT", "ISSUER")])
def test_the_issuer_hears_nothing_else_from_a_front(site, tmp_path, name):
    with Role("issuer", site.conf.read_bytes(), issuer_parts(site),
              ["auth", "signer", "keeper", "front.0"],
              tmp_path / "log") as role:
        front = role.channels["front.0"]
        front.send(encode(name, **values_for(name)))
        assert front.recv(70000) == b""  # closed, unheard
        assert "role-refused role=front.0" in role.log()
        assert role.process.poll() is None  # the others still have an issuer


@pytest.mark.parametrize("name", [n for n, speaker, hearer, _ in TABLE
                                  if (speaker, hearer) != ("INTAKE", "ISSUER")])
def test_the_issuer_hears_nothing_else_from_the_intake(site, tmp_path, name):
    with Role("issuer", site.conf.read_bytes(), issuer_parts(site),
              ["auth", "signer", "keeper", "intake.0"],
              tmp_path / "log") as role:
        intake = role.channels["intake.0"]
        intake.send(encode(name, **values_for(name)))
        assert intake.recv(70000) == b""  # closed, unheard
        assert "role-refused role=intake.0" in role.log()
        assert role.process.poll() is None


def test_a_front_cannot_make_a_ticket(site, tmp_path):
    with Role("issuer", site.conf.read_bytes(), issuer_parts(site),
              ["auth", "signer", "keeper", "front.0"],
              tmp_path / "log") as role:
        front = role.channels["front.0"]
        front.send(encode("SIGN_ASK", connection=7,
                          ticket=b"0123456789abcdef", lifetime=3600,
                          csr=b"\x30\x00"))
        from role_frames import decode
        name, values = decode(front.recv(70000))
        assert name == "SIGN_DONE" and values["fault"] != 0
        assert values["certificate"] == b""
        # And nothing was asked of the others.
        for other in ("signer", "keeper"):
            role.channels[other].settimeout(0.2)
            with pytest.raises((TimeoutError, socket.timeout)):
                role.channels[other].recv(70000)


def test_the_signer_signs_nothing_it_does_not_understand(site, tmp_path):
    parts = {f"ca.0.{p}": (site.ca / n).read_bytes()
             for p, n in (("conf", "ca.conf"), ("cert", "ca.pem"),
                          ("key", "ca.key"))}
    from role_frames import decode
    with Role("signer", site.conf.read_bytes(), parts, ["issuer"],
              tmp_path / "log") as role:
        issuer = role.channels["issuer"]
        for tbs in (b"", b"\x30\x00", b"\x30\x03\x02\x01\x00", b"A" * 500,
                    site.ca.joinpath("ca.pem").read_bytes()):
            issuer.send(encode("TBS_ASK", id=1, ca=b"slcs", tbs=tbs))
            name, values = decode(issuer.recv(70000))
            assert name == "TBS_DONE" and values["fault"] != 0
            assert values["signature"] == b""
        assert "sign-refused" in role.log()


@pytest.mark.parametrize("name", [n for n, speaker, hearer, _ in TABLE
                                  if (speaker, hearer) != ("DESK", "ISSUER")])
def test_the_issuer_hears_nothing_else_from_the_desk(site, tmp_path, name):
    with Role("issuer", site.conf.read_bytes(), issuer_parts(site),
              ["auth", "signer", "keeper", "desk.0"],
              tmp_path / "log") as role:
        desk = role.channels["desk.0"]
        desk.send(encode(name, **values_for(name)))
        assert desk.recv(70000) == b""
        assert "role-refused role=desk.0" in role.log()
        assert role.process.poll() is None


def test_the_desk_cannot_make_the_issuer_believe_it(site, tmp_path):
    """The issuer asks the keeper what was asked for and who approved; the word
    of the desk alone gets nothing signed."""
    from role_frames import decode
    with Role("issuer", site.conf.read_bytes(), issuer_parts(site),
              ["auth", "signer", "keeper", "desk.0"],
              tmp_path / "log") as role:
        desk, keeper = role.channels["desk.0"], role.channels["keeper"]
        desk.send(encode("OFFICE_SIGN", id=3, ca="slcs", request="f" * 20))
        name, asked = decode(keeper.recv(70000))
        while name != "OFFICE_FIND":
            name, asked = decode(keeper.recv(70000))
        assert asked["request"] == b"f" * 20
        for fault, file in ((1, b""), (0, b""), (0, b"no request\n")):
            if fault == 0:
                desk.send(encode("OFFICE_SIGN", id=3, ca="slcs",
                                 request="f" * 20))
                name, asked = decode(keeper.recv(70000))
            keeper.send(encode("OFFICE_FOUND", id=asked["id"], fault=fault,
                               who="ann", method="uid 0", peer="local",
                               file=file))
            name, answer = decode(desk.recv(70000))
            assert name == "OFFICE_SIGNED" and answer["fault"] != 0
            assert answer["serial"] == b""
        assert "issue-refused" in role.log()


def test_a_role_is_not_started_by_anyone_else():
    for role in ("front", "auth", "worker", "pam", "issuer", "signer",
                 "keeper", "desk"):
        result = run(BUILD / "signetd" / f"signetd-{role}", check=False)
        assert result.returncode == 2
        assert "part of signetd" in result.stderr
