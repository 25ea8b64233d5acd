"""Every option of every command is in --help, in a manual page and in what the
shells complete; the old names are installed beside signet."""

import json
import os
import re
import shutil
import subprocess

import pytest
from signet_site import BUILD, REPO, SIGNET, run

OLD = ("ligo-login", "grid-proxy-init", "grid-proxy-info",
       "grid-proxy-destroy", "grid-cert-info", "myproxy-logon",
       "myproxy-get-delegation", "myproxy-get-trustroots")
TABLES = {
    "login": "login", "status": "status", "doctor": "doctor",
    "verify": "verify",
    "trustroots": "trustroots", "proxy init": "proxy_init",
    "proxy info": "proxy_info", "proxy destroy": "proxy_destroy",
    "cert info": "cert_info", "cert convert": "cert_convert",
}
OLD_TABLES = {
    "ligo-login": "login", "grid-proxy-init": "proxy_init",
    "grid-proxy-info": "proxy_info", "grid-proxy-destroy": "proxy_destroy",
    "grid-cert-info": "cert_info", "myproxy-logon": "logon",
    "myproxy-get-delegation": "logon", "myproxy-get-trustroots": "trustroots",
}
SINGLE = {"ligo-login", "grid-proxy-init", "grid-proxy-info",
          "grid-proxy-destroy", "grid-cert-info"}
PAGES = {
    "login": "signet-login", "status": "signet-status",
    "doctor": "signet-doctor", "verify": "signet-verify",
    "trustroots": "signet-trustroots",
    "proxy init": "signet-proxy", "proxy info": "signet-proxy",
    "proxy destroy": "signet-proxy", "cert info": "signet-cert",
    "cert convert": "signet-cert", "ligo-login": "signet-login",
    "grid-proxy-init": "signet-grid", "grid-proxy-info": "signet-grid",
    "grid-proxy-destroy": "signet-grid", "grid-cert-info": "signet-grid",
    "myproxy-logon": "signet-logon", "myproxy-get-delegation": "signet-logon",
    "myproxy-get-trustroots": "signet-trustroots",
}


def from_table(stem, old):
    """The names that a .def file declares, read without our code."""
    text = (REPO / "signet" / f"{stem}.def").read_text()
    text = re.sub(r"(?s)/\*.*?\*/", "", text)
    names = []
    for letters, words, rest in re.findall(
            r'(?s)\bOPTION\(\s*\w+,\s*(?:LETTERS\("([^"]*)"\)\s*)?"([^"]*)",'
            r'(.*?)\)\s*(?=OPTION|$)', text):
        doc = re.findall(r'"([^"]*)"', rest)[1:]
        if not "".join(doc):
            continue
        names += [w for w in words.split() if not w.startswith("~")]
        if old:
            names += letters.split()
    return names


def dashed(name, single):
    return ("-" if single or len(name) == 1 else "--") + name


COMMON = ("h help usage", "version V", "json", "q quiet", "v verbose debug",
          "no-color")


def options_of(command):
    old = command in OLD_TABLES
    stem = OLD_TABLES[command] if old else TABLES[command]
    own = from_table(stem, old)
    assert stem in ("proxy_destroy",) or len(own) > 2
    text = (REPO / "signet" / "options_common.def").read_text()
    for names in COMMON:
        assert names in text
        own += [n for n in names.split() if n not in own]
    return {dashed(name, command in SINGLE) for name in own}


def name_of(command, directory):
    if command not in OLD_TABLES:
        return [str(SIGNET), *command.split()]
    link = directory / command
    if not link.exists():
        link.symlink_to(SIGNET)
    return [str(link)]


EVERY = [*TABLES, *OLD_TABLES]


