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


def config_file_problem(path: str, error: object) -> str:
    """The message for a configuration file of AWS that cannot be parsed. It contains no text of the file.

    :param error: the exception of configparser or of decoding
    """
    line = getattr(error, "lineno", None) or next(iter(getattr(error, "errors", None) or [(None, "")]))[0]
    facts = {
        "DuplicateOptionError": f"key {getattr(error, 'option', '')} occurs twice in a section",
        "DuplicateSectionError": "a section occurs twice",
        "MissingSectionHeaderError": "no section precedes it, or the file begins with a byte order mark",
        "UnicodeDecodeError": "the file is not UTF-8 text",
    }
    fact = facts.get(type(error).__name__, "it is not a section, a key or a comment")
    place = f"{path}, line {line}" if line else path
    return f"{place}: {fact}. Correct the file and run again."


def unknown_profile(name: str, known: t.Sequence[str], files: t.Sequence[str]) -> str:
    """The message for a profile that does not exist.

    :param known: the names of the existing profiles
    :param files: the configuration files that were read
    """
    if not name:
        return "AWS_PROFILE is empty. Unset it, or set it to the name of a profile."
    found = f"Available profiles: {', '.join(sorted(known))}." if known else "They contain no profile."
    return (
        f"Profile {name} does not exist in {' or '.join(files)}. {found}{did_you_mean(name, known)} Correct"
        f" {option('profile')} or AWS_PROFILE, or set AWS_CONFIG_FILE to the file that has the profile."
    )
