"""The settings of an etoken-ca become ours: each line is carried over or said
not to be, nothing in the file is carried out, and signetd reads the result."""

import json
import os
import shutil

import pytest
from signet_site import BUILD, CAS, REPO, SIGNET_CA, openssl, run
from signet_token import SOFTHSM, Token

SPACE = "/DC=org/DC=example/O=Pilot"
SYSCONFIG = f"""# /etc/sysconfig/etoken-ca
DN_FORMAT="{SPACE}/CN=%s"
CA_OIDS=1.2.840.113612.5.2.2.3,1.2.840.113612.5.2.3.3.3
CRL_URLS='URI:http://ca.example.org/pilot.crl'
USB_DEVICE=0529:0620 # as lsusb says
export KEY=0:45
"""


def convert(tmp_path, text, *more, status=0):
    (tmp_path / "etoken-ca").write_text(text)
    result = run(SIGNET_CA, "convert", "etoken-ca", tmp_path / "etoken-ca",
                 "--dir", tmp_path / "etc", *more, check=False)
    assert result.returncode == status, result.stdout + result.stderr
    return result.stdout


def conf(path):
    return [line for line in path.read_text().splitlines()
            if not line.startswith("#")]


def test_what_is_known_is_carried_over(tmp_path):
    text = convert(tmp_path, SYSCONFIG, "--key-module", SOFTHSM)
    assert "not carried" not in text
    ca = conf(tmp_path / "etc/ca/ca.conf")
    assert {"key 0:45", f"key-module {SOFTHSM}", "usb-device 0529:0620",
            "crl-url http://ca.example.org/pilot.crl",
            f"may-sign-under {SPACE}"} <= set(ca)
    profile = conf(tmp_path / "etc/profiles/people.profile")
    assert {f"subject {SPACE}/CN={{user}}", "policy 1.2.840.113612.5.2.2.3",
            "policy 1.2.840.113612.5.2.3.3.3"} <= set(profile)
    site = conf(tmp_path / "etc/signetd.conf")
    assert {"pin-from console", "token-preset softhsm", "logins no",
            f"ca {tmp_path}/etc/ca"} <= set(site)
    # Again is no harm; with other contents nothing is overwritten.
    convert(tmp_path, SYSCONFIG, "--key-module", SOFTHSM)
    convert(tmp_path, SYSCONFIG.replace("0:45", "0:46"), "--key-module",
            SOFTHSM, status=8)
    assert conf(tmp_path / "etc/ca/ca.conf") == ca


def test_what_is_not_carried_is_said_line_by_line(tmp_path):
    bait = tmp_path / "bait"
    text = convert(tmp_path, f"""DN_FORMAT=%s
CA_OIDS=1.2,not.an.oid
CRL_URLS=URI:https://ca.example.org/x,URI:http://ca.example.org/y
USB_DEVICE=all
KEY=$(touch {bait})
touch {bait}
NOTIFY_HOOK=/usr/local/bin/tell
KEY=0:
""", "--json", status=1)
    rows = {(row["line"], row["variable"]): row for row in json.loads(text)}
    assert not any(rows[key]["carried"] for key in rows
                   if key != (8, "KEY"))
    assert len(rows) == 8 and not bait.exists()
    assert "could be kept to" in rows[1, "DN_FORMAT"]["why"]
    assert "not.an.oid" in rows[2, "CA_OIDS"]["why"]
    assert "1 of 2" in rows[3, "CRL_URLS"]["why"]
    assert "expand" in rows[5, "KEY"]["why"]
    assert "no assignment" in rows[6, "-"]["why"]
    assert "not known here" in rows[7, "NOTIFY_HOOK"]["why"]
    assert "one key" in rows[8, "KEY"]["to"]


def test_what_is_yours_to_do_is_said(tmp_path):
    said = convert(tmp_path, "", status=0)
    for word in ("ca.pem", "subject", "no KEY", "key-module", "realm"):
        assert word in said


@pytest.mark.parametrize("line", [
    "DN_FORMAT='/O=a/CN=%d'", "DN_FORMAT='/O=a/CN=x'",
    "DN_FORMAT='/O=%s/CN=%s'", "DN_FORMAT='/O=a/CN={user}%s'",
    "DN_FORMAT='/CN=%s'", "USB_DEVICE=0529:06200", "KEY=x:y",
    "KEY='pkcs11:token=a;object=b?pin-value=1234'", "CRL_URLS="])
def test_a_value_that_cannot_be_ours(tmp_path, line):
    assert "not carried" in convert(tmp_path, line + "\n", status=1)


def test_signetd_reads_the_result(tmp_path):
    """With the certificates in place, and a module and accounts of here."""
    token = Token(tmp_path / "token")
    root, sub = tmp_path / "root", tmp_path / "sub"
    profiles = ("--profile-dir", REPO / "share/profiles")
    run(SIGNET_CA, "init", "root", root, "--subject", f"{CAS}/CN=Root",
        "--may-sign-under", CAS, "--no-passphrase", *profiles)
    run(SIGNET_CA, "init", "slcs", sub, "--root", root, "--subject",
        f"{CAS}/CN=Pilot", "--may-sign-under", SPACE, *profiles)
    text = convert(tmp_path, SYSCONFIG, "--key-module", token.module,
                   "--state", tmp_path / "state", "--realm", "PILOT.TEST")
    assert "as chain.pem" in text
    for name in ("ca.pem", "chain.pem"):
        shutil.copy(sub / name, tmp_path / "etc/ca" / name)
    site = tmp_path / "etc/signetd.conf"
    site.write_text(
        site.read_text().replace("issue-from myproxy",
                                 f"issue-from {os.getuid()}")
        .replace("/run/signet/issue.sock", f"{tmp_path}/issue.sock") +
        "".join(f"user-{role} {61300 + n}\n" for n, role in enumerate(
            ("front", "auth", "worker", "issuer", "signer", "keeper", "desk",
             "token", "intake"))) + "user-hook 61310\n")
    (tmp_path / "state/ledger").mkdir(parents=True)
    done = run(BUILD / "signetd/signetd", "--check", "-c", site, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    assert openssl("x509", "-noout", "-subject", "-in",
                   tmp_path / "etc/ca/ca.pem").stdout
