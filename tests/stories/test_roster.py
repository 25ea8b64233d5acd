"""Who there is, as a real directory has it: read whole, in pages, followed."""

import shutil
import subprocess

import pytest

from map_ldap import (ALL, FREDERIQUE, GROUPS, PEOPLE, READER,
                      READER_PASSWORD, SCOTT, MapLdap, group, group_dn, ligo,
                      person, person_dn)
from roster_follower import Follower, read, settings

EINSTEIN = "albert.einstein1"


@pytest.fixture
def site(tmp_path):
    with MapLdap(tmp_path / "ldap",
                 people=[FREDERIQUE, SCOTT, *ligo(30)]) as directory:
        yield directory


def test_the_seeds_entry(site):
    people, said = read(settings(site))
    frederique = people["frederique.marion"]
    assert frederique.names == [
        "/DC=org/DC=ligo/O=LIGO/OU=People/CN=frederique.marion@LIGO.ORG",
        "/O=GRID-FR/C=FR/O=CNRS/OU=LAPP/CN=Frederique Marion"]
    assert frederique.groups == {ALL, "Communities:Virgo"}
    assert frederique.where == person_dn(1232)
    assert len(people) == 32
    assert said == ""


@pytest.mark.parametrize("how", [[], ["page=7"], ["nosync"],
                                 ["nosync", "page=7"], ["starttls"]])
def test_every_way_of_reading_gives_the_same(site, how):
    words = settings(site, *how, f"ca_file={site.ca_file}",
                     servers=site.uri.replace("127.0.0.1", "localhost"))
    people, said = read(words)
    assert len(people) == 32
    assert people["scott.koranda"].groups == {ALL, "Communities:LSC"}
    assert said == ""


def test_a_server_with_a_limit_is_read_in_pages(tmp_path):
    """Half of the people is no answer."""
    with MapLdap(tmp_path / "l", people=ligo(1100), sizelimit=500,
                 limits="limits anonymous size.prtotal=unlimited") as limited:
        people, _ = read(settings(limited))
        assert len(people) == 1100
        people, _ = read(settings(limited, "nosync"))
        assert len(people) == 1100


def test_a_server_with_a_limit_for_pages_too_gives_nothing(tmp_path):
    with MapLdap(tmp_path / "l", people=ligo(1100), sizelimit=500) as limited:
        people, said = read(settings(limited), status=6)
        assert people == {}
        assert "Size limit exceeded" in said


def test_secrets_go_over_tls_alone(site, tmp_path):
    password = tmp_path / "password"
    password.write_text(READER_PASSWORD + "\n")
    password.chmod(0o600)
    bind = ["bind=simple", f"bind_dn={READER}", f"password_file={password}"]
    words = [word for word in settings(site, *bind) if word != "plain"]
    _, said = read(words, status=78)
    assert "has no TLS" in said
    tls = [word for word in settings(
        site, *bind, f"ca_file={site.ca_file}",
        servers=site.ldaps.replace("127.0.0.1", "localhost"))
        if word != "plain"]
    people, _ = read(tls)
    assert len(people) == 32
    password.chmod(0o644)
    _, said = read(tls, status=8)
    assert "chmod" in said
    password.chmod(0o600)
    password.write_text("wrong\n")
    _, said = read(tls, status=5)
    assert "Invalid credentials" in said


def test_a_server_with_another_certificate_is_not_believed(site, tmp_path):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=other", "-keyout",
         "k.pem", "-out", "other.pem"], cwd=tmp_path, check=True,
        capture_output=True)
    _, said = read([*settings(site, f"ca_file={tmp_path}/other.pem",
                              servers=site.ldaps)], status=7)
    assert "certificate" in said
    _, said = read(settings(site, f"ca_file={tmp_path}/other.pem", "starttls"),
                   status=7)
    assert "certificate" in said


def test_replicas_in_order(site, tmp_path):
    with MapLdap(tmp_path / "second", provider=site) as second:
        both = f"{site.uri} {second.uri}"
        site.stop()
        people, _ = read(settings(site, servers=both))
        assert len(people) == 32


def test_groups_name_their_members_and_each_other(tmp_path):
    groups = [group("lsc", [person_dn(212), group_dn("virgo")]),
              group("virgo", [person_dn(1232), group_dn("loop")]),
              # Around and around, and in itself.
              group("loop", [group_dn("lsc"), group_dn("loop"),
                             person_dn(1)]),
              group("far", [group_dn("loop")]),
              # As another would spell it.
              group("odd", ["EMPLOYEENUMBER=2 , OU=People,dc=LIGO, dc=org",
                            "employeeNumber=99,ou=people,dc=ligo,dc=org"])]
    with MapLdap(tmp_path / "l", people=[FREDERIQUE, SCOTT, *ligo(3)],
                 groups=groups) as directory:
        people, _ = read(settings(directory, "groups=member"))
        around = {"lsc", "virgo", "loop", "far"}
        assert people["scott.koranda"].groups == {"lsc", "loop", "virgo",
                                                  "far"}
        assert people["frederique.marion"].groups == around
        assert people[EINSTEIN].groups == around
        assert people["albert.einstein2"].groups == {"odd"}
        assert people["albert.einstein3"].groups == set()


