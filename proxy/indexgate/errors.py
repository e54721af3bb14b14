"""Errors of the gate itself; their shape is `indexgate_policy.errors.Explained`."""

from indexgate_policy.errors import Explained


class GateError(Explained):
    """A failure of the gate or of its settings. The command line ends with `exit_code`."""

    exit_code = 2
