"""What follows a run of signet-trust: the site's programs, the metrics, the
answer for programs.  Whatever fails of it keeps the rest from nothing."""

import json
import os
import subprocess

import pytest
from trust_site import SIGNET_TRUST, Site


@pytest.fixture
def site(tmp_path):
    site = Site(tmp_path / "site")
    site.alpha = site.ca()
    site.describe(site.alpha)
    site.base = f"gx-map {site.etc}\n"
    yield site
    site.close()


def program(site, name, text):
    path = site.dir / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("command", ["refresh", "gx-ca-update"])
def test_a_program_that_hangs_is_ended_with_all_it_started(site, command):
    """It neither reads what it is told nor hears SIGTERM."""
    pids = site.dir / "pids"
    hook = program(site, "hook", "trap '' TERM\nsleep 1000 &\n"
                   f"echo $$ $! >{pids}\nwait\nwait")
    site.settings.write_text(site.base + f"hook-change {hook}\n"
                             "hook-timeout 1s\n"
                             f"cache-dir {site.dir}/cache\n")
    args = ([SIGNET_TRUST, "refresh", "--target", site.target]
            if command == "refresh" else
            [site.old, "-target-dir", site.target, "-ca", "alpha"])
    result = subprocess.run([*args, "--config", site.settings], env=site.env,
                            capture_output=True, text=True, timeout=60)
    assert result.returncode == 1
    assert "took more than 1 s (hook-timeout)" in result.stderr
    for pid in pids.read_text().split():
        # A zombie may wait for whoever reaps it.
        try:
            with open(f"/proc/{pid}/stat") as stat:
                assert stat.read().split(")")[1].split()[0] == "Z"
        except FileNotFoundError:
            pass
    assert len(site.files()) == 3


def test_the_old_name_too_has_let_go_when_programs_are_run(site):
    told = site.dir / "told"
    hook = program(site, "hook", f"{SIGNET_TRUST} refresh --quiet --config "
                   f"{site.settings} --target {site.target} && echo well >{told}")
    site.settings.write_text(site.base + f"hook-change {hook}\n")
    result = site.update()
    assert result.returncode == 0, result.stderr
    assert told.read_text() == "well\n"


def test_each_of_them_is_run_whatever_becomes_of_the_others(site):
    """And who asked for an object gets one, with what went wrong in it."""
    change = program(site, "change", f"echo noise; touch {site.dir}/1; exit 3")
    error = program(site, "error", f"cat >{site.dir}/2")
    beta = site.ca("beta", "/C=US/O=Test/CN=Beta CA")
    site.describe(beta, CERTIFICATE_MD5="00")
    result = site.trust(
        "refresh", "--json", settings=site.base + f"hook-change {change}\n"
        f"hook-error {error}\nmetrics {site.dir}/none/metrics\n")
    assert result.returncode == 1
    told = json.loads(result.stdout)
    assert told["error"]["exit"] == 1 and told["exit"] == 1
    assert "none/metrics" in told["error"]["message"]
    assert "none/metrics" in result.stderr and "noise" in result.stderr
    assert (site.dir / "1").exists()
    assert "Mismatched md5" in (site.dir / "2").read_text()
    # So with rollback.
    result = site.trust("rollback", "--json")
    told = json.loads(result.stdout)
    assert told["changed"] and "status 3" in told["error"]["message"]
    assert result.returncode == 1 and site.files() == []


def test_a_line_is_a_fault(site):
    said = site.dir / "said"
    hook = program(site, "hook", f"cat >{said}")
    site.describe(site.alpha, SUBJECT="/CN=a\u0085b")
    assert site.trust("refresh", settings=site.base +
                      f"hook-error {hook}\n").returncode == 1
    lines = said.read_text().splitlines()
    assert lines and all(x.startswith(f"{site.alpha.hash} alpha: ")
                         for x in lines)


def test_a_reader_that_went_away_costs_no_hook(site):
    done = site.dir / "done"
    hook = program(site, "hook", f"touch {done}")
    site.trust("list", settings=site.base + f"hook-change {hook}\n")
    read, write = os.pipe()
    os.close(read)
    result = subprocess.run(
        [SIGNET_TRUST, "refresh", "--verbose", "--config", site.settings],
        env=site.env, stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert (result.returncode, result.stderr) == (0, "")
    assert done.exists() and len(site.files()) == 3


def test_an_object_is_one_whatever_files_are_called(site):
    assert site.trust("refresh", settings=site.base).returncode == 0
    for name in (b"\xff.pem", b"a\n\x1b[31mb"):
        with open(os.fsencode(site.target) + b"/" + name, "w"):
            pass
    result = site.trust("diff", "--json")
    names = [c["name"] for c in json.loads(result.stdout)["changes"]]
    assert names == ["a??[31mb", "?.pem"]


def test_a_clock_that_was_never_set_removes_nobody(site):
    assert site.trust("refresh", settings=site.base).returncode == 0
    before = site.files()
    for command in ("refresh", "diff", "check"):
        result = subprocess.run(
            ["faketime", "1970-01-02 00:00:00", SIGNET_TRUST, command,
             "--config", site.settings], env=site.env, capture_output=True,
            text=True)
        assert result.returncode == 1
        assert "the clock is wrong: it says 1970-01-0" in result.stderr
    assert len(before) == 3 and site.files() == before


def test_figures_and_an_object_do_not_mix(site):
    result = site.trust("check", "--json", "--metrics", "-",
                        settings=site.base)
    assert result.returncode == 2
    assert json.loads(result.stdout)["error"]["code"] == "usage"
    result = site.trust("check", "--nagios", "--metrics", "-")
    assert result.returncode == 3 and "signet_trust" not in result.stdout
