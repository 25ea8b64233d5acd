"""Fetching over what a C test cannot play: https and its certificates, ftp,
proxies, IPv6; two at once in one cache, and death at each step."""

import contextlib
import http.server
import os
import signal
import socket
import socketserver
import ssl
import subprocess
import threading
import urllib.parse

import pytest
from kill_at import KillAt
from signet_site import BUILD

FETCHER = BUILD / "tests/fetcher"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.seen.append((self.path, dict(self.headers)))
        path = urllib.parse.urlsplit(self.path).path
        body = self.server.pages.get(path.lstrip("/"))
        if callable(body):
            body(self)
            return
        self.send_response(404 if body is None else 200)
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    def __init__(self, pages, host="127.0.0.1", tls=None):
        if ":" in host:
            self.address_family = socket.AF_INET6
        super().__init__((host, 0), Handler)
        self.pages, self.seen = pages, []
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True)

    def handle_error(self, request, client_address):
        pass  # who breaks off is expected here


@contextlib.contextmanager
def serving(server):
    thread = threading.Thread(target=server.serve_forever, args=(0.02,),
                              daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def fetch(*words, env=None, status=0):
    clean = {k: v for k, v in os.environ.items()
             if not k.lower().endswith("_proxy")}
    done = subprocess.run([FETCHER, *words], capture_output=True, text=True,
                          timeout=60, env={**clean, **(env or {})})
    assert done.returncode == status, done.stderr
    return [line.split(" ", 3) for line in done.stdout.splitlines()]


def certificate(folder, name, san):
    key, cert = folder / f"{name}.key", folder / f"{name}.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                    f"/CN={name}", "-addext", f"subjectAltName={san}",
                    "-keyout", key, "-out", cert], check=True,
                   capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return cert, context


def test_an_https_server_must_be_whom_it_says(tmp_path):
    good, good_tls = certificate(tmp_path, "good", "IP:127.0.0.1")
    _, other_tls = certificate(tmp_path, "other", "DNS:other.example.org")
    pages = {"a": b"body"}
    with serving(Server(pages, tls=good_tls)) as server, \
            serving(Server(pages, tls=other_tls)) as other:
        url = f"https://127.0.0.1:{server.server_port}/a"
        ((state, size, _, _),) = fetch(f"ca={good}", url)
        assert (state, size) == ("fetched", "4")
        # Nobody's CA, another's name, and both with the check switched off.
        ((state, _, _, said),) = fetch(url)
        assert state == "failed" and "self" in said
        ((state, _, _, said),) = fetch(
            f"ca={tmp_path}/other.pem",
            f"https://127.0.0.1:{other.server_port}/a")
        assert state == "failed" and "subject" in said
        ((state, *_),) = fetch("unchecked=1",
                               f"https://127.0.0.1:{other.server_port}/a")
        assert state == "fetched"


def test_https_is_never_left_by_redirection(tmp_path):
    good, tls = certificate(tmp_path, "good", "IP:127.0.0.1")

    def moved(to):
        def answer(handler):
            handler.send_response(302)
            handler.send_header("Location", to)
            handler.send_header("Content-Length", "0")
            handler.end_headers()
        return answer

    with serving(Server({"a": b"body"})) as plain:
        down = f"http://127.0.0.1:{plain.server_port}/a"
        with serving(Server({"a": b"safe", "down": moved(down),
                             "up": moved("/a")}, tls=tls)) as server:
            base = f"https://127.0.0.1:{server.server_port}"
            plain.pages["up"] = moved(f"{base}/a")
            ((state, _, _, said),) = fetch(f"ca={good}", f"{base}/down")
            assert state == "failed" and "from https to http://" in said
            assert not plain.seen
            ((state, *_),) = fetch(f"ca={good}", f"{base}/up")
            assert state == "fetched"
            ((state, *_),) = fetch(
                f"ca={good}", f"http://127.0.0.1:{plain.server_port}/up")
            assert state == "fetched"


def test_proxies_of_the_environment_and_of_the_setting():
    pages = {"a": b"body"}
    with serving(Server(pages)) as proxy:
        address = f"http://user:geheim@127.0.0.1:{proxy.server_port}"
        url = "http://nowhere.invalid:9/a"
        ((state, *_),) = fetch(url, env={"http_proxy": address})
        assert state == "fetched"
        assert proxy.seen[-1][0] == url
        assert proxy.seen[-1][1]["Proxy-Authorization"].startswith("Basic ")
        ((state, *_),) = fetch(f"proxy={address}", url)
        assert state == "fetched"
        seen = len(proxy.seen)
        for words, env in (
                (["proxy=", url], {"http_proxy": address}),
                ([url], {"http_proxy": address, "no_proxy": "nowhere.invalid"}),
                ([url], {"HTTP_PROXY": address})):
            ((state, _, _, said),) = fetch(*words, env=env)
            assert state == "failed" and "resolve" in said
        assert len(proxy.seen) == seen
    ((state, _, _, said),) = fetch(f"proxy={address}", url)
    assert state == "failed" and "geheim" not in said


def test_both_kinds_of_address():
    pages = {"a": b"body"}
    with serving(Server(pages, host="::1")) as six:
        url = f"http://[::1]:{six.server_port}/a"
        assert fetch(url)[0][0] == "fetched"
        assert fetch("ip=6", url)[0][0] == "fetched"
        assert fetch("ip=4", url)[0][0] == "failed"


