# SPDX-License-Identifier: GPL-3.0-or-later
"""A hand-off comes from another organization: nothing in it is executed, and only its own keys are accepted."""

from __future__ import annotations

import json
import os
import pathlib
from typing import Any

import pytest
import yaml

from tests.lab import accounts
from tests.support.control import ROLE_ARN, Control, Run
from tests.support.paths import ROOT

OWN_ROLE = f"arn:aws:iam::{accounts.CONSUMER}:role/Ops"


@pytest.fixture(scope="module")
def shared(control: Control) -> Control:
    run = control.share()
    assert run.code == 0, run
    return control


class Attack:
    """The owner's hand-off with changes, pulled by a consumer; whether a program was executed."""

    def __init__(self, control: Control, folder: pathlib.Path) -> None:
        self.control, self.folder = control, folder
        self.marker = folder / "executed"
        self.template = f"{{{{ lookup('ansible.builtin.pipe', 'touch {self.marker}') }}}}"
        self.path = folder / "hostile.yml"
        self.layout = folder / "layout"

    def document(self, **changes: Any) -> dict[str, Any]:
        return {**yaml.safe_load(self.control.handoff.read_text()), **changes}

    def pull(self, handoff: Any, *arguments: str, profile: str = "consumer", **variables: Any) -> Run:
        """As an extra variable in JSON, which Ansible trusts: any template in it would be evaluated."""
        layout = {"ecr_pull_engine": "oci_layout", "ecr_pull_dest": str(self.layout), "ecr_pull_wait_timeout": 0}
        self.mark = len(self.control.lab.calls())
        own = {**layout, **variables, "ecr_pull_handoff": handoff}
        return self.control.playbook("pull", profile, *arguments, **own)

    def write(self, text: str) -> str:
        self.path.write_text(text, encoding="utf-8")
        return str(self.path)

    def rejected(self, run: Run, *facts: str) -> None:
        """Nothing was executed, written or sent to AWS, and the message has these facts."""
        output = " ".join(run.output.split())
        assert run.code == 2, run
        for fact in facts:
            assert fact in output, run
        assert not self.marker.exists()
        assert not self.layout.exists()
        assert self.control.lab.calls()[self.mark :] == []
        assert "Traceback" not in output, run


@pytest.fixture
def attack(shared: Control, tmp_path: pathlib.Path) -> Attack:
    return Attack(shared, tmp_path)


def hostile_everywhere(attack: Attack) -> dict[str, Any]:
    """The template in every key, and in a new one."""
    template = attack.template
    consumer_keys = ("consumer_account", "consumer_organization")
    text_keys = ("role_arn", "external_id", "shared_at", "region", "registry", "access", *consumer_keys)
    texts = {f"ecr_pull_{name}": template for name in text_keys}
    lists = {f"ecr_pull_{name}": [template] for name in ("repositories", "denied", "images", "consumer_units")}
    return {**texts, **lists, "ecr_pull_repository_tags": {template: template}, template: template}


@pytest.mark.parametrize("form", ["file", "YAML text", "JSON text", "named variable"])
def test_template_in_any_key_is_not_evaluated(attack: Attack, form: str) -> None:
    """A template in a value of the hand-off was executed on the consumer's control node (finding 1)."""
    document = hostile_everywhere(attack)
    variables = {}
    if form == "file":
        handoff = attack.write(yaml.safe_dump(document))
    elif form == "YAML text":
        handoff = yaml.safe_dump(document)
    elif form == "JSON text":
        handoff = json.dumps(document)
    else:
        handoff, variables = "{{ artifact }}", {"artifact": yaml.safe_dump(document)}
    run = attack.pull(handoff, **variables)
    attack.rejected(run, "problems, nothing was written", "A hand-off cannot contain", "ecr_pull_images: Image")
    for name in document:
        assert f"{name}" in " ".join(run.output.split()).replace("\\\\", ""), run


@pytest.mark.parametrize("line", ["{}", "role: {}", "/{}.yml", "{{% if true %}}{}{{% endif %}}"])
def test_template_in_a_single_line_is_not_evaluated(attack: Attack, line: str) -> None:
    """A single line is a path, whose variables are evaluated; a hostile text can be a single line, too (finding 1)."""
    run = attack.pull(line.format(attack.template))
    attack.rejected(run, "has a template that is not the name of a variable, so it is not evaluated")


def test_template_in_pasted_text_is_not_evaluated(attack: Attack) -> None:
    """AWX marks the answers of a survey, but the playbook of the pattern must not depend on that (finding 1)."""
    text = yaml.safe_dump(attack.document(ecr_pull_images=[f"release:v1.0{attack.template}"]))
    for name in ("survey_handoff", "ecr_share_handoff"):
        attack.mark = len(attack.control.lab.calls())
        playbook = ROOT / "extensions/patterns/ecr_share/playbooks/pull.yml"
        survey = {name: text, "survey_dest": str(attack.layout)}
        run = attack.control.playbook(str(playbook), "consumer", **survey)
        attack.rejected(run, 'ecr_pull_images: Image "release:v1.0{{ lookup')


