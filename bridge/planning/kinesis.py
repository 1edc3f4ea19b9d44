"""A stream of Kinesis for a load: shards, and the three ways in which it is paid for.

Limits: Kinesis Data Streams Developer Guide, quotas and limits. What is billed:
aws.amazon.com/kinesis/data-streams/pricing.
"""

from bridge.planning.load import GIB, KIB, MIB, MONTH_HOURS, MONTH_S, Aims, Load, whole
from bridge.planning.offer import Item, Offer
from bridge.planning.prices.rates import OnDemand, Provisioned
from bridge.planning.wording import counted

SHARD_IN_BYTES = 1_000_000
SHARD_IN_RECORDS = 1_000
SHARD_OUT_BYTES = 2_000_000
"""A second, to all polling readers together."""
SHARD_OUT_CALLS, CALL_RECORDS = 5, 10_000
"""Calls of GetRecords a second, and the most records of one."""

_DAY_H, _WEEK_H = 24, 168
_FOREVER_H = 24.0 * 366
_PUT_UNIT = 25 * KIB
_LEAST_PAID = 25 * MIB
"""A second, in and out, that an account with On-demand Advantage pays for all its streams of a region."""


def shards_for(load: Load, aims: Aims, mirrors: int = 0) -> int:
    """How many take the peak with headroom, and give it to all who poll: the readers of ``load`` and the mirrors."""
    share = max(
        load.peak_bytes / SHARD_IN_BYTES,
        load.peak_records / SHARD_IN_RECORDS,
        (load.readers + mirrors) * load.peak_bytes / SHARD_OUT_BYTES,
    )
    return max(1, whole(aims.needed(share)))


def provisioned(rates: Provisioned, load: Load, shards: int) -> Offer:
    """Polling readers cost nothing there."""
    shard_hours = shards * MONTH_HOURS
    units = load.records_per_month * max(1, whole(load.record_bytes / _PUT_UNIT))
    items = [
        Item("capacity", "shards", shard_hours, "shard-hours", rates.shard_hour),
        Item("traffic", "writing", units, "PUT units", rates.put_unit),
    ]
    if load.retention_hours > _DAY_H:
        items.append(Item("storage", "keeping up to 7 days", shard_hours, "shard-hours", rates.extended_shard_hour))
    items += _long_term(load, rates.long_term_gb_month)
    if load.fan_out_readers:
        items += [
            Item(
                "capacity",
                "fan-out consumers",
                load.fan_out_readers * shard_hours,
                "consumer-shard-hours",
                rates.fan_out_shard_hour,
            ),
            Item("traffic", "fan-out reading", load.fan_out_readers * load.gb_per_month, "GB", rates.fan_out_gb),
        ]
    return Offer("kinesis_provisioned", "Kinesis provisioned", counted(shards, "shard"), tuple(items))


def on_demand(rates: OnDemand, load: Load) -> Offer:
    """On-demand Standard: nothing to size, paid by what goes in and out."""
    items = [
        Item("capacity", "the stream", MONTH_HOURS, "stream-hours", rates.stream_hour),
        *_through(rates, load, least=0.0),
    ]
    return Offer("kinesis_on_demand", "Kinesis on-demand standard", "AWS counts its shards", tuple(items))


def advantage(rates: OnDemand, load: Load) -> Offer:
    """On-demand Advantage, where this stream is all that the account has: others share the least that is paid."""
    items = _through(rates, load, least=_LEAST_PAID * MONTH_S / GIB)
    return Offer("kinesis_advantage", "Kinesis on-demand advantage", "AWS counts its shards", tuple(items))


def _through(rates: OnDemand, load: Load, least: float) -> list[Item]:
    """What goes in and out, at ``least`` so many GB a month in each direction."""
    written = load.records_per_month * max(1, whole(load.record_bytes / KIB)) * KIB / GIB
    polled, fanned_out = load.readers * load.gb_per_month, load.fan_out_readers * load.gb_per_month
    items = [
        Item("traffic", "writing", written, "GB", rates.in_gb),
        Item("traffic", "reading", polled, "GB", rates.out_gb),
    ]
    if fanned_out:
        items.append(Item("traffic", "fan-out reading", fanned_out, "GB", rates.fan_out_gb))
    if written < least:
        items.append(Item("capacity", "writing that was not used", least - written, "GB", rates.in_gb))
    if polled + fanned_out < least:
        items.append(Item("capacity", "reading that was not used", least - polled - fanned_out, "GB", rates.out_gb))
    kept = load.kept_gb(_DAY_H, _WEEK_H)
    if kept:
        items.append(Item("storage", "keeping up to 7 days", kept, "GB-months", rates.extended_gb_month))
    return [*items, *_long_term(load, rates.long_term_gb_month)]


def _long_term(load: Load, rate: float) -> list[Item]:
    kept = load.kept_gb(_WEEK_H, _FOREVER_H)
    return [Item("storage", "keeping beyond 7 days", kept, "GB-months", rate)] if kept else []
