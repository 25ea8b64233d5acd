"""Self-service: a user asks for his certificate to use his account, proves that
he holds its key, and an administrator or his rules decide."""

import base64
import os
import socket
import subprocess
import threading

import pytest

from kill_at import KillAt
from map_self import ROOT, SelfSite, issue
from openssl_pki import PEOPLE, Pki
from signet_site import run


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    made = Pki(tmp_path_factory.mktemp("pki") / "pki")
    for place in (made.dir.parent, made.dir, made.trust):
        place.chmod(0o755)
    return made


@pytest.fixture
def desk(tmp_path, pki):
    with SelfSite(tmp_path / "self", pki,
                  settings=[f"request-accept name {PEOPLE}/CN=easy"]) as s:
        s.start()
        yield s


def signed(key, challenge, desk, uid, **other):
    """What signet-map add sends, made with the openssl command."""
    said = {**challenge, **other}
    text = ("signet-map, version 1: I ask that the certificate named here may "
            "use the account named here.\n"
            f"host: {socket.gethostname()}\nuid: {uid}\n"
            f"account: {said['account']}\nname: {said['name']}\n"
            f"time: {said['time']}\nnonce: {said['nonce']}\n")
    done = subprocess.run(["openssl", "dgst", "-sha256", "-sign", key],
                          input=text.encode(), capture_output=True, check=True)
    return base64.b64encode(done.stdout).decode()


def shown(pki, name):
    return "".join((pki.dir / f"{part}.pem").read_text()
                   for part in (name, "sub"))


def test_what_is_asked_waits_and_is_approved_and_mapped(desk):
    """An administrator's own word needs nobody else's, so without root only
    the part of one person is played."""
    cred = desk.give("alice", desk.ann)
    name = f"{PEOPLE}/CN=alice"
    done = desk.answer("add", "--certificate", cred, "--reason", "my work")
    assert done["name"] == name and done["account"] == desk.ann.account
    assert done["state"] == ("waiting" if ROOT else "added")
    desk.site.once()
    if ROOT:
        assert name not in desk.site.map("gridftp")
        # Asking again asks nothing new.
        assert desk.answer("add", "--certificate", cred) == done
        desk.ask("request", "approve", done["request"], who=desk.ann, status=8)
        desk.ask("request", "approve", done["request"], who=desk.bob, status=8)
        desk.ask("request", "show", done["request"], who=desk.bob, status=3)
        assert done["request"] in desk.ask("request", "list",
                                           who=desk.boss).stdout
        assert desk.ask("request", "list", who=desk.bob).stdout == ""
        desk.ask("request", "approve", done["request"], "--reason", "known",
                 who=desk.boss)
    one = desk.answer("request", "show", done["request"])
    assert one["state"] == "added"
    assert "my work" in one["reason"] and "certificate " in one["reason"]
    desk.site.once()
    assert desk.site.map("gridftp")[name] == [desk.ann.account]
    desk.ask("request", "refuse", done["request"], who=desk.boss, status=8)
    assert desk.verbs() == (["ask", "approve"] if ROOT else ["add"])


def test_refused_is_refused(desk):
    cred = desk.give("refused", desk.ann)
    done = desk.answer("add", "--certificate", cred)
    if ROOT:
        desk.ask("request", "refuse", done["request"], "--reason", "who?",
                 who=desk.boss)
        one = desk.answer("request", "show", done["request"])
        assert (one["state"], one["decided-because"]) == ("refused", "who?")
        assert desk.ask("request", "list").stdout == ""
        assert "refused" in desk.ask("request", "list", "--all").stdout
        # He may ask again, and take that back himself.
        again = desk.answer("add", "--certificate", cred)
        assert again["request"] != done["request"]
    desk.ask("remove", f"{PEOPLE}/CN=refused")
    desk.ask("remove", f"{PEOPLE}/CN=refused", status=3)
    desk.site.once()
    assert desk.site.map("gridftp") == {}


