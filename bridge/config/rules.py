"""What one section may say beside what another says. Each rule raises the error of the key that has to change."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations

from bridge.config.checkpoints import KafkaCheckpoints
from bridge.config.mirror import MirrorSection
from bridge.config.names import same_cluster
from bridge.config.section import at
from bridge.config.transforms.schemas import SchemasTransform

Rule = Callable[[MirrorSection], None]


@dataclass(frozen=True, slots=True)
class _Used:
    """A topic or a stream that the mirror uses, ``where`` being its servers or how it is reached."""

    key: str
    user: str
    name: str
    where: tuple[str, ...]


def checkpoints_have_a_cluster(asked: MirrorSection) -> None:
    place = asked.checkpoints
    if isinstance(place, KafkaCheckpoints) and not place.kafka.names and asked.kafka_end is None:
        raise at("checkpoints.kafka.bootstrap_servers", "a list of HOST:PORT, for neither end is Kafka")


def checkpoints_come_in_by_one_way(asked: MirrorSection) -> None:
    place = asked.checkpoints
    if not isinstance(place, KafkaCheckpoints) or place.kafka.auth == "none":
        return
    if not place.kafka.names or asked.checkpoint_end is not None:
        raise at("checkpoints.kafka.auth", "left out, for the topic is in the cluster of an end, whose auth holds")


def a_transaction_holds_the_checkpoints(asked: MirrorSection) -> None:
    sink = asked.sink.kafka
    if sink is not None and sink.delivery == "exactly_once" and not asked.checkpoints_in_sink:
        raise at(
            "sink.kafka.delivery",
            "at_least_once beside checkpoints that are not in the sink's cluster; exactly_once takes "
            "checkpoints: auto, or kafka: {…} without bootstrap_servers of another cluster",
        )


def numbers_are_those_of_partitions(asked: MirrorSection) -> None:
    sink = asked.sink.kafka
    if sink is not None and sink.partitioner == "same_number" and asked.source.kafka is None:
        raise at("sink.kafka.partitioner", "murmur2 beside source.kinesis; same_number takes source.kafka")


def origins_have_room(asked: MirrorSection) -> None:
    if asked.provenance == "always" and not asked.sends_origins:
        raise at(
            "provenance",
            "auto or never beside sink.kinesis.codec: raw, which carries no origin; codec kpl or envelope does",
        )


def dead_letters_are_at_an_end(asked: MirrorSection) -> None:
    if asked.dead_letter is None:
        if asked.on_error == "dead_letter":
            raise at("on_error", "stop; or dead_letter beside the key dead_letter, which says where to")
        return
    if asked.dead_letter.kafka is not None and asked.kafka_end is None:
        raise at("dead_letter", "kinesis: {stream: STREAM} or file: {path: FILE}, for neither end is Kafka")
    if asked.dead_letter.kinesis is not None and asked.kinesis_end is None:
        raise at("dead_letter", "kafka: {topic: TOPIC} or file: {path: FILE}, for neither end is Kinesis")


def unknown_schemas_have_a_place(asked: MirrorSection) -> None:
    for step in asked.transforms:
        if isinstance(step, SchemasTransform) and step.schemas.unknown == "dead_letter" != asked.on_error:
            raise at("on_error", "dead_letter, for transforms[].schemas.unknown is")


def each_topic_has_one_use(asked: MirrorSection) -> None:
    for one, other in combinations(_topics(asked), 2):
        if one.name == other.name and same_cluster(one.where, other.where):
            raise at(one.key, f"another topic than that of the {other.user}, which is in the same cluster")


def each_stream_has_one_use(asked: MirrorSection) -> None:
    for one, other in combinations(_streams(asked), 2):
        if (one.name, one.where) == (other.name, other.where):
            raise at(one.key, f"another stream than that of the {other.user}, which is in the same region")


def written_beside_the_source(asked: MirrorSection) -> set[str]:
    """The topics, or streams, that the mirror writes where its source is, by name."""
    topic, stream = asked.source.kafka, asked.source.kinesis
    topics = _topics(asked) if topic is not None else ()
    streams = _streams(asked) if stream is not None else ()
    return {
        *(each.name for each in topics if each.user != "source" and topic and same_cluster(each.where, topic.names)),
        *(each.name for each in streams if each.user != "source" and stream and each.where == stream.reached_by),
    }


def _topics(asked: MirrorSection) -> Iterator[_Used]:
    """Those that are the easiest to change first."""
    letters, cluster, place = asked.dead_letter, asked.kafka_end, asked.checkpoint_topic
    if letters is not None and letters.kafka is not None and cluster is not None:
        yield _Used("dead_letter.kafka.topic", "dead letters", letters.kafka.topic, cluster.names)
    for key, end in (("sink", asked.sink.kafka), ("source", asked.source.kafka)):
        if end is not None:
            yield _Used(f"{key}.kafka.topic", key, end.topic, end.names)
    if place is not None:
        yield _Used("checkpoints.kafka.topic", "checkpoints", place.topic, place.names)


def _streams(asked: MirrorSection) -> Iterator[_Used]:
    """Those that are the easiest to change first."""
    letters, region = asked.dead_letter, asked.kinesis_end
    if letters is not None and letters.kinesis is not None and region is not None:
        yield _Used("dead_letter.kinesis.stream", "dead letters", letters.kinesis.stream, region.reached_by)
    for key, end in (("sink", asked.sink.kinesis), ("source", asked.source.kinesis)):
        if end is not None:
            yield _Used(f"{key}.kinesis.stream", key, end.stream_name, end.reached_by)


RULES: tuple[Rule, ...] = (
    checkpoints_have_a_cluster,
    checkpoints_come_in_by_one_way,
    dead_letters_are_at_an_end,
    unknown_schemas_have_a_place,
    each_topic_has_one_use,
    each_stream_has_one_use,
    a_transaction_holds_the_checkpoints,
    numbers_are_those_of_partitions,
    origins_have_room,
)
"""In the order in which they are tried: the first that is broken is told."""
