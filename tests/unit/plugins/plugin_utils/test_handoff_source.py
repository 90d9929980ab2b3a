# SPDX-License-Identifier: GPL-3.0-or-later
"""A hand-off is data: the reader and the published schema accept exactly what an owner account writes."""

from __future__ import annotations

import datetime
import importlib
import json
import os
import pathlib
import socket
import time
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._consumers import Consumer
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._handoff import (
    HandoffOptions,
    handoff_yaml,
    handoffs,
    policy_of_consumer,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._handoff_schema import (
    Share,
    handoff_problems,
    share_of,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._handoff_summary import summary, summary_of_hosts
from ansible_collections.crossaccount.ecr.plugins.module_utils._handoff_values import MAXIMUM_ENTRIES
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._handoff_source import MAXIMUM_BYTES, source_of
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._strict_yaml import load
from hypothesis import given
from hypothesis import strategies as st

from tests.support.paths import ROOT

OWNER, CONSUMER = "111111111111", "222222222222"
NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
SCHEMA = json.loads((ROOT / "docs/handoff.schema.json").read_text())
GOOD: dict[str, Any] = {
    "ecr_pull_role_arn": f"arn:aws:iam::{OWNER}:role/teams/allow_ecr_release",
    "ecr_pull_external_id": "test",
    "ecr_pull_consumer_account": CONSUMER,
    "ecr_pull_shared_at": "2026-01-31T23:59:59Z",
    "ecr_pull_region": "ap-northeast-1",
    "ecr_pull_registry": f"{OWNER}.dkr.ecr.ap-northeast-1.amazonaws.com",
    "ecr_pull_repository_tags": {"environment": "release"},
    "ecr_pull_access": "read",
    "ecr_pull_repositories": ["release"],
    "ecr_pull_denied": ["develop"],
    "ecr_pull_images": ["release:v1.0"],
}
UNIT = "o-abcdefghij/r-ab12/ou-ab12-11111111"
#: The change to a hand-off for an organization. The key that is None is removed.
OF_ORGANIZATION: dict[str, Any] = {"ecr_pull_consumer_account": None, "ecr_pull_consumer_organization": "o-abcdefghij"}
#: The change to a hand-off of a share without a role.
WITHOUT_ROLE: dict[str, Any] = {
    "ecr_pull_role_arn": None,
    "ecr_pull_external_id": None,
    "ecr_pull_mode": "repository_policy",
    "ecr_pull_registry_account": OWNER,
    "ecr_pull_consumer_policy": policy_of_consumer(OWNER, "ap-northeast-1", ["release"], "read"),
}
CONSUMED = Consumer(external_id="test")
DIGEST = "sha256:" + 64 * "a"
LOOKUP = "{{ lookup('pipe', 'id') }}"
#: Not a value of any key.
NEVER = [
    None,
    3,
    True,
    1.5,
    {},
    {"a": {"b": "c"}},
    [["a"]],
    [3],
    LOOKUP,
    f"x{LOOKUP}",
    "a\nb",
    "a\0b",
    "a\x1b[2J",
    "",
    " ",
]


def problems(document: dict[str, Any]) -> list[str]:
    """All that the reader rejects in a document, apart from how its values go together."""
    return list(handoff_problems(document))


def is_valid(document: Any) -> bool:
    valid: bool = importlib.import_module("jsonschema").Draft202012Validator(SCHEMA).is_valid(document)
    return valid


ACCEPTED: list[dict[str, Any]] = [
    {},
    {"ecr_pull_external_id": None},
    {"ecr_pull_role_arn": f"arn:aws-cn:iam::{OWNER}:role/r"},
    {"ecr_pull_registry": "127.0.0.1:5000"},
    {"ecr_pull_access": "pull"},
    {"ecr_pull_repositories": [], "ecr_pull_denied": [], "ecr_pull_images": []},
    {"ecr_pull_repositories": ["a1/b.c__d--e"]},
    OF_ORGANIZATION,
    {**OF_ORGANIZATION, "ecr_pull_consumer_units": [UNIT]},
    WITHOUT_ROLE,
    {**WITHOUT_ROLE, **OF_ORGANIZATION, "ecr_pull_mode": "registry_policy"},
    {"ecr_pull_images": [f"release@{DIGEST}", f"release:v1@{DIGEST}", "a/b:_x"]},
    {"ecr_pull_repository_tags": {"environment": ["release", "beta"], "team": "", "チーム": "東京 1"}},
]
REJECTED: list[dict[str, Any]] = [
    *({name: value} for name in GOOD for value in NEVER if not (value is None and name == "ecr_pull_external_id")),
    *({name: None} for name in GOOD if name != "ecr_pull_external_id"),
    *(
        {name: "x"}
        for name in (
            *("ansible_connection", "ansible_shell_executable", "ansible_ssh_common_args", "ansible_become_user"),
            *("ecr_pull_engine", "ecr_pull_dest", "ecr_pull_hosts", "ecr_pull_profile", "ecr_pull_junit_path"),
            *("ecr_pull_credentials", "ecr_pull_owner_account", "ecr_pull_handoff", "ecr_pull_ca_path", "<<", ""),
        )
    ),
    {"ecr_pull_role_arn": f"arn:aws:iam::{OWNER}:user/u"},
    {"ecr_pull_external_id": "a"},
    {"ecr_pull_external_id": 1225 * "a"},
    {"ecr_pull_consumer_account": "22222222222"},
    {"ecr_pull_consumer_organization": "o-abcdefghij"},
    {"ecr_pull_consumer_units": [UNIT]},
    {"ecr_pull_consumer_account": "\uff12" * 12},
    {"ecr_pull_region": "*"},
    {"ecr_pull_registry": "https://example.com"},
    {"ecr_pull_registry": "example.com/repository"},
    {"ecr_pull_access": "write"},
    {"ecr_pull_repositories": ["*"]},
    {"ecr_pull_repositories": ["release:v1.0"]},
    {"ecr_pull_repositories": [f"{OWNER}.dkr.ecr.ap-northeast-1.amazonaws.com/a"]},
    {"ecr_pull_denied": ["a"] * (MAXIMUM_ENTRIES + 1)},
    {"ecr_pull_images": ["release"]},
    {"ecr_pull_images": ["release:v1.0;touch${IFS}x"]},
    {"ecr_pull_images": [f"release@{DIGEST}0"]},
    {"ecr_pull_images": [f"https://{OWNER}.dkr.ecr.ap-northeast-1.amazonaws.com/release:v1.0"]},
    {"ecr_pull_images": ["docker pull release:v1.0"]},
    {"ecr_pull_images": [" release:v1.0"]},
    {"ecr_pull_repository_tags": {"environment": []}},
    {"ecr_pull_repository_tags": {"aws:x": "y"}},
    {"ecr_pull_repository_tags": {LOOKUP: "y"}},
    {"ecr_pull_repository_tags": {"a": 257 * "b"}},
]


def changed(change: dict[str, Any], null: bool = True) -> dict[str, Any]:
    """The good document with a change; None removes a key that is not otherwise given."""
    document = {**GOOD, **change}
    return {name: value for name, value in document.items() if value is not None or null}


@pytest.mark.parametrize("change", ACCEPTED, ids=str)
def test_reader_and_schema_accept(change: dict[str, Any]) -> None:
    document = changed(change, null=False)
    assert problems(document) == []
    assert is_valid(document)
    assert load(json.dumps(document), "it") == document


@pytest.mark.parametrize(
    "change",
    [
        *({name: None} for name in WITHOUT_ROLE if name not in ("ecr_pull_role_arn", "ecr_pull_external_id")),
        *({name: GOOD[name]} for name in ("ecr_pull_role_arn", "ecr_pull_external_id")),
        {"ecr_pull_expires": "2026-12-31T00:00:00Z"},
        {"ecr_pull_mode": "role"},
        {"ecr_pull_registry_account": "1"},
        {"ecr_pull_consumer_policy": "x"},
        {"ecr_pull_consumer_policy": []},
    ],
    ids=str,
)
def test_both_reject_a_wrong_share_without_a_role(change: dict[str, Any]) -> None:
    document = changed({**WITHOUT_ROLE, **change}, null=False)
    assert problems(document) != []
    assert not is_valid(document)


def test_policy_that_allows_more_is_rejected() -> None:
    """The administrator of the consumer gives the policy to a principal of its own account."""
    good = changed(WITHOUT_ROLE, null=False)
    share = share_of(good, {}, OWNER, None)
    assert (share.owner_account, share.role_arn) == (OWNER, None)
    assert share.consumer_policy == WITHOUT_ROLE["ecr_pull_consumer_policy"]
    assert share_of(good, {"repositories": []}, None, None).repositories == []
    read, token = WITHOUT_ROLE["ecr_pull_consumer_policy"]["Statement"]
    for wider in ({**read, "Action": "*"}, {**read, "Resource": "*"}, {**read, "Extra": "x"}):
        policy = {"Version": "2012-10-17", "Statement": [wider, token]}
        with pytest.raises(
            EcrError, match=r"^ecr_pull_consumer_policy is not the policy that allows ecr_pull_access on"
        ):
            share_of({**good, "ecr_pull_consumer_policy": policy}, {}, None, None)
    other = {"ecr_pull_registry": good["ecr_pull_registry"].replace(OWNER, "333333333333")}
    for change, own, owner, external_id, problem in (
        (other, {}, None, None, r"333333333333\S+ is not a registry of account 111111111111\."),
        (
            {"ecr_pull_consumer_account": OWNER},
            {},
            None,
            None,
            "The registry and ecr_pull_consumer_account are both of",
        ),
        (
            {},
            {"role_arn": GOOD["ecr_pull_role_arn"]},
            None,
            None,
            "without a role, so it cannot have ecr_pull_role_arn",
        ),
        ({}, {}, "333333333333", None, "The registry is in account 111111111111, but ecr_pull_owner_account is 3+"),
        ({}, {}, None, "test", "The external ID of the hand-off is not the one"),
    ):
        with pytest.raises(EcrError, match=problem):
            share_of({**good, **change}, own, owner, external_id)


@pytest.mark.parametrize("change", REJECTED, ids=lambda change: str(change)[:60])
def test_reader_and_schema_reject(change: dict[str, Any]) -> None:
    assert problems(changed(change)) != []
    assert not is_valid(changed(change))


@pytest.mark.parametrize(
    "change",
    [
        {"ecr_pull_consumer_organization": None},
        {"ecr_pull_consumer_organization": "o-*"},
        {"ecr_pull_consumer_units": [f"{UNIT}/*"]},
        {"ecr_pull_consumer_units": UNIT},
        {"ecr_pull_consumer_units": [LOOKUP]},
    ],
    ids=str,
)
def test_a_wrong_organization_is_rejected(change: dict[str, Any]) -> None:
    document = changed({**OF_ORGANIZATION, **change}, null=False)
    assert problems(document) != []
    assert not is_valid(document)


@pytest.mark.parametrize("name", [name for name, value in GOOD.items() if isinstance(value, str)])
def test_a_line_break_at_the_end_is_rejected(name: str) -> None:
    assert problems({**GOOD, name: GOOD[name] + "\n"}) != []


def test_missing_keys_are_reported_together_with_unknown_keys() -> None:
    with pytest.raises(EcrError) as caught:
        share_of({"ecr_pull_role_arn": "x", "ansible_connection": "ssh", "ecr_pull_hosts": "all"}, {}, None, None)
    message = str(caught.value)
    assert "A hand-off cannot contain ansible_connection, ecr_pull_hosts." in message
    assert "The hand-off lacks ecr_pull_access, ecr_pull_denied" in message
    assert "A hand-off has either ecr_pull_consumer_account, or ecr_pull_consumer_organization" in message
    assert "ecr_pull_role_arn: role_arn 'x' is not the ARN of a role" in message
    assert "ecr_pull_external_id" not in message


def test_a_hand_off_of_thousands_of_problems_has_a_short_message() -> None:
    hostile = {**GOOD, "ecr_pull_images": [LOOKUP] * 5000}
    with pytest.raises(EcrError, match="4980 more problems are not shown"):
        share_of(hostile, {}, None, None)


def test_policies_of_the_owner_are_accepted() -> None:
    role = {"role_arn": GOOD["ecr_pull_role_arn"], "consumers": [replace(CONSUMED, account=CONSUMER).result]}
    place = {"region": "ap-northeast-1", "registry": GOOD["ecr_pull_registry"], "repositories": [{"name": "release"}]}
    declared = {"repository_tags": {"environment": "release", "𠮷": "東京"}, "access": "read", "denied": ["develop"]}
    others = {
        "path": None,
        "repositories": [],
        "images": ["release:v1.0"],
        "share_changed": True,
        "artifact": None,
        "forms": [],
    }
    options = HandoffOptions.of({"role": role, "tagged": [place], **declared, **others})
    (handoff,) = handoffs(options, "2026-01-31T23:59:59Z")
    document = load(handoff_yaml(handoff), "it")
    assert document == {**GOOD, "ecr_pull_repository_tags": declared["repository_tags"]}
    assert is_valid(document)
    assert share_of(document, {}, None, None).owner_account == OWNER
    role["consumers"] = [replace(CONSUMED, organization_id="o-abcdefghij", organization_units=(UNIT,)).result]
    (handoff,) = handoffs(replace(options, role=role), "2026-01-31T23:59:59Z")
    text = handoff_yaml(handoff)
    assert text.splitlines()[1] == (
        f"# The hand-off of account {OWNER} for organization o-abcdefghij, unit {UNIT}. Use the file without changes:"
    )
    document = load(text, "it")
    assert is_valid(document)
    share = share_of(document, {}, None, None)
    assert (share.consumer_account, share.consumer_organization, share.consumer_units) == (None, "o-abcdefghij", [UNIT])
    assert f"consumer:         organization o-abcdefghij, unit {UNIT}" in summary(share, None, NOW)


# --- how the values go together, and what the consumer expects -------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"ecr_pull_denied": ["release"]}, "Repository release is in ecr_pull_repositories and in ecr_pull_denied."),
        ({"ecr_pull_consumer_account": OWNER}, f"are both of account {OWNER}"),
        (
            {**OF_ORGANIZATION, "ecr_pull_consumer_units": [UNIT.replace("o-abcdefghij", "o-bbbbbbbbbb")]},
            "belongs to organization o-bbbbbbbbbb, not to o-abcdefghij",
        ),
        ({"ecr_pull_region": "eu-west-1"}, "is not in region eu-west-1"),
        ({"ecr_pull_role_arn": "arn:aws:iam::333333333333:role/r"}, "is a role of another account"),
        ({"ecr_pull_registry": f"{GOOD['ecr_pull_registry']}.example.com"}, "ecr_pull_registry: Registry"),
    ],
)
def test_values_that_do_not_go_together_are_rejected(change: dict[str, Any], problem: str) -> None:
    with pytest.raises(EcrError) as caught:
        share_of(changed(change, null=False), {}, None, None)
    assert problem in str(caught.value)


