# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab denies the requests that AWS denies, with AWS's messages, and allows the permitted counterparts."""

from __future__ import annotations

import base64
import contextlib
import gzip
import hashlib
import http.client
import io
import json
import os
import pathlib
import re
import socket
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.support.lab import Lab, lab_command

from . import accounts, state

ROLE, EXTERNAL_ID = "allow_ecr_release", "test"
POLICY_ARN = f"arn:aws:iam::{accounts.OWNER}:policy/{ROLE}"
REPOSITORY_PREFIX = f"arn:aws:ecr:{accounts.REGION}:{accounts.OWNER}:repository/"
SESSION_ARN = f"arn:aws:sts::{accounts.OWNER}:assumed-role/{ROLE}/{ROLE}"
SHARING_TAG = {"Key": "environment", "Value": "release"}
READ_ACTIONS = [
    "BatchGetImage",
    "GetDownloadUrlForLayer",
    "BatchCheckLayerAvailability",
    "DescribeImages",
    "DescribeRepositories",
    "ListImages",
    "ListTagsForResource",
]
IMAGE = {"imageTag": accounts.IMAGE_TAG}
SOME_DIGEST = "sha256:" + "0" * 64
BAD_SIGNATURE = (
    "The request signature we calculated does not match the signature you provided. "
    "Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
)
UNKNOWN_KEY = "The security token included in the request is invalid."
#: A call of each service, and the code with which it refuses an unknown key and a wrong signature.
SERVICES = [
    pytest.param("sts", "get_caller_identity", "InvalidClientTokenId", "SignatureDoesNotMatch", id="sts"),
    pytest.param("iam", "list_roles", "InvalidClientTokenId", "SignatureDoesNotMatch", id="iam"),
    pytest.param("ecr", "describe_repositories", "UnrecognizedClientException", "InvalidSignatureException", id="ecr"),
]
#: The reads of one repository: action, and the arguments that name the repository.
READS: dict[str, Callable[[str], dict[str, Any]]] = {
    "DescribeImages": lambda name: {"repositoryName": name},
    "ListImages": lambda name: {"repositoryName": name},
    "BatchGetImage": lambda name: {"repositoryName": name, "imageIds": [IMAGE]},
    "BatchCheckLayerAvailability": lambda name: {"repositoryName": name, "layerDigests": [SOME_DIGEST]},
    "DescribeRepositories": lambda name: {"repositoryNames": [name]},
    "ListTagsForResource": lambda name: {"resourceArn": REPOSITORY_PREFIX + name},
}


@dataclass(frozen=True)
class Reply:
    """A response of the registry."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def error(self) -> tuple[int, str, str]:
        (error,) = json.loads(self.body)["errors"]
        return self.status, error["code"], error["message"]


def registry(lab: Lab, method: str, path: str, authorization: str | None = None, body: bytes = b"") -> Reply:
    """One request to the registry; `authorization` is what `GetAuthorizationToken` answers."""
    connection = http.client.HTTPConnection(lab.endpoint.partition("://")[2], timeout=300)
    headers = {} if authorization is None else {"Authorization": f"Basic {authorization}"}
    with contextlib.closing(connection):
        connection.request(method, path, body, headers)
        reply = connection.getresponse()
        return Reply(reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read())


def refusal(call: Callable[..., Any], **arguments: Any) -> tuple[str, str]:
    """The code and the sentence with which a call is refused."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def not_allowed(action: str, resource: str, principal: str = SESSION_ARN) -> str:
    """AWS's sentence for a call that no policy of the caller allows."""
    return (
        f"User: {principal} is not authorized to perform: ecr:{action} on resource: {resource} "
        f"because no identity-based policy allows the ecr:{action} action"
    )


def may_not_assume(user: str, role: str = ROLE) -> tuple[str, str]:
    return (
        "AccessDenied",
        f"User: arn:aws:iam::{user} is not authorized to perform: sts:AssumeRole "
        f"on resource: arn:aws:iam::{accounts.OWNER}:role/{role}",
    )


def operation(client: Any, action: str) -> Callable[..., Any]:
    """The method of a boto3 client for an API action."""
    method: Callable[..., Any] = getattr(client, re.sub(r"(?<!^)(?=[A-Z])", "_", action).lower())
    return method


