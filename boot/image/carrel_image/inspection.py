# SPDX-License-Identifier: Apache-2.0
"""carrel-image inspect: what is in an image, and whether the host that stores
it could read it. Every finding comes from the image's bytes."""
import os
import zlib

from . import command, esp, ext4, gpt, key, luks, xts
from .fault import Fault, Refusal
from .size import show

SAMPLES = 256              # blocks of the data, spread evenly
BLOCK = 4096
RANDOM = 0.97              # what deflate leaves of a block of ciphertext
FEW = 8                    # blocks of ciphertext that an image must show


def inspect(path, key_file=None, work=None):
    """A report: {"partitions", "luks", "problems", "warnings", ...}."""
    report = {"image": str(path), "problems": [], "warnings": []}
    try:
        size = os.path.getsize(path)
        with open(path, "rb") as f:
            report["size"] = size
            look(f, size, path, report)
    except Refusal as why:
        report["problems"].append(str(why))
    except OSError as why:
        raise Fault(f"image '{path}': {why.strerror}") from why
    if key_file and not report["problems"]:
        try_key(path, key_file, work, report)
    report["encrypted"] = not report["problems"]
    return report


def look(f, size, path, report):
    plain = probe(path, 0, size)
    if plain == "crypto_LUKS":
        raise Refusal("the whole image is one LUKS volume, without a partition "
                      "table; only volumes in partitions are looked at")
    if plain and plain not in ("gpt", "PMBR", "dos"):
        raise Refusal(f"the whole image is plain {plain}: no partition table, "
                      "nothing encrypted")
    partitions = gpt.read(f, size)
    report["partitions"] = [describe(f, path, p, report) for p in partitions]
    if not any(p.type == gpt.ESP for p in partitions):
        report["warnings"].append(
            "no EFI system partition; a confidential boot needs none, other "
            "tools may")
    volumes = [p for p in report["partitions"] if p["content"] == "luks"]
    if not volumes and not report["problems"]:
        raise Refusal("no partition holds a LUKS volume")
    if len(volumes) > 1:
        report["warnings"].append(f"{len(volumes)} LUKS volumes; the first is "
                                  "described")


def describe(f, path, p, report):
    out = {"number": p.number, "name": p.name, "start": p.start,
           "size": p.size, "uuid": str(p.uuid)}
    f.seek(p.start)
    if f.read(6) == luks.MAGIC:
        out["content"] = "luks"
        report.setdefault("luks", volume(f, p, report))
    elif p.type == gpt.ESP:
        out["content"], out["files"] = "esp", esp.listing(path, p)
        if out["files"] is None:
            no_fat(path, p, report)
    else:
        out["content"] = probe(path, p.start, p.size) or readable(f, p)
        report["problems"].append(
            f"partition {p.number} is not encrypted: {out['content']}")
    return out


def no_fat(path, p, report):
    """What calls itself an EFI system partition may be any plain text."""
    found = probe(path, p.start, p.size)
    if found and found != "vfat":
        report["problems"].append(f"partition {p.number} is not encrypted: "
                                  f"{found}")
    else:
        report["warnings"].append("the EFI system partition has no FAT file "
                                  "system")


def readable(f, p):
    try:
        f.seek(p.start)
        luks.parse(f.read(min(p.size, 2 * luks.V2_LONGEST)))
    except Refusal:
        return "no LUKS header"
    return "a LUKS header whose first copy is damaged (cryptsetup repair)"


def volume(f, p, report):
    f.seek(p.start)
    header = luks.parse(f.read(min(p.size, 2 * luks.V2_LONGEST)))
    report["warnings"] += header.warnings
    if "null" in header.cipher:
        report["problems"].append(f"the cipher is {header.cipher}, which "
                                  "encrypts nothing")
    if not header.slots:
        report["problems"].append("the LUKS header has no slot with a key")
    if not any(luks.grub_can_open(s) for s in header.slots):
        report["problems"].append(
            "no slot that GRUB 2.12 can open: it has PBKDF2 only, and skips "
            "slots of priority 0")
    if header.data_offset >= p.size:
        raise Refusal(f"partition {p.number} ends before the data begin, "
                      f"at byte {header.data_offset}")
    zero, plain, seen = sample(f, p, header)
    if plain:
        report["problems"].append(
            f"{plain} of {seen} blocks that were looked at are plain data "
            "behind the LUKS header")
    elif seen - zero < min(FEW, seen):
        report["problems"].append(
            f"{zero} of {seen} blocks that were looked at are zero: nothing "
            "was encrypted here")
    elif zero:
        report["warnings"].append(
            f"{zero} of {seen} blocks that were looked at are zero: built "
            "with --sparse, or discarded; the host sees which are in use")
    return {"version": header.version, "uuid": header.uuid,
            "partition": p.number,
            "cipher": header.cipher, "key_bits": header.key_bits,
            "sector_size": header.sector_size,
            "data_offset": header.data_offset,
            "slots": [{**s._asdict(), "grub": luks.grub_can_open(s)}
                      for s in header.slots]}


