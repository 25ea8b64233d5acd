"""signet-trust: names that are no CA's must neither trust nor distrust more than
was meant, and nobody is left without the one above."""

import pytest

from trust_site import ALPHA, BETA, Site


@pytest.fixture
def site(tmp_path):
    site = Site(tmp_path)
    site.alpha = site.ca()
    site.beta = site.ca("beta", BETA, site.alpha)
    for ca in (site.alpha, site.beta):
        site.describe(ca)
    site.sources = f"gx-map {site.etc}\n"
    assert site.trust("refresh", settings=site.sources).returncode == 0
    assert len(site.files()) == 6
    yield site
    site.close()


def test_a_choice_of_nothing_changes_nothing(site):
    empty = site.dir / "empty"
    empty.write_text("# nobody\n")
    before = site.files()
    for line in ("profile clasic", f"ca-list {empty}"):
        result = site.trust("refresh", settings=f"{site.sources}{line}\n")
        assert result.returncode == 2 and "No CA is chosen" in result.stderr
        assert site.files() == before
    site.alpha.crl()
    for args in (["--profile", "clasic"], ["--ca", ""],
                 ["--ca-list", empty]):
        result = site.trust("refresh", *args, settings=site.sources)
        assert result.returncode == 2 and "No CA is chosen" in result.stderr


def test_disabling_nobody_is_said(site):
    for name in ("Beta", "alpha,beta", f"{site.beta.hash}.0"):
        result = site.trust("refresh",
                            settings=f"{site.sources}disable {name}\n")
        assert f"disable {name}: no CA" in result.stderr
        assert len(site.files()) == 6
    result = site.trust("refresh", settings=f"{site.sources}disable beta\n")
    assert result.returncode == 0 and result.stderr == ""
    assert len(site.files()) == 3


def test_who_loses_the_one_above_goes_in_the_same_run(site):
    result = site.trust("refresh", settings=f"{site.sources}ca beta\n")
    assert result.returncode == 1 and f'issuer "{ALPHA}"' in result.stderr
    assert site.files() == []
    assert site.trust("refresh", settings=site.sources).returncode == 0
    # Who looks at one alone leaves the others, and they count.
    assert site.trust("refresh", "beta").returncode == 0
    assert len(site.files()) == 6


def test_check_says_what_is_amiss(site):
    (site.target / f"{site.alpha.hash}.r0").unlink()
    result = site.trust("check")
    assert result.returncode == 9
    assert f"{site.alpha.hash}.r0 was changed or removed" in result.stderr


def test_metrics_replace_no_device(site):
    device = site.dir / "pipe"
    device.symlink_to("/dev/null")
    result = site.trust("check", "--metrics", device)
    assert result.returncode == 1 and "no regular file" in result.stderr
    assert device.is_symlink()


def test_why_tells_what_is_from_what_will_be(site):
    """It says what stands in the directory, and what refresh makes of it."""
    def verdict(status):
        result = site.trust("why", "beta")
        assert result.returncode == status, result.stderr
        return result.stdout.splitlines()[-1].removeprefix("verdict").strip()

    assert verdict(0) == "installed"
    for line in ("disable beta", "ca alpha"):
        site.trust("list", settings=f"{site.sources}{line}\n")
        assert verdict(1) == "installed still: refresh removes it"
        assert site.trust("refresh").returncode == 0
        assert verdict(1) == "not installed"
        site.trust("list", settings=site.sources)
        assert verdict(0) == "not installed yet: refresh installs it"
        assert site.trust("refresh").returncode == 0
    site.describe(site.beta, HASH="x")
    assert verdict(1) == "what is there stays"
