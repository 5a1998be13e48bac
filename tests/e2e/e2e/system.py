# SPDX-License-Identifier: Apache-2.0
"""A Debian system with systemd as its PID 1, in namespaces and a cgroup of its
own, that carrel is installed into."""
import contextlib
import os
import pathlib
import subprocess
import time

from e2e.vm import Program, run

ROOT = pathlib.Path(__file__).parents[3]
CGROUPS = pathlib.Path("/sys/fs/cgroup")
# What is there before the first process: file systems and a few devices.
BOOT = r"""
set -e
root=$1
mount --make-rprivate /
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sys "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 dev "$root/dev"
mkdir "$root/dev/pts" "$root/dev/net" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=666 devpts "$root/dev/pts"
mount -t tmpfs -o mode=1777 shm "$root/dev/shm"
mount -t tmpfs -o mode=755 run "$root/run"
ln -s pts/ptmx "$root/dev/ptmx"
for n in null zero full random urandom tty; do cp -a /dev/$n "$root/dev/"; done
cp -a /dev/null "$root/dev/console"
mknod -m 660 "$root/dev/kvm" c 10 232
chroot "$root" chgrp kvm /dev/kvm
mknod -m 666 "$root/dev/net/tun" c 10 200
for n in vhost-net vhost-vsock; do	# as udev leaves them
	cp -a /dev/$n "$root/dev/"
	chmod 660 "$root/dev/$n"
	chroot "$root" chgrp kvm /dev/$n
done
cd "$root"
mount --move . /
exec env -i container=carrel-e2e PATH=/usr/sbin:/usr/bin:/sbin:/bin \
	chroot . /lib/systemd/systemd --show-status=no
"""


class System:
    """As long as the context lasts."""

    def __init__(self, t):
        self.t = t
        self.root = t.tmp / "system"
        self.cgroup = CGROUPS / f"carrel-e2e-{os.getpid()}"
        self.pid = None

    def install(self):
        """Unpacked, with carrel by `make install`, and what its documentation
        says is done once."""
        self.root.mkdir()
        good("tar", "-C", self.root, "-xf", self.t.service_root)
        good("make", "-s", "-C", ROOT, "-o", "all", f"B={self.t.build}",
             "install", f"DESTDIR={self.root}", "prefix=/usr")
        good("chroot", self.root, "systemd-sysusers")
        etc = self.root / "etc"
        (etc / "machine-id").write_text("0123456789abcdef" * 2 + "\n")
        for unit in ("getty.target", "console-getty.service",
                     "systemd-logind.service"):
            (etc / "systemd/system" / unit).symlink_to("/dev/null")
        good("chroot", self.root, "install", "-d", "/etc/carrel")

    @contextlib.contextmanager
    def booted(self):
        if not (CGROUPS / "cgroup.procs").exists():
            good("mount", "-t", "cgroup2", "cgroup2", CGROUPS)
        self.cgroup.mkdir()
        # A program of the whole case, where t.start is for one check.
        first = Program(self.t, "systemd", [
            "unshare", "--mount", "--uts", "--ipc", "--pid", "--net", "--fork",
            "--kill-child", "sh", "-c",
            'echo 0 > "$1/cgroup.procs"; shift; exec "$@"', "sh", self.cgroup,
            "unshare", "--cgroup", "sh", "-c", BOOT, "sh", self.root])
        try:
            self.wait(first)
            yield self
        finally:
            first.kill()
            self.empty()

    def wait(self, first):
        """Until its PID 1 has started what it starts."""
        end = time.monotonic() + self.t.patience
        child = pathlib.Path(f"/proc/{first.child.pid}/task/"
                             f"{first.child.pid}/children")
        while time.monotonic() < end and first.alive():
            pid = child.read_text().strip()
            if pid and pathlib.Path(f"/proc/{pid}/comm").read_text(
                    ).strip() == "systemd":
                self.pid = pid
                got, said = self.run("systemctl", "is-system-running")
                if said.strip() in ("running", "degraded"):
                    return
            time.sleep(0.3)
        raise AssertionError(f"systemd has not come up: {first.messages()}")

    def run(self, *argv):
        """Status and output of a command in it, as root."""
        return run(["nsenter", "-t", self.pid, "-m", "-u", "-i", "-n", "-p",
                    "-C", "--", *argv])

    def do(self, *argv):
        got, said = self.run(*argv)
        assert got == 0, f"{argv} ended with {got}: {said}"
        return said

    def inside(self, path):
        """A path of its own, its /run included."""
        return pathlib.Path(f"/proc/{self.pid}/root") / path

    def network(self, *argv):
        """A command of this machine's in its network."""
        good("nsenter", "-t", self.pid, "-n", "--", *argv)

    def empty(self):
        """Processes end with their PID 1; their cgroups are left."""
        end = time.monotonic() + 10
        while self.cgroup.exists() and time.monotonic() < end:
            for path in sorted(self.cgroup.rglob("*/"), reverse=True):
                with contextlib.suppress(OSError):
                    path.rmdir()
            with contextlib.suppress(OSError):
                self.cgroup.rmdir()
            time.sleep(0.1)

    # What is asked of units.

    def show(self, unit, *names):
        said = self.do("systemctl", "show", unit,
                       *(f"--property={n}" for n in names))
        return dict(line.split("=", 1) for line in said.splitlines() if line)

    def until(self, unit, **wanted):
        """Waits until the unit's properties are so."""
        end = time.monotonic() + self.t.patience
        while True:
            now = self.show(unit, *wanted)
            if now == wanted:
                return
            assert time.monotonic() < end, f"{unit}: {now}, not {wanted}: " + \
                self.journal(unit)
            time.sleep(0.3)

    def journal(self, unit, *args):
        return self.do("journalctl", "--quiet", "--no-pager", "-u", unit,
                       *args)


def good(*argv):
    done = subprocess.run([str(a) for a in argv], check=False, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, errors="replace")
    assert done.returncode == 0, f"{argv}: {done.stdout}"
    return done.stdout
