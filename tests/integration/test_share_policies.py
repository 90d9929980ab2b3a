# SPDX-License-Identifier: GPL-3.0-or-later
"""share.yml and unshare.yml in the mode repository_policy: pulls with the consumer's own identity."""

from __future__ import annotations

import functools
import json
import pathlib
from typing import Any

import pytest
import yaml

from tests.lab import accounts
from tests.lab.clients import Account, Statement, allow, refusal
from tests.support.control import REPOSITORY_ARN, Control, Run
from tests.support.lab import Lab
from tests.support.manifests import manifest
from tests.support.owner_side import denied
from tests.support.paths import ROOT

THEIRS = {
    "Sid": "theirs",
    "Effect": "Allow",
    "Principal": {"AWS": f"arn:aws:iam::{accounts.STRANGER}:root"},
    "Action": ["ecr:DescribeImages"],
}


def allowed_to_the_owner() -> set[str]:
    """The actions in the policy that the guide hands out."""
    document = json.loads((ROOT / "playbooks/vars/statement-owner-policy.json").read_text(encoding="utf-8"))
    listed = [statement["Action"] for statement in document["Statement"]]
    return {action for actions in listed for action in ([actions] if isinstance(actions, str) else actions)}


DECLARED: dict[str, Any] = {
    "ecr_share_region": accounts.REGION,
    "ecr_share_role_name": "own-identities",
    "ecr_share_mode": "repository_policy",
    "ecr_share_repository_tags": {"environment": "release"},
    "ecr_share_repositories": ["release"],
    "ecr_share_consumers": [{"account": accounts.CONSUMER}],
}


def share(control: Control, *flags: str, playbook: str = "share", **changed: Any) -> Run:
    variables = {**DECLARED, **changed}
    mark = len(control.lab.calls())
    done = control.playbook(playbook, "owner", *flags, **variables)
    if "--check" in flags or done.code:
        assert control.lab.writes_since(mark) == [], done
    elif variables["ecr_share_mode"] == "repository_policy":
        needed = {call.replace("tagging:", "tag:") for call in control.lab.calls()[mark:]} - {"sts:GetCallerIdentity"}
        assert needed <= allowed_to_the_owner(), done
    return done


def policy(lab: Lab, name: str) -> list[Statement]:
    ecr = lab.client("owner", "ecr")
    if refusal(ecr.get_repository_policy, repositoryName=name)[0]:
        return []
    listed: list[Statement] = json.loads(ecr.get_repository_policy(repositoryName=name)["policyText"])["Statement"]
    return listed


def pulled(control: Control, folder: pathlib.Path, **variables: Any) -> Run:
    """pull.yml with skopeo, with the hand-off in a folder."""
    own = {"ecr_pull_handoff": str(folder / "handoff.yml"), "ecr_pull_owner_account": accounts.OWNER}
    engine = {"ecr_pull_engine": "skopeo", "ecr_pull_dest": f"docker-archive:{folder}/release.tar"}
    options = {"ecr_pull_validate_certs": False, "ecr_pull_wait_timeout": 0}
    return control.playbook("pull", "consumer", **own, **engine, **options, **variables)


@pytest.fixture(scope="module")
def puller(lab: Lab) -> Any:
    """A user of the consumer with the identity policy of the share."""
    ecr = lab.client("owner", "ecr")
    text = json.dumps({"Version": "2012-10-17", "Statement": [THEIRS]})
    ecr.set_repository_policy(repositoryName="release", policyText=text)
    pull = allow("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", Resource=f"{REPOSITORY_ARN}*")
    return Account(lab, "consumer-administrator").user("ecr", allow("ecr:GetAuthorizationToken"), pull)


