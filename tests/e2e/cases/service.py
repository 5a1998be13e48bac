# SPDX-License-Identifier: Apache-2.0
"""carrel as a service: sd_notify and socket activation."""
import os
import socket
import time

from e2e.qmp import Qmp
from e2e.vm import run as run_tool

SECONDS = 20


class Manager:
    """The receiving end of NOTIFY_SOCKET."""

    def __init__(self, t, name):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind("\0" + name[1:] if name[0] == "@" else name)
        self.sock.settimeout(t.patience)

    def next(self):
        return self.sock.recv(4096).decode().split("\n")


def notified(t, name):
    manager = Manager(t, name)
    os.environ["NOTIFY_SOCKET"] = name
    try:
        vm = t.carrel("--paused", firmware=t.plain_firmware)
    finally:
        del os.environ["NOTIFY_SOCKET"]
    assert manager.next() == ["READY=1", "STATUS=waiting for cont"]
    vm.qmp().command("cont")
    assert manager.next() == ["STATUS=running"]
    vm.qmp().command("stop")
    assert manager.next() == ["STATUS=paused"]
    vm.qmp().command("quit")
    assert manager.next() == ["STOPPING=1", "STATUS=ended: host-qmp-quit"]
    assert vm.wait() == 0


def handed_over(t):
    """By systemd-socket-activate, which starts it for the first client."""
    path = t.tmp / "activated.sock"
    starter = t.start("activated", [
        "systemd-socket-activate", "-l", path, "--fdname=control",
        t.program("carrel"), "run", "--firmware", t.plain_firmware,
        "--memory", "64M", "--serial", "none", "--paused",
        "--control", "inherited"])
    while not path.exists():
        assert starter.alive(), starter.messages()
        time.sleep(0.1)
    qmp = Qmp(path, t.patience)
    assert qmp.command("query-status")["status"] == "prelaunch"
    qmp.command("quit")
    assert starter.wait() == 0, starter.messages()
    assert path.exists(), "a socket's file that is not ours was removed"


def not_handed_over(t):
    got, out = run_tool([t.program("carrel"), "run", "--firmware",
                         t.plain_firmware, "--control", "inherited"])
    assert got == 2 and "LISTEN_FDS" in out, f"{got}: {out}"


def parts(t):
    t.check("what a service manager hears", notified, t,
            str(t.tmp / "notify.sock"))
    t.check("the same by an abstract name", notified, t,
            f"@carrel-e2e-{os.getpid()}")
    t.check("a control socket that was handed over", handed_over, t)
    t.check("one that was not", not_handed_over, t)
