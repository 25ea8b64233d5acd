"""signet-trust where files are not what they should be: descriptions that were
cut off, pipes and directories in their places, mounts in the directory."""

import os
import subprocess

import pytest
from trust_site import CAS, SIGNET_TRUST, Site


@pytest.fixture
def site(tmp_path):
    site = Site(tmp_path / "site")
    site.alpha, site.gamma = site.ca(), site.ca("gamma", f"{CAS}/CN=Gamma CA")
    site.igtf = site.dir / "igtf"
    site.igtf.mkdir()
    for ca in (site.alpha, site.gamma):
        (site.igtf / f"{ca.name}.pem").write_bytes(ca.pem.read_bytes())
        (site.igtf / f"{ca.name}.info").write_text(
            f'alias = {ca.name}\nsubjectdn = "{ca.subject}"\n'
            f"crl_url = {site.web.url}/{ca.name}.crl\n")
        (site.igtf / f"{ca.name}.signing_policy").write_text(
            f"access_id_CA X509 '{ca.subject}'\npos_rights globus CA:sign\n"
            "cond_subjects globus '\"/DC=org/*\"'\n")
    result = site.trust("refresh", settings=f"directory {site.igtf}\n")
    assert result.returncode == 0 and len(site.files()) == 6, result.stderr
    yield site
    site.close()


def make_pipe(path):
    path.unlink()
    os.mkfifo(path)


def make_directory(path):
    path.unlink()
    path.mkdir()


ODD = {
    "emptied": lambda p: p.write_text(""),
    "cut off": lambda p: p.write_bytes(p.read_bytes()[:30]),
    "of zeroes": lambda p: p.write_bytes(bytes(100)),
    "a pipe": make_pipe,
    "a directory": make_directory,
    "a device": lambda p: (p.unlink(), p.symlink_to("/dev/zero")),
}


def test_a_description_that_is_spoilt_takes_nothing_away(site):
    before = site.files()
    for name in ("alpha.info", "alpha.pem", "alpha.signing_policy"):
        path = site.igtf / name
        text = path.read_bytes()
        for what, spoil in ODD.items():
            spoil(path)
            result = site.trust("refresh")
            assert result.returncode == 9, (name, what, result.stderr)
            assert "alpha: " in result.stderr and "gamma" not in result.stderr
            assert site.files() == before, (name, what)
            path.rmdir() if what == "a directory" else path.unlink()
            path.write_bytes(text)


def test_a_policy_of_somebody_else_is_warned_of(site):
    policy = site.igtf / "alpha.signing_policy"
    policy.write_text(policy.read_text().replace("Alpha", "Omega"))
    result = site.trust("refresh")
    assert result.returncode == 0
    assert "signing_policy has no entry for it" in result.stderr


def test_a_directory_may_be_called_anything(site):
    """Where a list comes from the directory itself."""
    plain = site.dir / "plain 100%41 \u00e9?#"
    plain.mkdir()
    (plain / f"{site.alpha.hash}.0").write_bytes(site.alpha.pem.read_bytes())
    (plain / f"{site.alpha.hash}.r0").write_bytes(site.alpha.crl())
    result = site.trust("refresh", settings=f"directory {plain}\n")
    assert result.returncode == 0, result.stderr
    assert f"{site.alpha.hash}.r0" in site.files()


def test_what_a_cadesc_cannot_say_is_not_converted(site):
    with (site.igtf / "alpha.info").open("a") as info:
        info.write("ca_url = not an address\n")
    out = site.dir / "set"
    result = subprocess.run([SIGNET_TRUST, "convert", site.igtf, "--out", out],
                            capture_output=True, text=True)
    assert result.returncode == 9
    assert "alpha.info: no cadesc can say it" in result.stderr
    assert [p.name for p in out.iterdir()] == [
        f"{site.gamma.hash}.gamma.cadesc"]


def test_two_that_signed_one_another_rest_on_nothing(site):
    alpha, gamma = site.alpha, site.gamma
    alpha.certify(gamma, 300)
    above = alpha.pem.read_bytes()
    alpha.pem.write_bytes((site.igtf / "alpha.pem").read_bytes())
    gamma.certify(alpha, 300)
    (site.igtf / "gamma.pem").write_bytes(gamma.pem.read_bytes())
    result = site.trust("refresh")  # gamma below alpha, the root
    assert result.returncode == 0 and len(site.files()) == 6
    (site.igtf / "alpha.pem").write_bytes(above)
    result = site.trust("refresh")
    assert result.returncode == 1
    assert result.stderr.count("Dependency check failed") == 2
    assert site.files() == []


def test_our_list_may_be_anything(site):
    listed = site.target / ".signet-house"
    for what in ("a pipe", "a directory", "of zeroes"):
        ODD[what](listed)
        assert site.trust("refresh").returncode == 0
        assert listed.is_file() and site.trust("check").returncode == 0


def test_what_is_mounted_in_the_directory_is_nobodys_to_copy_or_remove(site):
    """In a name space of its own, so that nothing stays mounted."""
    kept, inside = site.dir / "kept", site.target / "inside"
    kept.mkdir()
    inside.mkdir()
    (kept / "file").write_text("precious")
    site.gamma.crl()
    who = [] if os.geteuid() == 0 else ["--map-root-user"]
    refresh = [SIGNET_TRUST, "refresh", "--force", "--config", site.settings]
    mounted = ["unshare", *who, "--mount", "sh", "-c",
               f'mount --bind {kept} {inside} && exec "$0" "$@"', *refresh]
    for _ in range(2):
        result = subprocess.run(mounted, env=site.env, capture_output=True,
                                text=True)
        assert result.returncode == 1
        assert "inside is a mount point" in result.stderr
        assert (kept / "file").read_text() == "precious"
    assert subprocess.run(refresh, env=site.env).returncode == 0
