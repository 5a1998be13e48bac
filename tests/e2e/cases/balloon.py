# SPDX-License-Identifier: Apache-2.0
"""The memory balloon: free pages, a target, statistics, resets, poison."""
import time

from e2e.qmp import Refused
from e2e.shell import Shell
from e2e.vm import run

SECONDS = 150
MIB = 1 << 20


class Machine:
    def __init__(self, t, cmdline="", memory="512M"):
        self.t = t
        self.disk = t.tmp / "disk"
        with open(self.disk, "wb") as f:    # a file of a single hole
            f.truncate(300 * MIB)
        self.vm = t.direct("--balloon", "--disk", f"path={self.disk}",
                           initrd=t.health_initrd, typing=True, memory=memory,
                           cmdline=f"carrel.test=shell {cmdline}")
        self.shell = Shell(self.vm)

    def counters(self):
        return self.vm.qmp().command("x-carrel-counters")

    def resident(self):
        return self.counters()["memory"]["resident-bytes"] // MIB

    def actual(self):
        return self.vm.qmp().command("query-balloon")["actual"] // MIB

    def until(self, what, ok):
        end = time.monotonic() + self.t.patience
        while not ok():
            assert time.monotonic() < end, \
                f"{what}: not in time; {self.counters()}"
            time.sleep(0.5)

    def quit(self):
        self.vm.qmp().command("quit")
        assert self.vm.wait() == 0
        assert "stops until" not in self.vm.messages(), self.vm.messages()


def fill(m, size=200):
    """A file in memory, and how much the guest occupies then."""
    m.shell.do("head -c %d /dev/urandom > /tmp/file" % (size * MIB))
    return m.resident()


def free_pages(t):
    m = Machine(t)
    full = fill(m)
    assert full > 200, full
    m.shell.do("rm /tmp/file")
    start = time.monotonic()
    m.until("freed memory comes back", lambda: m.resident() < full - 180)
    t.note(f"200 MiB freed: resident {full}, then {m.resident()} MiB after "
           f"{time.monotonic() - start:.1f} s")
    assert m.counters()["balloon"]["reported-bytes"] > 180 * MIB
    assert m.counters()["balloon"]["inflated-bytes"] == 0
    m.shell.do("head -c 100000000 /dev/zero | tr '\\0' x > /tmp/file; "
               "tr -d x < /tmp/file | wc -c | grep -qx 0; rm /tmp/file")
    m.quit()


def target(t):
    m = Machine(t)
    # Page cache is not free, so no report gives it back.
    m.shell.do("dd if=/dev/vda of=/dev/null bs=1M count=250 2>/dev/null")
    full = m.resident()
    assert full > 250, full
    start = time.monotonic()
    status, out = run([t.program("carrelctl"), m.vm.control, "balloon",
                       "192M"])
    assert (status, out) == (0, ""), out
    m.until("192 MiB", lambda: m.actual() == 192)
    took = time.monotonic() - start
    m.until("the pages come back", lambda: m.resident() < 192 + 10)
    t.note(f"a target of 192 of 512 MiB: resident {full}, then "
           f"{m.resident()} MiB; the driver took {took:.1f} s")
    events = [e for e in m.vm.qmp().events if e["event"] == "BALLOON_CHANGE"]
    assert 1 <= len(events) <= took + 3, events
    assert events[-1]["data"]["actual"] <= 512 * MIB, events
    assert refusal(m.vm, "balloon", value=0) == "GenericError"
    check_words(t, m)
    m.vm.qmp().command("stop")
    m.vm.qmp().command("balloon", value=1 << 40)
    time.sleep(2)
    assert m.actual() == 192, "a stopped guest took memory"
    m.vm.qmp().command("cont")
    m.until("all of it again", lambda: m.actual() == 512)
    fill(m)
    m.shell.do("rm /tmp/file")
    # What a driver has taken is its successor's; the target stands.
    m.vm.qmp().command("balloon", value=256 * MIB)
    m.until("256 MiB", lambda: m.actual() == 256)
    m.vm.qmp().command("system_reset")
    m.shell = Shell(m.vm, boots=2)
    m.until("256 MiB after a reset", lambda: m.actual() == 256)
    m.quit()


def refusal(vm, command, **arguments):
    try:
        vm.qmp().command(command, **arguments)
    except Refused as why:
        return why.error["class"]
    raise AssertionError(f"{command} {arguments}: taken")


def check_words(t, m):
    """What the guest says of its memory, by carrelctl and as metrics."""
    m.counters()
    time.sleep(2)
    stats = m.counters()["balloon"]["stats"]
    free = int(m.shell.do("grep MemFree /proc/meminfo").split()[1]) << 10
    assert abs(stats["stat-free-memory"] - free) < 40 * MIB, (stats, free)
    assert stats["stat-total-memory"] < 512 * MIB, stats
    status, out = run([t.program("carrelctl"), m.vm.control, "balloon"])
    assert status == 0 and "has:            192 MiB" in out, out
    t.note(out)
    status, out = run([t.program("carrelctl"), m.vm.control, "metrics"])
    assert f"carrel_balloon_actual_bytes {192 * MIB}\n" in out, out
    assert 'carrel_guest_memory_bytes{kind="available"}' in out, out


def out_of_memory(t):
    """The guest takes back what it needs."""
    m = Machine(t)
    m.vm.qmp().command("balloon", value=150 * MIB)
    m.until("it gives what it has", lambda: m.actual() < 170)
    m.shell.do("head -c 150000000 /dev/zero | tr '\\0' x > /tmp/file",
               timeout=t.patience)
    assert m.actual() > 170, m.actual()
    m.quit()


def poison(t):
    """A kernel that checks its free pages finds them as it left them."""
    m = Machine(t, cmdline="page_poison=1")
    said = m.shell.do("dmesg | grep auto-init:")
    assert "CONFIG_PAGE_POISONING is on" in said, said
    for _ in range(2):
        fill(m, 100)
        m.shell.do("rm /tmp/file; sleep 4")
    bad = m.shell.do("dmesg | grep -c -e corruption -e pagealloc",
                     status=None).split()[-1]
    assert bad == "0", m.shell.do("dmesg | tail -40")
    # The driver reports them, and they stay as they are.
    balloon = m.counters()["balloon"]
    assert balloon["reported-bytes"] == 0, balloon
    m.quit()


def refused(t):
    status, out = run([t.program("carrel"), "run", "--firmware", "x",
                       "--sev", "policy=1", "--balloon"])
    assert status == 1 and "pins" in out, out
    vm = t.direct("--paused")
    for command, arguments in (("balloon", {"value": MIB}),
                               ("query-balloon", {})):
        got = refusal(vm, command, **arguments)
        assert got == "DeviceNotActive", got
    status, out = run([t.program("carrelctl"), vm.control, "balloon"])
    assert status == 3 and "no balloon" in out, out
    vm.qmp().command("quit")
    assert vm.wait() == 0


def parts(t):
    t.check("not with --sev, and none without the flag", refused, t)
    t.check("freed memory comes back", free_pages, t)
    t.check("a target, statistics, stop, reset", target, t)
    t.check("a guest that runs out of memory", out_of_memory, t)
    t.check("a kernel that poisons its pages", poison, t)
