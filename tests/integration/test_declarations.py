# SPDX-License-Identifier: GPL-3.0-or-later
"""Invalid declarations, each with the exact message that it gets, and not one call that writes.

All of them are tasks of one playbook, spread over a few hosts that are all this one, so that they run side by side.
"""

from __future__ import annotations

import json
import pathlib
import re
from typing import Any, NamedTuple

import pytest

from tests.lab import accounts
from tests.support.control import Control

HOSTS = 8
#: Ansible ends some messages with a list of all that there is; the message is what stands before.
ANSIBLES_LIST = re.compile(" (?:Valid are (?:access|account|all_except),|Valid booleans include)")
#: In the place of a value: a value that a person writes in YAML without quotes.
UNQUOTED = "unquoted:"
CONSUMER, STRANGER, OWNER = accounts.CONSUMER, accounts.STRANGER, accounts.OWNER
OTHER_DIGITS = "\N{FULLWIDTH DIGIT TWO}" * 12
ARN = f"arn:aws:iam::{CONSUMER}:"
LETTERS = "letters, digits and _+=,.@-"
TAG_CHARACTERS = "has a character that ECR does not accept. Valid are letters, digits, spaces and +-=._:/@"
CONSUMER_1 = f"Consumer 1 ({CONSUMER})"
QUOTE = "Quote it: YAML reads a bare number as an integer, and one with a leading zero as another number."
SPELLINGS = "is declared in several spellings. IAM ignores the case of a tag key. Keep one spelling."
TOO_MANY_TAGS = "would have more than 50 tags. Declare fewer, or remove some first."
EXTERNAL_ID = "characters, or a character that AWS does not accept. It needs 2 to 1,224 letters, digits and _+=,.@:/-"
NO_PRINCIPAL = "is not user/NAME, role/NAME, or the ARN of a user or a role."
WILDCARD = "contains a wildcard. Name each user or role, or omit principals to trust the account."
NO_ACCOUNT = "is not an AWS account ID of 12 digits."
A_NUMBER = "is a number, not an AWS account ID of 12 digits."
DIGITS = 'Write the digits, as in account: "222222222222".'
NO_REGION = "does not look like a region, such as ap-northeast-1."
PATH_RULE = "must begin and end with / and have letters, digits and _+=,.@- between, 512 characters at most."
MISSING = "state is present but all of the following are missing:"
NOT_A_NAME = (
    "is not a repository name. A name has 2 to 256 characters of a-z, 0-9 and . _ - /, and begins and ends with a"
    " letter or digit. Omit the registry and the image tag."
)


class Case(NamedTuple):
    """A declaration and the message that it gets."""

    name: str
    module: str
    options: dict[str, Any]
    message: str


def role(case: str, message: str, /, **options: Any) -> Case:
    """A declaration of a role that is right but for `options`; an option that is None is left out."""
    whole = {
        "name": "declared",
        "repository_tags": {"environment": "release"},
        "consumers": [{"account": CONSUMER, "external_id": "test-id"}],
        **options,
    }
    return Case(case, "iam_ecr_pull_role", {key: value for key, value in whole.items() if value is not None}, message)


def consumer(case: str, message: str, /, **options: Any) -> Case:
    """A declaration of a role with one consumer that is right but for `options`."""
    whole = {"account": CONSUMER, "external_id": "test-id", **options}
    return role(case, message, consumers=[{key: value for key, value in whole.items() if value is not None}])


def tag(case: str, message: str, /, **options: Any) -> Case:
    """A declaration of repository tags that is right but for `options`."""
    whole = {"names": ["release"], "tags": {"environment": "release"}, **options}
    return Case(case, "ecr_repository_tag", {key: value for key, value in whole.items() if value is not None}, message)


def many_consumers(number: int) -> list[dict[str, str]]:
    return [{"account": f"{at:012}", "external_id": f"{at:032}"} for at in range(1, number + 1)]


