"""What is valid means what its author meant."""

import json
import re
from contextlib import suppress
from datetime import UTC, datetime
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from pydantic_core import PydanticCustomError

from bridge.config import Configuration, load
from bridge.config.checkpoints import CheckpointTopic, DynamoCheckpoints
from bridge.config.keys import known_keys
from bridge.config.librdkafka import plain
from bridge.config.names import NAME_PATTERN
from bridge.config.quantities import duration, host_port, size
from bridge.config.sink import KafkaSink
from bridge.config.source import KinesisSource
from tests.bridge.test_config_mistakes import VALID

# It ships no types.
jsonschema: Any = import_module("jsonschema")

URLS = ("kinesis://eu-west-1/orders", "kafka://b-1:9098,b-2:9098/orders")


def loaded(folder: Path, more: str = "", settings: tuple[str, ...] = (), **environment: str) -> Configuration:
    file = folder / "o.yaml"
    file.write_text(VALID + more)
    return load([str(file)], environment=environment, settings=settings)


def stream_of(found: Configuration) -> KinesisSource:
    assert found.source.kinesis is not None
    return found.source.kinesis


def topic_of(found: Configuration) -> KafkaSink:
    assert found.sink.kafka is not None
    return found.sink.kafka


@given(st.integers(1, 999_999_999), st.sampled_from([("ms", 0.001), ("s", 1), ("m", 60), ("h", 3600), ("d", 86400)]))
def test_a_duration_is_its_number_times_its_unit(number: int, unit: tuple[str, float]) -> None:
    """In seconds, with or without a space."""
    assert duration(f"{number}{unit[0]}") == duration(f"{number} {unit[0]}") == pytest.approx(number * unit[1])


@given(st.integers(0, 10**12), st.sampled_from(["B", "KiB", "MiB", "GiB", "TiB"]))
def test_a_size_is_its_number_times_its_unit(number: int, unit: str) -> None:
    """In bytes; a bare number is bytes too."""
    factor = 1024 ** ["B", "KiB", "MiB", "GiB", "TiB"].index(unit)
    assert size(f"{number}{unit}") == size(f"{number} {unit}") == number * factor
    assert size(number) == number


@given(st.text(max_size=12))
def test_no_text_does_worse_to_quantities_than_to_be_refused(text: str) -> None:
    """Whatever is written, the answer is a value or the one error that becomes a message."""
    for read in (duration, size, host_port):
        with suppress(PydanticCustomError):
            read(text)


def test_what_is_left_out_has_the_surface_s_defaults(tmp_path: Path) -> None:
    """Those which this version can keep."""
    found = loaded(tmp_path)
    assert stream_of(found).start == "trim_horizon"
    assert stream_of(found).poll_interval == 1.0
    assert topic_of(found).commit_interval == 0.1
    assert found.workers.session_timeout == 6.0
    assert found.workers.group_protocol == "classic"
    assert found.workers.instance is None
    assert topic_of(found).compression == "lz4"
    assert found.checkpoints == "auto"
    assert found.checkpoint_interval == 0.5
    assert found.limits.memory == 256 * 2**20
    assert found.http is not None
    assert found.http.listen == ("127.0.0.1", 8080)


IN_THE_SINK = {
    "auto": "auto",
    "kafka as it comes": "{kafka: {}}",
    "its server written out": "{kafka: {bootstrap_servers: 'b-1:9098'}}",
    "one of its servers among others": "{kafka: {bootstrap_servers: [b-0:9098, B-1:9098]}}",
}
ELSEWHERE = {
    "memory": "memory",
    "sqlite": "{sqlite: {path: x.db}}",
    "DynamoDB": "{dynamodb: {table: abc}}",
    "Kafka on another host": "{kafka: {bootstrap_servers: [b-2:9098]}}",
    "Kafka on another port": "{kafka: {bootstrap_servers: [b-1:9099]}}",
}


@pytest.mark.parametrize("checkpoints", IN_THE_SINK.values(), ids=IN_THE_SINK.keys())
def test_delivery_is_exactly_once_where_the_sink_holds_the_checkpoints(tmp_path: Path, checkpoints: str) -> None:
    """Left out or asked for; at_least_once can still be chosen."""
    asked = loaded(tmp_path, f"checkpoints: {checkpoints}\n")
    assert asked.checkpoints_in_sink
    assert asked.delivery == "exactly_once"
    for delivery in ("exactly_once", "at_least_once"):
        assert loaded(tmp_path, f"    delivery: {delivery}\ncheckpoints: {checkpoints}\n").delivery == delivery


