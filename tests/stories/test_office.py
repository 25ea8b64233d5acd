"""The office of signetd: who may ask, who must approve, and what comes back."""

import json
import os
import socket
import subprocess

import pytest
from office_site import SERVICES, STAFF, Office, make_kdc, subject_of
from signet_site import SIGNET_CA, openssl, run


@pytest.fixture(scope="module")
def kdc(tmp_path_factory):
    with make_kdc(tmp_path_factory.mktemp("kdc")) as kdc:
        yield kdc


@pytest.fixture(scope="module")
def office(kdc, tmp_path_factory):
    with Office(tmp_path_factory.mktemp("office"), kdc) as office:
        yield office


@pytest.fixture(scope="module")
def strict(kdc, tmp_path_factory):
    """Two must approve, and who asked is none of them."""
    with Office(tmp_path_factory.mktemp("strict"), kdc, approvals=2,
                second_person=True) as office:
        yield office


def test_a_request_becomes_a_certificate_that_its_host_accepts(strict):
    path, name = strict.request("www.ligo.org")
    asked = strict.say("eve", "request", "submit", path)
    assert (asked["state"], asked["request"], asked["who"]) == (
        "open", name, "eve")
    assert (asked["approvals"], asked["needed"]) == (0, 2)
    assert asked["method"] == "kerberos eve@LIGO.TEST"
    # Again does no harm.
    again = strict.say("eve", "request", "submit", path)
    assert again["entry"] == asked["entry"]
    assert name in strict.ask("eve", "request", "list", "--open").stdout
    none = strict.ask("eve", "request", "fetch", name, "--out",
                      strict.files / "early.reply", check=False)
    assert none.returncode == 3 and "no certificate (yet)" in none.stderr
    one = strict.say("ann", "request", "approve", name, "--reason",
                     "rang her up")
    assert (one["state"], one["approvals"]) == ("open", 1)
    # The same person again is still one.
    assert strict.say("ann", "request", "approve", name)["state"] == "open"
    two = strict.say("bob", "request", "approve", name)
    assert two["state"] == "issued" and two["serial"]
    shown = strict.ask("sue", "request", "show", name).stdout
    assert "approved by ann" in shown and "rang her up" in shown
    assert "approved by bob" in shown and "Eve Example" in shown
    reply = strict.files / "www.reply"
    strict.ask("eve", "request", "fetch", name, "--out", reply)
    pem = strict.files / "www.pem"
    run(SIGNET_CA, "request", "accept", reply, "--key", f"{path}.key",
        "--request", path, "--root", strict.root.root / "ca.pem", "--out", pem)
    assert subject_of(pem) == f"{SERVICES}/CN=www.ligo.org"
    openssl("verify", "-CApath", strict.trust, "-untrusted", pem, "-CAfile",
            strict.root.root / "ca.pem", pem)
    text = openssl("x509", "-in", pem, "-noout", "-ext",
                   "subjectAltName").stdout
    assert "DNS:www.ligo.org" in text
    # Approved again, it is the same certificate.
    after = strict.say("bob", "request", "approve", name)
    assert after["serial"] == two["serial"]
    strict.check_book()


def test_who_asked_does_not_count_where_two_are_wanted(strict):
    path, name = strict.request("second.ligo.org")
    strict.ask("ann", "request", "submit", path)
    own = strict.ask("ann", "request", "approve", name, check=False)
    assert own.returncode == 8 and "second person" in own.stderr
    assert strict.say("bob", "request", "approve", name)["state"] == "open"
    assert strict.state(name, "bob") == "open"


def test_one_approval_is_enough_where_the_profile_says_so(office):
    path, name = office.request("one.ligo.org")
    office.ask("ann", "request", "submit", path)
    assert office.say("ann", "request", "approve", name)["state"] == "issued"


