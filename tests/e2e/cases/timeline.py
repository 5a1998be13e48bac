# SPDX-License-Identifier: Apache-2.0
"""The time line: what takes a boot's time, and each command of a launch."""
import json
import re
import xml.etree.ElementTree

from e2e.launch import check_end, ready
from e2e.vm import run as run_tool

SECONDS = 130

HOST = ["process", "configuration", "files", "kvm", "memory", "image", "cpus",
        "devices", "control", "sandbox"]
SEV_HOST = ["process", "configuration", "files", "kvm", "memory", "keys",
            "image", "cpus", "devices", "measure", "control", "sandbox",
            "wait"]
LINUX = ["kernel", "acpi", "user", "drivers", "ready"]    # by modules
FIRMWARE = ["sec", "pei", "dxe", "bds"]


def spans(line, lane):
    return [m for m in line["marks"]
            if m["lane"] == lane and "duration-ns" in m]


def names(marks):
    return [m["name"] for m in marks]


def only(line, name, what=None):
    found = [m for m in line["marks"] if m["name"] == name and
             what in (None, m.get("what"))]
    assert len(found) == 1, f"{name}: {found}"
    return found[0]


def follow(marks, start, end):
    """They follow each other without a gap from start on, to end."""
    for m in marks:
        assert abs(m["start-ns"] - start) < 50e6, f"{m} at {start}"
        start = m["start-ns"] + m["duration-ns"]
    assert abs(start - end) < 50e6, f"the last ends at {start}, not {end}"


def check_phases(line, host, guest):
    """Each phase that is expected, in its order, and all of the time."""
    entry = only(line, "entry")["start-ns"]
    got = [m for m in spans(line, "host") if m["start-ns"] <= entry]
    assert names(got) == [*host, "start"], names(got)
    follow(got, 0, entry)
    phases = [m for m in spans(line, "guest")
              if m["name"] in FIRMWARE + LINUX]
    assert names(phases) == guest, names(phases)
    follow(phases, entry, line["now-ns"])
    exits = [m["exits"] for m in phases]
    assert exits == sorted(exits) and exits[-1] > 100, exits
    assert exits[-1] <= line["exits"], line["exits"]
    assert line["dropped"] == 0, line


def load(path, vm, reason):
    line = json.loads(path.read_text())
    assert line["ended"] and only(line, "end")["what"] == reason, line
    assert line["name"] == vm.name, line
    return line


def check_picture(path):
    root = xml.etree.ElementTree.parse(path).getroot()
    assert root.tag.endswith("}svg"), root.tag
    status, out = run_tool(["xmllint", "--nonet", "--noout", path])
    assert status == 0, out


def while_it_runs(t, vm):
    ctl = [t.program("carrelctl"), vm.control, "timeline"]
    status, text = run_tool([*ctl], env={"COLUMNS": "100"})
    assert status == 0 and re.search(r"^guest ready mark 8 .*", text, re.M), \
        text
    t.note(text)
    status, out = run_tool([*ctl, "--json"])
    line = json.loads(out)
    assert status == 0 and not line["ended"], out
    status, out = run_tool([*ctl, "--svg", t.dir / "running.svg"])
    assert status == 0 and not out, out
    check_picture(t.dir / "running.svg")
    status, out = run_tool([*ctl, "--svg", t.dir / "no" / "such.svg"])
    assert status == 1 and "such.svg" in out, f"{status}: {out}"
    return line


def direct(t):
    path, disk = t.dir / "direct.json", t.disk()
    vm = t.direct("--disk", f"path={disk}", "--rng", "--cpus", 2, "--name",
                  "direct", "--timeline", path, name="direct",
                  cmdline="carrel.test=button")
    vm.qmp()
    vm.expect("carrel-guest: button: event")
    before = while_it_runs(t, vm)
    vm.qmp().command("stop")
    vm.qmp().command("cont")
    vm.qmp().command("system_powerdown")
    check_end(vm)
    line = load(path, vm, "guest-shutdown")
    check_phases(before, HOST, LINUX)
    check_phases(line, HOST, LINUX)
    assert before["marks"][:8] == line["marks"][:8]
    assert only(line, "paused")["duration-ns"] == line["paused-ns"] > 0
    for device in ("disk0", "rng"):
        only(line, "driver", device)


