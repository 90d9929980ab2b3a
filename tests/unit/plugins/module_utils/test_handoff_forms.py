# SPDX-License-Identifier: GPL-3.0-or-later
"""The forms of a hand-off, read by the parsers of their formats."""

from __future__ import annotations

import json
import pathlib
import re
import shlex
import subprocess
from typing import Any

import botocore.configloader
import botocore.session
import botocore.validate
import pygohcl
import pytest
import yaml
from ansible_collections.crossaccount.ecr.plugins.module_utils import _form_text, _handoff_forms
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from hypothesis import example, given
from hypothesis import strategies as st

from tests.unit.forms import CONSUMER, EXTERNAL_IDS, OWNER, PROFILE, REGION, REGISTRY, ROLE_ARN, form, handoff, texts


def test_each_form_has_its_own_file() -> None:
    endings = _handoff_forms.form_endings(_handoff_forms.FORM_NAMES)
    assert [ending.split(".")[1] for ending in endings] == list(_handoff_forms.FORM_NAMES)
    assert _handoff_forms.form_endings(["docker", "aws_cli"]) == [".docker.sh", ".aws_cli.ini"]
    assert _handoff_forms.form_texts(handoff(), []) == {}


@pytest.mark.parametrize("name", _handoff_forms.FORM_NAMES)
@pytest.mark.parametrize("expires", ["2026-12-31T00:00:00Z", None])
def test_top_names_what_only_the_consumer_knows(name: str, expires: str | None) -> None:
    lines = form(name, expires=expires).removeprefix("#!/bin/sh\n").splitlines()
    head = lines[: next(number for number, line in enumerate(lines) if not line.startswith("#"))]
    assert f"which account {CONSUMER} pulls from account {OWNER} in {REGION}." in head[0]
    assert ("# The access ends on 2026-12-31T00:00:00Z." in head) == bool(expires)
    known = head[head.index("# Values that only you know:") + 1 :]
    assert all(re.match(r"#   (\w+: |  )\S", line) for line in known), known
    assert known


@pytest.mark.parametrize("name", _handoff_forms.FORM_NAMES)
def test_consumer_may_be_an_organization(name: str) -> None:
    organization = {"consumer_account": None, "consumer_organization": "o-exampleorgid", "consumer_units": None}
    text = form(name, **organization)
    assert f"with which organization o-exampleorgid pulls from account {OWNER} in {REGION}." in text
    assert ("None" in text, "in your account" in text or name in ("kubelet", "external_secrets")) == (False, True)


@pytest.mark.parametrize("name", _handoff_forms.FORM_NAMES)
@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"external_id": "x\n[default]"}, "external_id has 11 characters, or a character that AWS does not accept"),
        ({"external_id": "$(id)"}, "external_id has 5 characters"),
        ({"role_arn": f"{ROLE_ARN}\nx"}, "is not the ARN of a role"),
        ({"repositories": ["${x}"]}, "'${x}' is not a repository name"),
        ({"images": ["release:${{ x }}"]}, "'release:${{ x }}' contains white space"),
        ({"registry": "host/x"}, "'host/x' is not the host of a registry"),
        ({"repository_tags": {"a": "x\ny"}}, "has a character that ECR does not accept"),
    ],
)
def test_value_that_a_consumer_rejects_is_in_no_form(name: str, changed: dict[str, Any], problem: str) -> None:
    with pytest.raises(EcrError, match=f"No form is written: .*{re.escape(problem)}"):
        form(name, **changed)


# --- profiles


@pytest.mark.parametrize("external_id", [*EXTERNAL_IDS, None])
def test_aws_cli_reads_the_profile(tmp_path: pathlib.Path, external_id: str | None) -> None:
    file = tmp_path / "config"
    own = "[default]\nregion = eu-west-1\n"
    both = [form("aws_cli", external_id=external_id), form("aws_cli", region="eu-west-1")]
    file.write_text(own + "".join(both))
    profiles = botocore.configloader.load_config(str(file))["profiles"]
    assert profiles[PROFILE] == {
        "role_arn": ROLE_ARN,
        **({} if external_id is None else {"external_id": external_id}),
        "source_profile": "default",
        "region": REGION,
    }
    assert list(profiles) == ["default", PROFILE, PROFILE.replace(REGION, "eu-west-1")]


