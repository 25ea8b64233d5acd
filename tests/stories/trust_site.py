"""CAs made with the openssl command, a web server for what they publish, and
descriptions of them, for signet-trust."""

import hashlib
import http.server
import os
import pathlib
import ssl
import threading

from signet_site import BUILD, REPO, run

SIGNET_TRUST = BUILD / "signet-trust" / "signet-trust"
CAS = "/DC=org/DC=example/O=Test/OU=Certificate Authorities"
ALPHA = f"{CAS}/CN=Alpha Root CA 1"
BETA = f"{CAS}/OU=Services/CN=Beta CA 1"

CONF = """
[ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[delta]
2.5.29.27 = critical,ASN1:INTEGER:1
[req]
distinguished_name = none
[none]
"""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        server = self.server
        server.asked.append(self.path)
        body = server.pages.get(self.path)
        if callable(body):
            body(self)
            return
        if body is None:
            self.answer(404, b"<html>not here</html>")
            return
        tag = '"' + hashlib.sha256(body).hexdigest() + '"'
        if self.headers.get("If-None-Match") == tag:
            self.answer(304, b"", tag)
        else:
            self.answer(200, body, tag)

    def answer(self, status, body, tag=None):
        self.send_response(status)
        if tag:
            self.send_header("ETag", tag)
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


class Web:
    """Pages by their path; ${asked} are the paths that were asked for."""

    def __init__(self, context=None):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.pages = self.pages = {}
        self.server.asked = self.asked = []
        scheme = "http"
        if context:
            scheme = "https"
            self.server.socket = context.wrap_socket(self.server.socket,
                                                     server_side=True)
        self.url = f"{scheme}://localhost:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,),
                         daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Ca:
    """One CA, its certificate and lists as files, published by ${web}."""

    def __init__(self, site, name, subject, parent=None, days=365,
                 extensions="ca"):
        self.site, self.name, self.subject = site, name, subject
        self.extensions = extensions
        self.dir = site.dir / "pki"
        self.pem = self.dir / f"{name}.pem"
        self.key = self.dir / f"{name}.key"
        self.number = 1
        self.index = self.dir / f"{name}.index"
        self.index.write_text("")
        self.new_key(self.key)
        self.certify(parent, days)
        self.hash = run("openssl", "x509", "-in", self.pem, "-noout",
                        "-hash").stdout.strip()
        self.parent = parent

    @staticmethod
    def new_key(path):
        run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt",
            "ec_paramgen_curve:P-256", "-out", path)

    def certify(self, parent, days):
        dates = ["-days", str(days)]
        csr = self.dir / f"{self.name}.csr"
        run("openssl", "req", "-new", "-config", self.site.conf, "-key",
            self.key, "-subj", self.subject, "-out", csr)
        signer = (["-signkey", self.key] if parent is None else
                  ["-CA", parent.pem, "-CAkey", parent.key])
        self.number += 1
        run("openssl", "x509", "-req", "-in", csr, *signer, *dates,
            "-set_serial", str(self.number), "-sha256", "-extfile",
            self.site.conf, "-extensions", self.extensions, "-out",
            self.pem)
        self.site.web.pages[f"/{self.name}.pem"] = self.pem.read_bytes()

    def crl(self, days="30", forged=False, extensions=None, publish=True,
            number=None, dates=None):
        """A list, as PEM."""
        self.number = number if number is not None else self.number + 1
        counter = self.dir / f"{self.name}.crlnumber"
        counter.write_text(f"{self.number:04X}\n")
        conf = self.dir / f"{self.name}.cnf"
        conf.write_text(
            CONF + f"[any]\ndatabase = {self.index}\ncrlnumber = {counter}\n"
            "default_md = sha256\n")
        out = self.dir / f"{self.name}.crl"
        more = ["-crlexts", extensions] if extensions else []
        when = dates if dates else ["-crldays", str(days)]
        pem, key = self.pem, self.key
        if forged:  # by somebody who took the same name
            pem, key = self.dir / "twin.pem", self.dir / "twin.key"
            self.new_key(key)
            run("openssl", "req", "-x509", "-new", "-config", self.site.conf,
                "-extensions", "ca", "-key", key, "-subj", self.subject,
                "-out", pem)
        run("openssl", "ca", "-config", conf, "-name", "any", "-gencrl",
            "-cert", pem, "-keyfile", key, *when, *more,
            "-out", out)
        body = out.read_bytes()
        if publish:
            self.site.web.pages[f"/{self.name}.crl"] = body
        return body

    def print(self, digest):
        text = run("openssl", "x509", "-in", self.pem, "-noout",
                   "-fingerprint", f"-{digest}").stdout
        return text.strip().partition("=")[2]

    def described(self, **changes):
        """The lines of its cadesc: a value of None leaves a key out, a list
        writes it several times."""
        url = self.site.web.url
        lines = {
            "CA_NAME": f"Test {self.name}",
            "HASH": self.hash,
            "SUBJECT": self.subject,
            "SIGNED_BY": self.parent.subject if self.parent else None,
            "MAY_SIGN": "/DC=org/DC=example/O=Test/*",
            "CERTIFICATE_MD5": self.print("md5"),
            "CERTIFICATE_SHA1": self.print("sha1"),
            "CERTIFICATE_URL": f"{url}/{self.name}.pem",
            "SIGNING_POLICY_URL": "?",
            "CRL_URL": f"{url}/{self.name}.crl",
        }
        lines.update(changes)
        text = ""
        for key, value in lines.items():
            for one in value if isinstance(value, list) else [value]:
                if one is not None:
                    text += f"{key:19} {one}\n"
        return text