def test_own_values_take_precedence_and_are_checked() -> None:
    share = share_of(GOOD, {"images": ["other:v2"], "access": "pull"}, OWNER, "test")
    assert (share.images, share.access, share.denied) == (["other:v2"], "pull", ["develop"])
    pasted = f"https://{GOOD['ecr_pull_registry']}/other:v2"
    assert share_of(GOOD, {"images": [pasted]}, OWNER, "test").images == ["other:v2"]
    elsewhere = pasted.replace(OWNER, "333333333333")
    with pytest.raises(EcrError, match="ecr_pull_images: Image 333333333333"):
        share_of(GOOD, {"images": [elsewhere]}, OWNER, "test")
    with pytest.raises(EcrError, match="ecr_pull_images: Image 'other' has no image tag"):
        share_of(GOOD, {"images": ["other"]}, None, None)
    with pytest.raises(EcrError, match="ecr_pull_denied"):
        share_of(GOOD, {"denied": ["release"]}, None, None)


def test_share_has_an_arn_of_the_owner_and_its_repositories() -> None:
    share = share_of(GOOD, {"denied": ["other"]}, None, None)
    assert (share.owner_arn, share.existing) == (GOOD["ecr_pull_role_arn"], ["release", "develop"])
    without_role = share_of(changed(WITHOUT_ROLE, null=False), {}, None, None)
    assert without_role.owner_arn == f"arn:aws:iam::{OWNER}:root"
    assert Share(registry_account=OWNER, region="cn-north-1").owner_arn == f"arn:aws-cn:iam::{OWNER}:root"


