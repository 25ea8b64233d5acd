"""The installed trust directory, killed at each of its steps, looked at while
it changes, and wanted by two at once."""

import os
import pathlib
import random
import signal
import subprocess
import threading
import time

import pytest
from kill_at import KillAt
from signet_site import BUILD

KEEPER = BUILD / "tests/house_keeper"
KILLS = 100 if os.environ.get("SIGNET_LONG") == "yes" else 12


def source(top, name, files):
    """A directory with what is to be installed."""
    folder = top / name
    folder.mkdir()
    for file, text in files.items():
        (folder / file).write_text(text)
    return folder


def states(top, many=0):
    """Two states that share a file, and each have one of their own."""
    more = {f"m{i}.0": "same" for i in range(many)}
    return (source(top, "one", {"a.0": "same", "a.r0": "1", "b.r0": "1",
                                "x.0": "1", **more}),
            source(top, "two", {"a.0": "same", "a.r0": "2", "b.r0": "2",
                                "y.0": "2", **more}))


def contents(folder):
    """What a reader who opens the directory once finds in it."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        found = {}
        for name in os.listdir(fd):
            if not name.startswith("."):
                with open(os.open(name, os.O_RDONLY, dir_fd=fd)) as file:
                    found[name] = file.read()
        return found
    finally:
        os.close(fd)


def keep(folder, wanted, *options):
    return subprocess.run([KEEPER, folder, wanted, *options],
                          capture_output=True, text=True, timeout=60)


def kept(folder, wanted, *options):
    done = keep(folder, wanted, *options)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("layout", [[], ["link"]], ids=["directory", "link"])
def test_killed_at_each_step_it_is_old_or_new(tmp_path, layout):
    kill = KillAt(tmp_path)
    one, two = states(tmp_path)
    folder = tmp_path / "certs"
    crashes = 0
    old_or_new = [contents(one), contents(two)]
    for n in range(1, 200):
        # From the same beginning each time, with something of another's.
        kept(folder, one, "keep=1", *layout)
        (folder / "theirs").write_text("theirs")
        done = kill.run(n, KEEPER, folder, two, "keep=1", *layout)
        found = contents(folder)
        assert found.pop("theirs") == "theirs"
        assert found in old_or_new, n
        if done.returncode == 0:
            break
        assert done.returncode == -9, done.stderr
        crashes += 1
        kept(folder, two, "keep=1", *layout)
        found = contents(folder)
        assert found.pop("theirs") == "theirs"
        assert found == old_or_new[1], n
        # Nothing is left of the one that was killed.
        rest = {p.name for p in (tmp_path / ".certs.gen").iterdir()}
        assert not rest & {"new", "next", "drop", "link"}, n
        assert len(rest) <= 2, rest
    else:
        pytest.fail("it never got through")
    assert crashes > 12


def test_killed_the_first_time_nothing_of_the_site_is_lost(tmp_path):
    kill = KillAt(tmp_path)
    _, two = states(tmp_path)
    for n in range(1, 200):
        folder = tmp_path / f"certs{n}"
        folder.mkdir()
        (folder / "a.r0").write_text("the site's")
        (folder / "theirs").write_text("theirs")
        done = kill.run(n, KEEPER, folder, two)
        if done.returncode == 0:
            break
        assert contents(folder) in (
            {"a.r0": "the site's", "theirs": "theirs"},
            {**contents(two), "theirs": "theirs"}), n
        kept(folder, two)
        assert contents(folder) == {**contents(two), "theirs": "theirs"}, n
        # What there was before is still to be had.
        before = tmp_path / f".certs{n}.gen/0/a.r0"
        assert before.read_text() == "the site's", n
    else:
        pytest.fail("it never got through")
    assert n > 8


def test_readers_never_see_a_mixture(tmp_path):
    one, two = states(tmp_path)
    folder = tmp_path / "certs"
    kept(folder, one, "keep=50")
    whole = [contents(one), contents(two)]
    seen, wrong, ended = [0, 0], [], threading.Event()

    def read():
        while not ended.is_set():
            found = contents(folder)
            if found in whole:
                seen[whole.index(found)] += 1
            else:
                wrong.append(found)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for i in range(30):
            kept(folder, [two, one][i % 2], "keep=50")
    finally:
        ended.set()
        reader.join()
    assert not wrong
    assert min(seen) > 3, seen


@pytest.mark.heavy
def test_killed_at_random(tmp_path):
    one, two = states(tmp_path, many=300)
    folder = tmp_path / "certs"
    kept(folder, one)
    whole = [contents(one), contents(two)]
    for i in range(KILLS):
        process = subprocess.Popen([KEEPER, folder, [two, one][i % 2]],
                                   stdout=subprocess.DEVNULL)
        time.sleep(random.uniform(0, 0.05))
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=60)
        assert contents(folder) in whole
    kept(folder, two)
    assert contents(folder) == whole[1]
    assert kept(folder, two) == []


def test_two_at_once_take_turns(tmp_path):
    one, two = states(tmp_path, many=100)
    folder = tmp_path / "certs"
    both = [subprocess.Popen([KEEPER, folder, wanted, "wait=30000"],
                             stdout=subprocess.DEVNULL,
                             stderr=subprocess.PIPE, text=True)
            for wanted in (one, two) * 3]
    for process in both:
        _, said = process.communicate(timeout=60)
        assert process.returncode == 0, said
    assert contents(folder) in [contents(one), contents(two)]


def test_who_holds_the_lock_is_named_and_a_crash_leaves_none(tmp_path):
    one, two = states(tmp_path)
    folder = tmp_path / "certs"
    kept(folder, one)
    lock = tmp_path / ".certs.lock"
    taken = subprocess.Popen(["flock", lock, "sh", "-c",
                              f"echo $$ > {lock}; echo ready; exec sleep 60"],
                             stdout=subprocess.PIPE, text=True)
    assert taken.stdout.readline() == "ready\n"
    busy = keep(folder, two)
    assert busy.returncode == 1
    pid = lock.read_text().strip()
    assert f"is being changed by process {pid};" in busy.stderr
    os.kill(int(pid), signal.SIGKILL)
    taken.wait(timeout=10)
    taken.stdout.close()
    kept(folder, two, "wait=10000")
    assert contents(folder) == contents(two)


def test_an_unchanged_run_writes_nothing(tmp_path):
    one, _ = states(tmp_path)
    folder = tmp_path / "certs"
    kept(folder, one)

    def stamps():
        return {path: path.lstat() for path in
                [tmp_path, folder, tmp_path / ".certs.gen",
                 *pathlib.Path(folder).iterdir()]}

    def key(st):
        return st.st_ino, st.st_mtime_ns, st.st_ctime_ns, st.st_nlink

    before = {path: key(st) for path, st in stamps().items()}
    assert kept(folder, one) == []
    assert {path: key(st) for path, st in stamps().items()} == before


def test_what_others_add_while_it_changes_stays(tmp_path):
    one, two = states(tmp_path, many=200)
    folder = tmp_path / "certs"
    kept(folder, one)
    for i in range(10):
        process = subprocess.Popen([KEEPER, folder, [two, one][i % 2]],
                                   stdout=subprocess.DEVNULL)
        added = []
        for j in range(20):
            fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            if process.poll() is None:
                path = f"theirs.{i}.{j}"
                os.close(os.open(path, os.O_CREAT | os.O_WRONLY, dir_fd=fd))
                # Before the switch, that is: who comes later is too late.
                if folder.stat().st_ino == os.fstat(fd).st_ino:
                    added.append(path)
            os.close(fd)
        assert process.wait(timeout=60) == 0
        assert added
        assert not [name for name in added if not (folder / name).exists()]
