"""signet-map sync when things go wrong: never a wrong map, never an empty one."""

import os
import signal
import socket
import subprocess
import threading
import time

import pytest

from map_ldap import ALL, FREDERIQUE, SCOTT, MapLdap, ligo, person
from map_site import EVERYBODY, SOURCE, MapSite, service, subject

RAW = "    dn certName\n"  # an attribute of bytes, whatever they are
RULES = SOURCE + service("gridftp") + EVERYBODY
PEOPLE = [FREDERIQUE, SCOTT, *ligo(30)]
NAMES = len(PEOPLE) + 2


@pytest.fixture
def ldap(tmp_path):
    with MapLdap(tmp_path / "ldap", people=PEOPLE) as directory:
        yield directory


@pytest.fixture
def followed(tmp_path, ldap):
    with MapSite(tmp_path / "site", RULES, ldap=ldap.uri) as s:
        s.start()
        s.wait_log("map-ready")
        s.wait(lambda: len(s.map("gridftp")) == NAMES)
        yield s


class Watch(threading.Thread):
    """Looks at a map all the time: it is there, whole, and never smaller than
    it may be."""

    def __init__(self, site, least=NAMES):
        super().__init__(daemon=True)
        self.site, self.least, self.looks, self.wrong = site, least, 0, None
        self.over = threading.Event()

    def run(self):
        while not self.over.is_set() and self.wrong is None:
            found = self.site.map("gridftp")
            self.looks += 1
            if len(found) < self.least:
                self.wrong = found

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, kind, *_):
        self.over.set()
        self.join()
        if kind is None:
            assert self.wrong is None, self.wrong
            assert self.looks > 0


def newcomer(number):
    return person(number, f"new.comer{number}", groups=[ALL])


def see(site, ldap, number):
    """A change still arrives."""
    ldap.add(newcomer(number))
    site.wait(lambda: subject(f"new.comer{number}") in site.map("gridftp"),
              seconds=30)


def test_a_provider_that_is_restarted_is_followed_on(followed, ldap):
    with Watch(followed):
        for number in (901, 902):
            ldap.restart()
            see(followed, ldap, number)


def test_a_provider_that_is_killed_is_followed_on(followed, ldap):
    with Watch(followed):
        ldap.kill()
        time.sleep(0.3)
        assert len(followed.map("gridftp")) == NAMES
        ldap.start()
        see(followed, ldap, 903)


def test_a_directory_made_anew_has_other_cookies_and_the_same_people(
        followed, ldap):
    with Watch(followed, NAMES - 1):
        ldap.lose(people=[*PEOPLE[:-1], newcomer(904)])
        followed.wait(lambda: subject("new.comer904")
                      in followed.map("gridftp"), seconds=30)
    gone = subject("albert.einstein30")
    followed.wait(lambda: gone not in followed.map("gridftp"))
    assert len(followed.map("gridftp")) == NAMES


def test_a_cookie_that_is_lost_costs_a_refresh(tmp_path, ldap):
    with MapSite(tmp_path / "site", RULES, ldap=ldap.uri) as s:
        s.once()
        ldap.delete(1)
        (s.state / "roster.state").unlink()
        s.once()
        assert subject("albert.einstein1") not in s.map("gridftp")
        assert len(s.map("gridftp")) == NAMES - 1
        # One that is no state is as none, and said.
        (s.state / "roster.state").write_bytes(b"\x00rubbish" * 100)
        ldap.delete(2)
        done = s.once()
        assert "map-state-bad" in done.stderr
        assert len(s.map("gridftp")) == NAMES - 2


def test_a_server_that_falls_silent_changes_nothing(followed, ldap):
    with Watch(followed):
        ldap.freeze()
        time.sleep(1)
        ldap.thaw()
        see(followed, ldap, 905)


def test_with_every_server_away_the_last_map_stays(tmp_path, ldap):
    with MapSite(tmp_path / "site", RULES, ldap=ldap.uri,
                 settings=["alarm-after 1s"]) as s:
        s.once()
        text = s.text("gridftp")
        ldap.stop()
        time.sleep(2.1)
        done = s.once(status=9)
        assert "source could not be read" in done.stderr
        assert s.text("gridftp") == text
        alarms = s.status()["alarms"]
        assert [a["what"] for a in alarms] == ["source ligo"]
        nagios = s.run("status", "--nagios")
        assert nagios.returncode == 2
        assert nagios.stdout.startswith("SIGNET-MAP CRITICAL - source ligo")
        # A ban needs no server.
        s.rules(RULES + "ban person scott.koranda@LIGO.ORG\n")
        s.once(status=9)
        assert subject("scott.koranda") not in s.map("gridftp")
        assert len(s.map("gridftp")) == NAMES - 2
        ldap.start()
        s.once()
        assert s.status()["alarms"] == []


