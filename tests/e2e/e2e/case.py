# SPDX-License-Identifier: Apache-2.0
"""A case: a Python file whose docstring is its title and whose run(t) raises
AssertionError when something is wrong. t is a Case."""
import contextlib
import importlib.util
import os
import pathlib
import re
import shutil
import tempfile
import traceback

from e2e.owner import Owner
from e2e.vm import Program, Vm

CMDLINE = "console=ttyS0 quiet panic=-1"


class Skip(Exception):
    pass


class Case:
    # Seconds that anything may take before it has failed.
    patience = int(os.environ.get("E2E_PATIENCE", "240"))

    def __init__(self, path, build, artefacts):
        self.name, self.path = path.stem, path
        self.build = build
        self.artefacts = artefacts
        self.dir = build / "e2e" / self.name      # kept
        self.tmp = None                           # gone at the end
        self.within = []    # what VMs are started with: see net.Space
        self.programs = []

    # What a case starts from.

    def __getattr__(self, name):
        """t.firmware, t.kernel, t.initrd, ...: paths of the artefacts."""
        if name.upper() in self.artefacts:
            return pathlib.Path(self.artefacts[name.upper()])
        raise AttributeError(name)

    def program(self, name):
        return self.build / name

    def disk(self, name="disk", size=4 << 20):
        """A raw image of random bytes."""
        path = self.tmp / name
        path.write_bytes(os.urandom(size))
        return path

    def owner(self, **kw):
        return Owner(self, **kw)

    def start(self, name, argv):
        self.programs.append(Program(self, name, argv))
        return self.programs[-1]

    def handed_over(self, style, kernel, initrd, cmdline):
        """The arguments for a kernel that the VMM hands over: the test
        guest's, another, or with kernel=False none."""
        if kernel is False:
            return []
        names = {"carrel": ("--kernel", "--initrd", "--cmdline"),
                 "qemu": ("-kernel", "-initrd", "-append")}[style]
        return [names[0], kernel or self.kernel,
                names[1], initrd or self.initrd,
                names[2], f"{CMDLINE} {cmdline}".strip()]

    def run_vm(self, name, argv, emulated, serial, control):
        if emulated:
            argv = [self.program("carrel-emu"), *argv]
        argv = [*self.within, *argv]
        self.programs.append(Vm(self, name, argv, serial, control))
        return self.programs[-1]

    def direct(self, *args, kernel=None, initrd=None, **kw):
        """carrel run of a kernel by itself, without firmware."""
        return self.carrel(*args, kernel=kernel, initrd=initrd,
                           firmware=False, **kw)

    def carrel(self, *args, name="carrel", emulated=False, kernel=None,
               cmdline="", firmware=None, initrd=None, memory="256M",
               typing=False):
        """carrel run with a console, a firmware log and a control socket;
        with typing the console takes input, too. firmware=False: none."""
        serial = self.dir / f"{name}.console"
        control = self.tmp / f"{name}.sock"
        wire = self.tmp / f"{name}.serial"
        boot = [] if firmware is False else [
            "--firmware", firmware or self.firmware,
            "--debugcon", f"file={self.dir / name}.firmware"]
        argv = [self.program("carrel"), "run", *boot,
                *self.handed_over("carrel", kernel, initrd, cmdline),
                "--memory", memory, "--serial",
                f"socket={wire}" if typing else f"file={serial}",
                "--control", control, *args]
        vm = self.run_vm(name, argv, emulated, serial, control)
        if typing:
            vm.attach(wire)
        return vm

    def qemu(self, *args, name="qemu", kernel=None, cmdline="", initrd=None,
             memory="256M", machine="", firmware=None, emulated=True,
             typing=False):
        """The same guest under QEMU, with an emulated secure processor."""
        serial = self.dir / f"{name}.console"
        control = self.tmp / f"{name}.sock"
        wire = self.tmp / f"{name}.serial"
        argv = ["qemu-system-x86_64",
                "-machine", f"q35,accel=kvm{machine}", "-cpu", "host",
                "-m", memory, "-nodefaults", "-no-user-config",
                "-display", "none", "-bios", firmware or self.firmware,
                *self.handed_over("qemu", kernel, initrd, cmdline),
                "-serial", f"unix:{wire},server=on,wait=off" if typing
                else f"file:{serial}",
                "-qmp", f"unix:{control},server,nowait", *args]
        vm = self.run_vm(name, argv, emulated, serial, control)
        if typing:
            vm.attach(wire)
        return vm

    # What a case says.

    def note(self, text):
        for line in str(text).splitlines():
            print(f"# {line}", flush=True)

    def skip(self, why):
        raise Skip(why)

    def check(self, title, fn, *args):
        """One of several checks of a case, counted on its own."""
        return self._report(f"{self.name}: {title}", lambda: fn(*args))

    def _report(self, title, fn):
        try:
            fn()
        except Skip as why:
            print(f"ok - {title} # SKIP {why}", flush=True)
        except Exception as why:     # pylint: disable=broad-except
            print(f"not ok - {title}", flush=True)
            self.note(f"{type(why).__name__}: {why}")
            self.note(where(why))
            self._tails()
            return False
        else:
            print(f"ok - {title}", flush=True)
        finally:
            self._stop_all()
        return True

    def _tails(self):
        """The end of what every program of the part said."""
        for p in self.programs:
            self.note(f"{p.name}: {p.err_path}")
            self.note("\n".join(p.messages().splitlines()[-10:]))
            if isinstance(p, Vm):
                self.note("console:")
                self.note("\n".join(p.console().splitlines()[-10:]))

    def _stop_all(self):
        for p in self.programs:
            p.kill()
        self.programs, self.within = [], []

    @contextlib.contextmanager
    def workspace(self):
        """Its directories and, at the end, no program and no file of it but
        what is in dir."""
        shutil.rmtree(self.dir, ignore_errors=True)
        self.dir.mkdir(parents=True)
        self.tmp = pathlib.Path(tempfile.mkdtemp(prefix="carrel-e2e-"))
        try:
            yield
        finally:
            self._stop_all()
            shutil.rmtree(self.tmp, ignore_errors=True)

    def run(self):
        """Runs the file; prints TAP."""
        with self.workspace():
            try:
                module = load(self.path)
                if hasattr(module, "parts"):
                    module.parts(self)
                else:
                    self._report(f"{self.name}: {title_of(self.path)}",
                                 lambda: module.run(self))
            except Exception as why:     # pylint: disable=broad-except
                print(f"not ok - {self.name}: {title_of(self.path)}",
                      flush=True)
                self.note(f"{type(why).__name__}: {why}")
                self.note(where(why))


def load(path):
    spec = importlib.util.spec_from_file_location(
        re.sub(r"\W", "_", path.stem), path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def where(why):
    """The lines of cases and helpers that led there, innermost last."""
    return "\n".join(
        f"  {pathlib.Path(f.filename).name}:{f.lineno}: {f.line}"
        for f in traceback.extract_tb(why.__traceback__)
        if "/e2e/" in f.filename and "lambda" not in f.line)


def title_of(path):
    """The first line of a case's docstring, without its full stop."""
    m = re.search(r'^"""(.+?)\.?(?:"""|$)', path.read_text(encoding="utf-8"),
                  re.M)
    return m[1] if m else path.stem


def setting_of(path, name, default):
    """NAME = value at the start of a line of a case."""
    m = re.search(rf"^{name} = (.+)$", path.read_text(encoding="utf-8"), re.M)
    return m[1].strip('"') if m else default
