# SPDX-License-Identifier: Apache-2.0
"""carrelctl without a VM: refusals, and its help, page and completion agree."""
import pathlib
import re
import socket
import subprocess

from e2e.bash import completions
from e2e.vm import run as run_tool

NEEDS = "host"

ROOT = pathlib.Path(__file__).parents[3]


def bad(t, status, words, *args):
    got, out = run_tool([t.program("carrelctl"), *args])
    assert got == status, f"exit status {got}, not {status}: {out}"
    for word in words:
        assert word in out, f"no '{word}' in: {out}"


def stale(t):
    path = t.tmp / "stale.sock"
    s = socket.socket(socket.AF_UNIX)
    s.bind(str(path))
    s.close()
    bad(t, 2, [str(path), "refused"], path, "status")


def mute(t):
    """A server that never says a word is given up after a second."""
    path = t.tmp / "mute.sock"
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(str(path))
        s.listen()
        bad(t, 2, ["no answer in time"], path, "status", "--timeout", "1")


def garbage(t):
    path = t.tmp / "garbage.sock"
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(str(path))
        s.listen()
        with subprocess.Popen([t.program("carrelctl"), path, "status"],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True) as child:
            client, _ = s.accept()
            client.sendall(b'{"QMP": {}}\n' + b"\x1b[2J" * 30000 + b"\n")
            out, _ = child.communicate(timeout=30)
            client.close()
    assert child.returncode == 2, f"{child.returncode}: {out}"
    assert "\x1b" not in out, repr(out)


def full(t):
    """Help that nobody could read is no success."""
    with open("/dev/full", "wb") as out:
        got = subprocess.run([t.program("carrelctl"), "help"], stdout=out,
                             stderr=subprocess.DEVNULL, check=False)
    assert got.returncode == 2, got.returncode


WRONG = [
    ("limit", "disk0", "bps=fast"), ("limit", "disk0", "speed=1"),
    ("limit", "disk0", "bps=1", "rx-bps=1"), ("resize", "disk0", "large"),
    ("balloon", "0"), ("balloon", "1X"), ("command", "stop", "[]"),
    ("command", "stop", "{"), ("timeline", "--svg", "/nonexistent/a.svg")]


def unasked(t):
    """A word that makes no sense is told of before anybody is asked."""
    path = t.tmp / "unasked.sock"
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(str(path))
        s.listen()
        s.setblocking(False)
        for args in WRONG:
            bad(t, 1, [args[-1]], path, *args)
            bad(t, 1, [args[-1]], "./no-such.sock", *args)
        try:
            s.accept()
        except BlockingIOError:
            return
    raise AssertionError("it was connected to")


def picture(t):
    """A picture that there is none for: what was there is left alone."""
    old, new = t.tmp / "old.svg", t.tmp / "new.svg"
    old.write_text("of yesterday")
    for path in (old, new):
        bad(t, 2, ["no-such.sock"], "./no-such.sock", "timeline", "--svg",
            path)
    assert old.read_text() == "of yesterday" and not new.exists()


def words_of(text, pattern):
    return set(re.findall(pattern, text, re.M))


def agree(t):
    _, text = run_tool([t.program("carrelctl"), "help"])
    page = (ROOT / "docs/carrelctl.1").read_text().replace("\\-", "-")
    completion = (ROOT / "docs/completion/carrelctl").read_text()
    flag = r"--[a-z]+"
    flags = words_of(text, flag)
    tags = "\n".join(line for line in page.splitlines()
                     if re.match(r"\.B \S|\\fB--|\.BR|\\fBc", line))
    assert flags == words_of(tags, flag), words_of(tags, flag) ^ flags
    assert flags == words_of(completion, flag), "flags of the completion"
    verbs = words_of(text, r"^  ([a-z]+) ")
    assert len(verbs) >= 10, verbs
    section = page.split(".SH VERBS")[1].split(".SH FLAGS")[0]
    named = words_of(section.replace('", "', '\n.B '),
                     r"^(?:\.BR? |\\fB)([a-z]+)")
    assert verbs <= named, f"not in the page: {verbs - named}"
    listed = re.search(r'verbs="([^"]*)"', completion)[1].split()
    assert verbs == set(listed), verbs ^ set(listed)


def complete(words, given=""):
    """What bash offers after these words."""
    return completions("carrelctl", [f"{' '.join(words)} "], given)[0][0]


def completion(t):
    assert "status" in complete(["carrelctl", "vm"]), complete(
        ["carrelctl", "vm"])
    assert "watch" in complete(["carrelctl", "--socket", "x", "--json"])
    assert "status" not in complete(["carrelctl", "--json"])
    # Commands are asked of the VM.
    asked = """carrelctl() {
        [ "$*" = "--json --timeout 1 vm command query-commands" ] &&
            echo '[{"name":"quit"},{"name":"query-sev"}]'; }
        """
    assert complete(["carrelctl", "vm", "command"], asked) == [
        "quit", "query-sev"]
    assert complete(["carrelctl", "vm", "stop"], asked) == []


def parts(t):
    t.check("no words", bad, t, 1, ["usage"])
    t.check("an unknown flag", bad, t, 1, ["--frob"], "vm", "--frob")
    t.check("a VM and no verb", bad, t, 1, ["verb"], "./vm")
    t.check("an unknown verb", bad, t, 1, ["statsu"], "vm", "statsu")
    t.check("a word too many", bad, t, 1, ["stop"], "vm", "stop", "now")
    t.check("a command without its name", bad, t, 1, ["NAME"], "vm",
            "command")
    t.check("arguments that make no sense", unasked, t)
    t.check("a picture without a VM", picture, t)
    t.check("no such VM", bad, t, 2, ["/run/carrel/no-such.sock"],
            "no-such", "status")
    t.check("a socket that nobody serves", stale, t)
    t.check("a server that is mute", mute, t)
    t.check("a server of garbage", garbage, t)
    t.check("output that cannot be written", full, t)
    t.check("help, page and completion agree", agree, t)
    t.check("what bash completes", completion, t)
