# SPDX-License-Identifier: Apache-2.0
"""A directory of the host's by virtiofsd: files both ways."""
import hashlib
import os

from e2e.net import Guest, wait_for
from e2e.vhost import virtiofsd

SECONDS = 80


def run(t):
    shared = t.tmp / "shared"
    shared.mkdir()
    data = os.urandom(8 << 20)
    (shared / "in").write_bytes(data)
    daemon, path = virtiofsd(t, shared)
    vm = t.direct("--fs", f"socket={path},tag=host", typing=True,
                  cmdline="carrel.test=shell")
    guest = Guest(vm)
    guest.do("mkdir /host; mount -t virtiofs host /host")
    out = guest.do("sha256sum < /host/in").split()[0]
    assert out == hashlib.sha256(data).hexdigest(), "in"
    guest.do("head -c 5000000 /dev/urandom > /host/out; sync")
    out = guest.do("sha256sum < /host/out").split()[0]
    assert out == hashlib.sha256(
        (shared / "out").read_bytes()).hexdigest(), "out"
    guest.do("mkdir /host/d; mv /host/out /host/d/moved; rm /host/in")
    assert sorted(os.listdir(shared)) == ["d"]
    vm.qmp().command("stop")
    (shared / "d" / "new").write_text("word\n")
    vm.qmp().command("cont")
    assert guest.do("cat /host/d/new").strip() == "word"
    guest.do("umount /host")
    # It takes its open files along, so its next one is for the next mount.
    daemon.kill()
    wait_for(lambda: "until the guest resets it" in vm.messages(), "the news")
    daemon, path = virtiofsd(t, shared, "virtiofsd2")
    wait_for(lambda: "connected again" in vm.messages(), "the next virtiofsd")
    vm.qmp().command("system_reset")
    vm.expect("carrel-guest: ready: shell", count=2)
    guest.do("mkdir /host; mount -t virtiofs host /host")
    assert guest.do("cat /host/d/new").strip() == "word"
    vm.qmp().command("quit")
    assert vm.wait() == 0
    daemon.wait()
