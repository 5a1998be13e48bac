# SPDX-License-Identifier: Apache-2.0
"""Kernels that cannot start by themselves: said before anything is opened."""
import struct

from e2e.vm import run as run_tool

NEEDS = "host"
KERNELS = True


def refused(t, words, kernel, *args, status=1):
    got, out = run_tool([t.program("carrel"), "run", "--kernel", kernel,
                         "--serial", "none", *args])
    assert got == status, f"exit status {got}, not {status}: {out}"
    assert len(out.strip().splitlines()) == 1, f"too many words: {out}"
    for word in words:
        assert word in out, f"no {word} in: {out}"


def missing(t):
    refused(t, ["/nonexistent", "No such file"], "/nonexistent", status=2)


def edited(t, source, at, form, value):
    data = bytearray(source.read_bytes())
    struct.pack_into(form, data, at, value)
    path = t.tmp / f"{source.name}-{at:x}"
    path.write_bytes(data)
    return path


def cut(t, source, size):
    path = t.tmp / f"{source.name}-cut"
    path.write_bytes(source.read_bytes()[:size])
    return path


def initrd_of(t, size):
    path = t.tmp / "initrd"
    with path.open("wb") as f:
        f.truncate(size)
    return path


def parts(t):
    k, v = t.kernel, t.vmlinux
    check = t.check
    check("a missing file", missing, t)
    check("a firmware as kernel", refused, t, ["not a bzImage"], t.firmware)
    check("half a bzImage", refused, t, ["truncated"],
          cut(t, k, k.stat().st_size // 2))
    check("half a vmlinux", refused, t, ["truncated"],
          cut(t, v, v.stat().st_size // 2))
    check("a 32-bit bzImage", refused, t, ["64-bit entry", "--firmware"],
          edited(t, k, 0x236, "<H", 0))
    check("a bzImage below 1 MiB", refused, t, ["1 MiB"],
          edited(t, k, 0x258, "<Q", 0x8000))
    check("a vmlinux without PVH", refused, t, ["CONFIG_PVH"],
          edited(t, v, 56, "<H", 4))        # the notes come fifth
    check("too little memory", refused, t, ["--memory"], k,
          "--memory", "64M")
    check("an initrd too large", refused, t, ["initrd", "--memory"], k,
          "--memory", "128M", "--initrd", initrd_of(t, 100 << 20))
    check("a command line too long", refused, t, ["2047"], k,
          "--cmdline", "x" * 2048)
    check("the same for a vmlinux", refused, t, ["2047"], v,
          "--cmdline", "x" * 2048)
    check("under SEV", refused, t, ["--sev: needs --firmware"], k,
          "--sev", "policy=1")
