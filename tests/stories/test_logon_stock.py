"""The old names beside the stock ones: myproxy-logon, myproxy-get-trustroots, completion, help."""

import json
import os
import shutil
import stat

import pytest
from stock_login import (
    SIGNET, SUBJECT, info, kdc, krb, links, login, other_trust, pam, pki,
    root, run, verify)
from stock_myproxy import openssl, Pki, StockServer


# myproxy-logon and myproxy-get-trustroots, beside the stock ones.

def both(links, server, tmp_path, name, *args, stdin="secret123\n",
         options=("-S", "-l", "user0"), prepare=None, **more):
    """The same command, stock and ours, each in a home of its own."""
    results = []
    for which in ("stock", "ours"):
        home = tmp_path / which
        home.mkdir()
        if prepare:
            prepare(home)
        env = server.env(home, **{k: v.format(home=home)
                                  for k, v in more.items()})
        program = f"/usr/bin/{name}" if which == "stock" else links / name
        given = [a.format(home=home) for a in (*options, *args)]
        done = run(program, *given, env=env, stdin=stdin, check=False)
        results.append((done.returncode, done.stdout.replace(str(home), "H"),
                        done.stderr.replace(str(home), "H")))
    return results


@pytest.mark.parametrize("args", [
    (), ("-o", "{home}/x.pem"), ("-q",), ("-N",), ("-t", "1"), ("-T",)])
def test_logon_prints_what_the_stock_one_prints(links, pam, tmp_path, args):
    trust = "{home}/trust"

    def prepare(home):
        shutil.copytree(pam.pki.trust, home / "trust")
    stock, ours = both(links, pam, tmp_path, "myproxy-logon", *args,
                       prepare=prepare, X509_CERT_DIR=trust)
    assert ours == stock
    assert stock[0] == 0


@pytest.mark.parametrize("options,password", [
    (("-S", "-l", "user0"), "wrong-one"), (("-S", "-l", "nobody9"), "secret1"),
    (("-S", "-l", "user0"), "abc")])
def test_logon_refuses_as_the_stock_one(links, pam, tmp_path, options,
                                        password):
    stock, ours = both(links, pam, tmp_path, "myproxy-logon", options=options,
                       stdin=password + "\n")
    assert ours == stock
    assert stock[0] == 1


def test_the_file_is_laid_out_as_the_stock_one(links, pam, tmp_path):
    both(links, pam, tmp_path, "myproxy-logon")
    stock, ours = ([line for line in
                    (tmp_path / d / "proxy.pem").read_text().splitlines()
                    if line.startswith("-----")] for d in ("stock", "ours"))
    assert ours == stock
    for d in ("stock", "ours"):
        assert info(tmp_path / d / "proxy.pem", "-type",
                    pam.env(tmp_path)) == "end entity credential"


def test_logon_writes_to_standard_output(links, pam, tmp_path):
    done = run(links / "myproxy-logon", "-S", "-l", "user0", "-o", "-",
               env=pam.env(tmp_path), stdin="secret123\n")
    (tmp_path / "x.pem").write_text(done.stdout)
    verify(pam.pki, tmp_path / "x.pem")
    assert not (tmp_path / "proxy.pem").exists()


def test_a_request_of_ones_own_is_certified(links, pam, tmp_path):
    openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout",
            tmp_path / "k.pem", "-subj", "/CN=x", "-out", tmp_path / "r.pem")
    out = tmp_path / "c.pem"
    run(links / "myproxy-logon", "-S", "-l", "user0", "-Q",
        tmp_path / "r.pem", "-o", out, env=pam.env(tmp_path),
        stdin="secret123\n")
    assert "PRIVATE" not in out.read_text()
    assert openssl("x509", "-in", out, "-noout", "-pubkey") == \
        openssl("pkey", "-in", tmp_path / "k.pem", "-pubout")


def test_logon_by_kerberos(links, krb, kdc, tmp_path):
    kdc.kinit("user0", cache=tmp_path / "cc")
    done = run(links / "myproxy-get-delegation", "-n", "-l", "user0",
               env=krb.env(tmp_path))
    assert "A credential has been received for user user0" in done.stdout
    refused = run(links / "myproxy-logon", "-n", "-l", "user1",
                  env=krb.env(tmp_path), check=False)
    assert refused.returncode == 1
    assert "ERROR from myproxy-server:" in refused.stderr


def test_a_credential_that_is_refused_is_not_insisted_on(links, pam, tmp_path):
    """An old proxy of another world lies about; the server knows it not."""
    other = Pki(tmp_path / "other", key="ec:P-256")
    with StockServer(tmp_path / "server", other,
                     {"user0": "secret123"}) as stranger:
        env = stranger.env(tmp_path)
        run(links / "myproxy-logon", "-S", "-l", "user0", env=env,
            stdin="secret123\n")
    env = pam.env(tmp_path)
    assert (tmp_path / "proxy.pem").exists()
    done = run(links / "myproxy-logon", "-S", "-l", "user0", "-o",
               tmp_path / "new.pem", env=env, stdin="secret123\n")
    assert "A credential has been received" in done.stdout
    verify(pam.pki, tmp_path / "new.pem")


