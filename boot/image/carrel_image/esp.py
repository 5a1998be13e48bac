# SPDX-License-Identifier: Apache-2.0
"""The EFI system partition: there for tools that expect one. A confidential
boot uses nothing in it, and the file in it says so."""
import pathlib

from . import command, gpt
from .fault import Fault

SETTINGS = {"MTOOLSRC": str(pathlib.Path(__file__).resolve().parent.parent
                            / "mtools.conf")}
README = """\
Nothing on this partition is used by a confidential boot.

The firmware of an AMD SEV guest carries its own boot loader. With a secret
that the guest's owner sends, it unlocks the encrypted partition beside this
one, and starts the kernel that is in there. Whoever stores this image can read
and change this partition; it must never hold anything that matters.
"""


def write(image, work):
    text = work / "README.TXT"
    text.write_text(README.replace("\n", "\r\n"))
    place = f"{image}@@{gpt.ESP_START}"
    command.run(["mformat", "-i", place, "-v", "EFI", "-T",
                 str(gpt.ESP_SIZE // gpt.SECTOR), "-h", "64", "-s", "32", "::"],
                "formatting the EFI system partition", env=SETTINGS)
    command.run(["mcopy", "-i", place, text, "::README.TXT"],
                "filling the EFI system partition", env=SETTINGS)
    text.unlink()


def listing(image, partition):
    """The files' names and sizes, or None where there is no FAT."""
    try:
        said = command.run(["mdir", "-/", "-a", "-b", "-i",
                            f"{image}@@{partition.start}", "::"],
                           "reading the EFI system partition", env=SETTINGS)
    except Fault:
        return None
    return [line.removeprefix("::") for line in said.splitlines() if line]
