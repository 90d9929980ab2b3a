# SPDX-License-Identifier: GPL-3.0-or-later
"""Replications that are killed and resumed at each call."""
