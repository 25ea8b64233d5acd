"""signet-map sync against a real slapd: the seed's examples, files for each host
and service, and what befalls people."""

import re

import pytest

from map_ldap import (ALL, FREDERIQUE, SCOTT, MapLdap, ligo, person,
                      person_dn)
from map_site import EVERYBODY, SOURCE, MapSite, service, subject

SEED_LINE = ('"/O=GRID-FR/C=FR/O=CNRS/OU=LAPP/CN=Frederique Marion" '
             'frederique.marion')
STATIC = '''\
# kept by hand
"/DC=org/DC=doegrids/OU=People/CN=Old Timer 77" oldtimer
"/DC=org/DC=doegrids/OU=People/CN=Scott Koranda 212488" skoranda
'''


@pytest.fixture(scope="module")
def ldap(tmp_path_factory):
    """Each story has people of its own in one directory."""
    people = [FREDERIQUE, SCOTT, *ligo(40)]
    with MapLdap(tmp_path_factory.mktemp("ldap"), people=people) as directory:
        yield directory


def site(tmp_path, ldap, rules, **more):
    return MapSite(tmp_path / "site", SOURCE + rules, ldap=ldap.uri, **more)


def test_the_seeds_entry_gives_the_seeds_line(tmp_path, ldap):
    with site(tmp_path, ldap, service("gridftp") + EVERYBODY) as s:
        s.once()
        lines = s.text("gridftp").split("\n")
        assert SEED_LINE in lines
        # Beside it, not instead of it, what the SLCS writes.
        assert f'"{subject("frederique.marion")}" frederique.marion' in lines
        assert all(line.startswith(('"', "#")) or not line for line in lines)
        assert s.look("gridftp", "/O=GRID-FR/C=FR/O=CNRS/OU=LAPP/"
                      "CN=Frederique Marion") == ["frederique.marion"]


HOSTS = (service("gridftp") + service("gsissh") + '''\
map operators
    hosts ldas-cit.ligo.caltech.edu
    services gsissh
    from ligo
    groups "Communities:Group1" "Communities:Group2"
map subnet
    hosts 131.215.115.0/24 fd00:5::/64
    services gridftp
    from ligo
    groups "Communities:LSC"
map all
    hosts ldas-grid.*.caltech.edu
    from ligo
    groups "Services:LDG:AllUsers"
''')


@pytest.mark.parametrize("host,address,gridftp,gsissh", [
    ("ldas-cit.ligo.caltech.edu", "10.0.0.1", [], [1, 2, 11, 12, 21, 22, 31,
                                                  32]),
    ("ldas-grid.ligo.caltech.edu", "10.0.0.2", "all", "all"),
    ("node7.ligo.caltech.edu", "131.215.115.7", ["scott.koranda"], []),
    ("node8.ligo.caltech.edu", "fd00:5::8", ["scott.koranda"], []),
    ("node9.ligo.caltech.edu", "131.215.116.7", [], []),
])
def test_one_file_of_rules_and_each_host_takes_its_part(
        tmp_path, ldap, host, address, gridftp, gsissh):
    with site(tmp_path, ldap, HOSTS, host=host, address=address) as s:
        s.once()
        for name, wanted in (("gridftp", gridftp), ("gsissh", gsissh)):
            people = {a for accounts in s.map(name).values()
                      for a in accounts}
            if wanted == "all":
                assert len(people) == 42
                continue
            assert people == {f"albert.einstein{w}" if isinstance(w, int)
                              else w for w in wanted}


def test_a_static_file_is_spliced_in_and_retired(tmp_path, ldap):
    rules = (service("gridftp") + "source static file {dir}/static\n" +
             "splice old\n    from static\n    priority before\n" + EVERYBODY)
    with site(tmp_path, ldap, rules) as s:
        s.write("static", STATIC)
        s.once()
        found = s.map("gridftp")
        old = "/DC=org/DC=doegrids/OU=People/CN="
        assert found[f"{old}Old Timer 77"] == ["oldtimer"]
        # The site's own line comes first; the directory's says otherwise.
        assert found[f"{old}Scott Koranda 212488"] == ["skoranda"]
        s.rules(SOURCE + rules.replace("before", "after"))
        s.once()
        assert s.map("gridftp")[f"{old}Scott Koranda 212488"] == \
            ["scott.koranda"]
        s.write("static", "# nobody is left\n")
        s.once()
        assert f"{old}Old Timer 77" not in s.map("gridftp")
        assert s.map("gridftp")[subject("scott.koranda")] == ["scott.koranda"]


def someone(number):
    return person(number, f"maria.smith{number}", groups=[ALL, "Guests"],
                  names=[f"/C=DE/O=GermanGrid/CN=Maria Smith {number}"])


def befall(s, ldap, number, right):
    """Let what can happen to a person happen, and see ${right} of the map each
    time: right(names that must be there, names that must not)."""
    slcs = subject(f"maria.smith{number}")
    own = f"/C=DE/O=GermanGrid/CN=Maria Smith {number}"
    ldap.add(someone(number))
    right([slcs, own], [])
    ldap.leave(number, ALL)
    right([], [slcs, own])
    ldap.join(number, ALL)
    right([slcs, own], [])
    ldap.modify(number, replace={"description": ["subject=/O=New/CN=Maria"]})
    right([slcs, "/O=New/CN=Maria"], [own])
    # Renamed in the directory: it is the same person still.
    ldap.rename(number, f"employeeNumber={number + 1000}")
    right([slcs, "/O=New/CN=Maria"], [])
    dn = person_dn(number + 1000)
    ldap.modify(dn, replace={
        "uid": [f"maria.jones{number}"],
        "eduPersonPrincipalName": [f"maria.jones{number}@LIGO.ORG"]})
    right([subject(f"maria.jones{number}"), "/O=New/CN=Maria"], [slcs])
    ban = f"person maria.jones{number}@LIGO.ORG because \"stolen key\"\n"
    s.write("bans", ban)
    right([], [subject(f"maria.jones{number}"), "/O=New/CN=Maria"])
    s.write("bans", "")
    right([subject(f"maria.jones{number}")], [])
    ldap.delete(dn)
    right([], [subject(f"maria.jones{number}"), "/O=New/CN=Maria"])