def _profile_in(text: str) -> list[str]:
    """The lines of the profile in the comments of a form."""
    lines = [line.removeprefix("#   ") for line in text.splitlines()]
    start = lines.index(f"[profile {PROFILE}]")
    return lines[start : next(number for number in range(start, len(lines)) if lines[number].startswith("region")) + 1]


def test_docker_form_is_a_helper_with_the_profile(tmp_path: pathlib.Path) -> None:
    text = form("docker")
    assert _profile_in(text) == form("aws_cli").splitlines()[-5:]
    (entry,) = re.findall(r"^#   (\{.*\})$", text, re.MULTILINE)
    helper = json.loads(entry)["credHelpers"][REGISTRY]
    (program,) = re.findall(r"^#   install -m 755 THIS_FILE (\S+)$", text, re.MULTILINE)
    assert program == f"/usr/local/bin/docker-credential-{helper}"

    (tmp_path / "docker-credential-ecr-login").write_text('#!/bin/sh\necho "$AWS_PROFILE $AWS_ACCESS_KEY_ID $*"\n')
    (tmp_path / "docker-credential-ecr-login").chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "AWS_ACCESS_KEY_ID": "of-someone-else"}
    ran = subprocess.run(
        ["/bin/sh", "-c", text, "sh", "get"], env=environment, capture_output=True, text=True, check=True
    )
    assert ran.stdout == f"{PROFILE}  get\n"


def test_kubelet_form_is_a_configuration_with_the_profile() -> None:
    """The fields and their types: Kubernetes, "Kubelet Configuration (v1)"."""
    text = form("kubelet")
    document = yaml.safe_load(text)
    (provider,) = document.pop("providers")
    assert document == {"apiVersion": "kubelet.config.k8s.io/v1", "kind": "CredentialProviderConfig"}
    assert _profile_in(text) == [
        line.replace("source_profile = default", "credential_source = Ec2InstanceMetadata")
        for line in form("aws_cli").splitlines()[-5:]
    ]
    (path,) = re.findall(r"Write this profile to (\S+) on each node:$", text, re.MULTILINE)
    assert provider == {
        "name": f"ecr-credential-provider-{OWNER}-{REGION}",
        "matchImages": [REGISTRY],
        "defaultCacheDuration": "0s",
        "apiVersion": "credentialprovider.kubelet.k8s.io/v1",
        "env": [{"name": "AWS_PROFILE", "value": PROFILE}, {"name": "AWS_CONFIG_FILE", "value": path}],
    }
    assert re.search(r"have no field for a pull role or an external ID\.$", text, re.MULTILINE)
    assert f"#   ln -s ecr-credential-provider {provider['name']}" in text.splitlines()


# --- pods and tasks


def _command(text: str, tmp_path: pathlib.Path, **variables: str) -> list[str]:
    """The arguments of the AWS CLI in a form, which the shell runs."""
    (tmp_path / "aws").write_text("#!/bin/sh\nprintf '%s\\0' \"$@\"\n")
    (tmp_path / "aws").chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", **variables}
    ran = subprocess.run(["/bin/sh", "-c", text], env=environment, capture_output=True, text=True, check=True)
    return ran.stdout.split("\0")[:-1]


def _valid(service: str, operation: str, request: dict[str, Any]) -> None:
    """Compare a request with the model of AWS."""
    model = botocore.session.get_session().get_service_model(service)
    report = botocore.validate.ParamValidator().validate(request, model.operation_model(operation).input_shape)
    assert not report.has_errors(), report.generate_report()


