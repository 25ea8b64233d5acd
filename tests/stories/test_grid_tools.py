"""grid-proxy-init, -info, -destroy and grid-cert-info: Debian's and ours give
the same answers, byte for byte, on the same files.

Where ours differ on purpose, a story of its own below shows both:

* key generation prints no dots (masked in grid_tools.py);
* help and version go to standard output, in words of our own;
* options with two dashes are taken; short forms (-exi) and -q, -json too;
* RSA keys of 512 and 1024 bits are refused, 3072 is taken;
* "-hours x" is refused (theirs makes a proxy as long as the certificate);
* -pl without -policy makes a restricted proxy (theirs forgets the language);
* a wrong or missing pass phrase is called that, and at a terminal there is a
  second try;
* a key that is not the certificate's is refused before a proxy is made of it;
* the strength of an EC key is the size of its curve;
* what is wrong with the certificate, the key or a junk file is said (theirs
  prints memory that was never written);
* a symbolic link in the place of the proxy is neither written nor wiped
  through;
* a proxy that others can read can be destroyed; "-all -dryrun" lists files;
  what cannot be destroyed is an error, and -dryrun names only what is there;
* HOME is honoured.
"""

import json
import os
import pty
import re
import select
import shutil
import stat
import subprocess
import time

import pytest
from grid_tools import Desk, NAMES, PHRASE
from openssl_pki import PEOPLE
from signet_site import SIGNET, run

ROBERT = f"{PEOPLE}/CN=robert"


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    desk = Desk(tmp_path_factory.mktemp("desk"))
    desk.proxy(desk.dir / "good")
    return desk


@pytest.fixture
def good(desk, tmp_path):
    path = tmp_path / "proxy"
    shutil.copy(desk.dir / "good", path)
    os.chmod(path, 0o600)
    return path


def same(desk, tool, *args, masks=(), before=None, **how):
    """Both tools, each on files that ${before} made anew."""
    results = []
    for ask in desk.theirs, desk.ours:
        if before is not None:
            before()
        results.append(ask(tool, *args, **how))
    theirs, ours = results
    assert ours.masked(*masks) == theirs.masked(*masks), (
        f"theirs: {theirs}\n==\nours: {ours}")
    return ours


def both(desk, tool, *args, before=None, **how):
    if before is not None:
        before()
    theirs = desk.theirs(tool, *args, **how)
    if before is not None:
        before()
    return theirs, desk.ours(tool, *args, **how)


# grid-proxy-info.

SECONDS = ((r"(?m)^4\d{4}$", "SECONDS"),)


@pytest.mark.parametrize("args", [
    "", "-all", "-subject", "-s", "-issuer", "-i", "-identity", "-type",
    "-timeleft", "-strength", "-path", "-rfc2253", "-rfc2253 -all",
    "-rfc2253 -subject -issuer -identity", "-text", "-text -subject",
    "-subject -text", "-i -s", "-subject -subject", "-all -subject",
    "-timeleft -strength -path -type -identity -issuer -subject",
    "-debug", "-debug -subject",
    "-exists", "-e", "-exists -subject", "-subject -exists", "-exists -all",
    "-exists -valid 1:00", "-e -v 11:00", "-exists -valid 24:00",
    "-exists -valid 0:00", "-exists -valid 1:60", "-exists -hours 1",
    "-exists -h 13", "-exists -bits 2048", "-e -b 4096", "-e -b 512",
    "-exists -valid 1:00 -bits 2048", "-exists -valid 1:00 -hours 2",
])
def test_info_of_a_good_proxy(desk, good, args):
    same(desk, "grid-proxy-info", *args.split(), proxy=good, masks=SECONDS)


