"""signet-issue, spoken to as a stock MyProxy server does, by both ways: the
same tests for each."""

import array
import os
import re
import signal
import socket
import time
from datetime import datetime

import pytest
from callout_site import MYPROXY, WAYS, CallSite, finish, words
from role_frames import Role, decode, encode
from signet_site import PEOPLE, REPO, openssl, open_way

FAULTS = re.findall(r"^FAULT\((\w+)", (REPO / "lib/base/fault.def").read_text(),
                    flags=re.M)
ERROR = re.compile(r"signet-issue: (.+?)(?: \(reference ([0-9a-f]{12})\))?\n")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with CallSite(tmp_path_factory.mktemp("callout")) as site:
        yield site


@pytest.fixture(params=WAYS)
def way(request):
    return request.param


def said(result):
    """The one line of an error, and its reference."""
    status, out, err = result
    assert status != 0 and out == "", result
    found = ERROR.fullmatch(err)
    assert found, err
    return status, found.group(1), found.group(2)


def check_certificate(site, pem, user):
    path = site.dir / f"{user}.pem"
    path.write_text(pem)
    assert pem.count("BEGIN CERTIFICATE") == 1
    openssl("verify", "-CApath", site.trust, path)
    text = openssl("x509", "-in", path, "-noout", "-subject", "-nameopt",
                   "compat", "-serial", "-enddate", "-dateopt",
                   "iso_8601").stdout
    assert f"subject={PEOPLE}/CN={user}@LIGO.TEST" in text
    serial = re.search(r"serial=(\w+)", text).group(1).lower()
    assert [s.lower().lstrip("0") for s in site.serials_of(user)] == \
        [serial.lstrip("0")]
    return re.search(r"notAfter=(.+)", text).group(1)


# What is asked for.

def test_a_certificate_comes_and_is_in_the_ledger(site, way):
    user = f"plain-{way}"
    before = time.time()
    status, out, err = site.call(way, words(site.csr, user=user))
    assert (status, err) == (0, ""), err
    end = check_certificate(site, out, user)
    life = datetime.fromisoformat(end.replace("Z", "+00:00")).timestamp()
    assert 3590 <= life - before <= 3660
    account = "local:" + str(MYPROXY)
    ref = site.wait_log(rf"request ref=(\w+) peer={account} command=CALLOUT "
                        rf"user={user}\n").group(1)
    site.wait_log(rf"login ref={ref} peer={account} user={user} "
                  rf"principal={user}@LIGO.TEST method=callout")
    site.wait_log(rf"issued ref={ref} .*method=callout peer={account}")


def test_the_least_lifetime_counts(site, way):
    before = time.time()
    for life, most in ((1800, 43200), (43200, 1800), ("NULL", 1800)):
        status, out, err = site.call(way, words(site.csr, life=life,
                                                most=most))
        assert status == 0, err
        end = openssl("x509", "-noout", "-enddate", "-dateopt", "iso_8601",
                      input=out).stdout.split("=")[1].strip()
        end = datetime.fromisoformat(end.replace("Z", "+00:00")).timestamp()
        assert 1790 <= end - before <= 1860


@pytest.mark.parametrize("change,status,sentence", [
    ({"user": "a/b"}, 8, "the request is not permitted"),
    ({"user": "ann@ELSEWHERE.ORG"}, 8, "the request is not permitted"),
    ({"user": "n" * 200}, 8, "the name is too long for a certificate"),
    ({"credname": "no-such"}, 8, "the request is not permitted"),
], ids=lambda v: next(iter(v.items())) if isinstance(v, dict) else None)
def test_a_refusal_is_readable_and_has_its_reason_in_the_log(
        site, way, change, status, sentence):
    got, text, ref = said(site.call(way, words(site.csr, **change)))
    assert (got, text) == (status, sentence)
    site.wait_log(rf"(request|login|issue)-refused ref={ref} .*text=")


def test_a_request_that_is_none_gets_no_certificate(site, way):
    broken = site.csr.replace("M", "N", 1)
    status, text, ref = said(site.call(way, words(broken)))
    assert text == "the request is malformed"
    site.wait_log(rf"request-refused ref={ref}")