def test_eks_form_creates_an_association(tmp_path: pathlib.Path) -> None:
    own = {"CLUSTER": "c 1", "NAMESPACE": "n", "SERVICE_ACCOUNT": "s", "ROLE_ARN": f"arn:aws:iam::{CONSUMER}:role/own"}
    service, operation, *words = _command(form("eks_pod_identity"), tmp_path, **own)
    assert (service, operation) == ("eks", "create-pod-identity-association")
    given = dict(zip(words[::2], words[1::2]))
    assert [given.pop(name) for name in ("--query", "--output")] == ["association.externalId", "text"]
    request = json.loads(given.pop("--cli-input-json"))
    assert request == {"targetRoleArn": ROLE_ARN, "disableSessionTags": True}
    names = {"--cluster-name": "clusterName", "--service-account": "serviceAccount", "--role-arn": "roleArn"}
    request |= {names.get(name, name.removeprefix("--")): value for name, value in given.items()}
    assert list(request.values())[2:] == ["c 1", "n", "s", own["ROLE_ARN"]]
    _valid("eks", "CreatePodIdentityAssociation", request)


@pytest.mark.parametrize("missing", ["CLUSTER", "ROLE_ARN"])
def test_eks_form_needs_every_variable(tmp_path: pathlib.Path, missing: str) -> None:
    own = dict.fromkeys({"CLUSTER", "NAMESPACE", "SERVICE_ACCOUNT", "ROLE_ARN"} - {missing}, "x")
    with pytest.raises(subprocess.CalledProcessError) as failed:
        _command(form("eks_pod_identity"), tmp_path, **own)
    assert (failed.value.stdout, f"{missing}: parameter not set" in failed.value.stderr) == ("", True)


def test_eks_form_says_who_chooses_the_external_id() -> None:
    assert (
        "# The share requires the external ID 7c2f4e0b-share. EKS generates the one of the association:\n"
        "#   REGION/ACCOUNT/CLUSTER/NAMESPACE/SERVICE-ACCOUNT\n"
    ) in form("eks_pod_identity")
    assert "# This share has no external ID, so" in form("eks_pod_identity", external_id=None)


@pytest.mark.parametrize("external_id", [*EXTERNAL_IDS, None])
def test_external_secrets_sends_the_external_id_where_it_can(external_id: str | None) -> None:
    """The fields: the custom resources of External Secrets 2.9."""
    text = form("external_secrets", external_id=external_id)
    store, generator, secret = yaml.safe_load_all(text)
    name = f"ecr-pull-{OWNER}-{REGION}"
    assert {document["metadata"]["name"] for document in (store, generator, secret)} == {name}
    assert (store["apiVersion"], store["kind"]) == ("external-secrets.io/v1", "SecretStore")
    assert store["spec"]["provider"]["aws"] == {
        "service": "SecretsManager",
        "region": REGION,
        "role": ROLE_ARN,
        **({} if external_id is None else {"externalID": external_id}),
    }
    assert (generator["apiVersion"], generator["kind"]) == (
        "generators.external-secrets.io/v1alpha1",
        "ECRAuthorizationToken",
    )
    assert generator["spec"] == {"region": REGION, **({"role": ROLE_ARN} if external_id is None else {})}
    assert ("# ECRAuthorizationToken has no field for an external ID" in text) == (external_id is not None)
    assert secret["spec"]["dataFrom"][0]["sourceRef"]["generatorRef"] == {
        "apiVersion": generator["apiVersion"],
        "kind": generator["kind"],
        "name": name,
    }
    template = secret["spec"]["target"]["template"]
    login = {"username": "{{ .username }}", "password": "{{ .password }}"}
    assert template["type"] == "kubernetes.io/dockerconfigjson"
    assert json.loads(template["data"][".dockerconfigjson"]) == {"auths": {REGISTRY: login}}


