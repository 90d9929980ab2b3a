# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The names of options in messages: module options, or the variables of a role. Standard library only."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._suggestion import did_you_mean

#: The environment variable by which an action passes the name of its role to the module.
VARIABLE = "CROSSACCOUNT_ECR_ROLE"
_SHARE = (
    *("shares", "role_name", "policy_name", "repository_tags", "repositories", "tags", "consumers", "access", "path"),
    *("condition_key", "description", "max_session_duration", "permissions_boundary", "state", "exclusive", "regions"),
    *("adopt", "denied", "images", "handoff_path", "trust_policy_quota", "region", "profile", "assume_role_arn"),
    *("wait_timeout", "wait_interval", "roles", "mode", "expires", "expired_only", "revoke_consumers"),
    "handoff_forms",
)
_PULL = (
    *("role_arn", "owner_account", "expected_external_id", "external_id", "role_session_name", "repositories"),
    *("denied", "images", "access", "engine", "dest", "platform", "credentials", "accepted_denials", "ca_path"),
    *("validate_certs", "duration_seconds", "wait_timeout", "wait_interval", "shared_at", "region", "registry"),
    *("repository_tags", "profile", "assume_role_arn", "expect", "registry_host"),
)
_CREDENTIAL_HELPER = (
    *("state", "registries", "credentials", "user", "home", "auth_file", "aws_config", "aws_credentials", "bin_dir"),
)
_AUDIT = (
    *("repository_tags", "trusted_accounts", "trusted_organizations", "tag_setters_max", "unused_days"),
    *("ends_within_days", "regions", "profile", "assume_role_arn", "declaration", "report_dir", "fail_on"),
)
_REPLICATE = (
    *("owner_account", "consumer_account", "regions", "prefixes", "all_repositories", "side", "delete_replication"),
    *("allow_deletions", "adopt", "state", "sid", "create_repositories", "region", "wait_timeout", "wait_interval"),
    *("consumer_profile", "consumer_assume_role_arn", "consumer_assume_role_external_id", "templates", "accepted"),
    *("handoff_path", "backfill", "images", "engine", "dest"),
)
_CACHE = (
    *("prefix", "upstream_prefix", "all_repositories", "state", "adopt", "sid", "images", "denied", "engine", "dest"),
    *("permissions_boundary", "template", "side", "region", "owner_region", "owner_profile", "consumer_profile"),
    *("owner_assume_role_arn", "owner_assume_role_external_id", "wait_timeout", "wait_interval"),
    *("consumer_assume_role_arn", "consumer_assume_role_external_id", "owner_account", "consumer_account"),
)
#: The variable for each option of a role's modules, by the role.
VARIABLES: dict[str, dict[str, str]] = {
    "crossaccount.ecr.ecr_share": {
        **{name: f"ecr_share_{name}" for name in _SHARE},
        "name": "ecr_share_role_name",
        "names": "ecr_share_repositories",
        "owner_account": "ecr_share_account",
        "guard": "ecr_share_tag_guard",
        "principals": "ecr_share_tag_guard_principals",
        "dest": "ecr_share_tag_guard_dir",
        "guard_name": "ecr_share_tag_guard_name",
    },
    "crossaccount.ecr.ecr_audit": {
        **{name: f"ecr_audit_{name}" for name in _AUDIT},
        "owner_account": "ecr_audit_account",
        "declared": "ecr_audit_declaration",
        "dest": "ecr_audit_report_dir",
    },
    "crossaccount.ecr.ecr_pull": {
        **{name: f"ecr_pull_{name}" for name in _PULL},
        "readable": "ecr_pull_repositories",
    },
    "crossaccount.ecr.ecr_replicate": {
        **{name: f"ecr_replicate_{name}" for name in _REPLICATE},
        "profile": "ecr_replicate_owner_profile",
        "assume_role_arn": "ecr_replicate_owner_assume_role_arn",
        "assume_role_external_id": "ecr_replicate_owner_assume_role_external_id",
        "source_account": "ecr_replicate_owner_account",
        "destinations": "ecr_replicate_regions",
    },
    "crossaccount.ecr.ecr_cache": {
        **{name: f"ecr_cache_{name}" for name in _CACHE},
        "account": "ecr_cache_consumer_account",
        "name": "ecr_cache_role_name",
        "path": "ecr_cache_role_path",
        "cache_role": "ecr_cache_role_name",
        "cache_account": "ecr_cache_consumer_account",
        "upstream_account": "ecr_cache_owner_account",
        "upstream_region": "ecr_cache_owner_region",
        "upstream_profile": "ecr_cache_owner_profile",
        "upstream_assume_role_arn": "ecr_cache_owner_assume_role_arn",
        "upstream_assume_role_external_id": "ecr_cache_owner_assume_role_external_id",
        "prefixes": "ecr_cache_allowed_prefixes",
        "custom_role_arn": "ecr_cache_role_name",
    },
    "crossaccount.ecr.ecr_credential_helper": {
        **{name: f"ecr_credential_helper_{name}" for name in _CREDENTIAL_HELPER},
        "owner_account": "ecr_pull_owner_account",
        "expected_external_id": "ecr_pull_expected_external_id",
        "registry_host": "ecr_pull_registry_host",
    },
}
_OPTION = re.compile(r"O\((\w+)\)")

_variables: dict[str, str] = {}


def use_names_of(role: str) -> None:
    """Use the names of a role's variables in all further messages of this process.

    :param role: the full name of a role. If it is not a role of this collection, messages have the names of options
    """
    _variables.clear()
    _variables.update(VARIABLES.get(role, {}))


def option(name: str) -> str:
    """The name of an option for a message: the variable that sets it in the current role, or the option itself."""
    return _variables.get(name, name)


def unknown_option(module: str, path: t.Sequence[str], spec: Json) -> str:
    """The message for an option that does not exist, with the most similar valid option.

    :param path: the name of the option, after the names of the options that contain it
    :param spec: the options of the module
    """
    for name in path[:-1]:
        spec = spec.get(name, {}).get("options", {})
    *above, last = (name for name in path if name != "defaults")
    where = f"An entry of {option(above[-1])}" if above else f"Module {module}"
    return f"{where} has an unknown option {last}.{did_you_mean(last, spec)} Valid are {', '.join(sorted(spec))}."


def options_in(text: str) -> str:
    """The text with each `O(name)` replaced by the name of the option for a message."""
    return _OPTION.sub(lambda match: option(match[1]), text)
