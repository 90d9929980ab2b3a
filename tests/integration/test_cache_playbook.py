# SPDX-License-Identifier: GPL-3.0-or-later
"""cache.yml, from nothing to a pull through the cache with a container engine, and to its end."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab import accounts
from tests.lab.clients import Account, refusal, trust
from tests.support.cache_registries import ROLE, Registries
from tests.support.control import Control, Run
from tests.support.lab import Lab
from tests.support.paths import ROOT

DECLARATION = "@playbooks/vars/cache.yml"
LAYOUT = {"ecr_cache_engine": "oci_layout"}


@pytest.fixture
def registries(lab: Lab, control: Control) -> Iterator[Registries]:
    shutil.rmtree(control.folder / "layout", ignore_errors=True)
    found = Registries(lab)
    found.reset()
    yield found
    found.end()


def cache(control: Control, *arguments: str, **variables: Any) -> Run:
    waiting = {"ecr_cache_wait_interval": 0.05, "ecr_cache_wait_timeout": 20}
    layout = {"ecr_cache_dest": str(control.folder / "layout"), **LAYOUT}
    return control.playbook("cache", None, "-e", DECLARATION, *arguments, **{**waiting, **layout, **variables})


def flat(run: Run) -> str:
    """The output without line breaks."""
    return " ".join(run.output.split())


def results(run: Run) -> dict[str, str]:
    """The diff and the status of each task that changes an account, without the lines of progress."""
    output = re.sub(r"(?m)^localhost: .*\n", "", run.output)
    tasks = re.findall(r"(?ms)^TASK \[(?:\S+ : )?([^\]]*)\] \*+\n(.*?)(?=^TASK|^PLAY)", output)
    return {name: text for name, text in tasks if name.split()[0] not in ("Pull", "Show", "Set")}


def both(control: Control, registries: Registries, **variables: Any) -> tuple[Run, int, list[str]]:
    """The run after its check mode, which shows the same and writes nothing; its changes, and its writes."""
    lab = registries.lab
    mark = len(lab.calls())
    predicted = cache(control, "--check", "--diff", **variables)
    assert lab.writes_since(mark) == []
    mark = len(lab.calls())
    done = cache(control, "--diff", **variables)
    assert (predicted.code, done.code) == (0, 0), (predicted, done)
    assert results(predicted) == results(done)
    assert len(results(done)) == 9
    return done, done.changed, lab.writes_since(mark)


def test_cache_from_nothing_to_its_end(control: Control, registries: Registries) -> None:
    first, changed, _writes = both(control, registries)
    assert changed == 5, first
    (digest,) = {
        one["imageDigest"] for one in registries.owner.describe_images(repositoryName="release")["imageDetails"]
    }
    assert digest in first.output
    assert "denied  cache/develop:v1.0" in first.output
    assert (registries.names(), sorted(registries.prefixes)) == ({"cache/release"}, ["cache", "public"])
    assert registries.sids == ["theirs", f"CrossaccountEcrCache{accounts.CONSUMER}"]
    policy = registries.consumer.get_lifecycle_policy(repositoryName="cache/release")["lifecyclePolicyText"]
    assert json.loads(policy)["rules"][0]["rulePriority"] == 1
    assert registries.templates["cache"]["description"] == f"crossaccount.ecr: cache of account {accounts.OWNER}"

    second, changed, writes = both(control, registries)
    assert (changed, writes) == (0, []), second

    pull = {"account": accounts.CONSUMER, "images": ["cache/release:v1.0"], "engine": "oci_layout"}
    for credentials in ("host", "control_node"):
        options = {**pull, "dest": str(control.folder / credentials), "credentials": credentials}
        pulled = control.module("ecr_image_pull", "consumer-administrator", **options)
        assert (pulled["code"], pulled["changed"]) == (0, True), pulled
        refused = control.module("ecr_image_pull", "owner", **options)
        assert "The credentials belong to account 111111111111" in refused["msg"], refused

    end, changed, _writes = both(control, registries, ecr_cache_state="absent")
    assert changed == 4, end
    assert (registries.prefixes, registries.sids, [*registries.templates]) == (["public"], ["theirs"], [])
    assert registries.names() == {"cache/release"}
    assert refusal(registries.iam.get_role, RoleName=ROLE)[0] == "NoSuchEntity"
    again, changed, writes = both(control, registries, ecr_cache_state="absent")
    assert (changed, writes) == (0, []), again


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
    assert "ECR could not copy the image: check that the upstream registry has it" in flat(early)
    assert registries.sids == ["theirs"]
    owner = cache(control, ecr_cache_side="owner", ecr_cache_consumer_profile="missing")
    assert (owner.code, owner.changed) == (0, 1), owner
    assert "ecr_cache_side=consumer" in owner.output
    consumer = cache(control, ecr_cache_side="consumer", ecr_cache_owner_profile="missing")
    assert consumer.code == 0, consumer
    assert registries.names() == {"cache/release"}


def test_cache_of_another_region_of_the_same_account(control: Control, registries: Registries) -> None:
    place = {"ecr_cache_region": "us-east-1", "ecr_cache_owner_region": accounts.REGION}
    names = ("ecr_cache_owner_account", "ecr_cache_consumer_account")
    declared = {**dict.fromkeys(names, accounts.OWNER), **place, "ecr_cache_consumer_profile": "owner"}
    declared["ecr_cache_dest"] = str(control.folder / "other-region")
    refused = cache(control, **declared, ecr_cache_side="owner")
    assert "ecr_cache_owner_account and ecr_cache_consumer_account are both 111111111111." in flat(refused), refused
    own = cache(control, **{**declared, "ecr_cache_owner_region": "us-east-1"})
    assert "111111111111 in us-east-1 is the registry of the cache itself." in flat(own), own

    for side, changed in (("both", 4), ("consumer", 0)):
        done = cache(control, **declared, ecr_cache_side=side, ecr_cache_owner_profile="missing")
        assert (done.code, done.changed) == (0, changed), done
        assert "denied  cache/develop:v1.0" in done.output
        assert registries.sids == ["theirs"]
        unproven = cache(control, "--check", **declared, ecr_cache_side=side)
        assert "from account 111111111111: present" in flat(unproven), unproven
        assert "runs cache.yml with the same variables" not in flat(unproven)
    ecr = registries.lab.session("owner").client("ecr", region_name="us-east-1")
    assert [one["repositoryName"] for one in ecr.describe_repositories()["repositories"]] == ["cache/release"]
    end = cache(control, **declared, ecr_cache_state="absent")
    assert (end.code, end.changed, registries.sids) == (0, 3, ["theirs"]), end
    ecr.delete_repository(repositoryName="cache/release", force=True)


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
    assert failed.code == 2, failed
    assert "Image cache/develop:v1.0 can be pulled, although ecr_cache_denied lists it." in flat(failed)


def test_template_of_others_is_kept(control: Control, registries: Registries) -> None:
    registries.consumer.create_repository_creation_template(prefix="cache", appliedFor=["PULL_THROUGH_CACHE"])
    before = registries.templates
    end = cache(control, ecr_cache_state="absent")
    assert (end.code, end.changed, registries.templates) == (0, 0, before), end
    assert f"account {accounts.CONSUMER} in {accounts.REGION} was not created by a cache of" in flat(end)


def test_problems_name_the_variables_before_the_first_write(control: Control, registries: Registries, lab: Lab) -> None:
    registries.consumer.create_repository_creation_template(prefix="public/team", appliedFor=["PULL_THROUGH_CACHE"])
    mark = len(lab.calls())
    failed = cache(control, ecr_cache_prefix="public/team", ecr_cache_owner_profile="consumer-administrator")
    assert failed.code == 2
    for part in (
        "3 problems, nothing was written:",
        "Set ecr_cache_adopt to true to manage it anyway, or remove it from ecr_cache_template.",
        "Declare another ecr_cache_prefix, which neither contains",
        "Use credentials of account 111111111111, or correct ecr_cache_owner_account.",
    ):
        assert part in flat(failed), failed
    unknown = cache(control, ecr_cache_prefixes=["release"])
    assert "Variable ecr_cache_prefixes is unknown" in flat(unknown), unknown
    assert lab.writes_since(mark) == []
