"""What is called of each thing that a mirror works with: the table that policies are made of.

Names are those of IAM. Those of Kinesis and DynamoDB are the operations themselves, but that a transaction takes the
rights of what is in it. Those of MSK stand for several requests of Kafka each (Amazon MSK Developer Guide: semantics of
IAM authorization policy actions).
"""

from collections.abc import Iterator

from bridge.permissions.places import Cluster, Stream, Table, Topic
from bridge.permissions.policy import Statement

DESCRIBE_STREAM = ("kinesis:DescribeStreamSummary", "kinesis:ListShards")
READ_RECORDS = ("kinesis:GetShardIterator", "kinesis:GetRecords")
WRITE_RECORDS = ("kinesis:PutRecords",)

CONNECT = ("kafka-cluster:Connect", "kafka-cluster:DescribeCluster")
DESCRIBE_TOPIC = ("kafka-cluster:DescribeTopic", "kafka-cluster:DescribeTopicDynamicConfiguration")
READ_TOPIC = ("kafka-cluster:ReadData",)
WRITE_TOPIC = ("kafka-cluster:WriteData",)
CREATE_TOPIC = ("kafka-cluster:CreateTopic",)
WRITE_IDEMPOTENTLY = ("kafka-cluster:WriteDataIdempotently",)
USE_GROUP = ("kafka-cluster:DescribeGroup", "kafka-cluster:AlterGroup")
USE_TRANSACTIONS = ("kafka-cluster:DescribeTransactionalId", "kafka-cluster:AlterTransactionalId")

KEEP_CHECKPOINTS = ("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem")
MAKE_TABLE = ("dynamodb:CreateTable", "dynamodb:DescribeTable")
RESET_CHECKPOINTS = ("dynamodb:DeleteItem",)
READ_LEASES = ("dynamodb:DescribeTable", "dynamodb:Scan")
WRITE_LEASES = (
    "dynamodb:CreateTable",
    "dynamodb:DeleteTable",
    "dynamodb:ListTagsOfResource",
    "dynamodb:PutItem",
    "dynamodb:TagResource",
    "dynamodb:UntagResource",
)

_STREAM_OF_KEY = "kms:EncryptionContext:aws:kinesis:arn"


def read(end: Stream | Topic) -> Iterator[Statement]:
    """Reading the records of an end, by anyone."""
    if isinstance(end, Stream):
        yield allow("ReadStream", (*DESCRIBE_STREAM, *READ_RECORDS), end.arn)
        yield _by_key("DecryptStream", "kms:Decrypt", end)
    else:
        yield from connect(end.cluster)
        yield allow("ReadTopic", (*DESCRIBE_TOPIC, *READ_TOPIC), end.arn)


def write(end: Stream | Topic) -> Iterator[Statement]:
    """Writing records to an end."""
    if isinstance(end, Stream):
        yield allow("WriteStream", (*DESCRIBE_STREAM, *WRITE_RECORDS), end.arn)
        yield _by_key("EncryptStream", "kms:GenerateDataKey", end)
    else:
        yield from connect(end.cluster)
        yield allow("WriteTopic", (*DESCRIBE_TOPIC, *WRITE_TOPIC), end.arn)


def write_idempotently(cluster: Cluster) -> Iterator[Statement]:
    """Writing records to a topic of ``cluster`` without a transaction, each once."""
    yield allow("WriteIdempotently", WRITE_IDEMPOTENTLY, cluster.arn)


def keep_in_topic(place: Topic) -> Iterator[Statement]:
    """Checkpoints, or documents, in a topic that is made where it is missing."""
    yield from connect(place.cluster)
    yield allow("KeepCheckpoints", (*DESCRIBE_TOPIC, *READ_TOPIC, *WRITE_TOPIC, *CREATE_TOPIC), place.arn)


def work_in_group(cluster: Cluster, *groups: str) -> Iterator[Statement]:
    """The mirror's own groups: of its workers, and of the offsets that it shows."""
    yield from connect(cluster)
    yield allow("WorkInGroup", USE_GROUP, *map(cluster.group, groups))


def write_in_transactions(cluster: Cluster, mirror: str) -> Iterator[Statement]:
    yield from connect(cluster)
    yield allow("WriteInTransactions", USE_TRANSACTIONS, cluster.transactional_id(f"kmbridge-{mirror}-*"))


def connect(cluster: Cluster) -> Iterator[Statement]:
    yield allow("ConnectToCluster", CONNECT, cluster.arn)


def keep_in_table(table: Table) -> Iterator[Statement]:
    """Checkpoints in a table that is made where it is missing."""
    yield allow("KeepCheckpoints", (*KEEP_CHECKPOINTS, *MAKE_TABLE), table.arn)


def allow(sid: str, actions: tuple[str, ...], *resources: str) -> Statement:
    return Statement(sid, frozenset(actions), frozenset(resources))


def _by_key(sid: str, action: str, stream: Stream) -> Statement:
    """Of whichever key the stream has, for this stream alone: Kinesis names it with each call of KMS."""
    return Statement(sid, frozenset((action,)), frozenset((stream.keys,)), _STREAM_OF_KEY, frozenset((stream.arn,)))