def test_image_from_an_owner_survey_is_not_evaluated(attack: Attack) -> None:
    """Anyone who may fill in a share at the owner executed programs at the consumer (finding 2)."""
    document = attack.document(ecr_pull_images=[f"release:v1.0{attack.template}"])
    attack.rejected(attack.pull(attack.write(yaml.safe_dump(document))), "ecr_pull_images: Image")


def test_foreign_variables_of_a_handoff_are_rejected_by_name(attack: Attack) -> None:
    """The hand-off chose the programs, the hosts, the credentials and the files of the consumer (finding 1)."""
    program = attack.folder / "program"
    program.write_text(f"#!/bin/sh\ntouch '{attack.marker}'\nexec /bin/sh \"$@\"\n")
    program.chmod(0o755)
    foreign = {
        "ansible_shell_executable": str(program),
        "ansible_connection": "ssh",
        "ansible_ssh_common_args": f"-o ProxyCommand='touch {attack.marker}'",
        "ansible_python_interpreter": str(program),
        "ansible_become": "true",
        "ecr_pull_engine": "oci_layout",
        "ecr_pull_dest": str(attack.folder / "elsewhere"),
        "ecr_pull_junit_path": str(attack.folder / "bashrc"),
        "ecr_pull_hosts": "all",
        "ecr_pull_profile": "consumer-administrator",
        "ecr_pull_credentials": "control_node",
        "ecr_pull_owner_account": accounts.OWNER,
        "ecr_pull_handoff": "/etc/passwd",
        "environment": "x",
    }
    run = attack.pull(attack.write(yaml.safe_dump(attack.document(**foreign))))
    attack.rejected(run, "A hand-off cannot contain " + ", ".join(sorted(foreign)))
    assert sorted(path.name for path in attack.folder.iterdir()) == ["hostile.yml", "program"]


@pytest.mark.parametrize("consumer", ["consumer_account", "consumer_organization"])
def test_hand_off_that_is_loaded_as_variables_is_rejected(attack: Attack, consumer: str) -> None:
    """The way that the README documented before: a consumer that still uses it is stopped (finding 1)."""
    document = attack.document()
    document[f"ecr_pull_{consumer}"] = document.pop("ecr_pull_consumer_account")
    path = attack.write(yaml.safe_dump(document))
    attack.mark = len(attack.control.lab.calls())
    run = attack.control.playbook("pull", "consumer", "-e", f"@{path}", ecr_pull_dest=str(attack.layout))
    attack.rejected(run, "A hand-off was loaded as variables", "-e ecr_pull_handoff=FILE")


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        (
            "a: !!python/object/apply:os.system ['touch {marker}']\n",
            "line 1: tag tag:yaml.org,2002:python/object/apply",
        ),
        ("a: !unsafe 'x'\n", "tag !unsafe is not allowed"),
        ("a: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  00\n", "tag !vault is not allowed"),
        ("a0: &a0 [x]\na1: [*a0]\n", "anchors and aliases are not allowed"),
        ("a: 'x\0y'\n", "special characters are not allowed"),
    ],
    ids=["python", "unsafe", "vault", "alias", "NUL"],
)
def test_yaml_beyond_strings_is_rejected(attack: Attack, text: str, fact: str) -> None:
    """Aliases kept a job busy for minutes; tags make other values than text (finding 16)."""
    text = text.replace("{marker}", str(attack.marker))
    attack.rejected(attack.pull(attack.write(text)), str(attack.path), fact)


