# SPDX-License-Identifier: Apache-2.0
"""A SEV guest's network: bounce buffers, both ways, with checksums."""
from e2e.launch import check_sev
from e2e.net import Echo, Guest, Space

SECONDS = 120
CMDLINE = "carrel.test=shell"


def run(t):
    space = Space(t, as_root=True)
    tap = space.tap()
    owner = t.owner()
    vm = t.carrel("--sev", owner.sev, "--net", f"tap={tap}", emulated=True,
                  cmdline=CMDLINE, initrd=t.net_initrd, typing=True)
    owner.admit(vm, cmdline=CMDLINE, initrd=t.net_initrd)
    guest = Guest(vm)
    check_sev(vm.facts())
    guest.address()
    guest.ping()
    Echo(space, size=8 << 20).check(guest)
    vm.qmp().command("quit")
    assert vm.wait() == 0
