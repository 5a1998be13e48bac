# SPDX-License-Identifier: Apache-2.0
"""A system arrives in its image as it was, whoever its files belong to."""
import os
import shutil
import stat
import struct
import subprocess

from e2e.image import SIZE, debugfs, decrypted, passes, system

NEEDS = "host"
SECONDS = 60

# vfs_cap_data, revision 2: CAP_NET_RAW, as ping has it.
NET_RAW = struct.pack("<5I", 0x02000001, 1 << 13, 0, 0, 0)


def odd(tree):
    """What a copy by somebody careless would lose."""
    (tree / "bin" / "su").write_bytes(b"su")
    (tree / "bin" / "su").chmod(0o4755)
    (tree / "bin" / "ping").write_bytes(b"ping")
    os.setxattr(tree / "bin" / "ping", "security.capability", NET_RAW)
    (tree / "var" / "mail").mkdir()
    os.chown(tree / "var" / "mail", 0, 8)
    (tree / "var" / "mail").chmod(0o2775)
    (tree / "var" / "spool").write_bytes(b"mine")
    os.chown(tree / "var" / "spool", 1000, 1001)
    os.utime(tree / "var" / "spool", (1e9, 1e9))
    os.mknod(tree / "dev" / "odd", 0o600 | stat.S_IFCHR, os.makedev(5, 1))
    os.mkfifo(tree / "var" / "fifo")
    os.link(tree / "bin" / "ping", tree / "bin" / "ping6")
    os.symlink("/var/mail", tree / "mail")
    (tree / "etc" / "fstab").write_text("UUID=1 / ext4 ro 0 1\n"
                                        "/dev/sda2 none swap sw 0 0\n"
                                        "tmpfs /tmp tmpfs size=1m 0 0\n")
    (tree / "etc" / "machine-id").write_text("0123456789abcdef" * 2)
    (tree / "etc" / "hostname").write_text("own\n")
    (tree / "etc" / "initramfs-tools").mkdir()
    (tree / "etc" / "initramfs-tools" / "modules").write_text("# sd_mod\next4\n")


FOUND = [
    ("/bin/su", ["Mode:  04755"]),
    ("/bin/ping", ["security.capability (20) = 01 00 00 02 00 20", "Links: 2"]),
    ("/bin/ping6", ["security.capability", "Links: 2"]),
    ("/var/mail", ["Mode:  02775", "Group:     8"]),
    ("/var/spool", ["User:  1000", "Group:  1001", "mtime: 0x3b9aca00"]),
    ("/dev/odd", ["Type: character special", "05:01"]),
    ("/var/fifo", ["Type: FIFO"]),
    ("/mail", ['Fast link dest: "/var/mail"']),
    ("/etc/cryptsetup-keys.d", ["Mode:  0700", "User:     0"]),
    ("/etc/cryptsetup-keys.d/root.key", ["Mode:  0400", "User:     0"]),
    ("/boot/initrd.img-1.0", ["Mode:  0600"]),
    ("/opt/in", ["Mode:  0640", "User:     0"]),
    ("/opt", ["Mode:  0755"]),
    ("/", ["Mode:  0755"]),
]


def same(t, plain):
    for path, words in FOUND:
        said = debugfs(plain, f"stat {path}")
        for word in words:
            assert word in said, f"{path}: no \"{word}\" in: {said}"


def tables(t, plain):
    fstab = debugfs(plain, "cat /etc/fstab").splitlines()
    assert "/dev/mapper/root / ext4 errors=remount-ro 0 1" in fstab, fstab
    assert "tmpfs /tmp tmpfs size=1m 0 0" in fstab, fstab
    lost = [line for line in fstab if line.startswith("# carrel-image: ")]
    assert len(lost) == 2, fstab
    assert debugfs(plain, "cat /etc/machine-id") == ""
    assert debugfs(plain, "cat /etc/hostname") == "own\n"
    assert debugfs(plain, "cat /etc/shadow").startswith("root:$6$")


def loader(t, plain):
    said = debugfs(plain, "cat /boot/grub/grub.cfg")
    # Whoever holds the console gets no shell beside the key file, and neither
    # a partition nor a credential of the host's is taken.
    line = "root=/dev/mapper/root ro panic=10 init=/sbin/init " \
        "systemd.gpt_auto=no systemd.import_credentials=no " \
        "systemd.firstboot=no console=ttyS0 quiet carrel.x=1"
    assert f"linux /vmlinuz {line};" in said, said
    # A GRUB of the system's own, should it write that file anew, says the same.
    assert f' {line}"\n' in debugfs(
        plain, "cat /etc/default/grub.d/carrel-image.cfg")
    for link, target in (("/vmlinuz", "boot/vmlinuz-1.0"),
                         ("/initrd.img", "boot/initrd.img-1.0")):
        assert f'"{target}"' in debugfs(plain, f"stat {link}"), link


