#!/usr/bin/python
# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: iam_ecr_pull_role
short_description: Build the role through which other accounts pull tagged ECR repositories
version_added: 0.1.0
author: The crossaccount.ecr maintainers (@crossaccount)
description:
  - Makes one role with its managed policy and its trust, and treats the three as one resource.
  - The policy allows reading on repositories of the owner account that carry all of O(repository_tags), and
    C(ecr:GetAuthorizationToken), which has no resource and opens nothing by itself.
  - The trust has one statement for each of O(consumers), and nothing else.
  - Documents are compared by meaning. Writes come in an order that never lets anyone read what neither the old nor the
    new declaration allows.
  - A role or policy that is there already, is not tagged C(managed-by=crossaccount.ecr) and differs from the
    declaration is not touched unless O(adopt=true).
options:
  name:
    description: The role's name, 1 to 64 of letters, digits and C(_+=,.@-).
    type: str
    required: true
  policy_name:
    description: The managed policy's name, 1 to 128 of the same characters. The default is O(name).
    type: str
  repository_tags:
    description:
      - The tags that grant access. All keys are required; a list as value means any of them.
      - Required with O(state=present).
    type: dict
  access:
    description:
      - V(pull) is what a container engine needs, C(ecr:BatchGetImage) and C(ecr:GetDownloadUrlForLayer).
      - V(read) adds describing and listing images, repositories and repository tags.
    type: str
    choices: [pull, read]
    default: read
  condition_key:
    description: Which condition key carries the tag, C(ecr:ResourceTag/<key>) or C(aws:ResourceTag/<key>).
    type: str
    choices: [ecr, aws]
    default: ecr
  regions:
    description: The regions whose repositories the role reaches. Without it, every region.
    type: list
    elements: str
  consumers:
    description:
      - Who may assume the role, one trust statement for each.
      - Required with O(state=present).
    type: list
    elements: dict
    suboptions:
      account:
        description:
          - The consumer account's id, 12 digits. Quote it, or YAML reads a number. It cannot be the owner account.
          - White space around it, dashes as in C(2222-2222-2222), and the ARN of the account's root are read as the id.
            The ARN of a user or a role is refused; it belongs into O(consumers[].principals).
        type: raw
        required: true
      principals:
        description:
          - The users and roles in that account, as C(user/NAME), C(role/NAME) or full ARNs.
          - Without it, the whole account, which then decides by its own policies who of it may assume the role.
        type: list
        elements: str
      external_id:
        description:
          - What the consumer must present, 2 to 1,224 of letters, digits and C(_+=,.@:/-), see the STS API Reference.
          - V(generate) makes a random one once, and reads it back from the role's trust afterwards.
          - AWS does not treat it as a secret. It prevents the confused-deputy problem, so each consumer account needs a
            different one, and each statement of an account needs one.
        type: str
      allow_no_external_id:
        description: Allow this consumer without an external ID. No other statement of its account may have one then.
        type: bool
        default: false
      principal_match:
        description:
          - V(principal) names the ARNs in the trust; IAM binds them to the very user or role, so one that is deleted
            and made again is not trusted.
          - V(condition) trusts the account under the condition C(aws:PrincipalArn), which survives that.
        type: str
        choices: [principal, condition]
        default: principal
      organization_id:
        description: Require that the consumer account is in this AWS organization.
        type: str
      require_mfa:
        description: Require that the caller signed in with a second factor.
        type: bool
        default: false
  max_session_duration:
    description:
      - The longest session in seconds, 3,600 to 43,200, see the IAM API Reference, CreateRole.
      - Not mentioned, it stays as it is; IAM gives a new role 3,600.
    type: int
  path:
    description: The path of the role and its policy. IAM can not change it afterwards.
    type: str
    default: /
  description:
    description: The role's description, up to 1,000 Latin-1 characters. Not mentioned, it stays as it is.
    type: str
  permissions_boundary:
    description: The ARN of the policy that bounds the role. Not mentioned, it stays as it is.
    type: str
  tags:
    description: IAM tags put on the role and its policy. Other tags stay.
    type: dict
  owner_account:
    description:
      - The account that owns the repositories, 12 digits, quoted. With credentials of another account, the module stops
        before it reads or writes anything.
    type: raw
  trust_policy_quota:
    description:
      - How many characters the trust may have. Say V(4096) where AWS raised the account's quota, see the IAM User
        Guide, "IAM and AWS STS quotas".
    type: int
    choices: [2048, 4096]
    default: 2048
  adopt:
    description: Take over a role or policy of this name that this collection did not make.
    type: bool
    default: false
  state:
    description:
      - V(present) makes role and policy as declared.
      - V(absent) deletes both, unless others attached something to the role or the policy to something.
    type: str
    choices: [present, absent]
    default: present
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
- name: Let one account pull what is tagged environment=release
  crossaccount.ecr.iam_ecr_pull_role:
    name: allow_ecr_release
    repository_tags:
      environment: release
    consumers:
      - account: "222222222222"
        external_id: 7c2f4e0b-share

