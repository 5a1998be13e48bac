# SPDX-License-Identifier: Apache-2.0
"""What the demos are told with: who does what, when, and what was seen."""
import os
import pathlib
import re
import subprocess
import sys
import threading
import time

from e2e.case import Case
from e2e.setup import artefacts_of, lab_command

START = float(os.environ.get("DEMO_START", time.time()))
SECONDS = 1200      # after which something hangs


def say(who, text):
    for i, line in enumerate(str(text).strip().splitlines()):
        print(f"[{time.time() - START:4.0f} s] {who if i == 0 else '':>6} "
              f"| {line}", flush=True)


class Waiting:
    """A sign of life every few seconds."""

    def __init__(self, what):
        self.what = what
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.loop)

    def loop(self):
        while not self.done.wait(10):
            say("", f"... {self.what}")

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()


def hexdump(data):
    return "\n".join(
        f"{i:04x}  {data[i:i + 16].hex(' ')}  " + re.sub(
            r"[^ -~]", ".", data[i:i + 16].decode("latin-1"))
        for i in range(0, len(data), 16))


def inside(script, tell, build):
    """Tells the story where /dev/kvm is; the exit status."""
    t = Case(script, build, dict(
        line.split("=", 1) for line in os.environ["ARTEFACTS"].splitlines()))
    os.environ["CARREL_EMU_IDENTITY"] = str(t.identity)
    with t.workspace():
        try:
            tell(t)
        except AssertionError as why:
            say("demo", f"FAILED: {why}")
            for p in t.programs:
                say(p.name, p.messages()[-2000:])
            return 1
    say("demo", f"done; what the programs said is in {t.dir}")
    return 0


def main(script, tell, kind, prepare=None):
    """B is the build directory; prepare(build, artefacts) is done first, on
    the machine itself."""
    if sys.argv[1:2] == ["--inside"]:
        sys.exit(inside(script, tell, pathlib.Path(sys.argv[2])))
    build = pathlib.Path(os.environ.get("B", "build")).resolve()
    say("demo", "the secure processor is emulated; README.md says what is "
                "real here and what is not")
    artefacts = artefacts_of(build, kind)
    if prepare:
        prepare(build, artefacts)
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        say("demo", "no /dev/kvm here: the lab boots a machine that has one "
                    "(QEMU emulates an AMD CPU)")
    argv = ["env", f"ARTEFACTS={artefacts}", f"DEMO_START={START}",
            "PYTHONDONTWRITEBYTECODE=1", str(script), "--inside", str(build)]
    sys.exit(subprocess.run(
        lab_command(build, script.stem, SECONDS, argv),
        check=False).returncode)
