# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples that `ansible-doc` shows run as printed, in the owner account and then in the consumer account."""

from __future__ import annotations

import json
import pathlib
import subprocess
from typing import Any

import pytest
import yaml

from tests.lab import accounts
from tests.lab.clients import trust
from tests.lab.replication_copies import accept, configure, destination, rule
from tests.support.control import BIN, Control, Run
from tests.support.documentation import PREFIX, documented
from tests.support.paths import ROOT

#: In this order: the last ones need the share that the role makes.
OWNER = [
    ("module", "display_lines"),
    ("module", "ecr_share_info"),
    ("module", "iam_ecr_pull_role"),
    ("module", "ecr_repository_tag"),
    ("module", "ecr_repository_policy_statement"),
    ("module", "iam_ecr_tag_guard"),
    ("filter", "failure_reason"),
    ("filter", "share_summary"),
    ("filter", "require_hosts"),
    ("module", "ecr_handoff"),
    ("module", "ecr_audit_info"),
    ("module", "ecr_audit_options_info"),
    ("module", "ecr_audit_report"),
    ("filter", "access_kept"),
    ("filter", "audit_drift"),
    ("filter", "audit_failures"),
    ("filter", "audit_summary"),
    ("role", "ecr_audit"),
    ("role", "ecr_share"),
    ("module", "iam_ecr_session_revocation"),
]
CONSUMER = [
    ("module", "ecr_access_info"),
    ("module", "ecr_handoff_info"),
    ("module", "ecr_image_pull"),
    ("filter", "access_junit"),
    ("filter", "handoff_summary"),
    ("filter", "pull_summary"),
    ("role", "ecr_pull"),
]
#: They replicate images of the owner account to the consumer account.
REPLICATION = [
    ("ecr_repository_creation_template", "consumer-administrator"),
    ("ecr_replication_backfill", "owner"),
    ("ecr_replication_rule", "owner"),
    ("ecr_registry_policy_statement", "consumer-administrator"),
]
#: They need the replication that the first example of the role configures; its second example ends it.
REPLICATED = [("module", "ecr_replication_info"), ("role", "ecr_replicate")]
#: They cache images of the owner account in the consumer account. The rule needs the role of the cache.
CACHED = [
    ("module", "ecr_cache_info"),
    ("module", "ecr_pull_through_rule"),
    ("module", "iam_ecr_cache_role"),
    ("role", "ecr_cache"),
]
#: They need root, and the users that they name.
ON_A_HOST = [("module", "ecr_credential_helper_config"), ("role", "ecr_credential_helper")]
ENGINES = ("docker", "skopeo")
#: The file that an example names.
DECLARATION = {
    "ecr_share_region": "ap-northeast-1",
    "ecr_share_role_name": "allow_ecr_release",
    "ecr_share_repository_tags": {"environment": "release"},
    "ecr_share_repositories": ["release"],
    "ecr_share_consumers": [{"account": "222222222222", "external_id": "7c2f4e0b-share"}],
}


def examples(kind: str, name: str) -> list[dict[str, Any]]:
    """The tasks or plays of the examples."""
    entry = documented(kind, BIN)[name]
    text = entry["entry_points"]["main"]["examples"] if kind == "role" else entry["examples"]
    listed: list[dict[str, Any]] = yaml.safe_load(text)
    return listed


def needs_engine(block: dict[str, Any]) -> bool:
    return any(engine in block["name"] for engine in ENGINES)


def is_after_the_share(block: dict[str, Any]) -> bool:
    """Whether a task proves that no access remains, which test_access_ended.py shows."""
    return (block.get(f"{PREFIX}ecr_access_info") or {}).get("expect") == "denied"


def is_for_a_copy(block: dict[str, Any]) -> bool:
    """Whether a task pulls from the registry of its own account, to which a replication has copied the image."""
    return "account" in (block.get(f"{PREFIX}ecr_image_pull") or {})


def is_for_roles_of_consumers(block: dict[str, Any]) -> bool:
    """Whether a task needs a share with a role for each consumer, which test_consumer_roles.py shows."""
    return (block.get(f"{PREFIX}iam_ecr_session_revocation") or {}).get("roles") == "per_consumer"


def run(control: Control, blocks: list[dict[str, Any]], profile: str, *arguments: str) -> Run:
    """Run tasks or plays as a playbook, in an empty directory of the test."""
    plays = blocks if "hosts" in blocks[0] else [{"hosts": "localhost", "gather_facts": False, "tasks": blocks}]
    playbook = control.folder / "example.yml"
    playbook.write_text(yaml.safe_dump(plays, sort_keys=False))
    variables = json.dumps({"ansible_python_interpreter": str(control.python)})
    command: list[Any] = [control.program(profile), str(playbook), "-e", variables, *arguments]
    environment = control.environment(profile)
    return Run(
        subprocess.run(command, cwd=control.folder, env=environment, capture_output=True, text=True, check=False)
    )


