"""A CA whose key is in a token: it signs after its PIN was given, stops at once
when it is pulled, and goes on without a restart."""

import os
import pathlib
import re
import signal
import time

import pytest

from signet_site import BUILD, SIGNET_CA, Site, openssl, run
from signet_token import Token
from usb_play import Usb, preloaded


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A site whose key is in a token, started."""
    directory = tmp_path_factory.mktemp("token")
    token = Token(directory / "token")
    site = Site(directory / "site", settings=[*token.settings(),
                                              "token-timeout 2",
                                              "crl-interval 1h"])
    token.adopt(site.ca)
    site.env.update(token.env)
    site.start(*token.options())
    site.wait_log("token-ready")
    # Plays count signatures, and this is one.
    site.wait_log("crl-filed")
    yield site, token
    assert site.stop() == 0


def here(site):
    """Where the log is now, for after()."""
    return len(site.log_now())


def after(site, place, pattern):
    """Wait for ${pattern} after ${place}."""
    return site.wait_log(r"(?s)\A.{%d}.*?(%s)" % (place, pattern))[1]


def refused(site):
    """A login that is refused; what the user reads."""
    result = site.stock_logon(check=False)
    assert result.returncode != 0
    return result.stderr + result.stdout


def plug(site, token):
    """Put in what was pulled, and wait until it signs."""
    at = here(site)
    token.plug()
    after(site, at, "token-ready")
    site.stock_logon()


def comes_back(site, token, at):
    """It was lost after ${at}, and is logged in to again by itself."""
    after(site, at, "token-lost .*?token-ready")
    token.play()
    site.stock_logon()


def states(site):
    return [line["state"] for line in site.ledger_lines()]


def wait_state(site, state):
    """The last one comes to that: nobody waits for a number to be void."""
    end = time.monotonic() + 10
    while states(site)[-1] != state:
        assert time.monotonic() < end, states(site)
        time.sleep(0.02)


def check_book(site):
    run(SIGNET_CA, "log", "check", "--ledger", site.ledger)


def test_a_login_is_signed_in_the_token(place):
    site, token = place
    before = token.calls("Sign")
    site.stock_logon()
    assert token.calls("Sign") > before
    cert = site.dir / "one.pem"
    openssl("x509", "-in", site.dir / "cred.pem", "-out", cert)
    assert "OK" in openssl("verify", "-partial_chain", "-CAfile",
                           site.ca / "ca.pem", cert).stdout


def test_the_list_is_signed_in_the_token(place):
    site, _ = place
    out = openssl("crl", "-inform", "DER", "-in",
                  site.ledger.parent / "slcs.crl", "-noout",
                  "-CAfile", site.ca / "ca.pem")
    assert "verify OK" in out.stderr + out.stdout


def test_pulled_it_stops_at_once_and_goes_on_with_a_new_pin(place):
    site, token = place
    pids = site.roles()
    at = here(site)
    token.pull()
    after(site, at, "token-lost")
    reserved = len(states(site))
    assert "signing is suspended" in refused(site)
    # No serial was taken.
    assert len(states(site)) == reserved
    token.pin = "another pin"
    token.credential()
    plug(site, token)
    assert site.roles() == pids


def test_what_is_signed_in_the_shadow_is_revoked_and_nobodys(place):
    site, token = place
    at = here(site)
    known = {line["serial"] for line in site.ledger_lines()}
    token.play(play="pull-after")
    assert "signing is suspended" in refused(site)
    serial = re.search(r"serial=([0-9a-fA-F]+)",
                       after(site, at, r" withheld [^\n]*"))[1]
    new = {line["serial"]: line for line in site.ledger_lines()
           if line["serial"] not in known}
    assert [line["state"] for line in new.values()] == ["revoked"]
    assert int(*new, 16) == int(serial, 16)
    at = here(site)
    plug(site, token)
    # And it is on the list as soon as one can be made.
    after(site, at, r"crl-filed [^\n]*entries=1")
    check_book(site)


@pytest.mark.parametrize("play", ["pull-before", "pull-during", "corrupt",
                                  "fail"])
def test_what_is_not_signed_leaves_a_number_that_nobody_has(place, play):
    site, token = place
    at = here(site)
    token.play(play=play, code=0x30)
    assert "signing is suspended" in refused(site)
    wait_state(site, "void")
    if play.startswith("pull"):
        plug(site, token)
    else:
        comes_back(site, token, at)
    check_book(site)


def test_pulled_and_put_back_between_two_looks(place):
    site, token = place
    at = here(site)
    token.play(play="replug-after")
    assert "signing is suspended" in refused(site)
    assert states(site)[-1] == "revoked"
    comes_back(site, token, at)
    after(site, at, "crl-filed")


def test_a_list_made_in_the_shadow_is_not_published(place):
    site, token = place
    path = site.ledger.parent / "slcs.crl"
    before = path.read_bytes()
    at = here(site)
    token.play(play="pull-after")
    site.process.send_signal(signal.SIGUSR1)
    after(site, at, "crl-refused [^\n]*SUSPENDED")
    assert path.read_bytes() == before
    # Nothing more is tried, and it is made as soon as it can be.
    assert len(re.findall("crl-refused", site.log_now()[at:])) == 1
    plug(site, token)
    after(site, at, "crl-filed")
    assert path.read_bytes() != before


@pytest.mark.parametrize("play, why", [("crash", "role-died"),
                                       ("hang", "token-stuck")])
def test_a_module_that_crashes_or_hangs_takes_its_process_alone(place, play,
                                                                why):
    site, token = place
    before = site.roles()
    at = here(site)
    token.play(play=play)
    assert "signing is suspended" in refused(site)
    wait_state(site, "void")
    after(site, at, why)
    token.play()
    after(site, at, "token-ready")
    site.stock_logon()
    now = site.roles()
    assert [r for r in now if now[r] != before[r]] == ["token.0"]


def test_the_last_try_is_the_operators(place):
    site, token = place
    at = here(site)
    tries = token.calls("Login")
    token.plug(flags="final")
    after(site, at, "pin-withheld")
    assert token.calls("Login") == tries
    assert "signing is suspended" in refused(site)
    plug(site, token)


def test_its_process_holds_no_more_than_it_must(place):
    site, _ = place
    proc = pathlib.Path("/proc") / str(site.roles()["token.0"])
    status = (proc / "status").read_text()
    assert re.search(r"^NoNewPrivs:\s1$", status, re.M)
    assert re.search(r"^CapEff:\s0+$", status, re.M)
    assert re.search(r"^Threads:\s[4-9]$", status, re.M)
    # Not dumpable: its files in /proc are root's, whoever it is.
    assert proc.joinpath("mem").stat().st_uid == 0
    assert "0 0 " in re.sub(r"\s+", " ", re.search(
        r"^Max core file size.*", (proc / "limits").read_text(), re.M)[0])
    if os.getuid() != 0:
        with pytest.raises(PermissionError):
            os.listdir(proc / "fd")
        return
    places = [str(p.resolve()) for p in (proc / "fd").iterdir()]
    assert not [p for p in places if p.endswith((".pem", ".key", "ledger.db"))]


def test_a_reload_leaves_the_token_as_it_is(place):
    site, token = place
    pids = site.roles()
    at = here(site)
    logins = token.calls("Login")
    site.process.send_signal(signal.SIGHUP)
    after(site, at, "reloaded")
    site.stock_logon()
    assert (site.roles(), token.calls("Login")) == (pids, logins)
    # One that is away stays away.
    token.pull()
    after(site, at, "token-lost")
    at = here(site)
    site.process.send_signal(signal.SIGHUP)
    after(site, at, "reloaded")
    assert "signing is suspended" in refused(site)
    plug(site, token)


def test_a_token_that_leaves_the_usb_is_lost_whatever_its_module_says(
        tmp_path, place):
    """The module, of a network reader say, goes on as if nothing were."""
    device, other = "0529:0620", "0529:0621"
    usb = Usb()
    usb.plug(device)
    usb.plug(other)
    token = Token(tmp_path / "token")
    site = Site(tmp_path / "site", root=place[0].root, name="USB",
                settings=token.settings())
    token.adopt(site.ca)
    with open(site.ca / "ca.conf", "a") as conf:
        conf.write(f"usb-device {device}\n")
    site.env.update(token.env)
    site.wrapper = preloaded(BUILD / "signetd", tmp_path / "bin", "token",
                             usb.env)
    site.start(*token.options())
    try:
        site.wait_log("token-ready")
        site.wait_log("crl-filed")
        site.stock_logon()
        at = here(site)
        usb.pull(other)
        site.stock_logon()
        assert "token-" not in site.log_now()[at:]
        logins = token.calls("Login")
        usb.pull(device)
        after(site, at, "token-usb [^\n]*it was pulled")
        after(site, at, f"token-lost [^\n]*USB device {device} is not there")
        # It is there all the same, says its module.
        assert "signing is suspended" in refused(site)
        assert token.calls("Login") == logins
        usb.tell(device, "add")
        after(site, at, "token-usb [^\n]*it was put in")
        after(site, at, "token-ready")
        site.stock_logon()
    finally:
        site.stop()
    usb.end()


def test_no_pin_is_asked_for_before_the_usb_device_is_there(tmp_path, place):
    device = "0529:0622"
    usb = Usb()
    usb.plug("0529:0621")
    token = Token(tmp_path / "token")
    site = Site(tmp_path / "site", root=place[0].root, name="Late",
                settings=token.settings())
    token.adopt(site.ca)
    with open(site.ca / "ca.conf", "a") as conf:
        conf.write(f"usb-device {device}\n")
    site.env.update(token.env)
    site.wrapper = preloaded(BUILD / "signetd", tmp_path / "bin", "token",
                             usb.env)
    site.start(*token.options())
    try:
        site.wait_log(f"token-wanted [^\n]*absent[^\n]*USB device {device} "
                      "is not there")
        assert "signing is suspended" in refused(site)
        assert token.calls("Login") == 0
        at = here(site)
        usb.plug(device)
        usb.tell(device, "add")
        after(site, at, "token-usb [^\n]*it was put in")
        after(site, at, "token-ready")
        site.stock_logon()
    finally:
        site.stop()
    usb.end()


def test_a_right_pin_that_opens_no_key_is_not_asked_for_in_silence(tmp_path,
                                                                   place):
    token = Token(tmp_path / "token")
    site = Site(tmp_path / "site", root=place[0].root, name="Misspelt",
                settings=token.settings())
    token.adopt(site.ca)
    conf = site.ca / "ca.conf"
    conf.write_text(conf.read_text().replace("object=ca;", "object=co;"))
    site.env.update(token.env)
    site.start(*token.options())
    try:
        found = site.wait_log("token-wanted [^\n]*no such private key[^\n]*")
        assert "object=" in found[0] and "pin-wrong" not in site.log_now()
        assert "signing is suspended" in refused(site)
    finally:
        site.stop()


def test_what_is_misspelt_is_named(tmp_path, place):
    token = Token(tmp_path / "token")
    site = Site(tmp_path / "site", root=place[0].root, name="Lines",
                settings=token.settings())
    token.adopt(site.ca)
    site.env.update(token.env)
    conf, pin = site.ca / "ca.conf", site.conf.read_text()
    good = conf.read_text()

    def says(ca=good, more=""):
        conf.write_text(ca)
        site.conf.write_text(pin + more)
        done = run(BUILD / "signetd/signetd", "-c", site.conf, "--check",
                   check=False, env=dict(os.environ, **site.env))
        assert done.returncode == (0 if ca == good and not more else 78)
        return done.stderr

    says()
    slot = re.sub("^key .*", "key 0:45", good, flags=re.M)
    assert "key-module is wanting" in says(slot)
    assert "no PKCS#11 module" in says(
        re.sub("module-path=[^ \n]*", "module-path=/etc/passwd", good))
    # Who can put another in its place has what the hook is told.
    hook = tmp_path / "open" / "hook"
    hook.parent.mkdir()
    hook.write_text("#!/bin/sh\n")
    hook.chmod(0o755)
    hook.parent.chmod(0o1777)
    user = "user-hook 61399\n" if os.getuid() == 0 else ""
    for which in ("token-hook", "crl-hook"):
        line = f"{which} {hook}\n{user}"
        assert "everybody may write into" in says(more=line)
    if os.getuid() == 0:
        hook.parent.chmod(0o755)
        os.chown(hook, 61399, 61399)
        assert "is not root's" in says(more=line)
    conf.write_text(good.replace("token=grid%20ca", "token=gird%20ca"))
    site.conf.write_text(pin)
    site.start(*token.options())
    try:
        found = site.wait_log("token-wanted [^\n]*no token [^\n]*")[0]
        assert "gird ca" in found and "grid ca" in found
    finally:
        site.stop()
