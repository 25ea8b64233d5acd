"""The role auth alone: a test is the front end, the workers and the issuer."""

import os
import select

import pytest
from openssl_pki import PEOPLE
from role_frames import decode, encode, Role
from signet_site import ROLE_USERS, open_way
from test_workers import CODES

PROFILE = (f"# slcs-user\nusage digitalSignature\n"
           f"subject {PEOPLE}/CN={{principal}}\n")
OTHER = (f"# other\nusage digitalSignature\n"
         f"subject {PEOPLE}/O={{realm}}/CN={{user}}\n")
SASL, SHA256, SHA1 = 3, 4, 2


class Auth(Role):
    def __init__(self, tmp_path, *settings, texts=None, workers=1):
        lines = ["realm LIGO.TEST", "log-level 7", "profile slcs-user",
                 "profile other", *settings]
        if os.getuid() == 0:
            lines.append(f"user-auth {ROLE_USERS['auth']}")
            open_way(tmp_path)
        channels = ["issuer", "front.0", "front.1"]
        channels += [f"worker.{i}" for i in range(workers)] + ["pam.0"]
        super().__init__("auth", "\n".join(lines) + "\n",
                         texts or {"profile.0": PROFILE, "profile.1": OTHER},
                         channels, tmp_path / "auth.log")

    def ask(self, user, phrase="", connection=1, front="front.0", **values):
        values.setdefault("peer", "192.0.2.1:4711")
        self.channels[front].send(encode(
            "AUTH_ASK", connection=connection, ref="0123456789ab",
            username=user, passphrase=phrase, **values))

    def step(self, method, token, connection=1):
        self.channels["front.0"].send(encode(
            "AUTH_STEP", connection=connection, method=method, token=token))

    def gone(self, connection=1):
        self.channels["front.0"].send(
            encode("AUTH_GONE", connection=connection))

    def from_channel(self, name):
        return decode(self.channels[name].recv(70000))

    def question(self, worker="worker.0"):
        name, values = self.from_channel(worker)
        assert name == ("PAM_ASK" if worker.startswith("pam") else "WORK_ASK")
        return values

    def answer_or_question(self):
        """Whichever comes first: a refusal, or a question to a worker."""
        both = [self.channels["front.1"], self.channels["worker.0"]]
        ready = ([c for c in both if c.waiting] or
                 select.select(both, [], [], 20)[0])
        return decode(ready[0].recv(70000))

    def reply(self, question, code="NONE", text="", worker="worker.0"):
        kind = "PAM_DONE" if worker.startswith("pam") else "WORK_DONE"
        self.channels[worker].send(encode(
            kind, id=question["id"], fault=CODES.index(code), text=text))

    def no(self, connection=1, front="front.0"):
        name, values = self.from_channel(front)
        assert name == "AUTH_NO", (name, values, self.log())
        assert values["connection"] == connection
        return CODES[values["fault"]]

    def yes(self, connection=1):
        """What was vouched for, once the front end has the same ticket."""
        name, values = self.from_channel("front.0")
        assert name == "AUTH_YES", (name, values, self.log())
        assert values["connection"] == connection
        vouched, vouch = self.from_channel("issuer")
        assert vouched == "VOUCH"
        assert len(vouch["ticket"]) == 16
        assert vouch["ticket"] == values["ticket"]
        return {k: v.decode() if isinstance(v, bytes) and k != "ticket" else v
                for k, v in vouch.items()}

    def sync(self, front="front.0"):
        """auth has heard all that this front end has said."""
        self.ask("x", connection=999, front=front, tls_limited=1)
        assert self.no(999, front) == "DENIED"

    def quiet(self, name):
        """Nothing waits on that channel, once auth has heard all."""
        self.sync("front.1")
        self.channels[name].settimeout(0.1)
        try:
            with pytest.raises(TimeoutError):
                self.channels[name].recv(70000)
        finally:
            self.channels[name].settimeout(20)


@pytest.fixture
def auth(tmp_path):
    with Auth(tmp_path, "auth passwd", "auth-free-tries 2") as a:
        yield a
