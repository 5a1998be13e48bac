# SPDX-License-Identifier: Apache-2.0
"""Debian's kernels by themselves: this release's, the cloud's, the newest."""
from e2e.launch import check_disk, check_end, one, ready

SECONDS = 80
KERNELS = True


def boots(t, prefix):
    disk = t.disk()
    vm = t.direct("--cpus", 2, "--disk", f"path={disk},readonly",
                  kernel=getattr(t, prefix + "kernel"),
                  initrd=getattr(t, prefix + "initrd"))
    facts = ready(vm)
    t.note(one(facts, "kernel"))
    assert one(facts, "cpus") == "2", facts["cpus"]
    assert "error" not in facts, facts["error"]
    check_disk(facts, disk, readonly=1)
    check_end(vm)


def parts(t):
    t.check("this release's", boots, t, "stock_")
    t.check("this release's for clouds", boots, t, "old_cloud_")
    t.check("the recent one for clouds", boots, t, "cloud_")
    t.check("the newest", boots, t, "new_")
