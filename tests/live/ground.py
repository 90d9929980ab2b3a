# SPDX-License-Identifier: GPL-3.0-or-later
"""The environment of the live suite: two accounts of its user, and the objects in them with its prefix."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import pathlib
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import botocore.exceptions
import pytest

from tests.lab import accounts
from tests.support.control import Control, Run
from tests.support.lab import Lab
from tests.support.paths import ROOT

#: They would be taken in the place of a profile.
BEFORE_A_PROFILE = re.compile(r"AWS_(?:(?:DEFAULT_)?PROFILE|ACCESS_KEY_ID|SECRET_ACCESS_KEY|S\w+_TOKEN)")
PREFIX = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
LONGEST_PREFIX = 40
DEADLINE, PAUSE = 60.0, 2.0  # seconds
STOPPED_BY = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
FAILED = (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError, OSError)
GONE = ("NoSuchEntity", "RepositoryNotFoundException")


class Names:
    """All created objects have the prefix. The sharing tag has it as well, so no other repository has this tag."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.role = f"{prefix}-pull"  # and its policy
        self.tag = f"{prefix}-share"
        self.sid = "".join(word.capitalize() for word in prefix.split("-"))
        self.release, self.develop = f"{prefix}-release", f"{prefix}-develop"
        #: Their tags differ from the one that shares in their case only.
        self.value, self.key = f"{prefix}-value", f"{prefix}-key"

    @property
    def repositories(self) -> dict[str, dict[str, str]]:
        """Those that are made, with the tags that they are made with."""
        cases = {self.value: {self.tag: "Release"}, self.key: {self.tag.upper(): "release"}}
        return {self.release: {}, self.develop: {}, **cases}


class Accounts(Lab):
    """The two accounts, called `owner` and `consumer` as in the lab, by the profiles of who runs the suite."""

    def __init__(self, environment: Mapping[str, str], owner: str, consumer: str) -> None:
        self.environment = {
            name: value
            for name, value in environment.items()
            if name.startswith("AWS_") and not BEFORE_A_PROFILE.fullmatch(name)
        }
        self.profiles = {"owner": owner, "consumer": consumer}
        region = self.environment.get("AWS_REGION") or self.environment.get("AWS_DEFAULT_REGION")
        first = self.session(owner, **({"region_name": region} if region else {}))
        self.region = str(first.region_name)
        self._sessions = {"owner": first, "consumer": self.session(consumer, region_name=self.region)}
        callers = [self.client(name, "sts").get_caller_identity() for name in self.profiles]
        self.owner, self.consumer = (str(caller["Account"]) for caller in callers)
        self.partition = callers[0]["Arn"].split(":")[1]

    def client(self, profile: str, service: str, **credentials: str) -> Any:
        """A client of one of the two; from the same session, for boto3 takes long to read what a service is."""
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.environment.items():
                patch.setenv(name, value)
            return self._sessions[profile].client(service, **credentials)

    def become(self, role_arn: str, **options: Any) -> Any:
        """A client of ECR with a session of the pull role, as the consumer."""
        reply = self.client("consumer", "sts").assume_role(RoleArn=role_arn, RoleSessionName="live", **options)
        keys = reply["Credentials"]
        return self.client(
            "consumer",
            "ecr",
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
        )

    def masked(self, text: str) -> str:
        """A text without the numbers of the accounts, to be shown to others."""
        return text.replace(self.owner, "OWNER").replace(self.consumer, "CONSUMER")


