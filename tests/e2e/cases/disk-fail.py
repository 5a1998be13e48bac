# SPDX-License-Identifier: Apache-2.0
"""A host's disk that fails under load: the guest has I/O errors, the VM lives."""
from e2e.fio import Background, begun, counters, fio
from e2e.net import wait_for
from e2e.vm import run as run_tool

SECONDS = 60
MIB = 1 << 20
EIO = 5
# A small file system, with a disk that does not fit into it.
SMALL = ('mount -t tmpfs -o size=12m none "$0" && '
         'truncate -s 32M "$0/disk" && exec "$@"')


def full(t):
    place = t.tmp / "small"
    place.mkdir()
    t.within = ["unshare", "-U", "-r", "-m", "sh", "-c", SMALL, place]
    vm, guest = begun(t, f"path={place}/disk", cpus=1)
    t.within = []
    load = Background(guest, rw="write", size="32m", bs="256k")
    done = load.end(status=None)
    assert done["error"] == EIO, done
    assert "No space left on device" in vm.messages(), vm.messages()
    assert vm.status() == "running"
    assert counters(vm)["errors"] > 0
    # There is room again: so it goes on.
    status, said = run_tool(
        ["nsenter", "-t", vm.child.pid, "-U", "-m", "--preserve-credentials",
         "mount", "-o", "remount,size=64m", place])
    assert status == 0, said
    assert fio(guest, rw="write", size="32m", bs="256k")["error"] == 0
    vm.qmp().command("quit")
    assert vm.wait() == 0


def cut(t):
    disk = t.disk(size=32 * MIB)
    vm, guest = begun(t, f"path={disk}", cpus=1)
    load = Background(guest, rw="randread", size="32m", time_based=1,
                      runtime=60)
    wait_for(lambda: counters(vm)["reads"] > 100, "some load")
    with open(disk, "r+b") as f:
        f.truncate(8 * MIB)
    assert load.end(status=None)["error"] == EIO
    assert vm.status() == "running"
    # What is left can be read; what is written makes it longer again.
    assert fio(guest, rw="randread", size="8m", number_ios=50)["error"] == 0
    assert fio(guest, size="4m", offset="28m")["error"] == 0
    assert disk.stat().st_size > 28 * MIB
    vm.qmp().command("quit")
    assert vm.wait() == 0


def twice(t):
    """Two VMs on one disk: the second is refused, and the first goes on."""
    disk = t.disk(size=8 * MIB)
    vm, guest = begun(t, f"path={disk}", cpus=1)
    load = Background(guest, size="4m")
    for extra in ("", ",readonly=on"):
        other = t.direct("--disk", f"path={disk}{extra}", name=f"b{extra[1:3]}")
        assert other.wait() == 2, other.messages()
        assert "in use by another process" in other.messages()
    assert load.end()["error"] == 0
    vm.qmp().command("quit")
    assert vm.wait() == 0


def parts(t):
    t.check("a full file system", full, t)
    t.check("a file that is cut short", cut, t)
    t.check("a second VM on one disk", twice, t)