def test_no_command_and_no_table_is_forgotten():
    listed = re.findall(r"(?m)^  ([a-z]+(?: [a-z]+)?)  ",
                        run(SIGNET, "--help").stdout)
    assert set(listed) == {*TABLES, "completion"}
    stems = {p.stem for p in (REPO / "signet").glob("*.def")}
    assert stems - {"options_common", "signet_conf"} == \
        {*TABLES.values(), *OLD_TABLES.values()}
    text = "".join(p.read_text() for p in (REPO / "signet").glob("*.c")
                   if not p.name.endswith("_test.c"))
    names = " ".join(re.findall(r'\.old_names = "([^"]*)"', text)).split()
    assert sorted(names) == sorted(OLD) == sorted(OLD_TABLES)


@pytest.mark.parametrize("command", EVERY)
def test_every_option_is_in_the_help(tmp_path, command):
    done = run(*name_of(command, tmp_path), "--help")
    shown = set()
    for names in re.findall(r"(?m)^  ((?:-[-\w]+, )*-[-\w]+)", done.stdout):
        shown |= set(names.split(", "))
    assert shown == options_of(command)
    assert done.stderr == ""
    assert all(len(line) <= 80 for line in done.stdout.splitlines())


@pytest.mark.parametrize("command", EVERY)
def test_every_option_is_in_its_manual_page(command):
    page = BUILD / "man" / f"{PAGES[command]}.1"
    text = page.read_text()
    section = text
    if command in ("proxy init", "proxy info", "proxy destroy", "cert info",
                   "cert convert", *SINGLE - {"ligo-login"}):
        title = f"signet {command}" if command in TABLES else command
        section = re.split(rf"(?m)^\.Ss {title}$", text)[1]
        section = re.split(r"(?m)^\.S[hs] ", section)[0]
    shown = set()
    for line in re.findall(r"(?m)^\.It (Fl .*)$", section):
        shown |= {"-" + w for w in re.findall(r"Fl (\S+)", line)}
    wanted = options_of(command)
    if command in ("ligo-login", "myproxy-get-trustroots"):
        # Their pages show the verb's spelling.
        shown = {re.sub("^--?", "", name) for name in shown}
        wanted = {re.sub("^--?", "", name) for name in wanted}
    assert wanted <= shown, wanted - shown


def pages():
    return sorted(p for p in (BUILD / "man").iterdir()
                  if re.fullmatch(r"signet(-\w+)?\.(1|conf\.5)", p.name))


@pytest.mark.parametrize("page", pages(), ids=lambda p: p.name)
def test_manual_pages_are_sound(page):
    done = run("mandoc", "-T", "lint", "-W", "warning", page, check=False)
    complaints = [line for line in done.stdout.splitlines()
                  if "unusual Xr order" not in line]
    assert complaints == []
    assert "@" not in re.findall(r"(?m)^.", page.read_text())


# What the shells do with it, asked of the shells.

@pytest.fixture(scope="module")
def scripts(tmp_path_factory):
    d = tmp_path_factory.mktemp("completion")
    for shell in "bash", "zsh", "fish":
        (d / shell).write_text(run(SIGNET, "completion", shell).stdout)
    return d


