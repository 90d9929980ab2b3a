#!/usr/bin/python
# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: ecr_access_info
short_description: Prove which ECR repositories a role may read and which it may not
version_added: 0.1.0
author: The crossaccount.ecr maintainers (@crossaccount)
description:
  - Assumes the role and compares what was expected with what AWS allows, for each repository by itself.
  - Probes ask for things that do not exist, so nothing is downloaded and no image counts as pulled.
  - Also asks, without using the answer, whether the role can be assumed without the external id.
  - Changes nothing. The credentials of the role stay inside the module.
options:
  role_arn:
    description: The role, as the owner account handed it off.
    type: str
    required: true
  external_id:
    description: The external id, as the owner account handed it off.
    type: str
  role_session_name:
    description: How the session is called in the owner account's logs, 2 to 64 of letters, digits and C(_+=,.@-).
    type: str
    default: crossaccount.ecr
  readable:
    description: Repositories that must be readable.
    type: list
    elements: str
    default: []
  denied:
    description: Repositories that must be denied.
    type: list
    elements: str
    default: []
  access:
    description: What readable means. V(read) includes describing images, V(pull) does not.
    type: str
    choices: [pull, read]
    default: read
extends_documentation_fragment:
  - crossaccount.ecr.assume_role
  - crossaccount.ecr.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details: Nothing is changed.
"""

EXAMPLES = r"""
- name: Prove that release can be pulled and develop can not
  crossaccount.ecr.ecr_access_info:
    role_arn: arn:aws:iam::111111111111:role/allow_ecr_release
    external_id: 7c2f4e0b-share
    readable: [release]
    denied: [develop]
  register: proof
  failed_when: proof.verdict != 'pass'
"""

RETURN = r"""
caller:
  description: Who called, before assuming the role.
  returned: success
  type: dict
  sample:
    account: "222222222222"
    arn: arn:aws:iam::222222222222:user/puller
    user_id: AIDAEXAMPLE
assumed:
  description: Who called afterwards.
  returned: success
  type: dict
  sample:
    account: "111111111111"
    arn: arn:aws:sts::111111111111:assumed-role/allow_ecr_release/crossaccount.ecr
    user_id: AROAEXAMPLE:crossaccount.ecr
external_id_enforced:
  description:
    - V(true) when AWS refuses the role without the external id, V(false) when it does not, V(unknown) when no external
      id was given or the question could not be answered.
  returned: success
  type: str
  sample: "true"
token:
  description: Whether the role gets a registry token, V(allowed) or V(denied).
  returned: success
  type: str
  sample: allowed
repositories:
  description: What was expected and seen, for each repository.
  returned: success
  type: list
  elements: dict
  sample:
    - name: develop
      expected: denied
      describe: denied
      manifest: denied
      layer: denied
      pull: denied
      verdict: pass
      denial: "User: arn:aws:sts::111111111111:assumed-role/allow_ecr_release/crossaccount.ecr is not authorized to
        perform: ecr:BatchGetImage on resource: arn:aws:ecr:ap-northeast-1:111111111111:repository/develop because no
        identity-based policy allows the ecr:BatchGetImage action"
      denials: {}
      denial_kind: no_identity_policy
      advice: ""
verdict:
  description: V(pass) when everything is as expected, else V(fail).
  returned: success
  type: str
  sample: pass
problems:
  description: What is not as expected, each with what to mend. Empty when the verdict is V(pass).
  returned: success
  type: list
  elements: str
  sample: []
summary:
  description: The same as lines for a person.
  returned: success
  type: list
  elements: str
  sample:
    - "REPOSITORY  ACTION    EXPECTED  OBSERVED"
    - "release     describe  allowed   allowed"
