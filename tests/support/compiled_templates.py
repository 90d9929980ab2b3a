# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps the code of Ansible's templates. Ansible compiles a template again for each task that has it."""

from __future__ import annotations

import functools
import types
from typing import Any

from ansible._internal._templating._jinja_bits import AnsibleEnvironment, _TemplateCompileContext


@functools.cache
def keep() -> None:
    """Compile each template once. The key is all that Ansible's own environment compiles it with."""
    compiled: dict[tuple[str, bool], types.CodeType] = {}
    compile_template = AnsibleEnvironment.compile

    def compile_once(self: AnsibleEnvironment, source: Any, *arguments: Any, **options: Any) -> Any:
        context = _TemplateCompileContext.current(optional=True)
        if not isinstance(source, str) or self.overlayed or arguments or options or not context:
            return compile_template(self, source, *arguments, **options)
        key = (str(source), context.escape_backslashes)
        if key not in compiled:
            compiled[key] = compile_template(self, source)
        return compiled[key]

    AnsibleEnvironment.compile = compile_once