def test_a_running_sync_follows_what_is_added_and_removed(desk):
    name = f"{PEOPLE}/CN=easy"
    desk.site.start()
    desk.site.wait_log("map-ready")
    cred = desk.give("easy", desk.ann)
    assert desk.answer("add", "--certificate", cred)["state"] == "added"
    desk.site.wait(lambda: name in desk.site.map("gridftp"))
    assert desk.site.look("gridftp", name) == [desk.ann.account]
    # Without a name it is one's own certificate's.
    desk.ask("remove", env={"X509_USER_CERT": str(cred)})
    desk.site.wait(lambda: name not in desk.site.map("gridftp"))
    assert desk.site.look("gridftp", name) == []
    assert desk.answer("add", "--certificate", cred)["state"] == "added"
    desk.site.wait(lambda: name in desk.site.map("gridftp"))
    desk.ask("remove", "--all")
    desk.site.wait(lambda: name not in desk.site.map("gridftp"))
    assert desk.verbs() == ["add", "remove", "add", "remove-account"]


def test_whoever_cannot_sign_has_nothing(desk, pki):
    """Somebody else's certificate, a wrong key, a replayed signature, one of
    another account, host or uid: nothing is written."""
    issue(pki, "victim")
    issue(pki, "mallory")
    uid = desk.ann.uid
    good = pki.dir / "victim.key"
    with desk.talk() as talk:
        chain = shown(pki, "victim")

        def challenge():
            return talk.say(**{"do": "add", "chain": chain})["challenge"]

        def prove(signature):
            return talk.say(do="prove", signature=signature)

        first = challenge()
        old = signed(good, first, desk, uid)
        for wrong in (signed(pki.dir / "mallory.key", first, desk, uid),
                      signed(good, challenge(), desk, uid + 1),
                      signed(good, challenge(), desk, uid, account="sync"),
                      signed(good, challenge(), desk, uid, name="/CN=x"),
                      "", "AAAA", "not base64", "A" * 5000):
            answer = prove(wrong)
            assert answer["fault"] in ("UNTRUSTED", "INPUT"), answer
            if "type or size" in answer["text"]:
                break  # too long for a signature: the talk is over
            # One answer to one challenge.
            assert prove(wrong)["fault"] == "INPUT"
            challenge()
    with desk.talk() as talk:
        fresh = challenge()
        assert prove(old)["fault"] == "UNTRUSTED"
        assert prove(signed(good, fresh, desk, uid))["fault"] == "INPUT"
        assert desk.requests.read_text() == ""
        # And the same, as it should be.
        done = prove(signed(good, challenge(), desk, uid))
        assert done["end"]["name"] == f"{PEOPLE}/CN=victim"
    assert len(desk.verbs()) == 1


def test_certificates_that_are_not_good_are_refused(desk, pki, tmp_path):
    other = Pki(tmp_path / "other")
    issue(pki, "revoked")
    desk.give("revoked", desk.ann)
    pki.revoke("sub", "revoked")
    for name, maker, status in (("stranger", other, 7), ("revoked", pki, 7),
                                ("past", pki, 4)):
        cred = desk.dir / f"{name}.cred"
        if name != "revoked":
            made = issue(maker, name, days=0 if name == "past" else 10)
            cred.write_text(made.read_text())
            cred.chmod(0o600)
            if ROOT:
                os.chown(cred, desk.ann.uid, desk.ann.gid)
        done = desk.ask("add", "--certificate", cred, status=status)
        assert done.stderr.count("\n") <= 2, done.stderr
    assert desk.requests.read_text() == ""


def proxy(desk, cred, *words):
    path = desk.dir / "proxy"
    path.unlink(missing_ok=True)
    run(os.environ["SIGNET_BUILD"] + "/signet/signet", "proxy", "init", "--cert",
        cred, "--out", path, *words)
    if ROOT:
        os.chown(path, desk.ann.uid, desk.ann.gid)
    return path


