"""What the CA may sign, and for whom: CAs, profiles, serials, realms, maps."""

import os
import socket
import ssl

import pytest
from signet_site import (BASE, CAS, PEOPLE, SIGNET_CA, SIGNETD, Root, Site,
                         openssl, run)


def field(pem, what):
    out = openssl("x509", "-in", pem, "-noout", f"-{what}", "-nameopt",
                  "compat").stdout.strip()
    return out.split("=", 1)[1]


def test_two_cas_side_by_side_chosen_by_profile(tmp_path):
    """An RSA and an EC chain from one daemon; -k picks the profile."""
    root = Root(tmp_path / "cas")
    run(SIGNET_CA, "init", "slcs", tmp_path / "second", "--root", root.root,
        "--subject", f"{CAS}/OU=UWM/CN=MyProxy 2", "--may-sign-under", PEOPLE,
        "--key", "rsa:2048", "--serial", "random")
    site = Site(tmp_path / "site", root=root,
                settings=[f"ca {tmp_path}/second",
                          f"profile {tmp_path}/site/slcs-user.profile",
                          f"profile {tmp_path}/second-user.profile"])
    profile = (site.dir / "slcs-user.profile").read_text()
    (tmp_path / "second-user.profile").write_text(
        profile + "authority second\n")
    run(SIGNET_CA, "publish", tmp_path / "second", "--trust-dir", site.trust)
    with site:
        first, second = tmp_path / "1.pem", tmp_path / "2.pem"
        site.stock_logon(out=first)
        site.stock_logon("-k", "second-user", out=second)
        assert field(first, "issuer").endswith("CN=MyProxy 1")
        assert field(second, "issuer").endswith("CN=MyProxy 2")
        for pem in (first, second):
            assert field(pem, "subject") == f"{PEOPLE}/CN=user0@LIGO.TEST"
            openssl("verify", "-x509_strict", "-CApath", site.trust,
                    "-untrusted", pem, pem)
        assert len(int(field(second, "serial"), 16).to_bytes(20, "big")
                   .lstrip(b"\0")) >= 16  # 159 random bits
        wrong = site.stock_logon("-k", "no-such-profile", check=False,
                                 out=tmp_path / "3.pem")
        assert wrong.returncode == 1


def test_a_chain_above_the_ca_is_handed_out(tmp_path):
    with Site(tmp_path / "site") as site:
        out = tmp_path / "c.pem"
        site.stock_logon(out=out)
        assert out.read_text().count("BEGIN CERTIFICATE") == 2  # not the root
        root_only = tmp_path / "root"
        root_only.mkdir()
        for path in site.trust.iterdir():
            if path.suffix == ".0" and "Root" in openssl(
                    "x509", "-in", path, "-noout", "-subject").stdout:
                (root_only / path.name).write_bytes(path.read_bytes())
        openssl("verify", "-CApath", root_only, "-untrusted", out, out)


def test_past_the_end_of_its_range_a_ca_signs_nothing(tmp_path):
    with Site(tmp_path / "site", serial="range 1000 3") as site:
        serials = []
        for n in range(3):
            out = tmp_path / f"{n}.pem"
            site.stock_logon(out=out)
            serials.append(int(field(out, "serial"), 16))
        assert serials == [1000, 1001, 1002]
        past = site.stock_logon(out=tmp_path / "3.pem", check=False)
        assert past.returncode == 1
        assert "the CA has used up its serial numbers" in past.stderr
        assert not (tmp_path / "3.pem").exists()
        site.wait_log("serials-low")
        site.wait_log("fault code=USED_UP .*serial range of slcs is used up")
        # A restart does not begin anew.
        site.stop()
        site.start()
        assert site.stock_logon(out=tmp_path / "4.pem",
                                check=False).returncode == 1


def test_a_name_too_long_for_a_certificate_is_refused_as_that(tmp_path):
    most = 64 - len("@LIGO.TEST")
    users = {"a" * most: "secret-1", "b" * (most + 1): "secret-2"}
    with Site(tmp_path / "site", users=users) as site:
        fits, longer = users
        site.stock_logon(user=fits, password="secret-1")
        refused = site.stock_logon(user=longer, password="secret-2",
                                   check=False, out=tmp_path / "c.pem")
        assert refused.returncode == 1
        assert "the name is too long for a certificate" in refused.stderr
        site.wait_log(r"login-refused .*code=NAME .*more than 64 characters")
        # Whoever has not proven to be that person learns nothing.
        wrong = site.stock_logon(user=longer, password="guess",
                                 check=False, out=tmp_path / "c.pem")
        assert "too long" not in wrong.stderr


