"""signet-trust: who owns what is installed, how long it waits, by whose proxy
it asks; and a disk that is really full."""

import grp
import os
import pwd
import re
import subprocess
import time

import pytest
from trust_site import BETA, SIGNET_TRUST, Site, Web

SLEEPS = ("230", "115", "407")  # clock_nanosleep, by machine
ELSEWHERE = "http://ca.invalid"  # only a proxy knows the way


@pytest.fixture
def site(tmp_path):
    site = Site(tmp_path)
    site.alpha = site.ca()
    site.describe(site.alpha)
    yield site
    site.close()


def settings(site, *lines):
    site.settings.write_text("\n".join([
        f"target {site.target}", f"cache-dir {site.dir}/cache",
        f"cadesc {site.descriptions}", *lines]) + "\n")


def refresh(site, *lines, **env):
    settings(site, *lines)
    return subprocess.run(
        [SIGNET_TRUST, "refresh", "--config", site.settings],
        env={**site.env, **env}, capture_output=True, text=True, timeout=60)


# ---- owner

def owners(site):
    """Of the directory and of each file in it."""
    return {(st.st_uid, st.st_gid) for st in [
        site.target.stat(), *(path.lstat() for path in site.target.iterdir())]}


def test_files_and_directory_are_the_owners(site):
    user = pwd.getpwnam("nobody" if os.getuid() == 0 else
                        pwd.getpwuid(os.getuid()).pw_name)
    group = grp.getgrgid(user.pw_gid).gr_name
    done = refresh(site, f"owner {user.pw_name}:{group}")
    assert done.returncode == 0, done.stderr
    assert owners(site) == {(user.pw_uid, user.pw_gid)}
    if os.getuid() == 0:
        # What somebody else took is given back.
        os.chown(site.target / f"{site.alpha.hash}.0", 0, 0)
        site.alpha.crl()
        done = refresh(site, f"owner {user.pw_name}:{group}")
        assert done.returncode == 0, done.stderr
        assert owners(site) == {(user.pw_uid, user.pw_gid)}


def test_who_cannot_give_it_away_changes_nothing(site):
    """root can; anybody else is refused, and so is an owner that is none."""
    if os.getuid() != 0:
        done = refresh(site, "owner root:root")
        assert done.returncode == 1 and "not permitted" in done.stderr
        assert site.files() == []
    done = refresh(site, "owner nobody-of-that-name:root")
    assert done.returncode != 0 and "nobody-of-that-name" in done.stderr
    assert site.files() == []


# ---- random-wait

def asleep(process, seconds=30):
    """For how long it wants to sleep, as its system call says."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert process.poll() is None, process.communicate()
        with open(f"/proc/{process.pid}/syscall", encoding="ascii") as file:
            call = file.read().split()
        if call[0] in SLEEPS:
            with open(f"/proc/{process.pid}/mem", "rb", 0) as memory:
                memory.seek(int(call[3], 16))
                return int.from_bytes(memory.read(8), "little")
        time.sleep(0.01)
    raise AssertionError("it never slept")


def test_it_waits_before_it_asks_and_no_longer_than_that(site):
    settings(site, "random-wait 86400")
    waits = []
    for _ in range(3):
        process = subprocess.Popen(
            [SIGNET_TRUST, "refresh", "--config", site.settings],
            env=site.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            waits.append(asleep(process))
        finally:
            process.terminate()
            process.communicate(timeout=20)
    assert site.web.asked == []
    assert all(0 <= wait < 86400 for wait in waits)
    assert len(set(waits)) > 1
    # Who only looks, or asks nobody, does not wait.
    assert site.trust("diff").returncode == 0
    site.trust("refresh", "--offline")
    began = time.monotonic()
    assert refresh(site, "random-wait 2s").returncode == 0
    assert time.monotonic() - began < 15
    assert site.files() != []


# ---- proxy

@pytest.fixture
def proxy():
    """It knows pages by their whole URL."""
    web = Web()
    yield web
    web.close()


def elsewhere(site, proxy):
    for name in ("alpha.pem", "alpha.crl"):
        proxy.pages[f"{ELSEWHERE}/{name}"] = site.web.pages[f"/{name}"]
    site.describe(site.alpha, CERTIFICATE_URL=f"{ELSEWHERE}/alpha.pem",
                  CRL_URL=f"{ELSEWHERE}/alpha.crl")


@pytest.mark.parametrize("by", ["setting", "environment"])
def test_by_the_proxy_that_the_site_names(site, proxy, by):
    elsewhere(site, proxy)
    done = (refresh(site, f"proxy {proxy.url}") if by == "setting" else
            refresh(site, http_proxy=proxy.url))
    assert done.returncode == 0, done.stderr
    assert set(proxy.asked) == {f"{ELSEWHERE}/alpha.pem",
                                f"{ELSEWHERE}/alpha.crl"}
    assert f"{site.alpha.hash}.r0" in site.files()
    assert site.web.asked == []


def test_none_means_none_whatever_the_environment_says(site, proxy):
    done = refresh(site, "proxy none", http_proxy=proxy.url)
    assert done.returncode == 0, done.stderr
    assert proxy.asked == []
    assert "/alpha.crl" in site.web.asked


def test_a_proxy_that_is_away_is_named(site):
    gone = Web()
    gone.close()
    done = refresh(site, f"proxy {gone.url}")
    assert done.returncode == 1
    assert re.search(r"proxy|connect", done.stderr), done.stderr
    assert site.files() == [] and site.web.asked == []


# ---- a full disk

def contents(site):
    return {name: (site.target / name).read_bytes() for name in site.files()}


def fill(disk, free):
    """All but ${free} bytes of it."""
    ballast = disk / "ballast"
    ballast.unlink(missing_ok=True)
    with open(ballast, "wb", 0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass
        size = file.tell()
        file.truncate(max(0, size - free))


def walk_full_disk(site, disk):
    site.target = disk / "certificates"
    beta = site.ca("beta", BETA, site.alpha)
    site.describe(beta)
    assert refresh(site).returncode == 0
    old = contents(site)
    assert old
    site.alpha.crl()
    beta.crl()
    full = 0
    for pages in range(64):
        fill(disk, 4096 * pages)
        done = subprocess.run(
            [SIGNET_TRUST, "refresh", "--force", "--config", site.settings],
            env=site.env, capture_output=True, text=True, timeout=60)
        if done.returncode == 0:
            break
        assert done.returncode == 1
        assert "No space left on device" in done.stderr
        assert contents(site) == old
        full += 1
    assert full >= 3
    found = contents(site)
    assert found.keys() == old.keys() and found != old
    # What the failures left is not in anybody's way.
    (disk / "ballast").unlink()
    site.alpha.crl()
    assert refresh(site).returncode == 0


# Who may not mount has test_trust_rollback.py's, which limits files instead.
if os.getuid() == 0:
    def test_a_disk_that_is_full_keeps_the_old_directory(site, tmp_path):
        disk = tmp_path / "disk"
        disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs",
                        disk], check=True)
        try:
            walk_full_disk(site, disk)
        finally:
            subprocess.run(["umount", "-l", disk], check=True)
