"""Every mistake is named with its place, what was found and what is allowed: the messages word for word."""

from itertools import pairwise
from pathlib import Path
from string import ascii_lowercase

import pytest

from bridge.config import ConfigurationError, load

VALID = """\
name: orders
source:
  kinesis: {stream: orders, region: eu-west-1}
sink:
  kafka:
    bootstrap_servers: [b-1:9098]
    topic: orders
"""

CHECKPOINTS = (
    "auto, memory, or a section with exactly one of sqlite: {path: FILE}, "
    "kafka: {topic, bootstrap_servers, slots} and dynamodb: {table: TABLE}"
)
SOURCES = "exactly one of kinesis: {stream: STREAM} and kafka: {bootstrap_servers, topic: TOPIC}"
ELSEWHERE = (
    "at_least_once beside checkpoints that are not in the sink's cluster; exactly_once takes "
    "checkpoints: auto, or kafka: {…} without bootstrap_servers of another cluster"
)


def messages(
    folder: Path, text: str, settings: tuple[str, ...] = (), environment: dict[str, str] | None = None
) -> list[str]:
    """What is wrong with ``text`` as ``o.yaml``, without the folder in front."""
    file = folder / "o.yaml"
    file.write_text(text)
    with pytest.raises(ConfigurationError) as raised:
        load([str(file)], environment=environment or {}, settings=settings)
    return [str(problem).removeprefix(f"{folder}/") for problem in raised.value.problems]