ROLE_CASES = [
    # accounts
    consumer(
        "account-a-number",
        f"Consumer 1: {CONSUMER} is a number, not an AWS account ID of 12 digits. {QUOTE}",
        account=UNQUOTED + CONSUMER,
    ),
    consumer(
        "account-with-a-leading-zero", f"Consumer 1: 1402433619 {A_NUMBER} {QUOTE}", account=UNQUOTED + "012345670123"
    ),
    consumer("account-too-short", f"Consumer 1: '22222222222' {NO_ACCOUNT} {DIGITS}", account="22222222222"),
    consumer("account-too-long", f"Consumer 1: '2222222222222' {NO_ACCOUNT} {DIGITS}", account="2222222222222"),
    consumer("account-with-dashes", f"Consumer 1: '222-222-222-222' {NO_ACCOUNT} {DIGITS}", account="222-222-222-222"),
    consumer("account-a-star", f"Consumer 1: '*' {NO_ACCOUNT} {DIGITS}", account="*"),
    consumer(
        "account-in-other-digits",
        f"Consumer 1: '{OTHER_DIGITS}' {NO_ACCOUNT} {DIGITS}",
        account=OTHER_DIGITS,
    ),
    consumer(
        "account-an-arn",
        f"Consumer 1: 'arn:aws:iam::{CONSUMER}:user/puller' {NO_ACCOUNT}"
        f' To trust only user/puller, declare account: "{CONSUMER}" with principals: [user/puller].',
        account=f"{ARN}user/puller",
    ),
    consumer("account-a-list", f"Consumer 1: ['{CONSUMER}'] {NO_ACCOUNT} {DIGITS}", account=[CONSUMER]),
    consumer("account-empty", f"Consumer 1: '' {NO_ACCOUNT} {DIGITS}", account=""),
    consumer(
        "account-missing",
        "Consumer 1: It has neither account nor organization_id. Set account, or organization_id for a whole"
        " organization.",
        account=None,
    ),
    consumer(
        "account-with-a-line-break", f"Consumer 1: '222222\\n222222' {NO_ACCOUNT} {DIGITS}", account="222222\n222222"
    ),
    role(
        "consumers-a-string",
        (
            "dictionary requested, could not parse JSON or key=value; Elements value for option 'consumers' is of type"
            " str and we were unable to convert to dict: dictionary requested, could not parse JSON or key=value"
        ),
        consumers=CONSUMER,
    ),
    role("consumers-empty", "consumers is empty. Name at least one account that can assume the role.", consumers=[]),
    role("consumers-missing", f"{MISSING} consumers", consumers=None),
    consumer(
        "consumer-with-an-unknown-key",
        "An entry of consumers has an unknown option externalid. Did you mean external_id?",
        externalid="test-id",
    ),
    role(
        "consumers-twice",
        f"Consumer {CONSUMER} is declared twice with the same principals and external_id. Remove one.",
        consumers=[{"account": CONSUMER, "external_id": "test-id"}] * 2,
    ),
    role(
        "consumers-too-many",
        "The trust policy of declared would have 2210 characters; AWS accepts up to 2048. Declare two roles.",
        consumers=many_consumers(12),
    ),
    role(
        "consumers-too-many-for-the-raised-quota",
        "The trust policy of declared would have 5468 characters; AWS accepts up to 4096. Declare two roles.",
        consumers=many_consumers(30),
        trust_policy_quota=4096,
    ),
    role(
        "trust-quota-unknown",
        "value of trust_policy_quota must be one of: 2048, 4096, got: 8192",
        trust_policy_quota=8192,
    ),
    # principals
    consumer(
        "principal-of-another-account",
        (
            f"{CONSUMER_1}: principal 'arn:aws:iam::{STRANGER}:user/stranger' does not belong"
            f" to account {CONSUMER}. Declare it under its own account."
        ),
        principals=[f"arn:aws:iam::{STRANGER}:user/stranger"],
    ),
    consumer(
        "principal-of-another-partition",
        (
            f"{CONSUMER_1}: principal 'arn:aws-cn:iam::{CONSUMER}:user/puller' is in partition"
            " aws-cn, but the owner account is in aws."
        ),
        principals=[f"arn:aws-cn:iam::{CONSUMER}:user/puller"],
    ),
    consumer("principal-a-star", f"{CONSUMER_1}: principal '*' {WILDCARD}", principals=["*"]),
    consumer("principal-with-a-star", f"{CONSUMER_1}: principal 'user/*' {WILDCARD}", principals=["user/*"]),
    consumer(
        "principal-arn-with-a-star",
        f"{CONSUMER_1}: principal 'arn:aws:iam::{CONSUMER}:role/*' {WILDCARD}",
        principals=[f"{ARN}role/*"],
    ),
    consumer(
        "principal-with-a-question-mark",
        f"{CONSUMER_1}: principal 'user/pulle?' {NO_PRINCIPAL}",
        principals=["user/pulle?"],
    ),
    consumer(
        "principal-a-group", f"{CONSUMER_1}: principal 'group/pullers' {NO_PRINCIPAL}", principals=["group/pullers"]
    ),
    consumer("principal-a-bare-name", f"{CONSUMER_1}: principal 'puller' {NO_PRINCIPAL}", principals=["puller"]),
    consumer(
        "principal-a-service",
        f"{CONSUMER_1}: principal 'ec2.amazonaws.com' {NO_PRINCIPAL}",
        principals=["ec2.amazonaws.com"],
    ),
    consumer(
        "principal-a-session",
        f"{CONSUMER_1}: principal 'arn:aws:sts::{CONSUMER}:assumed-role/ci/run' {NO_PRINCIPAL}",
        principals=[f"arn:aws:sts::{CONSUMER}:assumed-role/ci/run"],
    ),
    consumer(
        "principal-the-root-as-condition",
        (
            f"{CONSUMER_1}: arn:aws:iam::{CONSUMER}:root means only the root user with principal_match: condition."
            " Omit principals."
        ),
        principals=[f"{ARN}root"],
        principal_match="condition",
    ),
    consumer(
        "principal-match-unknown",
        "value of principal_match must be one of: principal, condition, got: any found in consumers",
        principal_match="any",
    ),
    # external IDs, organization
    consumer(
        "external-id-missing",
        f"{CONSUMER_1} has no external_id. Set one, or set allow_no_external_id: true.",
        external_id=None,
    ),
    consumer(
        "external-id-empty",
        f"{CONSUMER_1}: external_id is empty. Set the external ID that the trust policy names, or omit the option.",
        external_id="",
    ),
    consumer("external-id-too-short", f"{CONSUMER_1}: external_id has 1 {EXTERNAL_ID}", external_id="a"),
    consumer("external-id-too-long", f"{CONSUMER_1}: external_id has 1225 {EXTERNAL_ID}", external_id="a" * 1225),
    consumer("external-id-with-a-space", f"{CONSUMER_1}: external_id has 7 {EXTERNAL_ID}", external_id="test id"),
    consumer("external-id-with-a-star", f"{CONSUMER_1}: external_id has 6 {EXTERNAL_ID}", external_id="test-*"),
    consumer("external-id-with-an-umlaut", f"{CONSUMER_1}: external_id has 7 {EXTERNAL_ID}", external_id="tést-id"),
    consumer(
        "organization-a-name",
        f"{CONSUMER_1}: organization_id 'example' does not look like o-exampleorgid.",
        organization_id="example",
    ),
    consumer(
        "organization-in-capitals",
        f"{CONSUMER_1}: organization_id 'o-EXAMPLEORGID' does not look like o-exampleorgid.",
        organization_id="o-EXAMPLEORGID",
    ),
    consumer(
        "units-without-organization",
        f"{CONSUMER_1}: organization_units needs organization_id. Set it to the organization of the units.",
        organization_units=["o-exampleorgid/r-ab12/ou-ab12-11111111"],
    ),
    consumer(
        "organization-without-an-external-id",
        "Consumer 1 (o-exampleorgid) has no external_id. Set one. allow_no_external_id is only for an account.",
        account=None,
        organization_id="o-exampleorgid",
        external_id=None,
        allow_no_external_id=True,
    ),
    consumer(
        "service",
        f"{CONSUMER_1}: service is for repository policies and registry policies. A service does not assume a pull"
        " role.",
        service="lambda.amazonaws.com",
    ),
    consumer(
        "organization-with-a-star",
        f"{CONSUMER_1}: organization_id 'o-*' does not look like o-exampleorgid.",
        organization_id="o-*",
    ),
    consumer(
        "mfa-no-boolean",
        (
            "argument 'require_mfa' is of type str found in 'consumers'. and we were unable to"
            " convert to bool: The value 'perhaps' is not a valid boolean."
        ),
        require_mfa="perhaps",
    ),
    # the permissions of the role
    role("access-write", "value of access must be one of: pull, read, got: write", access="write"),
    role(
        "access-a-registry-action",
        "value of access must be one of: pull, read, got: ecr:GetRegistryPolicy",
        access="ecr:GetRegistryPolicy",
    ),
    role("condition-key-unknown", "value of condition_key must be one of: ecr, aws, got: iam", condition_key="iam"),
    role("repository-tags-missing", f"{MISSING} repository_tags", repository_tags=None),
    role(
        "repository-tags-empty",
        "repository_tags is empty. Without a tag, the role would reach every repository or none. Set at least one tag.",
        repository_tags={},
    ),
    role(
        "repository-tags-a-list",
        (
            "argument 'repository_tags' is of type list and we were unable to convert to dict:"
            " <class 'list'> cannot be converted to a dict"
        ),
        repository_tags=["environment"],
    ),
    role(
        "repository-tag-a-number",
        "repository_tags: the value of environment must be a string; 7 is not. Quote it.",
        repository_tags={"environment": 7},
    ),
    role(
        "repository-tag-a-boolean",
        "repository_tags: the value of environment must be a string; True is not. Quote it.",
        repository_tags={"environment": True},
    ),
    role(
        "repository-tag-null",
        "repository_tags: the value of environment must be a string; None is not. Quote it.",
        repository_tags={"environment": UNQUOTED + "null"},
    ),
    role(
        "repository-tag-a-dictionary",
        "repository_tags: the value of environment must be a string; {'is': 'release'} is not. Quote it.",
        repository_tags={"environment": {"is": "release"}},
    ),
    role(
        "repository-tag-without-values",
        "repository_tags: environment has an empty list of values. Set at least one value, or omit environment.",
        repository_tags={"environment": []},
    ),
    role(
        "repository-tag-with-a-wildcard",
        f"repository_tags: tag value 'rel*' {TAG_CHARACTERS}",
        repository_tags={"environment": "rel*"},
    ),
    role(
        "repository-tag-key-with-a-wildcard",
        f"repository_tags: tag key 'env*' {TAG_CHARACTERS}",
        repository_tags={"env*": "release"},
    ),
    role(
        "repository-tag-a-policy-variable",
        f"repository_tags: tag value '${{aws:username}}' {TAG_CHARACTERS}",
        repository_tags={"environment": "${aws:username}"},
    ),
    role(
        "repository-tag-of-aws",
        ("repository_tags: tag key 'aws:environment' starts with aws:, which AWS reserves. Choose another key."),
        repository_tags={"aws:environment": "release"},
    ),
    role(
        "repository-tag-of-aws-in-capitals",
        ("repository_tags: tag key 'AWS:environment' starts with aws:, which AWS reserves. Choose another key."),
        repository_tags={"AWS:environment": "release"},
    ),
    role(
        "repository-tag-without-key",
        "repository_tags: tag key '' has 0 characters; ECR accepts 1 to 128.",
        repository_tags={"": "release"},
    ),
    role(
        "repository-tag-key-too-long",
        "repository_tags: tag key 'kkkkkkkkkkkkkkkkkkkk' has 129 characters; ECR accepts 1 to 128.",
        repository_tags={"k" * 129: "release"},
    ),
    role(
        "repository-tag-value-too-long",
        "repository_tags: the value of tag 'environment' has 257 characters; ECR accepts up to 256.",
        repository_tags={"environment": "v" * 257},
    ),
    role(
        "repository-tags-in-two-spellings",
        (
            "2 problems, nothing was written:\n"
            f"  - repository_tags: share {SPELLINGS}\n"
            f"  - repository_tags: Share {SPELLINGS}"
        ),
        repository_tags={"share": "yes", "Share": "yes"},
    ),
    role(
        "repository-tag-values-too-many",
        "The permissions policy of declared would have 6952 characters; AWS accepts up to 6144. Declare two roles.",
        repository_tags={"environment": [f"{at:0256}" for at in range(25)]},
    ),
    role(
        "regions-empty",
        "regions is an empty list. Name the regions, or omit the option to include all regions.",
        regions=[],
    ),
    role("region-a-star", f"regions: '*' {NO_REGION}", regions=["*"]),
    role("region-with-a-star", f"regions: 'ap-*' {NO_REGION}", regions=["ap-*"]),
    role("region-of-the-wrong-form", f"regions: 'tokyo' {NO_REGION}", regions=["tokyo"]),
    role(
        "regions-too-many",
        "The permissions policy of declared would have 11515 characters; AWS accepts up to 6144. Declare two roles.",
        regions=[f"ap-{side}-{at}" for side in ("northeast", "southeast") for at in range(1, 100)],
    ),
    # names and settings
    role("name-missing", "missing required arguments: name", name=None),
    role(
        "name-empty",
        (
            "2 problems, nothing was written:\n"
            f"  - Role name '' must have 1 to 64 of {LETTERS}.\n"
            f"  - Policy name '' must have 1 to 128 of {LETTERS}."
        ),
        name="",
    ),
    role("name-too-long", f"Role name '{'n' * 65}' must have 1 to 64 of {LETTERS}.", name="n" * 65),
    role(
        "name-with-a-slash",
        (
            "2 problems, nothing was written:\n"
            f"  - Role name 'team/pull' must have 1 to 64 of {LETTERS}.\n"
            f"  - Policy name 'team/pull' must have 1 to 128 of {LETTERS}."
        ),
        name="team/pull",
    ),
    role(
        "name-with-a-space",
        (
            "2 problems, nothing was written:\n"
            f"  - Role name 'pull role' must have 1 to 64 of {LETTERS}.\n"
            f"  - Policy name 'pull role' must have 1 to 128 of {LETTERS}."
        ),
        name="pull role",
    ),
    role("policy-name-too-long", f"Policy name '{'n' * 129}' must have 1 to 128 of {LETTERS}.", policy_name="n" * 129),
    role(
        "policy-name-with-a-colon", f"Policy name 'pull:role' must have 1 to 128 of {LETTERS}.", policy_name="pull:role"
    ),
    role(
        "path-without-slashes",
        f"Path 'team' must begin and end with / and have {LETTERS} between, 512 characters at most.",
        path="team",
    ),
    role(
        "path-without-the-last-slash",
        f"Path '/team' must begin and end with / and have {LETTERS} between, 512 characters at most.",
        path="/team",
    ),
    role(
        "path-too-long",
        f"Path '/{'p' * 511}/' must begin and end with / and have {LETTERS} between, 512 characters at most.",
        path="/" + "p" * 511 + "/",
    ),
    role(
        "path-of-another-role",
        (
            "Role elsewhere has the path /; IAM cannot move it to /team/. Declare its current path, or delete the"
            " role first (state: absent)."
        ),
        name="elsewhere",
        path="/team/",
    ),
    role(
        "role-of-others",
        (
            "Role foreign exists, is not tagged managed-by=crossaccount.ecr, and differs from the"
            " declaration. To change it, set adopt: true. To keep it, choose another name."
        ),
        name="foreign",
    ),
    role(
        "session-too-short",
        "max_session_duration is 900 seconds; IAM accepts 3,600 to 43,200.",
        max_session_duration=900,
    ),
    role(
        "session-too-long",
        "max_session_duration is 43201 seconds; IAM accepts 3,600 to 43,200.",
        max_session_duration=43201,
    ),
    role(
        "session-no-number",
        (
            "argument 'max_session_duration' is of type str and we were unable to convert to int:"
            " \"'an hour'\" cannot be converted to an int"
        ),
        max_session_duration="an hour",
    ),
    role(
        "boundary-a-name",
        f"permissions_boundary 'Boundary' is not a policy's ARN, such as arn:aws:iam::{OWNER}:policy/NAME.",
        permissions_boundary="Boundary",
    ),
    role(
        "boundary-a-role",
        (
            f"permissions_boundary 'arn:aws:iam::{OWNER}:role/boundary' is not a policy's ARN,"
            f" such as arn:aws:iam::{OWNER}:policy/NAME."
        ),
        permissions_boundary=f"arn:aws:iam::{OWNER}:role/boundary",
    ),
    role(
        "description-not-latin-1",
        "The description has '画'; IAM accepts only Latin-1 characters in the description of a role.",
        description="Pulls 画像",
    ),
    role(
        "description-with-a-dash",
        "The description has '—'; IAM accepts only Latin-1 characters in the description of a role.",
        description="Pull \u2014 read only",
    ),
    role(
        "description-too-long",
        "The description has 1001 characters; IAM accepts at most 1,000.",
        description="d" * 1001,
    ),
    role(
        "iam-tag-a-number",
        "tags: the value of cost-centre must be a string; 17 is not. Quote it.",
        tags={"cost-centre": 17},
    ),
    role(
        "iam-tag-of-aws",
        "tags: tag key 'aws:cost' starts with aws:, which AWS reserves. Choose another key.",
        tags={"aws:cost": "17"},
    ),
    role(
        "iam-tag-of-ours",
        "tags: managed-by identifies the roles and policies of this collection. Choose another key.",
        tags={"managed-by": "hand"},
    ),
    role(
        "iam-tag-of-ours-in-capitals",
        f"2 problems, nothing was written:\n  - tags: managed-by {SPELLINGS}\n  - tags: Managed-By {SPELLINGS}",
        tags={"Managed-By": "hand"},
    ),
    role(
        "iam-tags-too-many",
        f"2 problems, nothing was written:\n  - Role declared {TOO_MANY_TAGS}\n  - Its policy {TOO_MANY_TAGS}",
        tags={f"key{at}": "value" for at in range(50)},
    ),
    role("state-unknown", "value of state must be one of: present, narrowed, absent, got: stopped", state="stopped"),
    role(
        "option-unknown",
        "Module iam_ecr_pull_role has an unknown option repositories. Did you mean repository_tags?",
        repositories=["release"],
    ),
    role(
        "all-problems-at-once",
        (
            "4 problems, nothing was written:\n"
            f"  - Consumer 1: '1' {NO_ACCOUNT} {DIGITS}\n"
            f"  - Consumer 1 (1): external_id has 1 {EXTERNAL_ID}\n"
            "  - repository_tags is empty. Without a tag, the role would reach every repository or none. Set at"
            " least one tag.\n"
            "  - regions is an empty list. Name the regions, or omit the option to include all regions."
        ),
        consumers=[{"account": "1", "external_id": "a"}],
        repository_tags={},
        regions=[],
    ),
    role(
        "role-of-others-deleted",
        (
            "Role foreign is not tagged managed-by=crossaccount.ecr, so this collection did not create it. To delete"
            " it, set adopt: true."
        ),
        name="foreign",
        state="absent",
    ),
]

