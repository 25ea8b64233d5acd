"""More than five hundred chains, judged by our verifier, by OpenSSL and by the
Grid Community Toolkit: where they differ, the reason is listed here."""
import subprocess

import pytest
from signet_site import BUILD

LEAST = 500

# Who the other is, what we say, what our words have (or the case's name), why
# that is so.  Each is needed by some case, and no case needs another.
STRICTER = [
    ("signing policies are the Grid's, and nothing to OpenSSL",
     ("openssl",), ("outside the signing policy", "has no signing policy")),
    ("so are namespaces; the Toolkit does not read them either",
     ("openssl", "gct"), ("namespaces does not permit",)),
    ("RFC 5280 4.2.1.9: a CA says so critically",
     ("openssl", "gct"), ("basicConstraints are not critical",)),
    ("RSA of less than 2048 bits is out of time",
     ("openssl", "gct"), ("its RSA key has 1024 bits",)),
    ("RFC 3820 3.8.2: a policy that nobody here can judge refuses",
     ("openssl",), ("restricted by a policy",)),
    ("without its CRL nobody knows what a CA revoked",
     ("gct",), ("there is no CRL of this CA",)),
    ("nor with a file that is no CRL, which the Toolkit passes over",
     ("gct",), ("that is no CRL of this CA", "its CRL is not signed by it")),
]
WIDER = [
    ("OpenSSL knows proxies of RFC 3820 alone",
     "openssl", lambda case: case[2] in ("legacy", "legacy_limited", "draft")),
    ("OpenSSL looks for PEM in a directory",
     "openssl", lambda case: case[4] == "crl_in_der"),
    ("the Toolkit finds no issuer of a CRL whose CA came with the chain",
     "gct", lambda case: case[0] == "sent"),
    ("RFC 3820 lets a full proxy follow a limited one; to us the whole is "
     "limited", "gct", lambda case: case[2] == "limited_full"),
    ("every star is a wildcard here, to the Toolkit the last",
     "gct", lambda case: case[3] == "two_stars"),
]


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    place = tmp_path_factory.mktemp("matrix")
    made = subprocess.run([BUILD / "tests" / "trust_matrix", place],
                          capture_output=True, text=True, check=True)
    rows = [line.split("\t") for line in made.stdout.splitlines()]
    asked = "".join(f"{row[1]} {row[2]}\n" for row in rows)
    said = subprocess.run([BUILD / "tests" / "gct_says"], input=asked,
                          capture_output=True, text=True, check=True)
    gct = said.stdout.splitlines()
    assert len(gct) == len(rows)
    return [(row[0].split("/"), row, row[3] == "0", g.startswith("accepted"),
             row[4], g) for row, g in zip(rows, gct)]


def reasons(case, who, ours):
    """Why ${who} says the opposite of us."""
    if ours.startswith("accepted"):
        return [r for r, other, fits in WIDER if other == who and fits(case)]
    return [r for r, others, words in STRICTER
            if who in others and any(w in ours for w in words)]


def test_each_difference_has_its_reason_and_each_reason_a_difference(cases):
    used, unexplained = set(), []
    assert len(cases) >= LEAST
    for case, _, openssl, gct, ours, said in cases:
        for who, other in (("openssl", openssl), ("gct", gct)):
            if other == ours.startswith("accepted"):
                continue
            why = reasons(case, who, ours)
            used.update((who, r) for r in why)
            if not why:
                unexplained.append(("/".join(case), who, ours, said))
    assert unexplained == []
    listed = {(who, r) for r, whos, _ in STRICTER for who in whos}
    listed |= {(who, r) for r, who, _ in WIDER}
    assert used == listed


def test_all_agree_about_most_and_say_both_often(cases):
    agreed = [c for c in cases
              if c[2] == c[3] == c[4].startswith("accepted")]
    assert len(agreed) > len(cases) / 2
    assert sum(c[2] for c in agreed) > 40
    assert sum(not c[2] for c in agreed) > 200


def test_nobody_is_another_here_than_there(cases):
    """Who is accepted is Alice, or the proxy that speaks for itself."""
    person = "/DC=org/DC=example/OU=People/CN=Alice"
    for case, _, _, _, ours, _ in cases:
        if not ours.startswith("accepted"):
            continue
        name = ours.removeprefix("accepted ").removesuffix(" limited")
        own = case[2] == "independent"
        assert name == person + ("/CN=111" if own else ""), case
        assert ours.endswith(" limited") == ("limited" in case[2]), case


def test_the_command_openssl_verify_says_what_its_library_says(cases):
    for _, row, accepted, _, _, _ in cases[::12]:
        done = subprocess.run(
            ["openssl", "verify", "-CApath", row[1], "-no-CAfile",
             "-no-CAstore", "-allow_proxy_certs", "-crl_check_all",
             "-untrusted", row[2], row[2]], capture_output=True, text=True)
        assert (done.returncode == 0) == accepted, (row, done.stderr)
