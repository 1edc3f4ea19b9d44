"""The parts of a mirror for which somebody has to allow something."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from bridge.config import Configuration
from bridge.config.auth import AuthSection
from bridge.config.checkpoints import DynamoCheckpoints
from bridge.config.cluster import CLUSTER_ARN, KafkaCluster
from bridge.config.ends import KafkaEnd, KinesisEnd
from bridge.config.transforms.lambda_function import LambdaTransform
from bridge.config.transforms.schemas import RegistryEnd, Schemas, SchemasTransform, settings_of
from bridge.permissions.places import Cluster, Function, SchemaRegistry, Stream, Surroundings, Table, Topic
from checkpoints.kafka.topic import DEFAULT_TOPIC
from connectors.schemas.settings import ConfluentSettings, GlueSettings


@dataclass(frozen=True, slots=True)
class Consumers:
    """One application's two lives: the lease table of the one, the group of the other."""

    leases: Table
    group: str


@dataclass(frozen=True, slots=True)
class Parts:
    """One mirror. Files it may have are nobody's to allow."""

    name: str
    source: Stream | Topic
    sink: Stream | Topic
    checkpoints: Topic | Table | None
    """None where they are the offsets of a group, in a file, or nowhere."""
    transactional: bool = False
    """Whether records and checkpoints are in one transaction."""
    dead_letters: Stream | Topic | None = None
    creates_sink: bool = False
    """Whether a missing sink topic is made."""
    consumers: tuple[Consumers, ...] = ()
    checkpoints_in_group: bool = False
    """Whether they are the offsets of the mirror's own group, in the source's cluster."""
    functions: tuple[Function, ...] = ()
    """Those that transform records."""
    schemas_read: tuple[SchemaRegistry, ...] = ()
    schemas_written: tuple[SchemaRegistry, ...] = ()

    @property
    def group(self) -> str:
        """The mirror's workers are its members, in the cluster of the checkpoints."""
        return f"kmbridge-{self.name}"

    @property
    def shown_group(self) -> str:
        """In the cluster of a source that is a topic, with the offsets that the mirror has come to."""
        return f"{self.group}-source"

    @property
    def documents(self) -> Topic | None:
        """Where a migration of the mirror is written down, if that is a topic."""
        if isinstance(self.checkpoints, Topic):
            return self.checkpoints
        source = self.source
        return Topic(source.cluster, DEFAULT_TOPIC) if self.checkpoints is None and isinstance(source, Topic) else None


def parts_of(configuration: Configuration, around: Surroundings) -> Parts:
    """The parts of the mirror that ``configuration`` names."""
    source, sink = _end(configuration.source.end, around), _end(configuration.sink.end, around)
    if isinstance(source, Stream):
        source = replace(source, consumer=configuration.fan_out_consumer)
    return Parts(
        configuration.name,
        source,
        sink,
        _checkpoints(configuration, around),
        configuration.delivery == "exactly_once",
        _dead_letters(configuration, source, sink),
        configuration.sink.kafka is not None and configuration.sink.kafka.create_topic is not None,
        _consumers(configuration, source, sink, around),
        configuration.checkpoints_in_source_group,
        _functions(configuration, around),
        tuple(_registries([step.from_ for step in _schemas(configuration)], around)),
        tuple(_registries([step.to for step in _schemas(configuration)], around)),
    )


def _end(end: KinesisEnd | KafkaEnd, around: Surroundings) -> Stream | Topic:
    return _stream(end, around) if isinstance(end, KinesisEnd) else Topic(_cluster(end, around), end.topic)


def _stream(end: KinesisEnd, around: Surroundings) -> Stream:
    return Stream(
        end.reached_in or around.region,
        end.account or around.account,
        end.stream_name,
        around.partition,
        end.assume_role_arn,
    )


def _cluster(asked: KafkaCluster, around: Surroundings) -> Cluster:
    arn = None if asked.msk_cluster_arn is None else CLUSTER_ARN.fullmatch(asked.msk_cluster_arn)
    auth = asked.auth if isinstance(asked.auth, AuthSection) else AuthSection.model_construct()
    return Cluster(
        asked.region or around.region,
        around.account if arn is None else arn["account"],
        around.cluster if arn is None else arn["cluster"],
        around.partition,
        by_iam=auth.iam is not None,
        is_searched=arn is not None,
        login=None if auth.scram is None else auth.scram.secret_arn,
        role=None if auth.iam is None else auth.iam.assume_role_arn,
    )


def _checkpoints(configuration: Configuration, around: Surroundings) -> Topic | Table | None:
    if isinstance(configuration.checkpoints, DynamoCheckpoints):
        asked = configuration.checkpoints.dynamodb
        return Table(asked.region or around.region, around.account, asked.table, around.partition)
    place, cluster = configuration.checkpoint_topic, configuration.checkpoint_cluster
    return None if place is None or cluster is None else Topic(_cluster(cluster, around), place.topic)


def _dead_letters(configuration: Configuration, source: Stream | Topic, sink: Stream | Topic) -> Stream | Topic | None:
    section = configuration.dead_letter
    if section is None:
        return None
    for end in (sink, source):
        if section.kafka is not None and isinstance(end, Topic):
            return replace(end, name=section.kafka.topic)
        if section.kinesis is not None and isinstance(end, Stream):
            return replace(end, name=section.kinesis.stream)
    return None


def _schemas(configuration: Configuration) -> Iterator[Schemas]:
    return (step.schemas for step in configuration.transforms if isinstance(step, SchemasTransform))


def _registries(ends: Iterable[RegistryEnd], around: Surroundings) -> Iterator[SchemaRegistry]:
    """Those of Glue: of others AWS allows nothing."""
    for end in ends:
        match settings_of(end):
            case GlueSettings(registry, region):
                yield SchemaRegistry(region or around.region, around.account, registry, around.partition)
            case ConfluentSettings():
                pass


def _consumers(
    configuration: Configuration, source: Stream | Topic, sink: Stream | Topic, around: Surroundings
) -> tuple[Consumers, ...]:
    asked = configuration.cutover
    if asked is None:
        return ()
    stream = next((end for end in (source, sink) if isinstance(end, Stream)), None)
    region = asked.lease_region or (around.region if stream is None else stream.region)
    account = around.account if stream is None else stream.account
    return tuple(
        Consumers(Table(region, account, each.application, around.partition), each.group) for each in asked.consumers
    )


def _functions(configuration: Configuration, around: Surroundings) -> tuple[Function, ...]:
    asked = [step.lambda_ for step in configuration.transforms if isinstance(step, LambdaTransform)]
    return tuple(
        Function(each.reached_in or around.region, each.account or around.account, each.name, around.partition)
        for each in asked
    )