def test_a_proxy_speaks_for_its_owner_unless_it_is_limited(desk, pki):
    cred = issue(pki, "easy")
    path = proxy(desk, cred)
    done = desk.answer("add", env={"X509_USER_PROXY": str(path)})
    assert (done["name"], done["state"]) == (f"{PEOPLE}/CN=easy", "added")
    desk.ask("remove", f"{PEOPLE}/CN=easy")
    path = proxy(desk, cred, "--limited")
    assert "limited proxy" in desk.ask("add", "--proxy", path, status=8).stderr
    assert desk.verbs() == ["add", "remove"]


def test_a_key_with_a_pass_phrase(desk, pki):
    issue(pki, "easy")
    run("openssl", "pkcs8", "-topk8", "-in", pki.dir / "easy.key", "-out",
        desk.dir / "easy.enc", "-passout", "pass:blue horse")
    if ROOT:
        os.chown(desk.dir / "easy.enc", desk.ann.uid, desk.ann.gid)
    (desk.dir / "easy.pem").write_text(shown(pki, "easy"))
    words = ("add", "--certificate", desk.dir / "easy.pem", "--key",
             desk.dir / "easy.enc", "--passphrase-stdin")
    desk.ask(*words, status=5, input="red horse\n")
    assert "may use the account" in desk.ask(*words,
                                             input="blue horse\n").stdout


def test_nobody_has_another_account_and_nobody_has_roots(desk, pki):
    cred = desk.give("easy", desk.ann)
    desk.ask("add", "--certificate", cred, "--account", "root", status=8)
    desk.ask("add", "--certificate", cred, "--account", "no-such", status=3
             if not ROOT else 8)
    if not ROOT:
        return
    desk.ask("add", "--certificate", cred, "--account", desk.bob.account,
             status=8)
    desk.ask("add", f"{PEOPLE}/CN=x", "--reason", "mine", status=8)
    desk.ask("remove", f"{PEOPLE}/CN=x", "--account", desk.bob.account,
             "--reason", "x", status=8)
    # A uid without an account, as a range of subordinate ones: no place.
    said = subprocess.run(
        ["/usr/bin/python3", "-c", "import socket, sys\n"
         "s = socket.socket(socket.AF_UNIX)\ns.connect(sys.argv[1])\n"
         "print(s.recv(1000))", desk.socket], user=4000000000, group=1,
        extra_groups=[], cwd="/", capture_output=True, text=True, timeout=60)
    assert "has no account here" in said.stdout, said
    root = desk.boss.__class__("root")
    os.chown(cred, 0, 0)
    assert "root" in desk.ask("add", "--certificate", cred, who=root,
                              status=8).stderr
    # An administrator acts for others, and says why.
    words = ("add", f"{PEOPLE}/CN=old", "--account", desk.bob.account)
    desk.ask(*words, who=root, status=2)
    desk.ask(*words, "--reason", "ticket 4711", who=root)
    desk.ask("remove", f"{PEOPLE}/CN=old", "--account", desk.bob.account,
             who=root, status=2)
    one = desk.answer("request", "list", who=desk.bob)[0]
    assert (one["by"], one["reason"]) == ("0 root", "ticket 4711")
    # Off whatever account it is on.
    words = ("remove", f"{PEOPLE}/CN=old", "--all")
    desk.ask(*words, who=desk.ann, status=3)
    desk.ask(*words, who=root, status=2)
    desk.ask(*words, "--reason", "left", who=root)
    assert desk.verbs() == ["add", "remove-name"]


def test_an_account_below_the_limit_is_the_systems(tmp_path, pki):
    with SelfSite(tmp_path / "self", pki,
                  settings=["request-accept name /"]) as s:
        conf = s.site.dir / "map.conf"
        conf.write_text(conf.read_text().replace(
            "request-uid 1\n", "request-uid 4294967294\n"))
        s.start()
        cred = s.give("easy", s.ann)
        assert "system's" in s.ask("add", "--certificate", cred,
                                   status=8).stderr
        assert s.requests.read_text() == ""


