"""Directories that lie, break off and contradict themselves."""

import pytest

from lying_ldap import DELETE, MODIFY, PRESENT, LyingLdap, number, text, tlv
from roster_follower import Follower, read, settings

CSN1 = "20260101000000.000000Z#000000#001#000000"
CSN1_LATER = "20260102000000.000000Z#000000#001#000000"
CSN2 = "20260101000000.000000Z#000000#002#000000"


def play(*scripts):
    """Each search is answered by the next of ${scripts}; the last stays."""
    left = list(scripts)

    def script(ask):
        (left.pop(0) if len(left) > 1 else left[0])(ask)
    return LyingLdap(script)


def three(ask):
    for n in (1, 2, 3):
        ask.person(f"p{n}", n)
    ask.done(cookie="one")


def names(people):
    return sorted(people)


def test_half_a_response_is_none(tmp_path):
    state = tmp_path / "state"

    def half(ask):
        ask.person("p9", 9)
        ask.person("p1", 1, names=["/O=Evil/CN=x"])
        ask.person("p2", 2, state=DELETE)
        ask.cut()
    with play(three, half, three) as server:
        people, _ = read(settings(server), state)
        assert names(people) == ["p1", "p2", "p3"]
        _, said = read(settings(server), state, status=6)
        assert "connection broke" in said
        people, _ = read(settings(server), state)
        assert names(people) == ["p1", "p2", "p3"]
        assert len(people["p1"].names) == 1
        assert [ask.cookie for ask in server.asked] == [None, b"one", b"one"]


@pytest.mark.parametrize("how", ["state", "info", "result", "entry", "size"])
def test_an_answer_that_is_malformed_is_none(how, tmp_path):
    state = tmp_path / "state"

    def lie(ask):
        ask.person("p9", 9)
        if how == "state":
            ask.entry("uid=a,dc=x", {"uid": ["a"]}, value=b"\x30\x03\x0a\x01")
        elif how == "info":
            ask.info(b"\xa3\x84\xff\xff\xff\xff")
        elif how == "entry":
            ask.entry("uid=a,dc=x", {"uid": ["a"]})  # without a state
        elif how == "size":
            ask.raw(b"\x30\x84\x7f\xff\xff\xff\x02\x01")
        ask.done(cookie="two", sync=how != "result")
    with play(three, lie) as server:
        read(settings(server), state)
        before = state.read_bytes()
        _, said = read(settings(server), state, status=6 if how == "size"
                       else 1)
        assert said
        assert state.read_bytes() == before


def test_who_is_present_and_who_is_not(tmp_path):
    """RFC 4533 3.3.2: a present phase, then a delete phase, then the end."""
    state = tmp_path / "state"

    def phases(ask):
        assert ask.cookie == b"one"
        ask.id_set([1], cookie="half")
        ask.entry("", {}, uuid=2, state=PRESENT)
        ask.person("p4", 4)
        ask.refresh(present=True, done=False)  # 3 is not there any more
        ask.id_set([2, 77], deletes=True)
        ask.person("p5", 5, state=MODIFY)
        ask.done(cookie="two", deletes=True)

    def deletes_only(ask):
        assert ask.cookie == b"two"
        ask.person("p1", 1, state=DELETE)
        ask.done(deletes=True)
    with play(three, phases, deletes_only) as server:
        read(settings(server), state)
        people, _ = read(settings(server), state)
        assert names(people) == ["p1", "p4", "p5"]
        people, _ = read(settings(server), state)
        assert names(people) == ["p4", "p5"]


def test_a_renamed_entry_is_the_same_person(tmp_path):
    def renamed(ask):
        ask.person("p1", 1)
        ask.refresh(present=False, cookie="x")
        ask.entry("uid=else,dc=ligo", {"uid": ["p1"]}, uuid=1, state=MODIFY)
    with play(renamed) as server, Follower(settings(server)) as follower:
        follower.wait_for("! current")
        assert follower.line().startswith("= uid=else,dc=ligo|p1|")


def test_cookies_of_several_providers(tmp_path):
    """A message says one server's CSN alone; the others still count, and
    nobody's own number is sent back."""
    state = tmp_path / "state"

    def first(ask):
        ask.person("p1", 1)
        ask.refresh(present=False,
                    cookie=f"rid=001,sid=001,csn={CSN1};{CSN2}")
        ask.person("p2", 2, cookie=f"rid=001,sid=001,csn={CSN1_LATER}")
        ask.new_cookie(f"rid=001,sid=002,csn={CSN1}")  # an older one
    with play(first, lambda ask: ask.done()) as server:
        with Follower(settings(server), state) as follower:
            follower.wait_for("! current")
            follower.wait_for("+ uid=p2")
            follower.say("quit")
            follower.process.wait()
        read(settings(server), state)
        assert server.asked[1].cookie.decode() == \
            f"rid=000,csn={CSN1_LATER};{CSN2}"


