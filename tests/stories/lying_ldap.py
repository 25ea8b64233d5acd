"""A directory server that says what a story wants it to say.

    def script(ask):            # for each search
        ask.entry("uid=a,ou=people,dc=ligo,dc=org", {"uid": ["a"]}, uuid=1)
        ask.done(cookie=b"rid=000")
    with LyingLdap(script) as server: server.uri, server.asked

Binds always succeed.  It knows of BER what it needs.
"""

import socket
import threading

ADD, MODIFY, DELETE, PRESENT = 1, 2, 3, 0
SYNC = "1.3.6.1.4.1.4203.1.9.1."
PAGED = "1.2.840.113556.1.4.319"


def tlv(tag, *parts):
    body = b"".join(parts)
    if len(body) < 0x80:
        return bytes([tag, len(body)]) + body
    return bytes([tag, 0x84]) + len(body).to_bytes(4, "big") + body


def text(value, tag=0x04):
    return tlv(tag, value.encode() if isinstance(value, str) else value)


def boolean(value):
    return tlv(0x01, b"\xff" if value else b"\x00")


def number(value, tag=0x02):
    return tlv(tag, value.to_bytes(max(1, value.bit_length() // 8 + 1), "big"))


def read_tlv(data, at=0):
    """(tag, body, where the next one is)."""
    tag, size, at = data[at], data[at + 1], at + 2
    if size & 0x80:
        count = size & 0x7f
        size = int.from_bytes(data[at:at + count], "big")
        at += count
    return tag, data[at:at + size], at + size


def read_all(data):
    at, found = 0, []
    while at < len(data):
        tag, body, at = read_tlv(data, at)
        found.append((tag, body))
    return found


def uuid_of(n):
    return n.to_bytes(16, "big")


class Gone(Exception):
    """The script hung up."""


class Ask:
    """One search, and how it may be answered."""

    def __init__(self, connection, message, body, controls):
        self.connection = connection
        self.id = message
        self.base = read_all(body)[0][1].decode()
        self.mode = self.cookie = self.page_cookie = None
        for control in controls:
            parts = [part for tag, part in read_all(control) if tag == 0x04]
            value = read_all(read_tlv(parts[1])[1]) if len(parts) > 1 else []
            if parts[0].decode() == SYNC + "1":
                self.mode = value[0][1][0]
                octets = [part for tag, part in value if tag == 0x04]
                self.cookie = octets[0] if octets else None
            elif parts[0].decode() == PAGED:
                self.page_cookie = value[1][1]

    def send(self, op, *controls):
        self.raw(tlv(0x30, number(self.id), op,
                     *([tlv(0xa0, *controls)] if controls else [])))

    def raw(self, data):
        try:
            self.connection.sendall(data)
        except OSError:
            raise Gone from None

    @staticmethod
    def control(oid, value):
        return tlv(0x30, text(oid), text(value))

    def entry(self, dn, attributes, uuid=None, state=ADD, cookie=None,
              value=None):
        """${value}: of the state control, as it is to be sent."""
        op = tlv(0x64, text(dn), tlv(0x30, *(
            tlv(0x30, text(name), tlv(0x31, *(text(v) for v in values)))
            for name, values in attributes.items())))
        if uuid is None and value is None:
            self.send(op)
            return
        if value is None:
            value = tlv(0x30, number(state, 0x0a), text(
                uuid if isinstance(uuid, bytes) else uuid_of(uuid)),
                text(cookie) if cookie else b"")
        self.send(op, self.control(SYNC + "2", value))

    def person(self, name, uuid, names=(), groups=(), **more):
        self.entry(f"uid={name},{self.base}", {
            "uid": [name], "eduPersonPrincipalName": [f"{name}@LIGO.ORG"],
            "description": list(names), "isMemberOf": list(groups)},
            uuid=uuid, **more)

    def info(self, body):
        self.send(tlv(0x79, text(SYNC + "4", 0x80), text(body, 0x81)))

    def new_cookie(self, cookie):
        self.info(text(cookie, 0x80))

    def refresh(self, present, cookie=None, done=True):
        """refreshPresent or refreshDelete."""
        self.info(tlv(0xa2 if present else 0xa1,
                      text(cookie) if cookie else b"",
                      boolean(done) if not done else b""))

    def id_set(self, uuids, deletes=False, cookie=None):
        self.info(tlv(0xa3, text(cookie) if cookie else b"",
                      boolean(True) if deletes else b"",
                      tlv(0x31, *(text(uuid_of(n)) for n in uuids))))

    def reference(self, *urls):
        self.send(tlv(0x73, *(text(url) for url in urls)))

    def done(self, code=0, cookie=None, deletes=False, said="", sync=True,
             controls=(), referral=()):
        op = tlv(0x65, number(code, 0x0a), text(""), text(said),
                 tlv(0xa3, *(text(url) for url in referral))
                 if referral else b"")
        if self.mode and code == 0 and sync:
            controls = [self.control(SYNC + "3", tlv(
                0x30, text(cookie) if cookie else b"",
                boolean(True) if deletes else b""))]
        self.send(op, *controls)

    def page_end(self, cookie):
        self.done(controls=[self.control(
            PAGED, tlv(0x30, number(0), text(cookie)))])

    def cut(self):
        raise Gone


class LyingLdap:
    def __init__(self, script):
        self.script = script
        self.asked = []
        self.connections = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.uri = "ldap://127.0.0.1:%d" % self.listener.getsockname()[1]
        self.fault = None
        self.open = []

    def __enter__(self):
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.close()
        for connection in self.open:
            connection.close()
        if self.fault:
            raise self.fault

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            self.open.append(connection)
            threading.Thread(target=self.talk, args=(connection,),
                             daemon=True).start()

    def talk(self, connection):
        data = b""
        try:
            while True:
                more = connection.recv(65536)
                if not more:
                    return
                data += more
                while len(data) > 6:
                    _, body, end = read_tlv(data)
                    if end > len(data):
                        break
                    data = data[end:]
                    self.answer(connection, body)
        except Gone:
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the other end hung up, or the story is over
        except Exception as fault:  # told at the end of the story
            self.fault = fault
        finally:
            connection.close()

    def answer(self, connection, body):
        (_, message), (op, content), *rest = read_all(body)
        message = int.from_bytes(message, "big")
        if op == 0x60:  # bind
            connection.sendall(tlv(0x30, number(message), tlv(
                0x61, number(0, 0x0a), text(""), text(""))))
        elif op == 0x63:
            controls = [c for _, c in read_all(rest[0][1])] if rest else []
            ask = Ask(connection, message, content, controls)
            if ask.base == "":
                ask.done()  # whether we are there
                return
            self.asked.append(ask)
            self.script(ask)
