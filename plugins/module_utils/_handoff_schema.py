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
from ansible_collections.crossaccount.ecr.plugins.module_utils._handoff_values import (
    CHECKS,
    PREFIX,
    image_problems,
    value_problems,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._host_declaration import Source, source_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._image_reference import (
    Reference,
    parse_reference,
    registry_problems,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._names import account_problems, unit_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry_host import registry_host_problems

_OPTIONAL = ("external_id", "expires", "consumer_account", "consumer_organization", "consumer_units")
#: The maximum number of problems in one message, because a hostile file can have any number of them.
_REPORTED = 20
_ECR = re.compile(r"[0-9]{12}\.dkr")

Values = t.Mapping[str, object]


@dataclass(frozen=True)
class Share:
    """The values that a consumer uses: those of the hand-off, or the consumer's own values, which take precedence."""

    role_arn: str
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
    existing: list[str] = field(default_factory=list)
    registry_host: str | None = None

    @property
    def owner_account(self) -> str:
        return account_of_role(self.role_arn)

    def values(self) -> Json:
        """The values that are set, and the owner account."""
        known = {name: value for name, value in asdict(self).items() if value is not None}
        return {"owner_account": self.owner_account, **known}


def _names_in(handoff: Values | None) -> list[str]:
    """The repositories in a hand-off. The role `ecr_share` verifies that they exist before it writes the file."""
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
    if "role_arn" not in values and not found:
        found.append(
            "No hand-off and no ecr_pull_role_arn. Pass the hand-off of the owner account, as a file or as its text:"
            " -e ecr_pull_handoff=FILE."
        )
    references = [] if found else [parse_reference(image) for image in values.get("images", [])]
    if not found:
        values["images"] = [str(reference) for reference in references]
        found += _share_problems(Share(**values))
        found += _registry_problems(Share(**values), references)
        found += _expectation_problems(Share(**values), owner_account, external_id)
        found += registry_host_problems(registry_host, values["role_arn"], values.get("region"), values.get("registry"))
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
    required = {PREFIX + name for name in CHECKS if name not in _OPTIONAL}
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
    yield from value_problems({name[len(PREFIX) :]: handoff[name] for name in handoff if name in known})
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
        yield f"The role and ecr_pull_consumer_account are both of account {share.owner_account}. No share is needed."
    for unit in share.consumer_units or ():
        for problem in unit_problems(unit, share.consumer_organization):
            yield f"ecr_pull_consumer_units: {problem}"
    if not share.registry or not _ECR.match(share.registry):
        return
    source = Source(share.registry, share.role_arn, credential_source="Ec2InstanceMetadata")
    for problem in source_problems(source, present=True):
        yield f"ecr_pull_registry: {problem}"
    if share.region and f".{share.region}." not in share.registry:
        yield f"ecr_pull_registry: {share.registry} is not in region {share.region}, which ecr_pull_region names."


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
            f"Role {share.role_arn} is in account {share.owner_account}, but ecr_pull_owner_account is {owner_account}."
            " Use the hand-off of that account."
        )
    if external_id is not None and share.external_id != external_id:
        yield (
            "The external ID of the hand-off is not the one in ecr_pull_expected_external_id. It was not sent to AWS."
            " Ask the owner account to share with the external ID that you gave to it."
        )
