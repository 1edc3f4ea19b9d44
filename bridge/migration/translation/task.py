"""What both directions of a translation share: whose places, on which sides, and what is told of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from bridge.config import Configuration
from bridge.migration.log import Log
from bridge.migration.translation.checks import Checks
from bridge.migration.translation.crossing import Crossing
from bridge.migration.translation.errors import ConsumerMovingError, LostRecordsError
from bridge.migration.translation.group import group_of
from bridge.migration.translation.progress import Progress
from bridge.migration.translation.report import TranslatedPartition, TranslateReport, TranslationGap
from bridge.migration.translation.request import TranslateRequest
from bridge.migration.translation.search import Found
from bridge.migration.translation.survey import Move
from checkpoints.dynamodb.table import Table
from checkpoints.kafka.group.committer import ConsumerGroup
from connectors.base import Clock


@dataclass(frozen=True, slots=True)
class Task:
    configuration: Configuration
    request: TranslateRequest
    crossing: Crossing
    clock: Clock

    @property
    def group(self) -> ConsumerGroup:
        return group_of(self.configuration, self.request.group)

    @property
    def table(self) -> Table:
        """Of the application, in the stream's region where nothing else is asked for."""
        request = self.request
        return self.crossing.stream.lease_table(request.application, request.lease_region, request.lease_endpoint_url)

    def mirror_of(self, source: Log) -> Configuration | None:
        """The mirror that reads ``source``; None where nobody has told of one."""
        return self.configuration if self.crossing.is_source(source) else self.request.mirror_back

    def may_rerun(self, new: Log) -> bool:
        """Whether a record may stand on the new side again, behind a crash of a mirror and not soon after the first."""
        mirror = self.mirror_of(self.crossing.stream)
        return new is self.crossing.topic and mirror is not None and mirror.delivery == "at_least_once"

    def move(self, old: Log, new: Log, progress: Progress, *, needs_record: bool) -> Move:
        """From ``old`` to ``new``, with all that is told of the mirrors between them."""
        return Move(
            old,
            new,
            progress,
            self.crossing.reach(old, new),
            self.crossing.reach(new, old),
            is_carried=self.mirror_of(new) is not None,
            may_rerun=self.may_rerun(new),
            needs_record=needs_record,
            is_transformed=bool(self.configuration.transforms) and self.crossing.is_source(new),
        )

    def refuse_moving(self, moving: Sequence[str]) -> None:
        """Raises ``ConsumerMovingError`` where places are to be set and consumers are at work, as ``moving`` says."""
        if moving and self.request.apply:
            raise ConsumerMovingError("translate", "; ".join(moving), "stop the consumers, then translate again")

    def checked(self, move: Move, found: Found, *, begins_late: bool) -> tuple[TranslationGap, ...]:
        """What is lost by the move. Raises ``MirrorBehindError``, and ``LostRecordsError`` where it is not accepted."""
        checks = Checks(move, found, self.mirror_of(move.old) is not None, begins_late)
        checks.raise_behind()
        gaps = tuple(checks.gaps())
        if gaps and self.request.apply and self.configuration.on_gap == "stop":
            named = "; ".join(f"{each.partition} from {each.lost_from} to {each.lost_to}" for each in gaps)
            raise LostRecordsError(
                "translate",
                f"some records are not processed, and not on the new side: {named}",
                "copy them with kmbridge backfill, or accept the loss with on_gap: continue",
            )
        return gaps

    def report(
        self, partitions: Sequence[TranslatedPartition], gaps: Sequence[TranslationGap], moving: Sequence[str]
    ) -> TranslateReport:
        crossing, request = self.crossing, self.request
        return TranslateReport(
            request.direction,
            request.application,
            request.group,
            crossing.stream.address,
            crossing.topic.address,
            tuple(partitions),
            tuple(gaps),
            tuple(moving),
            request.apply,
            crossing.stream.records,
            crossing.topic.records,
        )


def translated(name: str, place: str, found: Found, former: str | None = None) -> TranslatedPartition:
    """The line of the report for partition ``name``."""
    return TranslatedPartition(name, place, found.cuts[name].again, found.cuts[name].left_out, former)
