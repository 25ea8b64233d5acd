"""Tickets, lists, files, replicas that come and go."""

import http.server
import os
import ssl
import subprocess
import threading

import pytest

from kdc import Kdc
from map_ldap import MapLdap, ligo, person_dn
from roster_follower import SAYS, Follower, read, settings


@pytest.fixture
def realm(tmp_path):
    with Kdc(tmp_path / "kdc", "LIGO.TEST", users={"mapper": "secret123"},
             services=("ldap/localhost",)) as kdc:
        yield kdc


@pytest.mark.parametrize("way", ["plain", "starttls", "ldaps"])
def test_a_ticket_opens_the_directory(realm, tmp_path, way):
    """A keytab is enough: libkrb5 gets and renews the ticket itself."""
    keytab = tmp_path / "client.keytab"
    realm.add_service("map/host.example.org", keytab)
    env = dict(realm.env, KRB5_CLIENT_KTNAME=f"FILE:{keytab}",
               KRB5CCNAME=f"FILE:{tmp_path}/cc",
               # Within TLS the plug-in of libsasl2 takes credentials that it
               # does not give back; nothing of ours does.
               ASAN_OPTIONS=os.environ.get("ASAN_OPTIONS", "") +
               ":detect_leaks=0")
    del env["KRB5_KTNAME"]
    with MapLdap(tmp_path / "l", people=ligo(5), anonymous=False,
                 kdc=realm) as directory:
        uri = directory.ldaps if way == "ldaps" else directory.uri
        words = settings(directory, "bind=gssapi",
                         f"ca_file={directory.ca_file}",
                         servers=uri.replace("127.0.0.1", "localhost"))
        # Without TLS the ticket's own encryption is what protects.
        words.remove("plain")
        if way == "starttls":
            words.append("starttls")
        people, _ = read(words, env=env)
        assert len(people) == 5
        _, said = read(words, status=5,
                       env=dict(env, KRB5_CLIENT_KTNAME="FILE:/nowhere",
                                KRB5CCNAME=f"FILE:{tmp_path}/none"))
        assert "GSSAPI bind" in said
        if way == "plain":
            with Follower(words, env=env) as follower:
                follower.wait_for("! current")
                directory.delete(1)
                assert follower.wait_for("- ").startswith(
                    "- " + person_dn(1))


def test_nobody_is_let_in_without_a_name(tmp_path):
    with MapLdap(tmp_path / "l", people=ligo(5), anonymous=False) as directory:
        people, said = read(settings(directory), status=5)
        assert people == {}
        assert "Insufficient access" in said


def test_when_one_replica_ends_the_other_is_followed(tmp_path):
    with MapLdap(tmp_path / "a", people=ligo(20)) as first, \
            MapLdap(tmp_path / "b", provider=first) as second:
        words = settings(first, servers=f"{first.uri} {second.uri}")
        with Follower(words) as follower:
            assert first.uri in follower.wait_for("! current")
            first.delete(1)
            follower.wait_for("- ")
            second.wait_for_provider()
            first.stop()
            changes = follower.until(f"! current {second.uri}")
            # The same people: nobody went and came again.
            assert not [line for line in changes if line[0] in "+-="]
            first.start()
            first.delete(2)
            assert follower.wait_for("- ").startswith("- " + person_dn(2))
            second.stop()
            follower.wait_for(f"! current {first.uri}")
            assert len(follower.everyone()) == 18


def words_of(kind, path, *more):
    return [f"kind={kind}", f"path={path}", *more]


MAP = """\
# by hand
"/DC=org/DC=doegrids/OU=People/CN=Scott Koranda 212488" skoranda,ldas
"/C=US/O=Old/FOO=by hand/CN=x" old # the words of a comment
"/dc=org/dc=doegrids/ou=People/cn=SCOTT Koranda 212488" root
/O=Grid/CN=bare pool
"/O=Grid/CN=pooled" .ligo
"/O=Grid/CN=none"
"/O=Grid/CN=broken
"/O=Grid/CN=bad" -rf
"/O=Grid/CN=bad" root
"/O=Grid/CN=host\\\\/x" host
not/a=name x
"""


def test_a_map_file_by_hand(tmp_path):
    path = tmp_path / "map"
    path.write_text(MAP)
    people, said = read(words_of("file", path))
    assert set(people) == {"skoranda,ldas", "old", "pool", ".ligo", "host", ""}
    # It has no account, here as in the Toolkit.
    assert people[""].names == ["/O=Grid/CN=none"]
    assert people["skoranda,ldas"].names == [
        "/DC=org/DC=doegrids/OU=People/CN=Scott Koranda 212488"]
    assert people["old"].names == ["/C=US/O=Old/FOO=by hand/CN=x"]
    assert people["old"].where == f"{path}:3"
    assert people["host"].names == ["/O=Grid/CN=host\\/x"]
    for number in (4, 8, 9, 10, 12):
        assert f"{path}:{number}: " in said, number
    state = tmp_path / "state"
    read(words_of("file", path), state)
    path.unlink()
    _, said = read(words_of("file", path), state, status=3)
    assert str(path) in said


LIST = """\
# members
/O=Grid/CN=One Person
"/O=Grid/CN=Two" root
  subject=/O=Grid/CN=Three\r
/O=Grid/CN=One Person

<html>
"""


def all_of(words, **more):
    """Lists have no accounts to tell them apart by."""
    done = subprocess.run([SAYS, *words], capture_output=True, text=True,
                          check=True, **more)
    return {line.split("|")[4] for line in done.stdout.splitlines()
            if line.split("|")[1] == ""}, done.stderr


def test_a_list_in_a_file(tmp_path):
    path = tmp_path / "list"
    path.write_text(LIST)
    names, said = all_of(words_of("list", path))
    assert names == {"/O=Grid/CN=One Person", "/O=Grid/CN=Two",
                     "/O=Grid/CN=Three"}
    assert f"{path}:5: " in said and f"{path}:7: " in said


class Pages(http.server.BaseHTTPRequestHandler):
    page = LIST.encode()

    def do_GET(self):
        self.send_response(200 if self.page else 500)
        self.send_header("Content-Length", str(len(self.page)))
        self.end_headers()
        self.wfile.write(self.page)

    def log_message(self, *_):
        pass


@pytest.fixture
def web(tmp_path):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", "web.key",
         "-out", "web.pem"], cwd=tmp_path, check=True, capture_output=True)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "web.pem", tmp_path / "web.key")
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), type("Page", (Pages,), {}))
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.02,),
                     daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_a_list_over_https(web, tmp_path):
    state = tmp_path / "state"
    words = words_of("list", f"https://localhost:{web.server_port}/vo",
                     f"ca_file={tmp_path}/web.pem")
    names, _ = all_of(["-s", str(state), *words])
    assert len(names) == 3
    before = state.read_bytes()
    # What is no list changes nothing, whatever its status.
    for page in (b"", b"<html>\nsorry\n</html>\n"):
        web.RequestHandlerClass.page = page
        _, said = read(words, state, status=1 if page else 6)
        assert said
        assert state.read_bytes() == before
    web.RequestHandlerClass.page = b"/O=Grid/CN=Two\n"
    names, _ = all_of(["-s", str(state), *words])
    assert names == {"/O=Grid/CN=Two"}
    _, said = read(words_of("list", words[1].partition("=")[2]), status=7)
    assert "certificate" in said
