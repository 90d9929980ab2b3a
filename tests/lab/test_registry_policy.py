# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy of a registry grants and denies every action on every repository of the registry."""

from __future__ import annotations

import base64
import http.client
import json
import urllib.parse
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.lab import Lab
from tests.support.manifests import manifest

from . import accounts
from .clients import RELEASE, REPOSITORIES, Account, allow, denial, deny, document, refusal, trust

CONSUMER = {"AWS": f"arn:aws:iam::{accounts.CONSUMER}:root"}
EVERY_REPOSITORY = f"{REPOSITORIES}*"
PULLING = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
IMAGES = {"imageIds": [{"imageTag": accounts.IMAGE_TAG}]}
OF_OWNER = {"registryId": accounts.OWNER, "repositoryName": "release"}
NO_POLICY = (
    "RegistryPolicyNotFoundException",
    f"Registry policy does not exist in the registry with id '{accounts.OWNER}'",
)
DENIED = "with an explicit deny in a resource-based policy"
INVALID = "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid registry policy provided'"


def not_allowed(action: str) -> str:
    return f"because no resource-based policy allows the ecr:{action} action"


@pytest.fixture
def owner(lab: Lab) -> Iterator[Any]:
    """The owner's client. The test leaves no policy behind."""
    ecr = lab.client("owner", "ecr")
    yield ecr
    refusal(ecr.delete_registry_policy)
    refusal(ecr.delete_repository_policy, repositoryName="release")


@pytest.fixture
def consumer(lab: Lab) -> Any:
    return lab.client("consumer-administrator", "ecr")


def put(ecr: Any, *statements: dict[str, Any]) -> None:
    ecr.put_registry_policy(policyText=document(*statements))


def test_policy_is_returned_until_it_is_deleted(owner: Any) -> None:
    text = document(allow("ecr:*", Principal=CONSUMER))
    assert refusal(owner.get_registry_policy) == refusal(owner.delete_registry_policy) == NO_POLICY
    for reply in (
        owner.put_registry_policy(policyText=text),
        owner.get_registry_policy(),
        owner.delete_registry_policy(),
    ):
        assert (reply["registryId"], reply["policyText"]) == (accounts.OWNER, text)
    assert refusal(owner.get_registry_policy) == NO_POLICY


def test_policy_belongs_to_one_region(lab: Lab, owner: Any) -> None:
    put(owner, allow("ecr:*", Principal=CONSUMER))
    elsewhere = lab.session("owner").client("ecr", region_name="eu-west-1")
    assert refusal(elsewhere.get_registry_policy) == NO_POLICY


@pytest.mark.parametrize(
    "text",
    [
        "no JSON",
        "[]",
        '{"Version": "2012-10-17"}',
        document(allow("ecr:*")),
        document({"Effect": "Allow", "Principal": "*", "Action": "ecr:*"}),
        document({"Effect": "Allow", "Principal": "*", "Resource": "*"}),
        document({"Effect": "Permit", "Principal": "*", "Action": "ecr:*", "Resource": "*"}),
        document(allow("ecr:*", Principal={"AWS": f"arn:aws:iam::{accounts.CONSUMER}:role/nobody"})),
        document(allow("ecr:*", Principal={"AWS": f"arn:aws:iam::{accounts.CONSUMER}:user/*"})),
        document(allow("ecr:*", Principal={"AWS": "123"})),
        document(allow("ecr:*", Principal={"AWS": [accounts.CONSUMER, 7]})),
    ],
)
def test_policy_that_is_not_valid_is_refused(owner: Any, text: str) -> None:
    assert refusal(owner.put_registry_policy, policyText=text) == ("InvalidParameterException", INVALID)
    assert refusal(owner.get_registry_policy) == NO_POLICY


def test_policy_has_at_most_10240_characters(owner: Any) -> None:
    text = document(allow("ecr:*", Principal=CONSUMER))
    assert owner.put_registry_policy(policyText=text + " " * (10240 - len(text)))["registryId"]
    code, message = refusal(owner.put_registry_policy, policyText=text + " " * (10241 - len(text)))
    assert code == "InvalidParameterException"
    assert message.endswith(
        "'policyText' failed to satisfy constraint: 'Member must have length less than or equal to 10240'"
    )


def test_calls_need_permission_in_the_identity_policy(lab: Lab) -> None:
    user = Account(lab).user("ecr", allow("ecr:Describe*"))
    for action, call, options in (
        ("Put", user.put_registry_policy, {"policyText": document(allow("ecr:*", Principal="*"))}),
        ("Get", user.get_registry_policy, {}),
        ("Delete", user.delete_registry_policy, {}),
    ):
        message = refusal(call, **options)[1]
        end = f"on resource: * because no identity-based policy allows the ecr:{action}RegistryPolicy action"
        assert message.endswith(f"is not authorized to perform: ecr:{action}RegistryPolicy {end}")


