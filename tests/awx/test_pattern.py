# SPDX-License-Identifier: GPL-3.0-or-later
"""The pattern is what AWX takes, and its parts fit together; the execution environment can be built from."""

from __future__ import annotations

import json
import pathlib
import re
import subprocess
from typing import Any

import pytest
import yaml
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import explain

from tests.awx.pattern import AWX, FOLDER, IMAGE, PATTERN, PROJECT, RESOURCES, TEMPLATES, TYPES, apply
from tests.support.paths import ROOT

from . import rules
from .server import Awx


def test_pattern_matches_its_specification() -> None:
    # Source: Ansible Pattern Specification 1.0, "meta/pattern.json" and its schema.
    assert PATTERN["schema_version"] == "1.0"
    assert PATTERN["name"] == FOLDER.name
    assert re.fullmatch("[a-z0-9_]{1,64}", PATTERN["name"])
    assert len(PATTERN["title"]) <= 64
    assert not PATTERN["short_description"].endswith(".")
    assert PATTERN["description"].endswith(".")
    assert (FOLDER / "README.md").is_file()
    # Optional, and a name that the project does not publish: anyone could publish it.
    assert "controller_execution_environment" not in RESOURCES
    named = [RESOURCES["controller_project"], AWX["ecr_awx_execution_environment"], *TEMPLATES.values()]
    assert all(0 < len(object_["name"]) <= 200 and object_["description"] for object_ in named)
    assert [template for template in TEMPLATES.values() if template.get("primary")] == [TEMPLATES["ECR Share"]]
    for template in TEMPLATES.values():
        assert "execution_environment" not in template
        assert (FOLDER / "playbooks" / template["playbook"]).is_file()
        for question in template["survey"]["spec"]:
            assert question["question_description"].endswith("."), question
            assert isinstance(question.get("default", ""), str), question
            assert len(question["variable"]) <= 64


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=TEMPLATES)
def test_survey_is_valid_and_matches_its_playbook(template: dict[str, Any]) -> None:
    assert rules.survey_problems(template["survey"]) == []
    variables = {question["variable"] for question in template["survey"]["spec"]}
    name = "pull.yml" if template["playbook"] == "prove.yml" else template["playbook"]  # which it imports
    used = set(re.findall(r"\bsurvey_\w+", (FOLDER / "playbooks" / name).read_text()))
    assert variables == (used - {"survey_engine", "survey_dest"} if template["playbook"] == "prove.yml" else used)


@pytest.mark.parametrize("kind", TYPES.values(), ids=TYPES)
def test_a_credential_type_is_what_awx_takes(kind: dict[str, Any], tmp_path: pathlib.Path) -> None:
    assert rules.credential_type_problems(kind) == []
    keys = {"access_key": "AKIAIOSFODNN7EXAMPLE", "secret_key": "secret/of+the%test"}
    for token in ("", "token+of/the%test=="):
        _environment, variables = rules.inject(kind["injectors"], {**keys, "session_token": token}, tmp_path)
        text = (tmp_path / "template").read_text()
        assert ("aws_session_token" in text) == bool(token)
        assert not any(value in str(variables) for value in keys.values())


def test_one_job_can_have_the_credentials_of_both_accounts() -> None:
    injected = [kind["injectors"] for kind in TYPES.values()]
    for part in ("env", "extra_vars"):
        names = [name for injectors in injected for name in injectors[part]]
        assert len(names) == len(set(names)) >= len(TYPES)


def test_every_template_requires_its_credential() -> None:
    class NoCredentialsError(Exception):
        pass

    assert AWX["ecr_awx_credential_of"].keys() == TEMPLATES.keys()
    message = explain(NoCredentialsError(), {"AWX_HOST": "https://awx.example.com"})
    for name in set(AWX["ecr_awx_credential_of"].values()):
        assert f"of the type {name} to " in message
    assert "AWX" not in explain(NoCredentialsError(), {})


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"type": "choice"}, "choice is no type of question"),
        ({"required": "yes"}, "required is no bool"),
        ({"variable": "a-b"}, "no name of a variable"),
        ({"min": "12"}, "min is no integer"),
        ({"type": "multiplechoice"}, "no choices"),
        ({"type": "multiplechoice", "choices": ["a"], "default": "b"}, "none of the choices"),
        ({"default": 3}, "of another type"),
        ({"min": 2, "default": "a"}, "too small or too large"),
    ],
)
def test_the_rules_of_surveys_refuse(changed: dict[str, Any], problem: str) -> None:
    question = {"type": "text", "question_name": "A", "variable": "a", "required": True, **changed}
    assert problem in " ".join(rules.survey_problems({"name": "", "description": "", "spec": [question]}))


@pytest.mark.parametrize(
    ("injectors", "problem"),
    [
        ({"env": {"ANSIBLE_CONFIG": "x"}}, "cannot set ANSIBLE_CONFIG"),
        ({"env": {"AWS_REGION": "{{ region }}"}}, "'region' is undefined"),
        ({"env": {"KEYS": "{{ tower.filename }}"}}, "filename"),
        ({"file": {"template": "", "template.a": ""}}, "a name of its own"),
        ({"file": {"keys": ""}}, "no name of a file"),
        ({"environment": {}}, "no injector environment"),
    ],
)
def test_the_rules_of_credential_types_refuse(injectors: dict[str, Any], problem: str) -> None:
    inputs = {"fields": [{"id": "key", "label": "Key"}]}
    assert problem in " ".join(rules.credential_type_problems({"inputs": inputs, "injectors": injectors}))


