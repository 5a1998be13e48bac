# SPDX-License-Identifier: Apache-2.0
"""A directory of the host's: files both ways, virtiofsd killed under load."""
import os
import re
import time

from e2e.net import Guest, wait_for
from e2e.vhost import both_ways, digest, virtiofsd

SECONDS = 80


def files(vm, guest, shared):
    both_ways(guest, shared, 5000000)
    guest.do("mkdir /host/d; mv /host/out /host/d/moved; rm /host/in")
    assert sorted(os.listdir(shared)) == ["d"]
    vm.qmp().command("stop")
    (shared / "d" / "new").write_text("word\n")
    vm.qmp().command("cont")
    assert guest.do("cat /host/d/new").strip() == "word"


class Load:
    """A writer and a reader in the guest, a line in a file for each round."""
    ROUNDS = {"writes": "dd if=/dev/zero of=/host/d/w bs=64k count=16",
              "reads": "cat /host/d/moved"}

    def __init__(self, guest):
        self.guest = guest
        for name, what in self.ROUNDS.items():
            guest.do(f"(while {what} > /dev/null 2>&1; do echo >> /tmp/{name};"
                     f" done; echo $? > /tmp/{name}.end) & true")

    def rounds(self):
        out = self.guest.do("cd /tmp; touch reads writes; wc -l reads writes; "
                            "cd /")
        return [int(re.search(rf"(\d+) {name}", out)[1])
                for name in self.ROUNDS]

    def waits(self):
        """Neither has ended: both wait for an answer."""
        out = self.guest.do("ls /tmp/*.end; for p in $(pidof dd cat); do "
                            "grep State /proc/$p/status; done")
        return len(re.findall(r"State:\s+[DS] ", out)) == 2 and \
            "/tmp/reads" not in out and "/tmp/writes" not in out, out


def killed(t, vm, guest, daemon, shared):
    """Its open files are gone with it: programs wait on, whoever comes, until
    the guest has been reset, and what was written is there."""
    moved = digest(shared / "d" / "moved")
    load = Load(guest)
    wait_for(lambda: min(load.rounds()) > 1, "reads and writes")
    daemon.kill()
    wait_for(lambda: "until the guest resets it" in vm.messages(), "the news")
    daemon = virtiofsd(t, shared, "virtiofsd2")[0]
    wait_for(lambda: "connected again" in vm.messages(), "the next virtiofsd")
    at = load.rounds()
    time.sleep(2)
    waits, out = load.waits()
    assert waits, out
    assert load.rounds() == at, "served by one that could not know how"
    t.note(f"writes, reads before: {at}")
    assert vm.status() == "running"
    vm.qmp().command("system_reset")
    vm.expect("carrel-guest: ready: shell", count=2)
    guest.do("mkdir /host; mount -t virtiofs host /host")
    assert guest.do("sha256sum < /host/d/moved").split()[0] == moved
    guest.do("echo again > /host/d/new; sync")
    assert (shared / "d" / "new").read_text() == "again\n"
    return daemon


def run(t):
    shared = t.tmp / "shared"
    shared.mkdir()
    (shared / "in").write_bytes(os.urandom(8 << 20))
    daemon, path = virtiofsd(t, shared)
    vm = t.direct("--fs", f"socket={path},tag=host", typing=True,
                  cmdline="carrel.test=shell")
    guest = Guest(vm)
    files(vm, guest, shared)
    daemon = killed(t, vm, guest, daemon, shared)
    vm.qmp().command("quit")
    assert vm.wait() == 0
    daemon.wait()
