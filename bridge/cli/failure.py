"""The one border at which errors become a message for a person and an exit code."""

import logging
import sys

import typer

from bridge.errors import BridgeError, UsageError
from checkpoints.base import CheckpointError, StoreRefusedError, StoreSettingsError, StoreUnreachableError
from connectors.base import ConnectorError, RefusedError, SettingsError, UnreachableError

FAILED = 1
WRONG_USAGE = 2
ENDPOINT = 3


def report(error: Exception) -> int | None:
    """Say on stderr what happened and what helps, and return the exit code; None for an error that is a bug.

    The traceback goes to the log at level debug.
    """
    code = exit_code(error)
    if code is None:
        return None
    logging.getLogger(__name__).debug("failed", exc_info=error)
    typer.secho("error: ", fg="red", bold=True, nl=False, err=True)
    print(_text(error), file=sys.stderr)
    return code


def exit_code(error: Exception) -> int | None:
    """The exit code of a failure by its class; None where the class says nothing: then it is a bug."""
    if isinstance(error, UsageError | SettingsError | StoreSettingsError):
        return WRONG_USAGE
    if isinstance(error, BridgeError):
        return FAILED
    if isinstance(error, UnreachableError | RefusedError | StoreUnreachableError | StoreRefusedError):
        return ENDPOINT
    return FAILED if isinstance(error, ConnectorError | CheckpointError) else None


def _text(error: Exception) -> str:
    hint = getattr(error, "hint", "")
    if not hint:
        return _visible(str(error))
    return _visible(f"{getattr(error, 'operation', '')}: {getattr(error, 'cause', '')}\nhint: {hint}")


def _visible(text: str) -> str:
    """``text`` without a character that tells a terminal what to do: some of it came from a file or a server."""
    return "".join(each if each.isprintable() or each == "\n" else repr(each)[1:-1] for each in text)
