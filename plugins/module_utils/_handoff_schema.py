# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Validates a hand-off, and combines it with the consumer's own values. Standard library only.

A hand-off comes from another organization, so it is not trusted. `docs/handoff.schema.json` publishes these rules.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import asdict, dataclass, field

from ansible_collections.crossaccount.ecr.plugins.module_utils._assume import account_of_role
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import Problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._handoff import policy_of_consumer
from ansible_collections.crossaccount.ecr.plugins.module_utils._handoff_values import (
    CHECKS,
    PREFIX,
    image_problems,
    value_problems,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._host_declaration import Source, source_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity
from ansible_collections.crossaccount.ecr.plugins.module_utils._image_reference import (
    Reference,
    parse_reference,
    registry_problems,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._names import account_problems, unit_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry_host import registry_host_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_declaration import partition_of

_OF_A_ROLE, _WITHOUT_A_ROLE = ("role_arn",), ("mode", "registry_account", "consumer_policy")
_CONSUMER = ("consumer_account", "consumer_organization", "consumer_units")
_OPTIONAL = ("external_id", "expires", *_CONSUMER, *_OF_A_ROLE, *_WITHOUT_A_ROLE)
#: The maximum number of problems in one message, because a hostile file can have any number of them.
_REPORTED = 20
_ECR = re.compile(r"[0-9]{12}\.dkr")

Values = t.Mapping[str, object]


@dataclass(frozen=True)
class Share:
    """The values that a consumer uses: those of the hand-off, or the consumer's own values, which take precedence."""

    role_arn: str | None = None
    external_id: str | None = None
    shared_at: str | None = None
    expires: str | None = None
    region: str | None = None
    registry: str | None = None
    repository_tags: Json | None = None
    access: str = "read"
    repositories: list[str] = field(default_factory=list)
    denied: list[str] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    consumer_account: str | None = None
    consumer_organization: str | None = None
    consumer_units: list[str] | None = None
    mode: str | None = None
    registry_account: str | None = None
    consumer_policy: Json | None = None
    existing: list[str] = field(default_factory=list)
    registry_host: str | None = None

    @property
    def owner_account(self) -> str:
        return account_of_role(self.role_arn) if self.role_arn else str(self.registry_account)

    @property
    def owner_arn(self) -> str:
        """An ARN of the owner account."""
        return self.role_arn or Identity(partition_of(self.region or ""), self.owner_account).root

    def values(self) -> Json:
        """The values that are set, and the owner account."""
        known = {name: value for name, value in asdict(self).items() if value is not None}
        return {"owner_account": self.owner_account, **known}


def _names_in(handoff: Values | None) -> list[str]:
    """The repositories in a hand-off. The role `ecr_share` checks that they exist before it writes the file."""
    lists = [(handoff or {}).get(f"{PREFIX}{name}") for name in ("repositories", "denied")]
    return [str(name) for names in lists if isinstance(names, list) for name in names]


def share_of(
    handoff: Values | None,
    own: Values,
    owner_account: str | None,
    external_id: str | None,
    registry_host: str | None = None,
) -> Share:
    """The share from a hand-off and the consumer's own values.

    :param handoff: the content of the file; None without a hand-off
    :param own: the consumer's own values by the field names of `Share`, which take precedence
    :param owner_account: the expected owner account, or None
    :param external_id: the expected external ID, or None
    :param registry_host: the consumer's own choice of the registry's host name, or None
    :raises EcrError: with all problems
    """
    found = [*([] if handoff is None else handoff_problems(handoff)), *value_problems(own)]
    values: Json = {name.removeprefix(PREFIX): value for name, value in (handoff or {}).items()}
    values.update(own)
    if not {"role_arn", "registry_account"} & values.keys() and not found:
        found.append(
            "No hand-off and no ecr_pull_role_arn. Pass the hand-off of the owner account, as a file or as its text:"
            " -e ecr_pull_handoff=FILE."
        )
    references = [] if found else [parse_reference(image) for image in values.get("images", [])]
    if not found and handoff is not None:
        given: Json = {name.removeprefix(PREFIX): value for name, value in handoff.items()}
        found += _consumer_policy_problems(Share(**given))
    if not found:
        values["images"] = [str(reference) for reference in references]
        found += _role_problems(values)
        found += _share_problems(Share(**values))
        found += _registry_problems(Share(**values), references)
        found += _expectation_problems(Share(**values), owner_account, external_id)
        found += registry_host_problems(
            registry_host, Share(**values).owner_arn, values.get("region"), values.get("registry")
        )
    problems = Problems()
    for problem in found[:_REPORTED]:
        problems.add(problem)
    if found[_REPORTED:]:
        problems.add(f"{len(found) - _REPORTED} more problems are not shown.")
    problems.check()
    return Share(**values, existing=_names_in(handoff), registry_host=registry_host)


def handoff_problems(handoff: Values) -> t.Iterator[str]:
    """Problems with the individual values of a hand-off."""
    known = {PREFIX + name for name in CHECKS}
    kind = _WITHOUT_A_ROLE if {PREFIX + name for name in _WITHOUT_A_ROLE} & set(handoff) else _OF_A_ROLE
    required = {PREFIX + name for name in CHECKS if name not in _OPTIONAL or name in kind}
    unknown, missing = sorted(set(handoff) - known), sorted(required - set(handoff))
    if unknown:
        yield (
            f"A hand-off cannot contain {', '.join(unknown)}. Only the keys in docs/handoff.schema.json are accepted;"
            " the consumer sets everything else. Ask the owner account for the file that the role ecr_share wrote."
        )
    if missing:
        yield f"The hand-off lacks {', '.join(missing)}. Ask the owner account for the complete file."
    has = {name: f"{PREFIX}consumer_{name}" in handoff for name in ("account", "organization", "units")}
    if has["account"] == has["organization"] or (has["account"] and has["units"]):
        yield (
            "A hand-off has either ecr_pull_consumer_account, or ecr_pull_consumer_organization and optionally"
            " ecr_pull_consumer_units. Ask the owner account for the file that the role ecr_share wrote."
        )
    values = {name: handoff[PREFIX + name] for name in CHECKS if PREFIX + name in handoff}
    yield from _role_problems(values)
    yield from value_problems(values)
    yield from _pasted_problems(handoff.get(f"{PREFIX}images"))


def _pasted_problems(images: object) -> t.Iterator[str]:
    """Problems with the images of a hand-off that are not in the format that the role `ecr_share` writes."""
    for image in images if isinstance(images, list) else ():
        if isinstance(image, str) and not list(image_problems(image)) and image != str(parse_reference(image)):
            yield f"{PREFIX}images: {image!r} is not written as in a hand-off. Write {parse_reference(image)}."


def _share_problems(share: Share) -> t.Iterator[str]:
    for name in sorted({*share.repositories} & {*share.denied}):
        yield f"Repository {name} is in ecr_pull_repositories and in ecr_pull_denied. List it only once."
    if share.consumer_account == share.owner_account:
        what = "role" if share.role_arn else "registry"
        yield f"The {what} and ecr_pull_consumer_account are both of account {share.owner_account}. No share is needed."
    for unit in share.consumer_units or ():
        for problem in unit_problems(unit, share.consumer_organization):
            yield f"ecr_pull_consumer_units: {problem}"
    if not share.registry or not _ECR.match(share.registry):
        return
    yield from _registry_of_owner_problems(share.registry, share)
    if share.region and f".{share.region}." not in share.registry:
        yield f"ecr_pull_registry: {share.registry} is not in region {share.region}, which ecr_pull_region names."


def _role_problems(values: Values) -> t.Iterator[str]:
    """Problems with values for a role that a share without a role does not have."""
    used = [PREFIX + name for name in ("role_arn", "external_id", "expires") if values.get(name) is not None]
    if "mode" in values and used:
        yield f"The share has an ecr_pull_mode without a role, so it cannot have {' and '.join(used)}. Remove it."


def _consumer_policy_problems(share: Share) -> t.Iterator[str]:
    """Problems with the IAM policy of a hand-off.

    The administrator of the consumer gives the policy to a principal, so it must not allow more than the share.
    """
    if share.consumer_policy is None:
        return
    expected = policy_of_consumer(share.owner_account, str(share.region), share.repositories, share.access)
    if share.consumer_policy != expected:
        yield (
            "ecr_pull_consumer_policy is not the policy that allows ecr_pull_access on ecr_pull_repositories. Do not"
            " use it. Ask the owner account for the file that the role ecr_share wrote."
        )


def _registry_of_owner_problems(registry: str, share: Share) -> t.Iterator[str]:
    """Problems with the host name of a registry of ECR."""
    source = Source(registry, share.role_arn or "", credential_source="Ec2InstanceMetadata")
    for problem in source_problems(source, present=share.role_arn is not None):
        yield f"ecr_pull_registry: {problem}"
    if share.role_arn is None and not registry.startswith(f"{share.owner_account}."):
        yield f"ecr_pull_registry: {registry} is not a registry of account {share.owner_account}."


def _registry_problems(share: Share, references: list[Reference]) -> t.Iterator[str]:
    hosts = [share.registry] if share.registry else None
    regions = [share.region] if share.region else []
    for problem in registry_problems(references, share.owner_account, regions, hosts):
        yield f"ecr_pull_images: {problem}"


def _expectation_problems(share: Share, owner_account: str | None, external_id: str | None) -> t.Iterator[str]:
    found = [] if owner_account is None else list(account_problems(owner_account))
    if found:
        yield f"ecr_pull_owner_account: {found[0]}"
    elif owner_account not in (None, share.owner_account):
        yield (
            f"{f'Role {share.role_arn}' if share.role_arn else 'The registry'} is in account {share.owner_account}, but"
            f" ecr_pull_owner_account is {owner_account}. Use the hand-off of that account."
        )
    if external_id is not None and share.external_id != external_id:
        yield (
            "The external ID of the hand-off is not the one in ecr_pull_expected_external_id. It was not sent to AWS."
            " Ask the owner account to share with the external ID that you gave to it."
        )
