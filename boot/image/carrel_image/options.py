# SPDX-License-Identifier: Apache-2.0
"""The command line: verbs and their options, and nothing that acts."""
import argparse

from . import debian, initramfs
from .fault import Usage


class Parser(argparse.ArgumentParser):
    """argparse that ends in a Usage."""

    def error(self, message):
        raise Usage(f"{message}; see {self.prog} --help")


def parse(argv):
    top = Parser(prog="carrel-image", add_help=True, allow_abbrev=False,
                 description="Encrypted disk images for confidential guests.",
                 epilog="carrel-image(1) says more.")
    verbs = top.add_subparsers(dest="verb", metavar="VERB", required=True,
                               parser_class=Parser)
    add_build(verbs.add_parser("build", allow_abbrev=False, help="make an "
                               "encrypted, bootable image from a system"))
    add_inspect(verbs.add_parser("inspect", allow_abbrev=False, help="say "
                                 "what is in an image, and whether it is "
                                 "encrypted"))
    add_rekey(verbs.add_parser("rekey", allow_abbrev=False, help="replace "
                               "the launch key or the recovery key"))
    return top.parse_args(argv)


def add_work(p):
    p.add_argument("--work", metavar="DIR", help="where keys and plain text "
                   "are while they are needed (default: of a build beside "
                   "the image, else memory)")


def add_voice(p):
    p.add_argument("--progress", choices=("auto", "bar", "plain", "none"),
                   default="auto", help="bars on a terminal, else lines "
                   "(auto)")
    p.add_argument("--quiet", action="store_const", dest="progress",
                   const="none", help="say only what goes wrong")


def add_build(p):
    a = p.add_argument
    a("--from", dest="source", required=True, metavar="DIR|TAR|debian:SUITE",
      help="the system")
    a("--size", required=True, help="of the image, such as 2G")
    keys = p.add_mutually_exclusive_group(required=True)
    keys.add_argument("--key-file", metavar="F",
                      help="the launch key, all bytes of a file")
    keys.add_argument("--new-key", metavar="F",
                      help="make a launch key and write it to this new file")
    spare = p.add_mutually_exclusive_group()
    spare.add_argument("--recovery-key", metavar="F", help="write the "
                       "recovery key to this new file (default: print it)")
    spare.add_argument("--no-recovery", action="store_true",
                       help="no recovery key")
    a("--luks", type=int, choices=(1, 2), default=2, help="version (2)")
    a("--initramfs", choices=sorted(initramfs.TOOLS),
      help="tool that makes the initramfs (default: what the system has)")
    a("--include", action="append", default=[], metavar="PKG,...",
      help="more packages, of a debian: system")
    a("--kernel", default=debian.KERNEL, metavar="PKG",
      help=f"kernel of a debian: system ({debian.KERNEL})")
    a("--mirror", metavar="URL", help="Debian archive (default: this "
      "machine's)")
    a("--fresh", action="store_true",
      help="do not take the debian: system from the cache")
    a("--copy-in", action="append", default=[], metavar="SRC:DST",
      help="a file or directory for the system")
    a("--hostname", metavar="NAME",
      help="(default: the system's; of a debian: system, carrel)")
    a("--root-password-file", metavar="F",
      help="root's password (default: as in the system; in a debian: "
      "system, root cannot log in with one)")
    a("--append", default="", metavar="ARGS", help="more kernel arguments")
    a("--sparse", action="store_true",
      help="leave unused blocks out; the host then sees which are in use")
    a("--allow-newline", action="store_true",
      help="take a key file that ends with a line end as it is")
    a("--force", action="store_true", help="replace the image OUT")
    a("out", metavar="OUT.img")
    add_work(p)
    add_voice(p)


def add_inspect(p):
    p.add_argument("--json", action="store_true", help="print JSON")
    p.add_argument("--key-file", metavar="F",
                   help="prove that this key opens the image")
    p.add_argument("image", metavar="IMG")
    add_work(p)


def add_rekey(p):
    a = p.add_argument
    a("--key-file", required=True, metavar="OLD",
      help="a key that opens the image: launch or recovery")
    a("--new-key", metavar="NEW", help="the new key: a file that exists is "
      "taken, else one is made")
    a("--recovery", action="store_true",
      help="replace the recovery key, not the launch key")
    a("--allow-newline", action="store_true",
      help="take a key file that ends with a line end as it is")
    a("image", metavar="IMG")
    add_work(p)
    add_voice(p)
