# SPDX-License-Identifier: Apache-2.0
"""carrel-image inspect calls an image encrypted when it is, and only then."""
import hashlib
import json
import os
import re
import subprocess

from e2e.image import built, debugfs, decrypted, passes, refused

NEEDS = "host"
SECONDS = 90

MIB = 1 << 20
ROOT = 9 * MIB          # where the LUKS partition begins
DATA = ROOT + 4 * MIB   # and where its data do


def copy(t, image, name):
    path = t.tmp / f"{name}.img"
    subprocess.run(["cp", "--reflink=auto", "--sparse=always", image, path],
                   check=True)
    return path


def write(path, at, data):
    with open(path, "r+b") as f:
        f.seek(at)
        f.write(data)


def changed(t, image, words, edit):
    """What inspect says of a copy that has been edited."""
    path = copy(t, image, "changed")
    edit(path)
    refused(words, "inspect", path, status=1)


def report(t, image, *args):
    return json.loads(passes("inspect", "--json", *args, image))


def sound(t, image, version):
    got = report(t, image)
    v = got["luks"]
    assert got["encrypted"] and not got["problems"], got
    assert not got["warnings"], got
    assert (v["version"], v["cipher"], v["key_bits"]) == (
        version, "aes-xts-plain64", 512), v
    assert [s["number"] for s in v["slots"]] == [0, 1, 2], v
    assert all(s["grub"] and s["kdf"] == "pbkdf2" for s in v["slots"]), v
    slow = v["slots"][2]["iterations"]
    assert slow >= 100 * v["slots"][0]["iterations"], v
    assert got["partitions"][0]["files"] == ["/README.TXT"], got


def keys(t, image):
    for name, slot in (("key", 0), ("rec", 2)):
        got = report(t, image, "--key-file", image.with_suffix(f".{name}"))
        assert got["key_slot"] == slot, got
        assert got["file_system"]["type"] == "ext4", got
        assert 0 < got["file_system"]["free"] < 128 * MIB, got


def wrong_key(t, image):
    (t.tmp / "wrong").write_bytes(b"wrong")
    refused(["wrong", "opens no slot"], "inspect", "--key-file",
            t.tmp / "wrong", image, status=1)


def key_with_line_end(t, image):
    key = t.tmp / "line.key"
    key.write_bytes(image.with_suffix(".key").read_bytes() + b"\n")
    refused(["opens no slot", "line end", "printf"], "inspect", "--key-file",
            key, image, status=1)


