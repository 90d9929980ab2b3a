# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault proxy: microburst between the client and the lab, which hits one chosen call, and can kill who made it.

`python -m tests.faults.proxy FOLDER` listens on a free port of 127.0.0.1, writes it to `FOLDER/proxy`, and forwards to
the URL in `FOLDER/lab/endpoint` once that file exists. `POST /_microburst/plan` chooses the next fault and answers
with the calls since the one before.
"""

from __future__ import annotations

import asyncio
import os
import pathlib
import signal
import socket
import sys
from typing import Any

from aiohttp import web
from microburst.app import make_app
from microburst.core.pipeline import Microburst
from microburst.detection import host
from microburst.rules import RuleEngine

from tests.lab import state

from .matrix import KILLED_AFTER, KILLED_BEFORE

#: Longer than the client waits for an answer.
HOLD = 1500  # milliseconds
_DENIED = "User: arn:aws:iam::111111111111:user/administrator is not authorized to perform this action"


def _error(code: str, status: int, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "status": status, "message": message}}


#: The action of microburst on the chosen call.
RULES: dict[str, dict[str, Any]] = {
    "reply cut": {"response": {"abort_frac": 0.5}},
    "reset": {"reset": True},
    "timeout": {"timeout_ms": HOLD},
    "500": _error("InternalFailure", 500, "The request processing has failed because of an unknown error."),
    "ThrottlingException": _error("ThrottlingException", 400, "Rate exceeded"),
    "Throttling": _error("Throttling", 400, "Rate exceeded"),
    "AccessDenied once": _error("AccessDenied", 403, _DENIED),
    "expired token": _error("ExpiredToken", 403, "The security token included in the request is expired"),
}
RULES[KILLED_BEFORE] = RULES["reset"]


class Plan(RuleEngine):
    """Which call is hit by what, and who is killed. microburst asks it what to do with each call."""

    def __init__(self) -> None:
        super().__init__()
        self.choose(0, "", 0)

    def choose(self, at: int, fault: str, victim: int) -> None:
        self.calls: list[str] = []
        self.at, self.fault, self.victim, self.hit = at, fault, victim, ""
        #: The process that is killed after this task.
        self.doomed: asyncio.Task[Any] | None = None
        self.set_rules([] if fault in ("", KILLED_AFTER) else [{**RULES[fault], "times": 1}])

    def decide(self, info: Any) -> Any:
        name = f"{info.service}:{info.operation}" if info.operation else f"{info.method} {info.path}"
        self.calls.append(name)
        if len(self.calls) != self.at:
            return None
        self.hit = name
        if self.fault == KILLED_BEFORE:
            send_signal(self.victim, signal.SIGKILL)
        if self.fault == KILLED_AFTER:
            # Stopped, it cannot go on before it is killed; the server has answered by then.
            send_signal(self.victim, signal.SIGSTOP)
            self.doomed = asyncio.current_task()
        return super().decide(info)


class FaultProxy(Microburst):
    """microburst with a plan."""

    def __init__(self, folder: pathlib.Path) -> None:
        super().__init__("http://127.0.0.1:9")
        self.folder, self.plan = folder, Plan()
        self.engine = self.plan

    async def handle_control(self, request: Any) -> Any:
        if request.match_info["tail"] != "plan":
            return await super().handle_control(request)
        self.upstream.base_url = (self.folder / "lab" / state.ENDPOINT).read_text()
        answer = {"calls": self.plan.calls, "hit": self.plan.hit}
        self.plan.choose(**await request.json())
        return web.json_response(answer)

    async def handle_proxy(self, request: Any) -> Any:
        try:
            return await super().handle_proxy(request)
        finally:
            if self.plan.doomed is asyncio.current_task():
                send_signal(self.plan.victim, signal.SIGKILL)


def send_signal(pid: int, number: int) -> None:
    """Send a signal to a process and all that it started, the youngest last."""
    parents: dict[int, list[int]] = {}
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    family = [pid]
    for address in family:
        family += parents.get(address, [])
    for item in family:
        try:
            os.kill(item, number)
        except ProcessLookupError:
            continue


async def serve(proxy: Microburst, folder: pathlib.Path) -> None:
    """Serve until SIGTERM, on a free port that is written to `FOLDER/proxy`."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    runner = web.AppRunner(make_app(proxy), access_log=None)
    await runner.setup()
    await web.SockSite(runner, listener).start()
    (folder / "proxy.new").write_text(f"127.0.0.1:{listener.getsockname()[1]}")
    (folder / "proxy.new").rename(folder / "proxy")
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    # Held requests are not completed.
    os._exit(0)


if __name__ == "__main__":
    host._endpoint_prefix_map = dict  # the names of AWS's hosts, for which it reads the models of all services
    FOLDER = pathlib.Path(sys.argv[1])
    asyncio.run(serve(FaultProxy(FOLDER), FOLDER))
