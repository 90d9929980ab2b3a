# SPDX-License-Identifier: GPL-3.0-or-later
"""Random ends of access under the clock of the lab, and real requests that find out whether access has ended."""
