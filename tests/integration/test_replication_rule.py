# SPDX-License-Identifier: GPL-3.0-or-later
"""The module ecr_replication_rule: its life, other programs that write rules, and what AWS denies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab import accounts
from tests.lab.clients import Account, allow
from tests.support.control import Control
from tests.support.lab import Lab
from tests.support.second_writer import SecondWriter
from tests.support.serving import serving

MODULE = "ecr_replication_rule"
CONSUMER = {"account": accounts.CONSUMER, "region": accounts.REGION}
STRANGER = {"account": accounts.STRANGER, "region": "eu-west-1"}
RULE: dict[str, Any] = {"prefixes": ["release"], "destinations": [CONSUMER]}
WRITE = "ecr:PutReplicationConfiguration"


def rule(*prefixes: str, to: tuple[dict[str, str], ...] = (CONSUMER,), **settings: Any) -> dict[str, Any]:
    """A rule as AWS returns it."""
    filters = [{"filter": prefix, "filterType": "PREFIX_MATCH"} for prefix in prefixes]
    return {
        "destinations": [{"region": one["region"], "registryId": one["account"]} for one in to],
        **({"repositoryFilters": filters} if filters else {}),
        **settings,
    }


FOREIGN = rule("team/", to=(STRANGER,), deleteReplication={"enabled": True})


class Registry:
    """The rules of the owner's registry, which other programs write as a whole."""

    def __init__(self, lab: Lab) -> None:
        self.lab, self.ecr = lab, lab.client("owner", "ecr")

    @property
    def rules(self) -> list[dict[str, Any]]:
        rules: list[dict[str, Any]] = self.ecr.describe_registry()["replicationConfiguration"]["rules"]
        return rules

    def put(self, *rules: dict[str, Any]) -> None:
        self.ecr.put_replication_configuration(replicationConfiguration={"rules": list(rules)})

    def add(self, new: dict[str, Any]) -> None:
        self.put(*self.rules, new)


@pytest.fixture
def registry(lab: Lab) -> Iterator[Registry]:
    """The owner's registry with a rule that another program manages."""
    found = Registry(lab)
    found.put(FOREIGN)
    yield found
    found.put()


def both(control: Control, **options: Any) -> tuple[dict[str, Any], list[str]]:
    """The result in check mode, which writes nothing, equals the result of the run; and the run's writes."""
    mark = len(control.lab.calls())
    predicted = control.module(MODULE, "owner", "--check", "--diff", **options)
    assert control.lab.writes_since(mark) == []
    result = control.module(MODULE, "owner", "--diff", **options)
    assert predicted == result, (predicted, result)
    writes = control.lab.writes_since(mark)
    assert bool(writes) == result["changed"], result
    return result, writes


def test_rule_walks_through_its_life(control: Control, registry: Registry) -> None:
    to_both = {**RULE, "destinations": [CONSUMER, STRANGER]}
    with_develop = {**RULE, "prefixes": ["release", "develop"]}
    deleting = {"deleteReplication": {"enabled": True}}
    for options, expected in [
        (RULE, rule("release")),
        (RULE, rule("release")),
        (with_develop, rule("develop", "release")),
        (with_develop, rule("develop", "release")),
        ({**RULE, "adopt": True}, rule("release")),
        (to_both, rule("release", to=(CONSUMER, STRANGER))),
        ({**to_both, "delete_replication": True}, rule("release", to=(CONSUMER, STRANGER), **deleting)),
        (to_both, rule("release", to=(CONSUMER, STRANGER), **deleting)),  # an omitted option changes nothing
        ({**to_both, "delete_replication": False}, rule("release", to=(CONSUMER, STRANGER))),
        ({**to_both, "state": "absent"}, None),
        ({**to_both, "state": "absent"}, None),
        ({"all_repositories": True, "destinations": [CONSUMER]}, rule()),
        ({"all_repositories": True, "destinations": [CONSUMER], "state": "absent"}, None),
    ]:
        before = registry.rules
        result, writes = both(control, **options)
        after = [FOREIGN, *([expected] if expected else [])]
        assert (result["code"], registry.rules) == (0, after), result
        assert writes == ([WRITE] if before != after else []), result
        assert (result["rules"], result["rule"]) == (after, expected or {})
        assert result["diff"] == {"before": {"rules": before}, "after": {"rules": after}}


def test_end_of_the_only_rule_writes_an_empty_configuration(control: Control, registry: Registry) -> None:
    registry.put(rule("release"))
    result = control.module(MODULE, "owner", **RULE, state="absent")
    assert (result["changed"], result["rules"], registry.rules) == (True, [], [])