def test_images_may_name_another_registry_of_the_share() -> None:
    mirror = {**GOOD, "ecr_pull_registry": "127.0.0.1:5000"}
    assert share_of(mirror, {"images": ["127.0.0.1:5000/other:v2"]}, None, None).images == ["other:v2"]
    with pytest.raises(EcrError, match="ecr_pull_images: Image 127"):
        share_of(mirror, {"images": ["127.0.0.2:5000/other:v2"]}, None, None)


def test_own_values_are_enough_without_a_hand_off() -> None:
    share = share_of(None, {"role_arn": GOOD["ecr_pull_role_arn"]}, None, None)
    assert share.values() == {
        "owner_account": OWNER,
        "existing": [],
        "role_arn": GOOD["ecr_pull_role_arn"],
        "access": "read",
        "repositories": [],
        "denied": [],
        "images": [],
    }
    with pytest.raises(EcrError, match="-e ecr_pull_handoff=FILE"):
        share_of(None, {}, None, None)


def test_another_owner_or_external_id_is_rejected() -> None:
    with pytest.raises(EcrError) as caught:
        share_of(GOOD, {}, "333333333333", "another")
    message = str(caught.value)
    assert f"is in account {OWNER}, but ecr_pull_owner_account is 333333333333." in message
    assert "The external ID of the hand-off is not the one in ecr_pull_expected_external_id." in message
    assert "another" not in message
    without = {name: value for name, value in GOOD.items() if name != "ecr_pull_external_id"}
    with pytest.raises(EcrError, match="ecr_pull_expected_external_id"):
        share_of(without, {}, None, "test")
    with pytest.raises(EcrError, match="ecr_pull_owner_account: '1'"):
        share_of(GOOD, {}, "1", None)


