# SPDX-License-Identifier: Apache-2.0
"""Guests that boot from an encrypted disk: firmware with GRUB inside, a
passphrase that arrives as the launch secret, a system that is typed to."""
import contextlib
import json
import pathlib
import re

from e2e.setup import e2e
from e2e.vm import run

TOOL = e2e.parent.parent / "boot" / "image" / "carrel-image"
PASSWORD = "a-password-for-tests"       # root's, in the images of artefacts
BOOT_SECONDS = 900
PROMPT = r"root@\S+:\S*# $"
SECRET, SECRET_BYTES = 0x810000, 0xc00      # as edk2 2025.02 lays it out
# Physical memory as the guest's own processor sees it: mapped, since what is
# read from /dev/mem comes without the C-bit. perl is in every Debian.
READ = """perl -e 'open F, "</dev/mem" or die; \
$at = syscall(9, 0, 4096, 1, 1, fileno(F), {page}); die $! if $at < 0; \
print substr(unpack("P4096", pack("Q", $at)), {offset}, {length})'"""


class Disk:
    """A copy of an image of its own, made before the case (see run), and the
    keys that it was built with."""

    def __init__(self, t, kind="luks2", copy=None):
        image = pathlib.Path(t.artefacts[f"IMAGE_{kind.upper()}"])
        self.path = copy or t.dir.parent / "disks" / f"{t.name}.img"
        self.key = image.with_suffix(".key")
        self.recovery = image.with_suffix(".recovery")

    def inspect(self):
        status, out = run([TOOL, "inspect", "--json", self.path])
        assert status == 0, out
        return json.loads(out)

    def luks_offset(self):
        """Where in the image the LUKS header is, in bytes."""
        report = self.inspect()
        return next(p["start"] for p in report["partitions"]
                    if p["number"] == report["luks"]["partition"])

    def data_offset(self):
        return self.luks_offset() + self.inspect()["luks"]["data_offset"]


def flip(path, at):
    """One bit of a file."""
    with open(path, "r+b") as f:
        f.seek(at)
        byte = f.read(1)[0]
        f.seek(at)
        f.write(bytes([byte ^ 1]))


def prepare(t, disk, passwd=None, policy=1, firmware=None, name="carrel",
            emulated=True, memory="512M", cpus=1, before=(), after=()):
    """A guest that waits for its owner, and the owner."""
    owner = t.owner(name=f"owner-{name}", policy=policy,
                    passwd=passwd or disk.key)
    vm = t.carrel("--sev", owner.sev, *before, "--disk", f"path={disk.path}",
                  *after, "--rng", "--cpus", cpus, name=name,
                  emulated=emulated, kernel=False, firmware=firmware or t.sev_firmware,
                  memory=memory, typing=True)
    return vm, owner


def admit(vm, owner, firmware=None):
    return owner.admit(vm, kernel=False,
                       firmware=firmware or owner.case.sev_firmware)


def boot(t, disk, **kw):
    """Starts it with the right passphrase, waits for the login prompt."""
    vm, owner = prepare(t, disk, **kw)
    admit(vm, owner, kw.get("firmware"))
    vm.qmp()
    login(vm)
    return vm


def login(vm):
    """Waits for the prompt: a whole system takes its time in the lab."""
    vm.expect(r"login: $", BOOT_SECONDS)


class Shell:
    """Root's, on the serial console."""

    def __init__(self, vm):
        self.vm, self.n = vm, 0
        vm.type("root\n")
        vm.expect(r"Password: ")
        vm.type(PASSWORD + "\n")
        vm.expect(PROMPT)

    def status(self, command, timeout=None):
        """Its exit status and output. The marks are computed, so that the
        echo of what is typed does not look like them."""
        self.n += 1
        self.vm.type(f"echo B$(({self.n}+0))B; {command}; "
                     f"echo S$(({self.n}+0))S $?\n")
        end = self.vm.expect(rf"S{self.n}S (\d+)", timeout)
        text = self.vm.console()
        start = re.search(rf"^B{self.n}B\r*\n", text, re.M)
        return int(end[1]), text[start.end():end.start()].replace("\r", "")

    def __call__(self, command, timeout=None):
        status, out = self.status(command, timeout)
        assert status == 0, f"{command}: status {status}: {out}"
        return out.strip()


def power_off(vm, shell=None):
    """By the shell, or by the power button."""
    if shell:
        vm.type("systemctl poweroff\n")
    else:
        vm.qmp().command("system_powerdown")
    event = vm.qmp().event("SHUTDOWN", vm.case.patience)
    assert event["data"]["reason"] == "guest-shutdown", event
    got = vm.wait()
    assert got == 0, f"exit status {got}"


def check_system(shell):
    """What a guest that came up from the encrypted disk must look like."""
    assert "AMD SEV" in shell("dmesg | grep 'Memory Encryption Features'")
    assert shell("lsblk -no TYPE $(findmnt -no SOURCE /)") == "crypt"
    failed = shell("systemctl list-units --failed --no-legend --plain")
    assert not failed, f"failed units: {failed}"
    assert read(shell, entry_point(shell), 3) == b"_SM", "cannot read memory"
    left = read(shell, SECRET, SECRET_BYTES).strip(b"\0")
    assert not left, f"this is left in the secret area: {left}"


def entry_point(shell):
    """Of SMBIOS: something to try that reading on."""
    return int(shell("sed -n 's/SMBIOS3\\?=//p' /sys/firmware/efi/systab"
                     ).split()[0], 16)


def read(shell, address, length):
    """Bytes of the guest's physical memory, which the kernel does not use."""
    command = READ.format(page=address & ~4095, offset=address & 4095,
                          length=length)
    out = bytes.fromhex(shell(f"{command} | od -v -An -t x1"))
    assert len(out) == length, f"{len(out)} bytes of {length}"
    return out


def refused(t, disk, why, **kw):
    """The owner hands out a passphrase and GRUB can do nothing with it."""
    vm, owner = prepare(t, disk, **kw)
    admit(vm, owner)
    refused_end(vm, why)


def refused_end(vm, why):
    """GRUB says why and powers off; it offers no shell on the way."""
    vm.qmp()
    for moment in (r"Booting|loading|carrel-grub", why):
        vm.expect(moment)
        with contextlib.suppress(BrokenPipeError):      # it has ended
            vm.type("c\x1b\ne\x04ls\n")
    event = vm.qmp().event("SHUTDOWN", vm.case.patience)
    assert event["data"]["reason"] == "guest-shutdown", event
    assert vm.wait() == 0
    for bad in ("grub>", "grub rescue>", "Minimal BASH", "UEFI Interactive"):
        assert bad not in vm.console(), f"the console said {bad}"
