# SPDX-License-Identifier: Apache-2.0
"""What is served to a SEV guest: taps, passt, a directory, AF_VSOCK.

All of it goes through bounce buffers; one tap is ours to serve, one the
kernel's, as is AF_VSOCK."""
import os

from e2e import vsock
from e2e.launch import check_sev
from e2e.net import Echo, Guest, Space
from e2e.passt import ADDRESS, GATEWAY, outside, passt
from e2e.vhost import both_ways, virtiofsd

SECONDS = 120
OTHER, CID = "10.5.1.1", 78
CMDLINE = "carrel.test=shell"


def directory(guest, shared):
    both_ways(guest, shared, 1000000)
    guest.do("umount /host")


def connections(vm, guest):
    guest.do("vsock &")
    vm.expect("carrel-guest: vsock: ready")
    vsock.echo(CID, 1 << 20)
    server = vsock.Server(CID, 77, vsock.echo_back)
    assert vsock.storm(CID, 77, 10, 50000) == (10, 0)
    vsock.many(lambda i: vsock.echo(CID, 10000 + i), 20, 20)
    server.close()


def run(t):
    far = outside(t)
    path = passt(far, t)[1]
    space = Space(t, as_root=True)
    tap, other = space.tap(), space.tap("tap1", 1, OTHER)
    shared = t.tmp / "shared"
    shared.mkdir()
    (shared / "in").write_bytes(os.urandom(2 << 20))
    daemon, fs = virtiofsd(t, shared)
    owner = t.owner()
    vm = t.carrel("--sev", owner.sev, "--net", f"tap={tap},vhost=off",
                  "--net", f"tap={other},vhost=on", "--net", f"passt={path}",
                  "--fs", f"socket={fs},tag=host",
                  "--vsock", f"cid={CID},vhost=on", emulated=True,
                  cmdline=CMDLINE, initrd=t.net_initrd, typing=True)
    owner.admit(vm, cmdline=CMDLINE, initrd=t.net_initrd)
    guest = Guest(vm)
    check_sev(vm.facts())
    guest.address()
    guest.ping()
    Echo(space, size=4 << 20).check(guest)
    guest.address("10.5.1.2", "eth1")
    Echo(space, OTHER, size=4 << 20).check(guest, OTHER)
    assert guest.lease("eth2") == ADDRESS
    Echo(far, "127.0.0.1", size=4 << 20).check(guest, GATEWAY)
    directory(guest, shared)
    connections(vm, guest)
    vm.qmp().command("quit")
    assert vm.wait() == 0
    daemon.wait()
