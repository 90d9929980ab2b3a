# SPDX-License-Identifier: GPL-3.0-or-later
"""The consumer's role and playbook: several hosts, whose credentials, the published results; and the hand-off it
takes."""

from __future__ import annotations

import configparser
import json
import pathlib
import re
import venv
import xml.etree.ElementTree
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from botocore.exceptions import ClientError
from botocore.session import Session as BotocoreSession

from tests.lab import accounts, state
from tests.support.consumer_side import CONTROLLER, HOST, options_of
from tests.support.control import ROLE, ROLE_ARN, Control, Run
from tests.support.forwarding import Form, RecordingProxy
from tests.support.metadata import Metadata
from tests.support.policies import ASSUME, allow, document
from tests.support.serving import serving

PULL_ROLE: dict[str, Any] = {"role_arn": ROLE_ARN, "external_id": "test"}
PULLER = f"arn:aws:iam::{accounts.CONSUMER}:user/puller"
DESTINATION = "{{ inventory_hostname }}"
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"


@pytest.fixture(scope="module")
def shared(control: Control) -> Control:
    run = control.share(ecr_share_wait_interval=0)
    assert run.code == 0, run
    return control


def fetched(control: Control, mark: int) -> list[str]:
    """The requests to the registry, after the first `mark` calls of the log."""
    return [call for call in control.lab.calls()[mark:] if call.startswith("GET /v2/")]


def words(run: Run) -> str:
    """The output without the line breaks of the display."""
    return " ".join(run.output.split())


def section(run: Run, name: str) -> str:
    """The text that a task, or the end of the run, displayed."""
    match = re.search(
        rf"^{re.escape(name)}.*?\*+\n(.*?)(?:^[A-Z ]+(?:\[| \*|: \*)|\Z)", run.output, re.DOTALL | re.MULTILINE
    )
    assert match, run
    return match[1]


# --- tasks that run, and tasks that do not


def test_check_mode_predicts_pull_and_report(shared: Control, tmp_path: pathlib.Path) -> None:
    dest, junit = tmp_path / "image", tmp_path / "junit.xml"
    variables: dict[str, Any] = {
        "ecr_pull_credentials": CONTROLLER,
        "ecr_pull_engine": "oci_layout",
        "ecr_pull_dest": str(dest),
        "ecr_pull_junit_path": str(junit),
    }
    predicted = shared.pull("--check", **variables)
    assert (predicted.code, predicted.changed, list(tmp_path.iterdir())) == (0, 2, []), predicted
    assert f"release:v1.0 would be pulled by oci_layout as oci:{dest}:release:v1.0" in words(predicted)
    done = shared.pull(**variables)
    assert (done.code, done.changed, dest.exists(), junit.exists()) == (0, 2, True, True), done
    again = shared.pull(**variables)
    assert (again.code, again.changed) == (0, 0), again
    assert "release:v1.0 already present in oci_layout" in words(again)


def test_prove_only_pulls_nothing_and_writes_the_report(shared: Control, tmp_path: pathlib.Path) -> None:
    path, mark = tmp_path / "junit.xml", len(shared.lab.calls())
    variables: dict[str, Any] = {
        "ecr_pull_prove_only": True,
        "ecr_pull_engine": "oci_layout",
        "ecr_pull_dest": str(tmp_path / "image"),
        "ecr_pull_junit_path": str(path),
    }
    run = shared.pull(**variables)
    assert (run.code, run.changed, list(tmp_path.iterdir())) == (0, 1, [path]), run
    assert fetched(shared, mark) == []
    suites, suite, cases = report(path)
    assert (suites.tag, suite.attrib) == ("testsuites", {"name": ROLE_ARN, "tests": "2", "failures": "0"})
    assert [case.attrib for case in cases] == [
        {"classname": "release", "name": "is readable"},
        {"classname": "develop", "name": "is denied"},
    ]
    assert [len(case) for case in cases] == [0, 1]
    assert "because no identity-based policy allows the ecr:BatchGetImage" in str(cases[1].findtext("system-out"))

    failed = shared.pull(**variables, ecr_pull_denied=["release"], ecr_pull_repositories=["develop"])
    assert (failed.code, failed.changed) == (2, 1), failed
    _suites, suite, cases = report(path)
    assert (suite.get("tests"), suite.get("failures")) == ("2", "2")
    assert [str(case[0].get("message")).partition(".")[0] for case in cases] == [
        "Repository develop cannot be pulled",
        "Repository release was expected to be denied, but describe, manifest, layer are allowed",
    ]


