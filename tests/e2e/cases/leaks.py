# SPDX-License-Identifier: Apache-2.0
"""A hundred boots, and fifty resets of one process, leave nothing behind."""
import os
import pathlib
import re
import time

from e2e.passt import outside, passt
from e2e.vhost import qcow2, storage_daemon, virtiofsd

SECONDS = 150
BOOTS, RESETS = 100, 50
WARM = 5            # what is allocated once and kept is there after these
KIB = 1024


def brief(t, disk, name, *args):
    """The guest that reads a sector and powers off (tests/guest/brief.c), with
    a device of each kind, but for a file system: virtiofsd ends with its
    client, so only a VM that lives on has one."""
    return t.carrel(
        "--disk", f"path={disk},queues=2",
        "--disk", f"vhost-user={t.tmp}/disk.sock",
        "--net", "tap=tap0,queues=2", "--net", f"passt={t.tmp}/passt.sock",
        "--vsock", f"cid=3,path={t.tmp}/vsock",
        "--console", f"socket={t.tmp}/console", "--balloon",
        "--watchdog", "reset", "--rng", "--cpus", "2", *args,
        name=name, firmware=t.program("guest/brief.bin"), kernel=False,
        memory="64M")


def with_files(t, disk, name):
    shared = t.tmp / "shared"
    shared.mkdir(exist_ok=True)
    _, path = virtiofsd(t, shared)
    return brief(t, disk, name, "--fs", f"socket={path},tag=host")


def disk_of(t, name, letter):
    path = t.tmp / name
    path.write_bytes(os.urandom(4) + letter + os.urandom(8192 - 5))
    return path


def processes(t):
    """Of carrel, by what they run."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/exe"):
        try:
            if os.readlink(path) == str(t.program("carrel")):
                found.append(path.parent.name)
        except OSError:
            continue
    return found


def meminfo(name):
    return int(re.search(rf"^{name}: *(\d+)", pathlib.Path(
        "/proc/meminfo").read_text(), re.M)[1]) * KIB


def kernel(t, space):
    """What the kernel has that processes could leave behind."""
    return {
        "processes": processes(t),
        "files": sorted(p.name for p in t.tmp.iterdir()),
        "sockets": pathlib.Path("/proc/net/unix").read_text().count(
            str(t.tmp)),
        # Their names: the carrier goes a moment after the process.
        "taps": re.findall(r"^\d+: (\S+):", space.do(
            "ip", "-o", "link", "show", "type", "tun"), re.M),
        "mounts": pathlib.Path("/proc/mounts").read_text(),
        "machines": sorted(p.name for p in pathlib.Path(
            "/sys/kernel/debug/kvm").glob("*-*")),
    }


def open_files():
    return int(pathlib.Path("/proc/sys/fs/file-nr").read_text().split()[0])


def boots(t, space):
    t.within = space.within
    disk = disk_of(t, "off", b"P")
    first = disk.read_bytes()[:4][::-1].hex()
    began = time.monotonic()
    for i in range(BOOTS):
        vm = brief(t, disk, "boot")
        status = vm.wait()
        said = vm.console()
        assert status == 0, f"boot {i}: {status}: {vm.messages()}"
        assert said == f"brief: sector {first}\n", f"boot {i}: {said}"
        t.programs.clear()
        (t.dir / "boot.console").unlink()
        if i + 1 == WARM:
            before = kernel(t, space), open_files(), meminfo("Shmem"), \
                meminfo("SUnreclaim")
    t.note(f"{BOOTS} boots in {time.monotonic() - began:.0f} s")
    after = kernel(t, space)
    assert after == before[0], f"{before[0]} became {after}"
    assert not after["processes"], after
    # These count the whole machine's, which lives on meanwhile.
    files = open_files() - before[1]
    shared = meminfo("Shmem") - before[2]
    slab = meminfo("SUnreclaim") - before[3]
    t.note(f"open files {files:+}, shared memory {shared // KIB:+} KiB, "
           f"kernel {slab // KIB:+} KiB")
    assert files < BOOTS, f"{files} more open files"
    assert shared < 16 << 20, f"{shared} bytes more of shared memory"
    assert slab < BOOTS * 64 * KIB, f"{slab} bytes more of the kernel"


def inside(vm):
    """Of the process: descriptors, threads, memory of its own, mappings."""
    proc = pathlib.Path(f"/proc/{vm.child.pid}")
    status = (proc / "status").read_text()
    files = sorted(os.readlink(f) for f in (proc / "fd").iterdir())
    return ([re.sub(r"\d+", "N", f) for f in files],
            int(re.search(r"^Threads:\s*(\d+)", status, re.M)[1]),
            int(re.search(r"^RssAnon:\s*(\d+)", status, re.M)[1]) * KIB,
            len((proc / "maps").read_text().splitlines()))


def resets(t, space):
    t.within = space.within
    disk = disk_of(t, "wait", b"W")
    vm = with_files(t, disk, "reset")
    began = time.monotonic()
    for i in range(RESETS + WARM):
        vm.expect("brief: sector", count=i + 1)
        if i == WARM:
            before = inside(vm)
        vm.qmp().command("system_reset")
        vm.qmp().event("RESET", t.patience)
    vm.expect("brief: sector", count=RESETS + WARM + 1)
    t.note(f"{RESETS} resets in {time.monotonic() - began:.0f} s")
    after = inside(vm)
    assert after[0] == before[0], f"{before[0]} became {after[0]}"
    assert after[1] == before[1], f"{before[1]} threads became {after[1]}"
    t.note(f"{len(after[0])} descriptors, {after[1]} threads, "
           f"{after[2] // KIB} KiB of its own, {after[3]} mappings")
    grown = after[2] - before[2]
    assert grown < 256 * KIB, f"{grown} bytes more after {RESETS} resets"
    assert after[3] - before[3] < 4, f"{before[3]} mappings, now {after[3]}"


def pauses(t, space):
    """stop and cont, a hundred times, of a guest that sleeps."""
    t.within = space.within
    vm = with_files(t, disk_of(t, "pause", b"W"), "pause")
    vm.expect("brief: sector")
    for i in range(BOOTS + WARM):
        vm.qmp().command("stop")
        vm.qmp().command("cont")
        if i == WARM:
            before = inside(vm)
    after = inside(vm)
    assert after[:2] == before[:2], f"{before[:2]} became {after[:2]}"
    assert after[2] - before[2] < 256 * KIB, (before[2], after[2])
    vm.qmp().command("system_reset")
    vm.expect("brief: sector", count=2)


def parts(t):
    space = outside(t)
    space.tap(queues=2)
    storage_daemon(t, qcow2(t))
    passt(space, t, once=False)
    # For all the checks, not for one; each goes into the namespace again.
    holder, t.programs = t.programs, []
    try:
        t.check(f"{BOOTS} boots", boots, t, space)
        t.check(f"{RESETS} resets of one process", resets, t, space)
        t.check(f"{BOOTS} pauses of one process", pauses, t, space)
    finally:
        t.programs = holder
