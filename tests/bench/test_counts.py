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


def reads_and_writes(made: Counter[str]) -> tuple[int, int]:
    writes = sum(number for call, number in made.items() if state.is_write(call))
    return made.total() - writes, writes


@pytest.mark.parametrize("count", COUNTS)
def test_tagging_reads_once_and_writes_twenty_at_a_time(ground: Ground, count: int) -> None:
    # Repositories of this count's own, so that they are as the lab made them.
    wanted = {"names": names(count, sum(one for one in COUNTS if one < count)), "tags": SHARED_BY}
    made = calls(ground, "ecr_repository_tag", wanted)
    reads, writes = reads_and_writes(made)
    assert made[READ] == (DECIDE + WAIT) * count
    assert reads - made[READ] == 2  # the caller identity, and the registry
    assert writes == made["tagging:TagResources"] == -(-count // 20)
    made = calls(ground, "ecr_repository_tag", wanted)
    assert made == Counter({READ: count, "sts:GetCallerIdentity": 1, "ecr:DescribeRepositories": 1})


def test_discovery_lists_in_pages_and_reads_what_is_meant(ground: Ground) -> None:
    absent = {"tags": KNOWN_BY, "state": "absent"}
    made = calls(ground, "ecr_repository_tag", {"names": ["bench/000*"], **absent}, check=True)
    listed = -(-(ground.total + len(accounts.REPOSITORIES)) // 1000)
    assert made == Counter({READ: 100, "sts:GetCallerIdentity": 1, "ecr:DescribeRepositories": listed + 1})
    made = calls(ground, "ecr_repository_tag", {"all_except": ["bench/00*"], **absent}, check=True)
    pages = -(-ground.total // 100)  # all of them carry the tag
    assert made == Counter(
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
    made = {}
    for count in (1, 5, 20):
        consumers = [{"account": f"{number:012}", "external_id": f"test-{number:02}"} for number in range(1, count + 1)]
        runs: list[dict[str, Any]] = [
            {"state": "present", "consumers": consumers},
            {"state": "present", "consumers": consumers},
            {"state": "absent"},
            {"state": "absent"},
        ]
        made[count] = [calls(ground, "iam_ecr_pull_role", {**share, **run}) for run in runs]
        assert [run["sts:GetCallerIdentity"] for run in made[count]] == [1, 1, 1, 1]
    assert made[1] == made[5] == made[20]
    assert [reads_and_writes(run)[1] for run in made[1]] == [3, 0, 3, 0]
    assert max(reads_and_writes(run)[0] for run in made[1]) <= 40


@pytest.mark.parametrize("count", [1, 10, 100])
def test_the_proof_asks_three_things_of_each_repository(ground: Ground, count: int) -> None:
    consumers = [{"account": accounts.CONSUMER, "external_id": "test"}]
    role = {"name": "proven", "repository_tags": SHARED_BY, "consumers": consumers}
    calls(ground, "iam_ecr_pull_role", role)
    asked = {
        "role_arn": f"arn:aws:iam::{accounts.OWNER}:role/proven",
        "external_id": "test",
        "readable": shared(ground.total)[:count],
        "denied": ["develop"],
    }
    made = calls(ground, "ecr_access_info", asked, "consumer")
    probes = ("ecr:DescribeImages", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
    assert made == Counter(
        {
            **dict.fromkeys(probes, count + 1),
            "ecr:GetAuthorizationToken": 1,
            "sts:GetCallerIdentity": 2,  # before and after
            "sts:AssumeRole": 3,  # and without the external ID, and with a wrong one
        }
    )