@pytest.mark.parametrize("args", [
    "-nosuch", "extra", "-file", "-f", "-valid 1:00", "-hours 5", "-bits 5",
    "-exists -exists", "-exists -valid", "-exists -hours", "-exists -bits",
    "-exists -bits -5", "-exists -valid x", "-exists -valid 1",
    "-exists -valid 1:70", "-subject -nosuch",
])
def test_info_used_wrongly(desk, good, args):
    done = same(desk, "grid-proxy-info", *args.split(), proxy=good)
    assert done.status == 1 and "ERROR: option" in done.err


@pytest.mark.parametrize("args", ["-file {}", "-f {} -path", "-file {} -type"])
def test_info_of_a_file_that_is_named(desk, good, args):
    same(desk, "grid-proxy-info", *args.format(good).split(),
         proxy="/nonexistent")


@pytest.mark.parametrize("option", [True, False])
@pytest.mark.parametrize("args", ["", "-exists", "-subject"])
@pytest.mark.parametrize("state", ["missing", "open", "group", "executable",
                                   "empty", "directory", "dangling"])
def test_info_of_what_is_no_proxy(desk, good, state, args, option):
    path = good.parent / "other"
    if state == "directory":
        path.mkdir()
    elif state == "dangling":
        path.symlink_to("nowhere")
    elif state == "empty":
        path.touch(mode=0o600)
    elif state != "missing":
        shutil.copy(good, path)
        os.chmod(path, {"open": 0o644, "group": 0o640,
                        "executable": 0o700}[state])
    named = ["-file", path] if option else []
    done = same(desk, "grid-proxy-info", *named, *args.split(),
                proxy="/nonexistent" if option else path)
    assert done.status == 1 and "globus_sysconfig: " in done.err


def test_info_of_a_strangers_proxy(desk, good):
    path = "/etc/passwd"
    if os.getuid() == 0:
        path = good
        os.chown(good, 12345, -1)
    done = same(desk, "grid-proxy-info", "-file", path, proxy="/nonexistent")
    assert "not owned by current user" in done.err


def test_info_of_a_read_only_proxy_and_of_a_link(desk, good):
    os.chmod(good, 0o400)
    same(desk, "grid-proxy-info", proxy=good)
    link = good.parent / "link"
    link.symlink_to(good)
    same(desk, "grid-proxy-info", proxy=link)


@pytest.mark.parametrize("args", [
    "", "-timeleft", "-exists", "-exists -valid 0:00", "-all", "-subject"])
def test_info_of_an_expired_proxy(desk, good, args):
    done = same(desk, "grid-proxy-info", *args.split(), proxy=good,
                wrapper=("faketime", "-f", "+13h"))
    if args == "-timeleft":
        assert done.out == "-1\n" and done.status == 0
    if args == "":
        assert done.out.endswith("timeleft : 0:00:00\n") and done.status == 0
    if "-exists" in args:
        assert done.status == 1 and done.out + done.err == ""


def test_info_of_a_proxy_from_tomorrow(desk, good):
    same(desk, "grid-proxy-info", proxy=good,
         wrapper=("faketime", "-f", "-1d"))


@pytest.mark.parametrize("lifetime,left", [
    ("24:00", "2[34]:"), ("25:00", "2[45]:"), ("200:30", "200:")])
def test_info_counts_days_past_the_first(desk, tmp_path, lifetime, left):
    proxy = desk.proxy(tmp_path / "p", "-valid", lifetime)
    done = same(desk, "grid-proxy-info", proxy=proxy)
    line = done.out.splitlines()[-1]
    assert re.match(rf"timeleft : {left}\d\d:\d\d", line)
    assert (" days)" in line) == (lifetime not in ("24:00",))


