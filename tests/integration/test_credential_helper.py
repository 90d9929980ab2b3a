# SPDX-License-Identifier: GPL-3.0-or-later
"""The role `ecr_credential_helper`, with the real helper, docker and podman at AWS's own names."""

from __future__ import annotations

import configparser
import json
import os
import pathlib
import pwd
import re
import subprocess
import tempfile
from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab import accounts, at_aws_names, state
from tests.support.at_aws import ControlAtAwsNames, control_host
from tests.support.control import BIN, REPOSITORY_ARN, ROLE, ROLE_ARN, Control, Run
from tests.support.paths import LAB_PYTHON, ROOT

pytestmark = pytest.mark.engine

HELPER = "docker-credential-ecr-login"
MODULE = "ansible_collections.crossaccount.ecr.plugins.modules.ecr_credential_helper_config"
OWNER, OTHER_OWNER = (at_aws_names.registry(account) for account in (accounts.OWNER, accounts.STRANGER))
OTHER_ROLE_ARN = ROLE_ARN.replace(accounts.OWNER, accounts.STRANGER)
SECRET = "QVdTOnRva2VuLW9mLXllc3RlcmRheSEh"
METADATA_PORT = "8169"  # in the network of the lab
METADATA = f"http://127.0.0.1:{METADATA_PORT}"
#: The other owner account gets a repository with an image of its own.
PUBLISH = """
from botocore.session import Session
from tests.lab import accounts
ecr = Session().create_client("ecr")
ecr.create_repository(repositoryName="release", tags=[{"Key": "environment", "Value": "release"}])
token = ecr.get_authorization_token()["authorizationData"][0]
layers = [accounts.layer({"of": b"the other owner account"})]
print(accounts.push(token["proxyEndpoint"], token["authorizationToken"], "release", "v1.0", layers))
"""


class Host:
    """The host, on which root has this home and this folder of programs.

    :param secret: in the user's AWS configuration
    :param digests: of the image of each registry
    """

    def __init__(self, control: ControlAtAwsNames) -> None:
        self.control, self.shell = control, control.shell
        self.home, self.bin = control.folder / "home", control.folder / "bin"
        self.auth_file, self.aws_config = self.home / ".docker/config.json", self.home / ".aws/config"
        self.secret = ""
        self.digests: dict[str, str] = {}

    def role(self, *arguments: str, hide_helper: bool = False, **variables: Any) -> Run:
        """Run the role."""
        playbook = self.control.folder / "playbook.yml"
        playbook.write_text(
            "- hosts: localhost\n  gather_facts: false\n  roles: [{role: crossaccount.ecr.ecr_credential_helper}]\n"
        )
        places = {"home": str(self.home), "bin_dir": str(self.bin), **variables}
        declared = json.dumps({f"ecr_credential_helper_{name}": value for name, value in places.items()})
        words = [playbook, "-e", declared, *arguments]
        if hide_helper:
            command = [*without_helper(), BIN / "ansible-playbook", *words]
        else:
            command = [self.control.program(None), *words, "-e", f"ansible_python_interpreter={self.control.python}"]
        return self.control._run(command, None, ANSIBLE_DISPLAY_SKIPPED_HOSTS="true")

    def pull(self, engine: str, image: str) -> subprocess.CompletedProcess[str]:
        """As root types it, in an environment with other credentials and another configuration file."""
        environment = {
            "HOME": str(self.home),
            "PATH": f"{self.bin}:{os.environ['PATH']}",
            "AWS_ACCESS_KEY_ID": "AKIAOFSOMEONEELSE000",
            "AWS_SECRET_ACCESS_KEY": "of-someone-else",
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": METADATA,
            "AWS_EC2_METADATA_DISABLED": "false",
        }
        return self.shell(f"{engine} pull --quiet {image}", **environment)

    def pulls(self, engine: str, registry: str, repository: str = "release") -> None:
        """Pull the image of v1.0 afresh, and see that it is the one."""
        image = f"{registry}/{repository}:v1.0"
        self.shell(f"{engine} image rm --force {image}")
        pulled = self.pull(engine, image)
        logs = self.home / ".ecr/log/ecr-login.log", self.control.folder / "docker/log"  # which have the reason
        assert pulled.returncode == 0, "\n".join([pulled.stderr, *(log.read_text()[-3000:] for log in logs)])
        digests = self.shell(f"{engine} image inspect --format '{{{{json .RepoDigests}}}}' {image}").stdout
        # podman lists every name of the image, including those of other tests.
        assert f"{registry}/{repository}@{self.digests[registry]}" in json.loads(digests), digests


