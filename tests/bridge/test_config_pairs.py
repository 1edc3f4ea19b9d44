"""All four pairs of ends: what each stands for where keys are left out, and what does not go together."""

import re
from datetime import UTC, datetime
from importlib import import_module
from itertools import combinations, product
from pathlib import Path
from typing import Any

import pytest
import yaml

from bridge.config import Configuration, ConfigurationError, load
from bridge.config.checkpoints import CheckpointTopic
from bridge.config.librdkafka import plain
from bridge.config.names import NAME_PATTERN
from tests.bridge.test_config_mistakes import messages

# It ships no types.
jsonschema: Any = import_module("jsonschema")

FROM_STREAM = "source: {kinesis: {stream: orders, region: eu-west-1}}\n"
FROM_TOPIC = "source: {kafka: {bootstrap_servers: [a-1:9098], topic: orders}}\n"
TO_STREAM = "sink: {kinesis: {stream: orders, region: us-east-1}}\n"
TO_TOPIC = "sink: {kafka: {bootstrap_servers: [b-1:9098], topic: orders}}\n"

STREAM_TO_TOPIC = f"name: orders\n{FROM_STREAM}{TO_TOPIC}"
STREAM_TO_STREAM = f"name: orders\n{FROM_STREAM}{TO_STREAM}"
TOPIC_TO_STREAM = f"name: orders\n{FROM_TOPIC}{TO_STREAM}"
TOPIC_TO_TOPIC = f"name: orders\n{FROM_TOPIC}{TO_TOPIC}"
PAIRS = (STREAM_TO_TOPIC, STREAM_TO_STREAM, TOPIC_TO_STREAM, TOPIC_TO_TOPIC)


def loaded(folder: Path, text: str, *settings: str) -> Configuration:
    file = folder / "o.yaml"
    file.write_text(text)
    return load([str(file)], environment={}, settings=settings)


def refused(folder: Path, text: str, *settings: str) -> str:
    (message,) = messages(folder, text, settings)
    return message


def test_a_topic_is_read_as_its_keys_say(tmp_path: Path) -> None:
    """What is left out is what every careful consumer asks for."""
    found = loaded(tmp_path, TOPIC_TO_STREAM).source.kafka
    assert found is not None
    assert (found.bootstrap_servers, found.topic) == (("a-1:9098",), "orders")
    assert (found.start, found.isolation) == ("earliest", "read_committed")
    more = ("start=2026-01-31T12:00:00Z", "isolation=read_uncommitted", "librdkafka={client.rack: a}", "auth=none")
    found = loaded(tmp_path, TOPIC_TO_STREAM, *(f"source.kafka.{each}" for each in more)).source.kafka
    assert found is not None
    assert (found.start, found.isolation) == (datetime(2026, 1, 31, 12, tzinfo=UTC), "read_uncommitted")
    assert plain(found.librdkafka) == {"client.rack": "a"}


def test_a_stream_is_written_as_its_keys_say(tmp_path: Path) -> None:
    """What is left out keeps keys, headers and times."""
    found = loaded(tmp_path, TOPIC_TO_STREAM).sink.kinesis
    assert found is not None
    assert (found.stream, found.region, found.endpoint_url) == ("orders", "us-east-1", None)
    assert (found.codec, found.compression, found.assume_role_arn) == ("kpl", "none", None)
    for codec, compression in product(("kpl", "envelope"), ("none", "gzip", "zstd")):
        settings = (f"sink.kinesis.codec={codec}", f"sink.kinesis.compression={compression}")
        found = loaded(tmp_path, TOPIC_TO_STREAM, *settings).sink.kinesis
        assert found is not None
        assert (found.codec, found.compression) == (codec, compression)


def test_a_stream_s_codec_and_compression_can_be_chosen(tmp_path: Path) -> None:
    """Left out, markers decide, and values that others compressed stay as they are."""
    found = loaded(tmp_path, STREAM_TO_TOPIC).source.kinesis
    assert found is not None
    assert (found.codec, found.decompress) == ("auto", "never")
    for codec in ("auto", "raw", "kpl", "envelope"):
        settings = (f"source.kinesis.codec={codec}", "source.kinesis.decompress=auto")
        found = loaded(tmp_path, STREAM_TO_TOPIC, *settings).source.kinesis
        assert found is not None
        assert (found.codec, found.decompress) == (codec, "auto")


