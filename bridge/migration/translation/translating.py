"""Consumers' places on the other side of a mirror: found, and set where that is asked for."""

from bridge.config import Configuration
from bridge.migration.translation.crossing import opened
from bridge.migration.translation.report import TranslateReport
from bridge.migration.translation.request import Direction, TranslateRequest
from bridge.migration.translation.task import Task
from bridge.migration.translation.to_application import to_application
from bridge.migration.translation.to_group import to_group
from connectors.base import Clock

_WAYS = {Direction.TO_GROUP: to_group, Direction.TO_APPLICATION: to_application}


async def translate(
    configuration: Configuration, request: TranslateRequest, *, clock: Clock | None = None
) -> TranslateReport:
    """Where the consumers of one side of ``configuration`` go on at the other, and how much they will see again.

    Every record that is not processed is at or behind the new place, or comes there once it is mirrored. With ``apply``
    the place is set: of a group without members, or of an application that has no table. It takes the application's
    failover time and some seconds more, and may be repeated.

    Raises the errors of ``translation.errors``, ``TableExistsError`` and ``UnfinishedTableError``, ``UsageError``, and
    ``ConnectorError`` or ``CheckpointError``; within half a minute where something cannot be reached.
    """
    clock = clock or Clock()
    async with opened(configuration, request.mirror_back, clock) as crossing:
        return await _WAYS[request.direction](Task(configuration, request, crossing, clock))