def test_summary_names_the_share_and_the_option_that_is_not_set() -> None:
    share = share_of({**GOOD, "ecr_pull_denied": [f"d{number}" for number in range(25)]}, {}, None, None)
    lines = summary(share, None, NOW)
    assert "set ecr_pull_owner_account" in lines[0]
    assert OWNER in lines[0]
    assert lines[4].endswith(", d19 and 5 more")
    assert "set " not in summary(share, OWNER, NOW)[0]
    assert lines[1:4] == [
        f"consumer account: {CONSUMER}",
        f"role:             {GOOD['ecr_pull_role_arn']}",
        "repositories:     release",
    ]
    without_role = summary(share_of(changed(WITHOUT_ROLE, null=False), {}, None, None), None, NOW)
    assert without_role[2] == "mode:             repository_policy. The consumer pulls with its own identity."


def test_summary_says_when_the_access_ends_or_ended() -> None:
    for expires, line in (
        ("2026-01-07T00:00:00Z", "access:           ends on 2026-01-07T00:00:00Z (in 6 days)"),
        ("2025-12-31T23:59:59Z", "access:           ended on 2025-12-31T23:59:59Z"),
    ):
        share = share_of({**GOOD, "ecr_pull_expires": expires}, {}, None, None)
        assert line in summary(share, None, NOW)
    with pytest.raises(EcrError, match="ecr_pull_expires: 'soon' is not a time in UTC"):
        share_of({**GOOD, "ecr_pull_expires": "soon"}, {}, None, None)


