# SPDX-License-Identifier: Apache-2.0
"""The directory that a run works in. It holds keys and the plain text of the
disk while they are needed: mode 0700, beside the output, gone at the end. A
run that was killed leaves it; the next one in the same place removes it."""
import fcntl
import os
import pathlib
import shutil
import signal
import tempfile
import time

from .fault import Fault, Interrupted

PREFIX = ".carrel-image."
TRIES = 20
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def on_signal(number, _frame):
    ignore_signals()        # the tidying up is not to be interrupted
    raise Interrupted(number)


def ignore_signals():
    for s in ENDING:
        signal.signal(s, signal.SIG_IGN)


def catch_signals():
    for s in ENDING:
        if signal.getsignal(s) != signal.SIG_IGN:
            signal.signal(s, on_signal)


def in_memory():
    """A directory for little that is secret, not beside an image that may be
    on somebody else's disk."""
    where = os.environ.get("XDG_RUNTIME_DIR") or "/dev/shm"
    return where if os.access(where, os.W_OK) else tempfile.gettempdir()


class Work:
    """with Work(parent) as work: work.path is the directory."""

    def __init__(self, parent):
        self.parent = pathlib.Path(parent)
        self.path = self.lock = None

    def __enter__(self):
        """The parent is locked from before the directory exists until it is
        locked itself: else another run could take it for a stale one."""
        try:
            parent = os.open(self.parent, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as why:
            raise Fault(f"directory '{self.parent}': {why.strerror}") from why
        try:
            fcntl.flock(parent, fcntl.LOCK_EX)
            self._remove_stale()
            self.path = pathlib.Path(tempfile.mkdtemp(prefix=PREFIX,
                                                      dir=self.parent))
            self.lock = locked(self.path)
        except OSError as why:
            raise Fault(f"directory '{self.parent}': {why.strerror}") from why
        finally:
            os.close(parent)
        return self

    def __exit__(self, *_):
        remove(self.path)
        os.close(self.lock)

    def _remove_stale(self):
        for path in self.parent.glob(f"{PREFIX}*"):
            lock = locked(path)
            if lock is None:
                continue
            if os.fstat(lock).st_uid == os.geteuid():
                remove(path)
            os.close(lock)

    def __truediv__(self, name):
        return self.path / name

    def publish(self, name, path):
        """The finished file under its own name, or not at all."""
        fd = os.open(self.path / name, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
        os.rename(self.path / name, path)


def remove(path):
    """A program that was killed has a moment left to write into it."""
    for _ in range(TRIES):
        shutil.rmtree(path, ignore_errors=True)
        if not os.path.lexists(path):
            return
        time.sleep(0.1)
    shutil.rmtree(path)     # and say why not


def locked(path):
    """The directory's lock, or None if a run holds it, or if it is another
    user's, or has gone."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return None
    return fd