def token_of(ecr: Any) -> str:
    return str(ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"])


def digest_of(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def statements(tag_key: str = "ecr:ResourceTag/environment") -> list[dict[str, Any]]:
    """The policy of the scenario."""
    return [
        {
            "Effect": "Allow",
            "Action": [f"ecr:{action}" for action in READ_ACTIONS],
            "Resource": f"arn:aws:ecr:*:{accounts.OWNER}:repository/*",
            "Condition": {"StringEquals": {tag_key: SHARING_TAG["Value"]}},
        },
        {"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"},
    ]


def create_role(iam: Any, name: str, statement: list[dict[str, Any]]) -> None:
    """A role that the consumer account may assume with the external ID, and its policy of the same name."""
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{accounts.CONSUMER}:root"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": EXTERNAL_ID}},
    }
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=document([trust]))
    policy = iam.create_policy(PolicyName=name, PolicyDocument=document(statement))["Policy"]["Arn"]
    iam.attach_role_policy(RoleName=name, PolicyArn=policy)


def document(statement: list[dict[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statement})


@pytest.fixture(scope="module")
def owner(lab: Lab) -> Any:
    """The owner's ECR client; the sharing role exists and `release` carries the tag."""
    create_role(lab.client("owner", "iam"), ROLE, statements())
    ecr = lab.client("owner", "ecr")
    ecr.tag_resource(resourceArn=REPOSITORY_PREFIX + "release", tags=[SHARING_TAG])
    return ecr


@pytest.fixture(scope="module")
def consumer(lab: Lab, owner: Any) -> Any:
    """The ECR client of the consumer's user in the sharing role."""
    return lab.assume("consumer", "ecr", ROLE, ExternalId=EXTERNAL_ID)


@pytest.fixture(scope="module")
def pull_token(consumer: Any) -> str:
    return token_of(consumer)


@pytest.fixture(scope="module")
def push_token(owner: Any) -> str:
    return token_of(owner)


@pytest.fixture(scope="module")
def manifest(owner: Any) -> dict[str, Any]:
    """The manifest of the seeded image."""
    reply = owner.batch_get_image(repositoryName="release", imageIds=[IMAGE])
    found: dict[str, Any] = json.loads(reply["images"][0]["imageManifest"])
    return found


def blobs(manifest: dict[str, Any]) -> list[str]:
    return [manifest["config"]["digest"], *(layer["digest"] for layer in manifest["layers"])]


# Caller identity


@pytest.mark.parametrize(("service", "call", "_unknown", "code"), SERVICES)
def test_a_wrong_secret_is_a_wrong_signature(lab: Lab, service: str, call: str, _unknown: str, code: str) -> None:
    key = lab.session("owner").get_credentials().access_key
    forged = lab.session("owner", aws_access_key_id=key, aws_secret_access_key="w" * 40)
    assert refusal(getattr(forged.client(service), call)) == (code, BAD_SIGNATURE)


@pytest.mark.parametrize("key", ["AKIA" + "Q" * 16, accounts.OWNER, accounts.CONSUMER, "test"])
@pytest.mark.parametrize(("service", "call", "code", "_signature"), SERVICES)
def test_a_key_that_iam_did_not_issue_is_refused(
    lab: Lab, key: str, service: str, call: str, code: str, _signature: str
) -> None:
    stranger = lab.session("owner", aws_access_key_id=key, aws_secret_access_key="test")
    assert refusal(getattr(stranger.client(service), call)) == (code, UNKNOWN_KEY)


@pytest.mark.parametrize(("service", "call", "_unknown", "_signature"), SERVICES)
def test_the_owners_key_is_accepted(lab: Lab, service: str, call: str, _unknown: str, _signature: str) -> None:
    assert getattr(lab.client("owner", service), call)()


@pytest.mark.parametrize(("profile", "spec"), accounts.USERS.items())
def test_every_profile_is_the_user_it_is_named_after(lab: Lab, profile: str, spec: tuple[str, str, Any]) -> None:
    identity = lab.client(profile, "sts").get_caller_identity()
    assert (identity["Account"], identity["Arn"]) == (spec[0], f"arn:aws:iam::{spec[0]}:user/{spec[1]}")


@pytest.mark.parametrize(
    ("session_token", "message"),
    [(None, UNKNOWN_KEY), ("IQoJb3JpZ2luX2Vj", UNKNOWN_KEY.rstrip("."))],
    ids=["none", "wrong"],
)
@pytest.mark.usefixtures("owner")
def test_a_session_needs_its_own_session_token(lab: Lab, session_token: str | None, message: str) -> None:
    role = session_credentials(lab)
    session = boto3.session.Session(role["AccessKeyId"], role["SecretAccessKey"], session_token, accounts.REGION)
    refused = refusal(session.client("ecr", endpoint_url=lab.endpoint).get_authorization_token)
    assert refused == ("UnrecognizedClientException", message)


# Principals that can assume the role


def session_credentials(lab: Lab) -> dict[str, Any]:
    reply = assume_role(lab, "consumer")(ExternalId=EXTERNAL_ID)
    credentials: dict[str, Any] = reply["Credentials"]
    return credentials


def assume_role(lab: Lab, profile: str, role: str = ROLE) -> Callable[..., Any]:
    sts = lab.client(profile, "sts")

    def call(**options: str) -> Any:
        return sts.assume_role(RoleArn=f"arn:aws:iam::{accounts.OWNER}:role/{role}", RoleSessionName=ROLE, **options)

    return call


@pytest.mark.parametrize("options", [{}, {"ExternalId": "wrong"}, {"ExternalId": "TEST"}], ids=repr)
@pytest.mark.usefixtures("owner")
def test_the_role_needs_the_right_external_id(lab: Lab, options: dict[str, str]) -> None:
    refused = refusal(assume_role(lab, "consumer"), **options)
    assert refused == may_not_assume(f"{accounts.CONSUMER}:user/puller")


@pytest.mark.parametrize("options", [{}, {"ExternalId": EXTERNAL_ID}], ids=repr)
@pytest.mark.usefixtures("owner")
def test_undeclared_account_cannot_assume_the_role(lab: Lab, options: dict[str, str]) -> None:
    refused = refusal(assume_role(lab, "stranger"), **options)
    assert refused == may_not_assume(f"{accounts.STRANGER}:user/stranger")


@pytest.mark.usefixtures("owner")
def test_owner_cannot_assume_role_of_other_account(lab: Lab) -> None:
    refused = refusal(assume_role(lab, "owner"), ExternalId=EXTERNAL_ID)
    assert refused == may_not_assume(f"{accounts.OWNER}:user/administrator")


@pytest.mark.parametrize("profile", ["consumer", "owner"])
def test_a_role_that_does_not_exist_is_refused_as_if_it_did(lab: Lab, profile: str) -> None:
    account, user, _statement = accounts.USERS[profile]
    refused = refusal(assume_role(lab, profile, "no_such_role"), ExternalId=EXTERNAL_ID)
    assert refused == may_not_assume(f"{account}:user/{user}", "no_such_role")


@pytest.mark.usefixtures("owner")
def test_the_consumer_assumes_the_role_with_the_external_id(lab: Lab) -> None:
    sts = lab.assume("consumer", "sts", ROLE, ExternalId=EXTERNAL_ID)
    identity = sts.get_caller_identity()
    assert (identity["Account"], identity["Arn"]) == (accounts.OWNER, SESSION_ARN)


# Repositories that the role can read


@pytest.mark.parametrize("action", READS)
def test_the_tagged_repository_may_be_read(consumer: Any, action: str) -> None:
    assert operation(consumer, action)(**READS[action]("release"))


@pytest.mark.parametrize("repository", ["develop", "absent"])
@pytest.mark.parametrize("action", READS)
def test_any_other_repository_may_not_be_read(consumer: Any, action: str, repository: str) -> None:
    refused = refusal(operation(consumer, action), **READS[action](repository))
    assert refused == ("AccessDeniedException", not_allowed(action, REPOSITORY_PREFIX + repository))


def test_only_layers_of_tagged_repository_have_urls(consumer: Any, manifest: dict[str, Any]) -> None:
    layer = manifest["layers"][0]["digest"]
    assert consumer.get_download_url_for_layer(repositoryName="release", layerDigest=layer)["layerDigest"] == layer
    refused = refusal(consumer.get_download_url_for_layer, repositoryName="develop", layerDigest=layer)
    expected = not_allowed("GetDownloadUrlForLayer", REPOSITORY_PREFIX + "develop")
    assert refused == ("AccessDeniedException", expected)


def test_listing_all_repositories_is_authorized_on_all_of_them(owner: Any, consumer: Any) -> None:
    expected = not_allowed("DescribeRepositories", REPOSITORY_PREFIX + "*")
    assert refusal(consumer.describe_repositories) == ("AccessDeniedException", expected)
    names = {repository["repositoryName"] for repository in owner.describe_repositories()["repositories"]}
    assert names >= set(accounts.REPOSITORIES)


@pytest.mark.parametrize("names", [["release", "develop"], ["develop", "release"]], ids="-".join)
def test_one_denied_name_hides_the_permitted_ones(consumer: Any, names: list[str]) -> None:
    refused = refusal(consumer.describe_repositories, repositoryNames=names)
    expected = not_allowed("DescribeRepositories", REPOSITORY_PREFIX + "develop")
    assert refused == ("AccessDeniedException", expected)


def test_the_global_condition_key_works_as_well(lab: Lab, owner: Any) -> None:
    create_role(lab.client("owner", "iam"), "by_global_key", statements("aws:ResourceTag/environment"))
    ecr = lab.assume("consumer", "ecr", "by_global_key", ExternalId=EXTERNAL_ID)
    assert ecr.describe_images(repositoryName="release")["imageDetails"]
    principal = SESSION_ARN.replace(ROLE, "by_global_key")
    expected = not_allowed("DescribeImages", REPOSITORY_PREFIX + "develop", principal)
    assert refusal(ecr.describe_images, repositoryName="develop") == ("AccessDeniedException", expected)


def test_registry_action_is_not_granted_on_repositories(lab: Lab) -> None:
    on_repositories = {"Effect": "Allow", "Action": "ecr:*", "Resource": REPOSITORY_PREFIX + "*"}
    create_role(lab.client("owner", "iam"), "repositories_only", [on_repositories])
    ecr = lab.assume("consumer", "ecr", "repositories_only", ExternalId=EXTERNAL_ID)
    assert ecr.describe_images(repositoryName="develop")["imageDetails"]
    principal = SESSION_ARN.replace(ROLE, "repositories_only")
    for action in ("DescribeRegistry", "GetAuthorizationToken"):
        expected = not_allowed(action, "*", principal)
        assert refusal(operation(ecr, action)) == ("AccessDeniedException", expected)


@pytest.mark.parametrize("action", READS)
def test_the_owner_is_told_that_a_repository_does_not_exist(owner: Any, action: str) -> None:
    assert refusal(operation(owner, action), **READS[action]("absent")) == (
        "RepositoryNotFoundException",
        f"The repository with name 'absent' does not exist in the registry with id '{accounts.OWNER}'",
    )


def test_both_repositories_hold_the_same_image(owner: Any, manifest: dict[str, Any]) -> None:
    found = [owner.describe_images(repositoryName=name)["imageDetails"][0] for name in accounts.REPOSITORIES]
    assert found[0]["imageDigest"] == found[1]["imageDigest"]
    assert all(image["imageTags"] == [accounts.IMAGE_TAG] for image in found)
    assert len(manifest["layers"]) >= 2


# Tags


def limited(lab: Lab, name: str, service: str, statement: list[dict[str, Any]]) -> Any:
    """A client of a new user in the owner account, who may do what the statements say."""
    iam = lab.client("owner", "iam")
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName=name, PolicyDocument=document(statement))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    session = boto3.session.Session(key["AccessKeyId"], key["SecretAccessKey"], None, accounts.REGION)
    return session.client(service, endpoint_url=lab.endpoint)


