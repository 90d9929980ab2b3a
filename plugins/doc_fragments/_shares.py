# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and content may change in any release.
from __future__ import annotations

# The indentation is that of the deepest place.
_CONSUMER = """
          account:
            description:
              - The account ID of the consumer, 12 digits. Quote it, because YAML reads digits as a number. The owner
                account is rejected.
              - White space around the digits, dashes as in C(2222-2222-2222), and the ARN of the root of the account
                are accepted. The ARN of a user or role is rejected. Set such an ARN in C(principals).
              - Without an account, the consumer is the organization in C(organization_id).
            type: raw
          principals:
            description:
              - The users and roles of that account, as C(user/NAME), C(role/NAME) or full ARNs.
              - The default is the whole account. In that case, the policies of the account decide which of its
                principals can assume the role.
            type: list
            elements: str
          external_id:
            description:
              - The external ID that the consumer must provide, 2 to 1,224 letters, digits and characters of
                C(_+=,.@:/-).
              - V(generate) creates a random external ID in the first run. Later runs read it from the trust policy.
              - AWS does not treat the external ID as a secret. It prevents the confused deputy problem. Therefore, each
                consumer account or organization needs a different external ID. If one entry of an account has an
                external ID, all of its entries need one.
            type: str
          allow_no_external_id:
            description:
              - Allow this consumer to assume the role without an external ID. In this case, no other statement of its
                account can have an external ID. An organization always needs an external ID.
            type: bool
            default: false
          principal_match:
            description:
              - With V(principal), the trust policy lists the ARNs as principals. IAM binds each ARN to the unique ID of
                the user or role. If that user or role is deleted and created again, it is no longer trusted.
              - With V(condition), the trust policy lists the ARNs in a condition on C(aws:PrincipalArn). If a user or
                role is deleted and created again, it is still trusted.
            type: str
            choices: [principal, condition]
            default: principal
          organization_id:
            description:
              - With C(account), the account must belong to this AWS organization.
              - Without C(account), all accounts of this organization are the consumer. The trust policy has the
                principal C(*), with conditions on C(aws:PrincipalOrgID) and on the external ID.
            type: str
          organization_units:
            description:
              - The account of the caller must belong to one of these organizational units, or to a unit below one of
                them. Each is a path of IDs, such as C(o-a1b2c3d4e5/r-f6g7/ou-f6g7-11111111). Requires
                C(organization_id).
              - They are a condition on C(aws:PrincipalOrgPaths). The default is the whole organization.
            type: list
            elements: str
          require_mfa:
            description: Require the caller to have signed in with MFA.
            type: bool
            default: false
          session_tags:
            description:
              - Allow the consumer to pass session tags, as EKS Pod Identity does. The statement then allows
                C(sts:TagSession) and C(sts:AssumeRole), for the same principals and with the same conditions.
            type: bool
            default: false
          service:
            description:
              - A service principal, such as V(lambda.amazonaws.com). A service does not assume a pull role, so a pull
                role rejects this option.
              - Only C(source_arns) and C(source_accounts) limit a service. A service with C(require_mfa) or
                C(principal_match=condition) is an error.
            type: str
          source_arns:
            description:
              - The ARNs of the resources for which the service acts. All parts except the account can have the
                wildcards C(*) and C(?).
            type: list
            elements: str
          source_accounts:
            description: The accounts for which the service acts, each as C(account) accepts it.
            type: list
            elements: str
"""

# The options of a consumer of a share, and not of the module that manages one role.
_CONSUMER_ROLE = """
          role_name:
            description: The name of the role of this consumer. The default is C(NAME-ACCOUNT) or C(NAME-ORGANIZATION).
            type: str
          max_session_duration:
            description: The maximum session duration of this consumer in seconds. The default is that of the share.
            type: int
          expires:
            description: The end of the access of this consumer. If the share has an end, too, the earlier one applies.
            type: raw
"""

# The options of the role that have no default.
_ROLE = """
      policy_name:
        description:
          - The name of the managed policy, 1 to 128 letters, digits and characters of C(_+=,.@-).
          - The default is the name of the role.
        type: str
      max_session_duration:
        description:
          - The maximum session duration in seconds, 3,600 to 43,200.
          - If omitted, the current value is kept. The default of IAM for a new role is 3,600.
        type: int
      description:
        description: The description of the role, up to 1,000 Latin-1 characters. If omitted, the current value is kept.
        type: str
      permissions_boundary:
        description: The ARN of the permissions boundary of the role. If omitted, the current value is kept.
        type: str
"""