def without_helper() -> list[str]:
    """Words before a command, after which the helper is not installed: an empty file replaces it."""
    hide = f'mount --bind /dev/null "$(command -v {HELPER})" && exec "$@"'
    return ["unshare", "--mount", "sh", "-c", hide, "sh"]


def declared() -> list[dict[str, Any]]:
    """The two owner accounts: one by the credentials of a profile, the other by those of the instance."""
    both = {
        OWNER: {
            "role_arn": ROLE_ARN,
            "external_id": "test",
            "role_session_name": "web-1",
            "source_profile": "consumer",
        },
        OTHER_OWNER: {"role_arn": OTHER_ROLE_ARN, "external_id": "test", "credential_source": "Ec2InstanceMetadata"},
    }
    return [{"registry": registry, **options} for registry, options in both.items()]


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory, podman: dict[str, str]) -> Iterator[Host]:
    """Both owner accounts share `release`. The user has profiles, a login elsewhere, and another helper."""
    with control_host(tmp_path_factory.mktemp("host")) as control, control.quick():
        control.engines = {**control.engines, **podman}
        host = Host(control)
        for folder in (host.bin, host.auth_file.parent, host.aws_config.parent):
            folder.mkdir(parents=True)
        lab_config = (control.lab.folder / state.CONFIG).read_text()
        profiles = configparser.RawConfigParser()
        profiles.read_string(lab_config)
        keys = profiles["profile consumer-administrator"]  # the lab's user `puller` may assume roles of one owner only
        host.secret = keys["aws_secret_access_key"]
        # The keys of one profile are in the other file, which the helper finds by HOME unless the wrapper names it.
        credentials = configparser.RawConfigParser()
        credentials["consumer"] = profiles["profile consumer"]
        profiles.remove_section("profile consumer")
        for file, parser in ((host.aws_config, profiles), (host.aws_config.with_name("credentials"), credentials)):
            with file.open("w") as opened:
                opened.write("# of root\n")
                parser.write(opened)
        other = {"auths": {"other.example.com": {"auth": SECRET}}, "credHelpers": {"gcr.io": "gcloud"}}
        host.auth_file.write_text(json.dumps(other))

        trusted = {"SSL_CERT_FILE": control.environment(None)["AWS_CA_BUNDLE"]}
        published = host.shell(f"{LAB_PYTHON} -c '{PUBLISH}'", "stranger-administrator", **trusted)
        consumers = [{"account": accounts.CONSUMER, "external_id": "test"}]
        share = {"name": ROLE, "repository_tags": {"environment": "release"}, "consumers": consumers}
        by_other = control.module("iam_ecr_pull_role", "stranger-administrator", **share)
        shared = control.share(ecr_share_handoff_forms=["aws_cli", "docker"])
        assert (shared.code, by_other["code"]) == (0, 0), (shared, by_other, published)
        images = host.shell("aws ecr describe-images --repository-name release", "owner")
        digest = json.loads(images.stdout)["imageDetails"][0]["imageDigest"]
        host.digests = {OWNER: digest, OTHER_OWNER: published.stdout.strip()}
        instance = {"AccessKeyId": keys["aws_access_key_id"], "SecretAccessKey": keys["aws_secret_access_key"]}
        serve = [*control.inside, str(LAB_PYTHON), "-m", "tests.support.metadata", METADATA_PORT, json.dumps(instance)]
        metadata = subprocess.Popen(serve, cwd=ROOT, stderr=subprocess.DEVNULL)
        try:
            yield host
        finally:
            metadata.terminate()
            metadata.wait(300)


