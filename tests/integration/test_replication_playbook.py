# SPDX-License-Identifier: GPL-3.0-or-later
"""replicate.yml, from nothing to the comparison of all images by digest, and to its end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab import accounts
from tests.lab.clients import refusal
from tests.lab.replication_copies import configure, digests, fill
from tests.support.control import Control, Run
from tests.support.lab import Lab

DECLARATION = "@playbooks/vars/replication.yml"
FOREIGN_RULE: dict[str, Any] = {
    "destinations": [{"region": "eu-west-1", "registryId": accounts.STRANGER}],
    "repositoryFilters": [{"filter": "team/", "filterType": "PREFIX_MATCH"}],
}


class Registries:
    """The registries of both accounts."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.owner, self.consumer = (lab.client(one, "ecr") for one in ("owner", "consumer-administrator"))

    @property
    def rules(self) -> list[dict[str, Any]]:
        rules: list[dict[str, Any]] = self.owner.describe_registry()["replicationConfiguration"]["rules"]
        return rules

    def has_policy(self) -> bool:
        return refusal(self.consumer.get_registry_policy) == ("", "")

    def names(self) -> set[str]:
        """The repositories of the consumer account."""
        return {one["repositoryName"] for one in self.consumer.describe_repositories()["repositories"]}

    def reset(self) -> None:
        configure(self.owner, FOREIGN_RULE)
        refusal(self.consumer.delete_registry_policy)
        for name in self.names():
            self.consumer.delete_repository(repositoryName=name, force=True)


@pytest.fixture
def registries(lab: Lab) -> Iterator[Registries]:
    """The registries without copies, and with a rule that another program manages."""
    found = Registries(lab)
    found.reset()
    yield found
    found.reset()


def replicate(control: Control, *arguments: str, **variables: Any) -> Run:
    waiting = {"ecr_replicate_wait_interval": 0.05, "ecr_replicate_wait_timeout": 60, "ecr_replicate_images": []}
    return control.playbook("replicate", None, "-e", DECLARATION, *arguments, **{**waiting, **variables})


def test_replication_from_nothing_to_its_end(control: Control, registries: Registries, lab: Lab) -> None:
    mark = len(lab.calls())
    predicted = replicate(control, "--check")
    assert predicted.code == 0, predicted
    assert lab.writes_since(mark) == []
    place = f"account {accounts.CONSUMER} in {accounts.REGION}"
    assert f"+ {place}: 1 image can appear, in release." in predicted.output

    first = replicate(control)
    assert (first.code, first.changed) == (0, 3), first
    assert "1 replicated, 0 missing, 0 extra, 0 archived." in first.output
    assert registries.names() == {"release"}  # the filter of the rule excludes develop
    assert digests(registries.consumer, "release") == digests(registries.owner, "release")
    assert FOREIGN_RULE in registries.rules

    mark = len(lab.calls())
    second = replicate(control)
    assert (second.code, second.changed, lab.writes_since(mark)) == (0, 0, []), second

    end = replicate(control, ecr_replicate_state="absent")
    assert (end.code, end.changed) == (0, 2), end
    assert f"- {place}: no new images appear. 1 copy of the selection stay" in end.output
    assert (registries.rules, registries.has_policy()) == ([FOREIGN_RULE], False)
    assert registries.names() == {"release"}
    again = replicate(control, ecr_replicate_state="absent")
    assert (again.code, again.changed) == (0, 0), again


def test_more_prefixes_add_existing_images(control: Control, registries: Registries, lab: Lab) -> None:
    assert replicate(control).code == 0
    name = fill(lab, registries.owner, "teams", 3)
    assert name not in registries.names()
    changed = replicate(control, ecr_replicate_prefixes=["release", "teams/"])
    assert changed.code == 0, changed
    assert digests(registries.consumer, name) == digests(registries.owner, name)
    fewer = replicate(control)
    assert fewer.code != 0
    assert "overlaps with the declared rule" in fewer.output
    assert "set ecr_replicate_adopt to true" in " ".join(fewer.output.split())
    assert replicate(control, ecr_replicate_adopt=True).code == 0
    assert len(registries.rules) == 2


