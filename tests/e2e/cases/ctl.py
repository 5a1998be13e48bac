# SPDX-License-Identifier: Apache-2.0
"""carrelctl and a running VM."""
import json
import subprocess

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


def steer(t):
    vm = t.carrel("--paused", "--name", "steered", "--cpus", "2", name="vm",
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
    vm.expect("carrel-guest: ")
    assert json.loads(ctl(t, vm, "counters"))["vcpus"][0]["exits"] > 1000
    ctl(t, vm, "stop")
    assert "paused" in ctl(t, vm, "status")
    assert ctl(t, vm, "reset") == ""
    refusal = ctl(t, vm, "command", "query-frob", status=3)
    assert "query-frob has not been found" in refusal, refusal
    assert ctl(t, vm, "command", "query-name", "--json") == \
        '{"name":"steered"}\n'
    ctl(t, vm, "quit")
    assert vm.wait() == 0
    said, _ = watching.communicate(timeout=60)
    assert watching.returncode == 0, said
    for word in ("RESUME", "STOP", "RESET guest=false", "host-qmp-quit"):
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
