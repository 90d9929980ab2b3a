# SPDX-License-Identifier: GPL-3.0-or-later
"""A response that deviates from the model of AWS is recorded, and one that AWS can send is not."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest

from tests.support.lab import Lab, lab_command

from . import state, validation

XML = "<{0}Response xmlns='urn:aws'><{0}Result>{1}</{0}Result><ResponseMetadata>{2}</ResponseMetadata></{0}Response>"
REQUEST_ID = "<RequestId>1</RequestId>"
ROLE = (
    "<Role><Path>/</Path><RoleName>a</RoleName><RoleId>AROA</RoleId><Arn>arn:aws:iam::1:role/a</Arn>"
    "<CreateDate>2026-01-01T00:00:00Z</CreateDate>{}</Role>"
)
ERROR = "<ErrorResponse><Error><Code>{}</Code><Message>Why</Message></Error><RequestId>1</RequestId></ErrorResponse>"


RESULT = "<DeleteRoleResult></DeleteRoleResult>"


def get_role(more: str = "", request_id: str = REQUEST_ID) -> str:
    return XML.format("GetRole", ROLE.format(more), request_id)


RESPONSES: list[tuple[str, int, Any, list[str]]] = [
    ("ecr:DescribeRepositories", 200, {"repositories": [{"repositoryName": "a", "createdAt": 1.5}]}, []),
    ("ecr:DescribeRepositories", 200, {"repositories": {}}, ["DescribeRepositories.repositories: is dict, not list"]),
    (
        "ecr:DescribeRepositories",
        200,
        {"repositories": [{"tags": [], "createdAt": "now", "imageTagMutability": "SOLID"}]},
        [
            "DescribeRepositories.repositories[].createdAt: is str, not timestamp",
            "DescribeRepositories.repositories[].imageTagMutability: is not a value of ImageTagMutability",
            "DescribeRepositories.repositories[].tags: is not a member of Repository",
        ],
    ),
    ("ecr:ListTagsForResource", 200, {"tags": [{"Key": "a"}]}, ["ListTagsForResource.tags[].Value: is missing"]),
    ("ecr:DescribeImages", 200, {"imageDetails": [{"imageSizeInBytes": True}]}, ["is bool, not long"]),
    ("ecr:DescribeImages", 400, {"__type": "ImageNotFoundException", "message": "Why"}, []),
    ("ecr:DescribeImages", 400, {"__type": "ThrottlingException", "message": "Why"}, []),
    ("ecr:DescribeImages", 400, {"__type": "LayersNotFoundException", "message": "Why"}, ["not an error of Describe"]),
    ("ecr:DescribeImages", 400, {"__type": "ImageNotFoundException"}, ["ImageNotFoundException has no message"]),
    ("ecr:DescribeImages", 500, {"__type": "InternalError", "message": "Why"}, ["InternalError is not an error of"]),
    ("ecr:DescribeImages", 200, "{", ["status 200: "]),
    ("tagging:TagResources", 200, {"FailedResourcesMap": {"a": {"StatusCode": "403"}}}, ["{}.StatusCode: is str"]),
    ("iam:GetRole", 200, get_role(), []),
    ("iam:GetRole", 200, get_role("<Owner>a</Owner>"), ["GetRole.Role.Owner: is not a member of Role"]),
    ("iam:GetRole", 200, get_role("<MaxSessionDuration>1h</MaxSessionDuration>"), ["Duration: is not integer"]),
    ("iam:GetRole", 200, get_role("<Tags><Tag/></Tags>"), ["Tags: contains Tag, not member", "Key: is missing"]),
    ("iam:GetRole", 200, get_role("<Path>/</Path>"), ["GetRole.Role.Path: is there twice"]),
    ("iam:GetRole", 200, get_role(request_id=""), ["GetRole: has no RequestId"]),
    (
        "iam:GetRole",
        200,
        get_role().replace("GetRole", "GetUser"),
        ["GetUserResponse encloses", "has no GetRoleResult"],
    ),
    ("iam:GetRole", 404, ERROR.format("NoSuchEntity"), []),
    ("iam:GetRole", 400, ERROR.format("NoSuchEntity"), ["status 400: the status of NoSuchEntity is 404"]),
    ("iam:GetRole", 403, ERROR.format("AccessDenied"), []),
    ("iam:DeleteRole", 200, XML.format("DeleteRole", "", REQUEST_ID), ["DeleteRoleResult: does not belong"]),
    ("iam:DeleteRole", 200, XML.format("DeleteRole", "", REQUEST_ID).replace(RESULT, ""), []),
    ("iam:?", 400, "not a call of AWS", []),
    ("GET /v2/", 200, "not a call of AWS", []),
]


@pytest.mark.parametrize(("call", "status", "body", "expected"), RESPONSES)
def test_deviations_of_a_response(call: str, status: int, body: Any, expected: list[str]) -> None:
    text = body if isinstance(body, str) else json.dumps(body)
    found = validation.misfits(call, status, {}, text.encode())
    assert len(found) >= len(expected)
    assert bool(found) == bool(expected), found
    for part in expected:
        assert any(part in line for line in found), found


def test_deviation_fails_the_tests_that_end_the_lab(tmp_path: pathlib.Path) -> None:
    lab_command("up", tmp_path)
    Lab(tmp_path).client("owner", "ecr").describe_repositories()
    assert state.misfits(tmp_path) == ""
    (tmp_path / state.MISFITS).write_text("ecr:DescribeRepositories: a deviation\n")
    with pytest.raises(AssertionError, match="ecr:DescribeRepositories: a deviation"):
        lab_command("down", tmp_path)


@pytest.mark.usefixtures("lab")
def test_lab_records_a_deviation_once(lab: Lab) -> None:
    ecr = lab.client("owner", "ecr")
    for _again in range(2):
        with pytest.raises(ecr.exceptions.ClientError):
            ecr.get_registry_scanning_configuration()
    call = "GetRegistryScanningConfiguration"
    line = f"ecr:{call}: status 400: InvalidAction is not an error of {call}\n"
    assert state.misfits(lab.folder) == line
    (lab.folder / state.MISFITS).unlink()
