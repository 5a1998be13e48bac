# SPDX-License-Identifier: Apache-2.0
"""The test guest's shell, carrel.test=shell, on a VM's console."""


class Shell:
    def __init__(self, vm, boots=1):
        """boots: how often the VM has been started or reset by now."""
        self.vm, self.n = vm, 0
        vm.qmp()
        m = vm.expect("carrel-guest: ready: shell", count=boots)
        self.start = m.end()
        self.do(":")    # its terminal may have echoed what came first

    def done(self):
        """How many commands of other shells the console shows already."""
        return self.vm.console()[:self.start].count("carrel-guest: done:")

    def do(self, command, timeout=None, status=0):
        """Its output; fails unless it ends with status."""
        said = len(self.vm.console())
        self.vm.type(command + "\n")
        self.n += 1
        m = self.vm.expect(r"carrel-guest: done: (\d+)", timeout,
                           self.done() + self.n)
        out = self.vm.console()[said:m.start()].replace("\r", "")
        assert status is None or int(m[1]) == status, \
            f"{command}: {m[1]}: {out}"
        return out

    def type(self, command):
        """One after which the guest is not expected to answer."""
        self.vm.type(command + "\n")
