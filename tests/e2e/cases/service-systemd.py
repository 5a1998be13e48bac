# SPDX-License-Identifier: Apache-2.0
"""VMs as units of a real systemd."""
import json
import os
import re
import shutil
import subprocess
import time

from e2e.system import System

SECONDS = 110
SYSTEM = "service"

TREE = """/dts-v1/;
/ {
	compatible = "carrel,vm";
	machine { memory = <(256 * 1024 * 1024)>; rng; SERIAL };
	boot {
		kernel = "/srv/vmlinuz";
		initrd = "/srv/initrd";
		cmdline = "console=ttyS0 quiet panic=-1 carrel.test=TEST";
	};
	run { log = "json"; };
	MORE
};
"""
DATA = "disks { data { path = \"data.img\"; }; };"
# Both devices of the host's kernel: the unit allows them.
WIRE = """
nets { net0 { tap = "tap0"; vhost = "on"; }; };
vsock { cid = <77>; vhost; };
"""


def describe(system, name, test, more="", serial='serial = "file=console";'):
    """/etc/carrel/NAME.dtb."""
    text = TREE
    for word, value in (("TEST", test), ("MORE", more), ("SERIAL", serial)):
        text = text.replace(word, value)
    subprocess.run(["dtc", "-q", "-O", "dtb", "-o",
                    system.root / f"etc/carrel/{name}.dtb", "-"],
                   input=text, text=True, check=True)


def drop_in(system, name, *lines):
    to = system.root / f"etc/systemd/system/carrel@{name}.service.d"
    to.mkdir(parents=True)
    (to / "test.conf").write_text("[Service]\n" + "\n".join(lines) + "\n")
    system.do("systemctl", "daemon-reload")


def console(system, name, pattern):
    """Waits for the guest to say it."""
    path = system.root / f"var/lib/carrel/{name}/console"
    end = time.monotonic() + system.t.patience
    while True:
        text = path.read_text(errors="replace") if path.exists() else ""
        found = re.search(pattern, text, re.M)
        if found:
            return found
        assert time.monotonic() < end, f"no /{pattern}/ in {text[-2000:]}" + \
            system.journal(f"carrel@{name}")
        time.sleep(0.3)


def status_of(system, name):
    pid = system.show(f"carrel@{name}", "MainPID")["MainPID"]
    text = system.do("cat", f"/proc/{pid}/status")
    return dict(re.findall(r"^(\w+):\s*(.*)$", text, re.M))


def starts(t, system):
    """A disk, a tap and vsock of the kernel's, the console in a file."""
    state = system.root / "var/lib/carrel/vm1"
    system.do("install", "-d", "-o", "carrel", "-m", "700",
              "/var/lib/carrel/vm1")
    (state / "data.img").write_bytes(os.urandom(1 << 20))
    system.do("chown", "carrel:", "/var/lib/carrel/vm1/data.img")
    uid = system.do("id", "-u", "carrel").strip()
    system.network("ip", "tuntap", "add", "tap0", "mode", "tap", "user", uid)
    system.network("ip", "link", "set", "tap0", "up")
    describe(system, "vm1", "button", DATA + WIRE)
    began = time.monotonic()
    system.do("systemctl", "start", "carrel@vm1")
    t.note(f"started in {time.monotonic() - began:.1f} s")
    now = system.show("carrel@vm1", "ActiveState", "SubState", "StatusText",
                      "Type", "Result")
    assert now == {"ActiveState": "active", "SubState": "running", "Type":
                   "notify", "StatusText": "running", "Result": "success"}, now
    text = system.do("systemctl", "status", "--no-pager", "carrel@vm1")
    assert 'Status: "running"' in text and "carrel VM vm1" in text, text


def confined(_t, system):
    """The process is who and what the unit says."""
    got = status_of(system, "vm1")
    uid = system.do("id", "-u", "carrel").strip()
    kvm = system.do("getent", "group", "kvm").split(":")[2]
    assert set(got["Uid"].split()) == {uid}, got["Uid"]
    assert kvm in got["Groups"].split(), got["Groups"]
    assert got["NoNewPrivs"] == "1" and int(got["CapBnd"], 16) == 0, got
    assert got["Seccomp"] == "2", got
    # systemd's filters and carrel's own are all in force.
    assert int(got["Seccomp_filters"]) > 3, got["Seccomp_filters"]


def guest(_t, system):
    """The disk, the network and the entropy device are the guest's."""
    want = system.do("sha256sum", "/var/lib/carrel/vm1/data.img").split()[0]
    found = console(system, "vm1", r"disk vda: bytes (\d+) readonly 0 sha256 "
                    r"(\w+)")
    assert found[1] == str(1 << 20) and found[2] == want, found[0]
    console(system, "vm1", "rng bytes: 64")
    console(system, "vm1", "button: event")


def who_may(_t, system):
    """carrelctl by name: root may, others may not."""
    text = system.do("carrelctl", "vm1", "status")
    assert "vm1" in text and "running" in text, text
    mode = system.do("stat", "-c", "%a %U", "/run/carrel/vm1.sock")
    assert mode.split() == ["600", "root"], mode
    got, said = system.run("setpriv", "--reuid", "nobody", "--clear-groups",
                           "carrelctl", "vm1", "status")
    assert got == 2 and "Permission denied" in said, f"{got}: {said}"


