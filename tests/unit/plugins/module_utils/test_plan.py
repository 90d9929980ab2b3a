from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import (
    _consumers,
    _convergence,
    _names,
    _policy,
    _policy_document,
    _role_plan,
    _role_state,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import Problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_plan import RolePlan, Step
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import PolicyVersion, RoleState
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.authority import Caller, assumes, reads
from tests.unit.iam_writes import applied, moments

OWNER, CONSUMER, STRANGER = "111111111111", "222222222222", "333333333333"


@pytest.mark.parametrize(
    ("name", "pattern"),
    [("app", False), ("team/app", False), ("a*", True), ("a?", True), ("[ab]", True), ("a]", False)],
)
def test_is_pattern(name: str, pattern: bool) -> None:
    assert _names.is_pattern(name) is pattern


@pytest.mark.parametrize("name", ["ab", "a" * 256, "a1/b2/c3", "a.b_c__d-e---f", "0a", "my.team/app"])
def test_good_repository_names(name: str) -> None:
    assert _names.repository_problem(name) is None


@pytest.mark.parametrize(
    "name",
    [
        "",
        "a",
        "a" * 257,
        "App",
        "-ab",
        "ab-",
        "a..b",
        "a___b",
        "a//b",
        "/ab",
        "ab/",
        "../ab",
        "ab/..",
        "ab:v1",
        "ab\n",
        "é1",
    ],
)
def test_bad_repository_names(name: str) -> None:
    assert _names.repository_problem(name) == (
        f"{name!r} is not a repository name: 2 to 256 of a-z, 0-9 and . _ - / are, beginning and ending with a letter"
        " or digit. Give the name alone, without registry and image tag."
    )


# --- the role: declared


def options(**said: Any) -> dict[str, Any]:
    return {
        "name": "allow",
        "policy_name": None,
        "repository_tags": {"share": "yes"},
        "access": "read",
        "condition_key": "ecr",
        "regions": None,
        "consumers": [{"account": CONSUMER, "external_id": "id-one"}],
        "max_session_duration": None,
        "path": "/",
        "description": None,
        "permissions_boundary": None,
        "tags": None,
        "trust_policy_quota": 2048,
        **said,
    }


def declare(before: RoleState, **said: Any) -> tuple[RoleState, list[str]]:
    problems = Problems()
    return _role_state.declare_role(before, options(**said), "aws", OWNER, problems), problems.found


OURS = {"managed-by": "crossaccount.ecr"}
BOUNDARY = f"arn:aws:iam::{OWNER}:policy/boundary"
THERE = replace(
    declare(RoleState())[0],
    path="/",
    description="Said before",
    max_session_duration=7200,
    permissions_boundary=BOUNDARY,
    role_tags={**OURS, "team": "a"},
    policy_tags={**OURS, "cost": "b"},
    versions=(PolicyVersion("v1", True, declare(RoleState())[0].permissions),),
    foreign=("Role allow has policy x attached",),
)


def test_a_new_role() -> None:
    after, problems = declare(RoleState(), tags={"team": "a"})
    assert problems == []
    assert (after.description, after.max_session_duration, after.permissions_boundary) == ("", 3600, None)
    assert (after.role_exists, after.policy_exists, after.attached) == (True, True, True)
    assert after.role_tags == after.policy_tags == {**OURS, "team": "a"}


def test_what_is_not_mentioned_stays() -> None:
    after, problems = declare(THERE)
    assert problems == []
    assert after == THERE
    assert _role_plan.plan_role(THERE, after).steps == []


def test_what_is_mentioned_changes() -> None:
    other = BOUNDARY + "2"
    after, problems = declare(
        THERE, description="", max_session_duration=3600, permissions_boundary=other, tags={"team": "c"}
    )
    assert problems == []
    assert after == replace(
        THERE,
        description="",
        max_session_duration=3600,
        permissions_boundary=other,
        role_tags={**OURS, "team": "c"},
        policy_tags={**OURS, "cost": "b", "team": "c"},
    )
    assert _role_plan.plan_role(THERE, after).steps == [
        Step("tag_policy", {"tags": {"team": "c"}}),
        Step("put_boundary", {"boundary": other}),
        Step("update_role", {"description": "", "max_session_duration": 3600}),
        Step("tag_role", {"tags": {"team": "c"}}),
    ]


def test_first_boundary_of_existing_role_is_the_first_write() -> None:
    before = replace(THERE, permissions_boundary=None)
    after, problems = declare(
        before,
        permissions_boundary=BOUNDARY,
        consumers=[{"account": "333333333333", "external_id": "id-two"}],
        access="pull",
    )
    assert problems == []
    steps = _role_plan.plan_role(before, after).steps
    assert steps[0] == Step("put_boundary", {"boundary": BOUNDARY})
    assert steps[1:] == _role_plan.plan_role(THERE, after).steps


def test_a_document_of_the_same_meaning_stays_as_it_is() -> None:
    assert THERE.trust is not None
    (statement,) = THERE.trust["Statement"]
    respelled = {"Version": "2012-10-17", "Statement": {**statement, "Sid": "Old", "Principal": {"AWS": [CONSUMER]}}}
    before = replace(THERE, trust=respelled)
    after, problems = declare(before)
    assert problems == []
    assert after.trust is respelled
    assert _role_plan.plan_role(before, after).steps == []


LATIN = "IAM takes Latin-1 characters only in a role's description."
MANY = {f"k{number}": "1" for number in range(49)}


@pytest.mark.parametrize(
    ("before", "said", "found"),
    [
        (RoleState(), {"description": "é ÿ ¡ ~\t\n\r" + "x" * 990}, []),
        (RoleState(), {"description": "x" * 1001}, ["The description has 1001 characters; IAM takes 1,000."]),
        (RoleState(), {"description": "a — b"}, [f"The description has '—'; {LATIN}"]),
        (RoleState(), {"description": "リリース"}, [f"The description has 'リ'; {LATIN}"]),
        (RoleState(), {"description": "a\x7f"}, [f"The description has '\\x7f'; {LATIN}"]),
        (RoleState(), {"description": "a\xa0b"}, [f"The description has '\\xa0'; {LATIN}"]),
        (RoleState(), {"max_session_duration": 3600}, []),
        (RoleState(), {"max_session_duration": 43200}, []),
        (
            RoleState(),
            {"max_session_duration": 3599},
            ["max_session_duration is 3599 seconds; IAM takes 3,600 to 43,200."],
        ),
        (
            RoleState(),
            {"max_session_duration": 43201},
            ["max_session_duration is 43201 seconds; IAM takes 3,600 to 43,200."],
        ),
        (RoleState(), {"path": "/shares/"}, []),
        (
            THERE,
            {"path": "/shares/"},
            [
                "Role allow has the path /; IAM can not move it to /shares/. Declare the path it has, or delete the"
                " role first (state: absent)."
            ],
        ),
        (RoleState(), {"permissions_boundary": "arn:aws:iam::aws:policy/ReadOnlyAccess"}, []),
        (
            RoleState(),
            {"permissions_boundary": ""},
            ["permissions_boundary '' is not a policy's ARN, such as arn:aws:iam::111111111111:policy/NAME."],
        ),
        (
            RoleState(),
            {"permissions_boundary": "boundary"},
            ["permissions_boundary 'boundary' is not a policy's ARN, such as arn:aws:iam::111111111111:policy/NAME."],
        ),
        *[
            (
                RoleState(),
                {"permissions_boundary": f"arn:aws:iam::{OWNER}:policy{path}", "policy_name": policy_name},
                [
                    f"permissions_boundary arn:aws:iam::{OWNER}:policy{path} is the policy of role allow itself, so it"
                    " limits nothing. Name another policy."
                ],
            )
            for path, policy_name in [("/allow", None), ("/other/Allow", None), ("/shared", "shared")]
        ],
        (RoleState(), {"permissions_boundary": f"arn:aws:iam::{OWNER}:policy/allow", "policy_name": "shared"}, []),
        (RoleState(), {"permissions_boundary": "arn:aws:iam::aws:policy/allow"}, []),
        (RoleState(), {"regions": ["eu-west-1"]}, []),
        (RoleState(), {"regions": ["*"]}, ["regions: '*' does not look like a region, such as ap-northeast-1."]),
        (
            RoleState(),
            {"tags": {"aws:x": "1"}},
            ["tags: tag key 'aws:x' starts with aws:, which AWS keeps for itself. Choose another key."],
        ),
        (RoleState(), {"tags": {"cost": 5}}, ["tags: the value of cost must be a string; 5 is not. Quote it."]),
        (
            RoleState(),
            {"tags": {"a": "1", "A": "2"}},
            [
                "tags: a is there in several spellings; IAM does not tell their case apart. Keep one.",
                "tags: A is there in several spellings; IAM does not tell their case apart. Keep one.",
            ],
        ),
        (RoleState(), {"tags": {"managed-by": "crossaccount.ecr"}}, []),
        (
            RoleState(),
            {"tags": {"managed-by": "me"}},
            ["tags: managed-by is how this collection knows its roles and policies. Choose another key."],
        ),
        (RoleState(), {"tags": MANY}, []),
        (
            RoleState(),
            {"tags": {**MANY, "one": "1"}},
            [
                "Role allow would have more than 50 tags. Declare fewer, or remove some first.",
                "Its policy would have more than 50 tags. Declare fewer, or remove some first.",
            ],
        ),
        (
            replace(THERE, policy_tags=MANY),
            {"tags": {"K0": "1", "new": "1"}},
            ["Its policy would have more than 50 tags. Declare fewer, or remove some first."],
        ),
        (
            replace(THERE, role_tags=MANY),
            {"tags": {"new": "1"}},
            ["Role allow would have more than 50 tags. Declare fewer, or remove some first."],
        ),
    ],
)
def test_role_problems(before: RoleState, said: dict[str, Any], found: list[str]) -> None:
    said.setdefault("path", before.path)
    assert declare(before, **said)[1] == found


def test_all_problems_come_together() -> None:
    after, problems = declare(
        RoleState(), consumers=None, repository_tags=None, description="—", max_session_duration=1, regions=["x"]
    )
    assert after.role_exists
    assert len(problems) == 5


@pytest.mark.parametrize("extra", [0, 1])
def test_size_of_the_trust_policy(extra: int) -> None:
    consumers = [{"account": CONSUMER, "external_id": "x" * 1224}, {"account": STRANGER, "external_id": "y"}]
    room = 2048 - _policy_document.size(
        _policy.trust_document("aws", _consumers.consumers_of(consumers, "aws", Problems()))
    )
    consumers[1]["external_id"] = "y" * (1 + room + extra)
    message = "The trust policy of allow would have 2049 characters; AWS takes 2048. Share in two roles."
    assert declare(RoleState(), consumers=consumers)[1] == ([message] if extra else [])


@pytest.mark.parametrize("extra", [0, 1])
def test_size_of_the_permissions_policy(extra: int) -> None:
    values = [f"{number:02}" + "v" * 254 for number in range(21)] + ["last"]
    size = _policy_document.size(_policy.permissions_document("aws", OWNER, {"share": tuple(values)}))
    values[-1] += "v" * (6144 - size + extra)
    message = "The permissions policy of allow would have 6145 characters; AWS takes 6144. Share in two roles."
    assert declare(RoleState(), repository_tags={"share": values})[1] == ([message] if extra else [])


@pytest.mark.parametrize(
    ("name", "policy_name", "path", "found"),
    [
        ("a", "a", "/", []),
        ("a" * 64, "a" * 128, "/a/b+=,.@-_/", []),
        ("a", "a", "/" + "a" * 510 + "/", []),
        *(
            (bad, "a", "/", [f"Role name {bad!r} must have 1 to 64 of letters, digits and _+=,.@-."])
            for bad in ("", "a" * 65, "a b", "a/b", "ä", "a\n")
        ),
        *(
            ("a", bad, "/", [f"Policy name {bad!r} must have 1 to 128 of letters, digits and _+=,.@-."])
            for bad in ("", "a" * 129, "a:b")
        ),
        *(
            (
                "a",
                "a",
                bad,
                [
                    f"Path {bad!r} must begin and end with / and have letters, digits and _+=,.@- between, 512"
                    " characters at most."
                ],
            )
            for bad in ("", "a/", "/a", "//", "/a b/", "/" + "a" * 511 + "/")
        ),
    ],
)
def test_name_problems(name: str, policy_name: str, path: str, found: list[str]) -> None:
    assert _names.name_problems(name, policy_name, path) == found


def test_name_problems_come_together() -> None:
    assert len(_names.name_problems("", "", "")) == 3


ADOPT = "and differs from the declaration. If it is yours to change, say adopt: true; else choose another name."


@pytest.mark.parametrize(
    ("role_tags", "policy_tags", "said", "found"),
    [
        (OURS, OURS, {}, []),
        (OURS, OURS, {"access": "pull", "consumers": [{"account": STRANGER, "external_id": "id"}]}, []),
        ({}, {}, {}, []),
        ({"managed-by": "terraform"}, OURS, {"access": "pull"}, []),
        ({"Managed-By": OURS["managed-by"]}, OURS, {"consumers": [{"account": STRANGER, "external_id": "id"}]}, []),
        ({}, {}, {"access": "pull"}, [f"Policy rules exists, is not tagged managed-by=crossaccount.ecr, {ADOPT}"]),
        (
            {"managed-by": "terraform"},
            OURS,
            {"consumers": [{"account": STRANGER, "external_id": "id"}]},
            [f"Role allow exists, is not tagged managed-by=crossaccount.ecr, {ADOPT}"],
        ),
        (
            {},
            {},
            {"access": "pull", "consumers": [{"account": STRANGER, "external_id": "id"}]},
            [
                f"Role allow exists, is not tagged managed-by=crossaccount.ecr, {ADOPT}",
                f"Policy rules exists, is not tagged managed-by=crossaccount.ecr, {ADOPT}",
            ],
        ),
    ],
)
def test_ownership(
    role_tags: dict[str, str], policy_tags: dict[str, str], said: dict[str, Any], found: list[str]
) -> None:
    before = replace(THERE, role_tags=role_tags, policy_tags=policy_tags)
    after = declare(before, **said)[0]
    assert _role_state.ownership_problems(before, after, "allow", "rules") == found


def test_nothing_there_is_nobodys() -> None:
    assert _role_state.ownership_problems(RoleState(), declare(RoleState())[0], "allow", "allow") == []


# --- the role: versions of its policy


def versioned(*numbers: int, default: int, same: int | None = None) -> RoleState:
    """A policy with these versions, of which `same` has the document that `declare(access="pull")` makes."""
    wanted = declare(RoleState(), access="pull")[0].permissions
    versions = tuple(
        PolicyVersion(
            f"v{number}", number == default, wanted if number == same else {"Statement": [], "Id": str(number)}
        )
        for number in numbers
    )
    return replace(THERE, versions=versions)


@pytest.mark.parametrize(
    ("before", "calls"),
    [
        (versioned(1, default=1), ["create_version"]),
        (versioned(4, 3, 2, 1, default=4), ["create_version"]),
        (versioned(5, 4, 3, 2, 1, default=5), ["delete_version v1", "create_version"]),
        (versioned(5, 4, 3, 2, 1, default=1), ["delete_version v2", "create_version"]),
        (versioned(12, 11, 10, 9, 8, default=12), ["delete_version v8", "create_version"]),
        (versioned(2, 11, 100, 9, 3, default=2), ["delete_version v3", "create_version"]),
        (versioned(5, 4, 3, 2, 1, default=5, same=1), ["set_default_version v1"]),
        (versioned(3, 2, default=3, same=2), ["set_default_version v2"]),
        (versioned(5, 4, 3, 2, 1, default=3), ["delete_version v1", "create_version"]),
    ],
)
def test_policy_versions(before: RoleState, calls: list[str]) -> None:
    after = declare(before, access="pull")[0]
    steps = _role_plan.plan_role(before, after).steps
    assert [" ".join([step.call, step.arguments.get("version", "")]).strip() for step in steps] == calls
    if steps[-1].call == "create_version":
        assert steps[-1].arguments["document"] == after.permissions


def test_a_version_that_was_made_twice_goes() -> None:
    """Of the two creations the second is the default; a document of the same meaning in other words stays."""
    permissions = declare(RoleState())[0].permissions
    assert permissions is not None
    other = {**permissions, "Statement": list(reversed(permissions["Statement"]))}
    versions = tuple(
        PolicyVersion(f"v{number}", number == 4, document)
        for number, document in ((4, permissions), (3, permissions), (2, other), (1, {"Statement": []}))
    )
    before = replace(THERE, versions=versions)
    assert _role_plan.plan_role(before, declare(before)[0]).steps == [Step("delete_version", {"version": "v3"})]
    assert _role_plan.surplus(versions) == [Step("delete_version", {"version": "v3"})]
    # And where an older one of two becomes the default again.
    back = replace(
        before, permissions={"Statement": []}, versions=(replace(versions[3], is_default=True), *versions[1:3])
    )
    assert [step.arguments["version"] for step in _role_plan.plan_role(back, declare(back)[0]).steps] == ["v3"]
    twice = replace(back, versions=(*back.versions, PolicyVersion("v5", False, permissions)))
    assert _role_plan.plan_role(twice, declare(twice)[0]).steps == [
        Step("set_default_version", {"version": "v3"}),
        Step("delete_version", {"version": "v5"}),
    ]


def by_hand(*actions: str, **terms: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": [*actions], "Resource": "*", **terms}


@pytest.mark.parametrize(
    ("statements", "beyond"),
    [
        ([], False),
        ([by_hand("ecr:GetAuthorizationToken")], False),
        ([by_hand("ecr:GetAuthorizationToken", "ecr:BatchGetImage")], True),
        ([by_hand("ecr:BatchGetImage")], True),
        ([by_hand("ecr:BatchGetImage", Effect="Deny")], False),
        ([by_hand("ecr:BatchGetImage", Condition={"StringEquals": {"aws:ResourceTag/share": "yes"}})], False),
        ([by_hand("ecr:BatchGetImage", Condition={"StringLike": {"aws:ResourceTag/share": "*"}})], True),
        ([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}], True),
    ],
)
def test_whether_a_policy_of_others_reaches_beyond_tags(statements: list[dict[str, Any]], beyond: bool) -> None:
    assert _role_state.reaches_beyond_tags({"Statement": statements}) is beyond
    ours = declare(RoleState())[0].permissions
    assert ours is not None
    assert _role_state.reaches_beyond_tags({"Statement": [*ours["Statement"], *statements]}) is beyond
    assert not _role_state.reaches_beyond_tags(None)


# --- the role: what AWS refuses because it is there, or gone

NEW = declare(RoleState(), permissions_boundary=BOUNDARY)[0]
CREATE_ROLE, CREATE_POLICY = _role_plan.plan_role(RoleState(), NEW).steps[:2]
CREATE_VERSION = Step("create_version", {"document": NEW.permissions})
OLD_VERSIONS = versioned(5, 4, 3, 2, 1, default=5)


@pytest.mark.parametrize(
    ("step", "seen", "made"),
    [
        (CREATE_ROLE, RoleState(policy_exists=True), None),
        (CREATE_ROLE, NEW, True),
        (CREATE_ROLE, replace(NEW, role_tags={"Managed-By": "crossaccount.ecr", "seen": "by-a-scanner"}), True),
        (CREATE_ROLE, replace(NEW, role_tags={}), False),
        (CREATE_ROLE, replace(NEW, role_tags={"managed-by": "terraform"}), False),
        (CREATE_ROLE, replace(NEW, trust={"Statement": []}), False),
        (CREATE_ROLE, replace(NEW, description="Theirs"), False),
        (CREATE_ROLE, replace(NEW, max_session_duration=7200), False),
        (CREATE_ROLE, replace(NEW, permissions_boundary=None), False),
        (CREATE_POLICY, RoleState(role_exists=True), None),
        (CREATE_POLICY, NEW, True),
        (CREATE_POLICY, replace(NEW, policy_tags={}), False),
        (CREATE_POLICY, replace(NEW, permissions={"Statement": []}), False),
        (CREATE_VERSION, replace(OLD_VERSIONS, permissions=NEW.permissions), True),
        (CREATE_VERSION, replace(OLD_VERSIONS, permissions={"Statement": []}), False),
        (
            CREATE_VERSION,
            replace(OLD_VERSIONS, permissions={"Statement": []}, versions=OLD_VERSIONS.versions[1:]),
            None,
        ),
        (Step("attach", {}), NEW, False),
    ],
)
def test_what_stands_in_the_way_is_ours_only_as_a_whole(step: Step, seen: RoleState, made: bool | None) -> None:
    assert _convergence.already_applied(step, seen) is made


# --- the role: absent


def test_absent_in_order() -> None:
    before = replace(versioned(3, 2, 1, default=2), foreign=())
    problems = Problems()
    plan = _role_plan.plan_role_absent(before, "allow", "allow", problems)
    assert problems.found == []
    assert plan.steps == [
        Step("detach", {}),
        Step("delete_role", {}),
        Step("delete_version", {"version": "v3"}),
        Step("delete_version", {"version": "v1"}),
        Step("delete_policy", {}),
    ]
    assert plan.after == RoleState()
    assert plan.diff["after"] == {"role": {}, "policy": {}, "attached": False}


@pytest.mark.parametrize(
    ("before", "calls"),
    [
        (RoleState(), []),
        (RoleState(role_exists=True), ["delete_role"]),
        (RoleState(policy_exists=True), ["delete_policy"]),
    ],
)
def test_absent_after_a_killed_run(before: RoleState, calls: list[str]) -> None:
    assert [step.call for step in _role_plan.plan_role_absent(before, "allow", "allow", Problems()).steps] == calls


def test_absent_is_refused_where_others_hang_on() -> None:
    problems = Problems()
    _role_plan.plan_role_absent(
        replace(THERE, foreign=("Role allow has policy x attached", "Y")), "allow", "allow", problems
    )
    assert problems.found == [
        "Role allow has policy x attached. Remove that first; nothing else was touched.",
        "Y. Remove that first; nothing else was touched.",
    ]


# --- invariant 1: never wider than the old or the new declaration

CALLERS = [
    Caller(f"arn:aws:iam::{account}:{name}", external_id, None, mfa)
    for account, name in [(CONSUMER, "user/puller"), (CONSUMER, "user/other"), (STRANGER, "role/ci")]
    for external_id in (None, "id-one", "id-two", "id-three")
    for mfa in (False, True)
]
TAG_SETS: list[dict[str, str]] = [
    {},
    {"environment": "release"},
    {"environment": "develop"},
    {"environment": "release", "team": "a"},
    {"environment": "develop", "team": "a"},
]
#: What a boundary lets through, by its ARN: places in TAG_SETS.
BOUNDARIES: dict[str | None, set[int]] = {
    None: {0, 1, 2, 3, 4},
    f"arn:aws:iam::{OWNER}:policy/release": {1, 3},
    f"arn:aws:iam::{OWNER}:policy/develop": {2, 4},
}
Pairs = set[tuple[int, str, int]]


def pairs(state: RoleState) -> Pairs:
    """Who may read what in this state: place in CALLERS, action, place in TAG_SETS."""
    if not (state.role_exists and state.attached and state.trust and state.permissions):
        return set()
    readable = {
        (action, number)
        for number in BOUNDARIES[state.permissions_boundary]
        for action in ("ecr:BatchGetImage", "ecr:DescribeImages")
        if reads(state.permissions, action, f"arn:aws:ecr:eu-west-1:{OWNER}:repository/app", TAG_SETS[number])
    }
    let_in = [number for number, caller in enumerate(CALLERS) if assumes(state.trust, caller)]
    return {(number, *what) for number in let_in for what in readable}


CONSUMERS: list[dict[str, Any]] = [
    {"account": CONSUMER, "principals": ["user/puller"], "external_id": "id-one"},
    {"account": CONSUMER, "external_id": "id-two"},
    {"account": STRANGER, "principals": ["role/ci"], "external_id": "id-three", "principal_match": "condition"},
    {"account": CONSUMER, "principals": ["user/puller"], "external_id": "id-one", "require_mfa": True},
    {"account": STRANGER, "allow_no_external_id": True},
]
declared = st.fixed_dictionaries(
    {
        "consumers": st.lists(st.sampled_from(CONSUMERS), min_size=1, max_size=2, unique_by=id).filter(
            lambda consumers: declare(RoleState(), consumers=consumers)[1] == []
        ),
        "repository_tags": st.sampled_from(
            [
                {"environment": "release"},
                {"environment": "develop"},
                {"environment": ["release", "develop"]},
                {"environment": ["release", "develop"], "team": "a"},
            ]
        ),
        "access": st.sampled_from(["pull", "read"]),
        "permissions_boundary": st.sampled_from(list(BOUNDARIES)),
        "description": st.none() | st.just("Said"),
        "tags": st.none() | st.just({"team": "a"}),
    }
)
DENY = {
    "Effect": "Deny",
    "Principal": {"AWS": "*"},
    "Action": "sts:AssumeRole",
    "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "false"}},
}


@st.composite
def accounts(draw: st.DrawFn) -> RoleState:
    """What may be there before: nothing, a role of ours, or one that others had their hands on."""
    if draw(st.integers(0, 5)) == 0:
        return RoleState()
    state = declare(RoleState(), **draw(declared))[0]
    assert state.trust is not None
    if draw(st.booleans()):
        state = replace(state, trust={**state.trust, "Statement": [*state.trust["Statement"], DENY]})
    versions = [PolicyVersion("v9", True, state.permissions)]
    for number in range(draw(st.integers(0, 4))):
        versions.append(PolicyVersion(f"v{8 - number}", False, declare(RoleState(), **draw(declared))[0].permissions))
    state = replace(state, versions=tuple(versions), attached=draw(st.booleans()))
    if draw(st.integers(0, 5)) == 0:
        state = applied(replace(state, attached=False), Step("delete_role", {}))
    elif draw(st.integers(0, 5)) == 0:
        state = replace(state, policy_exists=False, permissions=None, policy_tags={}, versions=(), attached=False)
    return state


def planned(before: RoleState, said: dict[str, Any]) -> RolePlan:
    after, problems = declare(before, **said)
    assert problems == []
    return _role_plan.plan_role(before, after)


@settings(max_examples=400)
@given(accounts(), declared)
def test_never_wider_than_declared_also_when_killed(before: RoleState, said: dict[str, Any]) -> None:
    plan = planned(before, said)
    wide = pairs(before) | pairs(plan.after)
    for killed in moments(plan):
        assert pairs(killed) <= wide
        # Another run takes it from there.
        second = planned(killed, said)
        states = list(moments(second))
        for state in states:
            assert pairs(state) <= wide
        assert pairs(states[-1]) == pairs(plan.after)
        assert planned(states[-1], said).steps == []


@settings(max_examples=400)
@given(accounts(), declared)
def test_a_session_that_is_out_never_sees_what_neither_declaration_allows(
    before: RoleState, said: dict[str, Any]
) -> None:
    """Whoever may assume the role at some moment does so, and keeps the session; also from a run that is killed."""
    plan = planned(before, said)
    wide = pairs(before) | pairs(plan.after)
    out: dict[str, dict[str, Any]] = {}
    for killed, killed_out in sessions(plan, out, wide):
        second = planned(killed, said)
        *_others, (end, left) = sessions(second, dict(killed_out), wide)
        # Nobody who is no longer declared is left over.
        if any(step.call in ("revoke_sessions", "update_trust") for step in second.steps):
            assert pairs(replace(end, trust={"Version": "2012-10-17", "Statement": list(left.values())})) <= wide


def sessions(
    plan: RolePlan, out: dict[str, dict[str, Any]], wide: Pairs
) -> Iterator[tuple[RoleState, dict[str, dict[str, Any]]]]:
    """Each moment of a plan, and by which statements somebody came in that still has a session."""
    steps: list[Step | None] = [None, *plan.steps]
    for step, state in zip(steps, moments(plan)):
        if step is not None and step.call == "revoke_sessions":
            out.clear()
        for statement in (state.trust or {}).get("Statement", []):
            out[repr(statement)] = statement
        everyone = {"Version": "2012-10-17", "Statement": list(out.values())}
        assert pairs(replace(state, trust=everyone)) <= wide if state.role_exists else True
        yield state, out


@pytest.mark.parametrize(("revoked", "revoking"), [(True, False), (True, True), (False, True)])
def test_who_was_dropped_stays_out_when_a_share_follows_an_unshare_that_was_killed(
    revoked: bool, revoking: bool
) -> None:
    said: dict[str, Any] = {"repository_tags": {"environment": "release"}, "consumers": CONSUMERS[:1]}
    both = {**said, "consumers": CONSUMERS[:2]}
    *_others, before = moments(planned(RoleState(), both))
    *_others, before = moments(planned(before, said))
    assert before.revoked
    before = replace(before, revoked=revoked, revoking=revoking)
    removal = _role_plan.plan_role_absent(before, "allow", "allow", Problems())
    assert removal.steps
    for killed in moments(removal):
        second = list(moments(planned(killed, said)))
        # The role that stayed is the one that the session is of.
        kept_out = [state.revoked or state.revoking for state in second if killed.role_exists and state.attached]
        assert all(kept_out), killed
        assert planned(second[-1], said).steps == []


@pytest.mark.parametrize(
    ("foreign", "said"),
    [
        ((), []),
        (("Role allow is in instance profile x",), []),
        (
            ("Role allow has policy x attached", "Role allow has the inline policy y"),
            [
                "Role allow has policy x attached; Role allow has the inline policy y."
                " Others added it: what it allows comes on top of what is declared."
            ],
        ),
        (
            ("Policy allow is attached to user has",),
            ["Policy allow is attached to user has. Others attached it: what they may read changes with it."],
        ),
    ],
)
def test_what_others_did_is_a_warning_where_it_stays(foreign: tuple[str, ...], said: list[str]) -> None:
    before = replace(THERE, foreign=foreign)
    plan = _role_plan.plan_role(before, replace(before, description="Another"))
    assert plan.steps
    assert _role_plan.role_warnings(plan, "allow", "allow") == said
    assert _role_plan.role_warnings(RolePlan(before, RoleState(), plan.steps), "allow", "allow") == []


RELEASE, DEVELOP = [boundary for boundary in BOUNDARIES if boundary]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"permissions_boundary": RELEASE}, {"permissions_boundary": DEVELOP, "consumers": CONSUMERS[1:2]}),
        ({"permissions_boundary": RELEASE}, {"permissions_boundary": DEVELOP, "consumers": CONSUMERS[:2]}),
        ({"repository_tags": {"environment": "develop"}}, {"permissions_boundary": RELEASE}),
        (
            {"permissions_boundary": RELEASE, "repository_tags": {"environment": ["release", "develop"]}},
            {"permissions_boundary": DEVELOP, "repository_tags": {"environment": "release"}},
        ),
        (
            {"permissions_boundary": RELEASE, "repository_tags": {"environment": "develop"}},
            {"permissions_boundary": DEVELOP, "repository_tags": {"environment": "release"}},
        ),
    ],
)
def test_never_wider_while_the_boundary_changes(old: dict[str, Any], new: dict[str, Any]) -> None:
    base = {"consumers": CONSUMERS[:1], "repository_tags": {"environment": ["release", "develop"]}}
    before = declare(RoleState(), **{**base, **old})[0]
    before = replace(before, versions=(PolicyVersion("v1", True, before.permissions),))
    plan = planned(before, {**base, **new})
    for state in moments(plan):
        assert pairs(state) <= pairs(before) | pairs(plan.after)
    assert pairs(state) == pairs(plan.after)


