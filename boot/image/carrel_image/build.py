# SPDX-License-Identifier: Apache-2.0
"""carrel-image build: from a system to an encrypted image.

The order keeps secrets few and short-lived: the system first, from the cache
or a copy; then a volume key and three keys for it; the initramfs, which holds
one of them; the file system; and at last its encryption into the image. Until
the image is complete and proved it has no name but in the work directory."""
import collections
import os
import pathlib
import secrets
import uuid

from . import (command, debian, esp, ext4, gpt, initramfs, inspection, key,
               luks, system, tree, xts)
from .fault import Fault, Usage
from .size import MIB, check_room, parse as parse_size, show, why_of
from .work import Work

NEEDS = ["cryptsetup", "sfdisk", "mformat", "mcopy", "mdir", "mke2fs",
         "unshare", "blkid", "tar", "openssl", "zstd"]
SMALLEST = 64 * MIB
INITRAMFS = 12 * MIB       # of a kernel; there is none yet when it is asked


Plan = collections.namedtuple("Plan", "size copies password launch packages")


def build(given, progress):
    """given: the options, as options.py describes them."""
    plan = check(given)
    command.need(*NEEDS)
    out = pathlib.Path(given.out)
    with Work(out.parent) as bare, Work(given.work or out.parent) as work:
        try:
            ids = make(given, plan, bare, work, progress)
        except Fault as why:
            raise type(why)(why_of(why, bare.path, work.path)) from why
    progress.note(f"{out}: {show(plan.size)}, LUKS{given.luks}, root "
                  f"{ids['luks']}")


def make(given, plan, bare, work, progress):
    """The steps. What becomes the image is in `bare`, all else in `work`."""
    root = fetch(given, plan, work, progress)
    check_fit(given, plan, root, bare, work)
    gpt.write(bare / "image", plan.size, given.sparse)
    esp.write(bare / "image", work)
    keys = make_keys(given, plan, work)
    ids = {"luks": str(uuid.uuid4()), "ext4": str(uuid.uuid4())}
    make_headers(given, plan, keys, ids, work)
    prepare(given, plan, root, keys, ids, progress, work)
    make_plain(plan, root, ids, progress, work)
    fill(given, keys, bare / "image", progress, work)
    prove(bare / "image", pathlib.Path(given.out), keys, progress, work)
    finish(given, bare, keys, pathlib.Path(given.out))
    return ids


def check(given):
    """All that can be refused before anything is read or written."""
    size = parse_size(given.size)
    if gpt.root_size(size) < luks.AREA + SMALLEST:
        raise Usage(f"--size {given.size} is too small for any system; a "
                    "minimal Debian needs about 600M")
    packages = []
    if given.source.startswith("debian:"):
        given.hostname = given.hostname or "carrel"
        packages = debian.packages(given)
    if given.hostname:
        system.check_hostname(given.hostname)
    system.check_append(given.append)
    for path in (given.new_key, given.recovery_key):
        if path:
            key.refuse_existing(path)
    if not given.source.startswith("debian:"):
        check_not_debian(given)
    if os.path.lexists(given.out) and not given.force:
        raise Usage(f"'{given.out}' exists; --force replaces it")
    if os.path.exists(given.out) and not os.path.isfile(given.out):
        raise Usage(f"'{given.out}' is not a regular file")
    files = [os.path.realpath(p) for p in (
        given.new_key, given.recovery_key, given.key_file, given.out) if p]
    if len(set(files)) < len(files):
        raise Usage("image and keys are files of their own; two of them have "
                    "the same name")
    launch = (key.read_launch(given.key_file, given.allow_newline)
              if given.key_file else key.launch())
    return Plan(size, [copy_of(pair) for pair in given.copy_in],
                password_of(given.root_password_file), launch, packages)


def check_not_debian(given):
    """Nothing that was asked for is left out without a word."""
    for option, value in (("--include", given.include),
                          ("--kernel", given.kernel != debian.KERNEL),
                          ("--mirror", given.mirror), ("--fresh", given.fresh)):
        if value:
            raise Usage(f"{option} is for a debian: system; '{given.source}' "
                        "is taken as it is")


def copy_of(pair):
    source, _, target = pair.rpartition(":")
    if not source or not target.startswith("/"):
        raise Usage(f"--copy-in '{pair}': FILE:/PATH/IN/THE/SYSTEM is "
                    "expected")
    if not os.path.lexists(source):
        raise Usage(f"--copy-in '{pair}': there is no '{source}'")
    return source, target


def password_of(path):
    if not path:
        return None
    password = key.read(path).rstrip(b"\r\n")
    if not password or b"\n" in password:
        raise Usage(f"'{path}': one line, the password, is expected")
    return password


def fetch(given, plan, work, progress):
    """A copy of the system, below the work directory."""
    root = tree.Tree(work / "root")
    if plan.packages:
        suite = given.source.partition(":")[2]
        tar = debian.root_tar(suite, plan.packages,
                              given.mirror or debian.mirror(), given.fresh,
                              progress)
        progress.step("unpacking the system")
        tree.unpack(tar, root.root)
        debian.forget_builder(root)
    elif os.path.isdir(given.source):
        progress.step("copying the system")
        tree.copy(given.source, root.root)
    elif os.path.isfile(given.source):
        progress.step("unpacking the system")
        tree.unpack(given.source, root.root)
    else:
        raise Usage(f"--from '{given.source}': a directory, a tar or "
                    "debian:SUITE is expected")
    tree.check(root, given.source)
    progress.done()
    return root


