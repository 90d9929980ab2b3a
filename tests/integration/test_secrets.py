# SPDX-License-Identifier: GPL-3.0-or-later
"""No secret leaves the module that needs it: searched for in output, processes, logs and files, while runs go well,
fail, and are killed half-way."""

from __future__ import annotations

import base64
import json
import os
import pathlib
import signal
import tempfile
import time
from collections.abc import Callable, Collection
from typing import Any

import pytest

from tests.lab import accounts
from tests.support.control import BIN, ROLE
from tests.support.secret_search import Secrets, forms
from tests.support.watching import ENGINES, PROGRAMS, Site, Watch, left

pytestmark = pytest.mark.engine

HIDDEN = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"


def release(watch: Watch) -> None:
    watch.site.proxy.released.set()


def end_playbook(watch: Watch) -> None:
    watch.process.terminate()
    all_end(watch)


def end_modules(watch: Watch) -> None:
    modules = watch.modules()
    assert len(modules) == len(ENGINES), watch.running()
    for pid in modules:
        os.kill(pid, signal.SIGTERM)
    all_end(watch)


def all_end(watch: Watch) -> None:
    """By the signal, and not because the layer comes after all."""
    deadline = time.monotonic() + 300
    while running := watch.running():
        assert time.monotonic() < deadline, running
        watch.record(watch.site.run_folder)
        time.sleep(0.05)
    release(watch)


#: The form of the output: at its longest for people, and for programs.
VERBOSE: tuple[list[str], dict[str, str]] = (["-vvvv"], {})
FOR_PROGRAMS: tuple[list[str], dict[str, str]] = ([], {"ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json"})
OUTPUTS = {"verbose": VERBOSE, "json": FOR_PROGRAMS}
PRIVATE_FILE = ("config.json", "600", "700")


def assert_no_secret_is_out(watch: Watch) -> None:
    """Not in output, logs, arguments, environments, and in no file that is left."""
    assert watch.secrets_in_output() == set(), watch
    assert watch.processes_with_secrets() == []
    assert watch.remaining_files_with_secrets() == []


def results_of(watch: Watch, action: str) -> list[dict[str, Any]]:
    """The results of a module in the JSON callback, for each host."""
    tasks = [task for play in json.loads(watch.output)["plays"] for task in play["tasks"]]
    results = [result for task in tasks for result in task["hosts"].values()]
    return [result for result in results if result["action"] == f"crossaccount.ecr.{action}"]


def share_command(site: Site, program: pathlib.Path | None = None) -> list[Any]:
    """The command that shares the scenario's repositories, by default with the quick `ansible-playbook`."""
    command = [program or site.program("owner"), "playbooks/share.yml", "-e", "@playbooks/vars/scenario.yml"]
    return [*command, "-e", f"ecr_share_handoff_path={site.handoff}"]


def pull_command(site: Site, credentials: str, *engines: str, **variables: Any) -> list[Any]:
    """The command that pulls into these engines in parallel."""
    return [site.program("consumer"), *site.pull_arguments(credentials, *engines, **variables)]


@pytest.fixture(scope="module")
def first_share(site: Site) -> Watch:
    site.begin()
    return site.watch([*share_command(site, BIN / "ansible-playbook"), "-vvvv"], "owner")


@pytest.fixture
def shared(site: Site, first_share: Watch) -> Site:
    """A site whose owner has shared, with new folders."""
    assert first_share.code == 0, first_share
    site.begin()
    return site


@pytest.mark.parametrize("form", [form for form, _content in forms("")])
def test_the_search_finds_a_piece_of_a_secret_in_every_form(form: str) -> None:
    value = base64.b64encode(os.urandom(60)).decode()
    secrets, content = Secrets([value]), dict(forms(value))[form]
    for start in range(len(content) - 30):
        assert secrets.within(b"something before" + content[start : start + 31] + b"something behind"), start
    assert secrets.within(b"something before" + base64.b64encode(os.urandom(60)) + b"something behind") == set()


