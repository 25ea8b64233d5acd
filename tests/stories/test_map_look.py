"""signet-map's questions: lookup, reverse, show, check, diff, index, history, on
files of anybody's making and on those that sync made; answers for people and
for programs."""

import json
import os
import shutil
import subprocess
import time

import pytest

from map_site import BUILD, MapSite, service

MAP = r'''# by hand
"/O=G/CN=Alice" alice,al
"/O=G/CN=Bob" bob alice
/O=G/CN=Carol carol
"/O=G/CN=host\\/x" hosts
"/O=G/CN=M\xc3\xbcller" mueller
"/O=G/CN=Alice" other
'''
STATIC = '''"/O=G/CN=Alice" alice
"/O=G/CN=Bob" bob
'''
RULES = "source static file {dir}/static\n" + service(
    "gridftp", "shrink-limit 100%") + "splice old\n    from static\n"


@pytest.fixture
def gridmap(tmp_path):
    path = tmp_path / "grid-mapfile"
    path.write_text(MAP)
    return path


@pytest.fixture
def site(tmp_path):
    with MapSite(tmp_path / "site", RULES) as s:
        (s.dir / "static").write_text(STATIC)
        yield s


def ask(*words, **more):
    return subprocess.run(
        [f"{BUILD}/signet-map/signet-map", *map(str, words)],
        capture_output=True, text=True, timeout=60, **more)


def of(site, *words):
    return ask(words[0], "--config", site.dir / "map.conf", *words[1:])


def answer(*words):
    done = ask(*words)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


# ---- one name, one account

@pytest.mark.parametrize("indexed", [False, True])
def test_from_a_name_to_its_accounts(gridmap, indexed):
    if indexed:
        assert ask("index", gridmap).returncode == 0
    for name, accounts in [
            ("/O=G/CN=Alice", ["alice", "al"]),
            ("/o=g/cn=ALICE", ["alice", "al"]),
            ("/O=G/CN=Carol", ["carol"]),
            ("/O=G/CN=host/x", ["hosts"]),
            (r"/O=G/CN=host\/x", ["hosts"]),
            (r"/O=G/CN=M\xC3\xBCller", ["mueller"])]:
        assert answer("lookup", "--map", gridmap, name) == accounts
    done = ask("lookup", "--map", gridmap, "/O=G/CN=Nobody")
    assert done.returncode == 3 and done.stdout == ""
    assert "/O=G/CN=Nobody is not in" in done.stderr
    told = json.loads("".join(answer("lookup", "--map", gridmap, "--json",
                                     "/O=G/CN=Alice")))
    assert told["accounts"] == ["alice", "al"]
    assert told["from"] == ("index" if indexed else "text")


def test_as_the_toolkit_and_of_a_proxy(gridmap):
    assert ask("lookup", "--map", gridmap, "--gct",
               "/O=G/CN=host/x").returncode == 3
    assert answer("lookup", "--map", gridmap, "--gct",
                  r"/O=G/CN=host\/x") == ["hosts"]
    proxy = "/O=G/CN=Alice/CN=1234/CN=limited proxy"
    assert ask("lookup", "--map", gridmap, proxy).returncode == 3
    assert answer("lookup", "--map", gridmap, "--proxy",
                  proxy) == ["alice", "al"]


def test_from_an_account_to_its_names(gridmap):
    # Whose default it is comes first.
    assert answer("reverse", "--map", gridmap, "alice") == [
        "/O=G/CN=Alice", "/O=G/CN=Bob"]
    told = json.loads("".join(answer("reverse", "--map", gridmap, "--json",
                                     "alice")))
    assert told == [{"name": "/O=G/CN=Alice", "default": True},
                    {"name": "/O=G/CN=Bob", "default": False}]
    assert ask("reverse", "--map", gridmap, "nobody").returncode == 3


def test_an_index_counts_until_the_text_is_changed(gridmap):
    assert "1 lines" in ask("index", gridmap).stderr
    gridmap.write_text('"/O=G/CN=Alice" changed\n')
    assert answer("lookup", "--map", gridmap, "/O=G/CN=Alice") == ["changed"]
    done = ask("check", gridmap, "--passwd", "/etc/passwd")
    assert "its index is not used" in done.stdout


