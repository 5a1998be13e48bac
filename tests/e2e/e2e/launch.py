# SPDX-License-Identifier: Apache-2.0
"""The steps that several cases share: a SEV guest up to its first words."""
import hashlib


def attested(t, *args, cmdline="", **kw):
    """A SEV guest whose owner has admitted it."""
    owner = t.owner()
    vm = t.carrel("--sev", owner.sev, *args, emulated=True, cmdline=cmdline,
                  **kw)
    owner.admit(vm, cmdline=cmdline)
    return vm


def ready(vm):
    """Waits for the test guest; what it said."""
    vm.qmp()    # now: once ready, a guest may be gone before we are heard
    vm.expect(r"carrel-guest: ready")
    return vm.facts()


def one(facts, name):
    assert len(facts.get(name, [])) == 1, f"the guest said {name}: " \
        f"{facts.get(name)}"
    return facts[name][0]


def check_sev(facts):
    assert "AMD SEV" in one(facts, "sev"), "no SEV in the guest's words"
    assert "mapped" in one(facts, "swiotlb"), "no bounce buffers"
    assert "EFI" in one(facts, "efi"), "no EFI under the guest"


def check_disk(facts, path, name="vda", readonly=0):
    data = path.read_bytes()
    want = (f"bytes {len(data)} readonly {readonly} sha256 "
            f"{hashlib.sha256(data).hexdigest()}")
    got = one(facts, f"disk {name}")
    assert got == want, f"disk {name}: {got}, not {want}"


def check_end(vm, status=0, reason="guest-shutdown"):
    event = vm.qmp().event("SHUTDOWN", vm.case.patience)
    assert event["data"]["reason"] == reason, event
    got = vm.wait()
    assert got == status, f"exit status {got}, not {status}"