def test_many_at_once_are_each_written_once(desk, pki):
    creds = [desk.give("easy", desk.ann)] * 3
    answers = []

    def add(cred):
        answers.append(desk.answer("add", "--certificate", cred))

    threads = [threading.Thread(target=add, args=(c,)) for c in creds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({a["request"] for a in answers}) == 1
    assert desk.verbs() == ["add"]


AT_SEND = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

ssize_t
send(int fd, const void *data, size_t len, int flags)
{
	static int seen;
	ssize_t (*real)(int, const void *, size_t, int) =
	    dlsym(RTLD_NEXT, "send");

	if (++seen == strtol(getenv("AT_SEND"), NULL, 10))
		kill(getpid(), SIGKILL);
	return real(fd, data, len, flags);
}
"""


@pytest.mark.parametrize("how,step,written", [
    ("KILL_AT", 2, 1), ("AT_SEND", 1, 0), ("AT_SEND", 2, 1)],
    ids=["before-it-is-synced", "before-the-challenge", "before-the-answer"])
def test_killed_it_forgets_nothing_it_said(tmp_path, pki, how, step, written):
    """A line may be there of which nobody was told; to ask again is to hear
    of it.  (The first durable step makes the log's own name.)"""
    library = KillAt(tmp_path).library
    if how == "AT_SEND":
        library = tmp_path / "at_send.so"
        (tmp_path / "at_send.c").write_text(AT_SEND)
        run("cc", "-shared", "-fPIC", "-o", library, tmp_path / "at_send.c",
            "-ldl")
    with SelfSite(tmp_path / "self", pki, settings=[
            f"request-accept name {PEOPLE}/CN=easy"]) as s:
        cred = s.give("easy", s.ann)
        s.start(env={how: str(step), "LD_PRELOAD": str(library)})
        s.ask("add", "--certificate", cred, status=6)
        s.killed()
        s.start()
        assert len(s.verbs()) == written
        found = s.answer("request", "list")
        done = s.answer("add", "--certificate", cred)
        assert done["state"] == "added"
        assert [f["request"] for f in found] == [done["request"]] * written
        assert s.verbs() == ["add"]
        s.kill()
        s.start()
        assert s.answer("add", "--certificate", cred) == done


def test_what_is_no_request_is_refused_and_the_desk_lives(desk):
    talks = [b"", b"\n", b"{}\n", b"[]\n", b'{"do": "list"\n', b"\x00\xff\n",
             b'{"do": "list", "do": "list"}\n', b'{"do": "add", "x": "y"}\n',
             b'{"do": ' + b"[" * 5000 + b"\n", b"x" * 300000,
             b'{"do": "show", "request": "' + b"a" * 200 + b'"}\n',
             b'{"do": "list", "all": true}\n',
             b'{"do": "prove", "signature": "AAAA"}\n' * 50]
    for data in talks:
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(30)
            s.connect(str(desk.socket))
            try:
                s.sendall(data)
                s.shutdown(socket.SHUT_WR)
                while s.recv(65536):
                    pass
            except (BrokenPipeError, ConnectionResetError):
                pass  # it has heard enough
    assert desk.ask("request", "list").stdout == ""
    # Too many connections of one user keep nobody else out.
    held = []
    for _ in range(12):
        s = socket.socket(socket.AF_UNIX)
        s.connect(str(desk.socket))
        held.append(s)
    told = [s.recv(1000) for s in held[8:]]
    assert all(b"BUSY" in t for t in told)
    if ROOT:
        assert desk.ask("request", "list").stdout == ""
    for s in held:
        s.close()
    assert desk.ask("request", "list").stdout == ""


def test_a_reason_acts_on_no_terminal(desk, pki):
    issue(pki, "victim")
    chain = shown(pki, "victim")
    for bad in ("\x9b31m", "\u202egnp", "\u2066x", "\u2028", "\x85"):
        with desk.talk() as talk:
            answer = talk.say(do="add", chain=chain, reason=f"a{bad}b")
            assert "wrong type or size" in answer["text"]
    with desk.talk() as talk:
        assert "challenge" in talk.say(do="add", chain=chain, reason="für mich")


def test_a_proxy_that_others_could_have_put_there_is_none(desk):
    """Whoever puts his certificate where a proxy is looked for would have it
    added, or another name removed, with the victim's uid or ticket."""
    cred = issue(desk.pki, "mallory")
    path = desk.dir / "x509up"
    path.write_text(cred.read_text())
    path.chmod(0o644)
    env = {"X509_USER_PROXY": str(path)}
    for words in (["remove"], ["add", "--ldap"], ["remove", "--ldap"],
                  ["add"]):
        done = desk.ask(*words, env=env, status=8)
        assert str(path) in done.stderr, done.stderr
    if ROOT:  # private, and another's: not even to be read
        path.chmod(0o600)
        os.chown(path, desk.bob.uid, desk.bob.gid)
        assert "x509up" in desk.ask("add", "--ldap", env=env, status=1).stderr
    assert desk.requests.read_text() == ""


def test_a_false_desk_has_nothing_signed(tmp_path, pki):
    """Who answers in the desk's place names an account that is not ours."""
    with SelfSite(tmp_path / "self", pki) as s:
        s.run_dir.mkdir(exist_ok=True)
        cred = s.give("victim", s.ann)
        with socket.socket(socket.AF_UNIX) as door:
            door.bind(str(s.socket))
            s.socket.chmod(0o777)
            door.listen(1)
            heard = []

            def answer():
                conn = door.accept()[0]
                with conn, conn.makefile("rw") as f:
                    f.readline()
                    f.write('{"challenge": {"nonce": "' + "0" * 32 + '", "time"'
                            ': "2026-01-01T00:00:00Z", "account": "root"}}\n')
                    f.flush()
                    heard.append(f.read())

            thread = threading.Thread(target=answer)
            thread.start()
            done = s.ask("add", "--certificate", cred, status=7)
            thread.join()
        assert "not your account" in done.stderr and heard == [""]


def test_who_asks_too_often_is_slowed(tmp_path, pki):
    with SelfSite(tmp_path / "self", pki, settings=["request-rate 3"]) as s:
        s.start()
        cred = s.give("often", s.ann)
        for _ in range(3):
            s.ask("add", "--certificate", cred)
        s.ask("add", "--certificate", cred, status=5 if ROOT else 0)


def test_what_lies_in_the_way_is_not_followed(tmp_path, pki):
    """A link where the log or the socket should be, a directory others may
    write, a log of which a line was changed."""
    with SelfSite(tmp_path / "self", pki) as s:
        command = [os.environ["SIGNET_BUILD"] + "/signet-map/signet-map",
                   "desk", "--config", s.site.dir / "map.conf"]

        def fails(word):
            done = subprocess.run(command, capture_output=True, text=True,
                                  timeout=60)
            assert done.returncode not in (0, -9) and word in done.stderr, \
                done.stderr
        s.site.state.mkdir()
        target = tmp_path / "target"
        s.requests.symlink_to(target)
        fails("requests.log")
        assert not target.exists()
        s.requests.unlink()
        s.run_dir.mkdir(exist_ok=True)
        s.socket.unlink(missing_ok=True)
        s.run_dir.chmod(0o777)
        fails("others may write")
        s.run_dir.chmod(0o755)
        s.socket.symlink_to(target)
        fails("no socket")
        s.socket.unlink()
        s.start()
        s.ask("add", f"{PEOPLE}/CN=old", "--account", s.bob.account,
              "--reason", "x", who=s.boss)
        s.kill()
        text = s.requests.read_text()
        s.requests.write_text(text.replace("CN=old", "CN=new"))
        fails("requests.log")
        # Half a line, as a crash leaves it, is cut off.
        s.requests.write_text(text + text[:90])
        s.start()
        assert s.requests.read_text() == text
        s.site.once()
        assert list(s.site.map("gridftp")) == [f"{PEOPLE}/CN=old"]
        # And sync believes no log that was changed: the map stays.
        s.requests.write_text(text.replace("CN=old", "CN=new"))
        s.site.once(status=9)
        assert list(s.site.map("gridftp")) == [f"{PEOPLE}/CN=old"]
