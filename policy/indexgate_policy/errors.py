"""Errors that reach a person: what happened, to what, and what to do next."""


class Explained(Exception):
    """A failure that is told to the user in uv's style; anything else that escapes is a bug.

    `reference` is a stable kebab-case id (`policy-unknown-key`), `message` one sentence without a
    period that names the thing and its place, `hint` the next step (may be empty).
    """

    def __init__(self, reference: str, message: str, hint: str = "") -> None:
        super().__init__(reference, message, hint)
        self.reference = reference
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        text = f"{self.reference}\n  {self.message}"
        return f"{text}\n\nhint: {self.hint}" if self.hint else text


class PolicyError(Explained):
    """A policy document that cannot be used.

    `line` and `column` say where in it, counted from 1, as far as that can be told; 0 is unknown.
    """

    def __init__(
        self, reference: str, message: str, hint: str = "", *, line: int = 0, column: int = 0
    ) -> None:
        super().__init__(reference, message, hint)
        self.line = line
        self.column = column