def test_a_refresh_is_required(tmp_path):
    """The cookie is worth nothing: all is asked for, and nothing shows before
    it has come."""
    state = tmp_path / "state"

    def required(ask):
        assert ask.cookie == b"one"
        ask.person("p8", 8)
        ask.done(code=4096)

    def cut(ask):
        assert ask.cookie is None
        ask.person("p9", 9)
        ask.cut()

    def whole(ask):
        ask.person("p9", 9)
        ask.done(cookie="three", deletes=True)  # and says so falsely
    with play(three, required, cut, required, whole) as server:
        read(settings(server), state)
        read(settings(server), state, status=6)
        people, _ = read(settings(server), state)
        assert names(people) == ["p9"]


def test_a_refresh_is_always_required():
    with play(lambda ask: ask.done(code=4096)) as server:
        _, said = read(settings(server), status=6)
        assert said
        assert len(server.asked) == 1


def test_a_refresh_is_required_while_following():
    def follow(ask):
        three_of(ask)
        ask.person("p7", 7)
        ask.done(code=4096)

    def three_of(ask):
        for n in (1, 2, 3):
            ask.person(f"p{n}", n)
        ask.refresh(present=True, cookie="one")

    def anew(ask):
        assert ask.cookie is None
        ask.person("p2", 2)
        ask.refresh(present=True, cookie="two")
    with play(follow, anew) as server, Follower(settings(server)) as follower:
        follower.wait_for("! current")
        assert [line[:8] for line in follower.until("! current")
                if line[0] != "!"] == ["+ uid=p7", "- uid=p1", "- uid=p3",
                                       "- uid=p7"]


def test_a_server_without_rfc_4533_is_dumped():
    def refuse(ask):
        assert ask.mode == 1
        ask.done(code=12)

    def dump(ask):
        assert ask.mode is None
        ask.entry("uid=a,dc=x", {
            "uid": ["a"],
            "entryUUID": ["597ae2f6-16a6-1027-98f4-d28b5365dc14"]})
        ask.entry("uid=b,dc=x", {"uid": ["b"]})
        ask.done()
    with play(refuse, dump) as server:
        people, _ = read(settings(server))
        assert names(people) == ["a", "b"]


@pytest.mark.parametrize("code", [3, 4, 9, 11, 50, 51, 80])
def test_a_dump_that_does_not_end_well_is_none(code):
    def dump(ask):
        ask.entry("uid=a,dc=x", {"uid": ["a"]})
        ask.done(code=code, said="no\nmore")
    with play(dump) as server:
        people, said = read(settings(server, "nosync", "page=10"), status=5
                            if code == 50 else 6)
        assert people == {}
        assert "no?more" in said


def test_pages_without_an_end_are_none():
    def page(ask):
        ask.entry("uid=a,dc=x", {"uid": ["a"]})
        ask.done()
    with play(page) as server:
        _, said = read(settings(server, "nosync", "page=10"), status=1)
        assert "RFC 2696" in said


def test_pages_go_on_with_the_servers_cookie():
    def first(ask):
        assert ask.page_cookie == b""
        ask.entry("uid=a,dc=x", {"uid": ["a"]})
        ask.page_end("more")

    def second(ask):
        assert ask.page_cookie == b"more"
        ask.entry("uid=b,dc=x", {"uid": ["b"]})
        ask.page_end("")
    with play(first, second) as server:
        people, _ = read(settings(server, "nosync", "page=1"))
        assert names(people) == ["a", "b"]


def test_referrals_are_not_followed():
    """One that leads to itself, and one that leads elsewhere."""
    with play(three) as elsewhere:
        def around(ask):
            ask.person("p1", 1)
            ask.reference(server.uri + "/ou=people,dc=ligo,dc=org??sub")
            ask.reference(elsewhere.uri + "/dc=evil")
            ask.done(cookie="one")
        with play(around) as server:
            people, said = read(settings(server))
            assert names(people) == ["p1"]
            assert said.count("is not followed") == 2
            assert server.connections == 1

        def go_away(ask):
            ask.done(code=10, referral=[elsewhere.uri + "/dc=x"])
        with play(go_away) as server:
            _, said = read(settings(server), status=6)
            assert "not followed" in said
        assert elsewhere.connections == 0


OWN = "/DC=org/DC=ligo/O=LIGO/OU=People/CN="
HOSTILE = {
    "quote": b'/O=Grid/CN=a" root',
    "newline": b"/O=Grid/CN=a\n\"/O=Evil/CN=b\" root",
    "nul": b"/O=Grid/CN=a\0b",
    "utf8": b"/O=Grid/CN=\xff\xfe",
    "overlong": b"/O=Grid/CN=\xc0\xaf",
    "backslash": b"/O=Grid/CN=a\\x22 root",
    "escape": b"/O=Grid/CN=\x1b[2J",
    "huge": b"/O=Grid/CN=" + b"x" * (1 << 20),
    "long": b"/O=Grid/CN=" + b"x" * 2000,
    "nothing": b"/",
    "half": b"subject=",
    "no name": b"subject=root",
    "unknown": b"/O=Grid/FOO=bar",
    "another's": OWN.encode() + b"victim@LIGO.ORG",
    "another's, in other letters":
        b"/dc=ORG/dc=ligo/o=ligo/ou=PEOPLE/cn=Victim@LIGO.ORG",
}


