"""What three independent programs see in a certificate or a CRL: OpenSSL,
GnuTLS (certtool) and NSS (nss-pp).  Each answer is told in the words of
strict_der, so that they can be compared field by field; a field that a reader
does not show is left out."""

import datetime
import re

from signet_site import run

USAGES = {
    "Digital Signature": "digitalSignature",
    "Digital signature": "digitalSignature",
    "Key Encipherment": "keyEncipherment",
    "Key encipherment": "keyEncipherment",
    "Certificate Sign": "keyCertSign", "CRL Sign": "cRLSign",
    "Certificate signing": "keyCertSign", "CRL signing": "cRLSign",
    "Certificate Signing": "keyCertSign", "CRL Signing": "cRLSign"}
PURPOSES = {
    "TLS Web Server Authentication": "serverAuth",
    "TLS Web Client Authentication": "clientAuth",
    "TLS WWW Server": "serverAuth", "TLS WWW Client": "clientAuth",
    "TLS Web Server Authentication Certificate": "serverAuth",
    "TLS Web Client Authentication Certificate": "clientAuth"}
SIGNATURES = {
    "ecdsa-with-SHA256": "ecdsa-sha256", "ecdsa-with-SHA384": "ecdsa-sha384",
    "sha256WithRSAEncryption": "rsa-sha256",
    "ECDSA-SHA256": "ecdsa-sha256", "ECDSA-SHA384": "ecdsa-sha384",
    "RSA-SHA256": "rsa-sha256",
    "X9.62 ECDSA signature with SHA256": "ecdsa-sha256",
    "X9.62 ECDSA signature with SHA384": "ecdsa-sha384",
    "PKCS #1 SHA-256 With RSA Encryption": "rsa-sha256"}
ANY_POLICY = "2.5.29.32.0"


def lines_after(text, title, deeper):
    """The lines below the one that matches ${title}, as long as they are
    indented at least as ${deeper} says more than it."""
    found = re.search(rf"^([ \t]*){title}[^\n]*\n((?:\1{deeper}[^\n]*\n)*)",
                      text, re.M)
    return None if found is None else [
        line.strip() for line in found.group(2).splitlines()]


def slash(rfc4514):
    """"CN=a,O=b" as /O=b/CN=a; no name of ours has a comma."""
    return "".join("/" + part for part in reversed(rfc4514.split(",")))


def when(text):
    """"Nov 22 07:53:44 2026 GMT" and the two other ways to write it."""
    text = re.sub(r"^(Mon|Tue|Wed|Thu|Fri|Sat|Sun) ", "", text.strip())
    text = re.sub(r" (GMT|UTC)( |$)", r"\2", text)
    return datetime.datetime.strptime(text, "%b %d %H:%M:%S %Y")


def hexed(lines):
    return "".join(lines).replace(":", "").lower()


def openssl_cert(path):
    text = run("openssl", "x509", "-in", path, "-noout", "-text", "-nameopt",
               "RFC2253,-esc_msb,utf8").stdout

    def field(pattern):
        return re.search(pattern, text).group(1)

    found = {}
    wanted = {
        "basicConstraints": "X509v3 Basic Constraints:",
        "keyUsage": "X509v3 Key Usage:",
        "extKeyUsage": "X509v3 Extended Key Usage:",
        "ski": "X509v3 Subject Key Identifier:",
        "aki": "X509v3 Authority Key Identifier:",
        "san": "X509v3 Subject Alternative Name:",
        "crl": "X509v3 CRL Distribution Points:",
        "aia": "Authority Information Access:",
        "policies": "X509v3 Certificate Policies:"}
    for what, title in wanted.items():
        lines = lines_after(text, title, "    ")
        if lines is None:
            continue
        value = ", ".join(line for line in lines if line)
        if what == "basicConstraints":
            depth = re.search(r"pathlen:(\d+)", value)
            value = ("CA:TRUE" in value, depth and int(depth.group(1)))
        elif what == "keyUsage":
            value = {USAGES[u] for u in value.split(", ")}
        elif what == "extKeyUsage":
            value = [PURPOSES[p] for p in value.split(", ")]
        elif what in ("ski", "aki"):
            value = hexed([value])
        elif what == "san":
            value = [(kind.lower(), n) for kind, n in
                     (part.split(":", 1) for part in value.split(", "))]
        elif what in ("crl", "aia"):
            assert what == "crl" or "OCSP" not in value
            value = [("uri", u) for u in re.findall(r"URI:(\S+?)(?:,|$)", value)]
        else:
            value = [ANY_POLICY if p == "X509v3 Any Policy" else p
                     for p in re.findall(r"Policy: ([^,]+)", value)]
        found[what] = (f"{title} critical" in text, value)
    listed = re.findall(r"^            (\S[^\n]*?): ?(?:critical)?$",
                        text.split("X509v3 extensions:")[1]
                        .split("    Signature Algorithm")[0], re.M)
    assert len(listed) == len(found), listed
    curve = re.search(r"NIST CURVE: (\S+)", text)
    return {"version": int(field(r"Version: (\d)")),
            "serial": int(re.sub(r"[:\s]", "", run(
                "openssl", "x509", "-in", path, "-noout", "-serial"
                ).stdout.split("=")[1]), 16),
            "issuer": slash(field(r"Issuer: (.*)")),
            "subject": slash(field(r"Subject: (.*)")),
            "begin": when(field(r"Not Before: (.*)")),
            "end": when(field(r"Not After : (.*)")),
            "signature": SIGNATURES[field(r"Signature Algorithm: (\S+)")],
            "key": f"ec:{curve.group(1)}" if curve else
                   "rsa:" + field(r"Public-Key: .(\d+) bit"),
            "extensions": found}


