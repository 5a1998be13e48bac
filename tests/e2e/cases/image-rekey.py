# SPDX-License-Identifier: Apache-2.0
"""carrel-image rekey: one key out, another in, and never none."""
import fcntl
import hashlib
import json
import os
import struct
import subprocess
import sys

from e2e.image import TOOL, built, carrel_image, passes, refused

NEEDS = "host"
SECONDS = 120
MIB = 1 << 20
DATA = 13 * MIB

# rekey as it is, but the machine stops at the Nth of its writes; the write
# itself may be lost, or be half there.
STOPPING = """
import os, sys
sys.path.insert(0, sys.argv[1])
from carrel_image import options, rekey
from carrel_image.progress import Progress
left, half = int(sys.argv[2]), sys.argv[3] == "half"
def put(f, at, data):
    global left
    if left == 0:
        os.pwrite(f.fileno(), data[:len(data) // 2 if half else 0], at)
        raise SystemExit(9)
    left -= 1
    os.pwrite(f.fileno(), data, at)
rekey.put = put
rekey.rekey(options.parse(sys.argv[4:]), Progress("none"))
"""


def opens(image, key):
    """The slot, or None."""
    status, said = carrel_image("inspect", "--json", "--key-file", key, image)
    return json.loads(said)["key_slot"] if status == 0 else None


def data_of(image):
    with open(image, "rb") as f:
        f.seek(DATA)
        return hashlib.file_digest(f, "sha256").hexdigest()


def slots(image):
    return [s["number"] for s in
            json.loads(passes("inspect", "--json", image))["luks"]["slots"]]


def keys_of(image):
    return image.with_suffix(".key"), image.with_suffix(".rec")


def launch(t, image):
    old, recovery = keys_of(image)
    new, before = t.tmp / "new.key", data_of(image)
    passes("rekey", image, "--key-file", old, "--new-key", new)
    assert new.stat().st_mode & 0o777 == 0o600, oct(new.stat().st_mode)
    assert opens(image, old) is None, "the old key still opens it"
    assert opens(image, new) == 0, "the new key is not in slot 0"
    assert opens(image, recovery) == 2, "the recovery key is gone"
    assert slots(image) == [0, 1, 2], slots(image)
    assert data_of(image) == before, "the data are others"
    os.rename(new, old)


def by_recovery(t, image):
    """The launch key is lost; the recovery key makes another."""
    old, recovery = keys_of(image)
    key = t.tmp / "own.key"
    key.write_bytes(b"an owner's own words, long enough to be one")
    passes("rekey", image, "--key-file", recovery, "--new-key", key)
    assert opens(image, old) is None and opens(image, key) == 0
    assert opens(image, recovery) == 2
    os.rename(key, old)


def recovery_key(t, image):
    old, recovery = keys_of(image)
    said = passes("rekey", image, "--key-file", old, "--recovery")
    key = t.tmp / "printed"
    key.write_text(said.split()[-1])
    assert opens(image, recovery) is None and opens(image, key) == 2, said
    assert opens(image, old) == 0
    os.rename(key, recovery)


def nothing_changed(t, image, words, status, *args):
    with open(image, "rb") as f:
        before = hashlib.file_digest(f, "sha256").digest()
    refused(words, "rekey", image, *args, status=status)
    with open(image, "rb") as f:
        assert hashlib.file_digest(f, "sha256").digest() == before
    left = [p.name for p in t.tmp.iterdir() if p.name.startswith(".")]
    assert not left, f"left behind: {left}"
    assert not (t.tmp / "other").exists(), "the key of nothing is left"


def in_use(t, image):
    """Locked as carrel and QEMU lock the disk of a running guest."""
    with open(image, "rb") as f:
        fcntl.fcntl(f, fcntl.F_OFD_SETLK,
                    struct.pack("hhqqi4x", fcntl.F_RDLCK, 0, 0, 0, 0))
        nothing_changed(t, image, ["in use"], 2, "--key-file",
                        keys_of(image)[0], "--new-key", t.tmp / "other")


def stopped(t, image, half):
    """Wherever it stops, one of the two keys opens the image. (inspect also
    decrypts with it; cryptsetup mends a copy that is half there.)"""
    old, new = keys_of(image)[0], t.tmp / "stopped.key"
    new.write_bytes(b"the key that comes after, of enough letters")
    for n in range(99):
        path = t.tmp / "stopped.img"
        subprocess.run(["cp", "--reflink=auto", image, path], check=True)
        status = subprocess.run(
            [sys.executable, "-c", STOPPING, TOOL.parent, str(n), half,
             "rekey", path, "--key-file", old, "--new-key", new],
            check=False).returncode
        found = opens_by_cryptsetup(t, path, old, new)
        assert found, f"stopped at write {n}: no key opens it"
        if status == 0:
            break
        assert status == 9, status
    assert n > 5 and found == [new], (n, found)


def opens_by_cryptsetup(t, image, *keys):
    volume = t.tmp / "volume"
    with open(image, "rb") as f, open(volume, "wb") as out:
        f.seek(9 * MIB)
        out.write(f.read(4 * MIB))
        out.truncate(118 * MIB)
    return [key for key in keys if subprocess.run(
        ["cryptsetup", "open", "--test-passphrase", "--disable-locks",
         "--key-file", key, volume], check=False,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0]


def parts(t):
    wrong, line = t.tmp / "wrong", t.tmp / "line"
    wrong.write_bytes(b"wrong")
    line.write_bytes(b"a key of which the editor made a line\n")
    for version in ("1", "2"):
        image = built(t, f"luks{version}", "--luks", version)
        key = keys_of(image)[0]
        name = f"LUKS{version}, "
        t.check(name + "a wrong key", nothing_changed, t, image,
                ["opens no slot"], 1, "--key-file", wrong, "--new-key",
                t.tmp / "other")
        t.check(name + "a new key with a line end", nothing_changed, t, image,
                ["line end"], 2, "--key-file", key, "--new-key", line)
        t.check(name + "the same key again", nothing_changed, t, image,
                ["already"], 2, "--key-file", key, "--new-key", key)
        t.check(name + "no new key", nothing_changed, t, image,
                ["--new-key"], 2, "--key-file", key)
        t.check(name + "an image in use", in_use, t, image)
        t.check(name + "another launch key", launch, t, image)
        t.check(name + "a launch key by the recovery key", by_recovery, t,
                image)
        t.check(name + "another recovery key", recovery_key, t, image)
        for half in ("lost", "half"):
            t.check(f"{name}stopped at any write, which is {half}", stopped,
                    t, image, half)
        image.unlink()
