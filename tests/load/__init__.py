# SPDX-License-Identifier: GPL-3.0-or-later
"""Consumers that pull without a pause while the access of some of them ends."""