LINES = {
    "an unknown key gets the nearest one": (
        "on_gapp: stop",
        "o.yaml:8: on_gapp: unknown key; did you mean on_gap?",
    ),
    "a key at the wrong level gets its right place": (
        "compression: zstd",
        (
            "o.yaml:8: compression: unknown key; did you mean sink.kafka.compression or sink.kinesis.compression or "
            "transforms.schemas.to.glue.compression?"
        ),
    ),
    "a token that no header can carry is not repeated": (
        "http: {token: 'two words'}",
        "o.yaml:8: http.token: found a value that is not shown; allowed: visible ASCII characters without spaces",
    ),
    "consumers that move need both their names": (
        "cutover: {consumers: [{application: billing}]}",
        "o.yaml:8: cutover.consumers[0].group: is missing",
    ),
    "a group that takes two applications": (
        "cutover: {consumers: [{application: one, group: g}, {application: two, group: g}]}",
        "o.yaml:8: cutover.consumers: found a list; allowed: each application and each group once",
    ),
    "a mirror back that carries no origin": (
        "cutover: {reverse: {codec: raw}}",
        'o.yaml:8: cutover.reverse.codec: found "raw"; allowed: kpl or envelope',
    ),
    "an unknown key like no other gets all": (
        "log: {colour: red}",
        "o.yaml:8: log.colour: unknown key; known here: format, level",
    ),
    "YAML's yes is told apart from text": (
        "on_gap: yes",
        "o.yaml:8: on_gap: found yes, which YAML reads as true (in quotes it is text); allowed: stop or continue",
    ),
    "YAML's off is told apart from text": (
        "provenance: off",
        (
            "o.yaml:8: provenance: found off, which YAML reads as false (in quotes it is text); "
            "allowed: auto, always or never"
        ),
    ),
    "a wrong word": (
        "log: {level: loud}",
        'o.yaml:8: log.level: found "loud"; allowed: debug, info, warning or error',
    ),
    "a duration without unit": (
        "checkpoint_interval: 5",
        "o.yaml:8: checkpoint_interval: found 5; allowed: a duration above 0 with its unit: 200ms, 1s, 5m, 2h, 7d",
    ),
    "YAML's base 60": (
        "checkpoint_interval: 1:30",
        (
            "o.yaml:8: checkpoint_interval: found 1:30, which YAML reads as 90; "
            "allowed: a duration above 0 with its unit: 200ms, 1s, 5m, 2h, 7d"
        ),
    ),
    "no duration": (
        "checkpoint_interval: 0s",
        'o.yaml:8: checkpoint_interval: found "0s"; allowed: a duration above 0 with its unit: 200ms, 1s, 5m, 2h, 7d',
    ),
    "a size without unit": (
        "limits: {memory: lots}",
        (
            'o.yaml:8: limits.memory: found "lots"; '
            "allowed: a size with its unit: 512KiB, 256MiB, 1GiB, or a number of bytes"
        ),
    ),
    "too little memory": (
        "limits: {memory: 12}",
        "o.yaml:8: limits.memory: found 12; allowed: at least 1MiB",
    ),
    "a boolean is no size": (
        "limits: {memory: true}",
        (
            "o.yaml:8: limits.memory: found true; "
            "allowed: a size with its unit: 512KiB, 256MiB, 1GiB, or a number of bytes"
        ),
    ),
    "no records a second": (
        "limits: {records_per_second: 0}",
        "o.yaml:8: limits.records_per_second: found 0; allowed: above 0",
    ),
    "a rate without end": (
        "limits: {records_per_second: .inf}",
        "o.yaml:8: limits.records_per_second: found .inf, which YAML reads as inf; allowed: a finite number",
    ),
    "no bytes a second": (
        "limits: {bytes_per_second: 0}",
        "o.yaml:8: limits.bytes_per_second: found 0; allowed: a size above 0, or null for no limit",
    ),
    "a section without keys": (
        "log:",
        "o.yaml:8: log: found nothing; allowed: a section with the keys format, level",
    ),
    "an address without port": (
        "http: {listen: localhost}",
        'o.yaml:8: http.listen: found "localhost"; allowed: HOST:PORT, as 127.0.0.1:8080',
    ),
    "checkpoints of no kind": (
        "checkpoints: sqlite",
        f'o.yaml:8: checkpoints: found "sqlite"; allowed: {CHECKPOINTS}',
    ),
    "checkpoints in two places": (
        "checkpoints: {sqlite: {path: x}, kafka: {}}",
        f"o.yaml:8: checkpoints: found a section; allowed: {CHECKPOINTS}",
    ),
    "checkpoints in a section of nothing": (
        "checkpoints: {}",
        f"o.yaml:8: checkpoints: found a section; allowed: {CHECKPOINTS}",
    ),
    "checkpoints in an unknown place": (
        "checkpoints: {kafk: {}}",
        "o.yaml:8: checkpoints.kafk: unknown key; did you mean kafka?",
    ),
    "a key of a kind of checkpoints at its wrong level": (
        "checkpoints: {kafka: {}, slots: 5}",
        "o.yaml:8: checkpoints.slots: unknown key; did you mean checkpoints.kafka.slots?",
    ),
    "checkpoints in Kafka without a section": (
        "checkpoints: {kafka: }",
        (
            "o.yaml:8: checkpoints.kafka: found nothing; "
            "allowed: a section with the keys bootstrap_servers, msk_cluster_arn, msk_connectivity, auth, topic, slots"
        ),
    ),
    "no slots": (
        "checkpoints: {kafka: {slots: 0}}",
        "o.yaml:8: checkpoints.kafka.slots: found 0; allowed: at least 1",
    ),
    "more slots than a topic should have": (
        "checkpoints: {kafka: {slots: 1001}}",
        "o.yaml:8: checkpoints.kafka.slots: found 1001; allowed: at most 1000",
    ),
    "a checkpoint topic that cannot be": (
        "checkpoints: {kafka: {topic: a/b}}",
        ('o.yaml:8: checkpoints.kafka.topic: found "a/b"; allowed: a topic\'s name: 1 to 249 of a-z, A-Z, 0-9, . _ -'),
    ),
    "a broker of the checkpoints without port": (
        "checkpoints: {kafka: {bootstrap_servers: [b-1]}}",
        ('o.yaml:8: checkpoints.kafka.bootstrap_servers[0]: found "b-1"; allowed: HOST:PORT, as 127.0.0.1:8080'),
    ),
    "checkpoints in DynamoDB without a table": (
        "checkpoints: {dynamodb: {region: eu-west-1}}",
        "o.yaml:8: checkpoints.dynamodb.table: is missing",
    ),
    "a table that cannot be": (
        "checkpoints: {dynamodb: {table: ab}}",
        (
            'o.yaml:8: checkpoints.dynamodb.table: found "ab"; '
            "allowed: a table's name: 3 to 255 of a-z, A-Z, 0-9, _ . -"
        ),
    ),
    "an endpoint of DynamoDB that is no URL": (
        "checkpoints: {dynamodb: {table: abc, endpoint_url: 'localhost:8000'}}",
        (
            'o.yaml:8: checkpoints.dynamodb.endpoint_url: found "localhost:8000"; '
            "allowed: a URL, as http://127.0.0.1:4567"
        ),
    ),
    "dead letters among the checkpoints": (
        "dead_letter: {kafka: {topic: kmbridge-checkpoints}}",
        (
            'o.yaml:8: dead_letter.kafka.topic: found "kmbridge-checkpoints"; '
            "allowed: another topic than that of the checkpoints, which is in the same cluster"
        ),
    ),
    "a session of less than a worker can keep": (
        "workers: {session_timeout: 999ms}",
        'o.yaml:8: workers.session_timeout: found "999ms"; allowed: 1s to 30m',
    ),
    "a session of more than brokers allow": (
        "workers: {session_timeout: 31m}",
        'o.yaml:8: workers.session_timeout: found "31m"; allowed: 1s to 30m',
    ),
    "a session that only the broker can set": (
        "workers: {session_timeout: 6s, group_protocol: consumer}",
        (
            'o.yaml:8: workers.session_timeout: found "6s"; allowed: left out beside group_protocol: consumer, '
            "where the broker's group.consumer.session.timeout.ms holds"
        ),
    ),
    "a group protocol of no kind": (
        "workers: {group_protocol: eager}",
        'o.yaml:8: workers.group_protocol: found "eager"; allowed: classic or consumer',
    ),
    "an instance that is no name": (
        "workers: {instance: pod 1}",
        (
            'o.yaml:8: workers.instance: found "pod 1"; '
            "allowed: null, or 1 to 200 of a-z, A-Z, 0-9, . _ -, another for each worker"
        ),
    ),
    "a key that stands twice": (
        "name: again",
        "o.yaml:8: name: this key stands twice, first on line 1",
    ),
    "dead letters without a place": (
        "on_error: dead_letter",
        (
            'o.yaml:8: on_error: found "dead_letter"; '
            "allowed: stop; or dead_letter beside the key dead_letter, which says where to"
        ),
    ),
    "dead letters into the sink's own topic": (
        "dead_letter: {kafka: {topic: orders}}",
        (
            'o.yaml:8: dead_letter.kafka.topic: found "orders"; '
            "allowed: another topic than that of the sink, which is in the same cluster"
        ),
    ),
    "dead letters to two places": (
        "dead_letter: {kafka: {topic: bad}, file: {path: bad}}",
        (
            "o.yaml:8: dead_letter: found a section; "
            "allowed: exactly one of kafka: {topic: TOPIC}, kinesis: {stream: STREAM} and file: {path: FILE}"
        ),
    ),
    "an alias inside its anchor": (
        "log: &x {level: *x}",
        "o.yaml:8: log.level: this alias stands inside its own anchor",
    ),
    "a tag that makes objects": (
        "on_gap: !!python/name:os.system x",
        "o.yaml:8: on_gap: YAML tag !!python/name:os.system is not read here",
    ),
    "a tab": (
        "\tlog: x",
        (
            "o.yaml:8: not valid YAML at line 8, column 1: while scanning for the next token, "
            "found character '\\t' that cannot start any token"
        ),
    ),
    "a bracket that is not closed": (
        "transforms: [",
        (
            "o.yaml:9: not valid YAML at line 9, column 1: while parsing a flow node, "
            "expected the node content, but found '<stream end>'"
        ),
    ),
    "a variable that is not set": (
        "on_gap: ${ON_GAP}",
        "o.yaml:8: on_gap: the environment has no variable ON_GAP; set it, or write ${ON_GAP:-default}",
    ),
    "transforms that are no list": (
        "transforms: {python: 'm:f'}",
        "o.yaml:8: transforms: found a section; allowed: a list",
    ),
    "a step that is no section": (
        "transforms: [m]",
        (
            'o.yaml:8: transforms[0]: found "m"; allowed: a section with exactly one of python: MODULE:FUNCTION, '
            "filter: EXPRESSION, map: EXPRESSION or {set, remove}, rekey: EXPRESSION, headers: {set, remove}, "
            "redact: {fields}, lambda: {function} and schemas: {from, to}"
        ),
    ),
    "a step of an unknown kind": (
        "transforms: [{pythn: 'm:f'}]",
        "o.yaml:8: transforms[0].pythn: unknown key; did you mean python?",
    ),
    "an unknown key beside a step's kind": (
        "transforms:\n- python: m:f\n- python: m:f\n  time_out: 1s",
        "o.yaml:11: transforms[1].time_out: unknown key; did you mean timeout?",
    ),
    "a function that is none": (
        "transforms: [{python: m.f}]",
        (
            'o.yaml:8: transforms[0].python: found "m.f"; '
            "allowed: MODULE:FUNCTION, as my_module:function or my_package.my_module:function"
        ),
    ),
    "a variable in the default of another": (
        "on_gap: ${X:-${Y}}",
        "o.yaml:8: on_gap: malformed variable; allowed: ${NAME} or ${NAME:-default}, NAME of letters, digits and _",
    ),
    "a malformed variable": (
        "on_gap: ${ON-GAP}",
        "o.yaml:8: on_gap: malformed variable; allowed: ${NAME} or ${NAME:-default}, NAME of letters, digits and _",
    ),
    "a variable between brackets": (
        "log: {level: ${LEVEL}}",
        (
            "o.yaml:8: not valid YAML at line 8, column 15: while parsing a flow mapping, "
            "expected ',' or '}', but got '{'; "
            'between { } or [ ] a variable needs quotes, as "${VAR}"'
        ),
    ),
}


