# SPDX-License-Identifier: Apache-2.0
"""The initramfs: made by the system's own tool, in the system, with the key
file in it. Both tools get settings that last, so that a kernel update in the
running guest makes the same again.

Who holds the console can make the initramfs fail, by the disk, and would get a
shell beside the key file: panic=10 (of initramfs-tools and of the kernel) and
dracut's rd.shell=0 restart the guest instead, and are also in the initramfs,
where no damage to grub.cfg reaches them. Where the kernel cannot start what is
in the initramfs, init= keeps it from trying /bin/sh."""
from . import command, system
from .fault import Fault, Usage

DISKS = ["virtio_pci", "virtio_blk", "virtio_scsi", "sd_mod"]
ROOT = ["dm_mod", "dm_crypt", "ext4", "crc32c_generic", "crc32c_intel"]
# aesni: of the machine that boots, which need not be the one that builds.
CRYPTO = ["aes_generic", "aesni_intel", "xts", "ecb", "cbc", "sha256_generic",
          "sha256_ssse3", "algif_skcipher", "algif_hash", "crypto_simd"]

NO_SHELL = "rd.shell=0 rd.emergency=reboot"     # dracut's

ZSTD = b"\x28\xb5\x2f\xfd"      # RFC 8878, 3.1.1

HOOK = f"""\
#!/bin/sh
# Written by carrel-image. The key file is copied by cryptsetup's own hook; the
# header that crypttab names is not.
[ "$1" != prereqs ] || exit 0
. /usr/share/initramfs-tools/hook-functions
copy_file header {system.HEADER_FILE}
"""
# initramfs-tools starts /bin/sh, on the console, where it finds no init: a host
# that damages init's inode, or the directory it is in, would be root.
INIT = """\
#!/bin/sh
# Written by carrel-image. The initramfs would start /bin/sh in the place of an
# init that cannot be read, and whoever stores the disk can see to that.
[ "$1" != prereqs ] || exit 0
. /scripts/functions
panic=${panic:-10}
run-init -n "$rootmnt" "$init" || panic "$init cannot be read."
"""

# The tree with the few mounts that the tools want, none of which outlives
# them. What they write on the way, a key in it, stays in memory. Devices are
# nodes of its own, so that no hook of a system changes the mode of this
# machine's; in a user namespace, where such nodes cannot be opened, no hook
# could.
JAIL = """
set -e
cd "$1"; shift
mount -t proc proc proc
mkdir -p dev run tmp var/tmp
mount -t tmpfs -o mode=755 tmpfs dev
for d in run tmp var/tmp; do
	mount -t tmpfs -o mode=1777 tmpfs $d
done
for n in null:3 zero:5 full:7 random:8 urandom:9; do
	node=${n%:*}
	mknod -m 666 "dev/$node" c 1 "${n#*:}" && : < "dev/$node" && continue
	rm -f "dev/$node"
	: > "dev/$node"
	mount --bind "/dev/$node" "dev/$node"
done 2> /dev/null
ln -s /proc/self/fd dev/fd
exec chroot . "$@"
"""


class InitramfsTools:
    name = "initramfs-tools"
    signs = ["/usr/share/initramfs-tools/hooks/cryptroot"]
    needs = "/"
    crypttab_options = f"luks,initramfs,header={system.HEADER_FILE}"

    @staticmethod
    def cmdline(_uuid):
        return f"root={system.MAPPED} ro {system.OWN}"

    @staticmethod
    def image_of(version):
        return f"initrd.img-{version}"

    def settle(self, tree):
        tree.write("/etc/initramfs-tools/conf.d/carrel-image",
                   "# Written by carrel-image. Small: a boot loader without "
                   "AES instructions\n# decrypts it. UMASK: it holds the "
                   "volume's key file.\n"
                   "MODULES=list\nCOMPRESS=zstd\nCOMPRESSLEVEL=19\n"
                   "UMASK=0077\nRESUME=none\nFSTYPE=ext4\npanic=10\n")
        tree.write("/etc/cryptsetup-initramfs/conf-hook",
                   "# Written by carrel-image.\n"
                   f"KEYFILE_PATTERN={system.KEY_FILE}\nASKPASS=y\n")
        tree.write("/etc/initramfs-tools/hooks/carrel-image", HOOK, 0o755)
        tree.write("/etc/initramfs-tools/scripts/init-bottom/carrel-image",
                   INIT, 0o755)
        # Debian's file names sd_mod in a comment.
        listed = [line.split()[0] for line in
                  tree.read("/etc/initramfs-tools/modules").splitlines()
                  if line.strip() and not line.lstrip().startswith("#")]
        lacking = [m for m in DISKS + ROOT + CRYPTO if m not in listed]
        tree.write("/etc/initramfs-tools/modules",
                   tree.read("/etc/initramfs-tools/modules")
                   + "".join(f"{m}\n" for m in lacking))

    def argv(self, version):
        return ["update-initramfs", "-c", "-k", version]