def test_ecs_form_allows_the_pull_on_the_consumer_s_side(tmp_path: pathlib.Path) -> None:
    text = form("ecs_lambda")
    assert "# ECS and Lambda cannot use the pull role allow_ecr_release: they assume no role to pull." in text
    assert f"#   {REGISTRY}/release:v1.0" in text.splitlines()
    service, operation, *words = _command(text, tmp_path, ROLE_NAME="own")
    assert (service, operation) == ("iam", "put-role-policy")
    given = dict(zip(words[::2], words[1::2]))
    policy = json.loads(given["--policy-document"])
    request = {
        "RoleName": given["--role-name"],
        "PolicyName": given["--policy-name"],
        "PolicyDocument": given["--policy-document"],
    }
    _valid("iam", "PutRolePolicy", request)
    pull, token = policy["Statement"]
    assert (token["Action"], token["Resource"]) == ("ecr:GetAuthorizationToken", "*")
    assert pull["Action"] == ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    repositories = [f"arn:aws:ecr:{REGION}:{OWNER}:repository/{name}" for name in ("release", "tools/build")]
    assert pull["Resource"] == repositories
    without_role = {"role_arn": None, "external_id": None, "mode": "repository_policy", "registry_account": OWNER}
    text = form("ecs_lambda", **without_role, consumer_policy=policy)
    assert "# The share has ecr_share_mode: repository_policy." in text.splitlines()
    assert "cannot use the pull role" not in text
    with pytest.raises(EcrError, match=r"the share has no role, but these forms assume one: docker\."):
        form("docker", **without_role)
    assert _command(text, tmp_path, ROLE_NAME="own")[-1] == json.dumps(policy)


def test_ecs_form_names_the_policy_of_each_share(tmp_path: pathlib.Path) -> None:
    """So that the command of one share does not replace the policy of another share."""
    without_role = {"role_arn": None, "external_id": None, "mode": "repository_policy", "registry_account": OWNER}
    command = _command(form("ecs_lambda", **without_role, sid="CrossaccountEcrRelease1"), tmp_path, ROLE_NAME="own")
    assert command[command.index("--policy-name") + 1] == f"ecr-pull-{OWNER}-{REGION}-CrossaccountEcrRelease1"
    with pytest.raises(EcrError, match=r"the sid '.*' in role is not letters and digits"):
        form("ecs_lambda", **without_role, sid="a\nb")


# --- pipelines


@pytest.mark.parametrize("external_id", [*EXTERNAL_IDS, None])
def test_github_reads_the_workflow(external_id: str | None) -> None:
    workflow = yaml.safe_load(form("github_actions", external_id=external_id))
    assert (workflow["on"], workflow["permissions"]) == ({"workflow_dispatch": {}}, {"id-token": "write"})
    own, pull_role, login, pull = workflow["jobs"]["pull"]["steps"]
    assert own["with"] == {"aws-region": REGION, "role-to-assume": "${{ vars.ECR_PULL_CALLER_ROLE }}"}
    assert pull_role["with"] == {
        "aws-region": REGION,
        "role-to-assume": ROLE_ARN,
        **({} if external_id is None else {"role-external-id": external_id}),
        "role-chaining": True,
        "role-skip-session-tagging": True,
    }
    assert login["with"] == {"registries": OWNER}
    assert shlex.split(pull["run"]) == ["docker", "pull", f"{REGISTRY}/release:v1.0"]


#: The inputs of each action: action.yml of configure-aws-credentials 6.2.3 and amazon-ecr-login 2.1.7.
INPUTS = {
    "aws-actions/configure-aws-credentials@v6": {
        *("aws-region", "role-to-assume", "role-external-id", "role-chaining", "role-skip-session-tagging"),
        "audience",
    },
    "aws-actions/amazon-ecr-login@v2": {"registries", "mask-password", "registry-type", "skip-logout", "http-proxy"},
}


def test_workflow_uses_published_inputs() -> None:
    for step in yaml.safe_load(form("github_actions"))["jobs"]["pull"]["steps"]:
        if "uses" in step:
            assert {*step["with"]} <= INPUTS[step["uses"]]
        else:
            assert set(step) == {"run"}


