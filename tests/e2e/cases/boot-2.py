# SPDX-License-Identifier: Apache-2.0
"""An attested SEV guest with 2 CPUs: Linux, disk, entropy, power-off."""
from e2e.launch import attested, check_disk, check_end, check_sev, one, ready

SECONDS = 25


def run(t):
    disk = t.disk()
    vm = attested(t, "--cpus", 2, "--disk", f"path={disk}", "--rng")
    facts = ready(vm)
    check_sev(facts)
    check_disk(facts, disk)
    assert one(facts, "cpus") == "2", facts["cpus"]
    assert one(facts, "rng bytes") == "64", facts["rng bytes"]
    assert int(one(facts, "interrupts").split()[0]) > 0, "no MSI-X"
    check_end(vm)
