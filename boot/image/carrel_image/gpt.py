# SPDX-License-Identifier: Apache-2.0
"""The partition table: written by sfdisk, read here. What is read may be any
bytes, so every length is checked (UEFI 2.10, 5.3)."""
import collections
import os
import struct
import uuid
import zlib

from . import command
from .fault import Refusal
from .size import MIB

SECTOR = 512
ESP_START = MIB
ESP_SIZE = 8 * MIB
ROOT_START = ESP_START + ESP_SIZE
BACKUP = MIB                      # kept free for the second table
ESP = uuid.UUID("c12a7328-f81f-11d2-ba4b-00a0c93ec93b")
LUKS = uuid.UUID("ca7d7ccb-63ed-4c53-861c-1742536059cc")
MOST_ENTRIES = 1024
HEADER = struct.Struct("<8s4I4Q16sQ3I")

Partition = collections.namedtuple("Partition",
                                   "number type uuid name start size")


def root_size(size):
    return size - ROOT_START - BACKUP


def write(path, size, sparse):
    """An image of `size` bytes with its two partitions. All of it is
    allocated at once, so that the disk is full now or never."""
    with open(path, "xb") as f:
        f.truncate(size)
        if not sparse:
            os.posix_fallocate(f.fileno(), 0, size)
    script = (f"label: gpt\nunit: sectors\n"
              f"start={ESP_START // SECTOR}, size={ESP_SIZE // SECTOR}, "
              f"type={ESP}, name=\"EFI System\"\n"
              f"start={ROOT_START // SECTOR}, "
              f"size={root_size(size) // SECTOR}, type={LUKS}, "
              f"name=\"root\"\n")
    command.run(["sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", path],
                "writing the partition table", stdin=script.encode())


def read(f, size):
    """The partitions of an image. A Refusal says what is wrong with it."""
    try:
        return read_at(f, size, 1)
    except Refusal as first:
        try:
            found = read_at(f, size, size // SECTOR - 1)
        except Refusal:
            raise first from None
        raise Refusal(f"{first}; its copy at the end is intact and names "
                      f"{len(found)} partitions (sfdisk can repair it)"
                      ) from first


def read_at(f, size, lba):
    f.seek(lba * SECTOR)
    raw = f.read(SECTOR)
    if len(raw) < SECTOR or raw[:8] != b"EFI PART":
        raise Refusal("no GPT partition table")
    (_, _, length, crc, _, _, _, first, last, _, table, count, each,
     table_crc) = HEADER.unpack(raw[:HEADER.size])
    if not HEADER.size <= length <= SECTOR:
        raise Refusal(f"the GPT claims a header of {length} bytes")
    if zlib.crc32(raw[:16] + bytes(4) + raw[20:length]) != crc:
        raise Refusal("the GPT's header has a wrong checksum")
    if each != 128 or count > MOST_ENTRIES:
        raise Refusal(f"the GPT claims {count} entries of {each} bytes")
    f.seek(table * SECTOR)
    raw = f.read(count * each)
    if len(raw) < count * each or zlib.crc32(raw) != table_crc:
        raise Refusal("the GPT's entries have a wrong checksum")
    found = [entry(raw[i * each:(i + 1) * each], i + 1) for i in range(count)]
    found = [p for p in found if p.type.int]
    for p in found:
        inside(p, first, last, size)
    return found


def entry(raw, number):
    kind, own, start, last, _ = struct.unpack("<16s16sQQQ", raw[:56])
    name = raw[56:].decode("utf-16-le", "replace").split("\0")[0]
    return Partition(number, uuid.UUID(bytes_le=kind), uuid.UUID(bytes_le=own),
                     "".join(c if c.isprintable() else "?" for c in name),
                     start * SECTOR, (last - start + 1) * SECTOR)


def inside(p, first, last, size):
    if (p.size <= 0 or p.start < first * SECTOR
            or p.start + p.size > (last + 1) * SECTOR
            or p.start + p.size > size):
        raise Refusal(f"partition {p.number} lies outside the image "
                      f"(bytes {p.start} to {p.start + p.size} of {size}); "
                      "is the image cut short?")