@pytest.mark.parametrize("who,host,more,why", [
    ("eve", "www.elsewhere.org", (), "may not ask for www.elsewhere.org"),
    ("eve", "a.ligo.org", ("--dns", "b.elsewhere.org"),
     "may not ask for b.elsewhere.org"),
    ("rob", "c.ligo.org", (), "may not ask for c.ligo.org"),
    ("eve", "ligo.org", (), "may not ask for ligo.org"),
])
def test_names_that_one_may_not_ask_for(office, who, host, more, why):
    path, name = office.request(f"{host}", more=more)
    refused = office.ask(who, "request", "submit", path, check=False)
    assert refused.returncode == 8 and why in refused.stderr
    gone = office.ask("sue", "request", "show", name, check=False)
    assert gone.returncode == 3


@pytest.mark.parametrize("who, name, profile, mail", [
    ("eve", "m.ligo.org", "host", "president@ligo.org"),
    ("here", "Robot: any - one", "robot", None),
])
def test_mail_addresses_are_names_too(office, who, name, profile, mail):
    more = ("--email", mail or "president@ligo.org")
    path, _ = office.request(name, profile=profile, more=more)
    answer = office.ask(None if who == "here" else who, "request", "submit",
                        path, check=False)
    if mail is None:
        assert answer.returncode == 0, answer.stderr
    else:
        assert answer.returncode == 8
        assert f"eve may not ask for {mail}" in answer.stderr


def test_where_nobody_approves_a_robots_address_is_a_name(kdc, tmp_path):
    staff = STAFF + 'may-ask rob robot "Robot: b - B" data@ligo.org\n'
    with Office(tmp_path, kdc, approvals=0, staff=staff) as office:
        path, _ = office.request("Robot: transfer - Data Team",
                                 profile="robot",
                                 more=("--email", "president@ligo.org"))
        refused = office.ask("rob", "request", "submit", path, check=False)
        assert refused.returncode == 8
        assert "may not ask for president@ligo.org" in refused.stderr
        path, name = office.request("Robot: b - B", profile="robot",
                                    more=("--email", "data@ligo.org"))
        office.ask("rob", "request", "submit", path)
        assert office.state(name) == "issued"


def test_a_robot_is_asked_for_by_its_name(office):
    path, name = office.request(
        "Robot: transfer - Data Team", profile="robot",
        more=("--email", "data@ligo.org"))
    denied = office.ask("eve", "request", "submit", path, check=False)
    assert denied.returncode == 8
    office.ask("rob", "request", "submit", path)
    assert office.say("bob", "request", "approve", name)["state"] == "issued"


def test_persons_are_not_for_the_office(office):
    path, _ = office.request("person.ligo.org")
    text = path.read_bytes().replace(b"host", b"slcs-user", 1)
    bad = office.files / "person.request"
    bad.write_bytes(text)
    assert office.ask(None, "request", "submit", bad,
                      check=False).returncode == 1
    # Outside the name space of every CA here.
    run(SIGNET_CA, "request", "new", "--profile", "host", "--subject",
        "/DC=org/DC=evil/CN=x.ligo.org", "--key", "ec:P-256", "--contact",
        "Eve", "--contact-mail", "eve@ligo.org", "--purpose", "x",
        "--out-key", office.files / "evil.key", "--out",
        office.files / "evil.request")
    outside = office.ask("eve", "request", "submit",
                         office.files / "evil.request", check=False)
    assert outside.returncode == 8 and "name space" in outside.stderr


@pytest.mark.parametrize("who,words", [
    ("eve", ("request", "approve", "0" * 20)),
    ("eve", ("request", "reject", "0" * 20, "--reason", "no")),
    ("bob", ("revoke", "0a")),
    ("eve", ("release", "0a")),
    ("eve", ("office", "search")),
    ("bob", ("request", "withdraw", "0" * 20)),
])
def test_what_a_role_does_not_allow(office, who, words):
    refused = office.ask(who, *words, check=False)
    assert refused.returncode == 8, refused.stderr
    assert "takes the role of" in refused.stderr