KINDS = {
    "": "RFC 3820 compliant impersonation proxy",
    "-limited": "RFC 3820 compliant limited proxy",
    "-independent": "RFC 3820 compliant independent proxy",
    "-rfc": "RFC 3820 compliant impersonation proxy",
    "-draft": "Proxy draft (pre-RFC) compliant impersonation proxy",
    "-draft -limited": "Proxy draft (pre-RFC) compliant limited proxy",
    "-draft -independent": "Proxy draft (pre-RFC) compliant independent proxy",
    "-old": "full legacy globus proxy",
    "-old -limited": "limited legacy globus proxy",
    "-path-length 0": "RFC 3820 compliant impersonation proxy",
    "-path-length 3": "RFC 3820 compliant impersonation proxy",
    "-policy {policy} -pl 1.2.3.4": "RFC 3820 compliant restricted proxy",
    "-policy {policy} -policy-language 1.2.3.4 -draft":
        "Proxy draft (pre-RFC) compliant restricted proxy",
}


@pytest.mark.parametrize("theirs", [True, False],
                         ids=["made-by-theirs", "made-by-ours"])
@pytest.mark.parametrize("options", KINDS)
def test_info_of_every_kind_whoever_made_it(desk, tmp_path, options, theirs):
    policy = tmp_path / "policy"
    policy.write_text("let it be\n")
    proxy = desk.proxy(tmp_path / "p",
                       *options.format(policy=policy).split(), theirs=theirs)
    assert stat.S_IMODE(proxy.stat().st_mode) == 0o600
    for args in ((), ("-subject", "-issuer", "-identity"), ("-rfc2253",)):
        done = same(desk, "grid-proxy-info", *args, proxy=proxy)
    done = desk.ours("grid-proxy-info", "-type", proxy=proxy)
    assert done.out == KINDS[options] + "\n"
    if "-draft" not in options:  # OpenSSL is not taught the old extension
        same(desk, "grid-proxy-info", "-text", proxy=proxy)


def voms_info(desk, proxy, *args):
    return desk.one("/usr/bin", "voms-proxy-info2", *args, proxy=proxy)


@pytest.mark.parametrize("options", ["", "-limited", "-bits 4096",
                                     "-key-kind ec:P-256"])
def test_voms_proxy_info_reads_ours(desk, tmp_path, options):
    proxy = desk.proxy(tmp_path / "p", *options.split(), theirs=False)
    ours = desk.ours("grid-proxy-info", proxy=proxy)
    voms = voms_info(desk, proxy)
    assert voms.status == 0, voms
    lines = dict(line.split(" : ", 1) for line in voms.out.splitlines())
    lines = {k.strip(): v for k, v in lines.items()}
    for line in ours.out.splitlines():
        name, value = line.split(":", 1)
        if name.strip() in ("subject", "issuer", "path") or (
                name.strip() == "strength" and "ec:" not in options):
            assert lines[name.strip()] == value.strip()
    assert lines["identity"] == ROBERT


# Theirs says how long a signature may be: 576 bits for P-256.
EC_STRENGTH = ((r"strength : (256|576|384|832) bits", "strength : EC"),)


@pytest.mark.parametrize("key", ["rsa:2048", "rsa:3072", "ec:P-256",
                                 "ec:P-384"])
@pytest.mark.parametrize("kind", ["", "-limited", "-independent",
                                  "-path-length 0"])
def test_openssl_accepts_what_ours_made(desk, tmp_path, kind, key):
    proxy = desk.proxy(tmp_path / "p", *kind.split(), "-key-kind", key,
                       theirs=False)
    run("openssl", "verify", "-allow_proxy_certs", "-CApath", desk.pki.trust,
        "-untrusted", proxy, proxy)
    key_type = run("openssl", "pkey", "-in", proxy, "-noout", "-text").stdout
    assert key.split(":")[1] in key_type
    ec = key.startswith("ec:")
    done = same(desk, "grid-proxy-info", proxy=proxy,
                masks=EC_STRENGTH if ec else ())
    size = key.split(":")[1].removeprefix("P-")
    assert f"strength : {size} bits\n" in done.out
    blocks = re.findall("-----BEGIN (.*)-----", proxy.read_text())
    assert blocks[0] == "CERTIFICATE" and blocks[1].endswith("PRIVATE KEY")
    assert blocks[2:] == ["CERTIFICATE"] * len(blocks[2:]) and len(blocks) > 2


