"""grid-proxy-destroy, grid-cert-info and the verbs: the rest of test_grid_tools.py."""

import json
import os
import re
import shutil
import subprocess

import pytest
from grid_sides import ROBERT, at_terminal, both, desk, good, same
from grid_tools import PHRASE
from signet_site import SIGNET, run


# grid-proxy-destroy.

@pytest.fixture
def three(desk, tmp_path):
    """(make, proxy): the proxy and the files a and b, made anew."""
    def make():
        for name in "proxy", "a", "b":
            path = tmp_path / name
            path.unlink(missing_ok=True)
            shutil.copy(desk.dir / "good", path)
            os.chmod(path, 0o600)
    return make


@pytest.mark.parametrize("args,left", [
    ("", "ab"), ("-dryrun", "ab proxy"), ("a b", "proxy"), ("a", "b proxy"),
    ("a nonexistent b", "proxy"), ("nonexistent", "ab proxy"),
    ("-default a", "b"), ("-dryrun -default a", "ab proxy"),
    ("-dryrun -- a", "ab proxy"), ("-- a", "b proxy"), ("-debug", "ab"),
    ("-nosuch", "ab proxy"), ("-default", "ab"),
])
def test_destroy(desk, three, tmp_path, args, left):
    for which in desk.theirs, desk.ours:
        three()
        which("grid-proxy-destroy", *args.split(), proxy=tmp_path / "proxy",
              cwd=tmp_path)
        kept = {p.name for p in tmp_path.iterdir()}
        wanted = {n for n in ("a", "b") if n in left.split()[0]} \
            if left.split()[0] != "proxy" else set()
        wanted |= {"proxy"} & set(left.split())
        assert kept == wanted
    same(desk, "grid-proxy-destroy", *args.split(), before=three,
         proxy=tmp_path / "proxy", cwd=tmp_path)


def test_destroy_without_a_proxy(desk, tmp_path):
    done = same(desk, "grid-proxy-destroy", proxy=tmp_path / "none")
    assert done.status == 1
    assert "Proxy file doesn't exist or has bad permissions" in done.err


def test_what_is_destroyed_is_overwritten_first(desk, good, tmp_path):
    """Seen through a descriptor that outlives the name."""
    with open(good, "rb") as still_open:
        before = still_open.read()
        assert desk.ours("grid-proxy-destroy", proxy=good).status == 0
        assert not good.exists()
        still_open.seek(0)
        assert still_open.read() == bytes(len(before))


def test_a_second_name_of_a_proxy_is_not_left_behind(desk, good, tmp_path):
    os.link(good, tmp_path / "twin")
    done = desk.ours("grid-proxy-destroy", proxy=good)
    assert done.status == 1 and "not a file of yours alone" in done.err


def test_a_read_only_proxy_can_be_destroyed(desk, good):
    def protect():
        if not good.exists():
            shutil.copy(desk.dir / "good", good)
        os.chmod(good, 0o400)

    dry = desk.ours("grid-proxy-destroy", "-dryrun", proxy=good)
    assert dry.status == 0 and good.exists()
    done = same(desk, "grid-proxy-destroy", proxy=good, before=protect)
    assert done.status == 0 and not good.exists()


def test_an_open_proxy_can_be_destroyed(desk, good):
    def spoil():
        if not good.exists():
            shutil.copy(desk.dir / "good", good)
        os.chmod(good, 0o644)

    theirs, ours = both(desk, "grid-proxy-destroy", proxy=good, before=spoil)
    assert theirs.status == 1 and "too permissive" in theirs.err
    assert ours.status == 0 and not good.exists()


def test_what_cannot_be_destroyed_is_an_error(desk, good, tmp_path):
    """Theirs removes the directory, if it is empty."""
    theirs, ours = both(desk, "grid-proxy-destroy", tmp_path / "dir",
                        proxy=good,
                        before=lambda: (tmp_path / "dir").mkdir(exist_ok=True))
    assert theirs.status == 0
    assert ours.status == 1 and "Is a directory" in ours.err


