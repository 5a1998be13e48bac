# SPDX-License-Identifier: Apache-2.0
"""carrelctl and a running VM."""
import json
import subprocess

from e2e import vsock
from e2e.metrics import metrics
from e2e.net import Space
from e2e.vm import run as run_tool

SECONDS = 30


def ctl(t, vm, *args, status=0):
    got, out = run_tool([t.program("carrelctl"), vm.control, *args])
    assert got == status, f"{args}: exit status {got}, not {status}: {out}"
    return out


def watcher(t, vm, *args):
    # pylint: disable=consider-using-with
    child = subprocess.Popen(
        [t.program("carrelctl"), vm.control, "watch", *args],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return child


def devices(t, vm, families):
    """Two interfaces, vsock and a balloon, too; the guest's vsock is asked
    for a port that nobody has."""
    for name in "rx_bytes", "tx_frames", "rx_throttled_seconds":
        of = {s.labels["net"]: s.value for s in
              families[f"carrel_net_{name}"].samples}
        assert sorted(of) == ["lan", "net1"], of
    target = families["carrel_balloon_target_bytes"]
    assert target.type == "gauge" and target.unit == "bytes", target
    assert [s.value for s in target.samples] == [256 << 20], target
    before = metrics(t, vm)[1]
    try:
        vsock.connect(t.tmp / "vsock", 9).close()
        raise AssertionError("nobody listens at the guest's port 9")
    except ConnectionError:
        pass
    name = ("carrel_vsock_tx_packets_total",)
    after = metrics(t, vm)[1]
    assert after[name] == before[name] + 1, after


def counted(t, vm):
    """Counters, their rates, and the metrics as a collector reads them."""
    counters = json.loads(ctl(t, vm, "counters"))
    disk, memory = counters["disks"][0], counters["memory"]
    assert disk["id"] == "data" and disk["read-bytes"] >= 4 << 20, disk
    assert disk["errors"] == 0 and disk["writes"] == 0, disk
    assert memory["bytes"] == 256 << 20, memory
    assert 8 << 20 < memory["resident-bytes"] <= memory["bytes"], memory
    families, samples = metrics(t, vm)
    read = samples["carrel_disk_read_bytes_total", ("disk", "data")]
    assert read >= disk["read-bytes"], f"{read} of {disk}"
    assert families["carrel_vm_state"].type == "stateset"
    exits = families["carrel_vcpu_exits"].samples
    assert len(exits) == 12, exits
    devices(t, vm, families)
    table = ctl(t, vm, "top", "--interval", "1", "--count", "2")
    assert table.count("busy%") == 2 and "data" in table, table
    t.note(table)
    rates = json.loads(ctl(t, vm, "top", "--interval", "1", "--count", "1",
                           "--json"))
    assert 0.9 < rates["seconds"] < 60, rates
    assert sum(c["exits"] for c in rates["per-second"]["vcpus"]) > 0, rates


def steer(t):
    space = Space(t)
    vm = t.carrel("--paused", "--name", "steered", "--cpus", "2", "--disk",
                  f"path={t.disk()},id=data", "--net",
                  f"tap={space.tap()},id=lan,vhost=off", "--net",
                  f"tap={space.tap('tap1')}", "--balloon", "--vsock",
                  f"cid=5,path={t.tmp / 'vsock'}", name="vm",
                  firmware=t.plain_firmware, cmdline="carrel.test=count")
    vm.qmp()
    text = ctl(t, vm, "status")
    assert "steered" in text and "prelaunch" in text and "off" in text, text
    watching = watcher(t, vm)
    events = watcher(t, vm, "--json")
    ctl(t, vm, "cont")
    assert json.loads(ctl(t, vm, "status", "--json"))["status"]["running"]
    assert len(ctl(t, vm, "cpus").splitlines()) == 3
    threads = json.loads(ctl(t, vm, "cpus", "--json"))
    assert threads[1]["thread-id"] > 0, threads
    vm.expect("carrel-guest: count: 1$")
    assert json.loads(ctl(t, vm, "counters"))["vcpus"][0]["exits"] > 1000
    counted(t, vm)
    ctl(t, vm, "stop")
    assert "paused" in ctl(t, vm, "status")
    assert ctl(t, vm, "reset") == ""
    refusal = ctl(t, vm, "command", "query-frob", status=3)
    assert "query-frob has not been found" in refusal, refusal
    assert ctl(t, vm, "command", "query-name", "--json") == \
        '{"name":"steered"}\n'
    ctl(t, vm, "powerdown")
    text = json.loads(ctl(t, vm, "command", "x-carrel-metrics", "--json"))
    assert "openmetrics" in text["content-type"], text
    ctl(t, vm, "quit")
    assert vm.wait() == 0
    said, _ = watching.communicate(timeout=60)
    assert watching.returncode == 0, said
    for word in ("RESUME", "STOP", "RESET guest=false", "POWERDOWN",
                 "host-qmp-quit"):
        assert word in said, f"no {word} in: {said}"
    said, _ = events.communicate(timeout=60)
    names = [json.loads(line)["event"] for line in said.splitlines()]
    assert names[-1] == "SHUTDOWN" and "RESET" in names, names


def killed(t):
    vm = t.carrel("--paused", name="killed", firmware=t.plain_firmware)
    vm.qmp()
    watching = watcher(t, vm)
    ctl(t, vm, "status")
    vm.kill()
    said, _ = watching.communicate(timeout=60)
    assert watching.returncode == 2, f"{watching.returncode}: {said}"
    ctl(t, vm, "status", status=2)


def parts(t):
    t.check("a VM from start to end", steer, t)
    t.check("a VM that is killed", killed, t)
