"""Speak to a single role of signetd as its parent and its neighbours would:
the frames of lib/ipc/msg.def, encoded from that table."""

import array
import os
import re
import socket
import struct
import subprocess

from kdc import die_with_parent
from signet_site import BUILD, REPO

TABLE = []
text = re.sub(r"/\*.*?\*/", "", (REPO / "lib/ipc/msg.def").read_text(),
              flags=re.S)
for match in re.finditer(r"MSG\((\w+),\s*\w+,\s*(\w+),\s*(\w+),?((?:[^()]|\([^()]*\))*)\)",
                         text):
    fields = re.findall(r"(U32|U64|TEXT|BYTES)\((\w+)", match.group(4))
    TABLE.append((match.group(1), match.group(2), match.group(3), fields))
NUMBER = {name: i for i, (name, *_) in enumerate(TABLE)}


def encode(name, /, **values):
    out = bytes([NUMBER[name]])
    for kind, field in TABLE[NUMBER[name]][3]:
        value = values.pop(field, 0 if kind in ("U32", "U64") else b"")
        if kind == "U32":
            out += struct.pack(">I", value)
        elif kind == "U64":
            out += struct.pack(">Q", value)
        else:
            value = value.encode() if isinstance(value, str) else value
            out += struct.pack(">I", len(value)) + value
    assert not values, values
    return struct.pack(">I", len(out)) + out


def decode(frame):
    """One message, as an Ear receives it."""
    name, _, _, fields = TABLE[frame[0]]
    at, values = 1, {}
    for kind, field in fields:
        if kind == "U32":
            values[field] = struct.unpack_from(">I", frame, at)[0]
            at += 4
        elif kind == "U64":
            values[field] = struct.unpack_from(">Q", frame, at)[0]
            at += 8
        else:
            size = struct.unpack_from(">I", frame, at)[0]
            values[field] = frame[at + 4:at + 4 + size]
            at += 4 + size
    return name, values


class Ear(socket.socket):
    """Receives the messages of a frame one by one, without their lengths."""

    def __init__(self, other):
        super().__init__(other.family, other.type, fileno=other.detach())
        self.waiting = []

    def recv(self, size):
        if not self.waiting:
            frame = super().recv(size)
            while frame:
                length = struct.unpack_from(">I", frame)[0]
                assert 0 < length <= len(frame) - 4
                self.waiting.append(frame[4:4 + length])
                frame = frame[4 + length:]
        return self.waiting.pop(0) if self.waiting else b""


def pair():
    a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    a = Ear(a)
    for s in (a, b):
        s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    a.settimeout(20)
    return a, b


class Role:
    """One role, alone, in its walls; ${neighbours} are the channels it gets."""

    def __init__(self, role, conf, texts, neighbours, log):
        self.control, theirs = pair()
        self.log_path = log
        log_file = open(log, "wb")
        self.process = subprocess.Popen(
            [BUILD / "signetd" / f"signetd-{role}"], stderr=log_file,
            stdin=subprocess.DEVNULL, close_fds=False,
            preexec_fn=lambda: (die_with_parent(),
                                os.dup2(theirs.fileno(), 3),
                                os.set_inheritable(3, True)))
        log_file.close()
        theirs.close()
        self.channels = {}
        self.say("BOOT_TEXT", name="conf", data=conf)
        for name, data in texts.items():
            self.say("BOOT_TEXT", name=name, data=data)
        for name in neighbours:
            self.attach(name)
        self.say("BOOT_GO", generation=1)

    def attach(self, name):
        ours, its = pair()
        self.channels[name] = ours
        self.control.sendmsg(
            [encode("BOOT_FD", name=name)],
            [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
              array.array("i", [its.fileno()]))])
        its.close()

    def say(self, name, /, **values):
        self.control.send(encode(name, **values))

    def hear(self):
        return decode(self.control.recv(70000))

    def log(self):
        return open(self.log_path, errors="replace").read()

    def __enter__(self):
        name, values = self.hear()
        assert name == "BOOT_READY", (name, values, self.log())
        return self

    def __exit__(self, *_):
        self.control.close()
        for channel in self.channels.values():
            channel.close()
        self.process.wait(timeout=20)
