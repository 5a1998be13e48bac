# SPDX-License-Identifier: Apache-2.0
"""Other programs. They do the work, and they end when carrel-image does."""
import os
import shutil
import signal
import subprocess

from .fault import Fault

PACKAGES = {"mmdebstrap": "mmdebstrap", "cryptsetup": "cryptsetup-bin",
            "sfdisk": "fdisk", "mformat": "mtools", "mcopy": "mtools",
            "mdir": "mtools", "mke2fs": "e2fsprogs", "unshare": "util-linux",
            "blkid": "util-linux", "setpriv": "util-linux", "tar": "tar",
            "openssl": "openssl", "newuidmap": "uidmap", "zstd": "zstd"}
TOLD = 12    # lines of what a failed program said
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def need(*names):
    """All that a verb will call, before it has begun."""
    lacking = [n for n in names if not shutil.which(n, path=search_path())]
    if lacking:
        packages = sorted({PACKAGES.get(n, n) for n in lacking})
        raise Fault(f"this machine has no {', '.join(lacking)}; "
                    f"try: apt-get install {' '.join(packages)}")


def search_path():
    return f"{os.environ.get('PATH', '')}:{PATH}"


def run(argv, what, *, stdin=None, env=None, ok=(0,), end="TERM"):
    """What argv said. If it fails, a Fault that says what, and why. It gets the
    signal `end` when we are to end before it."""
    argv = ["setpriv", "--pdeathsig", end, *map(str, argv)]
    settings = {**os.environ, "PATH": search_path(), "LC_ALL": "C.UTF-8",
                **(env or {})}
    with subprocess.Popen(argv, env=settings,
                          stdin=subprocess.PIPE if stdin is not None
                          else subprocess.DEVNULL,
                          stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT) as child:
        try:
            said = child.communicate(stdin)[0] or b""
        except BaseException:
            stop(child, end)
            raise
    text = said.decode(errors="replace")
    if child.returncode not in ok:
        raise Fault(f"{what} failed: {argv[3]} ended with "
                    f"{child.returncode}\n{tail(text)}")
    return text


def stop(child, end):
    """TERM first: mmdebstrap has something to tidy up."""
    child.send_signal(signal.Signals[f"SIG{end}"])
    try:
        child.wait(20)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def tail(text):
    return "\n".join(f"  {line}" for line in text.splitlines()[-TOLD:])
