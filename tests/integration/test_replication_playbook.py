# SPDX-License-Identifier: GPL-3.0-or-later
"""replicate.yml, from nothing to the comparison of all images by digest, and to its end."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from botocore.model import ServiceModel

from tests.lab import accounts
from tests.lab.clients import Account, allow, document, refusal, trust
from tests.lab.replication_copies import configure, digests, fill
from tests.support.control import Control, Run
from tests.support.lab import Lab
from tests.support.paths import ROOT
from tests.support.role_here import run_module, run_role

DECLARATION = "@playbooks/vars/replication.yml"
FOREIGN_RULE: dict[str, Any] = {
    "destinations": [{"region": "eu-west-1", "registryId": accounts.STRANGER}],
    "repositoryFilters": [{"filter": "team/", "filterType": "PREFIX_MATCH"}],
}
DELETING = {"deleteReplication": {"enabled": True}}
CONSUMER = {"ecr_replicate_consumer_account": accounts.CONSUMER}
ADOPT = {"ecr_replicate_adopt": True}
LIFECYCLE_POLICY = {
    "rules": [
        {
            "rulePriority": 1,
            "selection": {
                **{"tagStatus": "untagged", "countType": "sinceImagePushed"},
                **{"countUnit": "days", "countNumber": 14},
            },
            "action": {"type": "expire"},
        }
    ]
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

    @property
    def templates(self) -> list[dict[str, Any]]:
        """The creation templates of the consumer account."""
        found: list[dict[str, Any]] = self.consumer.describe_repository_creation_templates()[
            "repositoryCreationTemplates"
        ]
        return found

    def names(self, ecr: Any = None) -> set[str]:
        """The repositories of the consumer account, or of the account of a client."""
        return {one["repositoryName"] for one in (ecr or self.consumer).describe_repositories()["repositories"]}

    def reset(self) -> None:
        configure(self.owner, FOREIGN_RULE)
        refusal(self.consumer.delete_registry_policy)
        for ecr, kept in ((self.consumer, set[str]()), (self.owner, {*accounts.REPOSITORIES})):
            for name in self.names(ecr) - kept:
                ecr.delete_repository(repositoryName=name, force=True)
        for template in self.templates:
            self.consumer.delete_repository_creation_template(prefix=template["prefix"])


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


def flat(run: Run) -> str:
    """The output without line breaks."""
    return " ".join(run.output.split())


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
    assert f"- {place}: no new images appear. 1 copy of the selection stays" in end.output
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


def test_each_account_configures_its_own_side(
    control: Control, registries: Registries, lab: Lab, tmp_path: pathlib.Path
) -> None:
    """The owner account declares everything once. No account types a value of the other one."""
    offer, answer = tmp_path / "offer.yml", tmp_path / "answer.yml"
    owner = {"ecr_replicate_side": "owner", "ecr_replicate_consumer_profile": "missing"}
    mark = len(lab.calls())
    early = replicate(control, **owner, ecr_replicate_handoff_path=str(offer))
    assert (early.code, lab.writes_since(mark)) == (2, []), early
    assert "222222222222 does not accept the images yet. Missing there: the registry policy." in flat(early)
    assert f"Give it {offer} as FILE. That account runs `ansible-playbook crossaccount.ecr.replicate -e" in flat(early)

    consumer = control.playbook(
        "replicate",
        None,
        ecr_replicate_side="consumer",
        ecr_replicate_consumer_profile="consumer-administrator",
        ecr_replicate_handoff=str(offer),
        ecr_replicate_handoff_path=str(answer),
    )
    assert (consumer.code, consumer.changed) == (0, 2), consumer
    assert "ecr_replicate_side=owner" in consumer.output
    assert registries.rules == [FOREIGN_RULE]

    more = replicate(control, **owner, ecr_replicate_handoff=str(answer), ecr_replicate_prefixes=["release", "teams/"])
    assert "Missing there: prefix teams/." in flat(more)
    assert registries.rules == [FOREIGN_RULE]
    final = replicate(control, **owner, ecr_replicate_handoff=str(answer))
    assert final.code == 0, final
    assert digests(registries.consumer, "release") == digests(registries.owner, "release")
    assert replicate(control, **owner, ecr_replicate_accepted=True).changed == 0
    assert replicate(control).changed == 0


def test_handoff_is_data(control: Control, registries: Registries, lab: Lab, tmp_path: pathlib.Path) -> None:
    """A template in a hand-off is not evaluated, and what the consumer account declares takes precedence."""
    offer, marker, mark = tmp_path / "offer.yml", tmp_path / "executed", len(lab.calls())
    side = {"ecr_replicate_side": "consumer", "ecr_replicate_consumer_profile": "consumer-administrator"}
    template = "{{ lookup('pipe', 'touch " + str(marker) + "') }}"
    offer.write_text(f'ecr_replicate_owner_account: "{template}"\necr_replicate_prefixes: ["{template}"]\n')
    run = control.playbook("replicate", None, **side, ecr_replicate_handoff=str(offer), **CONSUMER)
    assert (run.code, marker.exists()) == (2, False), run
    offer.write_text(f'ecr_replicate_owner_account: "{accounts.STRANGER}"\n')
    run = replicate(control, **side, ecr_replicate_handoff=str(offer))
    assert run.code == 2, run
    assert "ecr_replicate_owner_account is 111111111111, but the hand-off has 333333333333." in flat(run)
    assert lab.writes_since(mark) == []


def test_owner_completes_an_interrupted_run(control: Control, registries: Registries, lab: Lab) -> None:
    """A run that ends after the rule and before the backfill, although an older backfill was successful."""
    owner = {"ecr_replicate_side": "owner", "ecr_replicate_accepted": True}
    assert replicate(control).code == 0
    name = fill(lab, registries.owner, "late", 2)
    prefixes = {"ecr_replicate_prefixes": ["late/", "release"]}
    assert replicate(control, **prefixes, ecr_replicate_side="consumer").code == 0
    assert replicate(control, **prefixes, **owner, ecr_replicate_backfill=False).changed == 1  # only the rule
    assert name not in registries.names()
    completed = replicate(control, **prefixes, **owner)
    assert (completed.code, completed.changed) == (0, 1), completed
    assert digests(registries.consumer, name) == digests(registries.owner, name)
    assert replicate(control, **prefixes, **owner).changed == 0


TEMPLATE = {
    "prefix": "templates",
    "image_tag_mutability": "IMMUTABLE_WITH_EXCLUSION",
    "image_tag_mutability_exclusions": ["latest"],
    "lifecycle_policy": LIFECYCLE_POLICY,
}


def test_templates_exist_before_the_copies(control: Control, registries: Registries, lab: Lab) -> None:
    name = fill(lab, registries.owner, "templates", 1)
    variables = {"ecr_replicate_prefixes": ["templates/"], "ecr_replicate_templates": [TEMPLATE]}
    mark = len(lab.calls())
    predicted = replicate(control, "--check", **variables)
    assert (predicted.code, predicted.changed, lab.writes_since(mark)) == (0, 4, []), predicted
    first = replicate(control, **variables)
    assert (first.code, first.changed) == (0, 4), first
    copy = registries.consumer.describe_repositories(repositoryNames=[name])["repositories"][0]
    assert copy["imageTagMutability"] == "IMMUTABLE_WITH_EXCLUSION"
    assert replicate(control, **variables).changed == 0
    assert [one["prefix"] for one in registries.templates] == ["templates"]
    assert replicate(control, **variables, ecr_replicate_state="absent").changed == 3
    assert registries.templates == []


def test_templates_of_others_are_kept(control: Control, registries: Registries, lab: Lab) -> None:
    registries.consumer.create_repository_creation_template(prefix="templates", appliedFor=["CREATE_ON_PUSH"])
    before = registries.templates
    variables = {"ecr_replicate_prefixes": ["release"], "ecr_replicate_templates": [TEMPLATE]}
    mark = len(lab.calls())
    refused = replicate(control, **variables)
    assert (refused.code, lab.writes_since(mark)) == (2, []), refused
    assert "Repository creation template templates was not created by a replication" in flat(refused)
    assert "no selected repository begins with templates/." in flat(replicate(control, **variables, **ADOPT))
    assert registries.templates[0]["appliedFor"] == ["CREATE_ON_PUSH", "REPLICATION"]
    registries.consumer.update_repository_creation_template(
        **{name: before[0][name] for name in ("prefix", "appliedFor")}, description="of another team"
    )
    ended = replicate(control, **variables, ecr_replicate_state="absent")
    assert ended.code == 0, ended
    assert [one["description"] for one in registries.templates] == ["of another team"]


@pytest.mark.parametrize(
    ("variables", "parts"),
    [
        ({"ecr_replicate_regions": ["cn-north-1"]}, ["ECR does not replicate between partitions."]),
        (
            {"ecr_replicate_regions": ["af-south-1", "cn-north-1", "eu-west-1"], "ecr_replicate_prefixes": ["team/x"]},
            [
                "Region af-south-1 is not enabled in account 222222222222.",
                "ECR does not replicate between partitions.",
            ],
        ),
        (
            {"ecr_replicate_prefixes": [f"team/{number:02}{'x' * 200}" for number in range(60)]},
            ["The registry policy would have", "ECR accepts up to 10,240."],
        ),
        (
            {"ecr_replicate_templates": [{"prefix": "x", "tags": {"environment": "release"}}, {"prefix": "x"}]},
            ["the prefix x is declared more than once."],
        ),
        (
            {"ecr_replicate_templates": [{"prefix": "x", "tags": {"environment": "release"}}]},
            ["Repository creation template x sets tags, but has no custom role."],
        ),
        (
            {"ecr_replicate_side": "consumer", "ecr_replicate_handoff_path": "/nonexistent/answer.yml"},
            ["The directory of ecr_replicate_handoff_path /nonexistent/answer.yml does not exist."],
        ),
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
            {
                "ecr_replicate_images": [
                    "develop:v1.0",
                    "Release",
                    f"{accounts.CONSUMER}.dkr.ecr.eu-west-1.on.aws/app:b",
                ]
            },
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


def test_documents_of_others_are_problems_before_the_first_write(
    control: Control, registries: Registries, lab: Lab
) -> None:
    place = {"region": accounts.REGION, "registryId": accounts.CONSUMER}
    filters = [{"filter": "rel", "filterType": "PREFIX_MATCH"}]
    configure(registries.owner, {"destinations": [place], "repositoryFilters": filters, **DELETING})
    statement = {
        **{"Sid": f"CrossaccountEcrReplication{accounts.OWNER}", "Effect": "Deny", "Principal": "*"},
        **{"Action": ["ecr:ReplicateImage"], "Resource": ["*"]},
    }
    registries.consumer.put_registry_policy(policyText=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    mark = len(lab.calls())
    run = replicate(control, ecr_replicate_prefixes=["release", "relief"])
    assert (run.code, lab.writes_since(mark)) == (2, []), run
    assert "2 problems, nothing was written:" in flat(run)
    assert "Rule 1 of the registry, rel* to account 222222222222 in ap-northeast-1, with deletions, overlaps" in flat(
        run
    )
    assert f"{accounts.REGION}: Statement CrossaccountEcrReplication111111111111 of the registry policy is not" in flat(
        run
    )


def test_deletions_are_replicated_with_consent(control: Control, registries: Registries, lab: Lab) -> None:
    name = fill(lab, registries.owner, "deleted", 2)
    consent = {"ecr_replicate_delete_replication": True, "ecr_replicate_allow_deletions": True}
    run = replicate(control, ecr_replicate_prefixes=["deleted/"], **consent)
    assert run.code == 0, run
    assert "deletes the copy there. This affects 2 images now." in " ".join(run.output.split())
    registries.owner.batch_delete_image(repositoryName=name, imageIds=[{"imageTag": "0"}])
    assert digests(registries.consumer, name) == digests(registries.owner, name)
    assert len(digests(registries.consumer, name)) == 1


def test_deletions_are_shown_by_each_side(registries: Registries, lab: Lab, callers: Callers) -> None:
    """A run of the owner account alone lists what could be deleted. A rule that deletes already is shown, too."""
    variables, deleting = callers.variables(), {"ecr_replicate_delete_replication": True}
    (refused,) = run_role(lab, "ecr_replicate", {**variables, **OWNER_SIDE, **deleting})
    assert "This affects these images: release:v1.0. To consent" in refused["msg"]
    place = {"region": accounts.REGION, "registryId": accounts.CONSUMER}
    filters = [{"filter": "release", "filterType": "PREFIX_MATCH"}]
    configure(registries.owner, {"destinations": [place], "repositoryFilters": filters, **DELETING})
    plan = run_role(lab, "ecr_replicate", variables)[0]
    assert plan["lines"][-1].endswith("deletes the copy there. This affects 1 image now.")


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


def permissions(name: str, custom_role: str = "", missing: str = "") -> list[dict[str, Any]]:
    """The statements of a documented policy, without one action."""
    text = (ROOT / f"playbooks/vars/{name}-policy.json").read_text("utf-8")
    text = text.replace("arn:aws:iam::ACCOUNT:role/CUSTOM_ROLE", custom_role)
    for placeholder, account in (("OWNER_ACCOUNT", accounts.OWNER), ("CONSUMER_ACCOUNT", accounts.CONSUMER)):
        text = text.replace(placeholder, account)
    found: list[dict[str, Any]] = json.loads(text)["Statement"]
    listed = [{**one, "Action": [one["Action"]] if isinstance(one["Action"], str) else one["Action"]} for one in found]
    kept = [{**one, "Action": [action for action in one["Action"] if action != missing]} for one in listed]
    return [one for one in kept if one["Action"]]


def actions(*names: str) -> set[str]:
    return {action for name in names for statement in permissions(name) for action in statement["Action"]}


OWNER_POLICY, CONSUMER_POLICIES = "replication-owner", ("replication-consumer", "creation-template")
SHARED = {"environment": "release"}


class Callers:
    """Roles that have exactly the permissions of the documented policies, and the custom role of the template."""

    def __init__(self, lab: Lab) -> None:
        self.owner, self.consumer = Account(lab), Account(lab, "consumer-administrator")
        self.custom_role = self.consumer.role(trust(accounts.CONSUMER), allow("ecr:*"))

    def variables(self, missing: str = "") -> dict[str, Any]:
        """The variables of a replication with a template, by two roles which lack an action."""
        consumer = [
            statement for name in CONSUMER_POLICIES for statement in permissions(name, self.custom_role, missing)
        ]
        owner = permissions(OWNER_POLICY, missing=missing)
        return {
            **yaml.safe_load((ROOT / DECLARATION.removeprefix("@")).read_text("utf-8")),
            "ecr_replicate_images": [],
            "ecr_replicate_owner_assume_role_arn": self.owner.role(trust(accounts.OWNER), *owner),
            "ecr_replicate_consumer_assume_role_arn": self.consumer.role(trust(accounts.CONSUMER), *consumer),
            **self.template(tags={"team": "a"}),
        }

    def template(self, **settings: Any) -> dict[str, Any]:
        """The variable for a template of every repository."""
        policy = json.loads(document(allow("ecr:BatchGetImage", Principal="*")))
        del policy["Statement"][0]["Resource"]
        template = {"prefix": "ROOT", "custom_role_arn": self.custom_role, "repository_policy": policy, **settings}
        return {"ecr_replicate_templates": [{**template, "lifecycle_policy": LIFECYCLE_POLICY}]}

    def forget_the_linked_role(self) -> None:
        """Another rule is again the first one of the account."""
        refusal(self.owner.iam.delete_role, RoleName="AWSServiceRoleForECRReplication")


@pytest.fixture(scope="module")
def callers(lab: Lab) -> Callers:
    return Callers(lab)


OWNER_SIDE = {"ecr_replicate_side": "owner", "ecr_replicate_accepted": True}
END = {"ecr_replicate_state": "absent"}
#: The actions that a run from nothing does not need.
LATER: dict[str, dict[str, Any]] = {
    "ecr:DescribeImageReplicationStatus": OWNER_SIDE,
    "ecr:DescribeReplicationBackfillResults": OWNER_SIDE,
    "ecr:DeleteRegistryPolicy": END,
    "ecr:DeleteRepositoryCreationTemplate": END,
    "ecr:UpdateRepositoryCreationTemplate": {},
}
#: The actions that only a pull needs.
PULL = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:GetAuthorizationToken")


def pulling(control: Control, name: str) -> dict[str, Any]:
    """The variables for a pull into a folder."""
    layout = {"ecr_replicate_engine": "oci_layout", "ecr_replicate_dest": str(control.folder / name)}
    return {"ecr_replicate_images": ["release:v1.0"], **layout}


def test_documented_policies_are_sufficient(
    control: Control, registries: Registries, lab: Lab, callers: Callers
) -> None:
    configure(registries.owner)
    callers.forget_the_linked_role()
    exact = callers.variables()
    runs = [replicate(control, **{**exact, **pulling(control, "sufficient")})]
    fill(lab, registries.owner, "release", 1)  # the rule replicates it, so no backfill has it
    changed = {**exact, **callers.template(tags={"team": "b"})}
    runs += [
        replicate(control, **changed),
        replicate(control, **changed, **OWNER_SIDE),
        replicate(control, **exact, **END),
    ]
    assert [(run.code, run.changed) for run in runs] == [(0, 5), (0, 1), (0, 0), (0, 3)], runs


@pytest.mark.parametrize("action", sorted(actions(OWNER_POLICY, *CONSUMER_POLICIES)))
def test_each_documented_action_is_needed(
    control: Control, registries: Registries, lab: Lab, callers: Callers, action: str
) -> None:
    more = pulling(control, action.partition(":")[2]) if action in PULL else LATER.get(action)
    configure(registries.owner)
    callers.forget_the_linked_role()
    variables = {**callers.variables(action), **(more or {})}
    if more is not None:
        first = {**callers.variables(), **callers.template(tags={"team": "b"})}
        assert [one["msg"] for one in run_role(lab, "ecr_replicate", first) if one.get("failed")] == []
        fill(lab, registries.owner, "release", 1)
    *done, failed = run_role(lab, "ecr_replicate", variables)
    assert [one.get("failed", False) for one in done] == [False] * len(done)
    assert (failed.get("failed"), action in failed.get("msg", "")) == (True, True), failed


def test_replication_to_existing_repositories(registries: Registries, lab: Lab, callers: Callers) -> None:
    variables = {**callers.variables(), "ecr_replicate_create_repositories": False}
    mark = len(lab.calls())
    (refused,) = run_role(lab, "ecr_replicate", variables)
    assert (refused.get("failed"), lab.writes_since(mark)) == (True, []), refused
    assert f"account {accounts.CONSUMER} in {accounts.REGION} lacks release, and create_repositories" in refused["msg"]
    registries.consumer.create_repository(repositoryName="release")
    results = run_role(lab, "ecr_replicate", variables)
    assert [one["msg"] for one in results if one.get("failed")] == []
    assert results[-1]["images"][0]["status"] == "COMPLETE"


@pytest.mark.parametrize("side", [{}, OWNER_SIDE])
def test_botocore_without_backfills_is_found_first(
    registries: Registries, lab: Lab, callers: Callers, monkeypatch: pytest.MonkeyPatch, side: dict[str, Any]
) -> None:
    def of_old_botocore(model: ServiceModel) -> list[str]:
        return [name for name in model._service_description["operations"] if "ReplicationBackfill" not in name]

    variables, mark = {**callers.variables(), **side}, len(lab.calls())
    monkeypatch.setattr(ServiceModel, "operation_names", property(of_old_botocore))
    (refused,) = run_role(lab, "ecr_replicate", variables)
    assert (refused.get("failed"), lab.writes_since(mark)) == (True, []), refused
    assert "does not support StartReplicationBackfill." in refused["msg"]
    assert "Or copy the existing images with skopeo" in refused["msg"]


def test_template_that_shares_needs_consent(registries: Registries, lab: Lab, callers: Callers) -> None:
    """The consumer account has a pull role of this collection that grants access by a tag of the template."""
    consumers = [{"account": accounts.STRANGER, "external_id": "test"}]
    shared = {"name": "sharing", "repository_tags": SHARED, "consumers": consumers}
    assert run_module(lab, "iam_ecr_pull_role", {"profile": "consumer-administrator", **shared})["changed"]
    variables, mark = {**callers.variables(), **callers.template(tags=SHARED)}, len(lab.calls())
    (refused,) = run_role(lab, "ecr_replicate", variables)
    assert (refused.get("failed"), lab.writes_since(mark)) == (True, []), refused
    assert "sets environment=release, which shares each repository that ECR creates with the template" in refused["msg"]
    assert "through the role sharing. To consent, set allow_sharing_tags: true." in refused["msg"]
    variables |= callers.template(tags=SHARED, allow_sharing_tags=True)
    assert [one["msg"] for one in run_role(lab, "ecr_replicate", variables) if one.get("failed")] == []
    arn = f"arn:aws:ecr:{accounts.REGION}:{accounts.CONSUMER}:repository/release"
    tags = registries.consumer.list_tags_for_resource(resourceArn=arn)["tags"]
    assert tags == [{"Key": "environment", "Value": "release"}]
