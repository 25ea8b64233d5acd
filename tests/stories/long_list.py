"""Revocation lists of any length, which openssl ca would take minutes for."""

import base64
import time

from signet_site import run


def der(tag, *parts):
    body = b"".join(parts)
    size = len(body)
    if size < 128:
        return bytes([tag, size]) + body
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 128 + len(octets)]) + octets + body


def large_list(ca, count, revoked=(), number=99, age=3600):
    """A list with ${count} entries, and the serials ${revoked}, as DER, of the
    CA with an EC key that has its files in ca.dir, ca.pem and ca.key; it has
    the ${number}, and was made ${age} seconds ago."""
    subject = run("openssl", "x509", "-in", ca.pem, "-noout", "-subject",
                  "-nameopt", "RFC2253").stdout
    assert "CN=" in subject
    whole = base64.b64decode("".join(
        ca.pem.read_text().split("-----")[2].split()))
    name = subject_of(whole)
    when = time.gmtime(time.time() - age)
    begins = der(0x17, time.strftime("%y%m%d%H%M%SZ", when).encode())
    ends = der(0x17, time.strftime(
        "%y%m%d%H%M%SZ", time.gmtime(time.time() + 864000)).encode())
    date = begins
    entries = b"".join(
        b"\x30\x1a\x02\x09" + (0x40 << 64 | i * 0x9E3779B97F4A7C15 &
                               (1 << 64) - 1).to_bytes(9, "big") + date
        for i in range(count))
    entries += b"".join(der(0x30, der(2, serial.to_bytes(
        serial.bit_length() // 8 + 1, "big")), date) for serial in revoked)
    algorithm = bytes.fromhex("300a06082a8648ce3d040302")
    number = der(0x30, bytes.fromhex("0603551d14"), der(4, der(2, number.to_bytes(number.bit_length() // 8 + 1, "big"))))
    tbs = der(0x30, b"\x02\x01\x01", algorithm, name, begins, ends,
              der(0x30, entries), der(0xa0, der(0x30, number)))
    path = ca.dir / "large.tbs"
    path.write_bytes(tbs)
    sealed = ca.dir / "large.sig"
    run("openssl", "dgst", "-sha256", "-sign", ca.key, "-out", sealed, path)
    return der(0x30, tbs, algorithm, der(3, b"\0", sealed.read_bytes()))


def subject_of(cert):
    """The subject's name of a certificate, as DER."""
    def take(at):
        size = cert[at + 1]
        lead = 2
        if size >= 128:
            lead += size - 128
            size = int.from_bytes(cert[at + 2:at + lead], "big")
        return at + lead, at + lead + size
    inside, _ = take(0)
    inside, _ = take(inside)
    for _ in range(5):  # version, serial number, algorithm, issuer, dates
        _, inside = take(inside)
    return cert[inside:take(inside)[1]]
