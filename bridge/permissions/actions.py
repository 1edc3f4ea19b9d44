"""What is called of each thing that a mirror works with: the table that policies are made of.

Names are those of IAM. Those of Kinesis and DynamoDB are the operations themselves, but that a transaction takes the
rights of what is in it. Those of MSK stand for several requests of Kafka each (Amazon MSK Developer Guide: semantics of
IAM authorization policy actions).
"""

from collections.abc import Iterator

from bridge.permissions.places import Cluster, Function, SchemaRegistry, Stream, Table, Topic
from bridge.permissions.policy import Statement

DESCRIBE_STREAM = ("kinesis:DescribeStreamSummary", "kinesis:ListShards")
READ_RECORDS = ("kinesis:GetShardIterator", "kinesis:GetRecords")
REGISTER_CONSUMER = ("kinesis:RegisterStreamConsumer",)
SUBSCRIBE = ("kinesis:DescribeStreamConsumer", "kinesis:SubscribeToShard")
REMOVE_CONSUMER = ("kinesis:DescribeStreamConsumer", "kinesis:DeregisterStreamConsumer")
WRITE_RECORDS = ("kinesis:PutRecords",)

CONNECT = ("kafka-cluster:Connect",)
DESCRIBE_TOPIC = ("kafka-cluster:DescribeTopic", "kafka-cluster:DescribeTopicDynamicConfiguration")
READ_TOPIC = ("kafka-cluster:ReadData",)
WRITE_TOPIC = ("kafka-cluster:WriteData",)
CREATE_TOPIC = ("kafka-cluster:CreateTopic",)
WRITE_IDEMPOTENTLY = ("kafka-cluster:WriteDataIdempotently",)
SEE_GROUP = ("kafka-cluster:DescribeGroup",)
USE_GROUP = (*SEE_GROUP, "kafka-cluster:AlterGroup")
USE_TRANSACTIONS = ("kafka-cluster:DescribeTransactionalId", "kafka-cluster:AlterTransactionalId")

FIND_BROKERS = ("kafka:GetBootstrapBrokers",)
READ_SECRET = ("secretsmanager:GetSecretValue",)
ASSUME_ROLE = ("sts:AssumeRole",)

CALL_FUNCTION = ("lambda:InvokeFunction",)

SEE_CHECKPOINTS = ("dynamodb:Query",)
KEEP_DOCUMENTS = ("dynamodb:GetItem", "dynamodb:PutItem")
KEEP_CHECKPOINTS = (*SEE_CHECKPOINTS, *KEEP_DOCUMENTS, "dynamodb:UpdateItem")
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

FIND_SCHEMAS = ("glue:GetSchemaVersion",)
SEE_SCHEMAS = ("glue:GetSchema",)
WRITE_SCHEMAS = ("glue:CreateSchema", "glue:GetSchemaByDefinition", "glue:RegisterSchemaVersion")

_LOGIN_OF_KEY = "kms:EncryptionContext:SecretARN"
_STREAM_OF_KEY = "kms:EncryptionContext:aws:kinesis:arn"


def reach(end: Stream | Topic) -> Iterator[Statement]:
    """Getting at it at all."""
    if isinstance(end, Topic):
        yield from enter(end.cluster)
    elif end.role is not None:
        yield allow("AssumeRole", ASSUME_ROLE, end.role)


def enter(cluster: Cluster) -> Iterator[Statement]:
    """Finding its brokers, and being let in."""
    if cluster.is_searched:
        yield allow("FindBrokers", FIND_BROKERS, "*")
    if cluster.login is not None:
        yield allow("ReadLogin", READ_SECRET, cluster.login)
        yield _by_key("DecryptLogin", "kms:Decrypt", cluster.keys, _LOGIN_OF_KEY, cluster.login)
    if cluster.role is not None:
        yield allow("AssumeRole", ASSUME_ROLE, cluster.role)
    yield from _at(cluster, "ConnectToCluster", CONNECT, cluster.arn)


def read(end: Stream | Topic) -> Iterator[Statement]:
    """Reading the records of an end, by anyone."""
    yield from reach(end)
    if isinstance(end, Stream):
        yield allow("ReadStream", (*DESCRIBE_STREAM, *READ_RECORDS), end.arn)
        yield _by_key("DecryptStream", "kms:Decrypt", end.keys, _STREAM_OF_KEY, end.arn)
    else:
        yield from _at(end.cluster, "ReadTopic", (*DESCRIBE_TOPIC, *READ_TOPIC), end.arn)


def subscribe(end: Stream | Topic) -> Iterator[Statement]:
    """Having the records of a stream sent to a consumer, beside ``read``; one that is given by its ARN is there."""
    if isinstance(end, Stream) and end.consumers is not None:
        yield allow("Subscribe", SUBSCRIBE, end.consumers)
        if end.consumers != end.consumer:
            yield allow("RegisterConsumer", REGISTER_CONSUMER, end.arn)


def remove_consumer(end: Stream) -> Iterator[Statement]:
    """Looking the stream's consumer up, and deregistering it."""
    yield allow("ReadStream", DESCRIBE_STREAM, end.arn)
    if end.consumers is not None:
        yield allow("RemoveConsumer", REMOVE_CONSUMER, end.consumers)


