"""Several mirrors in one file, or in several: what each of them is, and what is refused."""

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from bridge.config import ConfigurationError, Mirrors, load, load_all
from bridge.config.schema import schema

jsonschema: Any = import_module("jsonschema")

TWO = """\
defaults:
  http: {listen: 127.0.0.1:9000}
  limits: {memory: 64MiB, records_per_second: 100}
  source: {kinesis: {region: eu-west-1, start: latest}, kafka: {bootstrap_servers: [a:1]}}
  sink: {kafka: {bootstrap_servers: [b:1], compression: zstd}}
mirrors:
  - name: orders
    source: {kinesis: {stream: orders}}
    sink: {kafka: {topic: orders}}
    limits: {records_per_second: 5}
  - name: bills
    source: {kafka: {topic: bills}}
    sink: {kinesis: {stream: bills, region: eu-west-1}}
"""

ALL = """\
name: all-{stream}
source: {kinesis: {stream: "orders-*", region: eu-west-1}}
sink: {kafka: {bootstrap_servers: [b:1], topic: "from.{stream}"}}
on_error: dead_letter
dead_letter: {file: {path: "letters/{stream}.jsonl"}}
"""


def written(folder: Path, text: str, file: str = "o.yaml") -> str:
    path = folder / file
    path.write_text(text)
    return str(path)


def loaded(*files: str, name: str | None = None, settings: tuple[str, ...] = ()) -> Mirrors:
    return load_all(files, environment={}, name=name, settings=settings)


def mistakes(folder: Path, text: str, name: str | None = None) -> list[str]:
    with pytest.raises(ConfigurationError) as raised:
        loaded(written(folder, text), name=name)
    return [str(problem).removeprefix(f"{folder}/") for problem in raised.value.problems]


def test_an_entry_holds_what_it_says_and_else_the_defaults(tmp_path: Path) -> None:
    """Key by key; of a choice, as of a system, only what goes with the entry's own."""
    orders, bills = loaded(written(tmp_path, TWO)).single
    assert (orders.name, bills.name) == ("orders", "bills")
    assert orders.source.kinesis is not None
    assert orders.sink.kafka is not None
    assert (orders.source.kinesis.start, orders.sink.kafka.compression) == ("latest", "zstd")
    assert (orders.limits.memory, orders.limits.records_per_second) == (64 * 2**20, 5)
    assert bills.source.kafka is not None
    assert bills.source.kafka.bootstrap_servers == ("a:1",)
    assert bills.sink.kafka is None
    assert bills.limits.records_per_second == 100


def test_one_of_several_is_chosen_by_its_name(tmp_path: Path) -> None:
    """For the commands that work on one; without the name they say which there are."""
    file = written(tmp_path, TWO)
    assert load([file], environment={}, name="bills").name == "bills"
    for name in (None, "other"):
        with pytest.raises(ConfigurationError, match="say with --name which of orders, bills"):
            load([file], environment={}, name=name)


def test_an_option_holds_for_every_mirror(tmp_path: Path) -> None:
    """It stands over what the entries say."""
    assert [each.on_gap for each in loaded(written(tmp_path, TWO), settings=("on_gap=continue",)).single] == [
        "continue",
        "continue",
    ]


def test_several_files_are_the_mirrors_of_one_process(tmp_path: Path) -> None:
    """What one of them says of the process holds for all."""
    lines = TWO.splitlines(keepends=True)
    other = "name: third\nsource: {kinesis: {stream: c}}\nsink: {kafka: {bootstrap_servers: [b:1], topic: c}}\n"
    files = written(tmp_path, "".join(lines)), written(tmp_path, other, "c.yaml")
    assert [each.http and each.http.listen for each in loaded(*files).single] == [("127.0.0.1", 9000)] * 3


@pytest.mark.parametrize(
    ("text", "mistake"),
    {
        TWO + "on_gap: stop\n": "o.yaml:14: on_gap: stands beside mirrors; allowed: defaults.on_gap for all mirrors, "
        "or in their entries",
        TWO + "    http: null\n": "o.yaml:14: mirrors[1].http: is the whole process's; allowed: defaults.http",
        TWO + "    on_gapp: stop\n": "o.yaml:14: on_gapp: unknown key; did you mean on_gap?",
        TWO.replace("compression: zstd", "compression: zst"): "o.yaml:5: sink.kafka.compression: "
        'found "zst"; allowed: none, gzip, snappy, lz4 or zstd',
        TWO.replace("name: bills", "name: orders"): 'o.yaml:11: name: found "orders"; allowed: each name once',
        TWO.replace("  - name: bills\n    source", "  - source"): "o.yaml:11: name: is missing",
        TWO.replace("sink: {kafka: {topic: orders}}", "sink: {kafka: {}}"): "o.yaml:7: sink.kafka.topic: is missing",
        "defaults: {}\n": "o.yaml:1: mirrors: allowed: a list of mirrors, as mirrors: [{name: …}, {name: …}]",
        "mirrors: []\n": "o.yaml:1: mirrors: allowed: a list of mirrors, as mirrors: [{name: …}, {name: …}]",
        "mirrors: [orders]\n": "o.yaml:1: mirrors[0]: allowed: a section with keys of a mirror",
        "mirrors: [{}]\ndefaults: 3\n": "o.yaml:2: defaults: allowed: a section with keys of a mirror",
        ALL.replace("all-{stream}", "all"): "o.yaml:1: name: allowed: a name with {stream} in it, "
        "which tells the mirrors of orders-* apart",
    }.items(),
)
def test_a_mistake_is_named_where_it_stands(tmp_path: Path, text: str, mistake: str) -> None:
    """Also one in the defaults, which an entry inherits."""
    assert mistakes(tmp_path, text) == [mistake]