@pytest.mark.parametrize("text,sentence", [
    ("", "no empty line before the certificate request"),
    ("chatter\n" * 8192, "line 1 is no key=value"),
    ("username=NULL\n\n", "there is no username"),
    ("username=a\0b\n\n", "line 1 has a NUL in it"),
    ("username=ann\n\n", "there is no certificate request in PEM"),
    ("username=ann\nproxy_lifetime=-5\n\n",
     "proxy_lifetime is no number of seconds"),
], ids=["nothing", "chatter", "no-name", "NUL", "no-request", "lifetime"])
def test_what_no_server_says_goes_nowhere(site, way, text, sentence):
    assert said(site.call(way, text)) == (1, sentence, None)


def test_chatter_and_fields_of_any_length_are_borne(site, way):
    more = {"chatter": "x" * 65536, "retrievers": "y" * 20480,
            "creddesc": "=" * 20480}
    status, out, err = site.call(way, words(
        site.csr, user=f"chatter-{way}", phrase="p" * 20480, **more))
    assert (status, err) == (0, "")
    check_certificate(site, out, f"chatter-{way}")


def test_thirty_two_at_once(site, way):
    users = [f"crowd{i}-{way}" for i in range(32)]
    callers = [site.ask(way, words(site.csr, user=u)) for u in users]
    for user, caller in zip(users, callers):
        status, out, err = finish(caller)
        assert (status, err) == (0, ""), (user, err)
        assert f"CN={user}@LIGO.TEST" in openssl(
            "x509", "-noout", "-subject", "-nameopt", "compat",
            input=out).stdout
    for user in users:
        assert len(site.serials_of(user)) == 1
    site.wait_files("")


# Who asks.

def turned_away(site, way, **who):
    """The reference of a refusal; strangers who come by the socket are logged,
    and given one, once a second."""
    end = time.monotonic() + 10
    ref = None
    while ref is None and time.monotonic() < end:
        status, text, ref = said(site.call(way, **who))
        assert (status, text) == (8, "the request is not permitted")
    return ref


def test_an_account_that_is_not_in_issue_from_is_refused(site, way):
    whole = site.conf.read_text()
    try:
        site.conf.write_text(whole.replace(f"issue-from {MYPROXY}",
                                           "issue-from 61399"))
        site.reload()
        ref = turned_away(site, way)
        site.wait_log(rf'request-refused ref={ref} peer="local:uid {MYPROXY}" '
                      r'code=DENIED text="not in issue-from')
    finally:
        site.conf.write_text(whole)
        site.reload()
    assert site.call(way)[0] == 0


def test_other_accounts_of_this_host_are_refused(site, way):
    if os.getuid() != 0:
        # Another account is what only root can be; the reload above is ours.
        assert oct(site.directory.stat().st_mode)[-5:] == "42770"
        return
    if way == "directory":
        status, text, _ = said(site.call(way, uid=61398))
        assert "Permission denied" in text
        # One of the same group may lay a request there; it is still his.
        ref = turned_away(site, way, uid=61398, gid=MYPROXY)
    else:
        ref = turned_away(site, way, uid=61398)
    site.wait_log(rf'request-refused ref={ref} peer="local:uid 61398"')


# What must not be seen.

def memory_of(pid):
    with open(f"/proc/{pid}/maps") as maps, \
            open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for line in maps:
            span, mode = line.split()[:2]
            start, end = (int(x, 16) for x in span.split("-"))
            # A sanitizer's shadow is larger than all memory.
            if "rw" in mode and end - start < 1 << 28:
                mem.seek(start)
                try:
                    yield mem.read(end - start)
                except OSError:
                    pass  # locked away from everybody


