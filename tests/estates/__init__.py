# SPDX-License-Identifier: GPL-3.0-or-later
"""Random estates: the audit of each of them is compared with real calls to the lab."""
