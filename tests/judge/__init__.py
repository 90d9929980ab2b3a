# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions of authorization, and the verdicts of the collection's evaluator and of two others."""
