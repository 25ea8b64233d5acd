"""auth's workers in their walls, asked by a test that plays auth: passwords
from a file, PAM and LDAP; subjects from a map, a program and a directory."""

import os
import signal
import socket
import subprocess
import time

import pytest
from role_frames import Role, decode, encode
from signet_site import REPO, ROLE_USERS, open_way
from slapd import PEOPLE, SEARCHER, SEARCHER_PASSWORD, SUFFIX, Slapd

CODES = [line.split("(")[1].split(",")[0]
         for line in (REPO / "lib/base/fault.def").read_text().splitlines()
         if line.startswith("FAULT(")]


def own(path):
    """What the worker's user may read, when the stories run as root."""
    if os.getuid() == 0:
        os.chown(path, ROLE_USERS["worker"], 0)


class Worker(Role):
    def __init__(self, tmp_path, *settings, role="worker"):
        lines = ["realm LIGO.TEST", *settings]
        if os.getuid() == 0:
            lines.append(f"user-worker {ROLE_USERS['worker']}")
            open_way(tmp_path)
        super().__init__(role, "\n".join(lines) + "\n", {}, ["auth"],
                         tmp_path / f"{role}.log")
        self.id = 0

    def tell(self, kind, **values):
        self.id += 1
        self.channels["auth"].send(
            encode(kind, id=self.id, ref="0123456789ab", **values))

    def answer(self):
        name, values = decode(self.channels["auth"].recv(70000))
        assert values["id"] == self.id
        return CODES[values["fault"]], values["text"].decode()

    def work(self, method, name, phrase=""):
        self.tell("WORK_ASK", method=method, username=name, passphrase=phrase)
        return self.answer()

    def pam(self, name, phrase, peer="192.0.2.1:4711"):
        self.tell("PAM_ASK", username=name, peer=peer, passphrase=phrase)
        return self.answer()


def hashed(password):
    return subprocess.run(["openssl", "passwd", "-6", password], check=True,
                          capture_output=True, text=True).stdout.strip()


def write_passwd(path, users):
    text = "".join(f"{user}:{hashed(password)}\n"
                   for user, password in users.items())
    temporary = path.with_suffix(".new")
    temporary.write_text(text)
    temporary.chmod(0o600)
    own(temporary)
    temporary.rename(path)


def test_passwords_of_a_file_that_may_change(tmp_path):
    passwd = tmp_path / "passwd"
    write_passwd(passwd, {"ann": "first"})
    with Worker(tmp_path, "auth passwd", f"passwd-file {passwd}") as w:
        assert w.work("passwd", "ann", "first") == ("NONE", "ann")
        assert w.work("passwd", "ann", "x") == ("LOGIN", "")
        assert w.work("passwd", "", "x") == ("LOGIN", "")
        assert w.work("passwd", "bob", "second") == ("LOGIN", "")
        write_passwd(passwd, {"bob": "second"})
        assert w.work("passwd", "bob", "second") == ("NONE", "bob")
        assert w.work("passwd", "ann", "first") == ("LOGIN", "")
        assert "login-reason ref=0123456789ab method=passwd" in w.log()
        assert "no such user" in w.log() and "wrong password" in w.log()
        passwd.unlink()
        assert w.work("passwd", "bob", "second")[0] == "ABSENT"
        assert w.work("nosuch", "bob", "second")[0] == "UNSUPPORTED"


