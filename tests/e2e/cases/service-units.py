# SPDX-License-Identifier: Apache-2.0
"""The units that `make install` puts in place, as systemd reads them."""
import pathlib

from e2e.vm import run as run_tool

NEEDS = "host"

ROOT = pathlib.Path(__file__).parents[3]


def run(t):
    got, out = run_tool(["make", "-C", ROOT, f"B={t.build}", "install",
                         f"DESTDIR={t.tmp}/root", "prefix=/usr"])
    assert got == 0, out
    units = t.tmp / "root/usr/lib/systemd/system"
    for unit in ("carrel@.service", "carrel@.socket"):
        text = (units / unit).read_text()
        assert "@bindir@" not in text, text
        # Verified where the program is: a unit names it by an absolute path.
        (units / unit).write_text(text.replace(
            "/usr/bin/carrel", f"{t.tmp}/root/usr/bin/carrel"))
    got, out = run_tool(["systemd-analyze", "verify", "--man=no",
                         units / "carrel@.service", units / "carrel@.socket"])
    lines = [line for line in out.splitlines() if "carrel" in line]
    assert got == 0 and not lines, f"{got}: {out}"
    got, out = run_tool(["systemd-analyze", "security", "--offline=true",
                         "--threshold=20", units / "carrel@.service"])
    assert got == 0, out
    t.note(out.strip().splitlines()[-1])
