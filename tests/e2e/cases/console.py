# SPDX-License-Identifier: Apache-2.0
"""The virtio console: a shell on it, floods, a terminal, and its speed."""
import hashlib
import json
import os
import threading
import time

from e2e.launch import check_sev
from e2e.net import Guest, wait_for
from e2e.terminal import Terminal
from e2e.vm import run as run_tool

SECONDS = 220
CMDLINE = "carrel.test=shell"


def on_hvc0(t, name, start, **kw):
    """A guest whose shell is on hvc0, behind a socket."""
    wire = t.tmp / f"{name}.hvc"
    vm = start("--console", f"socket={wire}", name=name,
               initrd=t.net_initrd, cmdline=f"{CMDLINE} carrel.tty=hvc0",
               **kw)
    vm.serial = t.dir / f"{name}.hvc"
    vm.attach(wire)
    return vm


def shell(t):
    vm = on_hvc0(t, "plain", t.direct)
    guest = Guest(vm)
    assert "hvc0" in guest.do("tty")
    # Not more: each 16 bytes cost a lab with one processor milliseconds, as
    # the driver spins while the device wants to run.
    guest.do("i=0; while [ $i -lt 1000 ]; do echo line $i of a flood; "
             "i=$((i + 1)); done")
    said = vm.console()
    for i in (0, 499, 999):
        assert f"line {i} of a flood" in said, f"line {i} is missing"
    assert said.count("of a flood") >= 1000, said.count("of a flood")
    vm.qmp().command("stop")
    vm.type("echo typed while stopped\n")
    time.sleep(0.5)
    assert "typed while" not in vm.console()[len(said):]
    vm.qmp().command("cont")
    vm.expect("typed while stopped")
    vm.qmp().command("quit")
    assert vm.wait() == 0


def exits(vm):
    counted = vm.qmp().command("x-carrel-counters")
    return sum(cpu["exits"] for cpu in counted["vcpus"])


def timed(vm, guest, command):
    before, start = exits(vm), time.monotonic()
    guest.do(command)
    return time.monotonic() - start, exits(vm) - before


def files(t):
    """144 KiB into files that take 64 each: what is left is the end of it; and
    what a byte costs here and at the UART."""
    path = t.tmp / "flood"      # 9p cannot swap two names
    vm = t.direct("--console", f"file={path},max=64K", name="files",
                  initrd=t.net_initrd, cmdline=CMDLINE, typing=True)
    guest = Guest(vm)
    guest.do("head -c 147456 /dev/urandom > /tmp/data")
    took, n = timed(vm, guest, "(stty -opost; cat /tmp/data) "
                    "< /dev/hvc0 > /dev/hvc0")
    t.note(f"hvc0: {144 / took:.1f} KiB/s, {n / 144:.1f} exits a KiB")
    wait_for(lambda: os.path.getsize(path) == 16 << 10, "the last bytes")
    kept = (t.tmp / "flood.1").read_bytes() + path.read_bytes()
    assert len(kept) == 80 << 10, len(kept)
    digest = guest.do(f"tail -c {len(kept)} /tmp/data | sha256sum").split()[0]
    assert digest == hashlib.sha256(kept).hexdigest(), "the end is another"
    guest.do("head -c 16384 /dev/zero | tr '\\0' x > /tmp/text")
    took, n = timed(vm, guest, "cat /tmp/text > /dev/ttyS0")
    t.note(f"ttyS0: {16 / took:.1f} KiB/s, {n / 16:.1f} exits a KiB")
    vm.qmp().command("quit")
    assert vm.wait() == 0


def sev(t):
    owner = t.owner()
    cmdline = f"{CMDLINE} carrel.tty=hvc0"
    vm = on_hvc0(t, "sev", lambda *a, **kw: t.carrel(
        *a, "--sev", owner.sev, emulated=True, **kw))
    owner.admit(vm, cmdline=cmdline, initrd=t.net_initrd)
    guest = Guest(vm)
    check_sev(vm.facts())
    assert "hvc0" in guest.do("tty")
    said = guest.do("head -c 4000 /dev/zero | tr '\\0' x")
    assert "x" * 4000 in said, said
    vm.qmp().command("quit")
    assert vm.wait() == 0