@pytest.mark.parametrize("checkpoints", ELSEWHERE.values(), ids=ELSEWHERE.keys())
def test_delivery_is_at_least_once_where_the_checkpoints_are_elsewhere(tmp_path: Path, checkpoints: str) -> None:
    """No transaction reaches them there, so that leaving delivery out asks for no more."""
    asked = loaded(tmp_path, f"checkpoints: {checkpoints}\n")
    assert not asked.checkpoints_in_sink
    assert asked.delivery == "at_least_once"
    assert loaded(tmp_path, f"    delivery: at_least_once\ncheckpoints: {checkpoints}\n").delivery == "at_least_once"


def test_the_checkpoint_topic_has_nothing_left_open(tmp_path: Path) -> None:
    """Name and servers are filled in; slots stay open, for a topic that exists has its own."""
    default = CheckpointTopic("kmbridge-checkpoints", ("b-1:9098",), None)
    assert loaded(tmp_path).checkpoint_topic == default
    assert loaded(tmp_path, "checkpoints: {kafka: {}}\n").checkpoint_topic == default
    chosen = loaded(tmp_path, "checkpoints: {kafka: {topic: c, bootstrap_servers: ['k:1', 'l:2'], slots: 8}}\n")
    assert chosen.checkpoint_topic == CheckpointTopic("c", ("k:1", "l:2"), 8)


@pytest.mark.parametrize("checkpoints", ["memory", "{sqlite: {path: x.db}}", "{dynamodb: {table: abc}}"])
def test_there_is_no_checkpoint_topic_outside_of_kafka(tmp_path: Path, checkpoints: str) -> None:
    """None says it."""
    assert loaded(tmp_path, f"checkpoints: {checkpoints}\n").checkpoint_topic is None


def test_a_table_of_dynamodb_leaves_the_rest_to_the_environment(tmp_path: Path) -> None:
    """Region and endpoint are as every AWS tool finds them, unless written."""
    found = loaded(tmp_path, "checkpoints: {dynamodb: {table: my.Table_1}}\n").checkpoints
    assert isinstance(found, DynamoCheckpoints)
    assert (found.dynamodb.table, found.dynamodb.region, found.dynamodb.endpoint_url) == ("my.Table_1", None, None)
    more = "checkpoints: {dynamodb: {table: abc, region: eu-west-1, endpoint_url: 'http://127.0.0.1:8000'}}\n"
    found = loaded(tmp_path, more).checkpoints
    assert isinstance(found, DynamoCheckpoints)
    assert (found.dynamodb.region, found.dynamodb.endpoint_url) == ("eu-west-1", "http://127.0.0.1:8000")


def test_topics_of_one_name_in_two_clusters_are_no_conflict(tmp_path: Path) -> None:
    """Records and dead letters may be called what the checkpoints elsewhere are called."""
    more = "checkpoints: {kafka: {topic: TOPIC, bootstrap_servers: ['k:1']}}\ndead_letter: {kafka: {topic: bad}}\n"
    for topic in ("orders", "bad"):
        assert loaded(tmp_path, more.replace("TOPIC", topic)).checkpoint_topic is not None


def test_the_limits_of_what_transactions_and_workers_take_are_allowed(tmp_path: Path) -> None:
    """The ends of each range belong to it."""
    for interval, seconds in (("1ms", 0.001), ("5s", 5.0)):
        assert topic_of(loaded(tmp_path, f"    commit_interval: {interval}\n")).commit_interval == seconds
    for timeout, seconds in (("1s", 1.0), ("30m", 1800.0)):
        assert loaded(tmp_path, f"workers: {{session_timeout: {timeout}}}\n").workers.session_timeout == seconds
    for slots in (1, 1000):
        place = loaded(tmp_path, f"checkpoints: {{kafka: {{slots: {slots}}}}}\n").checkpoint_topic
        assert place is not None
        assert place.slots == slots
    for instance in ("a", "Pod-1.2_3", "x" * 200):
        assert loaded(tmp_path, f"workers: {{instance: {instance}}}\n").workers.instance == instance


def test_a_worker_s_instance_can_be_its_host_s_name(tmp_path: Path) -> None:
    """One file for all pods; where the variable is missing on purpose there is no static membership."""
    assert loaded(tmp_path, "workers:\n  instance: ${HOSTNAME}\n", HOSTNAME="orders-0").workers.instance == "orders-0"
    assert loaded(tmp_path, "workers:\n  instance: ${HOSTNAME:-}\n").workers.instance is None


def test_the_consumer_protocol_is_taken_without_a_session(tmp_path: Path) -> None:
    """Beside it the broker says how long one is."""
    assert loaded(tmp_path, "workers: {group_protocol: consumer}\n").workers.group_protocol == "consumer"