def test_watch_finds_planted_secrets(site: Site, docker: dict[str, str], podman: dict[str, str]) -> None:
    site.begin()
    secret, system = site.keys[0], pathlib.Path(tempfile.mkdtemp())
    folders = [
        pathlib.Path(docker["DOCKER_HOST"].removeprefix("unix://")).parent / "data",
        pathlib.Path(podman["CONTAINERS_STORAGE_CONF"]).parent / "graph",
        system,
    ]
    left = [folder / "planted" for folder in folders]
    script = """
    umask 027
    printf %s "$PLANTED" > $TMPDIR/passing
    for path in "$@"; do cp $TMPDIR/passing "$path"; done
    cp $TMPDIR/passing $ANSIBLE_LOG_PATH
    sleep 1
    rm $TMPDIR/passing
    """
    try:
        watch = site.watch(["sh", "-c", script, "sh", *left], environment={"PLANTED": secret})
        assert sorted(watch.remaining_files_with_secrets()) == sorted(map(str, [*left, site.log]))
        assert ("passing", "640", "755") in watch.files_with_secrets()
        assert {place.split()[0] for place in watch.processes_with_secrets()} == {"environ"}
        assert watch.secrets_in_output() == {"secret 0, plain"}  # in the log
    finally:
        for path in left:
            path.unlink(missing_ok=True)
        system.rmdir()


def test_watch_finds_printed_secrets(site: Site) -> None:
    site.begin()
    watch = site.watch(["sh", "-c", 'sleep 1; printf %s "$1" | base64 >&2', "sh", site.keys[0]])
    assert {text.split(",")[0] for text in watch.secrets_in_output()} == {"secret 0"}
    assert {place.split()[0] for place in watch.processes_with_secrets()} == {"cmdline"}
    assert watch.files_with_secrets() == set()


def test_the_first_share_shows_no_secret(first_share: Watch) -> None:
    assert first_share.code == 0, first_share
    assert "invocation:" not in first_share.output  # the modules run in ansible-playbook
    assert "Tag the shared repositories" in first_share.log
    assert "Invoked with" not in first_share.syslog
    assert_no_secret_is_out(first_share)
    assert first_share.files_with_secrets() == set()


@pytest.mark.parametrize("output", OUTPUTS)
def test_a_share_by_modules_shows_no_secret(shared: Site, output: str) -> None:
    """With a Python of its own the host gets modules: they show their options, and log them."""
    flags, environment = OUTPUTS[output]
    changes = {"ansible_python_interpreter": str(shared.host_python), "ecr_share_description": f"Now {output}"}
    command = [*share_command(shared), *flags, "-e", json.dumps(changes)]
    watch = shared.watch(command, "owner", environment=environment)
    assert watch.code == 0, watch
    if output == "json":
        (role,) = results_of(watch, "iam_ecr_pull_role")
        for result in (role, *results_of(watch, "ecr_share_info")):
            assert result["invocation"]["module_args"]["secret_key"] is None
    else:
        assert "invocation:" in watch.output
        assert "AnsiballZ_iam_ecr_pull_role" in watch.log
    assert watch.syslog.count("Invoked with") == 3  # the plan, the role, the plan again
    assert_no_secret_is_out(watch)
    assert watch.files_with_secrets() == set()


def test_the_json_of_a_share_has_no_secret(shared: Site) -> None:
    watch = shared.watch(share_command(shared), "owner", environment=FOR_PROGRAMS[1])
    assert watch.code == 0, watch
    plan = results_of(watch, "ecr_share_info")[0]
    assert "roles" in plan
    assert "invocation" not in plan
    assert_no_secret_is_out(watch)
    assert watch.files_with_secrets() == set()