class Ftp(socketserver.StreamRequestHandler):
    """As much of RFC 959 and 3659 as a client asks for."""

    def say(self, text):
        self.wfile.write(f"{text}\r\n".encode())

    def handle(self):
        self.say("220 ready")
        data = None
        for line in self.rfile:
            word, _, rest = line.decode().strip().partition(" ")
            self.server.seen.append(word)
            body = self.server.pages.get(rest)
            if word == "EPSV":
                data = socket.create_server(("127.0.0.1", 0))
                self.say(f"229 here (|||{data.getsockname()[1]}|)")
            elif word == "MDTM" and body:
                self.say(f"213 {self.server.date}")
            elif word == "SIZE" and body:
                self.say(f"213 {len(body)}")
            elif word == "RETR" and body:
                self.say("150 coming")
                with data.accept()[0] as there:
                    there.sendall(body[:self.server.cut])
                data.close()
                self.say("226 done")
            elif word in ("RETR", "MDTM", "SIZE"):
                self.say("550 no such file")
            elif word == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say({"USER": "331 and", "PASS": "230 in",
                          "PWD": '257 "/"'}.get(word, "200 so be it"))


class FtpServer(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, pages):
        super().__init__(("127.0.0.1", 0), Ftp)
        self.pages, self.seen = pages, []
        self.date, self.cut = "20260901100000", None


def test_ftp_too_is_asked_whether_it_changed(tmp_path):
    with serving(FtpServer({"a": b"body"})) as server:
        words = (f"cache={tmp_path}/c",
                 f"ftp://127.0.0.1:{server.server_address[1]}/a")
        assert fetch(*words)[0][:2] == ["fetched", "4"]
        assert server.seen.count("RETR") == 1
        assert fetch(*words)[0][:2] == ["unchanged", "4"]
        assert server.seen.count("RETR") == 1
        server.date = "20260902100000"
        server.pages["a"] = b"other body"
        assert fetch(*words)[0][:2] == ["fetched", "10"]
        server.date, server.cut = "20260903100000", 3
        ((state, size, _, said),) = fetch(*words)
        assert (state, size) == ("cached", "10") and "transfer" in said
        server.pages.clear()
        assert fetch(*words)[0][0] == "cached"
    # And the limit of size.
    with serving(FtpServer({"a": b"x" * 5000})) as server:
        url = f"ftp://127.0.0.1:{server.server_address[1]}/a"
        ((state, _, _, said),) = fetch("max=4999", url)
        assert state == "failed" and "4999 bytes" in said


@pytest.mark.parametrize("size", [100, 2_000_000], ids=["small", "big"])
def test_killed_at_each_step_the_cache_is_good(tmp_path, size):
    kill = KillAt(tmp_path)
    pages = {"a": b"1" * size}
    with serving(Server(pages)) as server:
        url = f"http://127.0.0.1:{server.server_port}/a"
        words = ["proxy=", "max=4000000", f"cache={tmp_path}/c", url]
        offline = ["offline=1", *words]
        (_, _, old, _), = fetch(*words)
        pages["a"] = b"2" * size
        for n in range(1, 50):
            done = kill.run(n, FETCHER, *words)
            found = fetch(*offline)[0]
            if done.returncode == 0:
                assert found[2] != old
                break
            assert done.returncode == -9
            assert found[:1] + found[2:3] == ["cached", old]
        else:
            pytest.fail("it never got through")
        assert n > 1
        # Whatever becomes of the file, it is believed only whole.
        path = tmp_path / "c" / "key.0"
        whole = path.read_bytes()
        for damaged in (whole[:-1], whole[1:], b"", whole[:50],
                        b"3" + whole[1:], whole + b"\0"):
            path.write_bytes(damaged)
            assert fetch(*offline)[0][0] == "failed"
        assert fetch(*words)[0][0] == "fetched"


def test_many_at_once_in_one_cache(tmp_path):
    pages = {f"p{i}": (b"%d" % i) * 1000 for i in range(40)}
    with serving(Server(pages)) as server:
        urls = [f"http://127.0.0.1:{server.server_port}/p{i}"
                for i in range(40)]
        words = [FETCHER, "proxy=", f"cache={tmp_path}/c", *urls]
        several = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
                   for _ in range(4)]
        several[3].send_signal(signal.SIGKILL)
        for process in several[:3]:
            out, _ = process.communicate(timeout=60)
            assert process.returncode == 0
            states = {line.split()[0] for line in out.splitlines()}
            assert states <= {"fetched", "unchanged"}, states
        several[3].communicate(timeout=60)
        lines = fetch("offline=1", f"cache={tmp_path}/c", *urls)
    assert [line[0] for line in lines] == ["cached"] * 40


def test_a_mirror_is_asked_only_if_the_first_fails():
    with serving(Server({"a": b"first"})) as first, \
            serving(Server({"a": b"second"})) as second:
        urls = [f"http://127.0.0.1:{s.server_port}/a" for s in (first, second)]
        assert fetch("proxy=", "mirrors=1", *urls)[0][1] == "5"
        assert not second.seen
        del first.pages["a"]
        ((state, size, _, said),) = fetch("proxy=", "mirrors=1", *urls)
        assert (state, size) == ("fetched", "6")
        assert "answers 404" in said
