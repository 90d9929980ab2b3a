# SPDX-License-Identifier: GPL-3.0-or-later
"""A pull role in the lab whose access ends: with its share, with its consumer, or with the earlier one of the two."""

from __future__ import annotations

import contextlib
import datetime
import itertools
import json
from collections.abc import Iterator
from typing import Any

from tests.lab import accounts
from tests.support.lab import Lab
from tests.support.lab_accounts import Accounts
from tests.support.policies import DESCRIBE_CALL, LAYER_CALL, MANIFEST_CALL, TOKEN_CALL, document
from tests.support.pulling import Puller

SHARE, CONSUMER, BOTH = "share", "consumer", "both"
#: What has an end.
FORMS = (SHARE, CONSUMER, BOTH)
#: The maximum duration of a session and of a registry token, in seconds.
LONGEST = 43_200
EXTERNAL_ID = "test"
_POLICY = "crossaccount.ecr-end"
_numbers = itertools.count()
Document = dict[str, Any]


class Ground:
    """The lab, with a consumer that may assume every role."""

    def __init__(self, lab: Lab) -> None:
        self.lab, known = lab, Accounts(lab)
        self.iam = known.administrator(accounts.OWNER, "iam")
        may_assume = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}
        self.keys = known.user(accounts.CONSUMER, f"consumer-{next(_numbers)}", may_assume)
        tags = [{"Key": "usage", "Value": "release"}]
        ecr = known.administrator(accounts.OWNER, "ecr")
        ecr.tag_resource(resourceArn=f"arn:aws:ecr:{accounts.REGION}:{accounts.OWNER}:repository/release", tags=tags)

    @contextlib.contextmanager
    def share(self, form: str, end: datetime.datetime, later: datetime.datetime) -> Iterator[Puller]:
        """The consumer of a new role whose access ends.

        :param later: another end of the share, if it is the consumer whose access ends first
        """
        name = f"ending-{next(_numbers)}"
        share_end = {SHARE: end, CONSUMER: None, BOTH: later}[form]
        trust = _with_end(_trust(), end)
        role = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust, MaxSessionDuration=LONGEST)["Role"]
        permissions = _with_end(_permissions(), share_end)
        policy = self.iam.create_policy(PolicyName=name, PolicyDocument=permissions)["Policy"]["Arn"]
        self.iam.attach_role_policy(RoleName=name, PolicyArn=policy)
        if form != SHARE:
            self.iam.put_role_policy(RoleName=name, PolicyName=_POLICY, PolicyDocument=document(_deny_from(end)))
        puller = Puller(self.lab.endpoint, self.keys, role["Arn"], EXTERNAL_ID, "release")
        try:
            yield puller
        finally:
            puller.close()
            if form != SHARE:
                self.iam.delete_role_policy(RoleName=name, PolicyName=_POLICY)
            self.iam.detach_role_policy(RoleName=name, PolicyArn=policy)
            self.iam.delete_role(RoleName=name)
            self.iam.delete_policy(PolicyArn=policy)


def time_text(time: datetime.datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"


def _trust() -> list[Document]:
    condition = {"StringEquals": {"sts:ExternalId": EXTERNAL_ID}}
    principal = {"AWS": f"arn:aws:iam::{accounts.CONSUMER}:root"}
    return [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", "Condition": condition}]


def _permissions() -> list[Document]:
    resource = f"arn:aws:ecr:*:{accounts.OWNER}:repository/*"
    condition = {"StringEquals": {"ecr:ResourceTag/usage": "release"}}
    actions = [MANIFEST_CALL, DESCRIBE_CALL, LAYER_CALL]
    return [
        {"Effect": "Allow", "Action": actions, "Resource": resource, "Condition": condition},
        {"Effect": "Allow", "Action": TOKEN_CALL, "Resource": "*"},
    ]


def _with_end(statements: list[Document], end: datetime.datetime | None) -> str:
    limit = {"DateLessThan": {"aws:CurrentTime": time_text(end)}} if end else {}
    limited = [{**one, "Condition": {**one.get("Condition", {}), **limit}} for one in statements]
    return json.dumps({"Version": "2012-10-17", "Statement": limited})


def _deny_from(end: datetime.datetime) -> Document:
    condition = {"DateGreaterThanEquals": {"aws:CurrentTime": time_text(end)}}
    return {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": condition}
