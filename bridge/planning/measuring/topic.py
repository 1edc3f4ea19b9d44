"""The load of a topic of Kafka, by what its offsets were an hour ago, and two, and so on for a day."""

from collections.abc import Mapping, Sequence

from bridge.doctor.sample import WINDOW_MS, taken
from bridge.migration.log import OLDEST_MS, TopicLog, side_by_side
from bridge.planning.measuring.figures import HOUR_MS, Figures
from connectors.base import Clock, End, Partition, Place
from connectors.counted import counted
from connectors.kafka.fetching.offsets import following

HOURS = 24
_MOST_PARTITIONS = 64
"""So many are asked for the time of their oldest record."""


async def topic_figures(log: TopicLog, clock: Clock) -> Figures:
    """By offsets, which count the markers of transactions too; sizes by a sample. Raises what asking raises."""
    partitions, now_ms = await log.listed(), clock.now_ms()
    sample = await taken(log, now_ms)
    size = sample.bytes / sample.records if sample.records else None
    begins, until = await log.at_time(partitions, OLDEST_MS), await log.ends(partitions)
    oldest = _offsets(begins)
    ends = {name: following(Place(end.position)) for name, end in until.items()}
    hours = await _by_hour(log, partitions, now_ms, oldest, ends)
    mean = sum(hours) / await _seconds(log, begins, until, now_ms, len(hours)) if hours else None
    stored = sum(ends[name] - oldest[name] for name in ends)
    kept_ms = log.retention_ms
    return Figures(
        mean,
        size,
        None if mean is None else max(1.0, max(hours) / 3600 / mean),
        retention_hours=None if kept_ms is None else kept_ms / HOUR_MS,
        stored_bytes=None if size is None else stored * size,
        partitions=len(partitions),
        told_by=f"offsets of {counted(len(hours), 'hour')}, sizes by {sample}",
    )


async def _seconds(
    log: TopicLog, begins: Mapping[str, Place], until: Mapping[str, End], now_ms: int, hours: int
) -> float:
    """Since the first of ``hours`` began, or in that one the oldest record came: a topic is young, or keeps no more."""

    async def oldest_ms(partition: str) -> int:
        found = await log.time_behind(partition, begins[partition], until[partition])
        return now_ms if found is None else found

    since_ms = min(await side_by_side(oldest_ms, list(begins)[:_MOST_PARTITIONS]), default=now_ms)
    return min(hours * HOUR_MS, max(WINDOW_MS, now_ms - since_ms)) / 1000


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
