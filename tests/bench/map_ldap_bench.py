"""Who there is: a roster read from a directory of a million, beside a program
that only asks libldap for the same and forgets it, beside ldapsearch piped to
awk, and beside edg-mkgridmap's way, one search a member.

  map_ldap_bench.py [PEOPLE [ROUNDS]]     # alone, without a report
"""

import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

REPO = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPO / "tests" / "stories"))

from map_ldap import (ALL, PEOPLE, TOP, MapLdap, group_dn, line,  # noqa: E402
                      lines, person, person_dn)

BUILD = pathlib.Path(os.environ.get("SIGNET_BUILD", REPO / "build"))
SAYS = BUILD / "tests" / "roster_says"
DUMP = BUILD / "tests" / "map_ldap_dump"
COUNT = int(os.environ.get("SIGNET_BENCH_PEOPLE", 1000000))
MEMBERS = 10000
FILTER = "(objectClass=inetOrgPerson)"
SUBJECT = "/DC=org/DC=ligo/O=LIGO/OU=People/CN={principal}"
ATTRIBUTES = ["entryUUID", "uid", "eduPersonPrincipalName", "description",
              "isMemberOf"]
FIELDS = re.compile(r"(\d+) people, ([\d.]+) s, CPU (\d+) ms user (\d+) ms "
                    r"system, (\d+) .*, (\d+) MB in all")
AWK = ('/^uid: /{u=$2} /^description: /{sub(/^description: /,"");d[n++]=$0} '
       '/^$/{if(u){print "\\"/DC=org/DC=ligo/O=LIGO/OU=People/CN=" u '
       '"@LIGO.ORG\\" " u;for(i=0;i<n;i++)print "\\"" d[i] "\\" " u}'
       'u="";n=0}')


def one(n):
    """A person in six groups, three in ten with a certificate's name."""
    groups = [ALL, "Communities:LSCVirgoLIGOGroupMembers",
              *(f"Communities:LVC:Subgroup{(n * k) % 100:03d}"
                for k in (1, 7, 11, 13))]
    names = ([f"/DC=org/DC=doegrids/OU=People/CN=Albert Einstein {n}"]
             if n % 10 < 3 else [])
    return person(n, f"albert.einstein{n}", groups=sorted(set(groups)),
                  names=names, mail=f"albert.einstein{n}@ligo.org")


class Crowd(MapLdap):
    """So many people; and a group of the first of them, by member."""

    def __init__(self, directory, count):
        super().__init__(directory, maxsize=1 << 34)
        self.count = count

    def load(self):
        os.makedirs(f"{self.dir}/db", mode=0o700, exist_ok=True)
        path = f"{self.dir}/crowd.ldif"
        with open(path, "w") as ldif:
            ldif.write(TOP)
            for n in range(1, self.count + 1):
                dn, attributes = one(n)
                ldif.write("\n" + line("dn", dn) + lines(attributes))
            ldif.write("\n" + line("dn", group_dn("first")) + lines(
                {"objectClass": ["groupOfNames"], "cn": ["first"],
                 "member": [person_dn(n) for n in
                            range(1, min(self.count, MEMBERS) + 1)]}))
        subprocess.run(["/usr/sbin/slapadd", "-q", "-w", "-f", self.conf, "-l",
                        path], check=True, capture_output=True)
        os.unlink(path)


def told(words):
    done = subprocess.run([str(w) for w in words], check=True,
                          capture_output=True, text=True)
    people, wall, user, system, _, mb = FIELDS.search(done.stdout).groups()
    return {"people": int(people), "s": float(wall),
            "cpu": (int(user) + int(system)) / 1000, "mb": int(mb)}


def piped(crowd, place):
    """ldapsearch | awk, with the lines of a map file at the end."""
    began = time.monotonic()
    before = os.times()
    with open(place / "awk.out", "wb") as out:
        search = subprocess.Popen(
            ["ldapsearch", "-x", "-LLL", "-o", "ldif-wrap=no", "-H", crowd.uri,
             "-b", PEOPLE, FILTER, "uid", "description"],
            stdout=subprocess.PIPE)
        subprocess.run(["awk", AWK], stdin=search.stdout, stdout=out,
                       check=True)
        search.stdout.close()
        search.wait()
    after = os.times()
    cpu = (after.children_user + after.children_system -
           before.children_user - before.children_system)
    return {"people": crowd.count, "s": time.monotonic() - began, "cpu": cpu,
            "mb": 0}


