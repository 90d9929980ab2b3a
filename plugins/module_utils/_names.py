# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The syntax rules for names, IDs, ARNs and tags of AWS. Standard library only."""

from __future__ import annotations

import re
import typing as t

_ACCOUNT = re.compile(r"[0-9]{12}")
_CONSOLE_ACCOUNT = re.compile(r"[0-9]{4}-[0-9]{4}-[0-9]{4}")
_EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)
_PRINCIPAL = re.compile(r"(?:user|role)/[\w+=,.@/-]+", re.ASCII)
_PRINCIPAL_ARN = re.compile(r"arn:(aws[a-z-]*):iam::([0-9]{12}):((?:user|role)/[\w+=,.@/-]+|root)", re.ASCII)
_ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]+", re.ASCII)
_SESSION_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
ORGANIZATION = re.compile(r"o-[a-z0-9]{10,32}")
_REGION = re.compile(r"[a-z]{2,}(?:-[a-z]+)+-[0-9]{1,2}")
_TAG_TEXT = re.compile(r"[\w .:/=+@-]*")


def account_of(declared: t.Any, partition: str) -> t.Any:
    """The account id that a declaration means, where it can only mean that account as a whole; else what was declared.

    White space around it, the dashes of AWS's console and the ARN of the account's root make no difference. The ARN of
    a user or a role stays as it is, and is refused: to read it as its account would let in everybody else of it.
    """
    if not isinstance(declared, str):
        return declared
    account = declared.strip()
    arn = _PRINCIPAL_ARN.fullmatch(account)
    if arn and arn[1] == partition and arn[3] == "root":
        return arn[2]
    return account.replace("-", "") if _CONSOLE_ACCOUNT.fullmatch(account) else account


def account_problem(account: t.Any) -> str | None:
    """What is wrong with an account id, or None."""
    if isinstance(account, str) and _ACCOUNT.fullmatch(account):
        return None
    arn = _PRINCIPAL_ARN.fullmatch(account) if isinstance(account, str) else None
    if isinstance(account, int):
        hint = "Quote it: YAML reads a bare number as an integer, and one with a leading zero as another number."
    elif arn and arn[3] != "root":
        hint = f'To let in {arn[3]} alone, declare account: "{arn[2]}" with principals: [{arn[3]}].'
    else:
        hint = 'Write the digits, as in account: "222222222222".'
    return f"{account!r} is not an AWS account id of 12 digits. {hint}"


def external_id_problem(external_id: str | None) -> str | None:
    """What is wrong with an external id, or None. Source: STS API Reference, AssumeRole, ExternalId."""
    if external_id is None or _EXTERNAL_ID.fullmatch(external_id):
        return None
    if not external_id:
        return "external_id is empty. Give the one that the role's trust names, or leave the option out."
    return (
        f"external_id has {len(external_id)} characters, or one that AWS does not take;"
        " it needs 2 to 1,224 of letters, digits and _+=,.@:/-"
    )


def assume_problems(role_arn: str | None, external_id: str | None, session_name: str) -> list[str]:
    """What is wrong with the way a role is to be assumed. Source: STS API Reference, AssumeRole."""
    found = []
    if not _ROLE_ARN.fullmatch(role_arn or ""):
        found.append(f"role_arn {role_arn!r} is not the ARN of a role, such as arn:aws:iam::111111111111:role/NAME.")
    problem = external_id_problem(external_id)
    if problem:
        found.append(problem)
    if not _SESSION_NAME.fullmatch(session_name):
        found.append(f"role_session_name {session_name!r} needs 2 to 64 of letters, digits and _+=,.@-")
    return found


def principal_problem(principal: str, account: str, partition: str) -> str | None:
    if "*" in principal:
        return (
            f"principal {principal!r} has a wildcard. Name each user or role, or leave principals out for the account."
        )
    arn = _PRINCIPAL_ARN.fullmatch(principal)
    if arn and arn[1] != partition:
        return f"principal {principal!r} is in partition {arn[1]}, the owner account in {partition}."
    if arn and arn[2] != account:
        return f"principal {principal!r} is of another account than {account}. Declare it under its own account."
    if not arn and not _PRINCIPAL.fullmatch(principal):
        return f"principal {principal!r} is none of user/NAME, role/NAME, or the ARN of one."
    return None


