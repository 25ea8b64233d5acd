#!/usr/bin/python3
"""An independent checker of a CA's log: RFC 9162 (2.1.3.2, 2.1.4.2), signed
notes and checkpoints of C2SP, Ed25519 of RFC 8032, written from the standards
and from signet-ca(8), sharing nothing with what it checks.

    check_log.py head PUB HEAD
    check_log.py proof PUB PROOF [KEPT-HEAD]
    check_log.py ledger PUB LEDGER HEAD...

Ends with 0 if all is right; says what is not, and ends with 1."""

import base64
import hashlib
import json
import sqlite3
import sys

# Ed25519, RFC 8032 5.1 and 6: verification alone, plain and slow.
P = 2 ** 255 - 19
L = 2 ** 252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_1 = pow(2, (P - 1) // 4, P)


class Wrong(Exception):
    pass


def need(good, says):
    if not good:
        raise Wrong(says)


def add(p, q):
    a = (p[1] - p[0]) * (q[1] - q[0]) % P
    b = (p[1] + p[0]) * (q[1] + q[0]) % P
    c = 2 * p[3] * q[3] * D % P
    d = 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(n, p):
    q = (0, 1, 1, 0)
    while n:
        if n & 1:
            q = add(q, p)
        p = add(p, p)
        n >>= 1
    return q


def equal(p, q):
    return (p[0] * q[2] - q[0] * p[2]) % P == 0 and \
        (p[1] * q[2] - q[1] * p[2]) % P == 0


def x_of(y, sign):
    need(y < P, "a point is out of range")
    xx = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(xx, (P + 3) // 8, P)
    if (x * x - xx) % P:
        x = x * ROOT_OF_MINUS_1 % P
    need((x * x - xx) % P == 0, "a point is not on the curve")
    need(x or not sign, "a point is not on the curve")
    return P - x if x & 1 != sign else x


def point(octets):
    y = int.from_bytes(octets, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    x = x_of(y, sign)
    return x, y, 1, x * y % P


Y = 4 * pow(5, P - 2, P) % P
BASE = (x_of(Y, 0), Y, 1, x_of(Y, 0) * Y % P)


def verify(public, message, signature):
    need(len(public) == 32 and len(signature) == 64, "a signature is cut off")
    a, r = point(public), point(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    need(s < L, "a signature is out of range")
    k = int.from_bytes(hashlib.sha512(signature[:32] + public +
                                      message).digest(), "little") % L
    need(equal(times(s, BASE), add(r, times(k, a))), "the signature is wrong")


# Signed notes and checkpoints.
def read_pub(text):
    name, key_id, key = text.strip().split("+", 2)
    octets = base64.b64decode(key, validate=True)
    need(octets[0] == 1 and len(octets) == 33, "the log key is not Ed25519")
    want = hashlib.sha256(name.encode() + b"\n" + octets).digest()[:4]
    need(bytes.fromhex(key_id) == want, "the log key has another identifier")
    return name, want, octets[1:]


def read_head(text, pub):
    name, key_id, key = pub
    body, empty, rest = text.partition("\n\n")
    need(empty and rest.endswith("\n"), "not a signed head")
    body += "\n"
    lines = body.split("\n")
    need(len(lines) == 4 and lines[0] == name, "the head of another log")
    need(str(int(lines[1])) == lines[1], "the size is no number")
    root = base64.b64decode(lines[2], validate=True)
    need(len(root) == 32, "the root is no hash")
    signed = False
    for line in rest[:-1].split("\n"):
        dash, who, sig = line.split(" ")
        need(dash == "\u2014", "not a signature")
        octets = base64.b64decode(sig, validate=True)
        if who == name and octets[:4] == key_id:
            verify(key, body.encode(), octets[4:])
            signed = True
    need(signed, "the head is not signed by the log")
    return int(lines[1]), root


# RFC 9162.
def leaf_hash(leaf):
    return hashlib.sha256(b"\0" + leaf).digest()


def node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def included(leaf, index, size, path, root):
    need(index < size, "the entry is beyond the head")
    fn, sn, r = index, size - 1, leaf_hash(leaf)
    for p in path:
        need(sn, "the path is too long")
        if fn & 1 or fn == sn:
            r = node(p, r)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = node(r, p)
        fn, sn = fn >> 1, sn >> 1
    need(sn == 0 and r == root, "the entry is not under the head")


def consistent(first, first_root, second, second_root, path):
    need(0 < first <= second, "the heads are in the wrong order")
    if first == second:
        need(not path and first_root == second_root, "two heads of one size")
        return
    need(path, "the path is empty")
    path = list(path)
    if first & (first - 1) == 0:
        path.insert(0, first_root)
    fn, sn = first - 1, second - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]
    for c in path[1:]:
        need(sn, "the path is too long")
        if fn & 1 or fn == sn:
            fr, sr = node(c, fr), node(c, sr)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node(sr, c)
        fn, sn = fn >> 1, sn >> 1
    need(sn == 0 and fr == first_root and sr == second_root,
         "the later head does not only add to the earlier one")


def tree(leaves):
    """MTH of RFC 9162 2.1.1, by its definition."""
    if len(leaves) <= 1:
        return leaves[0] if leaves else hashlib.sha256().digest()
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return node(tree(leaves[:k]), tree(leaves[k:]))


# The ledger: an entry's own bytes, as signet-ca(8) describes them.
COLUMNS = ["id", "time", "kind", "intent", "ca", "serial", "ref", "peer",
           "username", "principal", "method", "subject", "profile",
           "not_before", "not_after", "reason", "revoked", "number", "der"]


def octets_of(value):
    if value is None:
        return b"\0"
    if isinstance(value, int):
        return b"\1" + value.to_bytes(8, "big", signed=True)
    text = isinstance(value, str)
    octets = value.encode() if text else bytes(value)
    return (b"\2" if text else b"\3") + len(octets).to_bytes(4, "big") + octets


def read_leaf(leaf):
    """The columns of an entry, from its bytes."""
    out, at = {}, 0
    for name in COLUMNS:
        kind, at = leaf[at], at + 1
        if kind == 0:
            out[name] = None
        elif kind == 1:
            out[name] = int.from_bytes(leaf[at:at + 8], "big", signed=True)
            at += 8
        else:
            size = int.from_bytes(leaf[at:at + 4], "big")
            octets, at = leaf[at + 4:at + 4 + size], at + 4 + size
            out[name] = octets.decode() if kind == 2 else octets
    need(at == len(leaf), "an entry's bytes are not those of its columns")
    return out


def check_ledger(path, heads):
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    rows = db.execute(f"SELECT {', '.join(COLUMNS)}, hash FROM entry"
                      " ORDER BY id").fetchall()
    leaves, last = [], bytes(32)
    for n, row in enumerate(rows, 1):
        need(row[0] == n, f"entry {n} is missing")
        octets = b"".join(octets_of(v) for v in row[:-1])
        last = hashlib.sha256(last + octets).digest()
        need(last == row[-1], f"entry {n} is not what its hash says")
        leaves.append(leaf_hash(octets))
    for size, root in heads:
        need(size <= len(leaves), "entries are missing at the end")
        need(tree(leaves[:size]) == root,
             f"the first {size} entries are not those under the head")
    return len(leaves)


def check_proof(text, pub, kept):
    proof = json.loads(text)
    size, root = read_head(proof["head"], pub)
    path = [base64.b64decode(p, validate=True) for p in proof["path"]]
    if proof["proof"] == "consistency":
        first = read_head(kept if kept else proof["from"], pub)
        consistent(*first, size, root, path)
        return f"{size} entries begin with {first[0]}"
    need(proof["proof"] == "inclusion", "an unknown proof")
    leaf = base64.b64decode(proof["leaf"], validate=True)
    entry = read_leaf(leaf)
    need(entry["id"] == proof["entry"], "the leaf is another entry")
    included(leaf, proof["entry"] - 1, size, path, root)
    return f"entry {entry['id']} of {size}: kind {entry['kind']}"


def text_of(path):
    with open(path, encoding="utf-8", newline="") as file:
        return file.read()


def main(what, pub, path, *more):
    key = read_pub(text_of(pub))
    if what == "head":
        print("size", read_head(text_of(path), key)[0])
    elif what == "proof":
        print(check_proof(text_of(path), key,
                          text_of(more[0]) if more else None))
    else:
        print("entries", check_ledger(path, [read_head(text_of(h), key)
                                             for h in more]))


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except (Wrong, ValueError, KeyError, IndexError) as e:
        sys.exit(f"check_log: {e}")
