# SPDX-License-Identifier: GPL-3.0-or-later
"""Inputs from people: hand-offs of other organizations, and surveys, artifacts and credentials of AWX."""

from __future__ import annotations

import configparser
import dataclasses
import os
import re
import shutil
import subprocess
from typing import Any

import botocore.session
import yaml
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._handoff import Handoff
from ansible_collections.crossaccount.ecr.plugins.module_utils._handoff_forms import FORM_NAMES, form_texts
from hypothesis import strategies as st

from tests.awx import rules
from tests.awx.pattern import FOLDER as PATTERN
from tests.awx.pattern import TYPES

from . import hostile, hostile_aws
from .entries import environment, evaluate, run_action, run_module, show_all, trusted
from .fake_servers import FakeServers
from .hostile_aws import CONSUMER, OWNER, REGION, ROLE_ARN
from .observers import Observations, Sandbox

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
OF_ORGANIZATION = {
    **{name: value for name, value in HANDOFF.items() if name != "ecr_pull_consumer_account"},
    "ecr_pull_consumer_organization": "o-a1b2c3d4e5",
    "ecr_pull_consumer_units": ["o-a1b2c3d4e5/r-f6g7/ou-f6g7-11111111"],
}
texts_of_handoffs = hostile.documents(HANDOFF) | hostile.documents(OF_ORGANIZATION)
handoffs = st.tuples(st.just("file"), hostile.files(texts_of_handoffs)) | st.tuples(
    st.sampled_from(["text", "variable"]), texts_of_handoffs
)


def read_handoff(sandbox: Sandbox, _servers: FakeServers, observations: Observations, value: Any) -> None:
    """Read a hand-off. Ansible trusts all of these variables, as with -e and JSON."""
    form, content = value
    variables = {"text": content, "variable": "{{ pasted }}", "file": str(sandbox.inside / "handoff.yml")}
    if form == "file":
        hostile.create(content, sandbox.inside / "handoff.yml")
    _read(sandbox, observations, {"ecr_pull_handoff": variables[form], "pasted": content if form == "variable" else ""})


def _read(sandbox: Sandbox, observations: Observations, variables: dict[str, Any]) -> None:
    result = run_action(
        sandbox, observations, "ecr_handoff_info", {}, {name: trusted(variable) for name, variable in variables.items()}
    )
    show_all(observations, lambda: result.get("summary", []))
    # Used in the same way by later tasks of the role.
    evaluate("{{ share }}{{ share.images | default('') }}", {"share": result}, observations)


REPLICATION: dict[str, Any] = {
    "ecr_replicate_owner_account": OWNER,
    "ecr_replicate_consumer_account": CONSUMER,
    "ecr_replicate_regions": [REGION],
    "ecr_replicate_prefixes": ["release"],
    "ecr_replicate_accepted": "true",
}


def read_replication(sandbox: Sandbox, _servers: FakeServers, observations: Observations, value: Any) -> None:
    """Read the hand-off of a replication on each side. The run ends at the profile, after its values are validated."""
    hostile.create(value, sandbox.inside / "handoff.yml")
    variables = {"ansible_role_name": "crossaccount.ecr.ecr_replicate"}
    variables["ecr_replicate_handoff"] = trusted(str(sandbox.inside / "handoff.yml"))
    for side in ("owner", "consumer"):
        own = {} if side == "consumer" else {name: REPLICATION[f"ecr_replicate_{name}"] for name in REPLICATED}
        options = {"side": side, "profile": "missing", "consumer_profile": "missing", **own}
        run_action(sandbox, observations, "ecr_replication_info", options, variables)


REPLICATED = ("owner_account", "consumer_account", "regions", "prefixes")
handoffs_of_replications = hostile.files(hostile.documents(REPLICATION))
values_of_forms = hostile.texts_within(HANDOFF) | hostile.texts_within(OF_ORGANIZATION)


def write_forms(sandbox: Sandbox, _servers: FakeServers, observations: Observations, value: Any) -> None:
    """Write the forms of a hand-off with hostile values, and run their scripts."""
    fields: dict[str, Any] = dict.fromkeys(field.name for field in dataclasses.fields(Handoff))
    fields |= {name.removeprefix("ecr_pull_"): given for name, given in value.items()}
    try:
        texts = form_texts(Handoff(**fields), FORM_NAMES)
    except EcrError as error:
        observations.shown.append(str(error))
        return
    run_commands(sandbox, [text for ending, text in texts.items() if ending.endswith(".sh")])


def read_artifact(sandbox: Sandbox, _servers: FakeServers, observations: Observations, value: Any) -> None:
    """Read an artifact through the expression of the AWX pattern. An artifact may have any type."""
    (play,) = yaml.safe_load((PATTERN / "playbooks/pull.yml").read_text())
    _read(sandbox, observations, {"ecr_pull_handoff": play["vars"]["ecr_pull_handoff"], "ecr_share_handoff": value})


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
    "survey_expires": "14d",
}
#: AWX accepts only the listed choices for them.
CHOICES = {"survey_access": "read", "survey_exclusive": "no"}
_DECLARATION = yaml.safe_load((PATTERN / "playbooks/share.yml").read_text())[0]["vars"]