class Site:
    def __init__(self, directory):
        self.dir = pathlib.Path(directory)
        (self.dir / "pki").mkdir(parents=True)
        self.conf = self.dir / "pki" / "ca.cnf"
        self.conf.write_text(CONF)
        self.web = Web()
        self.etc = self.dir / "etc" / "gx-map"
        self.descriptions = self.etc / "ca-config"
        self.descriptions.mkdir(parents=True)
        self.target = self.dir / "certificates"
        self.target.mkdir()
        self.settings = self.dir / "trust.conf"
        self.settings.write_text("")
        # As gx-map is installed: the program finds etc/gx-map beside itself.
        (self.dir / "sbin").mkdir()
        self.old = self.dir / "sbin" / "gx-ca-update"
        self.old.symlink_to(SIGNET_TRUST)
        self.env = {**os.environ, "HOME": str(self.dir),
                    "XDG_CACHE_HOME": str(self.dir / "cache")}

    def close(self):
        self.web.close()

    def ca(self, name="alpha", subject=ALPHA, parent=None, **kw):
        ca = Ca(self, name, subject, parent, **kw)
        ca.crl()
        return ca

    def describe(self, ca, text=None, where=None, **changes):
        path = (where or self.descriptions) / f"{ca.hash}.{ca.name}.cadesc"
        path.write_text(text if text is not None else ca.described(**changes))
        return path

    def update(self, *args, ca="alpha"):
        """gx-ca-update -verbose, for one CA."""
        return run(self.old, "-verbose", "-config", self.settings,
                   "-target-dir", self.target, "-cache-dir",
                   self.dir / "cache", *(["-ca", ca] if ca else []), *args,
                   check=False, env=self.env)

    def trust(self, command, *args, settings=None):
        if settings is not None:
            self.settings.write_text(settings + f"target {self.target}\n"
                                     f"cache-dir {self.dir}/cache\n")
        return run(SIGNET_TRUST, command, "--config", self.settings, *args,
                   check=False, env=self.env)

    def files(self):
        """What is installed, but for what the installer keeps for itself."""
        return sorted(p.name for p in self.target.iterdir()
                      if not p.name.startswith("."))

    def read(self, name):
        return (self.target / name).read_text()


def https_context(site, names="DNS:localhost"):
    """A server's context, and the file of the certificate that it shows."""
    key, pem = site.dir / "https.key", site.dir / "https.pem"
    Ca.new_key(key)
    run("openssl", "req", "-x509", "-new", "-config", site.conf, "-key", key,
        "-subj", "/CN=localhost", "-addext", f"subjectAltName={names}",
        "-out", pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key)
    return context, pem


__all__ = ["ALPHA", "BETA", "CAS", "Ca", "REPO", "SIGNET_TRUST", "Site", "Web",
           "https_context"]
