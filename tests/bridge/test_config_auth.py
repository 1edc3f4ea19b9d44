"""How clusters of Kafka are named and entered: what a configuration may say, and that no secret gets out of it."""

import traceback
from pathlib import Path

import pytest

from bridge.config import Configuration, ConfigurationError, load
from bridge.config.cluster import Found
from bridge.migration.measures.reversed import reversed_configuration
from connectors.kafka.auth import Bearer, Open, Scram, Tls

CLUSTER = "arn:aws:kafka:eu-west-1:123456789012:cluster/orders/01234567-89ab-cdef-0123-456789abcdef-1"
SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:AmazonMSK_orders-a1b2c3"
ROLE = "arn:aws:iam::123456789012:role/mirror"
BROKERS = "bootstrap_servers: [b-1:9096]"


def loaded(folder: Path, sink: str, more: str = "", **environment: str) -> Configuration:
    """A mirror whose sink section is ``{topic: orders, SINK}``."""
    file = folder / "o.yaml"
    source = "kinesis: {stream: orders, region: eu-west-1}"
    file.write_text(f"name: orders\nsource: {{{source}}}\nsink: {{kafka: {{topic: orders, {sink}}}}}\n{more}")
    return load([str(file)], environment=environment)


def mistakes(folder: Path, sink: str, more: str = "") -> list[str]:
    with pytest.raises(ConfigurationError) as told:
        loaded(folder, sink, more)
    return [str(problem) for problem in told.value.problems]


def login(found: Configuration) -> object:
    assert found.sink.kafka is not None
    return found.sink.kafka.login


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("none", Open()),
        ("{tls: {}}", Tls()),
        ("{tls: {ca: ca.pem}}", Tls(ca="ca.pem")),
        (
            "{tls: {ca: ca.pem, certificate: c.pem, key: c.key, key_password: secret}}",
            Tls("ca.pem", "c.pem", "c.key", "secret"),
        ),
        ("{tls: {unsafe_skip_certificate_checks: true}}", Tls(checks_certificates=False)),
        ("{scram: {username: me, password: secret}}", Scram("me", "secret")),
        ("{scram: {username: me, password: secret}, tls: {ca: ca.pem}}", Scram("me", "secret", Tls("ca.pem"))),
    ],
)
def test_an_auth_is_what_clients_connect_with(tmp_path: Path, text: str, expected: object) -> None:
    """Certificates are checked wherever nobody says that they are not to be."""
    assert login(loaded(tmp_path, f"{BROKERS}, auth: {text}")) == expected


