# SPDX-License-Identifier: Apache-2.0
"""A tap with several queues: as many as the guest uses, MTU, stop and cont."""
import re

from e2e.net import HOST, Echo, Space, start, stopped

SECONDS = 60


def run(t):
    space = Space(t)
    tap = space.tap(queues=2, mtu=9000)
    vm, guest = start(t, "--net", f"tap={tap},queues=2,vhost=off", "--cpus", 2)
    assert guest.do("cat /sys/class/net/eth0/mtu").strip() == "9000"
    queues = guest.do("ls /sys/class/net/eth0/queues").split()
    assert "rx-1" in queues and "tx-1" in queues, queues
    mac = guest.do("cat /sys/class/net/eth0/address")
    assert re.search(r"\b.[26ae](:..){5}", mac), f"no local address: {mac}"
    guest.address()
    guest.ping(size=8000)
    speed, end = space.iperf(guest, "-P", "4")
    t.note(f"out, 4 streams: {speed} Mbit/s")
    assert len(end["streams"]) == 4
    t.note(f"in, 4 streams: {space.iperf(guest, '-P', '4', '-R')[0]} Mbit/s")
    used = guest.do("grep virtio0-input /proc/interrupts")
    counts = [sum(map(int, re.findall(r" (\d+)\b", line)[:2]))
              for line in used.splitlines() if "input" in line]
    assert len(counts) == 2 and min(counts) > 10, f"a queue idles: {used}"
    guest.do("ip link set eth0 mtu 1400")
    guest.ping(size=1372)
    Echo(space).check(guest)
    stopped(space, guest, vm)
    guest.ping(HOST)
    vm.qmp().command("quit")
    assert vm.wait() == 0
