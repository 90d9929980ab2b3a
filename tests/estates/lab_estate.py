# SPDX-License-Identifier: GPL-3.0-or-later
"""Creates a random estate in the lab, and finds out with real calls what a principal can do in it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import botocore.config
import botocore.session
from botocore.exceptions import ClientError

from tests.lab import accounts
from tests.lab.clients import allow, document, trust
from tests.support.lab import Lab

from .random_estate import EXTERNAL_IDS, SESSION_TAG, SESSIONS, EstateSpec, World, role_arn

_NO_DIGEST = "sha256:" + "0" * 64
#: For each action of the report, the calls. Each of them is authorized, and then finds nothing.
CALLS: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "describe": [("describe_images", {"imageIds": [{"imageDigest": _NO_DIGEST}]})],
    "pull": [
        ("batch_get_image", {"imageIds": [{"imageDigest": _NO_DIGEST}]}),
        ("get_download_url_for_layer", {"layerDigest": _NO_DIGEST}),
    ],
    "push": [
        ("initiate_layer_upload", {}),
        ("upload_layer_part", {"uploadId": "0", "partFirstByte": 0, "partLastByte": 0, "layerPartBlob": b"0"}),
        ("complete_layer_upload", {"uploadId": "0", "layerDigests": [_NO_DIGEST]}),
        ("put_image", {"imageManifest": "{}"}),
    ],
    "delete": [("batch_delete_image", {"imageIds": [{"imageDigest": _NO_DIGEST}]})],
}
#: The tag in the requests to tag a repository. No policy of an estate mentions it.
PROBE = {"audit-probe": "1"}


class External(NamedTuple):
    """A principal outside the owner account, with permission for every action.

    :param arn: the ARN of the user, or of the role
    :param keys: of the user, or of a session of the role
    """

    arn: str
    account: str
    in_organization: bool
    keys: dict[str, str]


class Session(NamedTuple):
    """A session of a role of the owner account.

    :param role: the path and the name of the role
    :param is_tagged: whether it has the tag of sessions
    """

    role: str
    name: str
    is_tagged: bool


class Outside:
    """The principals outside the owner account: two users and a role in each of four accounts."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.endpoint = lab.endpoint
        self._session = botocore.session.get_session()
        organizations = lab.client("owner", "organizations")
        self.organization = organizations.describe_organization()["Organization"]["Id"]
        self.principals: list[External] = []
        for profile in ("consumer-administrator", "stranger-administrator"):
            keys = lab.session(profile).get_credentials().get_frozen_credentials()
            own = {"aws_access_key_id": keys.access_key, "aws_secret_access_key": keys.secret_key}
            self._create(accounts.USERS[profile][0], own, False)
        for name in ("member-1", "member-2"):
            made = organizations.create_account(AccountName=name, Email=f"{name}@example.com")
            account = made["CreateAccountStatus"]["AccountId"]
            role = f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole"
            self._create(account, self._assumed(role, self.client("sts", self._keys_of("owner"))), True)
        first, stranger, member, _other = (self.principals[3 * number] for number in range(4))
        self.unnamed_account, self.unnamed_member = stranger.account, self.principals[9].account
        self.world = World(
            tuple(
                one.arn
                for one in self.principals
                if one.account in (first.account, member.account) and not one.arn.endswith("/two")
            ),
            (first.account, member.account),
            self.organization,
        )

    def _keys_of(self, profile: str) -> dict[str, str]:
        keys = self.lab.session(profile).get_credentials().get_frozen_credentials()
        return {"aws_access_key_id": keys.access_key, "aws_secret_access_key": keys.secret_key}

    def _create(self, account: str, keys: dict[str, str], in_organization: bool) -> None:
        iam = self.client("iam", keys)
        for name in ("one", "two"):
            arn = iam.create_user(UserName=name, Path="/estate/")["User"]["Arn"]
            user = arn.rpartition("/")[2]
            iam.put_user_policy(UserName=user, PolicyName="all", PolicyDocument=document(allow("*")))
            key = iam.create_access_key(UserName=user)["AccessKey"]
            own = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
            self.principals.append(External(arn, account, in_organization, own))
        role = iam.create_role(RoleName="job", AssumeRolePolicyDocument=trust(account))["Role"]["Arn"]
        iam.put_role_policy(RoleName="job", PolicyName="all", PolicyDocument=document(allow("*")))
        session = self._assumed(role, self.client("sts", self.principals[-1].keys))
        self.principals.append(External(role, account, in_organization, session))

    def client(self, service: str, keys: dict[str, str]) -> Any:
        config = botocore.config.Config(retries={"max_attempts": 0}, parameter_validation=False)
        return self._session.create_client(
            service, region_name=accounts.REGION, endpoint_url=self.endpoint, config=config, **keys
        )

    def _assumed(self, role: str, sts: Any, name: str = SESSIONS[0], **options: Any) -> dict[str, str]:
        reply = sts.assume_role(RoleArn=role, RoleSessionName=name, **options)["Credentials"]
        return {
            "aws_access_key_id": reply["AccessKeyId"],
            "aws_secret_access_key": reply["SecretAccessKey"],
            "aws_session_token": reply["SessionToken"],
        }

    def assume(self, session: Session, sts: Any, trusted: str) -> dict[str, str] | None:
        """The keys of a session of a role, with any external ID or none; None if every request is denied.

        :param trusted: the trust policy, which contains each external ID that matters
        """
        key, value = SESSION_TAG
        tags: dict[str, Any] = {"Tags": [{"Key": key, "Value": value}]} if session.is_tagged else {}
        for identifier in (None, *(one for one in EXTERNAL_IDS if f'"{one}"' in trusted), "another-value"):
            options = {**tags, "ExternalId": identifier} if identifier else tags
            try:
                return self._assumed(role_arn(session.role), sts, session.name, **options)
            except ClientError as error:
                if error.response["Error"]["Code"] != "AccessDenied":
                    raise
        return None