def write(end: Stream | Topic) -> Iterator[Statement]:
    """Writing records to an end."""
    yield from reach(end)
    if isinstance(end, Stream):
        yield allow("WriteStream", (*DESCRIBE_STREAM, *WRITE_RECORDS), end.arn)
        yield _by_key("EncryptStream", "kms:GenerateDataKey", end.keys, _STREAM_OF_KEY, end.arn)
    else:
        yield from _at(end.cluster, "WriteTopic", (*DESCRIBE_TOPIC, *WRITE_TOPIC), end.arn)


def look_at(end: Stream | Topic) -> Iterator[Statement]:
    """What an end is, and none of its records."""
    yield from reach(end)
    if isinstance(end, Stream):
        yield allow("SeeSink", DESCRIBE_STREAM, end.arn)
    else:
        yield from _at(end.cluster, "SeeSink", DESCRIBE_TOPIC, end.arn)


def create(topic: Topic) -> Iterator[Statement]:
    """Making a sink that is missing."""
    yield from _at(topic.cluster, "WriteTopic", CREATE_TOPIC, topic.arn)


def write_idempotently(cluster: Cluster) -> Iterator[Statement]:
    """Writing records to a topic of ``cluster`` without a transaction, each once."""
    yield from _at(cluster, "WriteIdempotently", WRITE_IDEMPOTENTLY, cluster.arn)


def list_topics(cluster: Cluster) -> Iterator[Statement]:
    """Seeing the names of all its topics."""
    yield from enter(cluster)
    yield from _at(cluster, "ListTopics", ("kafka-cluster:DescribeTopic",), cluster.topic("*"))


def keep_in_topic(place: Topic) -> Iterator[Statement]:
    """Checkpoints, or documents, in a topic that is made where it is missing."""
    yield from enter(place.cluster)
    keep = (*DESCRIBE_TOPIC, *READ_TOPIC, *WRITE_TOPIC, *CREATE_TOPIC)
    yield from _at(place.cluster, "KeepCheckpoints", keep, place.arn)


def work_in_group(cluster: Cluster, *groups: str) -> Iterator[Statement]:
    """The mirror's own groups: of its workers, and of the offsets that it shows."""
    yield from _at(cluster, "WorkInGroup", USE_GROUP, *map(cluster.group, groups))


def see_group(cluster: Cluster, group: str) -> Iterator[Statement]:
    """Who is in the mirror's group, and the offsets that it has."""
    yield from enter(cluster)
    yield from _at(cluster, "SeeGroup", SEE_GROUP, cluster.group(group))


def move_group(cluster: Cluster, group: str) -> Iterator[Statement]:
    """Another's group, to where its consumers are to go on."""
    yield from _at(cluster, "MoveGroup", USE_GROUP, cluster.group(group))


def write_in_transactions(cluster: Cluster, mirror: str) -> Iterator[Statement]:
    """Under the transactional ids of the mirror of this name: one a slot, and that of ``kmbridge doctor``."""
    ids = cluster.transactional_id(f"kmbridge-{mirror}-*")
    yield from _at(cluster, "WriteInTransactions", USE_TRANSACTIONS, ids)


def keep_in_table(table: Table) -> Iterator[Statement]:
    """Checkpoints in a table that is made where it is missing."""
    yield allow("KeepCheckpoints", (*KEEP_CHECKPOINTS, *MAKE_TABLE), table.arn)


def keep_documents(table: Table) -> Iterator[Statement]:
    """What a migration writes down of itself, beside checkpoints."""
    yield allow("KeepDocuments", (*KEEP_DOCUMENTS, *MAKE_TABLE), table.arn)


def look_into_table(table: Table) -> Iterator[Statement]:
    """Reading checkpoints, and no more."""
    yield allow("SeeCheckpoints", SEE_CHECKPOINTS, table.arn)


def call(function: Function) -> Iterator[Statement]:
    """Having it transform records."""
    yield allow("CallFunction", CALL_FUNCTION, function.arn)


def read_schemas(registry: SchemaRegistry) -> Iterator[Statement]:
    """Schemas by the ids in records, with their compatibility and what was before them."""
    yield allow("FindSchemas", FIND_SCHEMAS, "*")
    yield allow("SeeSchemas", SEE_SCHEMAS, *registry.arns)


def write_schemas(registry: SchemaRegistry) -> Iterator[Statement]:
    """Schemas for those who read what is written, with a wait until they can be used."""
    yield allow("FindSchemas", FIND_SCHEMAS, "*")
    yield allow("WriteSchemas", WRITE_SCHEMAS, *registry.arns)


def allow(sid: str, actions: tuple[str, ...], *resources: str) -> Statement:
    """Each of ``actions`` on each of ``resources``, which are ARNs; ``sid`` says what for."""
    return Statement(sid, frozenset(actions), frozenset(resources))


def _at(cluster: Cluster, sid: str, actions: tuple[str, ...], *resources: str) -> Iterator[Statement]:
    """What IAM has a say in only where it lets in."""
    if cluster.by_iam:
        yield allow(sid, actions, *resources)


def _by_key(sid: str, action: str, keys: str, condition: str, thing: str) -> Statement:
    """Of whichever key ``thing`` has, for it alone: who keeps it names it with each call of KMS."""
    return Statement(sid, frozenset((action,)), frozenset((keys,)), condition, frozenset((thing,)))