def report(path: pathlib.Path) -> tuple[Any, Any, list[Any]]:
    """The root, the one suite and the cases of a JUnit report."""
    root = xml.etree.ElementTree.fromstring(path.read_text())  # noqa: S314  (our own)
    (suite,) = root
    return root, suite, list(suite)


@pytest.mark.parametrize("credentials", [HOST, CONTROLLER])
def test_readable_denied_repository_stops_before_the_pull(
    shared: Control, tmp_path: pathlib.Path, credentials: str
) -> None:
    mark = len(shared.lab.calls())
    run = shared.pull(
        ecr_pull_repositories=[],
        ecr_pull_denied=["release"],
        ecr_pull_engine="oci_layout",
        ecr_pull_dest=str(tmp_path / "image"),
        ecr_pull_credentials=credentials,
    )
    assert (run.code, run.changed, list(tmp_path.iterdir())) == (2, 0, []), run
    assert fetched(shared, mark) == []
    assert "It has environment=release, which grants access through the role" in words(run)


@pytest.mark.parametrize("credentials", [HOST, CONTROLLER])
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"role_arn": "x", "external_id": "", "duration_seconds": 43201, "shared_at": "x", "images": ["release"]},
            "5 problems, nothing was written:\n- role_arn 'x' is not the ARN of a role",
        ),
        ({"engine": "oci_layout"}, "Engine oci_layout needs a directory. Set dest."),
        ({"registry_url": "x"}, "parameters are required together: registry_url, registry_token"),
    ],
    ids=["all-together", "no-dest", "no-token"],
)
def test_wrong_pull_options_are_rejected_in_both_modes(
    shared: Control, options: dict[str, Any], message: str, credentials: str
) -> None:
    mark = len(shared.lab.calls())
    options = {**PULL_ROLE, "images": ["release:v1.0"], "credentials": credentials, **options}
    result = shared.module("ecr_image_pull", "consumer", "--check", **options)
    if credentials == CONTROLLER:  # by the action plugin, which indents the lines; the host's is the module itself here
        message = message.replace("\n", "\n  ")
    assert str(result.get("msg")).startswith(message), result
    assert (result["code"], shared.lab.calls()[mark:]) == (2, [])


# --- several hosts ---------------------------------------------------------------------------------------------------


class FiveHostRun:
    """One run on five hosts, of which only the first two are as they should be."""

    def __init__(self, control: Control, folder: pathlib.Path) -> None:
        self.folder, secrets = folder, control.lab.folder / state.SECRETS
        secrets.write_text("", encoding="utf-8")
        hosts: dict[str, dict[str, Any]] = {
            "first": {},
            "second": {"ecr_pull_prove_only": True},
            "another-id": {"ecr_pull_external_id": "another"},
            "no-image": {"ecr_pull_images": ["release:nowhere"]},
            "unmet": {"ecr_pull_repositories": [], "ecr_pull_denied": ["release"]},
        }
        path = inventory(
            control,
            hosts,
            ansible_python_interpreter="{{ ansible_playbook_python }}",
            ecr_pull_dest=f"{folder}/{DESTINATION}",
            ecr_pull_junit_path=f"{folder}/{DESTINATION}.xml",
        )
        control.engines = {"ANSIBLE_SHOW_CUSTOM_STATS": "1", "ANSIBLE_CALLBACK_RESULT_FORMAT": "json"}
        try:
            self.run = control.playbook("pull", "consumer", "-i", path)
            self.secrets = secrets.read_text().split()
        finally:
            control.engines = {}
            secrets.unlink()
        self.table = section(self.run, "TASK [Summarize all hosts]").splitlines()[:5]
        self.statistics = section(self.run, "CUSTOM STATS:")


