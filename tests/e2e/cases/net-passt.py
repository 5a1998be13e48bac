# SPDX-License-Identifier: Apache-2.0
"""A network over passt: lease, names, transfers both ways, stop and cont in
them, passt's end, and another passt in its place."""
from e2e.net import Echo, start, stopped, wait_for
from e2e.passt import ADDRESS, GATEWAY, NAME, outside, passt

SECONDS = 120


def run(t):
    space = outside(t)
    peer, path = passt(space, t)
    vm, guest = start(t, "--net", f"passt={path},id=lan")
    assert guest.lease() == ADDRESS
    out = guest.do(f"nslookup -type=a {NAME}")
    assert "10.9.8.7" in out, out
    # passt takes the gateway's address for the namespace's own loopback.
    Echo(space, "127.0.0.1").check(guest, GATEWAY)
    t.note(f"in: {space.iperf(guest, '-R', address=GATEWAY)[0]} Mbit/s")
    t.note(f"out: {space.iperf(guest, address=GATEWAY)[0]} Mbit/s")
    stopped(space, guest, vm, GATEWAY)
    guest.do(f"iperf3 -c {GATEWAY} -t 60 > /dev/null 2>&1 & sleep 1")
    peer.kill()
    wait_for(lambda: "lan: " in vm.messages(), "a word about passt's end")
    guest.carrier(False)
    vm.qmp().command("stop")
    vm.qmp().command("cont")
    guest.do("killall iperf3", status=None)
    peer, path = passt(space, t, "passt-again", path)
    guest.carrier(True)
    assert "sock is back: the link is up" in vm.messages()
    assert guest.lease() == ADDRESS
    Echo(space, "127.0.0.1").check(guest, GATEWAY)
    # Once more, while the VM is stopped.
    peer.kill()
    guest.carrier(False)
    vm.qmp().command("stop")
    passt(space, t, "passt-third", path)
    wait_for(lambda: vm.messages().count("is back:") == 2, "the third passt")
    vm.qmp().command("cont")
    guest.carrier(True)
    Echo(space, "127.0.0.1").check(guest, GATEWAY)
    assert vm.status() == "running"
    vm.qmp().command("quit")
    assert vm.wait() == 0