def test_the_pass_phrase_goes_no_further_than_signet_issue(site, way):
    marker = f"Marker-{way}-{os.urandom(6).hex()}"
    with site.pause("issuer"):
        caller = site.ask(way, words(site.csr, user=f"quiet-{way}",
                                     phrase=marker))
        site.wait_log(rf"request ref=\w+ .*user=quiet-{way}\n")
        for path in site.directory.iterdir():
            if not path.is_symlink():
                assert marker.encode() not in path.read_bytes()
        if os.getuid() == 0:
            for pid in (caller.pid, *site.roles().values()):
                for piece in memory_of(pid):
                    assert marker.encode() not in piece, pid
    assert finish(caller)[0] == 0
    assert marker not in site.log()


# Who dies.

def test_a_client_that_dies_before_it_has_said_all_changes_nothing(site, way):
    caller = site.caller(way)
    caller.stdin.write(words(site.csr, user=f"half-{way}")[:200])
    caller.stdin.flush()
    caller.kill()
    caller.wait()
    assert site.call(way)[0] == 0
    assert site.serials_of(f"half-{way}") == []


def test_a_client_that_dies_before_it_is_heard_gets_nothing(site, way):
    with site.pause("intake.0"):
        caller = site.ask(way, words(site.csr, user=f"early-{way}"))
        if way == "directory":
            site.wait_files(r"q\.\w+ request")
        else:
            site.wait_connected()
        caller.kill()
        caller.wait()
        # The link that he leaves keeps nobody out for longer.
        other = site.ask(way)
    assert finish(other)[0] == 0
    site.wait_files("")
    assert site.serials_of(f"early-{way}") == []


def test_a_client_that_dies_while_it_is_signed_is_signed_once(site, way):
    with site.pause("issuer"):
        caller = site.ask(way, words(site.csr, user=f"late-{way}"))
        site.wait_log(rf"login ref=\w+ .*user=late-{way} ")
        caller.kill()
        caller.wait()
    site.wait_log(rf"issued ref=\w+ .*principal=late-{way}@")
    assert len(site.serials_of(f"late-{way}")) == 1
    assert site.call(way)[0] == 0
    site.wait_files("")


def dies_half_way(site, way, user):
    """How many certificates ${user} has when the intake was killed while the
    issuer stood still."""
    with site.pause("issuer"):
        caller = site.ask(way, words(site.csr, user=user))
        site.wait_log(rf"login ref=\w+ .*user={user} ")
        os.kill(site.roles()["intake.0"], signal.SIGKILL)
        status, text, ref = said(finish(caller))
        if way == "socket":
            assert text == "signetd has ended before it answered"
        else:
            assert text == "the request could not be carried out"
            site.wait_log(rf"request-refused ref={ref} .*has ended since")
    # The issuer answers in order.
    assert site.call(way)[0] == 0
    site.wait_files("")
    return len(site.serials_of(user))


def test_an_intake_that_dies_half_way_signs_nothing_twice(site, way):
    # It may be killed before it has told the issuer: then nothing is signed.
    for turn in range(8):
        made = dies_half_way(site, way, f"twice{turn}-{way}")
        assert made <= 1
        if made == 1:
            return
    raise AssertionError("it has never told the issuer")


def test_an_intake_that_dies_before_it_takes_it_serves_it_anew(site, way):
    user = f"anew-{way}"
    with site.pause("intake.0") as paused:
        caller = site.ask(way, words(site.csr, user=user))
        if way == "directory":
            site.wait_files(r"q\.\w+ request")
        else:
            site.wait_connected()
        paused.kill()
        # The connection waits in the socket that the parent holds.
        status, out, err = finish(caller)
        assert (status, err) == (0, "")
    check_certificate(site, out, user)


def test_an_intake_that_cannot_begin_anew_ends_nobody(site):
    began = len(re.findall("role-started role=intake", site.log_now()))
    site.directory.chmod(0o777)
    try:
        os.kill(site.roles()["intake.0"], signal.SIGKILL)
        # Thrice at once, and then with a pause: people who log in see nothing.
        site.wait_log(r"(?s)(role-balked role=intake\.0 text=.*"
                      r"role-died role=intake\.0 .*){3}")
        site.stock_logon()
    finally:
        site.directory.chmod(0o2770)
    site.wait_log(r"(?s)(role-started role=intake.*){%d}" % (began + 4), 30)
    assert site.call("directory")[0] == 0
    assert site.process.poll() is None


