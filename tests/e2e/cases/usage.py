# SPDX-License-Identifier: Apache-2.0
"""What a user gets wrong ends with 1 or, where it is a file, with 2."""
import re
import struct
import uuid

from e2e.vm import run as run_tool

NEEDS = "host"


def refused(t, words, *args, status=1):
    got, out = run_tool([t.program("carrel"), *args])
    assert got == status, f"exit status {got}, not {status}: {out}"
    assert len(out.strip().splitlines()) <= 2, f"too many words: {out}"
    for word in words:
        assert re.search(word, out), f"no /{word}/ in: {out}"


def table_of(data):
    """Offset of the length of the GUIDed table's footer (OVMF's layout)."""
    return data.rindex(FOOTER) - 2


def edited(t, name, edit):
    data = bytearray(t.firmware.read_bytes())
    data = edit(data) or data
    path = t.tmp / name
    path.write_bytes(data)
    return path


def lying_length(value):
    def edit(data):
        struct.pack_into("<H", data, table_of(data), value)
    return edit


def area(entry, base, size):
    """Moves the area that an entry of the table names."""
    def edit(data):
        at = data.rindex(entry) - 2 - 8
        struct.pack_into("<II", data, at, base, size)
    return edit


def guid(text):
    return uuid.UUID(text).bytes_le


HASHES = guid("7255371f-3a3b-4b04-927b-1da6efa8d454")
SECRET = guid("4c2eb361-7d9b-4cc3-8081-127c90d3d294")
FOOTER = guid("96b582de-1fb2-45f7-baea-a366c55a082d")

FLAGS = [
    ("no verb", [], ["run"]),
    ("an unknown verb", ["rum"], ["rum"]),
    ("an unknown flag", ["run", "--memery", "1G"], ["memery", "memory"]),
    ("no firmware and no kernel", ["run"], ["--firmware", "--kernel"]),
    ("SEV without firmware", ["run", "--kernel", "x", "--sev", "policy=1"],
     ["--sev: needs --firmware"]),
    ("63 MiB of memory", ["run", "--memory", "63M"], ["63M", "64"]),
    ("memory of half a page", ["run", "--memory", "67110912"],
     ["67110912", "4096|page"]),
    ("memory that is no number", ["run", "--memory", "lots"], ["lots"]),
    ("memory beyond 64 bits", ["run", "--memory", "99999999999999999999G"],
     ["99999999999999999999G"]),
    ("0 CPUs", ["run", "--cpus", "0"], ["0", "64"]),
    ("65 CPUs", ["run", "--cpus", "65"], ["65", "64"]),
    ("a disk without a path", ["run", "--firmware", "x", "--disk", "readonly=on"], ["path"]),
    ("a disk with an unknown setting", ["run", "--disk", "path=x,fmt=qcow2"],
     ["fmt"]),
    ("SEV without a policy", ["run", "--sev", "dh=x"], ["policy"]),
    ("a policy of 33 bits", ["run", "--sev", "policy=0x100000000"],
     ["0x100000000"]),
    ("a policy with reserved bits",
     ["run", "--firmware", "x", "--sev", "policy=0x41"], ["0x41", "reserved"]),
    ("a policy that requires SEV-ES",
     ["run", "--firmware", "x", "--sev", "policy=5"], ["0x5", "SEV-ES"]),
    ("dh without session",
     ["run", "--firmware", "x", "--sev", "policy=1,dh=x"], ["session"]),
    ("a session without control",
     ["run", "--firmware", "x", "--sev", "policy=1,dh=x,session=y"],
     ["--control"]),
    ("an initrd without a kernel",
     ["run", "--firmware", "x", "--initrd", "y"], ["--kernel"]),
    ("a flag without its value", ["run", "--memory"], ["--memory"]),
]

HASHED = ["--sev", "policy=1,kernel-hashes=on"]


def parts(t):
    for title, args, words in FLAGS:
        t.check(title, refused, t, words, *args)

    def firmware(title, path, words, *more, status=1):
        t.check(title, lambda: refused(
            t, words, "run", "--firmware", path, *more, status=status))

    empty, cut, big = t.tmp / "empty", t.tmp / "cut", t.tmp / "big"
    whole = t.firmware.read_bytes()
    empty.write_bytes(b"")
    cut.write_bytes(whole[:-1000])
    big.write_bytes(bytes(64 << 20))
    kernel = ["--kernel", t.kernel, "--cmdline", "x"]
    firmware("firmware that is missing", t.tmp / "none", ["none"],
             status=2)
    firmware("firmware that is a directory", t.tmp, [str(t.tmp)],
             status=2)
    firmware("empty firmware", empty, ["empty"], status=2)
    firmware("truncated firmware", cut, ["cut"])
    firmware("firmware of 64 MiB", big, ["big"], status=2)
    for value in (0, 1, 17, 0xffff):
        firmware(f"a firmware table of {value} bytes",
                 edited(t, f"lie-{value}", lying_length(value)),
                 [f"lie-{value}"], *HASHED, *kernel)
    firmware("firmware without a hash area, hashes asked for",
             edited(t, "nohash", lambda d: d.replace(HASHES, bytes(16))),
             ["hash"], *HASHED, *kernel)
    firmware("a hash area that wraps", edited(
        t, "wraps", area(HASHES, 0xffffff00, 0x400)), ["wraps"],
        *HASHED, *kernel)
    firmware("a hash area that is too small", edited(
        t, "small", area(HASHES, 0x810c00, 16)), ["small"],
        *HASHED, *kernel)
    firmware("a secret area over the hash area", edited(
        t, "overlap", area(SECRET, 0x810c00, 0x400)), ["overlap"],
        *HASHED, *kernel)
    firmware("a kernel that is no bzImage", t.firmware, ["disk|kernel"],
             "--kernel", t.firmware)
    firmware("a kernel cut short", t.firmware, ["short"],
             "--kernel", cut_kernel(t))


def cut_kernel(t):
    path = t.tmp / "short"
    path.write_bytes(t.kernel.read_bytes()[:700])
    return path
