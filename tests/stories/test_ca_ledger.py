"""The ledger of a CA: listed, searched, exported, tampered with, lost."""

import datetime
import json
import os
import re
import sqlite3
import subprocess

import pytest
from ca_house import (
    SERVICES, ca, copy, house, init_root, init_services, init_slcs, issue,
    refused)
from signet_site import CAS, SIGNET_CA, openssl


def test_what_others_wrote_gives_a_terminal_and_json_nothing_odd(tmp_path):
    (tmp_path / "ca").mkdir()
    for text in (b"\xff\xfe x", b"\xc2\x9b31m x", b"\xe2\x80 x",
                 "ö".encode() * 200 + b" x", b"x" + "ö".encode() * 200 + b" x"):
        (tmp_path / "ca/ca.conf").write_bytes(text + b"\n")
        done = subprocess.run([SIGNET_CA, "status", tmp_path / "ca", "--json"],
                              capture_output=True)
        assert done.returncode == 78
        assert json.loads(done.stdout)["error"]["code"] == "config"
        assert done.stderr.decode()[:-1].isprintable()
    name = os.fsencode(tmp_path) + b"/\x1b]0;x\x07"
    done = subprocess.run([SIGNET_CA, "request", "show", name],
                          capture_output=True)
    assert done.returncode == 3 and b"\x1b" not in done.stderr


@pytest.mark.parametrize("lost", ["gone", "empty", "another"])
def test_without_its_ledger_a_ca_signs_nothing(copy, tmp_path, lost):
    services = copy / "services"
    more = []
    if lost == "another":
        more = ["--ledger", tmp_path / "slip.db"]
    else:
        for file in services.glob("ledger.db*"):
            file.unlink()
        if lost == "empty":
            (services / "ledger.db").touch()
    refused("issue", services, "--profile", "host", "--subject",
            f"{SERVICES}/CN=a.example.org", "--out-cert", tmp_path / "c",
            "--out-key", tmp_path / "k", *more, status=3, says="come twice")
    refused("crl", services, "--out", tmp_path / "crl", *more, status=3,
            says="come twice")
    refused("backup", services, "--out", tmp_path / "b", *more, status=3,
            says="come twice")
    assert list(tmp_path.glob("slip*")) == list(tmp_path.glob("[ckb]")) == []


def test_the_ledger_is_listed_searched_shown_and_exported(tmp_path):
    house = tmp_path
    init_root(house / "root")
    init_slcs(house / "slcs", house / "root")
    init_services(house / "services", house / "root")
    book = ["--ledger", house / "root/ledger.db"]
    listed = ca("ledger", "list", *book).stdout.splitlines()
    assert len(listed) == 3 and all(" issued " in line for line in listed)
    lines = json.loads(ca("ledger", "list", *book, "--json").stdout)
    assert [line["subject"] for line in lines] == [
        f"{CAS}/CN=LIGO Root CA 1", f"{CAS}/OU=UWM/CN=MyProxy 1",
        f"{CAS}/OU=Services/CN=LIGO CA 1"]
    serial = openssl("x509", "-in", house / "slcs/ca.pem", "-noout",
                     "-serial").stdout.strip().split("=")[1]
    assert int(lines[1]["serial"], 16) == int(serial, 16)
    assert lines[1]["profile"] == "sub-ca" and lines[1]["ca"] == "root"
    found = json.loads(ca("ledger", "search", "OU=UWM", *book,
                          "--json").stdout)
    assert [f["serial"] for f in found] == [lines[1]["serial"]]
    assert ca("ledger", "search", "nobody", *book).stdout == ""
    assert json.loads(ca("ledger", "search", "nobody", *book,
                         "--json").stdout) == []
    by_ref = json.loads(ca("ledger", "search", lines[2]["ref"], *book,
                           "--json").stdout)
    assert len(by_ref) == 1
    today = datetime.datetime.utcnow().date()
    tomorrow = today + datetime.timedelta(days=1)
    options = [*book, "--json"]
    assert len(json.loads(ca("ledger", "list", "--since", today,
                             *options).stdout)) == 3
    assert ca("ledger", "list", "--since", tomorrow,
              *options).stdout == "[]\n"
    assert len(json.loads(ca("ledger", "list", "--limit", "2",
                             *options).stdout)) == 2
    assert len(json.loads(ca("ledger", "list", "--with-serial", serial,
                             *options).stdout)) == 1
    assert ca("ledger", "list", "--ca", "other", *options).stdout == "[]\n"
    shown = ca("ledger", "show", serial, *book).stdout
    assert f"subject     {CAS}/OU=UWM/CN=MyProxy 1\n" in shown
    assert (house / "slcs/ca.pem").read_text() in shown
    assert "der" in json.loads(ca("ledger", "show", serial, *book,
                                  "--json").stdout)
    refused("ledger", "show", "123456", *book, status=3, says="123456")
    refused("ledger", "show", "zz", *book, status=2, says="zz")
    # Out again: the very bytes.
    assert ((house / "root/ca.pem").read_text() +
            (house / "slcs/ca.pem").read_text() +
            (house / "services/ca.pem").read_text() ==
            ca("ledger", "export", *book).stdout)
    bundle = tmp_path / "bundle.der"
    ca("ledger", "export", *book, "--format", "der", "--out", bundle)
    first = subprocess.run(["openssl", "x509", "-in", house / "root/ca.pem",
                            "-outform", "DER"], check=True,
                           capture_output=True).stdout
    assert bundle.read_bytes().startswith(first)
    refused("ledger", "export", *book, "--out", bundle, status=8,
            says="exists")
    rows = ca("ledger", "export", *book, "--format", "json").stdout
    assert [json.loads(row)["subject"] for row in rows.splitlines()] == [
        line["subject"] for line in lines]