def test_rejected_and_withdrawn_is_the_end(office):
    path, name = office.request("reject.ligo.org")
    office.ask("eve", "request", "submit", path)
    bare = office.ask("ann", "request", "reject", name, check=False)
    assert bare.returncode == 2 and "--reason" in bare.stderr
    no = office.say("ann", "request", "reject", name, "--reason", "not hers")
    assert no["state"] == "rejected"
    late = office.ask("bob", "request", "approve", name, check=False)
    assert late.returncode == 8 and "rejected" in late.stderr
    path, name = office.request("withdraw.ligo.org")
    office.ask("eve", "request", "submit", path)
    other = office.ask("ann", "request", "withdraw", name, check=False)
    assert other.returncode == 8
    assert office.say("eve", "request", "withdraw", name)[
        "state"] == "withdrawn"
    late = office.ask("bob", "request", "approve", name, check=False)
    assert late.returncode == 8 and "withdrawn" in late.stderr


def test_one_sees_what_one_asked_for_and_no_more(office):
    path, name = office.request("seen.ligo.org")
    office.ask("eve", "request", "submit", path)
    assert office.ask("rob", "request", "show", name,
                      check=False).returncode == 8
    assert name not in office.ask("rob", "request", "list").stdout
    assert name in office.ask("eve", "request", "list", "seen").stdout
    assert name in office.ask("bob", "request", "list").stdout


def test_nobody_gets_one_clear_word(office):
    refused = office.ask("mal", "office", "whoami", check=False)
    assert refused.returncode == 8
    assert "mal@LIGO.TEST is no administrator" in refused.stderr
    office.wait_log(r"office-stranger .*mal@LIGO")


def test_nobody_is_not_answered_for_ever_and_locks_out_nobody(kdc, tmp_path):
    with Office(tmp_path, kdc) as office:
        for _ in range(10):
            refused = office.ask("mal", "office", "whoami", check=False)
            assert refused.returncode == 8
        silent = office.ask("mal", "office", "whoami", check=False)
        assert silent.returncode in (5, 6), silent.stderr
        assert office.say("ann", "office", "whoami")["who"] == "ann"


def test_who_is_silent_keeps_no_place_from_who_is_somebody(kdc, tmp_path):
    with Office(tmp_path, kdc) as office:
        silent = []
        for n in range(64):
            sock = socket.socket()
            sock.bind((f"127.0.1.{n // 16 + 1}", 0))
            sock.connect(("127.0.0.1", office.office_port))
            silent.append(sock)
        assert office.say(None, "office", "whoami")["who"] == "here"
        assert office.say("ann", "office", "whoami")["who"] == "ann"
        office.wait_log(r"office-stranger .*no place is left")
        for sock in silent:
            sock.close()


def test_the_kernel_says_who_is_on_this_host(office):
    me = office.say(None, "office", "whoami")
    assert me["who"] == "here" and me["method"] == f"uid {os.getuid()}"
    assert me["roles"] == ["requester", "approver", "revoker", "auditor"]
    path, name = office.request("local.ligo.org")
    office.ask(None, "request", "submit", path)
    assert office.say(None, "request", "approve", name)["state"] == "issued"
    assert oct(office.socket.stat().st_mode)[-3:] == "666"


def test_another_account_is_refused_by_its_uid(office):
    """Root alone can be others."""
    assert os.getuid() == 0, "to be somebody else takes root"
    refused = run("setpriv", "--reuid=65533", "--regid=65533",
                  "--clear-groups", SIGNET_CA, "office", "whoami", "--office",
                  office.socket, check=False)
    assert refused.returncode == 8, refused.stderr
    assert "uid 65533 is no administrator" in refused.stderr


