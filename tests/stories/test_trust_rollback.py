"""signet-trust rollback and generations, and refresh killed at its steps."""

import json
import resource
import subprocess

import pytest
from kill_at import KillAt
from trust_site import ALPHA, BETA, SIGNET_TRUST, Ca, Site


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    site = Site(tmp_path_factory.mktemp("trust"))
    alpha = Ca(site, "alpha", ALPHA)
    beta = Ca(site, "beta", BETA, parent=alpha)
    site.cas = [alpha, beta]
    for ca in site.cas:
        ca.crl()
        path = site.descriptions / f"{ca.hash}.{ca.name}.cadesc"
        path.write_text(ca.described())
    yield site
    site.close()


def words(site, target, command, *more):
    return [SIGNET_TRUST, command, *more, "--target", target,
            *(["--cadesc", site.descriptions, "--cache-dir",
               site.dir / "cache"] if command in ("refresh", "diff") else [])]


def trust(site, target, command, *more, status=0):
    done = subprocess.run(words(site, target, command, *more), env=site.env,
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == status, done.stdout + done.stderr
    return done


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()
            if not path.name.startswith(".")}


def test_back_and_forth(site, tmp_path):
    target = tmp_path / "certificates"
    target.mkdir()
    (target / "theirs.0").write_text("theirs")
    before = contents(target)
    trust(site, target, "refresh")
    one = contents(target)
    assert {f"{ca.hash}.0" for ca in site.cas} < set(one)
    for ca in site.cas:
        ca.crl()
    trust(site, target, "refresh", "--force")
    two = contents(target)
    assert {k for k in two if one[k] != two[k]} == {
        f"{ca.hash}.r0" for ca in site.cas}
    listed = json.loads(trust(site, target, "generations", "--json").stdout)
    assert [(g["generation"], g["current"], g["ours"]) for g in listed] == [
        (2, True, True), (1, False, True), (0, False, False)]
    said = trust(site, target, "rollback").stdout.splitlines()
    assert sorted(said) == sorted(f"changed {ca.hash}.r0" for ca in site.cas)
    assert contents(target) == one
    # Once more is back again; and by number, to what was there before us.
    trust(site, target, "rollback")
    assert contents(target) == two
    done = trust(site, target, "rollback", "0", "--json")
    assert json.loads(done.stdout)["changed"] is True
    assert contents(target) == before
    trust(site, target, "rollback", "77", status=3)
    trust(site, target, "rollback", "x", status=2)
    assert contents(target) == before
    text = trust(site, target, "generations").stdout.splitlines()
    assert "(current)" in text[0] and "not made by" in text[-1]


def test_there_may_be_nothing_to_go_back_to(site, tmp_path):
    target = tmp_path / "certificates"
    done = trust(site, target, "rollback", status=3)
    assert "no earlier generation" in done.stderr
    assert not target.exists()


def test_refresh_killed_at_each_step(site, tmp_path):
    """Old or new, and the next run ends it."""
    kill = KillAt(tmp_path)
    target = tmp_path / "certificates"
    trust(site, target, "refresh")
    old = contents(target)
    for ca in site.cas:
        ca.crl()
    for n in range(1, 200):
        done = kill.run(n, "env", f"XDG_CACHE_HOME={site.dir}/cache",
                        *words(site, target, "refresh", "--force"))
        found = contents(target)
        if found != old:
            assert {k for k in found if found[k] != old.get(k)} == {
                f"{ca.hash}.r0" for ca in site.cas}, n
            # Killed after the step: again, from a new list on.
            trust(site, target, "refresh")
            assert contents(target) == found
            old = found
            for ca in site.cas:
                ca.crl()
        if done.returncode == 0:
            break
        assert done.returncode == -9, done.stderr
    else:
        pytest.fail("it never got through")
    assert n > 12


def test_a_full_disk_leaves_the_old_directory(site, tmp_path):
    """Full at each of many sizes: a file may not grow past so many bytes."""
    target = tmp_path / "certificates"
    trust(site, target, "refresh")
    old = contents(target)
    for ca in site.cas:
        ca.crl()
    full = 0
    for limit in (0, 1, 100, 300, 500, 600, 700, 1000):
        done = subprocess.run(
            words(site, target, "refresh", "--force", "--quiet"),
            env=site.env, capture_output=True, text=True, timeout=60,
            preexec_fn=lambda size=limit: resource.setrlimit(
                resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY)))
        if done.returncode == 0:
            assert contents(target) != old
            break
        assert "too large" in done.stderr
        assert contents(target) == old
        full += 1
    assert full > 3
    trust(site, target, "refresh")
    assert contents(target).keys() == old.keys()
    assert contents(target) != old