TAG_CASES = [
    tag("tags-missing", "missing required arguments: tags", tags=None),
    tag("tags-empty", "tags is empty: set at least one tag.", tags={}),
    tag(
        "tags-a-list",
        (
            "argument 'tags' is of type list and we were unable to convert to dict: <class"
            " 'list'> cannot be converted to a dict"
        ),
        tags=["environment"],
    ),
    tag("tag-a-number", "the value of environment must be a string; 7 is not. Quote it.", tags={"environment": 7}),
    tag(
        "tag-null",
        "the value of environment must be a string; None is not. Quote it.",
        tags={"environment": UNQUOTED + "null"},
    ),
    tag("tag-without-key", "tag key '' has 0 characters; ECR accepts 1 to 128.", tags={"": "release"}),
    tag(
        "tag-key-too-long",
        "tag key 'kkkkkkkkkkkkkkkkkkkk' has 129 characters; ECR accepts 1 to 128.",
        tags={"k" * 129: "release"},
    ),
    tag(
        "tag-value-too-long",
        "the value of tag 'environment' has 257 characters; ECR accepts up to 256.",
        tags={"environment": "v" * 257},
    ),
    tag(
        "tag-key-with-an-exclamation-mark", f"tag key 'environment!' {TAG_CHARACTERS}", tags={"environment!": "release"}
    ),
    tag(
        "tag-value-with-a-comma",
        f"tag value 'release,develop' {TAG_CHARACTERS}",
        tags={"environment": "release,develop"},
    ),
    tag("tag-value-with-a-line-break", f"tag value 'release\\n' {TAG_CHARACTERS}", tags={"environment": "release\n"}),
    tag(
        "tag-of-aws",
        "tag key 'aws:environment' starts with aws:, which AWS reserves. Choose another key.",
        tags={"aws:environment": "release"},
    ),
    tag(
        "tags-in-two-spellings",
        f"2 problems, nothing was written:\n  - tags: share {SPELLINGS}\n  - tags: Share {SPELLINGS}",
        tags={"share": "yes", "Share": "yes"},
    ),
    tag(
        "tag-beside-another-spelling",
        "Repository twin has a tag 'Share', which differs from 'share' only in case. IAM ignores the case. Remove"
        " it first.",
        names=["twin"],
        tags={"share": "yes"},
    ),
    tag(
        "tag-the-51st", "Repository full would have 51 tags; the limit of ECR is 50. Remove some first.", names=["full"]
    ),
    tag("names-empty", "names is empty: list at least one repository.", names=[]),
    tag("names-missing", "names is empty: list at least one repository.", names=None),
    tag(
        "names-a-dictionary",
        (
            "argument 'names' is of type dict and we were unable to convert to list: <class"
            " 'dict'> cannot be converted to a list"
        ),
        names={"release": "yes"},
    ),
    tag(
        "name-that-does-not-exist",
        (
            f"Repository nowhere does not exist in account {OWNER}, region ap-northeast-1. Create"
            " it, or correct its name or region."
        ),
        names=["release", "nowhere"],
    ),
    tag(
        "pattern-that-matches-nothing",
        "Pattern 'nowhere/*' matches none of the 4 repositories in this registry and region. Correct"
        " the pattern or region.",
        names=["nowhere/*"],
    ),
    tag(
        "repository-with-registry",
        f"'{OWNER}.dkr.ecr.ap-northeast-1.amazonaws.com/release' {NOT_A_NAME}",
        names=[f"{OWNER}.dkr.ecr.{accounts.REGION}.amazonaws.com/release"],
    ),
    tag("repository-with-image-tag", f"'release:v1.0' {NOT_A_NAME}", names=["release:v1.0"]),
    tag(
        "repository-with-digest",
        f"'release@sha256:0000000000000000000000000000000000000000000000000000000000000000' {NOT_A_NAME}",
        names=["release@sha256:" + "0" * 64],
    ),
    tag("repository-in-capitals", f"'Release' {NOT_A_NAME}", names=["Release"]),
    tag("repository-with-a-slash-at-the-end", f"'release/' {NOT_A_NAME}", names=["release/"]),
    tag(
        "repository-an-arn",
        f"'arn:aws:ecr:ap-northeast-1:{OWNER}:repository/release' {NOT_A_NAME}",
        names=[f"arn:aws:ecr:{accounts.REGION}:{OWNER}:repository/release"],
    ),
    tag("repository-too-short", f"'r' {NOT_A_NAME}", names=["r"]),
    tag("repository-too-long", f"'{'r' * 257}' {NOT_A_NAME}", names=["r" * 257]),
    tag("repository-empty", f"'' {NOT_A_NAME}", names=[""]),
    tag(
        "all-except-with-present",
        "all_except needs state: absent and excludes names. Remove names, or remove all_except.",
        names=None,
        all_except=["release"],
    ),
    tag(
        "all-except-with-names",
        "all_except needs state: absent and excludes names. Remove names, or remove all_except.",
        all_except=["release"],
        state="absent",
    ),
    tag("all-except-a-wrong-name", f"'Release' {NOT_A_NAME}", names=None, all_except=["Release"], state="absent"),
    tag("tag-state-unknown", "value of state must be one of: present, absent, got: gone", state="gone"),
    tag(
        "tag-option-unknown",
        "Module ecr_repository_tag has an unknown option repository.",
        repository="release",
    ),
    tag(
        "all-tag-problems-at-once",
        (
            "4 problems, nothing was written:\n"
            f"  - 'Release' {NOT_A_NAME}\n"
            f"  - 'release:v1.0' {NOT_A_NAME}\n"
            "  - tag key 'aws:x' starts with aws:, which AWS reserves. Choose another key.\n"
            "  - the value of y must be a string; 2 is not. Quote it."
        ),
        names=["Release", "release:v1.0"],
        tags={"aws:x": "1", "y": 2},
    ),
]
CASES = ROLE_CASES + TAG_CASES


