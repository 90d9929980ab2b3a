# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes a screenshot of the page of an audit report in Chromium: `make pictures` writes audit.png."""

from __future__ import annotations

import pathlib
import sys
import tempfile

ROOT = pathlib.Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / ".venv/collections")]

from ansible_collections.crossaccount.ecr.plugins.plugin_utils._audit_compare import document_of
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._audit_html import html_report

from tests.support.audit_reports import changed, report
from tests.support.browser import chromium

WIDTH, HEIGHT = 1000, 1250

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        path = pathlib.Path(folder) / "audit.html"
        path.write_text(html_report(document_of(changed(report()), report())), encoding="utf-8")
        page = browser.page()
        page.open(path, WIDTH, height=HEIGHT)
        page.picture(ROOT / "docs/audit.png")
