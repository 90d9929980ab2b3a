# SPDX-License-Identifier: GPL-3.0-or-later
"""A declaration is validated before the first write, and the files for a consumer execute nothing."""

from __future__ import annotations

import os
import pathlib
import shlex
import subprocess
from typing import Any

import pytest
import yaml

from tests.lab import accounts
from tests.support.control import Control, Run

OWNER, CONSUMER, STRANGER = accounts.OWNER, accounts.CONSUMER, accounts.STRANGER
PATTERN = "extensions/patterns/ecr_share/playbooks/share.yml"
SURVEY = {
    "survey_region": accounts.REGION,
    "survey_repositories": "release",
    "survey_tag": "environment=release",
    "survey_role_name": "allow_ecr_release",
    "survey_account": CONSUMER,
    "survey_principals": "",
    "survey_external_id": "test",
    "survey_access": "read",
    "survey_exclusive": "no",
    "survey_denied": "",
    "survey_images": "",
    "survey_expires": "",
}
ESCAPE = "\x1b]0;x\x07"


class _Unsafe(str):
    """A text that AWX marks as not being a template."""


class _Dumper(yaml.SafeDumper):
    """Writes such texts as AWX does."""


_Dumper.add_representer(_Unsafe, lambda dumper, text: dumper.represent_scalar("!unsafe", str(text), style='"'))


def unsafe(value: Any) -> Any:
    if isinstance(value, str):
        return _Unsafe(value)
    if isinstance(value, list):
        return [unsafe(element) for element in value]
    return {name: unsafe(element) for name, element in value.items()} if isinstance(value, dict) else value


def given(tmp_path: pathlib.Path, variables: dict[str, Any]) -> str:
    """An argument with variables as AWX gives them."""
    file = tmp_path / "answers.yml"
    file.write_text(yaml.dump(unsafe(variables), Dumper=_Dumper))
    return f"-e@{file}"


def words(run: Run) -> str:
    return " ".join(run.output.split())


def rejected(control: Control, mark: int, run: Run, *sentences: str) -> None:
    """The run failed with all sentences, wrote nothing to AWS and no hand-off."""
    assert run.code != 0, run
    for sentence in sentences:
        assert sentence in words(run), run
    assert "Traceback" not in run.output, run
    assert "\x1b" not in run.output, run
    assert control.lab.writes_since(mark) == []
    assert not control.handoff.exists()


@pytest.fixture
def untouched(control: Control) -> int:
    """No hand-off exists; the number of calls until now."""
    control.handoff.unlink(missing_ok=True)
    control.handoff.with_suffix(".md").unlink(missing_ok=True)
    return len(control.lab.calls())


@pytest.mark.parametrize("way", ["variables", "shares", "survey"])
def test_a_template_in_an_image_is_not_passed_to_the_consumer(
    control: Control, untouched: int, tmp_path: pathlib.Path, way: str
) -> None:
    """Anyone who may fill in the survey of a share executed code at the consumer (finding 2a)."""
    template = "release:v1.0{{lookup('pipe','touch${IFS}" + str(tmp_path / "executed") + "')}}"
    denied = "develop{{lookup('pipe','id')}}"
    if way == "survey":
        answers = given(tmp_path, {**SURVEY, "survey_images": template, "survey_denied": denied})
        run = control.playbook(PATTERN, "owner", answers, ecr_share_handoff_path=str(control.handoff))
    elif way == "shares":
        share = {
            "role_name": "of-a-list",
            "repository_tags": {"environment": "release"},
            "repositories": ["release"],
            "consumers": [{"account": CONSUMER, "external_id": "test"}],
            "images": [template],
            "denied": [denied],
            "handoff_path": str(control.handoff),
        }
        run = control.playbook("share", "owner", given(tmp_path, {"ecr_share_shares": [share]}))
    else:
        run = control.share(given(tmp_path, {"ecr_share_images": [template], "ecr_share_denied": [denied]}))
    rejected(control, untouched, run, 'Image "release:v1.0{{lookup', 'denied: "develop{{lookup')
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize(
    ("images", "denied"),
    [
        (["release:v1.0;touch${IFS}/tmp/pwned.image"], []),
        (["release:v1.0\n```\n\n[Sign in again](http://127.0.0.1:9/)\n\n```sh\ntouch /tmp/pwned.newline"], []),
        ([], ["develop` and now run `sh -c 'touch /tmp/pwned'"]),
        (["-release:v1.0", "release:$(id)", "release:v1.0|sh", f"release:{ESCAPE}"], ["-x", "dev*", "x\u2028y"]),
    ],
    ids=["shell", "markdown", "code-span", "variants"],
)
def test_no_command_gets_into_the_page_for_people(
    control: Control, untouched: int, tmp_path: pathlib.Path, images: list[str], denied: list[str]
) -> None:
    """A person who pasted the commands of the page executed the text of an image (finding 2b)."""
    run = control.share(given(tmp_path, {"ecr_share_images": images, "ecr_share_denied": denied}))
    rejected(control, untouched, run, *["Image "][: len(images)], *["is not a repository name"][: len(denied)])
    assert not control.handoff.with_suffix(".md").exists()


