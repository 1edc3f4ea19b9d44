"""What the two ends of a mirror have in common where they are of the same system."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from bridge.config.librdkafka import Properties, plain
from bridge.config.names import STREAM_ARN, Endpoint, Servers, Stream, Topic, share_a_server
from bridge.config.quantities import allowed
from bridge.config.section import Section, at
from connectors.kafka.connection import protected


def _unprotected(value: dict[str, str | SecretStr]) -> dict[str, str | SecretStr]:
    if keys := protected(plain(value)):
        raise allowed(f"any setting but {', '.join(keys)}, on which the bridge's guarantees rest")
    return value


class KinesisEnd(Section):
    stream: Stream = Field(description="Name or ARN.")
    region: str | None = Field(default=None, description="Left out: the ARN's, else that of the AWS environment.")
    endpoint_url: Endpoint | None = Field(
        default=None, description="Another server than AWS, as http://127.0.0.1:4567."
    )
    assume_role_arn: str | None = Field(default=None, description="The role with which to reach the stream.")

    @model_validator(mode="after")
    def _one_region(self) -> Self:
        arn = STREAM_ARN.fullmatch(self.stream)
        if arn is not None and self.region not in (None, arn["region"]):
            raise at("region", f"{arn['region']}, as the stream's ARN says, or left out")
        return self

    @property
    def title(self) -> str:
        """The end, for a person."""
        return f"Kinesis stream {self.stream}"

    @property
    def place(self) -> str:
        """The end as a URL names it."""
        return f"kinesis://{self.reached_by[0]}/{self.stream_name}"

    @property
    def stream_name(self) -> str:
        return self.stream.rpartition("/")[2]

    @property
    def reached_by(self) -> tuple[str, ...]:
        """Region, endpoint, account and role: where these are the same, streams differ by their names alone."""
        arn = STREAM_ARN.fullmatch(self.stream)
        region, account = (self.region, "") if arn is None else (arn["region"], arn["account"])
        return region or "", self.endpoint_url or "", account, self.assume_role_arn or ""


class KafkaEnd(Section):
    bootstrap_servers: Servers = Field(description="HOST:PORT of some brokers.")
    topic: Topic
    auth: Literal["none"] = "none"
    librdkafka: Annotated[Properties, AfterValidator(_unprotected)] = Field(
        default_factory=dict,
        description="Settings of Kafka's client, passed through, except what the guarantees rest on.",
    )

    @property
    def title(self) -> str:
        """The end, for a person."""
        return f"Kafka topic {self.topic}"

    @property
    def place(self) -> str:
        """The end as a URL names it."""
        return f"kafka://{','.join(self.bootstrap_servers)}/{self.topic}"

    def is_at(self, servers: tuple[str, ...]) -> bool:
        """Whether ``servers`` are of this end's cluster."""
        return share_a_server(self.bootstrap_servers, servers)
