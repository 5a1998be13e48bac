# SPDX-License-Identifier: Apache-2.0
"""A system as a tree of files: copied, looked at, written into. Its symbolic
links are followed below the tree's root only, as the system itself would."""
import os
import pathlib
import re
import shutil

from . import command
from .fault import Fault, Usage

LINKS = 40
KERNEL = re.compile(r"vmlinuz-(.+)")
XATTRS = ["--xattrs", "--xattrs-include=*", "--acls", "--numeric-owner"]


class Tree:
    def __init__(self, root):
        self.root = pathlib.Path(root)

    def at(self, path):
        """Where `path` of the system is, every link below root resolved."""
        here, rest, links = self.root, pathlib.PurePath(path).parts, 0
        rest = [p for p in rest if p != "/"]
        while rest:
            name = rest.pop(0)
            if name == "..":
                here = here if here == self.root else here.parent
                continue
            step = here / name
            if step.is_symlink():
                links += 1
                if links > LINKS:
                    raise Usage(f"{path}: too many symbolic links")
                target = pathlib.PurePath(os.readlink(step))
                if target.is_absolute():
                    here = self.root
                rest = [p for p in target.parts if p != "/"] + rest
            else:
                here = step
        return here

    def has(self, path):
        return self.at(path).exists()

    def write(self, path, content, mode=0o644):
        """A file of the system, new or replaced, of root's."""
        where = self.at(path)
        make_directory(where.parent)
        if where.exists():
            where.unlink()
        data = content if isinstance(content, bytes) else content.encode()
        with open(os.open(where, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode),
                  "wb") as f:
            os.fchmod(f.fileno(), mode)
            f.write(data)

    def rewrite(self, path, content):
        """Other content for a file that keeps its owner and mode."""
        with open(self.at(path), "r+", encoding="utf-8") as f:
            f.truncate()
            f.write(content)

    def read(self, path):
        where = self.at(path)
        return where.read_text(errors="replace") if where.is_file() else ""

    def kernels(self):
        """Versions that have a kernel and modules, in the order of names."""
        boot = self.at("/boot")
        if not boot.is_dir():
            return []
        names = [KERNEL.fullmatch(p.name) for p in boot.iterdir()]
        return sorted((m[1] for m in names
                       if m and self.has(f"/lib/modules/{m[1]}")),
                      key=version_order)

    def kernel(self):
        """The version that /vmlinuz names, else the newest."""
        link = self.root / "vmlinuz"
        named = KERNEL.fullmatch(os.path.basename(os.readlink(link))) \
            if link.is_symlink() else None
        versions = self.kernels()
        return named[1] if named and named[1] in versions else versions[-1]

    def copy_in(self, source, target):
        """SRC:DST of the command line; what arrives is root's."""
        source = pathlib.Path(source)
        where = self.at(target)
        if target.endswith("/") and not source.is_dir():
            where = where / source.name
        make_directory(where.parent)
        if where.is_dir() and not source.is_dir():
            raise Usage(f"--copy-in {source}:{target}: {target} is a "
                        "directory of the system; name the file, too")
        try:
            command.run(["cp", "-dRT", "--preserve=mode,timestamps,links",
                         "--", source, where], f"copying {source} in")
        except Fault as why:
            raise Usage(str(why)) from why


def version_order(text):
    return [(1, int(p)) if p.isdigit() else (0, p)
            for p in re.findall(r"\d+|[^\d]+", text)]


def make_directory(path):
    """With those above it that are missing. The umask of whoever builds is
    not the system's."""
    if not path.is_dir():
        make_directory(path.parent)
        path.mkdir()
        path.chmod(0o755)


def unpack(tar, root):
    """--force-local: a colon in a name is no remote machine."""
    make_directory(root)
    command.run(["tar", "-x", "-p", "--same-owner", *XATTRS, *without_nodes(),
                 "-C", root, "--force-local", "-f", tar], f"unpacking {tar}")


def copy(directory, root):
    """The tree as it is; other file systems mounted in it stay out."""
    make_directory(root)
    command.run(["cp", "-a", "-x", "-T", "--reflink=auto", "--", directory,
                 root],
                f"copying {directory}")


def without_nodes():
    """In a user namespace no device can be made; the kernel's devtmpfs has
    them all anyway."""
    return [] if can_make_nodes() else ["--exclude=./dev/*", "--exclude=dev/*"]


def can_make_nodes():
    with open("/proc/self/uid_map", encoding="ascii") as f:
        return f.read().split() == ["0", "0", "4294967295"]


def check(tree, given):
    """Refuses what is no system, or none that could start encrypted."""
    for path in ("/etc", "/usr", "/sbin/init"):
        if not (tree.has(path) or tree.at(path).is_symlink()):
            raise Usage(f"{given} is not the root of a system: it has no "
                        f"{path}")
    if not tree.kernels():
        raise Usage(f"{given} has no kernel: /boot/vmlinuz-VERSION with "
                    "/lib/modules/VERSION is expected (install one there, "
                    "such as Debian's linux-image-cloud-amd64)")


def remove(root):
    shutil.rmtree(root)
