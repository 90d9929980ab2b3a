# SPDX-License-Identifier: GPL-3.0-or-later
"""A share with an organizational unit: the admitted principals, the hand-off, session tags, and the end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.lab import accounts
from tests.lab.clients import Organization, refusal
from tests.support.control import ROLE, ROLE_ARN, Control
from tests.support.lab import Lab

SCENARIO = ("-e", "@playbooks/vars/scenario.yml")
TAGS = [{"Key": "kubernetes-namespace", "Value": "build"}]


class Tree:
    """An organization. The consumer belongs to a unit below another unit, and another caller to no unit."""

    def __init__(self, lab: Lab) -> None:
        self.organization = Organization(lab)
        self.organization.join("consumer-administrator")
        self.identifier = self.organization.client.describe_organization()["Organization"]["Id"]
        self.upper = self.unit(self.organization.root, "upper")
        self.lower = self.unit(self.upper, "lower")
        self.path = f"{self.identifier}/{self.organization.root}/{self.upper}"
        self.place = self.organization.root
        self.move(self.lower)

    def unit(self, parent: str, name: str) -> str:
        made = self.organization.client.create_organizational_unit(ParentId=parent, Name=name)
        return str(made["OrganizationalUnit"]["Id"])

    def move(self, place: str) -> None:
        client = self.organization.client
        client.move_account(AccountId=accounts.CONSUMER, SourceParentId=self.place, DestinationParentId=place)
        self.place = place


@pytest.fixture(scope="module")
def tree(lab: Lab) -> Tree:
    return Tree(lab)


@pytest.fixture
def consumer(control: Control, tree: Tree) -> Iterator[dict[str, Any]]:
    """The declaration of the consumer, whose share ends with the test."""
    declared = {"organization_id": tree.identifier, "organization_units": [tree.path], "external_id": "generate"}
    yield {**declared, "session_tags": True}
    assert control.playbook("unshare", "owner", *SCENARIO).code == 0


def become(lab: Lab, profile: str, **options: Any) -> str:
    """The code of the error of AssumeRole; empty if AWS issues the session."""
    return refusal(lab.client(profile, "sts").assume_role, RoleArn=ROLE_ARN, RoleSessionName="any", **options)[0]


def text(run: Any) -> str:
    return " ".join(run.output.split())


def test_accounts_of_a_unit_pull_and_no_other_account(control: Control, tree: Tree, consumer: dict[str, Any]) -> None:
    planned = control.share("--check", ecr_share_consumers=[consumer])
    run = control.share(ecr_share_consumers=[consumer])
    assert (run.code, planned.code, run.changed) == (0, 0, planned.changed), run
    gained = f"+ organization {tree.identifier} (external ID, unit {tree.path}) can pull release"
    assert gained in text(run), run
    assert f"organization {tree.identifier}, unit {tree.path} can describe and pull with the external ID" in text(run)
    assert gained in text(planned), planned
    again = control.share(ecr_share_consumers=[consumer])
    assert (again.code, again.changed) == (0, 0), again

    handoff = yaml.safe_load(control.handoff.read_text())
    assert (handoff["ecr_pull_consumer_organization"], handoff["ecr_pull_consumer_units"]) == (
        tree.identifier,
        [tree.path],
    )
    assert "ecr_pull_consumer_account" not in handoff
    pulled = control.pull()
    assert pulled.code == 0, pulled
    assert f"consumer: organization {tree.identifier}, unit {tree.path}" in text(pulled)

    lab, identified = control.lab, {"ExternalId": handoff["ecr_pull_external_id"]}
    assert become(lab, "consumer", **identified, Tags=TAGS) == ""
    assert become(lab, "consumer", Tags=TAGS) == become(lab, "consumer") == "AccessDenied"
    # This account belongs to the organization, and not to the unit.
    assert become(lab, "stranger", **identified) == "AccessDenied"
    tree.move(tree.organization.root)
    assert become(lab, "consumer", **identified) == "AccessDenied"
    refused = control.pull()
    assert refused.code == 2
    assert "sts:AssumeRole" in text(refused)
    tree.move(tree.upper)
    assert become(lab, "consumer", **identified) == ""


def test_trust_that_others_opened_is_closed(control: Control, tree: Tree, consumer: dict[str, Any]) -> None:
    """Without its conditions on the organization, the statement of an organization admits everyone."""
    named = {**consumer, "external_id": "declared"}
    assert control.share(ecr_share_consumers=[named]).code == 0
    iam = control.lab.client("owner", "iam")
    trust = iam.get_role(RoleName=ROLE)["Role"]["AssumeRolePolicyDocument"]
    (statement,) = trust["Statement"]
    assert statement["Action"] == ["sts:AssumeRole", "sts:TagSession"]
    condition = {"StringEquals": {"sts:ExternalId": "declared"}}
    opened = {**trust, "Statement": [{**statement, "Condition": condition}]}
    iam.update_assume_role_policy(RoleName=ROLE, PolicyDocument=json.dumps(opened))
    assert become(control.lab, "stranger", ExternalId="declared") == ""
    run = control.share(ecr_share_consumers=[{**named, "session_tags": False}])
    assert run.code == 0, run
    assert "- everyone (external ID) loses release" in text(run)
    assert become(control.lab, "stranger", ExternalId="declared") == "AccessDenied"
    assert become(control.lab, "consumer", ExternalId="declared") == ""
    assert become(control.lab, "consumer", ExternalId="declared", Tags=TAGS) == "AccessDenied"
