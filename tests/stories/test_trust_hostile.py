"""signet-trust refresh among hostile servers, and one that is merely large."""

import base64
import gzip
import os
import subprocess
import threading
import time

import pytest
from long_list import large_list
from signet_site import run
from trust_site import SIGNET_TRUST, Site

OTHER = "/DC=org/DC=example/O=Test/CN={} CA"


@pytest.fixture
def site(tmp_path):
    s = Site(tmp_path)
    s.ended = threading.Event()
    yield s
    s.ended.set()
    s.close()


def head(h, length=None, **fields):
    h.send_response(200)
    if length is not None:
        h.send_header("Content-Length", str(length))
    for key, value in fields.items():
        h.send_header(key.replace("_", "-"), value)
    h.end_headers()
    h.close_connection = True


def endless(site):
    def body(h):
        head(h)
        try:
            while not site.ended.is_set():
                h.wfile.write(b"\x30" * 65536)
        except OSError:
            pass
    return body


def ten_gigabytes(site):
    def body(h):
        head(h, 10 << 30)
        try:
            h.wfile.write(b"\x30" * 65536)
            site.ended.wait(10)
        except OSError:
            pass
    return body


def a_byte_a_second(site):
    def body(h):
        head(h, 1000)
        try:
            while not site.ended.wait(1):
                h.wfile.write(b"\x30")
                h.wfile.flush()
        except OSError:
            pass
    return body


def a_loop(site):
    def body(h):
        h.send_response(302)
        h.send_header("Location", h.path)
        h.send_header("Content-Length", "0")
        h.end_headers()
    return body


def elsewhere(site):
    """To a file of the machine."""
    def body(h):
        h.send_response(302)
        h.send_header("Location", "file:///etc/passwd")
        h.send_header("Content-Length", "0")
        h.end_headers()
    return body


def a_gzip_bomb(site):
    bomb = gzip.compress(bytes(64 << 20), 9)

    def body(h):
        head(h, len(bomb), Content_Encoding="gzip")
        try:
            h.wfile.write(bomb)
        except OSError:
            pass
    return body


def html(site):
    return b"<html><body>Please log in to the network</body></html>"


HOSTILE = [endless, ten_gigabytes, a_byte_a_second, a_loop, elsewhere,
           a_gzip_bomb, html]


def measured(site, *args):
    """Exit status, what was said, seconds, and peak memory in bytes."""
    began = time.monotonic()
    process = subprocess.Popen(
        [SIGNET_TRUST, "refresh", "--config", site.settings, *args],
        env=site.env, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    said = process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stderr.close()
    return (process.returncode, said, time.monotonic() - began,
            usage.ru_maxrss * 1024)


def installed(site):
    return {name: site.read(name) for name in site.files()}


def configure(site, **more):
    lines = {"target": site.target, "cache-dir": f"{site.dir}/cache",
             "gx-map": site.etc, **more}
    site.settings.write_text("".join(f"{k} {v}\n" for k, v in lines.items()))


@pytest.mark.parametrize("what", ["lists", "certificates"])
def test_each_hostile_server_costs_its_own_ca_alone(site, what):
    """All of them at once, for lists and for certificates, the first time and
    when there is something to lose."""
    honest = site.ca()
    site.describe(honest)
    cas = [site.ca(f"ca{i}", OTHER.format(h.__name__))
           for i, h in enumerate(HOSTILE)]
    for ca in cas:
        site.describe(ca)
    configure(site, **{"timeout": "2s", "max-crl": 1000000})
    ending = "crl" if what == "lists" else "pem"
    good = {ca.name: site.web.pages[f"/{ca.name}.{ending}"] for ca in cas}
    for ca, page in zip(cas, HOSTILE):
        site.web.pages[f"/{ca.name}.{ending}"] = page(site)
    status, said, seconds, peak = measured(site)
    assert status == 9, said
    assert site.files() == sorted(f"{honest.hash}.{e}" for e in
                                  ("0", "r0", "signing_policy"))
    for ca in cas:
        assert f"{ca.hash} {ca.name}: " in said
    assert f"{len(cas)} of {len(cas) + 1} CAs failed" in said
    assert "root:" not in said  # of /etc/passwd
    assert seconds < 20
    # Then they are honest, and then hostile once more: nothing is lost.
    for ca in cas:
        site.web.pages[f"/{ca.name}.{ending}"] = good[ca.name]
    assert measured(site, "--force")[0] == 0
    before = installed(site)
    assert len(before) == 3 * (len(cas) + 1)
    for ca, page in zip(cas, HOSTILE):
        site.web.pages[f"/{ca.name}.{ending}"] = page(site)
    measured(site, "--force")
    assert installed(site) == before


def test_the_next_mirror_is_asked_after_each_kind_of_hostility(site):
    ca = site.ca()
    urls = []
    for i, page in enumerate(HOSTILE):
        site.web.pages[f"/bad{i}"] = page(site)
        urls.append(f"{site.web.url}/bad{i}")
    site.describe(ca, CRL_URL=[*urls, f"{site.web.url}/alpha.crl"])
    configure(site, **{"timeout": "1s", "max-crl": 1000000})
    status, said, _, _ = measured(site)
    assert status == 0, said
    assert site.read(f"{ca.hash}.r0") == \
        site.web.pages["/alpha.crl"].decode().rstrip("\n")


def test_a_second_certificate_behind_the_first_is_not_installed(site):
    """OpenSSL would trust it as soon as the file is loaded."""
    alpha = site.ca()
    mallory = site.ca("mallory", OTHER.format("Mallory"))
    site.describe(alpha)
    configure(site)
    site.web.pages["/alpha.pem"] = alpha.pem.read_bytes() + \
        mallory.pem.read_bytes()
    status, _, _, _ = measured(site)
    assert status == 0
    assert site.read(f"{alpha.hash}.0").count("BEGIN") == 1
    run("openssl", "verify", "-CApath", site.target, alpha.pem)
    refused = run("openssl", "verify", "-CApath", site.target, alpha.pem,
                  mallory.pem, check=False)
    assert refused.returncode != 0


@pytest.mark.heavy
def test_a_list_of_a_million_entries_is_installed(site):
    ca = site.ca()
    site.describe(ca, CRL_FORM="DER")
    configure(site)
    body = large_list(ca, 1000000)
    site.web.pages["/alpha.crl"] = body
    status, said, seconds, peak = measured(site)
    assert (status, said) == (0, "")
    text = site.read(f"{ca.hash}.r0")
    assert base64.b64decode("".join(text.split("-----")[2].split())) == body
    print(f"{len(body)} bytes, {seconds:.1f} s, {peak >> 20} MiB")
    assert peak < 10 * len(body)
    # An unchanged one costs less.
    status, said, again, _ = measured(site)
    assert (status, said) == (0, "") and again < 30
