# SPDX-License-Identifier: Apache-2.0
"""vsock in a SEV guest, through bounce buffers: both ways, many at once."""
from e2e import vsock
from e2e.launch import attested, check_sev

SECONDS = 100


def run(t):
    path = t.tmp / "vsock"
    vm = attested(t, "--vsock", f"cid=5,path={path}",
                  cmdline="carrel.test=vsock")
    vm.qmp()
    vm.expect("carrel-guest: vsock: ready")
    check_sev(vm.facts())
    vsock.echo(path, 1 << 20)
    server = vsock.Server(path, 77, vsock.echo_back)
    assert vsock.storm(path, 77, 10, 50000) == (10, 0)
    vsock.many(lambda i: vsock.echo(path, 10000 + i), 20, 20)
    server.close()
    vm.qmp().command("quit")
    assert vm.wait() == 0
    assert not path.exists(), "the socket is left behind"