def test_summary_of_hosts_with_one_share_is_shown_once() -> None:
    same, other = (summary(Share(f"arn:aws:iam::{account}:role/r"), None, NOW) for account in (OWNER, CONSUMER))
    assert summary_of_hosts({"a": same, "b": same}) == same
    assert summary_of_hosts({"a": same, "b": other, "c": same}) == ["on a, c:", *same, "on b:", *other]
    assert summary_of_hosts({}) == []


# --- the text --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: !!python/object/apply:os.system [id]\n", "line 1: tag tag:yaml.org,2002:python/object/apply:os.system"),
        ("a: x\nb: !unsafe y\n", "line 2: tag !unsafe is not allowed"),
        ("a: !vault y\n", "tag !vault is not allowed"),
        ("a: !!binary aWQ=\n", "tag tag:yaml.org,2002:binary is not allowed"),
        ("!!map {a: x}\n", "tag tag:yaml.org,2002:map is not allowed"),
        ("? !!str a\n: b\n", "tag tag:yaml.org,2002:str is not allowed"),
        ("%TAG ! tag:example.com,2026:\n---\na: b\n", "tags are not allowed"),
        ("a: &a x\nb: y\n", "line 1: anchors and aliases are not allowed"),
        ("a: x\nb: *a\n", "line 2: anchors and aliases are not allowed"),
        ("&a b: x\n", "anchors and aliases are not allowed"),
        ("a: x\n---\na: y\n", "line 2: a second document is not allowed"),
        ("a: x\na: y\n", "line 2: key a occurs twice"),
        ("a: {b: x, b: y}\n", "key b occurs twice"),
        ("a: 222222222222\n", "line 1: '222222222222' is not a string; quote it"),
        ("a: 0123\n", "is not a string"),
        ("a: yes\n", "is not a string"),
        ("a: null\n", "is not a string"),
        ("a:\n", "an empty value is not a string"),
        ("a: 2026-01-31\n", "is not a string"),
        ("1: x\n", "'1' is not a string"),
        ("<<: {b: c}\n", "'<<' is not a string"),
        ("? [a]\n: b\n", "levels of lists and dictionaries are not allowed"),
        ("? {a: b}\n: b\n", "levels of lists and dictionaries are not allowed"),
        ("a: {b: [[[[c]]]]}\n", "more than 5 levels"),
        ("a: " + 100_000 * "[", "more than 5 levels"),
        (100_000 * "{a: ", "more than 5 levels"),
        ("a:\n" + 50_000 * "- b\n", "line 40001: more than 40000 strings"),
        ('a: "\\ud800"\n', "not Unicode text"),
        ("a: 'b\0c'\n", "special characters are not allowed"),
        ("a: 'b\x1b[2J'\n", "special characters are not allowed"),
        ("a: [b\n", "expected ',' or ']'"),
        ("just text\n", "is not a hand-off"),
        ("- a\n", "is not a hand-off"),
        ("", "is not a hand-off"),
        ("# only a comment\n", "is not a hand-off"),
    ],
    ids=lambda value: repr(value[:40]),
)
def test_text_with_other_types_is_rejected_with_line(text: str, problem: str) -> None:
    with pytest.raises(EcrError) as caught:
        load(text, "file.yml")
    assert str(caught.value).startswith("file.yml")
    assert problem in str(caught.value)


