# SPDX-License-Identifier: Apache-2.0
"""Of two encrypted disks the passphrase opens the one that it fits."""
from e2e.disk import Disk, Shell, boot, check_system, power_off

SECONDS = 120
DISK = "luks2"


def run(t):
    """The other one comes first on the bus, where /dev/vda is."""
    other = t.image_luks1
    vm = boot(t, Disk(t, DISK),
              before=["--disk", f"path={other},readonly=on"])
    assert "opens none" not in vm.console(), vm.console()
    shell = Shell(vm)
    check_system(shell)
    assert shell("ls /sys/block/dm-0/slaves") == "vdb2"
    power_off(vm, shell)