def check_fit(given, plan, root, bare, work):
    """What does not fit is refused before the long steps: the system into the
    image, the image and the plain file system onto this machine's disks."""
    blocks, inodes = ext4.measure(root.root)
    added = luks.AREA + INITRAMFS * len(root.kernels())
    need = blocks + added // ext4.BLOCK, inodes
    ext4.check(need, gpt.root_size(plan.size) - luks.AREA)
    plain = ext4.least(*need)
    image = plain if given.sparse else plan.size
    if os.stat(bare.parent).st_dev == os.stat(work.parent).st_dev:
        check_room(work.parent, image + plain, "the build")
    else:
        check_room(bare.parent, image, "the image")
        check_room(work.parent, plain, "the file system in plain text")


def make_keys(given, plan, work):
    """Files of the work directory: the volume key, and one a slot."""
    keys = {"volume": secrets.token_bytes(luks.KEY_BYTES),
            "launch": plan.launch, "inner": key.launch()}
    if not given.no_recovery:
        keys["recovery"] = key.recovery()
    for name, value in keys.items():
        key.write(work / f"{name}.key", value)
    return keys


def prepare(given, plan, root, keys, ids, progress, work):
    """The system learns of its disk, and gets an initramfs that opens it."""
    tool = initramfs.find(root, given.initramfs, given.source)
    for name in system.obedient(root):
        progress.note(f"warning: the system has {name}, which takes orders "
                      "from whoever its host is")
    system.identify(root, given.hostname)
    if plan.password is not None:
        system.set_password(root, plan.password)
    system.describe_disk(root, ids["luks"], tool.crypttab_options)
    system.put_key(root, keys["inner"])
    system.put_header(root, luks.head(work / "inner.header"))
    version = root.kernel()
    system.link_kernel(root, version, tool.image_of(version))
    system.write_grub(root, " ".join(
        [tool.cmdline(ids["luks"]), "console=ttyS0", "quiet", given.append]
    ).strip())
    for source, target in plan.copies:
        root.copy_in(source, target)
    tool.settle(root)
    for each in root.kernels():
        progress.step(f"making the initramfs of {each} with {tool.name}")
        image = initramfs.make(root, tool, each)
        initramfs.demand_key(image, keys["inner"], work)
        kernel = root.at(f"/boot/vmlinuz-{each}")
        progress.done(f"kernel {kernel.stat().st_size // 1024} KiB, initramfs "
                      f"{image.stat().st_size // 1024} KiB")


def make_plain(plan, root, ids, progress, work):
    """The file system, from the tree, which is gone after it."""
    progress.step("making the file system")
    ext4.make(root.root, work / "plain", gpt.root_size(plan.size) - luks.AREA,
              ids["ext4"], ext4.measure(root.root))
    tree.remove(root.root)
    progress.done()


def make_headers(given, plan, keys, ids, work):
    """The image's, and one for the initramfs, which must not believe what is
    on the disk: the same volume, and the inner key alone."""
    volume, launch = luks.Volume(work / "header"), work / "launch.key"
    fast = luks.FAST if key.is_strong(keys["launch"]) else luks.NORMAL
    volume.format(given.luks, gpt.root_size(plan.size), ids["luks"],
                  work / "volume.key", launch, fast)
    volume.add(launch, work / "inner.key", luks.INNER, luks.FAST)
    if "recovery" in keys:
        volume.add(launch, work / "recovery.key", luks.RECOVERY, luks.NORMAL)
    luks.Volume(work / "inner.header").format(
        given.luks, gpt.root_size(plan.size), ids["luks"],
        work / "volume.key", work / "inner.key", luks.FAST, luks.INNER)


def fill(given, keys, image, progress, work):
    """The encrypted partition: its header, and every sector after it."""
    with open(image, "r+b") as out:
        out.seek(gpt.ROOT_START)
        out.write(luks.head(work / "header"))
    progress.step("encrypting")
    xts.encrypt_file(keys["volume"], luks.SECTOR[given.luks], work / "plain",
                     image, gpt.ROOT_START + luks.AREA, given.sparse, progress)
    (work / "plain").unlink()
    progress.done()


def prove(image, out, keys, progress, work):
    """Nothing is handed over that was not opened once with every key."""
    progress.step("checking the image")
    for name in keys.keys() - {"volume"}:
        report = inspection.inspect(image, work / f"{name}.key", work)
        inspection.demand(report, out)
    progress.done()


def finish(given, bare, keys, out):
    """Keys before the image: an image without its key is worth nothing. If
    that is as far as it gets, the keys of no image go, too."""
    written = []
    try:
        for path, name in ((given.new_key, "launch"),
                           (given.recovery_key, "recovery")):
            if path:
                key.write(path, keys[name])
                written.append(path)
        bare.publish("image", out)
    except BaseException:
        for path in written:
            os.unlink(path)
        raise
    if "recovery" in keys and not given.recovery_key:
        print(f"recovery key, shown this once: {keys['recovery'].decode()}",
              flush=True)
