# SPDX-License-Identifier: Apache-2.0
"""QEMU boots the same SEV guest, with the same owner, to the end."""
from e2e.launch import check_end, check_sev, ready

SECONDS = 30


def run(t):
    owner = t.owner()
    vm = t.qemu("-S", *owner.qemu_sev(),
                machine=",confidential-guest-support=sev0")
    owner.admit(vm)
    check_sev(ready(vm))
    check_end(vm)
