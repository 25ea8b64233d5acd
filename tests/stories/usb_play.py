"""A USB that is played: umockdev's library, by which devices come and go for
whoever has its preload and UMOCKDEV_DIR.  Who plays needs the preload too, so
this file is also the program that does."""

import ctypes
import os
import pathlib
import subprocess
import sys

from kdc import die_with_parent

PRELOAD = "libumockdev-preload.so.0"


class Usb:
    """One bus; devices by vendor and product, as in "0529:0620"."""

    def __init__(self):
        self.player = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent,
            env=dict(os.environ, LD_PRELOAD=PRELOAD))
        self.root = self.player.stdout.readline().strip()
        self.env = {"LD_PRELOAD": PRELOAD, "UMOCKDEV_DIR": self.root}

    def say(self, *words):
        self.player.stdin.write(" ".join(words) + "\n")
        self.player.stdin.flush()
        assert self.player.stdout.readline() == "done\n"

    def plug(self, device):
        self.say("plug", device)

    def tell(self, device, action):
        """What the kernel says of ${device}: "add", "remove"."""
        self.say(action, device)

    def pull(self, device):
        self.tell(device, "remove")

    def end(self):
        self.player.stdin.close()
        assert self.player.wait(20) == 0


class Bed:
    """umockdev's own, in the program."""

    def __init__(self):
        lib = self.lib = ctypes.CDLL("libumockdev.so.0")
        pointer, text = ctypes.c_void_p, ctypes.c_char_p
        lib.umockdev_testbed_new.restype = pointer
        lib.umockdev_testbed_get_root_dir.restype = text
        lib.umockdev_testbed_get_root_dir.argtypes = [pointer]
        lib.umockdev_testbed_add_from_string.argtypes = [pointer, text,
                                                         pointer]
        lib.umockdev_testbed_uevent.argtypes = [pointer, text, text]
        self.bed = lib.umockdev_testbed_new()
        self.paths = {}
        print(lib.umockdev_testbed_get_root_dir(self.bed).decode(),
              flush=True)

    def plug(self, device):
        vendor, product = (int(part, 16) for part in device.split(":"))
        n = len(self.paths) + 1
        path = f"/devices/pci0000:00/0000:00:1d.0/usb1/1-{n}"
        made = self.lib.umockdev_testbed_add_from_string(
            self.bed, (f"P: {path}\nN: bus/usb/001/{n:03}\n"
                       "E: DEVTYPE=usb_device\nE: SUBSYSTEM=usb\n"
                       f"E: PRODUCT={vendor:x}/{product:x}/100\n"
                       f"E: BUSNUM=001\nE: DEVNUM={n:03}\n").encode(), None)
        assert made
        self.paths[device] = f"/sys{path}".encode()

    def say(self, action, device):
        self.lib.umockdev_testbed_uevent(self.bed, self.paths[device],
                                         action.encode())


def play():
    bed = Bed()
    for line in sys.stdin:
        action, device = line.split()
        if action == "plug":
            bed.plug(device)
        else:
            bed.say(action, device)
        print("done", flush=True)


def preloaded(binaries, directory, role, env):
    """Copies of signetd and its roles in ${directory}, where that one ${role}
    has ${env} beside what it is given: the others' walls know nothing of a
    preload.  The words that start it in signetd's place."""
    directory = pathlib.Path(directory)
    directory.mkdir()
    for path in pathlib.Path(binaries).glob("signetd*"):
        if path.is_file():
            (directory / path.name).symlink_to(path)
    own = directory / f"signetd-{role}"
    real = own.resolve()
    own.unlink()
    words = " ".join(f"{k}='{v}'" for k, v in env.items())
    own.write_text(f"#!/bin/sh\n{words} exec {real}\n")
    own.chmod(0o755)
    # Found by /proc/self/exe: a link would lead back.
    daemon = directory / "signetd"
    real = daemon.resolve()
    daemon.unlink()
    daemon.write_bytes(real.read_bytes())
    daemon.chmod(0o755)
    start = directory / "instead"
    start.write_text(f'#!/bin/sh\nshift\nexec {daemon} "$@"\n')
    start.chmod(0o755)
    return (str(start),)


if __name__ == "__main__":
    play()