def test_repositories_and_unmatched_prefixes_are_reported(control: Control, registry: Registry) -> None:
    result = control.module(MODULE, "owner", "--check", **{**RULE, "prefixes": ["rele", "nothing/"]})
    assert result["repositories"] == ["release"]
    output = " ".join(control.last.output.split())
    assert "prefixes: no repository of the registry begins with nothing/." in output
    assert registry.rules == [FOREIGN]


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ({"prefixes": []}, ["prefixes is empty."]),
        ({"all_repositories": True}, ["prefixes and all_repositories exclude each other."]),
        ({"destinations": [{**CONSUMER, "account": accounts.OWNER}]}, ["is the registry of the images."]),
        ({"destinations": [{**CONSUMER, "region": "cn-north-1"}]}, ["ECR does not replicate between partitions."]),
        ({"prefixes": ["team/api"], "destinations": [STRANGER]}, ["Rule 1 of the registry,", "overlaps"]),
        ({"account": accounts.STRANGER}, ["The credentials belong to account 111111111111"]),
        (
            {"prefixes": ["x", "*"], "destinations": [CONSUMER, CONSUMER]},
            ["3 problems, nothing was written:", "'x' is not", "'*' is not", "more than once"],
        ),
    ],
)
def test_problems_are_found_before_the_first_write(
    control: Control, registry: Registry, options: dict[str, Any], parts: list[str]
) -> None:
    mark = len(control.lab.calls())
    result = control.module(MODULE, "owner", **{**RULE, **options})
    assert result["code"] == 2
    assert all(part in result["msg"] for part in parts), result["msg"]
    assert control.lab.writes_since(mark) == []
    assert registry.rules == [FOREIGN]


def test_limits_of_the_registry_are_found_before_the_first_write(control: Control, registry: Registry) -> None:
    others = [rule(f"team{number}/", to=(STRANGER,)) for number in range(10)]
    registry.put(*others)
    result = control.module(MODULE, "owner", **RULE)
    assert "The registry would have 11 replication rules; ECR accepts up to 10." in result["msg"]
    assert registry.rules == others


def through(control: Control, writer: SecondWriter, **options: Any) -> dict[str, Any]:
    with serving(writer):
        return control.module(MODULE, "owner", endpoint_url=writer.url, **options)


NEW = rule("other/", to=(STRANGER,))


@pytest.mark.parametrize("state", ["present", "absent"])
@pytest.mark.parametrize("number", [1, 2])
def test_rule_written_before_the_last_read_is_kept(
    control: Control, registry: Registry, state: str, number: int
) -> None:
    if state == "absent":
        registry.put(rule("release"), FOREIGN)
    writer = SecondWriter(control.lab, {("DescribeRegistry", number): lambda: registry.add(NEW)})
    result = through(control, writer, **RULE, state=state)
    assert (result["code"], writer.actions) == (0, {}), result
    others = [FOREIGN, NEW]
    assert registry.rules == (others if state == "absent" else [*others, rule("release")])


def test_overwritten_rule_is_a_conflict_with_both_contents(control: Control, registry: Registry) -> None:
    """The other program has read before the write, and writes after it."""
    writer = SecondWriter(control.lab, {("DescribeRegistry", 3): lambda: registry.put(FOREIGN, NEW)})
    result = through(control, writer, **RULE)
    assert (result["code"], result["changed"], writer.actions) == (2, True, {}), result
    place = f"account {accounts.CONSUMER} in {accounts.REGION}"
    message = "Another program changed the replication configuration of account 111111111111 in ap-northeast-1 at the"
    assert result["msg"].startswith(f"{message} same time: it lacks the rule release* to {place}.\nThis run wrote: ")
    assert result["conflict"]["written"] == [FOREIGN, rule("release")]
    assert result["conflict"]["found"] == [FOREIGN, NEW]
    assert control.module(MODULE, "owner", **RULE)["code"] == 0
    assert registry.rules == [FOREIGN, NEW, rule("release")]


def test_overlap_written_before_the_last_read_is_a_problem(control: Control, registry: Registry) -> None:
    writer = SecondWriter(control.lab, {("DescribeRegistry", 2): lambda: registry.add(rule())})
    result = through(control, writer, **RULE)
    assert result["code"] == 2
    assert result["msg"].startswith("Rule 2 of the registry, all repositories to account 222222222222"), result
    assert registry.rules == [FOREIGN, rule()]


def test_denied_service_linked_role_is_explained(control: Control, lab: Lab) -> None:
    account = Account(lab, "stranger-administrator")
    role = account.role(
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",'
        f'"Principal":{{"AWS":"{accounts.STRANGER}"}}}}]}}',
        allow("ecr:*"),
    )
    result = control.module(MODULE, "stranger-administrator", **RULE, assume_role_arn=role)
    assert (result["code"], result["changed"]) == (2, False)
    assert "iam:CreateServiceLinkedRole" in result["msg"]
    advice = "creates the service-linked role AWSServiceRoleForECRReplication, so it also requires"
    assert advice in result["msg"], result["msg"]