def test_checkpoints_in_kafka_can_be_asked_for_in_options_alone(tmp_path: Path) -> None:
    """Key by key, over a file that says nothing of them."""
    settings = ("checkpoints.kafka.topic=c", "checkpoints.kafka.slots=8", "checkpoints.kafka.bootstrap_servers=k:1,l:2")
    assert loaded(tmp_path, settings=settings).checkpoint_topic == CheckpointTopic("c", ("k:1", "l:2"), 8)


def test_a_variable_is_put_in_per_scalar(tmp_path: Path) -> None:
    """After parsing: what is in it cannot add keys, and a number stays what its key wants."""
    more = "checkpoints: {sqlite: {path: '${DIR}/${FILE:-x.db}'}}\nlimits:\n  memory: ${MEMORY}\n"
    found = loaded(tmp_path, more, DIR="/tmp/a: b\nname: c", MEMORY="2MiB")
    assert found.model_dump()["checkpoints"]["sqlite"]["path"] == Path("/tmp/a: b\nname: c/x.db")
    assert found.limits.memory == 2 * 2**20


def test_a_variable_that_comes_out_empty_is_nothing(tmp_path: Path) -> None:
    """So that an optional key can be left to the environment."""
    block = VALID.replace(
        "  kinesis: {stream: orders, region: eu-west-1}", "  kinesis:\n    stream: orders\n    region: ${REGION:-}"
    )
    file = tmp_path / "o.yaml"
    file.write_text(block)
    assert stream_of(load([str(file)], environment={})).region is None
    assert stream_of(load([str(file)], environment={"REGION": "eu-west-1"})).region == "eu-west-1"


def test_a_secret_is_in_no_repr_and_no_dump(tmp_path: Path) -> None:
    """The client gets it, nobody else."""
    found = loaded(tmp_path, "    librdkafka: {sasl.password: '${PASSWORD}', linger.ms: 5}\n", PASSWORD="hunter2")
    properties = topic_of(found).librdkafka
    assert isinstance(properties["sasl.password"], SecretStr)
    assert plain(properties) == {"sasl.password": "hunter2", "linger.ms": "5"}
    assert "hunter2" not in f"{found!r} {found} {found.model_dump_json()}"


def test_an_option_wins_over_the_file(tmp_path: Path) -> None:
    """Also where the file has a word and the option needs a section, and where keys have dots."""
    found = loaded(
        tmp_path,
        "checkpoints: memory\nhttp: null\n",
        (
            "checkpoints.sqlite.path=/tmp/x",
            "http.listen=127.0.0.1:0",
            "sink.kafka.librdkafka.linger.ms=7",
            "sink.kafka.create_topic={partitions: 3, config: {retention.ms: 5}}",
            "sink.kafka.bootstrap_servers=a:1,b:2",
            "source.kinesis.region=null",
        ),
    )
    assert found.model_dump()["checkpoints"] == {"sqlite": {"path": Path("/tmp/x")}}
    assert found.http is not None
    assert found.http.listen == ("127.0.0.1", 0)
    topic = topic_of(found)
    assert plain(topic.librdkafka) == {"linger.ms": "7"}
    assert topic.create_topic is not None
    assert plain(topic.create_topic.config) == {"retention.ms": "5"}
    assert topic.bootstrap_servers == ("a:1", "b:2")
    assert stream_of(found).region is None


def test_two_urls_stand_for_a_file() -> None:
    """A query key is any key of the section, and a plus sign in a time is no blank."""
    source = "kinesis:///orders?endpoint_url=http://127.0.0.1:4567&start=2026-01-31T12:00:00+01:00"
    found = load([source, "kafka://a:1,b:2/in?create_topic.partitions=4&librdkafka.linger.ms=5"], environment={})
    stream, topic = stream_of(found), topic_of(found)
    assert (stream.stream, stream.region, stream.endpoint_url) == ("orders", None, "http://127.0.0.1:4567")
    assert stream.start == datetime(2026, 1, 31, 11, tzinfo=UTC)
    assert found.source.begins == "2026-01-31T12:00:00+01:00"
    assert (topic.bootstrap_servers, topic.topic) == (("a:1", "b:2"), "in")
    assert topic.create_topic is not None
    assert topic.create_topic.partitions == 4
    assert plain(topic.librdkafka) == {"linger.ms": "5"}
    assert found.name == "orders-to-in"


def test_a_given_name_wins_over_the_derived_one() -> None:
    """By --name, and by --set name."""
    assert load(URLS, environment={}).name == "orders-to-orders"
    assert load(URLS, environment={}, name="mine").name == "mine"
    assert load(URLS, environment={}, settings=["name=mine"]).name == "mine"


_ENDS = st.text(st.sampled_from("abcABC019._-"), min_size=1, max_size=128).filter(lambda text: text.strip("."))