def test_hostile_names_are_named_and_left_out():
    def hostile(ask):
        for n, value in enumerate(HOSTILE.values(), 1):
            ask.person(f"p{n}", n, names=[value, "/O=Grid/CN=Good"])
        ask.person("all", 100, names=HOSTILE.values())
        ask.person("fine", 101, names=[
            "I like tea", "subject=/O=Grid/CN=Fine", b"/O=Grid/CN=J\xc3\xb6rg",
            "  subject= /O=Grid/E=a@b.c  ", OWN + "fine@LIGO.ORG", b"\xff"])
        ask.done(cookie="one")
    with play(hostile) as server:
        people, said = read(settings(server))
        assert len(people) == len(HOSTILE) + 2
        for n, what in enumerate(HOSTILE, 1):
            person = people[f"p{n}"]
            assert person.names == [OWN + f"p{n}@LIGO.ORG",
                                    "/O=Grid/CN=Good"], what
            assert f"uid=p{n},ou=people" in said
        assert people["all"].names == [OWN + "all@LIGO.ORG"]
        assert people["fine"].names == [
            OWN + "fine@LIGO.ORG", "/O=Grid/CN=Fine",
            "/O=Grid/CN=J\\xC3\\xB6rg", "/O=Grid/emailAddress=a@b.c"]
        assert said.count("skipped: ") == 2 * len(HOSTILE)
        assert "\x1b" not in said


@pytest.mark.parametrize("uid", [
    b"root,evil", b"a b", b'a"', b"#a", b"-a", b".pool", b"a\0b", b"", b"\xff",
    b"a\n", b"x" * 300])
def test_hostile_accounts_are_left_out(uid):
    def hostile(ask):
        ask.entry("uid=x\ny,dc=x", {"uid": [uid]}, uuid=1)
        ask.person("good", 2)
        ask.done()
    with play(hostile) as server:
        people, said = read(settings(server))
        assert names(people) == ["", "good"]
        assert "uid=x?y,dc=x" in said


def test_hostile_principals_make_no_subject():
    values = ["a/CN=root@LIGO.ORG", "a b@LIGO.ORG", 'a"@LIGO.ORG', "a\\b", "",
              b"a\0", b"\xc3\xb6@LIGO.ORG"]

    def hostile(ask):
        for n, value in enumerate(values, 1):
            ask.entry(f"uid=p{n},dc=x", {
                "uid": [f"p{n}"], "eduPersonPrincipalName": [value]}, uuid=n)
        ask.entry("uid=two,dc=x", {"uid": ["two"], "eduPersonPrincipalName":
                                   ["two@LIGO.ORG", "root@LIGO.ORG"]}, uuid=99)
        ask.done()
    with play(hostile) as server:
        people, said = read(settings(server))
        assert len(people) == len(values) + 1
        for person in people.values():
            assert person.names == [], person
        assert "several values" in said


def test_hostile_groups_and_too_many_of_all():
    def hostile(ask):
        ask.person("a", 1, groups=["fine", b"a\nb", b"\0", b"", "x" * 2000])
        ask.person("b", 2, groups=[f"g{n}" for n in range(12000)])
        ask.entry("uid=c," + "ou=deep," * 3000 + "dc=x", {"uid": ["c"]}, uuid=3)
        ask.done()
    with play(hostile) as server:
        people, said = read(settings(server))
        assert people["a"].groups == {"fine"}
        assert len(people["b"].groups) == 10000
        assert names(people) == ["a", "b"]
        assert "only 10000 values" in said


def test_silence_in_the_middle_of_an_answer():
    def silent(ask):
        ask.person("p1", 1)
    with play(silent) as server:
        _, said = read(settings(server, "silence=1"), status=1)
        assert "silent" in said


def test_the_next_replica_is_asked_when_one_breaks_off():
    with play(lambda ask: ask.cut()) as bad, play(three) as good:
        people, _ = read(settings(bad, servers=f"{bad.uri} {good.uri}"))
        assert names(people) == ["p1", "p2", "p3"]
        assert len(bad.asked) == 1


def test_an_entry_that_cannot_be_used_any_more_is_gone(tmp_path):
    def follow(ask):
        ask.person("p1", 1)
        ask.refresh(present=True, cookie="one")
        ask.entry("uid=p1," + "ou=deep," * 3000 + "dc=x", {"uid": ["p1"]},
                  uuid=1, state=MODIFY)
    with play(follow) as server, Follower(settings(server)) as follower:
        follower.wait_for("! current")
        assert follower.wait_for("- ").startswith("- uid=p1")


def test_an_unknown_message_says_nothing():
    def odd(ask):
        ask.send(tlv(0x79, text("1.2.3", 0x80)))
        ask.send(tlv(0x79, text("1.2.3", 0x80), text(b"\xa0\x80", 0x81)))
        ask.person("p1", 1)
        ask.raw(tlv(0x30, number(0x7777), tlv(0x65, number(0, 0x0a),
                                              text(""), text(""))))
        ask.done()
    with play(odd) as server:
        people, _ = read(settings(server))
        assert names(people) == ["p1"]
