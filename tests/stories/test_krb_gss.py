"""SASL GSSAPI against a real KDC: lib/krb/krb_gss on both ends."""

import os
import pathlib
import subprocess

import pytest

from kdc import Kdc

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("SIGNET_BUILD", ROOT / "build"))
PROBE = BUILD / "tests" / "krb_gss_probe"

NONE = "01000000"
USER = b"user0".hex()


@pytest.fixture(scope="module")
def kdc(tmp_path_factory):
    directory = tmp_path_factory.mktemp("krb")
    users = {"user0": "secret123", "user1": "secret456"}
    with Kdc(directory, users=users,
             services=("myproxy/localhost", "host/localhost")) as kdc:
        kdc.kadmin("addprinc -randkey myproxy/elsewhere.test")
        yield kdc


@pytest.fixture
def talk(kdc, tmp_path):
    env = kdc.kinit("user0", cache=tmp_path / "cc")

    def run(authzid="user0", mode="plain", host="localhost",
            target="localhost", env=env):
        done = subprocess.run(
            [PROBE, kdc.keytab, host, target, authzid, mode], env=env,
            capture_output=True, text=True, timeout=60)
        assert done.stderr == ""
        return done.returncode, done.stdout.strip()

    return run


def test_a_ticket_proves_its_principal(talk):
    assert talk() == (0, "user0@LIGO.TEST user0")


def test_the_authorization_id_may_be_left_out(talk):
    assert talk(authzid="") == (0, "user0@LIGO.TEST")


def test_the_wish_of_another_name_is_reported_not_granted(talk):
    assert talk(authzid="user1") == (0, "user0@LIGO.TEST user1")


def test_a_client_without_initial_response_is_asked(talk):
    assert talk(mode="late") == (0, "user0@LIGO.TEST user0")


def test_a_conversation_that_was_overheard_is_no_proof(talk):
    status, text = talk(mode="replay")
    assert status == 5
    assert text.startswith("LOGIN: ")


def test_one_bit_of_the_last_token_is_enough_to_refuse(talk):
    status, text = talk(mode="flip")
    assert status == 5
    assert text.startswith("LOGIN: unwrap")


def test_a_choice_by_the_rules_is_taken(talk):
    assert talk(mode=f"choice:{NONE}{USER}") == (0, "user0@LIGO.TEST user0")


@pytest.mark.parametrize("choice, why", [
    ("02000000" + USER, "not offered"),
    ("03000000" + USER, "not offered"),
    ("00000000" + USER, "not offered"),
    ("01001000" + USER, "size without a layer"),
    ("010000", "3 bytes"),
    ("", "0 bytes"),
    (NONE + "00" + USER, "not UTF-8"),
    (NONE + "ff", "not UTF-8"),
    (NONE + "0a", "not UTF-8"),
    (NONE + "61" * 256, "260 bytes"),
])
def test_a_choice_against_the_rules_is_refused(talk, choice, why):
    status, text = talk(mode=f"choice:{choice}")
    assert status == 5
    assert why in text


def test_without_mutual_authentication_nobody_gets_in(talk):
    status, text = talk(mode=f"bare:{NONE}{USER}")
    assert status == 5
    assert "mutual" in text


def test_a_ticket_for_another_service_of_the_keytab_is_refused(talk, kdc):
    status, text = talk(host="elsewhere.test")
    assert status == 5
    assert "the ticket is for myproxy/localhost@LIGO.TEST" in text


def test_any_key_of_the_keytab_will_do_where_no_host_is_set(talk):
    assert talk(host="")[0] == 0


def test_a_ticket_whose_key_we_lack_is_refused(talk):
    status, text = talk(host="", target="elsewhere.test")
    assert status == 5


def test_without_a_ticket_the_initiating_end_says_so(talk, kdc, tmp_path):
    env = dict(kdc.env, KRB5CCNAME=f"FILE:{tmp_path}/none")
    status, text = talk(env=env)
    assert status == 3
    assert text.startswith("ABSENT: ")


def test_without_a_kdc_the_initiating_end_says_so(talk, kdc, tmp_path):
    text = open(kdc.krb5_conf).read().replace(f":{kdc.port}", ":1")
    conf = tmp_path / "krb5.conf"
    conf.write_text(text)
    env = kdc.kinit("user0", cache=tmp_path / "cc2")
    status, text = talk(env=dict(env, KRB5_CONFIG=str(conf)))
    assert status == 6
    assert text.startswith("UNREACHABLE: ")
