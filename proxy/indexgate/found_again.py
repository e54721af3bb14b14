"""By which flags another command on this machine works with the policy and the state of a gate."""

import shlex
from collections.abc import Iterator
from pathlib import Path

from indexgate import state_folder
from indexgate.config import Settings
from indexgate.settings_table import BY_NAME
from indexgate_policy import policies


def flags(settings: Settings) -> str:
    """Return the flags for a gate of *settings*, to be pasted into a shell from any folder.

    What is as it is by default is left out.
    """
    return shlex.join(_words(settings))


def _words(settings: Settings) -> Iterator[str]:
    policy, state = BY_NAME["policy"], BY_NAME["state"]
    if settings.policy not in policies.NAMES:
        yield from (policy.flag, str(Path(settings.policy).absolute()))
    elif settings.policy != policy.default:
        yield from (policy.flag, settings.policy)
    if settings.state.absolute() != state_folder.default_path().absolute():
        yield from (state.flag, str(settings.state.absolute()))
