# SPDX-License-Identifier: Apache-2.0
"""What follows when a guest's kernel panics or crashes, by --panic."""
import time

from e2e.launch import check_end
from e2e.qmp import Refused
from e2e.shell import Shell

SECONDS = 130
PORT = "dd of=/dev/port bs=1 seek=1285 conv=notrunc 2>/dev/null"


def guest(t, *args, cmdline=""):
    vm = t.direct(*args, initrd=t.health_initrd, typing=True,
                  cmdline=f"carrel.test=shell {cmdline}")
    return vm, Shell(vm)


def told(vm, action):
    event = vm.qmp().event("GUEST_PANICKED", vm.case.patience)
    assert event["data"] == {"action": action}, event


def panic(shell):
    shell.type("echo c > /proc/sysrq-trigger")


def shutdown(t):
    vm, shell = guest(t)
    panic(shell)
    told(vm, "poweroff")
    check_end(vm, 4, "guest-panic")
    assert "the guest panicked" in vm.messages(), vm.messages()


def reset(t):
    vm, shell = guest(t, "--panic", "reset")
    panic(shell)
    told(vm, "reset")
    event = vm.qmp().event("RESET")
    assert event["data"] == {"guest": True, "reason": "guest-panic"}, event
    Shell(vm, boots=2)
    vm.qmp().command("quit")
    assert vm.wait() == 0


def pause(t):
    vm, shell = guest(t, "--panic", "pause", "--cpus", 2)
    panic(shell)
    told(vm, "pause")
    vm.qmp().event("STOP")
    assert vm.status() == "guest-panicked", vm.status()
    before = vm.console()
    time.sleep(2)
    assert vm.console() == before, "a paused guest goes on"
    vm.qmp().command("cont")        # its kernel restarts the machine
    event = vm.qmp().event("RESET", t.patience)
    assert event["data"]["reason"] == "guest-reset", event
    panic(Shell(vm, boots=2))
    vm.qmp().event("STOP", t.patience)
    vm.qmp().command("system_reset")
    assert vm.status() == "paused", vm.status()
    vm.qmp().command("cont")
    Shell(vm, boots=3)
    vm.qmp().command("quit")
    assert vm.wait() == 0


def none(t):
    vm, shell = guest(t, "--panic", "none")
    shell.do(rf"printf '\002' | {PORT}")
    event = vm.qmp().event("GUEST_CRASHLOADED")
    assert event["data"] == {"action": "run"}, event
    shell.do("sleep 1")
    shell.do(rf"for i in 1 2 3 4 5 6 7 8 9; do printf '\001' | {PORT}; done")
    told(vm, "run")
    shell.do("sleep 1")
    panic(shell)
    told(vm, "run")
    vm.qmp().event("RESET", t.patience)
    vm.qmp().command("quit")
    assert vm.wait() == 0
    assert vm.messages().count("by --panic none") < 5, "too many lines"


def triple_fault(t):
    vm, shell = guest(t, "--panic", "pause", cmdline="reboot=t")
    shell.type("reboot -f")
    told(vm, "pause")
    vm.qmp().event("STOP")
    assert vm.status() == "internal-error", vm.status()
    try:
        vm.qmp().command("cont")
        raise AssertionError("a guest after a triple fault goes on")
    except Refused as why:
        assert "Resetting" in str(why), why
    vm.qmp().command("system_reset")
    vm.qmp().command("cont")
    Shell(vm, boots=2)
    vm.qmp().command("quit")
    assert vm.wait() == 0


def parts(t):
    t.check("a panic ends the VM with 4", shutdown, t)
    t.check("--panic reset", reset, t)
    t.check("--panic pause; cont, and a reset", pause, t)
    t.check("--panic none; the crash kernel's event", none, t)
    t.check("--panic pause after a triple fault", triple_fault, t)
