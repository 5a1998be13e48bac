# SPDX-License-Identifier: Apache-2.0
"""The memory of the VMM holds a plain guest's words, not a SEV guest's."""
import hashlib

from e2e.launch import attested, check_end

SECONDS = 60
SEED = "seed-of-a-word-the-host-never-saw"
WORD = hashlib.sha256(SEED.encode()).hexdigest().encode()
CMDLINE = f"carrel.test=plant carrel.seed={SEED}"


def words(vm):
    vm.expect("carrel-guest: button: event")
    found, size = vm.search(WORD)
    assert size > 64 << 20, f"only {size} bytes could be read"
    vm.qmp().command("system_powerdown")
    check_end(vm)
    return found


def plain(t):
    vm = t.carrel(firmware=t.plain_firmware, cmdline=CMDLINE)
    vm.qmp()
    found = words(vm)
    assert found >= 1000, f"a plain guest's word is found {found} times"


def sev(t):
    vm = attested(t, cmdline=CMDLINE)
    found = words(vm)
    assert found == 0, f"a SEV guest's word is found {found} times"


def parts(t):
    t.check("plain: the word is in it", plain, t)
    t.check("SEV: the word is not in it", sev, t)
