# SPDX-License-Identifier: Apache-2.0
"""QEMU and carrel are measured alike."""
import base64

from e2e.vm import run as run_tool

SECONDS = 40


def measured(vm):
    q = vm.qmp()
    state = q.command("query-sev")
    assert state["state"] == "launch-secret", state
    return state, q.command("query-sev-launch-measure")["data"]


def platform(state):
    return ["--api-major", state["api-major"], "--api-minor",
            state["api-minor"], "--build-id", state["build-id"]]


def check(t, owner, vm):
    """Our tool and libvirt's agree that this is the expected guest."""
    state, data = measured(vm)
    assert state["policy"] == owner.policy, state
    assert len(base64.b64decode(data)) == 48, data
    owner.ok("verify", "--tk", owner.dir / "tmp_tk.bin", *platform(state),
             "--policy", owner.policy, "--digest", owner.digest(),
             "--measurement", data)
    what = owner.what()
    status, out = run_tool(
        ["/usr/bin/python3", "/usr/bin/virt-qemu-sev-validate", "--insecure",
         "--tk", owner.dir / "tmp_tk.bin", *platform(state), "--policy",
         owner.policy, "--measurement", data, *what])
    assert status == 0, f"virt-qemu-sev-validate: {out}"
    status, out = run_tool(
        ["/usr/bin/python3", "/usr/bin/virt-qemu-sev-validate", "--insecure",
         "--tk", owner.dir / "tmp_tk.bin", *platform(state), "--policy",
         owner.policy, "--measurement", data, *what[:-1], "another"])
    assert status != 0, "virt-qemu-sev-validate accepts anything"
    nonce = base64.b64decode(data)[32:].hex()
    again = owner.ok(
        "measure", "--tk", owner.dir / "tmp_tk.bin", *platform(state),
        "--policy", owner.policy, "--nonce", nonce, "--digest",
        owner.digest()).strip()
    assert again == data, f"carrel-sev measures {again}, the platform {data}"


def carrel(t):
    owner = t.owner(name="of-carrel")
    check(t, owner, t.carrel("--sev", owner.sev, emulated=True))


def qemu(t):
    owner = t.owner(name="of-qemu")
    check(t, owner, t.qemu("-S", *owner.qemu_sev(),
                           machine=",confidential-guest-support=sev0"))


def parts(t):
    t.check("carrel's measurement is the owner's and libvirt's", carrel, t)
    t.check("QEMU's measurement of the same is the same", qemu, t)
