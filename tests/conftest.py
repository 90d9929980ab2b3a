# SPDX-License-Identifier: GPL-3.0-or-later
"""Shared by all tests: a lab of its own, engines of its own, and ways to run the collection."""

from __future__ import annotations

import os
import pathlib
import signal
from collections.abc import Callable, Iterator

import pytest

from tests.support.lab import Lab, lab_starter, stop_lab

if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
    # Under nohup. The tests and the programs that they start handle SIGHUP; this process still survives it.
    signal.signal(signal.SIGHUP, lambda _number, _frame: None)

LONGEST = (
    "test_matrix",
    "test_secrets",
    "test_interrupts",
    "test_engines",
    "test_estates",
    "test_permissions",
    "test_scenario",
    "test_pages",
    "test_registry_token",
    "test_concurrency",
    "test_credential_helper",
    "test_consumer_roles",
    "test_content",
    "test_pull",
    "test_live_suite",
    "test_proof",
    "test_artifact",
    "test_consumer_roles_of_others",
    "test_share",
    "test_audit_page",
    "test_access_ended",
    "test_boundaries_playbooks",
    "test_demo",
    "test_replication_playbook",
    "test_pull_progress",
    "test_audit_playbook",
    "test_documented_examples",
    "test_runner",
    "test_aws_errors",
    "test_fleet",
    "test_mistakes",
    "test_transcript",
    "test_iam_judges",
    "test_declaration",
    "test_counts",
    "test_modules",
    "test_pattern",
    "test_ambiguous",
    "test_one_plan",
    "test_jobs",
    "test_state_of_others",
    "test_awx",
    "test_audit_report",
    "test_tag_guard",
    "test_share_policies",
    "test_handoff",
    "test_propagation",
    "test_judges",
    "test_ending",
    "test_exceptions",
    "test_boundaries",
    "test_declarations",
    "test_inclusion",
    "test_fuzz",
)


@pytest.fixture(scope="session")
def start_lab() -> Iterator[Callable[[pathlib.Path], None]]:
    with lab_starter() as start:
        yield start


@pytest.fixture(scope="module")
def lab(start_lab: Callable[[pathlib.Path], None], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A lab for the tests of one module, stopped afterwards."""
    folder = tmp_path_factory.mktemp("lab")
    try:
        start_lab(folder)
        yield Lab(folder)
    finally:
        stop_lab(folder)


def pytest_configure() -> None:
    os.environ["LAB_VALIDATE"] = "true"  # every lab of these tests compares its responses with the models of AWS


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that take longest come first, so that at the end no worker is left alone with one of them."""
    rank = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path.stem, len(rank)))


@pytest.fixture(scope="session", autouse=True)
def _no_ambient_aws() -> None:
    """Credentials of whoever runs the tests must not decide their outcome."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
