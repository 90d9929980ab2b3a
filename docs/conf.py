# SPDX-License-Identifier: GPL-3.0-or-later
"""How Sphinx makes the site. `tests/make-docs` lays out what it reads."""

from __future__ import annotations

import os
import re
import typing as t

from docutils import nodes

with open(os.path.join(os.path.dirname(__file__), "..", "galaxy.yml"), encoding="utf-8") as file:
    release = version = t.cast("re.Match[str]", re.search(r"(?m)^version: (.+)$", file.read()))[1]

project = "crossaccount.ecr"
html_title = html_short_title = f"{project} {release}"
project_copyright = "crossaccount.ecr contributors"
extensions = ["sphinx_antsibull_ext"]

html_theme = "sphinx_ansible_theme"
html_theme_options = {
    "documentation_home_url": "https://github.com/crossaccount/ecr",
    "navigation_depth": 3,
    "show_extranav": False,
    "show_rtd_ethical_ads": False,
    "topbar_links": {},
}
html_static_path = ["style.css", "copy.js"]
html_css_files = ["style.css"]
html_js_files = ["copy.js"]
html_show_sphinx = False
html_use_index = False
html_copy_source = False
pygments_style = "ansible"
highlight_language = "none"
nitpicky = True

#: The pages of antsibull-docs link to Ansible's own documentation. The site is built offline: here they are.
_ANSIBLE = "https://docs.ansible.com/projects/ansible/latest/"
_ANSIBLE_LABELS = {
    "action_plugins": "plugins/action.html#action-plugins",
    "ansible_configuration_settings": "reference_appendices/config.html#ansible-configuration-settings",
    "common_return_values": "reference_appendices/common_return_values.html#common-return-values",
}


def link_to_ansible(_app: t.Any, _environment: t.Any, node: t.Any, content: t.Any) -> t.Any:
    """A link for a label or variable of Ansible's documentation; None leaves the rest the error that it is."""
    target = node.get("reftarget")
    page = _ANSIBLE_LABELS.get(target)
    if node.get("reftype") == "envvar" and target.startswith("ANSIBLE_"):
        page = f"reference_appendices/config.html#envvar-{target}"
    plugin = re.fullmatch(r"ansible_collections\.(?!crossaccount\.)(\w+)\.(\w+)\.(\w+)", target)
    if node.get("reftype") == "ref" and plugin:
        page = "collections/{}/{}/{}.html".format(*plugin.groups())
    return page and nodes.reference("", "", content.deepcopy(), internal=False, refuri=_ANSIBLE + page)


def link_to_role(app: t.Any, environment: t.Any, node: t.Any, _content: t.Any) -> t.Any:
    """A link to the page of a role. antsibull-docs writes its label where Sphinx finds no title for it."""
    target = node.get("reftarget")
    role = re.fullmatch(r"ansible_collections\.(crossaccount\.ecr\.\w+)_role", target)
    page, anchor = environment.get_domain("std").anonlabels.get(target, ("", "")) if role else ("", "")
    uri = page and f"{app.builder.get_relative_uri(node['refdoc'], page)}#{anchor}"
    return nodes.reference("", f"Role {role[1]}", internal=True, refuri=uri) if role and page else None


def setup(app: t.Any) -> None:
    """Called by Sphinx."""
    app.connect("missing-reference", link_to_ansible)
    app.connect("missing-reference", link_to_role)
