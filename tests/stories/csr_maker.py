"""PKCS#10 requests and request files of Signet as no honest program makes them:
octet by octet, signed by the openssl command or, for RSA, by hand."""

import base64
import hashlib
import math
import random
import subprocess

PRINTABLE, UTF8, BMP, T61, IA5 = 0x13, 0x0c, 0x1e, 0x14, 0x16
OIDS = {"DC": b"\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19", "O": b"\x55\x04\x0a",
        "OU": b"\x55\x04\x0b", "CN": b"\x55\x04\x03"}
RSA = bytes.fromhex("06092a864886f70d010101") + b"\x05\x00"
RSA_SHA256 = bytes.fromhex("06092a864886f70d01010b") + b"\x05\x00"
ECDSA_SHA256 = bytes.fromhex("06082a8648ce3d040302")
DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")


def tlv(tag, *parts):
    body = b"".join(parts)
    n = len(body)
    if n < 0x80:
        return bytes([tag, n]) + body
    size = (n.bit_length() + 7) // 8
    return bytes([tag, 0x80 | size]) + n.to_bytes(size, "big") + body


def seq(*parts):
    return tlv(0x30, *parts)


def integer(n):
    return tlv(0x02, n.to_bytes(n.bit_length() // 8 + 1, "big"))


def name(*attributes):
    """Of (type, value) or (type, value, tag)."""
    out = []
    for kind, value, *tag in attributes:
        value = value if isinstance(value, bytes) else value.encode()
        tag = tag[0] if tag else IA5 if kind == "DC" else PRINTABLE
        out.append(tlv(0x31, seq(tlv(6, OIDS[kind]), tlv(tag, value))))
    return seq(*out)


def extension(oid, value, critical=False):
    """${oid}: its contents in hexadecimal."""
    return seq(tlv(6, bytes.fromhex(oid)),
               b"\x01\x01\xff" if critical else b"", tlv(4, value))


def alt_names(*hosts):
    return extension("551d11", seq(*[tlv(0x82, h) for h in hosts]))


class OpensslKey:
    """A key file, and openssl to sign with it."""

    def __init__(self, path, *genpkey):
        self.path = path
        subprocess.run(["openssl", *(genpkey or
                        ("genpkey", "-algorithm", "EC", "-pkeyopt",
                         "ec_paramgen_curve:P-256")), "-out", path],
                       check=True, capture_output=True)
        self.spki = subprocess.run(
            ["openssl", "pkey", "-in", path, "-pubout", "-outform", "DER"],
            check=True, capture_output=True).stdout
        self.algorithm = seq(RSA_SHA256 if RSA in self.spki else ECDSA_SHA256)

    def sign(self, data):
        return subprocess.run(
            ["openssl", "dgst", "-sha256", "-sign", self.path], input=data,
            check=True, capture_output=True).stdout


def is_prime(n):
    d, s = n - 1, 0
    while d % 2 == 0:
        d, s = d // 2, s + 1
    for a in (2, 3, 5, 7, 11, 13, 17, 19):
        x = pow(a, d, n)
        if x in (1, n - 1):
            continue
        for _ in range(s - 1):
            x = x * x % n
            if x == n - 1:
                break
        else:
            return False
    return True


class RocaKey:
    """RSA 2048 of the form of CVE-2017-15361: each prime is k * M + 65537^a
    mod M, with M the product of the first 126 primes."""

    def __init__(self, seed):
        rng = random.Random(seed)
        small = [p for p in range(2, 702)
                 if all(p % q for q in range(2, int(p ** 0.5) + 1))]
        product = math.prod(small)
        low, high = (3 << 1022) // product + 1, (1 << 1024) // product - 1
        primes = []
        while len(primes) < 2:
            p = rng.randrange(low, high) * product + pow(
                65537, rng.randrange(1 << 60), product)
            if is_prime(p):
                primes.append(p)
        self.n = primes[0] * primes[1]
        self.d = pow(65537, -1, (primes[0] - 1) * (primes[1] - 1))
        self.spki = seq(seq(RSA), tlv(3, b"\0", seq(integer(self.n),
                                                   integer(65537))))
        self.algorithm = seq(RSA_SHA256)

    def sign(self, data):
        info = DIGEST_INFO + hashlib.sha256(data).digest()
        padded = b"\0\1" + b"\xff" * (253 - len(info)) + b"\0" + info
        return pow(int.from_bytes(padded, "big"), self.d,
                   self.n).to_bytes(256, "big")


def csr(subject, key, *extensions, proof=None):
    """DER; ${proof} is the key that signs, if not the one asked for."""
    asked = seq(bytes.fromhex("06092a864886f70d01090e"),
                tlv(0x31, seq(*extensions))) if extensions else b""
    info = seq(b"\x02\x01\x00", subject, key.spki, tlv(0xa0, asked))
    return seq(info, key.algorithm,
               tlv(3, b"\0", (proof or key).sign(info)))


def pem(label, der):
    text = base64.b64encode(der).decode()
    lines = [text[i:i + 64] for i in range(0, len(text), 64)]
    return (f"-----BEGIN {label}-----\n" + "\n".join(lines) +
            f"\n-----END {label}-----\n")


def request_file(key, der, signed=True, **fields):
    """As docs say a request file is; ${fields} may be lists."""
    digest = hashlib.sha256(key.spki).hexdigest().upper()
    lines = {"id": "0123456789abcdef0123", "created": "2026-11-22T04:00:00Z",
             "profile": "host", "subject": "", "dns": [], "email": [],
             "contact": "Ann Other", "contact-mail": "ann@uwm.edu",
             "purpose": "test", "name-space": [],
             "signed-by-key": "yes" if signed else "no",
             "fingerprint": ":".join(digest[i:i + 2] for i in range(0, 64, 2))}
    lines.update({k.replace("_", "-"): v for k, v in fields.items()})
    text = "Signet certificate request 1\n"
    for keyword, value in lines.items():
        for one in value if isinstance(value, list) else [value]:
            text += f"{keyword}: {one}\n"
    text += pem("CERTIFICATE REQUEST", der)
    if signed:
        text += pem("REQUEST SIGNATURE", key.sign(text.encode()))
    return text.encode()
