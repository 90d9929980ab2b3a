#!/usr/bin/python
# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ecr_access_info
short_description: Prove which ECR repositories a role may read and which it may not
version_added: 0.1.0
author: The crossaccount.ecr maintainers (@crossaccount)
description:
  - Assumes the role and compares what was expected with what AWS allows, for each repository by itself.
  - Probes ask for things that do not exist, so nothing is downloaded and no image counts as pulled.
  - Also asks, without using the answer, whether the role can be assumed without the external ID, or with a wrong one.
  - Waits by doing after a share that is new; see O(wait).
  - If that takes longer than ten seconds, a line of progress is shown every ten seconds.
  - Changes nothing. The credentials of the role stay inside the module.
options:
  role_arn:
    description: The role, as the owner account handed it off.
    type: str
    required: true
  external_id:
    description: The external ID, as the owner account handed it off.
    type: str
  consumer_account:
    description:
      - The account that the share is for, from the hand-off. Credentials of another account are rejected before the
        role is assumed.
      - A role in the account of the credentials is always rejected.
    type: str
  role_session_name:
    description:
      - The name of the session in the logs of the owner account, 2 to 64 of letters, digits and C(_+=,.@-).
      - The default is the name of the role.
    type: str
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
  repository_tags:
    description:
      - The tags that grant access. From the hand-off.
      - Only used to say why a repository is readable that should be denied.
    type: dict
  existing:
    description:
      - Names of repositories that exist, as the owner account states in the hand-off.
      - ECR denies a repository that does not exist like any other repository. A warning names the repositories of
        O(denied) that are not in this list.
    type: list
    elements: str
    default: []
  accepted_denials:
    description:
      - The kinds of denial that the proof accepts for the repositories of O(denied), although they prove nothing about
        the share. The same role may read the repository from another host or in another session.
      - Without this option, a denial counts only if no identity-based policy of the role allows the action, or if a
        policy of the owner account explicitly denies it.
    type: list
    elements: str
    choices: [boundary, endpoint_policy, no_resource_policy, organization_policy, session_policy, unknown]
    default: []
  duration_seconds:
    description: How long the session lasts, 900 to 43200 seconds, and no longer than the role's maximum.
    type: int
    default: 900
extends_documentation_fragment:
  - crossaccount.ecr.assume_role
  - crossaccount.ecr.credentials
  - crossaccount.ecr.wait_by_doing
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
- name: Prove that release can be pulled and develop cannot
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
    arn: arn:aws:sts::111111111111:assumed-role/allow_ecr_release/allow_ecr_release
    user_id: AROAEXAMPLE:allow_ecr_release
external_id_enforced:
  description:
    - V(true) when AWS refuses the role without the external ID and with a wrong one, V(false) when it does not,
      V(unknown) when the question could not be answered. The verdict is then V(fail).
  returned: success
  type: str
  sample: "true"
token:
  description: Whether the role gets a registry token, V(allowed) or V(denied).
  returned: success
  type: str
  sample: allowed
token_denial_kind:
  description: What denied the token, empty when it is allowed.
  returned: success
  type: str
  sample: ""
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
      token: allowed
      pull: denied
      verdict: pass
      denial: "User: arn:aws:sts::111111111111:assumed-role/allow_ecr_release/allow_ecr_release is not authorized to
        perform: ecr:BatchGetImage on resource: arn:aws:ecr:ap-northeast-1:111111111111:repository/develop because no
        identity-based policy allows the ecr:BatchGetImage action"
      denial_kind: no_identity_policy
      denials: {}
      denial_kinds: {}
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
artifact:
  description: The proof in short, as the role ecr_pull publishes it with C(set_stats).
  returned: success
  type: dict
  sample:
    verdict: pass
    problems: []
    role_arn: arn:aws:iam::111111111111:role/allow_ecr_release
    caller: arn:aws:iam::222222222222:user/puller
    external_id_enforced: "true"
    repositories:
      develop: denied
summary:
  description: The same as lines for a person.
  returned: success
  type: list
  elements: str
  sample:
    - "REPOSITORY  EXPECTED  DESCRIBE  MANIFEST  LAYER    TOKEN    VERDICT"
    - "release     readable  allowed   allowed   allowed  allowed  pass"
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.crossaccount.ecr.plugins.module_utils._access_probe import access_info
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import run_and_exit
from ansible_collections.crossaccount.ecr.plugins.module_utils._proof import ACCESS_INFO_ARGUMENTS


def main() -> None:
    run_and_exit(AnsibleAWSModule(argument_spec=ACCESS_INFO_ARGUMENTS, supports_check_mode=True), access_info)


if __name__ == "__main__":
    main()
