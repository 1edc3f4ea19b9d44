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
    region: str
    account: str
    name: str
    partition: str = "aws"
    role: str | None = None
    """As which it is reached; None: as who we are."""

    @property
    def arn(self) -> str:
        return f"arn:{self.partition}:kinesis:{self.region}:{self.account}:stream/{self.name}"

    @property
    def keys(self) -> str:
        """Every key of its account. Which one encrypts the stream can change; a condition names the stream."""
        return f"arn:{self.partition}:kms:{self.region}:{self.account}:key/*"


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
        return self._arn("cluster", self.path)

    @property
    def keys(self) -> str:
        """Every key of its account: MSK wants a login encrypted by one of the account's own."""
        return f"arn:{self.partition}:kms:{self.region}:{self.account}:key/*"

    def topic(self, name: str) -> str:
        return self._arn("topic", f"{self.path}/{name}")

    def group(self, name: str) -> str:
        return self._arn("group", f"{self.path}/{name}")

    def transactional_id(self, name: str) -> str:
        return self._arn("transactional-id", f"{self.path}/{name}")

    def _arn(self, kind: str, name: str) -> str:
        return f"arn:{self.partition}:kafka:{self.region}:{self.account}:{kind}/{name}"


@dataclass(frozen=True, slots=True)
class Topic:
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
        return f"arn:{self.partition}:dynamodb:{self.region}:{self.account}:table/{self.name}"
