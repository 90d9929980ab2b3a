# SPDX-License-Identifier: GPL-3.0-or-later
"""cache.yml, from nothing to a pull through the cache with a container engine, and to its end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab import accounts
from tests.lab.clients import Account, allow, document, refusal, trust
from tests.support.control import Control, Run
from tests.support.lab import Lab
from tests.support.paths import ROOT

DECLARATION = "@playbooks/vars/cache.yml"
FOREIGN = allow("ecr:ListImages", Sid="theirs", Principal={"AWS": f"arn:aws:iam::{accounts.STRANGER}:root"})
PUBLIC = {"ecrRepositoryPrefix": "public", "upstreamRegistryUrl": "public.ecr.aws"}
ROLE, POLICY = "ecr-cache", f"arn:aws:iam::{accounts.CONSUMER}:policy/ecr-cache"
LAYOUT = {"ecr_cache_engine": "oci_layout"}


class Registries:
    """The upstream registry and the registry of the cache, with a statement and a rule of another program."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.owner, self.consumer = (lab.client(one, "ecr") for one in ("owner", "consumer-administrator"))
        self.iam = lab.client("consumer-administrator", "iam")

    @property
    def sids(self) -> list[str]:
        text = self.owner.get_registry_policy()["policyText"]
        return [statement["Sid"] for statement in json.loads(text)["Statement"]]

    @property
    def prefixes(self) -> list[str]:
        rules = self.consumer.describe_pull_through_cache_rules()["pullThroughCacheRules"]
        return [rule["ecrRepositoryPrefix"] for rule in rules]

    def names(self) -> set[str]:
        return {one["repositoryName"] for one in self.consumer.describe_repositories()["repositories"]}

    def reset(self) -> None:
        self.owner.put_registry_policy(policyText=document(FOREIGN))
        for prefix in self.prefixes:
            self.consumer.delete_pull_through_cache_rule(ecrRepositoryPrefix=prefix)
        self.consumer.create_pull_through_cache_rule(**PUBLIC)
        refusal(self.consumer.delete_repository_creation_template, prefix="cache")
        refusal(self.iam.detach_role_policy, RoleName=ROLE, PolicyArn=POLICY)
        refusal(self.iam.delete_role, RoleName=ROLE)
        refusal(self.iam.delete_policy, PolicyArn=POLICY)
        for name in self.names():
            self.consumer.delete_repository(repositoryName=name, force=True)


@pytest.fixture
def registries(lab: Lab) -> Iterator[Registries]:
    found = Registries(lab)
    found.reset()
    yield found
    found.reset()
    found.owner.delete_registry_policy()


def cache(control: Control, *arguments: str, **variables: Any) -> Run:
    waiting = {"ecr_cache_wait_interval": 0.05, "ecr_cache_wait_timeout": 20}
    layout = {"ecr_cache_dest": str(control.folder / "layout"), **LAYOUT}
    return control.playbook("cache", None, "-e", DECLARATION, *arguments, **{**waiting, **layout, **variables})


def test_cache_from_nothing_to_its_end(control: Control, registries: Registries, lab: Lab) -> None:
    mark = len(lab.calls())
    predicted = cache(control, "--check")
    assert predicted.code == 0, predicted
    assert lab.writes_since(mark) == []

    first = cache(control)
    assert (first.code, first.changed) == (0, 5), first
    (digest,) = {
        one["imageDigest"] for one in registries.owner.describe_images(repositoryName="release")["imageDetails"]
    }
    assert digest in first.output
    assert "denied  cache/develop:v1.0" in first.output
    assert (registries.names(), sorted(registries.prefixes)) == ({"cache/release"}, ["cache", "public"])
    assert registries.sids == ["theirs", f"CrossaccountEcrCache{accounts.CONSUMER}"]
    policy = registries.consumer.get_lifecycle_policy(repositoryName="cache/release")["lifecyclePolicyText"]
    assert json.loads(policy)["rules"][0]["rulePriority"] == 1

    mark = len(lab.calls())
    second = cache(control)
    assert (second.code, second.changed, lab.writes_since(mark)) == (0, 0, []), second

    pull = {"account": accounts.CONSUMER, "images": ["cache/release:v1.0"], "engine": "oci_layout"}
    for credentials in ("host", "controller"):
        options = {**pull, "dest": str(control.folder / credentials), "credentials": credentials}
        pulled = control.module("ecr_image_pull", "consumer-administrator", **options)
        assert (pulled["code"], pulled["changed"]) == (0, True), pulled
        refused = control.module("ecr_image_pull", "owner", **options)
        assert "The credentials belong to account 111111111111" in refused["msg"], refused

    end = cache(control, ecr_cache_state="absent")
    assert (end.code, end.changed) == (0, 3), end
    assert (registries.prefixes, registries.sids) == (["public"], ["theirs"])
    assert registries.names() == {"cache/release"}
    assert refusal(registries.iam.get_role, RoleName=ROLE)[0] == "NoSuchEntity"
    assert cache(control, ecr_cache_state="absent").changed == 0


