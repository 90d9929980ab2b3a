# SPDX-License-Identifier: GPL-3.0-or-later
"""The pattern's playbooks as AWX runs them: answers of a survey, injected credentials, artifacts, no engine."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
from typing import Any

import botocore.exceptions
import pytest

from tests.awx.pattern import FOLDER, TEMPLATES, TYPES
from tests.lab import accounts
from tests.support.control import BIN, Control
from tests.support.lab import Lab
from tests.support.paths import ROOT

from . import rules

OWNER, CONSUMER = "ECR owner account", "ECR consumer account"
#: As people paste, with lines and spaces around.
ANSWERS = {
    "survey_region": f" {accounts.REGION}",
    "survey_repositories": "release \n",
    "survey_tag": "environment = release ",
    "survey_role_name": "allow_ecr_release ",
    "survey_account": accounts.CONSUMER,
    "survey_principals": "",
    "survey_external_id": "generate ",
    "survey_access": "read",
    "survey_exclusive": "no",
    "survey_denied": "develop\n",
    "survey_images": "release:v1.0\n\n",
    "survey_expires": "14d ",
}


class Awx:
    """AWX from the view of a job: it injects credentials, writes extra variables, and keeps artifacts."""

    def __init__(self, lab: Lab, folder: pathlib.Path) -> None:
        self.lab, self.folder = lab, folder
        self.inputs = {OWNER: self._keys("owner"), CONSUMER: self._keys("consumer")}
        (folder / "bin").mkdir()
        for program in ("sh", "rm", "mkdir", "echo", "chmod", "sleep"):  # no container engine
            (folder / "bin" / program).symlink_to(str(shutil.which(program)))

    def _keys(self, profile: str) -> dict[str, str]:
        keys = self.lab.session(profile).get_credentials()
        assert keys
        return {"access_key": keys.access_key, "secret_key": keys.secret_key, "session_token": ""}

    def job(self, template: str, credentials: list[str], variables: dict[str, Any]) -> tuple[int, str, dict[str, Any]]:
        """Its exit status, its output, and its artifacts."""
        environment = {
            "PATH": str(self.folder / "bin"),
            "HOME": str(self.folder),
            "AWX_HOST": "https://awx.example.com",
            "JOB_ID": "1",
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_SHOW_CUSTOM_STATS": "1",
            "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
            "AWS_ENDPOINT_URL": self.lab.endpoint,
            "AWS_EC2_METADATA_DISABLED": "true",
            **{name: os.environ[name] for name in ("LANG", "LC_ALL") if name in os.environ},
        }
        given = {**variables, "ecr_share_wait_interval": 0.05, "ecr_pull_wait_timeout": 0}
        for name in credentials:
            injected, extra = rules.inject(TYPES[name]["injectors"], self.inputs[name], self.folder / name)
            environment |= injected
            given |= extra
        file = self.folder / "extra_vars.yml"
        file.write_text(rules.extra_vars_file(given))
        playbook = FOLDER / "playbooks" / TEMPLATES[template]["playbook"]
        command = [Control.ansible_playbook or BIN / "ansible-playbook", playbook, "-e", f"@{file}"]
        run = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
        output = run.stdout + run.stderr
        _head, _mark, stats = run.stdout.partition("\tRUN: ")
        for inputs in self.inputs.values():
            assert inputs["secret_key"] not in output
        return run.returncode, output, json.loads(stats.partition("\n")[0]) if stats else {}


@pytest.fixture
def awx(lab: Lab, tmp_path: pathlib.Path) -> Awx:
    return Awx(lab, tmp_path)


def test_the_answers_are_those_that_the_survey_takes() -> None:
    questions = {question["variable"]: question for question in TEMPLATES["ECR Share"]["survey"]["spec"]}
    assert questions.keys() == ANSWERS.keys()
    assert [rules.answer_problems(questions[name], answer) for name, answer in ANSWERS.items()] == [[]] * len(ANSWERS)


def test_workflow_shares_pulls_and_unshares(awx: Awx, lab: Lab) -> None:
    # Both accounts' credentials in one job do not get into each other's way.
    code, output, shared = awx.job("ECR Share", [OWNER, CONSUMER], ANSWERS)
    assert code == 0, output
    share = shared["ecr_share"]["localhost"]
    assert (share["state"], share["lost"]) == ("present", [])
    assert [(change["repository"], change["region"]) for change in share["gained"]] == [("release", accounts.REGION)]
    ((arn, of_role),) = share["shares"].items()
    assert arn == f"arn:aws:iam::{accounts.OWNER}:role/allow_ecr_release"
    text = shared["ecr_share_handoff"]
    place = {"account": accounts.CONSUMER, "organization": None, "region": accounts.REGION}
    assert of_role == {"account": accounts.OWNER, "changed": True, "handoffs": [{**place, "text": text}]}

    # Pasted, by someone who has no workflow.
    code, output, proof = awx.job("ECR Prove access", [CONSUMER], {"survey_handoff": text})
    assert code == 0, output
    assert proof["ecr_pull"]["localhost"]["verdict"] == "pass"
    assert "images" not in proof["ecr_pull"]["localhost"]

    # The node after it: AWX gives it the artifacts of those before and the answers of the workflow.
    destination = {"survey_engine": "oci_layout", "survey_dest": " ~/ecr_pull", "survey_handoff": ""}
    code, output, pulled = awx.job("ECR Pull", [CONSUMER], {**shared, **proof, **ANSWERS, **destination})
    assert code == 0, output
    (image,) = pulled["ecr_pull"]["localhost"]["images"]
    assert image["image"] == "release:v1.0"
    (manifest,) = json.loads((awx.folder / "ecr_pull/index.json").read_text())["manifests"]
    assert (awx.folder / "ecr_pull/blobs" / manifest["digest"].replace(":", "/")).is_file()

    code, output, taken = awx.job("ECR Unshare", [OWNER], {**shared, **pulled, **ANSWERS})
    assert code == 0, output
    assert taken["ecr_share"]["localhost"]["state"] == "absent"
    assert [change["repository"] for change in taken["ecr_share"]["localhost"]["lost"]] == ["release"]
    with pytest.raises(botocore.exceptions.ClientError, match="NoSuchEntity"):
        lab.client("owner", "iam").get_role(RoleName="allow_ecr_release")


def test_an_audit_publishes_its_report_as_an_artifact(awx: Awx, lab: Lab) -> None:
    answers = {
        "survey_regions": f"{accounts.REGION}\n",
        "survey_tag": "environment = release",
        "survey_trusted_accounts": accounts.STRANGER,
        "survey_fail_on": "low",
    }
    questions = {question["variable"]: question for question in TEMPLATES["ECR Audit"]["survey"]["spec"]}
    assert [rules.answer_problems(questions[name], answer) for name, answer in answers.items()] == [[]] * len(questions)
    policy = {"Effect": "Allow", "Principal": "*", "Action": "ecr:*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [policy]})
    ecr = lab.client("owner", "ecr")
    ecr.set_repository_policy(repositoryName="release", policyText=document, force=True)
    code, output, artifacts = awx.job("ECR Audit", [OWNER], answers)
    ecr.delete_repository_policy(repositoryName="release")
    report = artifacts["ecr_audit"]["localhost"]
    assert (code, report["account"], report["regions"]) == (2, accounts.OWNER, [accounts.REGION]), output
    assert [row["principal_kind"] for row in report["access"]] == ["everyone"]
    assert report["findings"][0]["severity"] == "critical"
    assert "Findings of severity low or higher" in output


def test_a_job_without_a_credential_names_the_type_to_attach(awx: Awx) -> None:
    code, output, _artifacts = awx.job("ECR Share", [], ANSWERS)
    assert code == 2
    printed = " ".join(output.replace("\\n", " ").split())
    assert "Attach a credential of the type ECR owner account to share and unshare" in printed


@pytest.mark.parametrize(
    ("pasted", "printed"),
    [
        (
            f"arn:aws:iam::{accounts.OWNER}:role/allow_ecr_release\n",
            "The text in ecr_pull_handoff: the text is not a hand-off",
        ),
        ("", "No hand-off and no ecr_pull_role_arn. Pass the hand-off of the owner account"),
    ],
)
def test_survey_without_a_hand_off_is_rejected(awx: Awx, pasted: str, printed: str) -> None:
    code, output, _artifacts = awx.job("ECR Prove access", [CONSUMER], {"survey_handoff": pasted})
    assert code == 2
    assert printed in output


def test_the_arn_of_the_root_stands_for_its_account(lab: Lab, tmp_path: pathlib.Path) -> None:
    pasted = {"account": f" arn:aws:iam::{accounts.CONSUMER}:root\n", "external_id": "test"}
    options = {"name": "from_awx", "repository_tags": {"environment": "release"}, "consumers": [pasted]}
    role = Control(lab, tmp_path).module("iam_ecr_pull_role", "owner", "--check", **options)
    assert [consumer["account"] for consumer in role["consumers"]] == [accounts.CONSUMER]
    assert role["trust"]["Statement"][0]["Principal"] == {"AWS": f"arn:aws:iam::{accounts.CONSUMER}:root"}
