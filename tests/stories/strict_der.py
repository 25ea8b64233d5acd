"""Certificates and CRLs octet by octet: DER and nothing but DER (X.690 10, 11),
read by the stories' own code.  Whatever is not exactly as RFC 5280 wants it
is an AssertionError."""

import base64
import datetime
import hashlib
import re

UTC, GENERALIZED = "UTCTime", "GeneralizedTime"
STRINGS = {0x0c: "UTF8String", 0x13: "PrintableString", 0x16: "IA5String"}
PRINTABLE = re.compile(rb"[A-Za-z0-9 '()+,\-./:=?]+\Z")
ATTRIBUTES = {"0.9.2342.19200300.100.1.25": "DC", "2.5.4.10": "O",
              "2.5.4.11": "OU", "2.5.4.3": "CN"}
SIGNATURES = {"1.2.840.10045.4.3.2": "ecdsa-sha256",
              "1.2.840.10045.4.3.3": "ecdsa-sha384",
              "1.2.840.113549.1.1.11": "rsa-sha256"}
CURVES = {"1.2.840.10045.3.1.7": "ec:P-256", "1.3.132.0.34": "ec:P-384"}
USAGES = ("digitalSignature", "nonRepudiation", "keyEncipherment",
          "dataEncipherment", "keyAgreement", "keyCertSign", "cRLSign",
          "encipherOnly", "decipherOnly")
EXTENSIONS = {"2.5.29.19": "basicConstraints", "2.5.29.15": "keyUsage",
              "2.5.29.37": "extKeyUsage", "2.5.29.14": "ski",
              "2.5.29.35": "aki", "2.5.29.17": "san", "2.5.29.31": "crl",
              "1.3.6.1.5.5.7.1.1": "aia", "2.5.29.32": "policies",
              "2.5.29.20": "number", "2.5.29.21": "reason"}
PURPOSES = {"1.3.6.1.5.5.7.3.1": "serverAuth",
            "1.3.6.1.5.5.7.3.2": "clientAuth",
            "1.3.6.1.5.5.7.3.4": "emailProtection"}


