"""The rates of one region, in US dollars, each with what it is taken for in its name.

A GB is 2^30 bytes, as AWS counts it, and a month of stored data is the mean over its hours.
"""

from typing import Annotated

from msgspec import Meta, Struct

Rate = Annotated[float, Meta(ge=0)]
"""US dollars."""


class Provisioned(Struct, frozen=True, forbid_unknown_fields=True):
    """A stream with shards of its own."""

    shard_hour: Rate
    put_unit: Rate
    """Of 25 KiB, or of what a record has less."""
    extended_shard_hour: Rate
    """Beside ``shard_hour``, where records are kept for longer than a day, up to seven."""
    fan_out_shard_hour: Rate
    """Of each registered consumer."""
    fan_out_gb: Rate
    long_term_gb_month: Rate
    """Of what is older than seven days."""


class OnDemand(Struct, frozen=True, forbid_unknown_fields=True):
    """A stream whose shards AWS counts. With ``stream_hour`` 0 it is On-demand Advantage."""

    stream_hour: Rate
    in_gb: Rate
    """Of records, each rounded up to whole KiB."""
    out_gb: Rate
    fan_out_gb: Rate
    extended_gb_month: Rate
    """Of what is older than a day, up to seven."""
    long_term_gb_month: Rate


class Kinesis(Struct, frozen=True, forbid_unknown_fields=True):
    provisioned: Provisioned
    on_demand: OnDemand
    advantage: OnDemand


class Standard(Struct, frozen=True, forbid_unknown_fields=True):
    """MSK with brokers that have volumes."""

    broker_hour: dict[str, Rate]
    """By their size, as ``kafka.m7g.large``."""
    storage_gb_month: Rate
    """Of volumes, however full they are."""


class Express(Struct, frozen=True, forbid_unknown_fields=True):
    broker_hour: dict[str, Rate]
    """By their size, as ``express.m7g.large``."""
    storage_gb_month: Rate
    in_gb: Rate


class Serverless(Struct, frozen=True, forbid_unknown_fields=True):
    cluster_hour: Rate
    partition_hour: Rate
    storage_gb_month: Rate
    in_gb: Rate
    out_gb: Rate


class Msk(Struct, frozen=True, forbid_unknown_fields=True):
    standard: Standard
    express: Express
    serverless: Serverless


class Fargate(Struct, frozen=True, forbid_unknown_fields=True):
    """Linux on x86."""

    cpu_hour: Rate
    memory_gb_hour: Rate


class Transfer(Struct, frozen=True, forbid_unknown_fields=True):
    zone_gb: Rate
    """Between two availability zones, of each of the two that are paid for: out of the one, into the other."""


class Rates(Struct, frozen=True, forbid_unknown_fields=True):
    """Of one region."""

    sources: tuple[str, ...]
    """Where they are from."""
    remark: str
    """Why they are to be replaced before money depends on them; empty where each was compared with a second source."""
    kinesis: Kinesis
    msk: Msk
    fargate: Fargate
    transfer: Transfer
    confirmed: dict[str, str] = {}
    """By figure or section, as ``kinesis.on_demand.in_gb``: where else, and when, the same was told of it."""
