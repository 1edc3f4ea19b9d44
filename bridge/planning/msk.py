"""A cluster of Amazon MSK for a load: brokers of both kinds, and Serverless.

Sizes: MSK Developer Guide, quotas, and best practices for Standard and for Express brokers. What a Standard broker is
good for AWS says of one size alone: kafka.m7g.16xlarge handles 154 MB/s safely (AWS News Blog on Express brokers,
November 2024); smaller ones have their share of it. What is billed: aws.amazon.com/msk/pricing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bridge.planning.load import MONTH_HOURS, Aims, Load, whole
from bridge.planning.offer import Item, Offer
from bridge.planning.prices.rates import Express, Serverless, Standard, Transfer
from bridge.planning.wording import counted

COPIES = 3
ZONES = 3
PARTITION_IN_BYTES, PARTITION_OUT_BYTES = 5_000_000, 10_000_000
"""A second that a partition of Serverless takes, and gives to all its readers; one on a broker is good for as much."""
_MOST_BROKERS = 30
_VOLUME_GB = 16_384
CROSSING = (ZONES - 1) / ZONES
"""The part of clients' traffic that goes to another zone, where brokers and clients are spread over three."""

SERVERLESS_IN_BYTES, SERVERLESS_OUT_BYTES, SERVERLESS_PARTITIONS = 200_000_000, 400_000_000, 2_400


@dataclass(frozen=True, slots=True)
class Size:
    """What one broker is good for, in MB/s, and how many partitions it may have, copies counted."""

    in_mb: float
    out_mb: float
    partitions: int


_STANDARD: Mapping[str, Size] = {
    "kafka.m7g.large": Size(4.8, 9.6, 1_000),
    "kafka.m7g.xlarge": Size(9.6, 19.2, 1_000),
    "kafka.m7g.2xlarge": Size(19.2, 38.5, 2_000),
    "kafka.m7g.4xlarge": Size(38.5, 77.0, 4_000),
    "kafka.m7g.8xlarge": Size(77.0, 154.0, 4_000),
    "kafka.m7g.12xlarge": Size(115.5, 231.0, 4_000),
    "kafka.m7g.16xlarge": Size(154.0, 308.0, 4_000),
}
_EXPRESS: Mapping[str, Size] = {
    "express.m7g.large": Size(15.6, 31.2, 1_000),
    "express.m7g.xlarge": Size(31.2, 62.5, 1_000),
    "express.m7g.2xlarge": Size(62.5, 125.0, 2_500),
    "express.m7g.4xlarge": Size(124.9, 249.8, 6_000),
    "express.m7g.8xlarge": Size(250.0, 500.0, 12_000),
    "express.m7g.12xlarge": Size(375.0, 750.0, 16_000),
    "express.m7g.16xlarge": Size(500.0, 1000.0, 20_000),
}
SIZES = frozenset({*_STANDARD, *_EXPRESS})


@dataclass(frozen=True, slots=True)
class Room:
    """What a cluster has to have room for, beside the load itself."""

    aims: Aims
    partitions: int
    mirrors: int = 0
    """How many read all of it beside the readers of the load: the mirror, or nobody. What that costs is its bill."""

    def out_bytes(self, load: Load) -> float:
        """A second, in the busiest minutes."""
        return load.peak_bytes * (load.all_readers + self.mirrors)


def partitions_for(load: Load, aims: Aims, least: int, mirrors: int = 0) -> int:
    """How many carry the load for as long as they are to: their number is frozen, for keys would move.

    At ``least`` so many, and as many on each of three brokers.
    """
    share = max(
        load.peak_bytes / PARTITION_IN_BYTES,
        load.peak_bytes * (load.all_readers + mirrors) / PARTITION_OUT_BYTES,
    )
    needed = max(least, whole(aims.needed(share * aims.growth)))
    return whole(needed / ZONES) * ZONES


