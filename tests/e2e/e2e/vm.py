# SPDX-License-Identifier: Apache-2.0
"""Programs under test: started, watched, and never left behind."""
import contextlib
import os
import re
import signal
import socket
import subprocess
import threading
import time

from e2e.qmp import Qmp


class Program:
    """One child process, its output in DIR/NAME.err."""

    def __init__(self, case, name, argv):
        self.case, self.name = case, name
        self.err_path = case.dir / f"{name}.err"
        with open(self.err_path, "w", encoding="utf-8") as err:
            err.write("# " + " ".join(map(str, argv)) + "\n")
            err.flush()
            # pylint: disable=consider-using-with
            self.child = subprocess.Popen(
                [str(a) for a in argv], stdin=subprocess.DEVNULL,
                stdout=err, stderr=subprocess.STDOUT)

    def messages(self):
        text = self.err_path.read_text(encoding="utf-8", errors="replace")
        return text.split("\n", 1)[1]

    def alive(self):
        return self.child.poll() is None

    def wait(self, timeout=None):
        """Its exit status; -N when signal N ended it."""
        try:
            return self.child.wait(timeout or self.case.patience)
        except subprocess.TimeoutExpired:
            raise AssertionError(
                f"{self.name} has not ended after its time") from None

    def kill(self):
        if self.alive():
            self.child.kill()
            self.child.wait()

    def signal(self, number=signal.SIGTERM):
        self.child.send_signal(number)


class Wire:
    """The far end of a serial port."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(path))

    def copy(self, to):
        with open(to, "wb", buffering=0) as out, \
                contextlib.suppress(ConnectionResetError):
            while part := self.sock.recv(65536):
                out.write(part)


class Vm(Program):
    """A VMM with a serial port in a file and a control socket."""

    def __init__(self, case, name, argv, serial, control):
        self.serial, self.control = serial, control
        self._qmp = self._typist = None
        super().__init__(case, name, argv)

    def attach(self, wire):
        """Takes the far end of a serial port that is a socket: what comes is
        written to the console's file, what is typed is sent."""
        self._typist = self.connect(Wire, wire)
        threading.Thread(target=self._typist.copy, args=(self.serial,),
                         daemon=True).start()

    def type(self, text):
        self._typist.sock.sendall(text.encode())

    def console(self):
        try:
            return self.serial.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return ""

    def expect(self, pattern, timeout=None, count=1):
        """Waits until the console matches the pattern count times."""
        end = time.monotonic() + (timeout or self.case.patience)
        while True:
            alive = self.alive()
            found = list(re.finditer(pattern, self.console(), re.M))
            if len(found) >= count:
                return found[count - 1]
            if not alive:
                raise AssertionError(
                    f"{self.name} ended with {self.child.returncode} before "
                    f"its console said /{pattern}/")
            if time.monotonic() > end:
                raise AssertionError(
                    f"{self.name}: no /{pattern}/ on the console in time")
            time.sleep(0.1)

    def facts(self):
        """What the test guest said: {name: [value, ...]}."""
        facts = {}
        for line in self.console().splitlines():
            m = re.search(r"carrel-guest: ([a-z ]+[a-z0-9]*): ?(.*)", line)
            if m:
                facts.setdefault(m[1], []).append(m[2].strip())
        return facts

    def qmp(self):
        """The case's own connection, made when first used."""
        if not self._qmp:
            self._qmp = self.connect(Qmp)
        return self._qmp

    def connect(self, kind, path=None):
        end = time.monotonic() + self.case.patience
        while True:
            try:
                return kind(path or self.control)
            except (FileNotFoundError, ConnectionRefusedError):
                if not self.alive():
                    raise AssertionError(
                        f"{self.name} ended with {self.child.returncode}: "
                        f"{self.messages().strip()}") from None
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)

    def status(self):
        return self.qmp().command("query-status")["status"]

    def mappings(self):
        """(start, end, name) of what a core dump of it would contain. Left
        out, as there: what is marked so, here the insides of the emulated
        secure processor."""
        out, at = [], None
        with open(f"/proc/{self.child.pid}/smaps", encoding="utf-8") as maps:
            for line in maps:
                m = re.match(r"([0-9a-f]+)-([0-9a-f]+) (r?)\S* \S+ \S+ \S+"
                             r" *(.*)", line)
                if m:
                    at = (int(m[1], 16), int(m[2], 16), m[4]) if m[3] else None
                elif line.startswith("VmFlags:") and at:
                    flags = line.split()[1:]
                    if not {"dd", "io", "pf"} & set(flags):
                        out.append(at)
        return out

    def read(self, start, length):
        """Its memory as a debugger reads it; b"" where that fails."""
        with open(f"/proc/{self.child.pid}/mem", "rb", buffering=0) as mem:
            try:
                mem.seek(start)
                return mem.read(length)
            except (OSError, OverflowError):
                return b""

    def search(self, *words):
        """How often each word is in its memory, and how much that is."""
        found, size = [0] * len(words), 0
        overlap = max(len(w) for w in words) - 1
        for start, end, _ in self.mappings():
            tail = b""
            while start < end:
                part = self.read(start, min(1 << 20, end - start))
                if not part:    # one page that cannot be read hides no other
                    part = self.read(start, 4096)
                start += len(part) or 4096
                size += len(part)
                for i, word in enumerate(words):
                    found[i] += count_new(tail, part, word)
                tail = (tail + part)[-overlap:]
        return *found, size

    def guest_memory(self, region, offset, length):
        """Bytes of a region of guest memory in the VMM's own mapping."""
        for start, end, name in self.mappings():
            if name.startswith(f"/memfd:{region} ") and \
                    offset + length <= end - start:
                return self.read(start + offset, length)
        return b""


def count_new(tail, part, word):
    """How often the word ends in part, before which tail was read."""
    whole = tail[len(tail) - min(len(tail), len(word) - 1):] + part
    return whole.count(word)


def run(argv, **kw):
    """A short program to its end: its status and its output."""
    done = subprocess.run(
        [str(a) for a in argv], stdin=subprocess.DEVNULL, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        errors="replace", env={**os.environ, **kw.pop("env", {})}, **kw)
    return done.returncode, done.stdout