def test_all_lists_and_removes_delegated_proxies(desk, good):
    ours_dir = f"/tmp/x509up_p{os.getpid()}.story"
    shutil.copy(good, ours_dir)
    os.chmod(ours_dir, 0o600)
    try:
        done = desk.ours("grid-proxy-destroy", "-all", "-dryrun", proxy=good)
        assert done.status == 0
        assert f"Would remove {good}\n" in done.err
        assert f"Would remove {ours_dir}\n" in done.err
        assert os.path.exists(ours_dir) and good.exists()
    finally:
        os.unlink(ours_dir)


# grid-cert-info.

@pytest.mark.parametrize("args", [
    "", "-all", "-subject", "-s", "-issuer", "-i", "-issuerhash", "-ih",
    "-startdate", "-sd", "-enddate", "-ed", "-rfc2253 -subject",
    "-subject -rfc2253 -issuer", "-issuer -subject", "-all -subject",
    "-subject -all", "-enddate -startdate -subject -subject", "--subject",
    "-file {host} -subject", "-f {host} -issuer -enddate",
    "-file {good} -subject -issuer", "-file {legacy} -subject -issuer",
    "-file {limited} -subject -issuer", "-file /nonexistent", "-file",
    "-file {dir}", "-nosuch", "extra",
])
def test_cert_info(desk, good, tmp_path, args):
    paths = {"host": desk.pki.dir / "host.pem", "good": good,
             "dir": tmp_path}
    if "{legacy}" in args:
        paths["legacy"] = desk.proxy(tmp_path / "legacy", "-old")
    if "{limited}" in args:
        paths["limited"] = desk.proxy(tmp_path / "limited", "-old", "-limited")
    words = [word.format(**paths) for word in args.split()]
    done = same(desk, "grid-cert-info", *words, proxy=good)
    if "{legacy}" in args or "{limited}" in args:
        assert "proxy" not in done.out


def test_cert_info_without_a_certificate(desk, good, tmp_path):
    same(desk, "grid-cert-info", "-subject", proxy=good,
         X509_USER_CERT="/nonexistent")
    same(desk, "grid-cert-info", "-subject", proxy=good, X509_USER_CERT=None,
         HOME=tmp_path)
    same(desk, "grid-cert-info", "-subject", proxy=good, X509_USER_CERT=None)


def test_cert_info_of_a_bundle_asks_for_its_pass_phrase(desk, good, tmp_path):
    bundle = tmp_path / "robert.p12"
    run("openssl", "pkcs12", "-export", "-in", desk.pki.dir / "robert.pem",
        "-inkey", desk.pki.dir / "robert.key", "-out", bundle, "-passout",
        f"pass:{PHRASE}")
    tool = str(desk.bin / "grid-cert-info")
    seen, status = at_terminal(desk, [tool, "-file", str(bundle), "-subject"],
                               [PHRASE], proxy=good)
    assert status == 0 and f"\n{ROBERT}\n" in seen
    seen, status = at_terminal(desk, [tool, "-file", str(bundle)], ["wrong"],
                               proxy=good)
    assert status == 1 and f"wrong pass phrase for {bundle}" in seen


# The same by signet's own verbs.

def verb(desk, proxy, *args, wrapper=()):
    return subprocess.run([*wrapper, str(SIGNET), *map(str, args)],
                          env=desk.env(proxy), text=True, capture_output=True,
                          timeout=60, stdin=subprocess.DEVNULL)


def test_the_verbs_print_what_the_old_names_print(desk, good):
    mask = re.compile(r"\d+:\d\d:\d\d")
    for args in (), ("-issuer", "-subject"), ("-type",):
        old = desk.ours("grid-proxy-info", *args, proxy=good)
        new = verb(desk, good, "proxy", "info", *("-" + a for a in args))
        assert mask.sub("T", new.stdout) == mask.sub("T", old.out)


