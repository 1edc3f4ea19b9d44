"""The answers of AWS's price list, understood: which of its products is which of our rates.

Source of the names: the price lists of AmazonKinesis, AmazonMSK and AmazonECS; a usage type begins with a short name of
its region, which us-east-1 may leave out. What goes between zones is in none of them, and costs the same in most
regions.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from msgspec import convert, to_builtins

from bridge.errors import UsageError
from bridge.planning.prices.rates import Rates

SOURCE = "the AWS price list (pricing:GetProducts)"
SERVICES = ("AmazonKinesis", "AmazonMSK", "AmazonECS")

_BROKER = re.compile(r"(Kafka|Express)\.(m7g\.\w+)")
_REGION = re.compile(r"^[A-Z]{2,4}\d?-")

Path = tuple[str, ...]

_GROUPS: Mapping[str, Path] = {
    "Provisioned shard hour": ("kinesis", "provisioned", "shard_hour"),
    "Payload Units": ("kinesis", "provisioned", "put_unit"),
    "Addon shard hour": ("kinesis", "provisioned", "extended_shard_hour"),
    "Enhanced fan-out consumer-shard hour": ("kinesis", "provisioned", "fan_out_shard_hour"),
    "Enhanced fan-out GB of data retrieved": ("kinesis", "provisioned", "fan_out_gb"),
    "Long-term Data Retention GB-month": ("kinesis", "provisioned", "long_term_gb_month"),
}
_OPERATIONS: Mapping[str, Path] = {
    "OnDemandStreamHr": ("kinesis", "on_demand", "stream_hour"),
    "OnDemandDataIngested": ("kinesis", "on_demand", "in_gb"),
    "OnDemandDataRetrieval": ("kinesis", "on_demand", "out_gb"),
    "OnDemandEFODataRetrieval": ("kinesis", "on_demand", "fan_out_gb"),
    "OnDemandExtendedRetentionByteHrs": ("kinesis", "on_demand", "extended_gb_month"),
    "OnDemandLongTermRetentionByteHrs": ("kinesis", "on_demand", "long_term_gb_month"),
    "AdvantageDataIngested": ("kinesis", "advantage", "in_gb"),
    "AdvantageDataRetrieval": ("kinesis", "advantage", "out_gb"),
    "AdvantageEFODataRetrieval": ("kinesis", "advantage", "fan_out_gb"),
    "AdvantageExtRetentionByteHrs": ("kinesis", "advantage", "extended_gb_month"),
    "AdvantageLTRetentionByteHrs": ("kinesis", "advantage", "long_term_gb_month"),
}
_USAGE: Mapping[str, Path] = {
    "Kafka.Storage.GP2": ("msk", "standard", "storage_gb_month"),
    "Express.Storage": ("msk", "express", "storage_gb_month"),
    "Express.DataIn": ("msk", "express", "in_gb"),
    "KafkaServerless-ClusterHours": ("msk", "serverless", "cluster_hour"),
    "KafkaServerless-PartitionHours": ("msk", "serverless", "partition_hour"),
    "KafkaServerless-StorageHours": ("msk", "serverless", "storage_gb_month"),
    "KafkaServerless-In-Bytes": ("msk", "serverless", "in_gb"),
    "KafkaServerless-Out-Bytes": ("msk", "serverless", "out_gb"),
    "Fargate-vCPU-Hours:perCPU": ("fargate", "cpu_hour"),
    "Fargate-GB-Hours": ("fargate", "memory_gb_hour"),
}

_NAMED = frozenset({*_GROUPS.values(), *_OPERATIONS.values(), *_USAGE.values()})
_BROKERS = frozenset({("msk", "standard", "broker_hour"), ("msk", "express", "broker_hour")})
"""Each by the sizes that there are."""


@dataclass(frozen=True, slots=True)
class Product:
    """One that is paid by a single measure."""

    usage: str
    """Its usage type, without the region."""
    group: str
    operation: str
    usd: float
    """For one unit: the dearest step, which is that of the first units that are not free."""


def products(answers: Iterable[str]) -> Iterator[Product]:
    """What GetProducts answered, each a document of JSON. Reserved capacity and free units are left out."""
    for answer in answers:
        told: Mapping[str, Any] = json.loads(answer)
        attributes = told["product"]["attributes"]
        prices = [
            float(dimension["pricePerUnit"].get("USD", 0))
            for term in told["terms"].get("OnDemand", {}).values()
            for dimension in term["priceDimensions"].values()
        ]
        if any(prices):
            operation = attributes.get("kinesisAdvantageOperation") or attributes.get("operation", "")
            usage = _REGION.sub("", attributes.get("usagetype", ""))
            yield Product(usage, attributes.get("group", ""), operation, max(prices))


def rates(region: str, found: Iterable[Product], instead: Rates, whose: str) -> Rates:
    """Those of ``region``. What the list does not name is as in ``instead``, which are ``whose``; the remark says so.

    Raises ``UsageError`` where the list names nothing.
    """
    told = {path: each.usd for each in found for path in _paths(each)}
    if not told:
        raise UsageError(f"read the price list of {region}", "it names none of our rates", "check --region")
    known: dict[str, Any] = to_builtins(instead)
    sizes = {path[:-1] for path in told} & _BROKERS
    for path in sizes:
        # A size that is not offered there has no price, whatever it costs elsewhere.
        _put(known, path, {})
    for path, usd in told.items():
        _put(known, path, usd)
    missing = sorted(".".join(path) for path in (_NAMED - told.keys()) | (_BROKERS - sizes))
    remark = f"AWS's price list names no {', '.join(missing)}: as of {whose}" if missing else ""
    return convert({**known, "sources": (SOURCE,), "remark": remark, "confirmed": {}}, Rates)


def _paths(product: Product) -> Iterator[Path]:
    for names, name in ((_GROUPS, product.group), (_OPERATIONS, product.operation), (_USAGE, product.usage)):
        if name in names:
            yield names[name]
    if (broker := _BROKER.fullmatch(product.usage)) is not None:
        kind = {"Kafka": "standard", "Express": "express"}[broker[1]]
        yield "msk", kind, "broker_hour", f"{broker[1].lower()}.{broker[2]}"


def _put(known: dict[str, Any], path: Path, value: object) -> None:
    *sections, key = path
    for section in sections:
        known = known[section]
    known[key] = value