def test_one_playbook_makes_all_of_it(awx: Awx, tmp_path: pathlib.Path) -> None:
    run = apply(tmp_path, awx.url)
    assert run.returncode == 0, run.stdout + run.stderr
    (environment,), (project,) = awx.all("execution_environments"), awx.all("projects")
    assert environment["image"] == IMAGE
    assert (project["scm_url"], project["scm_branch"]) == (PROJECT, "0.1.0")
    templates, types = awx.named("job_templates"), awx.named("credential_types")
    assert templates.keys() == TEMPLATES.keys()
    assert {template["execution_environment"] for template in templates.values()} == {environment["id"]}
    assert types.keys() == TYPES.keys()
    for name, template in templates.items():
        assert awx.surveys[template["related"]["survey_spec"]] == TEMPLATES[name]["survey"]
        assert (ROOT / template["playbook"]).is_file()
        expected = awx.named("credentials")[AWX["ecr_awx_credential_of"][name]]
        assert awx.linked[template["url"] + "credentials/"] == [expected["id"]]
        assert "inputs" not in expected
    for name, kind in types.items():
        assert kind["injectors"] == TYPES[name]["injectors"]
    (host,) = awx.all("hosts")
    assert json.loads(host["variables"])["ansible_python_interpreter"] == "{{ ansible_playbook_python }}"
    (schedule,) = awx.all("schedules")
    assert schedule["unified_job_template"] == templates["ECR Audit"]["id"]
    assert (schedule["enabled"], schedule["rrule"]) == (False, "DTSTART:20260101T050000Z RRULE:FREQ=DAILY;INTERVAL=1")
    questions = {question["variable"]: question for question in TEMPLATES["ECR Audit"]["survey"]["spec"]}
    assert questions.keys() == schedule["extra_data"].keys()
    answers = schedule["extra_data"].items()
    assert [rules.answer_problems(questions[name], answer) for name, answer in answers] == [[]] * len(questions)
    (workflow,) = awx.all("workflow_job_templates")
    assert awx.surveys[workflow["related"]["survey_spec"]] == TEMPLATES["ECR Share"]["survey"]
    nodes = awx.named("workflow_job_template_nodes")
    names = {node["id"]: name for name, node in nodes.items()}
    after = {
        name: list(map(names.get, awx.linked.get(node["url"] + "success_nodes/", []))) for name, node in nodes.items()
    }
    assert after == {"share": ["prove"], "prove": ["pull"], "pull": ["approve"], "approve": ["unshare"], "unshare": []}

    # awx.awx writes an approval again each time, and says that it changed.
    approval = awx.objects["workflow_approval_templates"][nodes["approve"]["unified_job_template"]]
    mark = len(awx.writes)
    again = apply(tmp_path, awx.url, "--start-at-task", "Create the workflow")
    assert (again.returncode, awx.writes[mark:]) == (0, [f"PATCH {approval['url']}"]), again.stdout + again.stderr


def test_the_schedule_is_enabled_with_its_regions(awx: Awx, tmp_path: pathlib.Path) -> None:
    answers = {"ecr_awx_audit_regions": ["ap-northeast-1", "eu-west-1"], "ecr_awx_audit_fail_on": "critical"}
    run = apply(tmp_path, awx.url, "-e", json.dumps(answers))
    assert run.returncode == 0, run.stdout + run.stderr
    (schedule,) = awx.all("schedules")
    assert (schedule["enabled"], schedule["extra_data"]["survey_fail_on"]) == (True, "critical")
    assert schedule["extra_data"]["survey_regions"].split() == ["ap-northeast-1", "eu-west-1"]


def test_no_awx_is_an_error_that_says_how_to_name_one(tmp_path: pathlib.Path) -> None:
    run = apply(tmp_path, "")
    assert run.returncode == 2
    assert "Set CONTROLLER_HOST to its address, such as https://awx.example.com" in " ".join(run.stdout.split())


def test_ansible_builder_creates_the_context(tmp_path: pathlib.Path) -> None:
    def builder(*arguments: str | pathlib.Path) -> str:
        command = [ROOT / ".venv/bin/ansible-builder", *arguments]
        return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout

    builder("create", "--context", tmp_path / "context", "--output-filename", "Containerfile")
    collections = yaml.safe_load((tmp_path / "context/_build/requirements.yml").read_text())["collections"]
    galaxy = yaml.safe_load((ROOT / "galaxy.yml").read_text())
    (amazon,) = [collection for collection in collections if collection["name"] == "amazon.aws"]
    oldest = galaxy["dependencies"]["amazon.aws"].removeprefix(">=")
    assert [int(part) for part in amazon["version"].split(".")] >= [int(part) for part in oldest.split(".")]
    (ours,) = [collection for collection in collections if collection.get("type") == "git"]
    assert (ours["name"], ours["version"]) == (galaxy["repository"] + ".git", galaxy["version"])
    assert not re.search("docker|podman|skopeo", (tmp_path / "context/Containerfile").read_text())
    # The requirements of the collection, as an execution environment reads it.
    (tmp_path / "ansible_collections/crossaccount").mkdir(parents=True)
    (tmp_path / "ansible_collections/crossaccount/ecr").symlink_to(ROOT)
    needed = yaml.safe_load(builder("introspect", tmp_path))
    assert needed == {
        "python": ["boto3>=1.34.0  # from collection crossaccount.ecr", *needed["python"][1:]],
        "system": [],
    }
    assert [requirement.partition(" ")[0] for requirement in needed["python"]] == ["boto3>=1.34.0", "botocore>=1.34.0"]
