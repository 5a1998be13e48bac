# SPDX-License-Identifier: Apache-2.0
"""A client of the control socket that misbehaves harms only itself."""
import json
import socket
import stat
import time

from e2e.qmp import Closed, Qmp, Raw

SECONDS = 25


def error_of(raw):
    reply = raw.line(20)
    assert "error" in reply, f"no error: {reply}"
    return reply["error"]


def before_negotiation(vm):
    raw = vm.connect(Raw)
    assert "QMP" in raw.line(20)
    raw.send(b'{"execute":"query-status"}\n')
    assert error_of(raw)["class"] == "CommandNotFound"


def not_json(vm):
    raw = vm.connect(Raw)
    raw.line(20)
    raw.send(b"quit please\n")
    assert error_of(raw)["class"] == "GenericError"
    raw.send(b'{"execute":"qmp_capabilities","id":[1,{"a":null}]}\n')
    while True:
        reply = raw.line(20)
        if "return" in reply:
            assert reply["id"] == [1, {"a": None}], reply
            break


def survives(vm, data):
    """The server answers with errors or hangs up, and serves others."""
    raw = vm.connect(Raw)
    raw.line(20)
    try:
        raw.send(data)
        raw.line(20)
    except (Closed, TimeoutError, ConnectionError):
        pass
    raw.close()


def stalled(vm):
    """Asks without reading until the server has had enough of it."""
    raw = vm.connect(Raw)
    raw.line(20)
    raw.send(b'{"execute":"qmp_capabilities"}\n')
    raw.sock.settimeout(2)
    try:
        for _ in range(20000):
            raw.send(b'{"execute":"query-commands"}\n')
    except (TimeoutError, ConnectionError):
        pass
    raw.close()


def crowd(vm):
    """More clients than are served: the others wait, none disturbs."""
    clients = []
    for _ in range(40):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(5)
        try:
            s.connect(str(vm.control))
        except (TimeoutError, BlockingIOError, ConnectionError):
            s.close()
            break
        clients.append(s)
    for s in clients:
        s.close()
    time.sleep(0.2)


def run(t):
    vm = t.carrel("--paused", firmware=t.plain_firmware)
    other = vm.connect(Qmp)
    mode = stat.S_IMODE(vm.control.stat().st_mode)
    assert mode == 0o600, f"the socket's mode is {mode:o}"
    before_negotiation(vm)
    not_json(vm)
    deep = b'{"a":' * 5000 + b"1" + b"}" * 5000
    for data in (b"[" * 100000, deep + b"\n", b'{"execute":"' + b"x" * (1 << 20),
                 b"\xff\xfe\x00" * 1000, b'{"execute":"stop","arguments":[]}\n',
                 b'{"execute":1}\n', b'"' + b"\\" * 70000 + b"\n", b"\n" * 5000,
                 json.dumps({"execute": "qmp_capabilities",
                             "arguments": {"enable": ["oob"]}}).encode()):
        survives(vm, data)
    stalled(vm)
    crowd(vm)
    assert other.command("query-status")["status"] == "prelaunch"
    assert other.command("x-carrel-counters")["vcpus"][0]["exits"] == 0
    other.command("quit")
    assert vm.wait() == 0
    assert not vm.control.exists(), "the socket was left behind"