def test_the_commands_of_the_page_can_be_pasted(control: Control, tmp_path: pathlib.Path) -> None:
    """The words of the commands were not quoted (finding 2b)."""
    run = control.share(ecr_share_images=["release:v1.0"], ecr_share_denied=["develop"])
    assert run.code == 0, run
    blocks = control.handoff.with_suffix(".md").read_text().split("```sh\n")[1:]
    script = "".join(block.partition("```")[0] for block in blocks)
    programs = ("aws", "docker", "ansible-playbook")
    for program in programs:
        stub = tmp_path / program
        stub.write_text(f'#!/bin/sh\necho {program} "$@" >> {shlex.quote(str(tmp_path / "log"))}\n')
        stub.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    subprocess.run(["sh", "-e"], input=script, text=True, env=environment, check=True, timeout=300)
    called = (tmp_path / "log").read_text().splitlines()
    assert {line.partition(" ")[0] for line in called} == set(programs)
    assert (
        f"ansible-playbook crossaccount.ecr.pull -e ecr_pull_handoff=FILE -e ecr_pull_owner_account={OWNER}" in called
    )


def test_a_planted_time_does_not_get_into_the_hand_off(control: Control) -> None:
    """A template in an existing hand-off was copied to the new one (finding 2c)."""
    assert control.share().code == 0
    noted = yaml.safe_load(control.handoff.read_text())["ecr_pull_shared_at"]
    assert control.share().code == 0  # nothing changes, so the time is kept
    assert yaml.safe_load(control.handoff.read_text())["ecr_pull_shared_at"] == noted
    control.handoff.write_text("""ecr_pull_shared_at: "{{ lookup('pipe','id') }}"\n""")
    assert control.share().code == 0
    text = control.handoff.read_text()
    assert "lookup" not in text
    assert yaml.safe_load(text)["ecr_pull_consumer_account"] == CONSUMER


@pytest.mark.parametrize("ending", [".yml", ".md"])
@pytest.mark.parametrize("kind", ["fifo", "folder", "link to a file", "link to a device", "huge"])
def test_foreign_file_at_the_path_is_not_read_or_replaced(
    control: Control, untouched: int, tmp_path: pathlib.Path, kind: str, ending: str
) -> None:
    """A FIFO stopped the share forever; a hand-off that cannot be written was found after the writes (finding 2c)."""
    path, victim = tmp_path / f"handoff{ending}", tmp_path / "victim"
    victim.write_text("ours")
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "huge":
        with path.open("wb") as sparse:
            sparse.truncate(1 << 40)
    else:
        path.symlink_to(victim if kind == "link to a file" else "/dev/zero")
    run = control.share("--diff", ecr_share_handoff_path=str(tmp_path / "handoff.yml"), ecr_share_role_name="late")
    expected = "larger than the limit of 1048576 bytes." if kind == "huge" else "is not a regular file"
    rejected(control, untouched, run, expected)
    assert victim.read_text() == "ours"
    assert "ours" not in run.output


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("none/handoff.yml", "does not exist. Create it first."),
        ("handoff.md", "must not end in .md"),
        ("x" * 300 + ".yml", "File name too long. Use another path."),
        ("file/handoff.yml", "does not exist. Create it first."),
        (f"hand{ESCAPE}off.yml", "contains the unprintable character"),
        ("hand\noff.yml", "contains the unprintable character"),
    ],
)
def test_unwritable_path_is_reported_before_the_first_write(
    control: Control, untouched: int, tmp_path: pathlib.Path, path: str, sentence: str
) -> None:
    """The role and the tags were written before the hand-off failed."""
    (tmp_path / "file").touch()
    run = control.share(
        ecr_share_handoff_path=f"{tmp_path}/{path}", ecr_share_role_name="late", ecr_share_images=["base"]
    )
    rejected(control, untouched, run, sentence, "Image 'base' has no image tag and no digest.")


