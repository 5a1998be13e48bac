#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Drives a control socket with QEMU's own client library, unmodified.

    PYTHONPATH=.../dist-packages qmp_client.py basics SOCKET
    PYTHONPATH=.../dist-packages qmp_client.py sev SOCKET \
        [--header FILE --secret FILE] [--out FILE] [--cont]

basics: every command of an ordinary VM, events included; ends it with quit.
sev: prints what query-sev and query-sev-launch-measure say (--out: as JSON into
a file), injects a secret whose parts are base64 files, and lets the guest run.
The exit status is 0 if everything was as QEMU has it.
"""

import argparse
import asyncio
import base64
import json

from qemu.qmp import EventListener, QMPClient
from qemu.qmp.qmp_client import ExecuteError

WAIT = 20
STATES = {"uninit", "launch-update", "launch-secret", "running"}


def check(what, ok):
    print(("ok    " if ok else "FAIL  ") + what, flush=True)
    if not ok:
        raise SystemExit(1)


async def refused(qmp, cls, command, arguments=None):
    try:
        await qmp.execute(command, arguments)
    except ExecuteError as error:
        check(f"{command} is refused: {error}", error.error_class == cls)
        return
    check(f"{command} is refused", False)


async def event(listener, name):
    got = await asyncio.wait_for(listener.get(), WAIT)
    check(f"event {name}", got["event"] == name)
    stamp = got["timestamp"]
    check("  with a time", stamp["seconds"] > 1600000000 and
          0 <= stamp["microseconds"] < 1000000)
    return got


async def basics(qmp, args):
    listener = EventListener()
    qmp.register_listener(listener)
    version = await qmp.execute("query-version")
    check("greeting and query-version agree",
          qmp.greeting.QMP.version == version)
    names = {c["name"] for c in await qmp.execute("query-commands")}
    check("query-commands", {"stop", "cont", "quit", "query-status",
                             "system_powerdown", "system_reset"} <= names)
    for cpu in await qmp.execute("query-cpus-fast"):
        check(f"vCPU {cpu['cpu-index']}", cpu["target"] == "x86_64" and
              cpu["thread-id"] > 0)
    await refused(qmp, "CommandNotFound", "no-such-command")
    await refused(qmp, "CommandNotFound", "qmp_capabilities")
    await refused(qmp, "GenericError", "query-status", {"bogus": 1})
    status = await qmp.execute("query-status")
    if status["running"]:
        check("stop", await qmp.execute("stop") == {})
        await event(listener, "STOP")
    check("cont", await qmp.execute("cont") == {})
    await event(listener, "RESUME")
    status = await qmp.execute("query-status")
    check("running", status == {"status": "running", "running": True})
    check("stop", await qmp.execute("stop") == {})
    await event(listener, "STOP")
    status = await qmp.execute("query-status")
    check("paused", status == {"status": "paused", "running": False})
    check("quit", await qmp.execute("quit") == {})
    data = (await event(listener, "SHUTDOWN"))["data"]
    check("  by the host", data == {"guest": False,
                                    "reason": "host-qmp-quit"})


async def inject(qmp, args):
    with open(args.header, encoding="ascii") as file:
        header = file.read().strip()
    with open(args.secret, encoding="ascii") as file:
        secret = file.read().strip()
    await refused(qmp, "GenericError", "sev-inject-launch-secret",
                  {"packet-header": header})
    await refused(qmp, "GenericError", "sev-inject-launch-secret",
                  {"packet-header": header[:-4], "secret": secret})
    await refused(qmp, "GenericError", "sev-inject-launch-secret",
                  {"packet-header": header, "secret": secret, "gpa": 1})
    await refused(qmp, "GenericError", "sev-inject-launch-secret",
                  {"packet-header": header, "secret": secret,
                   "gpa": 1 << 60})
    check("sev-inject-launch-secret", await qmp.execute(
        "sev-inject-launch-secret",
        {"packet-header": header, "secret": secret}) == {})


async def sev(qmp, args):
    info = await qmp.execute("query-sev")
    check("query-sev", info["enabled"] and info["state"] in STATES)
    measure = await qmp.execute("query-sev-launch-measure")
    check("query-sev-launch-measure",
          len(base64.b64decode(measure["data"], validate=True)) == 48)
    caps = await qmp.execute("query-sev-capabilities")
    check("query-sev-capabilities", caps["cbitpos"] > 0 and
          len(base64.b64decode(caps["pdh"], validate=True)) == 2084 and
          len(base64.b64decode(caps["cert-chain"], validate=True)) == 6252)
    await refused(qmp, "GenericError", "query-sev-attestation-report",
                  {"mnonce": "AAAA"})
    if args.out:
        with open(args.out, "w", encoding="ascii") as file:
            json.dump({**info, **measure}, file)
    if args.header:
        await inject(qmp, args)
    if args.cont:
        await qmp.execute("cont")
        status = await qmp.execute("query-status")
        check("running", status["running"])
        info = await qmp.execute("query-sev")
        check("SEV state running", info["state"] == "running")
        if args.header:
            await refused(qmp, "GenericError", "sev-inject-launch-secret",
                          {"packet-header": "AAAA", "secret": "AAAA"})


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["basics", "sev"])
    parser.add_argument("socket")
    parser.add_argument("--header", help="packet header, base64")
    parser.add_argument("--secret", help="secret, base64")
    parser.add_argument("--out", help="where to write the answers")
    parser.add_argument("--cont", action="store_true")
    args = parser.parse_args()
    qmp = QMPClient("carrel")
    await asyncio.wait_for(qmp.connect(args.socket), WAIT)
    await asyncio.wait_for({"basics": basics, "sev": sev}[args.what](
        qmp, args), 3 * WAIT)
    try:
        await qmp.disconnect()
    except EOFError:
        check("the VM has ended", args.what == "basics")


asyncio.run(main())
