#!/usr/bin/python
# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: ecr_repository_tag
short_description: Tag many ECR repositories in one task
version_added: 0.1.0
author: The crossaccount.ecr maintainers (@crossaccount)
description:
  - Puts tags on ECR repositories, or takes them off, and leaves every other tag and setting as it is.
  - Where a pull role is conditioned on a tag (M(crossaccount.ecr.iam_ecr_pull_role)), this is the act of sharing.
  - Names are checked and all tags are read before the first write. Tags are decided on what ECR itself answers.
  - O(all_except) finds repositories through the Resource Groups Tagging API, or, where the caller may not use it or it
    knows none, by asking ECR for each repository. That API can lag behind for a while after a change.
  - Whoever may tag a repository can share it. Guard C(ecr:TagResource), C(ecr:CreateRepository) and
    C(tag:TagResources) in the owner account.
options:
  names:
    description:
      - Repositories, by exact name or by C(fnmatch) pattern such as V(tools/*).
      - A pattern that matches nothing is an error.
      - Required unless O(all_except) is given.
    type: list
    elements: str
    default: []
  tags:
    description:
      - The tags, key to value. Keys are 1 to 128 characters, values up to 256, of letters, digits, space and
        C(+-=._:/@), see the ECR API Reference, data type Tag. At most 50 stand on a repository.
    type: dict
    required: true
  state:
    description:
      - V(present) puts the tags on.
      - V(absent) takes each tag off where its value is the given one, in any case of its key, for IAM does not tell
        C(Environment) from C(environment). A repository that does not exist is no error then.
    type: str
    choices: [present, absent]
    default: present
  all_except:
    description:
      - With O(state=absent), take the tags off every repository of the registry and region but these (exact names or
        patterns). An empty list means every repository.
    type: list
    elements: str
  owner_account:
    description:
      - The account that owns the repositories, 12 digits, quoted. With credentials of another account, the module stops
        before it reads or writes anything.
    type: raw
extends_documentation_fragment:
  - crossaccount.ecr.assume_role
  - crossaccount.ecr.wait
  - crossaccount.ecr.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
"""

EXAMPLES = r"""
- name: Share two repositories and all of the tools
  crossaccount.ecr.ecr_repository_tag:
    names: [release, base, tools/*]
    tags:
      environment: release

- name: Take the tag off every other repository
  crossaccount.ecr.ecr_repository_tag:
    state: absent
    all_except: [release, base, tools/*]
    tags:
      environment: release
"""

RETURN = r"""
region:
  description: The region that was looked at.
  returned: success
  type: str
  sample: ap-northeast-1
registry:
  description: The registry's host, as it stands before a repository's name. Empty when no repository was named.
  returned: success
  type: str
  sample: 111111111111.dkr.ecr.ap-northeast-1.amazonaws.com
repositories:
  description: Each repository that was looked at, in the order of their names.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The repository.
      type: str
      sample: release
    arn:
      description: Its ARN.
      type: str
      sample: arn:aws:ecr:ap-northeast-1:111111111111:repository/release
    before:
      description: All its tags, before the change.
      type: dict
      sample: {}
    changed:
      description: Whether its tags change.
      type: bool
      sample: true
    tags:
      description: All its tags, after the change.
      type: dict
      sample:
        environment: release
"""

import typing as t

try:
    import botocore.exceptions
except ImportError:
    pass  # AnsibleAWSModule says so to the user

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.crossaccount.ecr.plugins.module_utils import _ecr, _tagging
from ansible_collections.crossaccount.ecr.plugins.module_utils._assume import ASSUME_ROLE_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.module_utils._concurrency import map_concurrently
from ansible_collections.crossaccount.ecr.plugins.module_utils._convergence import is_transient
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import (
    EcrError,
    Problems,
    explain,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import execute
from ansible_collections.crossaccount.ecr.plugins.module_utils._names import (
    is_pattern,
    pattern_problem,
    repository_problem,
    tag_problem,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._parties import (
    OWNER_ACCOUNT_ARGUMENT,
    check_owner_account,
    owner_account_problem,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._repositories import (
    discover,
    tags_of_each,
    tags_or_none,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._retry import tries, wait_until_read_back
from ansible_collections.crossaccount.ecr.plugins.module_utils._session import Session, session_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._tag_plan import (
    TAGGING_BATCH,
    TagChange,
    TagPlan,
    plan_tags,
    select,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._wait import WAIT_ARGUMENTS, WaitOptions, wait_problems

Progress = t.Callable[[str], None]
#: Why a repository can not be tagged that was there a moment ago.
GONE = "It was deleted while this run was under way. Create it again, or take it out of the declaration."


def check(options: dict[str, t.Any]) -> None:
    """What can be said of the options without asking AWS."""
    problems = Problems()
    if options["all_except"] is not None and (options["state"] != "absent" or options["names"]):
        problems.add("all_except goes with state: absent and without names.")
    if options["all_except"] is None and not options["names"]:
        problems.add("names is empty: name at least one repository.")
    for name in [*options["names"], *(options["all_except"] or [])]:
        problem = pattern_problem(name) if is_pattern(name) else repository_problem(name)
        if problem:
            problems.add(problem)
    if not options["tags"]:
        problems.add("tags is empty: give at least one tag.")
    for key, value in options["tags"].items():
        problem = (
            tag_problem(key, value) if isinstance(value, str) else f"the value of tag {key} is no string. Quote it."
        )
        if problem:
            problems.add(problem)
    for problem in (owner_account_problem(options["owner_account"]), *wait_problems(WaitOptions.of(options))):
        if problem:
            problems.add(problem)
    problems.check()


def read(
    session: Session, ecr: t.Any, options: dict[str, t.Any], problems: Problems
) -> dict[str, tuple[str, dict[str, str]]]:
    """The repositories meant by the options: name to ARN and tags, straight from ECR."""
    names, all_except, tagged = options["names"], options["all_except"], False
    if all_except is not None:
        known, tagged = discover(session.client("resourcegroupstaggingapi"), ecr, options["tags"].items())
        kept = set(select(all_except, known, Problems()))
        names = [name for name in known if name not in kept]
    elif any(is_pattern(name) for name in names):
        names = select(names, _ecr.repository_names(ecr), problems if options["state"] == "present" else Problems())
    who = session.identity
    prefix = f"arn:{who['arn'].split(':')[1]}:ecr:{session.region}:{who['account']}:repository/"
    found = tags_of_each(
        ecr, prefix, names, set(names) if tagged else (), options["tags"].items(), WaitOptions.of(options)
    )
    for name, tags in found.items():
        # A repository that does not exist has no tag: with state absent, that is as declared.
        if tags is None and options["state"] == "present":
            problems.add(
                f"Repository {name} does not exist in account {who['account']}, region {session.region}."
                " Create it, or correct its name."
            )
    return {name: (prefix + name, tags) for name, tags in found.items() if tags is not None}


def apply(
    tagging: t.Any, ecr: t.Any, plan: TagPlan, options: dict[str, t.Any], progress: Progress = lambda _text: None
) -> None:
    """Make the changes; every failure is reported with its repository."""
    failures: dict[str, str] = {}
    batches = plan.batches()
    for number, batch in enumerate(batches):
        progress(f"{number * TAGGING_BATCH:,} of {len(plan.changes):,} repositories")
        try:
            failures.update(change_tags(tagging, ecr, plan, batch, options))
        except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
            if number == 0:
                raise  # nothing was written
            failures.update({change.name: explain(error) for rest in batches[number:] for change in rest})
            break
    if failures:
        done = [change.name for change in plan.changes if change.name not in failures]
        listed = "\n".join(f"- {name}: {reason}" for name, reason in sorted(failures.items()))
        next_step = ""
        if any(reason.startswith("AccessDenied") for reason in failures.values()):
            # The tagging API asks ECR in the caller's name, for each repository.
            action = "ecr:TagResource" if plan.state == "present" else "ecr:UntagResource"
            next_step = f"\nAllow {action} on these repositories to the caller, or use other credentials."
        raise EcrError(
            f"{len(failures)} of {len(plan.changes)} repositories could not be changed:\n{listed}{next_step}",
            changed=bool(done),
            failed_repositories=failures,
            changed_repositories=done,
        )


def change_tags(
    tagging: t.Any, ecr: t.Any, plan: TagPlan, batch: list[TagChange], options: dict[str, t.Any]
) -> dict[str, str]:
    """Change the tags of up to 20 repositories, of some again where that may work soon; why the others failed."""
    left, answered = batch, False
    failures: dict[str, str] = {}
    for _number in tries(WaitOptions.of(options)):
        try:
            arns = [change.arn for change in left]
            if plan.state == "present":
                reasons = _tagging.tag(tagging, arns, plan.tags)
            else:
                reasons = _tagging.untag(tagging, arns, batch[0].removed)
            answered = True
            for change in left:
                failures.pop(change.name, None)
            failures.update({change.name: reasons[change.arn] for change in left if change.arn in reasons})
            # What failed may have been the answer, not the change: what ECR has now decides.
            for change in [one for one in left if one.name in failures]:
                tags = tags_or_none(ecr, change.arn)
                if is_done(plan, change, tags):
                    del failures[change.name]
                elif tags is None:
                    failures[change.name] = GONE
        except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError):
            if not answered:
                raise
            break
        left = [change for change in left if is_transient(failures.get(change.name, ""))]
        if not left:
            break
    return failures


def is_done(plan: TagPlan, change: TagChange, tags: dict[str, str] | None) -> bool:
    """Whether a repository is as planned; one that is gone carries no tag."""
    return plan.state == "absent" if tags is None else plan.is_done(change, tags)


def stale(ecr: t.Any, plan: TagPlan) -> list[str]:
    """The changed repositories whose tags ECR does not read back yet."""
    found = map_concurrently(lambda change: tags_or_none(ecr, change.arn), plan.changes)
    seen = [(change, tags) for change, tags in zip(plan.changes, found) if not is_done(plan, change, tags)]
    gone = [change.name for change, tags in seen if tags is None]
    if gone:
        raise EcrError(f"Repository {', '.join(gone)}: {GONE}", changed=True)
    return [f"the tags of {change.name}" for change, _tags in seen]


def run(module: t.Any, progress: Progress = lambda _text: None) -> dict[str, t.Any]:
    """The result of the module; `progress` receives what the run is doing."""
    options = module.params
    check(options)
    session, problems = session_of(module), Problems()
    ecr = session.client("ecr")
    check_owner_account(options, session.identity["account"])
    repositories = read(session, ecr, options, problems)
    plan = plan_tags(repositories, options["tags"], options["state"], problems)
    problems.check()
    registry = _ecr.repository_uri(ecr, min(repositories)).partition("/")[0] if repositories else ""
    if plan.changes and not module.check_mode:
        apply(session.client("resourcegroupstaggingapi"), ecr, plan, options, progress)
        progress("waiting until ECR returns the tags")
        wait_until_read_back(lambda: stale(ecr, plan), WaitOptions.of(options))
    return {
        "changed": bool(plan.changes),
        "region": session.region,
        "registry": registry,
        "repositories": plan.result(),
        "diff": plan.diff,
    }


ARGUMENTS: dict[str, t.Any] = {
    "names": {"type": "list", "elements": "str", "default": []},
    "tags": {"type": "dict", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "all_except": {"type": "list", "elements": "str"},
    **OWNER_ACCOUNT_ARGUMENT,
    **ASSUME_ROLE_ARGUMENTS,
    **WAIT_ARGUMENTS,
}


def main() -> None:
    module = AnsibleAWSModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    execute(module, run)


if __name__ == "__main__":
    main()