def test_revoked_by_a_revoker_and_by_who_asked(office):
    serials = {}
    for who, host in (("eve", "r1.ligo.org"), ("ann", "r2.ligo.org"),
                      ("eve", "r3.ligo.org")):
        path, name = office.request(host)
        office.ask(who, "request", "submit", path)
        serials[host] = office.say("bob", "request", "approve",
                                   name)["serial"]
    ca = ("--ca", "office-ca")
    # What others asked for is not hers to revoke; what she asked for is.
    no = office.ask("eve", "revoke", serials["r2.ligo.org"], *ca, check=False)
    assert no.returncode == 8 and "eve did not ask" in no.stderr
    office.ask("eve", "revoke", serials["r1.ligo.org"], "--reason",
               "superseded", *ca)
    again = office.ask("eve", "revoke", serials["r1.ligo.org"], *ca)
    assert "nothing to do" in again.stdout
    held = office.say("sue", "revoke", "--subject",
                      f"{SERVICES}/CN=r2.ligo.org", "--reason",
                      "certificateHold", *ca)
    assert held == {"revoked": 1}
    states = {line["subject"]: line["state"] for line in office.certificates()}
    assert states[f"{SERVICES}/CN=r1.ligo.org"] == "revoked"
    assert states[f"{SERVICES}/CN=r2.ligo.org"] == "held"
    office.ask("sue", "release", serials["r2.ligo.org"], *ca)
    office.ask("sue", "revoke", "--requester", "ann", "--reason",
               "affiliationChanged", *ca)
    states = {line["subject"]: line["state"] for line in office.certificates()}
    assert states[f"{SERVICES}/CN=r2.ligo.org"] == "revoked"
    assert states[f"{SERVICES}/CN=r3.ligo.org"] == "issued"
    which = office.ask("sue", "revoke", "0a", check=False)
    assert which.returncode == 2 and "2 CAs" in which.stderr
    absent = office.ask("sue", "revoke", "0a", *ca, check=False)
    assert absent.returncode == 3
    found = office.ask("sue", "office", "search", "r1.ligo.org").stdout
    assert "revoked" in found


def test_a_key_that_others_know_is_certified_no_more(office, tmp_path):
    path, name = office.request("exposed.ligo.org")
    office.ask("eve", "request", "submit", path)
    serial = office.say("bob", "request", "approve", name)["serial"]
    office.ask("sue", "revoke", serial, "--ca", "office-ca", "--reason",
               "keyCompromise")
    csr, again = tmp_path / "csr", tmp_path / "again"
    openssl("req", "-new", "-key", f"{path}.key", "-subj", "/", "-out", csr)
    run(SIGNET_CA, "request", "new", "--profile", "host", "--csr", csr,
        "--subject", f"{SERVICES}/CN=exposed.ligo.org", "--dns",
        "exposed.ligo.org", "--contact", "Eve", "--contact-mail",
        "eve@ligo.org", "--purpose", "again", "--out", again)
    second = office.say("eve", "request", "submit", again)["request"]
    refused = office.ask("bob", "request", "approve", second, check=False)
    assert refused.returncode == 1 and "others know" in refused.stderr
    assert office.state(second) == "open"
    office.wait_log(f"the key is that of certificate {serial}")
    office.ask("bob", "request", "reject", second, "--reason", "same key")


def test_the_staff_is_read_again(kdc, tmp_path):
    with Office(tmp_path, kdc) as office:
        path, name = office.request("later.ligo.org")
        office.ask("eve", "request", "submit", path)
        office.staff_path.write_text(
            STAFF.replace("role bob approver", "role bob auditor"))
        office.process.send_signal(1)
        office.wait_log("reloaded")
        refused = office.ask("bob", "request", "approve", name, check=False)
        assert refused.returncode == 8, refused.stderr
        # A bad one is refused whole, and the old one stays.
        office.staff_path.write_text("administrator\n")
        office.process.send_signal(1)
        office.wait_log("reload-refused .*line 1")
        assert office.say("ann", "request", "approve",
                          name)["state"] == "issued"


def raw(office, line):
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(20)
        s.connect(str(office.socket))
        s.sendall(line)
        s.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := s.recv(65536):
            answer += piece
        return answer


