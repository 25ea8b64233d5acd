"""Debian's myproxy-server beside signetd, with signet-issue as its
certificate_issuer_program, and stock myproxy-logon."""

import os
import shutil
import subprocess
import types

from callout_site import MYPROXY, SIGNET_ISSUE
from signet_site import open_way
from stock_myproxy import StockServer

PHRASE = "Sesame-4711-opens"
USERS = {"user0": PHRASE, **{f"crowd{i}": PHRASE for i in range(32)}}


def stock(site, directory, way, program=SIGNET_ISSUE):
    """As Debian's unit has it: an account of its own, and its environment."""
    host = directory / "host"
    host.mkdir(parents=True)
    for ours, theirs in (("hostcert.pem", "cert.pem"),
                         ("hostkey.pem", "key.pem")):
        shutil.copy(site.dir / ours, host / theirs)
        os.chown(host / theirs, MYPROXY, MYPROXY)
    os.chmod(host / "key.pem", 0o600)
    open_way(directory)
    pki = types.SimpleNamespace(trust=site.trust, host=host)
    return StockServer(
        directory, pki, USERS, account=MYPROXY, program=program,
        more_env={"SIGNET_ISSUE_CONF": str(site.issue_conf(way))})


def logon(server, home, *options, user="user0", phrase=PHRASE):
    return subprocess.Popen(
        ["/usr/bin/myproxy-logon", "-l", user, "-S", "-o",
         home / f"{user}.pem", *options], stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=server.env(home))


def done(client, phrase=PHRASE, seconds=60):
    out, err = client.communicate(phrase + "\n", timeout=seconds)
    return client.returncode, out, err


def one_logon(server, home, *options):
    """What the server logs of one client, and what he gets."""
    one = server.serve_one()
    result = done(logon(server, home, *options))
    log = one.stderr.read()
    one.wait(timeout=20)
    return log, result
