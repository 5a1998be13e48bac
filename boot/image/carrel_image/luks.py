# SPDX-License-Identifier: Apache-2.0
"""LUKS headers: made and changed by cryptsetup, in a file of their own, which
needs no device-mapper; read here, where the bytes may be any bytes.

The slots have fixed roles, in the order in which GRUB and the initramfs try
them, so that the slow one comes last:

    0  the launch key, which the owner sends
    1  the key file inside the volume, which the initramfs uses
    2  the recovery key
"""
import collections
import hashlib
import json
import os
import struct

from . import command
from .fault import Fault, Refusal
from .size import MIB

LAUNCH, INNER, RECOVERY = 0, 1, 2
AREA = 4 * MIB             # header and slots; the data begin after it
SECTOR = {1: 512, 2: 4096}
KEY_BYTES = 64             # AES-256-XTS
FAST = 1000                # iterations for a key that cannot be guessed
NORMAL = 600000            # for one that a person may have made up
MAGIC = b"LUKS\xba\xbe"
MAGIC2 = b"SKUL\xba\xbe"
V1 = struct.Struct(">6sH32s32s32sII20s32sI40s")
V1_SLOT = struct.Struct(">II32sII")
V1_ACTIVE = 0x00AC71F3
V2_LONGEST = 4 * MIB       # of a header's copy (LUKS2 specification, 2.1)

Slot = collections.namedtuple("Slot", "number kdf hash iterations priority")
Header = collections.namedtuple(
    "Header", "version uuid cipher key_bits sector_size data_offset slots "
              "warnings")


class Volume:
    """A header in a file that claims to be as long as the partition."""

    def __init__(self, path):
        self.path = path

    def _call(self, verb, *args, what, ok=(0,)):
        return command.run(["cryptsetup", verb, "--batch-mode",
                            "--disable-locks", *args], what, ok=ok)

    def format(self, version, size, uuid, volume_key, first_key, iterations,
               slot=LAUNCH):
        with open(self.path, "xb") as f:
            f.truncate(size)
        args = ["--type", f"luks{version}", "--cipher", "aes-xts-plain64",
                "--key-size", KEY_BYTES * 8, "--hash", "sha256",
                "--uuid", uuid, "--volume-key-file", volume_key,
                "--offset", AREA // 512, "--key-slot", slot,
                *pbkdf(iterations)]
        if version == 2:
            args += ["--sector-size", SECTOR[2], "--luks2-metadata-size", "16k",
                     "--luks2-keyslots-size", f"{(AREA - 32768) // 1024}k"]
        self._call("luksFormat", *args, self.path, first_key,
                   what="making the LUKS header")

    def add(self, key_file, new_key_file, slot, iterations):
        self._call("luksAddKey", "--key-file", key_file, "--key-slot", slot,
                   *pbkdf(iterations), self.path, new_key_file,
                   what=f"adding a key in slot {slot}")

    def kill(self, key_file, slot):
        self._call("luksKillSlot", "--key-file", key_file, self.path, slot,
                   what=f"removing slot {slot}")

    def opens(self, key_file, slot=None):
        """Whether the key opens the volume, or this slot of it."""
        which = [] if slot is None else ["--key-slot", slot]
        said = self._call("open", "--test-passphrase", "--key-file", key_file,
                          *which, self.path, what="trying a key", ok=(0, 1, 2))
        return not said.strip()

    def volume_key(self, key_file, out):
        """Writes the volume key to `out`, 0600, in the work directory."""
        self._call("luksDump", "--dump-volume-key", "--key-file", key_file,
                   "--volume-key-file", out, self.path,
                   what="taking the volume key")
        with open(out, "rb") as f:
            return f.read()


def head(path):
    """A header with its slots, without the room for data after it."""
    with open(path, "rb") as f:
        return f.read(AREA)


def pbkdf(iterations):
    return ["--pbkdf", "pbkdf2", "--pbkdf-force-iterations", iterations]


def text(raw):
    return raw.split(b"\0")[0].decode("ascii", "replace")


def parse(raw):
    """The header at the start of a partition. A Refusal if it is none or if
    no copy of it is intact."""
    if raw[:6] == MAGIC and raw[6:8] == b"\0\x01":
        return parse_v1(raw)
    copies = [c for c in (copy_v2(raw, at, magic) for at, magic in places(raw))
              if c]
    if copies:
        return parse_v2(max(copies, key=lambda c: c[0]), len(copies))
    if raw[:6] == MAGIC:
        raise Refusal("the LUKS header is damaged, and so is its copy: a "
                      "checksum does not match. Restore it from a backup "
                      "(cryptsetup luksHeaderRestore)")
    raise Refusal("no LUKS header")