def ask_blindly(site, tmp_path, out):
    """A logon that judges nobody, for 200 hours."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    openssl("req", "-new", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:P-256", "-nodes", "-keyout", tmp_path / "k",
            "-outform", "DER", "-out", tmp_path / "r", "-subj", "/CN=x")
    with socket.create_connection(("127.0.0.1", site.port)) as raw, \
            context.wrap_socket(raw) as tls:
        tls.settimeout(20)
        tls.send(b"0")
        tls.send(b"VERSION=MYPROXYv2\nCOMMAND=0\nUSERNAME=user0\n"
                 b"PASSPHRASE=secret123\nLIFETIME=720000\n\0")
        answer = b""
        while b"RESPONSE=0" not in answer:
            chunk = tls.recv(65536)
            assert chunk, answer
            answer += chunk
        tls.send((tmp_path / "r").read_bytes())
        chain = b""
        while len(chain) < 100:
            chunk = tls.recv(65536)
            assert chunk, chain
            chain += chunk
    size = int.from_bytes(chain[3:5], "big") + 4
    (tmp_path / "c.der").write_bytes(chain[1:1 + size])
    openssl("x509", "-inform", "DER", "-in", tmp_path / "c.der", "-out", out)


def start_in_days(site, days):
    """What faketime(1) would set, without it between us and the daemon: it
    does not pass signals on."""
    played = dict(line.split("=", 1) for line in run(
        "faketime", f"+{days} days", "env").stdout.splitlines() if "=" in line)
    for name in ("LD_PRELOAD", "FAKETIME"):
        site.env[name] = played[name]
    site.start("--pass-env", "LD_PRELOAD", "--pass-env", "FAKETIME")


def test_a_ca_that_has_expired_is_not_the_users_credential(tmp_path):
    site = Site(tmp_path / "site")
    start_in_days(site, 7310)  # the CA lives 20 years
    try:
        with pytest.raises(AssertionError) as refused:
            ask_blindly(site, tmp_path, tmp_path / "c.pem")
        assert "signing is suspended" in str(refused.value)
        assert "expired" not in str(refused.value)
        site.wait_log(r"ca-ending ca=slcs days=-\d+")
        site.wait_log(r"issue-refused .*code=SUSPENDED .*has expired")
    finally:
        site.stop()


def test_not_after_never_passes_the_issuers(tmp_path):
    root = Root(tmp_path / "cas")
    site = Site(tmp_path / "site", root=root)
    start_in_days(site, 7298)  # the CA lives 20 years
    try:
        # The host's certificate has ended by then, so stock clients would not
        # come so far as to ask: this one does not look at it.
        out = tmp_path / "c.pem"
        ask_blindly(site, tmp_path, out)
        end = openssl("x509", "-in", out, "-noout", "-enddate").stdout
        issuer_end = openssl("x509", "-in", site.ca / "ca.pem", "-noout",
                             "-enddate").stdout
        assert end == issuer_end
    finally:
        site.stop()


def test_a_subject_outside_the_name_space_is_not_signed(tmp_path):
    """The template says one thing, the CA may sign another: the signer is the
    last gate."""
    with Site(tmp_path / "site") as site:
        profile = site.dir / "slcs-user.profile"
        profile.write_text(profile.read_text().replace(
            f"subject {PEOPLE}/CN=", f"subject {BASE}/OU=Elsewhere/CN="))
        site.stop()
        site.start()
        result = site.stock_logon(out=tmp_path / "c.pem", check=False)
        assert result.returncode == 1
        assert not (tmp_path / "c.pem").exists()
        site.wait_log("sign-refused|issue-refused")


@pytest.mark.parametrize("source", ["mapfile", "program"])
def test_subjects_from_elsewhere(tmp_path, source):
    subject = f"{PEOPLE}/CN=Some One 4711"
    settings = [f"subject-from {source}"]
    if source == "mapfile":
        path = tmp_path / "grid-mapfile"
        path.write_text(f'"{subject}" user0,other\n')
        settings.append(f"mapfile {path}")
    else:
        path = tmp_path / "map.sh"
        path.write_text(f'#!/bin/sh\ncase $1 in user0*) echo "{subject}";; '
                        "*) exit 1;; esac\n")
        path.chmod(0o755)
        settings.append(f"map-program {path}")
    with Site(tmp_path / "site", settings=settings,
              users={"user0": "secret123", "nobody1": "secret123"}) as site:
        out = tmp_path / "c.pem"
        got = site.stock_logon(out=out, check=False)
        assert got.returncode == 0, got.stderr + site.log_now()
        assert field(out, "subject") == subject
        wrong = site.stock_logon(user="nobody1", out=tmp_path / "d.pem",
                                 check=False)
        # Who is not in the map reads what a stranger reads.
        assert wrong.returncode == 1
        assert "user name or the password is wrong" in wrong.stderr


def test_the_password_of_an_encrypted_key_is_asked_for(tmp_path):
    """key-passphrase fd:N; the key is on disk only under its pass phrase."""
    root = Root(tmp_path / "cas")
    site = Site(tmp_path / "site", root=root)
    key = site.ca / "ca.key"
    plain = key.read_text()
    openssl("pkcs8", "-topk8", "-v2", "aes-256-cbc", "-in", key, "-out",
            tmp_path / "enc.key", "-passout", "pass:a long pass phrase")
    key.write_bytes((tmp_path / "enc.key").read_bytes())
    assert "ENCRYPTED" in key.read_text() != plain
    read, write = os.pipe()
    site.settings.append(f"key-passphrase fd:{read}")
    site.write_conf()
    os.write(write, b"a long pass phrase\n")
    os.close(write)
    site.start(pass_fds=[read])
    os.close(read)
    try:
        site.stock_logon(out=tmp_path / "c.pem")
    finally:
        site.stop()


def check_refused(site, was):
    """No start, no check, and nothing made: the ledger is to be found first."""
    there = sorted(site.dir.rglob("*"))
    for options in (["--check"], []):
        result = run(SIGNETD, "-c", site.conf, *options, check=False)
        assert result.returncode == 78, result.stderr
        assert f"no ledger {site.ledger}, but " in result.stderr
        assert (f"ledger-missing ledger={site.ledger} ca={site.ca} was={was}\n"
                in result.stderr)
    assert sorted(site.dir.rglob("*")) == there


def test_a_ca_that_was_served_is_not_served_without_its_ledger(tmp_path):
    site = Site(tmp_path / "s", serial="range 1000 100")
    marker = site.ca / "ledger.path"
    assert "all is well" in run(SIGNETD, "-c", site.conf, "--check").stdout
    assert not marker.exists()
    with site:
        site.stock_logon(out=tmp_path / "first.pem")
    was = site.ledger
    assert marker.read_text() == f"{was}\n"
    # A slip in the path, as another daemon of this CA would have it.
    site.ledger = site.dir / "legder" / "ledger.db"
    site.write_conf()
    check_refused(site, was)
    # Its directory is there, the disk in it is not; and a file of no bytes.
    site.ledger = was
    site.write_conf()
    os.rename(was.parent, site.dir / "away")
    was.parent.mkdir()
    check_refused(site, was)
    was.touch()
    check_refused(site, was)
    # Found again elsewhere: the numbers go on, and the marker follows.
    site.ledger = site.dir / "away" / "ledger.db"
    site.write_conf()
    with site:
        site.stock_logon(out=tmp_path / "second.pem")
    assert marker.read_text() == f"{site.ledger}\n"
    serials = [openssl("x509", "-in", tmp_path / f"{n}.pem", "-noout",
                       "-serial").stdout for n in ("first", "second")]
    assert serials[0] != serials[1]
    # Whoever says that it is lost may begin anew.
    marker.unlink()
    site.ledger = was
    site.write_conf()
    with site:
        pass
    assert marker.read_text() == f"{was}\n"


def test_a_ca_directory_that_cannot_be_written_is_logged_once(tmp_path):
    site = Site(tmp_path / "s")
    with site:
        pass
    # Root can write to any directory, but puts no file in a folder's place.
    (site.ca / "ledger.path").unlink()
    (site.ca / "ledger.path").mkdir()
    with site:
        site.wait_log("ledger-unmarked ca=")
        site.stock_logon()
    assert site.log().count("ledger-unmarked") == 1
