# SPDX-License-Identifier: GPL-3.0-or-later
"""A control node, and an organization of many owner accounts."""

from __future__ import annotations

import json
import pathlib
import subprocess
from typing import Any, NamedTuple

import botocore.exceptions

from tests.lab import accounts
from tests.support.control import BIN, ROLE, Control
from tests.support.paths import ROOT

EXAMPLES = ROOT / "docs/examples"
OTHER_REGION = "eu-west-1"
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
    """A control node, and an organization whose management account is the owner account of the lab.

    :param count: the number of accounts that can be reached
    """

    def __init__(self, control: Control, count: int = 2) -> None:
        super().__init__(control.lab, control.folder)
        self.organizations = self.lab.client("owner", "organizations")
        self.sts = self.lab.client("owner", "sts")
        self.root = self.organizations.list_roots()["Roots"][0]["Id"]
        workloads = self.unit(self.root, "Workloads")
        production = self.unit(workloads, "Production")
        both = [accounts.REGION, OTHER_REGION]
        # It is first in the inventory, so that it is a separate batch.
        self.closed = self.join("a closed one", production, [], role="Other")
        self.open = [self.join(f"team {number}", production) for number in range(count - 1)]
        self.open.append(self.join("two regions", production, both, regions=" ".join(both)))
        self.join("outside", workloads, [])
        self.join("not tagged", production, [], registry="private")
        closed = self.join("gone", production, [])
        self.organizations.close_account(AccountId=closed.id)

    def unit(self, parent: str, name: str) -> str:
        created = self.organizations.create_organizational_unit(ParentId=parent, Name=name)
        return str(created["OrganizationalUnit"]["Id"])

    def join(
        self, name: str, unit: str, places: list[str] | None = None, role: str = ACCESS_ROLE, **tags: str
    ) -> Account:
        """Create an account with the repository `release` in each region."""
        places = [accounts.REGION] if places is None else places
        labels = [{"Key": key, "Value": value} for key, value in {"registry": "shared", **tags}.items()]
        email = f"{name.replace(' ', '-')}@example.com"
        created = self.organizations.create_account(AccountName=name, Email=email, RoleName=role, Tags=labels)
        account = Account(created["CreateAccountStatus"]["AccountId"], name, places)
        self.organizations.move_account(AccountId=account.id, SourceParentId=self.root, DestinationParentId=unit)
        for region in places:
            self.client(account, "ecr", region).create_repository(repositoryName="release")
        return account

    def client(self, account: Account, service: str, region: str = accounts.REGION) -> Any:
        """A client with a session of the account's role."""
        arn = f"arn:aws:iam::{account.id}:role/{ACCESS_ROLE}"
        keys = self.sts.assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
        names = ("AccessKeyId", "SecretAccessKey", "SessionToken")
        key, secret, token = (keys[name] for name in names)
        session = self.lab.session(
            "owner", aws_access_key_id=key, aws_secret_access_key=secret, aws_session_token=token
        )
        return session.client(service, region_name=region)

    def environment(self, profile: str | None) -> dict[str, str]:
        """The environment, in which Ansible keeps all its files in one folder."""
        folders = {"ANSIBLE_HOME": self.folder / "ansible", "TMPDIR": self.folder / "tmp"}
        for folder in folders.values():
            folder.mkdir(exist_ok=True)
        return {**super().environment(profile), **{name: str(folder) for name, folder in folders.items()}}

    def is_shared(self, account: Account) -> bool:
        """Whether the pull role exists and the repositories have the tags in each region."""
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
        assert all(bool(tag) == role for tag in tags), (account, role, tags)
        return role

    def inventory(self, profile: str = "owner") -> tuple[dict[str, Any], str]:
        """The result of `ansible-inventory --list` for the example, and its messages."""
        command = [str(BIN / "ansible-inventory"), "-i", str(EXAMPLES / "fleet"), "--list"]
        cache = {"ANSIBLE_INVENTORY_CACHE": "true", "ANSIBLE_INVENTORY_CACHE_PLUGIN": "ansible.builtin.jsonfile"}
        environment = {**self.environment(profile), **cache, "ANSIBLE_INVENTORY_CACHE_CONNECTION": str(self.cache)}
        ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
        answer: dict[str, Any] = json.loads(ran.stdout, object_hook=lambda it: it.get("__ansible_unsafe", it))
        return answer, " ".join(ran.stderr.split())

    @property
    def cache(self) -> pathlib.Path:
        return self.folder / "cache"
