# SPDX-License-Identifier: Apache-2.0
"""Sizes as people write them, and room on a file system."""
import os
import re

from .fault import Fault, Usage

MIB = 1 << 20
UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


def parse(text):
    m = re.fullmatch(r"([0-9]{1,12})([KMGT]?)(i?B)?", text)
    if not m:
        raise Usage(f"size '{text}': a number with K, M, G or T is expected, "
                    "such as 2G")
    size = int(m[1]) * UNITS[m[2]]
    if size == 0 or size % MIB:
        raise Usage(f"size '{text}': a multiple of 1M is expected")
    return size


def show(n):
    return f"{-(-n // MIB)}M"


def check_room(directory, need, what):
    """Before hours of work, not after them."""
    st = os.statvfs(directory)
    free = st.f_bavail * st.f_frsize
    if free < need:
        raise Fault(f"{directory} has {show(free)} free, and {what} needs up "
                    f"to {show(need)}")


def why_of(why, *directories):
    """The words of a failure and, where a disk is full, that: not every
    program says so."""
    full = [str(d) for d in directories
            if os.statvfs(d).f_bavail * os.statvfs(d).f_frsize < MIB]
    return f"{why}\nNo space left in {' and '.join(full)}" if full else str(why)