def test_serials_follow_the_range_of_the_site(copy, tmp_path):
    conf = copy / "services/ca.conf"
    conf.write_text(conf.read_text().replace("serial random",
                                             "serial range 1000 3"))
    numbers = []
    for i in range(3):
        pem = issue(copy / "services", tmp_path / f"h{i}", f"h{i}.example.org")
        numbers.append(int(openssl("x509", "-in", pem, "-noout",
                                   "-serial").stdout.split("=")[1], 16))
    assert numbers == [1000, 1001, 1002]
    refused("issue", copy / "services", "--profile", "host", "--subject",
            f"{SERVICES}/CN=h4", "--out-cert", tmp_path / "4.pem",
            "--out-key", tmp_path / "4.key", "--key", "ec:P-256", status=1,
            says="range")
    assert not (tmp_path / "4.key").exists()


def forge(path, old, new):
    """Change the book behind its back, as someone who has the file could, and
    put every rule and index back as it was."""
    base = sqlite3.connect(path)
    rules = base.execute("select name, sql from sqlite_master "
                         "where type = 'trigger'").fetchall()
    for name, _ in rules:
        base.execute(f'drop trigger "{name}"')
    changed = 0
    for table, in base.execute("select name from sqlite_master "
                               "where type = 'table'").fetchall():
        for row in base.execute(f'pragma table_info("{table}")').fetchall():
            changed += base.execute(
                f'update "{table}" set "{row[1]}" = replace("{row[1]}", ?, ?) '
                f"where typeof(\"{row[1]}\") = 'text' "
                f'and instr("{row[1]}", ?)', (old, new, old)).rowcount
    for _, sql in rules:
        base.execute(sql)
    base.commit()
    base.close()
    return changed


def test_a_ledger_that_was_tampered_with_is_found_out(copy):
    book = copy / "services/ledger.db"
    good = ca("ledger", "check", "--ledger", book).stdout
    as_json = json.loads(ca("ledger", "check", "--ledger", book,
                            "--json").stdout)
    assert good.split()[0] == str(as_json["entries"])
    assert as_json["head"] in good
    assert forge(book, "www.example.org", "x") == 0
    assert ca("ledger", "check", "--ledger", book).stdout == good
    subject = f"{SERVICES}/CN=host.example.org"
    assert forge(book, subject, f"{SERVICES}/CN=evil.example.org") > 0
    result = refused("ledger", "check", "--ledger", book, status=1, says="entry")
    assert re.search(r"entry \d+", result.stderr), result.stderr
    assert not result.stdout