def test_the_verbs_have_exit_statuses_that_tell(desk, good, tmp_path):
    def info(*args, proxy=good, **how):
        done = verb(desk, proxy, "proxy", "info", *args, **how)
        assert done.returncode == 0 or done.stderr.startswith("signet: ")
        return done.returncode

    late = ("faketime", "-f", "+13h")
    assert info() == info("--exists") == info("--exists", "--valid", "1h") == 0
    assert info(proxy=tmp_path / "none") == 3
    assert info("--exists", wrapper=late) == 4
    assert info("--exists", "--valid", "24h") == 4
    assert info("--exists", "--bits", "4096") == 8
    assert info("--nosuch") == 2
    assert info(wrapper=late) == 0
    os.chmod(good, 0o644)
    assert info() == 8
    assert verb(desk, good, "proxy", "init", "--cert",
                "/nonexistent").returncode == 3
    assert verb(desk, good, "proxy", "init", "--key-kind",
                "rot13").returncode == 2
    assert verb(desk, tmp_path / "none", "proxy",
                "destroy").returncode == 3


def test_a_proxy_on_standard_output_is_alone_there(desk, tmp_path):
    done = verb(desk, tmp_path / "p", "proxy", "init", "--out", "-",
                "--verify", "--cert", desk.pki.dir / "robert.pem", "--key",
                desk.pki.dir / "robert.key")
    assert done.returncode == 0 and done.stderr == ""
    outside = re.sub(r"(?s)-----BEGIN.*?-----END[^\n]*\n", "", done.stdout)
    assert outside == "" and list(tmp_path.iterdir()) == []
    both_want_it = verb(desk, tmp_path / "p", "proxy", "init", "--out", "-",
                        "--json")
    assert both_want_it.returncode == 2
    proxy = tmp_path / "p"
    proxy.write_text(done.stdout)
    os.chmod(proxy, 0o600)
    assert desk.theirs("grid-proxy-info", "-identity",
                       proxy=proxy).out == ROBERT + "\n"


def test_the_verbs_answer_with_an_object(desk, tmp_path):
    proxy = tmp_path / "p"
    made = verb(desk, proxy, "proxy", "init", "--json", "--limited", "--cert",
                desk.pki.dir / "robert.pem", "--key",
                desk.pki.dir / "robert.key", "--valid", "2h")
    shown = verb(desk, proxy, "proxy", "info", "--json")
    assert made.stderr == shown.stderr == ""
    made, shown = json.loads(made.stdout), json.loads(shown.stdout)
    assert set(made) == set(shown) == {
        "version", "kind", "path", "subject", "identity", "issuer", "type",
        "limited", "key", "not_after", "seconds_left", "verified", "voms"}
    for data in made, shown:
        assert data["kind"] == "proxy" and data["path"] == str(proxy)
        assert data["identity"] == data["issuer"] == ROBERT
        assert data["limited"] is True and data["type"] == "rfc3820"
        assert 7100 < data["seconds_left"] <= 7200
    assert made["verified"] is None and shown["verified"] is True
    would = verb(desk, proxy, "proxy", "destroy", "--json", "--dryrun")
    assert json.loads(would.stdout) == {
        "version": 1, "kind": "destroyed", "dryrun": True,
        "files": [str(proxy)]}
    gone = verb(desk, proxy, "proxy", "destroy", "--json")
    assert json.loads(gone.stdout)["files"] == [str(proxy)]
    assert json.loads(gone.stdout)["dryrun"] is False and not proxy.exists()
    for args in ("info",), ("destroy",), ("info", "--exists"):
        done = verb(desk, proxy, "proxy", *args, "--json")
        error = json.loads(done.stdout)["error"]
        assert error["code"] == "absent" and error["exit"] == 3
        assert error["message"] and error["hint"]
        assert done.returncode == 3 and error["message"] in done.stderr