def test_a_proxy_of_an_ec_certificate(desk, tmp_path):
    desk.pki.person("eve", key="ec:P-256")
    proxy = tmp_path / "p"
    done = desk.ours("grid-proxy-init", "-cert", desk.pki.dir / "eve.cred",
                     "-key-kind", "ec:P-256", "-verify", proxy=proxy,
                     X509_USER_KEY=None)
    assert done.status == 0 and "Proxy Verify OK\n" in done.out
    run("openssl", "verify", "-allow_proxy_certs", "-CApath", desk.pki.trust,
        "-untrusted", proxy, proxy)
    same(desk, "grid-proxy-info", proxy=proxy, masks=EC_STRENGTH)


@pytest.mark.parametrize("state", ["junk", "cut", "certificate-only",
                                   "key-only", "two-chains"])
def test_info_of_junk_says_what_is_wrong_with_it(desk, good, state):
    """Their second line holds memory that nobody wrote."""
    path = good.parent / "junk"
    text = good.read_text()
    blocks = re.findall("(?s)-----BEGIN.*?-----END[^\n]*\n", text)
    path.write_text({"junk": "junk\n", "cut": text[:800],
                     "certificate-only": blocks[0], "key-only": blocks[1],
                     "two-chains": blocks[0] + blocks[2]}[state])
    os.chmod(path, 0o600)
    theirs, ours = both(desk, "grid-proxy-info", "-file", path, proxy=path)
    first = f"\nERROR: Couldn't read proxy from: {path}\n       "
    last = "\n\nUse -debug for further information.\n"
    for done in theirs, ours:
        assert done.status == 1 and done.out == ""
        assert done.err.startswith(first) and done.err.endswith(last)
    assert ours.err.isascii() and str(path) in ours.err[len(first):]


# grid-proxy-init.

def init(desk, *args, **how):
    how.setdefault("stdin", PHRASE + "\n")
    return same(desk, "grid-proxy-init", "-pwstdin", *args, **how)


@pytest.mark.parametrize("args", [
    "", "-q", "-verify", "-limited", "-q -verify", "-hours 5", "-hours 0",
    "-valid 1:30", "-valid 0:60", "-valid 0:00", "-valid 25:00", "-rfc",
    "-valid 9000:00", "-q -valid 9000:00", "-path-length 0", "-bits 2048",
    "-cert {cred}", "-cert {pem} -key {key}", "-debug", "-old", "-draft",
    "-out {tmp}/elsewhere", "-certdir {trust} -verify",
])
def test_init(desk, tmp_path, args):
    pki = desk.pki
    words = [word.format(cred=pki.dir / "robert.cred", tmp=tmp_path,
                         pem=pki.dir / "robert.pem",
                         key=pki.dir / "robert.key", trust=pki.trust)
             for word in args.split()]
    clock = ((r"\d\d:\d\d:\d\d 2026", "CLOCK"), (r"H:MM:SS 2026", "CLOCK"))
    done = init(desk, *words, proxy=tmp_path / "p", masks=clock)
    assert done.status == 0
    if "9000" in args:
        assert "within the requested lifetime" in done.err
    if "-out" in args:
        assert not (tmp_path / "p").exists()


@pytest.mark.parametrize("lifetime,seconds", [
    ("-valid 1:30", 5400), ("-hours 5", 18000), ("", 43200),
    ("-valid 0:00", None), ("-hours 0", None), ("-valid 9000:00", None)])
def test_init_gives_the_lifetime_asked_for(desk, tmp_path, lifetime, seconds):
    proxy = desk.proxy(tmp_path / "p", *lifetime.split(), theirs=False)
    left = int(desk.theirs("grid-proxy-info", "-timeleft", proxy=proxy).out)
    if seconds is None:
        seconds = 10 * 86400  # the certificate's, which is some seconds old
    assert seconds - 900 < left <= seconds


