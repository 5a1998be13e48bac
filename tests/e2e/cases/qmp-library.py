# SPDX-License-Identifier: Apache-2.0
"""QEMU's own client library, qemu.qmp, works against the control socket."""
import asyncio
import pathlib
import sys

from e2e.vm import run as run_tool

SECONDS = 15
INTERFACE = pathlib.Path(__file__).parents[2] / "interface"


async def talk(path):
    # pylint: disable=import-error,import-outside-toplevel
    from qemu.qmp import ExecuteError, QMPClient

    client = QMPClient("carrel")
    await client.connect(path)
    try:
        status = await client.execute("query-status")
        assert status == {"status": "prelaunch", "running": False}, status
        version = await client.execute("query-version")
        assert version["package"].startswith("carrel "), version
        names = {c["name"] for c in await client.execute("query-commands")}
        # What lint looks for in the documents is all that there is.
        got, listed = run_tool([INTERFACE, "commands"])
        assert got == 0 and names == set(listed.split()), f"{names}: {listed}"
        cpus = await client.execute("query-cpus-fast")
        assert [c["cpu-index"] for c in cpus] == [0, 1], cpus
        try:
            await client.execute("no-such-command")
        except ExecuteError as why:
            assert why.error_class == "CommandNotFound", why
        else:
            raise AssertionError("an unknown command was taken")
        with client.listener("SHUTDOWN") as events:
            await client.execute("quit")
            event = await asyncio.wait_for(events.get(), 20)
            assert event["data"] == {"guest": False,
                                     "reason": "host-qmp-quit"}, event
    finally:
        try:
            await client.disconnect()
        except EOFError:
            pass    # the library's way to say that the VM hung up first


def run(t):
    sys.path.insert(0, str(t.qmp))
    vm = t.carrel("--paused", "--cpus", 2, firmware=t.plain_firmware)
    vm.qmp().close()
    asyncio.run(talk(str(vm.control)))
    assert vm.wait() == 0