@pytest.mark.parametrize("text", PAIRS)
def test_the_other_kind_of_end_can_be_null(tmp_path: Path, text: str) -> None:
    """As where an option takes one end out and puts another in."""
    given = yaml.safe_load(text)
    settings = [f"{end}.{kind}=null" for end in ("source", "sink") for kind in {"kinesis", "kafka"} - set(given[end])]
    assert loaded(tmp_path, text, *settings) == loaded(tmp_path, text)


@pytest.mark.parametrize("text", PAIRS)
def test_the_schema_takes_every_pair(text: str) -> None:
    """And no mirror without an end."""
    schema = jsonschema.Draft202012Validator(Configuration.model_json_schema())
    given = yaml.safe_load(text)
    assert schema.is_valid(given)
    for end in ("source", "sink"):
        assert not schema.is_valid({**given, end: {}})


@pytest.mark.parametrize("text", PAIRS)
def test_a_loop_is_skipped_unless_it_is_let_pass(tmp_path: Path, text: str) -> None:
    """Passing is for restoring a lost stream from its mirror."""
    assert loaded(tmp_path, text).on_loop == "skip"
    assert loaded(tmp_path, text, "on_loop=pass").on_loop == "pass"


@pytest.mark.parametrize("text", [STREAM_TO_TOPIC, TOPIC_TO_TOPIC])
def test_into_kafka_checkpoints_are_in_the_sink_s_cluster_and_delivery_exactly_once(tmp_path: Path, text: str) -> None:
    """Wherever the records come from."""
    found = loaded(tmp_path, text)
    assert found.checkpoint_topic == CheckpointTopic("kmbridge-checkpoints", ("b-1:9098",), None)
    assert found.checkpoint_end is found.sink.kafka
    assert (found.delivery, found.commit_interval) == ("exactly_once", 0.1)
    assert (found.checkpoints_in_source_group, found.sqlite_path, found.shares_work) == (False, None, True)


def test_from_kafka_to_kinesis_checkpoints_are_in_the_source_s_group(tmp_path: Path) -> None:
    """Which shares the work, too; no topic of ours is needed."""
    found = loaded(tmp_path, TOPIC_TO_STREAM)
    assert found.checkpoints_in_source_group
    assert (found.checkpoint_topic, found.checkpoint_end, found.sqlite_path) == (None, None, None)
    assert (found.delivery, found.commit_interval, found.shares_work) == ("at_least_once", 0.5, True)


def test_from_kinesis_to_kinesis_checkpoints_are_in_a_file_of_the_mirror_s_name(tmp_path: Path) -> None:
    """In the working directory, for one worker."""
    found = loaded(tmp_path, STREAM_TO_STREAM)
    assert found.sqlite_path == Path("orders.kmbridge.db")
    assert (found.checkpoint_topic, found.checkpoints_in_source_group) == (None, False)
    assert (found.delivery, found.commit_interval, found.shares_work) == ("at_least_once", 0.5, False)


@pytest.mark.parametrize("text", PAIRS)
@pytest.mark.parametrize("kind", ["memory", "{sqlite: {path: x.db}}", "{dynamodb: {table: abc}}"])
def test_a_place_for_one_worker_can_be_asked_for_by_every_pair(tmp_path: Path, text: str, kind: str) -> None:
    """It then takes the place of what the pair has by itself."""
    found = loaded(tmp_path, f"{text}checkpoints: {kind}\n")
    assert (found.checkpoint_topic, found.checkpoints_in_source_group, found.shares_work) == (None, False, False)
    assert found.sqlite_path == (Path("x.db") if "sqlite" in kind else None)
    assert found.delivery == "at_least_once"


def test_a_checkpoint_topic_beside_a_kinesis_sink_is_in_the_source_s_cluster(tmp_path: Path) -> None:
    """Unless its servers are named."""
    found = loaded(tmp_path, f"{TOPIC_TO_STREAM}checkpoints: {{kafka: {{}}}}\n")
    assert found.checkpoint_topic == CheckpointTopic("kmbridge-checkpoints", ("a-1:9098",), None)
    assert found.checkpoint_end is found.source.kafka
    assert (found.checkpoints_in_sink, found.checkpoints_in_source_group, found.shares_work) == (False, False, True)
    for text in (TOPIC_TO_STREAM, STREAM_TO_STREAM):
        found = loaded(tmp_path, f"{text}checkpoints: {{kafka: {{bootstrap_servers: 'c-1:9098'}}}}\n")
        assert found.checkpoint_topic == CheckpointTopic("kmbridge-checkpoints", ("c-1:9098",), None)
        assert (found.checkpoint_end, found.shares_work) == (None, True)


