# SPDX-License-Identifier: GPL-3.0-or-later
"""Boundaries at people: hand-offs of other organizations; surveys, artifacts and credentials of AWX."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import subprocess
from typing import Any

import botocore.session
import yaml
from hypothesis import strategies as st

from tests.awx import rules
from tests.awx.pattern import FOLDER as PATTERN
from tests.awx.pattern import TYPES

from . import hostile, hostile_aws
from .entries import environment, evaluate, run_action, run_module, show_all, trusted
from .hostile_aws import CONSUMER, OWNER, REGION, ROLE_ARN
from .observers import Observations, Sandbox
from .places import FakeServers

HANDOFF: dict[str, Any] = {
    "ecr_pull_role_arn": ROLE_ARN,
    "ecr_pull_external_id": "test",
    "ecr_pull_consumer_account": CONSUMER,
    "ecr_pull_shared_at": "2026-01-31T23:59:59Z",
    "ecr_pull_region": REGION,
    "ecr_pull_registry": f"{OWNER}.dkr.ecr.{REGION}.amazonaws.com",
    "ecr_pull_repository_tags": {"environment": "release"},
    "ecr_pull_access": "read",
    "ecr_pull_repositories": ["release"],
    "ecr_pull_denied": ["develop"],
    "ecr_pull_images": ["release:v1.0"],
}
texts_of_handoffs = hostile.documents(HANDOFF)
handoffs = st.tuples(st.just("file"), hostile.files(texts_of_handoffs)) | st.tuples(
    st.sampled_from(["text", "variable"]), texts_of_handoffs
)


def read_handoff(ground: Sandbox, _places: FakeServers, seen: Observations, value: Any) -> None:
    """Ansible trusts all of these variables, as if they came from -e with JSON."""
    form, content = value
    variables = {"text": content, "variable": "{{ pasted }}", "file": str(ground.inside / "handoff.yml")}
    if form == "file":
        hostile.create(content, ground.inside / "handoff.yml")
    _read(ground, seen, {"ecr_pull_handoff": variables[form], "pasted": content if form == "variable" else ""})


def _read(ground: Sandbox, seen: Observations, variables: dict[str, Any]) -> None:
    result = run_action(ground, seen, "ecr_handoff_info", {}, {name: trusted(one) for name, one in variables.items()})
    show_all(seen, lambda: result.get("summary", []))
    # As the later tasks of the role use it.
    evaluate("{{ share }}{{ share.images | default('') }}", {"share": result}, seen)


def read_artifact(ground: Sandbox, _places: FakeServers, seen: Observations, value: Any) -> None:
    """By the expression of the pattern for AWX. An artifact may be of any type."""
    (play,) = yaml.safe_load((PATTERN / "playbooks/pull.yml").read_text())
    _read(ground, seen, {"ecr_pull_handoff": play["vars"]["ecr_pull_handoff"], "ecr_share_handoff": value})


SURVEY = {
    "survey_region": REGION,
    "survey_repositories": "release",
    "survey_tag": "environment=release",
    "survey_role_name": "allow_ecr_release",
    "survey_account": CONSUMER,
    "survey_principals": "",
    "survey_external_id": "test",
    "survey_denied": "develop",
    "survey_images": "release:v1.0",
}
#: AWX accepts one of their choices only.
CHOICES = {"survey_access": "read", "survey_exclusive": "no"}
_DECLARATION = yaml.safe_load((PATTERN / "playbooks/share.yml").read_text())[0]["vars"]


def share_survey(ground: Sandbox, places: FakeServers, seen: Observations, value: Any) -> None:
    """By the expressions of the pattern for AWX, through the modules, to the page for people, which is executed."""
    declared = {
        name.removeprefix("ecr_share_"): evaluate(
            "{{ declared }}", {"declared": trusted(one), **value, **CHOICES}, seen
        )
        for name, one in _DECLARATION.items()
    }
    if None in declared.values():
        return
    aws, tags = places.aws.environment, declared["repository_tags"]
    common = {"wait_timeout": 0, "region": declared["region"]}
    role = {**common, "name": declared["role_name"], "repository_tags": tags}
    role |= {name: declared[name] for name in ("consumers", "access")}
    places.aws.answers["GetCallerIdentity"] = {**hostile_aws.ANSWERS["GetCallerIdentity"], "Account": OWNER}
    places.aws.answers |= {name: hostile_aws.error("NoSuchEntity", "none") for name in ("GetRole", "GetPolicy")}
    places.aws.refused = {"GetRole", "GetPolicy"}
    results = [
        run_module(ground, seen, "iam_ecr_pull_role", role, aws, check_mode=True),
        run_module(
            ground,
            seen,
            "ecr_repository_tag",
            {**common, "names": declared["repositories"], "tags": tags},
            aws,
            check_mode=True,
        ),
    ]
    if any(result.get("failed") for result in results):
        return
    page = {"path": str(ground.inside / "handoff.yml"), "role": results[0], "tagged": results[1:]}
    page |= {name: declared[name] for name in ("denied", "images", "access")}
    run_action(ground, seen, "ecr_handoff", {**page, "repository_tags": tags, "share_changed": True}, {})
    for path in ground.inside.glob("*.md"):
        run_commands(ground, path.read_text())


def run_commands(ground: Sandbox, page: str) -> None:
    """Runs the commands of a page for people, with programs that do nothing."""
    programs = ground.inside / "bin"
    programs.mkdir()
    for name in ("aws", "docker"):
        (programs / name).write_text("#!/bin/sh\n")
        (programs / name).chmod(0o755)
    environment = {"PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(ground.home)}
    for block in re.findall(r"^```sh\n(.*?)^```$", page, re.M | re.S):
        subprocess.run(["sh", "-c", block], env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False)


def ecr_handoff(ground: Sandbox, _places: FakeServers, seen: Observations, value: Any) -> None:
    """Replaces the files of a former hand-off."""
    for ending, file in zip((".yml", ".md"), value):
        if file:
            hostile.create(file, ground.inside / f"handoff{ending}")
    consumer = {"account": CONSUMER, "external_id": "test", "principals": []}
    registry = {"region": REGION, "registry": HANDOFF["ecr_pull_registry"], "repositories": [{"name": "release"}]}
    options = {
        "path": str(ground.inside / "handoff.yml"),
        "role": {"role_arn": ROLE_ARN, "consumers": [consumer]},
        "tagged": [registry],
        "repository_tags": {"environment": "release"},
        "share_changed": False,
    }
    run_action(ground, seen, "ecr_handoff", options, {})


_former_times = hostile.texts.map(lambda text: f'ecr_pull_shared_at: "{text}"\n')
former_handoffs = st.tuples(
    *2 * [st.none() | hostile.files(texts_of_handoffs | _former_times)],
)

CREDENTIAL = {"access_key": hostile_aws.ACCESS_KEY, "secret_key": hostile_aws.SECRET_KEY, "session_token": "token"}


def inject_credential(ground: Sandbox, _places: FakeServers, seen: Observations, value: Any) -> None:
    """As AWX writes the file of a credential, which botocore then reads."""
    for name, kind in TYPES.items():
        folder = ground.inside / name.replace(" ", "-")
        try:
            variables, extra = rules.inject(kind["injectors"], {**CREDENTIAL, **value}, folder)
        except UnicodeEncodeError:
            continue  # the database of AWX holds no surrogates
        parsed = configparser.RawConfigParser()
        parsed.read(variables.values(), encoding="utf-8")
        assert all(key.startswith("aws_") for section in parsed.values() for key in section), dict(parsed)
        with environment(ground, variables):
            botocore.session.Session(profile=next(iter(extra.values()))).get_credentials()
    shutil.rmtree(ground.inside)  # AWX removes the files, which hold the keys
