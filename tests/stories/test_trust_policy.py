"""What a signing_policy may look like: each kind of file is shown to the Grid
Community Toolkit and to us, and both verdicts are written down here.  Where we
differ from the Toolkit, it is said why."""
import json
import shutil
import subprocess

import pytest
from openssl_pki import BASE, PEOPLE, Pki
from signet_site import BUILD, SIGNET

ROOT = f"{BASE}/CN=Root CA"
SUB = f"{BASE}/CN=People CA"
UID = "/C=US/O=Unit/UID=makers/CN=Id CA/emailAddress=ca@example.org"
JACK = "/C=US/O=Unit/UID=jack/CN=Jack/emailAddress=jack@example.org"
RIGHT = "pos_rights globus CA:sign\n"

# Name, who is signed, the file, what both say.
ACCEPT, REFUSE = True, False


def entry(ca, subjects, right=RIGHT, access="access_id_CA X509"):
    return f"{access} '{ca}'\n{right}cond_subjects globus {subjects}\n"


def ours(subjects, **parts):
    return entry(SUB, subjects, **parts)


FITS = f"""'"{BASE}/*"'"""
CASES = [
    ("a list of one", "sub", ours(FITS), ACCEPT),
    ("a list of two", "sub", ours(f"""'"/O=X/*" "{BASE}/*"'"""), ACCEPT),
    ("a list of which none fits", "sub", ours("""'"/O=X/*" "/O=Y/*"'"""),
     REFUSE),
    ("the CA in double quotes", "sub",
     f'access_id_CA X509 "{SUB}"\n{RIGHT}cond_subjects globus {FITS}\n',
     REFUSE),
    ("subjects in double quotes alone", "sub", ours('"/DC=org/*"'), ACCEPT),
    ("subjects in single quotes alone", "sub", ours(f"'{BASE}/*'"), ACCEPT),
    ("subjects without quotes", "sub", ours("/DC=org/*"), ACCEPT),
    ("a star alone", "sub", ours("""'"*"'"""), ACCEPT),
    ("a slash and a star", "sub", ours("""'"/*"'"""), ACCEPT),
    ("a star in the middle", "sub", ours("""'"/DC=org/*/CN=Alice"'"""),
     ACCEPT),
    ("the exact name", "sub", ours(f"""'"{PEOPLE}/CN=Alice"'"""), ACCEPT),
    ("a star for nothing", "sub", ours(f"""'"{PEOPLE}/CN=Alice*"'"""),
     REFUSE),
    ("case in the pattern", "sub", ours("""'"/dc=ORG/dc=EXAMPLE/*"'"""),
     ACCEPT),
    ("case in the CA's name", "sub", entry(SUB.upper(), FITS), ACCEPT),
    ("another CA's", "sub", entry("/O=Other/CN=CA", """'"*"'"""), REFUSE),
    ("two entries, the second ours", "sub",
     entry("/O=Other/CN=CA", """'"/O=Other/*"'""") + ours(FITS), ACCEPT),
    ("two entries for one CA, the first fits", "sub",
     ours(FITS) + ours("""'"/O=X/*"'"""), ACCEPT),
    ("two entries for one CA, the second fits", "sub",
     ours("""'"/O=X/*"'""") + ours(FITS), ACCEPT),
    ("two CAs with one right", "sub",
     "access_id_CA X509 '/O=Q/CN=A'\n" + ours(FITS), ACCEPT),
    ("no subjects", "sub", f"access_id_CA X509 '{SUB}'\n{RIGHT}", ACCEPT),
    ("two conditions, both met", "sub",
     ours(FITS) + f"cond_subjects globus {FITS}\n", ACCEPT),
    ("two conditions, one met", "sub",
     ours(FITS) + "cond_subjects globus '\"/O=X/*\"'\n", REFUSE),
    ("rights taken away", "sub",
     ours(FITS, right="neg_rights globus CA:sign\n"), REFUSE),
    ("an unknown condition", "sub",
     ours(FITS) + "cond_time globus 'never'\n", REFUSE),
    ("another right", "sub", ours(FITS, right="pos_rights globus CA:other\n"),
     REFUSE),
    ("case of keywords", "sub", ours(FITS, right="POS_RIGHTS globus CA:sign\n"),
     REFUSE),
    ("case of the authority", "sub", ours(FITS, access="access_id_CA x509"),
     REFUSE),
    ("anybody", "sub", f"access_id_ANYBODY\n{RIGHT}cond_subjects globus "
     f"{FITS}\n", ACCEPT),
    ("comments everywhere", "sub",
     "# c\n\n" + ours(FITS).replace("\n", "  # trailing\n") + "# end\n",
     ACCEPT),
    ("carriage returns", "sub", ours(FITS).replace("\n", "\r\n"), ACCEPT),
    ("all on one line", "sub", ours(FITS).replace("\n", " ").strip() + "\n",
     ACCEPT),
    ("no closing quote", "sub", ours(FITS[:-1]), REFUSE),
    ("garbage", "sub", "garbage\n", REFUSE),
    ("a comment alone", "sub", "# nothing\n", REFUSE),
    ("nothing", "sub", "", REFUSE),
    ("no file", "sub", None, REFUSE),
    ("names of GT2 exactly", "uid",
     entry(UID.replace("UID", "USERID").replace("emailAddress", "Email"),
           "'\"" + JACK.replace("UID", "USERID").replace(
               "emailAddress", "Email") + "\"'"), ACCEPT),
    ("the intermediate's own fits", "host", entry(SUB, FITS), ACCEPT),
    ("the intermediate's own does not", "host", entry(SUB, """'"/O=X/*"'"""),
     REFUSE),
    ("host/name, four backslashes", "host",
     entry(SUB, "'\"" + BASE + "/OU=Hosts/CN=host\\\\\\\\/*\"'"), ACCEPT),
    ("host/name, a star before", "host",
     entry(SUB, f"""'"{BASE}/OU=Hosts/CN=host*"'"""), ACCEPT),
]