def test_a_checkpoint_topic_without_any_kafka_needs_its_servers(tmp_path: Path) -> None:
    """They cannot be guessed."""
    assert refused(tmp_path, f"{STREAM_TO_STREAM}checkpoints: {{kafka: {{}}}}\n") == (
        "o.yaml:4: checkpoints.kafka.bootstrap_servers: found nothing; "
        "allowed: a list of HOST:PORT, for neither end is Kafka"
    )


def test_exactly_once_between_clusters_needs_the_checkpoints_in_the_sink_s(tmp_path: Path) -> None:
    """Those in the source's cluster are in no transaction."""
    text = f"{TOPIC_TO_TOPIC}checkpoints: {{kafka: {{bootstrap_servers: 'a-1:9098'}}}}\n"
    assert loaded(tmp_path, text).delivery == "at_least_once"
    assert refused(tmp_path, text, "sink.kafka.delivery=exactly_once").startswith(
        '--set sink.kafka.delivery: found "exactly_once"; allowed: at_least_once beside checkpoints that are not in '
    )


def test_delivery_is_a_word_of_kafka_alone(tmp_path: Path) -> None:
    """No stream takes part in a transaction."""
    assert refused(tmp_path, TOPIC_TO_STREAM, "sink.kinesis.delivery=exactly_once") == (
        "--set sink.kinesis.delivery: unknown key; did you mean sink.kafka.delivery?"
    )


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_raw_values_are_not_compressed(tmp_path: Path, compression: str) -> None:
    """A reader could not tell."""
    settings = ("sink.kinesis.codec=raw", f"sink.kinesis.compression={compression}")
    assert refused(tmp_path, TOPIC_TO_STREAM, *settings) == (
        f'--set sink.kinesis.compression: found "{compression}"; allowed: none beside codec: raw, which has no room '
        "to say that a value is compressed; kpl and envelope have"
    )


def test_raw_records_carry_no_origin(tmp_path: Path) -> None:
    """That is accepted, unless origins are demanded."""
    found = loaded(tmp_path, TOPIC_TO_STREAM, "sink.kinesis.codec=raw")
    assert not found.sends_origins
    assert refused(tmp_path, TOPIC_TO_STREAM, "sink.kinesis.codec=raw", "provenance=always") == (
        '--set provenance: found "always"; allowed: auto or never beside sink.kinesis.codec: raw, '
        "which carries no origin; codec kpl or envelope does"
    )


@pytest.mark.parametrize("text", PAIRS)
def test_origins_are_sent_wherever_the_sink_can_carry_them(tmp_path: Path, text: str) -> None:
    """Unless they are never to be."""
    assert loaded(tmp_path, text).sends_origins
    assert loaded(tmp_path, text, "provenance=always").sends_origins
    assert not loaded(tmp_path, text, "provenance=never").sends_origins


def test_partitions_keep_their_numbers_only_from_kafka(tmp_path: Path) -> None:
    """Shards are no partitions."""
    found = loaded(tmp_path, TOPIC_TO_TOPIC, "sink.kafka.partitioner=same_number").sink.kafka
    assert found is not None
    assert found.partitioner == "same_number"
    assert refused(tmp_path, STREAM_TO_TOPIC, "sink.kafka.partitioner=same_number") == (
        '--set sink.kafka.partitioner: found "same_number"; '
        "allowed: murmur2 beside source.kinesis; same_number takes source.kafka"
    )


def test_a_topic_starts_at_no_trim_horizon(tmp_path: Path) -> None:
    """The message says which words a topic has."""
    assert refused(tmp_path, TOPIC_TO_STREAM, "source.kafka.start=trim_horizon") == (
        '--set source.kafka.start: found "trim_horizon"; allowed: earliest, latest, or an ISO-8601 time '
        "with its zone, as 2026-01-31T12:00:00Z (trim_horizon is a stream's word)"
    )


def test_a_topic_is_not_mirrored_into_itself(tmp_path: Path) -> None:
    """One server in both lists is one cluster; the same name in another cluster is another topic."""
    settings = ("source.kafka.bootstrap_servers=b-0:9098,B-1:9098",)
    assert refused(tmp_path, TOPIC_TO_TOPIC, *settings) == (
        'o.yaml:3: sink.kafka.topic: found "orders"; '
        "allowed: another topic than that of the source, which is in the same cluster"
    )
    assert loaded(tmp_path, TOPIC_TO_TOPIC, *settings, "sink.kafka.topic=other").name == "orders"


