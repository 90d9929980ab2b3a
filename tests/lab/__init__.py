# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab: two AWS accounts and a third one on loopback, with enforced IAM policies.

It is MiniStack, served with three additions that its ECR lacks (see `ecr`): repository tags in the
authorization context, tokens bound to their caller, and a registry that asks IAM.
"""
