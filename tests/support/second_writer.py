# SPDX-License-Identifier: GPL-3.0-or-later
"""Another program that acts between two requests of a module, through a proxy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from tests.support.forwarding import ForwardingProxy, Request
from tests.support.lab import Lab


class SecondWriter(ForwardingProxy):
    """Acts before certain requests of the client.

    :param actions: called before a request: the operation of AWS and its number, from 1
    """

    def __init__(self, lab: Lab, actions: dict[tuple[str, int], Callable[[], object]]) -> None:
        super().__init__(lab.endpoint)
        self.actions, self.calls = dict(actions), Counter[str]()

    def on_request(self, request: Request) -> None:
        self.calls[request.call] += 1
        action = self.actions.pop((request.call, self.calls[request.call]), None)
        if action:
            action()
