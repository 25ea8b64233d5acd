"""signet-trust: directories kept right from all kinds of descriptions, and what
it says of them."""

import json
import re
import stat

import pytest

from signet_site import run
from trust_site import (ALPHA, BETA, CAS, SIGNET_TRUST, Ca, Site, Web,
                        https_context)


@pytest.fixture
def site(tmp_path):
    site = Site(tmp_path)
    yield site
    site.close()


def installed(ca):
    return [f"{ca.hash}.0", f"{ca.hash}.r0", f"{ca.hash}.signing_policy"]


def distribute(site, ca, status="accredited:classic", requires=None,
               urls=None, policy=True):
    """${ca} as the IGTF distributes it."""
    where = site.dir / "igtf"
    where.mkdir(exist_ok=True)
    pem = where / f"{ca.name}.pem"
    pem.write_bytes(ca.pem.read_bytes())
    (where / f"{ca.name}.info").write_text(
        f"# {ca.name}\nalias = {ca.name}\nversion = 1.1\n"
        f"status = {status}\nsha1fp.0 = {ca.print('sha1')}\n"
        f'subjectdn = "{ca.subject}"\n'
        + (f"requires = {requires} = 1.1\n" if requires else ""))
    (where / f"{ca.name}.crl_url").write_text(
        "\n".join(urls or [f"{site.web.url}/{ca.name}.crl"]) + "\n")
    if policy:
        (where / f"{ca.name}.signing_policy").write_text(
            f"access_id_CA X509 '{ca.subject}'\npos_rights globus CA:sign\n"
            "cond_subjects globus '\"/DC=org/DC=example/O=Test/*\"'")
    (where / f"{ca.name}.namespaces").write_text(
        "#NAMESPACES-VERSION: 1.0\nTO Issuer SELF \\\n  PERMIT Subject "
        '"/DC=org/DC=example/O=Test/.*"\n')
    return where


def igtf_files(*cas):
    return sorted(f for ca in cas
                  for f in [*installed(ca), f"{ca.hash}.namespaces"])


def test_a_distribution_is_installed(site):
    alpha = site.ca()
    beta = site.ca("beta", BETA, alpha)
    gamma = site.ca("gamma", "/C=US/O=Test/CN=Gamma CA")
    where = distribute(site, alpha)
    distribute(site, beta, "accredited:mics", requires="alpha")
    distribute(site, gamma, "experimental")
    settings = f"directory {where}\n"
    result = site.trust("refresh", settings=settings)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert site.files() == igtf_files(alpha, beta, gamma)
    # The Toolkit refuses a policy without newline at its end.
    assert site.read(f"{alpha.hash}.signing_policy").endswith("'\n")
    run("openssl", "verify", "-CApath", site.target, "-crl_check_all",
        beta.pem)
    # Of one profile, with what that requires; the rest is removed.
    result = site.trust("refresh", settings=settings + "profile mics\n")
    assert result.returncode == 0
    assert site.files() == igtf_files(alpha, beta)
    # What is not there any more is not wanted any more.
    for path in where.glob("beta.*"):
        path.unlink()
    assert site.trust("refresh", settings=settings).returncode == 0
    assert site.files() == igtf_files(alpha, gamma)


def test_packages_of_cas_choose(site):
    alpha, gamma = site.ca(), site.ca("gamma", "/C=US/O=Test/CN=Gamma CA")
    where = distribute(site, alpha)
    distribute(site, gamma)
    (where / "policy-igtf-mine.info").write_text(
        "alias = policy-igtf-mine\nrequires = \\\n  alpha = 1.1\n")
    settings = f"directory {where}\nca policy-igtf-mine\n"
    assert site.trust("refresh", settings=settings).returncode == 0
    assert site.files() == igtf_files(alpha)
    # What is obsolete goes.
    (where / "gamma.info").write_text(
        (where / "gamma.info").read_text() + "obsoletes = alpha\n")
    assert site.trust("refresh",
                      settings=f"directory {where}\n").returncode == 0
    assert site.files() == igtf_files(gamma)


