# SPDX-License-Identifier: GPL-3.0-or-later
"""A denial names the type of the policy that denies, and the ARN of a managed policy if AWS reveals it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.lab import Lab

from . import accounts
from .clients import PREFIX, RELEASE, REPOSITORIES, Account, allow, denial, deny, document, trust

TAGS, READ = "ecr:ListTagsForResource", {"resourceArn": RELEASE}
IN_IDENTITY = "with an explicit deny in an identity-based policy"


@pytest.fixture(scope="module")
def account(lab: Lab) -> Account:
    return Account(lab)


def test_explicit_deny_in_a_managed_policy_names_its_arn(account: Account) -> None:
    denying = account.policy(deny(TAGS))
    ecr = account.user("ecr", allow("*"), attached=(account.policy(allow("*")), denying))
    assert denial(ecr.list_tags_for_resource, **READ) == f"{IN_IDENTITY}: {denying}"
    assert not denial(ecr.describe_repositories)


def test_explicit_deny_in_an_inline_policy_has_no_arn(account: Account) -> None:
    ecr = account.user("ecr", allow("*"), deny(TAGS))
    assert denial(ecr.list_tags_for_resource, **READ) == IN_IDENTITY


def test_explicit_deny_of_a_policy_with_variables_names_its_arn(account: Account) -> None:
    everyone = {"Condition": {"StringEquals": {"aws:PrincipalArn": f"{PREFIX}user/${{aws:username}}"}}}
    denying = account.policy(deny(TAGS, **everyone))
    ecr = account.user("ecr", allow("*"), attached=(denying,))
    assert denial(ecr.list_tags_for_resource, **READ) == f"{IN_IDENTITY}: {denying}"


def test_missing_permission_names_no_arn(account: Account) -> None:
    attached = (account.policy(allow("ecr:DescribeRepositories")),)
    ecr = account.user("ecr", attached=attached)
    assert denial(ecr.list_tags_for_resource, **READ) == f"because no identity-based policy allows the {TAGS} action"


def test_deny_in_boundary_or_session_policy_names_arn(account: Account) -> None:
    denying = account.policy(allow("*"), deny(TAGS))
    bounded = account.user("ecr", allow("*"), boundary=denying)
    assert (
        denial(bounded.list_tags_for_resource, **READ) == f"with an explicit deny in a permissions boundary: {denying}"
    )
    name = account.role(trust(account.id), allow("*")).rpartition("/")[2]
    managed: Any = {"PolicyArns": [{"arn": denying}]}
    session = account.lab.assume("owner", "ecr", name, **managed)
    assert denial(session.list_tags_for_resource, **READ) == f"with an explicit deny in a session policy: {denying}"
    inline = account.lab.assume("owner", "ecr", name, Policy=document(allow("*"), deny(TAGS)))
    assert denial(inline.list_tags_for_resource, **READ) == "with an explicit deny in a session policy"


def test_deny_of_iam_and_tagging_names_arn(account: Account) -> None:
    denying = account.policy(deny("iam:GetRole", "tag:GetResources", "ecr:TagResource"))
    session = account.user_session(allow("*"), attached=(denying,))
    assert denial(session.client("iam").get_role, RoleName="any") == f"{IN_IDENTITY}: {denying}"
    tagging = session.client("resourcegroupstaggingapi")
    assert denial(tagging.get_resources) == f"{IN_IDENTITY}: {denying}"
    reply = tagging.tag_resources(ResourceARNList=[RELEASE], Tags={"a": "b"})
    assert reply["FailedResourcesMap"][RELEASE]["ErrorMessage"].endswith(f"{IN_IDENTITY}: {denying}")


def test_explicit_deny_of_a_role_in_another_account_has_no_arn(lab: Lab, account: Account) -> None:
    role = account.role(trust(accounts.CONSUMER), allow("*"))
    consumer = Account(lab, "consumer-administrator")
    sts = consumer.user("sts", allow("*"), attached=(consumer.policy(deny("sts:AssumeRole")),))
    assert denial(sts.assume_role, RoleArn=role, RoleSessionName="any") == IN_IDENTITY


def test_policy_of_the_repository_is_a_resource_based_policy(account: Account) -> None:
    ecr = account.lab.client("owner", "ecr")
    ecr.create_repository(repositoryName="guarded")
    statement = deny(TAGS, Principal="*")
    del statement["Resource"]
    ecr.set_repository_policy(repositoryName="guarded", policyText=document(statement))
    user = account.user("ecr", allow("*"))
    arn = f"{REPOSITORIES}guarded"
    assert denial(user.list_tags_for_resource, resourceArn=arn) == "with an explicit deny in a resource-based policy"