@pytest.mark.parametrize(("line", "message"), LINES.values(), ids=LINES.keys())
def test_a_mistake_is_named(tmp_path: Path, line: str, message: str) -> None:
    """One line more than a valid file has, one message about it."""
    assert messages(tmp_path, VALID + line + "\n") == [message]


ENDS = {
    "a start of no kind": (
        ("region: eu-west-1", "start: yesterday"),
        (
            'o.yaml:3: source.kinesis.start: found "yesterday"; '
            "allowed: trim_horizon, latest, or an ISO-8601 time with its zone, as 2026-01-31T12:00:00Z"
        ),
    ),
    "a start without zone": (
        ("region: eu-west-1", "start: 2026-01-31T12:00:00"),
        (
            'o.yaml:3: source.kinesis.start: found "2026-01-31T12:00:00"; '
            "allowed: trim_horizon, latest, or an ISO-8601 time with its zone, as 2026-01-31T12:00:00Z"
        ),
    ),
    "more than all of a shard": (
        ("region: eu-west-1", "read_share: 1.5"),
        "o.yaml:3: source.kinesis.read_share: found 1.5; allowed: at most 1 at AWS, which enforces its limits",
    ),
    "a consumer where nobody subscribes": (
        ("region: eu-west-1", "fan_out_consumer: orders"),
        'o.yaml:3: source.kinesis.fan_out_consumer: found "orders"; allowed: left out where read is polling',
    ),
    "a fallback to what is done anyway": (
        ("region: eu-west-1", "fan_out_fallback: polling"),
        'o.yaml:3: source.kinesis.fan_out_fallback: found "polling"; allowed: left out where read is polling',
    ),
    "a consumer of nobody's": (
        ("region: eu-west-1", 'read: fan_out, fan_out_consumer: "two words"'),
        (
            'o.yaml:3: source.kinesis.fan_out_consumer: found "two words"; '
            "allowed: a consumer's name (1 to 128 of a-z, A-Z, 0-9, _ . -) or its ARN"
        ),
    ),
    "a region that contradicts the ARN": (
        ("stream: orders", "stream: arn:aws:kinesis:us-east-1:123456789012:stream/orders"),
        (
            'o.yaml:3: source.kinesis.region: found "eu-west-1"; '
            "allowed: us-east-1, as the stream's ARN says, or left out"
        ),
    ),
    "a broker without port": (
        ("[b-1:9098]", "[b-1]"),
        'o.yaml:6: sink.kafka.bootstrap_servers[0]: found "b-1"; allowed: HOST:PORT, as 127.0.0.1:8080',
    ),
    "a topic that is a number": (
        ("topic: orders", "topic: 2026"),
        "o.yaml:7: sink.kafka.topic: found 2026; allowed: text (in quotes, where YAML would read it as something else)",
    ),
    "no topic": (
        ("    topic: orders\n", ""),
        "o.yaml:5: sink.kafka.topic: is missing",
    ),
    "no name": (
        ("name: orders\n", ""),
        "o.yaml:1: name: is missing",
    ),
    "a name with a capital": (
        ("name: orders", "name: Orders"),
        'o.yaml:1: name: found "Orders"; allowed: 1 to 60 of a-z, 0-9 and -, the first a letter or a digit',
    ),
    "both ends in one": (
        ("  kinesis: {", "  kafka: {}\n  kinesis: {"),
        f"o.yaml:2: source: found a section; allowed: {SOURCES}",
    ),
    "no end at all": (
        ("  kinesis: {stream: orders, region: eu-west-1}", "  {}"),
        f"o.yaml:2: source: found a section; allowed: {SOURCES}",
    ),
    "an end that is nothing": (
        ("  kinesis: {stream: orders, region: eu-west-1}", "  kinesis:"),
        f"o.yaml:2: source: found a section; allowed: {SOURCES}",
    ),
    "an end of no system": (
        ("  kinesis: {stream: orders, region: eu-west-1}", "  kinesi: {}"),
        "o.yaml:3: source.kinesi: unknown key; did you mean kinesis?",
    ),
    "a start that is a topic's": (
        ("region: eu-west-1", "start: earliest"),
        (
            'o.yaml:3: source.kinesis.start: found "earliest"; allowed: trim_horizon, latest, or an ISO-8601 time '
            "with its zone, as 2026-01-31T12:00:00Z (earliest is a topic's word)"
        ),
    ),
    "a count that is a boolean": (
        ("    topic: orders", "    topic: orders\n    create_topic: {partitions: yes}"),
        (
            "o.yaml:8: sink.kafka.create_topic.partitions: found yes, which YAML reads as true (in quotes it is text); "
            "allowed: a number"
        ),
    ),
    "no partitions": (
        ("    topic: orders", "    topic: orders\n    create_topic: {partitions: 0}"),
        "o.yaml:8: sink.kafka.create_topic.partitions: found 0; allowed: at least 1",
    ),
    "none of a shard": (
        ("region: eu-west-1", "read_share: 0"),
        "o.yaml:3: source.kinesis.read_share: found 0; allowed: above 0",
    ),
    "a delivery of no kind": (
        ("    topic: orders", "    topic: orders\n    delivery: at_most_once"),
        'o.yaml:8: sink.kafka.delivery: found "at_most_once"; allowed: exactly_once or at_least_once',
    ),
    "a transaction that the broker would end": (
        ("    topic: orders", "    topic: orders\n    commit_interval: 5001ms"),
        (
            'o.yaml:8: sink.kafka.commit_interval: found "5001ms"; '
            "allowed: at most 5s, for the broker aborts a transaction that is open for 10s"
        ),
    ),
    "a transaction without end": (
        ("    topic: orders", "    topic: orders\n    commit_interval: 0ms"),
        (
            'o.yaml:8: sink.kafka.commit_interval: found "0ms"; '
            "allowed: a duration above 0 with its unit: 200ms, 1s, 5m, 2h, 7d"
        ),
    ),
    "records among the checkpoints": (
        ("    topic: orders", "    topic: kmbridge-checkpoints"),
        (
            'o.yaml:7: sink.kafka.topic: found "kmbridge-checkpoints"; '
            "allowed: another topic than that of the checkpoints, which is in the same cluster"
        ),
    ),
    "records among checkpoints of another name": (
        ("    topic: orders", "    topic: orders\ncheckpoints: {kafka: {topic: orders}}"),
        (
            'o.yaml:7: sink.kafka.topic: found "orders"; '
            "allowed: another topic than that of the checkpoints, which is in the same cluster"
        ),
    ),
    "a client setting on which guarantees rest": (
        ("    topic: orders", "    topic: orders\n    librdkafka: {acks: 1, linger.ms: 5}"),
        (
            "o.yaml:8: sink.kafka.librdkafka: found a section; "
            "allowed: any setting but acks, on which the bridge's guarantees rest"
        ),
    ),
    "a server at no address": (
        ("region: eu-west-1", "endpoint_url: 'http://[::1'"),
        'o.yaml:3: source.kinesis.endpoint_url: found "http://[::1"; allowed: a URL, as http://127.0.0.1:4567',
    ),
    "a server at no port": (
        ("region: eu-west-1", "endpoint_url: 'http://a:99999'"),
        'o.yaml:3: source.kinesis.endpoint_url: found "http://a:99999"; allowed: a URL, as http://127.0.0.1:4567',
    ),
    "a list for the client": (
        ("    topic: orders", "    topic: orders\n    librdkafka: {linger.ms: [5]}"),
        "o.yaml:8: sink.kafka.librdkafka.linger.ms: found a list; allowed: a text, a number, true or false",
    ),
}