def test_without_a_first_word_from_each_source_nothing_is_written(tmp_path,
                                                                 ldap):
    old = '"/CN=somebody of before" before\n'
    with MapSite(tmp_path / "site", RULES, ldap=ldap.uri) as s:
        s.path("gridftp").write_text(old)
        ldap.stop()
        done = s.once(status=9)
        assert "nothing is written" in done.stderr
        assert s.text("gridftp") == old
        ldap.start()
        s.once()
        assert len(s.map("gridftp")) == NAMES


def test_a_source_that_is_silent_too_long_is_withdrawn(tmp_path, ldap):
    rules = (RULES.replace("    groups isMemberOf",
                           "    groups isMemberOf\n    max-age 2s") +
             "source static file {dir}/static\nsplice s\n    from static\n")
    with MapSite(tmp_path / "site", rules, ldap=ldap.uri) as s:
        s.write("static", '"/CN=Static" static\n')
        s.once()
        assert len(s.map("gridftp")) == NAMES + 1
        ldap.stop()
        time.sleep(3.1)
        s.once(status=9)
        assert s.map("gridftp") == {"/CN=Static": ["static"]}
        ldap.start()
        s.once()
        assert len(s.map("gridftp")) == NAMES + 1


class HalfWay(threading.Thread):
    """Stands between, and hangs up after so many bytes of an answer."""

    def __init__(self, port, most):
        super().__init__(daemon=True)
        self.port, self.most = port, most
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.uri = f"ldap://127.0.0.1:{self.listener.getsockname()[1]}"
        self.start()

    def run(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.port))
            left = self.most
            client.settimeout(0.02)
            server.settimeout(0.02)
            try:
                while left > 0:
                    for one, other in ((client, server), (server, client)):
                        try:
                            data = one.recv(4096)
                        except TimeoutError:
                            continue
                        if not data:
                            left = 0
                        if one is server:
                            data = data[:left]
                            left -= len(data)
                        other.sendall(data)
            except OSError:
                pass
            client.close()
            server.close()


@pytest.mark.parametrize("most", [200, 2000, 6000])
def test_half_an_answer_is_none(tmp_path, ldap, most):
    with MapSite(tmp_path / "site", RULES, ldap=ldap.uri) as s:
        s.once()
        text = s.text("gridftp")
        half = HalfWay(ldap.port, most)
        ldap.lose(people=PEOPLE[:-3])
        s.rules(RULES.replace("{ldap}", half.uri))
        done = s.once(status=9)
        assert "source could not be read" in done.stderr
        assert s.text("gridftp") == text
        s.rules(RULES)
        s.once()
        assert len(s.map("gridftp")) == NAMES - 3
        half.listener.close()


def test_a_second_server_stands_in_for_the_first(tmp_path, ldap):
    with MapLdap(tmp_path / "second", people=PEOPLE) as second:
        both = f"{ldap.uri} {second.uri}"
        with MapSite(tmp_path / "site", RULES, ldap=both) as s:
            s.start()
            s.wait_log("map-ready")
            ldap.stop()
            second.add(newcomer(906))
            s.wait(lambda: subject("new.comer906") in s.map("gridftp"),
                   seconds=30)
            assert len(s.map("gridftp")) == NAMES + 1


# Shrinks.

def test_a_shrink_is_held_until_somebody_confirms_it(tmp_path, ldap):
    with MapSite(tmp_path / "site", RULES, ldap=ldap.uri) as s:
        s.once()
        ldap.lose(people=PEOPLE[:10])
        done = s.once(status=9)
        assert "a shrink waits" in done.stderr
        assert len(s.map("gridftp")) == NAMES
        assert s.status()["services"][0]["held"]
        # A ban goes through all the same.
        s.rules(RULES + "ban person scott.koranda@LIGO.ORG\n")
        s.once(status=9)
        assert len(s.map("gridftp")) == NAMES - 2
        assert not s.look("gridftp", subject("scott.koranda"))
        # Of a service that there is not: nothing is confirmed.
        assert "no service gridftq" in s.once("--confirm", "gridftq",
                                              status=3).stderr
        s.once("--confirm", "gridftp")
        assert len(s.map("gridftp")) == 10
        assert not s.status()["services"][0]["held"]


def test_a_shrink_in_small_steps_is_held_too(followed, ldap):
    for number in range(1, 25):
        ldap.delete(number)
    followed.wait_log("map-held")
    # 20 % of what there was, and no more.
    assert len(followed.map("gridftp")) >= NAMES * 0.8 - 1
    done = followed.run("sync", "--confirm", "gridftp gridftq")
    assert done.returncode == 3 and "no service gridftq" in done.stderr
    assert followed.run("sync", "--confirm", "gridftp").returncode == 0
    followed.wait(lambda: len(followed.map("gridftp")) == NAMES - 24)


def test_a_held_map_that_recovers_needs_nobody(followed, ldap):
    ldap.lose(people=PEOPLE[:5])
    followed.wait_log("map-held", seconds=30)
    assert len(followed.map("gridftp")) == NAMES
    ldap.lose(people=[*PEOPLE, newcomer(907)])
    followed.wait(lambda: subject("new.comer907") in followed.map("gridftp"),
                  seconds=30)
    assert len(followed.map("gridftp")) == NAMES + 1