def test_both_hashes_name_the_same_files(site):
    alpha = site.ca()
    where = distribute(site, alpha)
    assert site.trust("refresh", settings=f"directory {where}\n"
                      "hash-style new\nhash-style old\n").returncode == 0
    old = run("openssl", "x509", "-in", alpha.pem, "-noout",
              "-subject_hash_old").stdout.strip()
    assert site.files() == sorted(
        igtf_files(alpha) + [f.replace(alpha.hash, old)
                             for f in igtf_files(alpha)])
    assert site.read(f"{old}.r0") == site.read(f"{alpha.hash}.r0")


def test_mirrors_are_tried_in_order_after_a_bad_body_too(site):
    alpha = site.ca()
    url = site.web.url
    site.web.pages["/bad.crl"] = b"<html>sorry</html>"
    site.web.pages["/forged.crl"] = alpha.crl(forged=True, publish=False)
    where = distribute(site, alpha, urls=[
        f"{url}/none.crl", f"{url}/bad.crl", f"{url}/forged.crl",
        f"{url}/alpha.crl"])
    result = site.trust("refresh", settings=f"directory {where}\n")
    assert result.returncode == 0
    assert site.web.asked == ["/none.crl", "/bad.crl", "/forged.crl",
                              "/alpha.crl"]
    assert site.files() == igtf_files(alpha)


def test_a_plain_directory_brings_its_lists(site):
    alpha = site.ca()
    plain = site.dir / "plain"
    plain.mkdir()
    (plain / f"{alpha.hash}.0").write_bytes(alpha.pem.read_bytes())
    (plain / f"{alpha.hash}.r0").write_bytes(alpha.crl())
    (plain / f"{alpha.hash}.signing_policy").write_text(
        f"access_id_CA X509 '{ALPHA}'\npos_rights globus CA:sign\n")
    assert site.trust("refresh",
                      settings=f"directory {plain}\n").returncode == 0
    assert site.files() == installed(alpha) and site.web.asked == []
    # From a cadesc file the same address is refused.
    site.describe(alpha, CRL_URL=f"file://{plain}/{alpha.hash}.r0")
    result = site.trust("refresh", settings=f"gx-map {site.etc}\n")
    assert result.returncode == 1 and "must be a URL" in result.stderr


def test_one_cas_trouble_stays_its_own(site):
    alpha = site.ca()
    cas = [site.ca(f"ca{i}", f"{CAS}/CN=CA {i}") for i in range(4)]
    site.describe(alpha)
    for ca in cas:
        site.describe(ca)
    settings = f"gx-map {site.etc}\n"
    assert site.trust("refresh", settings=settings).returncode == 0
    everything = site.files()
    site.describe(cas[0], "FROB x\n")
    site.describe(cas[1], CERTIFICATE_SHA1="00")
    site.web.pages["/ca2.crl"] = b"garbage"
    newer = alpha.crl()
    result = site.trust("refresh", "--json", "--force", settings=settings)
    assert result.returncode == 9
    told = json.loads(result.stdout)
    assert (told["exit"], told["failed"], told["changed"]) == (9, 3, True)
    states = {ca["alias"]: ca["state"] for ca in told["cas"]}
    # What cannot be read stays as it was; what does not fit is removed.
    assert states == {"alpha": "good", "ca0": "broken", "ca1": "failed",
                      "ca2": "good", "ca3": "good"}
    assert site.files() == [f for f in everything
                            if not f.startswith(cas[1].hash)]
    assert (site.target / f"{alpha.hash}.r0").read_bytes() == newer.rstrip()
    result = site.trust("refresh", "ca3", settings=settings)
    assert result.returncode == 0


