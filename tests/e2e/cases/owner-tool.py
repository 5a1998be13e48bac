# SPDX-License-Identifier: Apache-2.0
"""carrel-sev from the command line, and libvirt's second opinion."""
import base64
import hashlib
import os
import pathlib
import time

from e2e.vm import run as run_tool

NEEDS = "host"

FIXTURES = pathlib.Path(__file__).parents[2] / "fixtures" / "amd-certs"
PASSWD = "736869e5-84f0-4973-92ec-06879ce3da0b"
PLATFORM = ["--api-major", 1, "--api-minor", 55, "--build-id", 21]
POLICY = 0x37000001      # API 0.55 or later: more than eight bits


def tool(t, *args):
    return run_tool([t.program("carrel-sev"), *args])


def good(t, *args):
    status, out = tool(t, *args)
    assert status == 0, f"{args[0]} ended with {status}: {out}"
    return out.strip()


def bad(t, status, words, *args):
    got, out = tool(t, *args)
    assert got == status, f"exit status {got}, not {status}: {out}"
    for word in words:
        assert word in out, f"no '{word}' in: {out}"


def session(t, name="session"):
    out = t.tmp / name
    if not out.exists():
        good(t, "session", "--pdh", f"{FIXTURES}/rome/pdh.cert", "--chain",
             f"{FIXTURES}/rome", "--policy", hex(POLICY), "--out", out)
    return out


def what(t, cmdline="console=ttyS0"):
    return ["--firmware", t.firmware, "--kernel", t.kernel, "--initrd",
            t.initrd, "--cmdline", cmdline]


def measured(t):
    """A measurement as a platform would make it: digest and base64."""
    digest = good(t, "digest", *what(t))
    return digest, good(t, "measure", "--tk", session(t) / "tmp_tk.bin",
                        *PLATFORM, "--policy", POLICY, "--nonce",
                        os.urandom(16).hex(), "--digest", digest)


def second_opinion(t, measurement, *args):
    return run_tool(["/usr/bin/python3", "/usr/bin/virt-qemu-sev-validate",
                     "--insecure", "--tk", session(t) / "tmp_tk.bin",
                     *PLATFORM, "--policy", POLICY, "--measurement",
                     measurement, *what(t), *args])


def chains(t):
    for product in ("naples", "rome"):
        out = good(t, "verify-chain", f"{FIXTURES}/{product}")
        lines = out.splitlines()
        assert len(lines) == 7, out
        assert all(line.startswith("ok ") for line in lines), out
    bad(t, 1, ["ok    ASK <- ARK", "FAIL  PDH <- PEK"], "verify-chain",
        f"{FIXTURES}/milan")
    bad(t, 1, ["not the root given"], "verify-chain", f"{FIXTURES}/rome",
        "--root", f"{FIXTURES}/milan/ark.cert")
    bad(t, 2, ["no ARK"], "verify-chain", f"{FIXTURES}/rome", "--root",
        f"{FIXTURES}/rome/ask.cert")


def sessions(t):
    out = session(t)
    modes = {p.name: oct(p.stat().st_mode & 0o777) for p in out.iterdir()}
    assert modes["tmp_tk.bin"] == "0o600", modes
    assert len(modes) == 5, modes
    for name in ("godh.cert", "launch_blob.bin"):
        raw, text = (out / name).read_bytes(), (out / f"{name}.b64")
        assert base64.b64decode(text.read_bytes()) == raw, name
    pdh = ["session", "--pdh", f"{FIXTURES}/rome/pdh.cert", "--policy", 1]
    bad(t, 2, ["--chain", "--unverified"], *pdh, "--out", t.tmp / "none")
    bad(t, 1, ["not the PDH"], *pdh, "--chain", f"{FIXTURES}/naples",
        "--out", t.tmp / "none")
    bad(t, 1, ["do not verify"], *pdh, "--chain", f"{FIXTURES}/milan",
        "--out", t.tmp / "none")
    bad(t, 2, ["exists", "--force"], *pdh, "--unverified", "--out", out)
    assert not (t.tmp / "none").exists(), "a refused session left files"


def digests(t):
    want = hashlib.sha256(t.firmware.read_bytes()).hexdigest()
    assert good(t, "digest", "--firmware", t.firmware) == want
    bad(t, 2, ["--kernel"], "digest", "--firmware", t.firmware, "--cmdline",
        "x")
    bad(t, 2, ["none.fd"], "digest", "--firmware", t.tmp / "none.fd")


def measurements(t):
    digest, m = measured(t)
    check = ["verify", "--tk", session(t) / "tmp_tk.bin", *PLATFORM,
             "--digest", digest, "--measurement", m, "--policy"]
    good(t, *check, POLICY)
    bad(t, 1, ["not the expected"], *check, POLICY & 0xff)
    status, out = second_opinion(t, m)
    assert status == 0, f"virt-qemu-sev-validate: {out}"
    status, out = second_opinion(t, m, "--cmdline", "another")
    assert status != 0, "virt-qemu-sev-validate accepts anything"


