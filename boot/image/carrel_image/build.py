# SPDX-License-Identifier: Apache-2.0
"""carrel-image build: from a system to an encrypted image.

The order keeps secrets few and short-lived: the system first, from the cache
or a copy; then a volume key and three keys for it; the initramfs, which holds
one of them; the file system; and at last its encryption into the image. Until
the image is complete and proved it has no name but in the work directory."""
import os
import pathlib
import secrets
import uuid

from . import (command, debian, esp, ext4, gpt, initramfs, inspection, key,
               luks, system, tree, xts)
from .fault import Usage
from .size import MIB, check_room, parse as parse_size, show
from .work import Work

NEEDS = ["cryptsetup", "sfdisk", "mformat", "mcopy", "mdir", "mke2fs",
         "unshare", "blkid", "tar", "openssl"]
SLACK = 512 * MIB       # for a tree whose size is not known yet


def build(given, progress):
    """given: the options, as options.py describes them."""
    plan = check(given)
    command.need(*NEEDS)
    out = pathlib.Path(given.out)
    with Work(given.work or out.parent) as work:
        check_room(work.parent, plan["size"] + SLACK, "the build")
        root = fetch(given, plan, work, progress)
        keys = make_keys(given, work)
        ids = {"luks": str(uuid.uuid4()), "ext4": str(uuid.uuid4())}
        prepare(given, plan, root, keys, ids, progress, work)
        fill(given, plan, root, keys, ids, progress, work)
        prove(given, work, keys, progress)
        finish(given, work, keys, out)
    progress.note(f"{out}: {show(plan['size'])}, LUKS{given.luks}, root "
                  f"{ids['luks']}")


def check(given):
    """All that can be refused before anything is read or written."""
    size = parse_size(given.size)
    if gpt.root_size(size) < luks.AREA + 64 * MIB:
        raise Usage(f"--size {given.size} is too small for any system; "
                    "300M is about what a minimal Debian needs")
    system.check_hostname(given.hostname)
    system.check_append(given.append)
    for path in (given.new_key, given.recovery_key):
        if path:
            key.refuse_existing(path)
    if os.path.lexists(given.out) and not given.force:
        raise Usage(f"'{given.out}' exists; --force replaces it")
    if os.path.exists(given.out) and not os.path.isfile(given.out):
        raise Usage(f"'{given.out}' is not a regular file")
    copies = []
    for pair in given.copy_in:
        source, _, target = pair.rpartition(":")
        if not source or not target.startswith("/"):
            raise Usage(f"--copy-in '{pair}': FILE:/PATH/IN/THE/SYSTEM is "
                        "expected")
        if not os.path.lexists(source):
            raise Usage(f"--copy-in '{pair}': there is no '{source}'")
        copies.append((source, target))
    password = None
    if given.root_password_file:
        password = key.read(given.root_password_file).rstrip(b"\r\n")
        if not password:
            raise Usage(f"'{given.root_password_file}': an empty password")
    launch = (key.read_launch(given.key_file, given.allow_newline)
              if given.key_file else None)
    return {"size": size, "copies": copies, "password": password,
            "launch": launch}


def fetch(given, plan, work, progress):
    """A copy of the system, below the work directory."""
    root = work / "root"
    if given.source.startswith("debian:"):
        suite = given.source.partition(":")[2]
        tool = given.initramfs or "initramfs-tools"
        packages = [*debian.BASE, *debian.TOOLS[tool], given.kernel,
                    *[p for part in given.include for p in part.split(",")
                      if p]]
        debian.check(suite, packages)
        tar = debian.root_tar(suite, packages, given.mirror or debian.mirror(),
                              given.fresh, progress)
        progress.step("unpacking the system")
        tree.unpack(tar, root)
    elif os.path.isdir(given.source):
        progress.step("copying the system")
        tree.copy(given.source, root)
    elif os.path.isfile(given.source):
        progress.step("unpacking the system")
        tree.unpack(given.source, root)
    else:
        raise Usage(f"--from '{given.source}': a directory, a tar or "
                    "debian:SUITE is expected")
    progress.done()
    tree.check(tree.Tree(root), given.source)
    # So that a system that does not fit is refused before the long steps.
    ext4.check(ext4.measure(root), gpt.root_size(plan["size"]) - luks.AREA)
    return tree.Tree(root)


