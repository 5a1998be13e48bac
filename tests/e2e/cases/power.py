# SPDX-License-Identifier: Apache-2.0
"""Power button, SIGTERM, reset, stop and cont; what of a reset under SEV."""
import signal
import time

from e2e.launch import attested, check_end, ready
from e2e.qmp import Refused

SECONDS = 180


def plain(t, test, *args, cmdline="", **kw):
    vm = t.carrel(*args, firmware=t.plain_firmware,
                  cmdline=f"carrel.test={test} {cmdline}".strip(), **kw)
    vm.qmp()
    return vm


def stop_and_cont(t):
    vm = plain(t, "count")
    vm.expect(r"carrel-guest: count: 3$")
    vm.qmp().command("stop")
    vm.qmp().event("STOP")
    assert vm.status() == "paused"
    time.sleep(0.5)
    before = vm.console()
    time.sleep(2)
    assert vm.console() == before, "a stopped guest goes on"
    vm.qmp().command("cont")
    vm.qmp().event("RESUME")
    vm.expect(rf"carrel-guest: count: {before.count('count:') + 3}$")
    vm.qmp().command("system_reset")
    vm.qmp().event("RESET")
    vm.expect(r"carrel-guest: count: 3$", count=2)
    vm.signal(signal.SIGTERM)       # nobody in the guest listens
    time.sleep(0.5)
    assert vm.alive(), "one SIGTERM only presses the button"
    vm.signal(signal.SIGTERM)
    assert vm.wait(20) == 0


def button(t):
    vm = plain(t, "button")
    vm.expect("carrel-guest: button: event")
    vm.qmp().command("system_powerdown")
    check_end(vm)
    assert vm.facts()["button"][-1] == "pressed", vm.facts()


def sigterm(t):
    vm = plain(t, "button", "--cpus", 2)
    vm.expect("carrel-guest: button: event")
    vm.signal(signal.SIGTERM)
    check_end(vm)


def reset(t):
    vm = plain(t, "reset")
    ready(vm)
    event = vm.qmp().event("RESET", t.patience)
    assert event["data"] == {"guest": True, "reason": "guest-reset"}, event
    vm.expect("carrel-guest: ready", count=2)
    vm.qmp().command("quit")
    assert vm.wait() == 0


def no_reboot(t):
    vm = plain(t, "reset", "--no-reboot")
    check_end(vm, 3, "guest-reset")


def crash(t):
    vm = plain(t, "crash", cmdline="reboot=t")
    vm.qmp().event("GUEST_PANICKED", t.patience)
    assert vm.wait() == 4


def under_sev(t):
    """Others may not reset it, and are told why; when it does so itself that
    is its end."""
    why = "a SEV guest is not reset in place: launch it again, with a fresh " \
        "session"
    vm = attested(t, cmdline="carrel.test=reset")
    try:
        vm.qmp().command("system_reset")
        raise AssertionError("a SEV guest was reset")
    except Refused as refusal:
        assert why in str(refusal), refusal
    assert vm.status() == "running", vm.status()
    ready(vm)
    check_end(vm, 3, "guest-reset")
    assert vm.console().count("carrel-guest: ready") == 1, vm.console()
    said = vm.messages()
    assert "the guest reset (" in said and why in said, said


def parts(t):
    t.check("stop, cont, system_reset, SIGTERM twice", stop_and_cont, t)
    t.check("the power button by QMP", button, t)
    t.check("SIGTERM is the power button", sigterm, t)
    t.check("the guest resets and boots again", reset, t)
    t.check("--no-reboot ends with 3", no_reboot, t)
    t.check("a triple fault ends with 4", crash, t)
    t.check("a SEV guest is not reset, and says why", under_sev, t)
