# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The hand-off: what the owner gives each consumer, for Ansible and as a page for people. Standard library only."""

from __future__ import annotations

import json
import os.path
import re
import typing as t

#: Variables of the role ecr_pull, in the order of the file.
Handoff = dict[str, t.Any]
_SHARED_AT = re.compile(r'(?m)^ecr_pull_shared_at: "(.+)"$')


def handoffs(options: dict[str, t.Any]) -> list[tuple[str, Handoff]]:
    """The hand-offs of a share, each with the name of its file without the ending; without `ecr_pull_shared_at`.

    A name tells the consumer where there are several, and the region where there are several.

    :param options: those of the module `write_handoff`
    """
    role, tagged = options["role"], options["tagged"]
    stem = os.path.splitext(options["path"] or "")[0]
    found = []
    for number, consumer in enumerate(role["consumers"], 1):
        for place in tagged:
            names = [f"-{number}-{consumer['account']}"] if len(role["consumers"]) > 1 else []
            names += [f"-{place['region']}"] if len(tagged) > 1 else []
            external_id = consumer["external_id"]
            variables: Handoff = {
                "ecr_pull_role_arn": role["role_arn"],
                "ecr_pull_consumer_account": consumer["account"],
                **({} if external_id is None else {"ecr_pull_external_id": external_id}),
                "ecr_pull_shared_at": None,
                "ecr_pull_region": place["region"],
                "ecr_pull_registry": place["registry"],
                "ecr_pull_repository_tags": options["repository_tags"],
                "ecr_pull_access": options["access"],
                "ecr_pull_repositories": [one["name"] for one in place["repositories"]],
                "ecr_pull_denied": options["denied"],
                "ecr_pull_images": options["images"],
            }
            found.append(("".join([stem, *names]), {"account": consumer["account"], **variables}))
    return found


def noted_time(text: str) -> str | None:
    """When the share of a hand-off last changed, by the text of its file; None where it does not say."""
    found = _SHARED_AT.search(text)
    return found and found[1]


def for_ansible(handoff: Handoff) -> str:
    """The hand-off as variables of the role ecr_pull."""
    owner = handoff["ecr_pull_role_arn"].split(":")[4]
    lines = [f"{name}: {json.dumps(value)}" for name, value in handoff.items() if name != "account"]
    head = f"""\
---
# The hand-off of {owner} to {handoff["account"]}. Take it as it is:
#   ansible-playbook crossaccount.ecr.pull -e @THIS_FILE
"""
    return head + "".join(f"{line}\n" for line in lines)


def for_people(handoff: Handoff) -> str:
    """The hand-off as a page in Markdown, for whoever pulls without Ansible."""
    role_arn, registry = handoff["ecr_pull_role_arn"], handoff["ecr_pull_registry"]
    repositories, region = handoff["ecr_pull_repositories"], handoff["ecr_pull_region"]
    owner, account, role = role_arn.split(":")[4], handoff["account"], role_arn.rpartition("/")[2]
    external_id = handoff.get("ecr_pull_external_id")
    profile = [
        f"[profile {role}]",
        f"role_arn = {role_arn}",
        *([f"external_id = {external_id}"] if external_id is not None else []),
        "source_profile = default",
        f"region = {region}",
    ]
    describe = "aws ecr describe-images --repository-name {} --profile " + role
    there = ["## What is there", "", *_block("sh", [describe.format(name) for name in repositories]), ""]
    images = handoff["ecr_pull_images"] or [f"{name}:IMAGE_TAG" for name in repositories]
    pulls = [
        f"aws ecr get-login-password --profile {role} | docker login --username AWS --password-stdin {registry}",
        *(f"docker pull {registry}/{image}" for image in images),
        f"docker logout {registry}",
    ]
    denied = [f"`{describe.format(name)}` must answer `AccessDeniedException`." for name in handoff["ecr_pull_denied"]]
    lines = [
        f"# Pull from account {owner}",
        "",
        f"Account {account} may pull from these repositories in {region}:",
        "",
        *(f"- `{registry}/{name}`" for name in repositories),
        "",
        "Nothing on this page is secret. The external id says on whose behalf you ask; it opens nothing without your"
        " own credentials.",
        "",
        "## Once: a profile",
        "",
        "Add this to `~/.aws/config`. `default` stands for the profile that has your own credentials in account"
        f" {account}.",
        "",
        *_block("ini", profile),
        "",
        f"Your user or role needs `sts:AssumeRole` on `{role_arn}`.",
        "",
        "## Who you are, before and after",
        "",
        *_block("sh", ["aws sts get-caller-identity", f"aws sts get-caller-identity --profile {role}"]),
        "",
        *(there if handoff["ecr_pull_access"] == "read" else []),
        "## Pull",
        "",
        "docker keeps the token of `docker login` in `~/.docker/config.json`; `docker logout` takes it out again.",
        "",
        *_block("sh", pulls),
        "",
        "## What is denied",
        "",
        *(denied or ["Every other repository of the account answers `AccessDeniedException`."]),
        "",
        "With Ansible, `ansible-playbook crossaccount.ecr.pull` with the file beside this page (`-e @FILE`) does all of"
        " it, proves what is denied, and leaves no token behind.",
    ]
    return "".join(f"{line}\n" for line in lines)


def _block(language: str, lines: t.Iterable[str]) -> list[str]:
    return [f"```{language}", *lines, "```"]
