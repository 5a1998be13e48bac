# SPDX-License-Identifier: Apache-2.0
"""Each thread of a running VM is confined; with --sandbox off none is."""
import pathlib

SECONDS = 30


def threads(vm):
    """{thread: its fields in /proc}, carrel's own. The emulation has helpers,
    which have no names of their own and are outside on purpose."""
    out = {}
    for task in pathlib.Path(f"/proc/{vm.child.pid}/task").iterdir():
        lines = (task / "status").read_text(encoding="utf-8").splitlines()
        fields = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
        if int(task.name) == vm.child.pid or fields["Name"] != "carrel":
            out[f"{fields['Name']} {task.name}"] = fields
    return out


def start(t, *args, **kw):
    vm = t.carrel("--paused", "--cpus", 2, "--rng", "--disk",
                  f"path={t.disk(args[0] if args else 'disk')}", *args[1:],
                  firmware=None if kw.get("emulated") else t.plain_firmware,
                  **kw)
    vm.qmp()
    return vm


def check_confined(vm):
    found = threads(vm)
    # main, two vCPUs, two queues of the disk, one of the entropy device
    assert len(found) == 6, found.keys()
    for name, fields in found.items():
        assert fields["Seccomp"] == "2", f"{name}: no filter"
        assert fields["NoNewPrivs"] == "1", f"{name}: new privileges"
        for caps in "CapEff", "CapPrm", "CapInh", "CapAmb", "CapBnd":
            assert int(fields[caps], 16) == 0, f"{name}: {caps}"
    limits = pathlib.Path(f"/proc/{vm.child.pid}/limits").read_text(
        encoding="utf-8")
    core = next(x for x in limits.splitlines() if x.startswith("Max core"))
    assert core.split()[4:6] == ["0", "0"], core


def check_end(vm):
    vm.qmp().command("quit")
    assert vm.wait() == 0
    assert not vm.control.exists(), "the control socket is left behind"


def plain(t):
    vm = start(t, "plain", name="plain")
    check_confined(vm)
    check_end(vm)


def emulated(t):
    vm = start(t, "sev", "--sev", "policy=1", name="sev", emulated=True)
    check_confined(vm)
    check_end(vm)


def off(t):
    vm = start(t, "off", "--sandbox", "off", name="off")
    for name, fields in threads(vm).items():
        assert fields["Seccomp"] == "0", f"{name}: a filter"
    check_end(vm)


def run(t):
    t.check("a plain VM is confined", plain, t)
    t.check("a SEV guest's VM is confined, under emulation too", emulated, t)
    t.check("--sandbox off", off, t)
