# SPDX-License-Identifier: Apache-2.0
"""passt as a VM's peer, in a namespace that has a way out and names."""
from e2e.net import Space, wait_for

GATEWAY, ADDRESS, NAME = "10.7.0.1", "10.7.0.2", "here.test"


def outside(t):
    """A namespace with a way out that leads nowhere, and names."""
    space = Space(t)
    space.tap("up0", address=ADDRESS)
    space.do("ip", "route", "add", "default", "via", GATEWAY)
    space.start("dnsmasq", "dnsmasq", "-k", "-C", "/dev/null", "--no-resolv",
                "--no-hosts", "--user=", "--group=", "--pid-file=",
                "--bind-interfaces", "--listen-address=127.0.0.1",
                f"--address=/{NAME}/10.9.8.7")
    return space


def passt(space, t, name="passt", path=None, once=True):
    """The program and its socket; it takes one client at a time and, if once,
    ends with it."""
    path = path or t.tmp / f"{name}.sock"
    p = space.start(name, "passt", "-f", *(["-1"] if once else []),
                    "-s", path, "-D", GATEWAY, "-t", "none", "-u", "none")
    wait_for(path.exists, "passt's socket")
    return p, path
