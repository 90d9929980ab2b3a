#!/usr/bin/python
# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ecr_audit_info
short_description: Report who outside an account can read which ECR repository, and through which policy
version_added: 0.1.0
author: The crossaccount.ecr maintainers (@crossaccount)
description:
  - Reads the IAM configuration and the registries of an account, and evaluates every combination of a principal outside
    the account, a repository, and an action. It changes nothing.
  - It evaluates the trust policies and the permissions of roles. It also evaluates repository policies, the registry
    policy, replication rules, pull through cache rules, repository creation templates, and who may set the sharing tag.
  - It follows role chains. If a session of a role can assume another role of the account, C(conditions) of the access
    path names the roles that are assumed first.
  - The verdict is V(allowed), V(denied), or V(unknown) with the reason. It is V(allowed) if AWS allows the request of a
    caller that meets the reported conditions, such as the external ID.
  - The audit assumes that the identity policies of other accounts allow the requests, because only these accounts can
    read them. The audit cannot read service control policies and resource control policies either.
    RV(audit.not_seen) lists everything that the audit could not read.
  - If AWS denies a request of the audit, the verdict for the affected access is V(unknown), and RV(audit.not_seen)
    contains the reason.
options:
  regions:
    description:
      - The regions whose registries are audited.
      - The default is the region of the session.
    type: list
    elements: str
    default: []
  repositories:
    description: The names of the audited repositories. If empty, all repositories are audited.
    type: list
    elements: str
    default: []
  repository_tags:
    description:
      - The tags that share a repository. The value of a tag is a string or a list of alternative strings.
      - The audit evaluates who may set these tags, and reports the archived images of repositories that have them.
    type: dict
    default: {}
  trusted_accounts:
    description: Your own accounts, as one account ID or a list. Findings do not report access of these accounts.
    type: raw
    default: []
  trusted_organizations:
    description: Your own organizations, as one ID or a list. Findings do not report access of their accounts.
    type: raw
    default: []
  tag_setters_max:
    description: The maximum number of principals in the account that may set the tags. A larger number is a finding.
    type: int
    default: 10
  unused_days:
    description: A role that no one used for this number of days is a finding.
    type: int
    default: 90
  ends_within_days:
    description: A share that ends within this number of days is a finding.
    type: int
    default: 14
extends_documentation_fragment:
  - crossaccount.ecr._shares.declared
  - crossaccount.ecr._owner_account
  - crossaccount.ecr._assume_role
  - crossaccount.ecr._attributes
  - crossaccount.ecr._attributes.info
  - crossaccount.ecr._attributes.action_group
  - crossaccount.ecr._requirements.aws
  - amazon.aws.common.modules
  - amazon.aws.region.modules
attributes:
  async:
    support: full
seealso:
  - module: crossaccount.ecr.ecr_access_info
    description: Proves the access of one consumer with real requests.
"""

EXAMPLES = r"""
- name: Audit two regions
  crossaccount.ecr.ecr_audit_info:
    regions: [ap-northeast-1, us-east-1]
    repository_tags:
      environment: release
  register: result

- name: Show the principals that can pull
  ansible.builtin.debug:
    msg: "{{ allowed | map(attribute='principal') | unique }}"
  vars:
    allowed: "{{ result.audit.access | selectattr('actions.pull', 'equalto', 'allowed') }}"
"""

RETURN = r"""
audit:
  description: The report. Its JSON schema is C(docs/schemas/audit.schema.json).
  returned: success
  type: dict
  contains:
    schema:
      description: The name and version of the format.
      type: str
      returned: success
      sample: crossaccount.ecr/audit/1
    account:
      description: The audited account.
      type: str
      returned: success
      sample: "111111111111"
    regions:
      description: The audited regions.
      type: list
      elements: str
      returned: success
      sample: [ap-northeast-1]
    generated_at:
      description: The time in UTC at which the audit began, from the clock of AWS.
      type: str
      returned: success
      sample: "2026-11-27T02:40:00Z"
    repository_tags:
      description: The tags that share a repository, each with its alternative values.
      type: dict
      returned: success
      sample: {environment: [release]}
    repositories:
      description: The C(name), C(region) and C(tags) of each repository. C(tags) is null if AWS denies the request.
      type: list
      elements: dict
      returned: success
      sample: [{name: release, region: ap-northeast-1, tags: {environment: release}}]
    access:
      description:
        - A row for each combination of a principal outside the account and a repository, if at least one action is not
          denied.
        - If AWS denies the request to list the repositories or the repository creation templates, a row with the
          repository V(*) represents the repositories that the audit does not know.
        - C(principal_kind) is V(principal), V(account), V(organization), V(service), V(federated) or V(everyone).
        - A row of an account, an organization or everyone is about the principals that no policy names. It has the best
          verdict of a user, a role, a federated user and the root user. A pattern of ARNs or accounts in a condition
          has rows of its own. V(*.amazonaws.com) represents the services that no policy names.
        - C(actions) maps V(describe), V(pull), V(push), V(delete) and V(tag) to the verdict. C(reasons) has the reason
          for each verdict that is not V(allowed).
        - V(tag) is evaluated for a request with the sharing tags, the first value of each. Without sharing tags, the
          request has no tags.
        - C(paths) lists the access paths, one for each statement that allows an action. Each has C(path), C(actions),
          C(document), C(statement), C(conditions), C(role), C(role_created), C(role_last_used) and C(until).
        - C(until) is the first second at which the path no longer allows the actions. The audit derives it from the
          conditions on C(aws:CurrentTime) and C(aws:EpochTime) in all policies of the path. It is V(null) if access
          has no end.
      type: list
      elements: dict
      returned: success
      sample:
        - principal: arn:aws:iam::222222222222:root
          principal_kind: account
          principal_account: "222222222222"
          repository: release
          region: ap-northeast-1
          actions: {describe: allowed, pull: allowed, push: denied, delete: denied, tag: denied}
          reasons:
            push: no statement allows it
            delete: no statement allows it
            tag: no statement allows it
          paths:
            - path: repository_policy
              actions: [describe, pull]
              document: repository policy
              statement: Consumer
              conditions: []
              role: ""
              role_created: null
              role_last_used: null
              until: null
    tag_setters:
      description:
        - The users and roles of the account that may set the sharing tag of at least one repository, with C(principal),
          C(actions), C(verdict), C(reason), C(document) and C(statement).
      type: list
      elements: dict
      returned: success
      sample:
        - principal: arn:aws:iam::111111111111:user/ci
          actions: [ecr:TagResource]
          verdict: allowed
          reason: ""
          document: inline policy tags of user arn:aws:iam::111111111111:user/ci
          statement: Tag
    findings:
      description:
        - The recommended changes, each with C(id), C(key), C(severity), C(title), C(resource), C(region), C(evidence)
          and C(fix).
      type: list
      elements: dict
      returned: success
      sample: []
    not_seen:
      description: The facts that the audit could not read, with C(what) and C(why).
      type: list
      elements: dict
      returned: success
      sample:
        - what: service control policies of the organization
          why: an account cannot read the policies that limit it
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_info import AUDIT_INFO_ARGUMENTS, audit_info
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import run_and_exit


def main() -> None:
    run_and_exit(AnsibleAWSModule(argument_spec=AUDIT_INFO_ARGUMENTS, supports_check_mode=True), audit_info)


if __name__ == "__main__":
    main()