def test_a_credential_is_renewed_by_itself(links, pki, tmp_path):
    users = {"user0": "secret123"}
    settings = ('authorized_renewers "*"', 'allow_self_authorization "true"')
    with StockServer(tmp_path / "server", pki, users, pam="sufficient",
                     settings=settings) as server:
        env = server.env(tmp_path)
        run(links / "myproxy-logon", "-S", "-l", "user0", env=env,
            stdin="secret123\n")
        old = (tmp_path / "proxy.pem").read_text()
        done = run(links / "myproxy-logon", "-n", "-l", "user0", "-a",
                   tmp_path / "proxy.pem", "-o", tmp_path / "new.pem",
                   env=env)
        assert "A credential has been received" in done.stdout
        assert (tmp_path / "new.pem").read_text() != old
        verify(pki, tmp_path / "new.pem")


@pytest.mark.parametrize("args", [(), ("-q",), ("-b",)])
def test_trust_roots_are_installed_as_by_the_stock_one(links, pam, tmp_path,
                                                       args):
    def prepare(home):
        (home / "trust").mkdir()
        if "-b" not in args:
            shutil.copytree(pam.pki.trust, home / "trust", dirs_exist_ok=True)
    stock, ours = both(links, pam, tmp_path, "myproxy-get-trustroots", *args,
                       options=(), prepare=prepare,
                       X509_CERT_DIR="{home}/trust")
    assert ours[:2] == stock[:2]
    without_prints = "".join(line for line in
                             ours[2].splitlines(keepends=True)
                             if "SHA-256" not in line)
    assert without_prints == stock[2]
    for path in pam.pki.trust.iterdir():
        installed = tmp_path / "ours" / "trust" / path.name
        assert installed.read_bytes() == path.read_bytes()
        assert stat.S_IMODE(installed.stat().st_mode) == 0o644


def test_trust_roots_are_not_believed_on_first_sight_unasked(links, pam,
                                                             tmp_path):
    done = run(links / "myproxy-get-trustroots", check=False,
               env=pam.env(tmp_path, X509_CERT_DIR=tmp_path / "none"))
    assert done.returncode == 1
    assert "-b" in done.stderr
    assert not (tmp_path / "none").exists()


def test_trust_roots_by_the_verb_answer_programs(pam, tmp_path):
    trust = other_trust(pam.pki, tmp_path)
    done = run(SIGNET, "trustroots", "--json",
               env=pam.env(tmp_path, X509_CERT_DIR=trust))
    answer = json.loads(done.stdout)
    assert answer["kind"] == "trustroots" and answer["path"] == str(trust)
    assert answer["files"] == len(list(pam.pki.trust.iterdir()))


# What the tables make.

def test_completion_scripts_are_scripts(tmp_path):
    env = dict(os.environ)
    script = run(SIGNET, "completion", "bash", env=env).stdout
    (tmp_path / "c").write_text(script)
    offered = run("bash", "-c", f". {tmp_path}/c; "
                  "COMP_WORDS=(signet login --pass); COMP_CWORD=2; _signet; "
                  'echo "${COMPREPLY[@]}"', env=env).stdout.split()
    assert offered == ["--password-stdin"]
    verbs = run("bash", "-c", f". {tmp_path}/c; COMP_WORDS=(signet lo); "
                'COMP_CWORD=1; _signet; echo "${COMPREPLY[@]}"',
                env=env).stdout.split()
    assert verbs == ["login"]
    for shell in ("zsh", "fish"):
        script = run(SIGNET, "completion", shell, env=env).stdout
        assert "password-stdin" in script and "myproxy-logon" in script


def test_help_of_every_old_name_shows_the_stock_options(links):
    env = dict(os.environ)
    for name in ("myproxy-logon", "myproxy-get-trustroots"):
        stock = run(f"/usr/bin/{name}", "-h", env=env).stdout
        ours = run(links / name, "-help", env=env).stdout
        for line in stock.splitlines():
            word = line.strip().split(" ")[0]
            if not word.startswith("-") or word in ("-h", "-u", "-v", "-V"):
                continue
            assert f"{word}, --" in ours, word


# A server that takes both.

def test_a_server_of_tickets_and_passwords_takes_either(kdc, pki, tmp_path):
    users = {"user0": "other-secret"}
    with StockServer(tmp_path / "server", pki, users, kdc=kdc) as server:
        for auth, password in (("password", "other-secret"),
                               ("kerberos", "secret123")):
            home = tmp_path / auth
            home.mkdir()
            done = login(server, home, "user0", auth=auth, password=password)
            assert f"Your identity: {SUBJECT}\n" in done.stdout
        wrong = login(server, tmp_path, "user0", password="secret123",
                      check=False)
        assert wrong.returncode == 5
