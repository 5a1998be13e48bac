# SPDX-License-Identifier: Apache-2.0
"""A build of an image that cannot work ends with a sentence, and with nothing
left behind."""
import os
import shutil
import signal
import subprocess
import time

from e2e.image import SIZE, TOOL, passes, refused, system

NEEDS = "host"
SECONDS = 60
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

# Words that are given, words of the answer. TREE is a system, KEY a key.
USAGE = [
    ("no verb", [], ["VERB"]),
    ("an unknown verb", ["bild"], ["bild"]),
    ("no key", ["build", "--from", "TREE", "--size", SIZE, "OUT"],
     ["--new-key"]),
    ("two keys", ["build", "--from", "TREE", "--size", SIZE, "--key-file",
                  "KEY", "--new-key", "NEW", "OUT"], ["not allowed"]),
]
BUILDS = [
    ("a size that is no number", {"--size": "lots"}, ["lots", "2G"]),
    ("a size of half a MiB", {"--size": "524288"}, ["524288", "1M"]),
    ("a size of nothing", {"--size": "0G"}, ["0G"]),
    ("a size that holds no system", {"--size": "64M"}, ["64M", "too small"]),
    ("a LUKS 3", {"--luks": "3"}, ["3", "1, 2"]),
    ("a host name with a space", {"--hostname": "a b"}, ["a b"]),
    ("a kernel argument with a quote", {"--append": 'x="y"'}, ['x="y"']),
    ("a kernel argument with a semicolon", {"--append": "x;y"}, ["x;y"]),
    ("packages for a directory", {"--include": "vim"}, ["--include", "TREE"]),
    ("a mirror for a directory", {"--mirror": "file:/x"},
     ["--mirror", "TREE"]),
    ("a place of work that is missing", {"--work": "/nonexistent"},
     ["/nonexistent"]),
    ("a recovery key in no directory", {"--recovery-key": "/nonexistent/x"},
     ["/nonexistent"]),
    ("a recovery key that would be the image", {"--recovery-key": "OUT"},
     ["same name"]),
    ("a suite that is a path", {"--from": "debian:../x"}, ["debian:../x"]),
    ("a package that is an option",
     {"--from": "debian:bookworm", "--include": "a,--force"}, ["--force"]),
    ("no system", {"--from": "/nonexistent"}, ["/nonexistent", "debian:"]),
    ("a directory that is no system", {"--from": "EMPTY"},
     ["not the root of a system"]),
    ("a tar that is none", {"--from": "KEY"}, ["unpacking"]),
    ("a copy without a place", {"--copy-in": "KEY"}, ["KEY", "/PATH"]),
    ("a copy of nothing", {"--copy-in": "/nonexistent:/x"}, ["/nonexistent"]),
    ("a tool that the system lacks", {"--initramfs": "dracut"}, ["dracut"]),
    ("a key file that is missing", {"--key-file": "/nonexistent"},
     ["/nonexistent"]),
    ("an image in no directory", {"OUT": "/nonexistent/x"},
     ["/nonexistent"]),
    ("an image that exists", {"OUT": "KEY"}, ["KEY", "--force"]),
]
KEYS = [
    ("a key with a line end", b"secret\n", ["line end", "printf"]),
    ("a key with a DOS line end", b"secret\r\n", ["line end", "printf"]),
    ("an empty key", b"", ["empty"]),
    ("a key with a byte 0", b"a\0b", ["byte 0"]),
    ("a key of 256 bytes", b"k" * 256, ["255"]),
]
LACKING = [
    ("a system without a kernel", ["boot/vmlinuz-1.0"], ["no kernel"]),
    ("a system without an initramfs tool",
     ["usr/share/initramfs-tools/hooks/cryptroot"],
     ["cryptsetup-initramfs", "dracut"]),
    ("a system without an init", ["sbin/init"], ["/sbin/init"]),
]


def command(t, **changed):
    """A build's arguments; the places in capitals are filled in."""
    options = {"--from": "TREE", "--size": SIZE, "--key-file": "KEY",
               "OUT": "OUT", **changed}
    out = options.pop("OUT")
    return [filled(t, w) for w in
            ["build", *(x for pair in options.items() for x in pair), out]]


