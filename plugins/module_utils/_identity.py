# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""An AWS account in its partition, the ARNs of its resources, and the parts of an ARN. Standard library only."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError

#: Source: IAM User Guide, "Identify AWS resources with Amazon Resource Names (ARNs)". The ARNs of AWS managed policies
#: have the account `aws`.
_ARN = re.compile(r"arn:(aws[a-z-]*):([a-z0-9-]+):([a-z0-9-]*):([0-9]{12}|aws|):(.+)")


@dataclass(frozen=True)
class Identity:
    """An account in its partition."""

    partition: str
    account: str

    def iam(self, resource: str) -> str:
        """The ARN of an IAM resource.

        :param resource: such as `user/NAME`
        """
        return f"arn:{self.partition}:iam::{self.account}:{resource}"

    @property
    def root(self) -> str:
        """The ARN of the account root, which represents the whole account as a principal."""
        return self.iam("root")

    def role(self, path: str, name: str) -> str:
        return self.iam(f"role{path}{name}")

    def policy(self, path: str, name: str) -> str:
        return self.iam(f"policy{path}{name}")

    def repository(self, region: str, name: str) -> str:
        return f"arn:{self.partition}:ecr:{region}:{self.account}:repository/{name}"


class Arn(t.NamedTuple):
    """The parts of an ARN."""

    partition: str
    service: str
    region: str
    account: str
    resource: str

    @property
    def identity(self) -> Identity:
        return Identity(self.partition, self.account)

    @property
    def name(self) -> str:
        """The last part of the resource, such as the name of a role without its path."""
        return self.resource.rpartition("/")[2]


def split_arn(text: str) -> Arn | None:
    """The parts of an ARN; None if the text is not an ARN."""
    found = _ARN.fullmatch(text)
    return Arn(*found.groups()) if found else None


def arn_of(text: str) -> Arn:
    """The parts of an ARN.

    :raises EcrError: if the text is not an ARN
    """
    arn = split_arn(text)
    if arn is None:
        raise EcrError(f"{text!r} is not an ARN, such as arn:aws:iam::111111111111:role/NAME.")
    return arn
