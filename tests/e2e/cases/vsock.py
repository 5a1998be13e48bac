# SPDX-License-Identifier: Apache-2.0
"""vsock: storms, 64 MiB each way, halves, bad clients, stop, reset, kill."""
import contextlib
import os
import pathlib
import socket
import threading
import time

from e2e import vsock

SECONDS = 170
PORT = 77               # of the host's; another has no server
BIG = 64 << 20


class Machine:
    def __init__(self, t):
        self.t, self.path = t, t.tmp / "vsock"
        self.vm = t.carrel("--vsock", f"cid=5,path={self.path}", "--cpus", 2,
                           firmware=t.plain_firmware,
                           cmdline="carrel.test=vsock")
        self.pid = self.vm.child.pid

    def ready(self, count=1):
        self.vm.qmp()
        self.vm.expect("carrel-guest: vsock: ready", count=count)

    def dialer(self):
        children = pathlib.Path(
            f"/proc/{self.pid}/task/{self.pid}/children").read_text(
                encoding="ascii").split()
        return [int(p) for p in children if name_of(p) == "carrel-dial"]

    def descriptors(self):
        return sum(len(os.listdir(f"/proc/{p}/fd"))
                   for p in [self.pid, *self.dialer()])


def name_of(pid):
    return pathlib.Path(f"/proc/{pid}/comm").read_text(
        encoding="ascii").strip()


def eventually(what, fn):
    end = time.monotonic() + 60
    while not fn():
        assert time.monotonic() < end, f"not in time: {what}"
        time.sleep(0.2)


def rate(m, what, length, fn):
    start = time.monotonic()
    fn()
    took = time.monotonic() - start
    m.t.note(f"{what}: {length / took:.1f} a second")


def first_bytes(m):
    vsock.echo(m.path, 1)
    vsock.echo(m.path, 1 << 20)


def from_the_guest(m):
    got = vsock.storm(m.path, PORT, 3, 100000)
    assert got == (3, 0), got


def storm_of_clients(m):
    vsock.many(lambda i: vsock.echo(m.path, 5000 + 97 * i), 100, 50)


def storm_of_the_guest(m):
    got = vsock.storm(m.path, PORT, 60, 20000)
    assert got == (60, 0), got


def storms_at_once(m):
    done = []
    other = threading.Thread(
        target=lambda: done.append(vsock.storm(m.path, PORT, 30, 20000)))
    other.start()
    vsock.many(lambda i: vsock.echo(m.path, 20000), 40, 40)
    other.join()
    assert done == [(30, 0)], done