def inventory(control: Control, hosts: dict[str, dict[str, Any]], **variables: Any) -> str:
    """Hosts that are this machine, with the hand-off; the file's path."""
    handoff = {"ecr_pull_handoff": str(control.handoff)}
    common = {"ansible_connection": "local", "ecr_pull_engine": "oci_layout", "ecr_pull_wait_timeout": 0, **variables}
    path = control.folder / "inventory.yml"
    path.write_text(json.dumps({"all": {"vars": {**handoff, **common}, "hosts": hosts}}), encoding="utf-8")
    return str(path)


@pytest.fixture(scope="module")
def several(shared: Control, tmp_path_factory: pytest.TempPathFactory) -> FiveHostRun:
    return FiveHostRun(shared, tmp_path_factory.mktemp("several"))


def test_each_host_pulls_for_itself_and_keeps_its_own_report(several: FiveHostRun) -> None:
    assert several.run.code == 2, several.run
    assert sorted(path.name for path in several.folder.iterdir()) == [
        "first",
        "first.xml",
        "no-image.xml",
        "second.xml",
        "unmet.xml",
    ]
    assert (several.folder / "first/index.json").exists()


@pytest.mark.parametrize(
    ("host", "line"),
    [
        ("first", "first pass release:v1.0 pulled (oci_layout)"),
        ("second", "second pass nothing to pull"),
        ("another-id", f"another-id failed Role {ROLE_ARN} cannot be assumed: User: {PULLER} is not authorized"),
        ("no-image", "no-image failed Image release:nowhere does not exist: repository release has no such image."),
        ("unmet", "unmet failed Repository release was expected to be denied, but describe, manifest, layer are"),
    ],
)
def test_the_summary_names_every_host_and_says_why_one_failed(several: FiveHostRun, host: str, line: str) -> None:
    assert len(several.table) == 5
    (found,) = [" ".join(row.split()) for row in several.table if row.split()[0] == host]
    assert found.startswith(line)


def test_summary_is_printed_if_every_host_failed(shared: Control) -> None:
    hosts: dict[str, dict[str, Any]] = {name: {"ecr_pull_external_id": "another"} for name in ("left", "right")}
    path = inventory(shared, hosts, ansible_python_interpreter="{{ ansible_playbook_python }}")
    run = shared.playbook("pull", "consumer", "-i", path)
    assert run.code == 2
    table = " ".join(section(run, "TASK [Summarize all hosts]").split())
    assert re.findall(rf"(\w+) failed Role {ROLE_ARN} cannot be assumed: ", table) == ["left", "right"], run


def test_artifacts_have_results_and_no_secret(several: FiveHostRun) -> None:
    handed = json.loads(several.statistics.partition("RUN:")[2])["ecr_pull"]
    proven = {
        "role_arn": ROLE_ARN,
        "caller": PULLER,
        "external_id_enforced": "true",
        "verdict": "pass",
        "problems": [],
        "repositories": {"release": "allowed", "develop": "denied"},
    }
    (image,) = handed["first"].pop("images")
    assert (image["image"], image["changed"]) == ("release:v1.0", True)
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", image["digest"])
    assert handed["first"] == {**proven, "engine": "oci_layout"}
    assert handed["second"] == handed["no-image"] == proven
    assert (handed["unmet"]["verdict"], len(handed["unmet"]["problems"])) == ("fail", 1)
    assert set(handed) == {"first", "second", "no-image", "unmet"}
    assert len(several.secrets) >= 10
    assert [secret for secret in several.secrets if secret in several.run.output] == []


