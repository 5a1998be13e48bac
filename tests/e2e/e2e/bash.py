# SPDX-License-Identifier: Apache-2.0
"""What an interactive bash makes of a line and the key Tab."""
import os
import pathlib
import pty
import select
import signal
import tempfile
import time

ROOT = pathlib.Path(__file__).parents[3]
PROMPT = b"\x01ready\x01"
# Both are told on descriptor 3: what the completion offers, and the words that
# the line has become when it is run.
SETUP = r"""
PS1=$'\x01ready\x01'
source {completion}
offered() {{ {function} "$@"; printf 'offered %s\n' "${{COMPREPLY[*]}}" >&3; }}
complete -F offered {program}
{program}() {{ printf 'run %s\n' "$*" >&3; }}
{given}
"""


class Bash:
    """A bash on a terminal of its own, with a program's completion."""

    def __init__(self, program, given):
        told, tell = os.pipe()
        with tempfile.NamedTemporaryFile("w", suffix=".bash") as rc:
            rc.write(SETUP.format(
                completion=ROOT / "docs/completion" / program, given=given,
                function="_" + program.replace("-", "_"), program=program))
            rc.flush()
            self.child, self.terminal = pty.fork()
            if not self.child:
                os.dup2(tell, 3)
                os.chdir(ROOT / "docs")
                os.execve("/bin/bash", [
                    "bash", "--noprofile", "--rcfile", rc.name, "-i"], {
                        "PATH": os.environ["PATH"], "TERM": "dumb",
                        "HISTFILE": "", "INPUTRC": "/dev/null"})
            os.close(tell)
            self.told = told
            self.prompt()

    def prompt(self):
        """Readline reads from here on; what came on descriptor 3."""
        seen, lines, end = b"", b"", time.monotonic() + 60
        while PROMPT not in seen:
            ready, _, _ = select.select([self.terminal, self.told], [], [],
                                        max(0, end - time.monotonic()))
            if not ready:
                raise TimeoutError(f"bash does not go on: {seen}")
            if self.terminal in ready:
                seen += os.read(self.terminal, 65536)
            if self.told in ready:
                lines += os.read(self.told, 65536)
        while select.select([self.told], [], [], 0)[0]:
            lines += os.read(self.told, 65536)
        return lines.decode().splitlines()

    def tab(self, line):
        """The words offered at the end of line, and those it becomes."""
        os.write(self.terminal, f"{line}\t\r".encode())
        said = self.prompt()
        return ([w for s in said if s.startswith("offered")
                 for w in s.split()[1:]],
                [w for s in said if s.startswith("run")
                 for w in s.split()[1:]])

    def close(self):
        os.kill(self.child, signal.SIGKILL)
        os.waitpid(self.child, 0)
        os.close(self.terminal)
        os.close(self.told)


def completions(program, lines, given=""):
    """(offered, became) for each line; given: bash, to be run at first."""
    bash = Bash(program, given)
    try:
        return [bash.tab(line) for line in lines]
    finally:
        bash.close()