def secrets(t):
    """The same packet as libvirt's tool makes, byte by byte."""
    _, m = measured(t)
    passwd, theirs, ours = t.tmp / "passwd", t.tmp / "theirs", t.tmp / "ours"
    passwd.write_bytes(b"correct horse battery staple")
    theirs.mkdir()
    status, out = second_opinion(
        t, m, "--inject-secret", f"{PASSWD}:{passwd}", "--secret-header",
        theirs / "header", "--secret-payload", theirs / "payload")
    assert status == 0, f"virt-qemu-sev-validate: {out}"
    header = base64.b64decode((theirs / "header").read_bytes())
    good(t, "secret", "--tk", session(t) / "tmp_tk.bin", "--measurement", m,
         "--passwd-file", passwd, "--iv", header[4:20].hex(), "--out", ours)
    assert (ours / "header.bin").read_bytes() == header
    assert (ours / "payload.bin").read_bytes() == \
        base64.b64decode((theirs / "payload").read_bytes())
    for half in (["--api-major", 0], ["--api-minor", 16]):
        bad(t, 2, ["both or neither"], "secret", "--tk",
            session(t) / "tmp_tk.bin", "--measurement", m, "--passwd-file",
            passwd, "--out", t.tmp / "half", *half)
    passwd.write_bytes(b"with a line end\n")
    for i, entry in enumerate((["--passwd-file", passwd],
                               ["--entry", f"{PASSWD}={passwd}"])):
        status, out = tool(t, "secret", "--tk", session(t) / "tmp_tk.bin",
                           "--measurement", m, *entry, "--out",
                           t.tmp / f"warned-{i}")
        assert status == 0 and "line end" in out, out


def words(t):
    bad(t, 2, ["usage"])
    bad(t, 2, ["'sesion'"], "sesion")
    bad(t, 2, ["--policy", "0x1ffffffff", "0xffffffff"], "session",
        "--policy", "0x1ffffffff")
    bad(t, 2, ["not base64"], "show", __file__)
    for verb in ("export", "verify-chain", "session", "digest", "measure",
                 "verify", "secret", "show", "attest"):
        out = good(t, verb, "--help")
        assert out.startswith(f"usage: carrel-sev {verb}"), out
    out = good(t, "show", f"{FIXTURES}/rome/pek.cert")
    assert "usage: PEK" in out, out
    secret = t.tmp / "48"
    secret.write_text(base64.b64encode(b"S" * 48).decode())
    assert "5353" not in good(t, "show", secret)
    assert "5353" in good(t, "show", "--fields", secret)
    attest = ["attest", "--tk", session(t) / "tmp_tk.bin", "--digest",
              "0" * 64, "--passwd-file", secret, "--socket", t.tmp / "none",
              "--policy"]
    bad(t, 2, ["reserved"], *attest, "0x41")
    bad(t, 2, ["ALLOWS DEBUGGING", "cannot connect"], *attest, "0")
    start = time.monotonic()
    bad(t, 2, ["cannot connect"], *attest, "1", "--wait", "2")
    assert time.monotonic() - start > 1.5, "it did not wait for the socket"


def little_memory(t):
    """64 KiB of locked memory, what containers often have, must do."""
    limit = ["prlimit", "--memlock=65536:65536", "setpriv", "--bounding-set",
             "-ipc_lock", "--inh-caps", "-ipc_lock"]
    out = t.tmp / "little"
    status, said = run_tool([
        *limit, t.program("carrel-sev"), "session", "--pdh",
        f"{FIXTURES}/rome/pdh.cert", "--unverified", "--policy", 1, "--out",
        out])
    assert status == 0, said
    status, said = run_tool([*limit, t.program("carrel-sev"), "show",
                             out / "tmp_tk.bin"])
    assert status == 0 and "not shown" in said, said
    secret = t.tmp / "largest"
    secret.write_bytes(bytes(16000))
    status, said = run_tool([
        *limit, t.program("carrel-sev"), "secret", "--tk",
        out / "tmp_tk.bin", "--measurement", measured(t)[1], "--passwd-file",
        secret, "--out", t.tmp / "packet"])
    assert status == 0, said


def parts(t):
    t.check("certificate chains of real platforms", chains, t)
    t.check("sessions", sessions, t)
    t.check("digests", digests, t)
    t.check("measurements, and libvirt agrees", measurements, t)
    t.check("secrets, and libvirt agrees", secrets, t)
    t.check("help and refusals", words, t)
    t.check("little memory that can be locked", little_memory, t)
