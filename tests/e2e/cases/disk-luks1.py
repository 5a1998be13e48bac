# SPDX-License-Identifier: Apache-2.0
"""An encrypted disk (LUKS1) boots to a login with no one at the keyboard."""
from e2e.disk import (Disk, Shell, boot, check_system, flip, power_off,
                      refused)

SECONDS = 130
DISK = "luks1"
CONFIG = "/boot/grub/grub.cfg"


def boots(t, where):
    vm = boot(t, Disk(t, DISK), name="whole")
    shell = Shell(vm)
    check_system(shell)
    where.append(int(shell(f"debugfs -R 'blocks {CONFIG}' /dev/mapper/root "
                           "2> /dev/null").split()[0]))
    power_off(vm, shell)


def garbled(t, where):
    """A host that saw which block GRUB reads first turns 16 bytes of the
    kernel's command line, or what comes before it, into noise."""
    assert where, "its block is not known"
    disk = Disk(t, DISK)
    flip(disk.path, disk.data_offset() + 4096 * where[0] + 256)
    refused(t, disk, rf"carrel-grub: .*{CONFIG} is damaged", name="garbled")


def parts(t):
    where = []
    t.check("to a root shell", boots, t, where)
    t.check("not with noise in grub.cfg", garbled, t, where)
