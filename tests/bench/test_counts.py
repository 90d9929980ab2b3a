# SPDX-License-Identifier: GPL-3.0-or-later
"""How many API calls the work takes, by the lab's request log: exact, and independent of time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults import bench
from tests.lab import accounts, state

from .ground import Ground, running
from .names import KNOWN_BY, SHARED_BY, names, shared

COUNTS = (1, 10, 100, 1000)
#: Reads to decide, and reads in a row that must agree after a change.
DECIDE, WAIT = 1, 3
READ = "ecr:ListTagsForResource"
ROLE = "counted"


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    bench.preload()
    with running(tmp_path_factory.mktemp("ground"), sum(COUNTS) + len(shared(200)), proxied=False) as here:
        yield here


def calls(
    ground: Ground, module: str, arguments: dict[str, Any], profile: str = "owner", check: bool = False
) -> Counter[str]:
    """The API calls of one module run, which must succeed."""
    ground.calls()
    invocation = {"module": module, "arguments": {"wait_interval": 0.001, **arguments}, "check": check}
    outcome = ground.bench.module(invocation, profile, lambda _pid: None)
    assert (outcome.code, outcome.result.get("failed", False)) == (0, False), outcome.printed[-2000:]
    return Counter(ground.calls())


def reads_and_writes(requests: Counter[str]) -> tuple[int, int]:
    writes = sum(number for call, number in requests.items() if state.is_write(call))
    return requests.total() - writes, writes


@pytest.mark.parametrize("count", COUNTS[:3])
def test_tagging_reads_once_and_writes_twenty_at_a_time(ground: Ground, count: int) -> None:
    # Repositories of this count's own, so that they are as the lab made them.
    module_options = {"names": names(count, sum(item for item in COUNTS if item < count)), "tags": SHARED_BY}
    requests = calls(ground, "ecr_repository_tag", module_options)
    reads, writes = reads_and_writes(requests)
    assert requests[READ] == (DECIDE + WAIT) * count
    assert reads - requests[READ] == 2  # the caller identity, and the registry
    assert writes == requests["tagging:TagResources"] == -(-count // 20)
    requests = calls(ground, "ecr_repository_tag", module_options)
    assert requests == Counter({READ: count, "sts:GetCallerIdentity": 1, "ecr:DescribeRepositories": 1})
    other = {**module_options, "tags": {"nothing": "to-remove"}, "state": "absent"}
    requests = calls(ground, "ecr_repository_tag", other)
    assert requests == Counter({READ: WAIT * count, "sts:GetCallerIdentity": 1, "ecr:DescribeRepositories": 1})


def test_discovery_lists_pages_and_reads_the_selection(ground: Ground) -> None:
    absent = {"tags": KNOWN_BY, "state": "absent"}
    requests = calls(ground, "ecr_repository_tag", {"names": ["bench/000*"], **absent}, check=True)
    listed = -(-(ground.total + len(accounts.REPOSITORIES)) // 1000)
    assert requests == Counter({READ: 100, "sts:GetCallerIdentity": 1, "ecr:DescribeRepositories": listed + 1})
    requests = calls(ground, "ecr_repository_tag", {"all_except": ["bench/00*"], **absent}, check=True)
    pages = -(-ground.total // 100)  # all of them carry the tag
    assert requests == Counter(
        {
            READ: ground.total - 1000,
            "sts:GetCallerIdentity": 1,
            "tagging:GetTagKeys": 1,
            "tagging:GetResources": pages,
            "ecr:DescribeRepositories": 1,
        }
    )


def test_pull_role_cost_is_independent_of_consumers(ground: Ground) -> None:
    share = {"name": ROLE, "repository_tags": SHARED_BY, "trust_policy_quota": 4096}
    requests = {}
    for count in (1, 5, 20):
        consumers = [{"account": f"{number:012}", "external_id": f"test-{number:02}"} for number in range(1, count + 1)]
        runs: list[dict[str, Any]] = [
            {"state": "present", "consumers": consumers},
            {"state": "present", "consumers": consumers},
            {"state": "absent"},
            {"state": "absent"},
        ]
        requests[count] = [calls(ground, "iam_ecr_pull_role", {**share, **run}) for run in runs]
        assert [run["sts:GetCallerIdentity"] for run in requests[count]] == [1, 1, 1, 1]
    assert requests[1] == requests[5] == requests[20]
    assert [reads_and_writes(run)[1] for run in requests[1]] == [3, 0, 3, 0]
    assert max(reads_and_writes(run)[0] for run in requests[1]) <= 40


@pytest.mark.parametrize("count", [1, 10, 100])
def test_the_proof_asks_three_things_of_each_repository(ground: Ground, count: int) -> None:
    consumers = [{"account": accounts.CONSUMER, "external_id": "test"}]
    role = {"name": "proven", "repository_tags": SHARED_BY, "consumers": consumers}
    calls(ground, "iam_ecr_pull_role", role)
    module_options = {
        "role_arn": f"arn:aws:iam::{accounts.OWNER}:role/proven",
        "external_id": "test",
        "readable": shared(ground.total)[:count],
        "denied": ["develop"],
    }
    requests = calls(ground, "ecr_access_info", module_options, "consumer")
    probes = ("ecr:DescribeImages", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
    assert requests == Counter(
        {
            **dict.fromkeys(probes, count + 1),
            "ecr:GetAuthorizationToken": 1,
            "sts:GetCallerIdentity": 2,  # before and after
            "sts:AssumeRole": 3,  # and without the external ID, and with a wrong one
        }
    )
