"""What the two ends of a mirror have in common where they are of the same system."""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from bridge.config.cluster import KafkaCluster, set_by_auth
from bridge.config.librdkafka import Properties, plain
from bridge.config.names import STREAM_ARN, Endpoint, RoleArn, Stream, Topic, same_cluster
from bridge.config.quantities import allowed
from bridge.config.section import Section, at
from connectors.kafka.connection import protected

_TRUST = ("enable.ssl.certificate.verification", "ssl.endpoint.identification.algorithm")


def _unprotected(value: dict[str, str | SecretStr]) -> dict[str, str | SecretStr]:
    if keys := protected(plain(value)):
        raise allowed(f"any setting but {', '.join(keys)}, on which the bridge's guarantees rest")
    if unsafe := [key for key in _TRUST if key in value]:
        raise allowed(f"any setting but {', '.join(unsafe)}; auth.tls.unsafe_skip_certificate_checks is the one for it")
    return value


class KinesisEnd(Section):
    stream: Stream = Field(description="Name or ARN.")
    region: str | None = Field(default=None, description="Left out: the ARN's, else that of the AWS environment.")
    endpoint_url: Endpoint | None = Field(
        default=None, description="Another server than AWS, as http://127.0.0.1:4567."
    )
    assume_role_arn: RoleArn | None = Field(default=None, description="The role with which to reach the stream.")

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
    def short_name(self) -> str:
        """The stream alone, without where it is."""
        return self.stream_name

    @property
    def reached_in(self) -> str | None:
        """The region to call; None: that of the environment."""
        arn = STREAM_ARN.fullmatch(self.stream)
        return self.region if arn is None else arn["region"]

    @property
    def account(self) -> str | None:
        """None: that of the environment."""
        arn = STREAM_ARN.fullmatch(self.stream)
        return None if arn is None else arn["account"]

    @property
    def reached_by(self) -> tuple[str, ...]:
        """Region, endpoint, account and role: where these are the same, streams differ by their names alone."""
        return self.reached_in or "", self.endpoint_url or "", self.account or "", self.assume_role_arn or ""


class KafkaEnd(KafkaCluster):
    topic: Topic
    librdkafka: Annotated[Properties, AfterValidator(_unprotected)] = Field(
        default_factory=dict,
        description="Settings of Kafka's client, passed through, except what the guarantees rest on.",
    )

    @model_validator(mode="after")
    def _one_says_where(self) -> Self:
        if self.bootstrap_servers is None and self.msk_cluster_arn is None:
            raise at("bootstrap_servers", "a list of HOST:PORT; or msk_cluster_arn in its place")
        if keys := set_by_auth(self.auth, self.librdkafka):
            raise at("librdkafka", f"any setting but {', '.join(keys)}, which auth sets")
        return self

    @property
    def title(self) -> str:
        """The end, for a person."""
        return f"Kafka topic {self.topic}"

    @property
    def short_name(self) -> str:
        """The topic alone, without where it is."""
        return self.topic

    @property
    def place(self) -> str:
        """The end as a URL names it."""
        return f"kafka://{','.join(self.names)}/{self.topic}"

    def is_at(self, names: tuple[str, ...]) -> bool:
        """Whether ``names`` are of this end's cluster."""
        return same_cluster(self.names, names)
