# SPDX-License-Identifier: GPL-3.0-or-later
"""Inputs from a host: the results of modules, and the files of its users."""

from __future__ import annotations

import os
import pathlib
import re
from typing import Any

from ansible_collections.crossaccount.ecr.plugins.filter.access_junit import filter_access_junit
from ansible_collections.crossaccount.ecr.plugins.filter.pull_summary import filter_pull_summary
from ansible_collections.crossaccount.ecr.plugins.filter.share_summary import filter_share_summary
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._display import displayable
from hypothesis import strategies as st

from tests.support.paths import ROOT

from . import hostile, hostile_aws
from .entries import evaluate, run_module, show_all
from .fake_servers import FakeServers
from .handoff_boundaries import HANDOFF
from .hostile_aws import CONSUMER, OWNER, ROLE_ARN
from .observers import Observations, Sandbox

PROOF: dict[str, Any] = {
    "changed": False,
    "caller": {"arn": f"arn:aws:iam::{CONSUMER}:user/dev"},
    "assumed": {"arn": f"arn:aws:sts::{OWNER}:assumed-role/pull/x"},
    "external_id_enforced": "true",
    "token": "allowed",
    "token_denial_kind": "",
    "repositories": [
        {
            "name": "develop",
            "expected": "denied",
            "pull": "denied",
            "verdict": "pass",
            "advice": "",
            "denial": "not authorized",
            "denials": {"layer": "not authorized"},
        }
    ],
    "verdict": "pass",
    "problems": [],
    "artifact": {"verdict": "pass", "repositories": {"develop": "denied"}},
    "summary": ["REPOSITORY  EXPECTED"],
}
PULLED: dict[str, Any] = {
    "changed": True,
    "engine": "docker",
    "predicted": False,
    "images": [{"image": "release:v1.0", "reference": "x", "digest": hostile_aws.DIGEST, "changed": True}],
}
results_of_hosts = st.tuples(hostile.spoiled(PROOF), hostile.spoiled(PULLED), st.booleans(), hostile.anything)
_ARTIFACTS = re.findall(r'(?m)^ +data: "(.+)"$', (ROOT / "roles/ecr_pull/tasks/main.yml").read_text())
_SUMMARY = (ROOT / "roles/ecr_pull/templates/summary.txt.j2").read_text()


def use_results(_sandbox: Sandbox, _servers: FakeServers, observations: Observations, value: Any) -> None:
    """Run the expressions of the role that use module results of a host: messages, tables, the report, artifacts."""
    proof, pulled, failed, message = value
    results = [displayable({**result, "failed": failed, "msg": message}) for result in (proof, pulled)]
    observations.shown += [str(result["msg"]) for result in results]
    variables = dict(zip(("ecr_pull_proof", "ecr_pull_result"), results))
    show_all(observations, lambda: filter_pull_summary({"web1": variables}, ["web1"], [] if failed else ["web1"]))
    failure = {"web1": {"ecr_share_failure": results[0]}}
    show_all(observations, lambda: filter_share_summary(failure, ["web1"]))
    show_all(observations, lambda: [filter_access_junit(results[0], ROLE_ARN)])
    others = {"inventory_hostname": "web1", "ansible_check_mode": False}
    for expression in _ARTIFACTS:
        evaluate(expression, {**variables, **others}, observations)
    text = evaluate(_SUMMARY, {**variables, **others}, observations)
    show_all(observations, lambda: str(text).split("\n"))


_CONFIG = {"auths": {"https://registry.example.com": {"auth": "eDp5"}}, "credHelpers": {"x": "y"}, "credsStore": "z"}
_INI = hostile.texts.map(lambda text: f"[profile other]\nrole_arn = {text}\n[{text}]\n{text}\n")
#: The files that ecr_credential_helper_config reads.
HOST_FILES = {
    "home/.docker/config.json": hostile.files(hostile.documents(_CONFIG)),
    "home/.aws/config": hostile.files(_INI | hostile.texts),
    "home/.config/containers/auth.json": hostile.files(hostile.documents(_CONFIG)),
    f"bin/docker-credential-ecr-pull-USER-{HANDOFF['ecr_pull_registry']}": hostile.files(
        hostile.texts.map(lambda text: f"#!/bin/sh\n{text}\n")
    ),
    "home/.docker": hostile.files(st.just("")),
    "home/.aws": hostile.files(st.just("")),
}
files_of_hosts = st.tuples(
    st.dictionaries(st.sampled_from([*HOST_FILES]), st.none(), min_size=1, max_size=3).flatmap(
        lambda chosen: st.fixed_dictionaries({name: HOST_FILES[name] for name in chosen})
    ),
    st.sampled_from(["present", "absent"]),
)


def configure_host(sandbox: Sandbox, _servers: FakeServers, observations: Observations, value: Any) -> None:
    """Run the module that reads and writes the files of a user."""
    files, state = value
    user = pathlib.Path(sandbox.home).owner()
    (sandbox.inside / "home").mkdir()
    (sandbox.inside / "bin").mkdir()
    for name, file in sorted(files.items()):
        path = sandbox.inside / name.replace("USER", user)
        reachable = all(not parent.is_symlink() and (parent.is_dir() or not parent.exists()) for parent in path.parents)
        if reachable and not os.path.lexists(path):
            hostile.create(file, path)
    registry = {"registry": HANDOFF["ecr_pull_registry"], "role_arn": ROLE_ARN, "source_profile": "default"}
    options = {
        "home": str(sandbox.inside / "home"),
        "bin_dir": str(sandbox.inside / "bin"),
        "registries": [registry],
        "state": state,
        "require_helper": False,
    }
    run_module(sandbox, observations, "ecr_credential_helper_config", options, {})
