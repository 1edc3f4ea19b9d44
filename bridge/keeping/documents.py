"""The documents of a mirror, beside its checkpoints."""

from bridge.config import Configuration
from bridge.errors import UsageError
from checkpoints.documents import Documents
from checkpoints.sqlite_documents import SqliteDocuments
from connectors.base import Clock


def documents_of(configuration: Configuration, clock: Clock) -> Documents:
    """Where the mirror of ``configuration`` keeps documents; to be entered.

    Raises ``UsageError`` where its checkpoints are in memory: nothing would outlive the command.
    """
    if configuration.sqlite_path is not None:
        return SqliteDocuments(configuration.sqlite_path, configuration.name)
    raise UsageError(
        f"keep documents of {configuration.name}",
        "its checkpoints are in memory, and end with its process",
        "name a place that lasts with checkpoints",
    )
