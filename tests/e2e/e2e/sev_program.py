#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""sev_program.py: makes SEV guests one after another with KVM's own calls, as
a VMM would that outlives its VMs, and says what each leaves behind. Runs under
carrel-emu; no guest takes a step."""
import ctypes
import errno
import mmap
import os
import struct

CREATE_VM, CREATE_VCPU, SET_REGION = 0xae01, 0xae41, 0x4020ae46
ENCRYPT_OP, REG_REGION, ISSUE_CMD = 0xc008aeba, 0x8010aebb, 0xc0105300
SEV_INIT, START, UPDATE, STATUS = 0, 2, 3, 16
RAM = 16 << 20

libc = ctypes.CDLL(None, use_errno=True)


def ioctl(fd, request, arg=0):
    at = address(arg) if isinstance(arg, bytearray) else arg
    rc = libc.ioctl(fd, ctypes.c_ulong(request), ctypes.c_void_p(at))
    if rc < 0:
        raise OSError(ctypes.get_errno(), hex(request))
    return rc


def address(buf):
    return ctypes.addressof(ctypes.c_char.from_buffer(buf))


class Guest:
    def __init__(self, kvm, sev):
        self.sev = sev
        self.fd = ioctl(kvm, CREATE_VM)
        self.ram = mmap.mmap(-1, RAM)
        self.ram[:4096] = b"plain" * 819 + b"."
        self.at = address(self.ram)
        self.region(RAM)
        self.op(SEV_INIT)
        self.start()
        ioctl(self.fd, REG_REGION, bytearray(struct.pack("<QQ", self.at, RAM)))
        self.op(UPDATE, struct.pack("<QII", self.at, 4096, 0))
        self.cpus = [ioctl(self.fd, CREATE_VCPU, i) for i in range(2)]

    def region(self, size):
        ioctl(self.fd, SET_REGION, bytearray(struct.pack(
            "<IIQQQ", 0, 0, 0, size, self.at)))

    def op(self, number, data=b""):
        data = bytearray(data)
        cmd = bytearray(struct.pack("<IxxxxQII", number,
                                    address(data) if data else 0, 0, self.sev))
        ioctl(self.fd, ENCRYPT_OP, cmd)
        return data

    def start(self):
        self.op(START, struct.pack("<IIQIIQII", 0, 1, 0, 0, 0, 0, 0, 0))

    def close(self, unseen=False):
        for fd in self.cpus + [self.fd]:
            if unseen:
                null = os.open("/dev/null", os.O_RDWR)
                os.dup2(null, fd)
                os.close(null)
            os.close(fd)
        del self.ram


def guests(sev):
    status = bytearray(12)
    ioctl(sev, ISSUE_CMD, bytearray(struct.pack("<IQI", 1, address(status),
                                                0)))
    return struct.unpack_from("<I", status, 8)[0]


def figure(name):
    with open("/proc/self/status", encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f
                    if line.startswith(name))


def one_after_another(kvm, sev, unseen=False):
    """Nothing grows from VM to VM, whatever the numbers of descriptors."""
    spare = []
    for i in range(20):
        g = Guest(kvm, sev)
        assert g.ram[:5] != b"plain", "no ciphertext in the host's view"
        assert guests(sev) == 1, guests(sev)
        g.close(unseen)
        if i % 3 == 2 and not unseen:     # the next VM gets other numbers
            spare.append(os.open("/dev/null", os.O_RDONLY))
        if i == 2:
            before = figure("VmSize"), figure("Threads")
    for fd in spare:
        os.close(fd)
    after = figure("VmSize"), figure("Threads")
    assert after[0] - before[0] < 2 * RAM >> 10, f"{before} {after}"
    assert after[1] == before[1], f"threads: {before} {after}"
    if not unseen:
        assert guests(sev) == 0, guests(sev)


def two_at_once(kvm, sev):
    a, b = Guest(kvm, sev), Guest(kvm, sev)
    assert guests(sev) == 2
    assert a.ram[:4096] != b.ram[:4096], "two guests with one key"
    a.close()
    assert guests(sev) == 1
    b.op(STATUS, bytes(12))
    b.close()


def children_end_nothing(kvm, sev):
    g = Guest(kvm, sev)
    child = os.fork()
    if not child:
        os.close(g.fd)
        for fd in g.cpus:
            os.close(fd)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert struct.unpack("<III", g.op(STATUS, bytes(12)))[2] == 1
    g.close()
    assert guests(sev) == 0


def slots_come_and_go(kvm, sev):
    g = Guest(kvm, sev)
    was = g.ram[:4096]
    for _ in range(50):
        g.region(0)
        g.region(RAM)
    assert g.ram[:4096] == was
    g.close()


def second_start(kvm, sev):
    g = Guest(kvm, sev)
    try:
        g.start()
    except OSError as why:
        assert why.errno == errno.EIO, why
    else:
        raise AssertionError("a VM became two guests")
    assert guests(sev) == 1
    g.close()


def main():
    kvm = os.open("/dev/kvm", os.O_RDWR | os.O_CLOEXEC)
    sev = os.open("/dev/sev", os.O_RDWR | os.O_CLOEXEC)
    for check in (one_after_another, two_at_once, children_end_nothing,
                  slots_come_and_go, second_start):
        check(kvm, sev)
        print("passed", check.__name__, flush=True)
    one_after_another(kvm, sev, unseen=True)
    print("passed unseen ends", flush=True)


main()
