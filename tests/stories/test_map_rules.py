"""map.rules as an administrator meets it: what is refused and where, who wins,
who is banned, and what `signet-map why` says of it, with the people of a real
slapd."""

import json
import subprocess

import pytest

from map_ldap import ALL, FREDERIQUE, SCOTT, MapLdap, person
from map_site import BUILD, EVERYBODY, SOURCE, MapSite, service, subject

FREDERIQUE_DN = "/O=GRID-FR/C=FR/O=CNRS/OU=LAPP/CN=Frederique Marion"
TIMER = "/DC=org/DC=doegrids/OU=People/CN=Old Timer 77"
STATIC = f'''\
"{TIMER}" oldtimer
"{FREDERIQUE_DN}" fmarion
'''
STATIC_SOURCE = "source static file {dir}/static\n"
PASSWD = """\
root:x:0:0::/:/bin/sh
toor:x:0:0::/:/bin/sh
frederique.marion:x:2001:1::/h:/s
scott.koranda:x:2002:1::/h:/s
skoranda:x:2003:1::/h:/s
fmarion:x:2004:1::/h:/s
ligo:x:2005:1::/h:/s
daemon5:x:5:1::/h:/s
"""


# Rules are changed from one story's step to the next: nothing is held back.
FTP = service("gridftp", "shrink-limit 100%")


@pytest.fixture(scope="module")
def ldap(tmp_path_factory):
    people = [FREDERIQUE, SCOTT,
              person(70, "daemon5", names=["/O=G/CN=Low"]),
              person(71, "toor", names=["/O=G/CN=Second root"]),
              person(72, "eve.sly", names=[subject("scott.koranda"),
                                           FREDERIQUE_DN, "/O=G/CN=Eve"])]
    with MapLdap(tmp_path_factory.mktemp("ldap"), people=people) as directory:
        yield directory


@pytest.fixture
def site(tmp_path, ldap):
    with MapSite(tmp_path / "site", SOURCE + FTP + EVERYBODY,
                 ldap=ldap.uri) as s:
        (s.dir / "static").write_text(STATIC)
        (s.dir / "passwd").write_text(PASSWD)
        yield s


def look(site, *words):
    return subprocess.run(
        [f"{BUILD}/signet-map/signet-map", words[0], "--config",
         str(site.dir / "map.conf"), *map(str, words[1:])],
        capture_output=True, text=True, timeout=60)


def built(site, rules):
    """The map of other rules: {name: accounts}."""
    site.rules(SOURCE + STATIC_SOURCE + rules)
    site.once()
    return site.map("gridftp")


# ---- what is refused

@pytest.mark.parametrize("wrong,said", [
    ("sevice x\n", 'map.rules:11: unknown keyword "sevice"; did you mean '
     '"service"?'),
    ("service x\n    file /x\n    acounts all\n", 'map.rules:13: service: '
     'unknown setting "acounts"; did you mean "accounts"?'),
    ("service x\n    file /x\n    uid 0-9\n", "nobody is mapped to uid 0"),
    ("map a\n    from lgio\n", 'unknown source "lgio"; did you mean "ligo"?'),
    ("map a\n    hosts 131.215.1.0/16\n", "bits set behind its prefix"),
    ("ban person x until tomorrow\n", "a time is a day like"),
])
def test_a_slip_is_refused_with_its_place_and_the_map_stays(site, wrong, said):
    site.once()
    before = site.text("gridftp")
    site.rules(SOURCE + wrong)
    done = site.run("sync", "--once")
    assert done.returncode == 78 and said in done.stderr, done.stderr
    assert site.text("gridftp") == before
    done = look(site, "rules", "--json")
    assert done.returncode == 2  # rules has no --json: they are a text
    done = look(site, "check", "--json")
    error = json.loads(done.stdout)["error"]
    assert error["exit"] == 78 and said in error["message"]


def test_the_rules_as_they_are_understood_are_rules(site):
    first = look(site, "rules").stdout
    again = site.dir / "again"
    again.write_text(first)
    assert look(site, "rules", "--rules", again).stdout == first
    assert "subject /DC=org/DC=ligo/O=LIGO/OU=People/CN={principal}" in first


# ---- who wins

SPLICE = "splice old\n    from static\n    priority {}\n"


def test_the_static_file_before_and_behind_and_retired(site):
    rules = FTP + EVERYBODY
    found = built(site, rules + SPLICE.format("before"))
    assert found[FREDERIQUE_DN] == ["fmarion"]
    assert found[TIMER] == ["oldtimer"]
    found = built(site, rules + SPLICE.format("after"))
    assert found[FREDERIQUE_DN] == ["frederique.marion"]
    assert found[TIMER] == ["oldtimer"]
    found = built(site, rules + SPLICE.format("before") +
                  "    until 2026-01-01\n")
    assert found[FREDERIQUE_DN] == ["frederique.marion"]
    assert TIMER not in found


