# SPDX-License-Identifier: Apache-2.0
"""carrel-image rekey: another launch key, or another recovery key.

The header is changed in a copy, proved there, and written back in three
rounds; at every moment, also if the machine stops, the old key or the new one
opens the image:

    1  the new key in a spare slot            the old one still opens
    2  the new key in its own slot            the spare one opens throughout
    3  the spare slot is gone

The volume key stays: whoever had the old key and a copy of the old header can
still read the disk."""
import fcntl
import os
import pathlib
import struct

from . import command, gpt, inspection, key, luks
from .fault import Fault, Refusal, Usage
from .work import Work, ignore_signals, in_memory

ROLES = {luks.LAUNCH: "launch", luks.RECOVERY: "recovery"}
HEAD = {1: 4096, 2: 32768}     # bytes before the first slot's material


def rekey(given, progress):
    command.need("cryptsetup", "blkid")
    image = pathlib.Path(given.image)
    role = luks.RECOVERY if given.recovery else luks.LAUNCH
    if role == luks.LAUNCH and not given.new_key:
        raise Usage("--new-key is missing: the file of the new launch key")
    key.read(given.key_file)
    made = not (given.new_key and os.path.lexists(given.new_key))
    new = new_key(given, role, made)
    with locked(image) as f, Work(given.work or in_memory()) as work:
        old = work / "old.key"
        key.write(old, key.read(given.key_file))
        key.write(work / "new.key", new)
        progress.step(f"replacing the {ROLES[role]} key")
        part = find(f, image)
        header = luks.extract(image, part, work / "header")
        volume = luks.Volume(work / "header")
        rounds = steps(volume, header, role, old, work / "new.key", given)
        next(rounds)
        ignore_signals()    # from here on something would be left behind
        if made and given.new_key:
            key.write(given.new_key, new)
        try:
            write_back(f, part, header, volume.path)
            for _ in rounds:
                write_back(f, part, header, volume.path)
        except OSError as why:
            raise Fault(f"image '{image}': {why.strerror} while its header was "
                        "written; the old key or the new one opens it, keep "
                        "both") from why
        progress.done()
    if made and not given.new_key:
        print(f"recovery key, shown this once: {new.decode()}", flush=True)


def new_key(given, role, made):
    if not made:
        return key.read_launch(given.new_key, given.allow_newline)
    return key.recovery() if role == luks.RECOVERY else key.launch()


def locked(image):
    """The open image, which no guest is running from. carrel and QEMU hold
    such a lock of their own."""
    try:
        f = open(image, "r+b", buffering=0)
    except OSError as why:
        raise Fault(f"image '{image}': {why.strerror}") from why
    whole = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
    try:
        fcntl.fcntl(f, fcntl.F_OFD_SETLK, whole)
    except OSError as why:
        f.close()
        raise Fault(f"image '{image}' is in use: a guest is running from it"
                    ) from why
    return f


def find(f, image):
    """The partition with the LUKS volume; whatever else is wrong with the
    image is no reason not to change a key."""
    partitions = gpt.read(f, os.fstat(f.fileno()).st_size)
    for p in partitions:
        f.seek(p.start)
        if f.read(6) == luks.MAGIC:
            return p
    raise Refusal(f"{image}: no partition holds a LUKS volume")


def steps(volume, header, role, old, new, given):
    """Changes the copy, and yields where it is to be written back; before
    the first of these, nothing but the copy has been touched."""
    if not volume.opens(old):
        raise Refusal(inspection.no_fit(given.key_file))
    used = {s.number for s in header.slots}
    if volume.opens(new):
        raise Usage("the new key opens the volume already")
    spare = next((n for n in range(3, 8) if n not in used), None)
    if spare is None:
        raise Fault("all slots are in use; cryptsetup luksKillSlot frees one")
    slow = role == luks.RECOVERY or not key.is_strong(key.read(new))
    iterations = luks.NORMAL if slow else luks.FAST
    volume.add(old, new, spare, iterations)
    luks.expect_opens(volume, new, spare, "new key")
    yield
    if role in used:
        volume.kill(new, role)
    volume.add(new, new, role, iterations)
    luks.expect_opens(volume, new, role, "new key")
    yield
    volume.kill(new, spare)
    luks.expect_opens(volume, new, role, "new key")
    yield


def write_back(f, part, header, path):
    """Slots before the header that names them: a slot that the header on the
    disk still names is changed only in rounds in which another one opens."""
    with open(path, "rb") as changed:
        raw = changed.read(header.data_offset)
    head = HEAD[header.version]
    put(f, part.start + head, raw[head:])
    if header.version == 2:
        put(f, part.start + head // 2, raw[head // 2:head])
        head //= 2
    put(f, part.start, raw[:head])


def put(f, at, data):
    while data:
        n = os.pwrite(f.fileno(), data, at)
        data, at = data[n:], at + n
    os.fsync(f.fileno())
