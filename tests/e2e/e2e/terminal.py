# SPDX-License-Identifier: Apache-2.0
"""A VM at a terminal: somebody types, looks, and finds the terminal as it was."""
import contextlib
import fcntl
import os
import re
import signal
import struct
import subprocess
import termios
import threading
import time


class Terminal:
    """argv at a terminal of its own; what it shows is in DIR/NAME.tty."""

    def __init__(self, case, name, argv, rows=33, cols=101):
        self.case, self.name = case, name
        self.err_path = case.dir / f"{name}.tty"
        self.err_path.write_bytes(b"")
        self.master, self.slave = os.openpty()
        self.resize(rows, cols)
        self.before = termios.tcgetattr(self.slave)
        # pylint: disable=consider-using-with
        self.child = subprocess.Popen(
            [str(a) for a in argv], stdin=self.slave, stdout=self.slave,
            stderr=self.slave, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        case.programs.append(self)
        threading.Thread(target=self._copy, daemon=True).start()

    def _copy(self):
        with open(self.err_path, "wb", buffering=0) as out, \
                contextlib.suppress(OSError):
            while part := os.read(self.master, 65536):
                out.write(part)

    def shown(self):
        return self.err_path.read_text(encoding="utf-8", errors="replace")

    def type(self, keys):
        os.write(self.master, keys)

    def resize(self, rows, cols):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ,
                    struct.pack("HHHH", rows, cols, 0, 0))

    def expect(self, pattern, count=1):
        end = time.monotonic() + self.case.patience
        while True:
            alive = self.child.poll() is None
            found = list(re.finditer(pattern, self.shown(), re.M))
            if len(found) >= count:
                return found[count - 1]
            assert alive, f"ended with {self.child.returncode} before " \
                f"/{pattern}/: {self.shown()[-2000:]}"
            assert time.monotonic() < end, \
                f"no /{pattern}/ in time: {self.shown()[-2000:]}"
            time.sleep(0.1)

    def is_raw(self):
        return not termios.tcgetattr(self.slave)[3] & termios.ICANON

    def is_as_before(self):
        """Soon: who guards it needs a moment after a violent end."""
        end = time.monotonic() + 20
        while termios.tcgetattr(self.slave) != self.before:
            if time.monotonic() > end:
                return False
            time.sleep(0.05)
        return True

    def stop(self):
        self.child.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.child.pid, os.WSTOPPED | os.WNOWAIT)
        termios.tcsetattr(self.slave, termios.TCSANOW, self.before)

    def go_on(self):
        self.child.send_signal(signal.SIGCONT)

    # As the other programs of a case.

    def messages(self):
        return self.shown()

    def wait(self, timeout=None):
        return self.child.wait(timeout or self.case.patience)

    def kill(self):
        if self.child.poll() is None:
            self.child.kill()
            self.child.wait()
