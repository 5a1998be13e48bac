# SPDX-License-Identifier: Apache-2.0
"""Another GRUB configuration, a damaged file system, a damaged LUKS header: no
boot. (What a host can do to the contents of files is in encrypted-images.md.)"""
from e2e.disk import Disk, flip, prepare, refused

SECONDS = 50
DISK = "luks1"


def grub_cfg(t):
    """The host starts a firmware whose GRUB has another grub.cfg (the one
    that asks at the console); the owner expects the real one."""
    vm, owner = prepare(t, Disk(t, DISK), name="cfg",
                        firmware=t.sev_firmware_prompt)
    status, out = owner.attest(vm, kernel=False, firmware=t.sev_firmware)
    assert status == 1, f"attest ended with {status}: {out}"
    assert "measurement" in out, out
    assert vm.status() == "prelaunch", "the guest ran"
    assert not vm.console(), "the guest spoke"
    vm.qmp().command("quit")
    assert vm.wait() == 0


def ciphertext(t):
    """One bit of the file system's superblock: noise once decrypted."""
    disk = Disk(t, DISK)
    at = disk.data_offset() + 1024 + 56
    flip(disk.path, at)
    try:
        refused(t, disk, r"carrel-grub: 1 volume open, but no grub.cfg",
                name="ciphertext")
    finally:
        flip(disk.path, at)


def header(t):
    """Its first byte; tests/unit has all that a header can say wrong."""
    disk = Disk(t, DISK)
    at = disk.luks_offset()
    flip(disk.path, at)
    try:
        refused(t, disk, r"carrel-grub: there is no LUKS volume", name="header")
    finally:
        flip(disk.path, at)


def parts(t):
    t.check("another grub.cfg", grub_cfg, t)
    t.check("a damaged file system", ciphertext, t)
    t.check("a damaged LUKS header", header, t)
