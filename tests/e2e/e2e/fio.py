# SPDX-License-Identifier: Apache-2.0
"""fio in a guest, which has it on a disk of its own: it is linked with too
much for an initramfs."""
import json

from e2e.net import Guest
from e2e.vm import run

CMDLINE = "carrel.test=shell carrel.hash=no"


def start(t, *disks, how="direct", cpus=2, owner=None, more=(), **kw):
    """A guest with a shell; disks: the arguments of each --disk, more: other
    flags. The last of its disks is fio's. With an owner it is a SEV guest."""
    args = [*more, *(a for d in disks for a in ("--disk", d))]
    if owner:
        args += ["--sev", owner.sev]
    vm = getattr(t, how)(
        *args, "--disk", f"path={t.fio_disk},readonly=on,id=fio",
        "--cpus", cpus, initrd=t.fio_initrd, typing=True, cmdline=CMDLINE,
        emulated=bool(owner), **kw)
    if owner:
        owner.admit(vm, cmdline=CMDLINE, initrd=t.fio_initrd)
    return vm


def prepare(vm, last):
    """The guest's shell, with fio mounted; last: the name of fio's disk."""
    guest = Guest(vm)
    guest.do(f"mkdir /mnt && mount -t ext4 -o ro /dev/{last} /mnt && "
             "for d in dev proc sys tmp; do mount -o bind /$d /mnt/$d; done")
    return guest


def begun(t, *disks, **kw):
    vm = start(t, *disks, **kw)
    return vm, prepare(vm, f"vd{'abcdefgh'[len(disks)]}")


def job(*options, engine="io_uring", rw="randwrite", dev="vda", bs="4k",
        size="8m", depth=8, **more):
    """A command line: direct I/O, and what was written is read again and its
    checksums looked at, unless it only reads."""
    opts = {"name": "job", "filename": f"/dev/{dev}", "ioengine": engine,
            "rw": rw, "bs": bs, "size": size, "iodepth": depth, "direct": 1,
            **({"verify": "crc32c", "verify_fatal": 1, "verify_backlog": 256}
               if "write" in rw else {}), **more}
    return "chroot /mnt /bin/fio --thread --output-format=json " + \
        " ".join([f"--{k}={v}" for k, v in opts.items()] + list(options))


def fio(guest, *options, status=0, timeout=None, **kw):
    """Runs a job to its end: what fio says of it, as it says it."""
    out = guest.do(job(*options, **kw) + " > /tmp/fio 2>&1; s=$?; cat /tmp/fio;"
                   " (exit $s)", status=status, timeout=timeout)
    return json.loads(out[out.index("{"):out.rindex("}") + 1])["jobs"][0]


def limit(t, vm, *words, status=0, verb="limit"):
    got, out = run([t.program("carrelctl"), vm.control, verb, *words])
    assert got == status, f"{words}: exit status {got}, not {status}: {out}"
    return out


def counters(vm, index=0):
    return vm.qmp().command("x-carrel-counters")["disks"][index]


class Background:
    """A job that runs while the case does other things."""

    def __init__(self, guest, *options, **kw):
        self.guest = guest
        guest.do(f"({job(*options, **kw)} > /tmp/load 2>&1; "
                 "echo $? > /tmp/status) & true")

    def end(self, status=0):
        """What fio says of it, once it has ended with that."""
        out = self.guest.do("wait; cat /tmp/load; (exit $(cat /tmp/status))",
                            status=status)
        return json.loads(out[out.index("{"):out.rindex("}") + 1])["jobs"][0]