def stops(t, system):
    """The power button, and the guest reacts."""
    began = time.monotonic()
    system.do("systemctl", "stop", "carrel@vm1")
    t.note(f"stopped in {time.monotonic() - began:.1f} s")
    console(system, "vm1", "button: pressed")
    assert system.show("carrel@vm1", "ActiveState", "Result") == {
        "ActiveState": "inactive", "Result": "success"}
    said = system.journal("carrel@vm1")
    assert "Deactivated successfully" in said and "SIGKILL" not in said, said
    system.until("carrel@vm1.socket", ActiveState="inactive")
    assert not system.inside("run/carrel/vm1.sock").exists()


def journal(_t, system):
    """Each of carrel's lines in the journal is an object of its own."""
    lines = [json.loads(line)["MESSAGE"] for line in system.journal(
        "carrel@vm1", "SYSLOG_IDENTIFIER=carrel", "-o", "json").splitlines()]
    assert lines, "carrel said nothing"
    said = [json.loads(line) for line in lines]
    assert all(s["vm"] == "vm1" and s["program"] == "carrel"
               for s in said), said
    assert any("power" in s["message"] for s in said), said


def stubborn(_t, system):
    """A guest that does not heed its power button is killed."""
    describe(system, "vm2", "count")
    drop_in(system, "vm2", "TimeoutStopSec=4")
    system.do("systemctl", "start", "carrel@vm2")
    console(system, "vm2", "count: 2$")
    began = time.monotonic()
    system.do("systemctl", "stop", "carrel@vm2")
    took = time.monotonic() - began
    assert 3.5 < took < 60, took
    now = system.show("carrel@vm2", "Result", "ExecMainStatus")
    assert now == {"Result": "timeout", "ExecMainStatus": "9"}, now


def told(system, name, text):
    """A console on the standard output is in the journal."""
    end = time.monotonic() + system.t.patience
    since = system.show(f"carrel@{name}", "InvocationID")["InvocationID"]
    while text not in system.journal(f"carrel@{name}",
                                     f"_SYSTEMD_INVOCATION_ID={since}"):
        assert time.monotonic() < end, system.journal(f"carrel@{name}")
        time.sleep(0.3)


def activated(_t, system):
    """The first client starts the VM; one that comes after its end, too."""
    describe(system, "vm3", "button", serial="")    # stdio, the default
    system.do("systemctl", "enable", "--now", "carrel@vm3.socket")
    for _ in range(2):
        assert system.show("carrel@vm3", "ActiveState") == {
            "ActiveState": "inactive"}
        text = system.do("carrelctl", "--timeout", "120", "vm3", "status")
        assert "running" in text, text
        assert system.show("carrel@vm3", "ActiveState") == {
            "ActiveState": "active"}
        told(system, "vm3", "button: event")
        system.do("carrelctl", "vm3", "quit")
        system.until("carrel@vm3", ActiveState="inactive", Result="success")
    system.do("systemctl", "disable", "--now", "carrel@vm3.socket")


def restarted(_t, system):
    """A guest that crashes is started again where that was asked for, and
    systemd hears of the crash by the exit status."""
    describe(system, "vm4", "crash", serial='serial = "file=console";')
    dtb = system.root / "etc/carrel/vm4.dtb"
    dtb.write_bytes(dtb.read_bytes().replace(
        b"console=ttyS0 quiet panic=-1", b"console=ttyS0 quiet reboot=t"))
    drop_in(system, "vm4", "Restart=on-failure", "RestartSec=1",
            "TimeoutStopSec=2")
    system.do("systemctl", "start", "carrel@vm4")
    end = time.monotonic() + system.t.patience
    while int(system.show("carrel@vm4", "NRestarts")["NRestarts"]) < 1:
        assert time.monotonic() < end, system.journal("carrel@vm4")
        time.sleep(0.3)
    system.do("systemctl", "stop", "carrel@vm4")
    said = system.journal("carrel@vm4")
    assert "status=4" in said, said


def refused(_t, system):
    """A tree that is wrong: the start fails, and says why."""
    describe(system, "vm5", "button", "frob { };")
    got, _ = system.run("systemctl", "start", "carrel@vm5")
    assert got != 0
    assert "/frob" in system.journal("carrel@vm5"), system.journal("carrel@vm5")
    got, said = system.run("systemctl", "start", "carrel@vm6")
    assert got != 0 and "ssert" in said, said     # no tree of that name


def installed(t, system):
    if os.geteuid():
        t.skip("a systemd of its own needs root")
    system.install()
    shutil.copy(t.kernel, system.root / "srv/vmlinuz")
    shutil.copy(t.initrd, system.root / "srv/initrd")


def parts(t):
    system = System(t)
    if not t.check("carrel installed, with its user", installed, t, system) \
            or os.geteuid():
        return
    with system.booted():
        for title, fn in (
                ("start: ready when the guest runs", starts),
                ("the process is confined", confined),
                ("disk, tap and entropy work in it", guest),
                ("carrelctl, and who may", who_may),
                ("stop: the power button", stops),
                ("the journal", journal),
                ("a guest that ignores the power button", stubborn),
                ("socket activation", activated),
                ("restart after a crash", restarted),
                ("trees that are wrong or missing", refused)):
            t.check(title, fn, t, system)
