# SPDX-License-Identifier: Apache-2.0
"""Debian systems by mmdebstrap. What it makes from the same inputs is kept in
the cache, which holds no key and nothing else that is secret: the system is
given those later."""
import hashlib
import os
import pathlib
import re
import subprocess
import tempfile

from . import command
from .fault import Fault, Usage

BASE = ["systemd", "systemd-sysv", "udev", "dbus", "kmod", "e2fsprogs",
        "zstd"]
TOOLS = {"initramfs-tools": ["cryptsetup-initramfs"],
         "dracut": ["dracut", "cryptsetup-bin"]}
# Where systemd's part of cryptsetup, without which dracut reads neither
# rd.luks.name nor crypttab, is still in the package systemd.
UNSPLIT = ["buster", "bullseye", "bookworm"]
KERNEL = "linux-image-cloud-amd64"
SUITE = re.compile(r"[a-z][a-z0-9-]*")
PACKAGE = re.compile(r"[a-z0-9][a-z0-9+.-]*")
# What nobody reads on a machine without people. Licences stay.
LEAN = ["--dpkgopt=path-exclude=/usr/share/man/*",
        "--dpkgopt=path-exclude=/usr/share/info/*",
        "--dpkgopt=path-exclude=/usr/share/locale/*",
        "--dpkgopt=path-exclude=/usr/share/doc/*",
        "--dpkgopt=path-include=/usr/share/doc/*/copyright"]
# The initramfs is made later, by the build, when there is a key for it.
FOREIGN = ["/etc/resolv.conf", "/etc/hostname"]
NO_INITRAMFS = {"INITRD": "No"}
SUITES = pathlib.Path(__file__).resolve().parent.parent.parent / "suites"


def cache():
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return pathlib.Path(base) / "carrel" / "image"


def packages(given):
    """What a system gets, of the options of a build."""
    suite = given.source.partition(":")[2]
    name = given.initramfs or "initramfs-tools"
    tool = TOOLS[name] + (["systemd-cryptsetup"] if name == "dracut"
                          and suite not in UNSPLIT else [])
    more = [p for part in given.include for p in part.split(",") if p]
    out = [*BASE, *tool, given.kernel, *more]
    if not SUITE.fullmatch(suite):
        raise Usage(f"debian:{suite}: the name of a suite is expected, such "
                    "as debian:bookworm")
    for name in out:
        if not PACKAGE.fullmatch(name):
            raise Usage(f"'{name}' is no name of a package")
    return out


def forget_builder(tree):
    """mmdebstrap copies these from the machine that builds."""
    for path in FOREIGN:
        tree.at(path).unlink(missing_ok=True)


def mirror():
    """The machine's own; no address is written down here."""
    try:
        return command.run([SUITES, "mirror"], "looking for a mirror"
                           ).split()[-1]
    except (Fault, IndexError) as why:
        raise Fault("no Debian archive among this machine's apt sources; "
                    "give --mirror") from why


def recipe(suite, packages, address):
    return ["mmdebstrap", "--variant=minbase", "--format=tar", *LEAN,
            f"--include={','.join(sorted(packages))}", suite, "ROOT.tar",
            address]


def root_tar(suite, packages, address, fresh, progress):
    """The path of a tar of the system, from the cache or made now."""
    argv = recipe(suite, packages, address)
    made = hashlib.sha256("\0".join([*argv, tool_version()]).encode())
    path = cache() / f"{suite}-{made.hexdigest()[:16]}.tar"
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and not fresh:
        progress.note(f"Debian {suite}, from the cache: {path}")
        return path
    command.need("mmdebstrap")
    progress.step(f"making a Debian {suite} system")
    with tempfile.TemporaryDirectory(prefix=".make.", dir=path.parent) as tmp:
        out = pathlib.Path(tmp) / "root.tar"
        argv[argv.index("ROOT.tar")] = out
        command.run(argv, f"making a Debian {suite} system",
                    env={**NO_INITRAMFS, "TMPDIR": tmp})
        os.rename(out, path)
    progress.done()
    return path


def tool_version():
    said = subprocess.run(["mmdebstrap", "--version"], text=True, check=False,
                          env={**os.environ, "PATH": command.search_path()},
                          stdout=subprocess.PIPE).stdout
    return said.strip()
