"""Nothing is lost at the office, and nothing is signed twice, when what holds
the book and the key is killed at random moments."""

import json
import random
import time

import pytest
import strict_der
from office_clerk import KILLS, work_while_killed
from office_site import Office, make_kdc
from signet_site import SIGNET_CA, run

pytestmark = pytest.mark.heavy
ROLES = ("issuer", "signer", "keeper", "parent", "auth")


def revoked_by(path):
    return {serial for serial, _, _ in strict_der.crl(path)["entries"]}


def test_killed_with_the_whole_daemon(tmp_path):
    """Each of these takes the others along, and is started anew with them."""
    with make_kdc(tmp_path / "kdc") as kdc:
        office = Office(tmp_path / "site", kdc, settings=["drain-timeout 1"])
        clerk = work_while_killed(office, ROLES,
                                  random.Random(f"whole-{KILLS}"))
        assert len(clerk.revoked) > len(ROLES)
        # The list is as the book is, though its makers were killed too.
        office.start()
        try:
            path = office.ledger.parent / "office-ca.r0"
            end = time.monotonic() + 30
            wanted = {int(serial, 16) for serial in clerk.revoked}
            while revoked_by(path) != wanted:
                assert time.monotonic() < end
                time.sleep(0.05)
        finally:
            assert office.stop() == 0
        made = json.loads(run(SIGNET_CA, "log", "--ledger", office.ledger,
                              "--kind", "crl", "--json").stdout)
        numbers = [int(line["number"]) for line in made
                   if line["ca"] == "office-ca"]
        assert numbers == sorted(set(numbers)) and len(numbers) > 1
