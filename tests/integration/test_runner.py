# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of AWX to run a job: ansible-runner with a private data directory, and its events and artifacts."""

from __future__ import annotations

import itertools
import json
import os
import pathlib
import time
from collections.abc import Callable
from typing import Any

import ansible_runner
import pytest

from tests.lab import accounts, state
from tests.support.control import BIN, ROLE, ROLE_ARN, WAIT_INTERVAL, Control
from tests.support.lab import Lab
from tests.support.secret_search import Secrets
from tests.support.watching import MARK

#: AWX makes an inventory a program that prints it.
INVENTORY = "#!/usr/bin/env python3\nprint({text!r})\n"
HOST = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
#: The answers of a survey are strings that are not templated, in AWX's file: `!unsafe`.
SHARE_SURVEY = {
    "ecr_share_role_name": ROLE,
    "ecr_share_repositories": "release",
    "ecr_share_access": "read",
    "ecr_share_region": accounts.REGION,
}
#: The job template's own extra variables are YAML.
SHARE_VARIABLES: dict[str, Any] = {
    "ecr_share_repository_tags": {"environment": "release"},
    "ecr_share_consumers": [{"account": accounts.CONSUMER, "external_id": "test"}],
    "ecr_share_wait_interval": WAIT_INTERVAL,
}
PULL_SURVEY = {"ecr_pull_images": f"release:{accounts.IMAGE_TAG}", "ecr_pull_denied": "develop"}
HERE = {"ecr_pull_credentials": "control_node", "ecr_pull_engine": "oci_layout"}
NO_SHARE_YET: dict[str, Any] = {
    **HERE,
    "ecr_pull_role_arn": ROLE_ARN,
    "ecr_pull_external_id": "test",
    "ecr_pull_region": accounts.REGION,
    "ecr_pull_repositories": ["release"],
    "ecr_pull_wait_interval": 0.1,
}


class Job:
    """A job of AWX: its private data directory, and what came of it."""

    def __init__(self, control: Control, folder: pathlib.Path, playbook: str, **credential: str) -> None:
        self.lab, self.folder, self.playbook = control.lab, folder, playbook
        for name in ("project", "inventory", "env", "home", "tmp"):
            (folder / name).mkdir(parents=True)
        imports = [{"ansible.builtin.import_playbook": f"crossaccount.ecr.{playbook}"}]
        (folder / f"project/{playbook}.yml").write_text(json.dumps(imports), encoding="utf-8")
        hosts = {"all": {"hosts": ["localhost"]}, "_meta": {"hostvars": {"localhost": HOST}}}
        script = folder / "inventory/hosts"
        script.write_text(INVENTORY.format(text=json.dumps(hosts)), encoding="utf-8")
        script.chmod(0o700)
        self.environment = {
            **control.environment(None),
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(folder / "home"),
            "TMPDIR": str(folder / "tmp"),
            "ANSIBLE_HOME": str(folder / "home/.ansible"),
            "AWS_ENDPOINT_URL": control.lab.endpoint,
            MARK: str(folder),
            **credential,
        }
        self.events: list[dict[str, Any]] = []

    def run(
        self, survey: dict[str, str], variables: dict[str, Any], cancel: Callable[[], bool] = lambda: False
    ) -> ansible_runner.Runner:
        answers = [f"{name}: !unsafe {json.dumps(value)}" for name, value in survey.items()]
        text = "\n".join([*(f"{name}: {json.dumps(value)}" for name, value in variables.items()), *answers])
        (self.folder / "env/extravars").write_text(text + "\n", encoding="utf-8")
        recorded = self.lab.folder / state.SECRETS
        recorded.touch(0o600)
        try:
            runner = ansible_runner.run(
                private_data_dir=str(self.folder),
                playbook=f"{self.playbook}.yml",
                ident="1",
                envvars=self.environment,
                settings={"pexpect_timeout": 0.05},
                suppress_env_files=True,
                quiet=True,
                event_handler=self._keep,
                cancel_callback=cancel,
            )
            self.secrets = Secrets([*keys_of(self.lab), *recorded.read_text(encoding="utf-8").split()])
        finally:
            recorded.unlink()
        return runner

    def _keep(self, event: dict[str, Any]) -> bool:
        """An event, which is then written to its file as well."""
        self.events.append(event)
        return True

    @property
    def artifacts(self) -> Any:
        """The artifacts of the job in AWX."""
        return self.events[-1]["event_data"]["artifact_data"]

    def secret_in(self) -> set[str]:
        """The files of the whole directory that hold a secret: events, output, artifacts, what was left of a run."""
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        assert len(files) > len(self.events)
        return {str(path.relative_to(self.folder)) for path in files if self.secrets.within(path.read_bytes())}

    def processes(self) -> list[str]:
        """Those of the job that are still there."""
        mark = f"{MARK}={self.folder}\0".encode()
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and mark in (entry / "environ").read_bytes():
                    found.append((entry / "cmdline").read_text())
            except OSError:
                continue  # it is gone
        return found