def parse_v1(raw):
    if len(raw) < V1.size + 8 * V1_SLOT.size:
        raise Refusal("the LUKS header is cut short")
    (_, _, name, mode, spec, offset, key_bytes, _, _, _, own) = V1.unpack(
        raw[:V1.size])
    slots = []
    for i in range(8):
        active, iterations, _, _, stripes = V1_SLOT.unpack_from(
            raw, V1.size + i * V1_SLOT.size)
        if active == V1_ACTIVE and iterations and stripes == 4000:
            slots.append(Slot(i, "pbkdf2", text(spec), iterations, 1))
        elif active != 0x0000DEAD:
            raise Refusal(f"the LUKS header is damaged: slot {i}")
    if not 8 <= key_bytes <= 512 or offset < 8:
        raise Refusal("the LUKS header is damaged: a key of "
                      f"{key_bytes} bytes, data at sector {offset}")
    return Header(1, text(own), f"{text(name)}-{text(mode)}", key_bytes * 8,
                  512, offset * 512, slots, [])


def places(raw):
    """Where copies of a LUKS2 header can be: first at 0; the second follows
    it, at one of the sizes that the specification allows."""
    yield 0, MAGIC
    for shift in range(14, 23):
        if len(raw) >= 1 << shift:
            yield 1 << shift, MAGIC2


def copy_v2(raw, at, magic):
    """(sequence number, JSON) of an intact copy, else None."""
    head = raw[at:at + 4096]
    if len(head) < 4096 or head[:8] != magic + b"\0\x02":
        return None
    size, sequence = struct.unpack(">QQ", head[8:24])
    if not 16384 <= size <= V2_LONGEST or at + size > len(raw):
        return None
    whole = bytearray(raw[at:at + size])
    whole[448:512] = bytes(64)
    if hashlib.sha256(whole).digest() != head[448:480]:
        return None
    try:
        return sequence, json.loads(bytes(whole[4096:]).split(b"\0")[0]), \
            text(head[168:208])
    except (ValueError, RecursionError):
        return None


def parse_v2(best, copies):
    _, data, own = best
    try:
        segment = data["segments"]["0"]
        slots = [Slot(int(n), s["kdf"]["type"], s["kdf"].get("hash", ""),
                      s["kdf"].get("iterations", s["kdf"].get("time", 0)),
                      s.get("priority", 1))
                 for n, s in data["keyslots"].items()]
        key = max((s["key_size"] for s in data["keyslots"].values()),
                  default=0)
        warnings = [] if copies == 2 else [
            "one of the two copies of the LUKS header is damaged; "
            "cryptsetup repair mends it"]
        return sane(Header(2, own, str(segment["encryption"]), key * 8,
                           int(segment["sector_size"]), int(segment["offset"]),
                           sorted(slots), warnings))
    except (KeyError, TypeError, ValueError, AttributeError) as why:
        raise Refusal(f"the LUKS header's JSON lacks {why}") from why


def sane(header):
    if header.sector_size not in (512, 1024, 2048, 4096):
        raise Refusal("the LUKS header claims sectors of "
                      f"{header.sector_size} bytes")
    if not 0 < header.data_offset < 1 << 62:
        raise Refusal("the LUKS header claims that the data begin at byte "
                      f"{header.data_offset}")
    return header


def grub_can_open(slot):
    """GRUB 2.12 has PBKDF2 alone, and skips slots of priority 0."""
    return slot.kdf == "pbkdf2" and slot.priority != 0


def extract(image, partition, path):
    """The header's area of an image as a file that is a Volume."""
    with open(image, "rb") as f:
        f.seek(partition.start)
        header = parse(f.read(min(partition.size, 2 * V2_LONGEST)))
        if not 0 < header.data_offset <= min(partition.size, 64 * MIB):
            raise Refusal(f"the data begin at byte {header.data_offset}, "
                          "which no header needs")
        f.seek(partition.start)
        raw = f.read(header.data_offset)
    with open(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600),
              "wb") as out:
        out.write(raw)
        out.truncate(partition.size)
    return header


def expect_opens(volume, key_file, slot, role):
    if not volume.opens(key_file, slot):
        raise Fault(f"the {role} does not open slot {slot} that was just made "
                    "for it")
