# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings about the end of access: by an Allow that ends, and by a Deny that begins."""

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._estate import IamPrincipal, PolicyDocument
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import OWNERSHIP_TAG

from tests.unit.estates import (
    CONSUMER,
    OWNER,
    ROLE,
    WITH_ID,
    admits,
    allows,
    days,
    document,
    document_in,
    estate,
    findings,
    grants,
    repository,
    role,
    task_in,
    time_text,
    words_in,
)

SOON, ENDED = "share-ends-soon", "share-ended"
STRANGER = "333333333333"
OURS = dict([OWNERSHIP_TAG])


def until(time: datetime.datetime, operator: str = "DateLessThan", key: str = "aws:CurrentTime") -> dict[str, Any]:
    text = time_text(time) if key == "aws:CurrentTime" else str(int(time.timestamp()))
    return {**WITH_ID, operator: {key: text}}


def begins(
    time: datetime.datetime, operator: str = "DateGreaterThanEquals", key: str = "aws:CurrentTime", **more: Any
) -> dict[str, Any]:
    """A statement that denies everything from a time on."""
    text = time_text(time) if key == "aws:CurrentTime" else str(int(time.timestamp()))
    return {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {operator: {key: text}}, **more}


def ending(principal: IamPrincipal, *statements: dict[str, Any]) -> IamPrincipal:
    """The role with one more inline policy."""
    policy = PolicyDocument(f"inline policy end of role {principal.arn}", document(*statements))
    return replace(principal, policies=(*principal.policies, policy))


@pytest.mark.parametrize(
    ("condition", "kind"),
    [
        (until(days(13)), SOON),
        (until(days(14)), SOON),
        (until(days(13), "DateLessThanEquals"), SOON),
        (until(days(13), "NumericLessThan", "aws:EpochTime"), SOON),
        (until(days(13), "DateLessThan", "aws:EpochTime"), SOON),
        ({**until(days(13)), "DateLessThanEquals": {"aws:CurrentTime": time_text(days(400))}}, SOON),
        (until(days(0)), ENDED),
        (until(days(-1)), ENDED),
        (until(days(15)), ""),
        ({**WITH_ID, "DateLessThan": {"aws:CurrentTime": [time_text(days(-1)), time_text(days(400))]}}, ""),
        (until(days(13), "DateGreaterThan"), ""),
        (until(days(13), "DateLessThanIfExists"), ""),
        ({**WITH_ID, "DateLessThan": {"aws:TokenIssueTime": time_text(days(-1))}}, ""),
        ({**WITH_ID, "DateLessThan": {"aws:CurrentTime": "soon"}}, ""),
        (WITH_ID, ""),
    ],
)
def test_end_of_access(condition: dict[str, Any], kind: str) -> None:
    of_trust = estate(role([admits(CONSUMER, condition)]))
    of_policy = estate(role(policy=[allows(condition=condition)]))
    of_repository = estate(repositories=[repository("release", grants(CONSUMER, condition=condition))])
    for account in (of_trust, of_policy, of_repository):
        found = [*findings(account, SOON), *findings(account, ENDED)]
        assert [one.id for one in found] == ([kind] if kind else [])
        assert all(one.severity == ("info" if one.id == SOON else "low") for one in found)


def test_end_of_access_of_others_is_not_reported() -> None:
    account = estate(role([admits(CONSUMER, until(days(1)))]))
    assert findings(account, SOON, ends_within_days=0) == []
    assert findings(account, SOON, trusted_accounts=CONSUMER) == []
    assert findings(estate(role([admits(OWNER, until(days(1)))])), SOON) == []
    assert findings(estate(role(policy=[allows("s3:*", until(days(1))), allows()])), SOON) == []
    assert findings(estate(role([{**admits(CONSUMER, until(days(-1))), "Effect": "Deny"}])), ENDED) == []


def test_fix_for_a_share_that_ends_soon_extends_it() -> None:
    soon = {"aws:CurrentTime": time_text(days(7)), "aws:TokenIssueTime": time_text(days(7))}
    condition = {
        **WITH_ID,
        "DateLessThan": soon,
        "DateLessThanEquals": {"aws:CurrentTime": time_text(days(400))},
        "DateGreaterThan": {"aws:CurrentTime": time_text(days(-7))},
    }
    [found] = findings(estate(role([admits(CONSUMER, condition)])), SOON)
    assert found.title == f"The access of account {CONSUMER} through the trust policy of role {ROLE} ends on 2026-12-04"
    assert words_in(found.fix)[:5] == ["aws", "iam", "update-assume-role-policy", "--role-name", "share"]
    assert document_in(found.fix)[0]["Condition"] == {
        **condition,
        "DateLessThan": {**soon, "aws:CurrentTime": time_text(days(97))},
    }
    numeric = until(days(7), "NumericLessThan", "aws:EpochTime")
    [found] = findings(estate(role([admits(CONSUMER, numeric)])), SOON)
    assert document_in(found.fix)[0]["Condition"] == until(days(97), "NumericLessThan", "aws:EpochTime")


def test_fix_for_a_share_that_has_ended_removes_its_statement() -> None:
    others = admits(CONSUMER, WITH_ID)
    [found] = findings(estate(role([admits(CONSUMER, until(days(-7))), others])), ENDED)
    assert document_in(found.fix) == [{"Effect": "Allow", **others}]