def keys_of(lab: Lab) -> list[str]:
    return [lab.session(profile).get_credentials().secret_key for profile in accounts.USERS]


@pytest.fixture(scope="module")
def owner(control: Control) -> Callable[[str], Job]:
    """Makes a job with a credential type of one's own that injects a file: only its path is in the environment."""
    numbers = itertools.count(1)

    def job(playbook: str) -> Job:
        folder = control.folder / f"job-{next(numbers)}"
        file = folder / "env/tmp-credential"
        made = Job(control, folder, playbook, AWS_SHARED_CREDENTIALS_FILE=str(file), AWS_CONFIG_FILE=str(folder / "no"))
        keys = control.lab.session("owner").get_credentials()
        file.touch(0o600)
        file.write_text(
            f"[default]\naws_access_key_id = {keys.access_key}\naws_secret_access_key = {keys.secret_key}\n",
            encoding="utf-8",
        )
        return made

    return job


@pytest.fixture
def pull(control: Control, tmp_path: pathlib.Path) -> Job:
    """A job with AWX's own credential type, which puts the keys into the environment."""
    keys = control.lab.session("consumer").get_credentials()
    return Job(
        control, tmp_path / "job", "pull", AWS_ACCESS_KEY_ID=keys.access_key, AWS_SECRET_ACCESS_KEY=keys.secret_key
    )


def test_a_job_that_is_canceled_ends_soon_and_leaves_nothing(pull: Job) -> None:
    """While it waits for a share that does not exist yet. Ansible's workers outlive the signal that ends the job."""
    runner = pull.run(
        PULL_SURVEY, NO_SHARE_YET, cancel=lambda: any("waiting up to " in it["stdout"] for it in pull.events)
    )
    assert (runner.status, runner.rc) == ("canceled", 254), runner.stdout.read()
    deadline = time.monotonic() + 120
    while still := pull.processes():
        assert time.monotonic() < deadline, still
        time.sleep(0.05)
    assert pull.secret_in() == {"artifacts/1/command"}  # where ansible-runner records the environment
    assert pull.events[-1]["event"] != "playbook_on_stats"


def test_share_pull_and_unshare_as_jobs(
    control: Control, owner: Callable[[str], Job], pull: Job, tmp_path: pathlib.Path
) -> None:
    share = owner("share")
    runner = share.run(SHARE_SURVEY, SHARE_VARIABLES)
    assert runner.status == "successful", runner.stdout.read()
    assert (runner.stats["changed"].keys(), runner.stats["failures"]) == ({"localhost"}, {})
    assert share.secret_in() == {"env/tmp-credential"}
    output = " ".join(event["stdout"] for event in share.events)
    assert f"+ {accounts.CONSUMER} (external ID) can pull release" in output

    gained = [{"principal": f"{accounts.CONSUMER} (external ID)", "repository": "release", "region": accounts.REGION}]
    assert share.artifacts["ecr_share"]["localhost"]["gained"] == gained

    handoff = share.artifacts["ecr_share_handoff"]
    options = {**HERE, "ecr_pull_dest": str(tmp_path / "image"), "ecr_pull_wait_timeout": 0}
    runner = pull.run(PULL_SURVEY, {"ecr_pull_handoff": handoff, **options})
    assert runner.status == "successful", runner.stdout.read()
    found = pull.artifacts["ecr_pull"]["localhost"]
    assert (found["verdict"], found["problems"], found["engine"]) == ("pass", [], "oci_layout")
    assert found["repositories"] == {"release": "allowed", "develop": "denied"}
    pushed = control.lab.client("owner", "ecr").describe_images(repositoryName="release")["imageDetails"]
    assert [image["digest"] for image in found["images"]] == [image["imageDigest"] for image in pushed]
    assert pull.secret_in() == {"artifacts/1/command"}
    # As AWX reads them: the files contain the events of the running job.
    read = list(runner.events)
    assert [event["uuid"] for event in read] == [event["uuid"] for event in pull.events]
    assert {"playbook_on_start", "runner_on_ok", "playbook_on_stats"} <= {event["event"] for event in read}

    unshare = owner("unshare")
    runner = unshare.run(SHARE_SURVEY, SHARE_VARIABLES)
    assert runner.status == "successful", runner.stdout.read()
    assert runner.stats["changed"].keys() == {"localhost"}
    assert unshare.secret_in() == {"env/tmp-credential"}
    assert unshare.artifacts["ecr_share"]["localhost"]["lost"] == gained


def test_a_job_that_fails_says_why(owner: Callable[[str], Job]) -> None:
    share = owner("share")
    runner = share.run({**SHARE_SURVEY, "ecr_share_repositories": "nowhere"}, SHARE_VARIABLES)
    assert (runner.status, runner.rc, runner.stats["failures"].keys()) == ("failed", 2, {"localhost"})
    failures = [event["event_data"]["res"]["msg"] for event in share.events if event["event"] == "runner_on_failed"]
    assert any("Repository nowhere does not exist" in msg for msg in failures), failures
