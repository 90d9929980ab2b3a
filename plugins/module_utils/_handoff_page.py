# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The Markdown page of a hand-off, for consumers without Ansible. Standard library only.

Readers paste the commands of the page into a shell, so each word of a command is quoted. Every value is in a code span
or a code block. Control characters and backticks are rejected, so that no value can end its span or block.
"""

from __future__ import annotations

import json
import shlex
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import Problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._handoff import Handoff, consumer_value_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._names import (
    account_problems,
    assume_problems,
    region_problems,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy_document import as_list

_NO_SECRET = (
    "This page contains no secret. The external ID identifies the share. It grants no access without your own"
    " credentials."
)


def handoff_page(handoff: Handoff) -> str:
    """The text of the page.

    :raises EcrError: for a value that the page cannot show safely
    """
    _check(handoff)
    lines = [
        *_introduction(handoff),
        *(_profile(handoff) if handoff.role_arn else _own_policy(handoff)),
        *_identity(handoff),
        *(_contents(handoff) if handoff.access == "read" else []),
        *_pull(handoff),
        *_denied(handoff),
        *_with_ansible(handoff),
    ]
    return "".join(f"{line}\n" for line in lines)


def _check(handoff: Handoff) -> None:
    problems = Problems()
    for name, value in handoff.values().items():
        for text in as_list(value):
            if isinstance(text, str) and (not text.isprintable() or "`" in text):
                problems.add(
                    f"No page is written: {name} contains {text!r}, with an unprintable character or a backtick."
                )
    role_arn = handoff.role_arn
    of_owner = assume_problems(role_arn, handoff.external_id, "page") if role_arn else account_problems(handoff.owner)
    for problem in (
        *of_owner,
        *consumer_value_problems(handoff),
        *region_problems(handoff.region, "ecr_pull_region"),
    ):
        problems.add(f"No page is written: {problem}")
    problems.check()


def _introduction(handoff: Handoff) -> list[str]:
    owner = handoff.owner
    return [
        f"# Pull from account {owner}",
        "",
        *_access(handoff),
        *([f"The access ends on {handoff.expires}.", ""] if handoff.expires else []),
        f"Before you use this page, compare the owner account {owner} with your own records, such as the contract or"
        " the request for this share. Do not rely on the account ID on this page alone.",
        "",
        _NO_SECRET if handoff.role_arn else "This page contains no secret.",
        "",
    ]


def _access(handoff: Handoff) -> list[str]:
    """The repositories that the consumer can pull from, and those that it cannot pull from yet."""
    consumer, region, lines = _capitalized(handoff.consumer), handoff.region, list[str]()
    if handoff.shared:
        lines += [f"{consumer} can pull from these repositories in {region}:", "", *_listed(handoff, handoff.shared)]
    if handoff.unshared:
        missing = "because the tags that grant access are missing:"
        lines += [f"{consumer} cannot pull from these repositories in {region} yet, {missing}", ""]
        lines += _listed(handoff, handoff.unshared)
    if not handoff.repositories:
        lines += [f"The share has no repository in {region} yet.", ""]
    return [*lines, handoff.start, ""] if handoff.start else lines


def _listed(handoff: Handoff, names: t.Iterable[str]) -> list[str]:
    return [*(f"- `{handoff.registry}/{name}`" for name in names), ""]


def _own_policy(handoff: Handoff) -> list[str]:
    policy = json.dumps(handoff.consumer_policy, indent=2).splitlines()
    return [
        "## Allow the pull on your side",
        "",
        f"Your own user or role in {handoff.consumer} pulls, and assumes no role. A policy of account {handoff.owner}"
        " must allow it. Your user or role also needs this IAM policy:",
        "",
        *_block("json", policy),
        "",
    ]


def _profile(handoff: Handoff) -> list[str]:
    external_id = handoff.external_id
    profile = [
        f"[profile {handoff.role_name}]",
        f"role_arn = {handoff.role_arn}",
        *([] if external_id is None else [f"external_id = {external_id}"]),
        "source_profile = default",
        f"region = {handoff.region}",
    ]
    return [
        "## Configure a profile once",
        "",
        "Add this to `~/.aws/config`. Replace `default` with the profile that has your own credentials in"
        f" {handoff.consumer}.",
        "",
        *_block("ini", profile),
        "",
        f"Your user or role needs `sts:AssumeRole` on `{handoff.role_arn}`.",
        "",
    ]


def _identity(handoff: Handoff) -> list[str]:
    asked = ["aws", "sts", "get-caller-identity"]
    if not handoff.role_arn:
        return ["## Show your identity", "", *_block("sh", [shlex.join(asked)]), ""]
    commands = [shlex.join(asked), shlex.join([*asked, "--profile", handoff.role_name])]
    return ["## Show your identity before and after assuming the role", "", *_block("sh", commands), ""]


def _describe(handoff: Handoff, name: str) -> str:
    registry = [] if handoff.role_arn else ["--registry-id", handoff.owner]
    return shlex.join(["aws", "ecr", "describe-images", *registry, "--repository-name", name, *_as(handoff)])


def _as(handoff: Handoff) -> list[str]:
    """The options of the AWS CLI that choose the identity and the region."""
    return ["--profile", handoff.role_name] if handoff.role_arn else ["--region", handoff.region]


def _contents(handoff: Handoff) -> list[str]:
    commands = [_describe(handoff, name) for name in handoff.repositories]
    return ["## List the images", "", *_block("sh", commands), ""]


def _pull(handoff: Handoff) -> list[str]:
    registry = handoff.registry
    images = handoff.images or [f"{name}:IMAGE_TAG" for name in handoff.repositories]
    password = shlex.join(["aws", "ecr", "get-login-password", *_as(handoff)])
    login = shlex.join(["docker", "login", "--username", "AWS", "--password-stdin", registry])
    commands = [
        f"{password} | {login}",
        *(shlex.join(["docker", "pull", f"{registry}/{image}"]) for image in images),
        shlex.join(["docker", "logout", registry]),
    ]
    return [
        "## Pull the images",
        "",
        "`docker login` stores the token in `~/.docker/config.json`, and `docker logout` removes it.",
        "",
        *_block("sh", commands),
        "",
    ]


def _denied(handoff: Handoff) -> list[str]:
    denied = [f"`{_describe(handoff, name)}` must fail with `AccessDeniedException`." for name in handoff.denied]
    return [
        "## Prove that repositories are denied",
        "",
        *(denied or ["For every other repository of the account, AWS returns `AccessDeniedException`."]),
        "",
    ]


def _with_ansible(handoff: Handoff) -> list[str]:
    command = ["ansible-playbook", "crossaccount.ecr.pull", "-e", "ecr_pull_handoff=FILE"]
    return [
        "## Pull with Ansible",
        "",
        "One command does all of this, proves the denials, and leaves no token behind. `FILE` is the YAML"
        " file beside this page. The command reads it as data. Never load it with `-e @FILE` or `vars_files`.",
        "",
        *_block("sh", [shlex.join([*command, "-e", f"ecr_pull_owner_account={handoff.owner}"])]),
        "",
        "Take the value of `ecr_pull_owner_account` from your own records. Any other owner account is rejected.",
    ]


def _capitalized(text: str) -> str:
    return text[:1].upper() + text[1:]


def _block(language: str, lines: t.Iterable[str]) -> list[str]:
    return [f"```{language}", *lines, "```"]
