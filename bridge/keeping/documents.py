"""Where a mirror's documents are by its configuration: beside its checkpoints."""

from bridge.config import Configuration
from bridge.config.checkpoints import DynamoCheckpoints as DynamoSection
from bridge.errors import UsageError
from bridge.keeping.stores import asked_slots, checkpoint_place, default_slots, dynamo_table, group_place
from checkpoints.documents import Documents
from checkpoints.dynamodb.documents import DynamoDocuments
from checkpoints.kafka.documents.store import KafkaDocuments
from checkpoints.kafka.topic import CheckpointTopic
from checkpoints.sqlite.documents import SqliteDocuments
from connectors.base import Clock


def documents_of(configuration: Configuration, clock: Clock) -> Documents:
    """The documents of the mirror that ``configuration`` names, not entered; whether it runs does not matter.

    Raises ``UsageError`` where its checkpoints are in memory: nothing there would outlive the command.
    """
    choice = configuration.checkpoints
    place = checkpoint_place(configuration)
    if configuration.sqlite_path is not None:
        return SqliteDocuments(configuration.sqlite_path, configuration.name)
    if isinstance(choice, DynamoSection):
        return DynamoDocuments(dynamo_table(choice), configuration.name, clock=clock)
    if place is not None:
        return KafkaDocuments(place, asked_slots(configuration))
    if configuration.checkpoints_in_source_group:
        return _beside_group(configuration)
    raise UsageError(
        f"keep documents of mirror {configuration.name}",
        "its checkpoints are in memory, and end with its process",
        "say with checkpoints where they are to stay",
    )


def _beside_group(configuration: Configuration) -> Documents:
    """In the topic in which ``checkpoints: kafka`` would be: a group's offsets are too short for a text, and expire."""
    group, source = group_place(configuration), configuration.source.kafka
    assert group is not None  # noqa: S101 - its offsets are the checkpoints
    assert source is not None  # noqa: S101 - a group's topic is what is read
    place = CheckpointTopic(group.connection, configuration.name, group.group)
    return KafkaDocuments(place, default_slots(source.servers))