@pytest.mark.parametrize("args", [
    "-nosuch", "extra", "-valid", "-valid 1", "-valid abc", "-valid 1:70",
    "-valid 1:-1", "-valid -1:00", "-hours", "-bits", "-bits x", "-bits 1000",
    "-path-length", "-path-length x", "-path-length -1", "-cert", "-key",
    "-certdir", "-out", "-policy", "-pl", "-policy-language",
    "-cert /nonexistent", "-key /nonexistent", "-certdir /nonexistent",
    "-policy /etc/hostname", "-limited -independent",
    "-independent -limited", "-limited -policy /etc/hostname -pl 1.2.3",
    "-old -rfc", "-draft -old", "-rfc -draft", "-out /nonexistent/p",
    "-key {open}",
])
def test_init_used_wrongly(desk, tmp_path, args):
    shutil.copy(desk.key, tmp_path / "open")
    os.chmod(tmp_path / "open", 0o644)
    words = args.format(open=tmp_path / "open").split()
    done = init(desk, *words, proxy=tmp_path / "p")
    assert done.status == 1 and done.out == ""
    assert not (tmp_path / "p").exists()


@pytest.mark.parametrize("quiet", [[], ["-q"]])
def test_init_of_an_expired_certificate(desk, tmp_path, quiet):
    done = init(desk, *quiet, proxy=tmp_path / "p",
                wrapper=("faketime", "-f", "+20d"))
    assert done.status == 2 and "Your certificate has expired" in done.err


# Where ours do better on purpose.

@pytest.mark.parametrize("tool", NAMES)
def test_help_has_the_old_layout_and_every_old_option(desk, good, tool):
    theirs = desk.theirs(tool, "-help", proxy=good)
    for word in "-help", "-usage":
        ours = desk.ours(tool, word, proxy=good)
        assert ours.status == 0 and ours.err == ""
        assert ours.out.startswith("\n") and ours.out.endswith("\n\n")
    text = theirs.out + theirs.err
    if tool != "grid-cert-info":
        assert ours.out.splitlines()[1] == text.splitlines()[1]
        assert ours.out.splitlines()[3] == text.splitlines()[3] == \
            "    Options"
    assert text.splitlines()[1] in ours.out.replace("Syntax : ", "")
    listed = re.split(r"\n[^\n]*Options?\n", text, maxsplit=1)[1]
    options = set(re.findall(r"(?m)(?:^ {4,10}|, |\||\()(-[a-z0-9-]+)\b",
                             listed))
    assert len(options) > 5, listed
    if tool == "grid-proxy-info":
        assert {"-subject", "-s", "-exists", "-e", "-valid"} <= options
    shown = set(re.findall(r"(?<![\w-])-[a-z0-9][a-z0-9-]*", ours.out))
    assert options <= shown, options - shown
    assert all(len(line) <= 80 for line in ours.out.splitlines())


@pytest.mark.parametrize("tool", NAMES)
def test_version_in_the_old_form(desk, good, tool):
    theirs = desk.theirs(tool, "-version", proxy=good)
    ours = desk.ours(tool, "-version", proxy=good)
    form = (r"grid-cert-info: [0-9.]+\n" if tool == "grid-cert-info"
            else r"[a-z]+_proxy_utils-[0-9.]+\n")
    for done in theirs, ours:
        assert done.status == 0
        assert re.fullmatch(form, done.out + done.err)
    assert ours.err == ""


def test_two_dashes_and_short_forms_are_taken_as_well(desk, good):
    plain = desk.ours("grid-proxy-info", "-subject", proxy=good)
    for word in "--subject", "-sub":
        theirs, ours = both(desk, "grid-proxy-info", word, proxy=good)
        assert theirs.status == 1
        assert (ours.status, ours.out) == (0, plain.out)
    assert desk.ours("grid-proxy-init", "--pwstdin", "--valid=1:30", "-q",
                     proxy=good).status == 0


