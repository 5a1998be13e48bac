# SPDX-License-Identifier: Apache-2.0
"""dm-crypt's aes-xts-plain64 in user space, so that a disk can be encrypted
where there is no device-mapper. The tweak is the number of the sector's first
512-byte unit, whatever the size of a sector (Linux: dm-crypt without
iv_large_sectors, which is what LUKS2 asks for)."""
import ctypes
import functools
import multiprocessing
import os
import signal

from .fault import Fault

UNIT = 512
CHUNK = 4 << 20
VOID = ctypes.c_void_p
FUNCTIONS = {
    "EVP_CIPHER_CTX_new": (VOID, []),
    "EVP_CIPHER_CTX_free": (None, [VOID]),
    "EVP_aes_256_xts": (VOID, []),
    "EVP_CipherInit_ex": (ctypes.c_int, [VOID, VOID, VOID, ctypes.c_char_p,
                                         ctypes.c_char_p, ctypes.c_int]),
    "EVP_CipherUpdate": (ctypes.c_int, [VOID, VOID,
                                        ctypes.POINTER(ctypes.c_int), VOID,
                                        ctypes.c_int]),
}


@functools.cache
def libcrypto():
    """OpenSSL itself: python3-cryptography wants a new object for each of
    millions of sectors, which takes ten times as long as their encryption."""
    try:
        lib = ctypes.CDLL("libcrypto.so.3")
    except OSError as why:
        raise Fault(f"OpenSSL 3 is missing: {why}; try: apt-get install "
                    "libssl3") from why
    for name, (result, arguments) in FUNCTIONS.items():
        function = getattr(lib, name)
        function.restype, function.argtypes = result, arguments
    return lib


class Sectors:
    """Encrypts and decrypts whole sectors of a volume."""

    def __init__(self, key, sector_size):
        if len(key) != 64:
            raise Fault(f"a volume key of {len(key)} bytes; AES-256-XTS has "
                        "64")
        self.key, self.sector_size = key, sector_size

    def encrypt(self, data, offset):
        return self._turn(data, offset, 1)

    def decrypt(self, data, offset):
        return self._turn(data, offset, 0)

    def _turn(self, data, offset, direction):
        size, out = self.sector_size, bytearray(data)
        if len(data) % size or offset % size:
            raise ValueError(f"{len(data)} bytes at {offset}: not sectors")
        if not data:
            return bytes(out)
        lib, n = libcrypto(), ctypes.byref(ctypes.c_int())
        init, update = lib.EVP_CipherInit_ex, lib.EVP_CipherUpdate
        base = ctypes.addressof((ctypes.c_char * len(out)).from_buffer(out))
        context = lib.EVP_CIPHER_CTX_new()
        ok = init(context, lib.EVP_aes_256_xts(), None, self.key, bytes(16),
                  direction)
        for at in range(0, len(out), size):
            tweak = ((offset + at) // UNIT).to_bytes(16, "little")
            ok &= init(context, None, None, None, tweak, direction)
            ok &= update(context, base + at, n, base + at, size)
        lib.EVP_CIPHER_CTX_free(context)
        if ok != 1:
            raise Fault("OpenSSL refused to encrypt")
        return bytes(out)


class Job:
    """One volume's encryption, as the workers see it."""

    def __init__(self, sectors, plain, image, at, sparse):
        self.sectors, self.plain, self.image = sectors, plain, image
        self.at, self.sparse = at, sparse

    def chunk(self, offset):
        with open(self.plain, "rb") as f:
            data = os.pread(f.fileno(), CHUNK, offset)
        if self.sparse and not any(data):
            return offset
        out = memoryview(self.sectors.encrypt(data, offset))
        fd = os.open(self.image, os.O_WRONLY)
        try:
            while out:
                n = os.pwrite(fd, out, self.at + offset)
                out, offset = out[n:], offset + n
        finally:
            os.close(fd)
        return offset


def worker_begins():
    """^C reaches the parent, which ends its workers; a worker that outlives
    its parent would write to a file nobody owns."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def encrypt_file(key, sector_size, plain, image, at, sparse, progress):
    """All of `plain` into `image` from byte `at` on."""
    job = Job(Sectors(key, sector_size), plain, image, at, sparse)
    size = os.path.getsize(plain)
    done = 0
    with multiprocessing.get_context("fork").Pool(
            len(os.sched_getaffinity(0)), worker_begins) as pool:
        for _ in pool.imap_unordered(job.chunk, range(0, size, CHUNK)):
            done += CHUNK
            progress.at(min(done, size), size)
