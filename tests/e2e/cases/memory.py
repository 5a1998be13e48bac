# SPDX-License-Identifier: Apache-2.0
"""A core dump of the VMM holds a plain guest's words, not a SEV guest's."""
import hashlib

from e2e.launch import attested, check_end
from e2e.vm import holds

SECONDS = 150
SEED = "seed-of-a-word-the-host-never-saw"
WORD = hashlib.sha256(SEED.encode()).hexdigest().encode()
CMDLINE = f"carrel.test=plant carrel.seed={SEED}"


def dump(t, vm):
    vm.expect("carrel-guest: button: event")
    found = holds(vm.memory(), WORD)
    vm.qmp().command("system_powerdown")
    check_end(vm)
    return found


def plain(t):
    vm = t.carrel(firmware=t.plain_firmware, cmdline=CMDLINE)
    vm.qmp()
    assert dump(t, vm), "not even a plain guest's word is found"


def sev(t):
    vm = attested(t, cmdline=CMDLINE)
    assert not dump(t, vm), "the host read a SEV guest's memory"


def parts(t):
    t.check("plain: the word is in the dump", plain, t)
    t.check("SEV: the word is not in the dump", sev, t)