# Crashes and disks.

def test_killed_at_any_moment_the_map_is_whole(tmp_path, ldap):
    with MapSite(tmp_path / "site", RULES, ldap=ldap.uri) as s:
        s.once()
        with Watch(s, NAMES - 1):
            for number in range(20 if os.environ.get("SIGNET_LONG") != "yes"
                                else 200):
                ldap.modify(7, replace={
                    "description": [f"/O=Kill/CN=Number {number}"]})
                run = subprocess.Popen(s.command("sync", "--once"),
                                       stderr=subprocess.DEVNULL)
                try:
                    run.wait(timeout=0.002 * (number % 20) + 0.001)
                except subprocess.TimeoutExpired:
                    run.send_signal(signal.SIGKILL)
                run.wait()
        s.once()
        last = f"/O=Kill/CN=Number {number}"
        assert s.map("gridftp")[last] == ["albert.einstein7"]
        assert s.look("gridftp", last) == ["albert.einstein7"]
        assert len(s.map("gridftp")) == NAMES + 1
        check = subprocess.run(
            [s.command("sync")[0].replace("-sync", ""), "history", "check",
             "--config", f"{s.dir}/map.conf"], capture_output=True, text=True)
        assert check.returncode == 0, check.stderr


def test_two_at_once_are_one(followed):
    done = followed.run("sync", "--once")
    assert done.returncode == 1
    assert "another signet-map sync" in done.stderr


def test_a_file_that_may_not_grow_leaves_the_old_map(tmp_path, ldap):
    """As a full disk says it: EFBIG at some point of the writing."""
    import resource

    with MapSite(tmp_path / "site", RULES, ldap=ldap.uri) as s:
        s.once()
        text = s.text("gridftp")
        ldap.add(*[newcomer(n) for n in range(1000, 1010)])
        for most in (100, 1000, 3000, 4000):
            done = s.run("sync", "--once", preexec_fn=lambda: (
                resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))))
            assert done.returncode == 9 or "history" in done.stderr
            assert s.text("gridftp") == text
            assert len(s.look("gridftp", subject("scott.koranda"))) == 1
        s.once()
        assert len(s.map("gridftp")) == NAMES + 10


# What a directory may say.

HOSTILE = [
    '/O=X/CN=quote" root', "/O=X/CN=new\nline", b"/O=X/CN=nul\x00byte",
    b"/O=X/CN=\xff\xfe", "no name at all", "/", "/O=", "subject=",
    "/O=X/CN=a\t# root", "/O=X/CN=" + "a" * 1000000,
]


def test_hostile_values_are_named_and_harm_nobody(tmp_path, ldap):
    rules = RULES.replace("    dn description\n", RAW)
    with MapSite(tmp_path / "site", rules, ldap=ldap.uri) as s:
        s.once()
        before = s.map("gridftp")
        for number, value in enumerate(HOSTILE):
            dn, attributes = newcomer(2000 + number)
            attributes["certName"] = [value]
            ldap.add((dn, attributes))
        for number, uid in enumerate(["root", "a,b", "-x", "#c", "a b", '"q"']):
            dn, attributes = newcomer(2100 + number)
            attributes["uid"] = [uid]
            ldap.add((dn, attributes))
        done = s.once("--verbose")
        found = s.map("gridftp")
        assert {k: found[k] for k in before} == before
        new = {k: v for k, v in found.items() if k not in before}
        # Each has the name the SLCS would write, if his account is one.
        assert set(new) == {subject(f"new.comer{2000 + n}")
                            for n in range(len(HOSTILE))}
        assert "root" not in {a for v in found.values() for a in v}
        for number in (0, 1, 2, 3):
            assert f"employeeNumber={2000 + number}" in done.stderr, number


def test_names_that_look_alike_do_not_take_each_others_place(tmp_path, ldap):
    victim = "/O=GRID-FR/C=FR/O=CNRS/OU=LAPP/CN=Frederique Marion"
    rules = RULES.replace("    dn description\n", RAW)
    ldap.modify(1232, add={"certName": [victim]})
    with MapSite(tmp_path / "site", rules, ldap=ldap.uri) as s:
        s.once()
        dn, attributes = newcomer(2200)
        attributes["certName"] = [
            victim, victim.upper(), victim.replace("/CN=", "/cn="),
            subject("scott.koranda"), victim + "/CN=proxy"]
        ldap.add((dn, attributes))
        said = s.once("--verbose").stderr
        found = s.map("gridftp")
        assert found[victim] == ["frederique.marion"]
        assert found[subject("scott.koranda")] == ["scott.koranda"]
        assert s.look("gridftp", victim.upper()) == ["frederique.marion"]
        assert s.status()["services"][0]["conflicts"] == 1
        # What the site's own CA writes comes from a principal alone.
        assert "claims a subject of the site's own CA" in said
