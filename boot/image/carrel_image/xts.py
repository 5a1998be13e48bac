# SPDX-License-Identifier: Apache-2.0
"""dm-crypt's aes-xts-plain64 in user space, so that a disk can be encrypted
where there is no device-mapper. The tweak is the number of the sector's first
512-byte unit, whatever the size of a sector (Linux: dm-crypt without
iv_large_sectors, which is what LUKS2 asks for)."""
import multiprocessing
import os
import signal

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

UNIT = 512
CHUNK = 4 << 20


class Sectors:
    """Encrypts and decrypts whole sectors of a volume."""

    def __init__(self, key, sector_size):
        self.aes, self.sector_size = algorithms.AES(key), sector_size

    def _each(self, data, offset, context):
        out = bytearray()
        for at in range(0, len(data), self.sector_size):
            tweak = ((offset + at) // UNIT).to_bytes(16, "little")
            out += context(Cipher(self.aes, modes.XTS(tweak))).update(
                data[at:at + self.sector_size])
        return bytes(out)

    def encrypt(self, data, offset):
        return self._each(data, offset, Cipher.encryptor)

    def decrypt(self, data, offset):
        return self._each(data, offset, Cipher.decryptor)


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
