"""What is written to a topic and hidden from its readers: all that stands behind the beginning of an open transaction.

Also what others wrote there without a transaction: readers of committed records see a partition up to its last stable
offset, and nothing behind that until the transaction ends.
"""

from dataclasses import dataclass

from bridge.migration.log import Log, TopicLog


@dataclass(frozen=True, slots=True)
class Hidden:
    """Of one partition; both are offsets."""

    partition: str
    stable_end: int
    """The first that readers cannot see."""
    high_watermark: int
    """Behind the last one that is there."""

    def __str__(self) -> str:
        return f"an open transaction hides records of partition {self.partition} from offset {self.stable_end} on"


async def hidden(log: Log) -> tuple[Hidden, ...]:
    """By partition; none where all can be seen that had been written when it was asked, and none in a stream.

    Raises what reaching the system raises.
    """
    if not isinstance(log, TopicLog):
        return ()
    partitions = await log.listed()
    # Asked first: what comes between the two questions is not taken for hidden.
    there = await log.topic.high_watermarks(partitions)
    seen = {name: int(end.position or -1) + 1 for name, end in (await log.ends(partitions)).items()}
    return tuple(Hidden(name, seen[name], end) for name, end in there.items() if seen[name] < end)