# Neither is there.

def test_without_signetd_the_error_says_so_at_once(tmp_path, way):
    site = CallSite(tmp_path / "down")
    began = time.monotonic()
    status, text, _ = said(site.call(way))
    assert status == 6 and str(getattr(site, way)) in text
    site.start()
    assert site.call(way)[0] == 0
    with site.pause("issuer"):
        caller = site.ask(way, words(site.csr, user="orphan"))
        site.wait_log(r"login ref=\w+ .*user=orphan ")
        os.kill(site.process.pid, signal.SIGKILL)
        status, text, _ = said(finish(caller))
        assert status == 6
    site.process.wait()
    status, text, _ = said(site.call(way))
    assert status == 6
    assert time.monotonic() - began < 60
    # And then it is there again.
    site.start()
    try:
        assert site.call(way)[0] == 0
        site.wait_files("")
    finally:
        site.stop()


# Behind its walls alone, with a test in the place of the others.

@pytest.fixture
def alone(site, tmp_path):
    os.chmod(tmp_path, 0o755)
    here = CallSite.__new__(CallSite)
    here.dir, here.csr = site.dir, site.csr
    here.socket, here.directory = tmp_path / "s", tmp_path / "d"
    conf = re.sub(r"issue-directory .*", f"issue-directory {tmp_path}/d",
                  site.conf.read_text())
    role = Role("intake", conf.encode(),
                {"callers.0": f"{MYPROXY} {MYPROXY}\n".encode()},
                ["auth", "issuer"], tmp_path / "log")
    with role, socket.socket(socket.AF_UNIX) as door:
        door.bind(str(here.socket))
        door.listen(8)
        door.setblocking(False)
        os.chmod(here.socket, 0o666)
        role.control.sendmsg(
            [encode("BOOT_FD", name="issue")],
            [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
              array.array("i", [door.fileno()]))])
        here.issue_conf = lambda way: tmp_path / way
        for way in WAYS:
            here.issue_conf(way).write_text(
                f"{way} {getattr(here, way)}\ntimeout 20\n")
        open_way(tmp_path)
        here.role = role
        yield here


def reach_issuer(here, way):
    caller = here.ask(way)
    auth, issuer = (here.role.channels[n] for n in ("auth", "issuer"))
    name, asked = decode(auth.recv(70000))
    assert name == "CALL_ASK" and asked["username"] == b"user0"
    auth.send(encode("CALL_YES", connection=asked["connection"],
                     ticket=b"0123456789abcdef"))
    name, sign = decode(issuer.recv(70000))
    assert name == "CALL_SIGN" and sign["ticket"] == b"0123456789abcdef"
    return caller, asked, sign


def test_that_signing_is_suspended_is_said_at_once(alone, way):
    caller, asked, sign = reach_issuer(alone, way)
    alone.role.channels["issuer"].send(
        encode("CALL_SIGNED", connection=sign["connection"],
               fault=FAULTS.index("SUSPENDED")))
    assert said(finish(caller)) == (1, "signing is suspended",
                                    asked["ref"].decode())


def test_the_issuer_may_say_nothing_else_to_the_intake(alone, way):
    caller, _, sign = reach_issuer(alone, way)
    issuer = alone.role.channels["issuer"]
    issuer.send(encode("SIGN_DONE", connection=sign["connection"],
                       certificate=b"0\0"))
    alone.role.process.wait(timeout=20)
    assert "role-refused role=issuer" in alone.role.log()
    assert finish(caller)[0] == 6


def test_with_logins_no_the_callout_is_all_there_is(site, tmp_path, way):
    here = CallSite(tmp_path / "alone", root=site.root, name="Alone")
    here.settings.append("logins no")
    here.write_conf()
    here.start(wait=False)
    try:
        here.wait_log(": started pid=")
        status, out, err = here.call(way)
        assert status == 0, err
        check_certificate(here, out, "user0")
        assert not any(r.startswith("front") for r in here.roles())
    finally:
        here.stop()
