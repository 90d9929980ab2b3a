#!/usr/bin/python
# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ecr_access_info
short_description: Prove which ECR repositories a role can read and which it cannot
version_added: 0.1.0
author: The crossaccount.ecr maintainers (@crossaccount)
description:
  - Assumes the pull role, and compares the expected access to each repository with the access that AWS allows.
  - The module requests images and layers that do not exist, so nothing is downloaded, and ECR records no pull.
  - Tries to assume the role without the external ID and with a wrong one, and reports whether AWS denies both requests.
  - With O(wait=true), retries while a new share propagates. Meanwhile, the module shows its progress every ten seconds.
  - Changes nothing. The credentials of the role stay inside the module.
options:
  role_arn:
    description: The ARN of the pull role, from the hand-off. Required without O(registry_account).
    type: str
  expect:
    description:
      - V(allowed) proves that the repositories of O(readable) are readable and those of O(denied) are not.
      - V(denied) proves that no access remains. The module tries to assume the role with O(external_id), without it and
        with a wrong one. RV(verdict) is V(pass) only if AWS denies all three requests, and each error message names
        the trust policy or no policy at all. AWS names no policy if the role does not exist, if its trust policy does
        not allow the caller, or if the external ID is wrong. Therefore, use the options with which the access was
        proven before.
      - With V(denied), if the role can be assumed, RV(verdict) is V(fail), and the module requests a registry token and
        each repository of O(readable) and O(denied), to report the access that remains.
      - With V(denied), the caller may be a session of the role that started earlier. Provide its credentials as those
        of the caller, for example in the environment variables of AWS. The module then assumes no role. RV(verdict) is
        V(pass) if the session is denied a registry token and every request for the repositories.
      - Any other error, such as an expired session or an unreachable endpoint, is not a proof.
    type: str
    choices: [allowed, denied]
    default: allowed
  registry_host:
    description:
      - A host name of the registry. The proof also requests a manifest of each repository from this host name, see
        RV(repositories[].registry). If omitted, the proof sends requests only to the API of ECR.
      - It must be the default, the dual-stack or a FIPS name of the registry of the account of O(role_arn) in the
        region.
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
    description:
      - The requests that must succeed for each repository of O(readable). With V(pull), these are the requests of a
        pull. With V(read), describing images must succeed too.
    type: str
    choices: [pull, read]
    default: read
  repository_tags:
    description:
      - The tags that grant access, from the hand-off.
      - If a repository of O(denied) is readable, the module uses them to explain why.
    type: dict
  existing:
    description:
      - Repositories that exist according to the hand-off.
      - ECR returns the same denial whether a repository exists or not. Therefore, a warning lists the repositories of
        O(denied) that are not in this list.
    type: list
    elements: str
    default: []
  accepted_denials:
    description:
      - Additional kinds of denial that count as proof for the repositories of O(denied).
      - By default, a denial counts only if AWS states that no identity-based policy of the role allows the action, or
        that an identity-based or resource-based policy explicitly denies it.
      - With O(registry_account), a denial counts only if AWS states that no resource-based policy allows the action, or
        that a resource-based policy explicitly denies it. V(no_identity_policy) shows only that the consumer's own
        policies do not allow it.
      - The other kinds depend on the host or the session. The same role may be able to read the repository from another
        host or in another session.
    type: list
    elements: str
    choices:
      - boundary
      - endpoint_policy
      - explicit_deny
      - no_identity_policy
      - no_resource_policy
      - organization_policy
      - session_policy
      - unknown
    default: []
  duration_seconds:
    description:
      - The duration of the session, 900 to 43,200 seconds. It cannot exceed the maximum session duration of the role.
    type: int
    default: 900
extends_documentation_fragment:
  - crossaccount.ecr._pull_role
  - crossaccount.ecr._assume_role
  - crossaccount.ecr._credentials
  - crossaccount.ecr._retry
  - crossaccount.ecr._attributes
  - crossaccount.ecr._attributes.info
  - crossaccount.ecr._attributes.action_group
  - crossaccount.ecr._requirements.aws
  - amazon.aws.common.modules
  - amazon.aws.region.modules
attributes:
  async:
    support: partial
    details: Not supported with O(credentials=control_node). With C(async), the module shows no progress.
seealso:
  - module: crossaccount.ecr.ecr_handoff_info
    description: Reads the hand-off that contains most of these options.
  - module: crossaccount.ecr.ecr_image_pull
    description: Pulls images through the same role.
  - ref: ansible_collections.crossaccount.ecr.ecr_pull_role
    description: The role C(crossaccount.ecr.ecr_pull) proves the access, then pulls.
  - plugin: crossaccount.ecr.access_junit
    plugin_type: filter
    description: Converts the result to a JUnit report.
"""

EXAMPLES = r"""
- name: Prove that release can be pulled and that develop cannot
  crossaccount.ecr.ecr_access_info:
    role_arn: arn:aws:iam::111111111111:role/allow_ecr_release
    external_id: 7c2f4e0b-share
    region: ap-northeast-1
    readable: [release]
    denied: [develop]
  register: proof

- name: Prove that no access remains after the owner account removed this consumer
  crossaccount.ecr.ecr_access_info:
    role_arn: arn:aws:iam::111111111111:role/allow_ecr_release
    external_id: 7c2f4e0b-share
    region: ap-northeast-1
    readable: [release]
    expect: denied
  register: proof

