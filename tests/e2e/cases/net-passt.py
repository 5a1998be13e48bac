# SPDX-License-Identifier: Apache-2.0
"""A network over passt: lease, names, transfers both ways, and passt's end."""
from e2e.net import Echo, Space, start, wait_for

SECONDS = 90
GATEWAY, ADDRESS, NAME = "10.7.0.1", "10.7.0.2", "here.test"


def outside(t):
    """A namespace with a way out that leads nowhere, and names."""
    space = Space(t)
    space.tap("up0", address=ADDRESS)
    space.do("ip", "route", "add", "default", "via", GATEWAY)
    space.start("dnsmasq", "dnsmasq", "-k", "-C", "/dev/null", "--no-resolv",
                "--no-hosts", "--user=", "--group=", "--pid-file=",
                "--bind-interfaces", "--listen-address=127.0.0.1",
                f"--address=/{NAME}/10.9.8.7")
    return space


def passt(space, t, name="passt"):
    """The program; it takes one client and ends with it."""
    path = t.tmp / "passt.sock"
    p = space.start(name, "passt", "-f", "-1", "-s", path, "-D", GATEWAY,
                    "-t", "none", "-u", "none")
    wait_for(path.exists, "passt's socket")
    return p, path


def run(t):
    space = outside(t)
    peer, path = passt(space, t)
    vm, guest = start(t, "--net", f"passt={path},id=lan")
    assert guest.lease() == ADDRESS
    out = guest.do(f"nslookup {NAME}")
    assert "10.9.8.7" in out, out
    # passt takes the gateway's address for the namespace's own loopback.
    Echo(space, "127.0.0.1").check(guest, GATEWAY)
    t.note(f"in: {space.iperf(guest, '-R', address=GATEWAY)[0]} Mbit/s")
    t.note(f"out: {space.iperf(guest, address=GATEWAY)[0]} Mbit/s")
    guest.do(f"iperf3 -c {GATEWAY} -t 60 > /dev/null 2>&1 & sleep 1")
    peer.kill()
    wait_for(lambda: "lan: " in vm.messages(), "a word about passt's end")
    wait_for(lambda: guest.do("cat /sys/class/net/eth0/carrier")
             .strip() == "0", "the link goes down")
    vm.qmp().command("stop")
    vm.qmp().command("cont")
    assert vm.status() == "running"
    vm.qmp().command("quit")
    assert vm.wait() == 0