def test_policy_allows_other_accounts_what_it_names(owner: Any, consumer: Any) -> None:
    assert denial(consumer.batch_get_image, **OF_OWNER, **IMAGES) == not_allowed("BatchGetImage")
    put(owner, allow(*PULLING, Principal=CONSUMER, Resource=EVERY_REPOSITORY))
    (image,) = consumer.batch_get_image(**OF_OWNER, **IMAGES)["images"]
    layer = json.loads(image["imageManifest"])["layers"][0]["digest"]
    assert consumer.get_download_url_for_layer(**OF_OWNER, layerDigest=layer)["layerDigest"] == layer
    assert denial(consumer.describe_images, **OF_OWNER) == not_allowed("DescribeImages")
    put(owner, allow("ecr:*", Principal=CONSUMER, Resource=RELEASE))
    assert consumer.describe_images(**OF_OWNER)["imageDetails"]
    develop = {**OF_OWNER, "repositoryName": "develop"}
    assert denial(consumer.describe_images, **develop) == not_allowed("DescribeImages")


def test_policy_allows_writes_of_other_accounts(owner: Any, consumer: Any) -> None:
    put(owner, allow("ecr:*", Principal=CONSUMER, Resource=EVERY_REPOSITORY))
    arn, tags = f"{REPOSITORIES}theirs", [{"Key": "environment", "Value": "release"}]
    made = consumer.create_repository(registryId=accounts.OWNER, repositoryName="theirs")["repository"]
    assert (made["repositoryArn"], made["registryId"]) == (arn, accounts.OWNER)
    consumer.tag_resource(resourceArn=arn, tags=tags)
    assert owner.list_tags_for_resource(resourceArn=arn)["tags"] == tags
    put(owner, allow("ecr:*", Principal=CONSUMER, Resource=RELEASE))
    gone = {"registryId": accounts.OWNER, "repositoryName": "theirs"}
    assert denial(consumer.delete_repository, **gone) == not_allowed("DeleteRepository")
    owner.delete_repository(repositoryName="theirs")


def test_identity_policy_has_to_allow_the_call_too(lab: Lab, owner: Any) -> None:
    put(owner, allow("ecr:*", Principal="*"))
    user = Account(lab, "consumer-administrator").user("ecr", allow("ecr:DescribeImages"))
    assert user.describe_images(**OF_OWNER)["imageDetails"]
    assert denial(user.list_images, **OF_OWNER) == "because no identity-based policy allows the ecr:ListImages action"


def test_deny_in_either_policy_denies(owner: Any, consumer: Any) -> None:
    grant, refuse = (effect("ecr:DescribeImages", Principal=CONSUMER) for effect in (allow, deny))
    without_resource = [{key: one[key] for key in one if key != "Resource"} for one in (grant, refuse)]
    put(owner, grant)
    owner.set_repository_policy(repositoryName="release", policyText=document(without_resource[1]))
    assert denial(consumer.describe_images, **OF_OWNER) == DENIED
    owner.set_repository_policy(repositoryName="release", policyText=document(without_resource[0]))
    assert not denial(consumer.describe_images, **OF_OWNER)
    put(owner, refuse)
    assert denial(consumer.describe_images, **OF_OWNER) == DENIED
    owner.delete_registry_policy()
    assert not denial(consumer.describe_images, **OF_OWNER)


def test_deny_applies_to_principals_of_the_account(lab: Lab, owner: Any) -> None:
    put(owner, deny("ecr:DescribeImages", Principal="*", Resource=RELEASE))
    assert denial(owner.describe_images, repositoryName="release") == DENIED
    assert not denial(owner.describe_images, repositoryName="develop")


def test_variables_are_text_in_a_policy_whose_version_has_none(owner: Any, consumer: Any) -> None:
    grant = allow("ecr:DescribeImages", Principal=CONSUMER)
    grant["Condition"] = {"StringEquals": {"aws:PrincipalAccount": "${aws:PrincipalAccount}"}}
    owner.put_registry_policy(policyText=json.dumps({"Version": "2008-10-17", "Statement": grant}))
    assert denial(consumer.describe_images, **OF_OWNER) == not_allowed("DescribeImages")
    put(owner, grant)
    assert not denial(consumer.describe_images, **OF_OWNER)


