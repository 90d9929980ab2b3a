# SPDX-License-Identifier: GPL-3.0-or-later
"""The principals of the evaluator's tests."""

from __future__ import annotations

from ansible_collections.crossaccount.ecr.plugins.module_utils._principal import Principal

OWNER, ONE, TWO = "111111111111", "222222222222", "333333333333"
USER = f"arn:aws:iam::{ONE}:user/team/puller"
SESSION = f"arn:aws:sts::{ONE}:assumed-role/deployer/build"
ROLE = f"arn:aws:iam::{ONE}:role/ci/deployer"
ROOT = f"arn:aws:iam::{ONE}:root"
PROVIDER = f"arn:aws:iam::{OWNER}:oidc-provider/example.com"
CALLERS = {
    "user": Principal.of(USER, unique_id="AIDAEXAMPLEEXAMPLE123"),
    "session": Principal.of(SESSION, unique_id="AROAEXAMPLEEXAMPLE123:build"),
    "session with path": Principal.of(SESSION, ROLE),
    "role": Principal.of(ROLE),
    "root": Principal.of(ROOT),
    "service": Principal("Service", "ec2.amazonaws.com"),
    "provider": Principal("Federated", PROVIDER),
    "canonical": Principal("CanonicalUser", "79a59df900b949e5"),
    "someone of the account": Principal(account=ONE),
    "someone": Principal(),
}
