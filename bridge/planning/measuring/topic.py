"""The load of a topic of Kafka, by what its offsets were an hour ago, and two, and so on for a day."""

from collections.abc import Mapping, Sequence

from bridge.doctor.sample import taken
from bridge.migration.log import OLDEST_MS, TopicLog
from bridge.planning.measuring.figures import HOUR_MS, Figures
from connectors.base import Clock, Partition, Place
from connectors.kafka.fetching.offsets import following

HOURS = 24


async def topic_figures(log: TopicLog, clock: Clock) -> Figures:
    """By offsets, which count the markers of transactions too; sizes by a sample. Raises what asking raises."""
    partitions, now_ms = await log.listed(), clock.now_ms()
    sample = await taken(log, now_ms)
    size = sample.bytes / sample.records if sample.records else None
    oldest = _offsets(await log.at_time(partitions, OLDEST_MS))
    ends = {name: following(Place(end.position)) for name, end in (await log.ends(partitions)).items()}
    hours = await _by_hour(log, partitions, now_ms, oldest, ends)
    stored = sum(ends[name] - oldest[name] for name in ends)
    kept_ms = log.retention_ms
    return Figures(
        None if not hours else sum(hours) / len(hours) / 3600,
        size,
        max(hours) * len(hours) / sum(hours) if hours else None,
        retention_hours=None if kept_ms is None else kept_ms / HOUR_MS,
        stored_bytes=None if size is None else stored * size,
        partitions=len(partitions),
        told_by=f"offsets of {len(hours)} hours, sizes by {sample}",
    )


async def _by_hour(
    log: TopicLog, partitions: Sequence[Partition], now_ms: int, oldest: Mapping[str, int], ends: Mapping[str, int]
) -> list[int]:
    """How many records came in each of the last hours, the latest first; none of hours before the oldest record."""
    found: list[int] = []
    later = dict(ends)
    for hour in range(1, HOURS + 1):
        earlier = _offsets(await log.at_time(partitions, now_ms - hour * HOUR_MS))
        found.append(sum(max(0, later[name] - earlier[name]) for name in later))
        if all(earlier[name] <= oldest[name] for name in earlier):
            break
        later = earlier
    return found if any(found) else []


def _offsets(places: Mapping[str, Place]) -> dict[str, int]:
    return {name: following(place) for name, place in places.items()}