def test_members_are_followed(tmp_path):
    with MapLdap(tmp_path / "l", people=ligo(4), groups=[
            group("inner", [person_dn(1)]),
            group("outer", [group_dn("inner")])]) as directory:
        with Follower(settings(directory, "groups=member")) as follower:
            follower.wait_for("! current")
            directory.modify(group_dn("inner"),
                             add={"member": [person_dn(2)]})
            assert "einstein2" in follower.wait_for("= ")
            directory.modify(group_dn("outer"),
                             delete={"member": [group_dn("inner")]},
                             add={"member": [person_dn(3)]})
            lines = sorted(follower.wait_for("= ") for _ in range(3))
            assert ["inner", "inner", "outer"] == [
                line.split("|")[3] for line in lines]
            directory.delete(group_dn("inner"))
            follower.wait_for("= ")
            follower.wait_for("= ")
            everyone = follower.everyone()
            assert everyone["albert.einstein3"].groups == {"outer"}
            assert everyone[EINSTEIN].groups == set()
            directory.add(person(7, "new.one"), group("late", [person_dn(7)]))
            follower.wait_for("= ")
            assert follower.everyone()["new.one"].groups == {"late"}


def test_groups_named_by_dn_and_nested(tmp_path):
    inner, outer = group_dn("inner"), group_dn("outer")
    people = [person(1, "one.one", groupDN=[inner]),
              person(2, "two.two", groupDN=[outer])]
    with MapLdap(tmp_path / "l", people=people, groups=[
            group("inner"), group("outer", [inner])]) as directory:
        words = settings(directory, "groups=memberOf",
                         "group_attribute=groupDN")
        found, _ = read(words)
        assert found["one.one"].groups == {inner}
        found, _ = read([*words, f"group_base={GROUPS}"])
        assert found["one.one"].groups == {inner, outer}
        assert found["two.two"].groups == {outer}
        found, _ = read(settings(directory, "groups=memberOf"))
        assert found["one.one"].groups == set()


def test_what_changes_is_followed(site):
    with Follower(settings(site)) as follower:
        assert len(follower.until("! current")) >= 32
        site.modify(1, add={"description": ["subject=/O=Grid/CN=Albert"]})
        assert follower.line().endswith("|/O=Grid/CN=Albert")
        site.delete(2)
        assert follower.line().startswith("- " + person_dn(2))
        site.add(person(99, "new.comer"))
        assert follower.line().startswith("+ " + person_dn(99))
        site.rename(3, "employeeNumber=333")
        assert follower.line().startswith("= " + person_dn(333))
        site.modify(1, add={"title": ["nothing to us"]})
        site.leave(4, ALL)
        assert follower.line().startswith("= " + person_dn(4))
        assert len(follower.everyone()) == 32


def test_who_leaves_the_filter_is_gone(site):
    words = settings(site, f"filter=(isMemberOf={ALL})")
    with Follower(words) as follower:
        follower.wait_for("! current")
        site.leave(5, ALL)
        assert follower.line().startswith("- " + person_dn(5))
        site.join(5, ALL)
        assert follower.line().startswith("+ " + person_dn(5))
        site.rename(6, "employeeNumber=6", under=GROUPS)
        assert follower.line().startswith("- " + person_dn(6))


def test_only_what_changed_is_asked_for(site, tmp_path):
    """The cookie and the people are in one file."""
    state = tmp_path / "state"
    read(settings(site), state)
    assert state.stat().st_mode & 0o777 == 0o600
    site.modify(1, add={"description": ["/O=Grid/CN=Albert"]})
    site.delete(2)
    people, _ = read(settings(site), state)
    assert len(people) == 31
    assert "/O=Grid/CN=Albert" in people[EINSTEIN].names
    with Follower(settings(site), state) as follower:
        # Nothing has changed since.
        assert follower.until("! current") == [
            f"! connecting {site.uri}", f"! refreshing {site.uri}"]


def test_a_provider_that_has_forgotten_who_went(tmp_path):
    """Without a session log it tells who is still there, not who went."""
    state = tmp_path / "state"
    with MapLdap(tmp_path / "l", people=ligo(50), sessionlog=1) as directory:
        read(settings(directory), state)
        directory.delete(*range(1, 21))
        directory.modify(30, add={"description": ["/O=Grid/CN=A"]})
        people, _ = read(settings(directory), state)
        assert len(people) == 30
        assert len(people["albert.einstein30"].names) == 2