- name: Fail if the access differs from what is expected
  ansible.builtin.assert:
    that: proof.verdict == 'pass'
    fail_msg: "{{ proof.problems | join('\n') }}"
    quiet: true
"""

RETURN = r"""
caller:
  description: The caller identity before assuming the role.
  returned: success
  type: dict
  sample:
    account: "222222222222"
    arn: arn:aws:iam::222222222222:user/puller
    user_id: AIDAEXAMPLE
assumed:
  description:
    - The caller identity after assuming the role. With O(registry_account), no role is assumed, so this is the identity
      of the caller as well.
  returned: success
  type: dict
  sample:
    account: "111111111111"
    arn: arn:aws:sts::111111111111:assumed-role/allow_ecr_release/allow_ecr_release
    user_id: AROAEXAMPLE:allow_ecr_release
identities:
  description: The caller identity before and after assuming the role, line by line. One line with O(registry_account).
  returned: success
  type: list
  elements: str
  sample:
    - "before: arn:aws:iam::222222222222:user/puller"
    - "after:  arn:aws:sts::111111111111:assumed-role/allow_ecr_release/allow_ecr_release"
external_id_enforced:
  description:
    - V(true) if AWS denies both requests, the one without the external ID and the one with a wrong external ID.
    - V(false) if AWS allows one of them, or if O(external_id) is not set.
    - V(unknown) if the responses of AWS allow no conclusion. In this case, RV(verdict) is V(fail).
    - With O(expect=denied), it is always V(unknown).
  returned: success
  type: str
  sample: "true"
assume_role:
  description: The response of AWS to the request to assume the role.
  returned: success, with O(expect=denied)
  type: dict
  contains:
    outcome:
      description: V(denied), V(allowed), or V(not_requested) if the caller is a session of the role.
      type: str
      sample: denied
    denial:
      description: The error message of AWS. Empty if the request is allowed.
      type: str
      sample: "User: arn:aws:iam::222222222222:user/puller is not authorized to perform: sts:AssumeRole on resource:
        arn:aws:iam::111111111111:role/allow_ecr_release"
    denial_kind:
      description: The kind of this denial.
      type: str
      sample: trust
    advice:
      description: The reason why the response does not prove that the access has ended, and the next step.
      type: str
      sample: ""
token:
  description:
    - Whether the role gets a registry token, V(allowed) or V(denied).
    - V(not_requested) with O(expect=denied) if the role cannot be assumed.
  returned: success
  type: str
  sample: allowed
token_denial_kind:
  description: The kind of denial of the registry token. Empty if the token is allowed.
  returned: success
  type: str
  sample: ""
repositories:
  description: The expected and the observed access to each repository.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The name of the repository.
      type: str
      sample: develop
    expected:
      description: V(readable) or V(denied).
      type: str
      sample: denied
    describe:
      description: The outcome of describing an image.
      type: str
      sample: denied
    manifest:
      description: The outcome of requesting a manifest.
      type: str
      sample: denied
    layer:
      description: The outcome of requesting a layer.
      type: str
      sample: denied
    token:
      description: The outcome of requesting a registry token. It is the same for all repositories.
      type: str
      sample: allowed
    registry:
      description: The outcome of requesting a manifest from O(registry_host). Empty without this option.
      type: str
      sample: ""
    pull:
      description: The worst outcome of the requests that a pull needs, RV(repositories[].token),
        RV(repositories[].manifest), RV(repositories[].layer), and RV(repositories[].registry) with O(registry_host).
      type: str
      sample: denied
    verdict:
      description: V(pass) or V(fail).
      type: str
      sample: pass
    denial:
      description: The error message of AWS. Empty if nothing is denied.
      type: str
      sample: "User: arn:aws:sts::111111111111:assumed-role/allow_ecr_release/allow_ecr_release is not authorized to
        perform: ecr:BatchGetImage on resource: arn:aws:ecr:ap-northeast-1:111111111111:repository/develop because no
        identity-based policy allows the ecr:BatchGetImage action"
    denial_kind:
      description: The kind of this denial, see O(accepted_denials).
      type: str
      sample: no_identity_policy
    denials:
      description: The error message of each request that was denied.
      type: dict
      sample: {}
    denial_kinds:
      description: The kind of each denial.
      type: dict
      sample: {}
    advice:
      description: The reason for the verdict V(fail), and the next step.
      type: str
      sample: ""
verdict:
  description: V(pass) if all expectations are met, V(fail) otherwise.
  returned: success
  type: str
  sample: pass
problems:
  description: The unmet expectations, each with the next step. Empty if the verdict is V(pass).
  returned: success
  type: list
  elements: str
  sample: []
artifact:
  description: A short form of the proof, which the role P(crossaccount.ecr.ecr_pull#role) publishes with C(set_stats).
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
  description: The results as a text table, line by line.
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
from ansible_collections.crossaccount.ecr.plugins.module_utils._proof import ACCESS_INFO_ARGUMENTS, ACCESS_INFO_RULES


def main() -> None:
    module = AnsibleAWSModule(argument_spec=ACCESS_INFO_ARGUMENTS, supports_check_mode=True, **ACCESS_INFO_RULES)
    run_and_exit(module, access_info)


if __name__ == "__main__":
    main()