@pytest.mark.parametrize("bits,says", [
    ("512", "no longer safe"), ("1024", "no longer safe"), ("3072", None)])
def test_weak_keys_are_refused_and_stronger_ones_made(desk, tmp_path, bits,
                                                      says):
    proxy = tmp_path / "p"
    done = desk.ours("grid-proxy-init", "-pwstdin", "-bits", bits, proxy=proxy)
    if says is None:
        assert done.status == 0
        assert desk.theirs("grid-proxy-info", "-strength",
                           proxy=proxy).out == bits + "\n"
        return
    assert done.status == 1 and says in done.err and not proxy.exists()


def test_hours_that_are_no_number_are_refused(desk, tmp_path):
    proxy = tmp_path / "p"
    theirs, ours = both(desk, "grid-proxy-init", "-pwstdin", "-hours", "x",
                        proxy=proxy)
    assert theirs.status == 0
    assert ours.status == 1 and '"x" is not a number' in ours.err


def test_a_policy_language_alone_is_not_forgotten(desk, tmp_path):
    kinds = {}
    for theirs in True, False:
        proxy = desk.proxy(tmp_path / "p", "-pl", "1.2.3.4", theirs=theirs)
        kinds[theirs] = desk.theirs("grid-proxy-info", "-type",
                                    proxy=proxy).out
    assert "impersonation" in kinds[True] and "restricted" in kinds[False]


@pytest.mark.parametrize("phrase,says", [
    ("wrong\n", "wrong pass phrase for {}"),
    ("", "no pass phrase for {}: no answer was given")])
def test_a_wrong_pass_phrase_is_called_that(desk, tmp_path, phrase, says):
    theirs, ours = both(desk, "grid-proxy-init", "-pwstdin", stdin=phrase,
                        proxy=tmp_path / "p")
    assert theirs.status == ours.status == 1
    assert ours.out == theirs.out == f"Your identity: {ROBERT}\n"
    assert ours.err == f"Error: {says.format(desk.key)}\n" \
        "Use -debug for further information.\n"


def test_a_key_that_is_not_the_certificates_is_refused(desk, tmp_path):
    desk.pki.person("mallory", key="rsa:2048")
    theirs, ours = both(
        desk, "grid-proxy-init", "-pwstdin", "-cert",
        desk.pki.dir / "robert.pem", "-key", desk.pki.dir / "mallory.key",
        proxy=tmp_path / "p", before=lambda: (tmp_path / "p").unlink(
            missing_ok=True))
    assert theirs.status == 1
    assert ours.status == 1 and "is not that of the certificate" in ours.err
    assert not (tmp_path / "p").exists()


def test_an_open_key_is_named_with_what_to_do(desk, tmp_path):
    key = tmp_path / "key.pem"
    shutil.copy(desk.key, key)
    os.chmod(key, 0o644)
    theirs, ours = both(desk, "grid-proxy-init", "-pwstdin",
                        proxy=tmp_path / "p", X509_USER_KEY=key)
    first = "Error: Couldn't find valid credentials to generate a proxy.\n"
    last = "Use -debug for further information.\n"
    assert theirs.err == first + last
    assert ours.err.startswith(first) and ours.err.endswith(last)
    assert f"{key} is readable by others; run: chmod 600 {key}" in ours.err
    assert ours.status == 1 and not (tmp_path / "p").exists()


@pytest.mark.parametrize("missing", ["X509_USER_CERT", "X509_USER_KEY"])
def test_what_is_missing_is_named(desk, tmp_path, missing):
    theirs, ours = both(desk, "grid-proxy-init", "-pwstdin",
                        proxy=tmp_path / "p", **{missing: "/nonexistent"})
    first, last = ("Error: Couldn't find valid credentials to generate a "
                   "proxy.\n", "Use -debug for further information.\n")
    assert theirs.err == first + last
    assert ours.err.startswith(first) and ours.err.endswith(last)
    assert "/nonexistent" in ours.err and ours.status == 1