@pytest.mark.parametrize(("change", "message"), ENDS.values(), ids=ENDS.keys())
def test_a_mistake_in_an_end_is_named(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    """One piece of a valid file changed, one message about it."""
    assert change[0] in VALID
    assert messages(tmp_path, VALID.replace(*change)) == [message]


PLACES_ELSEWHERE = (
    "memory",
    "{sqlite: {path: x.db}}",
    "{dynamodb: {table: abc}}",
    "{kafka: {bootstrap_servers: [b-2:9098]}}",
    "{kafka: {bootstrap_servers: [b-1:9099]}}",
)


@pytest.mark.parametrize("place", PLACES_ELSEWHERE)
def test_exactly_once_is_refused_where_no_transaction_can_hold_the_checkpoints(tmp_path: Path, place: str) -> None:
    """At the key that asks for it, with both ways out."""
    assert messages(tmp_path, f"{VALID}    delivery: exactly_once\ncheckpoints: {place}\n") == [
        f'o.yaml:8: sink.kafka.delivery: found "exactly_once"; allowed: {ELSEWHERE}'
    ]


def test_what_asks_for_nothing_may_be_written_out(tmp_path: Path) -> None:
    """As the surface shows it: the defaults."""
    file = tmp_path / "o.yaml"
    file.write_text(
        VALID + "    auth: none\n    partitioner: murmur2\n"
        "transforms: []\nlimits: {records_per_second: null}\nhttp: {token: null}\ndead_letter: null\n"
    )
    assert load([str(file)], environment={}).name == "orders"


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    """In the order of the file, not one after the other."""
    found = messages(tmp_path, VALID + "on_gap: x\nlog: {level: 3}\nhttp: 1\n")
    assert [line.split(":")[1] for line in found] == ["8", "9", "10"]


def test_a_variable_is_never_shown_by_its_value(tmp_path: Path) -> None:
    """A message repeats what stands in the file, for what is in the environment may be a secret."""
    found = messages(tmp_path, VALID + "on_gap: ${SECRET}\n", environment={"SECRET": "hunter2"})
    assert found == ['o.yaml:8: on_gap: found "${SECRET}"; allowed: stop or continue']


def test_credentials_in_a_url_are_not_repeated(tmp_path: Path) -> None:
    """A refused endpoint is shown without what stands before its host."""
    text = VALID.replace("region: eu-west-1", "endpoint_url: 'http://me:hunter2@host'")
    assert messages(tmp_path, text) == [
        'o.yaml:3: source.kinesis.endpoint_url: found "http://…@host"; allowed: a URL, as http://127.0.0.1:4567'
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "o.yaml: found nothing; allowed: a mapping of keys; `kmbridge config example` prints one"),
        ("- a", "o.yaml: found a list; allowed: a mapping of keys; `kmbridge config example` prints one"),
        ("a\x00b", "o.yaml:1: not valid YAML: the character '\\x00' is not allowed"),
        (
            "a: 1\n---\nb: 2\n",
            "o.yaml:2: not valid YAML at line 2, column 1: expected a single document in the stream, but found ",
        ),
        ("a: " + "[" * 5_000, "o.yaml: is nested too deep"),
        (
            "a: &a [x, x]\n" + "".join(f"{b}: &{b} [*{a}, *{a}]\n" for a, b in pairwise(ascii_lowercase)),
            "o.yaml: holds more than 100,000 values, each alias counted with all that it stands for",
        ),
    ],
    ids=["nothing", "a list", "a character", "two documents", "a tower", "aliases of aliases"],
)
def test_what_is_no_configuration_at_all_is_told(tmp_path: Path, text: str, message: str) -> None:
    """One clear message for a file that is something else."""
    (found,) = messages(tmp_path, text)
    assert found.startswith(message)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """Missing, a folder, or no text: each says which file and why."""
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe\x00")
    for path, reason in ((tmp_path / "none", "No such file"), (tmp_path, "Is a directory"), (binary, "not UTF-8")):
        with pytest.raises(ConfigurationError, match=reason) as raised:
            load([str(path)], environment={})
        assert str(path) in str(raised.value)