def make_keys(given, work):
    """Files of the work directory: the volume key, and one a slot."""
    launch = given.key_file and key.read_launch(given.key_file,
                                                given.allow_newline)
    keys = {"volume": secrets.token_bytes(luks.KEY_BYTES),
            "launch": launch or key.launch(),
            "inner": key.launch()}
    if not given.no_recovery:
        keys["recovery"] = key.recovery()
    for name, value in keys.items():
        key.write(work / f"{name}.key", value)
    return keys


def prepare(given, plan, root, keys, ids, progress, work):
    """The system learns of its disk, and gets an initramfs that opens it."""
    tool = initramfs.find(root, given.initramfs, given.source)
    version = root.kernels()[-1]
    progress.step(f"making the initramfs of {version} with {tool.name}")
    system.identify(root, given.hostname)
    system.set_password(root, plan["password"])
    system.describe_disk(root, ids["luks"], tool.crypttab_options)
    system.put_key(root, keys["inner"])
    system.link_kernel(root, version, tool.image_of(version))
    system.write_grub(root, " ".join(
        [tool.cmdline(ids["luks"]), "console=ttyS0", "quiet", given.append]
    ).strip())
    for source, target in plan["copies"]:
        root.copy_in(source, target)
    tool.settle(root, ids["luks"])
    with open(work / "initramfs.log", "w+b") as log:
        image = initramfs.make(root, tool, version, log)
    kernel = root.at(f"/boot/vmlinuz-{version}")
    progress.done(f"kernel {kernel.stat().st_size // 1024} KiB, initramfs "
                  f"{image.stat().st_size // 1024} KiB")


def fill(given, plan, root, keys, ids, progress, work):
    """The image: partitions, header, and every sector of the root."""
    image, plain = work / "image", work / "plain"
    length = gpt.root_size(plan["size"]) - luks.AREA
    progress.step("making the file system")
    ext4.make(root.root, plain, length, ids["ext4"], ext4.measure(root.root))
    tree.remove(root.root)
    progress.done()
    gpt.write(image, plan["size"])
    esp.write(image, work)
    volume = luks.Volume(work / "header")
    make_header(given, plan, keys, ids, volume, work)
    with open(volume.path, "rb") as f, open(image, "r+b") as out:
        out.seek(gpt.ROOT_START)
        out.write(f.read(luks.AREA))
    progress.step("encrypting")
    xts.encrypt_file(keys["volume"], 4096 if given.luks == 2 else 512, plain,
                     image, gpt.ROOT_START + luks.AREA, given.sparse, progress)
    plain.unlink()
    progress.done()


def make_header(given, plan, keys, ids, volume, work):
    launch = work / "launch.key"
    fast = luks.FAST if key.is_strong(keys["launch"]) else luks.NORMAL
    volume.format(given.luks, gpt.root_size(plan["size"]), ids["luks"],
                  work / "volume.key", launch, fast)
    volume.add(launch, work / "inner.key", luks.INNER, luks.FAST)
    if "recovery" in keys:
        volume.add(launch, work / "recovery.key", luks.RECOVERY, luks.NORMAL)


def prove(given, work, keys, progress):
    """Nothing is handed over that was not opened once with every key."""
    progress.step("checking the image")
    for name in ("launch", "inner", "recovery"):
        if name in keys:
            report = inspection.inspect(work / "image",
                                        work / f"{name}.key", work)
            inspection.demand(report, given.out)
    progress.done()


def finish(given, work, keys, out):
    """Keys before the image: an image without its key is worth nothing."""
    if given.new_key:
        key.write(given.new_key, keys["launch"])
    if given.recovery_key and "recovery" in keys:
        key.write(given.recovery_key, keys["recovery"])
    elif "recovery" in keys:
        print(f"recovery key, shown this once: {keys['recovery'].decode()}",
              flush=True)
    work.publish("image", out)