def allow(actions: str | list[str], resource: str = "*", **condition: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resource, **condition}


@pytest.mark.parametrize(
    ("method", "action", "options"),
    [
        ("tag_resources", "TagResource", {"Tags": {"team": "platform"}}),
        ("untag_resources", "UntagResource", {"TagKeys": ["team"]}),
    ],
)
def test_tagging_api_fails_repositories_denied_by_ecr(
    lab: Lab, method: str, action: str, options: dict[str, Any]
) -> None:
    user = f"limited-{method}"
    statement = [allow("tag:*"), allow(f"ecr:{action}", REPOSITORY_PREFIX + "release")]
    tagging = limited(lab, user, "resourcegroupstaggingapi", statement)
    ecr, tag = lab.client("owner", "ecr"), {"Key": "team", "Value": "platform"}
    ecr.untag_resource(resourceArn=REPOSITORY_PREFIX + "develop", tagKeys=["team"])
    if method == "untag_resources":
        ecr.tag_resource(resourceArn=REPOSITORY_PREFIX + "release", tags=[tag])
    reply = getattr(tagging, method)(
        ResourceARNList=[REPOSITORY_PREFIX + name for name in ("develop", "release")], **options
    )
    sentence = not_allowed(action, REPOSITORY_PREFIX + "develop", f"arn:aws:iam::{accounts.OWNER}:user/{user}")
    assert reply["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert reply["FailedResourcesMap"] == {
        REPOSITORY_PREFIX + "develop": {
            "StatusCode": 403,
            "ErrorCode": "AccessDeniedException",
            "ErrorMessage": sentence,
        }
    }
    tags = {
        name: ecr.list_tags_for_resource(resourceArn=REPOSITORY_PREFIX + name)["tags"]
        for name in ("develop", "release")
    }
    assert tag not in tags["develop"]
    assert (tag in tags["release"]) == (method == "tag_resources")