def test_workflow_without_images_says_so() -> None:
    text = form("github_actions", images=[])
    assert "# The hand-off names no image. Add a step that pulls one after the third step." in text.splitlines()
    assert len(yaml.safe_load(text)["jobs"]["pull"]["steps"]) == 3


# --- partitions


@pytest.mark.parametrize(
    ("partition", "region", "domain"),
    [("aws-cn", "cn-north-1", "amazonaws.com.cn"), ("aws-us-gov", "us-gov-west-1", "amazonaws.com")],
)
def test_forms_of_other_partitions(tmp_path: pathlib.Path, partition: str, region: str, domain: str) -> None:
    """The names and the external ID have every special character that AWS accepts."""
    role_arn, external_id = f"arn:{partition}:iam::{OWNER}:role/a/b+=,.@_-c", "+=,.@:/-_"
    registry = f"{OWNER}.dkr.ecr.{region}.{domain}"
    changed = {"role_arn": role_arn, "external_id": external_id, "region": region, "registry": registry}
    texts_of = {name: form(name, **changed) for name in _handoff_forms.FORM_NAMES}
    (tmp_path / "config").write_text(texts_of["aws_cli"])
    (profile,) = botocore.configloader.load_config(str(tmp_path / "config"))["profiles"].items()
    assert (profile[0], profile[1]["external_id"]) == (f"b+=,.@_-c-{OWNER}-{region}", external_id)
    words = shlex.split(texts_of["aws_cli"].partition("#   aws ecr ")[2].splitlines()[0])
    assert (words[words.index("--profile") + 1], words[-1]) == (profile[0], registry)
    (provider,) = yaml.safe_load(texts_of["kubelet"])["providers"]
    assert (provider["matchImages"], provider["env"][0]["value"]) == ([registry], profile[0])
    assert f"export AWS_PROFILE={shlex.quote(profile[0])} " in texts_of["docker"]
    own = dict.fromkeys(("CLUSTER", "NAMESPACE", "SERVICE_ACCOUNT", "ROLE_ARN", "ROLE_NAME"), "x")
    assert json.loads(_command(texts_of["eks_pod_identity"], tmp_path, **own)[-1])["targetRoleArn"] == role_arn
    resources = json.loads(_command(texts_of["ecs_lambda"], tmp_path, **own)[-1])["Statement"][0]["Resource"]
    assert resources[0] == f"arn:{partition}:ecr:{region}:{OWNER}:repository/release"
    store = next(yaml.safe_load_all(texts_of["external_secrets"]))["spec"]["provider"]["aws"]
    assert (store["role"], store["externalID"]) == (role_arn, external_id)
    first, second = (step["with"] for step in yaml.safe_load(texts_of["github_actions"])["jobs"]["pull"]["steps"][:2])
    assert (second["role-to-assume"], second["role-external-id"]) == (role_arn, external_id)
    assert first.get("audience") == ("sts.amazonaws.com.cn" if partition == "aws-cn" else None)
    terraform = pygohcl.loads(texts_of["terraform"])
    assert terraform["provider"]["aws"]["assume_role"] == {"role_arn": role_arn, "external_id": external_id}


# --- escapes


@given(st.recursive(texts | st.booleans(), lambda inner: st.lists(inner) | st.dictionaries(texts, inner)))
@example({"on": "no", "yes": ["on"], "x": [["a"], {"b": {}}, []], "True": "Null", "OFF": "y"})
def test_yaml_lines_are_the_value(value: Any) -> None:
    assert yaml.safe_load("\n".join(_form_text.yaml_lines(value))) == value


@given(texts)
def test_github_text_is_evaluated_to_the_text(text: str) -> None:
    quoted = _form_text.github_text(text)
    assert re.sub(r"\$\{\{ '(.*?)' \}\}", r"\1", quoted) == text
    assert "${{" not in quoted.replace("${{ '${{' }}", "")
