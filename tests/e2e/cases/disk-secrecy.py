# SPDX-License-Identifier: Apache-2.0
"""Nothing that the host can read holds a word of the disk, or its key."""
import pathlib

from e2e.disk import Disk, Shell, boot, login, power_off

SECONDS = 400
DISK = "luks2"
WORD = "a-word-that-only-the-encrypted-root-holds"     # see tests/e2e/artefacts


def words_of(disk):
    return WORD.encode(), disk.key.read_bytes()


def files_of(t, vm):
    """What the VMM has open but the disk, and all that the test kept of it."""
    out = set(t.dir.rglob("*"))
    for fd in pathlib.Path(f"/proc/{vm.child.pid}/fd").iterdir():
        out.add(fd.resolve())
    return [p for p in out if p.is_file() and p.suffix != ".img"]


def in_file(path, words):
    with open(path, "rb") as f:
        tail = b""
        while part := f.read(1 << 20):
            if any(w in tail + part for w in words):
                return True
            tail = part[-100:]
    return False


def search(t, vm, disk):
    """[hits of the word, of the key, files with either] while it runs."""
    words = words_of(disk)
    word, key, size = vm.search(*words)
    assert size > 256 << 20, f"only {size} bytes of memory could be read"
    return [word, key, [str(p) for p in files_of(t, vm) if in_file(p, words)]]


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
    assert hits == [0, 0, []], hits
    left = [str(p) for p in [disk.path, *t.dir.rglob("*")]
            if p.is_file() and in_file(p, words_of(disk))]
    assert not left, f"after the end: {left}"


def plain(t):
    """The same system and the same search, without SEV: the passphrase is
    typed. What the search finds here it would have found above."""
    disk = Disk(t, DISK)
    vm = t.carrel("--disk", f"path={disk.path}", "--rng", name="plain",
                  kernel=False, firmware=t.sev_firmware_prompt, memory="512M",
                  typing=True)
    vm.qmp()
    vm.expect(r"passphrase: $")
    vm.type("not the passphrase\n")
    vm.expect(r"opens none of 1 LUKS volume")
    vm.expect(r"passphrase: $")
    vm.type(disk.key.read_text() + "\n")
    login(vm)
    shell = Shell(vm)
    use(shell)
    # GRUB has wiped the key, and no echo has shown it: it is typed once more.
    shell(f"printf %s {disk.key.read_text()} > /run/key")
    hits = search(t, vm, disk)
    power_off(vm, shell)
    assert hits[0] >= 1000 and hits[1] >= 1 and hits[2], \
        f"the search finds {hits} in a plain guest"


def parts(t):
    t.check("a SEV guest: no hit in memory and files", confidential, t)
    t.check("a plain guest: the same search finds them", plain, t)