def test_with_accounts_all_a_name_has_those_of_both(site):
    found = built(site, service("gridftp", "shrink-limit 100%", "accounts all") + EVERYBODY +
                  SPLICE.format("before"))
    assert found[FREDERIQUE_DN] == ["fmarion", "frederique.marion"]


def test_groups_accounts_and_pools(site):
    found = built(site, FTP + f'''\
map lvc
    groups Communities:LSC
    account group ligo
    account personal
map others
    groups "{ALL}"
    not-names /O=G/*
    account pool grid
''')
    assert found[subject("scott.koranda")] == ["ligo", "scott.koranda"]
    assert found[subject("eve.sly")] == [".grid"]
    assert "/O=G/CN=Eve" not in found


def test_who_claims_anothers_name_is_refused_and_told(site):
    """Of two whose entries list a name the entry's own name decides, whoever
    came first; a subject of the site's CA cannot be listed at all."""
    site.once()
    assert site.map("gridftp")[subject("scott.koranda")] == ["scott.koranda"]
    assert site.map("gridftp")[FREDERIQUE_DN] == ["frederique.marion"]
    done = look(site, "check", "--passwd", site.dir / "passwd")
    (line,) = [line for line in done.stdout.splitlines()
               if "claims it too, by rule everybody" in line]
    assert FREDERIQUE_DN in line and "employeeNumber=72," in line
    done = look(site, "why", FREDERIQUE_DN)
    assert "employeeNumber=72,ou=people,dc=ligo,dc=org of source ligo " \
        "claims it too" in done.stdout


# ---- who is banned

@pytest.mark.parametrize("ban,left", [
    ("person scott.koranda@LIGO.ORG", False),
    ("person scott.koranda@LIGO.ORG until 2026-01-01", True),
    ('dn "/dc=ORG/dc=ligo/o=LIGO/ou=people/cn=Scott.Koranda@ligo.org"', False),
    ("ca /DC=org/DC=ligo", False),
    ("ca /DC=org/DC=lig", True),
    ("group Communities:LSC", False),
    ("pattern *=scott*", False),
    ("account scott.koranda", False),
])
def test_a_ban_of_each_kind(site, ban, left):
    found = built(site, FTP + EVERYBODY +
                  f"ban {ban}{'' if 'until' in ban else ' because tested'}\n")
    assert (subject("scott.koranda") in found) == left
    assert ["eve.sly"] in found.values()
    done = look(site, "why", subject("scott.koranda"))
    assert done.returncode == (0 if left else 3)
    assert "tested" in done.stdout or left


def test_a_ban_of_a_person_is_of_his_account_in_the_static_file_too(site):
    (site.dir / "static").write_text(f'"{TIMER}" scott.koranda\n')
    rules = FTP + EVERYBODY + SPLICE.format("before")
    assert TIMER in built(site, rules)
    assert TIMER in built(site, rules + "bans {dir}/bans\n")
    (site.dir / "bans").write_text("person scott.koranda@LIGO.ORG\n")
    site.once()
    assert not any("scott" in a for accounts in site.map("gridftp").values()
                   for a in accounts)


# ---- accounts of this host

def test_accounts_that_are_not_here_and_roots_are_left_out(site):
    rules = SOURCE + FTP.replace("exist no", "exist yes") + EVERYBODY
    site.rules(rules)
    site.once(status=0)
    done = look(site, "diff", "--passwd", site.dir / "passwd", "--json")
    new = {item["name"]: item["is"] for item in json.loads(done.stdout)}
    assert done.returncode == 1
    assert new[FREDERIQUE_DN] == "frederique.marion"
    assert new[subject("scott.koranda")] == "scott.koranda"
    assert not set(new.values()) & {"toor", "daemon5", "eve.sly", "root"}
    done = look(site, "check", "--passwd", site.dir / "passwd")
    for line in ("not to toor: nobody is mapped to root",
                 "not to daemon5: its uid is outside the service's range",
                 "not to eve.sly: there is no such account here"):
        assert line in done.stdout, done.stdout


# ---- why

def test_why_for_another_host_and_service(site):
    site.rules(SOURCE + service("gridftp") + service("gsissh") + f'''\
map subnet
    hosts 131.215.0.0/16 2001:db8::/32
    services gridftp
    groups "{ALL}"
''')
    site.once()
    name = subject("scott.koranda")
    done = look(site, "why", name, "node1.cit.edu", "gridftp", "--address",
                "131.215.7.8")
    assert done.returncode == 0, done.stdout
    deciding = [line for line in done.stdout.splitlines()
                if line.startswith("* ")]
    assert len(deciding) == 1 and "map subnet" in deciding[0]
    assert "map.rules:" in deciding[0] and "in group" in deciding[0]
    done = look(site, "why", name, "node1.cit.edu", "gridftp", "--address",
                "10.0.0.1", "--json")
    assert done.returncode == 3
    (told,) = json.loads(done.stdout)
    assert not told["mapped"]
    assert any(s["what"] == "map subnet" and "not for this host" in s["text"]
               for s in told["steps"])
    done = look(site, "why", name, "-", "gsish")
    assert done.returncode == 3 and "did you mean gsissh?" in done.stderr
