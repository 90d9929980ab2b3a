# SPDX-License-Identifier: GPL-3.0-or-later
"""The declaration of a tag guard, and its problems before the first write."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity, arn_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import Attachment, AttachmentKind
from ansible_collections.crossaccount.ecr.plugins.module_utils._tag_guard import PolicyType, policy_size
from ansible_collections.crossaccount.ecr.plugins.module_utils._tag_guard_declaration import (
    ExistingPrincipal,
    GuardedPrincipal,
    TagGuardDeclaration,
    existence_problems,
    guard_documents,
    guard_name_problems,
    is_caller,
    tag_guard_of,
    tag_guard_problems,
)

OWNER = Identity("aws", "111111111111")
CALLER = arn_of("arn:aws:sts::111111111111:assumed-role/Owner/session")
USER, ROLE = AttachmentKind.USER, AttachmentKind.ROLE


def declaration(**chosen: Any) -> TagGuardDeclaration:
    options = {
        "guard_name": "guard",
        "guard": "deny",
        "repository_tags": {"environment": "release"},
        "principals": ["user/developer"],
        "dest": "folder",
        "regions": None,
        "adopt": False,
    }
    return tag_guard_of({**options, **chosen})


def problems(**chosen: Any) -> list[str]:
    return list(tag_guard_problems(declaration(**chosen), CALLER))


def test_options_are_those_of_the_module() -> None:
    declared = declaration(regions=["eu-west-1"], adopt=True)
    assert tag_guard_of(declared.options) == declared
    assert (declared.is_present, declared.denies) == (True, True)
    assert (declaration(guard="report").is_present, declaration(guard="report").denies) == (True, False)
    assert (declaration(guard="absent").is_present, declaration(guard="absent").denies) == (False, False)
    assert declaration(repository_tags={"a": ["b", "c"], "A": "d"}).tag_values == {"a": ("b", "c", "d")}


def test_principals_are_guarded_once() -> None:
    principals = ["user/a", "arn:aws:iam::111111111111:user/a", "role/x/y/b", "arn:aws:iam::222222222222:user/c", "d"]
    assert declaration(principals=principals).guarded(OWNER) == [
        GuardedPrincipal(Attachment(USER, "a"), "user/a"),
        GuardedPrincipal(Attachment(ROLE, "b"), "role/x/y/b"),
    ]
    assert declaration(principals=None).guarded(OWNER) == []


@pytest.mark.parametrize(
    ("principal", "problem"),
    [
        ("user/*", "contains a wildcard. Name each user or role."),
        ("role/a?", "contains a wildcard. Name each user or role."),
        ("arn:aws:iam::222222222222:role/*", "contains a wildcard. Name each user or role."),
        ("group/a", "is a group, to which the guard is not attached. Name its users."),
        ("arn:aws:iam::111111111111:group/a", "is a group, to which the guard is not attached. Name its users."),
        ("assumed-role/a/b", "is a session of a role. Name the role."),
        (
            "arn:aws-cn:iam::111111111111:user/a",
            "is in partition aws-cn, but the owner account is in aws. Remove it.",
        ),
        (
            "arn:aws:iam::222222222222:user/a",
            "is in account 222222222222. The guard applies only to users and roles of account 111111111111; use the"
            " resource control policy for other accounts.",
        ),
        (
            "role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_a",
            "is a role that AWS manages, so no policy can be attached to it. Use the service control policy.",
        ),
        ("a", "is not user/NAME, role/NAME, or the ARN of a user or a role."),
        ("user/", "is not user/NAME, role/NAME, or the ARN of a user or a role."),
        ("user/a b", "is not user/NAME, role/NAME, or the ARN of a user or a role."),
        ("arn:aws:iam::111111111111:root", "is not user/NAME, role/NAME, or the ARN of a user or a role."),
        (f"role/{'a' * 65}", "is not user/NAME, role/NAME, or the ARN of a user or a role."),
        (
            "role/owner",
            "is the caller of this run, which sets the tags of the shares. The guard would deny it to the next run."
            " Remove it, or run with other credentials.",
        ),
    ],
)
def test_principal_that_cannot_be_guarded(principal: str, problem: str) -> None:
    assert problems(principals=[principal, principal, "user/b"]) == [f"principals: {principal!r} {problem}"]
    assert problems(principals=[principal], guard="absent") == []


def test_valid_declarations_have_no_problem() -> None:
    assert problems() == problems(guard="report", principals=None) == []
    assert problems(principals=["user/owner", "arn:aws:iam::111111111111:role/a/b"]) == []
    assert problems(guard="absent", repository_tags=None, principals=None) == []


def test_all_problems_are_reported_together() -> None:
    assert problems(guard_name="a b", regions=["nowhere"], repository_tags=None, principals=[]) == [
        "Policy name 'a b' must have 1 to 128 of letters, digits and _+=,.@-.",
        "regions: 'nowhere' does not look like a region, such as ap-northeast-1.",
        "The tag guard has no tag: repository_tags is empty. Set the tags that grant access, or remove the guard.",
        "principals is empty, so the tag guard denies nothing. Name the users and roles under the guard, or set guard:"
        " report.",
    ]
    assert [*guard_name_problems(declaration(guard="absent", guard_name=""))] == problems(guard="absent", guard_name="")
    assert problems(repository_tags={"aws:a": "b"})[0].startswith("repository_tags: tag key 'aws:a' starts with aws:")


def test_policies_above_their_quotas() -> None:
    found = problems(repository_tags={f"key-{number}": "v" * 200 for number in range(14)})
    assert [text.partition(" would have ")[0] for text in found] == [
        "The policy of the guard",
        "The service control policy",
        "The resource control policy",
    ]
    assert "AWS accepts up to 10,240. Declare fewer tags, or guard some shares in another run with" in found[1]
    assert problems(repository_tags={f"key-{number}": "v" * 200 for number in range(4)}) == []


def test_policy_of_the_maximum_size() -> None:
    tags = {f"key-{number}": "v" * 150 for number in range(4)}
    document = guard_documents(declaration(repository_tags={**tags, "a": "v"}), CALLER)[PolicyType.RESOURCE_CONTROL]
    rest = 5120 - policy_size(document, PolicyType.RESOURCE_CONTROL)
    assert 0 < rest < 256
    assert problems(repository_tags={**tags, "a": "v" * (rest + 1)}) == []
    (problem,) = problems(repository_tags={**tags, "a": "v" * (rest + 2)})
    assert problem.startswith("The resource control policy would have 5,121 characters; AWS accepts up to 5,120.")


def test_managed_policy_exempts_nobody() -> None:
    documents = guard_documents(declaration(), CALLER)
    assert list(documents) == list(PolicyType)
    assert "aws:PrincipalArn" not in str(documents[PolicyType.MANAGED])
    for kind in (PolicyType.SERVICE_CONTROL, PolicyType.RESOURCE_CONTROL):
        assert "arn:aws:iam::111111111111:role/*/Owner" in str(documents[kind])


@pytest.mark.parametrize(
    ("caller", "kind", "name", "expected"),
    [
        ("arn:aws:sts::111111111111:assumed-role/a/b", ROLE, "A", True),
        ("arn:aws:sts::111111111111:assumed-role/a/b", ROLE, "b", False),
        ("arn:aws:sts::111111111111:assumed-role/a/b", USER, "a", False),
        ("arn:aws:iam::111111111111:user/x/a", USER, "a", True),
        ("arn:aws:iam::111111111111:user/x/a", USER, "x", False),
        ("arn:aws:iam::111111111111:user/a", ROLE, "a", False),
        ("arn:aws:iam::111111111111:root", USER, "root", False),
        ("arn:aws:sts::111111111111:federated-user/a", USER, "a", False),
    ],
)
def test_caller_is_recognized(caller: str, kind: AttachmentKind, name: str, expected: bool) -> None:
    guarded = GuardedPrincipal(Attachment(kind, name), f"{kind.value}/{name}")
    assert is_caller(guarded, arn_of(caller)) is expected


def test_principals_have_to_exist() -> None:
    guarded = declaration(principals=["user/a", "role/b", "role/c", "role/d"]).guarded(OWNER)
    existing = {
        "user/a": None,
        "role/b": ExistingPrincipal(OWNER.iam("role/ci/b"), {}),
        "role/c": ExistingPrincipal(OWNER.iam("role/c"), {"managed-by": "crossaccount.ecr"}),
        "role/d": ExistingPrincipal(OWNER.iam("role/d"), {"managed-by": "another"}),
    }
    assert list(existence_problems(guarded, existing, OWNER)) == [
        "principals: 'user/a' does not exist in account 111111111111. Correct it, or remove it.",
        "principals: 'role/b' does not exist. Its name belongs to arn:aws:iam::111111111111:role/ci/b. Declare this"
        " ARN.",
        "principals: 'role/c' is a pull role of this collection, which sets no tags. Remove it.",
    ]
