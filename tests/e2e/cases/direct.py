# SPDX-License-Identifier: Apache-2.0
"""A kernel by itself, without firmware: CPUs, devices, power, reset."""
from e2e.launch import check_disk, check_end, one, ready

SECONDS = 150
KERNELS = True
MOST_EXITS = 2000       # to the VMM until init waits, the console's aside


def check_board(facts, cpus=1):
    assert one(facts, "cpus") == str(cpus), facts["cpus"]
    assert "KVM" in one(facts, "hypervisor"), facts["hypervisor"]
    assert one(facts, "clock") == "kvm-clock", facts["clock"]
    assert one(facts, "efi") == "", "there is a firmware"


def boots(t, cpus):
    disk = t.disk()
    vm = t.direct("--cpus", cpus, "--disk", f"path={disk}", "--rng",
                  cmdline="carrel.write=yes")
    facts = ready(vm)
    check_board(facts, cpus)
    check_end(vm)
    facts = vm.facts()
    assert facts["wrote"][-1] == "reads back", facts
    assert one(facts, "rng bytes") == "64", facts["rng bytes"]
    assert int(one(facts, "interrupts").split()[0]) > 0, "no MSI-X"


def vmlinux(t):
    disk = t.disk()
    vm = t.direct("--cpus", 2, "--disk", f"path={disk}", kernel=t.vmlinux)
    facts = ready(vm)
    check_board(facts, 2)
    check_disk(facts, disk)
    check_end(vm)


def high_memory(t):
    """RAM on both sides of the hole, and an initrd at the end of the low."""
    vm = t.direct(memory="2200M")
    facts = ready(vm)
    kib = int(one(facts, "memory").split()[0])
    assert kib > 2050 << 10, f"{kib} KiB of 2200 MiB"
    check_end(vm)


def waits_for_nothing(t, vm):
    """What docs/microvm.md counts: a kernel that searches buses, calibrates
    or polls has ten times as many exits, under QEMU for one."""
    (cpu,) = vm.qmp().command("x-carrel-counters")["vcpus"]
    written = vm.serial.stat().st_size
    t.note(f"{cpu['exits']} exits, with a console of {written} bytes: "
           f"{cpu['exits-by-kind']}")
    assert cpu["exits"] - 2 * written < MOST_EXITS, cpu


def button(t):
    vm = t.direct(cmdline="carrel.test=button")
    vm.qmp()
    vm.expect("carrel-guest: button: event")
    waits_for_nothing(t, vm)
    vm.qmp().command("system_powerdown")
    check_end(vm)
    assert vm.facts()["button"][-1] == "pressed", vm.facts()


def resets(t, kernel):
    """By the guest, then by the host: each begins in the kernel again."""
    vm = t.direct("--cpus", 2, kernel=kernel, cmdline="carrel.test=reset")
    vm.qmp()
    for n in (1, 2):
        event = vm.qmp().event("RESET", t.patience)
        assert event["data"]["reason"] == "guest-reset", event
        vm.expect("carrel-guest: cpus: 2", count=n + 1)
    vm.qmp().command("stop")
    vm.qmp().command("system_reset")
    vm.qmp().command("cont")
    vm.expect("carrel-guest: cpus: 2", count=4)
    vm.qmp().command("quit")
    assert vm.wait() == 0


def parts(t):
    for cpus in (1, 4):
        t.check(f"a bzImage, {cpus} CPUs, disk, entropy", boots, t, cpus)
    t.check("a vmlinux by PVH, 2 CPUs, disk", vmlinux, t)
    t.check("memory above 4 GiB", high_memory, t)
    t.check("few exits, and the power button", button, t)
    t.check("resets of a bzImage", resets, t, t.kernel)
    t.check("resets of a vmlinux", resets, t, t.vmlinux)