def test_condition_on_the_tag_of_a_repository_decides(owner: Any, consumer: Any) -> None:
    tagged = {"StringEquals": {"ecr:ResourceTag/environment": "release"}}
    put(owner, allow("ecr:DescribeImages", Principal=CONSUMER, Condition=tagged))
    assert denial(consumer.describe_images, **OF_OWNER) == not_allowed("DescribeImages")
    owner.tag_resource(resourceArn=RELEASE, tags=[{"Key": "environment", "Value": "release"}])
    assert not denial(consumer.describe_images, **OF_OWNER)
    owner.untag_resource(resourceArn=RELEASE, tagKeys=["environment"])


def test_registry_api_asks_the_policy(lab: Lab, owner: Any, consumer: Any) -> None:
    assert manifest(lab, consumer, "release")[0] == 403
    put(owner, allow("ecr:BatchGetImage", Principal=CONSUMER, Resource=EVERY_REPOSITORY))
    status, answer = manifest(lab, consumer, "release")
    assert status == 200
    layer = answer["layers"][0]["digest"]
    assert layer_status(lab, consumer, "release", layer) == 403
    put(owner, allow(*PULLING, Principal=CONSUMER, Resource=EVERY_REPOSITORY))
    assert layer_status(lab, consumer, "release", layer) == 200
    put(owner, deny(*PULLING, Principal="*", Resource=EVERY_REPOSITORY))
    status, answer = manifest(lab, owner, "release")
    assert (status, answer["errors"][0]["message"].endswith(DENIED)) == (403, True)


def layer_status(lab: Lab, ecr: Any, repository: str, digest: str) -> int:
    token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    assert base64.b64decode(token).startswith(b"AWS:")
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(lab.endpoint).netloc, timeout=300)
    connection.request("GET", f"/v2/{repository}/blobs/{digest}", headers={"Authorization": f"Basic {token}"})
    return connection.getresponse().status


def test_session_of_a_role_that_a_policy_names_is_allowed(lab: Lab, owner: Any) -> None:
    """The ARN of the role stands for its sessions, in the policy of the registry and of a repository."""
    account = Account(lab, "consumer-administrator")
    role = account.role(trust(accounts.CONSUMER), allow("ecr:*"))
    other = account.role(trust(accounts.CONSUMER), allow("ecr:*"))
    sessions = [account.session("ecr", one) for one in (role, other)]
    put(owner, allow("ecr:DescribeImages", Principal={"AWS": role}))
    statement = allow("ecr:ListImages", Principal={"AWS": role})
    del statement["Resource"]
    owner.set_repository_policy(repositoryName="release", policyText=document(statement))
    for action, call in (("DescribeImages", "describe_images"), ("ListImages", "list_images")):
        named, unnamed = (getattr(one, call) for one in sessions)
        assert not denial(named, **OF_OWNER)
        assert denial(unnamed, **OF_OWNER) == not_allowed(action)


def test_id_of_a_deleted_role_is_left_in_the_policies(lab: Lab, owner: Any) -> None:
    account = Account(lab, "consumer-administrator")
    role = account.role(trust(accounts.CONSUMER), allow("ecr:*"))
    name = role.rpartition("/")[2]
    put(owner, allow("ecr:DescribeImages", Principal={"AWS": role}))
    statement = allow("ecr:DescribeImages", Principal={"AWS": [role]})
    del statement["Resource"]
    owner.set_repository_policy(repositoryName="release", policyText=document(statement))
    identifier = account.iam.get_role(RoleName=name)["Role"]["RoleId"]
    account.iam.delete_role_policy(RoleName=name, PolicyName="exactly")
    account.iam.delete_role(RoleName=name)
    assert principals(owner.get_registry_policy()) == identifier
    assert principals(owner.get_repository_policy(repositoryName="release")) == [identifier]
    account.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(accounts.CONSUMER))
    account.iam.put_role_policy(RoleName=name, PolicyName="exactly", PolicyDocument=document(allow("ecr:*")))
    assert denial(account.session("ecr", role).describe_images, **OF_OWNER) == not_allowed("DescribeImages")


def principals(reply: dict[str, Any]) -> Any:
    return json.loads(reply["policyText"])["Statement"][0]["Principal"]["AWS"]


def test_repository_policy_with_an_unknown_principal_is_refused(owner: Any) -> None:
    message = INVALID.replace("registry", "repository")
    for principal in (f"arn:aws:iam::{accounts.CONSUMER}:role/nobody", f"arn:aws:iam::{accounts.CONSUMER}:*"):
        text = document({"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "ecr:*"})
        expected = ("InvalidParameterException", message)
        assert refusal(owner.set_repository_policy, repositoryName="release", policyText=text) == expected
