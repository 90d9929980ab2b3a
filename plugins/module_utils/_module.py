# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How every module of the collection ends: a result, or one clear error."""

from __future__ import annotations

import typing as t

try:
    import botocore.exceptions
except ImportError:
    pass  # AnsibleAWSModule says so to the user

from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError, explain


def execute(module: t.Any, run: t.Callable[[t.Any], dict[str, t.Any]]) -> None:
    """Run the module and exit with its result, or fail with the message of what went wrong."""
    failure: dict[str, t.Any] = {}
    try:
        result = run(module)
    except EcrError as error:
        failure = {"msg": str(error), **error.facts}
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
        failure = {"msg": explain(error)}
    if failure:
        # Outside of the handlers: Ansible would attach their traceback at -vvv.
        module.fail_json(**failure)
    module.exit_json(**result)