SAME_STREAM = (
    "{stream: orders, region: eu-west-1}",
    "{stream: orders, region: eu-west-1, codec: envelope}",
)
OTHER_STREAMS = (
    "{stream: other, region: eu-west-1}",
    "{stream: orders, region: us-east-1}",
    "{stream: orders, region: eu-west-1, endpoint_url: 'http://127.0.0.1:4567'}",
    "{stream: orders, region: eu-west-1, assume_role_arn: 'arn:aws:iam::210987654321:role/mirror'}",
    "{stream: 'arn:aws:kinesis:eu-west-1:210987654321:stream/orders'}",
)


@pytest.mark.parametrize("sink", SAME_STREAM)
def test_a_stream_is_not_mirrored_into_itself(tmp_path: Path, sink: str) -> None:
    """However else the two sections differ."""
    assert refused(tmp_path, STREAM_TO_STREAM, f"sink.kinesis={sink}") == (
        '--set sink.kinesis: sink.kinesis.stream: found "orders"; '
        "allowed: another stream than that of the source, which is in the same region"
    )


@pytest.mark.parametrize("sink", OTHER_STREAMS)
def test_a_stream_of_the_same_name_elsewhere_is_another(tmp_path: Path, sink: str) -> None:
    """In another region, at another endpoint, in another account."""
    assert loaded(tmp_path, STREAM_TO_STREAM, f"sink.kinesis={sink}").sink.kinesis is not None


def test_an_arn_is_taken_apart_to_tell_streams(tmp_path: Path) -> None:
    """Its region, account and name are what counts."""
    arn = "arn:aws:kinesis:eu-west-1:210987654321:stream/orders"
    settings = (f"source.kinesis={{stream: '{arn}'}}", f"sink.kinesis={{stream: '{arn}', region: eu-west-1}}")
    assert "another stream than that of the source" in refused(tmp_path, STREAM_TO_STREAM, *settings)


def test_the_source_s_topic_holds_no_checkpoints(tmp_path: Path) -> None:
    """They would be mirrored."""
    assert refused(tmp_path, f"{TOPIC_TO_STREAM}checkpoints: {{kafka: {{topic: orders}}}}\n") == (
        'o.yaml:2: source.kafka.topic: found "orders"; '
        "allowed: another topic than that of the checkpoints, which is in the same cluster"
    )


ROOM_FOR_LETTERS = {
    STREAM_TO_TOPIC: ("{kafka: {topic: bad}}", "{kinesis: {stream: bad}}"),
    STREAM_TO_STREAM: ("{kinesis: {stream: bad}}",),
    TOPIC_TO_STREAM: ("{kafka: {topic: bad}}", "{kinesis: {stream: bad}}"),
    TOPIC_TO_TOPIC: ("{kafka: {topic: bad}}",),
}


@pytest.mark.parametrize("text", PAIRS)
def test_dead_letters_go_where_an_end_is(tmp_path: Path, text: str) -> None:
    """Of two ends of one kind it is the sink; a file is everywhere."""
    for letters in (*ROOM_FOR_LETTERS[text], "{file: {path: bad.jsonl}}"):
        assert loaded(tmp_path, f"{text}on_error: dead_letter\ndead_letter: {letters}\n").dead_letter is not None
    found = loaded(tmp_path, text)
    assert found.kafka_end is (found.sink.kafka or found.source.kafka)
    assert found.kinesis_end is (found.sink.kinesis or found.source.kinesis)


def test_dead_letters_need_an_end_of_their_kind(tmp_path: Path) -> None:
    """The message says what there is instead."""
    assert refused(tmp_path, f"{STREAM_TO_STREAM}dead_letter: {{kafka: {{topic: bad}}}}\n") == (
        "o.yaml:4: dead_letter: found a section; "
        "allowed: kinesis: {stream: STREAM} or file: {path: FILE}, for neither end is Kafka"
    )
    assert refused(tmp_path, f"{TOPIC_TO_TOPIC}dead_letter: {{kinesis: {{stream: bad}}}}\n") == (
        "o.yaml:4: dead_letter: found a section; "
        "allowed: kafka: {topic: TOPIC} or file: {path: FILE}, for neither end is Kinesis"
    )


APART = {
    "the sink's stream": (TOPIC_TO_STREAM, "kinesis: {stream: orders}", "stream", "sink, which is in the same region"),
    "the source's stream": (
        STREAM_TO_TOPIC,
        "kinesis: {stream: orders}",
        "stream",
        "source, which is in the same region",
    ),
    "the source's topic": (
        TOPIC_TO_STREAM,
        "kafka: {topic: orders}",
        "topic",
        "source, which is in the same cluster",
    ),
}


