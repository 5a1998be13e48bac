# SPDX-License-Identifier: Apache-2.0
"""QEMU boots the same encrypted disk with the same firmware and owner."""
from e2e.disk import Disk, Shell, admit, check_system, login, power_off

SECONDS = 120
DISK = "luks2"


def run(t):
    disk = Disk(t, DISK)
    owner = t.owner(passwd=disk.key)
    vm = t.qemu("-S", *owner.qemu_sev(hashes="off"),
                "-drive", f"if=none,id=root,format=raw,file={disk.path}",
                "-device", "virtio-blk-pci,disable-legacy=on,"
                "iommu_platform=on,drive=root",
                machine=",confidential-guest-support=sev0", kernel=False,
                firmware=t.sev_firmware, memory="512M", typing=True)
    admit(vm, owner)
    login(vm)
    shell = Shell(vm)
    check_system(shell)
    power_off(vm, shell)
