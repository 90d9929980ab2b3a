# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a caller may assume a pull role on its own behalf. Standard library only."""

from __future__ import annotations

from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import arn_of

#: The option of the modules that assume the pull role.
CALLER_ARGUMENTS = {"consumer_account": {"type": "str"}}


def account_of_role(role_arn: str) -> str:
    """The account in the ARN of a role."""
    return arn_of(role_arn).account


def caller_problem(role_arn: str, consumer_account: str | None, caller_account: str) -> str | None:
    """Why the caller must not assume the role, or None.

    :param consumer_account: the account that the share is for, from the hand-off
    :param caller_account: the account of the credentials, as AWS reports it
    """
    if account_of_role(role_arn) == caller_account:
        return (
            f"Role {role_arn} is in account {caller_account}, the account of these credentials. A pull role belongs to"
            " another account: use the credentials of the consumer account, or check the hand-off."
        )
    if consumer_account not in (None, caller_account):
        return (
            f"This hand-off is for {consumer_account}; these credentials are of {caller_account}. Use credentials of"
            f" account {consumer_account}, or ask the owner account for a hand-off for {caller_account}."
        )
    return None
