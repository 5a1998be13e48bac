# SPDX-License-Identifier: Apache-2.0
"""A guest that only attacks the devices breaks them and nothing else."""
SECONDS = 40


def run(t):
    disk = t.disk()
    vm = t.carrel("--disk", f"path={disk},queues=2", "--rng",
                  "--balloon", "--watchdog", "none", "--no-reboot",
                  firmware=t.program("guest/hostile.bin"))
    status = vm.wait()
    said = vm.console()
    assert status == 3, f"exit status {status}, not 3: {vm.messages()}"
    assert "WRONG" not in said, said
    assert said.count(": broken") > 21, said
    first = int.from_bytes(disk.read_bytes()[:4], "little")
    assert f"hostile: sector {first:08x}" in said, said
    assert "hostile: random accesses" in said, said
