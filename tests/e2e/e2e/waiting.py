# SPDX-License-Identifier: Apache-2.0
"""Cases that wait to be run: a file each, in a directory that labs see too.
Whoever wants the next one renames it; of several who try, one succeeds."""
import os
import shutil


class Waiting:
    def __init__(self, directory):
        self.directory = directory

    def clear(self):
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)

    def put(self, name, place):
        """place: a number; the lowest is taken first."""
        (self.directory / f"{place:06}-{name}.waits").touch()

    def _names(self, end):
        return sorted(n for n in os.listdir(self.directory) if n.endswith(end))

    def take(self, taker):
        """The next one's name; None: there is none."""
        for file in self._names(".waits"):
            stem = file.removesuffix(".waits")
            try:
                os.rename(self.directory / file,
                          self.directory / f"{stem}.{taker}")
            except FileNotFoundError:
                continue        # another was faster
            return stem.split("-", 1)[1]
        return None

    def done(self, name, taker):
        for file in self._names(f"-{name}.{taker}"):
            os.unlink(self.directory / file)

    def give_back(self, taker):
        """What a lab that ended had begun; its names."""
        files = self._names(f".{taker}")
        for file in files:
            stem = file.removesuffix(f".{taker}")
            os.rename(self.directory / file, self.directory / f"{stem}.waits")
        return [f.split("-", 1)[1].removesuffix(f".{taker}") for f in files]

    def left(self):
        """Names that nobody has taken."""
        return [f.split("-", 1)[1].removesuffix(".waits")
                for f in self._names(".waits")]
