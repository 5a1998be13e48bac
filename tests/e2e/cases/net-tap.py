# SPDX-License-Identifier: Apache-2.0
"""A network over a tap: 1 GiB each way, the link, and the tap's end."""
from e2e.net import HOST, OFFLOADS, Echo, Space, start, wait_for

SECONDS = 120


def frame(vm, way):
    net = vm.qmp().command("x-carrel-counters")["nets"][0]
    return net[f"{way}-bytes"] / net[f"{way}-frames"]


def gibibytes(t, space, guest, vm):
    """Most frames are segments of many packets, by the offloads."""
    for way, what, args in (("rx", "in", ["-R"]), ("tx", "out", [])):
        speed = space.gibibyte(guest, *args)
        mean = frame(vm, way)
        t.note(f"1 GiB {what}: {speed} Mbit/s, {mean:.0f} bytes a frame")
        assert mean > 3000, mean


def run(t):
    space = Space(t)
    tap = space.tap()
    vm, guest = start(t, "--net", f"tap={tap},mac=02:00:00:00:05:02,vhost=off")
    assert "02:00:00:00:05:02" in guest.do("cat /sys/class/net/eth0/address")
    assert guest.offloads() == set(OFFLOADS), guest.offloads()
    guest.address()
    guest.ping()
    Echo(space).check(guest)
    gibibytes(t, space, guest, vm)
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
