# SPDX-License-Identifier: Apache-2.0
"""fio writes to a disk and finds there what it wrote: a file, a block device, a
qcow2 that another process serves."""
import time

from e2e.fio import Background, begun, counters, fio
from e2e.vhost import check, qcow2, storage_daemon
from e2e.vm import run

SECONDS = 120


def said(t, what, done, start):
    t.note(f"{what}: {done['write']['iops']:.0f} writes/s, "
           f"{done['read']['iops']:.0f} reads/s, "
           f"{time.monotonic() - start:.1f} s")
    assert done["error"] == 0, done


def engines(t, guest, *names, size="2m"):
    for engine in names:
        start = time.monotonic()
        said(t, engine, fio(guest, engine=engine, size=size, numjobs=2,
                            offset_increment="8m", group_reporting=1), start)


def trims(t, guest, size="4m"):
    """Trimmed ranges are written anew."""
    start = time.monotonic()
    said(t, "trimwrite", fio(guest, rw="trimwrite", size=size, verify="crc32c",
                             do_verify=1, bs="64k"), start)


def discards(t, guest, vm):
    before = counters(vm)["discards"]
    guest.do("blkdiscard /dev/vda")
    assert counters(vm)["discards"] > before
    trims(t, guest)
    assert counters(vm)["discards"] > before + 10


def stopped(guest, vm, disk):
    """stop is kept, whatever is in flight, and nothing is lost by it."""
    load = Background(guest, size="16m", depth=16, loops=4)
    for _ in range(5):
        time.sleep(0.3)
        vm.qmp().command("stop")
        before = counters(vm)
        time.sleep(0.2)
        assert counters(vm) == before, "a disk that is stopped has moved"
        vm.qmp().command("cont")
    assert load.end()["error"] == 0
    assert disk.stat().st_size == 64 << 20


def file(t):
    disk = t.disk(size=64 << 20)
    vm, guest = begun(t, f"path={disk},queues=2")
    engines(t, guest, "sync", "libaio", "io_uring")
    discards(t, guest, vm)
    assert disk.stat().st_blocks * 512 < 64 << 20, "nothing was given back"
    stopped(guest, vm, disk)
    assert counters(vm)["errors"] == 0
    vm.qmp().command("quit")
    assert vm.wait() == 0


def block_device(t):
    """A loop device: what a volume of LVM or a real disk is to carrel."""
    disk = t.disk(size=64 << 20)
    status, loop = run(["losetup", "--find", "--show", disk])
    assert status == 0, loop
    loop = loop.strip()
    try:
        vm, guest = begun(t, f"path={loop},queues=2")
        engines(t, guest, "sync", "io_uring")
        discards(t, guest, vm)
        assert disk.stat().st_blocks * 512 < 64 << 20, "nothing was given back"
        assert counters(vm)["errors"] == 0
        vm.qmp().command("quit")
        assert vm.wait() == 0
    finally:
        run(["losetup", "--detach", loop])


def served(t):
    image = qcow2(t, size=64 << 20)
    daemon, path = storage_daemon(t, image, queues=2)
    vm, guest = begun(t, f"vhost-user={path}")
    engines(t, guest, "sync", "io_uring", size="512k")
    guest.do("blkdiscard /dev/vda")
    trims(t, guest, size="1m")
    vm.qmp().command("quit")
    assert vm.wait() == 0
    daemon.signal()
    assert daemon.wait() == 0
    assert check(image) * 65536 < 64 << 20, "nothing was given back"


def parts(t):
    t.check("a file, with stop and cont", file, t)
    t.check("a block device", block_device, t)
    t.check("qcow2, by qemu-storage-daemon", served, t)
