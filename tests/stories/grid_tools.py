"""Debian's grid-* tools and ours by the same names, on the same files."""

import os
import pathlib
import re
import subprocess

from openssl_pki import Pki
from signet_site import SIGNET, run

NAMES = ("grid-proxy-init", "grid-proxy-info", "grid-proxy-destroy",
         "grid-cert-info")
PHRASE = "secret1"


class Desk:
    """A person with a certificate of their own in ~/.globus, and both sets of
    tools."""

    def __init__(self, directory):
        self.dir = pathlib.Path(directory)
        self.pki = Pki(self.dir / "pki", key="rsa:2048")
        self.pki.person("robert", key="rsa:2048")
        self.home = self.dir / "home"
        self.globus = self.home / ".globus"
        self.globus.mkdir(parents=True)
        self.cert = self.globus / "usercert.pem"
        self.key = self.globus / "userkey.pem"
        self.cert.write_text((self.pki.dir / "robert.pem").read_text())
        self.put_key(self.key)
        self.bin = self.dir / "bin"
        self.bin.mkdir()
        for name in NAMES:
            (self.bin / name).symlink_to(SIGNET)

    def put_key(self, path):
        run("openssl", "rsa", "-in", self.pki.dir / "robert.key",
            "-traditional", "-aes128", "-passout", f"pass:{PHRASE}", "-out",
            path)
        os.chmod(path, 0o600)

    def env(self, proxy, **more):
        env = {k: v for k, v in os.environ.items()
               if not k.startswith(("X509_", "GLOBUS", "MYPROXY", "SIGNET_C"))}
        # A sanitizer minds that libfaketime is loaded before it.
        env["ASAN_OPTIONS"] = ":".join(filter(None, (
            os.environ.get("ASAN_OPTIONS"), "verify_asan_link_order=0")))
        env.update(HOME=self.home, X509_CERT_DIR=self.pki.trust, LC_ALL="C",
                   X509_USER_CERT=self.cert, X509_USER_KEY=self.key,
                   X509_USER_PROXY=proxy, TZ="UTC", KRB5CCNAME="FILE:/none")
        env.update(more)
        return {k: str(v) for k, v in env.items() if v is not None}

    def one(self, where, tool, *args, proxy, stdin=PHRASE + "\n", wrapper=(),
            cwd=None, **env):
        done = subprocess.run(
            [*wrapper, str(pathlib.Path(where) / tool), *map(str, args)],
            env=self.env(proxy, **env), input=stdin.encode(),
            capture_output=True, timeout=120, cwd=cwd or self.dir)
        return Result(done)

    def theirs(self, tool, *args, **how):
        return self.one("/usr/bin", tool, *args, **how)

    def ours(self, tool, *args, **how):
        return self.one(self.bin, tool, *args, **how)

    def proxy(self, path, *options, theirs=True):
        made = (self.theirs if theirs else self.ours)(
            "grid-proxy-init", "-q", "-pwstdin", "-out", path, *options,
            proxy=path)
        assert made.status == 0, made
        return path


class Result:
    def __init__(self, done):
        self.status = done.returncode
        self.out = done.stdout.decode(errors="replace")
        self.err = done.stderr.decode(errors="replace")

    def __repr__(self):
        return f"exit {self.status}\n{self.out}\n--\n{self.err}"

    def masked(self, *masks):
        out, err = self.out, self.err
        for pattern, to in (*MASKS, *masks):
            out, err = re.sub(pattern, to, out), re.sub(pattern, to, err)
        return self.status, out, err


# What the time at which a tool runs, and chance, put into its answers.
MASKS = (
    (r"\b\d+:\d\d:\d\d\b(  \(\d+\.\d days\))?", "H:MM:SS"),
    # "Better" (CONVENTIONS 1): no dots without end where nobody looks.
    (r"Creating proxy [.+*\n]* ?Done\n", ""),
    (r"Creating proxy [.+*\n]*$", ""),
)
