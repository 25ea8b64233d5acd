"""The IGTF's distribution as Debian packages it, whole; and fetch-crl on what
signet-trust installed."""

import functools
import pathlib
import re
import shutil
import subprocess

import pytest
from signet_site import run
from trust_site import BETA, SIGNET_TRUST, Site

IGTF = pathlib.Path("/usr/share/igtf-policy")
PEMS = sorted(IGTF.glob("*/*.pem"))
# All of this release are valid then, and none is at its end.
THEN = "2025-09-15 12:00:00"


@pytest.fixture
def site(tmp_path):
    s = Site(tmp_path)
    yield s
    s.close()


def settings(site):
    sources = "".join(f"directory {d}\n" for d in sorted(IGTF.iterdir()))
    site.settings.write_text(
        f"target {site.target}\ncache-dir {site.dir}/cache\n"
        f"hash-style new\nhash-style old\n{sources}")


def refresh(site, *args, at=None):
    faked = ["faketime", "-f", at] if at else []
    return run(*faked, SIGNET_TRUST, "refresh", "--config", site.settings,
               "--offline", "--allow-missing-crl", *args, check=False,
               env=site.env)


@functools.cache
def known(pem):
    """Both hashes of its name, and the certificate without any text around."""
    return run("openssl", "x509", "-in", pem, "-subject_hash",
               "-subject_hash_old").stdout.split("\n", 2)


def good_by_openssl(directory, *options):
    done = run("openssl", "verify", *options, "-CApath", directory, *PEMS,
               check=False)
    return {pathlib.Path(line.removesuffix(": OK"))
            for line in done.stdout.splitlines() if line.endswith(": OK")}


def installed_as(site, pem):
    """The names under which the certificate of ${pem} is installed."""
    new, old, text = known(pem)
    return [name for name in (f"{new}.0", f"{old}.0")
            if (site.target / name).exists() and site.read(name) == text]


def test_all_88_are_installed_with_both_hashes_policies_and_namespaces(site):
    assert len(PEMS) == 88
    settings(site)
    done = refresh(site, at=THEN)
    assert done.returncode == 0, done.stderr
    policies = namespaces = 0
    for pem in PEMS:
        new, old, _ = known(pem)
        assert installed_as(site, pem) == [f"{new}.0", f"{old}.0"]
        for digest in new, old:
            for ending in "signing_policy", "namespaces":
                source = pem.with_suffix(f".{ending}")
                name = f"{digest}.{ending}"
                if not source.exists():
                    assert name not in site.files()
                    continue
                # Character by character, but for a newline at the end.
                assert site.read(name).rstrip("\n") == \
                    source.read_text().rstrip("\n")
                policies += ending == "signing_policy"
                namespaces += ending == "namespaces"
    assert policies == 2 * 88
    assert namespaces == 2 * sum(pem.with_suffix(".namespaces").exists()
                                 for pem in PEMS) > 100
    assert good_by_openssl(site.target, "-attime", "1757937600") == set(PEMS)
    # A second run has nothing to do.
    before = site.target.stat().st_ino
    assert refresh(site, at=THEN).returncode == 0
    assert site.target.stat().st_ino == before


def test_today_openssl_refuses_the_same_ones(site, tmp_path):
    """Whatever today is: what has ended is refused, with its date, and what it
    signed with it."""
    settings(site)
    done = refresh(site)
    everything = tmp_path / "everything"
    everything.mkdir()
    for pem in PEMS:
        shutil.copy(pem, everything)
    run("openssl", "rehash", everything)
    good = good_by_openssl(everything)
    assert {pem for pem in PEMS if installed_as(site, pem)} == good
    assert good_by_openssl(site.target) == good
    refused = set(PEMS) - good
    assert done.returncode == (9 if refused else 0)
    for pem in refused:
        line = re.search(rf" {pem.stem}: (.*)", done.stderr)
        assert line and ("expired at" in line[1] or "issuer" in line[1]), pem
    if refused:
        assert f"{len(refused)} of 88 CAs failed" in done.stderr