@given(accounts(), declared)
def test_the_plan_of_the_plan_is_empty(before: RoleState, said: dict[str, Any]) -> None:
    plan = planned(before, said)
    *_others, last = moments(plan)
    assert replace(last, versions=()) == replace(plan.after, versions=())
    assert _role_plan.plan_role(plan.after, replace(plan.after, versions=())).steps == _role_plan.surplus(
        plan.after.versions
    )
    assert declare(plan.after, **said)[0] == plan.after
    assert planned(last, said).steps == []
    assert plan.diff == {"before": before.shown(), "after": plan.after.shown()}


@given(accounts())
def test_removal_only_takes_away(before: RoleState) -> None:
    problems = Problems()
    states = list(moments(_role_plan.plan_role_absent(before, "allow", "allow", problems)))
    assert problems.found == []
    for earlier, later in itertools.pairwise(states):
        assert pairs(later) <= pairs(earlier)
    assert states[-1] == RoleState()
    assert _role_plan.plan_role_absent(states[-1], "allow", "allow", problems).steps == []


NARROW = ["begin_revocation", "update_trust", "revoke_sessions", "end_revocation"]


@pytest.mark.parametrize(
    ("old", "new", "calls"),
    [
        ({}, {}, []),
        ({}, {"access": "pull"}, ["create_version"]),
        ({}, {"consumers": CONSUMERS[1:2]}, NARROW),
        ({}, {"consumers": CONSUMERS[1:2], "access": "pull"}, [*NARROW, "create_version", "update_trust"]),
        # One consumer more: what is common is what is there, so only the last write is needed.
        ({}, {"consumers": CONSUMERS[:2], "access": "pull"}, ["create_version", "update_trust"]),
        # One consumer less: what is common is what shall be, so only the first is.
        ({"consumers": CONSUMERS[:2]}, {"access": "pull"}, [*NARROW, "create_version"]),
    ],
)
def test_writes_in_their_order(old: dict[str, Any], new: dict[str, Any], calls: list[str]) -> None:
    base = {"consumers": CONSUMERS[:1]}
    before = declare(RoleState(), **{**base, **old})[0]
    before = replace(before, versions=(PolicyVersion("v1", True, before.permissions),))
    assert [step.call for step in planned(before, {**base, **new}).steps] == calls


def test_a_new_role_is_attached_last() -> None:
    assert [step.call for step in planned(RoleState(), {}).steps] == ["create_role", "create_policy", "attach"]


@pytest.mark.parametrize(
    ("before", "declared", "after"),
    [
        ({"Managed-By": "crossaccount.ecr"}, {"managed-by": "crossaccount.ecr"}, {"Managed-By": "crossaccount.ecr"}),
        ({"Team": "a", "cost": "1"}, {"team": "b"}, {"cost": "1", "team": "b"}),
        ({}, {"team": "b"}, {"team": "b"}),
    ],
)
def test_iam_does_not_tell_tag_keys_apart_by_case(
    before: dict[str, str], declared: dict[str, str], after: dict[str, str]
) -> None:
    assert _role_state._with_tags(before, declared) == after