def filled(t, word):
    places = {"TREE": t.tmp / "tree", "KEY": t.tmp / "key", "OUT": outs(t)
              / "image", "NEW": outs(t) / "new.key", "EMPTY": t.tmp / "empty"}
    return places.get(word, word)


def outs(t):
    """The directory that nothing may be left in."""
    path = t.tmp / "out"
    path.mkdir(exist_ok=True)
    return path


def nothing_left(t):
    left = os.listdir(outs(t))
    assert not left, f"left behind: {left}"


def build_refused(t, changed, words):
    refused([str(filled(t, w)) for w in words], *command(t, **changed))
    nothing_left(t)


def key_refused(t, content, words):
    (t.tmp / "bad.key").write_bytes(content)
    refused(words, *command(t, **{"--key-file": t.tmp / "bad.key"}))
    nothing_left(t)


def fresh_refused(t):
    refused(["--fresh", str(t.tmp / "tree")], *command(t), "--fresh")
    nothing_left(t)


def newline_taken(t):
    """By who says that it is part of the key; rekey asks the same."""
    key, image = t.tmp / "line.key", outs(t) / "image"
    key.write_bytes(b"secret\n")
    passes(*command(t, **{"--key-file": key}), "--allow-newline",
           "--no-recovery")
    new = t.tmp / "line.new"
    new.write_bytes(b"other secret\n")
    again = ["rekey", "--key-file", key, "--new-key", new, image]
    refused(["line end"], *again)
    passes(*again, "--allow-newline")
    image.unlink()


def lacking(t, paths, words, name):
    tree = system(t.tmp / name, without=paths)
    refused(words, *command(t, **{"--from": tree}))
    nothing_left(t)


def no_key_inside(t):
    """The system's tool makes an initramfs and leaves the key file out."""
    tree = system(t.tmp / "keyless", keep="rm cryptroot/root.key")
    refused(["root.key", "initrd.img-1.0"], *command(t, **{"--from": tree}))
    nothing_left(t)


def too_large(t):
    """What it says would do does."""
    tree = system(t.tmp / "large")
    with open(tree / "boot" / "large", "wb") as f:
        f.truncate(150 << 20)
    got = subprocess.run([TOOL, *command(t, **{"--from": tree})],
                         stderr=subprocess.PIPE, text=True, check=False)
    assert got.returncode == 2, got
    size = got.stderr.split()[-1]
    nothing_left(t)
    passes(*command(t, **{"--from": tree, "--size": size}), "--no-recovery")
    os.unlink(outs(t) / "image")
    assert (tree / "etc").exists() and not (tree / "etc/fstab").exists(), \
        "the tree that was given is changed"


def in_tmpfs(t, size, args, path=os.environ["PATH"]):
    """A build whose image and work are on a file system of this size; and what
    it left there."""
    script = (f"mount -t tmpfs -o size={size} tmpfs {outs(t)} || exit 99\n"
              f'cd {outs(t)}; "$@"; status=$?\n'
              'rm -f filling; ls -A; exit $status')
    got = subprocess.run(
        ["unshare", "--mount", *([] if os.geteuid() == 0 else
                                 ["--map-root-user", "--map-auto"]),
         "sh", "-c", script, "sh", TOOL, *args],
        text=True, check=False, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, env={**os.environ, "PATH": path})
    assert "Traceback" not in got.stderr, got.stderr
    assert got.returncode == 2, got
    assert not got.stdout, f"left behind: {got.stdout}"
    return got.stderr


def full_disk_before(t):
    assert "free" in in_tmpfs(t, "100m", command(t))


def sparse_has_room(t):
    """An image larger than the disk, of which little is used."""
    script = (f"mount -t tmpfs -o size=400m tmpfs {outs(t)} || exit 99\n"
              'exec "$@"')
    subprocess.run(
        ["unshare", "--mount", *([] if os.geteuid() == 0 else
                                 ["--map-root-user", "--map-auto"]),
         "sh", "-c", script, "sh", TOOL,
         *command(t, **{"--size": "2G"}), "--sparse", "--quiet",
         "--no-recovery"], check=True)


