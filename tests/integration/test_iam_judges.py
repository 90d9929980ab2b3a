# SPDX-License-Identifier: GPL-3.0-or-later
"""Random valid declarations, judged by IAM itself: the principals that can assume the role, and the permissions of that
session."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import (
    _consumer_problems,
    _consumers,
    _policy,
    _policy_document,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._access_change import pull_decision
from ansible_collections.crossaccount.ecr.plugins.module_utils._evaluate import DENIED
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity
from botocore.exceptions import ClientError
from botocore.session import Session as BotocoreSession

from tests.judge import questions
from tests.judge.generator import Generator
from tests.lab import accounts
from tests.support.control import REPOSITORY_ARN
from tests.support.lab import Lab

SEED, DECLARATIONS, RETAGGED = 20211125, 100, 25
ROLES = ("judged-0", "judged-1", "judged-2")
KEYS, VALUES = ("environment", "team", "cost centre", "Share"), ("release", "develop", "a/b:c", "")
REPOSITORIES = tuple(f"judged/{number}" for number in range(6))
USERS = {
    accounts.CONSUMER: ("puller", "builder", "team/deployer"),
    accounts.STRANGER: ("stranger", "visitor"),
}
EXTERNAL_IDS = ("first-id", "second-id", "a=b,c.d@e:f/g-h")
NO_DIGEST = "sha256:" + "0" * 64
ACTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "ecr:BatchGetImage": ("batch_get_image", {"imageIds": [{"imageDigest": NO_DIGEST}]}),
    "ecr:GetDownloadUrlForLayer": ("get_download_url_for_layer", {"layerDigest": NO_DIGEST}),
    "ecr:DescribeImages": ("describe_images", {}),
    "ecr:PutImage": ("put_image", {"imageManifest": "{}", "imageTag": "judged"}),
}
#: Account, user, and the external ID that is presented.
Claim = tuple[str, str, str | None]
SESSION = BotocoreSession()
NOBODY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
}


@dataclass(frozen=True)
class Declaration:
    """A declaration."""

    consumers: list[dict[str, Any]]
    repository_tags: dict[str, Any]
    access: str
    condition_key: str
    regions: tuple[str, ...]

    def documents(self) -> tuple[_policy_document.Document, _policy_document.Document]:
        """The permissions and the trust that the collection makes of it."""
        consumers = [_consumers.consumer_of(consumer) for consumer in self.consumers]
        assert list(_consumer_problems.consumers_problems(consumers, "aws")) == []
        assert list(_policy.repository_tags_problems(self.repository_tags)) == []
        owner, tags = Identity("aws", accounts.OWNER), _policy.repository_tags_of(self.repository_tags)
        permissions = _policy.permissions_document(owner, tags, self.access, self.condition_key, self.regions)
        return permissions, _policy.trust_document("aws", consumers)

    def trusts(self, account: str, user: str, external_id: str | None) -> bool:
        """Whether a user who presents `external_id` was declared."""
        return any(
            consumer["account"] == account
            and user in [name.partition("/")[2] for name in consumer["principals"] or [f"user/{user}"]]
            and consumer["external_id"] in (None, external_id)
            and not consumer["require_mfa"]  # no caller here has a second factor
            and consumer["organization_id"] is None  # nor an organization
            for consumer in self.consumers
        )

    def permits(self, action: str, tags: dict[str, str]) -> bool:
        """Whether an action on a repository with these tags was declared."""
        here = not self.regions or accounts.REGION in self.regions
        required = {key: value if isinstance(value, list) else [value] for key, value in self.repository_tags.items()}
        tagged = all(tags.get(key) in values for key, values in required.items())
        return here and tagged and action in _policy.ACTIONS[self.access]


def random_consumer(chance: random.Random) -> dict[str, Any]:
    account = chance.choice(list(USERS))
    users = chance.sample(USERS[account], chance.randint(0, 2))
    external_id = chance.choice((*EXTERNAL_IDS, None))
    return {
        "account": account,
        "principals": [f"user/{name}" for name in users],
        "external_id": external_id,
        "allow_no_external_id": external_id is None,
        "principal_match": chance.choice(("principal", "condition")),
        "organization_id": chance.choice((None,) * 9 + ("o-exampleorgid",)),
        "require_mfa": chance.random() < 0.1,
    }


def random_declaration(chance: random.Random) -> Declaration:
    consumers: list[dict[str, Any]] = []
    for candidate in [random_consumer(chance) for number in range(chance.randint(1, 3))]:
        if candidate not in consumers:
            consumers.append(candidate)
    tags = {
        key: chance.choice((chance.choice(VALUES), chance.sample(VALUES, chance.randint(1, 3))))
        for key in chance.sample(KEYS, chance.choice((1, 1, 1, 2)))
    }
    regions = chance.choice(((), (), (), (accounts.REGION,), (accounts.REGION, "eu-west-1"), ("eu-west-1",)))
    return Declaration(consumers, tags, chance.choice(("pull", "read")), chance.choice(("ecr", "aws")), regions)


def random_tags(chance: random.Random) -> dict[str, str]:
    return {key: chance.choice(VALUES) for key in chance.sample(KEYS, chance.randint(0, len(KEYS)))}


def allowed(call: Any, **arguments: Any) -> bool:
    """Whether a call is authorized; its result does not matter."""
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"] not in ("AccessDenied", "AccessDeniedException")
    return True


class JudgedLab:
    """The lab with users, roles and repositories, and the clients of all of them."""

    def __init__(self, lab: Lab) -> None:
        self.endpoint = lab.endpoint
        self.iam, self.ecr = lab.client("owner", "iam"), lab.client("owner", "ecr")
        self.sts = {(accounts.CONSUMER, "puller"): lab.client("consumer", "sts")}
        self.sts[accounts.STRANGER, "stranger"] = lab.client("stranger", "sts")
        for profile, account in (("consumer", accounts.CONSUMER), ("stranger", accounts.STRANGER)):
            administrator = lab.client(f"{profile}-administrator", "iam")
            for user in USERS[account][1:]:
                self.sts[account, user] = self.new_user(administrator, user)
        self.tags: dict[str, dict[str, str]] = {name: {} for name in REPOSITORIES}
        for name in REPOSITORIES:
            self.ecr.create_repository(repositoryName=name)
        for name in ROLES:
            self.make_role(name)

    def client(self, service: str, keys: dict[str, str]) -> Any:
        return SESSION.create_client(
            service,
            region_name=accounts.REGION,
            endpoint_url=self.endpoint,
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys.get("SessionToken"),
        )

    def new_user(self, iam: Any, user: str) -> Any:
        """A user who may assume the roles of the owner account, as a client of STS."""
        path, _slash, name = f"/{user}".rpartition("/")
        iam.create_user(UserName=name, Path=path + "/")
        document = json.dumps({"Version": "2012-10-17", "Statement": [accounts.MAY_ASSUME]})
        iam.put_user_policy(UserName=name, PolicyName="lab", PolicyDocument=document)
        return self.client("sts", iam.create_access_key(UserName=name)["AccessKey"])

    def make_role(self, name: str) -> None:
        """A role that no principal may assume, with a policy that allows nothing on a repository."""
        nothing = {"Effect": "Allow", "Action": _policy.TOKEN_ACTION, "Resource": "*"}
        text = json.dumps({"Version": "2012-10-17", "Statement": [nothing]})
        policy = self.iam.create_policy(PolicyName=name, PolicyDocument=text)["Policy"]["Arn"]
        self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(NOBODY))
        self.iam.attach_role_policy(RoleName=name, PolicyArn=policy)

    def retag(self, chance: random.Random) -> None:
        """Give every repository other tags."""
        for name, old in self.tags.items():
            arn, new = REPOSITORY_ARN + name, random_tags(chance)
            if old:
                self.ecr.untag_resource(resourceArn=arn, tagKeys=list(old))
            self.ecr.tag_resource(resourceArn=arn, tags=[{"Key": key, "Value": new[key]} for key in new])
            self.tags[name] = new

    def declare(self, role: str, permissions: _policy_document.Document, trust: _policy_document.Document) -> None:
        """Put the two documents into the lab."""
        arn = f"arn:aws:iam::{accounts.OWNER}:policy/{role}"
        versions = self.iam.list_policy_versions(PolicyArn=arn)["Versions"]
        if len(versions) == 5:
            oldest = min((version for version in versions if not version["IsDefaultVersion"]), key=age)
            self.iam.delete_policy_version(PolicyArn=arn, VersionId=oldest["VersionId"])
        self.iam.create_policy_version(
            PolicyArn=arn, PolicyDocument=_policy_document.text(permissions), SetAsDefault=True
        )
        self.iam.update_assume_role_policy(RoleName=role, PolicyDocument=_policy_document.text(trust))

    def assume(self, role: str, who: tuple[str, str], external_id: str | None) -> dict[str, str] | None:
        """The keys of a session of the role; None where IAM refuses it."""
        options = {} if external_id is None else {"ExternalId": external_id}
        arn = f"arn:aws:iam::{accounts.OWNER}:role/{role}"
        try:
            reply = self.sts[who].assume_role(RoleArn=arn, RoleSessionName=role, **options)
        except ClientError as error:
            if error.response["Error"]["Code"] != "AccessDenied":
                raise
            return None
        keys: dict[str, str] = reply["Credentials"]
        return keys

    def who_becomes(self, role: str, external_ids: tuple[str | None, ...]) -> dict[Claim, dict[str, str] | None]:
        """The session, or None, of each user with each external ID."""
        return {
            (*who, external_id): self.assume(role, who, external_id) for who in self.sts for external_id in external_ids
        }

    def what_it_may(self, keys: dict[str, str]) -> dict[tuple[str, str], bool]:
        """For each repository and action whether a session may."""
        ecr = self.client("ecr", keys)
        return {
            (name, action): allowed(getattr(ecr, method), repositoryName=name, **arguments)
            for name in REPOSITORIES
            for action, (method, arguments) in ACTIONS.items()
        }


def age(version: dict[str, Any]) -> int:
    return int(version["VersionId"][1:])


@pytest.fixture(scope="module")
def judge(lab: Lab) -> JudgedLab:
    return JudgedLab(lab)


def judge_one(judge: JudgedLab, role: str, declaration: Declaration) -> tuple[int, int]:
    """Compare a declaration with what IAM does; how many may assume the role, and how many calls were allowed."""
    permissions, trust = declaration.documents()
    judge.declare(role, permissions, trust)
    became = judge.who_becomes(role, (*EXTERNAL_IDS, "wrong-id", None))
    declared = {claim: declaration.trusts(*claim) for claim in became}
    assert {claim: keys is not None for claim, keys in became.items()} == declared, declaration
    sessions = [keys for keys in became.values() if keys]
    if not sessions:
        return 0, 0
    may = judge.what_it_may(sessions[0])
    expected = {(name, action): declaration.permits(action, judge.tags[name]) for name, action in may}
    assert may == expected, (declaration, judge.tags)
    pulls = {
        name: pull_decision(permissions, REPOSITORY_ARN + name, judge.tags[name]).verdict != DENIED
        for name in REPOSITORIES
    }
    assert pulls == {name: may[name, "ecr:GetDownloadUrlForLayer"] for name in REPOSITORIES}, declaration
    return len(sessions), sum(may.values())


def test_iam_does_what_random_declarations_say(judge: JudgedLab) -> None:
    chance = random.Random(SEED)  # noqa: S311, the same cases in every run
    sessions = calls = without = 0
    for number in range(DECLARATIONS):
        if number % RETAGGED == 0:
            judge.retag(chance)
        became, allowed_calls = judge_one(judge, ROLES[number % len(ROLES)], random_declaration(chance))
        sessions, calls, without = sessions + became, calls + allowed_calls, without + (became == 0)
    # A test in which nothing is allowed, or everything, would show nothing.
    assert sessions > DECLARATIONS
    assert calls > DECLARATIONS
    assert without > 0


# --- random documents -----------------------------------------------------------------------------------------------

DOCUMENTS = 60
#: The context keys that are the same for every call to the lab.
SURROUNDINGS = {"aws:SourceIp": "127.0.0.1", "aws:SecureTransport": "false", "aws:CurrentTime": "2026-07-01T00:00:00Z"}
ASKED = ("ecr:BatchGetImage", "ecr:PutImage")


class LabGenerator(Generator):
    """Documents whose principals exist, as IAM requires of a trust policy."""

    def maybe_not(self, element: str, probability: float) -> str:
        """IAM rejects NotPrincipal in a trust policy."""
        return element if element == "Principal" else super().maybe_not(element, probability)

    def principal(self, caller: str) -> Any:
        account = caller.split(":")[4]
        return self.chance.choice(
            (
                "*",
                {"AWS": self.several(lambda: self.chance.choice(("*", account, caller, accounts.STRANGER)))},
                {"AWS": [caller, f"arn:aws:iam::{account}:root"]},
            )
        )

    def value(self, kind: str, key: str, actual: str | None) -> Any:
        """Times are far from the present, since the lab has its own clock."""
        if kind == "date":
            return self.chance.choice(("2001-01-01T00:00:00Z", "2099-01-01T00:00:00Z"))
        if kind == "address":
            return self.chance.choice(("127.0.0.0/8", "127.0.0.1", "203.0.113.0/24", "::/0"))
        return super().value(kind, key, actual)

    def condition(self, context: dict[str, Any]) -> dict[str, Any]:
        """Only keys that the lab is known to have, or known not to have."""
        judged_calls: dict[str, dict[str, Any]] = {}
        for _number in range(self.chance.choice((1, 1, 2))):
            key = self.chance.choice([*context, "aws:ResourceTag/Share", "sts:ExternalId"])
            operator, values = self.check(key, context.get(key))
            judged_calls.setdefault(operator, {})[key] = values
        return judged_calls


@dataclass(frozen=True)
class JudgedCall:
    """A question, our verdict, and whether the lab allowed the call."""

    question: str
    verdict: str
    allowed: bool

    @property
    def differs(self) -> bool:
        return self.verdict != "unknown" and (self.verdict == "allowed") != self.allowed


def judged(question: dict[str, Any], allowed: bool) -> JudgedCall:
    verdict = questions.answer({"account": accounts.OWNER, **question})["verdict"]
    return JudgedCall(json.dumps(question), verdict, allowed)


def judge_trust(judge: JudgedLab, generator: LabGenerator, role: str) -> list[JudgedCall]:
    """A random trust policy: our verdict and the lab's, for each user and external ID."""
    chance = generator.chance
    permissions = {"Version": "2012-10-17", "Statement": [accounts.MAY_ASSUME]}
    target = {"action": "sts:AssumeRole", "resource": f"arn:aws:iam::{accounts.OWNER}:role/{role}"}

    def question(who: tuple[str, str], external_id: str | None) -> dict[str, Any]:
        account, user = who
        arn = f"arn:aws:iam::{account}:user/{user}"
        context = {**SURROUNDINGS, "aws:PrincipalArn": arn, "aws:PrincipalAccount": account}
        if external_id:
            context["sts:ExternalId"] = external_id
        return {**target, "principal": arn, "ctx": context}

    trust = generator.document(question(chance.choice(list(judge.sts)), chance.choice(EXTERNAL_IDS)), True)
    judge.iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(trust))
    became = judge.who_becomes(role, (EXTERNAL_IDS[0], None))
    return [
        judged({**question(claim[:2], claim[2]), "identity": [permissions], "resourcePolicy": trust}, bool(keys))
        for claim, keys in became.items()
    ]


