"""What befalls the files around signet-map sync: rules, bans, maps and
directories that are wrong, vanish, or are changed by somebody else."""

import json
import os
import pwd
import shutil
import subprocess

import pytest

from map_site import MapSite, service

STATIC = "source st file {dir}/static\n"
SPLICE = "splice s\n    from st\n"
RULES = STATIC + service("g") + SPLICE
NAMES = {f"/CN=p{n}": [f"acc{n}"] for n in range(20)}


def put(site, names, file="static"):
    site.write(file, "".join(f'"{dn}" {",".join(accounts)}\n'
                             for dn, accounts in names.items()))


@pytest.fixture
def site(tmp_path):
    with MapSite(tmp_path / "site", RULES) as s:
        put(s, NAMES)
        yield s


@pytest.fixture
def kept(site):
    site.start()
    site.wait(lambda: site.map("g") == NAMES)
    return site


def agree(site, name="g", wanted=None):
    """Text, index and what is wanted are one."""
    site.wait(lambda: site.map(name) == wanted, seconds=20)
    for dn in wanted:
        assert site.look(name, dn) == wanted[dn], dn


def test_rules_that_fail_half_way_leave_each_map_to_its_own_rules(tmp_path):
    """An owner whom this host does not know: the maps that were taken over
    already go back, each to where it was."""
    two = STATIC + "source st2 file {dir}/static2\n"
    tail = (SPLICE + "    services a\n" +
            "splice t\n    from st2\n    services b\n")
    with MapSite(tmp_path / "site", two + service("a") + service("b") +
                 tail) as s:
        put(s, NAMES)
        put(s, {"/CN=other": ["other"]}, "static2")
        s.start()
        s.wait(lambda: s.map("a") == NAMES and len(s.map("b")) == 1)
        s.rules(two + service("c") + service("b", "mode 0600") + service("a") +
                service("d", "owner nobody-of-that-name") + tail)
        s.wait_log("reload-refused")
        put(s, {**NAMES, "/CN=new": ["new"]})
        agree(s, "a", {**NAMES, "/CN=new": ["new"]})
        agree(s, "b", {"/CN=other": ["other"]})
        assert not s.path("c").exists()
        assert s.path("b").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("wrong, said", [
    ("{dir}/map.rules", "that is the rules"),
    ("{dir}/static", "that is a source"),
    ("{dir}/state/history", "state directory"),
    ("{dir}/state/../static", "that is a source"),
    ("{dir}/bans", "that is a bans file"),
    ("{dir}//h.map.index", "would both write")])
def test_a_map_is_written_nowhere_where_something_else_is(site, wrong, said):
    rules = RULES.replace("{dir}/g.map", wrong)
    site.rules(rules + service("h") + "bans {dir}/bans\n")
    site.once(status=78)
    done = site.run("sync", "--once")
    assert said in done.stderr
    assert (site.dir / "static").read_text().startswith('"/CN=p0"')
    assert (site.dir / "map.rules").read_text().startswith("source st")


def test_a_file_of_rules_that_is_cut_off_changes_nothing(kept):
    (kept.dir / "map.rules").write_text("")
    kept.wait_log("reload-refused")
    put(kept, {**NAMES, "/CN=new": ["new"]})
    agree(kept, wanted={**NAMES, "/CN=new": ["new"]})
    kept.wait(lambda: [a["what"] for a in kept.status()["alarms"]] ==
              ["rules"])
    kept.rules(RULES)
    kept.wait_log("reloaded")


def test_a_bans_file_that_is_none_lifts_no_ban(site):
    site.rules(RULES + "bans {dir}/bans\n")
    bans = site.dir / "bans"
    site.write("bans", "account acc3\n")
    left = {dn: to for dn, to in NAMES.items() if to != ["acc3"]}
    site.start()
    site.wait(lambda: site.map("g") == left)
    for count, make in enumerate([os.mkfifo, os.mkdir,
                                  lambda p: os.symlink("bans", p)]):
        make(site.dir / "odd")
        if count == 1:
            bans.unlink()  # what is no directory cannot be renamed over
        os.rename(site.dir / "odd", bans)
        site.wait_log("reload-refused", count + 1)
        assert site.map("g") == left
        if count == 1:
            os.rename(bans, site.dir / "away")
            site.write("bans", "account acc3\n")
            site.wait(lambda: site.map("g") == left)
    site.write("bans", "account acc3\naccount acc4\n")
    site.wait(lambda: len(site.map("g")) == 18)


