# SPDX-License-Identifier: Apache-2.0
"""Connections by vsock, both ways: bytes, halves, storms, bad clients."""
import time

from e2e import vsock

SECONDS = 120


def run(t):
    path = t.tmp / "vsock"
    vm = t.carrel("--vsock", f"cid=5,path={path}", "--cpus", 2,
                  firmware=t.plain_firmware, cmdline="carrel.test=vsock")
    vm.expect("carrel-guest: vsock: ready")
    vsock.echo(path, 100000)
    t.note("echo works")
    s = vsock.Server(path, 77, vsock.echo_back)
    t.note(f"storm: {vsock.storm(path, 77, 3, 100000)}")
    t0 = time.time()
    with vsock.connect(path, vsock.SOURCE) as c:
        c.sendall(b"67108864 3\n")
        n = 0
        while part := c.recv(65536): n += len(part)
    t.note(f"guest to host: {n} in {time.time()-t0}")
    t0 = time.time()
    with vsock.connect(path, vsock.SINK) as c:
        for _ in range(1024): c.sendall(bytes(65536))
        c.shutdown(1)
        t.note(vsock.line_of(c))
    t.note(f"host to guest: {time.time()-t0}")
    t0 = time.time()
    for _ in range(200):
        vsock.connect(path, vsock.LEAVE).close()
    t.note(f"200 connects: {time.time()-t0}")
