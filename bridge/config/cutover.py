"""What moves from the source to the sink for good, and how the way back is kept open."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator

from bridge.config.names import Endpoint, Table
from bridge.config.quantities import Duration, allowed
from bridge.config.section import Section

_LONGEST_GROUP = 249
_SHORTEST_S = 2


def _group(value: str) -> str:
    if not 0 < len(value) <= _LONGEST_GROUP:
        raise allowed(f"a consumer group's name, of 1 to {_LONGEST_GROUP} characters")
    return value


def _quiet(value: float) -> float:
    if value < _SHORTEST_S:
        raise allowed(f"at least {_SHORTEST_S}s, for servers tell arrivals in whole seconds")
    return value


class Consumers(Section):
    """One application with two lives: by the KCL in Kinesis, by a group in Kafka."""

    application: Table = Field(description="The KCL application, by its name; its lease table is called so.")
    group: Annotated[str, AfterValidator(_group)] = Field(description="The Kafka consumer group, by its name.")
    failover_time: Duration = Field(
        default=10.0,
        description="The application's failoverTimeMillis: so long its table is watched for who is at work.",
        json_schema_extra={"default": "10s"},
    )
    start: Literal["trim_horizon"] | None = Field(
        default=None,
        description="Where consumers begin that have stored no place; needed for leases at LATEST, which tell none.",
    )


class ReverseMirror(Section):
    """The mirror that is the way back."""

    codec: Literal["kpl", "envelope"] = Field(
        default="kpl", description="How records are put into the stream, where that is what the reverse mirror writes."
    )


class Cutover(Section):
    consumers: tuple[Consumers, ...] = Field(default=(), description="Those that move, each with both its names.")
    quiet: Annotated[Duration, AfterValidator(_quiet)] = Field(
        default=60.0,
        description="For so long nothing is produced to a side before its producers count as stopped; at least 2s.",
        json_schema_extra={"default": "60s"},
    )
    reverse: ReverseMirror = Field(default_factory=ReverseMirror)
    lease_region: str | None = Field(default=None, description="Where lease tables are. Left out: the stream's region.")
    lease_endpoint_url: Endpoint | None = Field(default=None, description="DynamoDB. Left out: AWS.")

    @field_validator("consumers")
    @classmethod
    def _each_once(cls, value: tuple[Consumers, ...]) -> tuple[Consumers, ...]:
        for names in ([each.application for each in value], [each.group for each in value]):
            if len(set(names)) < len(names):
                raise allowed("each application and each group once")
        return value
