"""Both sides of a comparison: Debian's grid tools and ours, on the same files."""

import os
import pty
import re
import select
import shutil
import time

import pytest
from grid_tools import PHRASE, Desk
from openssl_pki import PEOPLE

ROBERT = f"{PEOPLE}/CN=robert"


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    desk = Desk(tmp_path_factory.mktemp("desk"))
    desk.proxy(desk.dir / "good")
    return desk


@pytest.fixture
def good(desk, tmp_path):
    path = tmp_path / "proxy"
    shutil.copy(desk.dir / "good", path)
    os.chmod(path, 0o600)
    return path


def same(desk, tool, *args, masks=(), before=None, **how):
    """Both tools, each on files that ${before} made anew."""
    results = []
    for ask in desk.theirs, desk.ours:
        if before is not None:
            before()
        results.append(ask(tool, *args, **how))
    theirs, ours = results
    assert ours.masked(*masks) == theirs.masked(*masks), (
        f"theirs: {theirs}\n==\nours: {ours}")
    return ours


def both(desk, tool, *args, before=None, **how):
    if before is not None:
        before()
    theirs = desk.theirs(tool, *args, **how)
    if before is not None:
        before()
    return theirs, desk.ours(tool, *args, **how)


# grid-proxy-info.

SECONDS = ((r"(?m)^4\d{4}$", "SECONDS"),)


def voms_info(desk, proxy, *args):
    return desk.one("/usr/bin", "voms-proxy-info2", *args, proxy=proxy)


# grid-proxy-init.

def init(desk, *args, **how):
    how.setdefault("stdin", PHRASE + "\n")
    return same(desk, "grid-proxy-init", "-pwstdin", *args, **how)


# At a terminal.

def at_terminal(desk, argv, answers, **env):
    """What a person sees who gives ${answers} one after another, and the exit
    status."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(argv[0], [str(a) for a in argv], desk.env(**env))
    seen, given = b"", 0
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if fd in select.select([fd], [], [], 0.2)[0]:
            try:
                data = os.read(fd, 4096)
            except OSError:
                break
            if not data:
                break
            seen += data
        asked = len(re.findall(rb"(?i)pass ?phrase[^\n]*: ?", seen))
        if given < len(answers) and asked > given:
            time.sleep(0.1)  # until the echo is off
            os.write(fd, answers[given].encode() + b"\n")
            given += 1
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(fd)
    return seen.decode().replace("\r\n", "\n"), status
