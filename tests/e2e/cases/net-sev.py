# SPDX-License-Identifier: Apache-2.0
"""A SEV guest's network, ours and the kernel's: bounce buffers, both ways."""
from e2e.launch import check_sev
from e2e.net import Echo, Guest, Space

SECONDS = 120
OTHER = "10.5.1.1"
CMDLINE = "carrel.test=shell"


def run(t):
    space = Space(t, as_root=True)
    tap, other = space.tap(), space.tap("tap1", 1, OTHER)
    owner = t.owner()
    vm = t.carrel("--sev", owner.sev, "--net", f"tap={tap},vhost=off",
                  "--net", f"tap={other},vhost=on", emulated=True,
                  cmdline=CMDLINE, initrd=t.net_initrd, typing=True)
    owner.admit(vm, cmdline=CMDLINE, initrd=t.net_initrd)
    guest = Guest(vm)
    check_sev(vm.facts())
    guest.address()
    guest.ping()
    Echo(space, size=8 << 20).check(guest)
    guest.address("10.5.1.2", "eth1")
    Echo(space, OTHER, size=8 << 20).check(guest, OTHER)
    vm.qmp().command("quit")
    assert vm.wait() == 0