def whole(make, word):
    def check(t, image):
        path = t.tmp / "whole"
        with open(path, "wb") as f:
            f.truncate(64 * MIB)
        subprocess.run([*make, path], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        refused([word], "inspect", path, status=1)
    return check


def plain_beside(path):
    """A second partition, in plain ext4, where part of the first was."""
    subprocess.run(["sfdisk", "-q", path], check=True, text=True,
                   input="label: gpt\nstart=18432, size=65536\n"
                         "start=83968, size=65536\n")
    subprocess.run(["mke2fs", "-q", "-F", "-E", f"offset={83968 * 512}", path,
                    "32M"], check=True, stderr=subprocess.DEVNULL)


def no_esp(t, image):
    path = copy(t, image, "no-esp")
    subprocess.run(["sfdisk", "-q", "--delete", path, "1"], check=True)
    got = report(t, path)
    assert "no EFI system partition" in " ".join(got["warnings"]), got
    assert got["encrypted"], got


def null_cipher(path):
    """Data that look like ciphertext behind a header that says they are not
    (LUKS1 has no checksum)."""
    write(path, ROOT + 8, b"cipher_null".ljust(32, b"\0"))
    write(path, ROOT + 40, b"ecb".ljust(32, b"\0"))


def argon(path):
    volume = path.with_suffix(".argon")
    with open(volume, "wb") as f:
        f.truncate(64 * MIB)
    subprocess.run(["cryptsetup", "luksFormat", "-q", "--type", "luks2",
                    "--pbkdf", "argon2id", "--pbkdf-force-iterations", "4",
                    "--pbkdf-memory", "32", "--pbkdf-parallel", "1",
                    "--offset", str(4 * MIB // 512), "--disable-locks",
                    volume, "-"], check=True, input=b"key")
    write(path, ROOT, volume.read_bytes()[:4 * MIB])


def one_copy(t, image):
    path = copy(t, image, "one-copy")
    write(path, ROOT + 16384 + 5000, b"x")
    got = report(t, path)
    assert got["encrypted"] and "one of the two copies" in \
        " ".join(got["warnings"]), got


def json_of(path, edit):
    """Both copies of the header say something else, and mean it."""
    for at in (ROOT, ROOT + 16384):
        with open(path, "rb") as f:
            f.seek(at)
            raw = bytearray(f.read(16384))
        text = edit(bytes(raw[4096:]).split(b"\0")[0])
        raw[4096:] = text.ljust(12288, b"\0")
        raw[448:512] = bytes(64)
        raw[448:480] = hashlib.sha256(raw).digest()
        write(path, at, raw)


def offset_of(number):
    return lambda path: json_of(path, lambda text: re.sub(
        rb'"offset":"4194304",("size":"dynamic")',
        rb'"offset":"%d",\1' % number, text))


def escapes(t, image):
    """What an image says about itself does nothing to a terminal."""
    path = copy(t, image, "escapes")
    json_of(path, lambda text: text.replace(b"aes-xts-plain64\",\"sector",
                                            b"\\u001b[2Jx\",\"sector"))
    said = passes("inspect", path)
    assert "\x1b" not in said and "?[2Jx" in said, said


def second_volume(path):
    """Another partition with a LUKS header, and plain text behind it."""
    subprocess.run(["sfdisk", "-q", path], check=True, text=True,
                   input="label: gpt\nstart=18432, size=65536\n"
                         "start=83968, size=65536\n")
    with open(path, "rb") as f:
        f.seek(ROOT)
        write(path, 83968 * 512, f.read(4 * MIB))
    for at in range(83968 * 512 + 4 * MIB, 73 * MIB, MIB // 8):
        write(path, at, b"so that everybody can read it. " * 400)


def esp_of_ext4(path):
    write(path, MIB, bytes(8 * MIB))
    subprocess.run(["mke2fs", "-q", "-F", "-E", f"offset={MIB}", path, "8M"],
                   check=True, stderr=subprocess.DEVNULL)


def first_copy(path):
    write(path, ROOT, bytes(512))


def both_copies(path):
    write(path, ROOT + 300, b"x")
    write(path, ROOT + 16384 + 300, b"x")


def no_ext4(t, image):
    path = copy(t, image, "no-ext4")
    write(path, DATA, os.urandom(4096))
    refused(["no ext4"], "inspect", "--key-file", image.with_suffix(".key"),
            path, status=1)


def lying_entry(path):
    """A partition that ends beyond the image, in a table that is intact."""
    with open(path, "r+b") as f:
        f.truncate(64 * MIB)


def some_text(path):
    for at in range(DATA, 127 * MIB, MIB // 4):
        write(path, at, b"so that everybody can read it. " * 400)


def missing(t):
    refused(["/nonexistent"], "inspect", "/nonexistent")


def sparse(t):
    image = built(t, "sparse", "--sparse")
    got = report(t, image, "--key-file", image.with_suffix(".key"))
    assert "--sparse" in " ".join(got["warnings"]), got


def every_sector(t, image):
    """No block of the volume is zero: nothing shows which are in use."""
    with open(image, "rb") as f:
        f.seek(DATA)
        at = DATA
        while at < 127 * MIB:
            assert f.read(4096).strip(b"\0"), f"zeros at {at}"
            at += 4096


def decrypts(t, image):
    """The data by another implementation of XTS, and a whole file system."""
    plain = decrypted(t, image)
    subprocess.run(["e2fsck", "-fn", plain], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    said = debugfs(plain, "cat /etc/crypttab")
    assert report(t, image)["luks"]["uuid"] in said, said


EDITS = [
    ("a plain partition beside the LUKS one", ["not encrypted", "ext"],
     plain_beside),
    ("a second volume that is plain", ["plain data"], second_volume),
    ("an EFI system partition that is another", ["partition 1", "ext"],
     esp_of_ext4),
    ("data that begin nowhere", ["begin at byte"], offset_of(10 ** 30)),
    ("data that begin after the end", ["partition 2 ends"],
     offset_of(1 << 40)),
    ("a header of brackets", ["damaged"],
     lambda p: json_of(p, lambda _: b"[" * 12000)),
    ("a first block of zeros", ["partition 2 is not encrypted"], first_copy),
    ("a damaged header", ["damaged", "luksHeaderRestore"], both_copies),
    ("text behind the header", ["plain data"], some_text),
    ("zeros behind the header", ["nothing was encrypted"],
     lambda p: write(p, DATA, bytes(127 * MIB - DATA))),
    ("Argon2 alone", ["GRUB"], argon),
    ("an image that is cut short", ["outside the image"], lying_entry),
    ("a table with a wrong checksum", ["checksum"],
     lambda p: write(p, 512 + 24, b"\xff")),
    ("a table whose entries are wrong", ["checksum"],
     lambda p: write(p, 1024 + 56, b"x")),
    ("no table at all", ["no GPT"],
     lambda p: (write(p, 0, os.urandom(34 * 512)), os.truncate(p, 100 * MIB))),
]


def parts(t):
    two = built(t, "two")
    one = built(t, "one", "--luks", "1")
    for image, version in ((one, 1), (two, 2)):
        t.check(f"LUKS{version}, sound", sound, t, image, version)
        t.check(f"LUKS{version}, its keys", keys, t, image)
        t.check(f"LUKS{version}, decrypted by another program", decrypts, t,
                image)
        t.check(f"LUKS{version}, every sector written", every_sector, t, image)
    t.check("a wrong key", wrong_key, t, two)
    t.check("the right key with a line end", key_with_line_end, t, two)
    t.check("an image that is missing", missing, t)
    t.check("a whole disk of ext4", whole(["mke2fs", "-F"], "ext"), t, two)
    t.check("a whole disk of swap", whole(["mkswap"], "swap"), t, two)
    t.check("no EFI system partition", no_esp, t, two)
    t.check("one damaged copy of the header", one_copy, t, two)
    t.check("a file system that is gone", no_ext4, t, two)
    t.check("a sparse image", sparse, t)
    t.check("a cipher's name that moves the cursor", escapes, t, two)
    t.check("a cipher that is none", changed, t, one,
            ["cipher_null", "encrypts nothing"], null_cipher)
    for title, words, edit in EDITS:
        t.check(title, changed, t, two, words, edit)
