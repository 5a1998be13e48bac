# SPDX-License-Identifier: Apache-2.0
"""After an update that was cut off, the kernel before it boots."""
from e2e.disk import Disk, Shell, boot, power_off

SECONDS = 200
DISK = "luks2"


def cut_off(shell):
    """Another kernel, whose initramfs is not there yet."""
    shell("tar xf /dev/vdb -C /run; mkdir /root/new; "
          "dpkg-deb --fsys-tarfile /run/kernel.deb | tar x -C /root/new ./boot")
    shell("cp /root/new/boot/vmlinuz-* /boot/new; "
          "cp -P /vmlinuz /vmlinuz.old; cp -P /initrd.img /initrd.img.old; "
          "ln -sf boot/new /vmlinuz; ln -sf boot/lost /initrd.img")
    sizes = shell("stat -Lc %s /vmlinuz /vmlinuz.old").split()
    assert int(sizes[0]) < int(sizes[1]), \
        f"{sizes}: only a larger kernel shows what GRUB does wrong"


def run(t):
    disk = Disk(t, DISK)
    vm = boot(t, disk, name="before",
              after=["--disk", f"path={t.update},readonly=on"])
    shell = Shell(vm)
    cut_off(shell)
    power_off(vm, shell)
    vm = boot(t, disk, name="after")
    assert "trying the one before" in vm.console(), vm.console()
    power_off(vm, Shell(vm))
