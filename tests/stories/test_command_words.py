"""What is typed to signet-ca and signet-trust: completion, the nearest spelling, faults as JSON."""
import json
import os
import subprocess

import pytest

from signet_site import BUILD

PROGRAMS = ("signet-ca", "signet-trust")


def run(program, *words, status=0):
    done = subprocess.run([str(BUILD / program / program), *words],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == status, done.stderr
    return done


def offered(program, *words):
    """What bash offers for the last of WORDS."""
    script = (BUILD / "share/shells" / program).read_text()
    quoted = " ".join(f"'{word}'" for word in (program, *words))
    asked = subprocess.run(
        ["bash", "--norc", "-eu", "-c",
         f"{script}\nCOMP_WORDS=({quoted}); COMP_CWORD={len(words)}\n"
         f"_{program.replace('-', '_')} || :\n"
         'printf "%s\\n" ${COMPREPLY[@]+"${COMPREPLY[@]}"}'],
        capture_output=True, text=True, timeout=60)
    assert asked.returncode == 0 and not asked.stderr, asked.stderr
    return asked.stdout.split()


@pytest.mark.parametrize("program,words,offers", [
    ("signet-ca", ["ini"], ["init"]),
    ("signet-ca", ["revoke"], ["revoke", "revoke-cert"]),
    ("signet-ca", ["ledger", ""], ["list", "search", "show", "export", "check"]),
    ("signet-ca", ["ledger", "sh"], ["show"]),
    ("signet-ca", ["ledger", "check", "--"], ["--help", "--ledger", "--json"]),
    ("signet-ca", ["backup", "c"], ["check"]),
    ("signet-ca", ["backup", "check", "--j"], ["--json"]),
    ("signet-ca", ["backup", "DIR", "--j"], []),
    ("signet-ca", ["backup", "DIR", "--o"], ["--out"]),
    ("signet-ca", ["crl", "--out", "--"], []),
    ("signet-trust", ["re"], ["refresh"]),
    ("signet-trust", ["list", "--a"], ["--all"]),
    ("signet-trust", ["list", "CA", "--a"], ["--all"]),
    ("signet-trust", ["list", "--ca-list", ""], []),
    ("signet-trust", ["nothing", "--"], []),
])
def test_bash_offers_what_fits(program, words, offers):
    assert offered(program, *words) == offers


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_script_is_installed(program):
    script = BUILD / "share/shells" / program
    assert script.read_text() == run(program, "completion", "bash").stdout
    assert script.read_text() == run(program, "completion").stdout
    plan = json.loads(subprocess.run(
        ["meson", "introspect", "--installed", str(BUILD)], check=True,
        capture_output=True, text=True, timeout=60).stdout)
    assert plan[str(script)].endswith(
        f"share/bash-completion/completions/{program}")
    assert "fish" in run(program, "completion", "fish", status=2).stderr


@pytest.mark.parametrize("program,words,says", [
    ("signet-ca", ["inti", "root"], 'did you mean "init root"?'),
    ("signet-ca", ["ledger", "serch"], 'did you mean "ledger search"?'),
    ("signet-ca", ["status", "--ledgr=x"], "did you mean --ledger?"),
    ("signet-trust", ["refersh"], 'did you mean "refresh"?'),
    ("signet-trust", ["list", "--prifile", "x"], "did you mean --profile?"),
    ("signet-trust", ["list", "--all=yes"], "--all takes no value"),
])
def test_the_nearest_spelling_is_told(program, words, says):
    done = run(program, *words, "--json", status=2)
    error = json.loads(done.stdout)["error"]
    assert says in error["message"] and error["code"] == "usage"
    assert done.stderr == (f"{program}: {error['message']}\n"
                           f"try: {program} --help\n")


def test_signet_issue_says_what_was_typed():
    script = BUILD / "share/shells/signet-issue"
    assert script.read_text() == run("signet-issue", "--completion").stdout
    asked = subprocess.run(
        ["bash", "--norc", "-c", f"{script.read_text()}complete -p signet-issue"],
        capture_output=True, text=True, timeout=60, check=True)
    assert "--conf --help --version" in asked.stdout
    for word, says in (("--cnf", "unknown option --cnf"),
                       ("-xV", "unknown option -x"),
                       ("--conf", "--conf needs a value"),
                       ("--version=2", "no value goes with --version=2"),
                       ("DIR", '"DIR" is one word too many')):
        done = run("signet-issue", word, status=2)
        assert done.stderr == (f"signet-issue: {says}\n"
                               "Try: signet-issue --help\n")
        assert not done.stdout


@pytest.mark.parametrize("word", ["--json", "--jso", "--js", "--j"])
@pytest.mark.parametrize("program,words", [
    ("signet-trust", ["list", "--config", "/no/such/file"]),
    ("signet-ca", ["ledger", "list", "--ledger", "/no/such/file"])])
def test_json_may_be_shortened_for_faults_too(program, words, word):
    done = subprocess.run([str(BUILD / program / program), *words, word],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    error = json.loads(done.stdout)["error"]
    assert error["exit"] == done.returncode
    assert error["message"] in done.stderr


def answers_to(program, words, output):
    return subprocess.run([str(BUILD / program / program), *words],
                          stdin=subprocess.DEVNULL, stdout=output,
                          stderr=subprocess.PIPE, text=True, timeout=60,
                          # As a daemon's child, or under a shell that
                          # ignores it: else the signal ends who writes.
                          restore_signals=False)


@pytest.mark.parametrize("program", [*PROGRAMS, "signet"])
def test_who_reads_no_more_is_no_full_disk(program):
    reader, writer = os.pipe()
    os.close(reader)
    done = answers_to(program, ["--help"], writer)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")
    with open("/dev/full", "w") as full:
        done = answers_to(program, ["--help"], full)
    assert done.returncode == 1 and done.stderr
