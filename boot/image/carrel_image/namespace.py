# SPDX-License-Identifier: Apache-2.0
"""A system's files belong to many users. Root can make them; for everybody
else a user namespace with a range of subordinate ids does it (subuid(5))."""
import os
import sys

from . import command

AGAIN = "CARREL_IMAGE_MAPPED"


def become_root():
    """Returns as root, if need be in a new namespace and a new process."""
    if os.geteuid() == 0 or AGAIN in os.environ:
        return
    command.need("unshare", "newuidmap")
    os.environ["PATH"] = command.search_path()
    os.environ[AGAIN] = "1"
    os.execvp("unshare", ["unshare", "--map-root-user", "--map-auto",
                          "--mount", sys.executable, *sys.argv])