def test_subjects_of_a_map_that_may_change(tmp_path):
    grid_map = tmp_path / "grid-mapfile"
    grid_map.write_text('"/O=G/CN=Ann" ann\n"/O=G/CN=Bob" bob@LIGO.TEST,rob\n')
    with Worker(tmp_path, "auth passwd", "subject-from mapfile",
                f"mapfile {grid_map}") as w:
        assert w.work("map-file", "ann@LIGO.TEST") == ("NONE", "/O=G/CN=Ann")
        assert w.work("map-file", "bob@LIGO.TEST") == ("NONE", "/O=G/CN=Bob")
        assert w.work("map-file", "rob@LIGO.TEST") == ("NONE", "/O=G/CN=Bob")
        # A name alone is of the default realm.
        assert w.work("map-file", "ann@OTHER.TEST") == ("ABSENT", "")
        assert w.work("map-file", "eve@LIGO.TEST") == ("ABSENT", "")
        new = tmp_path / "new"
        new.write_text('"/O=G/CN=Eve" eve\n')
        new.rename(grid_map)
        assert w.work("map-file", "eve@LIGO.TEST") == ("NONE", "/O=G/CN=Eve")
        grid_map.unlink()
        assert w.work("map-file", "eve@LIGO.TEST") == ("FAILED", "")


def test_subjects_of_a_program_inside_the_walls(tmp_path):
    program = tmp_path / "find-subject"
    secret = tmp_path / "secret"
    secret.write_text("x")
    program.write_text(
        "#!/bin/sh\n"
        "case $1 in\n"
        "ann@*) echo /O=G/CN=$1;;\n"
        f"read@*) cat {secret} || exit 1; echo;;\n"
        f"write@*) echo x > {tmp_path}/made || exit 1; echo /O=made;;\n"
        "env@*) env;;\n"
        "*) exit 1;;\n"
        "esac\n")
    program.chmod(0o755)
    with Worker(tmp_path, "auth passwd", "subject-from program",
                f"map-program {program}") as w:
        assert w.work("map-program", "ann@LIGO.TEST") == (
            "NONE", "/O=G/CN=ann@LIGO.TEST")
        assert w.work("map-program", "eve@LIGO.TEST") == ("ABSENT", "")
        assert w.work("map-program", "read@LIGO.TEST")[0] == "ABSENT"
        # By seccomp, or where a sanitizer has none, by Landlock.
        assert w.work("map-program", "write@LIGO.TEST")[0] in ("FAILED",
                                                               "ABSENT")
        assert not (tmp_path / "made").exists()


@pytest.mark.heavy  # a sanitizer has no seccomp, an old kernel no Landlock
@pytest.mark.parametrize("setting", ["yes", "no"])
def test_a_program_has_the_network_only_if_the_site_says_so(tmp_path, setting):
    program = tmp_path / "find-subject"
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        program.write_text("#!/bin/bash\n"
                           f"exec 5<>/dev/tcp/127.0.0.1/{port} || exit 1\n"
                           "echo /O=G/CN=$1\n")
        program.chmod(0o755)
        with Worker(tmp_path, "auth passwd", "subject-from program",
                    f"map-program {program}",
                    f"map-program-network {setting}") as w:
            code, text = w.work("map-program", "ann@LIGO.TEST")
            if setting == "yes":
                assert (code, text) == ("NONE", "/O=G/CN=ann@LIGO.TEST")
            else:
                assert code in ("FAILED", "ABSENT")


def test_passwords_and_subjects_of_a_directory(tmp_path):
    people = [{"uid": "ann", "userPassword": "first",
               "description": "/O=G/CN=Ann"}]
    password = tmp_path / "searcher"
    password.write_text(SEARCHER_PASSWORD + "\n")
    password.chmod(0o600)
    with Slapd(tmp_path / "ldap", people, anonymous=False) as ldap:
        os.chmod(tmp_path / "ldap", 0o755)
        settings = ["auth ldap", "subject-from ldap",
                    f"ldap-uri {ldap.uri.replace('127.0.0.1', 'localhost')}",
                    f"ldap-ca-file {ldap.ca_file}", f"ldap-base {SUFFIX}",
                    f"ldap-search-dn {SEARCHER}",
                    f"ldap-search-password-file {password}"]
        with Worker(tmp_path, *settings) as w:
            assert w.work("ldap", "ann", "first") == ("NONE", "ann"), w.log()
            assert w.work("ldap", "ANN", "first") == ("NONE", "ann")
            assert w.work("ldap", "ann", "x") == ("LOGIN", "")
            assert w.work("ldap", "eve", "x") == ("LOGIN", "")
            assert w.work("ldap", "ann", "") == ("LOGIN", "")
            assert w.work("map-ldap", "ann@LIGO.TEST") == (
                "NONE", "/O=G/CN=Ann")
            assert w.work("map-ldap", "eve@LIGO.TEST") == ("ABSENT", "")
    with Worker(tmp_path, *settings, f"ldap-bind-dn uid={{user}},{PEOPLE}"
                ) as w:
        assert w.work("ldap", "ann", "first") == ("UNREACHABLE", "")