@contextlib.contextmanager
def created(lab: Lab, spec: EstateSpec) -> Iterator[None]:
    """Within, the owner account of the lab has this estate."""
    iam, ecr = lab.client("owner", "iam"), lab.client("owner", "ecr")
    try:
        for full_name, (trusted, permissions, boundary) in spec.roles.items():
            path, _slash, name = full_name.rpartition("/")
            options = {"Path": f"/{path}/"} if path else {}
            if boundary:
                made = iam.create_policy(PolicyName=f"boundary-{name}", PolicyDocument=json.dumps(boundary))
                options["PermissionsBoundary"] = made["Policy"]["Arn"]
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trusted), **options)
            iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=json.dumps(permissions))
        for name, (tags, policy) in spec.repositories.items():
            ecr.create_repository(repositoryName=name, tags=[{"Key": key, "Value": tags[key]} for key in tags])
            if policy:
                ecr.set_repository_policy(repositoryName=name, policyText=json.dumps(policy))
        if spec.registry_policy:
            ecr.put_registry_policy(policyText=json.dumps(spec.registry_policy))
        if spec.replication:
            ecr.put_replication_configuration(replicationConfiguration={"rules": spec.replication})
        for prefix, (tags, policy) in spec.templates.items():
            more = {
                "resourceTags": [{"Key": key, "Value": tags[key]} for key in tags],
                "customRoleArn": role_arn("any"),
            }
            ecr.create_repository_creation_template(
                prefix=prefix,
                appliedFor=["CREATE_ON_PUSH"],
                **(more if tags else {}),
                **({"repositoryPolicy": json.dumps(policy)} if policy else {}),
            )
        yield
    finally:
        _delete(iam, ecr, spec)


def _delete(iam: Any, ecr: Any, spec: EstateSpec) -> None:
    with contextlib.suppress(ClientError):
        ecr.delete_registry_policy()
    ecr.put_replication_configuration(replicationConfiguration={"rules": []})
    for name in (*spec.repositories, *map(created_by, spec.templates)):
        with contextlib.suppress(ClientError):
            ecr.delete_repository(repositoryName=name, force=True)
    for prefix in spec.templates:
        with contextlib.suppress(ClientError):
            ecr.delete_repository_creation_template(prefix=prefix)
    for full_name, (_trust, _permissions, boundary) in spec.roles.items():
        name = full_name.rpartition("/")[2]
        with contextlib.suppress(ClientError):
            iam.delete_role_policy(RoleName=name, PolicyName="own")
        with contextlib.suppress(ClientError):
            iam.delete_role(RoleName=name)
        if boundary:
            with contextlib.suppress(ClientError):
                iam.delete_policy(PolicyArn=f"arn:aws:iam::{accounts.OWNER}:policy/boundary-{name}")