def test_consumer_pulls_with_its_own_identity(control: Control, lab: Lab, puller: Any) -> None:
    def pulls() -> list[int]:
        return [manifest(lab, puller, name)[0] for name in ("release", "develop")]

    predicted = share(control, "--check")
    assert (predicted.code, pulls()) == (0, [403, 403]), predicted
    assert "+ 222222222222 can pull release" in predicted.output
    done = share(control)
    assert (done.code, pulls()) == (0, [200, 403]), done
    assert "+ 222222222222 can pull release" in done.output
    assert "share own-identities in repository policies, Sid CrossaccountEcrOwnIdentities" in done.output
    assert policy(lab, "release")[0] == THEIRS
    again = share(control)
    assert (again.code, again.changed) == (0, 0), again

    # A repository that gets the tag is accessible after the next run, and one that lost it is not.
    ecr = lab.client("owner", "ecr")
    tags = [{"Key": "environment", "Value": "release"}]
    ecr.tag_resource(resourceArn=f"{REPOSITORY_ARN}develop", tags=tags)
    assert "+ 222222222222 can pull develop" in share(control).output
    assert pulls() == [200, 200]
    ecr.untag_resource(resourceArn=f"{REPOSITORY_ARN}develop", tagKeys=["environment"])
    assert "- 222222222222 loses develop" in share(control).output
    assert (pulls(), policy(lab, "develop")) == ([200, 403], [])

    predicted = share(control, "--check", playbook="unshare")
    assert "- 222222222222 loses release" in predicted.output
    assert "still pull" not in predicted.output
    done = share(control, playbook="unshare")
    assert (done.code, pulls()) == (0, [403, 403]), done
    assert policy(lab, "release") == [THEIRS]
    assert ecr.list_tags_for_resource(resourceArn=f"{REPOSITORY_ARN}release")["tags"] == []
    assert share(control, playbook="unshare").changed == 0


@pytest.mark.usefixtures("puller")
def test_old_statement_remains_if_the_new_one_fails(control: Control, lab: Lab) -> None:
    assert share(control).code == 0
    with denied(control, "ecr:PutRegistryPolicy"):
        done = control.playbook("share", "owner", **{**DECLARED, "ecr_share_mode": "registry_policy"})
    assert done.code == 2, done
    assert len(policy(lab, "release")) == 2
    assert share(control, playbook="unshare").code == 0


def test_handoff_leads_to_a_pull_with_both_sides(control: Control, lab: Lab, tmp_path: pathlib.Path) -> None:
    """Each side is missing once, and the run names it with the next step."""
    handoff = tmp_path / "handoff.yml"
    iam = Account(lab, "consumer-administrator").iam
    shared: dict[str, Any] = {
        "ecr_share_handoff_path": str(handoff),
        "ecr_share_handoff_forms": ["ecs_lambda"],
        "ecr_share_images": ["release:v1.0"],
    }
    done = share(control, **shared)
    assert done.code == 0, done
    assert {path.name for path in tmp_path.iterdir()} == {"handoff.yml", "handoff.md", "handoff.ecs_lambda.sh"}

    pull = functools.partial(pulled, control, tmp_path)
    done = pull()
    assert done.code == 2, done
    assert "identity: arn:aws:iam::222222222222:user/puller" in done.output
    assert "The consumer's side is missing: give this identity the IAM policy ecr_pull_consumer_policy" in done.output

    policy_text = json.dumps(yaml.safe_load(handoff.read_text())["ecr_pull_consumer_policy"])
    iam.put_user_policy(UserName="puller", PolicyName="share", PolicyDocument=policy_text)
    done = pull(ecr_pull_denied=["develop"])
    assert done.code == 2, done
    assert "develop is denied, but this does not prove that the share denies it." in done.output
    done = pull(
        ecr_pull_denied=["develop"],
        ecr_pull_accepted_denials=["no_identity_policy"],
        ecr_pull_credentials="control_node",
    )
    assert (done.code, (tmp_path / "release.tar").exists()) == (0, True), done
    assert "release:v1.0 pulled by skopeo" in done.output

    assert share(control, playbook="unshare").code == 0
    done = pull()
    assert done.code == 2, done
    assert "The owner's side is missing: the owner account has to declare this identity as a consumer" in done.output
    assert pull(ecr_pull_expect="denied").code == 0
    iam.delete_user_policy(UserName="puller", PolicyName="share")