def test_the_tags_asked_for_are_in_the_context_of_that_question(lab: Lab) -> None:
    only = {"Condition": {"StringEquals": {"aws:RequestTag/team": "platform"}}}
    statement = [allow("tag:TagResources"), allow("ecr:TagResource", REPOSITORY_PREFIX + "*", **only)]
    tagging = limited(lab, "limited-values", "resourcegroupstaggingapi", statement)
    arn = REPOSITORY_PREFIX + "develop"
    for value, failed in (("other", [arn]), ("platform", [])):
        reply = tagging.tag_resources(ResourceARNList=[arn], Tags={"team": value})
        assert list(reply["FailedResourcesMap"]) == failed


@pytest.mark.parametrize("kind", ["Role", "Policy"])
def test_creation_is_authorized_on_arn_and_tags(lab: Lab, kind: str) -> None:
    name = f"limited-{kind}"
    arn, user = f"arn:aws:iam::{accounts.OWNER}:{kind.lower()}/{name}", f"arn:aws:iam::{accounts.OWNER}:user/{name}"
    call = operation(limited(lab, name, "iam", [allow(f"iam:Create{kind}", arn)]), f"Create{kind}")
    key = {"Role": "AssumeRolePolicyDocument", "Policy": "PolicyDocument"}[kind]
    nobody = {
        "Effect": "Deny",
        "Action": "sts:AssumeRole",
        **({"Principal": "*"} if kind == "Role" else {"Resource": "*"}),
    }
    named = {f"{kind}Name": name, key: document([nobody])}
    tagging = not_allowed(f"Tag{kind}", arn, user).replace("ecr:", "iam:")
    assert refusal(call, **named, Tags=[SHARING_TAG]) == ("AccessDenied", tagging)
    call(**named)
    creating = not_allowed(f"Create{kind}", f"{arn}-2", user).replace("ecr:", "iam:")
    assert refusal(call, **{**named, f"{kind}Name": f"{name}-2"}) == ("AccessDenied", creating)