def test_a_ban_needs_no_source_that_was_never_read(site):
    site.once()
    site.rules(RULES + "source late file {dir}/none\nban account acc3\n")
    done = site.once(status=9)
    assert "nothing is written but bans" in done.stderr
    left = {dn: to for dn, to in NAMES.items() if to != ["acc3"]}
    agree(site, wanted=left)
    assert site.look("g", "/CN=p3") == []
    # Nobody else goes, and nobody comes.
    put(site, {"/CN=new": ["new"]})
    site.once(status=9)
    agree(site, wanted=left)
    # Nor does one that is put while sync waits for that source.
    site.start()
    site.rules(RULES + "source late file {dir}/none\nban account acc4\n"
               "ban account acc3\n")
    del left["/CN=p4"]
    agree(site, wanted=left)
    assert site.look("g", "/CN=p4") == []


@pytest.mark.heavy
def test_a_map_that_somebody_else_changes_is_made_again(kept):
    text, index = kept.path("g"), kept.dir / "g.map.index"
    delta = kept.dir / "g.map.delta"
    older = kept.dir / "older"
    shutil.copy2(index, older)
    more = {**NAMES, "/CN=new": ["new"]}
    put(kept, more)
    agree(kept, wanted=more)
    for number, harm in enumerate([
            text.unlink, lambda: text.write_text('"/CN=evil" root\n'),
            index.unlink, lambda: index.write_bytes(b"none"),
            lambda: index.write_bytes(index.read_bytes()[:-7])], 1):
        harm()
        kept.wait_log("map-spoilt", number)
        agree(kept, wanted=more)
        assert kept.look("g", "/CN=evil") == []
    os.rename(older, index)
    kept.wait_log("map-spoilt", 6)
    agree(kept, wanted=more)
    for path in (text, index):
        path.chmod(0o666)
        kept.wait(lambda: path.stat().st_mode & 0o777 == 0o644)
    put(kept, NAMES)
    kept.wait(lambda: kept.map("g") == NAMES and delta.exists())
    delta.unlink()
    kept.wait_log("map-spoilt", 9)
    kept.wait(lambda: kept.look("g", "/CN=new") == [])
    agree(kept, wanted=NAMES)


def test_a_delta_that_outlived_its_index_brings_nobody_back(kept):
    put(kept, {**NAMES, "/CN=gone": ["gone"]})
    kept.wait(lambda: kept.look("g", "/CN=gone") == ["gone"])
    kept.stop()
    (kept.dir / "g.map.index").unlink()
    put(kept, NAMES)
    kept.once()
    assert kept.look("g", "/CN=gone") == []
    agree(kept, wanted=NAMES)


@pytest.mark.parametrize("which", ["state", "out"])
def test_without_its_directories_it_ends_and_says_why(tmp_path, which):
    with MapSite(tmp_path / "site",
                 RULES.replace("{dir}/g.map", "{dir}/out/g.map")) as s:
        s.path = lambda name: s.dir / "out" / f"{name}.map"
        put(s, NAMES)
        (s.dir / "out").mkdir()
        s.start()
        s.wait(lambda: s.map("g") == NAMES)
        shutil.rmtree(s.dir / which)
        if which == "out":
            (s.dir / which).mkdir()
        assert s.process.wait(timeout=30) == 1
        s.process = None
        assert ("was removed" if which == "state" else "was made") in s.said()
        # Whoever starts it again has all as it should be.
        s.once()
        agree(s, wanted=NAMES)


def test_what_is_said_in_no_language_reaches_the_status(tmp_path):
    """A path of 200 letters of two bytes is cut somewhere."""
    for cut in ("", "x"):
        name = cut + "ü" * 100
        with MapSite(tmp_path / f"site{cut}", STATIC.replace(
                "{dir}/static", "/none/" + name + "/" + name) +
                service("g") + SPLICE) as s:
            s.once(status=9)
            assert s.status()["sources"][0]["fault"].startswith("source st")


def test_the_history_knows_a_default_by_its_whole_name(site):
    put(site, {"/CN=x": ["scott2", "scott"]})
    site.rules(RULES.replace("exist no", "exist no\n    shrink-limit 100%"))
    site.once()
    put(site, {"/CN=x": ["scott", "scott2"]})
    site.once()
    assert site.look("g", "/CN=x") == ["scott", "scott2"]
    signs = [line.split("\t")[2] for line in
             (site.state / "history").read_text(errors="replace").split("\n")
             if "/CN=x" in line]
    assert "*" in signs, signs


