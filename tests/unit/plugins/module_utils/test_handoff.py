"""The hand-off's files: their names, their variables, their page."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from ansible_collections.crossaccount.ecr.plugins.module_utils import _handoff

OWNER, CONSUMER, OTHER = "111111111111", "222222222222", "333333333333"


def place(region: str = "eu-west-1", *names: str) -> dict[str, Any]:
    registry = f"{OWNER}.dkr.ecr.{region}.amazonaws.com"
    return {"region": region, "registry": registry, "repositories": [{"name": name} for name in names or ("release",)]}


def options(**changed: Any) -> dict[str, Any]:
    role = {
        "role_arn": f"arn:aws:iam::{OWNER}:role/team/puller",
        "consumers": [{"account": CONSUMER, "principals": [], "external_id": "an-id"}],
    }
    return {
        "path": "/srv/handoff.yml",
        "role": role,
        "tagged": [place()],
        "repository_tags": {"environment": ["release", "hotfix"]},
        "access": "read",
        "denied": [],
        "images": [],
        **changed,
    }


def consumers(*accounts: str) -> dict[str, Any]:
    listed: list[dict[str, Any]] = [{"account": account, "principals": [], "external_id": None} for account in accounts]
    return {**options()["role"], "consumers": listed}


@pytest.mark.parametrize(
    ("changed", "names"),
    [
        ({}, ["/srv/handoff"]),
        ({"path": "/srv.d/handoff"}, ["/srv.d/handoff"]),
        ({"role": consumers(CONSUMER, OTHER)}, [f"/srv/handoff-1-{CONSUMER}", f"/srv/handoff-2-{OTHER}"]),
        ({"tagged": [place("a"), place("b")]}, ["/srv/handoff-a", "/srv/handoff-b"]),
        (
            {"role": consumers(CONSUMER, CONSUMER), "tagged": [place("a"), place("b")]},
            [f"/srv/handoff-{number}-{CONSUMER}-{region}" for number in (1, 2) for region in "ab"],
        ),
    ],
)
def test_a_name_tells_consumer_and_region_where_there_are_several(changed: dict[str, Any], names: list[str]) -> None:
    assert [name for name, _handoff_ in _handoff.handoffs(options(**changed))] == names


def test_what_ansible_reads_is_what_was_declared() -> None:
    odd = 'a "quoted" \\ näme: [x]\n- {y}'
    declared = options(images=["release:1.0"], denied=[odd], repository_tags={odd: odd})
    ((_name, handoff),) = _handoff.handoffs(declared)
    handoff["ecr_pull_shared_at"] = "2026-01-31T23:59:59Z"
    text = _handoff.for_ansible(handoff)
    assert text.startswith(f"---\n# The hand-off of {OWNER} to {CONSUMER}.")
    assert yaml.safe_load(text) == {
        "ecr_pull_role_arn": f"arn:aws:iam::{OWNER}:role/team/puller",
        "ecr_pull_consumer_account": "222222222222",
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
    assert _handoff.noted_time(text) == "2026-01-31T23:59:59Z"


@pytest.mark.parametrize("text", ["", "---\n", "ecr_pull_shared_at: null\n", json.dumps({"ecr_pull_shared_at": "x"})])
def test_a_file_without_a_time_notes_none(text: str) -> None:
    assert _handoff.noted_time(text) is None


def page(**changed: Any) -> str:
    return _handoff.for_people(_handoff.handoffs(options(**changed))[0][1])


def test_the_page_has_every_command_for_whoever_pulls_without_ansible() -> None:
    registry = f"{OWNER}.dkr.ecr.eu-west-1.amazonaws.com"
    text = page(tagged=[place("eu-west-1", "release", "tools/build")], denied=["develop"])
    for line in (
        f"# Pull from account {OWNER}",
        f"- `{registry}/tools/build`",
        "[profile puller]",
        "external_id = an-id",
        "aws ecr describe-images --repository-name tools/build --profile puller",
        f"docker pull {registry}/release:IMAGE_TAG",
        "`aws ecr describe-images --repository-name develop --profile puller` must answer `AccessDeniedException`.",
    ):
        assert line in text.splitlines()


def test_the_page_leaves_out_what_does_not_apply() -> None:
    text = page(access="pull", images=["release:1.0"], role=consumers(CONSUMER))
    assert "describe-images" not in text
    assert "external_id" not in text
    assert "release:1.0" in text
    assert "IMAGE_TAG" not in text
    assert "Every other repository of the account answers `AccessDeniedException`." in text