# The registry


@pytest.mark.parametrize("path", ["/v2/", f"/v2/release/manifests/{accounts.IMAGE_TAG}"])
@pytest.mark.parametrize("password", [None, "made-up"])
def test_the_registry_asks_for_a_token_it_issued(lab: Lab, path: str, password: str | None) -> None:
    authorization = None if password is None else base64.b64encode(f"AWS:{password}".encode()).decode()
    reply = registry(lab, "GET", path, authorization)
    assert (reply.status, reply.body.decode().strip()) == (401, "Not Authorized")
    assert reply.headers["www-authenticate"] == f'Basic realm="{lab.endpoint}/",service="ecr.amazonaws.com"'


def test_the_token_belongs_to_the_user_aws_only(lab: Lab, pull_token: str) -> None:
    password = base64.b64decode(pull_token).partition(b":")[2]
    other = base64.b64encode(b"docker:" + password).decode()
    assert registry(lab, "GET", "/v2/", other).status == 401
    assert registry(lab, "GET", "/v2/", pull_token).status == 200


def test_the_token_is_for_the_labs_own_registry(lab: Lab, consumer: Any) -> None:
    assert consumer.get_authorization_token()["authorizationData"][0]["proxyEndpoint"] == lab.endpoint


def test_release_image_matches_its_digests(lab: Lab, consumer: Any, pull_token: str, manifest: dict[str, Any]) -> None:
    digest = consumer.describe_images(repositoryName="release")["imageDetails"][0]["imageDigest"]
    for reference in (accounts.IMAGE_TAG, digest):
        reply = registry(lab, "GET", f"/v2/release/manifests/{reference}", pull_token)
        assert (reply.status, digest_of(reply.body), reply.headers["docker-content-digest"]) == (200, digest, digest)
        assert json.loads(reply.body) == manifest
    for blob in blobs(manifest):
        reply = registry(lab, "GET", f"/v2/release/blobs/{blob}", pull_token)
        assert (reply.status, digest_of(reply.body)) == (200, blob)


@pytest.mark.parametrize("part", ["manifests", "blobs"])
def test_the_develop_image_may_not_be_pulled(
    lab: Lab, pull_token: str, push_token: str, manifest: dict[str, Any], part: str
) -> None:
    action = {"manifests": "BatchGetImage", "blobs": "GetDownloadUrlForLayer"}[part]
    for reference in {"manifests": [accounts.IMAGE_TAG], "blobs": blobs(manifest)}[part]:
        path = f"/v2/develop/{part}/{reference}"
        expected = (403, "DENIED", not_allowed(action, REPOSITORY_PREFIX + "develop"))
        assert registry(lab, "GET", path, pull_token).error == expected
        assert registry(lab, "GET", path, push_token).status == 200


@pytest.mark.parametrize("repository", accounts.REPOSITORIES)
@pytest.mark.parametrize(
    ("method", "path", "action"),
    [("POST", "blobs/uploads/", "InitiateLayerUpload"), ("PUT", "manifests/v2.0", "PutImage")],
)
def test_the_pull_role_may_not_push(
    lab: Lab, pull_token: str, repository: str, method: str, path: str, action: str
) -> None:
    reply = registry(lab, method, f"/v2/{repository}/{path}", pull_token, b"{}")
    assert reply.error == (403, "DENIED", not_allowed(action, REPOSITORY_PREFIX + repository))