def ways(crowd, place):
    """Each way: (what, a function that goes it once)."""
    settings = [f"servers={crowd.uri}", "plain", f"base={PEOPLE}",
                f"filter={FILTER}", f"subject={SUBJECT}", "names=description",
                "groups=isMemberOf"]
    state = place / "state"
    return [
        ("libldap, counted and forgotten",
         lambda: told([DUMP, crowd.uri, PEOPLE, FILTER, *ATTRIBUTES])),
        ("ldapsearch piped to awk, two attributes",
         lambda: piped(crowd, place)),
        ("roster, one search",
         lambda: told([SAYS, "-q", "nosync", *settings])),
        ("roster, pages of 1000",
         lambda: told([SAYS, "-q", "nosync", "page=1000", *settings])),
        ("roster, RFC 4533 from nothing, and kept",
         lambda: (state.unlink(missing_ok=True),
                  told([SAYS, "-q", "-s", state, *settings]))[1]),
        ("roster of before, RFC 4533, nothing new",
         lambda: told([SAYS, "-q", "-s", state, *settings]))]


def member_ways(crowd, place):
    settings = [f"servers={crowd.uri}", "plain", f"base={PEOPLE}",
                f"filter={FILTER}", f"subject={SUBJECT}", "names=description"]
    return [
        ("one search a member",
         lambda: told([DUMP, "-m", crowd.uri, group_dn("first"), "uid",
                       "description"])),
        ("roster, people and the group",
         lambda: told([SAYS, "-q", "groups=member", "nosync",
                       "group_base=" + group_dn("first"), *settings]))]


def go(these, rounds):
    """The median of each way; they take turns."""
    figures = {what: [] for what, _ in these}
    for _ in range(rounds):
        for what, way in these:
            figures[what].append(way())
    return {what: {key: statistics.median(f[key] for f in all_of)
                   for key in all_of[0]} for what, all_of in figures.items()}


def rows(figures, bare):
    return [(what, f"{f['s']:.2f}", f"{f['cpu']:.2f}",
             f"{f['s'] / figures[bare]['s']:.2f}",
             f"{f['mb']:,}" if f["mb"] else "")
            for what, f in figures.items()]


def bench_map_ldap(report, work, opts, _measured=None):
    """The section of the report."""
    place = work / "map-ldap"
    place.mkdir()
    with Crowd(place / "crowd", COUNT) as crowd:
        figures = go(ways(crowd, place), opts.rounds)
        # Not at the top: that module needs what stands here.
        from map_sync_bench import measure, report_sync
        synced = measure(crowd, place)
    with Crowd(place / "few", MEMBERS) as crowd:
        few = go(member_ways(crowd, place), opts.rounds)
    heads = ("", "s", "CPU s (client)", "times the bare one", "MB")
    report.say(f"### Who there is: {COUNT:,} people from a directory")
    report.say()
    report.say("slapd on the same machine; five attributes of each person "
               "unless it says otherwise. The bare program asks for them and "
               "forgets them.")
    report.say()
    report.table(heads, rows(figures, "libldap, counted and forgotten"))
    report.say()
    report_sync(report, COUNT, synced)
    report.say(f"A group of {MEMBERS:,}, as edg-mkgridmap asks for it (a "
               "search for each member) and as signet-map does:")
    report.say()
    report.table(heads, rows(few, "one search a member"))


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    with tempfile.TemporaryDirectory(prefix="signet-bench.") as work:
        place = pathlib.Path(work)
        began = time.monotonic()
        with Crowd(place / "crowd", count) as crowd:
            print(f"loaded in {time.monotonic() - began:.1f} s", flush=True)
            for these in (ways, member_ways):
                for what, f in go(these(crowd, place), rounds).items():
                    print(f"{what:45} {f['people']:>9,} {f['s']:8.2f} s "
                          f"{f['cpu']:8.2f} s CPU {f['mb']:>6} MB", flush=True)


if __name__ == "__main__":
    main()
