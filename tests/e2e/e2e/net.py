# SPDX-License-Identifier: Apache-2.0
"""A network of its own for a case, which needs no rights to make, and a guest
that does what it is told."""
import ctypes
import hashlib
import json
import os
import re
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from e2e.shell import Shell
from e2e.vm import run

HOST, GUEST = "10.5.0.1", "10.5.0.2"
NEW_USER, NEW_NET = 0x10000000, 0x40000000      # sched.h


class Space:
    """A network namespace. Every VM of the case starts in it from now on.
    as_root: in no user namespace, whose root gets no userfaultfd, which the
    emulated processor needs; passt would give up to be root there."""

    def __init__(self, t, as_root=False):
        self.t = t
        users = [] if as_root else ["-U", "-r"]
        self.holder = t.start("space", ["unshare", *users, "-n",
                                        "sleep", "inf"])
        pid = self.holder.child.pid
        wait_for(lambda: "sleep" in running(pid), "a namespace")
        self.within = ["nsenter", "-t", pid, "-n", "--"]
        if users:
            self.within[3:3] = ["-U", "--preserve-credentials"]
        t.within = self.within
        self.do("ip", "link", "set", "lo", "up")

    def do(self, *argv):
        status, said = run([*self.within, *argv])
        assert status == 0, f"{argv}: {said}"
        return said

    def start(self, name, *argv):
        return self.t.start(name, [*self.within, *argv])

    def tap(self, name="tap0", queues=1, address=HOST, mtu=1500):
        self.do("ip", "tuntap", "add", name, "mode", "tap",
                *(["multi_queue"] if queues > 1 else []))
        self.do("ip", "link", "set", name, "mtu", mtu, "up")
        self.do("ip", "addr", "add", f"{address}/24", "dev", name)
        return name

    def socket(self):
        """A TCP socket in here: made by a thread that has gone in."""
        made = []

        def make():
            pid = self.holder.child.pid
            if os.getuid():     # root may enter both as it is
                enter(f"/proc/{pid}/ns/user", NEW_USER)
            enter(f"/proc/{pid}/ns/net", NEW_NET)
            made.append(socket.socket())

        thread = threading.Thread(target=make)
        thread.start()
        thread.join()
        return made[0]

    def iperf_server(self):
        name = f"iperf{len(self.t.programs)}"
        host = self.start(name, "iperf3", "-s", "-1", "-J")
        wait_for(lambda: ":5201" in self.do("ss", "-ltn"), "iperf3")
        return host

    def iperf(self, guest, *args, address=HOST, seconds=3):
        """Mbit/s as the receiver counts, and all that the server measured;
        args: -R, -P 4, ... of the guest's client."""
        host = self.iperf_server()
        guest.do(f"iperf3 -f m -c {address} -t {seconds} {' '.join(args)} "
                 "> /tmp/iperf 2>&1 || { cat /tmp/iperf; false; }")
        assert host.wait(60) == 0, host.messages()
        end = json.loads(host.messages())["end"]
        if "-R" not in args:
            return round(end["sum_received"]["bits_per_second"] / 1e6, 1), end
        # What the server sent may still be in a queue.
        last = guest.do("grep receiver /tmp/iperf | tail -n 1")
        return float(re.search(r"([\d.]+) Mbits/sec", last)[1]), end

    def gibibyte(self, guest, *args, address=HOST):
        """Mbit/s of 1 GiB, which the receiver has counted; args as above."""
        host = self.iperf_server()
        # The client has both ends stop once it has sent all of it, although
        # some is on its way: so it sends more.
        guest.do(f"iperf3 -J -i 0 -c {address} -n 1040M {' '.join(args)} "
                 "> /tmp/iperf 2>&1 || { cat /tmp/iperf; false; }")
        assert host.wait(60) == 0, host.messages()
        said = host.messages()
        if "-R" in args:
            said = guest.do("grep -A 6 '\"sum_received\"' /tmp/iperf")
        said = said[said.index('"sum_received"'):]
        got, rate = (float(re.search(rf'"{name}":\s*([\d.e+]+)', said)[1])
                     for name in ("bytes", "bits_per_second"))
        assert got >= 1 << 30, said
        return round(rate / 1e6, 1)


def running(pid):
    with open(f"/proc/{pid}/cmdline", encoding="utf-8") as f:
        return f.read().split("\0")[0]


def enter(path, kind):
    libc = ctypes.CDLL(None, use_errno=True)
    with open(path, "rb") as f:
        assert libc.setns(f.fileno(), kind) == 0, \
            f"{path}: {os.strerror(ctypes.get_errno())}"


