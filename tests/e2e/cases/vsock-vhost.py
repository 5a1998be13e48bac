# SPDX-License-Identifier: Apache-2.0
"""vsock by the host's kernel: storms, 16 MiB each way, stop, reset, its CID."""
import contextlib
import socket
import threading
import time

from e2e import vsock

SECONDS = 80
CID, PORT = 77, 5077
BIG = 16 << 20


def start(t, cid, name="carrel", **kw):
    return t.carrel("--vsock", f"cid={cid},vhost=on", name=name,
                    firmware=t.plain_firmware, cmdline="carrel.test=vsock",
                    **kw)


def ready(vm, count=1):
    vm.qmp()
    vm.expect("carrel-guest: vsock: ready", count=count)


def big(t):
    crc = vsock.Crc(9)
    at = time.monotonic()
    with vsock.connect(CID, vsock.SINK) as s:
        for number in range(BIG // vsock.CHUNK):
            s.sendall(crc.chunk(number))
        s.shutdown(socket.SHUT_WR)
        got = vsock.line_of(s).split()
    assert got == [b"%d" % BIG, b"%d" % crc.of(BIG)], got
    t.note(f"MiB to the guest: {(BIG >> 20) / (time.monotonic() - at):.1f} "
           "a second")
    at = time.monotonic()
    with vsock.connect(CID, vsock.SOURCE) as s:
        s.sendall(b"%d 9\n" % BIG)
        data = vsock.drain(s)
    assert len(data) == BIG and vsock.zlib.crc32(data) == crc.of(BIG)
    t.note(f"MiB to the host: {(BIG >> 20) / (time.monotonic() - at):.1f} "
           "a second")


def storms():
    """Of the guest's and of the host's, at once."""
    done = []
    other = threading.Thread(
        target=lambda: done.append(vsock.storm(CID, PORT, 40, 20000)))
    other.start()
    vsock.many(lambda i: vsock.echo(CID, 5000 + 97 * i), 60, 30)
    other.join()
    assert done == [(40, 0)], done


def stop_and_cont(vm):
    conn = vsock.connect(CID, vsock.ECHO)
    going = threading.Thread(target=vsock.echo, args=(CID, 4 << 20, conn))
    going.start()
    vm.qmp().command("stop")
    time.sleep(0.5)
    assert going.is_alive(), "a stopped guest goes on"
    vm.qmp().command("cont")
    going.join()
    vsock.echo(CID, 1000)


def reset(vm):
    """A guest that starts anew knows nothing of older connections."""
    old = vsock.connect(CID, vsock.ECHO)
    vm.qmp().command("system_reset")
    ready(vm, 2)
    vsock.echo(CID, 100000)
    with contextlib.suppress(ConnectionError, BrokenPipeError), old:
        old.sendall(b"x")
        assert old.recv(1) == b"", "an old connection lives"


def taken(t):
    """Each guest of a host's has an address of its own."""
    other = t.start("other", [
        t.program("carrel"), "run", "--firmware", t.plain_firmware,
        "--serial", "none", "--vsock", f"cid={CID},vhost=on"])
    assert other.wait(60) == 2, other.messages()
    assert "another VM of this host has it" in other.messages(), \
        other.messages()


def run(t):
    vm = start(t, CID)
    ready(vm)
    server = vsock.Server(CID, PORT, vsock.echo_back)
    vsock.echo(CID, 1)
    vsock.echo(CID, 1 << 20)
    with contextlib.suppress(ConnectionError):
        vsock.connect(CID, 9).close()
        raise AssertionError("nobody listens at the guest's port 9")
    assert vsock.storm(CID, PORT + 1, 3, 10) == (0, 3)
    storms()
    big(t)
    stop_and_cont(vm)
    taken(t)
    reset(vm)
    assert vsock.storm(CID, PORT, 3, 100000) == (3, 0)
    server.close()
    assert "stops until" not in vm.messages(), vm.messages()
    vm.qmp().command("quit")
    assert vm.wait() == 0