def standard(rates: Standard, transfer: Transfer, load: Load, room: Room) -> Offer:
    """The cheapest of all sizes and numbers of brokers."""
    stored = load.kept_gb(0, load.retention_hours) * COPIES
    volumes = max(1.0, room.aims.needed(stored))

    def priced(size: str, brokers: int) -> tuple[Item, ...]:
        return (
            Item("capacity", size, brokers * MONTH_HOURS, "broker-hours", rates.broker_hour[size]),
            Item("storage", "volumes", volumes, "GB-months", rates.storage_gb_month),
            *_between_zones(transfer, load),
        )

    clusters = [
        (priced(size, brokers), f"{brokers} {size}")
        for size, brokers in _clusters(_STANDARD, rates.broker_hour, load, room)
        if volumes / brokers <= _VOLUME_GB
    ]
    return _offer("msk_standard", "MSK Standard", clusters)


def express(rates: Express, transfer: Transfer, load: Load, room: Room) -> Offer:
    """Likewise. What is kept is paid once, not for each copy."""

    def priced(size: str, brokers: int) -> tuple[Item, ...]:
        return (
            Item("capacity", size, brokers * MONTH_HOURS, "broker-hours", rates.broker_hour[size]),
            Item("traffic", "writing", load.gb_per_month, "GB", rates.in_gb),
            Item("storage", "storage", load.kept_gb(0, load.retention_hours), "GB-months", rates.storage_gb_month),
            *_between_zones(transfer, load),
        )

    clusters = [
        (priced(size, brokers), f"{brokers} {size}")
        for size, brokers in _clusters(_EXPRESS, rates.broker_hour, load, room)
    ]
    return _offer("msk_express", "MSK Express", clusters)


def serverless(rates: Serverless, load: Load, room: Room) -> Offer:
    """A cluster for this topic alone."""
    items = (
        Item("capacity", "the cluster", MONTH_HOURS, "cluster-hours", rates.cluster_hour),
        Item("capacity", "partitions", room.partitions * MONTH_HOURS, "partition-hours", rates.partition_hour),
        Item("traffic", "writing", load.gb_per_month, "GB", rates.in_gb),
        Item("traffic", "reading", load.all_readers * load.gb_per_month, "GB", rates.out_gb),
        Item("storage", "storage", load.kept_gb(0, load.retention_hours), "GB-months", rates.storage_gb_month),
    )
    obstacle = ""
    if load.peak_bytes > SERVERLESS_IN_BYTES or room.out_bytes(load) > SERVERLESS_OUT_BYTES:
        obstacle = "a cluster takes 200 MB/s and gives 400"
    elif room.partitions > SERVERLESS_PARTITIONS:
        obstacle = f"a cluster has {SERVERLESS_PARTITIONS} partitions at the most"
    return Offer("msk_serverless", "MSK Serverless", counted(room.partitions, "partition"), items, obstacle)


def _clusters(
    sizes: Mapping[str, Size], hours: Mapping[str, float], load: Load, room: Room
) -> Iterator[tuple[str, int]]:
    """Each size that has a price, with as many brokers of it as the load takes, the same in each zone."""
    for name, size in sizes.items():
        share = max(load.peak_bytes / 1e6 / size.in_mb, room.out_bytes(load) / 1e6 / size.out_mb)
        needed = max(room.aims.needed(share), room.partitions * COPIES / size.partitions)
        brokers = max(1, whole(needed / ZONES)) * ZONES
        if name in hours and brokers <= _MOST_BROKERS:
            yield name, brokers


def _offer(key: str, title: str, clusters: list[tuple[tuple[Item, ...], str]]) -> Offer:
    if not clusters:
        return Offer(key, title, "", (), f"no {_MOST_BROKERS} brokers of a size that has a price take it")
    items, size = min(clusters, key=lambda each: sum(item.cost for item in each[0]))
    return Offer(key, title, size, items)


def _between_zones(transfer: Transfer, load: Load) -> tuple[Item, ...]:
    """Copying between brokers is free; clients pay at both ends. Reading the nearest copy avoids that part."""
    gb = load.gb_per_month * (1 + load.all_readers) * CROSSING
    return (Item("network", "between zones", 2 * gb, "GB", transfer.zone_gb),)
