# SPDX-License-Identifier: Apache-2.0
"""The command lines in the documents are ones that the programs take."""
import base64
import pathlib
import re
import shlex
import subprocess

from e2e.vm import run as run_tool

NEEDS = "host"
SECONDS = 10
ROOT = pathlib.Path(__file__).parents[3]
PROMPT = re.compile(r"^(\$|#|[HO]) +|^ \*\s+")
VARIABLES = {"$measurement": base64.b64encode(bytes(48)).decode(),
             "$digest": "0" * 64}
PARSE_IMAGE = ("import sys; sys.path.insert(0, sys.argv[1]); "
               "from carrel_image import options; "
               "options.parse(sys.argv[2:])")


def blocks(path):
    """Its lines of code, continued ones in one piece."""
    text = path.read_text()
    if path.suffix == ".1":
        text = "".join(re.findall(r"^\.nf\n(.*?)^\.fi", text.split(
            ".SH EXAMPLES")[-1], re.M | re.S))
        for escape, char in (("\\-", "-"), ("\\e", "\\"), ("\\\\", "\\")):
            text = text.replace(escape, char)
        kept = text.splitlines()
    elif path.suffix == ".dts":
        kept = text.splitlines()
    else:
        fenced, kept = False, []
        for line in text.splitlines():
            if line.startswith("```"):
                fenced = not fenced
            elif fenced or line.startswith("    "):
                kept.append(line)
        kept += re.findall(r"`(carrel run -[^`]*)`", text)
    return re.sub(r"\\\n", " ", "\n".join(kept)).splitlines()


def words_of(line):
    """The words of one of carrel's programs, or None: not one of them."""
    line = PROMPT.sub("", line.strip()).strip()
    if not re.match(r"carrel(ctl|-sev|-image)? ", line) or "[" in line:
        return None
    if line.startswith("carrel-") and " --" not in line:
        return None                         # in a picture
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
    lexer.commenters = "#"
    lexer.whitespace_split = True
    words = []
    for word in lexer:
        if word[0] in "|&;<>":
            break
        if word not in ("...", "…"):
            words.append(VARIABLES.get(word, word))
    return words


def tree(t, name):
    """A tree of that name: the example's, or some other."""
    source = ROOT / "docs/examples" / f"{pathlib.Path(name).stem}.dts"
    if not source.exists():
        source = ROOT / "docs/examples/plain.dts"
    out = t.tmp / f"{source.stem}.dtb"
    subprocess.run(["dtc", "-q", "-O", "dtb", "-o", out, source], check=True)
    return str(out)


def carrel(t, words):
    if words[1] != "run":
        return [t.program("carrel"), *words[1:]], 0
    args = words[2:]
    if args[:1] == ["--config"]:
        args[1] = tree(t, args[1])
    elif not {"--firmware", "--kernel"} & set(args):
        args += ["--kernel", "vmlinuz"]     # of a line with "..."
    if "--dump-dtb" not in args:
        args += ["--dump-dtb", "/dev/null"]
    return [t.program("carrel"), "run", *args], 0


def carrelctl(t, words):
    args = words[1:]
    if "--socket" not in args and args[0] not in ("help", "version"):
        args[0] = "./no-such.sock"          # nobody's VM
    return [t.program("carrelctl"), "--timeout", "1", *args], 2


def check(t, words):
    if words[0] == "carrel-image":
        argv, wanted = ["/usr/bin/python3", "-B", "-c", PARSE_IMAGE,
                        ROOT / "boot/image", *words[1:]], 0
    elif words[0] == "carrel-sev":
        argv, wanted = [t.program("carrel-sev"), *words[1:]], None
    else:
        argv, wanted = (carrel if words[0] == "carrel" else carrelctl)(
            t, words)
    got, out = run_tool(argv, cwd=t.tmp)
    if wanted is None:      # its files are missing here, its options not
        return not re.search(r"takes no option|is no verb|not accepted",
                             out), out
    return got == wanted, f"exit status {got}: {out}"


def document(t, path):
    count, wrong = 0, []
    for line in blocks(path):
        words = words_of(line)
        if words:
            count += 1
            good, out = check(t, words)
            if not good:
                wrong.append(f"{' '.join(words)}\n{out}")
    assert not wrong, "\n".join(wrong)
    t.note(f"{path.name}: {count} command lines")
    return count


def flags(t):
    """docs/qemu.md names no flag that is none."""
    _, text = run_tool([t.program("carrel"), "help"])
    known = set(re.findall(r"^  (--[a-z-]+)", text, re.M))
    named = set(re.findall(r"`(--[a-z-]+)", (
        ROOT / "docs/qemu.md").read_text()))
    assert named and named <= known, named - known


def parts(t):
    counts = {}
    paths = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")),
             *sorted((ROOT / "docs").glob("*.1")),
             *sorted((ROOT / "docs/examples").glob("*.dts"))]
    for path in paths:
        if any(words_of(line) for line in blocks(path)):
            t.check(path.name, lambda p=path: counts.update(
                {p.name: document(t, p)}))
    t.check("there were enough of them", enough, counts)
    t.check("flags in the table of QEMU's options", flags, t)


def enough(counts):
    assert sum(counts.values()) >= 30, counts
    assert counts.get("qemu.md", 0) >= 3, counts