def judge_permissions(judge: JudgedLab, generator: LabGenerator, role: str, keys: dict[str, str]) -> list[JudgedCall]:
    """A random permissions policy: our verdict and the lab's, for each repository and action."""
    chance = generator.chance

    def question(name: str, action: str) -> dict[str, Any]:
        tags = {
            f"{prefix}:ResourceTag/{key}": value for prefix in ("ecr", "aws") for key, value in judge.tags[name].items()
        }
        context = {**SURROUNDINGS, **tags, "aws:PrincipalAccount": accounts.OWNER}
        arn = f"arn:aws:sts::{accounts.OWNER}:assumed-role/{role}/{role}"
        return {"action": action, "resource": REPOSITORY_ARN + name, "principal": arn, "ctx": context}

    document = generator.document(question(chance.choice(REPOSITORIES), chance.choice(ASKED)), False)
    judge.iam.put_role_policy(RoleName=role, PolicyName="random", PolicyDocument=json.dumps(document))
    may = judge.what_it_may(keys)
    return [
        judged({**question(*request), "identity": [document]}, may[request]) for request in may if request[1] in ASKED
    ]


def test_iam_does_what_the_evaluator_says_of_random_documents(judge: JudgedLab) -> None:
    generator = LabGenerator(SEED)
    trusting, session_role = "random-trust", "random-permissions"
    everyone = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}}
    for name in (trusting, session_role):
        judge.iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(everyone))
    keys = judge.assume(session_role, (accounts.CONSUMER, "puller"), None)
    assert keys
    judged_calls: list[JudgedCall] = []
    for number in range(DOCUMENTS):
        if number % 15 == 0:
            judge.retag(generator.chance)
        judged_calls += judge_trust(judge, generator, trusting)
        judged_calls += judge_permissions(judge, generator, session_role, keys)
    assert [judgment for judgment in judged_calls if judgment.differs] == []
    assert sum(judgment.verdict == "unknown" for judgment in judged_calls) < len(judged_calls) / 20
    assert sum(judgment.allowed for judgment in judged_calls) > DOCUMENTS
    assert sum(not judgment.allowed for judgment in judged_calls) > DOCUMENTS
