# SPDX-License-Identifier: GPL-3.0-or-later
"""All findings of an account."""

from __future__ import annotations

import json
import subprocess
import time
from typing import Any

import pytest
import yaml
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_findings import findings_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._estate import (
    CreationTemplate,
    Estate,
    PolicyDocument,
    ReplicationRule,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._finding import Evidence, finding, shortened
from ansible_collections.crossaccount.ecr.plugins.module_utils._finding_kinds import KIND_OF, KINDS, SEVERITIES

from tests.unit.estates import (
    CONSUMER,
    HOSTILE,
    OTHER,
    ROLE,
    TAGGED,
    WITH_ID,
    TaskLoader,
    admits,
    allows,
    days,
    document,
    estate,
    findings,
    grants,
    options,
    repository,
    role,
    time_text,
)

KEY = "ecr:ResourceTag/environment"


def everything(text: str = "text") -> Estate:
    """An account with a finding of almost every kind.

    :param text: is in each place where others can write a text
    """
    ends = {**WITH_ID, "DateLessThan": {"aws:CurrentTime": time_text(days(1))}}
    ended = {**WITH_ID, "DateLessThan": {"aws:CurrentTime": time_text(days(-1))}}
    trust = [admits(CONSUMER), admits("*"), admits(["AIDACKCEVSQ6C2EXAMPLE", OTHER], ends), admits(CONSUMER, ended)]
    policy = [
        allows(["ecr:GetAuthorizationToken", "ecr:BatchGetImage"], TAGGED),
        allows("ecr:*", {"StringNotEquals": {KEY: text}}),
    ]
    shared = role(
        [{**one, "Sid": text} for one in trust],
        [{**one, "Sid": text} for one in policy],
        created=days(-400),
        tags={text: text},
    )
    opened = PolicyDocument(f"policy of repository creation template {text}", document({**grants("*"), "Sid": text}))
    return estate(
        shared,
        role(policy=text, arn=f"{ROLE}-two"),
        repositories=[
            repository("release", {**grants("*", "ecr:*"), "Sid": text}, mutable=True, archived=1),
            repository("develop", tags={"environment": "release", "Environment": text}),
        ],
        registry=[{**grants("*", "ecr:*"), "Sid": text}],
        replication=(ReplicationRule(((OTHER, text),), (text,), True),),
        templates=(CreationTemplate(text, ("CREATE_ON_PUSH",), {"environment": "release", text: text}, opened),),
    )


def declared() -> list[dict[str, Any]]:
    consumers = [{"account": CONSUMER, "external_id": "share-1"}]
    shared = {"repository_tags": {"environment": "release"}, "repositories": ["release"], "consumers": consumers}
    return [{"role_name": "share", **shared}]


def is_runnable(fix: str) -> bool:
    """Whether a fix is a list of tasks, or valid for a shell."""
    if fix.startswith("- name: "):
        return all("name" in task and len(task) == 2 for task in yaml.load(fix, TaskLoader))  # noqa: S506
    return subprocess.run(["/bin/sh", "-n"], input=fix.encode(), capture_output=True, check=False).returncode == 0


def test_findings_are_sorted_and_distinct() -> None:
    found = findings(everything(), declared=declared())
    ranks = [(SEVERITIES.index(one.severity), one.key) for one in found]
    assert ranks == sorted(ranks)
    assert len({one.key for one in found}) == len(found)
    of_others = {
        "too-many-tag-setters",
        "tag-shares-nothing",
        *(one.id for one in KINDS if one.subject == "Declaration"),
    }
    assert {one.id for one in found} == {kind.id for kind in KINDS} - of_others


def test_report_of_a_finding() -> None:
    account = estate(role([{**admits(CONSUMER), "Sid": "Consumer"}]))
    [found] = findings(account, "trust-without-external-id")
    report = found.as_json()
    assert report.pop("fix").startswith("EXTERNAL_ID=$(openssl rand -hex 16)\naws iam update-assume-role-policy")
    assert json.loads(report["evidence"].pop("text"))["Sid"] == "Consumer"
    assert report == {
        "id": "trust-without-external-id",
        "key": f"trust-without-external-id:{ROLE}:{CONSUMER}",
        "severity": "high",
        "title": f"Role share trusts account {CONSUMER} without an external ID",
        "resource": ROLE,
        "region": "",
        "evidence": {"document": f"trust policy of role {ROLE}", "statement": "Consumer"},
    }


@pytest.mark.parametrize("text", [*HOSTILE, "x" * 10_000, "</script><script>alert(1)</script>"])
def test_hostile_texts_have_the_same_findings_and_runnable_fixes(text: str) -> None:
    usual = {one.id for one in findings(everything(), declared=declared())}
    found = findings(everything(text), declared=declared())
    assert {one.id for one in found} >= usual - {"malformed-policy"}  # without a text, a document was not read
    for one in found:
        assert is_runnable(one.fix), one.fix
        assert one.title.isprintable()
        assert len(one.title) < 400
        assert len(json.dumps(one.as_json()["evidence"])) < 40_000


def test_account_without_shares_has_no_findings() -> None:
    assert findings(estate(repositories=[repository("private", tags={})])) == []
    assert findings(estate(role([admits({"Service": "ec2.amazonaws.com"})]), repositories=[])) == []


def test_share_of_this_collection_has_no_findings() -> None:
    token = {"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"}
    share = role(policy=[allows(condition=TAGGED), token], kind="managed", last_used=days(-1), created=days(-400))
    assert findings(estate(share), declared=declared()) == []


def test_many_roles_and_repositories_take_at_most_a_few_seconds() -> None:
    roles = [role([admits(CONSUMER)], [allows("ecr:*")], arn=f"{ROLE}-{number}") for number in range(200)]
    account = estate(*roles, repositories=[repository(f"r{number}", grants(CONSUMER)) for number in range(1000)])
    began = time.process_time()
    assert len(findings_of(account, [], options())) >= 400
    assert time.process_time() - began < 10


def test_long_names_in_keys_remain_distinct() -> None:
    evidence = Evidence("document")
    keys = {finding("unused-role", "title", "arn", evidence, "", about=("x" * 10_000 + end,)).key for end in "ab"}
    assert len(keys) == 2
    assert all(len(key) < 200 for key in keys)


def test_kinds_of_findings_are_distinct() -> None:
    assert len(KIND_OF) == len(KINDS)
    assert {kind.severity for kind in KINDS} == {*SEVERITIES}


def test_shortened_text_has_its_length() -> None:
    assert shortened("short", 10) == "short"
    assert shortened("x" * 1200, 10) == f"{'x' * 10}… (1,200 characters)"