def test_alias_bomb_as_text_ends_at_once(attack: Attack) -> None:
    """812 bytes of aliases in an answer of a survey kept the job busy (finding 16)."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join(9 * [f'*a{n - 1}'])}]" for n in range(1, 12)]
    attack.rejected(attack.pull("\n".join([*lines, ""])), "anchors and aliases are not allowed")


def test_files_that_do_not_end_are_rejected(attack: Attack) -> None:
    """A FIFO or a device as the hand-off kept the run waiting, or filled the memory (finding 16)."""
    fifo = attack.folder / "fifo"
    os.mkfifo(fifo)
    (attack.folder / "to-fifo").symlink_to(fifo)
    for path in (fifo, attack.folder / "to-fifo", pathlib.Path("/dev/zero")):
        attack.rejected(attack.pull(str(path)), f"The hand-off {path} is not a regular file.")
    attack.rejected(attack.pull(attack.write("#" * 2 * 1024 * 1024)), "has more than 1048576 bytes")


def test_handoff_of_other_owner_is_rejected_before_requests(attack: Attack) -> None:
    """A customer named the role of an unrelated account in its own hand-off, and the third party pulled from it
    (finding 6)."""
    run = attack.pull(str(attack.control.handoff), ecr_pull_owner_account=accounts.STRANGER)
    attack.rejected(run, f"Role {ROLE_ARN} is in account {accounts.OWNER}, but ecr_pull_owner_account is 333333333333.")


def test_external_id_of_the_handoff_is_not_sent_if_unexpected(attack: Attack) -> None:
    """The third party presented whatever external ID a customer had written into the hand-off (finding 6)."""
    run = attack.pull(str(attack.control.handoff), ecr_pull_expected_external_id="of-this-customer")
    attack.rejected(run, "is not the one in ecr_pull_expected_external_id. It was not sent to AWS.")
    assert "of-this-customer" not in run.output.partition("TASK")[2]


def test_expected_owner_and_external_id_are_accepted(attack: Attack) -> None:
    """The same hand-off with what the consumer has in its own records; and through a link (finding 6)."""
    link = attack.folder / "link.yml"
    link.symlink_to(attack.control.handoff)
    expected = {"ecr_pull_owner_account": accounts.OWNER, "ecr_pull_expected_external_id": "test"}
    run = attack.pull("{{ folder }}/link.yml", folder=str(attack.folder), **expected)
    assert run.code == 0, run
    assert (attack.layout / "index.json").exists()
    shown = run.output.partition("Show the share before anything is done")[2].partition("TASK")[0]
    assert f"owner account:    {accounts.OWNER} (as ecr_pull_owner_account requires)" in shown
    for value in (accounts.CONSUMER, ROLE_ARN, "release", "develop", "release:v1.0"):
        assert value in shown, run


def test_owner_account_is_shown_with_the_option_that_checks_it(attack: Attack) -> None:
    """A run that accepted any owner did not tell whose share it used (finding 6)."""
    run = attack.pull(str(attack.control.handoff), "--check")
    assert run.code == 0, run
    line = (
        f"owner account:    {accounts.OWNER} (not checked; set ecr_pull_owner_account to the account that you expect)"
    )
    assert run.output.index(line) < run.output.index("before: arn:")


@pytest.mark.parametrize("credentials", ["host", "control_node"])
@pytest.mark.parametrize("module", ["ecr_access_info", "ecr_image_pull"])
def test_role_of_the_own_account_is_never_assumed(shared: Control, module: str, credentials: str) -> None:
    """A hand-off named an administrator's role of the consumer's own account, and it was assumed (finding 6)."""
    mark = len(shared.lab.calls())
    options: dict[str, Any] = {"role_arn": OWN_ROLE, "external_id": "test", "credentials": credentials}
    if module == "ecr_image_pull":
        options |= {"images": ["release:v1.0"], "engine": "oci_layout", "dest": str(shared.folder / "own")}
    result = shared.module(module, "consumer", **options)
    assert result["code"] == 2
    assert result["msg"].startswith(
        f"Role {OWN_ROLE} is in account {accounts.CONSUMER}, the account of these credentials."
    )
    assert shared.lab.calls()[mark:] == ["sts:GetCallerIdentity"]


@pytest.mark.parametrize("module", ["ecr_access_info", "ecr_image_pull"])
def test_handoff_of_other_consumer_is_rejected_by_modules(shared: Control, module: str) -> None:
    """The credentials of another account got as far as AWS STS, whose answer does not name the reason (finding 6)."""
    mark = len(shared.lab.calls())
    options: dict[str, Any] = {"role_arn": ROLE_ARN, "external_id": "test", "consumer_account": accounts.CONSUMER}
    if module == "ecr_image_pull":
        options |= {"images": ["release:v1.0"], "engine": "oci_layout", "dest": str(shared.folder / "own")}
    result = shared.module(module, "stranger", **options)
    message = f"This hand-off is for {accounts.CONSUMER}; these credentials are of {accounts.STRANGER}."
    assert result["msg"].startswith(message), result
    assert shared.lab.calls()[mark:] == ["sts:GetCallerIdentity"]


def test_handoff_of_other_consumer_is_rejected_by_playbook(attack: Attack) -> None:
    """The same with pull.yml, which has the consumer account from the hand-off (finding 6)."""
    run = attack.pull(str(attack.control.handoff), profile="stranger")
    output = " ".join(run.output.split())
    assert run.code == 2, run
    assert f"This hand-off is for {accounts.CONSUMER}; these credentials are of {accounts.STRANGER}." in output
    assert attack.control.lab.calls()[attack.mark :] == ["sts:GetCallerIdentity"]


def test_hand_off_of_the_own_account_is_rejected(attack: Attack) -> None:
    """The hand-off named a role of the consumer's own account, with the consumer as the owner (finding 6)."""
    run = attack.pull(attack.write(yaml.safe_dump(attack.document(ecr_pull_role_arn=OWN_ROLE))))
    attack.rejected(run, f"The role and ecr_pull_consumer_account are both of account {accounts.CONSUMER}")
    changes = {"ecr_pull_role_arn": OWN_ROLE, "ecr_pull_consumer_account": accounts.STRANGER}
    run = attack.pull(attack.write(yaml.safe_dump(attack.document(**changes))))
    assert run.code == 2, run
    assert f"Role {OWN_ROLE} is in account {accounts.CONSUMER}, the account of these" in " ".join(run.output.split())
    assert attack.control.lab.calls()[attack.mark :] == ["sts:GetCallerIdentity"]


