# SPDX-License-Identifier: Apache-2.0
"""Secrets that the platform must refuse, and one that it takes once."""
import base64

from e2e.qmp import Refused

SECONDS = 30


def packet(t, owner, vm, name="packet"):
    """Header and payload that the owner makes for this very launch."""
    data = vm.qmp().command("query-sev-launch-measure")["data"]
    out = t.tmp / name
    owner.ok("secret", "--tk", owner.dir / "tmp_tk.bin", "--measurement",
             data, "--entry",
             f"736869e5-84f0-4973-92ec-06879ce3da0b={owner.secret}",
             "--out", out, "--force")
    return (out / "header.bin").read_bytes(), \
        (out / "payload.bin").read_bytes()


def inject(vm, header, payload, **kw):
    return vm.qmp().command(
        "sev-inject-launch-secret",
        packet_header=base64.b64encode(header).decode(),
        secret=base64.b64encode(payload).decode(), **kw)


def refuses(vm, words, header, payload, **kw):
    try:
        inject(vm, header, payload, **kw)
    except Refused as why:
        said = str(why).lower()
        assert any(w in said for w in words), f"a refusal of what? {why}"
        return
    raise AssertionError(f"taken: {words}")


def run(t):
    owner = t.owner()
    vm = t.carrel("--sev", owner.sev, "--paused", emulated=True,
                  cmdline="carrel.test=poweroff")
    header, payload = packet(t, owner, vm)
    bad_mac = header[:-1] + bytes([header[-1] ^ 1])
    refuses(vm, ["mac", "measure"], bad_mac, payload)
    refuses(vm, ["52", "header"], header[:-1], payload)
    refuses(vm, ["multiple of 16", "16"], header, payload[:-1])
    refuses(vm, ["16", "small", "empty", "secret"], header, b"")
    refuses(vm, ["area", "bytes", "0x"], header, bytes(0x5010))
    refuses(vm, ["0x", "memory", "gpa"], header, payload, gpa=1 << 40)
    refuses(vm, ["mac", "measure"], header,
            payload[:-1] + bytes([payload[-1] ^ 1]))
    assert vm.status() == "prelaunch"
    inject(vm, header, payload)
    vm.qmp().command("cont")
    refuses(vm, ["secret", "state", "launch"], header, payload)
    vm.expect("carrel-guest: ready")
    assert vm.wait() == 0