# --- whose credentials -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The Python of a host that has no packages, and whose environment says nothing of AWS."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, symlinks=True)
    python = folder / "bin/without-environment"
    python.write_text(f'#!/bin/sh\nexec env -i PATH="$PATH" HOME="$HOME" {folder}/bin/python "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    return str(python)


@pytest.mark.parametrize("flags", [("--check",), ()])
def test_hosts_pull_with_credentials_of_the_control_node(
    shared: Control, bare: str, tmp_path: pathlib.Path, flags: tuple[str, ...]
) -> None:
    hosts: dict[str, dict[str, Any]] = {"left": {}, "right": {}}
    dest = f"{tmp_path}/{DESTINATION}"
    path = inventory(shared, hosts, ansible_python_interpreter=bare, ecr_pull_dest=dest)
    run = shared.playbook("pull", "consumer", "-i", path, *flags, ecr_pull_credentials=CONTROLLER)
    assert run.code == 0, run
    assert run.output.count(": ok=") == 2
    for name in hosts:
        assert re.search(rf"^{name} +: ok=\d+ +changed=1 ", run.output, re.MULTILINE), run
        assert (tmp_path / name / "index.json").exists() is not bool(flags)
        assert (f"{name.ljust(5)}  pass    release:v1.0 pulled (oci_layout)" in run.output) is not bool(flags)


@pytest.mark.parametrize("module", ["ecr_access_info", "ecr_image_pull"])
def test_host_credentials_without_boto3_are_reported(shared: Control, bare: str, module: str) -> None:
    options = {"images": ["release:v1.0"]} if module == "ecr_image_pull" else {}
    mark = len(shared.lab.calls())
    result = shared.module(module, "consumer", "-e", f"ansible_python_interpreter={bare}", **PULL_ROLE, **options)
    assert result["code"] == 2
    assert result["msg"].startswith("Failed to import the required Python library (botocore and boto3) on "), result
    assert shared.lab.calls()[mark:] == []


class BareControl(Control):
    """A control node whose environment says of AWS what is given, and nothing else."""

    def __init__(self, control: Control, folder: pathlib.Path, **aws: str) -> None:
        super().__init__(control.lab, folder)
        self.handoff, self.aws = control.handoff, aws

    def environment(self, profile: str | None) -> dict[str, str]:
        kept = {name: value for name, value in super().environment(profile).items() if not name.startswith("AWS_")}
        return {**kept, **self.aws}


def variables_of(key: dict[str, str], endpoint: str) -> dict[str, str]:
    """The environment variables for an access key of a session."""
    return {
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
        "AWS_SESSION_TOKEN": key["SessionToken"],
        "AWS_ENDPOINT_URL": endpoint,
    }


def key_of(control: Control, role: str, session: str) -> dict[str, Any]:
    """The session of a new role of the consumer account that may assume the pull role."""
    iam, sts = (control.lab.client("consumer-administrator", service) for service in ("iam", "sts"))
    principal = {"AWS": f"arn:aws:iam::{accounts.CONSUMER}:root"}
    trust = document({"Effect": "Allow", "Principal": principal, "Action": ASSUME})
    arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    iam.put_role_policy(RoleName=role, PolicyName="lab", PolicyDocument=document(allow(ASSUME)))
    key: dict[str, Any] = sts.assume_role(RoleArn=arn, RoleSessionName=session)["Credentials"]
    return key


@pytest.fixture(scope="module")
def metadata(shared: Control) -> Iterator[str]:
    """The URL of a metadata service with the credentials of an instance profile."""
    key = key_of(shared, "instance", "i-0123456789abcdef0")
    names = {"AccessKeyId": "AccessKeyId", "SecretAccessKey": "SecretAccessKey", "Token": "SessionToken"}
    server = Metadata({name: key[source] for name, source in names.items()})
    with serving(server):
        yield f"http://127.0.0.1:{server.server_port}"


@pytest.fixture
def builds(shared: Control, recording_proxy: RecordingProxy, tmp_path: pathlib.Path) -> dict[str, str]:
    """The variables of a build server, whose token STS accepts for a role; the lab's takes no call without a key."""
    variables = {"AWS_ROLE_ARN": f"arn:aws:iam::{accounts.CONSUMER}:role/builds", "AWS_ROLE_SESSION_NAME": "build-1"}
    key = key_of(shared, "builds", "build-1")
    parts = {**key, "Expiration": key["Expiration"].strftime("%Y-%m-%dT%H:%M:%SZ")}
    answer = "".join(f"<{name}>{parts[name]}</{name}>" for name in parts)
    result = "AssumeRoleWithWebIdentityResult"

    def change(_call: str, form: Form, status: int, usual: str) -> tuple[int, str]:
        if (form.get("WebIdentityToken"), form.get("RoleArn")) != ("token-of-the-build", variables["AWS_ROLE_ARN"]):
            return status, usual
        return 200, f"<Response><{result}><Credentials>{answer}</Credentials></{result}></Response>"

    recording_proxy.change = change
    (tmp_path / "token").write_text("token-of-the-build")
    return {
        **variables,
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "token"),
        "AWS_ENDPOINT_URL": recording_proxy.url,
    }


