# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook audit: its output, its report, drift, exit statuses, and errors before the first request."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.lab import accounts
from tests.support.control import REPOSITORY_ARN, ROLE, Control, Run

SCENARIO = "playbooks/vars/scenario.yml"
DECLARED = {"ecr_audit_declaration": SCENARIO}
#: A repository policy that lets the consumer account pull without the role.
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "X",
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{accounts.CONSUMER}:root"},
            "Action": ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        }
    ],
}
KEEPS = f"{accounts.CONSUMER} still pulls release through the repository policy, statement X"


@pytest.fixture(autouse=True)
def _nothing_shared_afterwards(control: Control) -> Iterator[None]:
    """The tests of this file use one lab. Each test begins without the role, its tags and a repository policy."""
    yield
    control.playbook("unshare", "owner", "-e", f"@{SCENARIO}")
    ecr = control.lab.client("owner", "ecr")
    for name in ("release", "develop"):
        ecr.untag_resource(resourceArn=REPOSITORY_ARN + name, tagKeys=["environment"])
    if "X" in _policy_text(control):
        ecr.delete_repository_policy(repositoryName="release")


def _policy_text(control: Control) -> str:
    ecr = control.lab.client("owner", "ecr")
    try:
        return str(ecr.get_repository_policy(repositoryName="release")["policyText"])
    except ecr.exceptions.RepositoryPolicyNotFoundException:
        return ""


def open_repository(control: Control) -> None:
    ecr = control.lab.client("owner", "ecr")
    ecr.set_repository_policy(repositoryName="release", policyText=json.dumps(POLICY))


def audit(control: Control, *arguments: str, profile: str = "owner", **variables: Any) -> Run:
    return control.playbook("audit", profile, *arguments, **{"ecr_audit_regions": [accounts.REGION], **variables})


def words(run: Run) -> str:
    """The output of a run without its line breaks."""
    return " ".join(run.output.split())


def requests(control: Control) -> int:
    return len(control.lab.calls())


def test_audit_shows_each_access_path_and_changes_nothing(control: Control) -> None:
    assert control.share().code == 0
    open_repository(control)
    run = audit(control)
    assert (run.code, run.changed) == (0, 0), run
    assert f"{accounts.CONSUMER} can pull release through role {ROLE}" in words(run)
    assert f"{accounts.CONSUMER} can pull release through the repository policy, statement X" in words(run)
    assert "develop" not in run.output
    assert "not visible: service control policies" in words(run)


def test_the_account_as_declared_has_no_drift(control: Control) -> None:
    assert control.share().code == 0
    run = audit(control, **DECLARED, ecr_audit_fail_on="drift")
    assert run.code == 0, run


def test_drift_is_access_with_the_command_that_ends_it(control: Control) -> None:
    assert control.share().code == 0
    ecr = control.lab.client("owner", "ecr")
    ecr.untag_resource(resourceArn=REPOSITORY_ARN + "release", tagKeys=["environment"])
    run = audit(control, **DECLARED)
    missing = f"The declaration allows this access, the account does not: {accounts.CONSUMER} (external ID) can pull"
    assert run.code == 0, run
    assert f"medium: {missing} release" in words(run)

    run = audit(control, **DECLARED, ecr_audit_fail_on="drift")
    assert run.code == 2, run
    assert f"ansible-playbook crossaccount.ecr.share -e @{SCENARIO}" in words(run)
    assert "adds tag environment=release to release" in words(run)
    assert control.share().code == 0
    assert audit(control, **DECLARED, ecr_audit_fail_on="drift").code == 0


def test_drift_without_any_share(control: Control) -> None:
    run = audit(control, **DECLARED, ecr_audit_fail_on="medium")
    assert run.code == 2, run
    assert f"creates or updates role {ROLE}" in words(run)


def test_drift_of_a_share_without_a_role(control: Control, tmp_path: pathlib.Path) -> None:
    declared = {
        "ecr_share_role_name": "own-identities",
        "ecr_share_mode": "repository_policy",
        "ecr_share_region": accounts.REGION,
        "ecr_share_repository_tags": {"environment": "release"},
        "ecr_share_repositories": ["release"],
        "ecr_share_consumers": [{"account": accounts.CONSUMER}],
    }
    file = tmp_path / "declaration.yml"
    file.write_text(yaml.safe_dump(declared))
    assert control.playbook("share", "owner", "-e", f"@{file}").code == 0
    run = audit(control, ecr_audit_declaration=str(file), ecr_audit_fail_on="drift")
    assert run.code == 0, run

    tags = [{"Key": "environment", "Value": "release"}]
    control.lab.client("owner", "ecr").tag_resource(resourceArn=REPOSITORY_ARN + "develop", tags=tags)
    run = audit(control, ecr_audit_declaration=str(file), ecr_audit_fail_on="drift")
    assert run.code == 2, run
    assert f"the account does not: {accounts.CONSUMER} can pull develop" in words(run)
    assert "the statement of own-identities in the policies of" in words(run)
    assert control.playbook("unshare", "owner", "-e", f"@{file}").code == 0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("- a list\n", "the file has no variables"),
        ("a: [b\n", "did not find expected"),
        ("ecr_share_role_name: '{{ no_such_variable }}'\n", "no_such_variable"),
        ("nothing: declared\n", "missing required arguments: ecr_share_consumers"),
        (None, "the file does not exist. Correct ecr_audit_declaration."),
    ],
)
def test_a_file_without_a_valid_declaration_is_one_error(
    control: Control, tmp_path: pathlib.Path, content: str | None, message: str
) -> None:
    file = tmp_path / "declaration.yml"
    if content is not None:
        file.write_text(content)
    before = requests(control)
    run = audit(control, ecr_audit_declaration=str(file))
    assert (run.code, requests(control)) == (2, before), run
    assert message in words(run)
    assert str(file) in words(run)
    assert "Traceback" not in run.output