@pytest.mark.parametrize("line,why", [
    (b"hello\n", "not JSON"),
    (b"[]\n", "not a JSON object"),
    (b'{"do": "dance"}\n', "no verb"),
    (b'{"do": "show"}\n', "needs"),
    (b'{"do": "whoami", "do": "whoami"}\n', "duplicate"),
    (b'{"do": "show", "request": 7}\n', "wrong type"),
    (b'{"do": "whoami", "request": "x"}\n', "takes no"),
    (b"{" * 100000 + b"\n", "objects within objects"),
    (b'{"do": "submit", "file": "' + b"x" * 49153 + b'"}\n', "wrong type"),
])
def test_bad_lines_are_refused_with_the_reason(office, line, why):
    answer = json.loads(raw(office, line))
    assert answer["fault"] == "INPUT" and why in answer["text"], answer


def test_a_line_without_end_is_cut_off(office):
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(20)
        s.connect(str(office.socket))
        try:
            for _ in range(100):
                s.sendall(b"x" * 65536)
        except (BrokenPipeError, ConnectionResetError):
            pass
        else:
            raise AssertionError("6 MiB were taken")
    assert office.say(None, "office", "whoami")["who"] == "here"


def test_without_a_ticket_nothing_is_said(office, kdc, tmp_path):
    env = dict(kdc.env, KRB5CCNAME=f"FILE:{tmp_path}/none")
    none = run(SIGNET_CA, "office", "whoami", "--office",
               f"localhost:{office.office_port}", env=env, check=False)
    assert none.returncode == 3, none.stderr
    with socket.create_connection(("127.0.0.1", office.office_port)) as s:
        s.settimeout(20)
        s.sendall(b'{"do": "whoami"}\n')
        assert s.recv(100) == b""


def test_a_daemon_without_staff_has_no_office(kdc, tmp_path):
    office = Office(tmp_path, kdc)
    office.settings = [s for s in office.settings
                       if not s.startswith("office-")]
    office.write_conf()
    super(Office, office).start(wait=False)
    super(Office, office).wait_started()
    try:
        assert "desk.0" not in office.roles()
        assert not office.socket.exists()
    finally:
        assert office.stop() == 0


def test_staff_check_says_what_is_wrong(tmp_path):
    good = tmp_path / "staff"
    good.write_text(STAFF)
    out = run(SIGNET_CA, "staff", "check", good).stdout
    assert 'administrator "ann" principal "ann@LIGO.TEST"' in out
    good.write_text(STAFF + "role nobody approver\n")
    bad = run(SIGNET_CA, "staff", "check", good, check=False)
    assert bad.returncode == 78 and "line" in bad.stderr


def test_signetd_check_reads_the_staff(kdc, tmp_path):
    office = Office(tmp_path, kdc, staff="administrator\n")
    from signet_site import SIGNETD
    refused = subprocess.run([SIGNETD, "-c", office.conf, "--check"],
                             capture_output=True, text=True, timeout=60)
    assert refused.returncode == 78 and "staff" in refused.stderr


def test_a_services_ca_without_logins(kdc, tmp_path):
    """On a host of its own: no front, no TLS key, no password file."""
    office = Office(tmp_path, kdc)
    lists = [s for s in office.settings if not s.startswith("ca ")]
    users = [line for line in office.conf.read_text().splitlines()
             if line.startswith("user-")]
    office.conf.write_text("\n".join(
        [*lists, *users, "logins no", f"ca {office.services_ca}",
         f"ledger {office.ledger}"]) + "\n")
    office.start(wait=False)
    office.office_port = office.wait_log(r"office-open port=(\d+)").group(1)
    try:
        assert set(office.roles()) == {"keeper", "signer", "issuer", "desk.0"}
        path, name = office.request("alone.ligo.org")
        office.ask(None, "request", "submit", path)
        answer = office.say("ann", "request", "approve", name)
        assert answer["state"] == "issued"
        # One CA: it need not be named.
        office.ask(None, "revoke", answer["serial"])
        office.process.send_signal(1)
        office.wait_log("reloaded")
        os.kill(office.roles()["desk.0"], 9)
        office.wait_log(r"(?s)role-died role=desk.*role-started role=desk")
    finally:
        assert office.stop() == 0
    office.check_book()
