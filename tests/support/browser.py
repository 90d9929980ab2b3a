# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian's headless Chromium, driven by the DevTools protocol through a pipe."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import pathlib
import select
import subprocess
import tempfile
import time
from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]
PATIENCE = 120  # seconds


class Page:
    """A tab of the browser, with everything that it reported."""

    def __init__(self, browser: Browser, session: str) -> None:
        self._browser, self._session = browser, session
        #: The URLs that the page requested, the messages of its console, and the violations of its policy.
        self.requests: list[str] = []
        self.messages: list[str] = []

    def send(self, method: str, **parameters: object) -> Json:
        return self._browser.send(method, parameters, self._session)

    def open(self, path: pathlib.Path, width: int, script: bool = True, height: int = 900) -> None:
        """Load a file and wait until it is loaded."""
        for domain in ("Page", "Network", "Runtime", "Log", "Audits"):
            self.send(f"{domain}.enable")
        self.send("Emulation.setScriptExecutionDisabled", value=not script)
        mobile: Json = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.send("Emulation.setDeviceMetricsOverride", **mobile)
        self.send("Page.navigate", url=path.as_uri())
        self._browser.wait_for("Page.loadEventFired", self._session)

    def run(self, expression: str) -> Any:
        """The value of a JavaScript expression; a promise is awaited."""
        done = self.send("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    def press(self, key: str) -> None:
        codes = {"Tab": 9, "Enter": 13, "Escape": 27, "ArrowRight": 39, "ArrowDown": 40}
        for kind in ("keyDown", "keyUp"):
            text: Json = {"text": "\r"} if key == "Enter" and kind == "keyDown" else {}
            self.send("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=codes[key], **text)

    def media(self, kind: str = "", scheme: str = "light") -> None:
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.send("Emulation.setEmulatedMedia", media=kind, features=features)

    def picture(self, path: pathlib.Path, whole: bool = False) -> None:
        shot = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(shot["data"]))

    def note(self, method: str, parameters: Json) -> None:
        """Keep what the page reports."""
        if method == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.messages.append(json.dumps(parameters["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled":
            self.messages.append(json.dumps(parameters["args"]))
        elif method == "Log.entryAdded":
            self.messages.append(parameters["entry"]["text"])
        elif method == "Audits.issueAdded":
            self.messages.append(json.dumps(parameters["issue"]))
        elif method == "Page.javascriptDialogOpening":
            self.messages.append(f"dialog: {parameters['message']}")


class Browser:
    """A running browser. Messages end with a null byte."""

    def __init__(self, reads: int, writes: int) -> None:
        self._reads, self._writes = reads, writes
        self._buffer, self._number = b"", 0
        self._events: list[Json] = []
        self._pages: dict[str, Page] = {}

    def page(self) -> Page:
        target = self.send("Target.createTarget", {"url": "about:blank"})["targetId"]
        session = self.send("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        self._pages[session] = Page(self, session)
        return self._pages[session]

    def send(self, method: str, parameters: Json, session: str = "") -> Json:
        self._number += 1
        message: Json = {"id": self._number, "method": method, "params": parameters}
        data = json.dumps({**message, **({"sessionId": session} if session else {})}).encode() + b"\0"
        while data:
            data = data[os.write(self._writes, data) :]
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, (method, answer)
                return answer["result"]

    def wait_for(self, method: str, session: str) -> None:
        def arrived(event: Json) -> bool:
            return event.get("method") == method and event.get("sessionId") == session

        while not any(arrived(event) for event in self._events):
            self._next()
        self._events = [event for event in self._events if not arrived(event)]

    def _next(self) -> Json:
        deadline = time.monotonic() + PATIENCE
        while b"\0" not in self._buffer:
            ready, _writable, _failed = select.select([self._reads], [], [], max(0, deadline - time.monotonic()))
            data = os.read(self._reads, 1 << 20) if ready else b""
            assert data, "Chromium did not answer."
            self._buffer += data
        line, _end, self._buffer = self._buffer.partition(b"\0")
        message: Json = json.loads(line)
        if "method" in message:
            self._events.append(message)
            if message.get("sessionId") in self._pages:
                self._pages[message["sessionId"]].note(message["method"], message["params"])
        return message


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """A browser with a profile of its own, without a network."""
    to_browser, from_browser = os.pipe(), os.pipe()

    def connect() -> None:
        # Chromium reads from descriptor 3 and writes to descriptor 4.
        reads, writes = os.dup(to_browser[0]), os.dup(from_browser[1])
        os.dup2(reads, 3)
        os.dup2(writes, 4)

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [
            *("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
            *("--remote-debugging-pipe", f"--user-data-dir={profile}", "--no-first-run", "--hide-scrollbars"),
            *("--disable-background-networking", "--host-resolver-rules=MAP * ~NOTFOUND", "about:blank"),
        ]
        environment = {**os.environ, "HOME": profile}
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            close_fds=False,
            preexec_fn=connect,
            env=environment,
        )
        os.close(to_browser[0])
        os.close(from_browser[1])
        try:
            yield Browser(from_browser[0], to_browser[1])
        finally:
            process.terminate()
            process.wait(PATIENCE)
            os.close(to_browser[1])
            os.close(from_browser[0])
