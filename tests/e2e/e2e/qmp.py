# SPDX-License-Identifier: Apache-2.0
"""A QMP client as small as a test needs: blocking, one command at a time."""
import json
import socket
import time


class Refused(Exception):
    """The server's error object."""

    def __init__(self, error):
        super().__init__(f"{error.get('class')}: {error.get('desc')}")
        self.error = error


class Closed(Exception):
    """The server ended the connection."""


class Raw:
    """The bare connection, for cases that misbehave on purpose."""

    def __init__(self, path, timeout=60):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(timeout)
        self.sock.connect(str(path))
        self.buffer = b""

    def send(self, data):
        self.sock.sendall(data)

    def line(self, timeout=None):
        """The next line as an object; Closed at the end, TimeoutError."""
        if timeout is not None:
            self.sock.settimeout(timeout)
        while b"\n" not in self.buffer:
            part = self.sock.recv(65536)
            if not part:
                raise Closed
            self.buffer += part
        one, self.buffer = self.buffer.split(b"\n", 1)
        return json.loads(one)

    def close(self):
        self.sock.close()


class Qmp(Raw):
    def __init__(self, path, timeout=60):
        super().__init__(path, timeout)
        self.events = []
        self.greeting = self.line()
        self.command("qmp_capabilities")

    def command(self, name, /, **arguments):
        request = {"execute": name}
        if arguments:
            request["arguments"] = {k.replace("_", "-"): v
                                    for k, v in arguments.items()}
        self.send(json.dumps(request).encode() + b"\n")
        self.sock.settimeout(60)
        while True:
            reply = self.line()
            if "return" in reply:
                return reply["return"]
            if "error" in reply:
                raise Refused(reply["error"])
            self.events.append(reply)

    def event(self, name, timeout=60):
        """The first event of that name, seen already or still to come."""
        end = time.monotonic() + timeout
        seen = 0
        while True:
            for event in self.events[seen:]:
                if event["event"] == name:
                    self.events.remove(event)
                    return event
            seen = len(self.events)
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"no event {name} in {timeout} s")
            try:
                self.events.append(self.line(left))
            except TimeoutError:
                pass
