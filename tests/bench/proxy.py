"""microburst between the client and the lab, for its latency: `python -m tests.bench.proxy FOLDER`.

It listens on a free port of 127.0.0.1, writes it to `FOLDER/proxy`, and forwards to the URL in `FOLDER/lab/endpoint`
from the first time on that its rules are set, by `POST /_microburst/rules`.
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

from tests.lab import state


class Proxy(Microburst):
    """microburst, which learns where the lab is when it is told what to do."""

    def __init__(self, folder: pathlib.Path) -> None:
        super().__init__("http://127.0.0.1:9", fired_capacity=1)
        self.folder = folder

    async def handle_control(self, request: Any) -> Any:
        self.upstream.base_url = (self.folder / "lab" / state.ENDPOINT).read_text()
        return await super().handle_control(request)


async def serve(folder: pathlib.Path) -> None:
    """Serve until SIGTERM."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    runner = web.AppRunner(make_app(Proxy(folder)), access_log=None)
    await runner.setup()
    await web.SockSite(runner, listener).start()
    (folder / "proxy.new").write_text(f"127.0.0.1:{listener.getsockname()[1]}")
    (folder / "proxy.new").rename(folder / "proxy")
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    os._exit(0)  # what is still held is not waited for


if __name__ == "__main__":
    asyncio.run(serve(pathlib.Path(sys.argv[1])))