@pytest.mark.parametrize(
    ("source", "credentials"),
    [
        ("profile", CONTROLLER),
        ("environment", CONTROLLER),
        ("environment", HOST),
        ("web-identity", CONTROLLER),
        ("instance-profile", HOST),
    ],
)
def test_the_consumer_is_who_the_credentials_say(
    shared: Control, tmp_path: pathlib.Path, request: pytest.FixtureRequest, source: str, credentials: str
) -> None:
    arn, variables = PULLER, {}
    if source == "profile":
        aws, variables = shared.lab.environment, {"ecr_pull_profile": "consumer"}
    elif source == "environment":
        key = shared.lab.client("consumer", "sts").get_session_token()["Credentials"]
        aws = variables_of(key, shared.lab.endpoint)
    elif source == "web-identity":
        arn = f"arn:aws:sts::{accounts.CONSUMER}:assumed-role/builds/build-1"
        aws = {**request.getfixturevalue("builds"), "AWS_REGION": accounts.REGION}
    else:
        arn = f"arn:aws:sts::{accounts.CONSUMER}:assumed-role/instance/i-0123456789abcdef0"
        url = request.getfixturevalue("metadata")
        aws = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": url, "AWS_ENDPOINT_URL": shared.lab.endpoint}
    run = BareControl(shared, tmp_path, **aws).pull(
        profile=None,
        ecr_pull_engine="oci_layout",
        ecr_pull_dest=str(tmp_path / "image"),
        ecr_pull_credentials=credentials,
        **variables,
    )
    assert run.code == 0, run
    assert f"before: {arn} after: " in words(run)
    assert (tmp_path / "image/index.json").exists()


@pytest.mark.parametrize(("module", "credentials"), [("ecr_access_info", CONTROLLER), ("ecr_image_pull", HOST)])
def test_options_of_the_module_are_credentials_too(
    shared: Control, tmp_path: pathlib.Path, module: str, credentials: str
) -> None:
    key = shared.lab.client("consumer", "sts").get_session_token()["Credentials"]
    options: dict[str, Any] = {**PULL_ROLE, "credentials": credentials, **options_of(shared, key)}
    if module == "ecr_image_pull":
        options |= {"images": ["release:v1.0"], "engine": "oci_layout", "dest": str(tmp_path / "image")}
    result = BareControl(shared, tmp_path).module(module, None, **options)
    assert result["code"] == 0, result
    assert result.get("caller", {"arn": PULLER})["arn"] == PULLER


@pytest.mark.parametrize("credentials", [HOST, CONTROLLER])
def test_profile_with_keys_in_the_environment_is_an_error(
    shared: Control, tmp_path: pathlib.Path, credentials: str
) -> None:
    keys = variables_of({"AccessKeyId": "AKIANOBODY", "SecretAccessKey": "hidden", "SessionToken": "too"}, "")
    control = BareControl(shared, tmp_path, **keys, **shared.lab.environment)
    result = control.module("ecr_access_info", None, **{**PULL_ROLE, "profile": "consumer", "credentials": credentials})
    assert result["code"] == 2
    assert result["msg"].startswith("Profile consumer and an access key are both set, so it is not clear which")


# --- how long a session lasts ----------------------------------------------------------------------------------------


