# SPDX-License-Identifier: Apache-2.0
"""A guest updates its kernel and boots it with the same firmware digest."""
from e2e.disk import Disk, Shell, boot, check_system, power_off

SECONDS = 640
DISK = "luks2"


def run(t):
    disk = Disk(t, DISK)
    digest = t.owner(name="owner-digest").ok(
        "digest", "--firmware", t.sev_firmware)
    vm = boot(t, disk, name="before", cpus=2, after=[
        "--disk", f"path={t.update},readonly=on"])
    shell = Shell(vm)
    old = shell("uname -r")
    # The least effort: in the lab the best compression takes four minutes.
    shell("echo COMPRESSLEVEL=1 > /etc/initramfs-tools/conf.d/fast")
    shell("tar xf /dev/vdb -C /run")
    out = shell("dpkg -i /run/kernel.deb", timeout=900)
    assert "update-initramfs: Generating" in out, out
    power_off(vm, shell)

    vm = boot(t, disk, name="after")
    shell = Shell(vm)
    new = shell("uname -r")
    assert new != old, f"still {old}"
    check_system(shell)
    power_off(vm, shell)
    assert digest == t.owner(name="owner-again").ok(
        "digest", "--firmware", t.sev_firmware)
    t.note(f"kernel {old}, then {new}; firmware digest {digest.strip()}")