def test_a_site_may_demand_better_digests(site):
    alpha = site.ca()
    site.describe(alpha)
    settings = f"gx-map {site.etc}\ndemand-sha256 yes\n"
    result = site.trust("refresh", settings=settings)
    assert result.returncode == 1 and "SHA-256" in result.stderr
    assert site.files() == []
    for digest in ("sha256", "sha384"):
        site.describe(alpha, CERTIFICATE_MD5=None, CERTIFICATE_SHA1=None,
                      **{f"CERTIFICATE_{digest.upper()}": alpha.print(digest)})
        assert site.trust("refresh", settings=settings).returncode == 0
        assert site.files() == installed(alpha)


def test_https_servers_are_checked_unless_the_site_says_otherwise(site):
    alpha = site.ca()
    context, pem = https_context(site)
    web = Web(context)
    try:
        web.pages.update(site.web.pages)
        site.describe(alpha, CERTIFICATE_URL=f"{web.url}/alpha.pem",
                      CRL_URL=f"{web.url}/alpha.crl")
        settings = f"gx-map {site.etc}\n"
        result = site.trust("refresh", settings=settings)
        assert result.returncode == 1 and site.files() == []
        for more in (f"https-ca-file {pem}\n", "unchecked-https alpha\n"):
            result = site.trust("refresh", "--force", settings=settings + more)
            assert result.returncode == 0, result
            assert site.files() == installed(alpha)
    finally:
        web.close()


def test_diff_says_what_would_change_and_changes_nothing(site):
    alpha = site.ca()
    site.describe(alpha)
    settings = f"gx-map {site.etc}\n"
    result = site.trust("diff", "--json", settings=settings)
    told = json.loads(result.stdout)
    assert result.returncode == 0 and site.files() == []
    assert sorted(c["name"] for c in told["changes"]) == installed(alpha)
    assert {c["what"] for c in told["changes"]} == {"added"}
    assert site.trust("refresh").returncode == 0
    assert json.loads(site.trust("diff", "--json").stdout)["changes"] == []
    site.describe(alpha, MAY_SIGN="/O=Else/*")
    result = site.trust("diff")
    assert f"{alpha.hash}.signing_policy" in result.stdout
    assert "/O=Else" not in site.read(f"{alpha.hash}.signing_policy")


def test_check_finds_what_was_changed_and_what_ends(site):
    alpha = site.ca()
    site.describe(alpha)
    settings = f"gx-map {site.etc}\n"
    metrics = site.dir / "trust.prom"
    assert site.trust("check", "--nagios", settings=settings).returncode == 2
    assert site.trust("refresh").returncode == 0
    result = site.trust("check", "--nagios", "--metrics", metrics)
    assert result.returncode == 0
    assert re.match(r"SIGNET-TRUST OK - 1 CAs, 0 failed.* \| cas=1 failed=0 ",
                    result.stdout)
    assert f'signet_trust_ca_failed{{hash="{alpha.hash}",ca="alpha"}} 0\n' in (
        metrics.read_text())
    # Too near its end for this site.
    result = site.trust("check", "--nagios",
                        settings=settings + "warn-crl 60d\n")
    assert result.returncode == 1 and "WARNING" in result.stdout
    assert "CRL will expire at" in result.stdout
    path = site.target / f"{alpha.hash}.signing_policy"
    path.chmod(0o644)
    path.write_text("frob\n")
    result = site.trust("check", settings=settings)
    assert result.returncode == 9 and path.name in result.stderr
    assert site.trust("check", "--nagios").returncode == 2
    assert path.read_text() == "frob\n"
    assert site.trust("refresh").returncode == 0
    assert site.trust("check").returncode == 0
    site.settings.write_text("frob\n")
    result = site.trust("check", "--nagios")
    assert result.returncode == 3 and "UNKNOWN" in result.stdout