def initramfs(t, plain):
    """It holds the very key of the volume's slot 1, and crypttab."""
    key = debugfs(plain, "cat /etc/cryptsetup-keys.d/root.key")
    packed = debugfs(plain, "cat /boot/initrd.img-1.0")
    assert len(key) == 52 and key in packed and "luks,initramfs" in packed
    (t.tmp / "inner").write_text(key)
    said = passes("inspect", "--key-file", t.tmp / "inner",
                  t.tmp / "image.img")
    assert "opens slot 1" in said, said


def settings(t, plain):
    """Modules that only a comment names are added; no init is no shell."""
    at = "/etc/initramfs-tools"
    modules = debugfs(plain, f"cat {at}/modules").splitlines()
    assert "sd_mod" in modules and modules.count("ext4") == 1, modules
    name = f"{at}/scripts/init-bottom/carrel-image"
    assert "Mode:  0755" in debugfs(plain, f"stat {name}")
    (t.tmp / "functions").write_text("panic() { echo $panic $*; exit 9; }\n")
    script = debugfs(plain, f"cat {name}").replace("/scripts/functions",
                                                   str(t.tmp / "functions"))
    for program, want in (("true", (0, "")),
                          ("false", (9, "10 /x cannot be read.\n"))):
        (t.tmp / "run-init").unlink(missing_ok=True)
        (t.tmp / "run-init").symlink_to(f"/bin/{program}")
        done = subprocess.run(
            ["/bin/sh", "-c", script], check=False, stdout=subprocess.PIPE,
            text=True, env={"PATH": str(t.tmp), "init": "/x", "rootmnt": "/r"})
        assert (done.returncode, done.stdout) == want, done


def own_header(t, plain):
    """Linux opens the volume by a header inside it, for its slot alone."""
    at = "/etc/cryptsetup-keys.d/root.header"
    assert f"header={at}" in debugfs(plain, "cat /etc/crypttab")
    assert at in debugfs(plain, "cat /etc/initramfs-tools/hooks/carrel-image")
    debugfs(plain, f"dump {at} {t.tmp / 'header'}")
    opens = ["cryptsetup", "open", "--test-passphrase", "--header",
             t.tmp / "header"]
    for key, status in (("inner", 0), ("image.key", 2)):
        done = subprocess.run(
            [*opens, "--key-file", t.tmp / key, t.tmp / "image.img"],
            check=False, capture_output=True, text=True)
        assert done.returncode == status, f"{key}: {done}"


def untouched(t, tree, before):
    assert listing(tree) == before, "the tree that was given is changed"


def listing(tree):
    return sorted((str(p), (s := p.lstat()).st_mode, s.st_size, s.st_mtime)
                  for p in tree.rglob("*"))


def build(t, source):
    (t.tmp / "in").write_text("in")
    (t.tmp / "in").chmod(0o640)
    (t.tmp / "password").write_text("a word\n")
    for name in ("image.img", "image.key"):
        (t.tmp / name).unlink(missing_ok=True)
    passes("build", "--from", source, "--size", SIZE, "--no-recovery",
           "--new-key", t.tmp / "image.key", "--copy-in",
           f"{t.tmp / 'in'}:/opt/in", "--root-password-file",
           t.tmp / "password", "--append", "carrel.x=1", t.tmp / "image.img")
    return decrypted(t, t.tmp / "image.img")


def parts(t):
    if os.geteuid() != 0:
        t.check("files of a directory", t.skip,
                "only root can make such a system")
        return
    tree = system(t.tmp / "tree")
    odd(tree)
    before = listing(tree)
    plain = build(t, tree)
    t.check("files of a directory", same, t, plain)
    t.check("fstab, machine id, host name, password", tables, t, plain)
    t.check("what the boot loader reads", loader, t, plain)
    t.check("the key in the initramfs", initramfs, t, plain)
    t.check("a header of the system's own", own_header, t, plain)
    t.check("settings of initramfs-tools", settings, t, plain)
    t.check("the directory is as before", untouched, t, tree, before)
    tar_of(t, tree)
    shutil.rmtree(tree)
    mask = os.umask(0o077)      # of somebody careful
    try:
        plain = build(t, t.tmp / "tree:1.tar")
    finally:
        os.umask(mask)
    t.check("files of a tar", same, t, plain)


def tar_of(t, tree):
    """One that does not say what its root is like."""
    subprocess.run(["tar", "-C", tree, "--xattrs", "--xattrs-include=*",
                    "--force-local", "-cf", t.tmp / "tree:1.tar",
                    *sorted(os.listdir(tree))], check=True)
