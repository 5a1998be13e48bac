# SPDX-License-Identifier: Apache-2.0
"""fio in a SEV guest: bounce buffers, counted, and a limit."""
from e2e.fio import counters, fio, limit, prepare, start
from e2e.launch import check_sev

SECONDS = 150


def bounced(vm):
    return vm.qmp().command("x-carrel-counters")["bounce-bytes"]


def run(t):
    owner = t.owner()
    disk = t.disk(size=16 << 20)
    vm = start(t, f"path={disk},queues=2", how="carrel", owner=owner)
    guest = prepare(vm, "vdb")
    check_sev(vm.facts())
    before, disks = bounced(vm), counters(vm)
    done = fio(guest, size="2m", depth=8)
    assert done["error"] == 0, done
    now = counters(vm)
    moved = sum(now[k] - disks[k] for k in ("read-bytes", "written-bytes"))
    grown = bounced(vm) - before
    t.note(f"{moved} bytes of the disk, {grown} bounced")
    # With them go a header and a status for each request, and fio's own disk.
    assert moved >= 4 << 20 and moved <= grown < moved + (32 << 20), \
        (moved, grown)
    limit(t, vm, "disk0", "bps=4M")
    assert fio(guest, size="2m", depth=8)["error"] == 0
    assert counters(vm)["throttled"] > 0
    vm.qmp().command("quit")
    assert vm.wait() == 0