def gnutls_cert(path):
    text = run("certtool", "--certificate-info", "--infile", path).stdout

    def field(pattern):
        return re.search(pattern, text).group(1)

    found = {}
    for title, critical, body in re.findall(
            r"^\t\t(\S[^\n]*?) \((critical|not critical)\):\n"
            r"((?:\t\t\t[^\n]*\n)*)", text, re.M):
        lines = [line.strip() for line in body.splitlines()]
        value = "\n".join(lines)
        if title == "Basic Constraints":
            depth = re.search(r"Path Length Constraint: (\d+)", value)
            what, value = "basicConstraints", (
                "(CA): TRUE" in value, depth and int(depth.group(1)))
        elif title == "Key Usage":
            what, value = "keyUsage", {USAGES[u.rstrip(".")] for u in lines}
        elif title == "Key Purpose":
            what, value = "extKeyUsage", [PURPOSES[p.rstrip(".")]
                                          for p in lines]
        elif title == "Subject Key Identifier":
            what = "ski"
        elif title == "Authority Key Identifier":
            what = "aki"
        elif title == "Subject Alternative Name":
            kinds = {"DNSname": "dns", "RFC822Name": "email"}
            what, value = "san", [(kinds[k], n) for k, n in
                                  (line.split(": ", 1) for line in lines)]
        elif title == "CRL Distribution points":
            what, value = "crl", [("uri", line.removeprefix("URI: "))
                                  for line in lines]
        elif title == "Authority Information Access":
            assert "1.3.6.1.5.5.7.48.1 " not in value
            what, value = "aia", [("uri", u) for u in re.findall(
                r"Access Location URI: (\S+)", value)]
        else:
            assert title == "Certificate Policies", title
            what, value = "policies", [line.split(" ")[0] for line in lines]
        found[what] = (critical == "critical", value)
    curve = re.search(r"Curve:\tSECP(\d+)R1", text)
    return {"version": int(field(r"Version: (\d)")),
            "serial": int(field(r"Serial Number \(hex\): (\S+)"), 16),
            "issuer": slash(field(r"\tIssuer: (.*)")),
            "subject": slash(field(r"\tSubject: (.*)")),
            "begin": when(field(r"Not Before: (.*)")),
            "end": when(field(r"Not After: (.*)")),
            "signature": SIGNATURES[field(r"\tSignature Algorithm: (\S+)")],
            "key": f"ec:P-{curve.group(1)}" if curve else
                   "rsa:" + field(r"Modulus .bits (\d+)"),
            "extensions": found}


def unwrap(text, title):
    """A quoted text that NSS has broken into lines of 80 columns."""
    body = re.search(rf'{title}: "((?:[^"\n]|\n\s+)*)"', text).group(1)
    return re.sub(r"\n\s+", "", body)


def nss_extensions(text, indent):
    """[(name, critical, body)]: each begins with its name, and ends with an
    empty line."""
    return [(n, bool(c), b) for n, c, b in re.findall(
        rf"^{indent}Name: ([^\n]*)\n({indent}Critical: True\n)?"
        rf"((?:{indent}[^\n]*\n)*)", text, re.M)]