def prepare(control: Control) -> None:
    """The state that some of the declarations meet: two repositories and two roles."""
    ecr, iam = control.lab.client("owner", "ecr"), control.lab.client("owner", "iam")
    tags = {"full": {f"key{at}": "value" for at in range(50)}, "twin": {"Share": "yes"}}
    for name, listed in tags.items():
        ecr.create_repository(repositoryName=name, tags=[{"Key": key, "Value": listed[key]} for key in listed])
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{STRANGER}:root"}, "Action": "sts:AssumeRole"}
    for name in ("foreign", "elsewhere"):
        iam.create_role(
            RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": trust})
        )
    iam.tag_role(RoleName="elsewhere", Tags=[{"Key": "managed-by", "Value": "crossaccount.ecr"}])


def task_file(cases: list[Case], results: pathlib.Path) -> str:
    """A list of tasks, one for each case, and one that writes down how they ended."""
    tasks: list[dict[str, Any]] = [
        {
            "name": case.name,
            f"crossaccount.ecr.{case.module}": case.options,
            "ignore_errors": True,
            "register": case.name.replace("-", "_"),
        }
        for case in cases
    ]
    results_of = ", ".join(f"'{case.name}': {case.name.replace('-', '_')}" for case in cases)
    tasks.append({"ansible.builtin.copy": {"content": f"{{{{ {{ {results_of} }} | to_json }}}}", "dest": str(results)}})
    return re.sub(rf'"{UNQUOTED}(\w+)"', r"\1", json.dumps(tasks))