def test_hosts_of_a_play_with_one_hand_off_show_it_once(attack: Attack) -> None:
    """A line for each of many hosts would hide the one host with another hand-off."""
    other = attack.write(yaml.safe_dump(attack.document(ecr_pull_images=[])))
    inventory = attack.folder / "hosts"
    same = f"ansible_connection=local ecr_pull_handoff={attack.control.handoff}"
    lines = [f"h{number} {same}" for number in range(4)]
    lines.append(f"h9 ansible_connection=local ecr_pull_handoff={other}")
    inventory.write_text("\n".join([*lines, ""]))
    variables = {"ecr_pull_prove_only": True, "ecr_pull_wait_timeout": 0}
    run = attack.control.playbook("pull", "consumer", "-i", str(inventory), **variables)
    assert run.code == 0, run
    assert run.output.count("owner account:") == 2, run
    assert "on h0, h1, h2, h3:" in run.output, run
    assert "on h9:" in run.output, run


@pytest.fixture
def host_role(attack: Attack) -> Any:
    """Runs the role ecr_credential_helper in check mode, with a hand-off of an ECR registry and an installed helper."""
    (attack.folder / "bin").mkdir()
    helper = attack.folder / "bin/docker-credential-ecr-login"
    helper.write_text("#!/bin/sh\n")
    helper.chmod(0o755)
    playbook = attack.folder / "play.yml"
    play = {"hosts": "localhost", "gather_facts": False, "roles": ["crossaccount.ecr.ecr_credential_helper"]}
    playbook.write_text(json.dumps([{**play, "vars": {"ecr_pull_handoff": "{{ playbook_dir }}/hostile.yml"}}]))
    attack.control.engines = {"PATH": f"{attack.folder}/bin:{os.environ['PATH']}"}

    def run(as_text: bool = False, **changes: Any) -> Run:
        registry = f"{accounts.OWNER}.dkr.ecr.{accounts.REGION}.amazonaws.com"
        text = yaml.safe_dump(attack.document(**{"ecr_pull_registry": registry, **changes}))
        attack.write(text)
        attack.mark = len(attack.control.lab.calls())
        own = {
            "ecr_credential_helper_home": str(attack.folder),
            "ecr_credential_helper_install": False,
            "ecr_credential_helper_credentials": {"source_profile": "default"},
            **({"ecr_pull_handoff": text} if as_text else {}),
        }
        return attack.control.playbook(str(playbook), None, "--check", "--diff", **own)

    yield run
    attack.control.engines = {}


def test_host_role_configures_the_registry_of_a_hand_off(attack: Attack, host_role: Any) -> None:
    """The README loaded the hand-off with vars_files, with become and on all hosts (finding 1)."""
    run = host_role()
    assert run.code == 0, run
    assert f"owner account:    {accounts.OWNER} (not checked" in run.output, run
    profile = f"[profile ecr-pull-{accounts.OWNER}.dkr.ecr.{accounts.REGION}.amazonaws.com]"
    for line in (profile, f"role_arn = {ROLE_ARN}", "external_id = test", "source_profile = default"):
        assert f"+{line}\n" in run.output, run


def test_host_role_executes_nothing_of_a_hand_off(attack: Attack, host_role: Any) -> None:
    """One line of the hand-off was executed as root on every host, even in check mode (finding 1)."""
    program = attack.folder / "program"
    program.write_text(f"#!/bin/sh\ntouch '{attack.marker}'\nexec /bin/sh \"$@\"\n")
    program.chmod(0o755)
    foreign = {"ansible_shell_executable": str(program), "ecr_credential_helper_bin_dir": str(attack.folder)}
    attack.rejected(
        host_role(**foreign), "A hand-off cannot contain ansible_shell_executable, ecr_credential_helper_bin_dir."
    )
    for as_text in (False, True):
        run = host_role(as_text, ecr_pull_external_id=attack.template)
        attack.rejected(run, "ecr_pull_external_id: external_id has")
    attack.rejected(host_role(ecr_pull_registry=attack.template), "is not the host of a registry")
