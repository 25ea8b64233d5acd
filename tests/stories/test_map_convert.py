"""Other programs' files as ours: what they say is said still, and what cannot
be is reported."""

import subprocess

from map_self import RULES
from map_site import BUILD, MapSite

PEOPLE = "/DC=org/DC=example/O=Test/OU=People"
SPELT = f"{PEOPLE}/UID=alice/CN=Alice/emailAddress=alice@example.org"


def convert(*words, status=0):
    done = subprocess.run(
        [f"{BUILD}/signet-map/signet-map", "convert", *map(str, words)],
        capture_output=True, text=True, timeout=60)
    assert done.returncode == status, (done.returncode, done.stderr)
    return done


def rules_are_good(path):
    done = subprocess.run([f"{BUILD}/signet-map/signet-map", "rules", "--rules",
                           path], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def record(when, operation, dn=None, user=None, **more):
    fields = {"NAMESPACE": "TESTNS", "OWNER_NAME": "ann", "OWNER_UID": "1001",
              "PROCESSED": f"{when}.5 Wed 2006-11-08 15:33:20 UTC",
              "SOURCE": "user", "hostname": "grid1", "operation": operation,
              "requested_by_name": "ann", "requested_by_uid": "1001",
              "timestamp": f"{when}.000001 Wed 2006-11-08 15:33:20 UTC"}
    if dn:
        fields["dn"] = f'"{dn}"'
    if user:
        fields["username"] = user
    fields.update(more)
    return "{\n" + "".join(f"\t{key:18} {value}\n"
                           for key, value in sorted(fields.items())) + "}\n\n"


ALICE, BOB, X = f"{PEOPLE}/CN=Alice", f"{PEOPLE}/CN=Bob", "/O=X/CN=Whatever"
GX = (record(100, "add", ALICE, "alice", comment="my own") +
      record(101, "add", SPELT, "alice") +
      # The file's order is not that of time.
      record(103, "add", ALICE, "bob") +
      record(102, "add", X, "bob") +
      record(104, "add", BOB, "bob") +
      # GT2's spelling of what was added above.
      record(105, "add", SPELT.replace("UID=", "USERID=").replace(
          "emailAddress=", "Email="), "carol") +
      record(106, "add", "/O=X/CN=Gone", "alice") +
      record(107, "remove-dn", "/O=X/CN=Gone") +
      record(108, "remove", X, "bob"))


def test_gx_map_is_replayed_and_goes_on_as_a_request_log(tmp_path):
    log = tmp_path / "requests.log"
    log.write_text(GX)
    lines = convert("gx-map", log).stdout.splitlines()
    assert f'"{ALICE}" bob,alice' in lines
    assert f'"{BOB}" bob' in lines
    assert any(line.endswith(" carol,alice") for line in lines)
    assert len(lines) == 3
    out = tmp_path / "out"
    convert("gx-map", log, "--dir", out)
    rules_are_good(out / "map.rules")
    with MapSite(tmp_path / "site", RULES) as s:
        s.state.mkdir()
        (out / "requests.log").rename(s.state / "requests.log")
        s.once()
        found = s.map("gridftp")
        assert found[ALICE] == ["bob", "alice"]
        assert X not in found and "/O=X/CN=Gone" not in found
        # All accounts of somebody who left.
        log.write_text(GX + record(109, "remove-user", user="bob"))
        convert("gx-map", log, "--dir", tmp_path / "more")
        (tmp_path / "more" / "requests.log").replace(
            s.state / "requests.log")
        s.once("--confirm", "all")
        assert s.map("gridftp")[ALICE] == ["alice"]
        assert BOB not in s.map("gridftp")
    # Nothing is written over.
    convert("gx-map", log, "--dir", tmp_path / "more" / "..", status=8)


def test_what_gx_map_had_and_we_do_not_take_is_said(tmp_path):
    log = tmp_path / "requests.log"
    log.write_text(GX + record(200, "add", ALICE, "root") +
                   record(201, "add", ALICE, "a,b") +
                   record(202, "add", "no name", "ann") +
                   record(203, "explode", ALICE, "ann") +
                   record(204, "add", ALICE) +
                   record("x", "add", ALICE, "ann") +
                   # A year that the log has no digits for.
                   record(1 << 39, "add", ALICE, "ann") +
                   "stray\n{\nhalf\n")
    done = convert("gx-map", log, status=9)
    assert done.stderr.count(str(log) + ":") == 9, done.stderr
    assert "root" in done.stderr and "without its end" in done.stderr
    assert f'"{ALICE}" bob,alice' in done.stdout
    assert "root" not in done.stdout


EDG = """\
# what a site had
default_lcluser griduser
group ldap://ldap.example.org:389/ou=lhcb,o=VO,dc=example,dc=org
group https://lists.example.org/atlas .atlas
group "vomss://voms.example.org:8443/voms/cms?/cms" cms
auth http://auth.example.org/users
deny *Mallory*
allow /DC=org/*
allow /O=X/*
gmf_local /etc/grid-security/local map
gmf_local /etc/grid-security/local-map
"""


def test_edg_mkgridmap_as_rules(tmp_path):
    (tmp_path / "edg.conf").write_text(EDG)
    done = convert("edg-mkgridmap", tmp_path / "edg.conf", "--dir",
                   tmp_path / "out", status=9)
    for word in ("vomss://", "auth", "allow", "base of group1", "gmf_local"):
        assert word in done.stderr
    text = rules_are_good(tmp_path / "out" / "map.rules")
    for word in ("ldap://ldap.example.org:389", "dc=example,dc=org",
                 "group-base ou=lhcb,o=VO,dc=example,dc=org".split()[1],
                 "griduser", "https://lists.example.org/atlas", "atlas",
                 "*Mallory*", "/O=X/*", "/etc/grid-security/local-map"):
        assert word in text, (word, text)
    # Whom nothing allowed is not mapped: each rule says so.
    assert text.count("/DC=org/*") == 2
    assert (tmp_path / "out" / "report").read_text() in done.stderr


def test_edg_mkgridmap_lets_in_nobody_more(tmp_path):
    """Patterns with blanks, brackets or escapes; a group without an account
    that a rule could have; what is too long to be read."""
    (tmp_path / "edg.conf").write_text(
        "default_lcluser .\n"
        "group https://lists.example.org/a staff\n"
        "group https://lists.example.org/b\n"
        'allow "/O=Good People/*" # and nobody else\n'
        "allow " + "/O=x" * 2000 + "\n"
        'deny "/O=Good People/CN=Bad Man"\n'
        "group LDAP://ldap.example.org/ou=x,dc=a??sub?(cn=b) staff\n"
        "group HTTPS://lists.example.org/c 0\n"
        "gmf_local relative\n"
        "deny /O=Good People/CN=[MN]allory \\[x] *a#b* # him\n")
    done = convert("edg-mkgridmap", tmp_path / "edg.conf", "--dir",
                   tmp_path / "out", status=9)
    text = rules_are_good(tmp_path / "out" / "map.rules")
    rules = (tmp_path / "out" / "map.rules").read_text().splitlines()
    assert '    names "/O=Good People/*" /none' in rules, rules
    assert 'ban pattern "/O=Good People/CN=Bad Man"' in rules
    assert 'ban pattern "/O=Good People/CN=?allory ?x] *a#b*"' in rules
    assert "personal" not in text and "more widely" in done.stderr
    for number in (2, 3, 4):  # no account, a filter, a number
        assert f"#map group{number}" in rules
    assert "ldap://ldap.example.org" in text and 'account "."' in done.stderr


GUMS = """\
<?xml version='1.0' encoding='UTF-8'?>
<!-- <userGroup name='not this'/> -->
<gums version='1.3'>
  <userGroups>
    <manualUserGroup name='staff' membersUri='/etc/staff'/>
    <vomsUserGroup name='cms' voGroup='/cms' matchFQAN='vogroup'/>
    <manualUserGroup name='bad &quot; name'/>
  </userGroups>
  <bannedUserGroups>evil</bannedUserGroups>
  <accountMappers>
    <groupAccountMapper name='toStaff' accountName='staff'/>
    <accountPoolMapper name='toPool' accountPool='cms'/>
    <manualAccountMapper name='byHand'/>
  </accountMappers>
  <groupToAccountMappings>
    <groupToAccountMapping name='staffMap' userGroups='staff'
        accountMappers='byHand,toStaff'/>
    <groupToAccountMapping name='cmsMap' userGroups='cms'
        accountMappers='toPool'/>
  </groupToAccountMappings>
  <hostToGroupMappings>
    <hostToGroupMapping cn='*/?*.example.org'
        groupToAccountMappings='staffMap, cmsMap'/>
    <hostToGroupMapping dn='/DC=org/CN=*' groupToAccountMappings='cmsMap'/>
  </hostToGroupMappings>
</gums>
"""


def test_gums_as_rules(tmp_path):
    (tmp_path / "gums.config").write_text(GUMS)
    done = convert("gums", tmp_path / "gums.config", "--dir", tmp_path / "out",
                   status=9)
    for word in ("vomsUserGroup cms", "manualAccountMapper byHand", "leases",
                 "/DC=org/CN=*", "banned", "a rule cannot have"):
        assert word in done.stderr, (word, done.stderr)
    text = rules_are_good(tmp_path / "out" / "map.rules")
    assert text.index("staff") < text.index("pool")
    assert "*.example.org" in text and "not this" not in text
    (tmp_path / "gums.config").write_text("<gums a='1")
    convert("gums", tmp_path / "gums.config", status=1)


def test_gums_first_host_that_fits_is_the_only_one(tmp_path):
    (tmp_path / "gums.config").write_text("""<gums>
<manualUserGroup name='staff'/><manualUserGroup name='all'/>
<manualUserGroup name='all' other='x'/><manualUserGroup name='-x'/>
<groupAccountMapper name='toStaff' accountName='staff'/>
<manualAccountMapper name='byHand'/>
<groupToAccountMapping name='m' userGroups='staff' accountMappers='toStaff'/>
<groupToAccountMapping name='o' userGroups='all' accountMappers='toStaff'/>
<groupToAccountMapping name='p' userGroups='all' accountMappers='byHand,no'/>
<hostToGroupMapping cn='ce1.example.org' groupToAccountMappings='m'/>
<hostToGroupMapping cn='*.example.org' groupToAccountMappings='m,o,p'/>
<hostToGroupMapping cn='ce1.example.org' groupToAccountMappings='o'/>
</gums>""")
    done = convert("gums", tmp_path / "gums.config", "--dir", tmp_path / "out",
                   status=9)
    text = rules_are_good(tmp_path / "out" / "map.rules")
    rules = (tmp_path / "out" / "map.rules").read_text()
    assert rules.count("    hosts ce1.example.org\n") == 1
    assert rules.count("\n    hosts *.example.org !ce1.example.org\n") == 2
    assert "personal" not in text and "source -x" not in rules
    assert "twice" in done.stderr and "came before" in done.stderr


OLD = '''\
# by hand
"/DC=org/CN=a" alice,bob
"/DC=org/CN=b" bob # the boss
/O=Plain/CN=c carol
"/DC=org/CN=host/x" host
"/DC=ORG/cn=A" mallory
"/DC=org/CN=d" root
"/DC=org/CN=d" mallory
"/DC=org/CN=e" .pool
"/DC=org/CN=f
'''


def test_a_grid_mapfile_is_cleaned_and_spliced_in(tmp_path):
    old = tmp_path / "grid-mapfile"
    old.write_text(OLD)
    done = convert("grid-mapfile", old, "--dir", tmp_path / "out", status=9)
    assert "comment" in done.stderr or "words after" in done.stderr
    assert "earlier line" in done.stderr and "root" in done.stderr
    rules_are_good(tmp_path / "out" / "map.rules")
    lines = (tmp_path / "out" / "static.map").read_text().splitlines()
    assert lines[:3] == ['"/DC=org/CN=a" alice,bob', '"/DC=org/CN=b" bob',
                         '"/O=Plain/CN=c" carol']
    assert '"/DC=org/CN=e" .pool' in lines
    assert not any("mallory" in line or "root" in line for line in lines)
    # It is clean: once more there is nothing to say.
    again = convert("grid-mapfile", tmp_path / "out" / "static.map")
    assert again.stdout.splitlines() == lines and again.stderr == ""