def at_terminal(t, name, tty="hvc0"):
    """A guest with a shell at a terminal, on one of its two ports."""
    control = t.tmp / f"{name}.sock"
    port = {"hvc0": "--console", "ttyS0": "--serial"}[tty]
    return control, Terminal(t, name, [
        t.program("carrel"), "run", "--kernel", t.kernel, "--initrd",
        t.net_initrd, "--memory", "256M", "--control", control, "--cmdline",
        f"console=ttyS0 quiet panic=-1 {CMDLINE} carrel.tty={tty}",
        port, "stdio"])


def terminal(t):
    control, tty = at_terminal(t, "stdio")
    tty.expect("carrel-guest: ready: shell")
    assert tty.is_raw()
    tty.type(b"stty size\n")
    tty.expect("33 101")
    tty.resize(20, 70)
    wait_for(lambda: tty.type(b"stty size\n") or time.sleep(1) or
             "20 70" in tty.shown(), "another size of the window")
    tty.type(b"\x01h")
    tty.expect("Ctrl-A x  end the VM")
    tty.type(b"echo '\x01\x01' | od -An -tx1\n")
    tty.expect(r"^ 01 0a")
    watch = [t.program("carrelctl"), control, "watch", "--json"]
    seen = []
    thread = threading.Thread(target=lambda: seen.append(run_tool(watch)[1]))
    thread.start()
    time.sleep(1)
    tty.type(b"\x01x")
    assert tty.wait() == 0
    assert tty.is_as_before()
    thread.join(30)
    ends = [json.loads(line) for line in seen[0].splitlines()
            if '"SHUTDOWN"' in line]
    assert ends and ends[0]["data"]["reason"] == "host-ui", seen


def flooded(t, port):
    """The end is asked for while a vCPU waits for the port's lock."""
    _, tty = at_terminal(t, f"flood-{port}", port)
    tty.expect("carrel-guest: ready: shell")
    tty.type(b"while :; do echo a flood of output; done\n")
    tty.expect("flood of output", 50)
    tty.type(b"\x01x")
    assert tty.wait(30) == 0
    assert tty.is_as_before()


def stopped(t):
    """As a shell does it: the terminal is taken back, and given again."""
    _, tty = at_terminal(t, "stopped", "ttyS0")
    tty.expect("carrel-guest: ready: shell")
    tty.stop()
    assert not tty.is_raw()
    tty.go_on()
    wait_for(tty.is_raw, "a raw terminal", 20)
    tty.type(b"echo still $((20 + 3))\n")
    tty.expect("still 23")
    # A break and a key are a SysRq: h, which prints what there is.
    tty.type(b"echo 1 > /proc/sys/kernel/sysrq; dmesg -n 8\n")
    tty.expect("carrel-guest: done: 0", 2)
    tty.type(b"\x01bh")
    tty.expect("sysrq: HELP")
    tty.type(b"\x01x")
    assert tty.wait() == 0


def killed(t):
    _, tty = at_terminal(t, "killed")
    tty.expect("carrel-guest: ready: shell")
    assert tty.is_raw()
    tty.kill()
    assert tty.is_as_before(), "the terminal stays raw"


def parts(t):
    t.check("a shell on hvc0, a flood, stop and cont", shell, t)
    t.check("144 KiB into files that are rotated", files, t)
    t.check("in a SEV guest", sev, t)
    t.check("at a terminal: size, help, Ctrl-A, the end", terminal, t)
    t.check("Ctrl-A x in a flood, hvc0", flooded, t, "hvc0")
    t.check("Ctrl-A x in a flood, ttyS0", flooded, t, "ttyS0")
    t.check("a terminal after SIGSTOP and SIGCONT, and a break", stopped, t)
    t.check("a terminal after SIGKILL", killed, t)