def nss_cert(path):
    text = run("nss-pp", "-t", "certificate", "-a", "-i", path).stdout

    def field(pattern):
        return re.search(pattern, text).group(1)

    found = {}
    for title, critical, body in nss_extensions(text, "            "):
        quoted = re.findall(r'"([^"]*)"', body)
        lines = [line.strip() for line in body.splitlines()]
        if title == "Certificate Basic Constraints":
            depth = re.search(r"maximum path length of (\d+)", body)
            what, value = "basicConstraints", (
                "Is a CA" in body, depth and int(depth.group(1)))
            assert depth or "Is not a CA" in body or "no maximum" in body
        elif title == "Certificate Key Usage":
            what, value = "keyUsage", {
                USAGES[u.removeprefix("Usages: ")] for u in lines}
        elif title == "Extended Key Usage":
            what, value = "extKeyUsage", [PURPOSES[p] for p in lines]
        elif title == "Certificate Subject Key ID":
            what, value = "ski", hexed(lines[1:])
        elif title == "Certificate Authority Key Identifier":
            assert lines[0] == "Key ID:"
            what, value = "aki", hexed(lines[1:])
        elif title == "Certificate Subject Alt Name":
            kinds = {"DNS name": "dns", "RFC822 Name": "email"}
            what, value = "san", [
                (kinds[k], n) for k, n in
                re.findall(r'(DNS name|RFC822 Name): "([^"]*)"', body)]
        elif title == "CRL Distribution Points":
            what, value = "crl", [("uri", u) for u in quoted]
        elif title == "Authority Information Access":
            assert "OCSP" not in body
            what, value = "aia", [("uri", u) for u in quoted]
        else:
            assert title == "Certificate Policies", title
            what, value = "policies", [
                ANY_POLICY if "AnyPolicy" in p else p.removeprefix("OID.")
                for p in re.findall(r"Policy Name: (.*)", body)]
        found[what] = (critical, value)
    serial = lines_after(text, "Serial Number:", "    ")
    if serial:
        serial = int(hexed(serial), 16)
    else:
        serial = int(field(r"Serial Number: (\d+) \("))
    curve = re.search(r"NIST P-(\d+)", text)
    modulus = lines_after(text, "Modulus:", "    ")
    return {"version": int(field(r"Version: (\d)")), "serial": serial,
            "issuer": slash(unwrap(text, "Issuer")),
            "subject": slash(unwrap(text, "Subject")),
            "begin": when(field(r"Not Before: (.*)")),
            "end": when(field(r"Not After : (.*)")),
            "signature": SIGNATURES[field(r"Signature Algorithm: (.*)")],
            "key": f"ec:P-{curve.group(1)}" if curve else
                   f"rsa:{int(hexed(modulus), 16).bit_length()}",
            "extensions": found}


def openssl_crl(path):
    text = run("openssl", "crl", "-in", path, "-noout", "-text", "-nameopt",
               "RFC2253").stdout
    codes = {"Key Compromise": 1, "Superseded": 4, "Certificate Hold": 6}
    entries = []
    for block in text.split("    Serial Number: ")[1:]:
        reason = re.search(r"Reason Code: *\n\s+(.*)", block)
        entries.append((int(block.split()[0], 16), when(re.search(
            r"Revocation Date: (.*)", block).group(1)),
            codes[reason.group(1)] if reason else 0))
    assert ("No Revoked Certificates" in text) == (not entries)
    number = re.search(r"X509v3 CRL Number: *\n\s+(\d+|0x[0-9A-Fa-f]+)", text)
    aki = lines_after(text, "X509v3 Authority Key Identifier:", "    ")
    return {"issuer": slash(re.search(r"Issuer: (.*)", text).group(1)),
            "this": when(re.search(r"Last Update: (.*)", text).group(1)),
            "next": when(re.search(r"Next Update: (.*)", text).group(1)),
            "signature": SIGNATURES[re.search(
                r"Signature Algorithm: (\S+)", text).group(1)],
            "entries": entries, "number": int(number.group(1), 0),
            "aki": hexed(aki)}


def gnutls_crl(path):
    """GnuTLS does not show reasons."""
    text = run("certtool", "--crl-info", "--infile", path).stdout
    entries = [(int(serial, 16), when(date)) for serial, date in re.findall(
        r"Serial Number \(hex\): (\S+)\n\t\tRevoked at: (.*)", text)]
    return {"issuer": slash(re.search(r"\tIssuer: (.*)", text).group(1)),
            "this": when(re.search(r"Issued: (.*)", text).group(1)),
            "next": when(re.search(r"Next at: (.*)", text).group(1)),
            "signature": SIGNATURES[re.search(
                r"Signature Algorithm: (\S+)", text).group(1)],
            "entries": entries,
            "number": int(re.search(
                r"CRL Number \(not critical\): (\S+)", text).group(1), 16),
            "aki": re.search(r"Authority Key Identifier \(not critical\):"
                             r"\n\s+(\S+)", text).group(1)}


def nss_crl(path):
    text = run("nss-pp", "-t", "crl", "-a", "-i", path).stdout
    entries = []
    for block in re.split(r"\n        Entry \d+ \(", text)[1:]:
        serial = lines_after(block, "Serial Number:", "    ")
        number = (int(hexed(serial), 16) if serial else int(
            re.search(r"Serial Number: (\d+)", block).group(1)))
        block = block.split("CRL Extensions")[0]
        reason = re.search(r"CRL reason code\n\s+Data: (\d+)", block)
        entries.append((number, when(re.search(
            r"Revocation Date: (.*)", block).group(1)),
            int(reason.group(1)) if reason else 0))
    aki = lines_after(text, "Key ID:", "    ")
    return {"issuer": slash(unwrap(text, "Issuer")),
            "this": when(re.search(r"This Update: (.*)", text).group(1)),
            "next": when(re.search(r"Next Update: (.*)", text).group(1)),
            "signature": SIGNATURES[re.search(
                r"Signature Algorithm: (.*)", text).group(1)],
            "entries": entries, "aki": hexed(aki),
            "number": int(re.search(
                r"CRL Number\n\s+Data: (\d+)", text).group(1))}
