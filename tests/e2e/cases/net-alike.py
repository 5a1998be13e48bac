# SPDX-License-Identifier: Apache-2.0
"""As fast as QEMU's virtio-net, over a tap and over passt, give or take."""
from e2e.net import Space, start
from e2e.passt import GATEWAY, outside, passt

SECONDS = 240
LEAST = 0.6     # of QEMU's speed: a lab is no place for a finer comparison
MAC = "02:00:00:00:05:0"
VHOST = "off", "on"


def measure(space, guest, address):
    """Mbit/s into the guest and out of it."""
    return (space.iperf(guest, "-R", address=address)[0],
            space.iperf(guest, address=address)[0])


def tap_speed(t, space, how):
    """By each way that a tap is served: by the VMM, by the kernel."""
    net = {"carrel": [word for i, vhost in enumerate(VHOST) for word in (
               "--net", f"tap=tap{i},mac={MAC}{i},vhost={vhost}")],
           "qemu": [word for i, vhost in enumerate(VHOST) for word in (
               "-netdev", f"tap,id=n{i},ifname=tap{i},script=no,"
               f"downscript=no,vhost={vhost}", "-device",
               f"virtio-net-pci,netdev=n{i},mac={MAC}{i},romfile=")]}
    vm, guest = begin(t, how, f"{how}-tap", net[how])
    speeds = []
    for i in range(len(VHOST)):
        guest.address(f"10.5.{i}.2", f"eth{i}")
        speeds.append(measure(space, guest, f"10.5.{i}.1"))
    vm.kill()
    return speeds


def passt_speed(t, space, how):
    peer, path = passt(space, t, f"passt-{how}")
    net = {"carrel": ["--net", f"passt={path},mac={MAC}2"],
           "qemu": ["-netdev", "stream,id=n,server=off,addr.type=unix,"
                    f"addr.path={path}", "-device",
                    f"virtio-net-pci,netdev=n,mac={MAC}2,romfile="]}
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
    for i in range(len(VHOST)):
        space.tap(f"tap{i}", address=f"10.5.{i}.1")
    carrel, qemu = (tap_speed(t, space, how) for how in ("carrel", "qemu"))
    for vhost, c, q in zip(VHOST, carrel, qemu):
        compare(t, f"tap, vhost={vhost}", c, q)


def over_passt(t):
    space = outside(t)
    compare(t, "passt", *(passt_speed(t, space, how)
                          for how in ("carrel", "qemu")))


def parts(t):
    t.check("a tap's speed", over_tap, t)
    t.check("passt's speed", over_passt, t)