def test_expanding_aliases_are_rejected_at_once() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join(9 * [f'*a{n - 1}'])}]" for n in range(1, 12)]
    start = time.process_time()
    with pytest.raises(EcrError, match="anchors and aliases"):
        load("\n".join(lines), "it")
    assert time.process_time() - start < 10


@given(st.text())
def test_any_text_is_read_or_rejected(text: str) -> None:
    try:
        share_of(load(text, "it"), {}, None, None)
    except EcrError:
        return
    raise AssertionError("accepted")


@given(st.dictionaries(st.sampled_from([*GOOD, "x"]), st.recursive(st.text() | st.integers() | st.none(), st.lists)))
def test_any_values_are_checked_without_an_exception(values: dict[str, Any]) -> None:
    for problem in handoff_problems({**GOOD, **values}):
        assert problem


# --- where it comes from ---------------------------------------------------------------------------------------------


def source(value: Any, **variables: Any) -> Any:
    return source_of(
        {"ecr_pull_handoff": value, **variables}, lambda path: path.replace("{{ folder }}", variables["folder"])
    )


TEXT = f"ecr_pull_role_arn: '{LOOKUP}'\n"


@pytest.mark.parametrize(
    ("value", "variables", "text"),
    [
        (TEXT, {}, TEXT),
        (f'{{"ecr_pull_role_arn": "{LOOKUP}"}}', {}, f'{{"ecr_pull_role_arn": "{LOOKUP}"}}'),
        ("{{ other }}", {"other": TEXT}, TEXT),
        ("{{ other }}", {"other": "{{other2}}", "other2": TEXT}, TEXT),
        ("{{ none | default(other, true) }}", {"other": TEXT}, TEXT),
        ("{{ none | default(other, true) }}", {"none": "", "other": TEXT}, TEXT),
        ("{{ none | default(other, true) }}", {"none": TEXT, "other": ""}, TEXT),
    ],
)
def test_text_is_taken_as_it_is(value: str, variables: dict[str, str], text: str) -> None:
    assert source(value, **variables) == (text, "The text in ecr_pull_handoff")


