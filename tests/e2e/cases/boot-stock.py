# SPDX-License-Identifier: Apache-2.0
"""The kernel of this Debian release boots under SEV and writes to its disk."""
from e2e.launch import check_end, check_sev, ready

SECONDS = 35
CMDLINE = "carrel.write=yes"


def run(t):
    owner = t.owner()
    disk = t.disk()
    before = disk.read_bytes()
    vm = t.carrel("--sev", owner.sev, "--disk", f"path={disk}",
                  "--memory", "3G", emulated=True, kernel=t.stock_kernel,
                  initrd=t.stock_initrd, cmdline=CMDLINE)
    owner.admit(vm, kernel=t.stock_kernel, initrd=t.stock_initrd,
                cmdline=CMDLINE)
    facts = ready(vm)
    check_sev(facts)
    assert "reads back" in facts["wrote"], facts
    check_end(vm)
    after = disk.read_bytes()
    assert after != before, "nothing was written"
    assert after[:65536] == before[:65536], "the wrong place was written"
