# SPDX-License-Identifier: Apache-2.0
"""The root file system, made from a tree without mounting anything."""
import os
import stat
import struct
import uuid

from . import command, size
from .fault import Usage

BLOCK = 4096
INODE = 256
MAGIC_AT, MAGIC = 1024 + 56, b"\x53\xef"
# Features that are younger than the GRUB, or the kernel, that shall read it.
FEATURES = "^metadata_csum_seed,^orphan_file"
JOURNAL = 64 * size.MIB
SPARE = 16 * size.MIB      # for a system that wants to write a little


def measure(root):
    """Blocks and inodes that a tree takes."""
    blocks = inodes = 0
    seen = set()
    for directory, folders, files in os.walk(root):
        for name in ["."] + files + [f for f in folders if os.path.islink(
                os.path.join(directory, f))]:
            st = os.lstat(os.path.join(directory, name))
            if st.st_nlink > 1 and not stat.S_ISDIR(st.st_mode):
                if (st.st_dev, st.st_ino) in seen:
                    continue
                seen.add((st.st_dev, st.st_ino))
            inodes += 1
            blocks += 2 if stat.S_ISDIR(st.st_mode) else -(-st.st_size // BLOCK)
    return blocks, inodes


def least(blocks, inodes):
    """A size in which such a tree has room, with some to spare."""
    inodes = inodes * 5 // 4 + 1024
    return (blocks * BLOCK + inodes * INODE) * 102 // 100 + JOURNAL + SPARE


def journal(length):
    """In MiB; 4 is the least that mke2fs takes."""
    return min(max(length // 32 // size.MIB, 4), JOURNAL // size.MIB)


def check(need, length):
    """need: what measure() said. Refuses what cannot have room."""
    wanted = least(*need)
    if wanted > length:
        raise Usage(
            f"the system needs a root of {size.show(wanted)}, and --size "
            f"leaves {size.show(length)}: give at least --size "
            f"{size.show(wanted + size.MIB * 14)}")


def make(root, path, length, own, need):
    check(need, length)
    inodes = max(length // 16384, need[1] * 5 // 4 + 1024)
    command.run(["mke2fs", "-q", "-F", "-t", "ext4", "-b", BLOCK,
                 "-I", INODE, "-N", inodes, "-m", "1", "-L", "root",
                 "-U", own, "-O", FEATURES, "-E",
                 "lazy_itable_init=0,lazy_journal_init=0,root_owner=0:0",
                 "-J", f"size={journal(length)}",
                 "-d", root, path, f"{length // 1024}k"],
                "making the file system",
                env={"MKE2FS_DEVICE_SECTSIZE": "512"})


def describe(block):
    """A superblock (kernel documentation, ext4, 'The Super Block')."""
    count, _, free = struct.unpack_from("<III", block, 4)
    unit = 1024 << (block[24] & 7)
    return {"type": "ext4", "uuid": str(uuid.UUID(bytes=block[104:120])),
            "size": count * unit, "free": free * unit}
