# SPDX-License-Identifier: Apache-2.0
"""A disk with limits, which keep requests back and lose none; ones that grow."""
import resource
import time

from e2e.fio import Background, begun, counters, fio, limit
from e2e.net import wait_for
from e2e.vm import run as run_tool

SECONDS = 60
MIB = 1 << 20


def rate_of(guest, seconds=3, **kw):
    """Requests a second of a job that only reads, and bytes."""
    done = fio(guest, rw="randread", size="32m", time_based=1,
               runtime=seconds, **kw)["read"]
    return done["iops"], done["bw_bytes"]


def near(got, want, what):
    # Above it only by the burst, below it by what a busy machine loses.
    assert 0.6 * want < got < 1.15 * want, f"{what}: {got}, not {want}"


def limits(t, vm, guest):
    """As it was started, then as it is told, then none."""
    assert "iops=60 iops-burst=1\n" in limit(t, vm, "disk0")
    iops, _ = rate_of(guest)
    t.note(f"60 requests a second: {iops:.1f}")
    near(iops, 60, "requests a second")
    limit(t, vm, "disk0", "bps=2M", "bps-burst=64K")
    _, bps = rate_of(guest, bs="64k")
    t.note(f"2 MiB a second: {bps / MIB:.2f}")
    near(bps, 2 * MIB, "bytes a second")
    waited = counters(vm)
    assert waited["throttled"] > 50 and waited["throttled-ns"] > 1e9, waited
    limit(t, vm, "disk0", "bps=0")
    assert limit(t, vm) == \
        "disk0 no limit\nloop no limit\nfio no limit\n"
    iops, _ = rate_of(guest, seconds=2)
    t.note(f"without a limit: {iops:.0f}")
    assert iops > 120, iops


def verified(t, vm, guest):
    """fio's checksums hold under a limit that changes all the time."""
    limit(t, vm, "disk0", "iops=200")
    load = Background(guest, size="2m", depth=16)
    for i in range(6):
        time.sleep(0.3)
        limit(t, vm, "disk0", f"iops={100 + 100 * i}", f"bps={i + 1}M")
    assert load.end()["error"] == 0


def at_once(t, vm, guest):
    """A stop does not wait for requests that wait."""
    limit(t, vm, "disk0", "iops=1", "iops-burst=1")
    load = Background(guest, rw="randread", depth=16, number_ios=40)
    wait_for(lambda: counters(vm)["throttled-ns"], "a request that waits")
    time.sleep(1)
    start = time.monotonic()
    vm.qmp().command("stop")
    took = time.monotonic() - start
    t.note(f"stop took {took * 1000:.0f} ms")
    assert took < 1, took
    vm.qmp().command("cont")
    limit(t, vm, "disk0", "iops=0")
    assert load.end()["error"] == 0


def sectors(guest, dev="vda"):
    return int(guest.do(f"cat /sys/block/{dev}/size").split()[-1])


def grows(t, vm, guest, disk):
    limit(t, vm, "disk0", "48M", verb="resize")
    wait_for(lambda: sectors(guest) == 48 * 2048, "the guest's new size")
    assert disk.stat().st_size == 48 * MIB
    done = fio(guest, offset="32m", size="4m", bs="64k")
    assert done["error"] == 0
    said = limit(t, vm, "disk0", "16M", verb="resize", status=3)
    assert "is not made smaller" in said, said
    said = limit(t, vm, "fio", "1G", verb="resize", status=3)
    assert "accepted is that size" in said, said
    with open(disk, "ab") as f:
        f.truncate(64 * MIB)
    limit(t, vm, "disk0", verb="resize")
    wait_for(lambda: sectors(guest) == 64 * 2048, "the guest's new size")
    # Beyond what the host lets carrel have: refused, and the VM lives.
    resource.prlimit(vm.child.pid, resource.RLIMIT_FSIZE, (128 * MIB,) * 2)
    said = limit(t, vm, "disk0", "1G", verb="resize", status=3)
    assert "File too large" in said, said
    info = vm.qmp().command("query-block")[0]["inserted"]
    assert info["image"]["virtual-size"] == 64 * MIB, info


def device_grows(t, vm, guest, backing, loop):
    """A block device that the host has made larger."""
    assert sectors(guest, "vdb") == 8 * 2048
    with open(backing, "ab") as f:
        f.truncate(12 * MIB)
    status, said = run_tool(["losetup", "-c", loop])
    assert status == 0, said
    said = limit(t, vm, "loop", "16M", verb="resize", status=3)
    assert f"has {12 * MIB} bytes" in said, said
    limit(t, vm, "loop", verb="resize")
    wait_for(lambda: sectors(guest, "vdb") == 12 * 2048, "vdb's new size")
    done = fio(guest, dev="vdb", offset="8m", size="4m", bs="64k")
    assert done["error"] == 0


def run(t):
    backing = t.disk("backing", 8 * MIB)
    status, loop = run_tool(["losetup", "--find", "--show", backing])
    assert status == 0, loop
    try:
        limited(t, backing, loop.strip())
    finally:
        for p in t.programs:
            p.kill()
        run_tool(["losetup", "-d", loop.strip()])


def limited(t, backing, loop):
    disk = t.disk(size=32 * MIB)
    vm, guest = begun(t, f"path={disk},queues=2,iops=60,iops-burst=1",
                      f"path={loop},id=loop")
    limits(t, vm, guest)
    verified(t, vm, guest)
    at_once(t, vm, guest)
    device_grows(t, vm, guest, backing, loop)
    grows(t, vm, guest, disk)
    assert counters(vm)["errors"] == 0
    vm.qmp().command("quit")
    assert vm.wait() == 0
