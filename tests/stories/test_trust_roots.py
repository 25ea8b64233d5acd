"""Trust roots on their way from signetd's directory into a person's."""

import json
import subprocess
import time

import pytest
from signet_site import SIGNET_CA, Site, openssl, run
from stock_login import SIGNET
from trust_site import SIGNET_TRUST


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with Site(tmp_path_factory.mktemp("roots")) as s:
        yield s


def visible(folder):
    return {p.name: p.read_bytes() for p in folder.glob("[!.]*")}


@pytest.fixture
def person(site, tmp_path):
    """A person who knows the site's CAs, and has files of his own."""
    trust = tmp_path / "globus" / "certificates"
    trust.mkdir(parents=True)
    for name, body in visible(site.trust).items():
        (trust / name).write_bytes(body)
    (trust / "notes.txt").write_text("mine")
    (trust / "deadbeef.signing_policy").write_text("# mine too\n")
    return trust


def command(site, trust, *args):
    env = site.client_env(X509_CERT_DIR=trust)
    env.update(MYPROXY_SERVER="localhost", MYPROXY_SERVER_PORT=str(site.port))
    return [str(SIGNET), "trustroots", *args], env


def trustroots(site, trust, *args):
    words, env = command(site, trust, *args)
    return run(*words, env=env)


def until(site, trust, true):
    """Ask until ${true}: a front end looks at its directory once a second."""
    words, env = command(site, trust)
    end = time.monotonic() + 20
    while time.monotonic() < end:
        run(*words, env=env)
        if true():
            return
    raise AssertionError(site.log_now())


def own(trust):
    assert (trust / "notes.txt").read_text() == "mine"
    assert (trust / "deadbeef.signing_policy").read_text() == "# mine too\n"


def test_a_persons_own_files_survive_and_an_unchanged_run_writes_nothing(
        site, person):
    # A link that a person made elsewhere stays one.
    (person / "linked").symlink_to("/nowhere")
    first = json.loads(trustroots(site, person, "--json").stdout)
    assert first["files"] == len(visible(site.trust))
    own(person)
    assert (person / "linked").is_symlink()
    (person / "linked").unlink()
    before = (person.stat().st_ino,
              {p.name: p.stat().st_mtime_ns for p in person.iterdir()})
    trustroots(site, person)
    assert (person.stat().st_ino,
            {p.name: p.stat().st_mtime_ns for p in person.iterdir()}) == before


def test_what_the_server_hands_out_no_more_goes_and_nothing_else(site, person):
    extra = site.trust / "extra-ca.info"
    extra.write_text("alias = extra-ca\n")
    until(site, person, (person / "extra-ca.info").exists)
    assert (person / "extra-ca.info").read_text() == "alias = extra-ca\n"
    extra.unlink()
    until(site, person, lambda: not (person / "extra-ca.info").exists())
    own(person)
    assert visible(site.trust).keys() <= visible(person).keys()


def test_many_at_once_leave_it_whole(site, person):
    digest = openssl("x509", "-in", site.ca / "ca.pem", "-noout",
                     "-hash").stdout.strip()
    for path in person.glob(f"{digest}.*"):
        path.unlink()
    words, env = command(site, person)
    some = [subprocess.Popen(words, env=env, stdout=subprocess.DEVNULL,
                             stderr=subprocess.PIPE, text=True)
            for _ in range(6)]
    for process in some:
        assert process.communicate(timeout=60)[1] == ""
        assert process.returncode == 0
    assert visible(site.trust).items() <= visible(person).items()
    own(person)
    left = {p.name for p in person.parent.iterdir()}
    assert left <= {"certificates", ".certificates.lock", ".certificates.gen"}


def test_a_file_that_is_no_trust_root_is_neither_sent_nor_in_the_way(
        site, person):
    bad = site.trust / "12345678.0"
    bad.write_text("<html>try later</html>\n")
    (site.trust / "README").write_text("for the office\n")
    try:
        until(site, person,
              lambda: "not handed out: 12345678.0" in site.log_now())
    finally:
        bad.unlink()
        (site.trust / "README").unlink()
    assert not (person / "12345678.0").exists()
    assert not (person / "README").exists()
    own(person)


def test_publishing_and_refreshing_share_a_directory(site, tmp_path):
    """What signet-ca published is not signet-trust's to remove."""
    trust = tmp_path / "both"
    run(SIGNET_CA, "publish", site.root.root, "--trust-dir", trust)
    published = visible(trust)
    source = tmp_path / "source"
    source.mkdir()
    for name, body in visible(site.trust).items():
        if name not in published:
            (source / name).write_bytes(body)
    conf = tmp_path / "trust.conf"
    conf.write_text(f"target {trust}\ncache-dir {tmp_path}/cache\n"
                    f"directory {source}\n")
    done = run(SIGNET_TRUST, "refresh", "--config", conf, check=False)
    assert published.items() <= visible(trust).items(), done.stderr
    listed = (trust / ".signet-house").read_text()
    assert " signet-ca:" in listed
    assert len(visible(trust)) > len(published), done.stdout + done.stderr


def test_an_exchanged_directory_is_handed_out_and_judged_by(tmp_path):
    """signet-trust puts another directory in the old one's place, while
    signetd's roles stand behind their walls: those of an ordinary user see it
    in a directory of its own."""
    site = Site(tmp_path / "site")
    alone = site.dir / "trust"
    alone.mkdir()
    site.trust = site.trust.rename(alone / "certificates")
    site.write_conf()
    with site:
        person = tmp_path / "person"
        person.mkdir()
        for name, body in visible(site.trust).items():
            (person / name).write_bytes(body)
        source = tmp_path / "source"
        source.mkdir()
        pki = tmp_path / "new.pem"
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:P-256", "-nodes", "-keyout",
            tmp_path / "new.key", "-subj", "/O=New/CN=New CA", "-out", pki)
        digest = openssl("x509", "-in", pki, "-noout", "-hash").stdout.strip()
        (source / f"{digest}.0").write_bytes(pki.read_bytes())
        (source / f"{digest}.signing_policy").write_text(
            "access_id_CA X509 '/O=New/CN=New CA'\npos_rights globus CA:sign\n"
            "cond_subjects globus '/O=New/*'\n")
        conf = tmp_path / "trust.conf"
        conf.write_text(f"target {site.trust}\ncache-dir {tmp_path}/cache\n"
                        f"directory {source}\nallow-missing-crl *\n")
        trustroots(site, person)
        before = site.trust.stat().st_ino
        run(SIGNET_TRUST, "refresh", "--config", conf)
        assert site.trust.stat().st_ino != before
        until(site, person, (person / f"{digest}.0").exists)
        assert "trust-fault" not in site.log_now()
        site.stock_logon(env=site.client_env(X509_CERT_DIR=person),
                         out=tmp_path / "c.pem")
