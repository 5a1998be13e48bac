# SPDX-License-Identifier: Apache-2.0
"""What `make install` puts under DESTDIR and prefix runs from there."""
import os
import pathlib
import re

from e2e.vm import run as run_tool

NEEDS = "host"
SECONDS = 15
ROOT = pathlib.Path(__file__).parents[3]
PROGRAMS = ["carrel", "carrelctl", "carrel-sev", "carrel-image", "carrel-emu"]


def install(t, to, prefix):
    got, out = run_tool(["make", "-s", "-C", ROOT, "-o", "all",
                         f"B={t.build}", "install", f"DESTDIR={to}",
                         f"prefix={prefix}"])
    assert got == 0, out
    return to / prefix[1:]


def within(t):
    """Nothing lies outside of the prefix, nothing names DESTDIR."""
    to = t.tmp / "root"
    install(t, to, "/opt/carrel")
    outside = [p for p in to.rglob("*") if not p.is_dir() and
               to / "opt/carrel" not in p.parents]
    assert not outside, outside
    naming = [p for p in to.rglob("*") if p.is_file() and
              str(to).encode() in p.read_bytes()]
    assert not naming, naming
    links = {p: os.readlink(p) for p in to.rglob("*") if p.is_symlink()}
    assert all(p.exists() for p in links), links
    assert not any(link.startswith("/") for link in links.values()), links
    writable = [p for p in to.rglob("*") if not p.is_symlink() and
                p.stat().st_mode & 0o022]
    assert not writable, writable


def programs(t):
    tree = t.tmp / "root/opt/carrel"
    there = {p.name for p in (tree / "bin").iterdir()}
    assert there == set(PROGRAMS), there
    for name in PROGRAMS:
        got, out = run_tool([tree / "bin" / name, "--help"], cwd="/")
        assert got == 0 and out.startswith(f"usage: {name}"), \
            f"{name}: {got}: {out}"
        if name != "carrel-image":
            got, out = run_tool([tree / "bin" / name, "--version"], cwd="/")
            assert got == 0 and re.fullmatch(
                rf"{name} \d+\.\d+\.\d+\n", out), f"{name}: {got}: {out}"
        page = tree / "share/man/man1" / f"{name}.1"
        assert page.exists(), page
        got, out = run_tool(["man", "-l", page], env={"MANPAGER": "cat"})
        assert got == 0 and name in out, out
    got, out = run_tool([tree / "bin/carrel-image", "inspect",
                         tree / "bin/carrel"], cwd="/")
    assert "Traceback" not in out, out


def preloaded(t):
    """carrel-emu finds its library."""
    tree = t.tmp / "root/opt/carrel"
    got, out = run_tool([
        tree / "bin/carrel-emu", "--identity", t.tmp / "identity",
        tree / "bin/carrel-sev", "export", "--out", t.tmp / "exported"])
    assert got == 0 and (t.tmp / "exported/pdh.cert").exists(), out
    library = tree / "lib/carrel/libcarrel-emu.so"
    os.rename(library, library.with_suffix(".away"))
    got, out = run_tool([tree / "bin/carrel-emu", "--identity",
                         t.tmp / "identity", "true"])
    assert got == 2 and "libcarrel-emu.so" in out, f"{got}: {out}"


def units(t):
    """They name the programs where they will be."""
    tree = t.tmp / "root/opt/carrel"
    text = (tree / "lib/systemd/system/carrel@.service").read_text()
    assert re.search(r"^ExecStart=/opt/carrel/bin/carrel run ", text, re.M), \
        text
    assert "@" not in text.replace("carrel@%i", "").replace(
        "@system-service", ""), text
    for name in PROGRAMS:
        completion = tree / "share/bash-completion/completions" / name
        assert completion.exists(), completion


def again(t):
    """A second one over the first changes nothing."""
    to = t.tmp / "twice"
    install(t, to, "/usr")
    before = {p: p.read_bytes() for p in to.rglob("*") if p.is_file()}
    install(t, to, "/usr")
    assert before == {p: p.read_bytes() for p in to.rglob("*")
                      if p.is_file()}


def parts(t):
    t.check("all below DESTDIR and prefix", within, t)
    t.check("programs and their pages", programs, t)
    t.check("the emulation's library", preloaded, t)
    t.check("units and completions", units, t)
    t.check("twice", again, t)
