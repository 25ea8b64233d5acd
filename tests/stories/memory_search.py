"""Where a word is: in the memory images of processes, in their environments
and command lines, and in files."""

import os
import pathlib
import subprocess
import tempfile


def spellings(word):
    """The word as octets, as wide characters, and the reverse of each."""
    plain = word.encode()
    return [plain, word.encode("utf-16-le"), plain[::-1]]


def has(data, words):
    return [w for w in words if any(s in data for s in spellings(w))]


def image(pid):
    """What gcore(1) makes of process ${pid}: all of its memory that a debugger
    may read, whatever it asked for with MADV_DONTDUMP."""
    with tempfile.TemporaryDirectory() as place:
        done = subprocess.run(
            ["gcore", "-a", "-o", f"{place}/core", str(pid)],
            capture_output=True, text=True, timeout=300)
        core = pathlib.Path(place, f"core.{pid}")
        assert core.exists(), done.stdout + done.stderr
        data = core.read_bytes()
    # An image of nothing has nothing in it.
    assert data.startswith(b"\x7fELF") and len(data) > 1 << 16
    return data


def in_memory(pids, words):
    """{name: words found} of the processes in {name: pid}."""
    found = {name: has(image(pid), words) for name, pid in pids.items()}
    return {name: what for name, what in found.items() if what}


def of_process(pid, words):
    """Of its environment and command line; of one that has gone: nothing."""
    found = []
    for part in ("environ", "cmdline"):
        try:
            data = pathlib.Path(f"/proc/{pid}/{part}").read_bytes()
        except OSError:
            continue
        found += [(pid, part, w) for w in has(data, words)]
    return found


def in_proc(words):
    return [hit for p in os.listdir("/proc") if p.isdigit()
            for hit in of_process(int(p), words)]


def in_files(places, words, but=()):
    """The files under ${places} that have one of ${words} in them."""
    found = []
    for place in places:
        for path in pathlib.Path(place).rglob("*"):
            if path.is_file() and not path.is_symlink() and path not in but:
                found += [(path, w) for w in has(path.read_bytes(), words)]
    return found


def children(pid):
    """Of process ${pid}, and theirs."""
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            for child in task.read_text().split():
                found += [int(child), *children(int(child))]
        except OSError:
            pass
    return found
