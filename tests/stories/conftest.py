"""For every story."""

import pathlib

# The files that take longest, longest first: a file is one process's, and one
# begun last would be waited for alone.
LONGEST = """token_stock ca_backup grid_tools proxy_gct ca_publish ca_bad_input
    pin_search walls ca_offline_crash callout_stock ca_exchange crash ca_crl
    token_walls login_stock federation office_odd token pin policy callout
    cert_convert ca_token auth_proof office_crash""".split()


def pytest_collection_modifyitems(items):
    place = {f"test_{name}": i for i, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.stem, len(place)))


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
