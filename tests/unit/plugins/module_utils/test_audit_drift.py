# SPDX-License-Identifier: GPL-3.0-or-later
"""The differences from a declaration are findings, each with access in words and the command that ends it."""

from __future__ import annotations

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._access_change import Repository, Role, change_of_access
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_drift import drift_findings, other_path_findings
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy import permissions_document

from tests.unit.audits import OWNER, REGION, ROLE, audit, path, plan, row

COMMAND = "ansible-playbook crossaccount.ecr.share -e @shares.yml"


def changed(*lines: str, **steps: object) -> dict[str, object]:
    share = {**plan()["shares"][0], "changed": True}
    return plan(would_change=True, lines=[*lines], all_lines=[*lines], shares=[share], **steps)


def test_no_difference() -> None:
    assert drift_findings(plan(), "shares.yml") == []


@pytest.mark.parametrize(
    ("line", "severity", "title"),
    [
        (
            "+ 222222222222 (external ID) can pull release",
            "medium",
            "The declaration allows this access, the account does not: 222222222222 (external ID) can pull release",
        ),
        (
            "- 333333333333 user/puller loses release",
            "high",
            "The account allows this access, the declaration does not: 333333333333 user/puller can pull release",
        ),
        (
            "222222222222: no longer requires MFA",
            "medium",
            "The conditions of the access differ from the declaration: 222222222222: no longer requires MFA",
        ),
    ],
)
def test_a_difference_of_access(line: str, severity: str, title: str) -> None:
    steps = {
        "roles": [{"name": "allow_ecr_release", "state": "present"}],
        "untag": [{"region": REGION, "names": ["develop"], "tags": {"environment": "release"}}],
        "tag": [{"region": REGION, "names": ["release"], "tags": {"environment": "release"}}],
    }
    (found,) = drift_findings(changed(line, **steps), "shares.yml")
    assert (found["id"].partition("-")[0], found["severity"]) == ("drift", severity)
    assert (found["title"], found["resource"]) == (title, ROLE)
    assert found["fix"] == (
        f"{COMMAND}  # creates or updates role allow_ecr_release; removes tag environment=release from develop in"
        f" {REGION}; adds tag environment=release to release in {REGION}"
    )
    assert found["evidence"]["document"] == "declaration shares.yml"


def test_a_difference_of_the_statements_of_a_share() -> None:
    step = {"region": REGION, "name": "lambda"}
    statements = [
        {**step, "names": ["app", "base"], "state": "present"},
        {**step, "names": ["old"], "state": "absent"},
        {**step, "names": None, "state": "present"},
    ]
    line = "+ 222222222222 can pull app, base"
    (found,) = drift_findings(changed(line, statements=statements), "shares.yml")
    assert found["fix"] == (
        f"{COMMAND}  # creates or updates the statement of lambda in the policies of app, base in {REGION};"
        f" removes the statement of lambda in the policies of old in {REGION}; creates or updates the statement of"
        f" lambda in the registry policy in {REGION}"
    )


def test_a_difference_of_several_shares_names_no_role() -> None:
    """A line does not show to which share it belongs."""
    one = {**plan()["shares"][0], "changed": True}
    shares = [one, {**one, "role_arn": f"{ROLE}-2"}, {**one, "role_arn": f"{ROLE}-3", "changed": False}]
    differing = {**changed("+ 222222222222 can pull release"), "shares": shares}
    assert [found["resource"] for found in drift_findings(differing, "shares.yml")] == [""]
    assert [found["resource"] for found in drift_findings({**differing, "shares": shares[1:]}, "shares.yml")] == [
        f"{ROLE}-2"
    ]


def test_the_lines_have_the_form_of_the_plan() -> None:
    """If the plan words its lines in another way, these findings would state the opposite."""
    trust = {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "333333333333"}}]}
    role = Role(trust, permissions_document(Identity("aws", OWNER), {"share": ("yes",)}))
    here = [Repository("release", f"arn:aws:ecr:{REGION}:{OWNER}:repository/release", {"share": "yes"})]
    lines = [change_of_access(old, new, here, here).lines[0] for old, new in ((None, role), (role, None))]
    titles = [found["title"] for found in drift_findings(changed(*lines), "shares.yml")]
    assert titles == [
        "The declaration allows this access, the account does not: 333333333333 can pull release",
        "The account allows this access, the declaration does not: 333333333333 can pull release",
    ]


