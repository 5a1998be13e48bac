# SPDX-License-Identifier: Apache-2.0
"""QEMU's own client library, qemu.qmp, works against the control socket."""
import asyncio
import sys

SECONDS = 15


async def talk(path):
    # pylint: disable=import-error,import-outside-toplevel
    from qemu.qmp import ExecuteError, QMPClient

    client = QMPClient("carrel")
    await client.connect(path)
    try:
        status = await client.execute("query-status")
        assert status == {"status": "prelaunch", "running": False}, status
        names = {c["name"] for c in await client.execute("query-commands")}
        assert {"qmp_capabilities", "query-version", "query-commands",
                "query-status", "query-cpus-fast", "stop", "cont", "quit",
                "system_powerdown", "system_reset", "query-sev",
                "query-sev-capabilities", "query-sev-launch-measure",
                "sev-inject-launch-secret",
                "query-sev-attestation-report"} <= names, names
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
