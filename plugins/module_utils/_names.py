# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The syntax rules for names, IDs, ARNs and tags of AWS. Standard library only.

A function named `…_problems` yields a complete message for each problem of a value.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Arn, split_arn
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option

_ACCOUNT = re.compile(r"[0-9]{12}")
_CONSOLE_ACCOUNT = re.compile(r"[0-9]{4}-[0-9]{4}-[0-9]{4}")
_EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)
_PRINCIPAL = re.compile(r"(?:user|role)/[\w+=,.@/-]+", re.ASCII)
_ROLE = re.compile(r"role/[\w+=,.@/-]+", re.ASCII)
_POLICY = re.compile(r"policy/[\w+=,.@/-]+", re.ASCII)
_SESSION_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
_ORGANIZATION = re.compile(r"o-[a-z0-9]{10,32}")
#: Source: AWS Organizations API Reference, data types Root and OrganizationalUnit.
_UNIT = re.compile(r"(o-[a-z0-9]{10,32})/r-[0-9a-z]{4,32}(?:/ou-[0-9a-z]{4,32}-[0-9a-z]{8,32})+")
_REGION = re.compile(r"[a-z]{2,}(?:-[a-z]+)+-[0-9]{1,2}")
_TAG_TEXT = re.compile(r"[\w .:/=+@-]*")
#: The maximum number of tags on a repository. Source: ECR User Guide, "Tagging a private repository".
MAXIMUM_TAGS = 50
#: Source: ECR API Reference, CreateRepository, repositoryName.
_REPOSITORY = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*")
#: The beginning of a registry host. ECR accepts a repository name that begins with it, but such a name is a mistake.
_REGISTRY = re.compile(r"[0-9]{12}\.dkr[.-]ecr[.-]")
_ROLE_NAME = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)
_POLICY_NAME = re.compile(r"[\w+=,.@-]{1,128}", re.ASCII)
_PATH = re.compile(r"/(?:[\w+=,.@-]+/)*", re.ASCII)
#: The characters of these names, for messages.
_NAME_CHARACTERS = "letters, digits and _+=,.@-"


# --- accounts and principals


def _iam_arn(text: object, resource: re.Pattern[str], account: re.Pattern[str] = _ACCOUNT) -> Arn | None:
    """The parts of the ARN of an IAM resource; None for any other value."""
    arn = split_arn(text) if isinstance(text, str) else None
    matches = arn and (arn.service, arn.region) == ("iam", "") and account.fullmatch(arn.account)
    return arn if arn and matches and resource.fullmatch(arn.resource) else None


def _principal_arn(text: object) -> Arn | None:
    return _iam_arn(text, _PRINCIPAL) or _iam_arn(text, re.compile("root"))


def account_of(declared: t.Any, partition: str | None) -> t.Any:
    """The normalized account ID, if the declared value unambiguously means a whole account; otherwise the value.

    White space, the dashes of the AWS console, and the ARN of the account root are normalized. The ARN of a user or a
    role is returned unchanged, and rejected later, because its account would include all other principals.

    :param partition: the partition of the ARN; None for any
    """
    if not isinstance(declared, str):
        return declared
    account = declared.strip()
    arn = _principal_arn(account)
    if arn and partition in (None, arn.partition) and arn.resource == "root":
        return arn.account
    return account.replace("-", "") if _CONSOLE_ACCOUNT.fullmatch(account) else account


def account_problems(account: object) -> t.Iterator[str]:
    """Problems with an account ID: AWS account IDs have twelve digits."""
    if isinstance(account, str) and _ACCOUNT.fullmatch(account):
        return
    arn = _principal_arn(account)
    if isinstance(account, int):
        yield (
            f"{account} is a number, not an AWS account ID of 12 digits. Quote it: YAML reads"
            " a bare number as an integer, and one with a leading zero as another number."
        )
        return
    if arn and arn.resource != "root":
        hint = f'To trust only {arn.resource}, declare account: "{arn.account}" with principals: [{arn.resource}].'
    else:
        hint = 'Write the digits, as in account: "222222222222".'
    yield f"{account!r} is not an AWS account ID of 12 digits. {hint}"