def test_the_owner_may_push(lab: Lab, owner: Any, push_token: str) -> None:
    owner.create_repository(repositoryName="team/pushed")
    layer = accounts.layer({"new": b"content"})
    digest = accounts.push(lab.endpoint, push_token, "team/pushed", "v2.0", [layer])
    reply = registry(lab, "GET", "/v2/team/pushed/manifests/v2.0", push_token)
    assert (reply.status, digest_of(reply.body)) == (200, digest)
    assert registry(lab, "GET", f"/v2/team/pushed/blobs/{digest_of(layer)}", push_token).body == layer
    assert owner.describe_images(repositoryName="team/pushed")["imageDetails"][0]["imageDigest"] == digest


@contextlib.contextmanager
def untagged(owner: Any) -> Iterator[None]:
    owner.untag_resource(resourceArn=REPOSITORY_PREFIX + "release", tagKeys=[SHARING_TAG["Key"]])
    try:
        yield
    finally:
        owner.tag_resource(resourceArn=REPOSITORY_PREFIX + "release", tags=[SHARING_TAG])


@contextlib.contextmanager
def detached(iam: Any) -> Iterator[None]:
    iam.detach_role_policy(RoleName=ROLE, PolicyArn=POLICY_ARN)
    try:
        yield
    finally:
        iam.attach_role_policy(RoleName=ROLE, PolicyArn=POLICY_ARN)


@pytest.mark.parametrize("means", ["untag the repository", "detach the policy"])
def test_unshare_takes_effect_at_once_for_issued_tokens(
    lab: Lab, owner: Any, consumer: Any, pull_token: str, manifest: dict[str, Any], means: str
) -> None:
    paths = {
        "BatchGetImage": f"/v2/release/manifests/{accounts.IMAGE_TAG}",
        "GetDownloadUrlForLayer": f"/v2/release/blobs/{blobs(manifest)[-1]}",
    }
    release = REPOSITORY_PREFIX + "release"
    with untagged(owner) if means.startswith("untag") else detached(lab.client("owner", "iam")):
        for action, path in paths.items():
            assert registry(lab, "GET", path, pull_token).error == (403, "DENIED", not_allowed(action, release))
        refused = refusal(consumer.describe_images, repositoryName="release")
        assert refused == ("AccessDeniedException", not_allowed("DescribeImages", release))
    for path in paths.values():
        assert registry(lab, "GET", path, pull_token).status == 200


def test_the_image_runs_and_prints_its_line(
    lab: Lab, pull_token: str, manifest: dict[str, Any], tmp_path: pathlib.Path
) -> None:
    config, *layers = (registry(lab, "GET", f"/v2/release/blobs/{blob}", pull_token).body for blob in blobs(manifest))
    described = json.loads(config)
    assert (described["os"], described["architecture"]) == ("linux", accounts.architecture())
    assert described["rootfs"]["diff_ids"] == [digest_of(gzip.decompress(layer)) for layer in layers]
    for layer in layers:
        with tarfile.open(fileobj=io.BytesIO(layer)) as archive:
            for member in archive.getmembers():
                archive.extract(member, tmp_path)
    (command,) = described["config"]["Cmd"]
    run = subprocess.run([tmp_path / command.lstrip("/")], capture_output=True, check=True, timeout=300)
    assert run.stdout == b"Hello from the owner account.\n"


# Principals of trust policies


def trust_in(principal: Any, **condition: Any) -> str:
    statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole", **condition}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def principal_of(iam: Any, role: str) -> Any:
    return iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["AWS"]


@pytest.mark.parametrize(
    "principal",
    [
        f"arn:aws:iam::{accounts.CONSUMER}:user/nobody",
        f"arn:aws:iam::{accounts.CONSUMER}:role/puller",
        f"arn:aws:iam::{accounts.CONSUMER}:user/team/puller",
        f"arn:aws:iam::{accounts.OWNER}:user/puller",
        "arn:aws:iam::444444444444:user/puller",
        "AIDAAAAAAAAAAAAAAAAAA",
    ],
)
def test_a_principal_that_does_not_exist_is_refused(lab: Lab, principal: str) -> None:
    iam = lab.client("owner", "iam")
    wrong = trust_in([f"arn:aws:iam::{accounts.CONSUMER}:user/puller", principal])
    expected = ("MalformedPolicyDocument", f'Invalid principal in policy: "AWS":"{principal}"')
    assert refusal(iam.create_role, RoleName="unmade", AssumeRolePolicyDocument=wrong) == expected
    assert refusal(iam.get_role, RoleName="unmade")[0] == "NoSuchEntity"
    with role_trusting(iam, accounts.CONSUMER):
        assert refusal(iam.update_assume_role_policy, RoleName="trusting", PolicyDocument=wrong) == expected
        assert principal_of(iam, "trusting") == accounts.CONSUMER