# --- a Deny that begins


@pytest.mark.parametrize(
    ("deny", "kind"),
    [
        (begins(days(13)), SOON),
        (begins(days(13), "DateGreaterThan"), SOON),
        (begins(days(13), "NumericGreaterThanEquals", "aws:EpochTime"), SOON),
        (begins(days(13), Action="ecr:*"), SOON),
        (begins(days(13), Action="ecr:BatchGetImage"), SOON),
        (begins(days(0)), ENDED),
        (begins(days(-400)), ENDED),
        (begins(days(15)), ""),
        (begins(days(13), "DateLessThan"), ""),
        (begins(days(13), "DateGreaterThanIfExists"), ""),
        (begins(days(13), Action="ecr:PutImage"), ""),
        (begins(days(13), Resource="arn:aws:ecr:*:*:repository/other"), ""),
        (begins(days(13), Condition={**begins(days(13))["Condition"], "Bool": {"aws:SecureTransport": "false"}}), ""),
        (begins(days(13), Condition={"DateGreaterThan": {"aws:TokenIssueTime": time_text(days(13))}}), ""),
        (begins(days(13), Condition={}), ""),
    ],
)
def test_deny_that_begins_ends_access(deny: dict[str, Any], kind: str) -> None:
    found_by = [ending(role(), deny), role(boundary=PolicyDocument("boundary", document(allows("*"), deny)))]
    for principal in found_by:
        found = [*findings(estate(principal), SOON), *findings(estate(principal), ENDED)]
        assert [one.id for one in found] == ([kind] if kind else [])


def test_deny_begins_with_the_last_of_its_conditions() -> None:
    several = {
        "DateGreaterThan": {"aws:CurrentTime": [time_text(days(3)), time_text(days(5))]},
        "DateGreaterThanEquals": {"aws:CurrentTime": time_text(days(1))},
    }
    [found] = findings(estate(ending(role(), begins(days(1), Condition=several))), SOON)
    assert found.title == f"The access of account {CONSUMER} through role share ends on {days(3):%Y-%m-%d}"


def test_fix_extends_a_deny_that_begins_soon() -> None:
    [found] = findings(estate(ending(role(), begins(days(7)))), SOON)
    assert words_in(found.fix)[:5] == ["aws", "iam", "put-role-policy", "--role-name", "share"]
    assert document_in(found.fix) == [begins(days(97))]


def test_fix_never_removes_the_deny_that_ended_access() -> None:
    [found] = findings(estate(ending(role(), begins(days(-7)))), ENDED)
    assert task_in(found.fix) == ("amazon.aws.iam_role", {"name": "share", "state": "absent"})


def test_deny_of_a_role_that_admits_nobody_is_not_an_end() -> None:
    assert findings(estate(ending(role([admits(OWNER)]), begins(days(1)))), SOON) == []


# --- roles of this collection


@pytest.mark.parametrize(("number", "kind"), [(6, SOON), (-1, ENDED)])
def test_one_finding_for_each_end_of_a_role(number: int, kind: str) -> None:
    """The trust policy, the permissions and the inline policy of a share have the same end."""
    trust = [admits(one, until(days(number))) for one in (CONSUMER, STRANGER)]
    ours = ending(role(trust, [allows(condition=until(days(number)))], tags=OURS), begins(days(number)))
    [found] = findings(estate(ours), kind)
    assert (found.resource, found.evidence.document) == (ROLE, f"trust policy of role {ROLE}")
    access = f"The access of account {CONSUMER}, account {STRANGER} through role share"
    if kind == SOON:
        assert found.title == f"{access} ends on {days(number):%Y-%m-%d}"
        assert found.fix.splitlines()[1] == "ansible-playbook crossaccount.ecr.share -e @declaration.yml"
    else:
        command = "ansible-playbook crossaccount.ecr.unshare -e @declaration.yml -e ecr_share_expired_only=true"
        assert found.title == f"{access} ended on {days(number):%Y-%m-%d}. Remove it with {command}"
        assert found.fix.splitlines()[1] == command


def test_later_end_of_the_share_is_left_out() -> None:
    trust = [admits(CONSUMER, until(days(2)))]
    ours = ending(role(trust, [allows(condition=until(days(9)))], tags=OURS), begins(days(2)))
    assert [one.title[-10:] for one in findings(estate(ours), SOON)] == [f"{days(2):%Y-%m-%d}"]


def test_each_end_of_a_trust_policy_is_a_finding() -> None:
    trust = [admits(CONSUMER, until(days(2))), admits(STRANGER, until(days(9)))]
    found = findings(estate(role(trust, [allows(condition=until(days(9)))], tags=OURS)), SOON)
    assert [one.title[-10:] for one in found] == [f"{days(2):%Y-%m-%d}", f"{days(9):%Y-%m-%d}"]
    assert len({one.key for one in found}) == 2


def test_ends_of_two_roles_are_two_findings() -> None:
    """The permissions of the second role end later than the first role."""
    first = role([admits(CONSUMER, until(days(2)))], tags=OURS)
    second = role(policy=[allows(condition=until(days(9)))], arn=f"{ROLE}-2", tags=OURS)
    assert {one.resource for one in findings(estate(first, second), SOON)} == {ROLE, f"{ROLE}-2"}