PEOPLE_RULES = (service("gridftp") + service("gsissh") +
                "bans {dir}/bans\n" + EVERYBODY)


def test_whatever_befalls_a_person_is_in_every_map_by_sync(tmp_path, ldap):
    with site(tmp_path, ldap, PEOPLE_RULES) as s:
        s.start()
        s.wait_log("map-ready")

        def right(there, away):
            for name in ("gridftp", "gsissh"):
                # The issue allows two seconds; a loaded machine some more.
                s.wait(lambda: set(there) <= set(s.map(name)) and
                       not set(away) & set(s.map(name)))
                for dn in there:
                    assert s.look(name, dn)
                for dn in away:
                    assert not s.look(name, dn)
            assert len(s.map("gridftp")) >= 44

        befall(s, ldap, 501, right)


def test_whatever_befalls_a_person_is_in_every_map_after_a_run(tmp_path,
                                                               ldap):
    with site(tmp_path, ldap, PEOPLE_RULES) as s:
        s.once()

        def right(there, away):
            s.once()
            for name in ("gridftp", "gsissh"):
                assert set(there) <= set(s.map(name))
                assert not set(away) & set(s.map(name))

        befall(s, ldap, 601, right)


def test_what_did_not_change_is_not_written(tmp_path, ldap):
    with site(tmp_path, ldap, service("gridftp") + EVERYBODY) as s:
        s.once()
        before = s.path("gridftp").stat()
        index = (s.dir / "gridftp.map.index").stat()
        s.once()
        after = s.path("gridftp").stat()
        assert (before.st_ino, before.st_mtime_ns) == \
            (after.st_ino, after.st_mtime_ns)
        assert index.st_ino == (s.dir / "gridftp.map.index").stat().st_ino
        # What somebody put there by hand does not stay.
        with s.path("gridftp").open("a") as text:
            text.write('"/CN=Mallory" root\n')
        s.path("gridftp").chmod(0o666)
        s.once()
        assert "Mallory" not in s.text("gridftp")
        assert s.path("gridftp").stat().st_mode & 0o777 == 0o644


def test_the_history_says_who_could_use_what(tmp_path, ldap):
    with site(tmp_path, ldap, service("gridftp") + EVERYBODY) as s:
        ldap.add(someone(701))
        s.once()
        ldap.delete(701)
        s.once()
        lines = [line.split("\t") for line in
                 (s.state / "history").read_text().split("\n") if line]
        hers = [(f[2], f[4], f[8]) for f in lines if f[4] == "maria.smith701"]
        slcs = subject("maria.smith701")
        own = "/C=DE/O=GermanGrid/CN=Maria Smith 701"
        assert sorted(hers) == sorted([
            ("+", "maria.smith701", slcs), ("+", "maria.smith701", own),
            ("-", "maria.smith701", slcs), ("-", "maria.smith701", own)])
        assert all(re.fullmatch("[0-9a-f]{64}", f[0]) for f in lines)


SITES = ["cit", "mit", "llo", "lho", "uwm", "psu", "aei", "cardiff", "iucaa",
         "virgo"]


def ten_sites():
    """One file of rules for ten sites: each takes its own people, and those
    who may go everywhere."""
    text = service("gridftp") + "bans {dir}/bans\n"
    for name in SITES:
        text += (f"map {name}\n    hosts *.{name}.example.org\n    from ligo\n"
                 f'    groups "Sites:{name}" "Everywhere"\n')
    return text


def test_ten_sites_have_a_change_each_in_its_own_map(tmp_path):
    people = [person(n, f"member{n}", groups=[f"Sites:{SITES[n % 10]}"])
              for n in range(100)]
    people.append(person(200, "wanderer", groups=["Everywhere"]))
    mover = subject("member7")
    assert SITES[7] == "cardiff"
    with MapLdap(tmp_path / "ldap", people=people) as ldap:
        sites = {name: site(tmp_path / name, ldap, ten_sites(),
                            host=f"grid.{name}.example.org")
                 for name in SITES}
        try:
            for one in sites.values():
                one.start()
            for one in sites.values():
                one.wait(lambda: len(one.map("gridftp")) == 11)

            def has_mover(*where):
                for name, one in sites.items():
                    one.wait(lambda: (mover in one.map("gridftp")) ==
                             (name in where), what=name)

            has_mover("cardiff")
            # He goes from one group to another, then everywhere, then away.
            ldap.modify(7, replace={"isMemberOf": ["Sites:mit"]})
            has_mover("mit")
            ldap.join(7, "Everywhere")
            has_mover(*SITES)
            ldap.delete(7)
            has_mover()
            for one in sites.values():
                assert subject("wanderer") in one.map("gridftp")
        finally:
            for one in sites.values():
                one.stop()