def test_check_warns_of_others_files_that_change_a_ca_of_ours(site):
    alpha = site.ca()
    site.describe(alpha)
    assert site.trust("refresh",
                      settings=f"gx-map {site.etc}\n").returncode == 0
    # What nobody reads, or is of no CA of ours, changes nothing.
    for name in (f"{alpha.hash}.info", "notes", "00000000.crl_optional"):
        (site.target / name).write_text("")
    result = site.trust("check", "--nagios")
    assert result.returncode == 0, result
    for ending, does in (("crl_optional", "without a revocation list"),
                         ("namespaces", "whom it may sign"),
                         ("1", "another certificate"),
                         ("r1", "another revocation list")):
        path = site.target / f"{alpha.hash}.{ending}"
        path.write_text("TO Issuer NOBODY\n")
        result = site.trust("check")
        assert result.returncode == 0, result
        assert path.name in result.stderr and does in result.stderr
        assert f"{path.name} is not ours" in result.stderr
        result = site.trust("check", "--nagios")
        assert result.returncode == 1 and "WARNING" in result.stdout
        assert path.name in result.stdout and does in result.stdout
        assert path.exists()
        path.unlink()
    assert site.trust("check", "--nagios").returncode == 0
    # Our own is none of others'.
    assert site.trust("refresh", settings=f"gx-map {site.etc}\n"
                      "allow-missing-crl *\n").returncode == 0
    assert f"{alpha.hash}.crl_optional" in site.files()
    assert site.trust("check", "--nagios").returncode == 0


def test_what_is_known_is_shown(site):
    alpha = site.ca()
    beta = site.ca("beta", BETA, alpha)
    site.describe(alpha)
    site.describe(beta)
    settings = f"gx-map {site.etc}\nca beta\n"
    listed = json.loads(site.trust("list", "--all", "--json",
                                   settings=settings).stdout)
    assert {(c["alias"], c["state"]) for c in listed} == {
        ("alpha", "not chosen"), ("beta", "wanted")}
    shown = json.loads(site.trust("show", "beta", "--json").stdout)
    assert shown["fingerprints"]["MD5"] == beta.print("md5")
    assert shown["subject"] == BETA
    result = site.trust("show", beta.hash)
    assert f"signed by      {ALPHA}" in result.stdout
    assert site.trust("show", "nobody").returncode == 3
    # Nothing was fetched yet.
    result = site.trust("why", "beta")
    assert result.returncode == 1 and "offline" in result.stdout
    assert site.trust("refresh").returncode == 1
    result = site.trust("why", "beta")
    assert result.returncode == 1
    assert "Dependency check failed" in result.stdout
    assert "neither ca, ca-list nor profile" in site.trust(
        "why", "alpha").stdout
    assert site.trust("refresh",
                      settings=settings + "ca alpha\n").returncode == 0
    result = site.trust("why", "beta")
    assert result.returncode == 0 and "installed" in result.stdout


def test_a_hook_may_call_us_and_holds_nobody_up(site):
    site.describe(site.ca())
    hook, told = site.dir / "hook", site.dir / "told"
    hook.write_text(f"#!/bin/sh\n{SIGNET_TRUST} refresh --quiet --config "
                    f"{site.settings} && echo well >{told}\n")
    hook.chmod(0o755)
    result = site.trust("refresh",
                        settings=f"gx-map {site.etc}\nhook-change {hook}\n")
    assert result.returncode == 0, result.stderr
    assert told.read_text() == "well\n" and len(site.files()) == 3


def test_the_sites_programs_are_run(site):
    alpha = site.ca()
    site.describe(alpha)
    for name in ("change", "error"):
        hook = site.dir / name
        hook.write_text(f"#!/bin/sh\necho \"$1\" >>{hook}.said\n"
                        f"cat >>{hook}.said\n")
        hook.chmod(0o755)
    settings = (f"gx-map {site.etc}\nhook-change {site.dir}/change\n"
                f"hook-error {site.dir}/error\n")
    change, error = site.dir / "change.said", site.dir / "error.said"
    assert site.trust("refresh", settings=settings).returncode == 0
    assert change.read_text().splitlines()[0] == str(site.target)
    assert f"added {alpha.hash}.0" in change.read_text()
    assert not error.exists()
    change.unlink()
    assert site.trust("refresh").returncode == 0
    assert not change.exists()
    site.describe(alpha, CERTIFICATE_MD5="00")
    assert site.trust("refresh").returncode == 1
    assert "Mismatched md5" in error.read_text()
    assert f"removed {alpha.hash}.0" in change.read_text()


