"""The LIGO walk: a realm, two sites each with an SLCS CA of its own under one
root, one user, one name."""

import os
import pathlib

from kdc import Kdc
from signet_site import BUILD, PEOPLE, Root, Site, openssl, run

SIGNET = BUILD / "signet" / "signet"
NEW = "scott.koranda"


def prepare(kdc, tmp_path):
    if os.getuid() == 0:
        os.chmod(tmp_path, 0o755)
        os.chmod(kdc.dir, 0o755)
        os.chown(kdc.keytab, 61302, 0)


def login(site, kdc, out, password):
    """ligo-login as a person types it, the password on standard input."""
    link = site.dir / "ligo-login"
    if not link.exists():
        link.symlink_to(SIGNET)
    conf = site.dir / "signet.conf"
    conf.write_text(f"server localhost:{site.port}\nrealm {kdc.realm}\n"
                    "auth kerberos\n")
    env = site.client_env(X509_USER_PROXY=out, SIGNET_CONF=conf,
                          KRB5_CONFIG=kdc.krb5_conf,
                          KRB5CCNAME=f"FILE:{site.dir}/cc")
    return run(link, "--password-stdin", NEW, input=password + "\n", env=env)


def identity(proxy):
    return run(SIGNET, "proxy", "info", "--identity", "--file",
               proxy).stdout.strip()


def test_two_sites_one_name(tmp_path):
    host = os.uname().nodename
    with Kdc(tmp_path / "kdc", realm="LIGO.ORG", users={},
             services=("myproxy/localhost", f"myproxy/{host}")) as kdc:
        prepare(kdc, tmp_path)
        root = Root(tmp_path / "cas")
        common = dict(root=root, realm="LIGO.ORG", auth=("kerberos",),
                      env={"KRB5_CONFIG": kdc.krb5_conf},
                      settings=[f"keytab {kdc.keytab}"],
                      hosts=("localhost", host))
        with Site(tmp_path / "uwm", name="UWM",
                  serial="range 700000000 100000000", **common) as uwm, \
                Site(tmp_path / "cit", name="CIT",
                     serial="range 100000000 100000000", **common) as cit:
            # A verifier that trusts the root and hears of both sites' CAs.
            trust = tmp_path / "trust"
            trust.mkdir()
            for site in (uwm, cit):
                for path in site.trust.iterdir():
                    (trust / path.name).write_bytes(path.read_bytes())

            # The roster adds her; a moment later she logs in, twice.
            kdc.add_user(NEW, "first-password")
            proxies = {}
            for name, site in (("uwm", uwm), ("cit", cit)):
                proxies[name] = tmp_path / f"{name}.proxy"
                login(site, kdc, proxies[name], "first-password")

            subject = f"{PEOPLE}/CN={NEW}@LIGO.ORG"
            issuers, serials = set(), {}
            for name, proxy in proxies.items():
                assert identity(proxy) == subject
                openssl("verify", "-allow_proxy_certs", "-CApath", trust,
                        "-untrusted", proxy, proxy)
                certificate = last_certificate(proxy, tmp_path / name)
                issuers.add(openssl("x509", "-in", certificate, "-noout",
                                    "-issuer").stdout)
                serials[name] = int(openssl(
                    "x509", "-in", certificate, "-noout",
                    "-serial").stdout.strip().removeprefix("serial="), 16)
                assert accepted_by_the_toolkit(proxy, trust, uwm) == subject
            assert len(issuers) == 2
            assert 700000000 <= serials["uwm"] < 800000000
            assert 100000000 <= serials["cit"] < 200000000


def last_certificate(proxy, stem):
    """The end-entity certificate: the second in the file."""
    blocks = pathlib.Path(proxy).read_text().split(
        "-----BEGIN CERTIFICATE-----")
    path = pathlib.Path(f"{stem}.eec.pem")
    path.write_text("-----BEGIN CERTIFICATE-----" + blocks[2])
    return path


def accepted_by_the_toolkit(proxy, trust, site):
    from gct import handshake
    return handshake(proxy, trust, site.dir / "hostcert.pem",
                     site.dir / "hostkey.pem")
