# SPDX-License-Identifier: Apache-2.0
"""What the host lacks or refuses ends with 2 and a sentence."""
import os

SECONDS = 20


def refused(t, words, *args, status=2, **kw):
    vm = t.carrel(*args, **kw)
    got = vm.wait(60)
    said = vm.messages()
    assert got == status, f"exit status {got}, not {status}: {said}"
    for word in words:
        assert word in said, f"no \"{word}\" in: {said}"


def locked_disk(t):
    disk = t.disk()
    first = t.carrel("--paused", "--disk", f"path={disk}", name="first",
                     firmware=t.plain_firmware)
    first.qmp()
    refused(t, [str(disk), "in use"], "--disk", f"path={disk}",
            firmware=t.plain_firmware)
    assert first.status() == "prelaunch"


def odd_disk(t):
    disk = t.disk(size=1000)
    refused(t, [str(disk), "512"], "--disk", f"path={disk}",
            firmware=t.plain_firmware)


def directory(t):
    refused(t, [str(t.tmp)], "--disk", f"path={t.tmp}",
            firmware=t.plain_firmware)


def no_disk(t):
    refused(t, ["/nonexistent"], "--disk", "path=/nonexistent",
            firmware=t.plain_firmware)


def no_sev(t):
    if os.path.exists("/dev/sev"):
        t.skip("this machine has SEV")
    owner = t.owner()
    refused(t, ["/dev/sev"], "--sev", owner.sev)


def garbage_session(t):
    owner = t.owner(name="garbage")
    (owner.dir / "launch_blob.bin").write_bytes(os.urandom(128))
    refused(t, ["LAUNCH_START"], "--sev", owner.sev, emulated=True)


def parts(t):
    t.check("a disk that another VM has locked", locked_disk, t)
    t.check("a disk of 1000 bytes", odd_disk, t)
    t.check("a disk that is a directory", directory, t)
    t.check("a disk that is missing", no_disk, t)
    t.check("a machine without SEV", no_sev, t)
    t.check("a session of garbage", garbage_session, t)