def principal_problems(principal: str, account: object, partition: str) -> t.Iterator[str]:
    """Problems with a principal of an account. Source: IAM User Guide, "AWS JSON policy elements: Principal"."""
    arn = _principal_arn(principal)
    if "*" in principal:
        yield (
            f"principal {principal!r} contains a wildcard. Name each user or role, or omit principals to trust the"
            " account."
        )
    elif arn and arn.partition != partition:
        yield f"principal {principal!r} is in partition {arn.partition}, but the owner account is in {partition}."
    elif arn and arn.account != account:
        yield f"principal {principal!r} does not belong to account {account}. Declare it under its own account."
    elif not arn and not _PRINCIPAL.fullmatch(principal):
        yield f"principal {principal!r} is not user/NAME, role/NAME, or the ARN of a user or a role."


def organization_problems(organization: str | None) -> t.Iterator[str]:
    """Problems with the ID of an organization. Source: AWS Organizations API Reference, data type Organization."""
    if organization is not None and not _ORGANIZATION.fullmatch(organization):
        yield f"organization_id {organization!r} does not look like o-exampleorgid."


def unit_problems(unit: str, organization: str | None) -> t.Iterator[str]:
    """Problems with the path of an organizational unit.

    Source: IAM User Guide, "AWS Organizations entity path".

    :param organization: the declared organization
    """
    match = _UNIT.fullmatch(unit)
    if not match:
        yield (
            f"unit {unit!r} is not the path of an organizational unit, such as"
            " o-a1b2c3d4e5/r-f6g7/ou-f6g7-11111111. Write the IDs from the organization to the unit."
        )
    elif organization not in (None, match[1]):
        yield (
            f"unit {unit} belongs to organization {match[1]}, not to {organization}. Declare it under its own"
            " organization."
        )


def external_id_problems(external_id: str | None) -> t.Iterator[str]:
    """Problems with an external ID. Source: STS API Reference, AssumeRole, ExternalId."""
    if external_id == "":
        yield f"{option('external_id')} is empty. Set the external ID that the trust policy names, or omit the option."
    elif external_id is not None and not _EXTERNAL_ID.fullmatch(external_id):
        yield (
            f"{option('external_id')} has {len(external_id)} characters, or a character that AWS does not accept. It"
            " needs 2 to 1,224 letters, digits and _+=,.@:/-"
        )


def assume_problems(role_arn: str | None, external_id: str | None, session_name: str) -> t.Iterator[str]:
    """Problems with the options that assume a role. Source: STS API Reference, AssumeRole."""
    if not _iam_arn(role_arn, _ROLE):
        yield (
            f"{option('role_arn')} {role_arn!r} is not the ARN of a role, such as arn:aws:iam::111111111111:role/NAME."
        )
    yield from external_id_problems(external_id)
    if not _SESSION_NAME.fullmatch(session_name):
        yield f"{option('role_session_name')} {session_name!r} needs 2 to 64 of letters, digits and _+=,.@-"


# --- tags


def spelling_problems(tags: t.Iterable[str]) -> t.Iterator[str]:
    """Problems with tag keys that differ only in case. ECR distinguishes them; the condition keys of IAM do not."""
    listed = list(tags)
    keys = [key.lower() for key in listed]
    for key in listed:
        if keys.count(key.lower()) > 1:
            yield f"{key} is declared in several spellings. IAM ignores the case of a tag key. Keep one spelling."