def test_show_is_each_name_once(gridmap):
    shown = answer("show", "--map", gridmap)
    assert shown[0] == '"/O=G/CN=Alice" alice,al' and len(shown) == 5
    told = json.loads("\n".join(answer("show", "--map", gridmap, "--json")))
    assert told[1] == {"name": "/O=G/CN=Bob", "accounts": ["bob", "alice"]}


# ---- what is wrong with a file

def test_check_of_a_map_file(tmp_path):
    path = tmp_path / "map"
    path.write_text('"/O=G/CN=a" joe\n"/O=G/CN=A" jim\n'
                    '"/O=G/CN=b" joe # Joe Smith\n"/O=G/CN=c" ,joe\n'
                    '"/O=G/CN=d" nobody-here\n"/O=G/CN=e" toor\n'
                    '"/O=G/CN=f\n"/O=G/CN=h/x" joe\n'
                    '"/O=G/CN=h\\\\/x" joe\n')
    passwd = tmp_path / "passwd"
    passwd.write_text("joe:x:1001:1::/:/s\njim:x:1002:1::/:/s\n"
                      "toor:x:0:0::/:/s\n")
    done = ask("check", path, "--passwd", passwd, "--json")
    assert done.returncode == 1
    found = {(f["line"], f["level"]): f["text"]
             for f in json.loads(done.stdout)}
    for key, text in {
            (2, "warning"): "never looked at: line 1 has the same name",
            (3, "error"): "no comment: readers take each word",
            (4, "error"): "an empty default",
            (5, "warning"): "there is no account nobody-here here",
            (6, "error"): "toor is the superuser",
            (7, "error"): "cannot be read",
            (9, "warning"): "one name with line 8, spelt otherwise"}.items():
        assert text in found.pop(key), key
    assert found == {}
    good = tmp_path / "good"
    good.write_text('"/O=G/CN=a" joe\n')
    done = ask("check", good, "--passwd", passwd)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_check_of_the_rules_names_what_is_dead(site):
    site.rules(RULES + '''\
source nobody file {dir}/missing
map dead
    groups "No:Such:Group"
    people ghost@LIGO.ORG
    until 2026-01-01
ban person ghost@LIGO.ORG
ban dn /O=x until 2026-01-01
''')
    site.run("sync", "--once")
    done = of(site, "check")
    assert done.returncode == 1
    for text in ("error: source nobody was never read",
                 "dead is over since 2026-01-02T00:00:00Z",
                 'dead: nobody is in a group "No:Such:Group"',
                 "dead: nobody is ghost@LIGO.ORG",
                 "the ban of person ghost@LIGO.ORG concerns nobody now",
                 "the ban of dn /O=x is over since"):
        assert text in done.stdout, done.stdout
    assert "map.rules:" in done.stdout.splitlines()[0]


# ---- what is otherwise

def test_diff_of_two_maps(gridmap, tmp_path):
    other = tmp_path / "other"
    other.write_text(MAP.replace("carol\n", "caroline\n").replace(
        '"/O=G/CN=Bob" bob alice\n', '"/O=G/CN=Zoe" zoe\n'))
    done = ask("diff", gridmap, other)
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        '- "/O=G/CN=Bob" bob,alice', '- "/O=G/CN=Carol" carol',
        '+ "/O=G/CN=Carol" caroline', '+ "/O=G/CN=Zoe" zoe']
    # Order and spelling are no difference.
    again = tmp_path / "again"
    again.write_text("".join(reversed(MAP.splitlines(True)[1:6])).replace(
        "/O=G/CN=Carol", "/o=g/CN=carol"))
    assert ask("diff", gridmap, again).returncode == 0
    assert ask("diff", gridmap).returncode == 2


def test_diff_of_what_a_build_would_change(site):
    site.once()
    assert of(site, "diff").returncode == 0
    site.rules(RULES + "ban dn /O=G/CN=bob\n")
    done = of(site, "diff", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout) == [{
        "service": "gridftp", "name": "/O=G/CN=Bob", "was": "bob",
        "is": None}]
    assert "/O=G/CN=Bob" in site.map("gridftp")  # nothing was changed


# ---- who could when