@given(_ENDS, _ENDS)
def test_a_derived_name_is_always_a_valid_one(stream: str, topic: str) -> None:
    """Whatever streams and topics may be called."""
    found = load([f"kinesis:///{stream}", f"kafka://a:1/{topic}"], environment={})
    assert jsonschema.Draft202012Validator({"pattern": NAME_PATTERN}).is_valid(found.name)


def test_other_ends_get_other_names() -> None:
    """Where letters had to be changed or cut, a hash keeps two mirrors from sharing checkpoints."""
    pairs = [("a_b", "t"), ("a.b", "t"), ("A.b", "t"), ("a-b", "t"), ("a" * 90, "t"), ("a" * 91, "t")]
    names = {load([f"kinesis:///{stream}", f"kafka://a:1/{topic}"], environment={}).name for stream, topic in pairs}
    assert len(names) == len(pairs)


def example() -> str:
    return files("bridge.config").joinpath("example.yaml").read_text(encoding="utf-8")


def test_the_example_is_valid(tmp_path: Path) -> None:
    """As it stands, and by the schema too."""
    file = tmp_path / "o.yaml"
    file.write_text(example())
    load([str(file)], environment={})
    document: dict[str, Any] = yaml.safe_load(example())
    jsonschema.validate(document, Configuration.model_json_schema())


@pytest.mark.parametrize("kind", ["sqlite", "kafka", "dynamodb"])
def test_the_places_that_the_example_offers_in_comments_are_valid(tmp_path: Path, kind: str) -> None:
    """One of them without its comment sign, in the place of auto."""
    text = re.sub(r"^checkpoints: auto", "checkpoints:", example(), flags=re.MULTILINE)
    text = text.replace("    delivery: exactly_once", "    delivery: at_least_once")
    assert list(chosen(tmp_path, text, "checkpoints", kind)["checkpoints"]) == [kind]


@pytest.mark.parametrize(("end", "kind"), [("source", "kafka"), ("sink", "kinesis")])
def test_the_ends_that_the_example_offers_in_comments_are_valid(tmp_path: Path, end: str, kind: str) -> None:
    """One of them without its comment sign, in the place of the other."""
    other = "kinesis" if kind == "kafka" else "kafka"
    text = re.sub(rf"^({end}:.*\n)  {other}:\n(?:    .*\n)*", r"\1", example(), flags=re.MULTILINE)
    assert chosen(tmp_path, text, end, kind)[end][other] is None


@pytest.mark.parametrize("kind", ["kafka", "kinesis"])
def test_the_dead_letters_that_the_example_offers_in_comments_are_valid(tmp_path: Path, kind: str) -> None:
    """One of them without its comment sign, in the place of the file."""
    text = re.sub(r"^  file: .*\n", "", example(), flags=re.MULTILINE)
    assert chosen(tmp_path, text, "dead_letter", kind)["dead_letter"][kind] is not None


def chosen(folder: Path, text: str, section: str, kind: str) -> dict[str, Any]:
    """The configuration in ``text``, the first comment below ``section`` that offers ``kind`` taken out of it."""
    start = text.index(f"\n{section}:")
    offer = re.compile(rf"^#  {kind}:.*\n(?:#    .*\n)*", re.MULTILINE).search(text, start)
    assert offer is not None
    text = text[: offer.start()] + offer[0].replace("#  ", "  ") + text[offer.end() :]
    file = folder / "o.yaml"
    file.write_text(text)
    jsonschema.validate(yaml.safe_load(text), Configuration.model_json_schema())
    return load([str(file)], environment={}).model_dump()


def test_the_example_shows_every_key_with_its_default() -> None:
    """A key that is added to the models has to be explained there."""
    text = example()
    missing = [path for path in known_keys(Configuration) if f"{path[-1]}:" not in text]
    assert missing == []


def test_the_schema_is_a_json_schema_whose_defaults_are_valid() -> None:
    """Editors rely on both."""
    schema = Configuration.model_json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    for model in (schema, *schema["$defs"].values()):
        for key, value in model.get("properties", {}).items():
            if "default" in value:
                jsonschema.Draft202012Validator({**value, "$defs": schema["$defs"]}).validate(value["default"])
            assert json.dumps(value), key


@pytest.mark.parametrize("token", ["correct-horse", "${TOKEN}"])
def test_the_token_of_the_http_server_is_a_secret(tmp_path: Path, token: str) -> None:
    """It is taken from the file or from a variable, and shown nowhere."""
    found = loaded(tmp_path, more=f"http: {{token: '{token}'}}\n", TOKEN="correct-horse")
    assert found.http is not None
    assert found.http.listener is not None
    assert found.http.listener.token is not None
    assert found.http.listener.token.get_secret_value() == "correct-horse"
    assert "correct-horse" not in repr(found)
