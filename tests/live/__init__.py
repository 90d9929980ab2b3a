# SPDX-License-Identifier: GPL-3.0-or-later
"""The live suite: the collection against two real AWS accounts, by `make test-live`.

`make test` runs it against the lab in their place, see tests/integration/test_live_suite.py.
"""