def test_the_duration_of_a_pull_reaches_aws(
    shared: Control, recording_proxy: RecordingProxy, tmp_path: pathlib.Path
) -> None:
    shared.engines = {"AWS_ENDPOINT_URL": recording_proxy.url}
    try:
        dest = str(tmp_path / "image")
        run = shared.pull(ecr_pull_engine="oci_layout", ecr_pull_dest=dest, ecr_pull_duration_seconds=4321)
    finally:
        shared.engines = {}
    assert run.code == 0, run
    assert [form["DurationSeconds"] for form in recording_proxy.assumed if form["DurationSeconds"] != "900"] == ["4321"]
    assert len(recording_proxy.assumed) == 4  # the proof's three are as short as AWS has them


def test_the_duration_of_a_proof_reaches_aws(shared: Control, recording_proxy: RecordingProxy) -> None:
    options = {"endpoint_url": recording_proxy.url, "credentials": CONTROLLER, "duration_seconds": 1800}
    assert shared.module("ecr_access_info", "consumer", **PULL_ROLE, **options)["code"] == 0
    by_id = {form.get("ExternalId"): form["DurationSeconds"] for form in recording_proxy.assumed}
    assert by_id == {"test": "1800", None: "900", "not-test": "900"}


def test_duration_above_role_maximum_quotes_aws(shared: Control, recording_proxy: RecordingProxy) -> None:
    """The lab does not enforce it."""
    sentence = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."

    def change(call: str, _form: Form, status: int, answer: str) -> tuple[int, str]:
        error = (
            f"<ErrorResponse><Error><Code>ValidationError</Code><Message>{sentence}</Message></Error></ErrorResponse>"
        )
        return (400, error) if call == "AssumeRole" else (status, answer)

    recording_proxy.change = change
    options = {
        "endpoint_url": recording_proxy.url,
        "credentials": CONTROLLER,
        "duration_seconds": 43200,
        "wait_timeout": 60,
    }
    result = shared.module("ecr_image_pull", "consumer", **PULL_ROLE, images=["release:v1.0"], **options)
    assert result["msg"].startswith(f"AssumeRole: ValidationError: {sentence.rstrip('.')}"), result
    assert [form["DurationSeconds"] for form in recording_proxy.assumed] == ["43200"]


# --- the hand-off ----------------------------------------------------------------------------------------------------


def test_handoff_has_page_and_time_of_last_change(shared: Control, tmp_path: pathlib.Path) -> None:
    pair = [tmp_path / "handed.yml", tmp_path / "handed.md"]
    variables: dict[str, Any] = {
        "ecr_share_role_name": "handed",
        "ecr_share_repository_tags": {"handed": "yes"},
        "ecr_share_handoff_path": str(pair[0]),
        "ecr_share_wait_interval": 0,
    }
    predicted = shared.share("--check", **variables)
    assert (predicted.code, list(tmp_path.iterdir())) == (0, []), predicted
    assert shared.share(**variables).code == 0
    assert sorted(tmp_path.iterdir()) == sorted(pair)
    assert [path.stat().st_mode & 0o777 for path in pair] == [0o600, 0o600]
    first = [path.read_text() for path in pair]
    again = shared.share(**variables)
    assert (again.code, again.changed) == (0, 0), again
    assert [path.read_text() for path in pair] == first
    assert shared.share(**variables, ecr_share_access="pull").code == 0
    dates = [yaml.safe_load(text)["ecr_pull_shared_at"] for text in (first[0], pair[0].read_text())]
    assert [bool(re.fullmatch(TIME, date)) for date in dates] == [True, True]
    assert dates[0] < dates[1]


def test_handoff_path_of_the_page_is_rejected_early(shared: Control, tmp_path: pathlib.Path) -> None:
    path, mark = tmp_path / "handoff.md", len(shared.lab.calls())
    run = shared.share(ecr_share_handoff_path=str(path), ecr_share_repository_tags={"new": "yes"})
    assert run.code == 2, run
    message = f"ecr_share_handoff_path {path} must not end in .md, the name of the page for people. Use .yml."
    assert message in words(run)
    assert (shared.lab.writes_since(mark), list(tmp_path.iterdir())) == ([], [])


