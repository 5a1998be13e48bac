# SPDX-License-Identifier: Apache-2.0
"""Without the passphrase there is no boot, no shell and a line that says why."""
from e2e.disk import Disk, prepare, refused, refused_end

SECONDS = 40
DISK = "luks1"


def wrong(t):
    key = t.tmp / "wrong.key"
    key.write_text("not-the-passphrase-of-this-disk")
    refused(t, Disk(t, DISK), r"carrel-grub: the passphrase opens none of 1 LUKS volume", passwd=key,
            name="wrong")


def line_end(t):
    disk = Disk(t, DISK)
    key = t.tmp / "line-end.key"
    key.write_bytes(disk.key.read_bytes() + b"\n")
    refused(t, disk, r"carrel-grub: the passphrase that arrived ends with a line end", passwd=key, name="line-end")


def absent(t):
    """The owner starts the guest without a passphrase."""
    vm, _ = prepare(t, Disk(t, DISK), name="absent")
    vm.qmp().command("cont")
    refused_end(vm, r"carrel-grub: no secret was sent")


def parts(t):
    t.check("a wrong passphrase", wrong, t)
    t.check("a passphrase and a line end", line_end, t)
    t.check("no passphrase", absent, t)