@pytest.mark.parametrize(("output", "credentials"), [("json", "host"), ("verbose", "control_node")])
def test_a_pull_shows_no_secret(shared: Site, credentials: str, output: str) -> None:
    flags, environment = OUTPUTS[output]
    shared.proxy.hold()
    watch = shared.watch([*pull_command(shared, credentials, *ENGINES), *flags], act=release, environment=environment)
    assert watch.code == 0, watch
    assert len(watch.secrets.values) >= len(shared.keys) + len(ENGINES) * (4 + 2 + 2)  # two sessions, two tokens
    assert {*PROGRAMS} <= watch.programs
    hidden = HIDDEN if credentials == "control_node" else None
    if output == "json":
        results = results_of(watch, "ecr_image_pull")
        assert [result["invocation"]["module_args"]["registry_token"] for result in results] == [hidden] * len(ENGINES)
        assert json.loads(watch.output)["global_custom_stats"]["ecr_pull"].keys() == {*ENGINES}
    else:
        assert watch.output.count(f"registry_token: {hidden or 'null'}\n") == len(ENGINES)
        assert "CUSTOM STATS" in watch.output
    steps = 2 if credentials == "control_node" else 1  # the host reports its engine before the token is requested
    assert watch.syslog.count("registry_token=NOT_LOGGING_PARAMETER") == steps * len(ENGINES)
    assert_no_secret_is_out(watch)
    assert watch.files_with_secrets() == {PRIVATE_FILE}
    paths = {file.path for file in watch.during.values() if watch.secrets.within(file.content)}
    assert len(paths) >= len(PROGRAMS)


@pytest.mark.parametrize(
    ("credentials", "output", "refused"),
    [("control_node", "json", "layer"), ("host", "verbose", "manifest")],
)
def test_a_pull_that_the_registry_refuses_shows_no_secret(
    shared: Site, credentials: str, output: str, refused: str
) -> None:
    """The registry returns the token in its message. Of a layer podman and skopeo do not tell it further, of a manifest
    they do."""
    flags, environment = OUTPUTS[output]
    shared.proxy.refuse(refused)
    watch = shared.watch([*pull_command(shared, credentials, *ENGINES), *flags], environment=environment)
    assert watch.code == 2, watch
    aloud = " ".join(watch.output.split()).count("AWS:******** or ******** is refused")
    # In the task's result and in the table of hosts; with many words, each of them twice.
    # Of a manifest skopeo's host says the same as that of oci_layout; Ansible displays equal errors once.
    once = 1 if (output, refused) == ("verbose", "manifest") else 0
    assert aloud == (1 if refused == "layer" else 3) * (4 if output == "verbose" else 2) - once, watch
    assert_no_secret_is_out(watch)
    assert watch.files_with_secrets() <= {PRIVATE_FILE}


@pytest.mark.parametrize(("credentials", "output"), [("host", "verbose"), ("control_node", "json")])
def test_a_proof_that_fails_shows_no_secret(shared: Site, credentials: str, output: str) -> None:
    flags, environment = OUTPUTS[output]
    wrong = {"ecr_pull_repositories": ["develop"], "ecr_pull_denied": ["release"]}
    watch = shared.watch([*pull_command(shared, credentials, "docker", **wrong), *flags], environment=environment)
    assert watch.code == 2, watch
    assert "Repository develop cannot be pulled." in watch.output
    assert len(watch.secrets.values) >= len(shared.keys) + 2 + 2
    assert_no_secret_is_out(watch)
    assert watch.files_with_secrets() == set()


@pytest.mark.parametrize(("credentials", "end"), [("control_node", end_playbook), ("host", end_modules)])
def test_a_run_that_is_ended_half_way_leaves_no_secret(
    shared: Site, credentials: str, end: Callable[[Watch], None]
) -> None:
    shared.proxy.hold()
    command = [BIN / "ansible-playbook", *shared.pull_arguments(credentials, *ENGINES), "-vvvv"]
    watch = shared.watch(command, act=end)
    assert watch.code == (-signal.SIGTERM if end is end_playbook else 2), watch
    assert {*PROGRAMS} <= watch.programs
    assert_no_secret_is_out(watch)
    assert watch.files_with_secrets() == {PRIVATE_FILE}
    assert list(shared.run_folder.rglob("config.json")) == []
    assert left(shared) == []


