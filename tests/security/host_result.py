# SPDX-License-Identifier: GPL-3.0-or-later
"""The results of a host after a pull."""

from __future__ import annotations

from typing import Any

from tests.lab import accounts

#: The results of ecr_access_info and ecr_image_pull on a host, with a proof that passes.
ANSWER: dict[str, Any] = {
    "changed": False,
    "caller": {"arn": "arn:aws:iam::222222222222:user/dev"},
    "assumed": {"arn": f"arn:aws:sts::{accounts.OWNER}:assumed-role/pull/x"},
    "identities": [
        "before: arn:aws:iam::222222222222:user/dev",
        f"after:  arn:aws:sts::{accounts.OWNER}:assumed-role/pull/x",
    ],
    "external_id_enforced": "true",
    "token": "allowed",
    "token_denial_kind": "",
    "repositories": [],
    "verdict": "pass",
    "problems": [],
    "artifact": {"verdict": "pass"},
    "summary": ["<!-- of the host -->"],
    "engine": "docker",
    "images": [],
}
