# SPDX-License-Identifier: Apache-2.0
"""fio in a SEV guest: bounce buffers, counted, and a limit."""
from e2e.fio import counters, fio, limit, prepare, start
from e2e.launch import check_sev

SECONDS = 150


def moved(vm):
    """Bytes of all disks, fio's own too, and bytes that were bounced."""
    all = vm.qmp().command("x-carrel-counters")
    return sum(d[k] for d in all["disks"] for k in (
        "read-bytes", "written-bytes")), all["bounce-bytes"]


def run(t):
    owner = t.owner()
    disk = t.disk(size=16 << 20)
    vm = start(t, f"path={disk},queues=2", how="carrel", owner=owner)
    guest = prepare(vm, "vdb")
    check_sev(vm.facts())
    before = moved(vm)
    done = fio(guest, size="2m", depth=8)
    assert done["error"] == 0, done
    disks, bounced = (now - then for now, then in zip(moved(vm), before))
    t.note(f"{disks} bytes of disks, {bounced} bounced")
    # With them go a header and a status for each request.
    assert 4 << 20 <= disks <= bounced < disks + (1 << 20), (disks, bounced)
    limit(t, vm, "disk0", "bps=1M")
    assert fio(guest, size="2m", depth=8)["error"] == 0
    assert counters(vm)["throttled"] > 0
    vm.qmp().command("quit")
    assert vm.wait() == 0