def test_a_distribution_becomes_a_set_of_cadesc_files(site):
    alpha = site.ca()
    beta = site.ca("beta", BETA, alpha)
    gamma = site.ca("gamma", "/C=US/O=Test/CN=Gamma CA")
    where = distribute(site, alpha)
    distribute(site, beta, requires="alpha")
    distribute(site, gamma, policy=False)
    out = site.dir / "set"
    result = run(SIGNET_TRUST, "convert", where, "--out", out, "--cert-url",
                 site.web.url, check=False)
    # What has no policy cannot be described.
    assert result.returncode == 9 and "gamma.info" in result.stderr
    assert sorted(p.name for p in out.iterdir()) == sorted(
        f"{ca.hash}.{ca.name}.cadesc" for ca in (alpha, beta))
    assert site.trust("refresh", settings=f"cadesc {out}\n").returncode == 0
    assert site.files() == sorted(installed(alpha) + installed(beta))


def test_modes_and_wrong_settings(site):
    alpha = site.ca()
    site.describe(alpha)
    assert site.trust("refresh",
                      settings=f"gx-map {site.etc}\nmode 640\n"
                      ).returncode == 0
    assert stat.S_IMODE((site.target / f"{alpha.hash}.0").stat().st_mode
                        ) == 0o640
    for settings in ("", "frob 1\n", "mode 9\n", "mode 666\n",
                     "mode 777\n", "gx-map /nonexistent\n",
                     f"gx-map {site.etc}\nca-list /nonexistent\n"):
        result = site.trust("refresh", settings=settings)
        assert result.returncode == 78, (settings, result)
    result = site.trust("refresh", "--json", settings="frob 1\n")
    assert json.loads(result.stdout)["error"]["exit"] == 78
    assert site.trust("refresh", "nobody",
                      settings=f"gx-map {site.etc}\n").returncode == 2


def test_a_ca_that_ends_soon_is_warned_of(site):
    alpha = site.ca(days=20)
    site.describe(alpha)
    result = site.trust("refresh", settings=f"gx-map {site.etc}\n")
    assert result.returncode == 0
    assert "Certificate will expire at" in result.stderr
    result = site.trust("refresh", "--quiet")
    assert result.stderr == ""


def test_two_keys_of_one_name_stand_beside_each_other(site):
    alpha = site.ca()
    twin = Ca(site, "twin", ALPHA)
    plain = site.dir / "plain"
    plain.mkdir()
    for n, ca in enumerate((alpha, twin)):
        (plain / f"{alpha.hash}.{n}").write_bytes(ca.pem.read_bytes())
    settings = f"directory {plain}\nallow-missing-crl *\n"
    assert site.trust("refresh", settings=settings).returncode == 0
    certificates = [f"{alpha.hash}.0", f"{alpha.hash}.1"]
    assert site.files() == [*certificates, f"{alpha.hash}.crl_optional"]
    assert {site.read(f) for f in certificates} == {
        alpha.pem.read_text(), twin.pem.read_text()}


def test_lists_may_be_found_by_the_certificates(site):
    with site.conf.open("a") as conf:
        conf.write("[points]\nbasicConstraints = critical,CA:TRUE\n"
                   "keyUsage = critical,keyCertSign,cRLSign\n"
                   "crlDistributionPoints = URI:ldap://a.example/x,"
                   f"URI:{site.web.url}/alpha.crl\n")
    alpha = site.ca(extensions="points")
    site.describe(alpha, CRL_URL="?")
    settings = f"gx-map {site.etc}\n"
    assert site.trust("refresh", settings=settings).returncode == 1
    result = site.trust("refresh",
                        settings=settings + "crl-from-certificate yes\n")
    assert result.returncode == 0 and site.files() == installed(alpha)
    assert site.web.asked[-1] == "/alpha.crl"