def test_control_characters_are_rejected_in_every_value(
    control: Control, untouched: int, tmp_path: pathlib.Path
) -> None:
    """Only some of the declared values were validated (finding 2)."""
    consumer = {
        "account": CONSUMER,
        "external_id": f"id{ESCAPE}",
        "principals": [f"user/x{ESCAPE}"],
        "organization_id": f"o-abcdefghij{ESCAPE}",
    }
    declared: dict[str, Any] = {
        "ecr_share_consumers": [consumer, {"account": f"{STRANGER}{ESCAPE}", "external_id": "other"}],
        "ecr_share_repository_tags": {f"key{ESCAPE}": f"value{ESCAPE}"},
        "ecr_share_tags": {"environment": f"tag{ESCAPE}"},
        "ecr_share_repositories": ["release", f"rel*{ESCAPE}", f"rel{ESCAPE}"],
        "ecr_share_description": f"description{ESCAPE}",
        "ecr_share_permissions_boundary": f"arn:aws:iam::{OWNER}:policy/{ESCAPE}",
        "ecr_share_images": [f"release:v1{ESCAPE}"],
        "ecr_share_denied": [f"denied{ESCAPE}"],
        "ecr_share_handoff_path": f"{tmp_path}/{ESCAPE}.yml",
    }
    written_out = repr(ESCAPE)[1:-1]
    rejected(
        control,
        untouched,
        control.share(given(tmp_path, {}), **declared),
        "Consumer 2: '333333333333" + written_out,
        "characters, or a character that AWS does not accept",
        f"principal 'user/x{written_out}'",
        f"organization_id 'o-abcdefghij{written_out}'",
        f"tag key 'key{written_out}'",
        f"tag value 'tag{written_out}'",
        f"Pattern 'rel*{written_out}' contains an unprintable character.",
        f"'rel{written_out}' is not a repository name",
        "The description has '\\x1b'",
        "permissions_boundary 'arn:aws:iam::111111111111:policy/" + written_out,
        f"Image 'release:v1{written_out}'",
        f"denied: 'denied{written_out}'",
        "contains the unprintable character '\\x1b'",
    )
    names = {
        "ecr_share_role_name": f"r{ESCAPE}",
        "ecr_share_policy_name": f"p{ESCAPE}",
        "ecr_share_path": f"/{ESCAPE}/",
    }
    run = control.share(**names)
    assert run.code != 0, run
    for sentence in ("Role name 'r", "Policy name 'p", "Path '/"):
        assert sentence in words(run), run
    assert control.lab.writes_since(untouched) == []


SHARE = {
    "role_name": "of-a-list",
    "repository_tags": {"environment": "release"},
    "repositories": ["release"],
    "consumers": [{"account": CONSUMER, "external_id": "test"}],
}


@pytest.mark.parametrize(
    ("playbook", "variables"),
    [
        ("share", {}),
        ("unshare", {}),
        ("share", {"ecr_share_shares": [SHARE]}),
        ("unshare", {"ecr_share_shares": [SHARE]}),
    ],
    ids=["share", "unshare", "shares", "unshare-shares"],
)
def test_wrong_account_stops_before_the_first_write(
    control: Control, untouched: int, playbook: str, variables: dict[str, Any]
) -> None:
    """A share with the wrong profile was made in the wrong account."""
    scenario = [] if variables else ["-e", "@playbooks/vars/scenario.yml"]
    path = {} if variables else {"ecr_share_handoff_path": str(control.handoff)}
    run = control.playbook(playbook, "stranger-administrator", *scenario, ecr_share_account=OWNER, **path, **variables)
    sentence = (
        f"The credentials belong to account {STRANGER}, but the declared owner account is {OWNER}. Use credentials of"
        f" account {OWNER}, or correct ecr_share_account"
    )
    rejected(control, untouched, run, sentence)
    tasks = [" ".join(task.split()) for task in run.output.split("\nTASK [")]
    telling = [(task.split("]", 1)[0], task.count(sentence)) for task in tasks if sentence in task]
    assert [name for name, _count in telling] == [
        "crossaccount.ecr.ecr_share : Plan all shares and report every problem",
    ], run
    assert all(count <= 2 for _name, count in telling), run  # once as the error, once in the result


def test_the_declared_account_is_that_of_the_credentials(control: Control) -> None:
    run = control.share("--check", ecr_share_account=OWNER)
    assert run.code == 0, run


@pytest.mark.parametrize("account", ["11111111111", "1111-1111-1111", f"{OWNER}\n", ["x"]])
def test_an_invalid_declared_account_is_found_first(control: Control, untouched: int, account: Any) -> None:
    run = control.share(ecr_share_account=account)
    rejected(control, untouched, run, "ecr_share_account: ", "not an AWS account ID of 12 digits.")


def test_consumers_that_void_each_other_are_found_together(control: Control, untouched: int) -> None:
    """One external ID for two accounts, and one account with and without an external ID, were accepted (finding 6)."""
    consumers = [
        {"account": OWNER, "external_id": "own"},
        {"account": CONSUMER, "external_id": "same"},
        {"account": STRANGER, "external_id": "same"},
        {"account": STRANGER, "allow_no_external_id": True},
    ]
    rejected(
        control,
        untouched,
        control.share(ecr_share_consumers=consumers, ecr_share_images=["release"], ecr_share_denied=["release"]),
        f"Consumer {OWNER} is the owner account.",
        f"External ID 'same' is declared for the consumers {CONSUMER} and {STRANGER}.",
        f"Consumer {STRANGER} is declared both with and without an external_id",
        "Image 'release' has no image tag and no digest.",
        "Repository release is declared both as shared and as denied.",
    )


def test_one_external_id_for_several_principals_is_valid(control: Control) -> None:
    consumers = [
        {"account": CONSUMER, "external_id": "same", "principals": ["user/puller"]},
        {"account": CONSUMER, "external_id": "same", "principals": ["user/administrator"]},
        {"account": STRANGER, "external_id": "other"},
    ]
    run = control.share("--check", ecr_share_consumers=consumers)
    assert run.code == 0, run
