"""The Grid Community Toolkit's own libraries as judge of our credentials."""

from signet_site import BUILD, run


def handshake(proxy, trust, cert, key, *options, check=True, wrapper=(),
              env=None):
    """A GSS handshake of the stock libraries: who the acceptor says the
    initiator is, or (check=False) the whole result."""
    result = run(*wrapper, BUILD / "tests" / "gss_handshake", "-c", cert,
                 "-k", key, "-p", proxy, "-d", trust, *options, check=check,
                 env=env, errors="replace")
    if not check:
        return result
    for line in result.stdout.splitlines():
        if line.startswith("peer="):
            return line.removeprefix("peer=")
    raise AssertionError(result.stdout + result.stderr)