class Live(Control):
    """The control node of the integration tests, with the environment and the accounts of who runs the suite."""

    lab: Accounts

    def __init__(self, lab: Accounts, folder: pathlib.Path, prefix: str, wait_interval: float) -> None:
        super().__init__(lab, folder)
        self.wait_interval = wait_interval
        self.names = Names(prefix)
        self.role_arn = f"arn:{lab.partition}:iam::{lab.owner}:role/{self.names.role}"
        self.answers: dict[str, str] = {}
        self.external_id = f"{prefix}-one"

    def environment(self, profile: str | None) -> dict[str, str]:
        theirs = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "AWS_"))}
        given = super().environment(self.lab.profiles[profile] if profile else None)
        del given["HOME"], given["AWS_EC2_METADATA_DISABLED"]  # their profiles may need both
        return {**theirs, **given}

    def declare(self, playbook: str, repository: str, denied: str, **variables: Any) -> Run:
        """share.yml or unshare.yml: one repository for the consumer, and another that it is asked to find denied."""
        declaration = {
            "ecr_share_role_name": self.names.role,
            "ecr_share_repository_tags": {self.names.tag: "release"},
            "ecr_share_repositories": [repository],
            "ecr_share_consumers": [
                {"account": self.lab.consumer, "external_id": self.external_id, "session_tags": True}
            ],
            "ecr_share_images": [f"{repository}:{accounts.IMAGE_TAG}"],
            "ecr_share_denied": [denied],
            "ecr_share_handoff_path": str(self.handoff),
            "ecr_share_region": self.lab.region,
            "ecr_share_wait_interval": self.wait_interval,
        }
        return self.playbook(playbook, "owner", **{**declaration, **variables})

    def pull(self, *arguments: str, profile: str | None = "consumer", **variables: Any) -> Run:
        layout = {"ecr_pull_engine": "oci_layout", "ecr_pull_dest": str(self.folder / "layout")}
        return super().pull(*arguments, profile=profile, **{"ecr_pull_wait_timeout": 60, **layout, **variables})

    def _run(self, command: list[Any], profile: str | None, typed: str = "", **variables: str) -> Run:
        """After an interrupt, the run ends first: no object may be created after the cleanup."""
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**self.environment(profile), **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C reaches the suite, which forwards it
        )
        try:
            output = process.communicate(timeout=900)
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                unhurried()
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.communicate(timeout=DEADLINE)
            process.kill()
            raise
        return Run(subprocess.CompletedProcess(command, process.returncode, *output))

    def create(self) -> None:
        """The repositories, and an image in two of them."""
        ecr = self.lab.client("owner", "ecr")
        for name, tags in self.names.repositories.items():
            ecr.create_repository(
                repositoryName=name, tags=[{"Key": key, "Value": value} for key, value in tags.items()]
            )
        token = ecr.get_authorization_token()["authorizationData"][0]
        for name in (self.names.release, self.names.develop):
            layers = accounts.scenario_layers()
            accounts.push(token["proxyEndpoint"], token["authorizationToken"], name, accounts.IMAGE_TAG, layers)

    def allow_in_registry(self, is_present: bool) -> None:
        """Add a statement to the registry policy that lets the consumer pull the shared repository, or remove it."""
        ecr, names = self.lab.client("owner", "ecr"), self.names
        statement = {
            "Sid": names.sid,
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:{self.lab.partition}:iam::{self.lab.consumer}:root"},
            "Action": ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            "Resource": f"arn:{self.lab.partition}:ecr:{self.lab.region}:{self.lab.owner}:repository/*",
            "Condition": {"StringEquals": {f"ecr:ResourceTag/{names.tag}": "release"}},
        }
        document = self._registry_policy()
        others = [one for one in document["Statement"] if one.get("Sid") != names.sid]
        after = [*others, *([statement] if is_present else [])]
        if after:
            ecr.put_registry_policy(policyText=json.dumps({**document, "Statement": after}))
        elif document["Statement"]:
            ecr.delete_registry_policy()

    def _registry_policy(self) -> dict[str, Any]:
        """The registry policy of the owner account."""
        try:
            document = json.loads(self.lab.client("owner", "ecr").get_registry_policy()["policyText"])
        except botocore.exceptions.ClientError as error:
            if error.response["Error"]["Code"] != "RegistryPolicyNotFoundException":
                raise
            document = {"Version": "2012-10-17", "Statement": []}
        listed = document["Statement"]
        return {**document, "Statement": listed if isinstance(listed, list) else [listed]}

    def left(self) -> list[str]:
        """The objects with the prefix in the owner account."""
        ecr, iam = self.lab.client("owner", "ecr"), self.lab.client("owner", "iam")
        problems = [
            f"{what} {item[name]}"
            for what, name, pages, key in (
                ("repository", "repositoryName", ecr.get_paginator("describe_repositories").paginate(), "repositories"),
                ("role", "RoleName", iam.get_paginator("list_roles").paginate(), "Roles"),
                ("policy", "PolicyName", iam.get_paginator("list_policies").paginate(Scope="Local"), "Policies"),
            )
            for page in pages
            for item in page[key]
            if item[name].startswith(f"{self.names.prefix}-")
        ]
        sids = [one.get("Sid") for one in self._registry_policy()["Statement"]]
        problems += [f"statement {sid} of the registry policy" for sid in sids if sid == self.names.sid]
        return sorted(problems)

    def remove(self) -> list[str]:
        """Take away everything that `create` and the playbooks make; the remaining objects, with reasons, after the
        deadline."""
        deadline = time.monotonic() + DEADLINE
        while True:
            why = [str(error) for error in self._remove_once()]
            try:
                left = self.left()
            except FAILED as error:
                left = [f"what could not be asked for: {error}"]
            if not left or time.monotonic() > deadline:
                return left and [*left, *why]
            time.sleep(PAUSE)

    def _remove_once(self) -> Iterator[Exception]:
        ecr, iam, role = self.lab.client("owner", "ecr"), self.lab.client("owner", "iam"), self.names.role
        policy = self.role_arn.replace(":role/", ":policy/")

        def inline() -> None:
            for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
                iam.delete_role_policy(RoleName=role, PolicyName=name)

        def versions() -> None:
            for version in iam.list_policy_versions(PolicyArn=policy)["Versions"]:
                if not version["IsDefaultVersion"]:
                    iam.delete_policy_version(PolicyArn=policy, VersionId=version["VersionId"])

        steps: list[Callable[[], Any]] = [
            lambda: self.allow_in_registry(False) if self.names.sid in str(self._registry_policy()) else None,
            inline,
            lambda: iam.detach_role_policy(RoleName=role, PolicyArn=policy),
            lambda: iam.delete_role(RoleName=role),
            versions,
            lambda: iam.delete_policy(PolicyArn=policy),
            *(
                functools.partial(ecr.delete_repository, repositoryName=name, force=True)
                for name in self.names.repositories
            ),
        ]
        for step in steps:
            try:
                step()
            except FAILED as error:
                if getattr(error, "response", {}).get("Error", {}).get("Code") not in GONE:
                    yield error


def unhurried() -> None:
    """From here on, no Ctrl-C stops what ends and removes things."""
    for number in STOPPED_BY:
        signal.signal(number, signal.SIG_IGN)