def tag_problems(key: str, value: object) -> t.Iterator[str]:
    """Problems with a repository tag. Source: ECR API Reference, data type Tag; AWS tagging rules."""
    if not isinstance(value, str):
        yield f"the value of {key} must be a string; {value!r} is not. Quote it."
    elif key.lower().startswith("aws:"):
        yield f"tag key {key!r} starts with aws:, which AWS reserves. Choose another key."
    elif not 1 <= len(key) <= 128:
        yield f"tag key {key[:20]!r} has {len(key)} characters; ECR accepts 1 to 128."
    elif len(value) > 256:
        yield f"the value of tag {key!r} has {len(value)} characters; ECR accepts up to 256."
    else:
        for part, text in (("key", key), ("value", value)):
            if not _TAG_TEXT.fullmatch(text):
                yield (
                    f"tag {part} {text!r} has a character that ECR does not accept. Valid are letters, digits, spaces"
                    " and +-=._:/@"
                )
                return


# --- regions and repositories


def region_problems(region: object, name: str = "regions") -> t.Iterator[str]:
    """Problems with a region. A region becomes a component of an ARN, so it must not contain a wildcard."""
    if not (isinstance(region, str) and _REGION.fullmatch(region)):
        yield f"{option(name)}: {region!r} does not look like a region, such as ap-northeast-1."


def is_pattern(name: str) -> bool:
    """Whether a name is an `fnmatch` pattern rather than the name of a repository."""
    return any(character in name for character in "*?[")


def repository_problems(name: str) -> t.Iterator[str]:
    """Problems with the name of a repository. Source: ECR API Reference, CreateRepository, repositoryName."""
    if not (2 <= len(name) <= 256 and _REPOSITORY.fullmatch(name)) or _REGISTRY.match(name):
        yield (
            f"{name!r} is not a repository name. A name has 2 to 256 characters of a-z, 0-9 and . _ - /, and begins"
            " and ends with a letter or digit. Omit the registry and the image tag."
        )


def pattern_problems(pattern: str) -> t.Iterator[str]:
    """Problems with an `fnmatch` pattern of repository names."""
    if not pattern.isprintable():
        yield f"Pattern {pattern!r} contains an unprintable character. Remove it."


def repository_or_pattern_problems(name: str) -> t.Iterator[str]:
    """Problems with an entry of a list of repository names and patterns."""
    return pattern_problems(name) if is_pattern(name) else repository_problems(name)


# --- roles and policies


def name_problems(name: str, policy_name: str, path: str) -> t.Iterator[str]:
    """Problems with the names of a role and its policy. Source: IAM API Reference, CreateRole and CreatePolicy."""
    yield from role_name_problems(name, path)
    if not _POLICY_NAME.fullmatch(policy_name):
        yield f"Policy name {policy_name!r} must have 1 to 128 of {_NAME_CHARACTERS}."


def role_name_problems(name: str, path: str) -> t.Iterator[str]:
    """Problems with the name and the path of a role. Source: IAM API Reference, CreateRole."""
    if not _ROLE_NAME.fullmatch(name):
        yield f"Role name {name!r} must have 1 to 64 of {_NAME_CHARACTERS}."
    if not _PATH.fullmatch(path) or len(path) > 512:
        yield f"Path {path!r} must begin and end with / and have {_NAME_CHARACTERS} between, 512 characters at most."


def share_name_problems(name: str) -> t.Iterator[str]:
    """Problems with the name of a share without a role. It has the characters of the name of a role."""
    if not _ROLE_NAME.fullmatch(name):
        yield f"Share name {name!r} must have 1 to 64 of letters, digits and _+=,.@-"


def boundary_problems(boundary: str, role: str, policy: str) -> t.Iterator[str]:
    """Problems with the ARN of a permissions boundary."""
    arn = _iam_arn(boundary, _POLICY, re.compile("[0-9]{12}|aws"))
    if not arn:
        yield (
            f"{option('permissions_boundary')} {boundary!r} is not a policy's ARN, such as"
            " arn:aws:iam::111111111111:policy/NAME."
        )
    # Policy names are unique in an account, regardless of path and case.
    elif arn.account != "aws" and arn.name.lower() == policy.lower():
        yield (
            f"{option('permissions_boundary')} {boundary} is the policy of role {role} itself, so it limits"
            " nothing. Name another policy."
        )
