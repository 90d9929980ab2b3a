# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The forms of a hand-off for pipelines: Terraform and GitHub Actions. Standard library only.

Sources: the provider hashicorp/aws, "assume_role Configuration Block"; action.yml of
aws-actions/configure-aws-credentials 6 and aws-actions/amazon-ecr-login 2.
"""

from __future__ import annotations

import shlex
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._form_text import (
    form_text,
    github_text,
    hcl_text,
    introduction,
    own_account,
    yaml_lines,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._handoff import Handoff
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_declaration import partition_of

#: The variable of the GitHub repository with the consumer's own role.
_OWN_ROLE = "ECR_PULL_CALLER_ROLE"
#: The audience in partition aws-cn. Source: README of configure-aws-credentials, "Audience".
_CHINA = "sts.amazonaws.com.cn"


def terraform(handoff: Handoff) -> str:
    """A configuration of the provider hashicorp/aws that assumes the pull role, and the URIs of the repositories."""
    name = f"ecr_pull_{handoff.owner}_{handoff.region.replace('-', '_')}"
    head = introduction(
        handoff,
        "Configuration of the Terraform provider hashicorp/aws",
        {
            "credentials": f"your own credentials in {own_account(handoff)}, in the environment of"
            f" terraform, such as AWS_PROFILE. They need sts:AssumeRole on {handoff.role_arn}."
        },
        "Copy this file into a module. It declares:",
        f"  provider = aws.{name}",
        f"  local.{name}[REPOSITORY]",
        "The data source aws_ecr_authorization_token writes a token to the state. The ephemeral resource of the same",
        "name does not.",
    )
    external_id = handoff.external_id
    lines = [
        *head,
        'provider "aws" {',
        f"  alias  = {hcl_text(name)}",
        f"  region = {hcl_text(handoff.region)}",
        "",
        "  assume_role {",
        *_aligned(
            {
                "role_arn": str(handoff.role_arn),
                **({} if external_id is None else {"external_id": external_id}),
            }
        ),
        "  }",
        "}",
        "",
        "locals {",
        f"  {name} = {{",
        *_aligned({hcl_text(repository): f"{handoff.registry}/{repository}" for repository in handoff.repositories}),
        "  }",
        "}",
    ]
    return form_text(lines)


def _aligned(attributes: t.Mapping[str, str]) -> list[str]:
    """Attributes in the format of `terraform fmt`."""
    width = max(map(len, attributes), default=0)
    return [f"    {name:{width}} = {hcl_text(value)}" for name, value in attributes.items()]


def github_actions(handoff: Handoff) -> str:
    """A workflow that assumes the consumer's own role with OpenID Connect, then the pull role, and pulls."""
    audience = {"audience": _CHINA} if partition_of(handoff.region) == "aws-cn" else {}
    head = introduction(
        handoff,
        "Workflow of GitHub Actions",
        {
            _OWN_ROLE: f"a variable of the GitHub repository, with the ARN of your own role in"
            f" {own_account(handoff)}. It trusts GitHub's OpenID Connect provider, and needs sts:AssumeRole on"
            f" {handoff.role_arn}."
        },
        "Copy this file to .github/workflows. A workflow with its own jobs uses the first three steps only.",
        "The pull role is assumed without session tags, because its trust policy may not allow sts:TagSession.",
        *(f"Your OpenID Connect provider in IAM needs the audience {one}." for one in audience.values()),
        *([] if handoff.images else ["The hand-off names no image. Add a step that pulls one after the third step."]),
    )
    region, images = github_text(handoff.region), [f"{handoff.registry}/{image}" for image in handoff.images]
    own_role = {"aws-region": region, "role-to-assume": f"${{{{ vars.{_OWN_ROLE} }}}}", **audience}
    external_id = handoff.external_id
    pull_role = {
        "aws-region": region,
        "role-to-assume": github_text(str(handoff.role_arn)),
        **({} if external_id is None else {"role-external-id": github_text(external_id)}),
        "role-chaining": True,
        "role-skip-session-tagging": True,
    }
    action = "aws-actions/configure-aws-credentials@v6"
    steps: list[dict[str, t.Any]] = [
        {"uses": action, "with": own_role},
        {"uses": action, "with": pull_role},
        {"uses": "aws-actions/amazon-ecr-login@v2", "with": {"registries": github_text(handoff.owner)}},
        *({"run": github_text(shlex.join(["docker", "pull", image]))} for image in images),
    ]
    workflow = {
        "name": github_text(f"Pull from {handoff.owner}"),
        "on": {"workflow_dispatch": {}},
        "permissions": {"id-token": "write"},
        "jobs": {"pull": {"runs-on": "ubuntu-latest", "steps": steps}},
    }
    return form_text([*head, "---", *yaml_lines(workflow)])