def full_disk_initramfs(t):
    """There was room when it looked; then the initramfs took it all."""
    tree = system(t.tmp / "filling", hook="cat /dev/zero > /boot/filling")
    said = in_tmpfs(t, "280m", command(t, **{"--from": tree}))
    assert "No space left" in said, said


def full_disk_file_system(t):
    """Then somebody else writes, just before the file system is made."""
    tools = t.tmp / "tools"
    tools.mkdir()
    (tools / "mke2fs").write_text(f"""#!/bin/sh
        cat /dev/zero > {outs(t)}/filling 2> /dev/null
        exec {shutil.which("mke2fs", path="/sbin:/usr/sbin")} "$@"\n""")
    (tools / "mke2fs").chmod(0o755)
    said = in_tmpfs(t, "280m", command(t), path=f"{tools}:{os.environ['PATH']}")
    assert "No space left" in said, said


def heed_signals():
    """Whoever runs the tests may ignore SIGHUP (nohup), which is inherited."""
    for s in ENDING:
        signal.signal(s, signal.SIG_DFL)


def begun(t, name):
    """A build that has come as far as its initramfs and stays there."""
    tree = system(t.tmp / name, hook="echo here; exec sleep 600")
    child = subprocess.Popen([TOOL, *command(t, **{"--from": tree}),
                              "--progress", "plain"], text=True,
                             stderr=subprocess.PIPE, preexec_fn=heed_signals)
    for line in child.stderr:
        if "initramfs" in line:
            break
    time.sleep(1)
    assert child.poll() is None, "it ended early"
    work = [p for p in outs(t).iterdir() if (p / "inner.key").exists()]
    assert work and work[0].stat().st_mode & 0o777 == 0o700, \
        "no private work directory"
    return child


def interrupted(t, number):
    child = begun(t, f"interrupted-{number}")
    child.send_signal(number)
    assert child.wait(60) == 128 + number, child.returncode
    nothing_left(t)


def killed(t):
    child = begun(t, "killed")
    child.kill()
    child.wait()
    assert os.listdir(outs(t)), "nothing to tidy up: the test is no test"
    refused(["unpacking"], *command(t, **{"--from": t.tmp / "key"}))
    nothing_left(t)


def two_at_once(t):
    """A run that works is not taken for one that was killed."""
    child = begun(t, "first")
    refused(["unpacking"], *command(t, **{"--from": t.tmp / "key"}))
    assert os.listdir(outs(t)), "the first one's directory is gone"
    child.terminate()
    child.wait(60)
    nothing_left(t)


def parts(t):
    (t.tmp / "key").write_bytes(b"KEY4" * 10 + b"abcdefghijkl")
    (t.tmp / "empty").mkdir()
    system(t.tmp / "tree")
    for title, args, words in USAGE:
        t.check(title, lambda a=args, w=words:
                refused(w, *(filled(t, x) for x in a)))
    for title, changed, words in BUILDS:
        t.check(title, build_refused, t, changed, words)
    for title, content, words in KEYS:
        t.check(title, key_refused, t, content, words)
    t.check("a fresh copy of a directory", fresh_refused, t)
    t.check("a key with a line end that is meant", newline_taken, t)
    for i, (title, paths, words) in enumerate(LACKING):
        t.check(title, lacking, t, paths, words, f"lacking-{i}")
    t.check("an initramfs without the key file", no_key_inside, t)
    t.check("a system too large for --size", too_large, t)
    t.check("a disk that is full before the build", full_disk_before, t)
    t.check("a sparse image larger than the disk", sparse_has_room, t)
    t.check("a disk that the initramfs fills", full_disk_initramfs, t)
    t.check("a disk that somebody else fills", full_disk_file_system, t)
    for s in ENDING:
        t.check(f"a build that {s.name} ends", interrupted, t, s)
    t.check("what a killed build left, removed by the next", killed, t)
    t.check("two builds at once", two_at_once, t)
