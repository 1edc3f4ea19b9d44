"""What is valid means what its author meant."""

import json
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
from bridge.config.keys import known_keys
from bridge.config.librdkafka import plain
from bridge.config.names import NAME_PATTERN
from bridge.config.quantities import duration, host_port, size
from tests.bridge.test_config_mistakes import VALID

# It ships no types.
jsonschema: Any = import_module("jsonschema")

URLS = ("kinesis://eu-west-1/orders", "kafka://b-1:9098,b-2:9098/orders")


def loaded(folder: Path, more: str = "", settings: tuple[str, ...] = (), **environment: str) -> Configuration:
    file = folder / "o.yaml"
    file.write_text(VALID + more)
    return load([str(file)], environment=environment, settings=settings)


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
    assert found.source.kinesis.start == "trim_horizon"
    assert found.source.kinesis.poll_interval == 1.0
    assert found.sink.kafka.delivery == "at_least_once"
    assert found.sink.kafka.compression == "lz4"
    assert found.checkpoints == "auto"
    assert found.checkpoint_interval == 0.5
    assert found.limits.memory == 256 * 2**20
    assert found.http is not None
    assert found.http.listen == ("127.0.0.1", 8080)


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
    assert load([str(file)], environment={}).source.kinesis.region is None
    assert load([str(file)], environment={"REGION": "eu-west-1"}).source.kinesis.region == "eu-west-1"


def test_a_secret_is_in_no_repr_and_no_dump(tmp_path: Path) -> None:
    """The client gets it, nobody else."""
    found = loaded(tmp_path, "    librdkafka: {sasl.password: '${PASSWORD}', linger.ms: 5}\n", PASSWORD="hunter2")
    properties = found.sink.kafka.librdkafka
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
    assert plain(found.sink.kafka.librdkafka) == {"linger.ms": "7"}
    assert found.sink.kafka.create_topic is not None
    assert plain(found.sink.kafka.create_topic.config) == {"retention.ms": "5"}
    assert found.sink.kafka.bootstrap_servers == ("a:1", "b:2")
    assert found.source.kinesis.region is None


def test_two_urls_stand_for_a_file() -> None:
    """A query key is any key of the section, and a plus sign in a time is no blank."""
    source = "kinesis:///orders?endpoint_url=http://127.0.0.1:4567&start=2026-01-31T12:00:00+01:00"
    found = load([source, "kafka://a:1,b:2/in?create_topic.partitions=4&librdkafka.linger.ms=5"], environment={})
    assert found.source.kinesis.stream == "orders"
    assert found.source.kinesis.region is None
    assert found.source.kinesis.endpoint_url == "http://127.0.0.1:4567"
    assert found.source.kinesis.start == datetime(2026, 1, 31, 11, tzinfo=UTC)
    assert found.sink.kafka.bootstrap_servers == ("a:1", "b:2")
    assert found.sink.kafka.topic == "in"
    assert found.sink.kafka.create_topic is not None
    assert found.sink.kafka.create_topic.partitions == 4
    assert plain(found.sink.kafka.librdkafka) == {"linger.ms": "5"}
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
                jsonschema.validate(value["default"], {**value, "$defs": schema["$defs"]})
            assert json.dumps(value), key
