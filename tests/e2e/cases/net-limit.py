# SPDX-License-Identifier: Apache-2.0
"""A network with limits, each way its own, set at start and while it runs."""
import json

from e2e.fio import limit
from e2e.net import Echo, Space, start

SECONDS = 60
MIB = 1 << 20
MBIT = 8 * 2 * MIB / 1e6      # what 2 MiB a second are to iperf3


def counters(vm):
    return vm.qmp().command("x-carrel-counters")["nets"][0]


def near(t, got, want, what):
    t.note(f"{what}: {got} Mbit/s")
    # TCP's headers and its second thoughts are below it, a burst above.
    assert 0.5 * want < got < 1.2 * want, f"{what}: {got}, not {want}"


def run(t):
    space = Space(t)
    vm, guest = start(t, "--net", f"tap={space.tap()},tx-bps=2M,tx-pps=1000000")
    guest.address()
    guest.ping()
    near(t, space.iperf(guest)[0], MBIT, "out, limited")
    free = space.iperf(guest, "-R")[0]
    t.note(f"in, without a limit: {free} Mbit/s")
    assert free > 2 * MBIT, free
    now = counters(vm)
    assert now["tx-throttled"] > 5 and now["tx-throttled-ns"] > 1e9, now
    assert now["rx-throttled"] == 0 and now["rx-bytes"] > 4 * MIB, now
    limit(t, vm, "net0", "rx-bps=2M", "rx-bps-burst=128K")
    assert limit(t, vm) == "net0 rx-bps=2097152 rx-bps-burst=131072\n"
    near(t, space.iperf(guest, "-R")[0], MBIT, "in, limited")
    free = space.iperf(guest)[0]
    t.note(f"out, without a limit: {free} Mbit/s")
    assert free > 2 * MBIT, free
    limit(t, vm, "net0", "rx-bps=4M", "tx-bps=4M", "tx-pps=5000")
    Echo(space, size=4 * MIB).check(guest)
    limit(t, vm, "net0", "rx-bps=0")
    [net] = vm.qmp().command("x-carrel-query-nets")
    assert net["up"] and net["tx-bps"] == 0, net
    table = limit(t, vm, "--interval", "1", "--count", "1", verb="top")
    assert "network" in table and "net0" in table, table
    assert json.loads(limit(t, vm, "--json", "net0"))["rx-pps"] == 0
    vm.qmp().command("quit")
    assert vm.wait() == 0