def test_what_is_not_named_stays(site):
    alpha, gamma = site.ca(), site.ca("gamma", "/C=US/O=Test/CN=Gamma CA")
    for ca in (alpha, gamma):
        site.describe(ca)
    settings = f"gx-map {site.etc}\n"
    assert site.trust("refresh", settings=settings).returncode == 0
    everything = site.files()
    for args in (["alpha"], ["--ca", "alpha"], ["--ca", alpha.hash]):
        assert site.trust("refresh", *args).returncode == 0
        assert site.files() == everything
    # A source that is not there, or empty, takes nothing away.
    empty = site.dir / "empty"
    empty.mkdir()
    for source in (empty, "/nonexistent"):
        result = site.trust("refresh", settings=f"directory {source}\n")
        assert result.returncode in (1, 78) and result.stderr != ""
        assert site.files() == everything
    # What the settings ask for is all there is to be.
    assert site.trust("refresh",
                      settings=settings + "disable gamma\n").returncode == 0
    assert site.files() == installed(alpha)


def test_policy_and_namespaces_are_compared(site):
    alpha = site.ca()
    where = distribute(site, alpha)
    path = where / "alpha.namespaces"
    path.write_text(path.read_text().replace("O=Test/.*", "O=Other/.*"))
    result = site.trust("refresh", "--verbose",
                        settings=f"directory {where}\n")
    assert result.returncode == 0
    assert ("signing_policy permits /DC=org/DC=example/O=Test/*, namespaces "
            "does not") in result.stdout
    path.write_text("TO Issuer NOBODY\n")
    result = site.trust("refresh")
    assert result.returncode == 1 and "namespaces: line" in result.stderr
    # What is there of a CA whose description cannot be used stays.
    assert site.files() == igtf_files(alpha)


def test_the_journal_gets_a_line_an_event(site):
    alpha, gamma = site.ca(), site.ca("gamma", "/C=US/O=Test/CN=Gamma CA")
    site.describe(alpha)
    site.describe(gamma, CERTIFICATE_MD5="00")
    site.env["JOURNAL_STREAM"] = "8:1"
    result = site.trust("refresh", settings=f"gx-map {site.etc}\n")
    assert result.returncode == 9
    lines = result.stderr.splitlines()
    assert any(line.startswith("<3>") and "trust-failed" in line and
               f"hash={gamma.hash}" in line for line in lines)
    assert any(line.startswith("<5>") and "trust-changed" in line
               for line in lines)


def test_a_terminal_is_told_how_far_it_is(site):
    for ca in (site.ca(), site.ca("gamma", "/C=US/O=Test/CN=Gamma CA")):
        site.describe(ca)
    site.trust("list", settings=f"gx-map {site.etc}\n")
    result = run("script", "-qec", f"{SIGNET_TRUST} refresh --config "
                 f"{site.settings}", "/dev/null", env=site.env)
    assert "certificates: 2/2" in result.stdout
    assert "revocation lists: " in result.stdout
    assert "2 CAs looked at" in result.stdout


def test_big_lists_of_hostile_and_honest_servers(site):
    """More than the site takes is not taken; what is there stays."""
    alpha = site.ca()
    site.describe(alpha)
    settings = f"gx-map {site.etc}\nmax-crl 100000\ntimeout 20s\n"
    assert site.trust("refresh", settings=settings).returncode == 0
    everything = {f: site.read(f) for f in site.files()}

    def announces(h):
        h.send_response(200)
        h.send_header("Content-Length", str(10 << 30))
        h.end_headers()
        h.close_connection = True

    for page in (b"\x30" * 200000, announces):
        site.web.pages["/alpha.crl"] = page
        result = site.trust("refresh", "--force")
        assert result.returncode == 1 and result.stderr != ""
        assert {f: site.read(f) for f in site.files()} == everything