def test_a_map_is_given_to_its_owner(tmp_path):
    """As root to another user, else to oneself: text, index and delta."""
    who = pwd.getpwnam("daemon") if os.geteuid() == 0 else \
        pwd.getpwuid(os.geteuid())
    with MapSite(tmp_path / "site", STATIC + service(
            "g", "mode 0640", f"owner {who.pw_name}:{who.pw_gid}") +
            SPLICE) as s:
        put(s, NAMES)
        s.once()
        s.start()
        put(s, {**NAMES, "/CN=new": ["new"]})
        delta = s.dir / "g.map.delta"
        s.wait(lambda: delta.exists() and "/CN=new" in s.text("g"))
        assert "map-index-bad" not in s.said()
        assert "map-spoilt" not in s.said()
        for path in (s.path("g"), s.dir / "g.map.index", delta):
            found = path.stat()
            assert (found.st_uid, found.st_gid, found.st_mode & 0o777) == \
                (who.pw_uid, who.pw_gid, 0o640), path


def test_a_state_that_cannot_be_kept_is_no_success(site):
    site.once()
    (site.state / "roster.state").unlink()
    (site.state / "roster.state").mkdir()
    (site.state / "roster.state" / "x").touch()
    done = site.run("sync", "--once")
    assert done.returncode != 0 and "roster.state" in done.stderr


def test_who_runs_the_hook_keeps_nothing_locked(tmp_path):
    hook = tmp_path / "hook"
    hook.write_text("#!/bin/sh\necho hook begun >&2\nexec sleep 60\n")
    hook.chmod(0o755)
    with MapSite(tmp_path / "site", RULES,
                 settings=[f"alarm-hook {hook}"]) as s:
        put(s, NAMES)
        s.start()
        s.rules("nonsense")
        s.wait_log("hook begun")
        s.rules(RULES)
        s.wait(lambda: s.map("g") == NAMES)
        s.kill()
        s.once()


def test_a_status_of_tomorrow_says_nothing_of_today(site):
    site.once()
    status = site.state / "status.json"
    status.write_text(status.read_text().replace('"time": "2', '"time": "3'))
    assert site.run("status").returncode == 9
    assert site.run("status", "--nagios").returncode == 2


def test_what_is_wrong_is_one_json_text(site):
    site.once()
    program = site.command("diff")[0].replace("-sync", "")
    for words in (["diff", str(site.path("g")), "/none"],
                  ["check", "/none"], ["reverse", "--map", "/none", "a"]):
        done = subprocess.run([program, *words, "--json"],
                              capture_output=True, text=True)
        assert done.returncode == 3
        assert json.loads(done.stdout)["error"]["code"] == "absent", words


def test_a_held_map_that_is_removed_comes_back(kept):
    put(kept, {"/CN=p1": ["acc1"]})
    kept.wait_log("map-held")
    kept.path("g").unlink()
    agree(kept, wanted=NAMES)
    assert kept.run("sync", "--confirm", "g").returncode == 0
    agree(kept, wanted={"/CN=p1": ["acc1"]})


def test_an_index_that_is_damaged_within_is_made_again(kept):
    index = kept.dir / "g.map.index"
    whole = index.read_bytes()
    assert whole.count(b"CN=p7") > 0
    with open(index, "r+b") as file:  # the head stays good
        file.write(whole.replace(b"CN=p7", b"CN=q7"))
    kept.rules(RULES + "ban account acc3\n")
    left = {dn: to for dn, to in NAMES.items() if to != ["acc3"]}
    agree(kept, wanted=left)
    assert "map-index-bad" in kept.said()


def test_what_an_earlier_process_changed_stays_in_the_index(kept):
    more = {**NAMES, "/CN=x": ["x"]}
    del more["/CN=p3"]
    put(kept, more)
    kept.wait(lambda: kept.look("g", "/CN=x") == ["x"])
    kept.stop()
    kept.start()
    kept.wait_log("map-ready", 2)
    put(kept, {**more, "/CN=y": ["y"]})
    kept.wait(lambda: kept.look("g", "/CN=y") == ["y"])
    agree(kept, wanted={**more, "/CN=y": ["y"]})
    assert kept.look("g", "/CN=p3") == []