def test_all_problems_of_a_declaration_are_reported_together(control: Control, tmp_path: pathlib.Path) -> None:
    declared = yaml.safe_load(pathlib.Path(SCENARIO).read_text())
    declared["ecr_share_consumers"] = [{"account": "2222"}]
    declared["ecr_share_repositories"] = ["Release"]
    declared["ecr_share_exlusive"] = True
    file = tmp_path / "declaration.yml"
    file.write_text(yaml.safe_dump(declared))
    before = requests(control)
    run = audit(control, ecr_audit_declaration=str(file), ecr_audit_report_path="reports")
    assert (run.code, requests(control)) == (2, before), run
    for problem in ("2222", "Release", "ecr_share_exlusive", "ecr_audit_report_path"):
        assert problem in words(run)


def test_the_report_with_drift_is_written_before_the_run_fails(control: Control, tmp_path: pathlib.Path) -> None:
    run = audit(control, **DECLARED, ecr_audit_fail_on="drift", ecr_audit_report_dir=str(tmp_path / "reports"))
    assert run.code == 2, run
    report = json.loads((tmp_path / "reports/audit.json").read_text())
    (drift,) = [finding for finding in report["findings"] if finding["id"] == "drift-missing-access"]
    assert drift["fix"].startswith(f"ansible-playbook crossaccount.ecr.share -e @{SCENARIO}")
    assert drift["title"] in (tmp_path / "reports/audit.html").read_text()


@pytest.mark.parametrize("existing", ['{"schema": "crossaccount.ecr/audit/99"}', "not JSON"])
def test_an_unusable_report_is_an_error_before_the_first_request(
    control: Control, tmp_path: pathlib.Path, existing: str
) -> None:
    (tmp_path / "audit.json").write_text(existing)
    before = requests(control)
    run = audit(control, ecr_audit_report_dir=str(tmp_path))
    assert (run.code, requests(control)) == (2, before), run
    assert "audit.json" in words(run)
    run = audit(control, ecr_audit_report_dir=str(tmp_path / "audit.json"))
    assert (run.code, requests(control)) == (2, before), run
    assert "is not a writable directory" in words(run)


def test_each_of_several_accounts_has_its_own_report(control: Control, tmp_path: pathlib.Path) -> None:
    inventory = tmp_path / "hosts.ini"
    inventory.write_text("[owners]\none ecr_audit_profile=owner\ntwo ecr_audit_profile=consumer-administrator\n")
    hosts = ("-i", str(inventory), "-e", "ansible_connection=local")
    reports = tmp_path / "reports"
    run = audit(control, *hosts, ecr_audit_hosts="owners", ecr_audit_report_dir=str(reports))
    assert run.code == 0, run
    found = {host: json.loads((reports / host / "audit.json").read_text())["account"] for host in ("one", "two")}
    assert found == {"one": accounts.OWNER, "two": accounts.CONSUMER}
    assert f"two: Account {accounts.CONSUMER}" in run.output


def test_unshare_in_check_mode_names_who_keeps_access(control: Control) -> None:
    assert control.share().code == 0
    run = control.playbook("unshare", "owner", "-e", f"@{SCENARIO}", "--check")
    assert (run.code, "still pulls" in run.output) == (0, False), run
    open_repository(control)
    for playbook in ("unshare", "share"):
        run = control.playbook(playbook, "owner", "-e", f"@{SCENARIO}", "--check")
        assert (run.code, KEEPS in words(run)) == (0, True), run
    run = control.playbook("unshare", "owner", "-e", f"@{SCENARIO}")
    assert (run.code, "still pulls" in run.output) == (0, False), run
    # The line is true: the consumer pulls the manifest without the role.
    image = {"repositoryName": "release", "registryId": accounts.OWNER, "imageIds": [{"imageTag": accounts.IMAGE_TAG}]}
    assert control.lab.client("consumer-administrator", "ecr").batch_get_image(**image)["images"]
