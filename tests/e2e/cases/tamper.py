# SPDX-License-Identifier: Apache-2.0
"""A host that changes what is started gets no secret and no guest."""
SECONDS = 60


def changed(t, name, path, at):
    """A copy with one bit of one byte flipped."""
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    copy = t.tmp / name
    copy.write_bytes(data)
    return copy


def refused(t, cmdline="", **host):
    """The host starts something else; the owner expects the real thing."""
    owner = t.owner(name=f"owner-{len(list(t.tmp.glob('owner-*')))}")
    vm = t.carrel("--sev", owner.sev, emulated=True, cmdline=cmdline, **host)
    status, out = owner.attest(vm)
    assert status == 1, f"attest ended with {status}: {out}"
    assert "measurement" in out, f"which check failed? {out}"
    assert vm.qmp().command("query-sev")["state"] == "launch-secret", out
    assert vm.status() == "prelaunch", "the guest ran"
    assert not vm.console(), "the guest spoke"
    vm.qmp().command("quit")
    assert vm.wait() == 0


def wrong_policy(t):
    """The host asks for another policy than the session is for."""
    owner = t.owner(name="owner-policy", policy=3, session_policy=1)
    vm = t.carrel("--sev", owner.sev, emulated=True)
    assert vm.wait() == 2, "a session for another policy was accepted"
    assert "LAUNCH_START" in vm.messages(), vm.messages()


def parts(t):
    # A byte inside the last boot block, one inside the kernel proper.
    t.check("firmware", lambda: refused(
        t, firmware=changed(t, "firmware", t.firmware, -0x8000)))
    t.check("kernel", lambda: refused(
        t, kernel=changed(t, "kernel", t.kernel, 0x100000)))
    t.check("initrd", lambda: refused(
        t, initrd=changed(t, "initrd", t.initrd, -100)))
    t.check("command line", lambda: refused(t, cmdline="init=/bin/sh"))
    t.check("no hash table", lambda: no_hashes(t))
    t.check("policy", wrong_policy, t)


def no_hashes(t):
    owner = t.owner(name="owner-hashes")
    vm = t.carrel("--sev", owner.sev + ",kernel-hashes=off", emulated=True)
    status, out = owner.attest(vm)
    assert status == 1, f"attest ended with {status}: {out}"
    assert vm.status() == "prelaunch", "the guest ran"
