# SPDX-License-Identifier: Apache-2.0
"""The command lines in the documents are ones that the programs take."""
import base64
import pathlib
import re
import shlex
import shutil
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
        kept += re.findall(r"`(carrel run -[^`]*|carrel-emu [^`A-Z]*)`", text)
    return re.sub(r"\\\n", " ", "\n".join(kept)).splitlines()


def words_of(line):
    """The words of one of carrel's programs, or None: not one of them."""
    line = PROMPT.sub("", line.strip()).strip()
    if not re.match(r"carrel(ctl|-sev|-image|-emu)? ", line) or "[" in line:
        return None                         # a synopsis: see synopses
    if re.match(r"carrel-(sev|image)", line) and " --" not in line:
        return None                         # in a picture
    return split(line)


def split(line):
    """The words of a line up to a pipe or the like."""
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


def emulated(t, words):
    """carrel-emu's own options; what it starts is checked like a line."""
    _, text = run_tool([t.program("carrel-emu"), "--help"])
    valued = re.findall(r"^  (--[a-z-]+) [A-Z]", text, re.M)
    i = 1
    while i < len(words) and words[i].startswith("-"):
        i += 1 + (words[i] in valued)
    got, out = run_tool([t.program("carrel-emu"), *words[1:i], "--help"])
    if got:
        return False, f"exit status {got}: {out}"
    inner = words[i:]
    if inner[-1:] == ["--sev"]:             # of a line with "..."
        inner += ["policy=1", "--firmware", "f"]
    if inner and inner[0] in ("carrel", "carrelctl", "carrel-sev"):
        return check(t, inner)
    return (not inner or inner[0] not in OTHERS or
            not unknown_flags(t, inner)), f"{unknown_flags(t, inner)}"


# Programs of other projects, each with how it is asked for its options.
OTHERS = {"qemu-system-x86_64": "-help", "qemu-storage-daemon": "--help",
          "virtiofsd": "--help", "passt": "--help"}
ARTEFACTS = {"qemu-storage-daemon": "storage_daemon", "virtiofsd": "virtiofsd"}


# The older and the newer QEMUs' ways to give up root.
BY_VERSION = "-run-with", "-runas", "-chroot"


def help_of(t, name):
    """None: the program is not here."""
    program = shutil.which(name)
    if not program and ARTEFACTS.get(name, "").upper() in t.artefacts:
        program = getattr(t, ARTEFACTS[name])
    return program and run_tool([program, OTHERS[name]])[1]


def unknown_flags(t, words):
    """Which of its flags another project's program does not have."""
    text = help_of(t, words[0])
    named = {w.split("=")[0] for w in words[1:] if re.match("--?[a-z]", w)}
    return sorted(flag for flag in named if text and not re.search(
        rf"(?<![\w-]){flag}(?![\w-])", text))


def others(t):
    """Command lines of other projects' programs, and QEMU's options in the
    tables of docs/qemu.md."""
    wrong, seen = [], {}
    for path in documents():
        for line in blocks(path):
            words = line.split()
            if words[:1] and words[0] in OTHERS:
                words = split(line.strip())
                seen[words[0]] = help_of(t, words[0]) is not None
                wrong += [f"{path.name}: {words[0]} {flag}"
                          for flag in unknown_flags(t, words)]
    table = [flag for row in re.findall(r"^\| (`-.*?) \|", (
        ROOT / "docs/qemu.md").read_text(), re.M)
             for flag in re.findall(r"`(-[a-z][a-z_-]*|-[A-Z])", row)]
    assert len(table) > 60, table
    wrong += [f"qemu.md, table: {flag}" for flag in unknown_flags(
        t, ["qemu-system-x86_64", *table]) if flag not in BY_VERSION]
    assert not wrong, "\n".join(wrong)
    assert set(seen) == set(OTHERS), seen
    t.note("not here: " + (", ".join(
        name for name, there in seen.items() if not there) or "none"))


def synopses(t):
    """`carrel run ... --flag A|B=C[,D=E]`: each name in it is one of help's."""
    _, text = run_tool([t.program("carrel"), "help"])
    groups, count, wrong = {}, 0, []
    for line in text.splitlines():
        row = re.match(r"  (--[a-z-]+) ?(\S*)|      ([a-z]\S*)", line)
        if row and row[1]:
            groups[row[1]] = known = set()
        if row:
            known.update(re.findall(r"[a-z][a-z-]*", row[2] or row[3] or ""))
    for path in documents():
        for line in blocks(path):
            said = re.match(r" *carrel run \.\.\. (--[a-z-]+) (.*\[.*)", line)
            if said:
                count += 1
                known = groups.get(said[1], set())
                wrong += [f"{path.name}: {said[1]} {name}" for name in
                          re.findall(r"(?<![A-Za-z])[a-z][a-z-]*", said[2])
                          if name not in known]
    assert not wrong, "\n".join(wrong)
    assert count >= 5, count


def check(t, words):
    if words[0] == "carrel-emu":
        return emulated(t, words)
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


def documents():
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")),
            *sorted((ROOT / "docs").glob("*.1")),
            *sorted((ROOT / "docs/examples").glob("*.dts"))]


def parts(t):
    counts = {}
    for path in documents():
        if any(words_of(line) for line in blocks(path)):
            t.check(path.name, lambda p=path: counts.update(
                {p.name: document(t, p)}))
    t.check("there were enough of them", enough, counts)
    t.check("flags in the table of QEMU's options", flags, t)
    t.check("forms of flags", synopses, t)
    t.check("options of other projects' programs", others, t)


def enough(counts):
    assert sum(counts.values()) >= 30, counts
    assert counts.get("qemu.md", 0) >= 3, counts