@pytest.fixture(scope="module")
def results(control: Control, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The result of each case by its name, and under `writes` all calls that wrote."""
    prepare(control)
    folder = tmp_path_factory.mktemp("declarations")
    hosts = [f"host{at}" for at in range(HOSTS)]
    for at, host in enumerate(hosts):
        (folder / f"{host}.yml").write_text(task_file(CASES[at::HOSTS], folder / f"{host}.json"))
    play = {
        "hosts": "all",
        "connection": "local",
        "gather_facts": False,
        "strategy": "ansible.builtin.free",
        "vars": {"ansible_python_interpreter": str(control.python)},
        "tasks": [{"ansible.builtin.include_tasks": "{{ inventory_hostname }}.yml"}],
    }
    (folder / "playbook.yml").write_text(json.dumps([play]))
    mark = len(control.lab.calls())
    inventory = ",".join(hosts) + ","
    command = [control.program("owner"), folder / "playbook.yml", "-i", inventory, "--forks", str(HOSTS)]
    run = control._run(command, "owner")
    assert run.code == 0, run
    ended = {"writes": control.lab.writes_since(mark), "output": run.output}
    for host in hosts:
        ended.update(json.loads((folder / f"{host}.json").read_text()))
    return ended


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_the_declaration_is_refused_with_this_message(results: dict[str, Any], case: Case) -> None:
    result = results[case.name]
    assert (result["failed"], result.get("changed", False)) == (True, False)
    assert ANSIBLES_LIST.split(result["msg"])[0] == case.message


def test_no_wrong_declaration_wrote_anything(results: dict[str, Any]) -> None:
    assert results["writes"] == []


def test_no_wrong_declaration_ended_in_a_traceback(results: dict[str, Any]) -> None:
    assert "Traceback" not in results["output"]
