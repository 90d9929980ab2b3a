# SPDX-License-Identifier: GPL-3.0-or-later
"""Several shares in one declaration: the objects of another share remain, and access that ends is shown."""

from __future__ import annotations

from typing import Any

import botocore.exceptions
import pytest

from tests.lab import accounts
from tests.support.control import REPOSITORY_ARN, Control, Run

CONSUMER = {"account": accounts.CONSUMER, "external_id": "test"}
STRANGER = {"account": accounts.STRANGER, "external_id": "other"}


def share(name: str, tag: str, consumer: dict[str, str], *repositories: str, **options: Any) -> dict[str, Any]:
    return {
        "role_name": name,
        "repository_tags": {"plan": tag},
        "repositories": list(repositories) or ["release"],
        "consumers": [consumer],
        **options,
    }


def run(control: Control, *shares: dict[str, Any], playbook: str = "share", **variables: Any) -> Run:
    return control.playbook(playbook, "owner", ecr_share_shares=list(shares), **variables)


def reads(control: Control, role: str, profile: str, external_id: str, repository: str) -> bool:
    try:
        session = control.lab.assume(profile, "ecr", role, ExternalId=external_id)
        return bool(session.describe_images(repositoryName=repository)["imageDetails"])
    except botocore.exceptions.ClientError:
        return False


def tags_of(control: Control, name: str) -> dict[str, str]:
    listed = control.lab.client("owner", "ecr").list_tags_for_resource(resourceArn=REPOSITORY_ARN + name)["tags"]
    return {tag["Key"]: tag["Value"] for tag in listed}


def test_a_tag_of_two_roles_stays_when_one_share_ends(alone: Control) -> None:
    first, second = share("common-1", "common", CONSUMER), share("common-2", "common", STRANGER)
    assert run(alone, first, second).code == 0
    ended = run(alone, first, playbook="unshare")
    assert ended.code == 0, ended
    words = " ".join(ended.output.split())
    assert "plan=common stays on repository release in ap-northeast-1: role common-2 also grants it." in words
    assert "Roles of this collection that are not declared here: common-2" in words
    assert reads(alone, "common-2", "stranger", "other", "release")
    assert not reads(alone, "common-1", "consumer", "test", "release")
    # The whole declaration, with the share that has ended.
    again = run(alone, {**first, "state": "absent"}, second)
    assert (again.code, again.changed) == (0, 0), again
    last = run(alone, second, playbook="unshare")
    assert (last.code, "plan" in tags_of(alone, "release")) == (0, False), last


def test_unshare_of_misspelled_role_keeps_live_tags(control: Control) -> None:
    live = share("allow_live", "live", CONSUMER)
    assert run(control, live).code == 0
    mark = len(control.lab.calls())
    mistyped = run(control, {**live, "role_name": "allow_lvie"}, playbook="unshare")
    assert (mistyped.code, control.lab.writes_since(mark)) == (2, []), mistyped
    words = " ".join(mistyped.output.split())
    assert "Role allow_lvie does not exist, but repository release in ap-northeast-1 has the tag plan=live" in words
    assert "The role allow_live of this collection grants that tag. Correct ecr_share_role_name." in words
    assert reads(control, "allow_live", "consumer", "test", "release")


def test_shares_that_contradict_each_other_write_nothing(control: Control) -> None:
    mark = len(control.lab.calls())
    refused = run(
        control,
        share("fight-1", "fight", CONSUMER, "release", exclusive=True),
        share("fight-2", "fight", STRANGER, "develop", exclusive=True),
        share("FIGHT-1", "other", STRANGER),
        ecr_share_exlusive=True,
        ecr_share_revoke_consumers=[accounts.CONSUMER],
    )
    assert (refused.code, control.lab.writes_since(mark)) == (2, []), refused
    words = " ".join(refused.output.split())
    assert "Share fight-1 is exclusive and would remove plan=fight from repository develop in ap-northeast-1" in words
    assert "Shares 1 and 3 have the same role_name FIGHT-1." in words
    assert "Variable ecr_share_exlusive is unknown, so it would be ignored. The nearest valid name is" in words
    assert "ecr_share_revoke_consumers selects the sessions that crossaccount.ecr.revoke ends." in words
    assert refused.output.count("PLAY [Summarize all accounts]") == 1


def test_unwritable_handoff_stops_before_the_first_write(control: Control) -> None:
    folder = control.folder / "a-folder.yml"
    folder.mkdir()
    mark = len(control.lab.calls())
    refused = run(control, share("unwritable", "unwritable", CONSUMER, "nowhere", handoff_path=str(folder)))
    assert (refused.code, control.lab.writes_since(mark)) == (2, []), refused
    words = " ".join(refused.output.split())
    assert "exists and is not a regular file, so it is not replaced." in words
    assert "Repository nowhere does not exist" in words


@pytest.mark.parametrize("here", [True, False], ids=["in-ansible-playbook", "as-a-module"])
def test_a_run_is_the_same_in_ansible_playbook_and_as_modules(control: Control, here: bool) -> None:
    name = f"place-{here}".lower()
    python, control.python = control.python, control.python if here else control.host_python
    try:
        first = run(control, share(name, name, CONSUMER), share(f"{name}-2", f"{name}-2", STRANGER, "develop"))
        assert first.code == 0, first
        mark = len(control.lab.calls())
        again = run(control, share(name, name, CONSUMER), share(f"{name}-2", f"{name}-2", STRANGER, "develop"))
        assert (again.code, again.changed, control.lab.writes_since(mark)) == (0, 0, []), again
        wrong = run(control, share(name, name, {"account": "1", "external_id": "x"}))
        assert wrong.code == 2
        assert "'1' is not an AWS account ID of 12 digits" in " ".join(wrong.output.split()), wrong
    finally:
        control.python = python
    assert f"+ {accounts.CONSUMER} (external ID) can pull release through role {name}" in first.output, first


def test_caller_without_list_roles_gets_a_warning(control: Control) -> None:
    iam = control.lab.client("owner", "iam")
    iam.create_user(UserName="limited")
    denied = '{"Effect": "Deny", "Action": "iam:GetAccountAuthorizationDetails", "Resource": "*"}'
    allowed = '{"Effect": "Allow", "Action": "*", "Resource": "*"}'
    document = f'{{"Version": "2012-10-17", "Statement": [{denied}, {allowed}]}}'
    iam.put_user_policy(UserName="limited", PolicyName="limits", PolicyDocument=document)
    key = iam.create_access_key(UserName="limited")["AccessKey"]
    keys = {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
    endpoint = (control.lab.folder / "aws-config").read_text().partition("endpoint_url = ")[2].split()[0]
    control.engines = {**keys, "AWS_ENDPOINT_URL": endpoint, "AWS_REGION": accounts.REGION}
    try:
        limited = control.playbook("share", None, ecr_share_shares=[share("limited", "limited", CONSUMER)])
    finally:
        control.engines = {}
    assert limited.code == 0, limited
    words = " ".join(limited.output.split())
    assert f"Which other roles of this collection are in account {accounts.OWNER} is unknown" in words
    assert "iam:GetAccountAuthorizationDetails" in words
