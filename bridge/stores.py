"""Where a mirror's checkpoints are, by its configuration: what can be seen and changed without reaching its ends."""

from pathlib import Path

from bridge.config import Configuration
from bridge.config.models import SqliteCheckpoints as SqliteSection
from bridge.errors import UsageError
from checkpoints.base import CheckpointReader, CheckpointStore
from checkpoints.memory import MemoryCheckpoints
from checkpoints.sqlite import SqliteCheckpoints, SqliteReader, default_path
from connectors.kinesis import position


def checkpoint_store(configuration: Configuration) -> CheckpointStore:
    """The store that ``configuration`` names, not entered."""
    path = checkpoint_path(configuration)
    return MemoryCheckpoints() if path is None else SqliteCheckpoints(path, configuration.name)


def checkpoint_reader(configuration: Configuration) -> CheckpointReader:
    """Sees the checkpoints, also while a mirror runs."""
    path = checkpoint_path(configuration)
    return MemoryCheckpoints() if path is None else SqliteReader(path, configuration.name)


def checkpoint_path(configuration: Configuration) -> Path | None:
    """The file that holds the checkpoints; None where they are kept in memory only."""
    choice = configuration.checkpoints
    if isinstance(choice, SqliteSection):
        return choice.sqlite.path
    return None if choice == "memory" else default_path(configuration.name)


def checked_position(text: str) -> str:
    """``text`` in the form in which the source writes positions. Raises ``UsageError`` where it is none."""
    try:
        return str(position.parse(text))
    except ValueError as error:
        raise UsageError("read a position", str(error)) from None
