"""A MyProxy server that does what a story tells it to: the stock protocol,
bent where the story bends it."""

import os
import socket
import ssl
import subprocess
import threading
import time

from stock_myproxy import PEOPLE, openssl

OK = b"VERSION=MYPROXYv2\nRESPONSE=0\n\0"


def error(*lines):
    return (b"VERSION=MYPROXYv2\nRESPONSE=1\n" +
            b"".join(b"ERROR=" + line + b"\n" for line in lines) + b"\0")


def offer(*methods):
    return (b"VERSION=MYPROXYv2\nRESPONSE=2\n" +
            b"".join(b"AUTHORIZATION_DATA=" + m + b"\n" for m in methods) +
            b"\0")


class Gone(Exception):
    """The client closed."""


class Talk:
    """One connection, for the story's script."""

    def __init__(self, tls, pki, scratch):
        self.tls = tls
        self.pki = pki
        self.scratch = scratch
        self.data = b""

    def more(self):
        try:
            got = self.tls.recv(65536)
        except (OSError, ssl.SSLError) as e:
            raise Gone from e
        if not got:
            raise Gone
        self.data += got

    def greet(self, zero=True):
        """The server's zero byte and the client's flag; they cross."""
        if zero and self.tls.version() == "TLSv1.3":
            self.tls.sendall(b"\0")
        while not self.data:
            self.more()
        assert self.data[:1] == b"0"
        self.data = self.data[1:]

    def request(self):
        while b"\0" not in self.data:
            self.more()
        text, self.data = self.data.split(b"\0", 1)
        return text.decode()

    def csr(self):
        """One DER SEQUENCE."""
        while len(self.data) < 4:
            self.more()
        assert self.data[0] == 0x30 and self.data[1] in (0x81, 0x82)
        n = self.data[1] - 0x80
        size = 2 + n + int.from_bytes(self.data[2:2 + n], "big")
        while len(self.data) < size:
            self.more()
        der, self.data = self.data[:size], self.data[size:]
        return der

    def send(self, data):
        self.tls.sendall(data)

    def slowly(self, data, piece=1, pause=0.002):
        """Each piece in a record of its own."""
        for i in range(0, len(data), piece):
            self.tls.sendall(data[i:i + piece])
            time.sleep(pause)

    def certify(self, csr, cn="user0@LIGO.TEST", key=None):
        """A certificate for the request (or for the public ${key})."""
        d = self.scratch
        (d / "in.der").write_bytes(csr)
        (d / "ext").write_text("[e]\nbasicConstraints=critical,CA:FALSE\n"
                               "keyUsage=critical,digitalSignature\n")
        force = ["-force_pubkey", key] if key else []
        openssl("x509", "-req", "-inform", "der", "-in", d / "in.der",
                "-CA", self.pki.slcs / "cert.pem", "-CAkey",
                self.pki.slcs / "key.pem", "-set_serial",
                f"0x{os.urandom(8).hex()}", "-subj", f"{PEOPLE}/CN={cn}",
                "-days", "1", "-extfile", d / "ext", "-extensions", "e",
                *force, "-outform", "der", "-out", d / "out.der")
        return (d / "out.der").read_bytes()

    def chain(self, csr, **kw):
        """Count byte, certificate, the CA above it."""
        ca = subprocess.run(
            ["openssl", "x509", "-in", self.pki.slcs / "cert.pem", "-outform",
             "der"], check=True, capture_output=True).stdout
        return b"\2" + self.certify(csr, **kw) + ca


class FakeServer:
    """with FakeServer(pki, script, dir) as server: each connection is handed
    to script(talk); requests are kept in server.requests by the story."""

    def __init__(self, pki, script, scratch, tls="1.3", chain=None):
        self.pki = pki
        self.script = script
        self.scratch = scratch
        self.talks = 0
        self.faults = []
        scratch.mkdir(exist_ok=True)
        bundle = scratch / "chain.pem"
        bundle.write_text("".join(
            (d / "cert.pem").read_text()
            for d in (chain or (pki.host, pki.services, pki.root))))
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(bundle, pki.host / "key.pem")
        self.context.num_tickets = 0
        if tls == "1.2":
            self.context.maximum_version = ssl.TLSVersion.TLSv1_2

    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(10)

    def _serve(self):
        while True:
            try:
                conn, _ = self.listener.accept()
            except OSError:
                return
            conn.settimeout(30)
            conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.talks += 1
            try:
                with self.context.wrap_socket(conn, server_side=True) as tls:
                    self.script(Talk(tls, self.pki, self.scratch))
            except Gone:
                pass
            except (OSError, ssl.SSLError) as e:
                self.faults.append(e)
            finally:
                conn.close()

    def env(self, home, **more):
        env = {k: v for k, v in os.environ.items()
               if not k.startswith(("X509_", "MYPROXY_", "SIGNET_", "XDG_"))}
        env |= {"HOME": str(home), "X509_CERT_DIR": str(self.pki.trust),
                "MYPROXY_SERVER": "localhost",
                "MYPROXY_SERVER_PORT": str(self.port),
                "X509_USER_PROXY": f"{home}/proxy.pem"}
        env |= {k: str(v) for k, v in more.items()}
        return env
