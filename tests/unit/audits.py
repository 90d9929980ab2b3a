# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports of audits, and plans of shares, for the tests."""

from __future__ import annotations

from typing import Any

OWNER, CONSUMER, STRANGER = "111111111111", "222222222222", "333333333333"
REGION = "eu-west-1"
ROLE = f"arn:aws:iam::{OWNER}:role/allow_ecr_release"


def path(kind: str = "role", statement: str = "ReadImages", role: str = ROLE, **values: Any) -> dict[str, Any]:
    return {
        "path": kind,
        "actions": ["describe", "pull"],
        "document": f"policy of {role}" if kind == "role" else kind.replace("_", " "),
        "statement": statement,
        "conditions": [],
        "role": role if kind == "role" else "",
        **values,
    }


def row(*paths: dict[str, Any], repository: str = "release", pull: str = "allowed", **values: Any) -> dict[str, Any]:
    return {
        "principal": f"arn:aws:iam::{CONSUMER}:root",
        "principal_kind": "account",
        "principal_account": CONSUMER,
        "repository": repository,
        "region": REGION,
        "actions": {"describe": "allowed", "pull": pull, "push": "denied", "delete": "denied", "tag": "denied"},
        "reasons": {} if pull == "allowed" else {"pull": "the role cannot be read"},
        "paths": list(paths),
        **values,
    }


def finding(severity: str = "high", kind: str = "open-to-everyone", **values: Any) -> dict[str, Any]:
    return {
        "id": kind,
        "key": f"{kind}:{severity}",
        "severity": severity,
        "title": f"A {severity} finding",
        "resource": "",
        "region": "",
        "evidence": {"document": "", "statement": "", "text": ""},
        "fix": "aws ecr delete-repository-policy",
        **values,
    }


def audit(*rows: dict[str, Any], **values: Any) -> dict[str, Any]:
    return {
        "schema": "crossaccount.ecr/audit/1",
        "account": OWNER,
        "regions": [REGION],
        "generated_at": "2026-11-27T02:40:00Z",
        "repositories": [{"name": "release", "region": REGION, "tags": {}}],
        "access": list(rows),
        "tag_setters": [],
        "findings": [],
        "not_seen": [],
        **values,
    }


def plan(**values: Any) -> dict[str, Any]:
    """The result of `ecr_share_info` for one share that is as declared."""
    return {
        "would_change": False,
        "untag": [],
        "roles": [],
        "statements": [],
        "tag": [],
        "access_gained": [],
        "access_lost": [],
        "lines": ["No access is gained or lost."],
        "all_lines": ["No access is gained or lost."],
        "shares": [
            {
                "role_arn": ROLE,
                "state": "present",
                "changed": False,
                "consumers": [{"account": CONSUMER}],
                "regions": [{"region": REGION, "repositories": [{"name": "release"}]}],
            }
        ],
        **values,
    }