@pytest.mark.parametrize(
    "principal",
    [
        f"arn:aws:iam::{accounts.CONSUMER}:root",
        f"arn:aws:iam::{accounts.CONSUMER}:user/puller",
        "arn:aws:iam::444444444444:root",
        "444444444444",
        "*",
    ],
)
def test_a_principal_that_exists_and_any_account_is_taken(lab: Lab, principal: str) -> None:
    iam = lab.client("owner", "iam")
    with role_trusting(iam, principal):
        assert principal_of(iam, "trusting") == principal


@contextlib.contextmanager
def role_trusting(iam: Any, principal: Any, **condition: Any) -> Iterator[None]:
    iam.create_role(RoleName="trusting", AssumeRolePolicyDocument=trust_in(principal, **condition))
    try:
        yield
    finally:
        iam.delete_role(RoleName="trusting")


@pytest.mark.parametrize("many", [False, True])
@pytest.mark.parametrize("kind", ["user", "role"])
def test_deleted_principal_leaves_an_id_in_the_trust(lab: Lab, kind: str, many: bool) -> None:
    iam, consumer_iam = lab.client("owner", "iam"), lab.client("consumer-administrator", "iam")
    create, delete = getattr(consumer_iam, f"create_{kind}"), getattr(consumer_iam, f"delete_{kind}")
    name = {f"{kind.title()}Name": "leaving"}
    options = {"AssumeRolePolicyDocument": trust_in(accounts.CONSUMER)} if kind == "role" else {}
    deleted = create(**name, **options)[kind.title()]
    puller = f"arn:aws:iam::{accounts.CONSUMER}:user/puller"
    with role_trusting(iam, [deleted["Arn"], puller] if many else deleted["Arn"]):
        delete(**name)
        identifier = deleted[f"{kind.title()}Id"]
        assert identifier.startswith({"user": "AIDA", "role": "AROA"}[kind])
        left = [identifier, puller] if many else identifier
        assert principal_of(iam, "trusting") == left
        create(**name, **options)
        assert principal_of(iam, "trusting") == left
        delete(**name)


def test_a_user_made_again_is_not_trusted_but_under_a_condition(lab: Lab) -> None:
    iam, consumer_iam = lab.client("owner", "iam"), lab.client("consumer-administrator", "iam")
    arn = f"arn:aws:iam::{accounts.CONSUMER}:user/returning"
    condition = {"Condition": {"ArnEquals": {"aws:PrincipalArn": arn}}}
    role_arn = f"arn:aws:iam::{accounts.OWNER}:role/trusting"
    for trusted, options, still in ((arn, {}, False), (accounts.CONSUMER, condition, True)):
        sts = assuming_user(lab, consumer_iam)
        with role_trusting(iam, trusted, **options):
            assert sts.assume_role(RoleArn=role_arn, RoleSessionName="test")["Credentials"]
            remove_user(consumer_iam)
            sts = assuming_user(lab, consumer_iam)
            if still:
                assert sts.assume_role(RoleArn=role_arn, RoleSessionName="test")["Credentials"]
            else:
                refused = refusal(sts.assume_role, RoleArn=role_arn, RoleSessionName="test")
                assert refused == may_not_assume(f"{accounts.CONSUMER}:user/returning", "trusting")
            remove_user(consumer_iam)


def assuming_user(lab: Lab, iam: Any) -> Any:
    """A new user who may assume roles of the owner account, as a client of STS."""
    iam.create_user(UserName="returning")
    policy = json.dumps({"Version": "2012-10-17", "Statement": [accounts.MAY_ASSUME]})
    iam.put_user_policy(UserName="returning", PolicyName="lab", PolicyDocument=policy)
    key = iam.create_access_key(UserName="returning")["AccessKey"]
    return accounts.client("sts", lab.endpoint, key["AccessKeyId"], key["SecretAccessKey"])


def remove_user(iam: Any) -> None:
    for key in iam.list_access_keys(UserName="returning")["AccessKeyMetadata"]:
        iam.delete_access_key(UserName="returning", AccessKeyId=key["AccessKeyId"])
    iam.delete_user_policy(UserName="returning", PolicyName="lab")
    iam.delete_user(UserName="returning")


# The lab itself


def pid_of(folder: pathlib.Path) -> int:
    return int((folder / state.PID).read_text())


