# SPDX-License-Identifier: Apache-2.0
"""The firmware starts the GRUB inside it and nothing else."""
import pathlib
import re

from e2e.launch import check_end
from e2e.vm import run

SECONDS = 40
MTOOLS = pathlib.Path(__file__).parents[3] / "boot/image/mtools.conf"
STARTED = r'BdsDxe: starting Boot\d+ "[^"]*" from PciRoot'    # from a disk


def disk_with_kernel(t):
    """A file system as firmwares know it, with a system of the host's in the
    place where they look for one."""
    path = t.tmp / "esp"
    path.write_bytes(bytes(64 << 20))
    for argv in (["mformat", "-i", path, "-F", "::"],
                 ["mmd", "-i", path, "::/EFI", "::/EFI/BOOT"],
                 ["mcopy", "-i", path, t.kernel, "::/EFI/BOOT/BOOTX64.EFI"]):
        status, out = run(argv, env={"MTOOLSRC": str(MTOOLS)})
        assert status == 0, f"{argv}: {out}"
    return path


def ends(t, name, *args):
    """GRUB says that it found nothing and powers off."""
    owner = t.owner(name=name)
    vm = t.carrel("--sev", owner.sev, *args, emulated=True, kernel=False)
    owner.admit(vm, kernel=False)
    vm.qmp()
    vm.expect(r"carrel-grub: there is no LUKS volume on any disk")
    vm.expect(r"carrel-grub: powering off")
    check_end(vm)
    return vm.console()


def parts(t):
    t.check("without a disk GRUB says so and powers off", ends, t, "no-disk")
    t.check("a system on a plain disk is not started", not_started, t)
    t.check("an ordinary firmware would have started it", started, t)
    t.check("a shim that the host slips in is not started", no_shim, t)


def not_started(t):
    console = ends(t, "disk", "--disk", f"path={disk_with_kernel(t)}")
    assert not re.search(STARTED, console), console


def started(t):
    vm = t.carrel("--disk", f"path={disk_with_kernel(t)}", kernel=False,
                  firmware=t.plain_firmware)
    vm.expect(STARTED)


def no_shim(t):
    """QEMU hands over the right kernel and one more program. The table of
    hashes has no entry for that: nothing of the host's may run."""
    owner = t.owner(name="shim")
    vm = t.qemu("-S", *owner.qemu_sev(), "-fw_cfg",
                f"name=etc/boot/shim,file={t.stock_kernel}",
                machine=",confidential-guest-support=sev0")
    owner.admit(vm)
    vm.qmp()
    vm.expect(r"carrel-grub: powering off")
    check_end(vm)