def bash(scripts, line):
    """What bash offers behind ${line}."""
    words = line.split(" ")
    program = f"""
        source {scripts}/bash
        COMP_WORDS=({' '.join(f"'{w}'" for w in words)})
        COMP_CWORD={len(words) - 1}
        COMP_LINE='{line}' COMP_POINT={len(line)}
        spec=$(complete -p {words[0]}) || exit 9
        [[ $spec =~ -F\\ ([^ ]+) ]] && "${{BASH_REMATCH[1]}}"
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    return set(run("bash", "--norc", "-c", program).stdout.split())


@pytest.mark.parametrize("command", EVERY)
def test_bash_completes_every_option(scripts, command):
    line = command if command in OLD_TABLES else f"signet {command}"
    offered = bash(scripts, line + " -")
    assert options_of(command) <= offered, options_of(command) - offered
    (one,) = bash(scripts, line + " --vers") if command not in SINGLE else \
        bash(scripts, line + " -vers")
    assert one.strip("-") == "version"


def test_bash_completes_commands(scripts):
    first = {command.split()[0] for command in TABLES}
    assert first <= bash(scripts, "signet ")
    assert {"init", "info", "destroy"} <= bash(scripts, "signet proxy ")
    assert bash(scripts, "signet proxy de") == {"destroy"}
    assert bash(scripts, "signet doc") == {"doctor"}


@pytest.mark.parametrize("shell", ["zsh", "fish"])
@pytest.mark.parametrize("command", EVERY)
def test_every_option_is_in_the_other_shells_scripts(scripts, shell, command):
    text = (scripts / shell).read_text()
    if shell == "zsh":
        head = rf"\t{command})\n" if command in OLD_TABLES else \
            rf"\t'{command}{'' if ' ' in command else ' '}"
        block = text.split(head.replace("\\t", "\t").replace("\\n", "\n"))[1]
        block = block.split("\t\t;;")[0]
        shown = set(re.findall(r"(?m)^\t\t'(-[-\w]+)\[", block))
    else:
        last = command.split()[-1]
        start = (f"complete -c {command} -" if command in OLD_TABLES else
                 f"complete -c signet -n '__fish_seen_subcommand_from "
                 f"{last}' -")
        shown = set()
        for line in text.splitlines():
            if line.startswith(start):
                kind, name = line[len(start) - 1:].split()[:2]
                shown.add({"-l": "--", "-s": "-", "-o": "-"}[kind] + name)
    assert options_of(command) <= shown, options_of(command) - shown


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shells_find_no_mistake_in_them(scripts, shell):
    """Of the shells that are here; bash always is."""
    assert shutil.which("bash")
    if shutil.which(shell) is None:
        text = (scripts / shell).read_text()
        assert text.count("'") % 2 == 0 and text.endswith("\n")
        return
    run(shell, "-n", scripts / shell)


# What is installed.

@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    d = tmp_path_factory.mktemp("installed")
    run("meson", "install", "-C", BUILD, "--no-rebuild", "--quiet",
        "--destdir", d, timeout=300)
    (prefix,) = [p.parent for p in d.rglob("bin") if p.is_dir()]
    return prefix


@pytest.mark.parametrize("words", [
    ("nosuch",), ("status", "--nosuch"), ("proxy",), ("login", "a", "b", "c")])
@pytest.mark.parametrize("json_word", ["--json", "--js"])
def test_a_mistake_is_an_object_for_programs(words, json_word):
    done = run(SIGNET, *words, json_word, check=False)
    error = json.loads(done.stdout)["error"]
    assert error["code"] == "usage"
    assert error["exit"] == done.returncode == 2
    assert error["message"] in done.stderr


def test_the_old_names_are_installed(installed):
    for name in OLD:
        link = installed / "bin" / name
        assert link.is_symlink() and os.readlink(link) == "signet"
        done = subprocess.run([str(link), "-version"], capture_output=True,
                              text=True, timeout=60)
        assert done.returncode == 0 and done.stdout + done.stderr


def test_pages_and_completions_are_installed(installed):
    man = installed / "share/man/man1"
    for page in set(PAGES.values()) | {"signet"}:
        assert (man / f"{page}.1").is_file()
    for name in OLD:
        page = man / f"{name}.1"
        assert page.is_symlink() and page.resolve().is_file()
        assert name in page.read_text()
    for path in ("bash-completion/completions/signet",
                 "zsh/site-functions/_signet",
                 "fish/vendor_completions.d/signet.fish"):
        script = installed / "share" / path
        shell = path.split("/")[0].split("-")[0]
        assert script.read_text() == run(SIGNET, "completion", shell).stdout
    for name in OLD:
        assert (installed / "share/bash-completion/completions"
                / name).resolve().is_file()
        assert (installed / "share/fish/vendor_completions.d"
                / f"{name}.fish").resolve().is_file()