def token_of(site: Site) -> str:
    ecr = site.lab.assume("consumer", "ecr", ROLE, ExternalId="test")
    return str(ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"])


def by_token(site: Site, token: str) -> list[Any]:
    """The command that gives the token to the module as its option. It comes from a file, apart from the run's."""
    variables = site.lab.folder / "token.json"
    variables.touch(0o600)
    variables.write_text(json.dumps({"token": token}), encoding="utf-8")
    options = {
        "images": [f"release@{site.digest}"],
        "engine": "oci_layout",
        "dest": str(site.run_folder / "dest/oci"),
        "registry_url": f"http://{site.proxy.here}",
        "registry_token": "{{ token }}",
    }
    play = {"hosts": "localhost", "gather_facts": False, "tasks": [{"crossaccount.ecr.ecr_image_pull": options}]}
    playbook = site.run_folder / "play.yml"
    playbook.write_text(json.dumps([play]), encoding="utf-8")
    return [site.program(None), playbook, "-vvvv", "-e", f"@{variables}"]


@pytest.mark.parametrize(
    ("pipelining", "files"), [("false", {("AnsiballZ_ecr_image_pull.py", "700")}), ("true", set[tuple[str, str]]())]
)
def test_a_token_as_an_option_shows_in_the_file_of_ansible_only(
    shared: Site, pipelining: str, files: set[tuple[str, str]]
) -> None:
    """Without pipelining the file is Ansible's way to every host, in a private folder; it is gone with the task."""
    shared.proxy.hold()
    token = token_of(shared)
    password = base64.b64decode(token).decode().partition(":")[2]
    environment = {"ANSIBLE_PIPELINING": pipelining}
    command = by_token(shared, token)
    watch = shared.watch(command, None, secrets=[token, password], act=release, held=1, environment=environment)
    assert watch.code == 0, watch
    assert f"registry_token: {HIDDEN}" in watch.output
    assert "registry_token=NOT_LOGGING_PARAMETER" in watch.syslog
    assert_no_secret_is_out(watch)
    assert {(name, folder_mode) for name, _mode, folder_mode in watch.files_with_secrets()} == files


@pytest.mark.parametrize(
    ("flags", "environment"),
    [
        ([], {"ANSIBLE_KEEP_REMOTE_FILES": "true"}),
        (["-e", "ansible_become=true", "-e", "ansible_become_method=su"], {}),
    ],
    ids=["keep_remote_files", "become_su"],
)
def test_token_is_in_no_file_without_pipelining(shared: Site, flags: list[str], environment: dict[str, str]) -> None:
    watch = shared.watch(
        [*pull_command(shared, "control_node", "oci_layout"), *flags, "-vvvv"], environment=environment
    )
    assert len(watch.secrets.values) >= len(shared.keys) + 2 + 2
    assert_no_secret_is_out(watch)
    assert watch.files_with_secrets() == set()


# --- a session token with a line break, from every source

#: The SDK prints such a token in its own error, if it gets the token.
BROKEN = base64.b64encode(os.urandom(120)).decode()
HALF_KEYS = ("AKIAIOSFODNN7EXAMPLE", base64.b64encode(os.urandom(30)).decode())
SENTENCE = "The session token contains a line break. Remove it where the value is stored, and run again."
SOURCES = ("environment", "AWS_SECURITY_TOKEN", "profile", "source_profile", "credential_process", "option")


def broken_keys(site: Site, source: str) -> tuple[dict[str, str], dict[str, str]]:
    """The environment and the options that supply the token in this way. Files are apart from those of the run."""
    key, secret = HALF_KEYS
    environment = {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret, "AWS_REGION": accounts.REGION}
    if source in ("environment", "AWS_SECURITY_TOKEN"):
        name = "AWS_SESSION_TOKEN" if source == "environment" else source
        return {**environment, name: f"{BROKEN}\n"}, {}
    if source == "option":
        return {}, {"access_key": key, "secret_key": secret, "session_token": f"{BROKEN}\n", "region": accounts.REGION}
    keys = f"aws_access_key_id = {key}\naws_secret_access_key = {secret}\naws_session_token = {BROKEN}\n  more\n"
    if source == "credential_process":
        printed = {"Version": 1, "AccessKeyId": key, "SecretAccessKey": secret, "SessionToken": f"{BROKEN}\r\n"}
        output = site.lab.folder / "printed.json"
        output.touch(0o600)
        output.write_text(json.dumps(printed), encoding="utf-8")
        keys = f"credential_process = cat {output}\n"
    role = f"[profile above]\nrole_arn = arn:aws:iam::{accounts.OWNER}:role/x\nsource_profile = broken\n"
    path = site.lab.folder / "aws-config-broken"
    path.touch(0o600)
    proxied = f"endpoint_url = http://{site.proxy.here}\nregion = {accounts.REGION}\n"
    path.write_text(f"[profile broken]\n{keys}{proxied}{role}{proxied}", encoding="utf-8")
    return {"AWS_CONFIG_FILE": str(path), "AWS_PROFILE": "above" if source == "source_profile" else "broken"}, {}


def modules(site: Site, options: dict[str, str], python: str | None, names: Collection[str]) -> list[Any]:
    """The command that runs modules that send requests to AWS, whether or not one before it fails.

    :param names: of the modules; empty for all of them
    """
    role = {"role_arn": f"arn:aws:iam::{accounts.OWNER}:role/{ROLE}", "wait_timeout": 0}
    layout = {"images": ["release:v1.0"], "engine": "oci_layout", "dest": str(site.run_folder / "dest/oci")}
    share = {"repositories": ["release"], "consumers": [{"account": accounts.CONSUMER, "external_id": "test-1234"}]}
    tasks_of_modules: list[tuple[str, dict[str, Any]]] = [
        ("ecr_repository_tag", {"names": ["release"], "tags": {"a": "b"}}),
        ("iam_ecr_pull_role", {"name": "x", "repository_tags": {"a": "b"}, "consumers": share["consumers"]}),
        ("ecr_share_info", {"shares": [{"name": "x", **share}]}),
        *(
            ("ecr_access_info", {**role, "readable": ["release"], "credentials": credentials})
            for credentials in ("host", "control_node")
        ),
        *(
            ("ecr_image_pull", {**role, **layout, "credentials": credentials})
            for credentials in ("host", "control_node")
        ),
    ]
    tasks = [
        {f"crossaccount.ecr.{module}": {**common, **options}, "ignore_errors": True}
        for module, common in tasks_of_modules
        if module in (names or dict(tasks_of_modules))
    ]
    variables = {"ansible_python_interpreter": python} if python else {}
    play = {"hosts": "localhost", "gather_facts": False, "vars": variables, "tasks": tasks}
    playbook = site.lab.folder / "play.yml"
    playbook.touch(0o600)
    playbook.write_text(json.dumps([play]), encoding="utf-8")
    return [site.program(None), playbook, "-vvvv"]


def assert_the_token_is_refused(watch: Watch, times: int) -> None:
    words = " ".join((watch.output + watch.errors).split())
    assert words.count(SENTENCE) >= times, watch
    assert "Traceback" not in watch.output + watch.errors + watch.log
    assert watch.secrets_in_output() == set(), watch
    assert watch.remaining_files_with_secrets() == []


#: Where all modules run. From the other sources, one module of each account gets the token.
EVERY_MODULE = (("environment", "here"), ("option", "here"), ("option", "process"))
ONE_EACH = ("ecr_share_info", "ecr_access_info")


@pytest.mark.parametrize(
    ("source", "where"), [*((source, "here") for source in SOURCES), ("environment", "process"), ("option", "process")]
)
def test_no_module_prints_a_token_with_a_line_break(shared: Site, source: str, where: str) -> None:
    environment, options = broken_keys(shared, source)
    names = () if (source, where) in EVERY_MODULE else ONE_EACH
    command = modules(shared, options, str(shared.host_python) if where == "process" else None, names)
    watch = shared.watch(command, None, secrets=[BROKEN, HALF_KEYS[1]], environment=environment)
    assert watch.code == 0, watch  # errors are ignored
    assert_the_token_is_refused(watch, 3 if names else 7)


@pytest.mark.parametrize(
    ("playbook", "source"),
    [
        ("share", "environment"),
        ("share", "source_profile"),
        ("host", "credential_process"),
        ("control_node", "environment"),
    ],
)
def test_no_playbook_prints_a_token_with_a_line_break(shared: Site, source: str, playbook: str) -> None:
    environment, _options = broken_keys(shared, source)
    command = share_command(shared) if playbook == "share" else pull_command(shared, playbook, "oci_layout")
    watch = shared.watch([*command, "-vvvv"], None, secrets=[BROKEN, HALF_KEYS[1]], environment=environment)
    assert watch.code == 2, watch
    assert_the_token_is_refused(watch, 1)
