"""signet-map add --ldap: a person's own entry of a real directory, changed with
his own ticket; one value more, or one less, and nobody else's."""

import json
import os
import subprocess

import pytest

from kdc import Kdc
from map_ldap import PEOPLE as BASE
from map_ldap import MapLdap, person, person_dn
from map_site import EVERYBODY, SOURCE, MapSite, service

ANN, BOB = 301, 302
OLD = "subject=/C=DE/O=GermanGrid/CN=Ann Old"
NAME = "/DC=org/DC=doegrids/OU=People/CN=Ann a\\/b 1"


@pytest.fixture(scope="module")
def realm(tmp_path_factory):
    with Kdc(tmp_path_factory.mktemp("kdc"), services=("ldap/localhost",),
             users={"ann.lee": "pw", "bob.ray": "pw", "no.body": "pw"}) as kdc:
        yield kdc


@pytest.fixture(scope="module", params=["mapped", "searched"])
def ldap(request, tmp_path_factory, realm):
    """The directory makes an entry of a ticket, or leaves that to us."""
    entries = f"ldap:///{BASE}??sub?(uid=$1)"
    sasl = "uid=([^,]+),(cn=[^,]+,)?cn=gssapi,cn=auth"
    who = ("self" if request.param == "mapped" else
           'dn.regex="^uid=ann.lee,.*cn=auth$$"')
    access = ('access to dn.regex="^employeeNumber=[0-9]+,ou=people" '
              f"attrs=description by {who} write by * read")
    people = [person(ANN, "ann.lee", names=[OLD, "likes tea"]),
              person(BOB, "bob.ray", names=["/O=X/CN=Bob"])]
    with MapLdap(tmp_path_factory.mktemp("ldap"), people=people, kdc=realm,
                 limits=access, more=f'authz-regexp "{sasl}" "{entries}"'
                 if request.param == "mapped" else "") as directory:
        directory.kind = request.param
        yield directory


@pytest.fixture
def site(tmp_path, ldap):
    with MapSite(tmp_path / "site", SOURCE + service("gridftp") + EVERYBODY,
                 ldap=ldap.uri,
                 settings=[f"ldap-server ldap://localhost:{ldap.port}",
                           f"ldap-base {BASE}"]) as s:
        yield s


def ask(site, env, *words, status=0):
    done = subprocess.run(
        [os.environ["SIGNET_BUILD"] + "/signet-map/signet-map", *words,
         "--ldap", "--config", site.dir / "map.conf"], env=env,
        capture_output=True, text=True, timeout=60)
    assert done.returncode == status, (done.returncode, done.stderr)
    return done


def descriptions(ldap, number):
    said = subprocess.run(
        ["ldapsearch", "-x", "-LLL", "-o", "ldif-wrap=no", "-H", ldap.uri,
         "-b", person_dn(number), "-s", "base", "description"], check=True,
        capture_output=True, text=True).stdout
    return sorted(line.partition(": ")[2] for line in said.splitlines()
                  if line.startswith("description"))


def test_one_value_more_and_one_less(tmp_path, site, ldap, realm):
    env = realm.kinit("ann.lee", cache=tmp_path / "ann")
    before = descriptions(ldap, ANN)
    assert OLD in before
    ask(site, env, "add", NAME)
    assert descriptions(ldap, ANN) == sorted([*before, f"subject={NAME}"])
    # However it is spelt it is there already.
    done = ask(site, env, "add", NAME.replace("\\/", "/"), "--json")
    assert json.loads(done.stdout)["state"] == "present"
    ask(site, env, "add", "/C=DE/O=GermanGrid/CN=ann OLD")
    assert descriptions(ldap, ANN) == sorted([*before, f"subject={NAME}"])
    # And sync maps it.
    site.once()
    assert site.look("gridftp", NAME) == ["ann.lee"]
    ask(site, env, "remove", NAME)
    assert descriptions(ldap, ANN) == before
    ask(site, env, "remove", NAME, status=3)
    ask(site, env, "remove", "likes tea", status=1)
    assert descriptions(ldap, ANN) == before


def test_nobody_changes_what_is_not_his(tmp_path, site, ldap, realm):
    before = descriptions(ldap, ANN), descriptions(ldap, BOB)
    bob = realm.kinit("bob.ray", cache=tmp_path / "bob")
    # His own name in somebody else's entry, or hers in his: by no word can he
    # say whose entry is meant.
    if ldap.kind == "mapped":
        ask(site, bob, "add", NAME)
        assert descriptions(ldap, BOB) == sorted([*before[1],
                                                  f"subject={NAME}"])
        ask(site, bob, "remove", NAME)
    else:
        # The directory has the last word.
        assert "does not let you" in ask(site, bob, "add", NAME,
                                         status=8).stderr
    nobody = realm.kinit("no.body", cache=tmp_path / "nobody")
    ask(site, nobody, "add", NAME, status=3)
    none = dict(realm.env, KRB5CCNAME=f"FILE:{tmp_path}/none")
    assert "ticket" in ask(site, none, "add", NAME, status=5).stderr
    assert (descriptions(ldap, ANN), descriptions(ldap, BOB)) == before


@pytest.mark.parametrize("name", ["CN=a", "/CN=", "/CN=a\nb", "/CN=a\"b",
                                  "x" * 3000],
                         ids=["no-slash", "empty", "two-lines", "quote",
                              "long"])
def test_what_is_no_name_is_not_written(tmp_path, site, ldap, realm, name):
    env = realm.kinit("ann.lee", cache=tmp_path / "ann")
    before = descriptions(ldap, ANN)
    done = subprocess.run(
        [os.environ["SIGNET_BUILD"] + "/signet-map/signet-map", "add", name,
         "--ldap", "--config", site.dir / "map.conf"], env=env,
        capture_output=True, text=True, timeout=60)
    assert done.returncode in (1, 8), (done.returncode, done.stderr)
    assert descriptions(ldap, ANN) == before
