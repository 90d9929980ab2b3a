# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The kinds of findings about a declaration. Standard library only."""

from __future__ import annotations

#: The ID, the severity, the meaning and the next step of each kind.
DRIFT_KINDS = (
    (
        "drift-undeclared-access",
        "high",
        "The account allows access that ecr_audit_declaration does not allow.",
        "Share again with the declaration, or declare the access.",
    ),
    (
        "drift-other-path",
        "medium",
        "A principal can pull from a repository of ecr_audit_declaration through an access path that is not declared.",
        "Remove the access path, or declare the consumer.",
    ),
    (
        "drift-missing-access",
        "medium",
        "The account does not allow access that ecr_audit_declaration allows.",
        "Share again with the declaration, or remove the access from it.",
    ),
    (
        "drift-conditions",
        "medium",
        "The conditions of an access, such as the external ID, differ from ecr_audit_declaration.",
        "Share again with the declaration, or declare these conditions.",
    ),
    (
        "drift-settings",
        "low",
        "A role or tag differs from ecr_audit_declaration, but no access differs.",
        "Share again with the declaration.",
    ),
    (
        "drift-not-compared",
        "high",
        "The account cannot be compared with ecr_audit_declaration. The evidence has the reason.",
        "Correct the declaration, or allow the request that AWS denied.",
    ),
)
