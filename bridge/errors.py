"""The root of what the bridge itself raises: connectors and checkpoint stores have roots of their own."""


class BridgeError(Exception):
    """``operation`` is what was tried, ``cause`` what happened, ``hint`` what a person can do about it."""

    def __init__(self, operation: str, cause: str, hint: str = "") -> None:
        super().__init__(operation, cause, hint)
        self.operation = operation
        self.cause = cause
        self.hint = hint

    def __str__(self) -> str:
        text = f"{self.operation}: {self.cause}"
        return f"{text} ({self.hint})" if self.hint else text


class UsageError(BridgeError):
    """What was asked for is wrong as it stands, whatever the state of the world: a command line, a configuration."""
