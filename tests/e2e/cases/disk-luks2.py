# SPDX-License-Identifier: Apache-2.0
"""A disk (LUKS2) whose key was changed boots to a login, no one at the keyboard."""
from e2e.disk import TOOL, Disk, Shell, boot, check_system, power_off
from e2e.vm import run as run_program

SECONDS = 180
DISK = "luks2"


def run(t):
    disk, new = Disk(t, DISK), t.tmp / "new.key"
    status, out = run_program([TOOL, "rekey", "--key-file", disk.key,
                               "--new-key", new, disk.path])
    assert status == 0, out
    vm = boot(t, disk, passwd=new)
    shell = Shell(vm)
    check_system(shell)
    power_off(vm, shell)
