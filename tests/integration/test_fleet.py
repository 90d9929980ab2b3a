# SPDX-License-Identifier: GPL-3.0-or-later
"""Many owner accounts: from an organization, each by its own role; where one fails the others go on; in slices."""

from __future__ import annotations

import concurrent.futures
import json
import pathlib
import re
import subprocess
from typing import Any, NamedTuple

import botocore.exceptions
import pytest

from tests.conftest import ROOT
from tests.lab import accounts, state

from .conftest import BIN, ROLE, Control, Run
from .test_secrets import Secrets

EXAMPLES = ROOT / "docs/examples"
OTHER_REGION = "eu-west-1"
GROUP = "aws_organizations_accounts"
ACCESS_ROLE = "OrganizationAccountAccessRole"


class Account(NamedTuple):
    """A member of the organization."""

    id: str
    name: str
    regions: list[str]

    @property
    def host(self) -> str:
        return f"{self.name.replace(' ', '-')}-{self.id}"


class Fleet(Control):
    """A control host, and an organization whose management account is the owner account of the lab.

    :param count: of the accounts that can be reached
    """

    def __init__(self, control: Control, count: int = 2) -> None:
        super().__init__(control.lab, control.folder)
        self.organizations = self.lab.client("owner", "organizations")
        self.sts = self.lab.client("owner", "sts")
        self.root = self.organizations.list_roots()["Roots"][0]["Id"]
        workloads = self.unit(self.root, "Workloads")
        production = self.unit(workloads, "Production")
        both = [accounts.REGION, OTHER_REGION]
        # First in the inventory, so that it is a batch of its own.
        self.closed = self.join("a closed one", production, [], role="Other")
        self.open = [self.join(f"team {number}", production) for number in range(count - 1)]
        self.open.append(self.join("two regions", production, both, regions=" ".join(both)))
        self.join("outside", workloads, [])
        self.join("not tagged", production, [], registry="private")
        gone = self.join("gone", production, [])
        self.organizations.close_account(AccountId=gone.id)

    def unit(self, parent: str, name: str) -> str:
        made = self.organizations.create_organizational_unit(ParentId=parent, Name=name)
        return str(made["OrganizationalUnit"]["Id"])

    def join(
        self, name: str, unit: str, places: list[str] | None = None, role: str = ACCESS_ROLE, **tags: str
    ) -> Account:
        """A new account with the repository `release` in each region."""
        places = [accounts.REGION] if places is None else places
        labels = [{"Key": key, "Value": value} for key, value in {"registry": "shared", **tags}.items()]
        email = f"{name.replace(' ', '-')}@example.com"
        made = self.organizations.create_account(AccountName=name, Email=email, RoleName=role, Tags=labels)
        account = Account(made["CreateAccountStatus"]["AccountId"], name, places)
        self.organizations.move_account(AccountId=account.id, SourceParentId=self.root, DestinationParentId=unit)
        for region in places:
            self.client(account, "ecr", region).create_repository(repositoryName="release")
        return account

    def client(self, account: Account, service: str, region: str = accounts.REGION) -> Any:
        """A client with the session of the account's own role."""
        arn = f"arn:aws:iam::{account.id}:role/{ACCESS_ROLE}"
        keys = self.sts.assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
        names = ("AccessKeyId", "SecretAccessKey", "SessionToken")
        key, secret, token = (keys[name] for name in names)
        session = self.lab.session(
            "owner", aws_access_key_id=key, aws_secret_access_key=secret, aws_session_token=token
        )
        return session.client(service, region_name=region)

    def environment(self, profile: str | None) -> dict[str, str]:
        """With all that Ansible keeps in one folder."""
        folders = {"ANSIBLE_HOME": self.folder / "ansible", "TMPDIR": self.folder / "tmp"}
        for folder in folders.values():
            folder.mkdir(exist_ok=True)
        return {**super().environment(profile), **{name: str(folder) for name, folder in folders.items()}}

    def is_shared(self, account: Account) -> bool:
        """Whether the pull role is there, and the tags in each region."""
        try:
            self.client(account, "iam").get_role(RoleName=ROLE)
            role = True
        except botocore.exceptions.ClientError:
            role = False
        arns = [f"arn:aws:ecr:{region}:{account.id}:repository/release" for region in account.regions]
        tags = [
            self.client(account, "ecr", region).list_tags_for_resource(resourceArn=arn)["tags"]
            for region, arn in zip(account.regions, arns)
        ]
        assert all(bool(one) == role for one in tags), (account, role, tags)
        return role

    def inventory(self, profile: str = "owner") -> tuple[dict[str, Any], str]:
        """What `ansible-inventory --list` makes of the example, and what it says beside it."""
        command = [str(BIN / "ansible-inventory"), "-i", str(EXAMPLES / "fleet"), "--list"]
        cache = {"ANSIBLE_INVENTORY_CACHE": "true", "ANSIBLE_INVENTORY_CACHE_PLUGIN": "ansible.builtin.jsonfile"}
        environment = {**self.environment(profile), **cache, "ANSIBLE_INVENTORY_CACHE_CONNECTION": str(self.cache)}
        ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
        answer: dict[str, Any] = json.loads(ran.stdout, object_hook=lambda it: it.get("__ansible_unsafe", it))
        return answer, " ".join(ran.stderr.split())

    @property
    def cache(self) -> pathlib.Path:
        return self.folder / "cache"


