# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that a module accepts are those that its documentation states, with the same types and defaults."""

from __future__ import annotations

import ast
import importlib
from typing import Any

import pytest
import yaml
from ansible_collections.crossaccount.ecr.plugins.module_utils._assume import ASSUME_ROLE_ARGUMENTS, SESSION_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_info import AUDIT_INFO_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_options import AUDIT_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.module_utils._backfill import REPLICATION_BACKFILL_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.module_utils._backfill_declaration import BACKFILL_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.module_utils._cache_declaration import CACHE_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.module_utils._cache_info import CACHE_INFO_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.module_utils._cache_request import CACHE_REQUEST_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.module_utils._cache_role import CACHE_ROLE_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.module_utils._cache_role_declaration import ROLE_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.module_utils._cache_rule import PULL_THROUGH_RULE_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.module_utils._creation_template import CREATION_TEMPLATE_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.module_utils._declared_account import (
    OWNER_ACCOUNT_ARGUMENT,
    REGISTRY_ACCOUNT_ARGUMENT,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._host_declaration import ARGUMENTS as HELPER_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.module_utils._proof import ACCESS_INFO_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.module_utils._pull_options import PULL_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.module_utils._pull_role import PULL_ROLE_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry_policy import POLICY_STATEMENT_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry_policy_declaration import STATEMENT_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_configuration import (
    REPLICATION_RULE_ARGUMENTS,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_declaration import (
    DESTINATION_ARGUMENTS,
    RULE_ARGUMENTS,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_info import REPLICATION_INFO_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_request import REQUEST_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_selection import SELECTION_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.module_utils._repository_policy import REPOSITORY_POLICY_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.module_utils._repository_tag import REPOSITORY_TAG_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.module_utils._revocation_choice import CHOICE_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.module_utils._session_revocation import REVOCATION_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_declaration import (
    SHARE_ARGUMENTS,
    TRUST_QUOTA_ARGUMENT,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_info import SHARE_INFO_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.module_utils._tag_declaration import TAG_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.module_utils._tag_guard_policy import TAG_GUARD_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.module_utils._template_declaration import TEMPLATE_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.module_utils._wait import RETRY_ARGUMENTS, WAIT_ARGUMENTS

from tests.support.paths import ROOT

FRAGMENTS = "crossaccount.ecr."
MODULES = {
    "ecr_access_info": ACCESS_INFO_ARGUMENTS,
    "ecr_audit_info": AUDIT_INFO_ARGUMENTS,
    "ecr_cache_info": CACHE_INFO_ARGUMENTS,
    "ecr_credential_helper_config": HELPER_ARGUMENTS,
    "ecr_image_pull": PULL_ARGUMENTS,
    "ecr_pull_through_rule": PULL_THROUGH_RULE_ARGUMENTS,
    "ecr_registry_policy_statement": POLICY_STATEMENT_ARGUMENTS,
    "ecr_replication_backfill": REPLICATION_BACKFILL_ARGUMENTS,
    "ecr_replication_info": REPLICATION_INFO_ARGUMENTS,
    "ecr_replication_rule": REPLICATION_RULE_ARGUMENTS,
    "ecr_repository_creation_template": CREATION_TEMPLATE_ARGUMENTS,
    "ecr_repository_policy_statement": REPOSITORY_POLICY_ARGUMENTS,
    "ecr_repository_tag": REPOSITORY_TAG_ARGUMENTS,
    "ecr_share_info": SHARE_INFO_ARGUMENTS,
    "iam_ecr_cache_role": CACHE_ROLE_ARGUMENTS,
    "iam_ecr_pull_role": PULL_ROLE_ARGUMENTS,
    "iam_ecr_session_revocation": REVOCATION_ARGUMENTS,
    "iam_ecr_tag_guard": TAG_GUARD_ARGUMENTS,
}
#: The options that a pure file declares, by a module that has them.
SHARED = {
    "ecr_access_info": {**SESSION_ARGUMENTS, **RETRY_ARGUMENTS, **ASSUME_ROLE_ARGUMENTS},
    "ecr_audit_info": {**AUDIT_ARGUMENTS, **OWNER_ACCOUNT_ARGUMENT},
    "ecr_pull_through_rule": CACHE_ARGUMENTS,
    "ecr_cache_info": {**CACHE_REQUEST_ARGUMENTS, **WAIT_ARGUMENTS},
    "ecr_registry_policy_statement": {**STATEMENT_ARGUMENTS, **SELECTION_ARGUMENTS},
    "ecr_replication_backfill": BACKFILL_ARGUMENTS,
    "ecr_replication_info": REQUEST_ARGUMENTS,
    "ecr_replication_rule": {**RULE_ARGUMENTS, **DESTINATION_ARGUMENTS, **REGISTRY_ACCOUNT_ARGUMENT},
    "ecr_repository_creation_template": TEMPLATE_ARGUMENTS,
    "ecr_repository_tag": {**TAG_ARGUMENTS, **WAIT_ARGUMENTS},
    "ecr_share_info": {"defaults": {"type": "dict", "options": SHARE_ARGUMENTS}, **TRUST_QUOTA_ARGUMENT},
    "iam_ecr_cache_role": ROLE_ARGUMENTS,
    "iam_ecr_session_revocation": CHOICE_ARGUMENTS,
}


def documented(module: str) -> dict[str, Any]:
    """The options in the documentation of a module and in its fragments, without those of other collections."""
    tree = ast.parse((ROOT / f"plugins/modules/{module}.py").read_text(encoding="utf-8"))
    assigned = {ast.unparse(node.targets[0]): node.value for node in tree.body if isinstance(node, ast.Assign)}
    text = ast.literal_eval(assigned["DOCUMENTATION"])
    page = yaml.safe_load(text)
    options = dict(page.get("options", {}))
    for name in page["extends_documentation_fragment"]:
        if name.startswith(FRAGMENTS):
            file, _dot, part = name.removeprefix(FRAGMENTS).partition(".")
            fragment = importlib.import_module(f"ansible_collections.crossaccount.ecr.plugins.doc_fragments.{file}")
            found = yaml.safe_load(getattr(fragment.ModuleDocFragment, (part or "documentation").upper()))
            options = {**found.get("options", {}), **options}
    return options


def facts(options: dict[str, Any]) -> dict[str, Any]:
    """The properties that a specification and the documentation share, including those of the options in an option.

    A list of accepted values has the same meaning in any order.
    """
    shared: dict[str, Any] = {}
    for name, option in options.items():
        kept = {key: option[key] for key in ("type", "elements", "required", "default") if option.get(key) is not None}
        nested = facts(option.get("options") or option.get("suboptions") or {})
        shared[name] = {
            **{key: value for key, value in kept.items() if (key, value) != ("required", False)},
            "choices": sorted(option.get("choices") or ()),
            "options": nested,
        }
    return shared


@pytest.mark.parametrize("module", MODULES)
def test_accepted_options_are_the_documented_ones(module: str) -> None:
    assert facts(MODULES[module]) == facts(documented(module))


@pytest.mark.parametrize("module", SHARED)
def test_shared_options_are_those_of_each_module(module: str) -> None:
    accepted = facts(MODULES[module])
    assert facts(SHARED[module]).items() <= accepted.items()


def test_only_secrets_are_hidden_from_the_log() -> None:
    hidden = {
        f"{module}.{name}" for module, spec in MODULES.items() for name, option in spec.items() if option.get("no_log")
    }
    assert hidden == {"ecr_image_pull.registry_token"}