def spelling_problems(tags: t.Iterable[str]) -> list[str]:
    """The keys that differ from another key in their case only."""
    keys = [key.lower() for key in tags]
    return [
        f"{key} is there in several spellings; IAM does not tell their case apart. Keep one."
        for key in tags
        if keys.count(key.lower()) > 1
    ]


def tag_problem(key: str, value: str) -> str | None:
    """What ECR would refuse in a tag, or None. Source: ECR API Reference, data type Tag; AWS tagging rules."""
    if key.lower().startswith("aws:"):
        return f"tag key {key!r} starts with aws:, which AWS keeps for itself. Choose another key."
    if not 1 <= len(key) <= 128:
        return f"tag key {key[:20]!r} has {len(key)} characters; ECR takes 1 to 128."
    if len(value) > 256:
        return f"the value of tag {key!r} has {len(value)} characters; ECR takes up to 256."
    for what, text in (("key", key), ("value", value)):
        if not _TAG_TEXT.fullmatch(text):
            return (
                f"tag {what} {text!r} has a character that ECR does not take: letters, digits, space and +-=._:/@ are."
            )
    return None


def region_problem(region: t.Any, option: str = "regions") -> str | None:
    """What is wrong with a region, or None. It becomes a part of an ARN, in which it must not be a wildcard."""
    if isinstance(region, str) and _REGION.fullmatch(region):
        return None
    return f"{option}: {region!r} does not look like a region, such as ap-northeast-1."


#: ECR User Guide, "Tagging a private repository": at most 50 tags on a repository.
MAXIMUM_TAGS = 50
#: ECR API Reference, CreateRepository, repositoryName.
_REPOSITORY = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*")
#: A registry's host and a name: ECR would take it for a repository's name, but nobody means it as one.
_REGISTRY = re.compile(r"[0-9]{12}\.dkr[.-]ecr[.-]")


def is_pattern(name: str) -> bool:
    """Whether a name is an `fnmatch` pattern rather than a repository's name."""
    return any(character in name for character in "*?[")


def repository_problem(name: str) -> str | None:
    """What is wrong with a repository's name, or None."""
    if 2 <= len(name) <= 256 and _REPOSITORY.fullmatch(name) and not _REGISTRY.match(name):
        return None
    return (
        f"{name!r} is not a repository name: 2 to 256 of a-z, 0-9 and . _ - / are, beginning and ending with a letter"
        " or digit. Give the name alone, without registry and image tag."
    )


def pattern_problem(pattern: str) -> str | None:
    """What is wrong with an `fnmatch` pattern of repository names, or None."""
    if pattern.isprintable():
        return None
    return f"Pattern {pattern!r} contains an unprintable character. Remove it."


_ROLE_NAME = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)
_POLICY_NAME = re.compile(r"[\w+=,.@-]{1,128}", re.ASCII)
_POLICY_ARN = re.compile(r"arn:aws[a-z-]*:iam::(?:[0-9]{12}|aws):policy/[\w+=,.@/-]+", re.ASCII)
_PATH = re.compile(r"/(?:[\w+=,.@-]+/)*", re.ASCII)


def name_problems(name: str, policy_name: str, path: str) -> list[str]:
    """What is wrong with the names of role and policy. Source: IAM API Reference, CreateRole and CreatePolicy."""
    found = []
    allowed = "letters, digits and _+=,.@-"
    if not _ROLE_NAME.fullmatch(name):
        found.append(f"Role name {name!r} must have 1 to 64 of {allowed}.")
    if not _POLICY_NAME.fullmatch(policy_name):
        found.append(f"Policy name {policy_name!r} must have 1 to 128 of {allowed}.")
    if not _PATH.fullmatch(path) or len(path) > 512:
        found.append(f"Path {path!r} must begin and end with / and have {allowed} between, 512 characters at most.")
    return found


def boundary_problems(boundary: str, role: str, policy: str) -> t.Iterator[str]:
    if not _POLICY_ARN.fullmatch(boundary):
        yield f"permissions_boundary {boundary!r} is not a policy's ARN, such as arn:aws:iam::111111111111:policy/NAME."
    # Names of policies are unique in an account, regardless of path and case.
    elif "::aws:" not in boundary and boundary.rpartition("/")[2].lower() == policy.lower():
        yield (
            f"permissions_boundary {boundary} is the policy of role {role} itself, so it limits nothing."
            " Name another policy."
        )
