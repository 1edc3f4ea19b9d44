"""Where a mirror reads."""

from typing import Literal, Self

from pydantic import Field, model_validator

from bridge.config.names import STREAM_ARN, Endpoint, Stream
from bridge.config.quantities import Duration, Share, Start
from bridge.config.section import Section, at


class KinesisSource(Section):
    stream: Stream = Field(description="Name or ARN.")
    region: str | None = Field(default=None, description="Left out: the ARN's, else that of the AWS environment.")
    endpoint_url: Endpoint | None = Field(default=None, description="Left out: AWS.")
    start: Start = Field(default="trim_horizon", description="Where to read from while there is no checkpoint yet.")
    read: Literal["polling"] = "polling"
    poll_interval: Duration = Field(
        default=1.0, description="How often an idle shard is read.", json_schema_extra={"default": "1s"}
    )
    codec: Literal["auto"] = Field(default="auto", description="How the data of a record is understood.")
    deaggregate: Literal["keep_all", "kcl", "never"] = Field(
        default="keep_all",
        description="KPL aggregates: every record, those the KCL would deliver, or left as they are.",
    )
    read_share: Share = Field(
        default=1.0, description="Of a shard's read limit; above 1 only at another server than AWS."
    )
    decompress: Literal["never"] = "never"
    assume_role_arn: str | None = Field(default=None, description="The role with which to read.")

    @model_validator(mode="after")
    def _one_region(self) -> Self:
        arn = STREAM_ARN.fullmatch(self.stream)
        if arn is not None and self.region not in (None, arn["region"]):
            raise at("region", f"{arn['region']}, as the stream's ARN says, or left out")
        return self

    @model_validator(mode="after")
    def _within_the_limit(self) -> Self:
        if self.read_share > 1 and self.endpoint_url is None:
            raise at("read_share", "at most 1 at AWS, which enforces its limits")
        return self


class Source(Section):
    kinesis: KinesisSource
