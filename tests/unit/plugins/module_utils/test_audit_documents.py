# SPDX-License-Identifier: GPL-3.0-or-later
"""The documents of an account."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_documents import (
    AuditedDocument,
    PolicyKind,
    audited,
    registry_arn,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._estate import CreationTemplate, PolicyDocument

from tests.unit.estates import (
    CONSUMER,
    OWNER,
    REGION,
    REGISTRY,
    ROLE,
    allows,
    document,
    estate,
    grants,
    repository,
    role,
)

USER = f"arn:aws:iam::{OWNER}:user/one"


def test_each_document_has_its_resource() -> None:
    limit = PolicyDocument("boundary", document(allows()))
    user = replace(role(boundary=limit), arn=USER, trust=None)
    template = CreationTemplate("ROOT", (), policy=PolicyDocument("policy of a template", document(grants(CONSUMER))))
    account = estate(
        role(boundary=limit),
        user,
        repositories=[repository("release", grants(CONSUMER)), repository("develop")],
        registry=[grants(CONSUMER)],
        templates=(template, CreationTemplate("other/", ())),
    )
    found = [(one.kind, one.resource, one.region) for one in audited(account).documents]
    assert found == [
        (PolicyKind.TRUST, ROLE, ""),
        (PolicyKind.IDENTITY, ROLE, ""),
        (PolicyKind.BOUNDARY, ROLE, ""),
        (PolicyKind.IDENTITY, USER, ""),
        (PolicyKind.BOUNDARY, USER, ""),
        (PolicyKind.REGISTRY, REGISTRY, REGION),
        (PolicyKind.REPOSITORY, repository().arn, REGION),
        (PolicyKind.TEMPLATE, REGISTRY, REGION),
    ]
    assert registry_arn(account, REGION) == REGISTRY


def test_use_of_ecr_by_a_role() -> None:
    def uses(*actions: str, effect: str = "Allow") -> bool:
        policy = [{**allows(list(actions)), "Effect": effect}]
        return audited(estate(role(policy=policy))).roles[0].uses_ecr

    assert uses("ecr:DescribeImages")
    assert uses("ecr:GetAuthorizationToken")
    assert uses("s3:*", "sts:AssumeRole")
    assert not uses("s3:*", "ecr-public:*")
    assert not uses("ecr:*", effect="Deny")
    assert audited(estate(role(policy="not JSON"))).roles[0].uses_ecr


def test_name_of_a_role_is_without_its_path() -> None:
    [with_path] = audited(estate(role(arn=f"arn:aws:iam::{OWNER}:role/ci/share"))).roles
    assert with_path.name == "share"


def test_statements_are_allows_and_denies() -> None:
    policy = [allows(), {**allows(), "Effect": "Deny", "Sid": "No"}]
    [document_of_it] = audited(estate(role(policy=policy))).roles[0].policies
    assert [one.number for one in document_of_it.allows] == [1]
    assert [one.effect for one in document_of_it.denies] == ["Deny"]
    evidence = document_of_it.evidence(document_of_it.statements[1])
    assert (evidence.document, evidence.statement) == (f"inline policy access of role {ROLE}", "No")


@pytest.mark.parametrize(("tags", "ours"), [({"managed-by": "crossaccount.ecr"}, True), ({"managed-by": "x"}, False)])
def test_role_of_this_collection_has_its_tag(tags: dict[str, str], ours: bool) -> None:
    [found] = audited(estate(role(tags=tags))).roles
    assert (found.is_ours, found.arn) == (ours, ROLE)


def test_unreadable_documents_have_their_text_and_a_problem() -> None:
    def read(policy: Any) -> AuditedDocument:
        return audited(estate(role(policy=policy))).roles[0].policies[0]

    text = read("not JSON")
    assert (text.problem, text.text, text.statements) == (f"{text.name} is not JSON", "not JSON", ())
    with_principal = read([grants(CONSUMER)])
    assert with_principal.problem.startswith(f"statement 1 of {text.name}")
    assert json.loads(with_principal.text) == document(grants(CONSUMER))
    readable = read([allows()])
    assert (readable.problem, json.loads(readable.text)) == ("", document(allows()))
    assert len(readable.statements) == 1


def test_each_document_has_its_owner() -> None:
    shared = repository("release", grants(CONSUMER))
    account = estate(role(), repositories=[shared])
    owners = [one.owner for one in audited(account).documents]
    assert owners == [account.principals[0], account.principals[0], shared]
