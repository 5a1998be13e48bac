# SPDX-License-Identifier: Apache-2.0
"""A host that exchanges the LUKS header once GRUB has read it gains nothing."""
import subprocess

from e2e.disk import (Disk, Shell, admit, check_system, login,
                      power_off, prepare)

SECONDS = 150
DISK = "luks2"


def header_of_the_host(t, disk):
    """A header with the same UUID and with keys of the host's."""
    luks = disk.inspect()["luks"]
    path, key = t.tmp / "header", t.tmp / "host.key"
    key.write_text("a key of the host's")
    with open(path, "wb") as f:
        f.truncate(2 * luks["data_offset"])
    subprocess.run(
        ["cryptsetup", "luksFormat", "--batch-mode", "--disable-locks",
         "--type", "luks2", "--uuid", luks["uuid"], "--pbkdf", "pbkdf2",
         "--pbkdf-force-iterations", "1000", "--luks2-metadata-size", "16k",
         "--offset", str(luks["data_offset"] // 512),
         path, key], check=True)
    return path.read_bytes()[:luks["data_offset"]]


def run(t):
    disk = Disk(t, DISK)
    forged = header_of_the_host(t, disk)
    vm, owner = prepare(t, disk)
    admit(vm, owner)
    vm.qmp()
    vm.expect(r"carrel-grub: .* is open")
    with open(disk.path, "r+b") as f:
        f.seek(disk.luks_offset())
        f.write(forged)
    login(vm)
    shell = Shell(vm)
    check_system(shell)
    power_off(vm, shell)