def share_survey(sandbox: Sandbox, servers: FakeServers, observations: Observations, value: Any) -> None:
    """Pass a survey through the AWX pattern and the modules, and execute the commands of the page for people."""
    declared = {
        name.removeprefix("ecr_share_"): evaluate(
            "{{ declared }}", {"declared": trusted(template), **value, **CHOICES}, observations
        )
        for name, template in _DECLARATION.items()
    }
    if None in declared.values():
        return
    aws, tags = servers.aws.environment, declared["repository_tags"]
    common = {"wait_timeout": 0, "region": declared["region"]}
    role = {**common, "name": declared["role_name"], "repository_tags": tags}
    role |= {name: declared[name] for name in ("consumers", "access")}
    servers.aws.answers["GetCallerIdentity"] = {**hostile_aws.ANSWERS["GetCallerIdentity"], "Account": OWNER}
    servers.aws.answers |= {name: hostile_aws.error("NoSuchEntity", "none") for name in ("GetRole", "GetPolicy")}
    servers.aws.refused = {"GetRole", "GetPolicy"}
    results = [
        run_module(sandbox, observations, "iam_ecr_pull_role", role, aws, check_mode=True),
        run_module(
            sandbox,
            observations,
            "ecr_repository_tag",
            {**common, "names": declared["repositories"], "tags": tags},
            aws,
            check_mode=True,
        ),
    ]
    if any(result.get("failed") for result in results):
        return
    page = {"path": str(sandbox.inside / "handoff.yml"), "role": results[0], "tagged": results[1:]}
    page |= {name: declared[name] for name in ("denied", "images", "access")}
    page["forms"] = list(FORM_NAMES)
    run_action(sandbox, observations, "ecr_handoff", {**page, "repository_tags": tags, "share_changed": True}, {})
    for path in sandbox.inside.glob("*.md"):
        run_commands(sandbox, re.findall(r"^```sh\n(.*?)^```$", path.read_text(), re.M | re.S))
        run_commands(sandbox, [form.read_text() for form in sandbox.inside.glob("*.sh")])


def run_commands(sandbox: Sandbox, scripts: list[str]) -> None:
    """Run the commands of a page and the scripts of forms with programs that do nothing."""
    programs = sandbox.inside / "bin"
    programs.mkdir(exist_ok=True)
    for name in ("aws", "docker", "docker-credential-ecr-login"):
        (programs / name).write_text("#!/bin/sh\n")
        (programs / name).chmod(0o755)
    environment = {"PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(sandbox.home)}
    environment |= dict.fromkeys(("CLUSTER", "NAMESPACE", "SERVICE_ACCOUNT", "ROLE_ARN", "ROLE_NAME"), "x")
    for script in scripts:
        subprocess.run(
            ["sh", "-c", script], env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False
        )


def ecr_handoff(sandbox: Sandbox, _servers: FakeServers, observations: Observations, value: Any) -> None:
    """Write a hand-off over the files of an earlier one."""
    for ending, file in zip((".yml", ".md"), value):
        if file:
            hostile.create(file, sandbox.inside / f"handoff{ending}")
    consumer = {"account": CONSUMER, "external_id": "test", "principals": []}
    registry = {"region": REGION, "registry": HANDOFF["ecr_pull_registry"], "repositories": [{"name": "release"}]}
    options = {
        "path": str(sandbox.inside / "handoff.yml"),
        "role": {"role_arn": ROLE_ARN, "consumers": [consumer]},
        "tagged": [registry],
        "repository_tags": {"environment": "release"},
        "share_changed": False,
    }
    run_action(sandbox, observations, "ecr_handoff", options, {})


_former_times = hostile.texts.map(lambda text: f'ecr_pull_shared_at: "{text}"\n')
former_handoffs = st.tuples(
    *2 * [st.none() | hostile.files(texts_of_handoffs | _former_times)],
)

CREDENTIAL = {"access_key": hostile_aws.ACCESS_KEY, "secret_key": hostile_aws.SECRET_KEY, "session_token": "token"}


def inject_credential(sandbox: Sandbox, _servers: FakeServers, observations: Observations, value: Any) -> None:
    """Write the file of a credential as AWX does, and read it with botocore."""
    for name, kind in TYPES.items():
        folder = sandbox.inside / name.replace(" ", "-")
        try:
            variables, extra = rules.inject(kind["injectors"], {**CREDENTIAL, **value}, folder)
        except UnicodeEncodeError:
            continue  # the database of AWX cannot store surrogates
        parsed = configparser.RawConfigParser()
        parsed.read(variables.values(), encoding="utf-8")
        assert all(key.startswith("aws_") for section in parsed.values() for key in section), dict(parsed)
        with environment(sandbox, variables):
            botocore.session.Session(profile=next(iter(extra.values()))).get_credentials()
    shutil.rmtree(sandbox.inside)  # AWX removes the files, which contain the keys