@pytest.mark.parametrize("value", ["!!int twelve", "!!float twelve", "!!bool perhaps", "9" * 5_000])
def test_what_yaml_itself_cannot_read_is_named(tmp_path: Path, value: str) -> None:
    """A tag that does not fit its value, or a number beyond measure, is a mistake on its line like any other."""
    (found,) = messages(tmp_path, f"{VALID}limits: {{records_per_second: {value}}}\n")
    assert found.startswith("o.yaml:8: limits.records_per_second: cannot be read as a YAML ")


SETTINGS = {
    "sink.kafka.compresion=zstd": "--set sink.kafka.compresion: unknown key; did you mean compression?",
    "sink.kafka.compression=yes": "--set sink.kafka.compression: found yes, which YAML reads as true "
    "(in quotes it is text); allowed: none, gzip, snappy, lz4 or zstd",
    "hunter2": '--set: found "hunter2"; allowed: KEY=VALUE, as sink.kafka.topic=orders',
    "=hunter2": '--set: found ""; allowed: KEY=VALUE, as sink.kafka.topic=orders',
    "a..b=hunter2": '--set: found "a..b"; allowed: KEY=VALUE, as sink.kafka.topic=orders',
    "limits.memory=[1": "--set limits.memory: not valid YAML: while parsing a flow sequence, "
    "expected ',' or ']', but got '<stream end>'",
    "source.kinesis.read=push": '--set source.kinesis.read: found "push"; allowed: polling or fan_out',
    "sink.kafka.commit_interval=6s": '--set sink.kafka.commit_interval: found "6s"; '
    "allowed: at most 5s, for the broker aborts a transaction that is open for 10s",
    "sink.kafka.librdkafka.sasl.password=[hunter2]": "--set sink.kafka.librdkafka.sasl.password: found a list; "
    "allowed: a text, a number, true or false",
}