def test_the_page_names_what_is_shared_and_holds_no_secret(shared: Control) -> None:
    page = shared.handoff.with_suffix(".md").read_text()
    registry = shared.lab.endpoint.partition("://")[2]
    for line in (
        f"# Pull from account {accounts.OWNER}",
        f"Account {accounts.CONSUMER} can pull from these repositories in {accounts.REGION}:",
        f"- `{registry}/release`",
        f"aws ecr get-login-password --profile {ROLE} | docker login --username AWS --password-stdin {registry}",
        f"docker pull {registry}/release:v1.0",
        f"docker logout {registry}",
    ):
        assert line in page.splitlines()
    describe = f"aws ecr describe-images --repository-name develop --profile {ROLE}"
    assert f"`{describe}` must fail with `AccessDeniedException`." in page.splitlines()
    keys = re.findall(r"aws_(?:secret_access_key|access_key_id) = (\S+)", aws_config(shared))
    assert len(keys) == 2 * len(accounts.USERS)
    assert [key for key in keys if key in page + shared.handoff.read_text()] == []


def aws_config(control: Control) -> str:
    return (control.lab.folder / state.CONFIG).read_text()


def test_profile_on_the_page_reads_only_shared_repositories(
    shared: Control, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks = re.findall(r"^```ini\n(.*?)^```$", shared.handoff.with_suffix(".md").read_text(), re.DOTALL | re.MULTILINE)
    profile, lab = configparser.ConfigParser(), configparser.ConfigParser()
    profile.read_string("".join(blocks))
    lab.read_string(aws_config(shared))
    assert profile.sections() == [f"profile {ROLE}"]
    assert profile[f"profile {ROLE}"]["source_profile"] == "default"
    # As a person does it: the page's profile beside one's own; and the lab is not AWS.
    profile["default"] = lab["profile consumer"]
    profile[f"profile {ROLE}"]["endpoint_url"] = shared.lab.endpoint
    with (tmp_path / "config").open("w") as file:
        profile.write(file)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    session = BotocoreSession(profile=ROLE)
    arn = session.create_client("sts").get_caller_identity()["Arn"]
    assert arn.startswith(f"arn:aws:sts::{accounts.OWNER}:assumed-role/{ROLE}/")
    ecr = session.create_client("ecr")
    assert ecr.describe_images(repositoryName="release")["imageDetails"]
    with pytest.raises(ClientError, match="AccessDeniedException"):
        ecr.describe_images(repositoryName="develop")


def test_several_consumers_and_regions_have_a_pair_of_files_each(shared: Control, tmp_path: pathlib.Path) -> None:
    regions = [accounts.REGION, "eu-west-1"]
    shared.lab.session("owner").client("ecr", region_name="eu-west-1").create_repository(repositoryName="release")
    consumers = [
        {"account": accounts.CONSUMER, "external_id": "for-the-consumer"},
        {"account": accounts.STRANGER, "external_id": "for-the-stranger"},
    ]
    run = shared.share(
        ecr_share_role_name="wide",
        ecr_share_repository_tags={"wide": "yes"},
        ecr_share_regions=regions,
        ecr_share_consumers=consumers,
        ecr_share_handoff_path=str(tmp_path / "wide.yml"),
        ecr_share_wait_interval=0,
    )
    assert run.code == 0, run
    expected = {
        f"wide-{number}-{consumer['account']}-{region}": (consumer["external_id"], region)
        for number, consumer in enumerate(consumers, 1)
        for region in regions
    }
    assert {path.name for path in tmp_path.iterdir()} == {
        f"{name}.{kind}" for name in expected for kind in ("yml", "md")
    }
    for name, (external_id, region) in expected.items():
        handoff = yaml.safe_load((tmp_path / f"{name}.yml").read_text())
        page = (tmp_path / f"{name}.md").read_text()
        assert (handoff["ecr_pull_external_id"], handoff["ecr_pull_region"]) == (external_id, region)
        assert f"external_id = {external_id}\nsource_profile = default\nregion = {region}\n" in page
        assert [consumer["external_id"] in page for consumer in consumers].count(True) == 1