def files_of(folder: pathlib.Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_host_keeps_pulling_from_two_owner_accounts(host: Host) -> None:
    before = files_of(host.home), files_of(host.bin)
    checked = host.role("--check", "--diff", registries=declared())
    assert (checked.code, checked.changed) == (0, 1), checked
    assert (files_of(host.home), files_of(host.bin)) == before
    done = host.role("--diff", registries=declared())
    assert (done.code, done.changed) == (0, 1), done
    again = host.role(registries=declared())
    assert (again.code, again.changed) == (0, 0), again
    for run in (checked, done):
        assert f"+role_arn = {OTHER_ROLE_ARN}" in run.output
        assert f'+        "{OWNER}": "ecr-pull-root-{OWNER}"' in run.output
        assert not [text for text in (host.secret, SECRET, "other.example.com") if text in run.output]

    for engine in ("docker", "podman"):
        for registry in (OWNER, OTHER_OWNER):
            host.pulls(engine, registry)
        develop = host.pull(engine, f"{OWNER}/develop:v1.0")
        assert develop.returncode != 0
        denied = f"{ROLE}/web-1 is not authorized to perform: ecr:BatchGetImage on resource: {REPOSITORY_ARN}develop"
        assert denied in develop.stderr, develop
    kept = json.loads(host.auth_file.read_text())
    assert kept["auths"] == {"other.example.com": {"auth": SECRET}}

    # The helper's own cache: a token for each session, and never one that serves again. It expires, so it does not
    # affect other tests.
    cache = host.home / ".ecr/cache.json"
    assert not cache.exists()
    alone = {
        "HOME": str(host.home),
        "AWS_CONFIG_FILE": str(host.aws_config),
        "AWS_SHARED_CREDENTIALS_FILE": str(host.aws_config.with_name("credentials")),
        "AWS_PROFILE": f"ecr-pull-{OWNER}",
    }
    result = host.shell(f"for time in 1 2; do echo {OWNER} | {HELPER} get; done", **alone)
    tokens = {json.loads(line)["Secret"] for line in result.stdout.splitlines()}
    content = json.loads(cache.read_text())
    assert len(tokens) == len(content["Registries"]) == 2, result
    for entry in content["Registries"].values():
        entry.update(AuthorizationToken=SECRET, RequestedAt="2026-01-01T00:00:00Z", ExpiresAt="2026-01-01T12:00:00Z")
    cache.write_text(json.dumps(content))
    for engine in ("docker", "podman"):
        host.pulls(engine, OWNER)
    assert json.loads(cache.read_text()) == content

    # An earlier login does not take precedence over the helper in the file with credHelpers. It does, for podman, in
    # the files
    # that are read before that. Both are named, the second with the command that takes it out.
    document = json.loads(host.auth_file.read_text())
    host.auth_file.write_text(json.dumps({**document, "auths": {**document["auths"], OWNER: {"auth": SECRET}}}))
    for engine in ("docker", "podman"):
        host.pulls(engine, OWNER)
    login = host.home / ".config/containers/auth.json"
    login.parent.mkdir(parents=True)
    login.write_text(json.dumps({"auths": {OWNER: {"auth": SECRET}}}))
    shadowed = host.pull("podman", f"{OWNER}/release:v1.0")
    assert shadowed.returncode != 0
    named = host.role(registries=declared())
    assert (named.code, named.changed) == (0, 0), named
    assert (
        f"{login} has a login for {OWNER}, which takes precedence over the helper for podman and skopeo" in named.output
    )
    assert f"{host.auth_file} has a login for {OWNER}, which docker uses if the helper fails" in named.output
    host.auth_file.write_text(json.dumps(document))
    command = f"podman logout --authfile {login} {OWNER}"
    assert (command in named.output, SECRET in named.output) == (True, False)
    assert host.shell(command).returncode == 0
    host.pulls("podman", OWNER)

    # cron has no HOME and a short PATH; systemd and sudo have those of another user. The keys may be in another file.
    program = f"{host.bin}/docker-credential-ecr-pull-root-{OWNER}"
    for environment in ("PATH=/usr/bin:/bin", "PATH= HOME=/nonexistent AWS_SHARED_CREDENTIALS_FILE=/nonexistent"):
        trusted = 'SSL_CERT_FILE="$SSL_CERT_FILE" AWS_CA_BUNDLE="$AWS_CA_BUNDLE"'
        result = host.shell(f"echo {OWNER} | env -i {environment} {trusted} /bin/sh {program} get")
        assert (result.returncode, '"Username":"AWS"' in result.stdout) == (0, True), result

    # And back, by the hosts alone.
    removed = host.role(
        "--diff", state="absent", registries=[{"registry": registry} for registry in (OWNER, OTHER_OWNER)]
    )
    assert (removed.code, removed.changed) == (0, 1), removed
    assert list(host.bin.iterdir()) == []
    assert host.aws_config.read_bytes() == before[0][str(host.aws_config)]
    assert json.loads(host.auth_file.read_text()) == json.loads(before[0][str(host.auth_file)])
    assert not [secret for secret in (host.secret, SECRET) if secret in removed.output]
    refused = host.pull("podman", f"{OWNER}/release:v1.0")
    assert refused.returncode != 0
    assert "unauthorized: authentication required" in refused.stderr


def test_forms_of_the_hand_off_pull_with_real_clients(host: Host, tmp_path: pathlib.Path) -> None:
    """The consumer follows the comments of the forms, and replaces only the name of its own profile."""
    profile, script = (host.control.handoff.with_suffix(form).read_text() for form in (".aws_cli.ini", ".docker.sh"))
    program = re.findall(r"install -m 755 THIS_FILE /usr/local/bin/(\S+)", script)[0]
    entry = re.findall(r'^#   (\{"credHelpers": .*\})$', script, re.MULTILINE)[0]
    config, docker, bin_dir = (tmp_path / name for name in ("config", ".docker", "bin"))
    lab_config = (host.control.lab.folder / state.CONFIG).read_text()
    config.write_text(lab_config + profile.replace("source_profile = default", "source_profile = consumer"))
    for folder in (docker, bin_dir):
        folder.mkdir()
    (docker / "config.json").write_text(entry)
    (bin_dir / program).write_text(script)
    (bin_dir / program).chmod(0o755)
    environment = {
        "HOME": str(tmp_path),
        "DOCKER_CONFIG": str(docker),
        "AWS_CONFIG_FILE": str(config),
        "PATH": f"{bin_dir}:{os.environ['PATH']}",
    }
    name = re.findall(r"^\[profile (\S+)\]$", profile, re.MULTILINE)[0]
    pulls = [f"{engine} pull --quiet {OWNER}/release:v1.0" for engine in ("docker", "podman")]
    for command in (*pulls, f"skopeo inspect docker://{OWNER}/release:v1.0"):
        assert host.shell(command, **environment).returncode == 0, command
        denied = host.shell(command.replace("/release:", "/develop:"), **environment)
        assert denied.returncode != 0, command
        assert f"is not authorized to perform: ecr:BatchGetImage on resource: {REPOSITORY_ARN}develop" in denied.stderr
    identity = f"aws sts get-caller-identity --profile {name} --query Arn --output text"
    environment["PATH"] = host.control.environment(None)["PATH"]
    assert f":assumed-role/{ROLE}/" in host.shell(identity, **environment).stdout
    config.write_text(config.read_text().replace("external_id = test", "external_id = other"))
    refused = host.shell(identity, **environment)
    assert "not authorized to perform: sts:AssumeRole" in refused.stderr, refused


def test_dual_stack_host_in_proof_pull_and_configuration(host: Host, tmp_path: pathlib.Path) -> None:
    control, chosen = host.control, at_aws_names.dual_stack(accounts.OWNER)
    options: dict[str, Any] = {"ecr_pull_engine": "docker", "ecr_pull_denied": ["develop"]}
    pulled = control.pull(**options, ecr_pull_registry_host=chosen)
    assert pulled.code == 0, pulled
    assert f"release:v1.0 pulled by docker as {chosen}/release" in pulled.output, pulled.output
    rows = re.findall(r"^ *(release|develop) .* (\w+) +(\w+)$", pulled.output.replace('"', ""), re.MULTILINE)
    assert rows == [("release", "allowed", "pass"), ("develop", "denied", "pass")], pulled.output

    other = chosen.replace(accounts.OWNER, accounts.STRANGER)
    refused = control.pull(**options, ecr_pull_registry_host=other)
    message = f"ecr_pull_registry_host '{other}' is not a host name of the registry of the share. Valid is {OWNER}"
    assert (refused.code, message in refused.output) == (2, True), refused

    variables = {"ecr_pull_handoff": str(control.handoff), "ecr_pull_registry_host": chosen}
    credentials = {"source_profile": "consumer"}
    places: dict[str, Any] = {"home": str(tmp_path), "bin_dir": str(tmp_path / "bin"), "credentials": credentials}
    configured = host.role("--check", "--diff", "-e", json.dumps(variables), **places)
    assert f'+        "{chosen}": "ecr-pull-root-{chosen}"' in configured.output, configured


def test_bad_input_is_named_together_and_nothing_is_written(host: Host, tmp_path: pathlib.Path) -> None:
    config, auth_file, no_folder = tmp_path / "config", tmp_path / "config.json", tmp_path / "file"
    config.write_bytes(f"[default]\naws_secret_access_key {SECRET}\n".encode())
    auth_file.write_bytes(f'{{"auths": {{"{OWNER}": {{"auth": "{SECRET}"}}'.encode())
    no_folder.touch()
    before = files_of(tmp_path)
    bad = [
        *declared(),
        {"registry": OWNER, "role_arn": OTHER_ROLE_ARN, "source_profile": "consumer"},
        {"registry": "ghcr.io", "role_arn": ROLE_ARN},
    ]
    places = {"aws_config": str(config), "auth_file": str(auth_file), "bin_dir": str(no_folder)}
    refused = host.role("--diff", hide_helper=True, registries=bad, install=False, **places)
    assert (refused.code, files_of(tmp_path)) == (2, before)
    for message in (
        "8 problems, nothing was written:",
        f"Registry {OWNER}: {OTHER_ROLE_ARN} is a role of another account.",
        "Registry 'ghcr.io' is not an ECR registry",
        "Registry ghcr.io: set exactly one of credential_source and source_profile.",
        f"Registry {OWNER} has 2 entries, with {ROLE_ARN} and {OTHER_ROLE_ARN}.",
        f"{HELPER} is not installed",
        f"{config} is not an AWS configuration file (line 2). It was left as it is.",
        f"{auth_file} is not JSON (Expecting ',' delimiter: line 1 column",
        f"bin_dir {no_folder} cannot be used: {no_folder} is not a directory.",
    ):
        assert message in refused.output, (message, refused.output)
    assert SECRET not in refused.output


def test_check_mode_without_helper_predicts_the_changes(host: Host, tmp_path: pathlib.Path) -> None:
    """The package is looked at, too. (dpkg has it as installed, so that this changes nothing.)"""
    places = {"home": str(tmp_path), "bin_dir": str(tmp_path / "bin"), "registries": declared()}
    checked = host.role("--check", hide_helper=True, **places)
    assert (checked.code, checked.changed, "skipped=2 " in checked.output) == (0, 1, True), checked
    skipped = re.findall(r"^TASK \[\S+ : (.+)\] \**\nskipping: \[localhost\]$", checked.output, re.MULTILINE)
    assert skipped == ["Read the hand-off as data", "Show the share before anything is done"]  # no hand-off is given
    assert files_of(tmp_path) == {}


@pytest.fixture
def homes() -> Iterator[pathlib.Path]:
    """A folder that every user may go to; pytest's own are for its user only."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        yield folder


def test_another_user_s_files_are_that_user_s(homes: pathlib.Path) -> None:
    """Root writes them with the rights of the user, so that a link in the home gives that user nothing new."""
    user = pwd.getpwnam("nobody")
    home, mine = homes / "nobody", homes / "root"
    for folder in (home, mine):
        folder.mkdir()
    os.chown(home, user.pw_uid, user.pw_gid)
    (home / ".config").mkdir(0o700)  # left by root; the user's podman sees nothing in it either
    options = {"user": "nobody", "home": str(home), "bin_dir": str(homes / "bin"), "registries": declared()}
    done = module(options)
    assert done["changed"] is True, done
    assert [owned(path) for path in (home / ".docker", home / ".docker/config.json", home / ".aws/config")] == [
        ("nobody", 0o700),
        ("nobody", 0o600),
        ("nobody", 0o600),
    ]
    (wrapper, other) = sorted((homes / "bin").iterdir())
    assert owned(wrapper) == owned(other) == ("root", 0o755)
    assert wrapper.name == f"docker-credential-{done['helpers'][OWNER]}" == f"docker-credential-ecr-pull-nobody-{OWNER}"

    (home / ".aws/config").unlink()
    (home / ".aws/config").symlink_to(mine / "config")
    refused = module(options)
    assert f"{mine}/config cannot be written: {mine} is not a writable directory." in refused["msg"]
    unknown = module({**options, "user": "no-such-user"})
    assert unknown["msg"] == "User no-such-user does not exist on this host. Create the user first."
    assert list(mine.iterdir()) == []


REPORTED = {
    "empty-login": (f'{{"auths": {{"{OWNER}": {{}}}}, "credsStore": "ecr-login"}}', ""),
    "own-entry": (f'{{"credHelpers": {{"{OWNER}": "ecr-login"}}}}', f"names the helper 'ecr-login' for {OWNER}."),
    "duplicate-names": ('{"auths": {"a.example": {"auth": "eDp5"}}, "auths": {"b.example": {"auth": "eDp5"}}}', ""),
    "empty-file": ("", ""),
    "empty-object": ("{}\n", ""),
}


@pytest.mark.parametrize("linked", [False, True])
@pytest.mark.parametrize(("text", "warning"), REPORTED.values(), ids=REPORTED)
def test_a_file_of_a_public_report_is_the_same_afterwards(
    homes: pathlib.Path, text: str, warning: str, linked: bool
) -> None:
    """A login was lost, an own entry was not restored, an empty file was deleted, and the target of a link as well."""
    home = homes / "home"
    for folder in (home, home / ".docker", home / ".aws", home / "dotfiles"):
        folder.mkdir()
    files = {home / ".docker/config.json": text, home / ".aws/config": ""}
    for file, content in files.items():
        target = home / "dotfiles" / file.name if linked else file
        target.write_text(content)
        if linked:
            file.symlink_to(target)
    options = {"home": str(home), "bin_dir": str(homes / "bin"), "registries": declared()[:1]}
    done = module(options)
    assert done["changed"] is True, done
    assert (bool(done.get("warnings")), warning in json.dumps(done.get("warnings"))) == (bool(warning), True), done
    assert json.loads((home / ".docker/config.json").read_text())["credHelpers"][OWNER] == done["helpers"][OWNER]
    if "b.example" in text:  # podman finds both logins
        for registry in ("a.example", "b.example"):
            command = ["podman", "login", "--get-login", "--authfile", str(home / ".docker/config.json"), registry]
            subprocess.run(command, check=True, capture_output=True, timeout=300)
    again = module(options)
    assert (again["changed"], again.get("warnings", [])) == (False, []), again
    removed = module({**options, "state": "absent"})
    assert removed["changed"] is True, removed
    assert {file: (file.read_text(), file.is_symlink()) for file in files} == {
        file: (content, linked) for file, content in files.items()
    }


def test_files_that_the_module_creates_are_deleted(homes: pathlib.Path) -> None:
    """Behind a link that leads nowhere, too. The link stays."""
    (homes / ".docker").mkdir()
    (homes / ".docker/config.json").symlink_to(homes / "later.json")
    options = {"home": str(homes), "bin_dir": str(homes / "bin"), "registries": declared()}
    assert module(options)["changed"] is True
    assert (homes / "later.json").exists()
    assert module({**options, "state": "absent"})["changed"] is True
    assert [path.name for path in homes.rglob("*") if not path.is_dir()] == ["config.json"]
    assert (homes / ".docker/config.json").is_symlink()


def module(options: dict[str, Any]) -> dict[str, Any]:
    """The result of the module, run as Ansible runs it on a host."""
    command = [str(Control.python or BIN / "python"), "-m", MODULE]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / ".venv/collections")}
    typed = json.dumps({"ANSIBLE_MODULE_ARGS": options})
    ran = subprocess.run(
        command, input=typed, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    result: dict[str, Any] = json.loads(ran.stdout)
    return result


def owned(path: pathlib.Path) -> tuple[str, int]:
    return path.owner(), path.stat().st_mode & 0o777
