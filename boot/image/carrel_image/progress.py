# SPDX-License-Identifier: Apache-2.0
"""What a build says while it works: a bar on a terminal, else plain lines."""
import sys
import time

BAR = 30
REDRAW_SECONDS = 0.1


class Progress:
    def __init__(self, mode="auto", out=sys.stderr):
        self.out = out
        self.bars = mode == "bar" or (mode == "auto" and out.isatty())
        self.silent = mode == "none"
        self.title, self.began, self.drawn = "", 0.0, 0.0

    def note(self, text):
        if not self.silent:
            self._clear()
            print(f"carrel-image: {text}", file=self.out, flush=True)

    def step(self, title):
        """Begins a step; on a terminal its line becomes a bar by at()."""
        self.title, self.began, self.drawn = title, time.monotonic(), 0.0
        if self.bars and not self.silent:
            self._draw(title)
        else:
            self.note(title)

    def at(self, done, total):
        now = time.monotonic()
        if not self.bars or self.silent or now - self.drawn < REDRAW_SECONDS:
            return
        self.drawn = now
        full = BAR * done // max(total, 1)
        self._draw(f"{self.title} [{'#' * full}{'.' * (BAR - full)}] "
                   f"{100 * done // max(total, 1)}%")

    def done(self, said=""):
        seconds = time.monotonic() - self.began
        self.note(f"{self.title}: {said or 'done'} ({seconds:.0f} s)")

    def _draw(self, text):
        print(f"\r\033[K{text}", end="", file=self.out, flush=True)

    def _clear(self):
        if self.bars:
            print("\r\033[K", end="", file=self.out)