# The Toolkit's verdict, ours, and why ours is another.
DIFFERENT = [
    ("two stars", "sub", ours("""'"/DC=org/*/OU=People/*"'"""), REFUSE,
     ACCEPT, "each star is a wildcard, not the last alone"),
    ("no newline at the end", "sub", ours(FITS).rstrip("\n"), REFUSE, ACCEPT,
     "an editor's habit means nothing"),
    ("GT2's names with a star", "uid",
     entry(UID.replace("UID", "USERID").replace("emailAddress", "Email"),
           """'"/C=US/O=Unit/USERID=*"'"""), REFUSE, ACCEPT,
     "the spellings of a name are one before a pattern is cut"),
    ("mixed names with stars", "uid",
     entry(UID.replace("UID", "USERID"),
           """'"/C=US/O=Unit/UID=*/CN=*/Email=jack@example.org"'"""), REFUSE,
     ACCEPT, "likewise"),
    ("a star that moves", "uid",
     entry(UID, """'"/C=US/O=Unit/USERID=jack/CN=*"""
           """/emailAddress=jack@example.org"'"""), REFUSE, ACCEPT,
     "likewise"),
    ("host/name as it is written", "host",
     entry(SUB, f"""'"{BASE}/OU=Hosts/CN=host/*"'"""), REFUSE, ACCEPT,
     "OpenSSL 3 prints a backslash that no policy has"),
    ("host/name, two backslashes", "host",
     entry(SUB, "'\"" + BASE + "/OU=Hosts/CN=host\\\\/*\"'"), REFUSE, ACCEPT,
     "likewise"),
    ("a question mark", "sub", ours("""'"/DC=org/*/CN=Alic?"'"""), REFUSE,
     ACCEPT, "one character, as in the cadesc files that are made into these"),
    ("granted and taken away", "sub",
     ours(FITS) + ours(FITS, right="neg_rights globus CA:sign\n"), ACCEPT,
     REFUSE, "who adds a line to refuse something has it refused"),
]


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """What both say of every case: one run of the Toolkit for all."""
    place = tmp_path_factory.mktemp("policy")
    pki = Pki(place / "pki")
    pki.person("Alice")
    pki.certify("slash", f"{BASE}/OU=Hosts/CN=host\\/a.example.org", "sub",
                "host", "ec:P-256")
    pki.ca("uid", UID, None, "ec:P-256")
    pki.certify("jack", JACK, "uid", "person", "ec:P-256")
    leaf = {"sub": "Alice", "uid": "jack", "host": "slash"}
    asked, said = "", {}
    for n, (name, which, text, *_) in enumerate(CASES + DIFFERENT):
        trust = place / str(n)
        shutil.copytree(pki.trust, trust)
        policy = trust / pki.policy_file("uid" if which == "uid" else "sub"
                                         ).name
        policy.unlink()
        if text is not None:
            policy.write_bytes(text.encode())
        chain = place / f"{leaf[which]}.chain"
        above = "" if which == "uid" else (pki.dir / "sub.pem").read_text()
        chain.write_text((pki.dir / f"{leaf[which]}.pem").read_text() + above)
        asked += f"{trust} {chain}\n"
        done = subprocess.run(
            [SIGNET, "verify", "--json", "--purpose", "any", "--certdir",
             trust, chain], capture_output=True, text=True)
        assert done.returncode in (0, 7), done.stderr
        said[name] = json.loads(done.stdout)
    gct = subprocess.run([BUILD / "tests" / "gct_says"], input=asked,
                         capture_output=True, text=True, check=True)
    lines = gct.stdout.splitlines()
    return {name: (line.startswith("accepted"), said[name], line)
            for (name, *_), line in zip(CASES + DIFFERENT, lines)}


@pytest.mark.parametrize("case", CASES, ids=lambda c: c[0])
def test_both_say_the_same(judged, case):
    gct, mine, line = judged[case[0]]
    assert mine["accepted"] == case[3], mine.get("error")
    assert gct == case[3], line
    if not case[3]:
        broken = {r["rule"] for c in mine["path"] for r in c["rules"]
                  if not r["kept"]}
        assert broken == {"policy"}


@pytest.mark.parametrize("case", DIFFERENT, ids=lambda c: c[0])
def test_we_differ_on_purpose(judged, case):
    gct, mine, line = judged[case[0]]
    assert (gct, mine["accepted"]) == (case[3], case[4]), (
        case[5], line, mine.get("error"))
