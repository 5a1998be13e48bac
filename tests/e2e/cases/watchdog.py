# SPDX-License-Identifier: Apache-2.0
"""The watchdog: fed, not fed, stopped, and what follows by --watchdog."""
import time

from e2e.launch import check_end
from e2e.shell import Shell

SECONDS = 150
FEED = "watchdog -T 4 -t 1 /dev/watchdog"
STARVE = "killall -9 watchdog"


def guest(t, action):
    vm = t.direct("--watchdog", action, initrd=t.health_initrd, typing=True,
                  cmdline="carrel.test=shell")
    return vm, Shell(vm)


def fired(vm, action):
    event = vm.qmp().event("WATCHDOG", vm.case.patience)
    assert event["data"] == {"action": action}, event


def bootstatus(shell):
    return int(shell.do(
        "cat /sys/class/watchdog/watchdog0/bootstatus").split()[-1])


def reset(t):
    vm, shell = guest(t, "reset")
    assert bootstatus(shell) == 0
    shell.do(FEED)
    time.sleep(8)
    vm.qmp().command("stop")
    time.sleep(8)                       # longer than the watchdog's patience
    vm.qmp().command("cont")
    shell.do("sleep 3")
    assert not [e for e in vm.qmp().events if e["event"] == "WATCHDOG"], \
        "it fired though it was fed, or the VM stopped"
    start = time.monotonic()
    shell.do(STARVE)
    fired(vm, "reset")
    t.note(f"fired {time.monotonic() - start:.1f} s after it starved; 4 s "
           "after the last meal was asked for")
    vm.qmp().event("RESET")
    shell = Shell(vm, boots=2)
    assert bootstatus(shell) == 0x20, "the guest is not told why (CARDRESET)"
    vm.qmp().command("quit")
    assert vm.wait() == 0


def pause(t):
    vm, shell = guest(t, "pause")
    shell.do(FEED)
    shell.do(STARVE)
    fired(vm, "pause")
    vm.qmp().event("STOP")
    assert vm.status() == "watchdog", vm.status()
    vm.qmp().command("cont")
    shell.do("true")
    shell.do(FEED)                      # fed again, it is on again
    shell.do(STARVE)
    fired(vm, "pause")
    vm.qmp().command("quit")
    assert vm.wait() == 0


def nmi(t):
    vm, shell = guest(t, "inject-nmi")
    shell.do(FEED)
    shell.do(STARVE)
    fired(vm, "inject-nmi")
    assert "NMI received" in shell.do("dmesg | grep NMI"), "no NMI"
    vm.qmp().command("quit")
    assert vm.wait() == 0


def poweroff(t):
    vm, shell = guest(t, "poweroff")
    shell.do(FEED)
    shell.do(STARVE)
    fired(vm, "poweroff")
    check_end(vm, 4, "guest-panic")


def shutdown(t):
    """A guest that is well enough to hear of its power button."""
    vm, shell = guest(t, "shutdown")
    shell.do("wait_for_button & true")
    vm.expect("carrel-guest: button: event")
    shell.do(FEED)
    shell.type(STARVE)
    fired(vm, "shutdown")
    check_end(vm)
    assert vm.facts()["button"][-1] == "pressed", vm.facts()


def none(t):
    vm, shell = guest(t, "none")
    shell.do(FEED)
    shell.do(STARVE)
    fired(vm, "none")
    shell.do("true")
    assert vm.status() == "running", vm.status()
    names = {e["event"] for e in vm.qmp().events}
    assert not names & {"STOP", "RESET", "POWERDOWN", "SHUTDOWN"}, names
    vm.qmp().command("quit")
    assert vm.wait() == 0


def parts(t):
    t.check("fed, stopped, starved: reset", reset, t)
    t.check("pause, and again after cont", pause, t)
    t.check("an NMI", nmi, t)
    t.check("power off ends with 4", poweroff, t)
    t.check("the power button", shutdown, t)
    t.check("nothing but the event", none, t)
