# SPDX-License-Identifier: Apache-2.0
"""What a system needs to know about its own disk: fstab, crypttab, the boot
loader's file, and who it is."""
import re

from . import command
from .fault import Usage

KEY_FILE = "/etc/cryptsetup-keys.d/root.key"
HEADER_FILE = "/etc/cryptsetup-keys.d/root.header"
MAPPED = "/dev/mapper/root"
# A start that fails gives nobody a shell (initramfs.py). The rest is for systemd,
# which else takes partitions from the disk by their type, passwords and files
# from the host (by SMBIOS and fw_cfg) as credentials, and at a first boot root's
# password from the console.
OWN = ("panic=10 init=/sbin/init systemd.gpt_auto=no "
       "systemd.import_credentials=no systemd.firstboot=no")
# What does as its host says, and which no cmdline keeps from it.
OBEDIENT = {"/usr/bin/cloud-init": "cloud-init",
            "/usr/sbin/qemu-ga": "qemu-guest-agent",
            "/usr/bin/vmtoolsd": "open-vm-tools",
            "/usr/sbin/waagent": "waagent"}
HOSTNAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.I)
CMDLINE = re.compile(r"[ -~]*")
NOT_IN_GRUB = "\"'$\\`;|&<>#{}"     # that GRUB's shell takes for itself

MARK = "# carrel-image: not in this image: "
NO_DISK = re.compile(r"(?!/dev/|[A-Z]*(UUID|LABEL)=)\S+\s+(?!/\s)\S+\s+(?!swap)")
FSTAB = f"""\
# Written by carrel-image. The root is a LUKS volume; see crypttab.
{MAPPED} / ext4 errors=remount-ro 0 1
"""
CRYPTTAB = """\
# Written by carrel-image. The boot loader has opened this volume before, with
# the key that the guest's owner sent; the initramfs opens it again with this
# key file, which is in it and, like it, inside the volume. The header is there
# for the same reason: the one on the disk is plain text, and whoever stores the
# disk could put another in its place when the boot loader has read it, one that
# has no cipher. Its only slot is this key file's.
root UUID={uuid} {key_file} {options}
"""
GRUB = """\
# Written by carrel-image for the GRUB that is in the firmware: it runs this
# file when it has opened the volume. The links are the ones that Debian's
# kernel packages maintain, so that a new kernel needs no change here. An update
# that was cut off leaves a link to an initramfs that is not there. That is looked
# for first: GRUB's linux command, used twice, frees more memory than it took if
# the second kernel is the larger one.
if [ -s /initrd.img ]; then
	if linux /vmlinuz {cmdline}; then
		if initrd /initrd.img; then
			boot
		fi
	fi
fi
echo "The newest kernel cannot be started; trying the one before it."
if linux /vmlinuz.old {cmdline}; then
	if initrd /initrd.img.old; then
		boot
	fi
fi
"""


def check_hostname(name):
    if not HOSTNAME.fullmatch(name):
        raise Usage(f"--hostname '{name}': up to 63 letters, digits and "
                    "hyphens are expected")


def check_append(text):
    if not CMDLINE.fullmatch(text) or set(text) & set(NOT_IN_GRUB):
        raise Usage(f"--append '{text}': printable text without any of "
                    f"{NOT_IN_GRUB} is expected")


def obedient(tree):
    return [name for path, name in OBEDIENT.items() if tree.has(path)]


def identify(tree, hostname):
    """Who it is; and a machine id of its own at its first boot."""
    if hostname:
        tree.write("/etc/hostname", f"{hostname}\n")
    if not tree.has("/etc/hosts"):
        tree.write("/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n")
    if tree.has("/etc/machine-id"):
        tree.write("/etc/machine-id", "")


def set_password(tree, password):
    hashed = command.run(["openssl", "passwd", "-6", "-stdin"],
                         "hashing the password", stdin=password).strip()
    lines = tree.read("/etc/shadow").splitlines()
    if not any(line.startswith("root:") for line in lines):
        raise Usage("the system has no user root in /etc/shadow")
    # By a function: in a replacement text a \\ would be special.
    out = [re.sub(r"^root:[^:]*", lambda _: f"root:{hashed}", line)
           for line in lines]
    tree.rewrite("/etc/shadow", "\n".join(out) + "\n")


def describe_disk(tree, uuid, options):
    """What the system had on disks of its own is gone; what it mounts from
    elsewhere stays."""
    tree.write("/etc/fstab", FSTAB + others(tree.read("/etc/fstab"), NO_DISK))
    tree.write("/etc/crypttab",
               CRYPTTAB.format(uuid=uuid, key_file=KEY_FILE, options=options)
               + others(tree.read("/etc/crypttab"), re.compile(r"(?!)")))


def others(text, stays):
    """The lines of a table, those that do not stay as comments."""
    lines = [line for line in text.splitlines()
             if line.strip() and not line.lstrip().startswith("#")]
    return "".join(f"{line}\n" if stays.match(line) else f"{MARK}{line}\n"
                   for line in lines)


def put_key(tree, key):
    tree.write(KEY_FILE, key, 0o400)
    tree.at(KEY_FILE).parent.chmod(0o700)


def put_header(tree, header):
    tree.write(HEADER_FILE, header, 0o400)


def link_kernel(tree, version, initrd):
    """/vmlinuz and /initrd.img, unless the system's packages made them."""
    for link, name in (("/vmlinuz", f"boot/vmlinuz-{version}"),
                       ("/initrd.img", f"boot/{initrd}")):
        where = tree.root / link[1:]
        if not where.is_symlink():
            where.symlink_to(name)


def write_grub(tree, cmdline):
    """The second file is for a system with a GRUB of its own, whose grub.cfg
    replaces ours when it gets a new kernel."""
    tree.write("/boot/grub/grub.cfg", GRUB.format(
        cmdline=cmdline))
    tree.write("/etc/default/grub.d/carrel-image.cfg",
               "# Written by carrel-image.\n"
               f'GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX {cmdline}"\n')