def wait_for(ready, what, seconds=60):
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, f"{what}: not in {seconds} s"
        time.sleep(0.1)


# linux/virtio_net.h: checksums, segments of TCP both ways, mergeable buffers.
OFFLOADS = {"CSUM": 0, "GUEST_CSUM": 1, "GUEST_TSO4": 7, "GUEST_TSO6": 8,
            "GUEST_ECN": 9, "HOST_TSO4": 11, "HOST_TSO6": 12, "HOST_ECN": 13,
            "MRG_RXBUF": 15}


class Guest(Shell):
    """A shell in a guest with a network card."""

    def offloads(self, dev="eth0"):
        """Which of OFFLOADS its driver and the device have agreed on."""
        bits = re.search(r"[01]{64}", self.do(
            f"cat /sys/class/net/{dev}/device/features"))[0]
        return {name for name, bit in OFFLOADS.items() if bits[bit] == "1"}

    def address(self, address=GUEST, dev="eth0"):
        self.do(f"ip link set {dev} up; ip addr add {address}/24 dev {dev}")

    def lease(self, dev="eth0"):
        self.do(f"ip link set {dev} up")
        self.do(f"udhcpc -i {dev} -s /bin/lease -n -q -f -t 20 -T 1")
        out = self.do(f"ip -4 addr show {dev}")
        return re.search(r"inet ([\d.]+)", out)[1]

    def carrier(self, on, dev="eth0"):
        """Waits for the link to be so."""
        wait_for(lambda: self.do(f"cat /sys/class/net/{dev}/carrier")
                 .strip() == str(int(on)), f"carrier {on}")

    def ping(self, address=HOST, count=3, size=56, status=0):
        return self.do(f"ping -c {count} -w {2 * count + 8} -s {size} "
                       f"{address}", status=status)


def stopped(space, guest, vm, address=HOST):
    """stop and cont while iperf3 goes both ways: nothing moves in between,
    and both ways go on."""
    def moved():
        net = vm.qmp().command("x-carrel-counters")["nets"][0]
        return net["rx-bytes"], net["tx-bytes"]

    def moves():
        """Half a MiB each way, which is more than what is under way."""
        before = moved()
        wait_for(lambda: min(now - then for now, then in
                             zip(moved(), before)) > 1 << 19, "both ways")

    with ThreadPoolExecutor(1) as pool:
        going = pool.submit(space.iperf, guest, "--bidir", address=address,
                            seconds=8)
        for _ in range(2):
            moves()
            assert not going.done(), going.result()
            vm.qmp().command("stop")
            before = moved()
            time.sleep(0.3)
            assert moved() == before, "a network that is stopped has moved"
            vm.qmp().command("cont")
        moves()
        end = going.result()[1]
        assert end["sum_received"]["bytes"] > 1 << 20, end


class Echo:
    """Sends a file to whoever connects first, and takes one back from whoever
    connects next: equal digests say that both ways were right."""

    def __init__(self, space, address=HOST, size=16 << 20):
        self.data = os.urandom(size)
        self.back, self.error = b"", None
        self.sock = space.socket()
        self.sock.bind((address, 0))
        self.sock.listen(2)
        self.port = self.sock.getsockname()[1]
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        try:
            with self.sock:
                with self.sock.accept()[0] as c:
                    c.sendall(self.data)
                with self.sock.accept()[0] as c:
                    h = hashlib.sha256()
                    while part := c.recv(1 << 16):
                        h.update(part)
                    self.back = h.digest()
        except OSError as e:
            self.error = e

    def check(self, guest, address=HOST):
        # A file that never ends: passt (2023-03) sends the same bytes for ever
        # to one who has sent its FIN.
        guest.do("[ -p /tmp/open ] || mkfifo /tmp/open; "
                 f"nc {address} {self.port} <> /tmp/open > /tmp/file")
        guest.do(f"nc {address} {self.port} < /tmp/file; rm /tmp/file")
        self.thread.join(60)
        assert self.back == hashlib.sha256(self.data).digest(), \
            f"what came back is not what was sent ({self.error})"


def start(t, *args, how="carrel", cmdline="", **kw):
    """A guest with a shell; args: its network."""
    vm = getattr(t, how)(
        *args, initrd=t.net_initrd, typing=True,
        cmdline=f"carrel.test=shell {cmdline}".strip(),
        **{"firmware": t.plain_firmware, **kw})
    return vm, Guest(vm)