# The options of a share, except those of its role.
_SHARE: str = f"""
      role_name:
        description: The name of the pull role, or of a share without a role. Required.
        type: str
      state:
        description:
          - V(present) shares the repositories. V(absent) removes the tags, then deletes the role and its policy.
          - The default is V(present).
        type: str
        choices: [present, absent]
      mode:
        description:
          - With V(role), the consumers assume a pull role. With V(repository_policy), they pull with their own
            identity. The policy of each repository that has the tags gets a statement. With V(registry_policy), the
            policy of the registry gets one statement with a condition on the tags. The default is V(role).
          - Without a role, C(policy_name), C(path), C(description), C(max_session_duration), C(permissions_boundary),
            C(roles=per_consumer), C(expires), C(condition_key=aws), all C(handoff_forms) except C(ecs_lambda), and the
            C(external_id) and C(session_tags) of a consumer are errors.
        type: str
        choices: [role, repository_policy, registry_policy]
      repository_tags:
        description:
          - The tags that grant access. A repository must have all of the tag keys. If a value is a list, any value of
            the list matches. Required.
        type: dict
      repositories:
        description: The repositories to share, by name or C(fnmatch) pattern. Required.
        type: list
        elements: str
      tags:
        description: The tags that the repositories receive. The default is the tags that grant access.
        type: dict
      consumers:
        description:
          - The accounts, users, roles and organizations that can pull, and services in a share without a role. Required
            to share.
        type: list
        elements: dict
        suboptions:{_CONSUMER.rstrip()}{_CONSUMER_ROLE}
      roles:
        description:
          - With V(shared), all consumers assume one role. With V(per_consumer), each consumer has its own role, with
            the name C(NAME-ACCOUNT). All of these roles have one managed policy. Only then, a consumer can have
            C(role_name), C(max_session_duration) and C(expires).
          - The default is V(shared).
        type: str
        choices: [shared, per_consumer]
      expires:
        description:
          - The end of the share. Set a time such as V(2026-12-31T00:00:00Z), or a duration such as V(14d). With a
            duration, the first run calculates the end and stores it in a tag of the role.
        type: raw
      access:
        description:
          - V(pull) allows what a container engine needs. V(read) also allows describing and listing.
          - The default is V(read).
        type: str
        choices: [pull, read]
      condition_key:
        description: The prefix of the condition key, C(ecr:ResourceTag) or C(aws:ResourceTag). The default is V(ecr).
        type: str
        choices: [ecr, aws]
      path:
        description: The IAM path of the role and its policy. The default is V(/).
        type: str
      exclusive:
        description: Remove the tags from every other repository of these regions. The default is V(false).
        type: bool
      regions:
        description: The regions of the repositories. The default is the region of the connection.
        type: list
        elements: str
      adopt:
        description:
          - Manage an existing role or policy of this name that this collection did not create. The default is
            V(false).
        type: bool
      denied:
        description: Repositories that the consumer must not be able to read. They are listed in the hand-off.
        type: list
        elements: str
      images:
        description: Images that the consumer pulls. They are listed in the hand-off.
        type: list
        elements: str
      handoff_path:
        description: The path of the hand-off on the control node, see M(crossaccount.ecr.ecr_handoff).
        type: str
      handoff_forms:
        description: The files for other tools beside the hand-off, see O(crossaccount.ecr.ecr_handoff#module:forms).
        type: list
        elements: str
        choices: [aws_cli, docker, kubelet, eks_pod_identity, external_secrets, terraform, github_actions, ecs_lambda]
"""


class ModuleDocFragment:
    # The annotations keep ansible-test from reading an f-string as a literal.

    # For the module that manages the role of one share.
    CONSUMERS: str = f"""
options:
  consumers:
    description:
      - The accounts, users, roles and organizations that can assume the role. Each entry is one statement of the trust
        policy.
      - Required with O(state=present).
    type: list
    elements: dict
    suboptions:{_CONSUMER}
"""

    # For the module that manages the statement of one share in repository policies.
    POLICY_CONSUMERS: str = f"""
options:
  consumers:
    description:
      - The accounts, users, roles, organizations and services that can pull with their own identity.
      - No role is assumed, so C(external_id) and C(session_tags) are errors, and C(allow_no_external_id) has no effect.
      - Required with O(state=present).
    type: list
    elements: dict
    suboptions:{_CONSUMER}
"""

    ROLE: str = f"""
options:{_ROLE}
"""

    # For the module that plans all shares.
    SHARES: str = f"""
options:
  shares:
    description:
      - The shares. If a share lacks an option, the value in O(defaults) applies.
      - Without this list, O(defaults) describes the only share.
    type: list
    elements: dict
    suboptions: &share{_ROLE}{_SHARE}
  defaults:
    description: The options that all shares have in common.
    type: dict
    suboptions: *share
"""

    # For the module that audits an account.
    DECLARED: str = f"""
options:
  declared:
    description:
      - The declared shares, as in the option O(crossaccount.ecr.ecr_share_info#module:shares). A repository that has
        the tags of a share, but that no share lists, is a finding.
      - If a share has no C(regions), it lists the repositories of all regions.
      - Without declared shares, no repository is reported as shared by accident.
    type: list
    elements: dict
    default: []
    suboptions:{_ROLE}{_SHARE}
"""

    # For the module that revokes sessions.
    REVOKED: str = f"""
options:
  consumers:
    description:
      - The consumers of a share without its own C(consumers). With O(roles=per_consumer), they determine the names of
        the roles.
    type: list
    elements: dict
    suboptions:{_CONSUMER.rstrip()}{_CONSUMER_ROLE}
  shares:
    description:
      - The shares whose roles are revoked, as declared for P(crossaccount.ecr.ecr_share#role).
      - The module reads C(role_name), C(mode), C(roles), C(consumers) and C(state). The defaults of the first four are
        O(role_name), O(mode), O(roles) and O(consumers). Shares with C(state=absent) or without a role are ignored.
    type: list
    elements: dict
    suboptions:{_ROLE}{_SHARE}
"""
