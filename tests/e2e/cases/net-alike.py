# SPDX-License-Identifier: Apache-2.0
"""As fast as QEMU's virtio-net, over a tap and over passt, give or take."""
from e2e.net import HOST, Space, start
from e2e.passt import GATEWAY, outside, passt

SECONDS = 240
LEAST = 0.6     # of QEMU's speed: a lab is no place for a finer comparison
MAC = "02:00:00:00:05:02"


def measure(space, guest, address):
    """Mbit/s into the guest and out of it."""
    return (space.iperf(guest, "-R", address=address)[0],
            space.iperf(guest, address=address)[0])


def tap_speed(t, space, how):
    net = {"carrel": ["--net", f"tap=tap0,mac={MAC}"],
           "qemu": ["-netdev", "tap,id=n,ifname=tap0,script=no,"
                    "downscript=no,vhost=off", "-device",
                    f"virtio-net-pci,netdev=n,mac={MAC},romfile="]}
    vm, guest = begin(t, how, f"{how}-tap", net[how])
    guest.address()
    speed = measure(space, guest, HOST)
    vm.kill()
    return speed


def passt_speed(t, space, how):
    peer, path = passt(space, t, f"passt-{how}")
    net = {"carrel": ["--net", f"passt={path},mac={MAC}"],
           "qemu": ["-netdev", "stream,id=n,server=off,addr.type=unix,"
                    f"addr.path={path}", "-device",
                    f"virtio-net-pci,netdev=n,mac={MAC},romfile="]}
    vm, guest = begin(t, how, f"{how}-passt", net[how])
    guest.lease()
    speed = measure(space, guest, GATEWAY)
    vm.kill()
    peer.kill()
    return speed


def begin(t, how, name, net):
    more = {"emulated": False} if how == "qemu" else {}
    return start(t, *net, how=how, name=name, **more)


def compare(t, what, carrel, qemu):
    for way, c, q in zip(("in", "out"), carrel, qemu):
        t.note(f"{what} {way}: carrel {c}, QEMU {q} Mbit/s: {c / q:.2f}")
        assert c > LEAST * q, f"{what} {way}: {c} of QEMU's {q} Mbit/s"


def over_tap(t):
    space = Space(t)
    space.tap()
    compare(t, "tap", *(tap_speed(t, space, how)
                        for how in ("carrel", "qemu")))


def over_passt(t):
    space = outside(t)
    compare(t, "passt", *(passt_speed(t, space, how)
                          for how in ("carrel", "qemu")))


def parts(t):
    t.check("a tap's speed", over_tap, t)
    t.check("passt's speed", over_passt, t)