@pytest.mark.engine
def test_docker_pulls_the_first_image_through_the_cache(
    control: Control, registries: Registries, docker: dict[str, str]
) -> None:
    control.engines = docker
    done = cache(control, ecr_cache_engine="docker")
    control.engines = {}
    assert done.code == 0, done
    assert "pulled  " in done.output
    assert registries.names() == {"cache/release"}


def test_each_account_configures_its_own_side(control: Control, registries: Registries) -> None:
    early = cache(control, ecr_cache_side="consumer", ecr_cache_owner_profile="missing", ecr_cache_wait_timeout=0)
    assert (early.code, early.changed) == (2, 3), early
    assert "ECR could not copy the image: check that the upstream registry has it" in " ".join(early.output.split())
    assert registries.sids == ["theirs"]
    owner = cache(control, ecr_cache_side="owner", ecr_cache_consumer_profile="missing")
    assert (owner.code, owner.changed) == (0, 1), owner
    assert "ecr_cache_side=consumer" in owner.output
    consumer = cache(control, ecr_cache_side="consumer", ecr_cache_owner_profile="missing")
    assert consumer.code == 0, consumer
    assert registries.names() == {"cache/release"}


def policy(*files: str) -> list[dict[str, Any]]:
    """The statements of policies that the documentation shows."""
    texts = [(ROOT / f"playbooks/vars/{file}-policy.json").read_text("utf-8") for file in files]
    named = [text.replace("CONSUMER_ACCOUNT", accounts.CONSUMER).replace("_ACCOUNT", "") for text in texts]
    return [statement for text in named for statement in json.loads(text)["Statement"]]


def test_documented_policies_are_enough(control: Control, registries: Registries, lab: Lab) -> None:
    owner = Account(lab).role(trust(accounts.OWNER), *policy("cache-owner"))
    files = ("cache-consumer", "cache-pull", "creation-template")
    consumer = Account(lab, "consumer-administrator").role(trust(accounts.CONSUMER), *policy(*files))
    roles = {"ecr_cache_owner_assume_role_arn": owner, "ecr_cache_consumer_assume_role_arn": consumer}
    for state in ("present", "absent"):
        done = cache(control, **roles, ecr_cache_state=state)
        assert done.code == 0, done


def test_image_that_is_available_fails_the_proof(control: Control, registries: Registries) -> None:
    failed = cache(control, ecr_cache_allowed_prefixes=["release", "develop"])
    output = " ".join(failed.output.split())
    assert failed.code == 2, failed
    assert "Image cache/develop:v1.0 can be pulled, although ecr_cache_denied lists it." in output


@pytest.mark.parametrize(
    ("variables", "part"),
    [
        ({"ecr_cache_prefix": "public/team"}, "overlaps with the declared prefix public/team"),
        ({"ecr_cache_owner_account": accounts.CONSUMER}, "is the registry of the cache itself."),
        ({"ecr_cache_allowed_prefixes": []}, "ecr_cache_allowed_prefixes is empty."),
        ({"ecr_cache_owner_profile": "consumer-administrator"}, "The credentials belong to account 222222222222"),
        ({"ecr_cache_prefixes": ["release"]}, "Variable ecr_cache_prefixes is unknown"),
    ],
)
def test_problems_are_found_before_the_first_write(
    control: Control, registries: Registries, lab: Lab, variables: dict[str, Any], part: str
) -> None:
    mark = len(lab.calls())
    failed = cache(control, **variables)
    assert (failed.code, part in " ".join(failed.output.split())) == (2, True), failed
    assert lab.writes_since(mark) == []
