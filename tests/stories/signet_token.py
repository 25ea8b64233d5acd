"""A CA's key in a token: SoftHSM behind token_shim.so, which plays what happens
to tokens, and what a site needs to sign with it."""

import os
import pathlib
import re
import secrets
import shutil

from signet_site import BUILD, ROLE_USERS, open_way, run

SHIM = BUILD / "tests" / "token_shim.so"
SOFTHSM = pathlib.Path("/usr/lib/softhsm/libsofthsm2.so")
KEPT = ("SOFTHSM2_CONF", "TOKEN_SHIM_PLAY", "TOKEN_SHIM_LOG",
        "TOKEN_SHIM_PIN")


class Token:
    """One token in a SoftHSM of its own, under ${directory}:

    softhsm2.conf, tokens/     SoftHSM's
    module/token_shim.so       the module that ca.conf names
    shim/play, shim/log        what it plays (token_shim.c says how), and which
                               calls it has seen
    credentials/pin            its PIN, as a service manager would give it
    """

    def __init__(self, directory, label="grid ca", pin=None):
        self.dir = pathlib.Path(directory)
        self.label = label
        self.pin = self.first_pin = pin or f"pin-{secrets.token_hex(8)}"
        self.insertion = 0
        self.playing = {}
        for part in ("", "tokens", "module", "shim", "credentials"):
            (self.dir / part).mkdir(parents=True, exist_ok=True)
        self.conf = self.dir / "softhsm2.conf"
        self.conf.write_text(f"directories.tokendir = {self.dir}/tokens\n"
                             "objectstore.backend = file\n"
                             "log.level = ERROR\n")
        self.module = self.dir / "module" / "token_shim.so"
        shutil.copy(SHIM, self.module)
        self.play_path = self.dir / "shim" / "play"
        self.log_path = self.dir / "shim" / "log"
        self.env = {"SOFTHSM2_CONF": str(self.conf),
                    "TOKEN_SHIM_PLAY": str(self.play_path),
                    "TOKEN_SHIM_LOG": str(self.log_path),
                    "TOKEN_SHIM_PIN": self.first_pin}
        self.play()
        self.softhsm("--init-token", "--free", "--label", label,
                     "--so-pin", "security officer", "--pin", self.pin)
        self.credential()
        self.give_away()

    def softhsm(self, *args):
        """softhsm2-util, to the token itself and not by the shim."""
        return run("softhsm2-util", "--module", SOFTHSM, *args,
                   env=dict(os.environ, **self.env))

    def give_away(self):
        """What the role writes is the role's, if the stories run as root."""
        self.dir.chmod(0o755)
        open_way(self.dir)
        if os.getuid() != 0:
            return
        for place in (self.dir / "tokens", self.dir / "shim"):
            for path in (place, *place.rglob("*")):
                os.chown(path, ROLE_USERS["token"], ROLE_USERS["token"])
        (self.dir / "module").chmod(0o755)
        self.module.chmod(0o755)
        self.conf.chmod(0o644)
        self.play_path.chmod(0o644)

    # ---- the key

    def import_key(self, pem, object="ca", id="01"):
        """Put the private key of the file ${pem} into it."""
        self.softhsm("--import", pem, "--token", self.label, "--pin",
                     self.pin, "--label", object, "--id", id)
        self.give_away()

    def uri(self, object="ca", module=None):
        label = self.label.replace(" ", "%20")
        return (f"pkcs11:token={label};object={object};type=private"
                f"?module-path={module or self.module}")

    def adopt(self, ca_dir, object="ca", id="01", **uri):
        """The key file of the CA in ${ca_dir} goes into the token, and its
        ca.conf says so."""
        ca_dir = pathlib.Path(ca_dir)
        key, conf = ca_dir / "ca.key", ca_dir / "ca.conf"
        self.import_key(key, object, id)
        key.unlink()
        text = re.sub(r"^key .*\n", "", conf.read_text(), flags=re.M)
        conf.write_text(text + f"key {self.uri(object, **uri)}\n")

    # ---- what a site needs

    def settings(self, pin_from="credential:pin"):
        """Lines of signetd.conf: Site(..., settings=token.settings())."""
        return [f"pin-from {pin_from}", "token-preset softhsm",
                f"token-path rw {self.dir}/shim"]

    def options(self):
        """Options of signetd: site.start(*token.options())."""
        return [a for name in KEPT for a in ("--pass-env", name)]

    def credential(self, pin=None):
        """The PIN where credential:pin finds it."""
        path = self.dir / "credentials" / "pin"
        path.write_text((pin or self.pin) + "\n")
        path.chmod(0o600)
        self.env["CREDENTIALS_DIRECTORY"] = str(path.parent)

    # ---- what happens to it

    def play(self, **said):
        """What the shim plays from its next call on: play(present=0),
        play(play="pull-during", nth=3), play() for nothing."""
        said = dict({"insertion": self.insertion}, **said)
        if self.pin != self.first_pin:
            said.setdefault("pin", self.pin)
        beside = self.play_path.with_suffix(".new")
        beside.write_text("".join(f"{k}={v}\n" for k, v in said.items()))
        beside.chmod(0o644)
        if os.getuid() == 0:
            os.chown(beside, ROLE_USERS["token"], ROLE_USERS["token"])
        beside.rename(self.play_path)

    def pull(self):
        self.play(present=0)

    def plug(self, **said):
        """It is put in (again); who was logged in is so no more."""
        self.insertion += 1
        self.play(**said)

    def change_pin(self, pin):
        """From now on this one opens it (by the shim)."""
        self.pin = pin
        self.plug()

    def calls(self, name):
        """How often the module was asked for C_${name}."""
        if not self.log_path.exists():
            return 0
        return self.log_path.read_text().split("\n").count(name)