def firmware(t):
    path = t.dir / "firmware.svg"
    vm = t.carrel("--name", "firmware",
                  "--timeline", path, firmware=t.plain_firmware,
                  name="firmware", cmdline="carrel.test=button")
    vm.qmp()
    vm.expect("carrel-guest: button: event")
    line = vm.qmp().command("x-carrel-timeline")
    vm.qmp().command("system_powerdown")
    check_end(vm)
    check_picture(path)
    check_phases(line, HOST, FIRMWARE + ["kernel", "acpi", "user", "ready"])
    assert only(line, "initrd-read")["bytes"] == t.initrd.stat().st_size
    size = t.kernel.stat().st_size
    assert size * 0.9 < only(line, "kernel-read")["bytes"] < size


def journal(path):
    """(command, bytes) of each command in the emulation's log."""
    return re.findall(r"^\S+ psp (\w+) .*?bytes=(\d+)",
                      path.read_text(), re.M)


def sev(t):
    path, log = t.dir / "sev.json", t.dir / "emu.log"
    t.within = ["env", f"CARREL_EMU_LOG={log}"]
    owner = t.owner()
    vm = t.carrel("--sev", owner.sev, "--disk", f"path={t.disk()}", "--name",
                  "sev", "--timeline", path, emulated=True, name="sev")
    t.within = []
    owner.admit(vm)
    ready(vm)
    assert vm.wait() == 0
    line = load(path, vm, "guest-shutdown")
    check_phases(line, SEV_HOST, FIRMWARE + LINUX)
    assert line["paused-ns"] == only(line, "wait")["duration-ns"] > 0, line
    given = [(m["name"], str(m.get("bytes", 0))) for m in spans(line, "psp")
             if m["name"] not in ("KVM_SEV_INIT", "REG_REGION")]
    assert not any(m.get("failed") for m in line["marks"]), line
    taken = [c for c in journal(log) if c[0] != "DECOMMISSION"]   # KVM's own
    assert given == taken, f"{given} is not {taken}"
    assert [c[0] for c in given if not c[0].endswith("STATUS")] == [
        "LAUNCH_START", "LAUNCH_UPDATE_DATA", "LAUNCH_UPDATE_DATA",
        "LAUNCH_MEASURE", "LAUNCH_SECRET", "LAUNCH_FINISH"], given
    t.note(json.dumps(spans(line, "psp")))


def refused(t):
    """The secure processor refuses a session that is for another policy."""
    path = t.dir / "refused.json"
    owner = t.owner(policy=3, session_policy=1, name="other")
    vm = t.carrel("--sev", owner.sev, "--name", "refused", "--timeline", path,
                  emulated=True, name="refused")
    assert vm.wait() == 2, vm.messages()
    line = load(path, vm, "it could not be started")
    assert only(line, "LAUNCH_START")["failed"], line
    assert "entry" not in names(line["marks"]), line


def crashed(t):
    path = t.dir / "crashed.json"
    vm = t.direct("--name", "crashed", "--timeline", path, name="crashed",
                  cmdline="carrel.test=crash reboot=t")
    assert vm.wait() == 4, vm.messages()
    line = load(path, vm, "guest-panic")
    assert names(spans(line, "guest"))[-1] == "ready", line


def bad_files(t):
    for path, status, words in ((t.tmp / "x.png", 1, ".json or .svg"),
                                (t.tmp / "no" / "x.json", 2, "No such file"),
                                (t.tmp, 1, ".json or .svg")):
        got, out = run_tool([t.program("carrel"), "run", "--kernel", t.kernel,
                             "--timeline", path])
        assert got == status and words in out, f"{got}: {out}"


def parts(t):
    t.check("files that cannot be written", bad_files, t)
    t.check("a direct boot, and while it runs", direct, t)
    t.check("a kernel handed over to a firmware, as a picture", firmware, t)
    t.check("an attested launch, command by command", sev, t)
    t.check("a launch that is refused", refused, t)
    t.check("a guest that crashes", crashed, t)
