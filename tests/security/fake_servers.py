# SPDX-License-Identifier: GPL-3.0-or-later
"""The fake servers of the boundary tests."""

from __future__ import annotations

from contextlib import ExitStack

from tests.support.registry import Server
from tests.support.serving import serving

from .hostile_aws import HostileAws


class FakeServers:
    """The servers of a test: AWS, a registry, and a host that must not receive credentials."""

    def __init__(self, stack: ExitStack) -> None:
        self.aws, self.registry, self.other = HostileAws(), Server(), Server()
        for server in (self.aws, self.registry, self.other):
            stack.enter_context(serving(server))

    def clear(self) -> None:
        self.aws.answers, self.aws.refused, self.aws.calls = {}, set(), []
        for server in (self.registry, self.other):
            server.answers, server.requests = {}, []
