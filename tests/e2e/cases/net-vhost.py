# SPDX-License-Identifier: Apache-2.0
"""A tap whose queues the host's kernel serves: transfers, stop, link, reset."""
import os
import pathlib
import threading
import time

from e2e.net import HOST, OFFLOADS, Echo, Guest, Space, start, wait_for

SECONDS = 80


def files(pid):
    """Those that it has open."""
    names = os.listdir(f"/proc/{pid}/fd")
    return [os.readlink(f"/proc/{pid}/fd/{n}") for n in names]


def confined(pid):
    """Every thread but the kernel's own has a filter."""
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        name = (task / "comm").read_text(encoding="ascii")
        status = (task / "status").read_text(encoding="ascii")
        assert name.startswith("vhost-") or "Seccomp:\t2" in status, name


def interrupts(guest):
    """How many each receive queue of the first interface has had."""
    lines = [line.split() for line in
             guest.do("grep virtio0-input /proc/interrupts").splitlines()
             if "input" in line and ":" in line]
    return [sum(map(int, line[1:3])) for line in lines]


def transfers(t, space, guest):
    guest.ping()
    Echo(space, size=8 << 20).check(guest)
    for what, args in (("in", ["-R"]), ("out", [])):
        speed = space.iperf(guest, *args, "-P", "2", seconds=2)[0]
        t.note(f"{what}, 2 streams: {speed} Mbit/s")
    counts = interrupts(guest)
    assert len(counts) == 2 and min(counts) > 10, f"a queue idles: {counts}"


def stopped(space, guest, vm):
    """In the middle of a transfer, twice."""
    echo = Echo(space, size=12 << 20)
    failed = []

    def transfer():
        try:
            echo.check(guest)
        except AssertionError as why:
            failed.append(why)

    going = threading.Thread(target=transfer)
    going.start()
    for _ in range(2):
        time.sleep(0.3)
        vm.qmp().command("stop")
        time.sleep(0.3)
        vm.qmp().command("cont")
    going.join()
    assert not failed, failed


def unplugged(guest, vm):
    vm.qmp().command("set_link", name="net0", up=False)
    guest.carrier(False)
    guest.ping(HOST, count=1, status=1)
    vm.qmp().command("set_link", name="net0", up=True)
    guest.carrier(True)
    guest.ping()


def run(t):
    space = Space(t)
    tap = space.tap(queues=2)
    vm, guest = start(t, "--net", f"tap={tap},queues=2,vhost=on", "--cpus", 2)
    assert files(vm.child.pid).count("/dev/vhost-net") == 2
    confined(vm.child.pid)
    assert guest.offloads() == set(OFFLOADS), guest.offloads()
    guest.address()
    transfers(t, space, guest)
    stopped(space, guest, vm)
    unplugged(guest, vm)
    guest.type(f"iperf3 -c {HOST} -t 60 > /dev/null 2>&1 &")
    vm.qmp().command("system_reset")
    guest = Guest(vm, boots=2)
    guest.address()
    Echo(space, size=1 << 20).check(guest)
    # In the middle of what the guest sends, of which the kernel complains.
    guest.do(f"for i in 1 2 3 4 5 6; do ping {HOST} > /dev/null & done")
    space.do("ip", "link", "del", tap)
    wait_for(lambda: "net0: " in vm.messages(), "a word about the tap's end")
    guest.carrier(False)
    assert vm.status() == "running"
    assert "stops until" not in vm.messages(), vm.messages()
    vm.qmp().command("quit")
    assert vm.wait() == 0
