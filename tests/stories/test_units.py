"""The units that the packages bring are what systemd takes them for, also with
all that the examples beside them have in comments."""

import pathlib
import re
import shutil
import subprocess

import pytest

UNITS = pathlib.Path(__file__).resolve().parents[2] / "packaging" / "systemd"


def verified(place, unit):
    """What systemd says of ${unit} in ${place}; the programs are another's."""
    path = place / unit
    path.write_text(re.sub(r"^(Exec\w+=[^/]*)\S+", r"\1/bin/true",
                           path.read_text(), flags=re.M))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no",
         path], env={"SYSTEMD_UNIT_PATH": f"{place}:", "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, timeout=60)
    return done.returncode, done.stderr


@pytest.fixture
def place(tmp_path):
    for unit in UNITS.glob("*.*"):
        if unit.is_file():
            shutil.copy(unit, tmp_path)
    return tmp_path


@pytest.mark.parametrize("unit", [u.name for u in sorted(UNITS.iterdir())
                                  if u.is_file()])
def test_a_unit_is_understood(place, unit):
    assert verified(place, unit) == (0, "")


def test_the_example_for_tokens_is_understood(place):
    beside = place / "signetd.service.d"
    beside.mkdir()
    text = (UNITS / "signetd.service.d" / "token.conf.example").read_text()
    (beside / "token.conf").write_text(
        re.sub(r"^#(?=[A-Z][A-Za-z]+=)", "", text, flags=re.M))
    assert verified(place, "signetd.service") == (0, "")
    # And it is read at all.
    (beside / "token.conf").write_text(text + "DeviceAlow=/dev/console rw\n")
    assert "Unknown key" in verified(place, "signetd.service")[1]
