# SPDX-License-Identifier: Apache-2.0
"""The host's side of a vsock device, and its far end in the test guest
(tests/e2e/guest/vsock.c). Where a path is asked for, a number is the guest's
address: then the device is the kernel's, and reached by AF_VSOCK."""
import concurrent.futures
import contextlib
import ctypes
import os
import socket
import struct
import threading
import zlib

ECHO, SINK, SOURCE, STORM, STALL, LEAVE = range(1000, 1006)
CHUNK = 1 << 16
CONNECT_TIMEOUT = 6                     # linux/vm_sockets.h


def pattern(length, seed, at=0):
    """The bytes that the guest's program sends."""
    return bytes((k * 31 + (k >> 8) * 7 + (k >> 16) + seed) & 0xff
                 for k in range(at, at + length))


class Crc:
    """Of the guest's pattern, without making it byte by byte each time: its
    low 16 bits of position repeat, but for what the higher ones add."""

    def __init__(self, seed):
        self.base = pattern(CHUNK, seed)

    def chunk(self, number):
        return self.base.translate(bytes(
            (b + number + (number * 256 * 7)) & 0xff for b in range(256)))

    def of(self, length):
        crc = 0
        for number in range((length + CHUNK - 1) // CHUNK):
            left = length - number * CHUNK
            crc = zlib.crc32(self.chunk(number)[:left], crc)
        return crc


def raw(path):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(120)
    s.connect(str(path))
    return s


def line_of(s):
    out = b""
    while not out.endswith(b"\n"):
        part = s.recv(1)
        if not part:
            break
        out += part
    return out


def connect(path, port):
    """A connection to the guest's port; ConnectionError: refused."""
    if isinstance(path, int):
        return by_address(path, port)
    s = raw(path)
    try:
        s.sendall(f"CONNECT {port}\n".encode())
        line = line_of(s)
    except ConnectionResetError:
        line = b""
    if not line.startswith(b"OK "):
        s.close()
        raise ConnectionError(f"port {port}: {line}")
    return s


def by_address(cid, port):
    s = socket.socket(socket.AF_VSOCK)
    s.settimeout(120)
    # Not the 2 s of Linux: a lab on a busy machine takes its time. Python
    # has no way to pass a struct timeval here.
    patience = struct.pack("ll", 60, 0)
    assert not ctypes.CDLL(None).setsockopt(
        s.fileno(), socket.AF_VSOCK, CONNECT_TIMEOUT, patience, len(patience))
    try:
        s.connect((cid, port))
    except OSError:
        s.close()
        raise
    return s


def drain(s):
    """Everything up to the end."""
    out = bytearray()
    while part := s.recv(CHUNK):
        out += part
    return bytes(out)


def echo(path, length, conn=None):
    """Random bytes there and back, by a connection that is half closed in
    between; asserts that they are equal."""
    data = os.urandom(length)
    with conn or connect(path, ECHO) as s:
        def send():
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
        sender = threading.Thread(target=send)
        sender.start()
        got = drain(s)
        sender.join()
    assert got == data, f"{len(got)} of {length} bytes, or others"


def many(fn, count, at_once=64):
    """fn(i) for each i of count, at_once at a time; any failure is raised."""
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        for done in [pool.submit(fn, i) for i in range(count)]:
            done.result()


class Server:
    """A host's port that the guest may connect to, fn(socket) a thread."""

    def __init__(self, path, port, fn, backlog=512):
        self.path = None if isinstance(path, int) else f"{path}_{port}"
        if self.path:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.path)
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.bind(self.path)
        else:
            self.sock = socket.socket(socket.AF_VSOCK)
            self.sock.bind((socket.VMADDR_CID_ANY, port))
        self.sock.listen(backlog)
        self.fn, self.accepted = fn, 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                s, _ = self.sock.accept()
                self.accepted += 1
                threading.Thread(target=self._one, args=(s,),
                                 daemon=True).start()

    def _one(self, s):
        with s, contextlib.suppress(OSError):
            self.fn(s)

    def close(self):
        with contextlib.suppress(OSError):      # AF_VSOCK: nobody's peer
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()
        if self.path:
            os.unlink(self.path)


def echo_back(s):
    while part := s.recv(CHUNK):
        s.sendall(part)


def storm(path, port, connections, length, seed=1):
    """The guest connects to the host's port so often at once; (good, bad)."""
    with connect(path, STORM) as s:
        s.sendall(f"{port} {connections} {length} {seed}\n".encode())
        good, bad = line_of(s).split()
    return int(good), int(bad)
