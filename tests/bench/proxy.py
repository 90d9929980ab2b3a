# SPDX-License-Identifier: GPL-3.0-or-later
"""microburst between the client and the lab, for its latency: `python -m tests.bench.proxy FOLDER`.

It listens on a free port of 127.0.0.1, writes it to `FOLDER/proxy`, and forwards to the URL in `FOLDER/lab/endpoint`
from the first time on that its rules are set, by `POST /_microburst/rules`.
"""

from __future__ import annotations

import asyncio
import pathlib
import sys
from typing import Any

from microburst.core.pipeline import Microburst

from tests.faults.proxy import serve
from tests.lab import state


class Proxy(Microburst):
    """microburst, which receives the address of the lab with its first command."""

    def __init__(self, folder: pathlib.Path) -> None:
        super().__init__("http://127.0.0.1:9", fired_capacity=1)
        self.folder = folder

    async def handle_control(self, request: Any) -> Any:
        self.upstream.base_url = (self.folder / "lab" / state.ENDPOINT).read_text()
        return await super().handle_control(request)


if __name__ == "__main__":
    FOLDER = pathlib.Path(sys.argv[1])
    asyncio.run(serve(Proxy(FOLDER), FOLDER))