"""

import typing as t
from concurrent.futures import ThreadPoolExecutor

try:
    import botocore.exceptions
except ImportError:
    pass  # AnsibleAWSModule says so to the user

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.crossaccount.ecr.plugins.module_utils import _ecr
from ansible_collections.crossaccount.ecr.plugins.module_utils._access import (
    ALLOWED,
    DENIED,
    NOT_FOUND,
    Observation,
    judge,
    table,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import (
    EcrError,
    Problems,
    aws_sentence,
    error_code,
    is_denied,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import execute
from ansible_collections.crossaccount.ecr.plugins.module_utils._plan import repository_problem
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy import assume_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._sts import (
    ASSUME_ROLE_ARGUMENTS,
    CONCURRENCY,
    Session,
    session_of,
)


def check(options: dict[str, t.Any]) -> None:
    problems = Problems()
    for problem in assume_problems(options["role_arn"], options["external_id"], options["role_session_name"]):
        problems.add(problem)
    for name in [*options["readable"], *options["denied"]]:
        wrong_name = repository_problem(name)
        if wrong_name:
            problems.add(wrong_name)
    for name in sorted(set(options["readable"]) & set(options["denied"])):
        problems.add(f"Repository {name} is expected to be readable and denied. Name it once.")
    problems.check()


def observe(call: t.Callable[..., t.Any], *arguments: t.Any) -> Observation:
    """Make one call and tell whether it is allowed."""
    try:
        call(*arguments)
    except botocore.exceptions.ClientError as error:
        if is_denied(error):
            return Observation(DENIED, aws_sentence(error))
        if error_code(error) == "RepositoryNotFoundException":
            return Observation(NOT_FOUND, aws_sentence(error))
        if error_code(error) != "LayersNotFoundException":
            raise
    return Observation(ALLOWED)


def probe(ecr: t.Any, repository: str) -> dict[str, Observation]:
    return {
        "describe": observe(_ecr.describe_images, ecr, repository),
        "manifest": observe(_ecr.image, ecr, repository, {"imageDigest": _ecr.NO_DIGEST}),
        "layer": observe(_ecr.ask_layer, ecr, repository),
    }


def external_id_enforced(session: Session, options: dict[str, t.Any]) -> str:
    """Ask for the role without the external id; AWS recommends this check to third parties."""
    if options["external_id"] is None:
        return "unknown"
    try:
        session.assume(options["role_arn"], None, options["role_session_name"], 900)
    except EcrError:
        return "true"
    except botocore.exceptions.ClientError:
        return "unknown"
    return "false"


def run(module: t.Any) -> dict[str, t.Any]:
    options = module.params
    check(options)
    session = session_of(module)
    caller = session.identity()
    role = session.assume(options["role_arn"], options["external_id"], options["role_session_name"])
    enforced = external_id_enforced(session, options)
    ecr = role.client("ecr")
    names = [*options["readable"], *options["denied"]]
    with ThreadPoolExecutor(CONCURRENCY) as pool:
        token = pool.submit(observe, _ecr.token, ecr)
        observed = dict(zip(names, pool.map(lambda name: probe(ecr, name), names)))
    repositories = judge(options["readable"], options["denied"], observed, options["access"])
    problems = [one["advice"] for one in repositories if one["advice"]]
    if token.result().outcome != ALLOWED:
        problems.append(f"The role gets no registry token: {token.result().sentence}")
    if enforced == "false":
        problems.append(
            f"Role {options['role_arn']} can be assumed without the external id: ask the owner account to require it."
        )
    return {
        "changed": False,
        "caller": caller,
        "assumed": role.identity(),
        "external_id_enforced": enforced,
        "token": token.result().outcome,
        "repositories": repositories,
        "verdict": "fail" if problems else "pass",
        "problems": problems,
        "summary": table(repositories, options["access"]),
    }


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "role_arn": {"type": "str", "required": True},
            "external_id": {"type": "str"},
            "role_session_name": {"type": "str", "default": "crossaccount.ecr"},
            "readable": {"type": "list", "elements": "str", "default": []},
            "denied": {"type": "list", "elements": "str", "default": []},
            "access": {"type": "str", "choices": ["pull", "read"], "default": "read"},
            **ASSUME_ROLE_ARGUMENTS,
        },
        supports_check_mode=True,
    )
    execute(module, run)


if __name__ == "__main__":
    main()
