"""What a backfill is asked for, and what it makes of the mirror's configuration."""

from dataclasses import dataclass
from typing import Literal

from bridge.config import Configuration
from bridge.errors import UsageError
from bridge.jobs.span import Kind, Point, check_span
from bridge.jobs.starting import leaving_room, starting


@dataclass(frozen=True, slots=True)
class BackfillRequest:
    """What to copy. Left out, ``since`` is where the mirror starts or stands, and ``until`` is now.

    ``again``: of a job that is done, or given up, the next one: from where it stands to a new end. ``anew``: the same
    from ``since``, wherever it stands, which is for what is sent again on purpose.
    """

    since: Point | None = None
    until: Point | None = None
    again: bool = False
    anew: bool = False
    timestamps: Literal["original", "now"] = "original"
    """``now``: each record is written with the time of copying instead of its own."""


def check(configuration: Configuration, request: BackfillRequest) -> None:
    """Raises ``UsageError`` for what cannot be asked for."""
    if configuration.checkpoints == "memory":
        raise UsageError(
            "backfill", "checkpoints in memory end with the process", "leave the key checkpoints out, or name a place"
        )
    since, until = request.since, request.until
    if request.again and since is not None:
        raise UsageError("--again", "goes on from where the mirror stands", "leave --from out")
    if until is not None:
        check_span(since, until)


def own_configuration(configuration: Configuration, request: BackfillRequest) -> Configuration:
    """That of a mirror which starts where the range does, and leaves the source's other consumers some room."""
    since = request.since
    if since is not None and since.kind is not Kind.POSITIONS:
        configuration = starting(configuration, since)
    return leaving_room(configuration)
