# SPDX-License-Identifier: Apache-2.0
"""Each tree in docs/examples compiles, is taken, and survives --dump-dtb."""
import pathlib
import subprocess

from e2e.vm import run as run_tool

NEEDS = "host"
SECONDS = 5
ROOT = pathlib.Path(__file__).parents[3]
# A setting less, or wrong, and the words by which node and property are named.
WRONG = [
    ("a property that is none", "cpus = <2>;", "cpu = <2>;",
     ["/machine", "cpu"]),
    ("a number out of range", "cpus = <2>;", "cpus = <65>;",
     ["/machine", "cpus", "65", "1 to 64"]),
    ("a text for a number", "cpus = <2>;", 'cpus = "two";',
     ["/machine", "cpus"]),
    ("a number for a text", 'path = "root.img";', "path = <1>;",
     ["/disks/root", "path"]),
    ("a flag with a value", "\t\trng;", '\t\trng = "on";',
     ["/machine", "rng"]),
    ("a disk without a path", 'path = "root.img";', "", ["/disks/root",
                                                         "path"]),
    ("a node that is none", "\tboot {", "\tboots {", ["/boots"]),
    ("an address that is none", "02:00:00:12:34:56", "02:00:00:12:34",
     ["/nets/net0", "mac", "02:00:00:12:34"]),
    ("a root without its compatible", 'compatible = "carrel,vm";', "",
     ["compatible", "carrel,vm"]),
]


def compiled(t, text, name):
    out = t.tmp / f"{name}.dtb"
    got = subprocess.run(["dtc", "-I", "dts", "-O", "dtb", "-o", out, "-"],
                         input=text, text=True, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, check=False)
    assert got.returncode == 0, got.stdout
    return out, got.stdout


def dump(t, tree, to):
    return run_tool([t.program("carrel"), "run", "--config", tree,
                     "--dump-dtb", to], cwd=t.tmp)


def names(text):
    """Of nodes and properties; values may be written in full."""
    return {line.split()[0].rstrip(";") for line in text.splitlines()
            if line.strip() not in ("", "};")}


def example(t, path):
    tree, warnings = compiled(t, path.read_text(), path.stem)
    assert not warnings, warnings
    once, twice = t.tmp / "once.dtb", t.tmp / "twice.dtb"
    got, out = dump(t, tree, once)
    assert got == 0 and not out, out
    got, out = dump(t, once, twice)
    assert got == 0 and not out, out
    assert once.read_bytes() == twice.read_bytes(), "not the same again"
    _, again = run_tool(["dtc", "-q", "-I", "dtb", "-O", "dts", once])
    _, source = run_tool(["dtc", "-q", "-I", "dtb", "-O", "dts", tree])
    lost = names(source) - names(again)
    assert not lost, f"lost on the way: {lost}"
    assert "/*" in path.read_text().split("/dts-v1/")[1], "no comment inside"


def wrong(t, old, new, words):
    text = (ROOT / "docs/examples/plain.dts").read_text()
    assert old in text, old
    tree, _ = compiled(t, text.replace(old, new, 1), "wrong")
    got, out = dump(t, tree, "-")
    assert got == 1, f"{got}: {out}"
    assert len(out.strip().splitlines()) == 1, out
    for word in words:
        assert word in out, f"no '{word}' in: {out}"


def parts(t):
    for path in sorted((ROOT / "docs/examples").glob("*.dts")):
        t.check(path.name, example, t, path)
    for title, old, new, words in WRONG:
        t.check(title, wrong, t, old, new, words)
