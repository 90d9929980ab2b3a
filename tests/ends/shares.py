# SPDX-License-Identifier: GPL-3.0-or-later
"""A pull role in the lab whose access ends, with the documents that this collection writes."""

from __future__ import annotations

import contextlib
import datetime
import itertools
import json
from collections.abc import Iterator

from ansible_collections.crossaccount.ecr.plugins.module_utils._consumers import Consumer
from ansible_collections.crossaccount.ecr.plugins.module_utils._end_condition import end_policy
from ansible_collections.crossaccount.ecr.plugins.module_utils._end_date import utc_text
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_declaration import RoleDeclaration

from tests.lab import accounts
from tests.support.lab import Lab
from tests.support.lab_accounts import Accounts
from tests.support.pulling import Puller

#: The order of the ends of the share, `S`, and of the access of the consumer, `C`.
FORMS = ("S", "C", "CS", "SC")
#: The maximum duration of a session and of a registry token, in seconds.
LONGEST = 43_200
EXTERNAL_ID = "test"
_numbers = itertools.count()


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

        :param form: one of `FORMS`
        """
        name, owner = f"ending-{next(_numbers)}", Identity("aws", accounts.OWNER)
        ends = {what: utc_text(time) for what, time in zip(form, (end, later))}
        declared = RoleDeclaration(
            name,
            name,
            (Consumer(accounts.CONSUMER, external_id=EXTERNAL_ID),),
            {"usage": "release"},
            expires=ends.get("S"),
            role_expires=ends.get("C"),
        )
        trust, permissions = json.dumps(declared.trust(owner)), json.dumps(declared.permissions(owner))
        role = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust, MaxSessionDuration=LONGEST)["Role"]
        policy = self.iam.create_policy(PolicyName=name, PolicyDocument=permissions)["Policy"]["Arn"]
        self.iam.attach_role_policy(RoleName=name, PolicyArn=policy)
        if declared.role_end:
            document = json.dumps(end_policy(declared.role_end))
            self.iam.put_role_policy(RoleName=name, PolicyName="end", PolicyDocument=document)
        puller = Puller(self.lab.endpoint, self.keys, role["Arn"], EXTERNAL_ID, "release")
        try:
            yield puller
        finally:
            puller.close()
            if declared.role_end:
                self.iam.delete_role_policy(RoleName=name, PolicyName="end")
            self.iam.detach_role_policy(RoleName=name, PolicyArn=policy)
            self.iam.delete_role(RoleName=name)
            self.iam.delete_policy(PolicyArn=policy)
