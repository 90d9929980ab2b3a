# SPDX-License-Identifier: GPL-3.0-or-later
"""Which principals keep access through a path that no share of the declaration ends."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_kept import kept_access, other_paths, unchecked
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_report import ALWAYS_HIDDEN
from ansible_collections.crossaccount.ecr.plugins.module_utils._estate import Estate

from tests.unit.audited_estates import (
    BOTH,
    PULL,
    PULLER,
    TAGGED,
    document,
    estate,
    repository,
    role,
    root,
    rows_of,
    trust,
)
from tests.unit.audits import CONSUMER, OWNER, REGION, STRANGER, audit, path, plan, row

POLICY = path("repository_policy", "X")


def test_access_through_a_repository_policy_remains() -> None:
    found = kept_access(plan(), audit(row(path(), POLICY)))
    assert found == [f"{CONSUMER} still pulls release through the repository policy, statement X"]


@pytest.mark.parametrize(
    "ended",
    [
        row(path()),  # the role of the share
        row(POLICY, repository="develop"),  # a repository that no share has
        row(POLICY, region="us-east-1"),
        row(path("repository_policy", actions=["describe"])),
        row(path(role=f"arn:aws:iam::{OWNER}:role/other", conditions=["tag environment=release"])),  # loses the tag
    ],
)
def test_access_that_ends_or_is_of_other_repositories(ended: dict[str, Any]) -> None:
    untag = [{"region": REGION, "names": ["release"], "tags": {"environment": "release"}}]
    assert kept_access(plan(untag=untag), audit(ended)) == []


def test_another_role_remains_if_the_repository_keeps_its_tag() -> None:
    other = path(role=f"arn:aws:iam::{OWNER}:role/path/other", conditions=["tag environment=release"])
    untag = [{"region": REGION, "names": ["develop"], "tags": {"environment": "release"}}]
    found = kept_access(plan(untag=untag), audit(row(other)))
    assert found == [f"{CONSUMER} still pulls release through role other, statement ReadImages"]


def test_tag_of_the_trusting_role_is_not_that_of_the_repository() -> None:
    trusting = document(trust(PULLER, {"StringEquals": {"aws:ResourceTag/environment": "release"}}))
    other = role(trusting, document({"Action": PULL, "Resource": "*"}), tags={"environment": "release"})
    (found,) = rows_of(estate(other, repositories=BOTH[:1])).values()
    (through,) = found.access.paths
    assert through.conditions == ("role tag environment=release",)
    untag = [{"region": REGION, "names": ["release"], "tags": {"environment": "release"}}]
    share = {**plan()["shares"][0], "role_arn": f"{through.role}-2"}
    remaining = row(path(role=through.role, conditions=list(through.conditions)))
    assert kept_access(plan(shares=[share], untag=untag), audit(remaining)) != []


def test_repositories_that_a_consumer_loses_belong_to_the_shares() -> None:
    lost = [{"principal": CONSUMER, "repository": "develop", "region": REGION}]
    found = kept_access(plan(access_lost=lost), audit(row(POLICY, repository="develop")))
    assert found == [f"{CONSUMER} still pulls develop through the repository policy, statement X"]


@pytest.mark.parametrize(
    ("statement", "remains"),
    [
        ("Consumer", False),
        ("ConsumerPart2", False),
        ("Other", True),
        ("Consumer2", True),
        ("ConsumerManual", True),
        ("ConsumerPart", True),
        ("ConsumerPart2b", True),
        ("consumer", True),
    ],
)
def test_statements_of_a_share_without_a_role_are_its_own(statement: str, remains: bool) -> None:
    share = {**plan()["shares"][0], "role_arn": None, "sid": "Consumer"}
    found = kept_access(plan(shares=[share]), audit(row(path("repository_policy", statement))))
    assert bool(found) is remains


def test_statement_of_an_identity_policy_with_the_same_sid() -> None:
    share = {**plan()["shares"][0], "role_arn": None, "sid": "Consumer"}
    (line,) = kept_access(plan(shares=[share]), audit(row(path(statement="Consumer"))))
    assert line == f"{CONSUMER} still pulls release through role allow_ecr_release, statement Consumer"


def pulls(sid: str, **more: Any) -> dict[str, Any]:
    return {"Sid": sid, "Principal": {"AWS": PULLER}, "Action": PULL, **more}


def kept_in(account: Estate, untag: list[dict[str, Any]] | None = None) -> list[tuple[str, str]]:
    """The document and the statement of each path that remains after a share with the Sid `Share` ends."""
    share = {**plan()["shares"][0], "sid": "Share", "role_arn": None}
    report = audit(*(one.as_json() for one in rows_of(account).values()))
    found = other_paths(plan(shares=[share], untag=untag or []), report)
    return [(one["document"], one["statement"]) for _row, one in found]


KEPT = [("repository policy", "Manual")]


@pytest.mark.parametrize(
    ("statements", "remains"),
    [
        ([pulls("Share")], []),
        ([pulls("Share"), pulls("Manual")], KEPT),
        ([pulls("Manual"), pulls("Share")], KEPT),
        ([pulls("Share"), pulls("SharePart2"), pulls("Manual")], KEPT),
        ([pulls("ShareManual")], [("repository policy", "ShareManual")]),
        ([pulls("Share"), pulls("Manual", Principal="*")], KEPT),
        ([pulls("Share"), pulls("Manual", Action=PULL[0])], []),
        ([pulls("Share"), pulls("Manual", Effect="Deny", Action="ecr:PutImage")], []),
        (
            [pulls("Share"), pulls("A", Action=PULL[0]), pulls("B", Action=PULL[1])],
            [(KEPT[0][0], "A"), (KEPT[0][0], "B")],
        ),
        ([pulls("Share"), pulls("Manual", Principal={"AWS": root(STRANGER)})], KEPT),
    ],
)
def test_statements_beside_that_of_the_share(statements: list[dict[str, Any]], remains: list[tuple[str, str]]) -> None:
    account = estate(repositories=(repository("release", document(*statements)),))
    assert list(dict.fromkeys(kept_in(account))) == remains


def test_registry_policy_behind_the_statement_of_the_share() -> None:
    shared = (repository("release", document(pulls("Share"))),)
    assert kept_in(estate(repositories=shared, registry=document(pulls("Registry", Resource="*")))) == [
        ("registry policy", "Registry")
    ]


@pytest.mark.parametrize("is_first", [True, False])
def test_role_with_another_statement_than_that_for_the_tag(is_first: bool) -> None:
    tagged: dict[str, Any] = {"Sid": "Tagged", "Action": PULL, "Resource": "*", "Condition": TAGGED}
    always = {"Sid": "Always", "Action": PULL, "Resource": "*"}
    listed = [tagged, always] if is_first else [always, tagged]
    untag = [{"region": REGION, "names": ["release"], "tags": {"environment": "release"}}]
    account = estate(role(document(trust(PULLER)), document(*listed)), repositories=BOTH[:1])
    assert [statement for _document, statement in kept_in(account, untag)] == ["Always"]
    without = estate(role(document(trust(PULLER)), document(tagged)), repositories=BOTH[:1])
    assert kept_in(without, untag) == []


def test_another_role_through_the_statement_of_a_share() -> None:
    arn = f"arn:aws:iam::{OWNER}:role/other"
    named = pulls("Share", Principal={"AWS": arn})
    other = role(document(trust(PULLER)), arn=arn)
    assert kept_in(estate(other, repositories=(repository("release", document(named)),))) == []


def test_path_without_a_role_is_not_that_of_a_share_without_one() -> None:
    share = {**plan()["shares"][0], "role_arn": ""}
    assert len(kept_access(plan(shares=[share]), audit(row(POLICY)))) == 1


def test_unknown_access_has_its_reason() -> None:
    (line,) = kept_access(plan(), audit(row(POLICY, pull="unknown")))
    assert line.startswith(
        f"{CONSUMER} may still pull release through the repository policy, statement X (unknown: the"
    )


def test_principals_and_paths_by_name() -> None:
    user = {"principal": f"arn:aws:iam::{STRANGER}:user/puller", "principal_account": STRANGER}
    everyone = {"principal": "*", "principal_kind": "everyone", "principal_account": ""}
    members = {"principal": "o-abcdefghij", "principal_kind": "organization", "principal_account": ""}
    through = path("registry_policy", "")
    found = kept_access(plan(), audit(row(through, **user), row(through, **everyone), row(through, **members)))
    assert found == [
        f"{STRANGER} user/puller still pulls release through the registry policy",
        "everyone still pulls release through the registry policy",
        "o-abcdefghij still pulls release through the registry policy",
    ]


def test_one_line_for_the_repositories_of_several_regions() -> None:
    regions = [{"region": region, "repositories": [{"name": "release"}]} for region in (REGION, "us-east-1")]
    share = {**plan()["shares"][0], "regions": regions}
    found = kept_access(plan(shares=[share]), audit(row(POLICY), row(POLICY, region="us-east-1")))
    assert found == [
        f"{CONSUMER} still pulls release in {REGION}, release in us-east-1 through the repository policy, statement X"
    ]


def test_unreadable_parts_are_named() -> None:
    failed = {"failed": True, "msg": "GetRegistryPolicy: AccessDenied.\nMore."}
    (line,) = unchecked(failed)
    assert line == "not checked: whether access remains through another path: GetRegistryPolicy: AccessDenied."
    (line,) = unchecked({"failed": True})
    assert line.endswith(" through another path: no reason was given")
    denied = [{"what": f"repository policy of r{number:02}", "why": "AccessDenied"} for number in range(12)]
    always = [{"what": unseen.what, "why": unseen.why} for unseen in ALWAYS_HIDDEN]
    lines = list(unchecked({"audit": audit(not_seen=[*denied, *always])}))
    assert (len(lines), lines[0]) == (11, "not checked: repository policy of r00: AccessDenied")
    assert lines[-1] == "not checked: 2 more facts that AWS denies"
    assert len(list(unchecked({"audit": audit(not_seen=denied[:10])}))) == 10


def test_a_long_list_of_repositories_is_shortened() -> None:
    names = [f"r{number:02}" for number in range(12)]
    share = {**plan()["shares"][0], "regions": [{"region": REGION, "repositories": [{"name": name} for name in names]}]}
    (line,) = kept_access(plan(shares=[share]), audit(*(row(POLICY, repository=name) for name in names)))
    assert "12 repositories: r00, " in line
    assert "r11" not in line


def test_a_path_without_a_name_has_the_name_of_its_document() -> None:
    unnamed = path(role="", document="policy of a service")
    template = {**path("creation_template", role=f"arn:aws:iam::{OWNER}:role/other"), "role": "arn:aws:iam::1:role/o"}
    found = kept_access(plan(), audit(row(unnamed), row({**template, "document": "template release"})))
    assert [line.partition(" through ")[2] for line in found] == [
        "policy of a service, statement ReadImages",
        "template release, statement ReadImages",
    ]
