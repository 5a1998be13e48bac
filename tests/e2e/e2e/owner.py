# SPDX-License-Identifier: Apache-2.0
"""The guest owner's side of a launch, by the owner's own tool."""
import ctypes
import mmap
import pathlib
import uuid

from e2e.qmp import Raw
from e2e.vm import run

SECRET_GUID = "736869e5-84f0-4973-92ec-06879ce3da0b"
IDENTITY = ("ark.cert", "ask.cert")


class Owner:
    """Keys for one launch under a policy, made for the platform's PDH."""

    def __init__(self, case, policy=1, name="owner", session_policy=None,
                 passwd=None):
        """With passwd, the file of a disk's passphrase, that is the secret."""
        self.case, self.policy, self.passwd = case, policy, passwd
        self.tool = case.program("carrel-sev")
        self.chain = platform_certificates(case)
        self.dir = case.tmp / name
        self.secret = case.tmp / f"{name}.secret"
        self.secret.write_bytes(uuid.uuid4().hex.encode())
        self.ok("session", "--pdh", self.chain / "pdh.cert",
                "--chain", self.chain, "--root", self.chain / "ark.cert",
                "--policy", policy if session_policy is None
                else session_policy, "--out", self.dir)

    def __call__(self, verb, *args):
        return run([self.tool, verb, *args])

    def ok(self, verb, *args):
        status, out = self(verb, *args)
        assert status == 0, f"carrel-sev {verb} ended with {status}: {out}"
        return out

    @property
    def sev(self):
        """The value of carrel's --sev."""
        return (f"policy={self.policy},dh={self.dir}/godh.cert,"
                f"session={self.dir}/launch_blob.bin")

    def qemu_sev(self, hashes="on"):
        """The same for QEMU. It compares its cbitpos with what the CPUID
        instruction says here, where there may be no SEV leaf; the emulation
        corrects what the guest is told."""
        cbitpos = cpuid_ebx(0x8000001f) & 0x3f
        return ["-object",
                f"sev-guest,id=sev0,policy={self.policy},cbitpos={cbitpos},"
                f"reduced-phys-bits=1,kernel-hashes={hashes},"
                f"dh-cert-file={self.dir}/godh.cert.b64,"
                f"session-file={self.dir}/launch_blob.bin.b64"]

    def what(self, cmdline="", firmware=None, kernel=None, initrd=None):
        """What the owner expects to have been started."""
        from e2e.case import CMDLINE
        case = self.case
        if kernel is False:
            return ["--firmware", firmware or case.firmware]
        return ["--firmware", firmware or case.firmware,
                "--kernel", kernel or case.kernel,
                "--initrd", initrd or case.initrd,
                "--cmdline", f"{CMDLINE} {cmdline}".strip()]

    def digest(self, **kw):
        return self.ok("digest", *self.what(**kw)).strip()

    def attest(self, vm, **kw):
        """Status and output of a whole attestation of a waiting guest."""
        vm.connect(Raw).close()     # wait for it; QEMU serves one at a time
        return self("attest", "--socket", vm.control, "--tk",
                    self.dir / "tmp_tk.bin", "--policy", self.policy,
                    "--min-api", "0.17", "--timeout", 120, *self.what(**kw),
                    *self.entry())

    def entry(self):
        if self.passwd:
            return ["--passwd-file", self.passwd]
        return ["--entry", f"{SECRET_GUID}={self.secret}"]

    def admit(self, vm, **kw):
        """The owner's side of a launch that must succeed."""
        status, out = self.attest(vm, **kw)
        assert status == 0, f"attest ended with {status}: {out}"
        return out


def cpuid_ebx(leaf):
    """push rbx; mov eax, edi; xor ecx, ecx; cpuid; mov eax, ebx; pop; ret"""
    page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE |
                     mmap.PROT_EXEC)
    page.write(bytes.fromhex("53 89f8 31c9 0fa2 89d8 5b c3"))
    start = ctypes.addressof(ctypes.c_char.from_buffer(page))
    return ctypes.CFUNCTYPE(ctypes.c_uint32, ctypes.c_uint32)(start)(leaf)


def platform_certificates(case):
    """The platform's chain: what its secure processor exports, and the two
    certificates of AMD's that a platform does not hold."""
    out = pathlib.Path(case.tmp) / "chain"
    if not out.exists():
        status, text = run([case.program("carrel-emu"),
                            case.program("carrel-sev"), "export",
                            "--out", out])
        assert status == 0, f"export ended with {status}: {text}"
        for name in IDENTITY:
            (out / name).write_bytes((case.identity / name).read_bytes())
    return out
