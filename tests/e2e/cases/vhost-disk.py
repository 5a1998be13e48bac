# SPDX-License-Identifier: Apache-2.0
"""A disk of qemu-storage-daemon: qcow2, written, read back, checked; it grows;
stop and cont, queues, and a daemon that is killed."""
import hashlib

from e2e.launch import check_sev
from e2e.net import Guest, wait_for
from e2e.qmp import Qmp
from e2e.vhost import Load, check, qcow2, storage_daemon
from e2e.vm import run

SECONDS = 300


def start(t, path, *args, cpus=1, **kw):
    vm = t.direct("--disk", f"vhost-user={path}", "--cpus", cpus, *args,
                  typing=True, cmdline="carrel.test=shell", **kw)
    return vm, Guest(vm)


def end(vm, daemon):
    vm.qmp().command("quit")
    assert vm.wait() == 0
    assert daemon.alive(), daemon.messages()
    daemon.signal()
    assert daemon.wait() == 0


def sectors(guest):
    return int(guest.do("cat /sys/block/vda/size").split()[-1])


def grows(guest, path):
    """The daemon's own block_resize reaches the guest."""
    Qmp(path.with_suffix(".monitor")).command(
        "block_resize", node_name="disk", size=24 << 20)
    wait_for(lambda: sectors(guest) == 24 << 11, "the guest's new size")
    guest.do("dd if=/tmp/x of=/dev/vda bs=4096 seek=5000 conv=fsync")
    guest.do("dd if=/dev/vda of=/tmp/z bs=4096 skip=5000 count=733 "
             "iflag=direct; cmp -n 3000000 /tmp/x /tmp/z; rm /tmp/z")


def reads_back(t):
    image = qcow2(t)
    daemon, path = storage_daemon(t, image)
    vm, guest = start(t, path)
    assert sectors(guest) == 16 << 11
    # It flushes: the daemon says that it need not, and is not right.
    assert guest.do("cat /sys/block/vda/queue/write_cache").split()[-2:] == \
        ["write", "back"]
    guest.do("head -c 3000000 /dev/urandom > /tmp/x; sha256sum /tmp/x")
    digest = guest.do("sha256sum < /tmp/x").split()[0]
    guest.do("dd if=/tmp/x of=/dev/vda bs=4096 seek=100 conv=fsync")
    guest.do("dd if=/dev/vda of=/tmp/y bs=4096 skip=100 count=733 "
             "iflag=direct")
    assert guest.do("head -c 3000000 /tmp/y | sha256sum").split()[0] == digest
    grows(guest, path)
    used = guest.do("grep virtio0-req /proc/interrupts")
    t.note(f"interrupts: {' '.join(used.split())}")
    end(vm, daemon)
    t.note(f"{check(image)} clusters")


def several(t):
    image = qcow2(t)
    daemon, path = storage_daemon(t, image, queues=4)
    vm, guest = start(t, path, cpus=2)
    assert len(guest.do("ls /sys/block/vda/mq").split()) == 2
    load = Load(guest)
    for _ in range(5):
        wait_for(load.progress, "the first writes")
        vm.qmp().command("stop")
        vm.qmp().command("cont")
        at = load.progress()
        wait_for(lambda: load.progress() > at, "writes after cont")
    t.note("{} writes, {} reads, {} discards".format(*load.end()))
    end(vm, daemon)
    t.note(f"{check(image)} clusters")


def killed_idle(t):
    """Nothing was on its way: the next daemon goes on where it ended."""
    image = qcow2(t)
    daemon, path = storage_daemon(t, image)
    vm, guest = start(t, path)
    guest.do("dd if=/dev/urandom of=/dev/vda bs=4096 count=100 conv=fsync")
    digest = guest.do("sha256sum /dev/vda").split()[0]
    for n in range(2):
        daemon.kill()
        wait_for(lambda: vm.messages().count("is gone") == n + 1, "the news")
        daemon, path = storage_daemon(t, image, name=f"qsd{n}")
        guest.do("echo 3 > /proc/sys/vm/drop_caches")
        assert guest.do("sha256sum /dev/vda").split()[0] == digest
    assert vm.messages().count("connected again") == 2, vm.messages()
    end(vm, daemon)
    check(image)


def killed_at_work(t):
    """What it had taken only it knew: the device stops, and is there again
    after the guest has reset it."""
    image = qcow2(t)
    daemon, path = storage_daemon(t, image, queues=2)
    vm, guest = start(t, path, cpus=2)
    load = Load(guest)
    wait_for(load.progress, "the first writes")
    daemon.kill()
    wait_for(lambda: "until the guest resets it" in vm.messages(), "the news")
    assert "requests are unanswered" in vm.messages(), vm.messages()
    daemon, path = storage_daemon(t, image, queues=2, name="qsd2")
    wait_for(lambda: "connected again" in vm.messages(), "the next daemon")
    at = load.progress()
    guest.do("sleep 2")
    assert load.progress() == at, "served by a daemon that could not know how"
    assert vm.status() == "running"
    vm.qmp().command("system_reset")
    vm.expect("carrel-guest: ready: shell", count=2)
    guest.do("dd if=/dev/urandom of=/dev/vda bs=4096 count=100 conv=fsync")
    end(vm, daemon)
    check(image)


def read_only(t):
    image = qcow2(t)
    daemon, path = storage_daemon(t, image, writable=False)
    vm, guest = start(t, path)
    assert guest.do("cat /sys/block/vda/ro").split()[-1] == "1"
    guest.do("dd if=/dev/zero of=/dev/vda bs=512 count=1 conv=fsync",
             status=1)
    end(vm, daemon)


def in_sev_guest(t):
    """Bounce buffers reach the peer, and the disk is what it should be."""
    image = qcow2(t)
    daemon, path = storage_daemon(t, image)
    owner = t.owner()
    cmdline = "carrel.test=shell"
    vm = t.carrel("--sev", owner.sev, "--disk", f"vhost-user={path}",
                  emulated=True, cmdline=cmdline, typing=True)
    owner.admit(vm, cmdline=cmdline)
    guest = Guest(vm)
    check_sev(vm.facts())
    guest.do("head -c 1000000 /dev/urandom > /tmp/x")
    digest = guest.do("sha256sum < /tmp/x").split()[0]
    guest.do("dd if=/tmp/x of=/dev/vda bs=4096 seek=10 conv=fsync")
    end(vm, daemon)
    status, said = run(["qemu-img", "convert", "-O", "raw", image,
                        t.tmp / "raw"])
    assert status == 0, said
    data = (t.tmp / "raw").read_bytes()[40960:1040960]
    assert hashlib.sha256(data).hexdigest() == digest


def parts(t):
    t.check("written, read back, checked", reads_back, t)
    t.check("four queues, stop and cont under load", several, t)
    t.check("a daemon that ends between requests", killed_idle, t)
    t.check("a daemon that is killed under load", killed_at_work, t)
    t.check("a disk that is not to be written", read_only, t)
    t.check("in a SEV guest", in_sev_guest, t)
