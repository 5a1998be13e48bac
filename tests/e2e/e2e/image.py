# SPDX-License-Identifier: Apache-2.0
"""carrel-image for the cases that try it, and the smallest system that it
takes: busybox, a file for a kernel, and a maker of initramfs archives."""
import os
import pathlib
import shutil
import struct
import subprocess

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

TOOL = (pathlib.Path(__file__).resolve().parents[3] / "boot" / "image"
        / "carrel-image")
SIZE = "128M"
SECONDS = 240
MIB = 1 << 20
ROOT, DATA = 9 * MIB, 13 * MIB  # where the LUKS partition and its data begin

# Packs what carrel-image promises to a real one: key file and crypttab. HOOK is
# a line of a case's own, before that; KEEP one after it.
MAKER = """#!/bin/sh
set -e
umask 077
[ "$1 $2" = "-c -k" ]
HOOK
mkdir -p /var/tmp/i/cryptroot
cp /etc/cryptsetup-keys.d/root.key /etc/crypttab /var/tmp/i/cryptroot
cd /var/tmp/i
KEEP
find . | cpio -o -H newc > "/boot/initrd.img-$3"
"""


def carrel_image(*args, seconds=SECONDS, **kw):
    """(exit status, what was said)."""
    done = subprocess.run([TOOL, *map(str, args)], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=seconds, check=False, text=True,
                          errors="replace", **kw)
    return done.returncode, done.stdout


def passes(*args, **kw):
    status, said = carrel_image(*args, **kw)
    assert status == 0, f"exit status {status}: {said}"
    return said


def refused(words, *args, status=2, **kw):
    got, said = carrel_image(*args, **kw)
    assert got == status, f"exit status {got}, not {status}: {said}"
    assert "Traceback" not in said, said
    for word in words:
        assert word in said, f"no \"{word}\" in: {said}"


def system(path, hook=":", keep=":", without=()):
    """A tree that carrel-image takes for a system, less some paths."""
    path = pathlib.Path(path)
    for name in ("bin", "boot", "dev", "etc", "proc", "sbin", "usr/sbin",
                 "usr/share/initramfs-tools/hooks", "lib/modules/1.0", "var"):
        (path / name).mkdir(parents=True)
    shutil.copy("/bin/busybox", path / "bin")
    for name in ("sh", "mkdir", "cp", "find", "cpio", "env", "sleep", "head",
                 "cat", "rm"):
        (path / "bin" / name).symlink_to("busybox")
    (path / "sbin" / "init").symlink_to("../bin/busybox")
    (path / "boot" / "vmlinuz-1.0").write_bytes(os.urandom(1 << 20))
    (path / "etc" / "shadow").write_text("root:*:1::::::\n")
    (path / "usr/share/initramfs-tools/hooks/cryptroot").write_text("")
    maker = path / "usr" / "sbin" / "update-initramfs"
    maker.write_text(MAKER.replace("HOOK", hook).replace("KEEP", keep))
    maker.chmod(0o755)
    for name in without:
        (path / name).unlink()
    return path


def built(t, name="image", *args):
    """An image of such a system; its keys are NAME.key and NAME.rec."""
    tree = t.tmp / f"{name}.tree"
    out = t.tmp / f"{name}.img"
    passes("build", "--from", system(tree), "--size", SIZE, "--new-key",
           out.with_suffix(".key"), "--recovery-key", out.with_suffix(".rec"),
           *args, out)
    shutil.rmtree(tree)
    return out


def decrypted(t, image):
    """The file system in an image of SIZE, by cryptsetup and a second
    implementation of XTS."""
    header, plain, secret = (t.tmp / n for n in ("header", "plain", "secret"))
    with open(image, "rb") as f:
        f.seek(ROOT)
        header.write_bytes(f.read(118 * MIB))
    subprocess.run(["cryptsetup", "luksDump", "-q", "--dump-volume-key",
                    "--disable-locks", "--key-file", image.with_suffix(".key"),
                    "--volume-key-file", secret, header], check=True,
                   stdout=subprocess.DEVNULL)
    aes, raw = algorithms.AES(secret.read_bytes()), header.read_bytes()
    step = {1: 512, 2: 4096}[raw[7]]
    raw = raw[DATA - ROOT:]
    with open(plain, "wb") as f:
        for at in range(0, len(raw), step):
            tweak = struct.pack("<QQ", at // 512, 0)
            f.write(Cipher(aes, modes.XTS(tweak)).decryptor().update(
                raw[at:at + step]))
    for path in (header, secret):
        path.unlink()
    return plain


def debugfs(plain, request):
    return subprocess.run(["debugfs", "-R", request, plain], check=True,
                          stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.DEVNULL).stdout