@pytest.mark.parametrize("value", [None, "", "{{ none | default(other, true) }}"])
def test_missing_value_is_not_a_handoff(value: Any) -> None:
    assert source(value) is None


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (LOOKUP, "has a template that is not the name of a variable"),
        (f"x{LOOKUP}", "has a template that is not the name of a variable"),
        ("{% set x = lookup('pipe', 'id') %}", "has a template"),
        ("{# x #}", "has a template"),
        ("{{ a }}{{ lookup('pipe', 'id') }}", "has a template"),
        ("{{ a.b }}", "has a template"),
        ("{{ other }}", "names the variable other, which is not set"),
        ("{{ ecr_pull_handoff }}", "refers to a variable that refers to another variable"),
        ({"ecr_pull_role_arn": "x"}, "it is a dict"),
        (3, "it is a int"),
        ("x" + "\n" * MAXIMUM_BYTES, "has more than 1048576 bytes"),
        ("/nonexistent/handoff.yml", "cannot be read: No such file or directory"),
        ("a\0b", "cannot be read: embedded null byte"),
        ("/dev/zero", "is not a regular file"),
        ("/", "cannot be read: Is a directory"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_source_that_is_neither_path_nor_text_is_rejected(value: Any, problem: str) -> None:
    with pytest.raises(EcrError) as caught:
        source(value)
    assert problem in str(caught.value)


def test_a_fifo_and_a_socket_are_rejected_at_once(tmp_path: pathlib.Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(EcrError, match="is not a regular file"):
        source(str(tmp_path / "fifo"))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        with pytest.raises(EcrError, match="cannot be read"):
            source(str(tmp_path / "s"))


def test_a_file_is_read_by_its_path_and_through_a_link(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "handoff.yml"
    file.write_text(TEXT)
    (tmp_path / "link.yml").symlink_to(file)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for path in (str(file), "handoff.yml", "~/handoff.yml", "link.yml"):
        assert source(path) == (TEXT, path)
    variables = {"folder": str(tmp_path), "other": "{{ folder }}/handoff.yml"}
    for value in ("{{ folder }}/handoff.yml", "{{ other }}"):
        assert source(value, **variables) == (TEXT, str(file))


def test_a_large_file_and_a_binary_file_are_rejected(tmp_path: pathlib.Path) -> None:
    large, binary = tmp_path / "large", tmp_path / "binary"
    large.write_bytes(b"#" * (MAXIMUM_BYTES + 1))
    binary.write_bytes(b"a: b\nc: \xff\n")
    with pytest.raises(EcrError, match="has more than 1048576 bytes"):
        source(str(large))
    with pytest.raises(EcrError, match="line 2, is not UTF-8 text"):
        source(str(binary))