def test_a_provider_that_restarts(site):
    with Follower(settings(site)) as follower:
        follower.wait_for("! current")
        site.stop()
        follower.wait_for("! lost")
        assert len(follower.everyone()) == 32
        site.start()
        follower.say("retry")
        changes = follower.until("! current")
        assert not [line for line in changes if line[0] in "+-="]
        site.kill()
        follower.wait_for("! lost")
        site.start()
        site.delete(1)
        follower.say("retry")
        assert follower.wait_for("- ").startswith("- " + person_dn(1))


def test_a_provider_whose_database_was_lost(site, tmp_path):
    """The same people under other entryUUIDs; the cookie says nothing."""
    state = tmp_path / "state"
    read(settings(site), state)
    with Follower(settings(site), state) as follower:
        follower.wait_for("! current")
        site.lose(people=[FREDERIQUE, *ligo(10)])
        follower.wait_for("! current")
        assert set(follower.everyone()) == {
            "frederique.marion", *(f"albert.einstein{n}"
                                   for n in range(1, 11))}


def test_a_provider_that_is_empty_is_no_answer(site, tmp_path):
    """No base, nobody: that is a fault of the directory, not of everyone."""
    with Follower(settings(site)) as follower:
        follower.wait_for("! current")
        site.stop()
        shutil.rmtree(f"{site.dir}/db")
        (tmp_path / "ldap" / "db").mkdir()
        follower.wait_for("! lost")
        site.start()
        follower.say("retry")
        assert "No such object" in follower.wait_for("! lost")
        assert len(follower.everyone()) == 32


def test_a_backup_of_last_week(site, tmp_path):
    """A provider that is older than our cookie."""
    ldif = subprocess.run(["/usr/sbin/slapcat", "-f", site.conf],
                          capture_output=True, text=True, check=True).stdout
    state = tmp_path / "state"
    site.modify(1, add={"description": ["/O=Grid/CN=Albert"]})
    site.add(person(77, "later.one"))
    people, _ = read(settings(site), state)
    assert len(people) == 33
    site.stop()
    shutil.rmtree(f"{site.dir}/db")
    (tmp_path / "ldap" / "db").mkdir()
    subprocess.run(["/usr/sbin/slapadd", "-q", "-f", site.conf], input=ldif,
                   text=True, check=True, capture_output=True)
    site.start()
    people, _ = read(settings(site), state)
    assert len(people) == 32
    assert len(people[EINSTEIN].names) == 1


def test_another_replica_is_asked_for_everything(site, tmp_path):
    """Its cookie is its own; what it says is compared, not added."""
    state = tmp_path / "state"
    with MapLdap(tmp_path / "second", people=[SCOTT, *ligo(5)]) as other:
        both = f"{site.uri} {other.uri}"
        people, _ = read(settings(site, servers=both), state)
        assert len(people) == 32
        site.stop()
        people, _ = read(settings(site, servers=both), state)
        assert len(people) == 6
        site.start()
        people, _ = read(settings(site, servers=both), state)
        assert len(people) == 32


def test_other_settings_ask_for_everything(site, tmp_path):
    state = tmp_path / "state"
    read(settings(site), state)
    people, _ = read(settings(site, "filter=(uid=scott.koranda)"), state)
    assert list(people) == ["scott.koranda"]


def test_a_server_that_freezes(site):
    with Follower(settings(site, "silence=1", "connect=1")) as follower:
        follower.wait_for("! current")
        site.restart()
        site.freeze()
        follower.wait_for("! lost")
        assert len(follower.everyone()) == 32
        site.thaw()
        follower.say("retry")
        follower.wait_for("! current")
        assert len(follower.everyone()) == 32


def test_it_is_killed_at_any_time(site, tmp_path):
    """The state is that of before, and the next one goes on from there."""
    state = tmp_path / "state"
    read(settings(site), state)
    for number in range(1, 11):
        with Follower(settings(site), state) as follower:
            follower.wait_for("! current")
            site.delete(number)
            follower.wait_for("- ")
            follower.say("save")
            if number % 2:
                follower.wait_for("! saved")
            follower.kill()
    people, said = read(settings(site), state)
    assert len(people) == 22
    assert said == ""


def test_a_state_that_is_damaged_is_none(site, tmp_path):
    state = tmp_path / "state"
    read(settings(site), state)
    whole = state.read_bytes()
    for cut in (whole[:-1], whole[:40], b"", whole[:200] + b"x" + whole[201:]):
        state.write_bytes(cut)
        people, said = read(settings(site), state)
        assert len(people) == 32
        assert "state: " in said


def test_a_directory_that_cannot_be_followed_is_dumped(tmp_path):
    with MapLdap(tmp_path / "l", people=ligo(5), sync=False) as directory:
        with Follower(settings(directory)) as follower:
            follower.wait_for("! waiting")
            directory.delete(1)
            follower.say("retry")
            assert follower.wait_for("- ").startswith("- " + person_dn(1))
            follower.wait_for("! waiting")
            assert len(follower.everyone()) == 4
