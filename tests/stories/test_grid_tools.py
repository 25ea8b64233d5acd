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

import os
import re
import shutil
import stat

import pytest
from grid_sides import (
    ROBERT, SECONDS, at_terminal, both, desk, good, init, same, voms_info)
from grid_tools import NAMES, PHRASE
from signet_site import run


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