def test_files_that_disagree_about_the_process_are_refused(tmp_path: Path) -> None:
    """With both places."""
    ends = "source: {kinesis: {stream: a}}\nsink: {kafka: {bootstrap_servers: [b:1], topic: a}}\n"
    one = f"name: a\nhttp: {{listen: 127.0.0.1:1}}\n{ends}"
    files = written(tmp_path, one, "a.yaml"), written(tmp_path, one.replace("127.0.0.1:1", "127.0.0.1:2"), "b.yaml")
    with pytest.raises(ConfigurationError, match=r"b.yaml:2: http: is another than at .*a.yaml:2; all mirrors"):
        loaded(*files)


def test_a_pattern_is_a_mirror_each_name_that_matches(tmp_path: Path) -> None:
    """The name stands wherever its placeholder does."""
    [family] = loaded(written(tmp_path, ALL)).families
    assert family.matching({"orders-a", "orders-b", "bills"}) == {"orders-a", "orders-b"}
    found = family.of("orders-a")
    assert found.source.kinesis is not None
    assert found.sink.kafka is not None
    assert found.dead_letter is not None
    assert found.dead_letter.file is not None
    assert (found.name, found.source.kinesis.stream) == ("all-orders-a", "orders-a")
    assert (found.sink.kafka.topic, str(found.dead_letter.file.path)) == ("from.orders-a", "letters/orders-a.jsonl")


def test_a_name_of_other_letters_becomes_a_mirrors_name_that_is_its_own(tmp_path: Path) -> None:
    """So that two streams never share checkpoints."""
    [family] = loaded(written(tmp_path, ALL)).families
    names = {family.of(name).name for name in ("orders-A", "orders-a", "orders_a", "orders.a")}
    assert len(names) == 4
    assert "all-orders-a" in names


def test_one_of_a_pattern_is_chosen_by_its_mirrors_name(tmp_path: Path) -> None:
    """Without asking anybody which streams there are."""
    file = written(tmp_path, ALL)
    assert load([file], environment={}, name="all-orders-a").source.end.title == "Kinesis stream orders-a"
    with pytest.raises(ConfigurationError, match="say with --name which of one for each of orders-"):
        load([file], environment={}, name="all-bills")


@pytest.mark.parametrize(("sink", "mirrored"), [("a:1", {"orders"}), ("b:1", {"orders", "copy.orders"})])
def test_what_a_pattern_writes_is_not_mirrored_in_its_turn(tmp_path: Path, sink: str, mirrored: set[str]) -> None:
    """Within a cluster a copy may match as its original does; in another cluster the same name is another topic."""
    text = (
        'name: "{topic}"\nsource: {kafka: {bootstrap_servers: [a:1], topic: "*"}}\n'
        f'sink: {{kafka: {{bootstrap_servers: [{sink}], topic: "copy.{{topic}}"}}}}\n'
    )
    [family] = loaded(written(tmp_path, text)).families
    assert family.matching({"orders", "copy.orders"}) == mirrored


def test_what_a_pattern_keeps_beside_its_source_is_not_mirrored_in_its_turn(tmp_path: Path) -> None:
    """Dead letters, checkpoints, also those of others, and the one topic for all."""
    text = (
        'name: "{topic}"\nsource: {kafka: {bootstrap_servers: [a:1], topic: "*"}}\n'
        'dead_letter: {kafka: {topic: "{topic}.dl"}}\n'
    )
    into_topic = f"{text}sink: {{kafka: {{bootstrap_servers: [a:1], topic: all}}}}\n"
    into_stream = f"{text}sink: {{kinesis: {{stream: all, region: eu-west-1}}}}\n"
    names = {"orders", "orders.dl", "all", "kmbridge-checkpoints"}
    [family] = loaded(written(tmp_path, into_topic)).families
    assert family.matching(names) == {"orders"}
    [family] = loaded(written(tmp_path, into_stream)).families
    assert family.matching(names) == {"orders", "all"}


def test_the_schema_takes_several_mirrors_and_patterns() -> None:
    """An entry and the defaults may each be a part of a mirror, and know its keys."""
    judge = jsonschema.Draft202012Validator(schema())
    assert judge.is_valid(yaml.safe_load(TWO))
    assert judge.is_valid(yaml.safe_load(ALL))
    assert not judge.is_valid(yaml.safe_load(TWO + "    on_gapp: stop\n"))
    assert not judge.is_valid(yaml.safe_load(TWO.replace("compression: zstd", "compression: zst")))