@pytest.fixture(scope="module", autouse=True)
def _repositories(control: Control) -> None:
    ecr = control.lab.client("owner", "ecr")
    for name in ("base", "tools/build"):
        ecr.create_repository(repositoryName=name)
    (control.folder / "shares.yml").write_text(yaml.safe_dump(DECLARATION))
    for name in ("reports", "policies"):
        (control.folder / name).mkdir()
    iam = control.lab.client("owner", "iam")
    iam.create_user(UserName="developer")
    iam.create_role(RoleName="deployer", Path="/ci/", AssumeRolePolicyDocument=trust(accounts.OWNER))


@pytest.fixture
def shared(control: Control) -> pathlib.Path:
    """The share that the example of the role makes; the path of its hand-off, which the other examples read.

    The examples of the owner account change and end the share.
    """
    done = run(control, examples("role", "ecr_share"), "owner")
    assert done.code == 0, done
    handoff = control.folder / "handoff.yml"
    handoff.write_text((control.folder / "home/handoff.yml").read_text())
    return handoff


@pytest.mark.parametrize(("kind", "name"), OWNER)
def test_examples_of_the_owner_account_run(control: Control, kind: str, name: str) -> None:
    done = run(control, [block for block in examples(kind, name) if not is_for_roles_of_consumers(block)], "owner")
    assert done.code == 0, done


@pytest.mark.parametrize(("kind", "name"), CONSUMER)
@pytest.mark.usefixtures("shared")
def test_examples_of_the_consumer_account_run(control: Control, kind: str, name: str) -> None:
    elsewhere = (needs_engine, is_after_the_share, is_for_a_copy)
    blocks = [block for block in examples(kind, name) if not any(condition(block) for condition in elsewhere)]
    done = run(control, blocks, "consumer")
    assert done.code == 0, done


@pytest.mark.parametrize(("name", "profile"), REPLICATION)
def test_examples_of_replication_run(control: Control, name: str, profile: str) -> None:
    ecr, places = control.lab.client("owner", "ecr"), [destination(), destination(region="eu-west-1")]
    for place in places:
        accept(control.lab.session("consumer-administrator").client("ecr", region_name=place["region"]))
    configure(ecr, *([rule(*places)] if name == "ecr_replication_backfill" else []))
    waits = "wait_interval" in documented("module", BIN)[name]["doc"]["options"]
    blocks = [
        {**block, PREFIX + name: {**({"wait_interval": 0.05} if waits else {}), **block[PREFIX + name]}}
        for block in examples("module", name)
    ]
    done = run(control, blocks, profile)
    configure(ecr)
    assert done.code == 0, done


def test_examples_of_a_configured_replication_run(control: Control) -> None:
    (_info, info), (_role, role) = REPLICATED
    first, proof, last = examples("role", role)
    copies = [block for block in examples("module", "ecr_image_pull") if is_for_a_copy(block)]
    ecr = control.lab.client("owner", "ecr")
    configure(ecr)
    for blocks in ([first], examples("module", info), [proof], copies, [last]):
        profile = "consumer-administrator" if blocks == copies else "owner"
        done = run(control, blocks, profile, "-e", "ecr_replicate_wait_interval=0.05")
        assert done.code == 0, done
    assert ecr.describe_registry()["replicationConfiguration"]["rules"] == []


def test_examples_of_a_cache_run(control: Control) -> None:
    plan, rules, (create, delete), role = (examples(*one) for one in CACHED)
    for blocks in ([*plan, create, *rules, delete], role):
        done = run(control, blocks, "consumer-administrator", "-e", "ecr_cache_wait_interval=0.05")
        assert done.code == 0, done


@pytest.mark.engine
@pytest.mark.usefixtures("shared", "skopeo")
def test_examples_with_an_engine_run(control: Control, docker: dict[str, str]) -> None:
    blocks = [block for block in examples("module", "ecr_image_pull") if needs_engine(block)]
    assert len(blocks) == len(ENGINES)
    control.engines = docker
    done = run(control, blocks, "consumer")
    control.engines = {}
    assert done.code == 0, done
    assert (control.folder / "home/images/release.tar").exists()


@pytest.mark.usefixtures("shared")
def test_result_without_a_pull_has_no_images(control: Control) -> None:
    include: dict[str, Any] = {
        "ansible.builtin.include_role": {"name": "crossaccount.ecr.ecr_pull"},
        "vars": {"ecr_pull_handoff": "handoff.yml", "ecr_pull_prove_only": True},
    }
    done = run(control, [include, {"ansible.builtin.assert": {"that": "ecr_pull_result.images == []"}}], "consumer")
    assert done.code == 0, done


@pytest.mark.parametrize(("kind", "name"), ON_A_HOST)
def test_examples_on_a_host_have_valid_syntax(control: Control, kind: str, name: str) -> None:
    done = run(control, examples(kind, name), "consumer", "--syntax-check")
    assert done.code == 0, done


def test_every_example_is_run() -> None:
    plugins = {
        (kind, path.stem)
        for folder, kind in (("modules", "module"), ("filter", "filter"))
        for path in (ROOT / "plugins" / folder).glob("[a-z]*.py")
    }
    roles = {("role", path.name) for path in (ROOT / "roles").iterdir()}
    replication = {("module", name) for name, _profile in REPLICATION}
    assert plugins | roles == {*OWNER, *CONSUMER, *ON_A_HOST, *REPLICATED, *CACHED} | replication