def test_the_converter_makes_a_set_of_descriptions_that_refresh_accepts(
        site, tmp_path):
    out = tmp_path / "set"
    done = run(SIGNET_TRUST, "convert", *sorted(IGTF.iterdir()), "--out", out,
               "--cert-url", site.web.url)
    assert "88 cadesc files" in done.stdout
    for pem in PEMS:
        site.web.pages[f"/{pem.name}"] = pem.read_bytes()
    for path in out.iterdir():
        text = path.read_text()
        assert "CERTIFICATE_SHA256" in text and "MAY_SIGN" in text
    site.settings.write_text(f"target {site.target}\ncadesc {out}\n"
                             f"cache-dir {site.dir}/cache\n"
                             "allow-missing-crl *\n")
    # Their lists cannot be had from here: only the certificates are asked for.
    for path in out.iterdir():
        text = re.sub(r"(?m)^CRL_URL .*\n", "", path.read_text())
        path.write_text(text + "CRL_URL ?\n")
    done = run("faketime", "-f", THEN, SIGNET_TRUST, "refresh", "--config",
               site.settings, check=False, env=site.env)
    assert done.returncode == 0, done.stderr
    for pem in PEMS:
        new = known(pem)[0]
        assert installed_as(site, pem) == [f"{new}.0"]
        policy = site.read(f"{new}.signing_policy")
        assert "cond_subjects" in policy
    assert good_by_openssl(site.target, "-attime", "1757937600") == set(PEMS)


@pytest.mark.parametrize("form", ["PEM", "DER"])
def test_fetch_crl_leaves_every_byte_as_it_is(site, tmp_path, form):
    """With the site's own CAs, whose lists it can fetch."""
    alpha = site.ca()
    beta = site.ca("beta", BETA, alpha)
    where = tmp_path / "dist"
    where.mkdir()
    for ca in alpha, beta:
        if form == "DER":
            site.web.pages[f"/{ca.name}.crl"] = subprocess.run(
                ["openssl", "crl", "-in", ca.dir / f"{ca.name}.crl",
                 "-outform", "DER"], capture_output=True, check=True).stdout
        shutil.copy(ca.pem, where / f"{ca.name}.pem")
        (where / f"{ca.name}.crl_url").write_text(
            f"{site.web.url}/{ca.name}.crl\n")
        (where / f"{ca.name}.info").write_text(
            f"alias = {ca.name}\nversion = 1\nstatus = accredited:classic\n"
            f'subjectdn = "{ca.subject}"\n'
            f"crl_url = {site.web.url}/{ca.name}.crl\n"
            f"sha1fp.0 = {ca.print('sha1')}\n")
        (where / f"{ca.name}.signing_policy").write_text(
            f"access_id_CA X509 '{ca.subject}'\npos_rights globus CA:sign\n"
            "cond_subjects globus '\"/DC=org/DC=example/O=Test/*\"'\n")
    done = site.trust("refresh", settings=f"directory {where}\n"
                      "hash-style new\nhash-style old\nmode 644\n"
                      "crl-url-files yes\n")
    assert (done.returncode, done.stderr) == (0, "")
    before = {p.name: (p.is_symlink(), p.read_bytes())
              for p in site.target.iterdir()}
    assert len([n for n in before if n.endswith(".r0")]) == 4
    config = tmp_path / "fetch-crl.conf"
    config.write_text(f"infodir = {site.target}\ncadir = {site.target}\n"
                      f"output = {site.target}\nstatedir = {tmp_path}/state\n"
                      "nosymlinks\n")
    (tmp_path / "state").mkdir()
    asked = len(site.web.asked)
    done = run("/usr/sbin/fetch-crl", "-c", config, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert site.web.asked[asked:].count("/alpha.crl") >= 1
    after = {p.name: (p.is_symlink(), p.read_bytes())
             for p in site.target.iterdir()}
    assert after == before
    # Nor is there anything left for us to mend.
    place = site.target.stat().st_ino
    done = site.trust("refresh")
    assert (done.returncode, done.stderr) == (0, "")
    assert site.target.stat().st_ino == place