def test_each_account_configures_its_own_side(control: Control, registries: Registries) -> None:
    consumer = replicate(control, ecr_replicate_side="consumer", ecr_replicate_owner_profile="missing")
    assert (consumer.code, consumer.changed) == (0, 1), consumer
    assert "ecr_replicate_side=owner" in consumer.output
    assert registries.rules == [FOREIGN_RULE]
    owner = replicate(control, ecr_replicate_side="owner", ecr_replicate_consumer_profile="missing")
    assert owner.code == 0, owner
    assert "ecr_replicate_side=consumer" in owner.output
    assert digests(registries.consumer, "release") == digests(registries.owner, "release")
    assert replicate(control).changed == 0


@pytest.mark.parametrize(
    ("variables", "parts"),
    [
        ({"ecr_replicate_regions": ["cn-north-1"]}, ["ECR does not replicate between partitions."]),
        ({"ecr_replicate_regions": ["af-south-1"]}, ["Region af-south-1 is not enabled in the account."]),
        ({"ecr_replicate_prefixes": []}, ["ecr_replicate_prefixes is empty."]),
        ({"ecr_replicate_consumer_account": accounts.OWNER}, ["are both 111111111111."]),
        (
            {"ecr_replicate_consumer_profile": "owner"},
            ["The credentials for the consumer account belong to"],
        ),
        ({"ecr_replicate_owner_profile": "stranger"}, ["The credentials for the owner account belong to account 333"]),
        ({"ecr_replicate_prefix": "x"}, ["Variable ecr_replicate_prefix is unknown"]),
        (
            {"ecr_replicate_images": ["release:v9", "develop:v1.0"], "ecr_replicate_prefixes": ["release", "dev"]},
            ["ecr_replicate_images: image release:v9 does not exist in the owner account."],
        ),
        (
            {"ecr_replicate_images": ["develop:v1.0", "Release", f"{accounts.CONSUMER}.dkr.ecr.eu-west-1.on.aws/a:b"]},
            ["ecr_replicate_images: Image 'Release'", "but the images are in the registry of account 111111111111"],
        ),
        ({"ecr_replicate_images": ["develop:v1.0"]}, ["does not select the repositories of develop:v1.0."]),
        (
            {"ecr_replicate_delete_replication": True},
            ["ecr_replicate_delete_replication is true:", "release:v1.0", "set ecr_replicate_allow_deletions to true."],
        ),
    ],
)
def test_problems_are_found_before_the_first_write(
    control: Control, registries: Registries, variables: dict[str, Any], parts: list[str]
) -> None:
    mark = len(control.lab.calls())
    run = replicate(control, **variables)
    output = " ".join(run.output.split())
    assert run.code == 2, run
    assert [part for part in parts if part not in output] == [], run
    assert control.lab.writes_since(mark) == []


def test_deletions_are_replicated_with_consent(control: Control, registries: Registries, lab: Lab) -> None:
    name = fill(lab, registries.owner, "deleted", 2)
    consent = {"ecr_replicate_delete_replication": True, "ecr_replicate_allow_deletions": True}
    run = replicate(control, ecr_replicate_prefixes=["deleted/"], **consent)
    assert run.code == 0, run
    assert "deletes the copy there. This concerns 2 images now." in " ".join(run.output.split())
    registries.owner.batch_delete_image(repositoryName=name, imageIds=[{"imageTag": "0"}])
    assert digests(registries.consumer, name) == digests(registries.owner, name)
    assert len(digests(registries.consumer, name)) == 1


def test_missing_and_extra_images_are_shown(control: Control, registries: Registries, lab: Lab) -> None:
    name = fill(lab, registries.owner, "compared", 2)
    prefixes = {"ecr_replicate_prefixes": ["compared/"]}
    assert replicate(control, **prefixes).code == 0
    configure(registries.owner)
    registries.owner.batch_delete_image(repositoryName=name, imageIds=[{"imageTag": "0"}])
    registries.consumer.batch_delete_image(repositoryName=name, imageIds=[{"imageTag": "1"}])
    run = replicate(control, **prefixes, ecr_replicate_backfill=False, ecr_replicate_wait_timeout=0)
    assert run.code == 2, run
    output = " ".join(run.output.split())
    assert f"After 0 seconds, 1 image is not replicated: {name}:1 in account" in output
    assert replicate(control, **prefixes).code == 0