def test_a_difference_without_access() -> None:
    roles = [{"name": "allow_ecr_release", "state": "absent"}]
    (found,) = drift_findings(changed("No access is gained or lost.", roles=roles), "shares.yml")
    assert (found["severity"], found["title"]) == (
        "low",
        "The account differs from the declaration. No access differs. The fix deletes role allow_ecr_release",
    )


def test_a_failed_comparison_is_a_finding() -> None:
    (found,) = drift_findings({"failed": True, "msg": "Repository no-such does not exist."}, "shares.yml")
    assert (found["severity"], found["evidence"]["text"]) == ("high", "Repository no-such does not exist.")
    assert "cannot be compared" in found["title"]


def test_a_comparison_that_failed_without_a_reason() -> None:
    (found,) = drift_findings({"failed": True}, "shares.yml")
    assert found["evidence"] == {"document": "declaration shares.yml", "statement": "", "text": "no reason was given"}
    assert found["fix"] == COMMAND
    assert other_path_findings({"failed": True}, audit(row(path("repository_policy", "X"))), "shares.yml") == []


def test_the_command_quotes_the_path() -> None:
    (found,) = drift_findings({"failed": True, "msg": ""}, "my shares;id.yml")
    assert found["fix"].endswith("-e @'my shares;id.yml'")


@pytest.mark.parametrize(
    ("other", "title", "fix"),
    [
        (
            path("repository_policy", "X"),
            "222222222222 can pull release through the repository policy, statement X",
            f"aws ecr get-repository-policy --region {REGION} --repository-name release",
        ),
        (
            path("registry_policy", "X"),
            "222222222222 can pull release through the registry policy, statement X",
            f"aws ecr get-registry-policy --region {REGION}",
        ),
        (
            path(role=f"arn:aws:iam::{OWNER}:role/by-hand"),
            "222222222222 can pull release through role by-hand, statement ReadImages",
            "aws iam get-role --role-name by-hand",
        ),
    ],
)
def test_access_to_a_declared_repository_through_another_path(other: dict[str, object], title: str, fix: str) -> None:
    (found,) = other_path_findings(plan(), audit(row(path(), other)), "shares.yml")
    assert (found["id"], found["severity"]) == ("drift-other-path", "medium")
    assert found["title"] == f"No declared share grants this access: {title}"
    assert found["fix"] == f"# Remove the access path, or add the consumer to shares.yml.\n{fix}"
    assert found["resource"] == other["role"]
    assert found["evidence"] == {
        "document": other["document"],
        "statement": other["statement"],
        "text": f"release in {REGION}",
    }


def test_one_path_to_several_repositories_is_one_finding() -> None:
    """The command reads the document of the first repository. An unknown access is not a finding of its own."""
    other = path("repository_policy", "X")
    two = plan()
    names = [{"name": "release"}, {"name": "develop"}]
    two["shares"] = [{**two["shares"][0], "regions": [{"region": REGION, "repositories": names}]}]
    rows = [row(path(), other), row(other, repository="develop", pull="unknown")]
    (found,) = other_path_findings(two, audit(*rows), "shares.yml")
    assert found["evidence"]["text"] == f"release in {REGION}, develop in {REGION}"
    assert found["fix"].endswith(f"aws ecr get-repository-policy --region {REGION} --repository-name release")


def test_findings_are_in_the_order_of_the_principals() -> None:
    listed = [path("repository_policy", "X"), path("replication", "", conditions=["a copy in us-east-1"])]
    rows = [
        row(*listed, principal=f"arn:aws:iam::{account}:root", principal_account=account)
        for account in ("4" * 12, "3" * 12)
    ]
    found = other_path_findings(plan(), audit(*rows), "shares.yml")
    titles = [one["title"].removeprefix("No declared share grants this access: ")[:12] for one in found]
    assert titles == ["3" * 12, "3" * 12, "4" * 12, "4" * 12]
    assert any(one["fix"].endswith(f"aws ecr describe-registry --region {REGION}") for one in found)


def test_a_role_that_is_narrowed_first_is_one_step() -> None:
    roles = [{"name": "allow", "state": state} for state in ("narrowed", "present")]
    (found,) = drift_findings(changed("+ 222222222222 can pull release", roles=roles), "shares.yml")
    assert found["fix"] == f"{COMMAND}  # creates or updates role allow"


def test_access_through_the_role_of_a_share_is_declared() -> None:
    assert other_path_findings(plan(), audit(row(path())), "shares.yml") == []


def test_access_to_other_repositories_is_not_compared() -> None:
    other = row(path("repository_policy", "X"), repository="elsewhere")
    assert other_path_findings(plan(), audit(other), "shares.yml") == []