@pytest.mark.parametrize(
    ("sink", "expected"),
    [
        (f"{BROKERS}, msk_cluster_arn: '{CLUSTER}'", ["msk_cluster_arn", "left out beside bootstrap_servers"]),
        ("partitioner: murmur2", ["bootstrap_servers", "a list of HOST:PORT; or msk_cluster_arn in its place"]),
        ("msk_cluster_arn: orders", ["msk_cluster_arn", "the ARN of an MSK cluster"]),
        (f"{BROKERS}, msk_connectivity: vpc", ["msk_connectivity", "left out, where there is no msk_cluster_arn"]),
        (f"{BROKERS}, auth: sasl", ["auth", "none, or a section with"]),
        (f"{BROKERS}, auth: {{}}", ["auth", "none, or a section with"]),
        (f"{BROKERS}, auth: {{sasl: {{}}}}", ["auth.sasl", "unknown key"]),
        (f"{BROKERS}, auth: {{iam: {{}}, scram: {{secret_arn: '{SECRET}'}}}}", ["auth", "none, or a section with"]),
        (f"{BROKERS}, auth: {{scram: {{}}}}", ["auth.scram.username", "or secret_arn instead of both"]),
        (f"{BROKERS}, auth: {{scram: {{username: me}}}}", ["auth.scram.password", "password: ${KAFKA_PASSWORD}"]),
        (f"{BROKERS}, auth: {{scram: {{username: me, secret_arn: '{SECRET}'}}}}", ["auth.scram.username", "left out"]),
        (f"{BROKERS}, auth: {{scram: {{secret_arn: orders}}}}", ["auth.scram.secret_arn", 'found "orders"']),
        (f"{BROKERS}, auth: {{iam: {{assume_role_arn: mirror}}}}", ["auth.iam.assume_role_arn", "the ARN of a role"]),
        (f"{BROKERS}, auth: {{tls: {{certificate: c.pem}}}}", ["auth.tls.key", "the file of the certificate's key"]),
        (f"{BROKERS}, auth: {{tls: {{key: c.key}}}}", ["auth.tls.certificate", "beside its key"]),
        (f"{BROKERS}, auth: {{tls: {{key_password: x}}}}", ["auth.tls.key_password", "where there is no key"]),
        (
            f"{BROKERS}, auth: {{iam: {{}}}}, librdkafka: {{security.protocol: plaintext}}",
            ["librdkafka", "any setting but security.protocol, which auth sets"],
        ),
        (
            f"{BROKERS}, librdkafka: {{enable.ssl.certificate.verification: false}}",
            ["librdkafka", "auth.tls.unsafe_skip_certificate_checks is the one for it"],
        ),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, sink: str, expected: list[str]) -> None:
    """With its key, and what is allowed there."""
    (message,) = mistakes(tmp_path, sink)
    assert message.startswith(f"{tmp_path / 'o.yaml'}:3: sink.kafka.{expected[0]}: ")
    assert expected[1] in message


def test_a_cluster_may_be_named_by_its_arn(tmp_path: Path) -> None:
    """Its brokers and its tokens are known once AWS was asked, and not before."""
    found = loaded(tmp_path, f"msk_cluster_arn: '{CLUSTER}', msk_connectivity: public, auth: {{iam: {{}}}}")
    cluster = found.sink.kafka
    assert cluster is not None
    assert (cluster.names, cluster.region, cluster.wants_locating) == ((CLUSTER,), "eu-west-1", True)
    with pytest.raises(RuntimeError):
        _ = cluster.servers
    with pytest.raises(RuntimeError):
        _ = cluster.login
    auth = Bearer(lambda _: ("token", 0.0))
    known = found.with_clusters({"sink": cluster.located(Found(("b-1:9098",), auth))})
    assert known.sink.kafka is not None
    assert (known.sink.kafka.servers, known.sink.kafka.login) == (("b-1:9098",), auth)
    assert found.sink.kafka is cluster


@pytest.mark.parametrize(
    ("server", "region"),
    [
        ("b-1.orders.abc123.c2.kafka.eu-central-1.amazonaws.com:9098", "eu-central-1"),
        ("boot-x1.c1.kafka-serverless.us-west-2.amazonaws.com:9098", "us-west-2"),
        ("b-1:9098", None),
    ],
)
def test_the_region_is_told_by_the_brokers_of_msk(tmp_path: Path, server: str, region: str | None) -> None:
    """So that it need not be said twice."""
    found = loaded(tmp_path, f"bootstrap_servers: ['{server}'], auth: {{iam: {{}}}}").sink.kafka
    assert found is not None
    assert found.region == region


def test_an_arn_stands_for_one_cluster(tmp_path: Path) -> None:
    """Checkpoints in it are in the sink's cluster, so that a transaction holds both."""
    place = f"checkpoints: {{kafka: {{msk_cluster_arn: '{CLUSTER}'}}}}\n"
    found = loaded(tmp_path, f"msk_cluster_arn: '{CLUSTER}', auth: {{iam: {{}}}}", place)
    assert (found.checkpoints_in_sink, found.delivery) == (True, "exactly_once")


def test_checkpoints_in_a_cluster_of_their_own_have_an_auth_of_their_own(tmp_path: Path) -> None:
    """At an end's cluster that end's auth holds."""
    own = "checkpoints: {kafka: {bootstrap_servers: 'c-1:9096', auth: {scram: {username: me, password: secret}}}}\n"
    found = loaded(tmp_path, BROKERS, own)
    assert found.checkpoint_cluster is not None
    assert found.checkpoint_cluster.login == Scram("me", "secret")
    for place in ("bootstrap_servers: 'b-1:9096', ", ""):
        text = f"checkpoints: {{kafka: {{{place}auth: {{tls: {{}}}}}}}}\n"
        (message,) = mistakes(tmp_path, BROKERS, text)
        assert "checkpoints.kafka.auth" in message
        assert "the cluster of an end, whose auth holds" in message


_TLS = "{certificate: c.pem, key: c.key, key_password: '${PASSWORD}'}"
SCRAM = f"{BROKERS}, auth: {{scram: {{username: me, password: '${{PASSWORD}}'}}, tls: {_TLS}}}"


def test_a_secret_is_in_no_repr_and_no_dump(tmp_path: Path) -> None:
    """Nor in what is made of it."""
    found = loaded(tmp_path, SCRAM, PASSWORD="hunter2")
    assert login(found) == Scram("me", "hunter2", Tls(None, "c.pem", "c.key", "hunter2"))
    shown = (repr(found), repr(login(found)), str(found.model_dump()), found.model_dump_json())
    assert not any("hunter2" in each for each in shown)


@pytest.mark.parametrize(
    "wrong", ["username: {a: 1}, password: '${PASSWORD}'", "username: me, password: ['${PASSWORD}']"]
)
def test_a_secret_is_in_no_mistake(tmp_path: Path, wrong: str) -> None:
    """Neither in the message nor in the chain of what caused it."""
    environment = {"PASSWORD": "hunter2"}
    with pytest.raises(ConfigurationError) as told:
        loaded(tmp_path, f"{BROKERS}, auth: {{scram: {{{wrong}}}}}", **environment)
    assert "hunter2" not in "".join(traceback.format_exception(told.value))


def test_a_password_in_the_place_of_its_section_is_not_shown(tmp_path: Path) -> None:
    """Whoever is mistaken about the form is told of it, and no more."""
    (mistake,) = mistakes(tmp_path, f"{BROKERS}, auth: {{scram: hunter2}}")
    assert "hunter2" not in mistake
    assert "username, password, secret_arn" in mistake


@pytest.mark.parametrize(
    "setting",
    [
        "sink.kafka.auth.scram.password=hunter2",
        "sink.kafka.auth={scram: {username: me, password: hunter2}}",
        "sink.kafka.auth.scram.password=${PASSWORD:-hunter2}",
        "sink.kafka.librdkafka.sasl.password=hunter2",
    ],
)
def test_a_secret_is_refused_as_an_argument(tmp_path: Path, setting: str) -> None:
    """All of the machine sees it there, and workers would be given it again."""
    file = tmp_path / "o.yaml"
    file.write_text(f"name: orders\nsource: {{kinesis: {{stream: s}}}}\nsink: {{kafka: {{topic: t, {BROKERS}}}}}\n")
    with pytest.raises(ConfigurationError) as told:
        load([str(file)], environment={}, settings=[setting])
    assert "'${VARIABLE}'" in str(told.value)
    assert "hunter2" not in str(told.value)


def test_a_variable_may_stand_for_a_secret_in_an_argument(tmp_path: Path) -> None:
    """Which workers look up for themselves."""
    file = tmp_path / "o.yaml"
    file.write_text(f"name: orders\nsource: {{kinesis: {{stream: s}}}}\nsink: {{kafka: {{topic: t, {BROKERS}}}}}\n")
    settings = ["sink.kafka.auth.scram.username=me", "sink.kafka.auth.scram.password=${PASSWORD}"]
    found = load([str(file)], environment={"PASSWORD": "hunter2"}, settings=settings)
    assert login(found) == Scram("me", "hunter2")


def test_a_secret_is_refused_in_a_url() -> None:
    """Which is an argument, too."""
    urls = ["kinesis:///s", "kafka://b-1:9096/t?auth.scram.username=me&auth.scram.password=hunter2"]
    with pytest.raises(ConfigurationError) as told:
        load(urls, environment={})
    assert "auth.scram.password" in str(told.value)
    assert "hunter2" not in str(told.value)


def test_the_way_back_enters_clusters_as_the_way_there(tmp_path: Path) -> None:
    """Its file names variables for the secrets, and the ARN as it was given; what was found is known already."""
    sink = f"msk_cluster_arn: '{CLUSTER}', auth: {{scram: {{username: me, password: secret}}}}"
    forward = loaded(tmp_path, sink)
    assert forward.sink.kafka is not None
    cluster = forward.sink.kafka.located(Found(("b-1:9096",), Scram("me", "secret")))
    back = reversed_configuration(forward.with_clusters({"sink": cluster}), "earliest", "kpl")
    assert back.configuration.source.kafka is not None
    assert back.configuration.source.kafka.servers == ("b-1:9096",)
    assert back.secrets == {"KMBRIDGE_SOURCE_PASSWORD": "secret"}
    assert CLUSTER in back.text
    assert "b-1:9096" not in back.text
    assert "${KMBRIDGE_SOURCE_PASSWORD}" in back.text