class Dracut:
    name = "dracut"
    # The number is 70 in newer ones.
    signs = ["/usr/lib/dracut/modules.d/90crypt",
             "/usr/lib/dracut/modules.d/70crypt"]
    needs = "/usr/lib/systemd/system-generators/systemd-cryptsetup-generator"
    crypttab_options = f"luks,header={system.HEADER_FILE}"

    @staticmethod
    def cmdline(uuid):
        return (f"root={system.MAPPED} ro rd.luks.name={uuid}=root "
                f"rd.luks.key={uuid}={system.KEY_FILE} {NO_SHELL} "
                f"{system.OWN}")

    @staticmethod
    def image_of(version):
        return f"initrd.img-{version}"

    def settle(self, tree):
        tree.write("/etc/dracut.conf.d/carrel-image.conf",
                   "# Written by carrel-image.\n"
                   'hostonly="no"\n'
                   f'add_dracutmodules+=" crypt "\n'
                   f'install_items+=" {system.KEY_FILE} {system.HEADER_FILE} '
                   '/etc/crypttab "\n'
                   f'drivers+=" {" ".join(DISKS + ROOT + CRYPTO)} "\n'
                   f'filesystems+=" ext4 "\n'
                   f'kernel_cmdline+=" {NO_SHELL} "\n'
                   'compress="zstd -19 -q -T0"\n')

    def argv(self, version):
        return ["dracut", "--force", "--kver", version,
                f"/boot/{self.image_of(version)}"]


TOOLS = {t.name: t for t in (InitramfsTools(), Dracut())}


def is_in(tree, tool):
    return tree.has(tool.needs) and any(tree.has(s) for s in tool.signs)


def find(tree, wanted, given):
    """The tool the system has, or the one that was asked for."""
    if wanted and not is_in(tree, TOOLS[wanted]):
        raise Usage(f"{given} has no {wanted} that can open LUKS volumes")
    for tool in TOOLS.values():
        if is_in(tree, tool) and wanted in (None, tool.name):
            return tool
    raise Usage(f"{given} has nothing that makes an initramfs that can open "
                "LUKS volumes: install Debian's cryptsetup-initramfs in it, or "
                "dracut with its module crypt and systemd-cryptsetup")


def make(tree, tool, version):
    command.run(["unshare", "--mount", "--pid", "--fork", "--kill-child",
                 "--propagation", "private", "sh", "-c", JAIL, "sh", tree.root,
                 "env", "-i", f"PATH={command.PATH}", "HOME=/root",
                 "LC_ALL=C", *tool.argv(version)],
                f"{tool.name}, making the initramfs,",
                end="KILL")     # unshare waits for its child, come what may
    path = tree.at(f"/boot/{tool.image_of(version)}")
    path.chmod(0o600)
    return path


def demand_key(image, key, work):
    """Without its key file a system would ask at the console, where nobody
    is. An archive may have an uncompressed one before it, of microcode."""
    packed = image.read_bytes()
    start = packed.find(ZSTD)
    if key not in packed and start >= 0:
        plain = work / "initramfs"
        command.run(["zstd", "--decompress", "--quiet", "-o", plain],
                    "unpacking the initramfs", stdin=packed[start:])
        packed = plain.read_bytes()
        plain.unlink()
    if key not in packed:
        raise Fault(f"the initramfs {image.name} has not got the key file "
                    f"{system.KEY_FILE}: a hook or setting of the system's "
                    "keeps it out")
