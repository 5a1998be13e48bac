# SPDX-License-Identifier: Apache-2.0
"""A network over a tap: transfers both ways, the link, and the tap's end."""
from e2e.net import HOST, Echo, Space, start, wait_for

SECONDS = 60


def run(t):
    space = Space(t)
    tap = space.tap()
    vm, guest = start(t, "--net", f"tap={tap},mac=02:00:00:00:05:02,vhost=off")
    assert "02:00:00:00:05:02" in guest.do("cat /sys/class/net/eth0/address")
    guest.address()
    guest.ping()
    Echo(space).check(guest)
    t.note(f"in: {space.iperf(guest, '-R')[0]} Mbit/s")
    t.note(f"out: {space.iperf(guest)[0]} Mbit/s")
    vm.qmp().command("set_link", name="net0", up=False)
    guest.carrier(False)
    guest.ping(HOST, count=1, status=1)
    vm.qmp().command("set_link", name="net0", up=True)
    guest.carrier(True)
    guest.ping()
    guest.do(f"iperf3 -c {HOST} -t 60 > /dev/null 2>&1 &")
    space.do("ip", "link", "del", tap)
    wait_for(lambda: "net0: " in vm.messages(), "a word about the tap's end")
    guest.carrier(False)
    assert vm.status() == "running"
    vm.qmp().command("quit")
    assert vm.wait() == 0
