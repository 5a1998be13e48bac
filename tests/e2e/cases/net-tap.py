# SPDX-License-Identifier: Apache-2.0
"""A network over a tap: transfers both ways with checksums, the link."""
from e2e.net import HOST, Echo, Space, start

SECONDS = 60


def run(t):
    space = Space(t)
    tap = space.tap()
    vm, guest = start(t, "--net", f"tap={tap},mac=02:00:00:00:05:02")
    assert "02:00:00:00:05:02" in guest.do("cat /sys/class/net/eth0/address")
    guest.address()
    guest.ping()
    Echo(space).check(guest)
    t.note(f"in: {space.iperf(guest, '-R')[0]} Mbit/s")
    t.note(f"out: {space.iperf(guest)[0]} Mbit/s")
    vm.qmp().command("set_link", name="net0", up=False)
    assert guest.do("cat /sys/class/net/eth0/carrier").strip() == "0"
    guest.ping(HOST, count=1, status=1)
    vm.qmp().command("set_link", name="net0", up=True)
    assert guest.do("cat /sys/class/net/eth0/carrier").strip() == "1"
    guest.ping()
    vm.qmp().command("quit")
    assert vm.wait() == 0