@pytest.mark.parametrize(("text", "letters", "kind", "whose"), APART.values(), ids=APART.keys())
def test_dead_letters_go_into_neither_end(tmp_path: Path, text: str, letters: str, kind: str, whose: str) -> None:
    """They would be taken for records, or mirrored again."""
    key = f"dead_letter.{letters.partition(':')[0]}.{kind}"
    assert refused(tmp_path, f"{text}dead_letter: {{{letters}}}\n") == (
        f'o.yaml:4: {key}: found "orders"; allowed: another {kind} than that of the {whose}'
    )


def test_a_secret_of_the_source_is_in_no_repr_and_no_dump(tmp_path: Path) -> None:
    """Its section hides them as the sink's does."""
    text = TOPIC_TO_STREAM.replace("topic: orders", "topic: orders, librdkafka: {sasl.password: hunter2}")
    found = loaded(tmp_path, text)
    assert found.source.kafka is not None
    assert plain(found.source.kafka.librdkafka) == {"sasl.password": "hunter2"}
    assert "hunter2" not in f"{found!r} {found} {found.model_dump_json()}"


def test_the_source_s_client_settings_on_which_guarantees_rest_are_refused(tmp_path: Path) -> None:
    """As the sink's are."""
    assert refused(tmp_path, TOPIC_TO_STREAM, "source.kafka.librdkafka={group.id: mine}") == (
        "--set source.kafka.librdkafka: found a section; "
        "allowed: any setting but group.id, on which the bridge's guarantees rest"
    )


def test_urls_stand_for_every_pair() -> None:
    """A query key is any key of the section."""
    found = load(["kafka://a:1,b:2/in?isolation=read_uncommitted", "kinesis://eu-west-1/out?codec=raw"], environment={})
    assert found.source.kafka is not None
    assert (found.source.kafka.bootstrap_servers, found.source.kafka.topic) == (("a:1", "b:2"), "in")
    assert found.source.kafka.isolation == "read_uncommitted"
    assert found.sink.kinesis is not None
    assert (found.sink.kinesis.stream, found.sink.kinesis.region, found.sink.kinesis.codec) == (
        "out",
        "eu-west-1",
        "raw",
    )
    assert found.name == "kafka-in-to-kinesis-out"


NAMES = {
    ("kinesis:///orders", "kafka://a:1/in"): "orders-to-in",
    ("kafka://a:1/orders", "kinesis:///orders"): "kafka-orders-to-kinesis-orders",
    ("kinesis://eu-west-1/orders", "kinesis://us-east-1/orders"): "eu-west-1-orders-to-us-east-1-orders",
    ("kinesis:///arn%3Aaws%3Akinesis%3Aeu-west-1%3A210987654321%3Astream%2Forders", "kinesis://us-east-1/orders"): (
        "eu-west-1-orders-to-us-east-1-orders"
    ),
    ("kinesis:///arn:aws:kinesis:eu-west-1:210987654321:stream/orders", "kafka://a:1/in"): "orders-to-in",
}


@pytest.mark.parametrize(("targets", "name"), NAMES.items())
def test_a_name_is_derived_from_every_pair(targets: tuple[str, str], name: str) -> None:
    """Readable where the letters allow it. A stream may be an ARN, with its slash as it is."""
    assert load(targets, environment={}).name == name


def test_mirrors_in_opposite_directions_have_two_names() -> None:
    """They would take each other's groups and checkpoints."""
    places = (
        "kinesis://eu-west-1/orders",
        "kinesis://us-east-1/orders",
        "kinesis:///orders?endpoint_url=http://127.0.0.1:4567",
        "kafka://a:1,c:1/orders",
        "kafka://b:1/orders",
    )
    for pair in combinations(places, 2):
        there, back = load(pair, environment={}).name, load(pair[::-1], environment={}).name
        assert there != back
        assert re.fullmatch(NAME_PATTERN, there)
        assert re.fullmatch(NAME_PATTERN, back)


@pytest.mark.parametrize("text", PAIRS)
def test_a_missing_end_is_named(tmp_path: Path, text: str) -> None:
    """A mirror has two."""
    for end in ("source", "sink"):
        given = yaml.safe_load(text)
        del given[end]
        file = tmp_path / "o.yaml"
        file.write_text(yaml.safe_dump(given))
        with pytest.raises(ConfigurationError, match=f"{end}: is missing"):
            load([str(file)], environment={})
