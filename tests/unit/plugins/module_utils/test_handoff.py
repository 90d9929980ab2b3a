# SPDX-License-Identifier: GPL-3.0-or-later
"""The hand-off's files: their names, their variables, their page."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest
import yaml
from ansible_collections.crossaccount.ecr.plugins.module_utils import _handoff, _handoff_forms, _handoff_page
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from hypothesis import given
from hypothesis import strategies as st

OWNER, CONSUMER, OTHER = "111111111111", "222222222222", "333333333333"


def place(region: str = "eu-west-1", *names: str) -> dict[str, Any]:
    registry = f"{OWNER}.dkr.ecr.{region}.amazonaws.com"
    return {"region": region, "registry": registry, "repositories": [{"name": name} for name in names or ("release",)]}


ROLE: dict[str, Any] = {
    "role_arn": f"arn:aws:iam::{OWNER}:role/team/puller",
    "consumers": [{"account": CONSUMER, "principals": [], "external_id": "an-id"}],
}


def options(**changed: Any) -> _handoff.HandoffOptions:
    declared = {
        "path": "/srv/handoff.yml",
        "role": ROLE,
        "tagged": [place()],
        "repository_tags": {"environment": ["release", "hotfix"]},
        "repositories": [],
        "access": "read",
        "denied": [],
        "images": [],
        "share_changed": True,
        "artifact": None,
        "forms": [],
    }
    return _handoff.HandoffOptions.of({**declared, **changed})


def consumers(*accounts: str) -> dict[str, Any]:
    listed: list[dict[str, Any]] = [{"account": account, "principals": [], "external_id": None} for account in accounts]
    return {**ROLE, "consumers": listed}


@pytest.mark.parametrize(
    ("changed", "names"),
    [
        ({}, ["/srv/handoff"]),
        ({"path": "/srv.d/handoff"}, ["/srv.d/handoff"]),
        ({"role": consumers(CONSUMER, OTHER)}, [f"/srv/handoff-1-{CONSUMER}", f"/srv/handoff-2-{OTHER}"]),
        (
            {"role": {**ROLE, "consumers": [{"account": None, "organization_id": "o-abcdefghij"}, *ROLE["consumers"]]}},
            ["/srv/handoff-1-o-abcdefghij", f"/srv/handoff-2-{CONSUMER}"],
        ),
        ({"tagged": [place("a"), place("b")]}, ["/srv/handoff-a", "/srv/handoff-b"]),
        (
            {"role": consumers(CONSUMER, CONSUMER), "tagged": [place("a"), place("b")]},
            [f"/srv/handoff-{number}-{CONSUMER}-{region}" for number in (1, 2) for region in "ab"],
        ),
    ],
)
def test_handoff_name_contains_consumer_and_region(changed: dict[str, Any], names: list[str]) -> None:
    assert options(**changed).names == names


def test_ansible_reads_the_declared_values() -> None:
    odd = 'a "quoted" \\ näme: [x]\n- {y}'
    declared = options(images=["release:1.0"], denied=[odd], repository_tags={odd: odd})
    (handoff,) = _handoff.handoffs(declared, "2026-01-31T23:59:59Z")
    text = _handoff.handoff_yaml(handoff)
    assert text.startswith(
        f"---\n# The hand-off of account {OWNER} for account {CONSUMER}. Use the file without changes:\n"
        "#   ansible-playbook crossaccount.ecr.pull -e ecr_pull_handoff=THIS_FILE\n"
    )
    assert yaml.safe_load(text) == {
        "ecr_pull_role_arn": f"arn:aws:iam::{OWNER}:role/team/puller",
        "ecr_pull_consumer_account": CONSUMER,
        "ecr_pull_external_id": "an-id",
        "ecr_pull_shared_at": "2026-01-31T23:59:59Z",
        "ecr_pull_region": "eu-west-1",
        "ecr_pull_registry": f"{OWNER}.dkr.ecr.eu-west-1.amazonaws.com",
        "ecr_pull_repository_tags": {odd: odd},
        "ecr_pull_access": "read",
        "ecr_pull_repositories": ["release"],
        "ecr_pull_denied": [odd],
        "ecr_pull_images": ["release:1.0"],
    }
    assert _handoff.shared_at_in(text) == "2026-01-31T23:59:59Z"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "---\n",
        "ecr_pull_shared_at: null\n",
        json.dumps({"ecr_pull_shared_at": "x"}),
        'ecr_pull_shared_at: "x"\n',
        """ecr_pull_shared_at: "{{ lookup('pipe', 'id') }}"\n""",
        'ecr_pull_shared_at: "2026-01-31T23:59:59Z\\n"\n',
        'ecr_pull_shared_at: "2026-13-31T23:59:59Z"\n',
        'ecr_pull_shared_at: "٢٠٢٦-01-31T23:59:59Z"\n',
        'ecr_pull_shared_at: "2026-01-31T23:59:59Z" "x"\n',
    ],
)
def test_a_file_without_a_time_notes_none(text: str) -> None:
    assert _handoff.shared_at_in(text) is None


ODD_TEXTS = [
    "\u2028\u2029\x85",
    "\U0001f600\U00020000",
    "\x7f\x00\x1b",
    "\ud83d",
    "\ufeff\ufffe",
    "%YAML",
    "'\"\\",
    "é" * 128,
]


@given(st.text() | st.sampled_from(ODD_TEXTS))
def test_text_is_yaml_for_any_values(odd: str) -> None:
    (handoff,) = _handoff.handoffs(options(denied=[odd], repository_tags={odd[:128]: [odd]}))
    text = _handoff.handoff_yaml(handoff)
    assert "\x1b" not in text
    loaded = yaml.safe_load(text)
    assert (loaded["ecr_pull_denied"], loaded["ecr_pull_repository_tags"]) == ([odd], {odd[:128]: [odd]})


@pytest.mark.parametrize("account", ["", "2" * 12 + "\nx: y", "{{ x }}"])
def test_no_file_is_made_for_an_invalid_account(account: str) -> None:
    (handoff,) = _handoff.handoffs(options(role=consumers(account)))
    with pytest.raises(EcrError, match=r"^No hand-off is written: "):
        _handoff.handoff_yaml(handoff)
    with pytest.raises(EcrError, match=r"No page is written: "):
        _handoff_page.handoff_page(handoff)


@pytest.mark.parametrize("option", ["images", "denied"])
@pytest.mark.parametrize("hostile", ["x:1;touch${IFS}/tmp/x", "x y", "$(id)", "'", '"', "x&y|z>w", "\\", "-v", "é"])
def test_every_word_of_a_command_is_one_word_of_the_shell(option: str, hostile: str) -> None:
    text = page(**{option: [hostile]})
    commands = [
        line.strip("`").partition("`")[0] for line in text.splitlines() if "aws ecr " in line or "docker pull" in line
    ]
    words = [word for command in commands for word in shlex.split(command)]
    assert [word for word in words if word == hostile or word.endswith("/" + hostile)], text


@pytest.mark.parametrize("option", ["images", "denied"])
@pytest.mark.parametrize("hostile", ["x\ny", "x`id`", "```", "\x1b[2J", "x\r", "\u2028", "\u202e", "\x7f"])
def test_page_rejects_text_that_could_leave_its_element(option: str, hostile: str) -> None:
    with pytest.raises(EcrError, match=f"^No page is written: ecr_pull_{option} contains "):
        page(**{option: [hostile]})


def page(**changed: Any) -> str:
    return _handoff_page.handoff_page(_handoff.handoffs(options(**changed))[0])


def test_the_page_has_every_command_for_people_without_ansible() -> None:
    registry = f"{OWNER}.dkr.ecr.eu-west-1.amazonaws.com"
    text = page(tagged=[place("eu-west-1", "release", "tools/build")], denied=["develop"])
    for line in (
        f"# Pull from account {OWNER}",
        f"- `{registry}/tools/build`",
        "[profile puller]",
        "external_id = an-id",
        "aws ecr describe-images --repository-name tools/build --profile puller",
        f"docker pull {registry}/release:IMAGE_TAG",
        "`aws ecr describe-images --repository-name develop --profile puller` must fail with `AccessDeniedException`.",
        "ansible-playbook crossaccount.ecr.pull -e ecr_pull_handoff=FILE -e ecr_pull_owner_account=111111111111",
    ):
        assert line in text.splitlines()


def test_the_commands_of_the_page_in_their_order() -> None:
    """A reader without Ansible runs the commands of the page from top to bottom."""
    registry = f"{OWNER}.dkr.ecr.eu-west-1.amazonaws.com"
    blocks = [block.partition("\n")[2].splitlines() for block in page(images=["release:1.0"]).split("```")[1::2]]
    assert blocks == [
        [
            "[profile puller]",
            f"role_arn = arn:aws:iam::{OWNER}:role/team/puller",
            "external_id = an-id",
            "source_profile = default",
            "region = eu-west-1",
        ],
        ["aws sts get-caller-identity", "aws sts get-caller-identity --profile puller"],
        ["aws ecr describe-images --repository-name release --profile puller"],
        [
            "aws ecr get-login-password --profile puller | docker login --username AWS --password-stdin " + registry,
            f"docker pull {registry}/release:1.0",
            f"docker logout {registry}",
        ],
        [f"ansible-playbook crossaccount.ecr.pull -e ecr_pull_handoff=FILE -e ecr_pull_owner_account={OWNER}"],
    ]


def test_the_page_names_the_end_of_the_access() -> None:
    ends = {**ROLE, "expires": "2026-12-31T00:00:00Z"}
    assert "The access ends on 2026-12-31T00:00:00Z." in page(role=ends).splitlines()
    assert "The access ends on" not in page()


def test_the_page_of_an_organization() -> None:
    unit = "o-abcdefghij/r-ab12/ou-ab12-11111111"
    consumer = {
        "account": None,
        "organization_id": "o-abcdefghij",
        "organization_units": [unit],
        "external_id": "an-id",
    }
    text = page(role={**ROLE, "consumers": [consumer]})
    assert f"Organization o-abcdefghij, unit {unit} can pull from these repositories in eu-west-1:" in text
    assert f"your own credentials in organization o-abcdefghij, unit {unit}." in text
    other_unit = {"organization_units": [unit, "o-zyxwvutsrq/r-ab12/ou-ab12-11111111"]}
    for broken in (
        {"organization_id": "`"},
        {"organization_id": None},
        {"organization_units": [f"{unit}\n"]},
        other_unit,
    ):
        with pytest.raises(EcrError, match=r"No page is written: "):
            page(role={**ROLE, "consumers": [{**consumer, **broken}]})


def test_the_page_leaves_out_what_does_not_apply() -> None:
    text = page(access="pull", images=["release:1.0"], role=consumers(CONSUMER))
    assert "describe-images" not in text
    assert "external_id" not in text
    assert "release:1.0" in text
    assert "IMAGE_TAG" not in text
    assert "For every other repository of the account, AWS returns `AccessDeniedException`." in text


def tagged(**repositories: dict[str, str] | None) -> dict[str, Any]:
    """A result of `ecr_repository_tag`, or one without tags."""
    return {**place(), "repositories": [{"name": name, "tags": tags} for name, tags in repositories.items()]}


CAN = f"Account {CONSUMER} can pull from these repositories in eu-west-1:"
MISSING = (
    f"Account {CONSUMER} cannot pull from these repositories in eu-west-1 yet, because the tags that grant access are"
    " missing:"
)


@pytest.mark.parametrize(
    ("repositories", "shared", "unshared"),
    [
        ({"release": {"environment": "release"}, "base": {"Environment": "hotfix"}}, ["release", "base"], []),
        ({"release": None}, ["release"], []),
        ({"release": {"environment": "release"}, "base": {}}, ["release"], ["base"]),
        ({"release": {"environment": "beta"}, "base": {"team": "release"}}, [], ["release", "base"]),
        ({}, [], []),
    ],
)  # fmt: skip
@pytest.mark.parametrize("mode", ["role", "repository_policy", "registry_policy"])
def test_handoff_names_repositories_without_access(
    mode: str, repositories: dict[str, Any], shared: list[str], unshared: list[str]
) -> None:
    role = ROLE if mode == "role" else {**WITHOUT_ROLE, "mode": mode}
    changed: dict[str, Any] = {"role": role, "tagged": [tagged(**repositories)]}
    (handoff,) = _handoff.handoffs(options(**changed))
    again = f", and account {OWNER} has run share.yml again" if mode == "repository_policy" else ""
    start = f"Access begins as soon as a repository has the tags that grant access{again}."
    lines = page(**changed).splitlines()
    assert (CAN in lines, MISSING in lines) == (bool(shared), bool(unshared))
    assert ("The share has no repository in eu-west-1 yet." in lines) == (not repositories)
    assert (start in lines) == (not repositories or bool(unshared))
    listed = [line.rpartition("amazonaws.com/")[2].strip("`") for line in lines if line.startswith("- `")]
    assert listed == [*shared, *unshared]

    text = _handoff.handoff_yaml(handoff)
    assert yaml.safe_load(text)["ecr_pull_repositories"] == [*repositories]
    comment = [line.removeprefix("# ") for line in text.splitlines() if line.startswith("# ")][1:]
    missing = f"No access yet to {json.dumps(unshared)}: the tags that grant access are missing there."
    none = "The share has no repository yet."
    expected = [] if shared and not unshared else [missing if unshared else none, start]
    assert [line for line in comment if not line.startswith("  ansible-playbook")] == expected
    for form in _handoff_forms.FORM_NAMES if mode == "role" else [_handoff_forms.WITHOUT_ROLE]:
        (written,) = _handoff_forms.form_texts(handoff, [form]).values()
        assert [f"# {line}" in written.splitlines() for line in expected] == [True] * len(expected)


def test_comment_of_a_handoff_stays_one_line() -> None:
    """A name with a line break adds no key to the file."""
    (handoff,) = _handoff.handoffs(options(tagged=[tagged(**{"x\necr_pull_role_arn: y\u2028": {}})]))
    lines = _handoff.handoff_yaml(handoff).splitlines()
    assert [line for line in lines if line.startswith("# No access yet to")]
    assert len([line for line in lines if line.startswith("ecr_pull_role_arn")]) == 1


WITHOUT_ROLE = {"role_arn": "", "mode": "repository_policy", "account": OWNER, "consumers": ROLE["consumers"]}


def test_handoff_of_a_share_without_a_role() -> None:
    consumer: dict[str, Any] = {"account": CONSUMER, "principals": [], "external_id": None}
    declared = options(role={**WITHOUT_ROLE, "consumers": [consumer]}, access="pull", images=["release:1.0"])
    (handoff,) = _handoff.handoffs(declared)
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "SharedRepositories",
                "Effect": "Allow",
                "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
                "Resource": [f"arn:aws:ecr:eu-west-1:{OWNER}:repository/release"],
            },
            {"Sid": "RegistryToken", "Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"},
        ],
    }
    written = yaml.safe_load(_handoff.handoff_yaml(handoff))
    assert "ecr_pull_role_arn" not in written
    assert {name: written[f"ecr_pull_{name}"] for name in ("mode", "registry_account", "consumer_policy")} == {
        "mode": "repository_policy",
        "registry_account": OWNER,
        "consumer_policy": policy,
    }
    text = _handoff_page.handoff_page(handoff)
    blocks = [block.partition("\n")[2] for block in text.split("```")[1::2]]
    assert blocks[0] == json.dumps(policy, indent=2) + "\n"
    assert blocks[1].splitlines() == ["aws sts get-caller-identity"]
    login = "aws ecr get-login-password --region eu-west-1 | docker login --username AWS --password-stdin "
    assert blocks[2].splitlines()[0] == f"{login}{OWNER}.dkr.ecr.eu-west-1.amazonaws.com"
    assert "external ID" not in text
    assert "sts:AssumeRole" not in text
    assert f"--registry-id {OWNER} --repository-name release --region eu-west-1" in page(role=WITHOUT_ROLE)


def test_policy_that_would_be_too_long_allows_the_registry() -> None:
    names = [f"repository-{number}" for number in range(100)]
    policy = _handoff.policy_of_consumer(OWNER, "eu-west-1", names, "pull")
    assert policy["Statement"][0]["Resource"] == [f"arn:aws:ecr:eu-west-1:{OWNER}:repository/*"]
    assert len(json.dumps(policy)) < 6144