def test_home_is_honoured(desk, tmp_path):
    """Theirs looks the account up in passwd, whatever HOME says."""
    how = dict(proxy=tmp_path / "p", X509_USER_CERT=None, X509_USER_KEY=None)
    ours = desk.ours("grid-proxy-init", "-pwstdin", **how)
    assert ours.status == 0 and ROBERT in ours.out
    theirs = desk.theirs("grid-proxy-init", "-pwstdin", **how)
    assert theirs.status == 1
    nowhere = desk.ours("grid-proxy-init", "-pwstdin",
                        **dict(how, HOME=tmp_path / "nowhere"))
    assert f"{tmp_path}/nowhere/.globus/usercert.pem" in nowhere.err


def test_nothing_is_written_or_wiped_through_a_link(desk, good, tmp_path):
    link = tmp_path / "link"
    precious = good.read_bytes()
    link.symlink_to(good)
    done = desk.ours("grid-proxy-init", "-pwstdin", proxy=link)
    assert done.status == 1 and "symbolic link" in done.err
    done = desk.ours("grid-proxy-destroy", proxy=link)
    assert done.status == 1 and link.is_symlink()
    assert good.read_bytes() == precious
    desk.theirs("grid-proxy-destroy", proxy=link)
    assert good.read_bytes() != precious


# At a terminal.

def at_terminal(desk, argv, answers, **env):
    """What a person sees who gives ${answers} one after another, and the exit
    status."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(argv[0], [str(a) for a in argv], desk.env(**env))
    seen, given = b"", 0
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if fd in select.select([fd], [], [], 0.2)[0]:
            try:
                data = os.read(fd, 4096)
            except OSError:
                break
            if not data:
                break
            seen += data
        asked = len(re.findall(rb"(?i)pass ?phrase[^\n]*: ?", seen))
        if given < len(answers) and asked > given:
            time.sleep(0.1)  # until the echo is off
            os.write(fd, answers[given].encode() + b"\n")
            given += 1
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(fd)
    return seen.decode().replace("\r\n", "\n"), status


def test_a_person_gets_a_second_try(desk, tmp_path):
    tool = str(desk.bin / "grid-proxy-init")
    seen, status = at_terminal(desk, [tool], ["wrong-one", PHRASE],
                               proxy=tmp_path / "p")
    assert status == 0, seen
    assert seen.count("Enter GRID pass phrase for this identity:") == 2
    assert "try again" in seen and "wrong-one" not in seen
    assert PHRASE not in seen
    assert "Your proxy is valid until: " in seen


def test_a_person_gets_no_third_try(desk, tmp_path):
    tool = str(desk.bin / "grid-proxy-init")
    seen, status = at_terminal(desk, [tool], ["wrong-one", "wrong-two"],
                               proxy=tmp_path / "p")
    assert status == 1 and f"wrong pass phrase for {desk.key}" in seen
    assert not (tmp_path / "p").exists()


def test_progress_is_for_terminals_and_has_an_end(desk, tmp_path):
    tool = str(desk.bin / "grid-proxy-init")
    seen, status = at_terminal(desk, [tool], [PHRASE], proxy=tmp_path / "p")
    assert status == 0
    assert seen.count("Creating proxy ... Done\n") == 1
    assert "...." not in seen
    seen, _ = at_terminal(desk, [tool, "-q"], [PHRASE], proxy=tmp_path / "p")
    assert "Creating" not in seen and "Enter GRID pass phrase:" in seen
    piped = desk.ours("grid-proxy-init", "-pwstdin", proxy=tmp_path / "p")
    assert "Creating" not in piped.out + piped.err


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
