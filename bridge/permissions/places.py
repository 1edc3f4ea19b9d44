"""What a mirror works with, by the names that AWS gives it."""

from dataclasses import dataclass

ACCOUNT = "000000000000"
"""Stands for an account that nobody named."""
REGION = "REGION"
CLUSTER = "CLUSTER/CLUSTER_ID"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a configuration leaves open. A placeholder stands for what is not known."""

    region: str = REGION
    account: str = ACCOUNT
    cluster: str = CLUSTER
    """Name and id of the MSK cluster that an end is in which names none."""
    partition: str = "aws"


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream of Kinesis."""

    region: str
    account: str
    name: str
    partition: str = "aws"
    role: str | None = None
    """As which it is reached; None: as who we are."""
    consumer: str | None = None
    """Name or ARN of the consumer for which its shards are subscribed to; None where they are polled."""

    @property
    def consumers(self) -> str | None:
        """That consumer, whenever it was registered: the time of that is part of its ARN."""
        if self.consumer is None or self.consumer.startswith("arn:"):
            return self.consumer
        return f"{self.arn}/consumer/{self.consumer}:*"

    @property
    def arn(self) -> str:
        return _arn(self, "kinesis", f"stream/{self.name}")

    @property
    def keys(self) -> str:
        """Every key of its account. Which one encrypts the stream can change; a condition names the stream."""
        return _arn(self, "kms", "key/*")

    @property
    def delivery_streams(self) -> str:
        """Every delivery stream of Firehose beside it: which of them read it, only they themselves tell."""
        return _arn(self, "firehose", "deliverystream/*")


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster of Kafka. ``path`` is its name and id at Amazon MSK: what stands behind ``cluster/`` in its ARN."""

    region: str
    account: str
    path: str
    partition: str = "aws"
    by_iam: bool = True
    """Whether IAM says what may be done there; else ACLs do, and nothing here stands for them."""
    is_searched: bool = True
    """Whether its brokers are asked of MSK."""
    login: str | None = None
    """ARN of the secret with user and password."""
    role: str | None = None
    """As which it is entered; None: as who we are."""

    @property
    def arn(self) -> str:
        return _arn(self, "kafka", f"cluster/{self.path}")

    @property
    def keys(self) -> str:
        """Every key of its account: MSK wants a login encrypted by one of the account's own."""
        return _arn(self, "kms", "key/*")

    def topic(self, name: str) -> str:
        """The ARN of a topic of it; ``*`` in ``name`` stands for any text, here and below."""
        return _arn(self, "kafka", f"topic/{self.path}/{name}")

    def group(self, name: str) -> str:
        """The ARN of a consumer group."""
        return _arn(self, "kafka", f"group/{self.path}/{name}")

    def transactional_id(self, name: str) -> str:
        """The ARN of a transactional id."""
        return _arn(self, "kafka", f"transactional-id/{self.path}/{name}")


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic of Kafka, in whichever cluster."""

    cluster: Cluster
    name: str

    @property
    def arn(self) -> str:
        return self.cluster.topic(self.name)


@dataclass(frozen=True, slots=True)
class Table:
    """A table of DynamoDB."""

    region: str
    account: str
    name: str
    partition: str = "aws"

    @property
    def arn(self) -> str:
        return _arn(self, "dynamodb", f"table/{self.name}")


@dataclass(frozen=True, slots=True)
class Function:
    """A function of Lambda. ``name`` may be NAME:ALIAS."""

    region: str
    account: str
    name: str
    partition: str = "aws"

    @property
    def arn(self) -> str:
        return _arn(self, "lambda", f"function:{self.name}")


@dataclass(frozen=True, slots=True)
class SchemaRegistry:
    """A registry of Glue."""

    region: str
    account: str
    name: str
    partition: str = "aws"

    @property
    def arns(self) -> tuple[str, str]:
        """The registry, and all schemas in it."""
        return _arn(self, "glue", f"registry/{self.name}"), _arn(self, "glue", f"schema/{self.name}/*")


def _arn(place: Stream | Cluster | Table | Function | SchemaRegistry, service: str, resource: str) -> str:
    return f"arn:{place.partition}:{service}:{place.region}:{place.account}:{resource}"