- name: Let one user and one pipeline pull, and nobody else
  crossaccount.ecr.iam_ecr_pull_role:
    name: allow_ecr_release
    access: pull
    repository_tags:
      environment: [release, hotfix]
    consumers:
      - account: "222222222222"
        principals: [user/puller]
        external_id: 7c2f4e0b-share
      - account: "444444444444"
        principals: [role/ci/deployer]
        principal_match: condition
        external_id: 91d3aa52-share
"""

RETURN = r"""
role_arn:
  description: The role's ARN.
  returned: success
  type: str
  sample: arn:aws:iam::111111111111:role/allow_ecr_release
policy_arn:
  description: The managed policy's ARN.
  returned: success
  type: str
  sample: arn:aws:iam::111111111111:policy/allow_ecr_release
account:
  description: The owner account.
  returned: success
  type: str
  sample: "111111111111"
permissions:
  description: The permissions document, empty with O(state=absent).
  returned: success
  type: dict
  sample:
    Version: "2012-10-17"
    Statement: []
trust:
  description: The trust document, empty with O(state=absent).
  returned: success
  type: dict
  sample:
    Version: "2012-10-17"
    Statement: []
consumers:
  description: The consumers, each with the external id that its trust statement has.
  returned: success
  type: list
  elements: dict
  sample:
    - account: "222222222222"
      principals: []
      external_id: 7c2f4e0b-share
before:
  description: What the role was before, as far as it decides who may read what.
  returned: success
  type: dict
  sample:
    permissions: {}
    trust: {}
    attached: false
dangling_principals:
  description: Ids in the trust before, of users and roles that were deleted. The declaration replaces them.
  returned: success
  type: list
  elements: str
  sample: []
steps:
  description: The writes that were made, or would be in check mode, in their order.
  returned: success
  type: list
  elements: str
  sample: [create_role, create_policy, attach]