def big_to_guest(m):
    crc = vsock.Crc(9)

    def transfer():
        with vsock.connect(m.path, vsock.SINK) as s:
            for number in range(BIG // vsock.CHUNK):
                s.sendall(crc.chunk(number))
            s.shutdown(socket.SHUT_WR)
            got = vsock.line_of(s).split()
        assert got == [b"%d" % BIG, b"%d" % crc.of(BIG)], got
    rate(m, "MiB to the guest", BIG >> 20, transfer)


def big_to_host(m):
    crc = vsock.Crc(5)

    def transfer():
        with vsock.connect(m.path, vsock.SOURCE) as s:
            s.sendall(b"%d 5\n" % BIG)
            data = vsock.drain(s)
        assert len(data) == BIG, len(data)
        assert vsock.zlib.crc32(data) == crc.of(BIG), "other bytes"
    rate(m, "MiB to the host", BIG >> 20, transfer)


def connections_a_second(m):
    def connect():
        for _ in range(200):
            vsock.connect(m.path, vsock.LEAVE).close()
    rate(m, "connections", 200, connect)


def refused(m):
    with contextlib.suppress(ConnectionError):
        vsock.connect(m.path, 9).close()
        raise AssertionError("nobody listens at the guest's port 9")
    got = vsock.storm(m.path, PORT + 1, 3, 10)
    assert got == (0, 3), got
    assert f"{m.path}_{PORT + 1}: No such file" in m.vm.messages()


def bad_clients(m):
    idle = [vsock.raw(m.path) for _ in range(100)]
    for line in b"GET /\n", b"CONNECT x\n", b"CONNECT 1000000000000\n", \
            b"\0" * 64, b"x" * 100000:
        with vsock.raw(m.path) as s:
            with contextlib.suppress(OSError):
                s.sendall(line)
            with contextlib.suppress(ConnectionResetError):
                assert vsock.drain(s) == b"", line
    with vsock.raw(m.path) as s:
        s.sendall(b"CONN")
    vsock.echo(m.path, 1000)
    eventually("silent clients are closed", lambda: [] == [
        s for s in idle if not closed(s)])


def closed(s):
    s.setblocking(False)
    try:
        return s.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def host_leaves(m):
    """In mid-transfer, each way, at both kinds of ends."""
    with vsock.connect(m.path, vsock.SOURCE) as s:
        s.sendall(b"%d 1\n" % BIG)
        assert s.recv(1000)
    with vsock.connect(m.path, vsock.SINK) as s:
        s.sendall(bytes(300000))
    vsock.echo(m.path, 1000)


def guest_leaves(m):
    """The guest closes at once; so it does while we send."""
    with vsock.connect(m.path, vsock.LEAVE) as s:
        with contextlib.suppress(OSError):
            while True:
                s.sendall(bytes(10000))
    vsock.echo(m.path, 1000)


def stalled(m):
    """The guest reads nothing: that one waits, the others do not."""
    with vsock.connect(m.path, vsock.STALL) as s:
        s.settimeout(2)
        with contextlib.suppress(TimeoutError):
            for _ in range(1000):
                s.sendall(bytes(65536))
            raise AssertionError("64 MiB for one who reads nothing")
        vsock.echo(m.path, 100000)


def stop_and_cont(m):
    conn = vsock.connect(m.path, vsock.ECHO)
    going = threading.Thread(target=vsock.echo, args=(m.path, 4 << 20, conn))
    going.start()
    m.vm.qmp().command("stop")
    with vsock.raw(m.path) as s:
        s.sendall(b"CONNECT 1000\n")
        time.sleep(1)
        assert going.is_alive(), "a stopped guest goes on"
        m.vm.qmp().command("cont")
        assert vsock.line_of(s).startswith(b"OK ")
    going.join()


def confined(m):
    dialers = m.dialer()
    assert len(dialers) == 1, dialers
    for pid in [m.pid, *dialers]:
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            status = (task / "status").read_text(encoding="ascii")
            assert "Seccomp:\t2" in status, f"{task}: no filter"
    fds = os.listdir(f"/proc/{dialers[0]}/fd")
    assert sorted(fds) == ["0", "1", "2", "3"], fds


def reset(m):
    s = vsock.connect(m.path, vsock.ECHO)
    m.vm.qmp().command("system_reset")
    with contextlib.suppress(ConnectionResetError):
        assert s.recv(1) == b"", "the connection outlives the guest"
    early = vsock.raw(m.path)
    m.ready(2)
    early.close()
    vsock.echo(m.path, 100000)


def kill(m):
    s = vsock.connect(m.path, vsock.ECHO)
    dialer = m.dialer()[0]
    m.vm.kill()
    with contextlib.suppress(ConnectionResetError):
        assert s.recv(1) == b""
    eventually("the dialer ends with carrel",
               lambda: not os.path.exists(f"/proc/{dialer}"))


STEPS = [first_bytes, from_the_guest, confined, storm_of_clients,
         storm_of_the_guest, storms_at_once, big_to_guest, big_to_host,
         connections_a_second, refused, bad_clients, host_leaves,
         guest_leaves, stalled, stop_and_cont]


def run(t):
    m, failed = Machine(t), []
    m.ready()
    server = vsock.Server(m.path, PORT, vsock.echo_back)
    before = m.descriptors()

    def step(fn):
        start = time.monotonic()
        try:
            fn(m)
            t.note(f"{fn.__name__}: {time.monotonic() - start:.1f} s")
        except Exception as why:      # pylint: disable=broad-except
            failed.append(f"{fn.__name__}: {type(why).__name__}: {why}")
            t.note("FAILED: " + failed[-1])
    for fn in STEPS:
        step(fn)
    step(lambda m: eventually(
        f"{m.descriptors()} descriptors are {before} again",
        lambda: m.descriptors() <= before))
    step(reset)
    step(kill)
    server.close()
    assert not failed, "; ".join(failed)
