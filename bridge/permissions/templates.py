"""The policies that are handed out: one for each pair and mode, and one for each task beside it.

Their names stand for the reader's own: REGION, STREAM, OTHER_STREAM, TOPIC, OTHER_TOPIC, CLUSTER/CLUSTER_ID, FUNCTION,
NAME.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from bridge.permissions.parts import Consumers, Parts
from bridge.permissions.places import ACCOUNT, CLUSTER, REGION, Cluster, Function, SchemaRegistry, Stream, Table, Topic
from bridge.permissions.policy import Policy
from bridge.permissions.tasks import Task, needed
from checkpoints.kafka.topic import DEFAULT_TOPIC

_CLUSTER = Cluster(REGION, ACCOUNT, CLUSTER)
_STREAM = Stream(REGION, ACCOUNT, "STREAM")
_SUBSCRIBED = replace(_STREAM, consumer="kmbridge-NAME")
_TOPIC = Topic(_CLUSTER, "TOPIC")
_OTHER_STREAM = Stream(REGION, ACCOUNT, "OTHER_STREAM")
_OTHER_TOPIC = Topic(Cluster(REGION, ACCOUNT, f"OTHER_{CLUSTER}"), "OTHER_TOPIC")
_IN_TOPIC = Topic(_CLUSTER, DEFAULT_TOPIC)
_TABLE = Table(REGION, ACCOUNT, "TABLE")
_LOGIN = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:AmazonMSK_LOGIN-ID"
_BY_SCRAM = Topic(replace(_CLUSTER, by_iam=False, login=_LOGIN), "TOPIC")
_FUNCTION = Function(REGION, ACCOUNT, "FUNCTION")
_REGISTRY = (SchemaRegistry(REGION, ACCOUNT, "REGISTRY"),)
_OTHER_REGISTRY = (SchemaRegistry(REGION, ACCOUNT, "OTHER_REGISTRY"),)
_CONSUMERS = (Consumers(Table(REGION, ACCOUNT, "APPLICATION"), "GROUP"),)

PAIRS: Mapping[str, Parts] = {
    "kinesis-to-kafka-exactly-once": Parts("NAME", _STREAM, _TOPIC, _IN_TOPIC, transactional=True),
    "kinesis-to-kafka-at-least-once": Parts("NAME", _STREAM, _TOPIC, _IN_TOPIC),
    "kinesis-to-kafka-exactly-once-fan-out": Parts("NAME", _SUBSCRIBED, _TOPIC, _IN_TOPIC, transactional=True),
    "kinesis-to-kafka-at-least-once-fan-out": Parts("NAME", _SUBSCRIBED, _TOPIC, _IN_TOPIC),
    "kinesis-to-kafka-checkpoints-in-dynamodb": Parts("NAME", _STREAM, _TOPIC, _TABLE),
    "kafka-to-kinesis": Parts("NAME", _TOPIC, _STREAM, None, checkpoints_in_group=True),
    "kinesis-to-kinesis": Parts("NAME", _STREAM, _OTHER_STREAM, None),
    "kafka-to-kafka-exactly-once": Parts("NAME", _OTHER_TOPIC, _TOPIC, _IN_TOPIC, transactional=True),
    "kafka-to-kafka-at-least-once": Parts("NAME", _OTHER_TOPIC, _TOPIC, _IN_TOPIC),
}
"""The mirror itself, and a backfill."""

_MIGRATIONS: Mapping[str, Parts] = {
    "kinesis-to-kafka": Parts("NAME", _STREAM, _TOPIC, _IN_TOPIC, transactional=True, consumers=_CONSUMERS),
    "kafka-to-kinesis": Parts("NAME", _TOPIC, _STREAM, None, consumers=_CONSUMERS, checkpoints_in_group=True),
}
_BY_PAIR: Mapping[str, Parts] = {
    **_MIGRATIONS,
    "kinesis-to-kinesis": PAIRS["kinesis-to-kinesis"],
    "kafka-to-kafka": PAIRS["kafka-to-kafka-exactly-once"],
}


def templates() -> Mapping[str, Policy]:
    """Each by the name of its file, without its ending."""
    return dict(_templates())


def _templates() -> Iterator[tuple[str, Policy]]:
    for name, parts in PAIRS.items():
        yield name, needed(parts, [Task.RUN])
    for task, pairs in (
        (Task.VERIFY, _BY_PAIR),
        (Task.DOCTOR, _BY_PAIR),
        (Task.PLAN, _BY_PAIR),
        (Task.TRANSLATE, _MIGRATIONS),
        (Task.CUTOVER, _MIGRATIONS),
    ):
        for name, parts in pairs.items():
            yield f"{task}-{name}", needed(parts, [task])
    for name, pair in (("kinesis", "kinesis-to-kafka"), ("kafka", "kafka-to-kinesis")):
        yield f"{Task.DISCOVER}-{name}-sources", needed(_BY_PAIR[pair], [Task.DISCOVER])
    yield "remove-fan-out-consumer", needed(Parts("NAME", _SUBSCRIBED, _TOPIC, _IN_TOPIC), [Task.REMOVE_CONSUMER])
    yield f"{Task.ENTER}-by-scram", needed(Parts("NAME", _STREAM, _BY_SCRAM, None), [Task.ENTER])
    transforming = replace(PAIRS["kinesis-to-kafka-exactly-once"], functions=(_FUNCTION,))
    yield f"{Task.TRANSFORM}-by-lambda", needed(transforming, [Task.TRANSFORM])
    schemas = Parts("NAME", _STREAM, _TOPIC, None, schemas_read=_REGISTRY, schemas_written=_OTHER_REGISTRY)
    yield f"{Task.TRANSFORM}-schemas-in-glue", needed(schemas, [Task.TRANSFORM])
    yield "reset-checkpoints-in-dynamodb", needed(PAIRS["kinesis-to-kafka-checkpoints-in-dynamodb"], [Task.RESET])
