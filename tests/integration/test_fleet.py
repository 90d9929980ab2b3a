# SPDX-License-Identifier: GPL-3.0-or-later
"""Many owner accounts: from an organization, each by its own role; where one fails the others go on; in slices."""

from __future__ import annotations

import concurrent.futures
import re

import pytest

from tests.lab import accounts, state
from tests.support.control import ROLE, Control, Run
from tests.support.fleet import ACCESS_ROLE, EXAMPLES, Fleet
from tests.support.secret_search import Secrets

GROUP = "aws_organizations_accounts"


def recap(run: Run) -> dict[str, dict[str, int]]:
    """The numbers of the recap, for each host."""
    lines = run.output.rpartition("PLAY RECAP")[2].splitlines()[1:]
    split = [line.split(":", 1) for line in lines if "ok=" in line]
    return {host.strip(): {k: int(v) for k, v in re.findall(r"(\w+)=(\d+)", rest)} for host, rest in split}


@pytest.fixture(scope="module")
def fleet(control: Control) -> Fleet:
    return Fleet(control)


def test_inventory_has_the_tagged_accounts_of_a_unit(fleet: Fleet) -> None:
    refused, warnings = fleet.inventory("consumer")
    assert (GROUP in refused, "The accounts of the organization cannot be listed" in warnings) == (False, True), (
        warnings
    )
    _none, warnings = fleet.inventory("nobody")
    assert "cannot be listed: Profile nobody does not exist in " in warnings
    inventory, _warnings = fleet.inventory()
    assert sorted(inventory[GROUP]["hosts"]) == sorted(account.host for account in [fleet.closed, *fleet.open])
    account = fleet.open[-1]
    variables = inventory["_meta"]["hostvars"][account.host]
    assert variables["ecr_share_assume_role_arn"] == "arn:aws:iam::{{ account_id }}:role/" + ACCESS_ROLE
    variables_of_host = {
        name: variables[name] for name in ("account_id", "account_name", "account_tags", "organizational_unit")
    }
    assert (variables["ecr_share_regions"], variables_of_host) == (
        account.regions,
        {
            "account_id": account.id,
            "account_name": account.name,
            "account_tags": {"registry": "shared", "regions": " ".join(account.regions)},
            "organizational_unit": "/Workloads/Production",
        },
    )
    mark = len(fleet.lab.calls())
    from_cache, _warnings = fleet.inventory()
    assert (from_cache, fleet.lab.calls()[mark:]) == (inventory, [])


def test_failed_account_is_named_and_stops_no_other(fleet: Fleet) -> None:
    """The closed account is a batch that fails as a whole, which without more would be the end of a run."""
    recorded = fleet.lab.folder / state.SECRETS
    recorded.touch(0o600)
    mark = len(fleet.lab.calls())
    try:
        run = fleet.playbook(
            str(EXAMPLES / "playbook-fleet.yml"),
            "owner",
            *("-i", str(EXAMPLES / "fleet"), "--forks", "5", "-vvv"),
            ecr_share_handoff_path=str(fleet.folder / "{{ inventory_hostname }}.yml"),
            ecr_pull_wait_timeout=0,
            ecr_pull_profile="consumer-administrator",  # the other user may assume roles of one account only
        )
    finally:
        handed_out = recorded.read_text(encoding="utf-8").split()
        recorded.unlink()
    assert run.code == 2, run
    recap_lines = recap(run)
    assert {host: counts["failed"] for host, counts in recap_lines.items()} == {
        **{account.host: 0 for account in fleet.open},
        fleet.closed.host: 1,
        "build-1": 0,
    }
    width = max(len(account.host) for account in [fleet.closed, *fleet.open])
    for item in fleet.open:
        assert f"{item.host.ljust(width)}  ok      {len(item.regions)} gained, 0 lost\n" in run.output, run
    arn = f"arn:aws:iam::{fleet.closed.id}:role/{ACCESS_ROLE}"
    assert f"{fleet.closed.host.ljust(width)}  failed  Role {arn} cannot be assumed: " in run.output, run
    assert all(fleet.is_shared(account) for account in fleet.open)
    handoffs = {path.stem for path in fleet.folder.glob("*.yml")}
    assert handoffs == {
        account.host if len(account.regions) == 1 else f"{account.host}-{region}"
        for account in fleet.open
        for region in account.regions
    }
    assert run.output.count("role refused without the external ID: true\n") == len(fleet.open), run
    requests = [entry for entry in state.requests(fleet.lab.folder)[mark:] if entry["call"] == "iam:CreateRole"]
    assert len({entry["access_key_id"] for entry in requests}) == len(fleet.open)
    # The sessions were in memory only.
    secrets = Secrets([*handed_out, fleet.lab.session("owner").get_credentials().secret_key])
    left = [path for path in fleet.folder.rglob("*") if path.is_file() and secrets.within(path.read_bytes())]
    assert (secrets.within(run.output.encode()), left) == (set(), [])


def test_two_slices_side_by_side_do_what_one_run_does(fleet: Fleet) -> None:
    """AWX gives slice n of N every Nth host, in the order of their names."""
    hosts = sorted(account.host for account in [fleet.closed, *fleet.open])
    slices = [hosts[0::2], hosts[1::2]]

    def unshare(some: list[str]) -> Run:
        return fleet.playbook(
            "unshare",
            "owner",
            *("-i", str(EXAMPLES / "fleet"), "--limit", ",".join(some)),
            ecr_share_hosts="owners",
            ecr_share_role_name=ROLE,
            ecr_share_repository_tags={"environment": "release"},
            ecr_share_repositories=["release"],
            ecr_share_consumers=[{"account": accounts.CONSUMER, "external_id": "7c2f4e0b-share"}],
        )

    with concurrent.futures.ThreadPoolExecutor() as pool:
        runs = list(pool.map(unshare, slices))
    for run, some in zip(runs, slices):
        failed = {host for host, counts in recap(run).items() if counts["failed"]}
        assert (sorted(recap(run)), failed) == (some, {fleet.closed.host} & {*some}), run
        assert run.code == (2 if failed else 0), run
    assert not any(fleet.is_shared(account) for account in fleet.open)