def next_second():
    """A history knows seconds: wait for the next to begin, and say which."""
    begun = int(time.time())
    while int(time.time()) == begun:
        time.sleep(0.01)
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def test_history_of_who_could_use_what(site):
    site.once()
    between = next_second()
    next_second()
    (site.dir / "static").write_text('"/O=G/CN=Alice" alice\n'
                                     '"/O=G/CN=Carol" carol\n')
    site.once()
    told = json.loads(of(site, "history", "--json").stdout)
    assert [(e["change"], e["name"], e["account"]) for e in told[:2]] == [
        ("new", "/O=G/CN=Alice", "alice"), ("new", "/O=G/CN=Bob", "bob")]
    assert {(e["change"], e["account"]) for e in told[2:]} == {
        ("gone", "bob"), ("new", "carol")} and len(told) == 4
    assert all(e["service"] == "gridftp" for e in told)

    def could(*words):
        done = of(site, "history", "--json", *words)
        assert done.returncode == 0, done.stderr
        return sorted(e["account"] for e in json.loads(done.stdout))

    assert could("--at", between) == ["alice", "bob"]
    assert could("--at", next_second()) == ["alice", "carol"]
    assert could("--dn", "/o=g/cn=bob") == ["bob", "bob"]
    assert could("--account", "alice", "--service", "gridftp") == ["alice"]
    assert could("--until", between) == ["alice", "bob"]


def test_a_history_that_was_changed_is_found_out(site):
    site.once()
    book = site.state / "history"
    whole = book.read_bytes()
    conf = site.dir / "map.conf"
    done = ask("history", "check", "--config", conf, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["entries"] == 2 and len(told["head"]) == 64
    # Half a line at the end is what a crash leaves.
    book.write_bytes(whole + whole[:50])
    done = ask("history", "check", "--config", conf)
    assert done.returncode == 0 and "50 bytes" in done.stdout
    book.write_bytes(whole.replace(b"alice", b"malory", 1))
    done = ask("history", "check", "--config", conf)
    assert done.returncode == 1 and "line 1" in done.stderr
    book.unlink()
    done = ask("history", "--config", conf)
    assert done.returncode == 3 and "there is no history" in done.stderr


# ---- the command

def test_what_is_asked_wrongly_is_said(gridmap, tmp_path):
    done = ask("lokup", "x")
    assert done.returncode == 2 and 'did you mean "lookup"?' in done.stderr
    done = ask("lookup", "--map", tmp_path / "none", "/CN=x", "--json")
    assert done.returncode == 3
    assert json.loads(done.stdout)["error"]["code"] == "absent"
    done = ask("lookup", "--map", gridmap, "--service", "x", "/CN=x",
               "--rules", "/dev/null")
    assert done.returncode == 2


def test_hostile_names_come_to_no_terminal(tmp_path):
    path = tmp_path / "map"
    path.write_bytes(b'"/O=G/CN=a" x\x1b[31m\n"/O=G/CN=b" \x9b2J\n')
    for words in (["show", "--map", path], ["check", path],
                  ["lookup", "--map", path, "/O=G/CN=a"]):
        done = subprocess.run(
            [f"{BUILD}/signet-map/signet-map", *map(str, words)],
            capture_output=True, timeout=60)
        assert b"\x1b" not in done.stdout + done.stderr
        assert b"\x9b" not in done.stdout + done.stderr


def test_commands_that_are_programs_of_their_own(tmp_path):
    """Beside us or in libexec; the command's word is their first argument."""
    home = tmp_path / "bin"
    home.mkdir()
    shutil.copy(f"{BUILD}/signet-map/signet-map", home / "signet-map")
    other = home / "signet-map-ask"
    other.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\nexit 42\n')
    other.chmod(0o755)
    done = subprocess.run([home / "signet-map", "add", "--help", "a b"],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 42
    assert done.stdout.splitlines() == ["add", "--help", "a b"]
    other.unlink()
    done = subprocess.run([home / "signet-map", "add"], capture_output=True,
                          text=True, timeout=60,
                          env={**os.environ, "PATH": "/nowhere"})
    assert done.returncode != 0


def test_completion_and_help_have_every_command():
    script = "\n".join(answer("completion", "bash"))
    listed = "\n".join(answer("--help"))
    for word in ("lookup", "reverse", "why", "check", "diff", "history",
                 "index", "show", "rules", "sync", "desk", "add", "remove",
                 "request", "status", "convert"):
        assert word in script and word in listed
    assert subprocess.run(["bash", "-n"], input=script, text=True,
                          timeout=60).returncode == 0
