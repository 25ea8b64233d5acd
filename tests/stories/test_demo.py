"""./run demo, once it is built: the main job on an embedded default."""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

import pytest
from kdc import die_with_parent, free_port
from signet_site import BUILD, REPO, open_way

DEMO = ["sh", str(REPO / "tools" / "demo.sh"), str(BUILD)]


def as_someone(uid):
    """For preexec_fn: an ordinary user without a name."""
    def become():
        die_with_parent()
        if uid is not None:
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
    return become


@pytest.mark.parametrize("uid", [None, 61999])
def test_once_shows_it_all_and_leaves_nothing(tmp_path, uid):
    if uid is not None and os.getuid() != 0:
        uid = None
    open_way(tmp_path)
    os.chmod(tmp_path, 0o777)
    env = dict(os.environ, TMPDIR=str(tmp_path), HOME=str(tmp_path))
    result = subprocess.run([*DEMO, "--once"], env=env, text=True,
                            capture_output=True, timeout=120,
                            preexec_fn=as_someone(uid))
    assert result.returncode == 0, result.stdout + result.stderr
    out = result.stdout
    assert "type     : RFC 3820 compliant impersonation proxy" in out
    assert "CN=albert.einstein@EXAMPLE.ORG" in out
    assert re.search(r"proxy\.pem: OK", out)
    assert re.search(r"issued +05f5e100 ", out)  # 100,000,000: the range
    assert not list(tmp_path.glob("signet-demo.*"))


def test_the_site_stays_until_ctrl_c(tmp_path):
    port = free_port()
    open_way(tmp_path)
    site = tmp_path / "site"
    demo = subprocess.Popen([*DEMO, "--port", str(port), "--dir", str(site)],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            text=True, preexec_fn=die_with_parent)
    try:
        said = ""
        end = time.monotonic() + 60
        while "to try next" not in said.lower() and time.monotonic() < end:
            said += demo.stdout.readline()
        while "ledger check" not in said and time.monotonic() < end:
            said += demo.stdout.readline()
        password = re.search(r"the password is (\w+)", said).group(1)
        env = dict(os.environ, X509_CERT_DIR=str(site / "certificates"),
                   MYPROXY_SERVER="localhost", MYPROXY_SERVER_PORT=str(port))
        # What it prints to try next works, the stock client for one.
        got = subprocess.run(
            ["/usr/bin/myproxy-logon", "-S", "-l", "albert.einstein", "-o",
             str(tmp_path / "cred.pem")], env=env, input=password + "\n",
            text=True, capture_output=True, timeout=60)
        assert got.returncode == 0, got.stderr
    finally:
        demo.send_signal(signal.SIGINT)
        demo.wait(timeout=60)
    assert site.exists()  # named by the user: it is hers to remove
    shutil.rmtree(site)


def test_wrong_use_is_said():
    result = subprocess.run([*DEMO, "--onec"], capture_output=True, text=True)
    assert result.returncode == 2 and "usage: ./run demo" in result.stderr


def test_the_front_door_lists_its_commands():
    result = subprocess.run([str(REPO / "run")], capture_output=True,
                            text=True)
    for command in ("demo", "test", "bench", "fuzz", "fmt", "lint", "clean"):
        assert re.search(rf"(?m)^  {command} ", result.stdout), command
    wrong = subprocess.run([str(REPO / "run"), "demmo"], capture_output=True,
                           text=True)
    assert wrong.returncode == 2
    assert pathlib.Path(REPO / "run").stat().st_mode & 0o111