def created_by(prefix: str) -> str:
    """The name of a repository that is created from the template with this prefix."""
    return f"{prefix}/new-repository"


class RealAccess:
    """The access of principals to the current estate of the lab, found out with real calls."""

    def __init__(self, outside: Outside, spec: EstateSpec) -> None:
        self.outside, self.spec = outside, spec
        self.calls = 0
        resources = [policy for _tags, policy in [*spec.repositories.values(), *spec.templates.values()]]
        trusted = [role[0] for role in spec.roles.values()]
        #: The policies of all resources, which may mention sessions.
        self._resource_policies = json.dumps([trusted, resources, spec.registry_policy])
        #: By session, or by the ARN of a principal.
        self._clients: dict[str | Session, Any] = {}
        self._sts: dict[str | Session, Any] = {}
        self._keys: dict[Session, dict[str, str]] = {}
        self._steps: dict[tuple[Session, str | Session], bool] = {}
        self._admitted: dict[str, list[Session]] = {}
        self._known: dict[tuple[str | Session, str, str], bool] = {}

    def is_allowed(self, principal: External, repository: str, action: str) -> bool:
        """Whether AWS allows an action, with the own identity of a principal or through a role."""
        if principal.arn not in self._admitted:
            self._admitted[principal.arn] = self._sessions_of(principal)
            self._clients[principal.arn] = self.outside.client("ecr", principal.keys)
        identities: list[str | Session] = [principal.arn, *self._admitted[principal.arn]]
        return any(self._known_or_call(who, self._clients[who], repository, action) for who in identities)

    def _sessions_of(self, principal: External) -> list[Session]:
        """The sessions that a principal can have, directly or through a session of another role."""
        possible = [session for role in self.spec.roles for session in self._sessions(role)]
        found = [session for session in possible if self._admits(session, principal.arn, principal.keys)]
        inside = [session for session in possible if self._may_admit_a_role(session.role)]
        for before in found:
            ahead = [session for session in inside if session not in found]
            found += [session for session in ahead if self._admits(session, before, self._keys[before])]
        return found

    def _sessions(self, role: str) -> list[Session]:
        """The sessions of a role that may differ in their access."""
        trusted, permissions, _boundary = map(json.dumps, self.spec.roles[role])
        mentions = f"assumed-role/{role.rpartition('/')[2]}/" in self._resource_policies
        names = SESSIONS if mentions or "RoleSessionName" in trusted else SESSIONS[:1]
        tagged = [False, True] if "TagSession" in trusted and "PrincipalTag" in permissions else [False]
        return [Session(role, name, is_tagged) for name in names for is_tagged in tagged]

    def _may_admit_a_role(self, role: str) -> bool:
        """Whether a trust policy mentions everyone or the owner account."""
        text = json.dumps(self.spec.roles[role][0])
        return '"*"' in text or accounts.OWNER in text

    def _admits(self, session: Session, who: str | Session, keys: dict[str, str]) -> bool:
        if (session, who) not in self._steps:
            self.calls += 1
            if who not in self._sts:
                self._sts[who] = self.outside.client("sts", keys)
            own = self.outside.assume(session, self._sts[who], json.dumps(self.spec.roles[session.role][0]))
            self._steps[session, who] = own is not None
            if own and session not in self._keys:
                self._keys[session] = own
                self._clients[session] = self.outside.client("ecr", own)
        return self._steps[session, who]

    def _known_or_call(self, who: str | Session, client: Any, repository: str, action: str) -> bool:
        key = (who, repository, action)
        if key not in self._known:
            self._known[key] = self._call(client, repository, action)
        return self._known[key]

    def _call(self, client: Any, repository: str, action: str) -> bool:
        if action == "tag":
            arn = f"arn:aws:ecr:{accounts.REGION}:{accounts.OWNER}:repository/{repository}"
            tags = [{"Key": name, "Value": value} for name, value in PROBE.items()]
            return self._is_authorized(client.tag_resource, resourceArn=arn, tags=tags)
        owner = {"registryId": accounts.OWNER, "repositoryName": repository}
        return all(self._is_authorized(getattr(client, name), **owner, **more) for name, more in CALLS[action])

    def _is_authorized(self, call: Any, **arguments: Any) -> bool:
        self.calls += 1
        try:
            call(**arguments)
        except ClientError as error:
            return error.response["Error"]["Code"] != "AccessDeniedException"
        return True