def listening_addresses(pid: int) -> list[tuple[str, int]]:
    """The addresses, in the kernel's hexadecimal, and ports that a process listens on."""
    links = [os.readlink(entry) for entry in pathlib.Path(f"/proc/{pid}/fd").iterdir()]
    sockets = {link[len("socket:[") : -1] for link in links if link.startswith("socket:[")}
    rows = [
        line.split()
        for table in ("tcp", "tcp6")
        for line in pathlib.Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]
    ]
    listening = [row[1].split(":") for row in rows if row[3] == "0A" and row[9] in sockets]
    return [(address, int(port, 16)) for address, port in listening]


def test_the_server_listens_on_two_loopback_ports_only(lab: Lab) -> None:
    ports = [int(url.rpartition(":")[2]) for url in (lab.endpoint, lab.vpc_endpoint)]
    assert sorted(listening_addresses(pid_of(lab.folder))) == [("0100007F", port) for port in sorted(ports)]


def test_starting_a_running_lab_changes_nothing(lab: Lab) -> None:
    def content() -> dict[str, bytes]:
        names = (state.PID, state.CONFIG, state.CREDENTIALS, state.ENVIRONMENT)
        return {name: (lab.folder / name).read_bytes() for name in names}

    before = content()
    lab_command("up", lab.folder)
    assert content() == before
    assert state.running(lab.folder) == pid_of(lab.folder)


def test_stopping_ends_the_process_and_is_harmless_twice(tmp_path: pathlib.Path) -> None:
    lab_command("down", tmp_path)
    lab_command("up", tmp_path)
    try:
        pid = pid_of(tmp_path)
        ports = [port for _address, port in listening_addresses(pid)]
    finally:
        lab_command("down", tmp_path)
    assert not is_alive(pid)
    assert len(ports) == 2
    for port in ports:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=300)
    lab_command("down", tmp_path)
    assert not (tmp_path / state.PID).exists()
    assert not (tmp_path / state.ENVIRONMENT).exists()


def is_alive(pid: int) -> bool:
    """Whether a process runs: it exists and is not a zombie."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_env_file_has_exactly_two_exports(lab: Lab) -> None:
    assert (lab.folder / state.ENVIRONMENT).read_text().splitlines() == [
        f"export AWS_CONFIG_FILE='{lab.folder / state.CONFIG}'",
        f"export AWS_SHARED_CREDENTIALS_FILE='{lab.folder / state.CREDENTIALS}'",
    ]


def test_only_its_user_can_read_the_labs_files(lab: Lab) -> None:
    modes = {path.name: oct(path.stat().st_mode & 0o777) for path in lab.folder.iterdir()}
    assert set(modes) >= {state.CONFIG, state.CREDENTIALS, state.ENVIRONMENT, state.REQUEST_LOG, state.SERVER_LOG}
    assert set(modes.values()) == {"0o600"}


@pytest.mark.parametrize("profile", accounts.USERS)
def test_a_users_credentials_are_as_long_as_awss(lab: Lab, profile: str) -> None:
    keys = lab.session(profile).get_credentials()
    assert (len(keys.access_key), keys.access_key[:4], len(keys.secret_key), keys.token) == (20, "AKIA", 40, None)


@pytest.mark.usefixtures("owner")
def test_a_sessions_credentials_are_as_long_as_awss(lab: Lab) -> None:
    role = session_credentials(lab)
    assert (len(role["AccessKeyId"]), role["AccessKeyId"][:4], len(role["SecretAccessKey"])) == (20, "ASIA", 40)
    assert len(role["SessionToken"]) > 400


def test_the_logs_hold_calls_but_no_secret(lab: Lab, pull_token: str, push_token: str) -> None:
    role = session_credentials(lab)
    lab.session(
        "consumer",
        aws_access_key_id=role["AccessKeyId"],
        aws_secret_access_key=role["SecretAccessKey"],
        aws_session_token=role["SessionToken"],
    ).client("ecr").describe_images(repositoryName="release")
    registry(lab, "GET", "/v2/", pull_token)
    secrets = [lab.session(profile).get_credentials().secret_key for profile in accounts.USERS]
    secrets += [role["SecretAccessKey"], role["SessionToken"]]
    for token in (pull_token, push_token):
        secrets += [token, base64.b64decode(token).decode().partition(":")[2]]
    logs = "".join((lab.folder / name).read_text() for name in (state.REQUEST_LOG, state.SERVER_LOG))
    assert not [secret for secret in secrets if secret in logs]
    assert "Signature=" not in logs
    assert "ExternalId" not in logs
    assert {"sts:AssumeRole", "ecr:DescribeImages", "ecr:GetAuthorizationToken", "GET /v2/"} <= set(lab.calls())
    assert {entry["access_key_id"] for entry in state.requests(lab.folder)} >= {role["AccessKeyId"], None}
