# SPDX-License-Identifier: GPL-3.0-or-later
"""The declaration of a host with the credential helper: which registries, roles and paths are rejected."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._credential_helper import HELPER, HostPaths
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._host_declaration import (
    ARGUMENTS,
    Declaration,
    declaration_of,
    host_declaration_problems,
    path_problems,
)

HOST, OTHER = (f"{account}.dkr.ecr.ap-northeast-1.amazonaws.com" for account in ("111111111111", "333333333333"))
ROLE_ARN = "arn:aws:iam::111111111111:role/allow_ecr_release"
SHARE = {"registry": HOST, "role_arn": ROLE_ARN, "external_id": "test", "summary": ["x"], "changed": False}


def entry(registry: str = HOST, /, **options: Any) -> dict[str, Any]:
    role_arn = f"arn:aws:iam::{'333333333333' if registry == OTHER else '111111111111'}:role/allow_ecr_release"
    return {"registry": registry, "role_arn": role_arn, "external_id": "test", "source_profile": "default", **options}


def declared(*registries: dict[str, Any], check_mode: bool = False, **options: Any) -> Declaration:
    defaults = {name: spec.get("default") for name, spec in ARGUMENTS.items()}
    return declaration_of({**defaults, "registries": list(registries), **options}, check_mode)


def problems(*registries: dict[str, Any], helper: str | None = "/usr/bin/x", **options: Any) -> list[str]:
    return list(host_declaration_problems(declared(*registries, **options), helper))


def test_the_registry_of_a_share_is_added() -> None:
    """Settings of the consumer never come from the hand-off."""
    hostile = {**SHARE, "source_profile": "root", "credential_source": "EcsContainer"}
    found = declared(entry(OTHER), share=hostile, credentials={"source_profile": "mine", "role_session_name": None})
    assert list(found.by_host) == [OTHER, HOST]
    assert found.by_host[HOST].profile() == {"role_arn": ROLE_ARN, "external_id": "test", "source_profile": "mine"}


def test_chosen_host_of_a_share_replaces_its_registry() -> None:
    dual_stack = HOST.replace(".dkr.ecr.", ".dkr-ecr.").replace("amazonaws.com", "on.aws")
    found = declared(share={**SHARE, "registry_host": dual_stack}, credentials={"source_profile": "mine"})
    assert list(found.by_host) == [dual_stack]


@pytest.mark.parametrize("share", [None, {}, {"changed": False, "skipped": True, "skip_reason": "x"}])
def test_a_share_that_was_not_read_adds_nothing(share: Any) -> None:
    assert problems(share=share) == ["registries is empty: list at least one registry."]
    assert list(declared(entry(), share=share).by_host) == [HOST]


def test_a_share_without_a_role_needs_no_profile() -> None:
    with pytest.raises(EcrError, match=r"^The share has ecr_pull_mode registry_policy, so no role is assumed\."):
        declared(entry(), share={"mode": "registry_policy", "registry": HOST, "role_arn": None})


def test_a_share_without_registry_or_credentials_is_rejected() -> None:
    assert problems(share={**SHARE, "registry": None}, credentials={"source_profile": "x"}) == [
        f"Registry '' {NOT_ONE}"
    ]
    assert problems(share=SHARE)[0].startswith(f"Registry {HOST}: set exactly one of credential_source")


def test_a_helper_that_is_not_installed() -> None:
    assert problems(entry(), helper=None) == [
        f"{HELPER} is not installed (no such program in PATH). Install the package amazon-ecr-credential-helper, or set"
        " ecr_credential_helper_install: true in the role ecr_credential_helper."
    ]
    assert problems(entry(), helper=None, check_mode=True, require_helper=True) != []
    assert problems(entry(), helper=None, check_mode=True) == []
    assert problems(entry(), helper=None, require_helper=False) == []
    assert problems({"registry": HOST}, helper=None, state="absent") == []


def test_wrong_hosts_have_no_files() -> None:
    assert list(declared(entry(), entry(f"../{HOST}")).by_host) == [HOST]


@pytest.mark.parametrize("path", ["$HOME/x", "x", "", "~nobody-at-all/x", "/a\0b", "/a\nb", "/a\udcff"])
def test_path_that_cannot_be_used(path: str) -> None:
    (problem,) = path_problems(HostPaths("x", "/home/it's a", "/a", "/b", "/c", path))
    assert problem == (
        f"bin_dir {path!r} must be an absolute path of printable characters, or begin with ~/. Environment variables"
        " are not expanded."
    )


NOT_ONE = (
    "is not an ECR registry, such as 111111111111.dkr.ecr.ap-northeast-1.amazonaws.com. Set only the host name, without"
    " https:// and repository."
)


@pytest.mark.parametrize(
    ("registries", "message"),
    [
        ([], "registries is empty: list at least one registry."),
        ([entry("registry.example.com")], f"Registry 'registry.example.com' {NOT_ONE}"),
        ([entry(f"https://{HOST}")], f"Registry 'https://{HOST}' {NOT_ONE}"),
        ([entry(f"{HOST}/release")], f"Registry '{HOST}/release' {NOT_ONE}"),
        ([entry(HOST.replace("ecr", "s3"))], f"Registry '{HOST.replace('ecr', 's3')}' {NOT_ONE}"),
        ([entry(f"{HOST}.evil.example")], f"Registry '{HOST}.evil.example' {NOT_ONE}"),
        ([entry(f"../{HOST}")], f"Registry '../{HOST}' {NOT_ONE}"),
        (
            [entry(), entry(role_arn="arn:aws:iam::111111111111:role/other")],
            f"Registry {HOST} has 2 entries, with arn:aws:iam::111111111111:role/allow_ecr_release and"
            " arn:aws:iam::111111111111:role/other. docker and podman accept one helper for each registry. Keep"
            " one entry.",
        ),
        (
            [entry(role_arn="arn:aws:iam::333333333333:role/x")],
            f"Registry {HOST}: arn:aws:iam::333333333333:role/x is a role of another account. The pull role is in the"
            " account that owns the registry.",
        ),
        (
            [entry(role_arn=None)],
            f"Registry {HOST}: role_arn '' is not the ARN of a role, such as arn:aws:iam::111111111111:role/NAME.",
        ),
        (
            [entry(external_id="a\nb")],
            f"Registry {HOST}: external_id has 3 characters, or a character that AWS does not accept. It needs 2 to"
            " 1,224 letters, digits and _+=,.@:/-",
        ),
        (
            [entry(source_profile=None)],
            f"Registry {HOST}: set exactly one of credential_source and source_profile. The role is assumed with"
            " these credentials.",
        ),
        (
            [entry(credential_source="EcsContainer")],
            f"Registry {HOST}: set exactly one of credential_source and source_profile. The role is assumed with"
            " these credentials.",
        ),
        (
            [entry(source_profile="x\n[default]\ncredential_process = sh")],
            f"Registry {HOST}: source_profile 'x\\n[default]\\ncredential_process = sh' is not the name of a profile.",
        ),
    ],
)
def test_a_declaration_that_is_rejected(registries: list[dict[str, Any]], message: str) -> None:
    assert problems(*registries) == [message]


@pytest.mark.parametrize(
    "host",
    [
        HOST,
        "111111111111.dkr.ecr-fips.us-gov-west-1.amazonaws.com",
        "111111111111.dkr-ecr.us-east-1.on.aws",
        "111111111111.dkr.ecr.cn-north-1.amazonaws.com.cn",
        "111111111111.dkr.ecr.eusc-de-east-1.amazonaws.eu",
    ],
)
def test_a_registry_of_any_partition(host: str) -> None:
    assert problems(entry(host)) == []