def test_registry_policy_allows_the_repositories_with_the_tags(
    control: Control, lab: Lab, puller: Any, tmp_path: pathlib.Path
) -> None:
    """In the lab, a registry policy grants a pull, as AWS documents it. Only a real account can confirm it."""
    ecr = lab.client("owner", "ecr")
    theirs = {**THEIRS, "Resource": f"{REPOSITORY_ARN}*"}
    ecr.put_registry_policy(policyText=json.dumps({"Version": "2012-10-17", "Statement": [theirs]}))

    def statements() -> list[Statement]:
        found: list[Statement] = json.loads(ecr.get_registry_policy()["policyText"])["Statement"]
        return found

    handoff: dict[str, Any] = {
        "ecr_share_handoff_path": str(tmp_path / "handoff.yml"),
        "ecr_share_images": ["release:v1.0"],
    }
    done = share(control, ecr_share_mode="registry_policy", **handoff)
    assert "+ 222222222222 can pull release" in done.output, done
    assert [manifest(lab, puller, name)[0] for name in ("release", "develop")] == [200, 403]
    assert (statements()[0], len(statements()), policy(lab, "release")) == (theirs, 2, [THEIRS])
    assert share(control, ecr_share_mode="registry_policy").changed == 0
    # The consumer's own policy allows everything, so the policy of the owner decides.
    iam = Account(lab, "consumer-administrator").iam
    everything = json.dumps({"Version": "2012-10-17", "Statement": [allow("ecr:*")]})
    iam.put_user_policy(UserName="puller", PolicyName="everything", PolicyDocument=everything)
    done = pulled(control, tmp_path, ecr_pull_denied=["develop"])
    iam.delete_user_policy(UserName="puller", PolicyName="everything")
    assert (done.code, (tmp_path / "release.tar").exists()) == (0, True), done
    assert "release:v1.0 pulled by skopeo" in done.output

    stranger: dict[str, Any] = {"account": accounts.STRANGER, "external_id": "another-id"}
    other: dict[str, Any] = {"ecr_share_role_name": "other", "ecr_share_consumers": [stranger]}
    done = share(control, "--check", ecr_share_mode="role", ecr_share_repositories=["develop"], **other)
    sid = statements()[1]["Sid"]
    assert f"+ 222222222222 can pull develop through statement {sid} of the registry policy" in done.output, done

    done = share(control, playbook="unshare", ecr_share_mode="registry_policy")
    assert (done.code, statements()) == (0, [theirs]), done
    assert manifest(lab, puller, "release")[0] == 403
    ecr.delete_registry_policy()


def test_options_of_a_role_are_rejected_together(control: Control) -> None:
    consumers = [{"account": accounts.CONSUMER, "external_id": "shared-id", "session_tags": True}]
    wrong: dict[str, Any] = {
        "ecr_share_max_session_duration": 7200,
        "ecr_share_handoff_path": "h.yml",
        "ecr_share_handoff_forms": ["docker", "ecs_lambda"],
        "ecr_share_expires": "30d",
    }
    done = share(control, **wrong, ecr_share_consumers=consumers)
    assert done.code == 2, done
    for part in (
        "ecr_share_mode repository_policy has no role, so it cannot express ecr_share_max_session_duration,",
        "so ecr_share_handoff_forms cannot contain docker. Valid is ecs_lambda.",
        "external_id has no effect in a repository policy",
        "session_tags has no effect in a repository policy",
    ):
        assert part in done.output.replace("\\n", " "), done
    service = [{"service": "lambda.amazonaws.com", "source_accounts": [accounts.CONSUMER]}]
    done = share(control, ecr_share_mode="role", ecr_share_consumers=service)
    assert "service is for repository policies" in done.output, done


def test_other_mode_leaves_nothing_of_the_earlier_one(control: Control, lab: Lab, puller: Any) -> None:
    """From the policies of repositories to a role, and from it to the registry policy."""
    iam, with_id = lab.client("owner", "iam"), [{"account": accounts.CONSUMER, "external_id": "shared-id"}]
    role: dict[str, Any] = {"ecr_share_mode": "role", "ecr_share_consumers": with_id}
    assert share(control).code == 0
    predicted = share(control, "--check", **role)
    done = share(control, **role)
    assert done.code == 0, done
    for line in (
        "+ 222222222222 (external ID) can pull release through role own-identities",
        "- 222222222222 loses release through share own-identities in repository policies",
    ):
        assert line in predicted.output, predicted
        assert line in done.output, done
    assert (manifest(lab, puller, "release")[0], policy(lab, "release")) == (403, [THEIRS])
    session = lab.assume("consumer", "ecr", "own-identities", ExternalId="shared-id")
    assert session.describe_images(repositoryName="release")["imageDetails"]
    assert share(control, **role).changed == 0

    done = share(control, ecr_share_mode="registry_policy")
    assert (done.code, manifest(lab, puller, "release")[0]) == (0, 200), done
    assert refusal(iam.get_role, RoleName="own-identities")[0] == "NoSuchEntity"
    done = share(control, playbook="unshare", **role)
    assert (done.code, policy(lab, "release"), manifest(lab, puller, "release")[0]) == (0, [THEIRS], 403), done
