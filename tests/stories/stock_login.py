"""Logins at stock servers: the servers, the links of the old names, and one login."""

import os
import pathlib
import shutil
import socket
import subprocess

import pytest
from kdc import Kdc
from stock_myproxy import PEOPLE, openssl, Pki, StockServer

REPO = pathlib.Path(__file__).resolve().parents[2]
SIGNET = pathlib.Path(os.environ.get("SIGNET_BUILD", REPO / "build")) / \
    "signet" / "signet"
SUBJECT = f"{PEOPLE}/CN=user0@LIGO.TEST"


@pytest.fixture(scope="module", autouse=True)
def root():
    """Not passed over without it: a story untold would look like one told."""
    assert os.getuid() == 0, "the stock server's PAM takes root"


@pytest.fixture(scope="module")
def links(tmp_path_factory):
    """The old names, as links to signet."""
    d = tmp_path_factory.mktemp("bin")
    for name in ("ligo-login", "myproxy-logon", "myproxy-get-delegation",
                 "myproxy-get-trustroots"):
        (d / name).symlink_to(SIGNET)
    return d


@pytest.fixture(scope="module")
def kdc(tmp_path_factory):
    with Kdc(tmp_path_factory.mktemp("kdc"),
             users={"user0": "secret123", "user1": "secret456"},
             services=(f"myproxy/{socket.gethostname()}",)) as kdc:
        yield kdc


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    return Pki(tmp_path_factory.mktemp("pki") / "pki")


@pytest.fixture(scope="module")
def pam(tmp_path_factory, pki):
    users = {"user0": "secret123", "user1": "secret456"}
    with StockServer(tmp_path_factory.mktemp("pam"), pki, users) as server:
        yield server


@pytest.fixture(scope="module")
def krb(tmp_path_factory, pki, kdc):
    with StockServer(tmp_path_factory.mktemp("krb"), pki, kdc=kdc) as server:
        yield server


def run(*args, env, stdin="", check=True):
    done = subprocess.run([str(a) for a in args], env=env, input=stdin,
                          capture_output=True, text=True, timeout=60)
    if check and done.returncode != 0:
        raise AssertionError(f"{args}: {done.returncode}\n{done.stdout}\n"
                             f"{done.stderr}")
    return done


def login(server, home, *args, password="secret123", check=True,
          auth="password", **more):
    env = server.env(home, **more)
    return run(SIGNET, "login", "--auth", auth, "--realm", "LIGO.TEST",
               "--password-stdin", *args, env=env, stdin=password + "\n",
               check=check)


def info(proxy, what, env):
    return run("grid-proxy-info", "-file", proxy, what, env=env).stdout.strip()


def verify(pki, proxy):
    openssl("verify", "-allow_proxy_certs", "-CApath", pki.trust,
            "-untrusted", proxy, proxy)


def other_trust(pki, tmp_path):
    trust = tmp_path / "trust"
    shutil.copytree(pki.trust, trust)
    return trust
