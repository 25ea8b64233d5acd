"""For every story."""

import pathlib


def pytest_runtest_setup(item):
    """faketime(1) names what it shares by its process number, and leaves it
    behind when a daemon under it is killed: with the number in use again it
    would refuse.  What belongs to nobody is taken away."""
    for path in pathlib.Path("/dev/shm").glob("*faketime_*"):
        if not pathlib.Path("/proc", path.name.rpartition("_")[2]).exists():
            try:
                path.unlink()
            except OSError:
                pass  # another's, or another run was quicker
