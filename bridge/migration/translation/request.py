"""What a translation is asked for."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from bridge.config import Configuration
from bridge.migration.leases.rest import FAILOVER_S


class Direction(StrEnum):
    TO_GROUP = "application_to_group"
    TO_APPLICATION = "group_to_application"


InitialPosition = Literal["trim_horizon"] | datetime | None


@dataclass(frozen=True, slots=True)
class TranslateRequest:
    """From a KCL application to a Kafka group, or from a group to an application, which has no table yet.

    Without ``apply`` nothing is changed. ``initial_position`` is where consumers begin that have stored no place: the
    application's leases at LATEST or AT_TIMESTAMP, which tell no time. ``failover_s`` is the application's failover
    time, the longest of its workers'. The table is in ``lease_region``, None: the stream's.

    ``mirror_back`` is the configuration of a mirror the other way that has begun. Without it nothing is known of one
    but the copies that are met near the consumer's place; where there are none, the new side's own records are taken
    for others', and of those that stand before the last processed one the new consumer sees none.
    """

    direction: Direction
    application: str
    group: str
    apply: bool = False
    initial_position: InitialPosition = None
    failover_s: float = FAILOVER_S
    lease_region: str | None = None
    lease_endpoint_url: str | None = None
    mirror_back: Configuration | None = None