PAM = """\
auth required pam_pwdfile.so pwdfile={dir}/users
auth optional pam_exec.so quiet {dir}/note
account required pam_permit.so
"""


def pam_dir(tmp_path, text=PAM):
    (tmp_path / "signet").write_text(text.format(dir=tmp_path))
    for service in ("other",):
        (tmp_path / service).write_text("auth required pam_deny.so\n"
                                        "account required pam_deny.so\n")
    write_passwd(tmp_path / "users", {"ann": "first"})
    (tmp_path / "note").write_text(
        f"#!/bin/sh\necho $PAM_USER $PAM_RHOST > {tmp_path}/noted\n")
    (tmp_path / "note").chmod(0o755)
    if os.getuid() == 0:
        os.chown(tmp_path / "users", 0, 0)
    return ["auth pam", f"pam-dir {tmp_path}"]


def test_pam_with_modules_that_run_programs(tmp_path):
    with Worker(tmp_path, *pam_dir(tmp_path), role="pam") as w:
        assert w.pam("ann", "first") == ("NONE", "ann"), w.log()
        assert (tmp_path / "noted").read_text() == "ann 192.0.2.1\n"
        assert w.pam("ann", "x") == ("LOGIN", "")
        assert w.pam("eve", "x") == ("LOGIN", "")
        assert w.pam("ann", "first", "[2001:db8::1]:99") == ("NONE", "ann")
        assert (tmp_path / "noted").read_text() == "ann 2001:db8::1\n"


def check_hang(worker, kind, **question):
    with worker as w:
        before = time.monotonic()
        w.tell(kind, **question)
        assert w.channels["auth"].recv(70000) == b""
        assert time.monotonic() - before < 15
    assert worker.process.returncode == -signal.SIGALRM


def test_a_pam_module_that_hangs_ends_the_worker(tmp_path):
    (tmp_path / "hang").write_text("#!/bin/sh\nexec sleep 60\n")
    (tmp_path / "hang").chmod(0o755)
    settings = pam_dir(tmp_path, "auth required pam_exec.so {dir}/hang\n")
    worker = Worker(tmp_path, *settings, "auth-timeout 1", role="pam")
    check_hang(worker, "PAM_ASK", username="ann", peer="192.0.2.1:1",
               passphrase="first")


def test_servers_that_hang_end_the_worker(tmp_path):
    """Each of them is given up in time, but all together are not."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        uri = f"ldap-uri ldap://127.0.0.1:{silent.getsockname()[1]}"
        worker = Worker(tmp_path, "auth ldap", uri, uri, uri,
                        f"ldap-bind-dn uid={{user}},{PEOPLE}",
                        "auth-timeout 1")
        check_hang(worker, "WORK_ASK", method="ldap", username="ann",
                   passphrase="first")


def test_a_worker_ends_when_auth_has_gone(tmp_path):
    worker = Worker(tmp_path, "auth passwd", f"passwd-file {tmp_path}/none")
    with worker as w:
        w.channels["auth"].close()
        assert worker.process.wait(timeout=20) == 0


def test_a_worker_hears_nothing_but_questions(tmp_path):
    worker = Worker(tmp_path, "auth passwd", f"passwd-file {tmp_path}/none")
    with worker as w:
        w.channels["auth"].send(encode("VOUCH", ref="x"))
        assert worker.process.wait(timeout=20) != 0
        assert "role-refused role=auth" in w.log()
