# SPDX-License-Identifier: Apache-2.0
"""carrel-emu under a program that makes VM after VM."""
import pathlib

from e2e.vm import run as run_tool

SECONDS = 30
PROGRAM = pathlib.Path(__file__).parents[1] / "e2e" / "sev_program.py"


def run(t):
    status, out = run_tool([t.program("carrel-emu"), "--log",
                            t.dir / "emu.log", "/usr/bin/python3", PROGRAM])
    t.note(out)
    assert status == 0, f"exit status {status}"
    assert out.count("passed") == 6, out
