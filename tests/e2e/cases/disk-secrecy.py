# SPDX-License-Identifier: Apache-2.0
"""Nothing that the host can read holds a word of the disk, or its key."""
import pathlib

from e2e.disk import Disk, Shell, boot, login, power_off

SECONDS = 480
DISK = "luks2"
WORD = "a-word-that-only-the-encrypted-root-holds"     # see tests/e2e/artefacts


def words_of(disk):
    return {"the disk's word": WORD.encode(), "its key": disk.key.read_bytes()}


def files_of(t, vm):
    """What the VMM has open, and all that the test has kept of it."""
    out = set(t.dir.rglob("*"))
    for fd in pathlib.Path(f"/proc/{vm.child.pid}/fd").iterdir():
        out.add(fd.resolve())
    return [p for p in out if p.is_file()]


def found_in_file(path, word):
    with open(path, "rb") as f:
        tail = b""
        while part := f.read(1 << 20):
            if word in tail + part:
                return True
            tail = part[1 - len(word):]
    return False


def search(t, vm, disk):
    """{what: [where]} of all that the host can look at."""
    hits = {}
    for what, word in words_of(disk).items():
        count, size = vm.search(word)
        assert size > 256 << 20, f"only {size} bytes of memory could be read"
        hits[what] = [f"memory: {count} times"] if count else []
        hits[what] += [str(p) for p in files_of(t, vm)
                       if found_in_file(p, word)]
    return hits


def use(shell):
    """Brings the words into memory as often as a busy system would."""
    shell("cp /root/words /run/words; for i in 1 2 3; do "
          "cat /run/words > /run/words$i; done")
    assert int(shell("cat /run/words* | wc -c")) > 1 << 16


def confidential(t):
    disk = Disk(t, DISK)
    vm = boot(t, disk, name="sev")
    shell = Shell(vm)
    use(shell)
    hits = search(t, vm, disk)
    power_off(vm, shell)
    assert not any(hits.values()), hits
    for what, word in words_of(disk).items():
        left = [p for p in [disk.path, *t.dir.rglob("*")]
                if p.is_file() and found_in_file(p, word)]
        assert not left, f"{what} is in {left} after the end"


def plain(t):
    """The same system and the same search, without SEV: the passphrase is
    typed. What the search finds here it would have found above."""
    disk = Disk(t, DISK)
    vm = t.carrel("--disk", f"path={disk.path}", "--rng", name="plain",
                  kernel=False, firmware=t.sev_firmware_prompt, memory="512M",
                  typing=True)
    vm.qmp()
    vm.expect(r"passphrase.*: $")
    vm.type(disk.key.read_text() + "\n")
    login(vm)
    shell = Shell(vm)
    use(shell)
    hits = search(t, vm, disk)
    power_off(vm, shell)
    assert hits["the disk's word"], "the search finds nothing anywhere"


def parts(t):
    t.check("a SEV guest: no hit in memory and files", confidential, t)
    t.check("a plain guest: the same search finds them", plain, t)
