# SPDX-License-Identifier: Apache-2.0
"""carrel-emu's own options, without a VM."""
from e2e.vm import run as run_tool

NEEDS = "host"
SECONDS = 10


def emu(t, status, words, *args):
    got, out = run_tool([t.program("carrel-emu"), *args])
    assert got == status, f"exit status {got}, not {status}: {out}"
    for word in words:
        assert word in out, f"no '{word}' in: {out}"
    return out


def identity(t):
    """Made once, in the directory that was named, and then kept."""
    place = t.tmp / "identity"
    out = emu(t, 0, [str(place)], "--identity", place, "--make-identity")
    assert out.strip() == str(place), out
    made = (place / "pdh.cert").read_bytes()
    assert (place / "pdh.key").stat().st_mode & 0o777 == 0o600
    emu(t, 0, [], "--identity", place, "--make-identity")
    assert (place / "pdh.cert").read_bytes() == made


def platform(t):
    """A program under it sees that identity; the log has what it asked."""
    log, out = t.tmp / "emu.log", t.tmp / "exported"
    emu(t, 0, [], "--identity", t.tmp / "identity", "--api", "1.40.7", "--log",
        log, t.program("carrel-sev"), "export", "--out", out)
    assert (out / "pdh.cert").read_bytes() == \
        (t.tmp / "identity" / "pdh.cert").read_bytes()
    assert "PDH_CERT_EXPORT" in log.read_text(), log.read_text()


def parts(t):
    t.check("no program", emu, t, 1, ["usage"])
    t.check("an unknown option", emu, t, 1, ["usage"], "--frob", "true")
    t.check("an API version that is none", emu, t, 1, ["1.2.3.4"], "--api",
            "1.2.3.4", "true")
    t.check("a program that is missing", emu, t, 2, ["/nonexistent"],
            "--identity", t.tmp / "identity", "/nonexistent")
    t.check("an identity", identity, t)
    t.check("a platform of that identity", platform, t)
