# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The messages for AWS profiles that cannot be used. Standard library only."""

from __future__ import annotations

import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option
from ansible_collections.crossaccount.ecr.plugins.module_utils._suggestion import did_you_mean


def profile_and_keys(name: str) -> str:
    """The message for a profile and an access key that are both set."""
    return (
        f"Profile {name} and an access key are both set, so it is not clear which credentials to use. Unset"
        " AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or unset"
        f" {option('profile')} and AWS_PROFILE."
    )


def unknown_profile(name: str, known: t.Sequence[str], files: t.Sequence[str]) -> str:
    """The message for a profile that does not exist.

    :param known: the names of the existing profiles
    :param files: the configuration files that were read
    """
    found = f"Available profiles: {', '.join(sorted(known))}." if known else "They contain no profile."
    return (
        f"Profile {name} does not exist in {' or '.join(files)}. {found}{did_you_mean(name, known)} Correct"
        f" {option('profile')} or AWS_PROFILE, or set AWS_CONFIG_FILE to the file that has the profile."
    )
