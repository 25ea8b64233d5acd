"""CAs that share a name, and so the hash that files are named by: what is done
to one of them leaves the others what they are."""

import pytest
from signet_site import run
from trust_site import ALPHA, CAS, Ca, Site


@pytest.fixture
def site(tmp_path):
    site = Site(tmp_path / "site")
    yield site
    site.close()


def distribute(site, ca):
    """As the IGTF does."""
    place = site.dir / "igtf"
    place.mkdir(exist_ok=True)
    (place / f"{ca.name}.pem").write_bytes(ca.pem.read_bytes())
    (place / f"{ca.name}.info").write_text(
        f"alias = {ca.name}\nversion = 1\nstatus = accredited:classic\n"
        f'subjectdn = "{ca.subject}"\n'
        f"crl_url = {site.web.url}/{ca.name}.crl\n")
    (place / f"{ca.name}.signing_policy").write_text(
        f"access_id_CA X509 '{ca.subject}'\npos_rights globus CA:sign\n"
        "cond_subjects globus '\"/DC=org/DC=example/O=Test/*\"'\n")
    return f"directory {place}\n"


@pytest.fixture
def twins(site):
    """Two keys of one name, and a CA of another."""
    site.twins = [site.ca(), site.ca("alpha2", ALPHA)]
    site.other = site.ca("gamma", f"{CAS}/CN=Gamma CA")
    for ca in (*site.twins, site.other):
        site.base = distribute(site, ca)
    assert site.trust("refresh", settings=site.base).returncode == 0
    return site


def held(site):
    """Which CAs the directory holds, in order; each must have its list and
    they must be numbered without a gap, as readers look for them."""
    stem, found = site.twins[0].hash, []
    names = {ca.pem.read_text(): ca for ca in site.twins}
    while (site.target / f"{stem}.{len(found)}").exists():
        ca = names[site.read(f"{stem}.{len(found)}")]
        run("openssl", "crl", "-in", site.target / f"{stem}.r{len(found)}",
            "-noout", "-verify", "-CAfile", ca.pem)
        found.append(ca.name)
    expected = {f"{stem}.{kind}{n}" for n in range(len(found))
                for kind in ("", "r")}
    if found:
        expected.add(f"{stem}.signing_policy")
    assert {f for f in site.files() if f.startswith(stem)} == expected
    assert f"{site.other.hash}.0" in site.files()
    return found


def test_who_is_named_alone_leaves_those_of_its_name(twins):
    assert held(twins) == ["alpha", "alpha2"]
    for name in ("alpha", "alpha2", twins.twins[0].hash, "gamma"):
        result = twins.trust("refresh", name)
        assert result.returncode == 0, result.stderr
        result = twins.trust("diff", "--ca", name)
        assert "Removing" not in result.stdout
        assert held(twins) == ["alpha", "alpha2"]


def test_who_goes_leaves_no_gap_and_comes_back(twins):
    for gone, left in (("alpha", ["alpha2"]), ("alpha2", ["alpha"]),
                       (twins.twins[0].hash, [])):
        settings = twins.base + f"disable {gone}\n"
        assert twins.trust("refresh", settings=settings).returncode == 0
        assert held(twins) == left
        assert twins.trust("check").returncode == 0
        assert twins.trust("refresh", settings=twins.base).returncode == 0
        assert held(twins) == ["alpha", "alpha2"]


def test_one_that_fails_is_not_in_the_others_way(twins):
    first = twins.twins[0]
    del twins.web.pages["/alpha.crl"], twins.web.pages["/alpha2.crl"]
    for name in (f"{first.hash}.r0", f"{first.hash}.r1"):
        assert (twins.target / name).exists()
    # The list of the first is no good any more, the second's moves up without
    # its server.
    first.crl(extensions="delta")
    (twins.dir / "cache" / f"{first.hash}.r0.crl").unlink()
    (twins.target / f"{first.hash}.r0").write_bytes(
        twins.web.pages["/alpha.crl"])
    result = twins.trust("refresh")
    assert result.returncode == 9, result.stderr
    assert held(twins) == ["alpha2"]


def test_a_broken_description_keeps_what_is_there_of_its_name(twins):
    info = twins.dir / "igtf" / "alpha.info"
    text = info.read_text()
    info.write_text(text + "requires = Nobody\n")
    assert twins.trust("refresh").returncode == 9
    assert held(twins) == ["alpha", "alpha2"]
    info.write_text(text)
    assert twins.trust("refresh").returncode == 0
    assert held(twins) == ["alpha", "alpha2"]


def test_more_files_than_a_description_may_have_lines(site):
    """1,100 of one directory: one CA is seen to, all of it is taken back, and
    every change is told."""
    place = site.dir / "many"
    place.mkdir()
    subject = "/DC=org/DC=example/O=Test/CN=Twin"
    key = site.dir / "pki" / "twin.key"
    Ca.new_key(key)
    for n in range(275):
        pem = place / f"t{n}.pem"
        run("openssl", "req", "-x509", "-new", "-config", site.conf,
            "-extensions", "ca", "-key", key, "-subj", f"{subject} {n}",
            "-days", "30", "-out", pem)
        (place / f"t{n}.info").write_text(f"alias = t{n}\n")
        (place / f"t{n}.signing_policy").write_text(
            f"access_id_CA X509 '{subject} {n}'\npos_rights globus CA:sign\n"
            "cond_subjects globus '\"/DC=org/*\"'\n")
        (place / f"t{n}.namespaces").write_text(
            f'TO Issuer "{subject} {n}" PERMIT Subject "/DC=org/.*"\n')
    settings = f"directory {place}\nallow-missing-crl *\n"
    result = site.trust("refresh", "--verbose", settings=settings)
    assert result.returncode == 0, result.stderr
    assert len(site.files()) == 1100
    assert result.stdout.count("Installing ") == 1100
    for args in (["refresh", "t7"], ["diff", "--ca", "t7"]):
        result = site.trust(*args)
        assert result.returncode == 0, result.stderr
    assert len(site.files()) == 1100
    result = site.trust("rollback")
    assert result.returncode == 0, result.stderr
    assert site.files() == [] and len(result.stdout.splitlines()) == 1100
