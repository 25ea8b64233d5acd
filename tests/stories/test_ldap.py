"""Passwords and subjects from a real directory: lib/authn against slapd."""

import os
import pathlib
import socket
import subprocess

import pytest

from slapd import PEOPLE, SEARCHER, SEARCHER_PASSWORD, SUFFIX, Slapd

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("SIGNET_BUILD", ROOT / "build"))
PROBE = BUILD / "tests" / "authn_ldap_probe"

TEMPLATE = "uid={user}," + PEOPLE
PEOPLE_HERE = [
    {"uid": "ann", "userPassword": "first", "mail": "ann@LIGO.ORG",
     "description": "/DC=org/DC=ligo/CN=ann@LIGO.ORG"},
    {"uid": "bob", "userPassword": "second", "mail": "bob@LIGO.ORG",
     "description": ["/DC=org/CN=bob 1", "/DC=org/CN=bob 2"]},
    {"uid": "eve", "userPassword": "third", "mail": "ann2@LIGO.ORG"},
    {"uid": "eve2", "userPassword": "third", "mail": "ann2@LIGO.ORG"},
]


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    with Slapd(tmp_path_factory.mktemp("ldap"), PEOPLE_HERE) as ldap:
        yield ldap


@pytest.fixture(scope="module")
def closed(tmp_path_factory):
    with Slapd(tmp_path_factory.mktemp("closed"), PEOPLE_HERE,
               anonymous=False) as ldap:
        yield ldap


def probe(verb, name, phrase, *words):
    done = subprocess.run([PROBE, verb, name, phrase, *words],
                          capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    return done.returncode, done.stdout.strip()


def tls(ldap):
    return [f"uris={ldap.uri}", f"ca_file={ldap.ca_file}", "start_tls",
            "require_tls", f"base={SUFFIX}"]


@pytest.mark.parametrize("how", [[f"bind_dn={TEMPLATE}"], []])
def test_the_right_password_passes_and_others_do_not(directory, how):
    words = tls(directory) + how
    assert probe("bind", "ann", "first", *words)[0] == 0
    for name, phrase in [("ann", "second"), ("ann", ""), ("nobody", "first"),
                         ("nobody", ""), ("*", "first"), ("an*", "first"),
                         ("ann)(uid=*", "first"), ("ann,ou=people", "first"),
                         ("", "first")]:
        status, text = probe("bind", name, phrase, *words)
        assert (status, text[:7]) == (5, "LOGIN: "), (name, phrase)


@pytest.mark.parametrize("how", [[f"bind_dn={TEMPLATE}"], []])
def test_one_person_has_one_spelling(directory, how):
    """slapd takes uid=ANN for uid=ann."""
    words = tls(directory) + how
    assert probe("bind", "ANN", "first", *words) == (0, "ANN")
    words += ["user_attribute=uid"]
    assert probe("bind", "ANN", "first", *words) == (0, "ann")
    assert probe("bind", "ann", "first", *words) == (0, "ann")
    assert probe("bind", "ann ", "first", *words)[0] == 5
    assert probe("bind", " ann", "first", *words)[0] == 5
    words[-1] = "user_attribute=mail"
    assert probe("bind", "ann", "first", *words)[0] == 5
    words[-1] = "user_attribute=nosuch"
    assert probe("bind", "ann", "first", *words)[0] == 5


def test_an_empty_password_is_no_anonymous_bind(directory):
    """slapd itself says yes to it."""
    done = subprocess.run(
        ["ldapwhoami", "-x", "-H", directory.uri, "-D", "", "-w", ""],
        capture_output=True, text=True)
    assert done.returncode == 0 and "anonymous" in done.stdout
    status, text = probe("bind", "ann", "", f"bind_dn={TEMPLATE}",
                         *tls(directory))
    assert (status, text) == (5, "LOGIN: empty password")


def test_ldaps_is_tls_too(directory):
    words = [f"uris={directory.ldaps}", f"ca_file={directory.ca_file}",
             "require_tls", f"bind_dn={TEMPLATE}"]
    assert probe("bind", "ann", "first", *words)[0] == 0
    assert probe("bind", "ann", "x", *words)[0] == 5


def test_a_directory_with_another_ca_gets_no_password(directory, closed):
    for uri in [directory.uri, directory.ldaps]:
        status, text = probe(
            "bind", "ann", "first", f"uris={uri}", "start_tls",
            f"ca_file={closed.ca_file}", f"bind_dn={TEMPLATE}")
        assert status == 6, text
    status, text = probe("bind", "ann", "first", f"uris={directory.ldaps}",
                         f"bind_dn={TEMPLATE}")
    assert status == 6, text


def test_a_certificate_for_another_name_gets_no_password(directory):
    uri = directory.uri.replace("127.0.0.1", "127.0.0.2")
    words = tls(directory)[1:] + [f"uris={uri}", f"bind_dn={TEMPLATE}"]
    status, text = probe("bind", "ann", "first", *words)
    assert status == 6, text


def test_without_tls_only_where_it_is_allowed(directory):
    plain = [f"uris={directory.uri}", f"bind_dn={TEMPLATE}"]
    assert probe("bind", "ann", "first", *plain)[0] == 0
    status, text = probe("bind", "ann", "first", *plain, "require_tls")
    assert status == 78
    assert "TLS" in text


def test_the_next_server_stands_in_for_one_that_is_down(directory):
    words = tls(directory)[1:] + [f"bind_dn={TEMPLATE}"]
    down = "ldap://127.0.0.1:1"
    assert probe("bind", "ann", "first", f"uris={down} {directory.uri}",
                 *words)[0] == 0
    status, text = probe("bind", "ann", "first", f"uris={down}", *words)
    assert (status, text.split(":")[0]) == (6, "UNREACHABLE")


def test_a_server_that_says_nothing_is_given_up(directory):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        uri = f"ldap://127.0.0.1:{silent.getsockname()[1]}"
        words = tls(directory)[1:] + [f"bind_dn={TEMPLATE}", "impatient"]
        assert probe("bind", "ann", "first", f"uris={uri} {directory.uri}",
                     *words)[0] == 0


def test_where_anonymous_may_not_search_someone_else_does(closed):
    words = tls(closed)
    assert probe("bind", "ann", "first", *words)[0] != 0
    words += [f"search_dn={SEARCHER}", f"search_password={SEARCHER_PASSWORD}"]
    assert probe("bind", "ann", "first", *words)[0] == 0
    assert probe("bind", "ann", "second", *words)[0] == 5
    words[-1] = "search_password=wrong"
    status, text = probe("bind", "ann", "first", *words)
    assert status == 6, text
    words[-1] = "search_password="
    status, text = probe("bind", "ann", "first", *words)
    assert status == 78, text


def test_two_entries_are_nobody(directory):
    words = tls(directory) + ["filter=(mail={user}@LIGO.ORG)"]
    assert probe("bind", "ann", "first", *words)[0] == 0
    status, text = probe("bind", "ann2", "third", *words)
    assert (status, text[:7]) == (5, "LOGIN: ")


def test_the_subject_is_the_one_value_of_the_one_entry(directory):
    words = tls(directory) + ["filter=(mail={principal})",
                              "attribute=description"]
    assert probe("subject", "ann@LIGO.ORG", "", *words) == (
        0, "/DC=org/DC=ligo/CN=ann@LIGO.ORG")
    for name in ["bob@LIGO.ORG", "ann2@LIGO.ORG", "nobody@LIGO.ORG",
                 "*@LIGO.ORG", "*"]:
        status, text = probe("subject", name, "", *words)
        assert (status, text[:8]) == (3, "ABSENT: "), name