@pytest.mark.parametrize(("setting", "message"), SETTINGS.items())
def test_a_mistake_in_an_option_names_the_option(tmp_path: Path, setting: str, message: str) -> None:
    """--set is told apart from the file over which it was set."""
    assert messages(tmp_path, VALID, settings=(setting,)) == [message]


URLS = {
    ("http://x/y", "kafka://a:1/b"): 'source URL: found scheme "http"; allowed: kinesis://[REGION]/STREAM'
    "[?endpoint_url=…&start=…] or kafka://HOST:PORT[,HOST:PORT…]/TOPIC[?…]",
    ("kinesis:///x", "kafka:///b"): "sink URL: found no host; allowed: kafka://HOST:PORT[,HOST:PORT…]/TOPIC[?…]",
    ("kinesis:///", "kafka://a:1/b"): "source URL: does not have the form "
    "kinesis://[REGION]/STREAM[?endpoint_url=…&start=…]",
    ("kinesis:///x", "kafka://me:hunter2@a:1/b"): "sink URL: found credentials before the host; "
    "allowed: kafka://HOST:PORT[,HOST:PORT…]/TOPIC[?…], secrets in a file by ${VAR}",
    ("kinesis:///x?strat=latest", "kafka://a:1/b"): "source URL: source.kinesis.strat: unknown key; "
    "did you mean start?",
    ("kinesis:///x?start=1&start=2", "kafka://a:1/b"): "source URL: found start twice; "
    "allowed: each key once, KEY=VALUE",
    ("kinesis:///x", "kafka://a/b"): 'sink URL: sink.kafka.bootstrap_servers[0]: found "a"; '
    "allowed: HOST:PORT, as 127.0.0.1:8080",
    ("kafka://a:1/b?isolation=none", "kinesis:///c"): 'source URL: source.kafka.isolation: found "none"; '
    "allowed: read_committed or read_uncommitted",
    ("kafka://a:1/b", "kinesis:///c?codec=avro"): 'sink URL: sink.kinesis.codec: found "avro"; '
    "allowed: kpl, raw or envelope",
    ("kafka://a:1/b", "kafka://a:1/b"): 'sink URL: sink.kafka.topic: found "b"; '
    "allowed: another topic than that of the source, which is in the same cluster",
    ("kinesis:///x",): "arguments: found a URL; allowed: configuration files, or a source URL and a sink URL",
    ("kinesis:///x", "o.yaml"): "arguments: found a URL and a file; "
    "allowed: configuration files, or a source URL and a sink URL",
    ("a.yaml", "b.yaml"): "arguments: found 2 files; allowed: one configuration file, or a source URL and a sink URL",
}


@pytest.mark.parametrize(("targets", "message"), URLS.items())
def test_a_mistake_in_a_url_is_named(targets: tuple[str, ...], message: str) -> None:
    """The message says which of the two URLs, and which key of it."""
    with pytest.raises(ConfigurationError) as raised:
        load(targets, environment={})
    assert [str(problem) for problem in raised.value.problems] == [message]