def sample(f, p, header):
    """Blocks of zeros, blocks that deflate can shrink, and all looked at. The
    first ones are among them, which no file system leaves out: of a large one
    that is sparse the others may all be zero."""
    zero = plain = 0
    blocks = (p.size - header.data_offset) // BLOCK
    wanted = sorted({i * blocks // SAMPLES for i in range(SAMPLES)}
                    | set(range(min(FEW, blocks))))
    for i in wanted:
        f.seek(p.start + header.data_offset + i * BLOCK)
        block = f.read(BLOCK)
        if not any(block):
            zero += 1
        elif len(zlib.compress(block, 6)) < RANDOM * len(block):
            plain += 1
    return zero, plain, len(wanted)


def probe(path, start, size):
    """What blkid takes these bytes for, or None."""
    said = command.run(["blkid", "--probe", "--offset", start, "--size", size,
                        "--output", "export", path], "looking at the image",
                       ok=(0, 2, 8))
    found = dict(line.split("=", 1) for line in said.splitlines()
                 if "=" in line)
    return found.get("TYPE") or found.get("PTTYPE")


def try_key(path, key_file, work, report):
    """Which slot a key opens, and that what it decrypts is a file system."""
    part = next(p for p in report["partitions"] if p["content"] == "luks")
    with open(path, "rb") as f:
        found = next(p for p in gpt.read(f, os.path.getsize(path))
                     if p.number == part["number"])
    header = luks.extract(path, found, work / "inspect.header")
    volume_key = work / "inspect.volume"
    try:
        store = luks.Volume(work / "inspect.header")
        slot = next((s.number for s in header.slots
                     if store.opens(key_file, s.number)), None)
        if slot is None:
            report["problems"].append(no_fit(key_file))
            return
        report["key_slot"] = slot
        secret = store.volume_key(key_file, volume_key)
        report["file_system"] = root_of(path, found, header, secret)
        if report["file_system"] is None:
            report["problems"].append(
                "the key opens the volume, but what it decrypts is no ext4 "
                "file system: the data are damaged or never were encrypted")
    finally:
        for name in (work / "inspect.header", volume_key):
            name.unlink(missing_ok=True)


def no_fit(key_file):
    said = f"key file '{key_file}' opens no slot"
    if key.has_line_end(key.read(key_file)):
        said += "; " + key.newline_advice(key_file)
    return said


def root_of(path, p, header, secret):
    """{"type", "uuid", "free"} of the ext4 in the volume, or None."""
    sectors = xts.Sectors(secret, header.sector_size)
    with open(path, "rb") as f:
        f.seek(p.start + header.data_offset)
        plain = sectors.decrypt(f.read(4096), 0)
    if plain[ext4.MAGIC_AT:ext4.MAGIC_AT + 2] != ext4.MAGIC:
        return None
    return ext4.describe(plain[1024:2048])


def demand(report, name):
    """A Refusal that lists the problems, if there are any."""
    if report["problems"]:
        raise Refusal(f"{name}: " + "; ".join(report["problems"]))


def picture(report):
    """The report for people."""
    out = [f"{report['image']}: {show(report['size'])}"]
    for p in report.get("partitions", []):
        out.append(f"  {p['number']}  {p['name'] or '-':12} at "
                   f"{show(p['start'])}, {show(p['size'])}: {p['content']}")
        out += [f"       {name}" for name in p.get("files") or []]
    if "luks" in report:
        out += picture_of_luks(report["luks"])
    if "key_slot" in report:
        out.append(f"  the key opens slot {report['key_slot']}")
    if report.get("file_system"):
        fs = report["file_system"]
        out.append(f"  ext4 {fs['uuid']}, {show(fs['free'])} free of "
                   f"{show(fs['size'])}")
    out += [f"  warning: {w}" for w in report["warnings"]]
    out += [f"  NOT ENCRYPTED, OR NOT USABLE: {p}" for p in report["problems"]]
    if report["encrypted"]:
        out.append("  encrypted")
    return "\n".join(map(printable, out))


def printable(line):
    """An image may say anything, and to a terminal."""
    return "".join(c if c.isprintable() else "?" for c in line)


def picture_of_luks(v):
    out = [f"  LUKS{v['version']} {v['uuid']}: {v['cipher']}, key of "
           f"{v['key_bits']} bits, sectors of {v['sector_size']}"]
    for s in v["slots"]:
        can = "GRUB can open it" if s["grub"] else "GRUB cannot open it"
        out.append(f"    slot {s['number']}: {s['kdf']} {s['hash']} "
                   f"{s['iterations']} iterations; {can}")
    return out
