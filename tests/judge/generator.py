# SPDX-License-Identifier: GPL-3.0-or-later
"""Random questions that reach something: their documents use the keys and the values of their requests.

The request comes first. Each element of a statement is then derived from it by type: an operator fits the type of its
key, and a value is mostly the one of the request, or a near miss of it. Source of the idea: cedar-policy/cedar-spec,
whose generators are type-directed, because random input does not reach anything of interest.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

OWNER, ONE, TWO = "111111111111", "222222222222", "333333333333"
ACTIONS = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:GetAuthorizationToken", "ecr:PutImage")
REPOSITORIES = ("release", "develop", "a/b/c", "tools/build-1", "team.x/y_z")
CALLERS = (
    "arn:aws:iam::{}:user/puller",
    "arn:aws:iam::{}:user/team/other",
    "arn:aws:iam::{}:role/ci/deployer",
    "arn:aws:sts::{}:assumed-role/deployer/session",
)
TAGS = ("release", "develop", "Release", "", "a b", "a/b:c@d", "x.y")
TIMES = ("2026-01-01T00:00:00Z", "2026-11-26T12:00:00Z", "2027-06-01T00:00:00+02:00", "2026-11-26", "1795694400")

#: The keys of requests by their type, each with values that occur.
KEYS: dict[str, dict[str, tuple[str, ...]]] = {
    "string": {
        "sts:ExternalId": ("test", "Test", "a=b,c.d@e:f/g-h", "other"),
        "aws:PrincipalOrgID": ("o-exampleorgid", "o-otherorgid1"),
        "aws:PrincipalTag/team": ("red", "blue", "release"),
        "ecr:ResourceTag/environment": TAGS,
        "aws:ResourceTag/Share": TAGS,
        "aws:PrincipalType": ("User", "AssumedRole"),
    },
    "strings": {
        "aws:TagKeys": ("team", "share", "Share", "cost centre"),
        "aws:PrincipalOrgPaths": ("o-a/r/ou-b/", "o-a/r/"),
    },
    "arn": {"aws:SourceArn": ("arn:aws:sns:eu-west-1:111111111111:topic", "arn:aws:s3:::bucket/a:b")},
    "date": {"aws:CurrentTime": TIMES[:2], "aws:TokenIssueTime": TIMES[:2]},
    "address": {"aws:SourceIp": ("203.0.113.7", "198.51.100.9", "10.0.0.5", "2001:db8::1")},
    "boolean": {"aws:SecureTransport": ("true", "false"), "aws:MultiFactorAuthPresent": ("true", "false")},
    "number": {"aws:MultiFactorAuthAge": ("0", "900", "3600"), "aws:EpochTime": ("1795694400",)},
}
OPERATORS = {
    "string": (
        "StringEquals",
        "StringNotEquals",
        "StringEqualsIgnoreCase",
        "StringNotEqualsIgnoreCase",
        "StringLike",
        "StringNotLike",
    ),
    "arn": ("ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike", "StringLike", "StringEquals"),
    "date": tuple(
        f"Date{item}"
        for item in ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")
    ),
    "address": ("IpAddress", "NotIpAddress"),
    "boolean": ("Bool",),
    "number": tuple(
        f"Numeric{item}"
        for item in ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")
    ),
}
OPERATORS["strings"] = OPERATORS["string"]
TYPES = {key: kind for kind, keys in KEYS.items() for key in keys} | {
    "aws:PrincipalArn": "arn",
    "aws:PrincipalAccount": "string",
}


class Generator:
    """Questions from one seed."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311, the same questions in every run

    def questions(self, count: int) -> Iterator[dict[str, Any]]:
        for number in range(count):
            yield {"id": number, **self.question()}

    def question(self) -> dict[str, Any]:
        chance = self.chance
        account = chance.choice((OWNER, ONE, TWO))
        request: dict[str, Any] = {
            "action": chance.choice(ACTIONS),
            "resource": f"arn:aws:ecr:eu-west-1:{OWNER}:repository/{chance.choice(REPOSITORIES)}",
            "account": OWNER,
            "principal": chance.choice(CALLERS).format(account),
        }
        if request["action"] == "ecr:GetAuthorizationToken":
            request["resource"] = "*"
        if chance.random() < 0.4:
            request.update(action="sts:AssumeRole", resource=f"arn:aws:iam::{OWNER}:role/allow_ecr_release")
        request["ctx"] = self.context(request["principal"])
        everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
        identity = [self.document(request, False) for _number in range(chance.choice((1, 1, 2)))]
        question: dict[str, Any] = {**request, "identity": identity}
        if request["action"].startswith("sts:") or chance.random() < 0.5:
            question["identity"] = [everything] if chance.random() < 0.8 else identity
            question["resourcePolicy"] = self.document(request, True)
        return question

    def context(self, principal: str) -> dict[str, Any]:
        chance = self.chance
        found: dict[str, Any] = {"aws:PrincipalAccount": principal.split(":")[4], "aws:PrincipalArn": principal}
        if ":assumed-role/" in principal:
            found["aws:PrincipalArn"] = (
                principal.replace(":sts:", ":iam:").replace("assumed-role", "role/ci").rpartition("/")[0]
            )
        for kind, keys in KEYS.items():
            for key, values in keys.items():
                if chance.random() < 0.6:
                    several = kind == "strings"
                    found[key] = chance.sample(values, chance.randint(1, 2)) if several else chance.choice(values)
        return found

    def document(self, request: dict[str, Any], of_a_resource: bool) -> dict[str, Any]:
        chance = self.chance
        listed: Any = [self.statement(request, of_a_resource) for _number in range(chance.choice((1, 1, 2, 3)))]
        if len(listed) == 1 and chance.random() < 0.2:
            listed = listed[0]
        version = chance.choice(("2012-10-17",) * 9 + ("2008-10-17",))
        return {"Version": version, "Statement": listed} if chance.random() < 0.95 else {"Statement": listed}

    def statement(self, request: dict[str, Any], of_a_resource: bool) -> dict[str, Any]:
        chance = self.chance
        found: dict[str, Any] = {"Effect": chance.choice(("Allow", "Allow", "Allow", "Deny"))}
        found[self.maybe_not("Action", 0.12)] = self.several(lambda: self.action(request["action"]))
        if of_a_resource:
            found[self.maybe_not("Principal", 0.12)] = self.principal(request["principal"])
        else:
            found[self.maybe_not("Resource", 0.12)] = self.several(lambda: self.resource(request["resource"]))
        if chance.random() < 0.7:
            found["Condition"] = self.condition(request["ctx"])
        return found

    def maybe_not(self, element: str, probability: float) -> str:
        return f"Not{element}" if self.chance.random() < probability else element

    def several(self, make: Any) -> Any:
        return make() if self.chance.random() < 0.6 else [make() for _number in range(self.chance.randint(1, 3))]

    def action(self, action: str) -> str:
        service, name = action.split(":")
        return self.chance.choice(
            (
                "*",
                f"{service}:*",
                action,
                action,
                action.swapcase(),
                f"{service}:{self.mutated(name)}",
                "iam:*",
                f"{action}x",
            )
        )

    def resource(self, resource: str) -> str:
        head, _slash, name = resource.rpartition("repository/")
        other = f"{head}repository/{self.mutated(name)}" if name else "*"
        regions = resource.replace("eu-west-1", self.chance.choice(("*", "eu-*", "us-east-1", "eu-?est-1")))
        variable = resource.replace(
            OWNER, self.chance.choice(("${aws:PrincipalAccount}", "${aws:PrincipalTag/team, '111111111111'}"))
        )
        return self.chance.choice(
            ("*", resource, resource, other, regions, variable, "arn:aws:ecr:*", resource.upper())
        )

    def principal(self, caller: str) -> Any:
        chance, account = self.chance, caller.split(":")[4]
        role = f"arn:aws:iam::{account}:role/ci/deployer"
        named = (
            "*",
            account,
            f"arn:aws:iam::{account}:root",
            caller,
            caller,
            role,
            TWO,
            f"arn:aws:iam::{account}:user/nobody",
        )
        if chance.random() < 0.1:
            return (
                {"Service": "ec2.amazonaws.com"}
                if chance.random() < 0.5
                else {"Service": "ec2.amazonaws.com", "AWS": caller}
            )
        if chance.random() < 0.1:
            return "*"
        return {"AWS": self.several(lambda: chance.choice(named))}

    def condition(self, context: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, dict[str, Any]] = {}
        for _number in range(self.chance.choice((1, 1, 1, 2, 3))):
            key = self.chance.choice(list(context) if self.chance.random() < 0.8 else list(TYPES))
            operator, values = self.check(key, context.get(key))
            found.setdefault(operator, {})[key if self.chance.random() < 0.9 else key.swapcase()] = values
        return found

    def check(self, key: str, actual: Any) -> tuple[str, Any]:
        chance, kind = self.chance, TYPES.get(key, "string")
        if chance.random() < 0.1:
            return "Null", chance.choice(("true", "false", True, False))
        prefix = chance.choice(("ForAllValues:", "ForAnyValue:")) if kind == "strings" or chance.random() < 0.15 else ""
        suffix = "IfExists" if chance.random() < 0.2 else ""
        operator = chance.choice(OPERATORS[kind])
        if isinstance(actual, list):
            actual = chance.choice(actual) if actual else None
        return f"{prefix}{operator}{suffix}", self.several(lambda: self.value(kind, key, actual))

    def value(self, kind: str, key: str, actual: str | None) -> Any:
        chance = self.chance
        if kind == "boolean":
            return chance.choice(("true", "false", "True", True))
        if kind == "date":
            return chance.choice(TIMES)
        if kind == "number":
            return chance.choice(("0", "899", "900", 900, "3600.0", "1795694400", "-1"))
        if kind == "address":
            return chance.choice(("203.0.113.0/24", "198.51.100.9", "10.0.0.0/8", "2001:DB8::/32", "0.0.0.0/0"))
        pool = KEYS[kind].get(key, (actual or "x",))
        text = actual if actual is not None and chance.random() < 0.6 else chance.choice(pool)
        if kind == "arn":
            return self.arn(text)
        variables = [
            "${aws:PrincipalAccount}",
            "${aws:PrincipalTag/team}",
            "x${*}",
            "${aws:PrincipalTag/team, 'release'}",
        ]
        if kind == "string":  # a variable has one value
            variables.append(f"${{{key}}}")
        return chance.choice((text, text, text, self.mutated(text), text.swapcase(), chance.choice(variables)))

    def arn(self, text: str) -> str:
        parts = text.split(":", 5)
        for index in range(2, 6):
            if self.chance.random() < 0.25:
                parts[index] = self.chance.choice(("*", self.mutated(parts[index])))
        return ":".join(parts)

    def mutated(self, text: str) -> str:
        """A near miss of a text, or a pattern of it."""
        at = self.chance.randint(0, max(len(text) - 1, 0))
        character = text[at : at + 1]
        middle = self.chance.choice(
            ("*", "?", f"[{character}]", f"{character}x", "", character.swapcase(), f"*{character}", "**")
        )
        return f"{text[:at]}{middle}{text[at + 1 :]}" if self.chance.random() < 0.7 else f"{text[:at]}*"