class Der:
    """A run of elements; each get() takes the next."""

    def __init__(self, data):
        self.data, self.at = bytes(data), 0

    def __bool__(self):
        return self.at < len(self.data)

    def peek(self):
        return self.data[self.at] if self else None

    def raw(self, tag=None):
        """(tag, value, whole) of the next element."""
        start = self.at
        assert len(self.data) - start >= 2, "cut off"
        found, first = self.data[start], self.data[start + 1]
        assert found & 0x1f != 0x1f, "long tag"
        at = start + 2
        length = first
        if first & 0x80:
            count = first & 0x7f
            assert 1 <= count <= 4, "indefinite or absurd length"
            octets = self.data[at:at + count]
            assert len(octets) == count and octets[0] != 0
            length = int.from_bytes(octets, "big")
            assert length >= 0x80, "a length in the longer form"
            at += count
        assert at + length <= len(self.data), "cut off"
        assert tag is None or found == tag, f"tag {found:#x}, not {tag:#x}"
        self.at = at + length
        return found, self.data[at:self.at], self.data[start:self.at]

    def get(self, tag):
        return self.raw(tag)[1]

    def enter(self, tag=0x30):
        return Der(self.get(tag))

    def end(self):
        assert not self, "something follows"

    def integer(self, tag=0x02):
        value = self.get(tag)
        assert value, "an INTEGER without octets"
        assert len(value) == 1 or not (
            (value[0] == 0 and value[1] < 0x80) or
            (value[0] == 0xff and value[1] >= 0x80)), "not the shortest"
        return int.from_bytes(value, "big", signed=True)

    def oid(self):
        value = self.get(0x06)
        assert value and value[-1] < 0x80
        arcs, arc, fresh = [], 0, True
        for octet in value:
            assert not (fresh and octet == 0x80), "an arc with leading zeroes"
            arc, fresh = arc << 7 | octet & 0x7f, octet < 0x80
            if fresh:
                arcs.append(arc)
                arc = 0
        first = min(arcs[0] // 40, 2)
        return ".".join(map(str, [first, arcs[0] - 40 * first] + arcs[1:]))

    def boolean(self):
        value = self.get(0x01)
        assert value == b"\xff", "TRUE is FF; FALSE is the default, left out"
        return True

    def bits(self, tag=0x03):
        value = self.get(tag)
        assert value and value[0] < 8
        assert value[0] == 0 or value[-1] & ((1 << value[0]) - 1) == 0
        return value[0], value[1:]

    def time(self):
        """(datetime, form): UTCTime through 2049 (RFC 5280 4.1.2.5)."""
        tag, value, _ = self.raw()
        text = value.decode("ascii")
        if tag == 0x17:
            assert re.fullmatch(r"\d{12}Z", text), text
            year = int(text[:2]) + (1900 if int(text[:2]) >= 50 else 2000)
            rest, form = text[2:], UTC
        else:
            assert tag == 0x18 and re.fullmatch(r"\d{14}Z", text), text
            year, rest, form = int(text[:4]), text[4:], GENERALIZED
            assert year >= 2050, "a GeneralizedTime before 2050"
        parts = [int(rest[i:i + 2]) for i in range(0, 10, 2)]
        return datetime.datetime(year, *parts), form


def name(der):
    """(slash form, [string types]) of a Name: one attribute an RDN."""
    text, types = "", []
    while der:
        rdn = der.enter(0x31)
        pair = rdn.enter()
        rdn.end()
        attribute = ATTRIBUTES[pair.oid()]
        tag, value, _ = pair.raw()
        pair.end()
        if attribute == "DC":
            assert STRINGS[tag] == "IA5String"
        else:
            fits = PRINTABLE.match(value) is not None
            assert STRINGS[tag] == ("PrintableString" if fits
                                    else "UTF8String")
        types.append(STRINGS[tag])
        text += f"/{attribute}={value.decode()}"
    return text, types


def algorithm(der):
    """Name of a signature algorithm, its parameters as they must be: NULL for
    RSA (RFC 4055 5), none for ECDSA (RFC 5758 3.2)."""
    found = SIGNATURES[der.oid()]
    if found.startswith("rsa"):
        assert der.get(0x05) == b""
    der.end()
    return found


def key(spki):
    """(kind, the bits of the key)."""
    how = spki.enter()
    what = how.oid()
    if what == "1.2.840.113549.1.1.1":
        assert how.get(0x05) == b""
        unused, bits = spki.bits()
        inner = Der(bits).enter()
        modulus, exponent = inner.integer(), inner.integer()
        inner.end()
        assert exponent == 65537
        kind = f"rsa:{modulus.bit_length()}"
    else:
        assert what == "1.2.840.10045.2.1"
        kind = CURVES[how.oid()]
        unused, bits = spki.bits()
        assert bits[0] == 4, "an uncompressed point"
    how.end()
    spki.end()
    assert unused == 0
    return kind, bits


def general_names(der):
    kinds = {0x81: "email", 0x82: "dns", 0x86: "uri"}
    names = []
    while der:
        tag, value, _ = der.raw()
        names.append((kinds[tag], value.decode("ascii")))
    return names


def read_value(what, der):
    """The value of an extension, in the words that all readers share."""
    if what == "basicConstraints":
        inner = der.enter()
        ca = inner.boolean() if inner.peek() == 0x01 else False
        depth = inner.integer() if inner else None
        inner.end()
        return ca, depth
    if what == "keyUsage":
        unused, octets = der.bits()
        assert octets and octets[-1] >> unused & 1, "trailing zero bits"
        value = "".join(f"{o:08b}" for o in octets)
        return {USAGES[i] for i, bit in enumerate(value) if bit == "1"}
    if what == "extKeyUsage":
        inner, found = der.enter(), []
        while inner:
            found.append(PURPOSES[inner.oid()])
        return found
    if what == "ski":
        return der.get(0x04).hex()
    if what == "aki":
        inner = der.enter()
        value = inner.get(0x80).hex()
        inner.end()  # neither issuer nor serial
        return value
    if what == "san":
        return general_names(der.enter())
    if what == "crl":
        inner, urls = der.enter(), []
        while inner:
            point = inner.enter()
            full = point.enter(0xa0).enter(0xa0)
            point.end()
            urls += general_names(full)
        return urls
    if what == "aia":
        inner, found = der.enter(), []
        while inner:
            access = inner.enter()
            assert access.oid() == "1.3.6.1.5.5.7.48.2"
            found += general_names(access)
        return found
    if what == "policies":
        inner, found = der.enter(), []
        while inner:
            one = inner.enter()
            found.append(one.oid())
            one.end()
        return found
    if what == "number":
        return der.integer()
    assert what == "reason"
    return der.integer(0x0a)


def extensions(der):
    """{name: (critical, value)}, none twice."""
    found = {}
    while der:
        one = der.enter()
        what = EXTENSIONS[one.oid()]
        critical = one.boolean() if one.peek() == 0x01 else False
        value = Der(one.get(0x04))
        one.end()
        assert what not in found
        found[what] = (critical, read_value(what, value))
        value.end()
    return found


def from_pem(text, label):
    block = re.search(f"-----BEGIN {label}-----(.*?)-----END {label}-----",
                      text, re.S)
    return base64.b64decode(block.group(1), validate=False)


def certificate(path):
    whole = Der(from_pem(open(path).read(), "CERTIFICATE"))
    outer = whole.enter()
    whole.end()
    tbs = outer.enter()
    signature = algorithm(outer.enter())
    assert outer.bits()[0] == 0
    outer.end()
    version = tbs.enter(0xa0)
    assert version.integer() == 2
    version.end()
    serial_octets = tbs.raw(0x02)[1]
    assert len(serial_octets) <= 20 and serial_octets[0] < 0x80
    assert algorithm(tbs.enter()) == signature
    issuer_der = tbs.raw(0x30)
    validity = tbs.enter()
    (begin, begin_form), (end, end_form) = validity.time(), validity.time()
    validity.end()
    subject_der = tbs.raw(0x30)
    kind, bits = key(tbs.enter())
    outer_ext = tbs.enter(0xa3)
    tbs.end()
    listed = extensions(outer_ext.enter())
    outer_ext.end()
    subject, types = name(Der(subject_der[1]))
    assert listed["ski"][1] == hashlib.sha1(bits).hexdigest()
    return {"version": 3, "serial": int.from_bytes(serial_octets, "big"),
            "issuer": name(Der(issuer_der[1]))[0], "subject": subject,
            "begin": begin, "end": end, "signature": signature, "key": kind,
            "extensions": listed, "forms": (begin_form, end_form),
            "types": types, "issuer_der": issuer_der[2],
            "subject_der": subject_der[2]}


def crl(path):
    whole = Der(from_pem(open(path).read(), "X509 CRL"))
    outer = whole.enter()
    whole.end()
    tbs = outer.enter()
    signature = algorithm(outer.enter())
    assert outer.bits()[0] == 0
    outer.end()
    assert tbs.integer() == 1  # v2
    assert algorithm(tbs.enter()) == signature
    issuer_der = tbs.raw(0x30)
    (this, form), (following, next_form) = tbs.time(), tbs.time()
    # RFC 5280 5.1.2.4
    assert form == (UTC if this.year < 2050 else GENERALIZED)
    assert next_form == (UTC if following.year < 2050 else GENERALIZED)
    entries = []
    if tbs.peek() == 0x30:
        listed = tbs.enter()
        assert listed, "an empty list is left out"
        while listed:
            entry = listed.enter()
            serial, (when, form) = entry.integer(), entry.time()
            assert form == (UTC if when.year < 2050 else GENERALIZED)
            assert serial > 0
            more = extensions(entry.enter()) if entry else {}
            entry.end()
            assert set(more) <= {"reason"}
            if more:
                assert more["reason"][1] != 0, "unspecified is left out"
            entries.append((serial, when,
                            more["reason"][1] if more else 0))
    outer_ext = tbs.enter(0xa0)
    tbs.end()
    found = extensions(outer_ext.enter())
    outer_ext.end()
    return {"issuer": name(Der(issuer_der[1]))[0], "this": this,
            "next": following, "signature": signature, "entries": entries,
            "extensions": found, "issuer_der": issuer_der[2]}
