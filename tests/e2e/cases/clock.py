# SPDX-License-Identifier: Apache-2.0
"""kvm-clock, and the host's time by ptp_kvm."""
import pathlib
import time

from e2e.shell import Shell

SECONDS = 40


def run(t):
    vm = t.direct("--cpus", 2, initrd=t.health_initrd, typing=True,
                  cmdline="carrel.test=shell")
    shell = Shell(vm)
    facts = vm.facts()
    assert facts["clock"] == ["kvm-clock"], facts["clock"]
    source = pathlib.Path("/sys/devices/system/clocksource/clocksource0/"
                          "current_clocksource").read_text("ascii").strip()
    t.note(f"the host's clock source: {source}")
    before = time.time_ns()
    out = shell.do("ls /dev/ptp0; cat /sys/class/ptp/ptp0/clock_name; ptp",
                   status=None)
    after = time.time_ns()
    t.note(out)
    t.note(shell.do("dmesg | grep -i -e ptp -e kvm-clock", status=None))
    if source != "tsc":
        t.skip(f"KVM answers ptp_kvm where the host's clock is the TSC; it "
               f"is {source}")
    assert "KVM virtual PTP" in out, out
    guest_before, host, guest_after = map(
        int, vm.facts()["ptp"][-1].split())
    assert before <= host <= after, (before, host, after)
    t.note(f"host's time at most {(after - before) / 1e6:.1f} ms off; the "
           f"guest's own differs by {(host - guest_before) / 1e6:.3f} ms, "
           f"read in {(guest_after - guest_before) / 1e6:.3f} ms")
    vm.qmp().command("quit")
    assert vm.wait() == 0
