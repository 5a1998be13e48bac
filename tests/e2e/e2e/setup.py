# SPDX-License-Identifier: Apache-2.0
"""What both the cases and the demo start from, made on the machine itself."""
import os
import pathlib
import socket
import subprocess

e2e = pathlib.Path(__file__).resolve().parent.parent


def artefacts_of(build, kind="all"):
    """NAME=PATH lines: tests/e2e/artefacts KIND, and the emulated platform that
    all share. Its first start makes its keys: here, where that is quick."""
    text = subprocess.run([e2e / "artefacts", kind], check=True, text=True,
                          stdout=subprocess.PIPE).stdout.strip()
    identity = build / "e2e" / "identity"
    if not (identity / "pdh.cert").exists():
        identity.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            [build / "carrel-emu", build / "carrel-sev", "export", "--force",
             "--out", build / "e2e" / "export"], check=True,
            env={**os.environ, "CARREL_EMU_IDENTITY": str(identity)},
            stdout=subprocess.DEVNULL)
    return f"{text}\nIDENTITY={identity}"


def roots_of(kinds):
    """More such lines, of the systems that cases say they want (SYSTEM)."""
    return "".join("\n" + subprocess.run(
        [e2e / "roots", kind], check=True, text=True,
        stdout=subprocess.PIPE).stdout.strip() for kind in sorted(kinds))


def lab_command(build, name, seconds, argv, monitor=""):
    """argv where /dev/kvm is, with the build directory written through."""
    return [str(e2e.parent / "lab" / "lab"), "run", "--share", str(build),
            "--log", str(build / "logs" / f"lab-{name}.log"), "--mem", "5120",
            "--monitor", monitor, "--time", str(seconds), "--", *argv]


def ask_monitor(monitor, command, seconds=5):
    """What a lab's QEMU says of itself; nothing if it does not."""
    said = b""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(seconds)
        try:
            s.connect(monitor)
            s.sendall(command.encode() + b"\n")
            while part := s.recv(1 << 16):
                said += part
        except OSError:
            pass
    return said.decode("ascii", "replace").replace("\r", "")


def copy_disk(build, name, image):
    """A disk that a guest may write to: the lab sees it through the build
    directory, where a copy made by the lab itself would take longer."""
    to = build / "e2e" / "disks" / f"{name}.img"
    to.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "--sparse=always", image, to], check=True)
