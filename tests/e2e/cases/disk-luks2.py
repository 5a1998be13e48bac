# SPDX-License-Identifier: Apache-2.0
"""An encrypted disk (LUKS2) boots to a login with no one at the keyboard."""
from e2e.disk import Disk, Shell, boot, check_system, power_off

SECONDS = 240
DISK = "luks2"


def run(t):
    vm = boot(t, Disk(t, DISK))
    shell = Shell(vm)
    check_system(shell)
    power_off(vm, shell)
