# SPDX-License-Identifier: Apache-2.0
"""Other processes that serve a guest's devices: qemu-storage-daemon, virtiofsd."""
import hashlib
import json
import re

from e2e.net import wait_for
from e2e.vm import run


def qcow2(t, size=16 << 20, name="disk"):
    path = t.tmp / f"{name}.qcow2"
    status, said = run(["qemu-img", "create", "-q", "-f", "qcow2", path, size])
    assert status == 0, said
    return path


def check(path):
    """No error in the image; how many of its clusters are in use."""
    status, said = run(["qemu-img", "check", "--output=json", path])
    assert status == 0, said
    return json.loads(said)["allocated-clusters"]


def storage_daemon(t, image, queues=1, name="qsd", writable=True):
    """Serves an image; ends only when it is told to. Its own control socket
    is disk.monitor beside the other."""
    path = t.tmp / "disk.sock"
    monitor = path.with_suffix(".monitor")
    path.unlink(missing_ok=True)
    p = t.start(name, [
        t.storage_daemon,
        "--chardev", f"socket,id=qmp,path={monitor},server=on,wait=off",
        "--monitor", "chardev=qmp",
        "--blockdev", f"file,node-name=file,filename={image},"
        f"discard=unmap,read-only={'off' if writable else 'on'}",
        "--blockdev", "qcow2,node-name=disk,file=file,discard=unmap,"
        f"read-only={'off' if writable else 'on'}",
        "--export", "vhost-user-blk,id=disk,node-name=disk,"
        f"addr.type=unix,addr.path={path},num-queues={queues},"
        f"writable={'on' if writable else 'off'}"])
    wait_for(path.exists, "qemu-storage-daemon's socket")
    return p, path


def virtiofsd(t, shared, name="virtiofsd"):
    """Serves a directory to one client and ends with it."""
    path = t.tmp / "fs.sock"
    path.unlink(missing_ok=True)
    p = t.start(name, [t.virtiofsd, "--socket-path", path, "--shared-dir",
                       shared, "--sandbox", "none", "--seccomp", "none",
                       "--cache", "never"])
    wait_for(path.exists, "virtiofsd's socket")
    return p, path


class Load:
    """disk-load in a guest, in the background, until end is called: so many
    seconds would be over too early on a slow machine."""

    def __init__(self, guest, workers=4):
        self.guest = guest
        guest.do("rm -f /tmp/load.enough")
        guest.do(f"(disk-load /dev/vda 3600 {workers} > /tmp/load 2>&1; "
                 "echo status $? >> /tmp/load) &")

    def progress(self):
        """Writes so far."""
        found = re.findall(r"at: (\d+) writes", self.guest.do("cat /tmp/load"))
        return int(found[-1]) if found else 0

    def end(self):
        """(writes, reads, discards), after it has found nothing wrong."""
        self.guest.do("touch /tmp/load.enough")
        wait_for(lambda: "status" in self.guest.do("tail -n 1 /tmp/load"),
                 "the end of disk-load", 240)
        said = self.guest.do("cat /tmp/load")
        m = re.search(r"load: (\d+) writes, (\d+) reads, (\d+) discards, "
                      r"(\d+) bad\nstatus 0", said)
        assert m and m[4] == "0", said
        return tuple(map(int, m.groups()[:3]))


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def both_ways(guest, shared, size):
    """virtiofsd's directory, mounted: the guest reads "in" and writes "out"."""
    guest.do("mkdir /host; mount -t virtiofs host /host")
    out = guest.do("sha256sum < /host/in").split()[0]
    assert out == digest(shared / "in"), "in"
    guest.do(f"head -c {size} /dev/urandom > /host/out; sync")
    out = guest.do("sha256sum < /host/out").split()[0]
    assert out == digest(shared / "out"), "out"
