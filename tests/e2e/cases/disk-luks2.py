# SPDX-License-Identifier: Apache-2.0
"""A disk (LUKS2) boots by a new key, beside a second disk, its header exchanged."""
import subprocess

from e2e.disk import (TOOL, Disk, Shell, admit, check_system, login,
                      power_off, prepare)
from e2e.vm import run as run_program

SECONDS = 200
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


def rekeyed(t, disk):
    new = t.tmp / "new.key"
    status, out = run_program([TOOL, "rekey", "--key-file", disk.key,
                               "--new-key", new, disk.path])
    assert status == 0, out
    return new


def run(t):
    """The other disk comes first on the bus, where /dev/vda is. The header is
    exchanged once GRUB has read it."""
    disk, other = Disk(t, DISK), t.image_luks1
    key = rekeyed(t, disk)
    forged = header_of_the_host(t, disk)
    vm, owner = prepare(t, disk, passwd=key,
                        before=["--disk", f"path={other},readonly=on"])
    admit(vm, owner)
    vm.qmp()
    vm.expect(r"carrel-grub: .* is open")
    with open(disk.path, "r+b") as f:
        f.seek(disk.luks_offset())
        f.write(forged)
    login(vm)
    assert "opens none" not in vm.console(), vm.console()
    shell = Shell(vm)
    check_system(shell)
    assert shell("ls /sys/block/dm-0/slaves") == "vdb2"
    power_off(vm, shell)
