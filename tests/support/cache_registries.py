# SPDX-License-Identifier: GPL-3.0-or-later
"""The two registries of a cache in the lab."""

from __future__ import annotations

import json
from typing import Any

from tests.lab import accounts
from tests.lab.clients import allow, document, refusal
from tests.support.lab import Lab

FOREIGN = allow("ecr:ListImages", Sid="theirs", Principal={"AWS": f"arn:aws:iam::{accounts.STRANGER}:root"})
PUBLIC = {"ecrRepositoryPrefix": "public", "upstreamRegistryUrl": "public.ecr.aws"}
ROLE, POLICY = "ecr-cache", f"arn:aws:iam::{accounts.CONSUMER}:policy/ecr-cache"


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
        for prefix in self.templates:
            self.consumer.delete_repository_creation_template(prefix=prefix)
        refusal(self.iam.detach_role_policy, RoleName=ROLE, PolicyArn=POLICY)
        refusal(self.iam.delete_role, RoleName=ROLE)
        refusal(self.iam.delete_policy, PolicyArn=POLICY)
        for name in self.names():
            self.consumer.delete_repository(repositoryName=name, force=True)

    def end(self) -> None:
        self.reset()
        self.owner.delete_registry_policy()

    @property
    def templates(self) -> dict[str, dict[str, Any]]:
        """The creation templates of the account that caches, by their prefixes."""
        found = self.consumer.describe_repository_creation_templates()["repositoryCreationTemplates"]
        return {template["prefix"]: template for template in found}
