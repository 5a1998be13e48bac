# SPDX-License-Identifier: Apache-2.0
"""Keys and the files that hold them. A launch key is text: GRUB takes it as a
passphrase, and carrel-sev sends the bytes of its file as they are."""
import os
import secrets

from .fault import Fault, Usage

ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"    # no I, O, 0, 1: read aloud
LAUNCH_CHARS = 52       # of 5 bits each: more than 256
RECOVERY_GROUPS = 8     # of 5 characters: 200 bits, for copying by hand
LONGEST = 255           # GRUB's limit of a passphrase
STRONG_CHARS = 32       # from here on a key needs no slow derivation ...
STRONG_DISTINCT = 12    # ... unless it is one character many times


def launch():
    return "".join(secrets.choice(ALPHABET)
                   for _ in range(LAUNCH_CHARS)).encode()


def recovery():
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(5))
                    for _ in range(RECOVERY_GROUPS)).encode()


def is_strong(key):
    return len(key) >= STRONG_CHARS and len(set(key)) >= STRONG_DISTINCT


def read(path):
    try:
        with open(path, "rb") as f:
            key = f.read(LONGEST + 3)
    except OSError as why:
        raise Fault(f"key file '{path}': {why.strerror}") from why
    if not key:
        raise Fault(f"key file '{path}' is empty")
    return key


def has_line_end(key):
    return key.endswith((b"\n", b"\r"))


def newline_advice(path):
    return (f"key file '{path}' ends with a line end, which would be part of "
            "the key: everything that opens the disk would have to send it "
            "too. Write the file without one, such as by: "
            f"printf %s \"$(cat '{path}')\" > NEWFILE")


def read_launch(path, allow_newline=False):
    """A key that GRUB can be given."""
    key = read(path)
    if has_line_end(key) and not allow_newline:
        raise Fault(f"{newline_advice(path)} (or give --allow-newline)")
    if len(key) > LONGEST:
        raise Fault(f"key file '{path}' has more than {LONGEST} bytes, "
                    "GRUB's limit")
    if b"\0" in key:
        raise Fault(f"key file '{path}' has a byte 0, where GRUB would take "
                    "the key to end; text is expected")
    return key


def refuse_existing(path):
    """Now, not when all else is done."""
    if os.path.lexists(path):
        raise Usage(f"'{path}' exists; a new key is never written over a file")
    where = os.path.dirname(path) or "."
    if not os.access(where, os.W_OK | os.X_OK):
        raise Usage(f"'{path}': no file can be made in '{where}'")


def write(path, key):
    """A new file, 0600, on disk when this returns."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(fd, "wb") as f:
            f.write(key)
            f.flush()
            os.fsync(fd)
    except OSError as why:
        raise Fault(f"key file '{path}': {why.strerror}") from why