def recap(run: Run) -> dict[str, dict[str, int]]:
    """The numbers of the recap, for each host."""
    lines = run.output.rpartition("PLAY RECAP")[2].splitlines()[1:]
    split = [line.split(":", 1) for line in lines if "ok=" in line]
    return {host.strip(): {k: int(v) for k, v in re.findall(r"(\w+)=(\d+)", rest)} for host, rest in split}


@pytest.fixture(scope="module")
def fleet(control: Control) -> Fleet:
    return Fleet(control)


def test_the_inventory_is_the_accounts_of_a_unit_that_carry_the_tag(fleet: Fleet) -> None:
    refused, said = fleet.inventory("consumer")
    assert (GROUP in refused, "The accounts of the organization cannot be listed" in said) == (False, True), said
    asked, _said = fleet.inventory()
    assert sorted(asked[GROUP]["hosts"]) == sorted(one.host for one in [fleet.closed, *fleet.open])
    account = fleet.open[-1]
    variables = asked["_meta"]["hostvars"][account.host]
    assert variables["ecr_share_assume_role_arn"] == "arn:aws:iam::{{ account_id }}:role/" + ACCESS_ROLE
    found = {name: variables[name] for name in ("account_id", "account_name", "account_tags", "organizational_unit")}
    assert (variables["ecr_share_regions"], found) == (
        account.regions,
        {
            "account_id": account.id,
            "account_name": account.name,
            "account_tags": {"registry": "shared", "regions": " ".join(account.regions)},
            "organizational_unit": "/Workloads/Production",
        },
    )
    mark = len(fleet.lab.calls())
    from_cache, _said = fleet.inventory()
    assert (from_cache, fleet.lab.calls()[mark:]) == (asked, [])


def test_an_account_that_fails_does_not_stop_the_others_and_is_named(fleet: Fleet) -> None:
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
    told = recap(run)
    assert {host: counts["failed"] for host, counts in told.items()} == {
        **{one.host: 0 for one in fleet.open},
        fleet.closed.host: 1,
        "build-1": 0,
    }
    width = max(len(one.host) for one in [fleet.closed, *fleet.open])
    for one in fleet.open:
        assert f"{one.host.ljust(width)}  ok      {len(one.regions)} gained, 0 lost\n" in run.output, run
    arn = f"arn:aws:iam::{fleet.closed.id}:role/{ACCESS_ROLE}"
    assert f"{fleet.closed.host.ljust(width)}  failed  Role {arn} cannot be assumed: " in run.output, run
    assert all(fleet.is_shared(one) for one in fleet.open)
    handoffs = {path.stem for path in fleet.folder.glob("*.yml")}
    assert handoffs == {
        one.host if len(one.regions) == 1 else f"{one.host}-{region}" for one in fleet.open for region in one.regions
    }
    assert run.output.count("role refused without the external ID: true\n") == len(fleet.open), run
    made = [entry for entry in state.requests(fleet.lab.folder)[mark:] if entry["call"] == "iam:CreateRole"]
    assert len({entry["access_key_id"] for entry in made}) == len(fleet.open)
    # The sessions were in memory only.
    secrets = Secrets([*handed_out, fleet.lab.session("owner").get_credentials().secret_key])
    left = [path for path in fleet.folder.rglob("*") if path.is_file() and secrets.within(path.read_bytes())]
    assert (secrets.within(run.output.encode()), left) == (set(), [])


def test_two_slices_side_by_side_do_what_one_run_does(fleet: Fleet) -> None:
    """AWX gives slice n of N every Nth host, in the order of their names."""
    hosts = sorted(one.host for one in [fleet.closed, *fleet.open])
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
    assert not any(fleet.is_shared(one) for one in fleet.open)
