# SPDX-License-Identifier: Apache-2.0
"""A host's disk that fails under load: the guest has I/O errors, the VM lives."""
from e2e.fio import Background, begun, counters, fio
from e2e.net import wait_for
from e2e.vm import run as run_tool

SECONDS = 60
MIB = 1 << 20
EIO = 5
PORT = "dd of=/dev/port bs=1 seek=1026 conv=notrunc 2>/dev/null"    # debugcon
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


def refused(t, name, status, *args):
    other = t.direct(*args, name=name)
    assert other.wait() == status, other.messages()
    return other.messages()


def twice(t):
    """Two VMs on one disk, or with one log: the second is refused, the first
    goes on, and nobody has emptied what it uses."""
    disk, log, alone = t.disk(size=8 * MIB), t.tmp / "log", t.tmp / "alone"
    vm, guest = begun(t, f"path={disk}", cpus=1,
                      more=["--debugcon", f"file={log}"])
    guest.do(f"printf x | {PORT}; echo | {PORT}")   # it goes out by lines
    wait_for(lambda: log.read_text() == "x\n", "the guest's log")
    load = Background(guest, size="4m")
    used = "in use by another process"
    for name, extra in (("b", ""), ("b-ro", ",readonly=on")):
        assert used in refused(t, name, 2, "--disk", f"path={disk}{extra}")
    for name, flag in (("b-log", "--debugcon"), ("b-console", "--console")):
        said = refused(t, name, 2, flag, f"file={log}")
        assert f"{flag[2:]} {log}: {used}" in said, said
    assert used in refused(t, "b-older", 2, "--console", f"file={log}.1")
    assert used in refused(t, "b-disk", 2, "--debugcon", f"file={disk}")
    alone.write_bytes(bytes(MIB))
    said = refused(t, "b-both", 1, "--debugcon", f"file={alone}",
                   "--disk", f"path={alone}")
    assert "one file" in said, said
    assert alone.stat().st_size == MIB
    assert log.read_text() == "x\n"
    assert load.end()["error"] == 0
    guest.do(f"echo | {PORT}")
    wait_for(lambda: log.read_text() == "x\n\n", "the rest of the log")
    vm.qmp().command("quit")
    assert vm.wait() == 0


def parts(t):
    t.check("a full file system", full, t)
    t.check("a file that is cut short", cut, t)
    t.check("a second VM on one disk, or with one log", twice, t)