"""

import secrets
import typing as t

try:
    import botocore.exceptions
except ImportError:
    pass  # AnsibleAWSModule says so to the user

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.crossaccount.ecr.plugins.module_utils import _policy_document
from ansible_collections.crossaccount.ecr.plugins.module_utils._convergence import (
    IN_THE_WAY,
    REMOVALS,
    already_applied,
    unmet,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError, Problems, error_code, explain
from ansible_collections.crossaccount.ecr.plugins.module_utils._iam import PullRole
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import execute
from ansible_collections.crossaccount.ecr.plugins.module_utils._names import name_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._parties import (
    OWNER_ACCOUNT_ARGUMENT,
    check_owner_account,
    owner_account_problem,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_plan import RolePlan, Step, surplus
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import RoleState
from ansible_collections.crossaccount.ecr.plugins.module_utils._share import CONSUMER_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_roles import plan_pull_role
from ansible_collections.crossaccount.ecr.plugins.module_utils._sts import ASSUME_ROLE_ARGUMENTS, session_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._wait import (
    WAIT_ARGUMENTS,
    interval_problem,
    read_until,
    wait_until_read_back,
)


def run(module: t.Any, progress: t.Callable[[str], None] = lambda _text: None) -> dict[str, t.Any]:
    """The result of the module; `progress` receives what the run is doing."""
    options, problems = module.params, Problems()
    name, policy_name = options["name"], options["policy_name"] or options["name"]
    early = [owner_account_problem(options["owner_account"]), interval_problem(options)]
    for problem in [*name_problems(name, policy_name, options["path"]), *early]:
        if problem:
            problems.add(problem)
    problems.check()

    session = session_of(module)
    who = session.identity
    check_owner_account(options, who["account"])
    partition = who["arn"].split(":")[1]
    prefix = f"arn:{partition}:iam::{who['account']}:"
    role = PullRole(session.client("iam"), prefix, name, policy_name, options["path"])
    planned = plan_pull_role(role.read(), options, partition, who["account"], _new_external_id, problems)
    problems.check()

    plan = planned.plan
    for warning in planned.warnings:
        module.warn(warning)
    written = [step.call for step in plan.steps] if module.check_mode else []
    if plan.steps and not module.check_mode:
        carry_out(role, plan.steps, options, written)
        progress("waiting until AWS returns what was written")
        seen = wait_for(role, plan, options)
        carry_out(role, surplus(seen.versions), options, written)
    return {
        "changed": bool(plan.steps),
        "role_arn": role.role_arn,
        "policy_arn": role.policy_arn,
        "account": who["account"],
        "permissions": plan.after.permissions or {},
        "trust": plan.after.trust or {},
        "consumers": planned.consumers,
        "before": {
            "permissions": plan.before.permissions or {},
            "trust": plan.before.trust or {},
            "attached": plan.before.attached,
        },
        "dangling_principals": _policy_document.dangling_principals(plan.before.trust),
        "steps": written,
        "diff": plan.diff,
    }


def carry_out(role: PullRole, steps: list[Step], options: dict[str, t.Any], done: list[str]) -> None:
    """Make the writes in their order and note them in `done`; an error says which were made."""
    for step in steps:
        try:
            getattr(role, step.call)(**step.arguments)
        except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
            problem = _problem(role, step, error, options)
            if problem:
                before = ", ".join(done) if done else "nothing"
                raise EcrError(
                    f"{problem.rstrip('.')}. Written before that: {before}. Run again: nothing is written twice.",
                    changed=bool(done),
                    steps=done,
                ) from None
        done.append(step.call)


def _problem(role: PullRole, step: Step, error: Exception, options: dict[str, t.Any]) -> str | None:
    """Why a write failed; None where all is as it was to be, for AWS had taken it before the answer was lost."""
    code = error_code(error)
    if code == "NoSuchEntity" and step.call in REMOVALS:
        return None
    if code != IN_THE_WAY.get(step.call):
        return explain(error)
    try:
        seen = read_until(role.read, lambda state: already_applied(step, state) is not None, options)
    except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError):
        return explain(error)
    if already_applied(step, seen):
        return None
    if step.call == "create_version" or already_applied(step, seen) is None:
        return explain(error)
    what = f"Role {role.name}" if step.call == "create_role" else f"Policy {role.policy_name}"
    return f"{what} was not there when this run began; now it is, but not as declared: someone else made it."


def wait_for(role: PullRole, plan: RolePlan, options: dict[str, t.Any]) -> RoleState:
    """Wait until AWS reads back what was planned; what it read last."""
    seen = RoleState()

    def missing() -> list[str]:
        nonlocal seen
        seen = role.read()
        return unmet(plan, seen)

    wait_until_read_back(missing, options)
    return seen


def _new_external_id() -> str:
    return secrets.token_hex(16)


ARGUMENTS: dict[str, t.Any] = {
    "name": {"type": "str", "required": True},
    "policy_name": {"type": "str"},
    "repository_tags": {"type": "dict"},
    "access": {"type": "str", "choices": ["pull", "read"], "default": "read"},
    "condition_key": {"type": "str", "choices": ["ecr", "aws"], "default": "ecr"},
    "regions": {"type": "list", "elements": "str"},
    "consumers": {"type": "list", "elements": "dict", "options": CONSUMER_ARGUMENTS},
    "max_session_duration": {"type": "int"},
    "path": {"type": "str", "default": "/"},
    "description": {"type": "str"},
    "permissions_boundary": {"type": "str"},
    "tags": {"type": "dict"},
    "trust_policy_quota": {"type": "int", "choices": [2048, 4096], "default": 2048},
    "adopt": {"type": "bool", "default": False},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    **OWNER_ACCOUNT_ARGUMENT,
    **ASSUME_ROLE_ARGUMENTS,
    **WAIT_ARGUMENTS,
}
RULES: dict[str, t.Any] = {"required_if": [("state", "present", ("repository_tags", "consumers"))]}


def main() -> None:
    module = AnsibleAWSModule(argument_spec=ARGUMENTS, supports_check_mode=True, **RULES)
    execute(module, run)


if __name__ == "__main__":
    main()
